"""A subject and the documents in, the stretches of text that are about it out, whole and in their order.

What a text says of a subject stands where a heading or the first sentence of a paragraph names it; the sentences that follow need
not hold its words. So stretches are chosen and not sentences: those under a heading that speaks of the subject, or else the
paragraphs that open with it and speak of it most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from assistant.clauses import split_clauses
from assistant.expect import NAMED
from assistant.lexicon import load_lexicon
from assistant.quantities import Measure, find_quantities
from assistant.weigh import Weighing
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument, Scope, Sentence

_HEADED = 0.6  # share of the subject that headings have to hold
_LISTED, _OWN = 0.9, 0.5  # the same of what has to be listed, with the title of the document and without
_NARROWS = 0.5  # what headings below such a title have to hold themselves
_AS_HEADED = 0.9  # of what the best headings hold, what others have to hold
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
_COUNTABLE = re.compile(
    "特点|特色|特征|亮点|经验|启示|问题|困难|挑战|不足|短板|建议|对策|做法|举措|措施|任务|原因|方面"
)
_VOCATIVE = re.compile(r"^\s*(?:各位|同志们|女士们|朋友们)\S{0,8}[!！:：]\s*$")
_LONGEST_HEADING = 40
_SHORT_HEADING = 12  # characters of a heading that is about little else than the word in it
_OF_PLACES = 15  # sentences; a longer paragraph that names a place is not all about it


@dataclass(frozen=True, slots=True)
class Stretch:
    """A paragraph with the headings that it stands under."""

    headings: tuple[str, ...]  # from the outermost to its own
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join(sentence.plain for sentence in self.sentences)


def find_topic(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what is said of a subject, in the documents' order; nothing where no heading and no paragraph is about it."""
    stretches = list(list_stretches(documents, scope))
    return _find_headed(stretches, weighing) or _find_opened(stretches, weighing)


def find_headed(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what stands under headings that speak of a subject."""
    return _find_headed(list(list_stretches(documents, scope)), weighing)


def find_places(documents: Sequence[ParsedDocument], scope: Scope) -> tuple[Stretch, ...]:
    """Find what is said of places: the paragraphs that name no others, and of longer ones the sentences that name them.

    Nothing where a place has sections of its own.
    """
    asked = scope.places or scope.regions
    if any(section.labels.region in asked for parsed in documents for section in parsed.sections):
        return ()
    found = []
    for stretch in list_stretches(documents, replace(scope, places=frozenset(), regions=frozenset())):
        named = tuple(s for s in stretch.sentences if any(place in s.plain for place in asked))
        alone = all({*s.places} <= asked for s in stretch.sentences) and len(stretch.sentences) <= _OF_PLACES
        found += [stretch if alone else Stretch(stretch.headings, named)] if named else []
    return tuple(found)


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
    """Cut documents into paragraphs, each with its headings; a numbered line of its own is a heading too."""
    for parsed in documents:
        headings: tuple[str, ...] = ()
        section = -1
        for (number, _), group in groupby(parsed.sentences, key=lambda s: (s.section, s.paragraph)):
            sentences = tuple(group)
            if number != section:
                own = parsed.sections[number].headings
                title = () if own[:1] == (parsed.document.title,) else (parsed.document.title,)
                headings, section = (*title, *own), number
            if _VOCATIVE.match(sentences[0].plain) and _BRACKETED.match(headings[-1]):
                headings = headings[:-1]  # a speech turns to something else, and no longer to its last small heading
            if _is_heading(sentences):
                above = headings[:-1] if _BRACKETED.match(headings[-1]) else headings
                headings = (*above, sentences[0].plain.strip().rstrip("。"))
                continue
            told = tuple(s for s in sentences if scope.allows(s) and not is_formal(s.plain))
            if told:
                yield Stretch(headings, told)


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
    return found if sum(len(stretch.sentences) for stretch in found) >= _SECTION else ()


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
    return tuple(stretch for stretch in stretches if id(stretch) in kept)


def _rate(stretch: Stretch, weighing: Weighing) -> float:
    """Rate how much a paragraph is about the subject; a paragraph of one sentence has no sentences that follow its opening."""
    held = [weighing.coverage(sentence.plain) for sentence in stretch.sentences]
    if len(held) == 1:
        return _ONE * held[0]
    first, *_ = split_clauses(stretch.sentences[0].plain)
    lead = max(weighing.coverage(first.text), _FURTHER * held[0], _SECOND * held[1])
    rate = _LEAD * lead + _BETWEEN * weighing.coverage(stretch.text) + _DENSE * sum(held) / len(held)
    return rate * (_TWO if len(held) == 2 else 1.0)


def is_formal(plain: str) -> bool:
    """Whether a sentence only carries the document: who issued it, to whom, who is responsible."""
    return holds_formality(plain) and not states_figure(plain)


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
