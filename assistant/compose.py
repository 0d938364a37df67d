"""A question and the passages that may answer it in, statements to be checked out: how the bundled reader's answers are written.

The reader does not write. Every statement is a verbatim quote behind a frame that is made from the sentence's labels
(``上海2024年的任务中提出:“…”``), and a short answer before it where the quote leaves one choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from assistant.gate import SLOT, THRESHOLD
from assistant.lexicon import load_lexicon
from assistant.likely import is_sure
from assistant.quote import Piece, choose_quote, cut_pieces, most_telling, short_answer
from assistant.rivals import find_rivals
from assistant.types import Asks, Kind, Passage, Question
from assistant.weigh import Term, Weighing
from vectorstore.segment import content_words
from vectorstore.types import Labels, Part, Scope, Sentence

_ALSO = 0.25  # share of the question that a further sentence has to add to be worth reading
_MANNER = re.compile("怎么|怎样|如何|什么(?:方式|办法|措施|做法|形式|手段|机制|特点|好处)")  # wants the whole sentence
_LISTED = 6  # statements of a list; more are a wall of quotes
_SUMMARISED = 10
_COMMON = 2.8  # weight of a word that stands in every sixteenth sentence; the rarer, the heavier
_RELEVANT = 0.5  # of what the best sentence holds of the subject, what another has to hold to be told in a summary
_GROUPS = 12  # sections of which a summary gives something each
_WHOLE = 140  # characters up to which a list quotes the whole sentence
_WORDED = 0.5  # share of a question that a sentence has to hold to be the answer and not just the nearest
_ELSEWHERE = 0.2  # share of the question that may stand in other sentences and not in the one with the figure
_TIE = 0.95  # sentences this close to the best that carry other labels answer an ambiguous question too


class Layout(StrEnum):
    """How the statements stand on the screen."""

    PROSE = "prose"
    NEAREST = "nearest"  # prose that a person is asked to compare with the question
    DIFFERING = "differing"  # prose that gives several figures for one thing
    BULLETS = "bullets"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer: what it says and the one sentence that it says it from."""

    short: str | None
    frame: str
    quote: str
    sentence: Sentence
    row: str = ""  # what the row of a table is about


@dataclass(frozen=True, slots=True)
class Composition:
    """What is to be said, before it is checked."""

    layout: Layout
    statements: tuple[Statement, ...]
    empty_rows: tuple[str, ...] = ()  # what a table was asked for and has no evidence on


