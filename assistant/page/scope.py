"""What a person chose beside the question, as the browser sends it -> the scope of the answer.

Only what the index holds can be chosen. A choice narrows what the question says, and never widens or replaces it: with 2024
chosen, "上海有什么任务？" asks about 上海 in 2024; with 上海 chosen, a question about 上海 and 北京 is answered for 上海, and the
answer says so; with 北京 chosen, a question about 上海 is not answered, because one of the two is a mistake and nobody but the
person knows which.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from assistant.errors import InputInvalid
from assistant.view.words import PARTS
from vectorstore.gazetteer import Gazetteer
from vectorstore.types import ParsedDocument, Part, Scope

_LONGEST = 4000  # characters of the choice


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen: the labels of the index, in an order that is always the same."""

    regions: tuple[str, ...]
    years: tuple[int, ...]
    parts: tuple[Part, ...]


def list_choices(documents: Sequence[ParsedDocument]) -> Choices:
    """Gather the labels of all sections that hold a sentence."""
    labels = {s.labels for s in chain.from_iterable(parsed.sentences for parsed in documents)}
    return Choices(
        regions=tuple(sorted({label.region for label in labels if label.region})),
        years=tuple(sorted({label.year for label in labels if label.year}, reverse=True)),
        parts=tuple(part for part in Part if any(label.part is part for label in labels)),
    )


def read_scope(text: object, choices: Choices) -> Scope:
    """Read a choice; whatever is unknown or of another form is left out."""
    if not isinstance(text, str) or not text or len(text) > _LONGEST:
        return Scope()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Scope()
    if not isinstance(value, dict):
        return Scope()
    parts = [part for part in choices.parts if part.value in _texts(value.get("part"))]
    return Scope(
        regions=frozenset(_texts(value.get("region"))) & frozenset(choices.regions),
        years=frozenset(year for year in choices.years if str(year) in _texts(value.get("year"))),
        part=parts[0] if len(parts) == 1 else None,  # both parts are no restriction
    )


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


class ScopeConflict(InputInvalid):
    """The question is about something outside the choice."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The scope of the answer, and what the person has to be told of it."""

    scope: Scope
    note: str = ""  # what the question asks for and the choice leaves out


def narrow(understood: Scope, chosen: Scope) -> Narrowed:
    """Narrow what the question says to the choice; ``ScopeConflict`` where nothing would be left."""
    named, wanted = sorted(understood.places or understood.regions), sorted(chosen.regions)
    # A city that a document is of stands among the regions.
    own = frozenset(p for p in understood.places & chosen.regions if Gazetteer.load().province_of(p) != p)
    outside = sorted(understood.places - own) if own else []
    understood = replace(understood, places=own or understood.places)
    regions = understood.regions if own else _meet(understood.regions, chosen.regions, named, wanted)
    years = _meet(understood.years, chosen.years, _say_years(understood.years), _say_years(chosen.years))
    part = understood.part or chosen.part
    if chosen.part is not None and part is not chosen.part:
        raise _conflict([PARTS[part].zh] if part else [], [PARTS[chosen.part].zh])
    places, left_out = _keep_places(understood, regions)
    left_out = [*outside, *left_out, *_say_years(understood.years - years)]
    note = ""
    if left_out:
        names = "、".join(left_out)
        note = (
            f"按所选范围作答；问题里的{names}不在其中，没有看。 Answered within the chosen scope; {names} of the question lies outside it "
            "and was not looked at."
        )
    return Narrowed(replace(understood, regions=regions, places=places, years=years, part=part), note)


def _meet(asked: frozenset[Any], chosen: frozenset[Any], named: list[str], wanted: list[str]) -> frozenset[Any]:
    if not asked or not chosen:
        return asked or chosen
    if not asked & chosen:
        raise _conflict(named, wanted)
    return asked & chosen


def _keep_places(understood: Scope, regions: frozenset[str]) -> tuple[frozenset[str], list[str]]:
    """Keep the places inside the regions that are left; and name those that are not, or the regions where it names none."""
    if regions >= understood.regions:
        return understood.places, []
    province_of = Gazetteer.load().province_of
    lost = understood.regions - regions
    kept = frozenset(place for place in understood.places if province_of(place) not in lost)
    gone = understood.places - kept
    return kept, sorted(gone) or sorted(lost)


def _say_years(years: frozenset[int]) -> list[str]:
    return [f"{year}年" for year in sorted(years)]


def _conflict(named: Sequence[str], wanted: Sequence[str]) -> ScopeConflict:
    asked, chosen = "、".join(named), "、".join(wanted)
    return ScopeConflict(
        f"问题问的是{asked}，所选范围是{chosen}，两者没有交集，所以没有检索。请清除所选范围，或修改问题。 The question is about {asked}, "
        f"the chosen scope is {chosen}: nothing lies in both, so nothing was searched. Clear the scope, or change the question."
    )
