"""The passages found for a summary in, the groups out of which each gets its share, without what is no part of it.

Groups are the places and years that are asked for, the places that a theme is told of, the several things that a question lists,
or else the sections of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.question.slots import plan_slots
from assistant.question.titles import name_document
from assistant.question.weigh import Term, Weighing
from assistant.reading.lexicon import load_lexicon
from assistant.reading.wholes import is_around, is_editorial
from assistant.types import Passage, Question
from vectorstore.normalize import normalize
from vectorstore.segment import content_words

_COMMON = 2.8  # weight of a word that stands in every sixteenth sentence; the rarer, the heavier
_RELEVANT = 0.5  # of what the best sentence holds of the subject, what another has to hold to be told in a summary
_NAMED = 0.8  # of a subject what a heading or the opening of a paragraph has to hold to be about it as a whole
_MUCH = 0.3  # of a question, what the words that documents have besides their titles have to be to tell sentences apart
_SPOKEN = 0.45  # what the best sentence of a place has to hold of a subject
_OPENING = 2  # sentences that open a paragraph
_LISTED = re.compile(
    r"(?P<one>[^\s,，。?？、和与及跟在对把的]{2,8})(?=[、和与及跟])|(?<=[、和与及跟])(?P<last>[^\s,，。?？、和与及跟]{2,8})"
)
_CHAPTER = re.compile(r"^\s*第[一二三四五六七八九十百\d]+[章节编]")
_ITEM = re.compile(r"^\s*[(（][一二三四五六七八九十\d]+[)）]")
_ANNOUNCES = re.compile(r"^[^\d]*(?:以下|下列|如下)[^，,。\d]{0,6}(?:方面|[几个]?[点类项条])[。:：]?\s*$")
_LEAST_TITLE, _EDITION = 6, 12  # characters of a title, and of the edition or the year behind it
_SHARP = re.compile(r"^#+\s*")


@dataclass(frozen=True, slots=True)
class Group:
    """Passages of which a summary tells a share, and the words that they are chosen by."""

    passages: list[Passage]
    weighing: Weighing


def clean_headings(passage: Passage) -> Passage:
    """A passage under its headings without what marks them, and without items of an article that look like one."""
    kept: list[str] = []
    for heading in passage.headings:
        if _ITEM.match(heading) and any(_CHAPTER.match(above) for above in kept):
            break
        kept.append(_SHARP.sub("", heading))
    return replace(passage, headings=tuple(dict.fromkeys(kept)))


def drop_around(passages: Sequence[Passage]) -> list[Passage]:
    """Passages without those that only carry the document: who issued or wrote it, its own title, the editor's words."""
    edited = {(p.sentence.source, p.sentence.paragraph) for p in passages if is_editorial(p.sentence.plain)}
    own = [p for p in passages if (p.sentence.source, p.sentence.paragraph) not in edited]
    return [p for p in own if not is_around(p.sentence.plain) and not _repeats_title(p)] or list(passages)


def drop_named(passages: Sequence[Passage]) -> list[Passage]:
    """Passages without the sentences that are a heading of theirs, or only announce a count, where there is more under it."""
    named = [
        p
        for p in passages
        if p.sentence.plain.strip().rstrip("。 ") in p.headings or _ANNOUNCES.search(p.sentence.plain)
    ]
    under = {p.headings for p in passages if p not in named}
    return [p for p in passages if p not in named or p.headings not in under]


def _repeats_title(passage: Passage) -> bool:
    """Whether a sentence is only the title of its document once more, or a part of it."""
    if not passage.headings:
        return False
    own, title = _squeeze(passage.sentence.plain), _squeeze(passage.headings[0])
    core = _squeeze(name_document(passage.headings[0]))
    return len(own) >= _LEAST_TITLE and (own in title or (own.startswith(core) and len(own) <= len(core) + _EDITION))


def _squeeze(text: str) -> str:
    return re.sub(r"[\s《》“”\"。]", "", text)


