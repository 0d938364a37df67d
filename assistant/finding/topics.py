"""A subject and the documents in, the stretches of text that are about it out, whole and in their order.

What a text says of a subject stands where a heading or the first sentence of a paragraph names it; the sentences that follow need
not hold its words. So stretches are chosen and not sentences: those under a heading that speaks of the subject, or else the
paragraphs that open with it and speak of it most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.finding.stretches import Stretch, is_run_in, list_stretches, list_titled
from assistant.question.weigh import Weighing
from assistant.reading.clauses import split_clauses
from assistant.reading.formal import NOTE
from assistant.reading.thesaurus import find_meanings
from vectorstore.issuer import is_own_name
from vectorstore.types import ParsedDocument, Part, Scope, Section, Sentence

_HEADED = 0.6  # share of the subject that headings have to hold
_LISTED, _OWN = 0.9, 0.5  # the same of what has to be listed, with the title of the document and without
_NARROWS = 0.5  # what headings below such a title have to hold themselves
_AS_HEADED = 0.9  # of what the best headings hold, what others have to hold
_HALF, _ALL = 0.45, 0.85  # the same of headings alone, where they hold less, and of them with what stands under them
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
_CLOSING = re.compile("结语|结论|结束语|后记|余论|附录")  # what an article says of itself
_MARK = "[(（]?[一二三四五六七八九十\\d]+[)）、.．]"
_COUNTABLE = re.compile(
    "特点|特色|特征|亮点|经验|启示|问题|困难|挑战|不足|短板|建议|对策|做法|举措|措施|任务|原因|方面"
)
_ASPECTS = tuple(map(re.compile, ("经验|启示", "问题|困难|挑战|不足|短板|难题", "建议|对策", "特点|特色|特征|亮点")))
_OPENS = re.compile("([一二三四五六七八九十])是")
_PEOPLE = re.compile("(?:人|工|民|生|者|员|童|女|军|企业|户|家庭|群体)$")
_BY_NAME, _PREAMBLE = 0.9, 300  # share of a question that names a document; characters before its text begins
_AND = re.compile("[与和及、]")
_FOUR = 4  # characters of a word that is made of two
_SHORT_HEADING = 12  # characters of a heading that is about little else than the word in it
_SEVERAL = 2  # other provinces that a sentence names which is about all of them
_OF_PLACES = 15  # sentences; a longer paragraph that names a place is not all about it


def find_topic(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what is said of a subject, in the documents' order; nothing where no heading and no paragraph is about it."""
    stretches = list_titled(documents, scope)
    if within := _find_within(stretches, weighing) or _find_people(stretches, weighing):
        return within
    found = _find_headed(stretches, weighing) or _find_half_headed(stretches, weighing)
    return found or _find_by_name(documents, stretches, weighing) or _find_opened(stretches, weighing)


