"""A subject and the documents in, the stretches of text that are about it out, whole and in their order.

What a text says of a subject stands where a heading or the first sentence of a paragraph names it; the sentences that follow need
not hold its words. So stretches are chosen and not sentences: those under a heading that speaks of the subject, or else the
paragraphs that open with it and speak of it most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby

from assistant.question.weigh import Weighing
from assistant.reading.announced import find_item_lines
from assistant.reading.clauses import split_clauses
from assistant.reading.expect import NAMED
from assistant.reading.kept import keep
from assistant.reading.lexicon import load_lexicon
from assistant.reading.quantities import Measure, find_quantities
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument, Scope, Sentence

_HEADED = 0.6  # share of the subject that headings have to hold
_LISTED, _OWN = 0.9, 0.5  # the same of what has to be listed, with the title of the document and without
_NARROWS = 0.5  # what headings below such a title have to hold themselves
_AS_HEADED = 0.9  # of what the best headings hold, what others have to hold
_FILLED = 8  # sentences below which a section is short
_SECTION = 3  # sentences from which on what stands under a heading is worth telling by itself
_LEAD, _BETWEEN, _DENSE = (
    0.45,
    0.25,
    0.3,
)  # what counts of a paragraph: its opening, all of it, and each of its sentences
_FURTHER, _SECOND = (
    0.4,
    0.8,
)  # what it counts that a further clause of the first sentence names the subject, or the second one
_ONE, _TWO = 0.5, 0.8  # the worth of a paragraph of one sentence, or of two
_ABOUT, _AS_ABOUT = 0.35, 0.6  # what a paragraph has to reach, by itself and of what the best one does
_PARAGRAPHS = 5
_LONG = 40  # sentences; a longer paragraph is a whole text without line breaks, and about nothing by itself
_NUMBERED = re.compile(r"^\s*(?:[(（][一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+、)")
_BRACKETED = re.compile(r"^\s*[(（][一二三四五六七八九十]+[)）]")
_CHAPTER = re.compile(r"(?:^|\s)(第[一二三四五六七八九十]+章\s+(?:\S\s\S|\S{2,20}))\s+第[一二三四五六七八九十]+条")
_ARTICLE = re.compile(r"^第[一二三四五六七八九十百]+条\s")
_LAST = re.compile(
    r"(?:^|(?<=\s))([一二三四五六七八九十]+、[^\s,，。；;：:、]{2,20})$"
)  # the sentence behind it is under it
_COUNTABLE = re.compile(
    "特点|特色|特征|亮点|经验|启示|问题|困难|挑战|不足|短板|建议|对策|做法|举措|措施|任务|原因|方面"
)
NOTE = re.compile(r"[(（][^()（）]*(?:牵头|配合|负责|分工落实)[^()（）]*[)）]")  # who is responsible
_CAPTION = re.compile(r"^\s*\d[^\d\s,，。；;:：%％年月日个]{2,14}$")  # a numbered heading of a text without line breaks
_OPENS = re.compile("([一二三四五六七八九十])是")
_PEOPLE = re.compile("(?:人|工|民|生|者|员|童|女|军|企业|户|家庭|群体)$")
_VOCATIVE = re.compile(r"^\s*(?:各位|同志们|女士们|朋友们)\S{0,8}[!！:：]\s*$")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LONGEST_HEADING = 40
_TOPIC = 24  # characters of a small heading in the line
_SHORT_HEADING = 12  # characters of a heading that is about little else than the word in it
_SEVERAL = 2  # other provinces that a sentence names which is about all of them
_OF_PLACES = 15  # sentences; a longer paragraph that names a place is not all about it


@dataclass(frozen=True, slots=True)
class Stretch:
    """A paragraph with the headings that it stands under."""

    headings: tuple[str, ...]  # from the outermost to its own
    sentences: tuple[Sentence, ...]
    announced: str = ""  # what is said before it of all of it

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join(sentence.plain for sentence in self.sentences)


def find_topic(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what is said of a subject, in the documents' order; nothing where no heading and no paragraph is about it."""
    stretches = list(list_stretches(documents, scope))
    if within := _find_within(stretches, weighing) or _find_people(stretches, weighing):
        return within
    return _find_headed(stretches, weighing) or _find_opened(stretches, weighing)


