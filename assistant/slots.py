"""A question in, the things that it sets side by side out: places, years, documents, each with the scope of its own evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from assistant.types import Question
from vectorstore.types import Scope


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that a comparison sets beside the others: a place, a year, both, or a document."""

    name: str
    scope: Scope


def plan_slots(question: Question, known: Sequence[str]) -> tuple[Slot, ...]:
    """One slot for each place and year that a question names, or for each document; all known regions where it names none."""
    scope = question.scope

    def stand(name: str) -> tuple[int, str]:
        """The order of the question; what it calls by another name comes last."""
        at = question.focus.find(name)
        return (at if at >= 0 else len(question.focus), name)

    if len(scope.sources) > 1 and not scope.places and len(scope.regions) < 2 and len(scope.years) < 2:
        return tuple(
            Slot(PurePosixPath(source).stem, replace(scope, sources=frozenset([source])))
            for source in sorted(scope.sources)
        )
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