def compose(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    """Choose the sentences to quote by the kind of the question."""
    if question.kind is Kind.COMPARE:
        return _compare(question, passages, weighing)
    if question.kind is Kind.LIST:
        return _list(question, passages, weighing)
    if question.kind is Kind.SUMMARY:
        return _summarise(question, passages, weighing)
    if rivals := find_rivals(question, passages, weighing):
        said = _say(question, rivals, weighing)
        return Composition(Layout.DIFFERING, tuple(replace(one, short=None) for one in said.statements))
    return _say(question, _answering(question, passages, weighing), weighing)


def _list(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    best = max(p.coverage for p in passages)
    chosen = [p for p in passages if p.coverage >= 0.7 * best][:_LISTED]
    for passage in passages:
        held = "\n".join(p.sentence.plain for p in chosen)
        gain = weighing.coverage(f"{held}\n{passage.sentence.plain}") - weighing.coverage(held)
        if gain >= _ALSO and len(chosen) < _LISTED:
            chosen.append(passage)
    statements = [
        Statement(None, frame(p.sentence), choose_quote(p.sentence, weighing, whole=_WHOLE), p.sentence)
        for p in _in_order(chosen)
    ]
    return Composition(Layout.BULLETS, tuple(statements))


def _summarise(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    """One telling run of clauses of each sentence, in the order of the text; of each place or year its share."""
    reported = [p for p in passages if p.sentence.labels.part]
    if question.scope.regions and question.scope.years and reported:
        passages = reported  # a report of that year and place, before news that name it
    groups = _group(question, passages, weighing)
    share = max(2 if len(groups) <= _SUMMARISED // 2 else 1, _SUMMARISED // max(1, len(groups)))
    kept: list[tuple[Passage, Piece]] = []
    for group in groups[:_GROUPS]:
        kept += _most_telling(_keep_relevant(question, group, weighing), weighing, share)
    kept.sort(key=lambda pair: (pair[0].sentence.source, pair[0].sentence.start, pair[1].start))
    statements = [Statement(None, frame(p.sentence), piece.text, p.sentence) for p, piece in dict.fromkeys(kept)]
    return Composition(Layout.BULLETS, tuple(statements))


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
    passages = relevant
    sections: dict[tuple[str, int], list[Passage]] = {}
    for passage in _in_order(passages):
        sections.setdefault((passage.sentence.source, passage.sentence.section), []).append(passage)
    return list(sections.values())


def _most_telling(passages: Sequence[Passage], weighing: Weighing, limit: int) -> list[tuple[Passage, Piece]]:
    """The pieces that say most, of at most two from one sentence, so that none fills the summary."""
    rated: list[tuple[Passage, Piece]] = []
    for passage in passages:
        pieces = sorted(cut_pieces(passage.sentence, weighing), key=lambda piece: -piece.worth)
        rated += [(passage, piece) for piece in pieces[: 2 if len(passages) >= limit else len(pieces)]]
    rated.sort(key=lambda pair: (-pair[1].worth, pair[0].number))
    return rated[:limit]


def _answering(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """The best sentence; those that add what it lacks; equals under another label, where the question leaves it open."""
    best = passages[0]
    chosen = [best]
    if is_hedged(question, best, weighing):
        return chosen
    for passage in passages[1:]:
        if passage.coverage < THRESHOLD or is_hedged(question, passage, weighing) or len(chosen) == 3:
            break
        held = "\n".join(p.sentence.plain for p in chosen)
        gain = weighing.coverage(f"{held}\n{passage.sentence.plain}") - weighing.coverage(held)
        open_label = _differs(passage.sentence.labels, best.sentence.labels, question)
        if gain >= _ALSO or (open_label and passage.coverage >= _TIE * best.coverage):
            chosen.append(passage)
    return chosen


def is_hedged(question: Question, passage: Passage, weighing: Weighing) -> bool:
    """Whether a sentence is only the nearest wording, so that a person has to judge whether it answers.

    Half of the question has to stand in it. A figure is given as the answer only where few of the other words stand in other
    sentences, which may hold the right one.
    """
    if passage.likely is None:
        return False
    if passage.coverage < _WORDED or not is_sure(passage.likely, question.asks):
        return True
    return _is_figure(question) and weighing.lacking(passage.sentence.plain, known=True) > _ELSEWHERE


def _differs(one: Labels, other: Labels, question: Question) -> bool:
    if one.region != other.region:
        return not question.scope.regions and question.asks is not Asks.REGION
    return one.year != other.year and not question.scope.years


def _in_order(passages: Sequence[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start))


def _say(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    statements = []
    near = is_hedged(question, passages[0], weighing)
    for passage in passages:
        items = question.asks is Asks.OTHER
        whole = _WHOLE if near or (items and _MANNER.search(question.focus)) else 0
        quote = choose_quote(
            passage.sentence, weighing, whole=whole, items=items, asks=question.asks, question=question.focus
        )
        short = short_answer(question.asks, passage.sentence, quote, weighing, question.focus)
        statements.append(Statement(None if near else short, frame(passage.sentence), quote, passage.sentence))
    return Composition(Layout.NEAREST if near else Layout.PROSE, tuple(statements))


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that a comparison sets beside the others: a place, a year, or both."""

    name: str
    scope: Scope


def plan_slots(question: Question, known: Sequence[str]) -> tuple[Slot, ...]:
    """One slot for each place and year that a question names; all known regions where it names none."""
    scope = question.scope

    def stand(name: str) -> tuple[int, str]:
        """The order of the question; what it calls by another name comes last."""
        at = question.focus.find(name)
        return (at if at >= 0 else len(question.focus), name)

    places = sorted(scope.places, key=stand) if len(scope.places) >= len(scope.regions) else []
    names = places or sorted(scope.regions, key=stand) or ([] if len(scope.years) > 1 else list(known))
    slots: list[Slot] = []
    for name in names or [""]:
        for year in sorted(scope.years) or [0]:
            narrowed = replace(
                scope,
                regions=frozenset() if places or not name else frozenset([name]),
                places=frozenset([name]) if places else frozenset(),
                years=frozenset([year]) if year else frozenset(),
            )
            slots.append(Slot(f"{name}{year}年" if year else name, narrowed))
    return tuple(slots)


def _compare(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    """One row for each slot, each from its own evidence."""
    rows: list[Statement] = []
    empty: list[str] = []
    known = sorted({p.sentence.labels.region for p in passages if p.sentence.labels.region})
    for slot in plan_slots(question, known):
        fitting = [p for p in passages if slot.scope.allows(p.sentence) and p.coverage >= SLOT]
        if not fitting:
            empty.append(slot.name)
            continue
        reported = [p for p in fitting if p.sentence.labels.part]
        fitting = reported or fitting  # a report of the place before news that name it
        rows += [_cell(question, p, weighing, slot.name) for p in fitting[: 1 if _is_figure(question) else 2]]
    return Composition(Layout.TABLE, tuple(rows), tuple(empty))


def _is_figure(question: Question) -> bool:
    return question.asks in (Asks.QUANTITY, Asks.YEAR)


def _cell(question: Question, passage: Passage, weighing: Weighing, row: str) -> Statement:
    """A figure with the clause that states it; of anything else what says most."""
    sentence = passage.sentence
    if not _is_figure(question):
        return Statement(None, frame(sentence), most_telling(sentence, weighing), sentence, row)
    quote = choose_quote(sentence, weighing, asks=question.asks, question=question.focus)
    return Statement(
        short_answer(question.asks, sentence, quote, weighing, question.focus), frame(sentence), quote, sentence, row
    )


def frame(sentence: Sentence) -> str:
    """Say whose words follow, from labels alone: ``上海2024年的任务中提出``; of a text without parts its year only."""
    labels = sentence.labels
    year = f"{labels.year}年" if labels.year else ""
    if labels.region and labels.part:
        verb = "任务中提出" if labels.part is Part.TASKS else "回顾中写道"
        return f"{labels.region}{year}的{verb}:"
    subject = "" if not sentence.places or sentence.places[0] in sentence.plain else f"谈到{sentence.places[0]}时,"
    return f"{subject}{year}的资料中写道:" if year else f"{subject}资料中写道:"