def weigh_told(passages: Sequence[Passage], weighing: Weighing) -> Weighing:
    """What tells one passage from another: no word that stands in the title of every document that they are from."""
    titles = {p.headings[0] for p in passages if p.headings}
    if not titles or not all(p.headings for p in passages):
        return weighing
    left = Weighing(tuple(t for t in weighing.terms if any(t.match(normalize(title)) < _NAMED for title in titles)))
    known = Weighing(tuple(term for term in left.terms if term.known))
    return known if known.total >= _MUCH * weighing.total else Weighing(())


def keep_about(passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """Of paragraphs that neither a heading nor their opening gives to the subject only the sentences that speak of it."""
    if not weighing.terms:
        return list(passages)
    paragraphs: dict[tuple[str, int], list[Passage]] = {}
    for passage in sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start)):
        paragraphs.setdefault((passage.sentence.source, passage.sentence.paragraph), []).append(passage)
    held = {p.sentence.id: weighing.coverage(p.sentence.plain) for p in passages}
    best = max(held.values(), default=0.0)
    if best < _SPOKEN:
        return []
    kept: list[Passage] = []
    for paragraph in paragraphs.values():
        first = paragraph[0]
        named = weighing.coverage("\n".join(first.headings[1:][-1:])) >= _NAMED * best
        named = named or any(held[p.sentence.id] >= _NAMED * best for p in paragraph[:_OPENING])
        kept += paragraph if named else [p for p in paragraph if held[p.sentence.id] >= _NAMED * best]
    return kept


def group_by_places(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Group]:
    """What the reports of several places say of a subject, where the question names none; nothing where there are not several."""
    if question.scope.regions or question.scope.places or not weighing.terms:
        return []
    places: dict[str, list[Passage]] = {}
    for passage in passages:
        labels = passage.sentence.labels
        if labels.region and labels.part:
            places.setdefault(labels.region, []).append(passage)
    if 2 * sum(map(len, places.values())) <= len(passages):
        return []
    told = [about for place in places.values() if (about := keep_about(place, weighing))]
    return [Group(about, weighing) for about in told] if len(places) > 1 else []


def keep_relevant(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
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


def group(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Group]:
    """What a summary gives each its share."""
    slots = plan_slots(question, ())
    if len(slots) > 1:
        of_slots = ([p for p in passages if slot.scope.allows(p.sentence)] for slot in slots)
        everywhere = all(_stands_everywhere(term) for term in weighing.terms)
        several = len(question.scope.regions) > 1 and not everywhere  # of each place what speaks of the subject
        return [Group((several and keep_about(one, weighing)) or one, weighing) for one in of_slots]
    if listed := _group_listed(question, passages, weighing):
        return listed
    relevant = keep_relevant(question, passages, weighing)
    of_one_text = len({p.sentence.source for p in relevant}) == 1 and not question.scope.regions
    if (question.terms and not of_one_text) or (question.scope.regions and question.scope.years):
        return [Group(relevant, weighing)]
    sections: dict[tuple[str, int], list[Passage]] = {}
    for passage in sorted(relevant, key=lambda p: (p.sentence.source, p.sentence.start)):
        sections.setdefault((passage.sentence.source, passage.sentence.section), []).append(passage)
    return [Group(section, weighing) for section in sections.values()]


def _group_listed(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Group]:
    """Of several things that a question lists (交通、农业和机关) the sentences of each; nothing where they are not told apart."""
    names = dict.fromkeys(match["one"] or match["last"] for match in _LISTED.finditer(question.focus))
    told = {term.text: part for name in names if (part := weighing.only([name])).terms for term in part.terms[:1]}
    if len(told) < 2:
        return []
    groups: list[Group] = []
    for part in told.values():
        held = {p.sentence.id: part.coverage(p.sentence.plain) for p in passages}
        least = _RELEVANT * max(held.values(), default=0.0)
        groups.append(Group([p for p in passages if least > 0 and held[p.sentence.id] >= least], part))
    return groups if all(one.passages for one in groups) else []