def find_headed(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what stands under headings that speak of a subject."""
    stretches = list(list_stretches(documents, scope))
    return _find_within(stretches, weighing) or _find_headed(stretches, weighing)


def _find_people(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    """Of a group of people, who are spoken of under many subjects, the sentences that name them."""
    if len(weighing.terms) != 1 or not _PEOPLE.search(weighing.terms[0].text):
        return ()
    if any(weighing.coverage("\n".join(stretch.headings)) >= _HEADED for stretch in stretches):
        return ()
    named = [replace(s, sentences=tuple(n for n in s.sentences if weighing.held(n.plain))) for s in stretches]
    found = tuple(stretch for stretch in named if stretch.sentences)
    return found if len(found) >= _SECTION else ()


def _find_within(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    """Of a document whose title holds a part of the question what is said of the rest."""
    for title in dict.fromkeys(stretch.headings[0] for stretch in stretches):
        held = weighing.held(title)
        rest = Weighing(tuple(term for term in weighing.terms if term.text not in held))
        if not held or not rest.terms or not any(term.known for term in rest.terms):
            continue
        own = [replace(s, headings=s.headings[1:]) for s in stretches if s.headings[0] == title]
        found = _find_headed(own, rest) or _find_opened(own, rest)
        if sum(len(stretch.sentences) for stretch in found) >= _SECTION:
            return tuple(replace(stretch, headings=(title, *stretch.headings)) for stretch in found)
    return ()


def find_places(documents: Sequence[ParsedDocument], scope: Scope) -> tuple[Stretch, ...]:
    """Find what is said of places: the paragraphs that name no others, and of longer ones the sentences that name them.

    Nothing where a place has sections of its own.
    """
    asked = scope.places or scope.regions
    if any(section.labels.region in asked for parsed in documents for section in parsed.sections):
        return ()
    found = []
    for stretch in list_stretches(
        documents, replace(scope, places=frozenset(), regions=frozenset(), years=frozenset())
    ):
        of_year = [s for s in stretch.sentences if _is_of_year(s, scope.years)]
        named = tuple(s for s in of_year if any(place in NOTE.sub("", s.plain) for place in asked))
        stretch = replace(stretch, sentences=tuple(of_year))
        alone = all({*s.places} <= asked for s in stretch.sentences) and len(stretch.sentences) <= _OF_PLACES
        found += [stretch if alone else Stretch(stretch.headings, named)] if named else []
    own = [replace(f, sentences=tuple(s for s in f.sentences if len({*s.regions} - asked) < _SEVERAL)) for f in found]
    return tuple(stretch for stretch in own if stretch.sentences) or tuple(found)


def _is_of_year(sentence: Sentence, years: frozenset[int]) -> bool:
    """Whether a sentence is of one of the years by its label, or, where it has none, by its words."""
    if not years or sentence.labels.year in years:
        return True
    return sentence.labels.year is None and any(f"{year}年" in sentence.plain for year in years)


def find_listed(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what stands under headings that name just what is to be listed; the title of the document does not do so alone."""

    def names_it(headings: Sequence[str]) -> bool:
        own = weighing.coverage("\n".join(headings[1:])) if headings[1:] else 0.0
        return own >= _OWN and weighing.coverage("\n".join(headings)) >= _LISTED

    return tuple(stretch for stretch in list_stretches(documents, scope) if names_it(stretch.headings))


def find_counted(
    documents: Sequence[ParsedDocument], focus: str, weighing: Weighing, scope: Scope
) -> tuple[Stretch, ...]:
    """Find what stands under headings that count what is asked for: of 有哪些特点 all under 特点一, 特点二 and 特点三."""
    nouns = "|".join(dict.fromkeys(_COUNTABLE.findall(focus)))
    if not nouns:
        return ()
    counts = re.compile(rf"^\s*(?:{nouns})(?:之)?[一二三四五六七八九十\d]")
    found = [s for s in list_stretches(documents, scope) if any(counts.match(heading) for heading in s.headings[1:])]
    about = [s for s in found if weighing.coverage(f"{s.headings[0]}\n{s.text}") >= _OWN]
    kinds = {(s.sentences[0].source, next(h for h in s.headings[1:] if counts.match(h))) for s in found}
    return tuple(found) if len(kinds) > 1 and about else ()


def list_stretches(documents: Sequence[ParsedDocument], scope: Scope) -> Iterator[Stretch]:
    """Cut documents into paragraphs, each with its headings; a numbered line of its own is a heading too.

    In a text without line breaks headings stand in the line: they open paragraphs there, and articles do.
    """
    for parsed in documents:
        for stretch in _cut_document(parsed):
            told = tuple(sentence for sentence in stretch.sentences if scope.allows(sentence))
            if told:
                yield stretch if len(told) == len(stretch.sentences) else Stretch(stretch.headings, told)


@keep
def _cut_document(parsed: ParsedDocument) -> tuple[Stretch, ...]:
    """All paragraphs of a document, without what only carries it."""
    cut: list[Stretch] = []
    headings: tuple[str, ...] = ()
    section, inline = -1, ""
    items = find_item_lines(parsed.sentences)  # they are counted like headings
    for (number, _), group in groupby(parsed.sentences, key=lambda s: (s.section, s.paragraph)):
        sentences = tuple(group)
        if number != section:
            own = parsed.sections[number].headings
            title = () if own[:1] == (parsed.document.title,) else (parsed.document.title,)
            headings, section = (*title, *own), number
            below = bool(headings[1:]) and all(_BRACKETED.match(heading) for heading in headings[1:])
            inline = inline if below else ""
            headings = (headings[0], inline, *headings[1:]) if inline else headings
        if _VOCATIVE.match(sentences[0].plain) and _BRACKETED.match(headings[-1]):
            headings = headings[:-1]  # a speech turns to something else, and no longer to its last small heading
        if _is_heading(sentences) and sentences[0].id not in items:
            above = headings[:-1] if _BRACKETED.match(headings[-1]) else headings
            headings = (*above, sentences[0].plain.strip().rstrip("。"))
            continue
        for heading, part in _cut_inline(sentences):
            if heading:
                inline, headings = heading, (headings[0], heading)
            if told := tuple(s for s in part if not is_formal(s.plain)):
                cut.append(Stretch(headings, told))
    return tuple(cut)


def _cut_inline(sentences: Sequence[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """Cut a paragraph at the headings and articles that stand in it; the heading is empty where none opens."""
    heading, part = "", list[Sentence]()
    for sentence in sentences:
        chapter, last = _CHAPTER.search(sentence.plain), _LAST.search(sentence.plain)
        if chapter or _ARTICLE.match(sentence.plain):
            yield heading, part
            heading, part = (chapter[1] if chapter else ""), []
        if last is None or last.start():
            part.append(sentence)
        if last:
            yield heading, part
            heading, part = last[1], []
    yield heading, part


def _is_heading(sentences: Sequence[Sentence]) -> bool:
    first = sentences[0].plain
    return len(sentences) == 1 and len(first) <= _LONGEST_HEADING and _NUMBERED.match(first) is not None


def _find_headed(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    rated = [(_rate_headings(stretch.headings, weighing), stretch) for stretch in stretches]
    least = max(_HEADED, _AS_HEADED * max((rate for rate, _ in rated), default=0.0))
    found = tuple(stretch for rate, stretch in rated if rate >= least - 1e-9)
    if any(_names_several(stretch.headings, weighing) for stretch in found) and (
        opened := _find_opened(found, weighing)
    ):
        found = opened  # of a heading that names several things what is said of the one
    told = sum(len(stretch.sentences) for stretch in found)
    if not _SECTION <= told < _FILLED:
        return found if told >= _SECTION else ()
    kept = {id(stretch) for stretch in found}  # a short section; what names the subject elsewhere belongs to it
    named = (s if id(s) in kept else replace(s, sentences=_take_naming(s, weighing)) for s in stretches)
    return tuple(stretch for stretch in named if stretch.sentences)


def _take_naming(stretch: Stretch, weighing: Weighing) -> tuple[Sentence, ...]:
    return tuple(s for s in stretch.sentences if weighing.coverage(s.plain) >= _LISTED)


def _rate_headings(headings: Sequence[str], weighing: Weighing) -> float:
    """What they hold of the subject; a word in passing below a title that names the subject already narrows nothing.

    What is asked of the subject (经验, 问题) need not stand in the title: a short heading of its own says where it is told.
    """
    subject = Weighing(tuple(term for term in weighing.terms if not _COUNTABLE.search(term.text)))
    titled = subject.coverage(headings[0]) if headings and subject.terms else 0.0
    own = weighing.coverage("\n".join(headings[1:])) if headings[1:] else 0.0
    aspects = [term.text for term in weighing.terms if _COUNTABLE.search(term.text)]
    told = any(len(h) <= _SHORT_HEADING and any(aspect in h for aspect in aspects) for h in headings[1:])
    passing = titled >= _HEADED and own < _NARROWS and not told
    return titled if passing else weighing.coverage("\n".join(headings))


def _names_several(headings: Sequence[str], weighing: Weighing) -> bool:
    """Whether it is a heading below the title that names the subject, and names other things beside it."""
    own = [heading for heading in headings[1:] if weighing.coverage(heading) >= _HEADED]
    several = all("、" in _NUMBERED.sub("", heading) for heading in own)
    return bool(own) and several and weighing.coverage(headings[0]) < _HEADED


def _find_opened(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    rated = [(_rate(stretch, weighing), stretch) for stretch in stretches if len(stretch.sentences) <= _LONG]
    least = max(_ABOUT, _AS_ABOUT * max((rate for rate, _ in rated), default=0.0))
    best = sorted((pair for pair in rated if pair[0] >= least), key=lambda pair: -pair[0])[:_PARAGRAPHS]
    kept = {id(stretch) for _, stretch in best}
    for announcing, run in _find_counted_runs(stretches):
        # What is counted under one subject belongs to it as a whole.
        if id(announcing) in kept and any(id(stretch) in kept for stretch in run):
            kept |= {id(stretch) for stretch in run}
    return tuple(stretch for stretch in stretches if id(stretch) in kept)


def _find_counted_runs(stretches: Sequence[Stretch]) -> Iterator[tuple[Stretch, list[Stretch]]]:
    """Paragraphs that open with 一是, 二是 and so on with those between them, and the paragraph before each such run."""
    for at, stretch in enumerate(stretches[1:], 1):
        if _read_ordinal(stretch) != 1:
            continue
        run, last, counted = [stretch], 1, 1
        for behind in stretches[at + 1 :]:
            ordinal = _read_ordinal(behind)
            if behind.headings != stretch.headings or ordinal not in (0, counted + 1):
                break
            run.append(behind)
            if ordinal:
                last, counted = len(run), ordinal
        yield stretches[at - 1], run[:last]


def _read_ordinal(stretch: Stretch) -> int:
    opens = _OPENS.match(stretch.sentences[0].plain)
    return "一二三四五六七八九十".index(opens[1]) + 1 if opens else 0


def _rate(stretch: Stretch, weighing: Weighing) -> float:
    """Rate how much a paragraph is about the subject; a paragraph of one sentence has no sentences that follow its opening."""
    held = [weighing.coverage(sentence.plain) for sentence in stretch.sentences]
    if len(held) == 1:
        return _ONE * held[0]
    first, *_ = split_clauses(stretch.sentences[0].plain)
    lead = max(weighing.coverage(first.text), _FURTHER * held[0], _SECOND * held[1])
    rate = _LEAD * lead + _BETWEEN * weighing.coverage(stretch.text) + _DENSE * sum(held) / len(held)
    return rate * (_TWO if len(held) == 2 else 1.0)


@lru_cache(maxsize=65_536)
def is_formal(plain: str) -> bool:
    """Whether a sentence only carries the document: who issued it, to whom, who is responsible."""
    empty = _HAN.search(plain) is None or _VOCATIVE.match(plain) is not None or _CAPTION.match(plain) is not None
    noted = NOTE.match(plain)
    responsible = noted is not None and len(plain) - noted.end() <= _TOPIC  # behind it at most the next small heading
    return empty or responsible or (holds_formality(plain) and not states_figure(plain))


def holds_formality(plain: str) -> bool:
    """Whether a text has wordings that only carry the document."""
    return _holds(plain, load_lexicon().formal)


def exhorts(plain: str) -> bool:
    """Whether a clause only exhorts: it gives no figure and names nothing."""
    return _holds(plain, load_lexicon().exhorting) and not states_figure(plain) and not NAMED.search(plain)


def states_figure(plain: str) -> bool:
    """Whether a text states a figure other than a date."""
    return any(quantity.measure is Measure.QUANTITY for quantity in find_quantities(plain))


def _holds(plain: str, words: Sequence[str]) -> bool:
    normal = normalize(plain)
    return any(word in normal for word in words)
