"""A question and the passages on it in, the clauses to tell in a summary out, each with the heading that it stands under.

The clauses that say most are told in the order of the text. What stands under headings is given in shares, so that no part of a
document is lost: the headings of the deepest level that is not too fine, each with those right below it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from assistant.answering.parts import Group, clean_headings, drop_around, drop_named, group, group_by_places, weigh_told
from assistant.answering.quote import Piece, choose_quote
from assistant.answering.shares import find_depth, share_bullets
from assistant.answering.stand import find_places
from assistant.question.titles import name_document
from assistant.question.weigh import Weighing
from assistant.reading.expect import NAMED
from assistant.reading.formal import NOTE, exhorts, holds_formality, is_formal, states_figure
from assistant.reading.owners import About
from assistant.reading.pairs import is_of_others, names_them
from assistant.reading.quantities import Measure, find_quantities
from assistant.reading.wholes import (
    LONGEST,
    LONGEST_RULE,
    carries,
    cut_runs,
    is_around,
    opens_article,
    rules,
    rules_firmly,
)
from assistant.types import Passage, Question
from vectorstore.segment import content_words
from vectorstore.types import Sentence

_SUMMARISED = 12  # of one by places and years
_GROUPS = 12  # sections of which a summary gives something each
_FIGURES, _RULING, _NAMES = 3, 2, 2  # of a clause that count, the second of one that rules something
_SHORT = 11  # characters; a shorter clause says little
_AIMED = re.compile(r"到20\d\d年|力争|率先")
_DIGIT = "[一二三四五六七八九十]"
_TALKS, _TALK = re.compile('^[“"][^”"]*[”"]?$|(?:说|坦言|感慨|告诉记者)[，,:：]'), 1.5  # what somebody says adds colour
# What the text itself counts as a point.
_COUNTED = re.compile(f"^(?:{_DIGIT}是|第{_DIGIT}(?=[,，、])|(?:特点|经验|问题|建议|做法|亮点|举措){_DIGIT}[:：])")
_MARKED = re.compile(rf"(?:^|[:：;；。,，\s])(?:{_DIGIT}[是要]|第{_DIGIT}[,，、]|[(（]{_DIGIT}[)）]|——)")
_MARK = re.compile(rf"^\s*[(（]{_DIGIT}+[)）]")
_GAP = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
_GAPS, _MANY_GAPS = 3, 12  # of what a page has around its text, in a clause and in a sentence
# What a report as a whole, or a year, is told by before anything else.
_HEADLINE = re.compile(
    "(?<!单位地区)(?<!单位国内)(?<!单位)生产总值|新增就业|人均可支配收入|消费价格|财政赤字|预期目标|贫困人口|粮食.{0,4}产"
)
_FIRST = 1.5  # what that counts
_NAMED = 0.8  # of a subject what a heading has to hold to be about it as a whole
_LISTED = 160  # characters of the headings below one that are named beside it
_NUMBER = re.compile(r"^\s*(?:[(（][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十\d]+[、.．](?:\d+[、.．]?)*)\s*")
# What every plan has: as names of what is told they say nothing.
_FRAME = re.compile(
    "^(?:指导思想|总体(?:要求|思路|目标|原则)|基本原则|(?:主要|工作|发展)?目标|目标任务|基本情况|其他|附则)$"
)
_NOTE = re.compile(r"[(（][^()（）]*[)）]$")
# What it counts that a clause rules something, does so firmly, opens an article (also of a law as a whole), or speaks of the document.
_RULED, _FIRMLY, _OPENS, _OPENS_WHOLE, _CARRIED = 0.4, 0.8, 0.5, 1.5, 2.0
# What it counts that words, or a neighbour in the paragraph, were told; characters.
_AGAIN, _BESIDE, _NEAR = 1.0, 0.3, 300
_MADE_FOR = re.compile(
    "^\\s*(?:第[一1]条\\s+)?(?:为|根据|依据|按照).*制定本"
)  # says only what the document is made for
_FEW = 2  # paragraphs that are not told in turns: one may be only an afterword
_FURTHER = 1.0  # worth of what a sentence says beside its best clause, where that is told
_LOST, _LEAST = (
    -10.0,
    -5.0,
)  # what it counts that a clause says nothing alone; worth of what is told only where nothing else is
_TOO_LONG = 0.01  # what each character of a bullet beyond the longest counts
_WHOSE = 0.8  # what it counts that clauses open the sentence: there stands who does it
_HANGING = re.compile(
    r"(?:^|[,，;；])(?:到|至)?20\d\d年[底末前初]?$|(?:中|时|后|来看|为例|发现|表示|认为|指出|显示|获悉)$|^(?:并|且|以及|包括|(?:也|就)?是(?!否))|20\d\d年是[^,，]{0,20}(?:之年|的一年)$"
)  # what lacks its other half


@dataclass(frozen=True, slots=True)
class Told:
    """One bullet of a summary."""

    passage: Passage
    piece: Piece
    heading: str = ""  # where it stands in the document; empty where its labels say it


def choose_told(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Told]:
    """Choose the clauses of a summary, in the order of the text."""
    years = question.scope.years
    # What is planned for 2030 is no part of what was asked for 2025, but of the document that has 2025 in its title.
    named = any(passage.headings and all(str(year) in passage.headings[0] for year in years) for passage in passages)
    passages = [p for p in passages if not years or named or (p.sentence.labels.year or 0) <= max(years)]
    passages = drop_around(passages)
    if passages and all(passage.headings for passage in passages):
        passages = drop_named([clean_headings(passage) for passage in passages])
        weighing = weigh_told(passages, weighing)
        if places := group_by_places(question, passages, weighing):
            return _tell(places, About())
        return _tell_by_headings(question, passages, weighing)
    reported = [p for p in passages if p.sentence.labels.part]
    if question.scope.regions and question.scope.years and reported:
        passages = reported  # a report of that year and place, before news that name it
    return _tell(group(question, passages, weighing), About(question.scope.places))


def _tell(groups: Sequence[Group], about: About) -> list[Told]:
    """Tell of each group its share; what one has no room for goes to those behind it."""
    kept: dict[tuple[str, int], tuple[Passage, Piece]] = {}
    said = [Group([p for p in one.passages if not _is_around(p.sentence.plain)], one.weighing) for one in groups]
    groups = [one for one in said if one.passages] or [one for one in groups if one.passages]
    groups = groups[:_GROUPS]
    for number, one in enumerate(groups):
        share = -(-(_SUMMARISED - len(kept)) // (len(groups) - number))
        told = _most_telling(one.passages, one.weighing, share, about)
        kept |= {(passage.sentence.id, piece.start): (passage, piece) for passage, piece in told}
    ordered = sorted(kept.values(), key=lambda pair: (pair[0].sentence.source, pair[0].sentence.start, pair[1].start))
    return [Told(passage, piece) for passage, piece in ordered]


def _tell_by_headings(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Told]:
    ordered = sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start))
    depth = find_depth(ordered)
    groups: dict[tuple[str, ...], list[Passage]] = {}
    for passage in ordered:
        groups.setdefault((passage.sentence.source, *passage.headings[:depth]), []).append(passage)
    if len(groups) > 1:  # what stands before the first heading may only carry the document
        told_of = {name: one for name, one in groups.items() if not all(_only_carries(p.sentence.plain) for p in one)}
        groups = told_of or groups
    about = About(question.scope.places)  # of a place in a set of documents the clauses that name it
    told: list[Told] = []
    headed = [weighing.coverage("\n".join(one[0].headings[1:])) >= _NAMED for one in groups.values()]
    for one, share in zip(groups.values(), share_bullets(list(groups.values()), depth, headed), strict=True):
        heading = _name(one, depth)
        if not question.scope.sources and all(
            told_of.passage.sentence.source != one[0].sentence.source for told_of in told
        ):
            title = name_document(one[0].headings[0])
            heading = f"《{title}》" + (heading if depth > 1 and len(one[0].headings) > 1 else "")
        told += [Told(passage, piece, heading) for passage, piece in _spread(one, weighing, about, share, depth)]
    return told


def _only_carries(plain: str) -> bool:
    return carries(plain) and (_MADE_FOR.search(plain) is not None or not states_figure(plain))


def _name(group: Sequence[Passage], depth: int) -> str:
    """Name the heading of a group, and those right below it."""
    own = group[0].headings[:depth][-1]
    below = dict.fromkeys(_NUMBER.sub("", p.headings[depth]) for p in group if len(p.headings) > depth)
    below = {heading: None for heading in below if not _FRAME.match(heading)}
    listed = "、".join(f"“{heading}”" for heading in below)
    return f"{own}:{listed}" if len(below) > 1 and len(listed) <= _LISTED else own


def _spread(
    group: Sequence[Passage], weighing: Weighing, about: About, share: int, depth: int
) -> list[tuple[Passage, Piece]]:
    """The most telling clauses of a group: of each heading below in turn, and of each sentence one before another has two."""
    parts: dict[tuple[str, ...], list[Passage]] = {}
    for passage in group:
        parts.setdefault(passage.headings[: depth + 1], []).append(passage)
    own = "\n".join(group[0].headings[1:][-1:])
    if len(parts) == 1 and (not weighing.terms or weighing.coverage(own) >= _NAMED):  # all of it is about the subject
        parts = _part_by_paragraphs(group, share)
    kept = _take_turns(parts, weighing, about, share)
    return sorted(kept, key=lambda pair: (pair[0].sentence.start, pair[1].start))


def _part_by_paragraphs(passages: Sequence[Passage], share: int) -> dict[tuple[str, ...], list[Passage]]:
    """The paragraphs of a text of which each has its own subject; all in one where they are too many or only sentences."""
    parts: dict[tuple[str, ...], list[Passage]] = {}
    key: tuple[str, ...] = ()
    for passage in sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start)):
        if not (key and _MARK.match(passage.sentence.plain)):  # an item belongs to what announces it
            key = (passage.sentence.source, str(passage.sentence.paragraph))
        parts.setdefault(key, []).append(passage)
    several = sum(len(part) > 1 for part in parts.values())
    return parts if _FEW < len(parts) <= share and 2 * several >= len(parts) else {(): list(passages)}


def _take_turns(
    parts: Mapping[tuple[str, ...], Sequence[Passage]], weighing: Weighing, about: About, share: int
) -> list[tuple[Passage, Piece]]:
    """Of each part in turn what says most."""
    ranked = sorted(
        (_thin(_rank(part, weighing, about), share) for part in parts.values()),
        key=lambda r: -r[0][1].worth if r else 0.0,
    )
    return [pair for pair in chain.from_iterable(zip_longest(*ranked)) if pair is not None][:share]


def _thin(tiers: Sequence[Sequence[tuple[Passage, Piece]]], share: int) -> list[tuple[Passage, Piece]]:
    """Choose tier after tier what says most beside what was chosen: new words, and of another paragraph or article."""
    chosen: list[tuple[Passage, Piece]] = []
    told: set[str] = set()
    for tier in tiers:
        left = [(pair, frozenset(content_words(pair[1].text))) for pair in tier]
        while left and len(chosen) < share:
            best = max(left, key=lambda one: one[0][1].worth - _repeats(one[0], one[1], chosen, told))
            left.remove(best)
            chosen.append(best[0])
            told |= best[1]
    return chosen


def _repeats(
    pair: tuple[Passage, Piece], words: frozenset[str], chosen: Sequence[tuple[Passage, Piece]], told: set[str]
) -> float:
    """How much of a clause was told already, by its words and by where it stands."""
    own = pair[0].sentence
    beside = sum(
        own.source == one.sentence.source
        and own.paragraph == one.sentence.paragraph
        and abs(own.start - one.sentence.start) < _NEAR
        for one, _ in chosen
    )
    return _AGAIN * len(words & told) / max(1, len(words)) + _BESIDE * min(2, beside)


def _rank(passages: Sequence[Passage], weighing: Weighing, about: About) -> list[list[tuple[Passage, Piece]]]:
    """What the text counts, then the best of each sentence, then what else each says."""
    tiers: tuple[list[tuple[Passage, Piece]], ...] = ([], [], [])
    counted = all(_MARKED.search(passage.sentence.plain) for passage in passages)  # a list that the text counts
    places = find_places(passages, whole=not weighing.terms)
    for passage in passages:
        cut = _cut(passage.sentence, weighing, about)
        pieces = [replace(piece, worth=piece.worth + places.rate(passage, piece.text)) for piece in cut]
        for nth, piece in enumerate(_keep_apart(pieces)):
            tier = (
                0
                if counted and (_MARKED.match(piece.text) or _announces_rule(passage, piece))
                else 1
                if nth == 0
                else 2
            )
            if tier < 2 or piece.worth >= _FURTHER:
                tiers[tier].append((passage, piece))
    if not counted:  # what cannot be read alone is told only of lists, and where there is nothing else
        tiers = (
            tuple([pair for pair in tier if pair[1].worth > _LEAST] for tier in tiers)
            if any(pair[1].worth > _LEAST for tier in tiers for pair in tier)
            else tiers
        )
    for tier_of in tiers:
        tier_of.sort(key=lambda pair: -pair[1].worth)
    if weighing.terms:
        return list(tiers)
    once, again = _each_once(tiers[1])
    return [tiers[0], once, again, tiers[2]]


def _announces_rule(passage: Passage, piece: Piece) -> bool:
    """Whether a clause says what holds in the cases that the text counts behind it: 有下列情形之一的,应当…."""
    mark = _MARKED.search(passage.sentence.plain, 1)
    return mark is not None and piece.start + len(piece.text) <= mark.start() + 1 and rules(piece.text)


def _each_once(pairs: Sequence[tuple[Passage, Piece]]) -> tuple[list[tuple[Passage, Piece]], ...]:
    """What speaks again of a leading figure that was told earlier in the text comes after the rest."""
    again: set[int] = set()
    seen: set[str] = set()
    for number, (_, piece) in sorted(enumerate(pairs), key=lambda one: one[1][0].sentence.start):
        led = {*_HEADLINE.findall(piece.text)}
        again |= {number} if led and led <= seen else set()
        seen |= led
    return [p for n, p in enumerate(pairs) if n not in again], [p for n, p in enumerate(pairs) if n in again]


def _keep_apart(pieces: Sequence[Piece]) -> list[Piece]:
    """The best of pieces that overlap, best first."""
    kept: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: -piece.worth):
        end = piece.start + len(piece.text)
        if all(piece.start >= one.start + len(one.text) or end <= one.start for one in kept):
            kept.append(piece)
    return kept


def _cut(sentence: Sentence, weighing: Weighing, about: About) -> list[Piece]:
    """All runs of whole clauses that are short enough, rated; of a sentence on several places those that name the asked one."""
    text = sentence.plain
    longest = LONGEST_RULE if opens_article(text) or rules(text) else LONGEST
    clauses, runs = cut_runs(text, longest)
    idle = 2.0 * exhorts(text) + _CARRIED * (_MADE_FOR.search(text) is not None)
    pieces = []
    for run in runs:
        spoken = not any(is_of_others(text, clause, about) for clause in clauses[run.first : run.last + 1])
        if spoken and names_them(text, run.start, run.end, about):
            said = text[run.start : run.end]
            worth = _rate(said, weighing) + _WHOSE * (run.first == 0) - idle - run.lacking
            worth += (_OPENS if weighing.terms else _OPENS_WHOLE) * (run.first == 0 and opens_article(text)) + _LOST * (
                not run.whole
            )
            pieces.append(Piece(run.start, _drop_note(said), worth - _TOO_LONG * max(0, len(said) - longest)))
    return pieces or [Piece(0, quote := choose_quote(sentence, weighing, about=about), _rate(quote, weighing))]


def _rate(text: str, weighing: Weighing) -> float:
    """Rate clauses by what they say: figures, names, aims, the subject; less where they are short or only exhort."""
    ruled = rules(text)
    said = min(_RULING if ruled else _FIGURES, _count_figures(text)) + 0.5 * min(_NAMES, len(NAMED.findall(text)))
    said += (
        1.5 * (_AIMED.search(text) is not None)
        + (4.0 if weighing.terms else 1.0) * (_COUNTED.match(text) is not None)
        + (0.01 if ruled else 0.02) * min(LONGEST, len(text))
    )
    said -= 4.0 * (len(_GAP.findall(text)) >= _GAPS or NOTE.match(text) is not None)
    said += _FIRST * (not weighing.terms and _HEADLINE.search(text) is not None)
    said -= 3.0 * holds_formality(_drop_note(text)) + 3.0 * exhorts(text) + 3.0 * (_HANGING.search(text) is not None)
    said -= _TALK * (_TALKS.search(text) is not None)
    said += _RULED * ruled + _FIRMLY * rules_firmly(text) - _CARRIED * carries(text)
    return said + (-0.5 if len(text) < _SHORT and not ruled else weighing.coverage(text) if weighing.terms else 0.0)


def _count_figures(text: str) -> int:
    """How many figures a text gives; a date is one with its year."""
    found = find_quantities(text)
    dated = {q.start for q in found if q.measure is Measure.DATE and text[: q.start].endswith("年")}
    return sum(quantity.start not in dated for quantity in found)


def _drop_note(text: str) -> str:
    """A clause without the note in brackets at its end that says who is responsible."""
    note = _NOTE.search(text)
    return text[: note.start()].rstrip("。;； ") if note and note.start() and holds_formality(note[0]) else text


def _is_around(plain: str) -> bool:
    """Whether a sentence is what a page has around its text, or says only who is responsible."""
    return (
        is_around(plain)
        or len(_GAP.findall(plain)) >= _MANY_GAPS
        or (NOTE.match(plain) is not None and is_formal(plain))
    )


def _most_telling(
    passages: Sequence[Passage], weighing: Weighing, limit: int, about: About
) -> list[tuple[Passage, Piece]]:
    """The clauses that say most, of each sentence one before another has two."""
    whole: dict[tuple[str, ...], list[Passage]] = {(): list(passages)}
    parts = whole if weighing.terms else _part_by_paragraphs(passages, limit)
    return _take_turns(parts, weighing, about, limit)
