"""The passages that may answer a question for a figure in, those that give different figures for the very same thing out.

Nothing tells which of two sentences of the same place and year is right: a slip, a correction, or a figure that somebody planted.
So neither is given as the answer; both are shown and said to differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.checking.cite import drop_planted
from assistant.finding.evidence import cover_locally
from assistant.finding.mismatch import is_of_another_number
from assistant.question.weigh import Weighing
from assistant.reading.expect import unit_fits
from assistant.reading.owners import ask_about
from assistant.reading.pairs import read_figures, said_of
from assistant.reading.quantities import Measure, Quantity, find_quantities
from assistant.types import Asks, Kind, Passage, Question
from vectorstore.types import Sentence

_AS_WELL = 0.85  # of what the best sentence holds of the question at its figure: less, and it speaks of something else
_LEAST = 0.5  # and at least this share: of a question in other words any two figures might pass for rivals
_LIKELY = 0.05  # of the likeliest sentence's probability of being the answer; small, as whatever is ahead makes the next one unlikely
_MOST = 3
_PERIOD = re.compile("十[一二三四五六]五")
_ONE_YEAR = re.compile(r"今年|去年|本年(?!度)|明年|(?<![到至])(?:19|20)\d\d年")


def find_rivals(question: Question, passages: Sequence[Passage], weighing: Weighing) -> tuple[Passage, ...]:
    """One passage for each figure, best first; nothing where there is but one."""
    if question.asks is not Asks.QUANTITY or question.kind not in (Kind.FACT, Kind.YES_NO) or not weighing.terms:
        return ()
    held = [cover_locally(question, weighing, p.sentence) for p in passages]
    most, counted = (max((h[n] for h in held), default=0.0) for n in (0, 1))
    likeliest = max((p.likely or 0.0 for p in passages), default=0.0)
    near = [
        (passage, _find_figures(question, passage, weighing))
        for passage, (local, share) in zip(passages, held, strict=True)
        if local >= max(_LEAST, _AS_WELL * most) and share >= _AS_WELL * counted
        if passage.likely is None or passage.likely >= _LIKELY * likeliest
    ]
    for unit in dict.fromkeys(figure.unit for _, figures in near for figure in figures):
        versions = _list_versions(near, unit)
        if len(versions) > 1:
            return versions[:_MOST]
    return ()


def find_contradiction(
    question: Question, answer: Sequence[Sentence], passages: Sequence[Passage], weighing: Weighing
) -> Passage | None:
    """The passage that gives another figure than a document's own answer to the question: neither is given alone then."""
    if question.asks is not Asks.QUANTITY:
        return None
    own = [q for one in answer for q in find_quantities(drop_planted(one.plain)) if unit_fits(q.text, question.focus)]
    told = [figure for figure in own if figure.measure is Measure.QUANTITY]
    for passage in passages:
        if passage.sentence.asked or cover_locally(question, weighing, passage.sentence)[0] < _LEAST:
            continue
        other = _find_figures(question, passage, weighing)
        if told and other and not any(one.equals(figure) for one in other for figure in told):
            return passage
    return None


def _list_versions(near: Iterable[tuple[Passage, Sequence[Quantity]]], unit: str) -> tuple[Passage, ...]:
    """Those with one figure of the unit each, which the ones before them do not give."""
    kept: list[tuple[Quantity, Passage]] = []
    for passage, figures in near:
        of_unit = [figure for figure in figures if figure.unit == unit]
        new = len(of_unit) == 1 and not any(of_unit[0].equals(figure) for figure, _ in kept)
        if new and (not kept or _are_of_one_place_and_year(passage, kept[0][1])):
            kept.append((of_unit[0], passage))
    return tuple(passage for _, passage in kept)


def _find_figures(question: Question, passage: Passage, weighing: Weighing) -> list[Quantity]:
    """The figures of the clauses that hold most of the question, of the place and year that were asked for."""
    text, about = drop_planted(passage.sentence.plain), ask_about(question)
    rated = [
        (weighing.coverage(figure.words), figure.quantity)
        for figure in read_figures(text)
        if unit_fits(figure.clause, question.focus)
        and not is_of_another_number(question.focus, figure.clause)
        and not _is_of_another_year(question, figure.clause)
        and said_of(text, figure, about)
    ]
    best = max((coverage for coverage, _ in rated), default=0.0)
    return [figure for coverage, figure in rated if coverage == best > 0]


def _is_of_another_year(question: Question, clause: str) -> bool:
    """Whether a clause names years, and none that was asked for: what a plan says of the past is no plan."""
    if _PERIOD.search(question.focus) and not question.scope.years and _ONE_YEAR.search(clause):
        return True  # a figure of this year is none of a plan of five
    years = {int(q.value) for q in find_quantities(clause) if q.measure is Measure.YEAR}
    return bool(years and question.scope.years) and years.isdisjoint(question.scope.years)


def _are_of_one_place_and_year(one: Passage, other: Passage) -> bool:
    """Whether they are, as far as one knows: the figure of another year is no contradiction."""
    mine, its = one.sentence.labels, other.sentence.labels
    pairs = ((mine.region, its.region), (mine.year, its.year), (mine.part, its.part))
    return all(a is None or b is None or a == b for a, b in pairs)