def find_headed(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what stands under headings that speak of a subject."""
    stretches = list_titled(documents, scope)
    found = _find_within(stretches, weighing) or _find_headed(stretches, weighing)
    return found or _find_half_headed(stretches, weighing) or _find_by_name(documents, stretches, weighing)


def _find_by_name(
    documents: Sequence[ParsedDocument], stretches: Sequence[Stretch], weighing: Weighing
) -> tuple[Stretch, ...]:
    """All of the one document that a question names by its title or its file, and by who wrote or printed it."""
    found: list[tuple[Stretch, ...]] = []
    for parsed in documents:
        own = [s for s in stretches if s.sentences[0].source == parsed.document.source]
        first = min((stretch.sentences[0].start for stretch in own), default=0)
        name = "\n".join((parsed.document.title, parsed.document.source, parsed.document.text[: min(first, _PREAMBLE)]))
        if own and weighing.coverage(name) >= _BY_NAME:
            found.append(tuple(replace(stretch, announced=name) for stretch in own))
    return found[0] if len(found) == 1 else ()


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
        known = any(term.known and len(term.text) > 1 for term in rest.terms)
        if not held or not rest.terms:
            continue
        own = [replace(s, headings=s.headings[1:]) for s in stretches if s.headings[0] == title]
        found = (_find_headed(own, rest) or _find_opened(own, rest)) if known else _find_in_part(own, rest)
        if sum(len(stretch.sentences) for stretch in found) >= _SECTION:
            return tuple(replace(stretch, headings=(title, *stretch.headings)) for stretch in found)
    return ()


def _find_in_part(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    """Of what a document calls by another name (审批流程) what stands under headings that have a half of it: 审批权限."""
    halves = {t.text[at : at + 2] for t in weighing.terms if len(t.text) == _FOUR for at in (0, 2)}
    named = (s for s in stretches if any(half in heading for half in halves for heading in s.headings))
    return tuple(named)


def find_places(documents: Sequence[ParsedDocument], scope: Scope) -> tuple[Stretch, ...]:
    """Find what is said of places: under their own headings, else in paragraphs that name no others, and sentences that name them.

    Nothing where a place has sections of its own.
    """
    asked = scope.places or scope.regions
    if under := _find_under_place(documents, scope, asked):
        return under
    sections = [one for parsed in documents for one in parsed.sections if one.labels.region in asked]
    if sections:
        return _list_whole(documents, scope, sections) if all(map(is_own_name, asked)) else ()
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


def _list_whole(documents: Sequence[ParsedDocument], scope: Scope, sections: Sequence[Section]) -> tuple[Stretch, ...]:
    """All that documents of a body's own say; nothing of a report, whose review and tasks are told each by itself."""
    if {section.labels.part for section in sections} >= {Part.REVIEW, Part.TASKS}:
        return ()
    stretches = list_stretches(documents, replace(scope, years=frozenset()))
    kept = (replace(s, sentences=tuple(n for n in s.sentences if _is_of_year(n, scope.years))) for s in stretches)
    return tuple(stretch for stretch in kept if stretch.sentences)


def _find_under_place(documents: Sequence[ParsedDocument], scope: Scope, asked: frozenset[str]) -> tuple[Stretch, ...]:
    """What stands under headings that open with the place (``山东：…``), in a text that is no place's own report."""
    opens = re.compile(rf"^\s*(?:{_MARK})?(?:{'|'.join(map(re.escape, sorted(asked)))})[省市县区]?(?:[:：\s]|篇|$)")
    found = []
    for stretch in list_stretches(documents, Scope(sources=scope.sources)):
        if any(opens.match(heading) for heading in stretch.headings[1:]):
            told = tuple(s for s in stretch.sentences if s.labels.part is None and _is_of_year(s, scope.years))
            found += [replace(stretch, sentences=told)] if told else []
    return tuple(found) if sum(len(stretch.sentences) for stretch in found) >= _SECTION else ()


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

    return tuple(stretch for stretch in list_titled(documents, scope) if names_it(stretch.headings))


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
    if not found:
        return _find_aspect(documents, focus, weighing, scope)
    kinds = {(s.sentences[0].source, next(h for h in s.headings[1:] if counts.match(h))) for s in found}
    return tuple(found) if len(kinds) > 1 and about else ()


def _find_aspect(
    documents: Sequence[ParsedDocument], focus: str, weighing: Weighing, scope: Scope
) -> tuple[Stretch, ...]:
    """Of the document that is about the subject what stands under the short heading of an aspect: 三、可以借鉴的经验."""
    wanted = next((aspect for aspect in _ASPECTS if aspect.search(focus)), None)
    subject = Weighing(tuple(t for t in weighing.terms if not _COUNTABLE.search(t.text) and len(t.text) > 1))
    if wanted is None or not subject.terms:
        return ()
    told: dict[str, list[Stretch]] = {}
    for stretch in list_stretches(documents, scope):
        named = any(
            len(h) <= _SHORT_HEADING and wanted.search(h) and not _CLOSING.search(h) for h in stretch.headings[1:]
        )
        if named and subject.coverage("\n".join(stretch.headings)) >= _HEADED:
            told.setdefault(stretch.sentences[0].source, []).append(stretch)
    return tuple(next(iter(told.values()))) if len(told) == 1 else ()


def _find_headed(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    rated = [(_rate_headings(stretch.headings, weighing), stretch) for stretch in stretches]
    least = max(_HEADED, _AS_HEADED * max((rate for rate, _ in rated), default=0.0))
    found = tuple(stretch for rate, stretch in rated if rate >= least - 1e-9)
    if _lacks_any(found, weighing):
        return ()
    found = _narrow_title(found, weighing)
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


def _lacks_any(found: Sequence[Stretch], weighing: Weighing) -> bool:
    """Whether all that was found stands under run-in headings, and has nowhere one of the words that the documents know.

    Such headings are many and alike: 深化大气治理 says nothing of 地下水治理.
    """
    if not found or not all(is_run_in(stretch.headings[-1]) for stretch in found):
        return False
    text = "\n".join("\n".join((*stretch.headings, stretch.text)) for stretch in found)
    return bool({term.text for term in weighing.terms if len(term.text) > 1} - weighing.held(text))


def _find_half_headed(stretches: Sequence[Stretch], weighing: Weighing) -> tuple[Stretch, ...]:
    """What stands under the one heading that names half of the subject, by any name, where its text has all the rest."""
    terms = [term for term in weighing.terms if len(term.text) > 1]
    wider = Weighing(tuple(t if t.known else replace(t, means=t.means | find_meanings(t.text)) for t in terms))
    sections: dict[tuple[str, ...], list[Stretch]] = {}
    for stretch in stretches if terms else ():
        if stretch.headings[1:]:
            sections.setdefault((stretch.sentences[0].source, *stretch.headings), []).append(stretch)
    found = []
    for (_, _, *own), told in sections.items():
        headings = "\n".join(_NUMBERED.sub("", heading) for heading in own)
        text = "\n".join((headings, *(stretch.text for stretch in told)))
        if wider.coverage(headings) >= _HALF and wider.coverage(text) >= _ALL:
            found.append(told)
    if len(found) != 1 or sum(len(stretch.sentences) for stretch in found[0]) < _SECTION:
        return ()
    called = " ".join(term.text for term in terms if not term.known)  # told there by another name
    return tuple(replace(stretch, announced=called) for stretch in found[0])


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


def _narrow_title(found: tuple[Stretch, ...], weighing: Weighing) -> tuple[Stretch, ...]:
    """Of a title that names several things (节能与差旅管理规定) what stands under the headings of the one, where there are any."""
    kept = []
    for stretch in found:
        title, own = stretch.headings[0], "\n".join(stretch.headings[1:])
        several = _AND.search(title) is not None and weighing.coverage(title) >= _AS_HEADED
        if not several or weighing.coverage(own) >= _AS_HEADED:
            kept.append(stretch)
    return tuple(kept) if sum(len(stretch.sentences) for stretch in kept) >= _SECTION else found


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
