"""A question and the passages on it in, the clauses to tell in a summary out, each with the heading that it stands under.

The clauses that say most are told in the order of the text. What stands under headings is given in shares, so that no part of a
document is lost: the headings of the deepest level that is not too fine, each with those right below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from assistant.clauses import split_clauses
from assistant.expect import NAMED
from assistant.lexicon import load_lexicon
from assistant.owners import About
from assistant.pairs import is_of_others, names_them
from assistant.quantities import find_quantities
from assistant.quote import Piece, choose_quote, cut_pieces
from assistant.slots import plan_slots
from assistant.titles import name_document
from assistant.topics import NOTE, exhorts, holds_formality, is_formal
from assistant.types import Passage, Question
from assistant.weigh import Term, Weighing
from vectorstore.segment import content_words
from vectorstore.types import Sentence

_TOLD = 12  # bullets of a summary by headings or paragraphs
_SUMMARISED = 12  # of one by places and years
_COMMON = 2.8  # weight of a word that stands in every sixteenth sentence; the rarer, the heavier
_RELEVANT = 0.5  # of what the best sentence holds of the subject, what another has to hold to be told in a summary
_GROUPS = 12  # sections of which a summary gives something each
_FIGURES, _NAMES = 3, 2  # of a clause that count
_SHORT = 11  # characters; a shorter clause says little
_AIMS, _AIMED = re.compile("目标|总体要求|主要指标"), re.compile(r"到20\d\d年|力争|率先")
_DIGIT = "[一二三四五六七八九十]"
_COUNTED = re.compile(f"^(?:{_DIGIT}是|第{_DIGIT}(?=[,，、]))")  # what the text itself counts as a point
_MARKED = re.compile(rf"(?:^|[:：;；。,，\s])(?:{_DIGIT}[是要]|第{_DIGIT}[,，、]|[(（]{_DIGIT}[)）]|——)")
_GAP = re.compile(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])")
_GAPS, _MANY_GAPS = 3, 12  # of what a page has around its text, in a clause and in a sentence
# What a report as a whole, or a year, is told by before anything else.
_HEADLINE = re.compile("生产总值|新增就业|人均可支配收入|消费价格|财政赤字|预期目标|贫困人口|粮食.{0,4}产")
_FIRST, _OPENING = 1.5, 1.5  # what that counts, and a short sentence that opens a paragraph and says what it is about
_SENTENCES, _TOPIC = 3, 20  # sentences of such a paragraph and paragraphs beside it, characters of such a sentence
_MANY_BELOW = 2  # headings below one beyond its bullets, from which on they come first
_PARTS = re.compile("[;；]")
_LONGEST = 60  # characters of a bullet, unless a single clause is longer
_LISTED = 160  # characters of the headings below one that are named beside it
_NUMBER = re.compile(r"^\s*(?:[(（][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十\d]+[、.．])\s*")
_NOTE = re.compile(r"[(（][^()（）]*[)）]$")
_WHOSE = 0.8  # what it counts that clauses open the sentence: there stands who does it
_HANGING = re.compile(
    r"(?:^|[,，;；])(?:到|至)?20\d\d年[底末前初]?$|(?:中|时|后|来看|为例)$|^(?:其中|并|且|以及)"
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
    # What is planned for 2030 is no part of what was asked for 2025.
    passages = [p for p in passages if not years or (p.sentence.labels.year or 0) <= max(years)]
    if passages and all(passage.headings for passage in passages):
        return _tell_by_headings(question, passages, weighing)
    reported = [p for p in passages if p.sentence.labels.part]
    if question.scope.regions and question.scope.years and reported:
        passages = reported  # a report of that year and place, before news that name it
    groups = _group(question, passages, weighing)
    share = max(2 if len(groups) <= _SUMMARISED // 2 else 1, _SUMMARISED // max(1, len(groups)))
    kept: list[tuple[Passage, Piece]] = []
    for group in groups[:_GROUPS]:
        kept += _most_telling(_keep_relevant(question, group, weighing), weighing, share)
    kept.sort(key=lambda pair: (pair[0].sentence.source, pair[0].sentence.start, pair[1].start))
    return [Told(passage, piece) for passage, piece in dict.fromkeys(kept)]


def _tell_by_headings(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Told]:
    ordered = sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start))
    depth = _find_depth(ordered)
    groups: dict[tuple[str, ...], list[Passage]] = {}
    for passage in ordered:
        groups.setdefault((passage.sentence.source, *passage.headings[:depth]), []).append(passage)
    about = About(question.scope.places)  # of a place in a set of documents the clauses that name it
    told: list[Told] = []
    for group, share in zip(groups.values(), _share(list(groups.values()), depth), strict=True):
        heading = _name(group, depth)
        if not question.scope.sources and all(
            told_of.passage.sentence.source != group[0].sentence.source for told_of in told
        ):
            title = name_document(group[0].headings[0])
            heading = f"《{title}》" + (heading if depth > 1 and len(group[0].headings) > 1 else "")
        told += [Told(passage, piece, heading) for passage, piece in _spread(group, weighing, about, share, depth)]
    return told


def _find_depth(passages: Sequence[Passage]) -> int:
    """The deepest level of headings that gives half as many groups as bullets at most; else the second, or the first."""
    deepest = max(len(p.headings) for p in passages)
    for depth in range(deepest, 1, -1):
        if len({(p.sentence.source, p.headings[:depth]) for p in passages}) <= _TOLD // 2:
            return depth
    finest = {(p.sentence.source, p.headings[:2]) for p in passages}
    return 2 if len(finest) <= _TOLD else 1


def _share(groups: Sequence[Sequence[Passage]], depth: int) -> list[int]:
    """Give each group a bullet, one that states the aims another, one for each heading below, and the rest by what is left."""
    shares = [2 if len(group) > 1 and _AIMS.search(" ".join(group[0].headings[1:])) else 1 for group in groups]
    below = [len({passage.headings[: depth + 1] for passage in group}) for group in groups]
    for _ in range(max(0, _TOLD - sum(shares))):
        lacking = max(range(len(groups)), key=lambda n: (below[n] - shares[n], -n))
        most = max(range(len(groups)), key=lambda n: (len(groups[n]) / (shares[n] + 1), -n))
        most = lacking if below[lacking] > shares[lacking] + _MANY_BELOW else most
        shares[most] += _room(groups[most]) > shares[most]
    return shares


def _room(group: Sequence[Passage]) -> int:
    """How many bullets a group may have: one for each sentence, more for one that is long or has parts between semicolons."""
    plain = [passage.sentence.plain for passage in group]
    return sum(max(len(_PARTS.split(text.strip("；;"))), -(-len(text) // _LONGEST)) for text in plain)


def _name(group: Sequence[Passage], depth: int) -> str:
    """Name the heading of a group, and those right below it."""
    own = group[0].headings[:depth][-1]
    below = dict.fromkeys(_NUMBER.sub("", p.headings[depth]) for p in group if len(p.headings) > depth)
    listed = "、".join(f"“{heading}”" for heading in below)
    return f"{own}:{listed}" if len(below) > 1 and len(listed) <= _LISTED else own


def _spread(
    group: Sequence[Passage], weighing: Weighing, about: About, share: int, depth: int
) -> list[tuple[Passage, Piece]]:
    """The most telling clauses of a group: of each heading below in turn, and of each sentence one before another has two."""
    parts: dict[tuple[str, ...], list[Passage]] = {}
    for passage in group:
        parts.setdefault(passage.headings[: depth + 1], []).append(passage)
    ranked = sorted(
        (_rank(part, weighing, about) for part in parts.values()), key=lambda r: -r[0][1].worth if r else 0.0
    )
    kept = [pair for pair in chain.from_iterable(zip_longest(*ranked)) if pair is not None][:share]
    return sorted(kept, key=lambda pair: (pair[0].sentence.start, pair[1].start))


def _rank(passages: Sequence[Passage], weighing: Weighing, about: About) -> list[tuple[Passage, Piece]]:
    """What the text counts, then the best of each sentence, then what else each says."""
    tiers: tuple[list[tuple[Passage, Piece]], ...] = ([], [], [])
    counted = all(_MARKED.search(passage.sentence.plain) for passage in passages)  # a list that the text counts
    opening = _find_openings(passages)
    for passage in passages:
        pieces = _cut(passage.sentence, weighing, about)
        if passage.sentence.id in opening:
            pieces = [replace(piece, worth=piece.worth + _OPENING) for piece in pieces]
        for nth, piece in enumerate(_keep_apart(pieces)):
            tier = 0 if counted and _MARKED.match(piece.text) else 1 if nth == 0 else 2
            tiers[tier].append((passage, piece))
    for tier_of in tiers:
        tier_of.sort(key=lambda pair: -pair[1].worth)
    return [*tiers[0], *(tiers[1] if weighing.terms else _each_once(tiers[1])), *tiers[2]]


def _find_openings(passages: Sequence[Passage]) -> set[str]:
    """The short sentences that open a paragraph and say what it is about."""
    paragraphs: dict[tuple[str, int], list[Sentence]] = {}
    for passage in passages:
        paragraphs.setdefault((passage.sentence.source, passage.sentence.paragraph), []).append(passage.sentence)
    if len(paragraphs) < _SENTENCES:
        return set()
    first = [min(told, key=lambda s: s.start) for told in paragraphs.values() if len(told) >= _SENTENCES]
    return {sentence.id for sentence in first if len(sentence.plain) <= _TOPIC}


def _each_once(pairs: Sequence[tuple[Passage, Piece]]) -> list[tuple[Passage, Piece]]:
    """What speaks again of a leading figure that was told earlier in the text comes last."""
    again: set[int] = set()
    seen: set[str] = set()
    for number, (_, piece) in sorted(enumerate(pairs), key=lambda one: one[1][0].sentence.start):
        led = {*_HEADLINE.findall(piece.text)}
        again |= {number} if led and led <= seen else set()
        seen |= led
    return sorted(pairs, key=lambda pair: pairs.index(pair) in again)


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
    text, clauses = sentence.plain, split_clauses(sentence.plain)
    starts = [n for n, clause in enumerate(clauses) if clause.opens]
    ends = [n - 1 for n in starts[1:]] + [len(clauses) - 1]
    idle = 2.0 * exhorts(text)
    pieces = []
    for at, first in enumerate(starts):
        for last in ends[at:]:
            start, end = clauses[first].start, clauses[last].end
            if last > ends[at] and end - start > _LONGEST:
                break
            spoken = not any(is_of_others(text, clause, about) for clause in clauses[first : last + 1])
            if spoken and names_them(text, start, end, about):
                worth = _rate(text[start:end], weighing) + _WHOSE * (first == 0) - idle
                pieces.append(Piece(start, _drop_note(text[start:end]), worth))
    return pieces or [Piece(0, quote := choose_quote(sentence, weighing, about=about), _rate(quote, weighing))]


def _rate(text: str, weighing: Weighing) -> float:
    """Rate clauses by what they say: figures, names, aims, the subject; less where they are short or only exhort."""
    said = min(_FIGURES, len(find_quantities(text))) + 0.5 * min(_NAMES, len(NAMED.findall(text)))
    said += (
        1.5 * (_AIMED.search(text) is not None)
        + (4.0 if weighing.terms else 1.0) * (_COUNTED.match(text) is not None)
        + 0.02 * min(_LONGEST, len(text))
    )
    said -= 4.0 * (len(_GAP.findall(text)) >= _GAPS or NOTE.match(text) is not None)
    said += _FIRST * (not weighing.terms and _HEADLINE.search(text) is not None)
    said -= 3.0 * holds_formality(_drop_note(text)) + 3.0 * exhorts(text) + 3.0 * (_HANGING.search(text) is not None)
    return said + (-0.5 if len(text) < _SHORT else weighing.coverage(text) if weighing.terms else 0.0)


def _drop_note(text: str) -> str:
    """A clause without the note in brackets at its end that says who is responsible."""
    note = _NOTE.search(text)
    return text[: note.start()].rstrip("。;； ") if note and note.start() and holds_formality(note[0]) else text


def _keep_relevant(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """Of a summary of something the sentences that speak of it; figures alone make none worth telling.

    What a report speaks of everywhere, as 绿色发展, is no part of it but all of it.
    """
    everywhere = bool(question.scope.regions) and all(_stands_everywhere(term) for term in weighing.terms)
    if not question.terms or everywhere:
        return list(passages)
    least = _RELEVANT * max((p.coverage for p in passages), default=0.0)
    return [p for p in passages if p.coverage >= least]


def _stands_everywhere(term: Term) -> bool:
    """Whether a word is one that such reports use throughout: a common one, or one for their whole subject."""
    umbrella = load_lexicon().umbrella
    return term.weight <= _COMMON or term.text in umbrella or all(word in umbrella for word in content_words(term.text))


def _group(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[list[Passage]]:
    """What a summary gives each its share: the places and years that are asked for, or else the sections of the text."""
    slots = plan_slots(question, ())
    if len(slots) > 1:
        return [[p for p in passages if slot.scope.allows(p.sentence)] for slot in slots]
    relevant = _keep_relevant(question, passages, weighing)
    of_one_text = len({p.sentence.source for p in relevant}) == 1 and not question.scope.regions
    if (question.terms and not of_one_text) or (question.scope.regions and question.scope.years):
        return [list(passages)]
    sections: dict[tuple[str, int], list[Passage]] = {}
    for passage in sorted(relevant, key=lambda p: (p.sentence.source, p.sentence.start)):
        sections.setdefault((passage.sentence.source, passage.sentence.section), []).append(passage)
    return list(sections.values())


def _is_around(plain: str) -> bool:
    """Whether a sentence is what a page has around its text, or says only who is responsible."""
    return len(_GAP.findall(plain)) >= _MANY_GAPS or (NOTE.match(plain) is not None and is_formal(plain))


def _most_telling(passages: Sequence[Passage], weighing: Weighing, limit: int) -> list[tuple[Passage, Piece]]:
    """The pieces that say most, of at most two from one sentence, so that none fills the summary."""
    leading: list[tuple[Passage, Piece]] = []
    further: list[tuple[Passage, Piece]] = []
    passages = [p for p in passages if not _is_around(p.sentence.plain)] or passages
    roomy = 2 * limit >= len(passages)  # then each sentence has its say before one has two
    for passage in passages:
        pieces = sorted(cut_pieces(passage.sentence, weighing), key=lambda piece: -piece.worth)
        pieces = pieces[: 2 if len(passages) >= limit else len(pieces)]
        leading += [(passage, piece) for piece in pieces[: 1 if roomy else None]]
        further += [(passage, piece) for piece in pieces[1:]] if roomy else []
    for rated in (leading, further):
        rated.sort(key=lambda pair: (-pair[1].worth, pair[0].number))
    return [*leading, *further][:limit]
