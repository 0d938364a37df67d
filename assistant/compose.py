"""A question and the passages that may answer it in, statements to be checked out: how the bundled reader's answers are written.

The reader does not write. Every statement is a verbatim quote behind a frame that is made from the sentence's labels
(``上海2024年的任务中提出:“…”``), and a short answer before it where the quote leaves one choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from assistant.gate import THRESHOLD
from assistant.quote import choose_quote, short_answer
from assistant.retrieve import Weighing
from assistant.types import Asks, Kind, Passage, Question
from vectorstore.types import Labels, Part, Sentence

_ALSO = 0.25  # share of the question that a further sentence has to add to be worth reading
_LISTED = 8  # statements of a list; more are a wall of quotes
_TIE = 0.95  # sentences this close to the best that carry other labels answer an ambiguous question too


class Layout(StrEnum):
    """How the statements stand on the screen."""

    PROSE = "prose"
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


def compose(
    question: Question, passages: Sequence[Passage], weighing: Weighing, titles: Mapping[str, str]
) -> Composition:
    """Choose the sentences to quote by the kind of the question."""
    if question.kind is Kind.COMPARE:
        return _compare(question, passages, weighing, titles)
    if question.kind is Kind.LIST or (question.kind is Kind.SUMMARY and question.terms):
        best = max(p.coverage for p in passages)
        chosen = [p for p in passages if p.coverage >= max(THRESHOLD, 0.6 * best)][:_LISTED]
        return _say(question, _in_order(chosen), weighing, titles, Layout.BULLETS)
    if question.kind is Kind.SUMMARY:
        return _say(question, _in_order(passages[:_LISTED]), weighing, titles, Layout.BULLETS)
    return _say(question, _answering(question, passages, weighing), weighing, titles, Layout.PROSE)


def _answering(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """The best sentence; those that add what it lacks; equals under another label, where the question leaves it open."""
    best = passages[0]
    chosen = [best]
    for passage in passages[1:]:
        if passage.coverage < THRESHOLD or len(chosen) == 3:
            break
        held = "\n".join(p.sentence.plain for p in chosen)
        gain = weighing.coverage(f"{held}\n{passage.sentence.plain}") - weighing.coverage(held)
        open_label = _differs(passage.sentence.labels, best.sentence.labels, question)
        if gain >= _ALSO or (open_label and passage.coverage >= _TIE * best.coverage):
            chosen.append(passage)
    return chosen


def _differs(one: Labels, other: Labels, question: Question) -> bool:
    if one.region != other.region:
        return not question.scope.regions and question.asks is not Asks.REGION
    return one.year != other.year and not question.scope.years


def _in_order(passages: Sequence[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start))


def _say(
    question: Question, passages: Sequence[Passage], weighing: Weighing, titles: Mapping[str, str], layout: Layout
) -> Composition:
    statements = []
    for passage in passages:
        quote = choose_quote(passage.sentence, weighing)
        short = short_answer(question.asks, passage.sentence, quote, weighing) if layout is Layout.PROSE else None
        statements.append(Statement(short, frame(passage.sentence, titles), quote, passage.sentence))
    return Composition(layout, tuple(statements))


def _compare(
    question: Question, passages: Sequence[Passage], weighing: Weighing, titles: Mapping[str, str]
) -> Composition:
    """One row for each place and year that the question names, each from its own evidence."""
    rows: list[Statement] = []
    empty: list[str] = []
    for region in sorted(question.scope.regions) or sorted({p.sentence.labels.region or "" for p in passages} - {""}):
        for year in sorted(question.scope.years) or [None]:
            name = f"{region}{year}年" if year else region
            fitting = [
                p
                for p in passages
                if region in p.sentence.regions
                and (year is None or p.sentence.labels.year == year)
                and p.coverage >= THRESHOLD
            ]
            if not fitting:
                empty.append(name)
                continue
            sentence = fitting[0].sentence
            quote = choose_quote(sentence, weighing)
            short = short_answer(question.asks, sentence, quote, weighing)
            rows.append(Statement(short, frame(sentence, titles), quote, sentence, name))
    return Composition(Layout.TABLE, tuple(rows), tuple(empty))


def frame(sentence: Sentence, titles: Mapping[str, str]) -> str:
    """Say whose words follow, from labels alone: ``上海2024年的任务中提出``, or the title where there are none."""
    labels = sentence.labels
    if labels.region and labels.year and labels.part:
        verb = "提出" if labels.part is Part.TASKS else "写道"
        name = "任务" if labels.part is Part.TASKS else "回顾"
        return f"{labels.region}{labels.year}年的{name}中{verb}:"
    subject = "" if not sentence.places or sentence.places[0] in sentence.plain else f"谈到{sentence.places[0]}时,"
    return f"{subject}《{titles.get(sentence.source, sentence.source)}》写道:"
