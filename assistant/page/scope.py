"""What a person chose beside the question, as the browser sends it -> the scope of the answer.

Only what the index holds can be chosen. A choice replaces what the question says of the same kind and leaves the rest:
with 2024 chosen, "上海有什么任务？" asks about 上海 in 2024.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

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


def combine(understood: Scope, chosen: Scope) -> Scope:
    """Lay a choice over what the question says."""
    moved = chosen.regions and understood.regions and not chosen.regions & understood.regions
    return replace(
        understood,
        regions=chosen.regions or understood.regions,
        places=frozenset() if moved else understood.places,  # places of a region that is asked about no more
        years=chosen.years or understood.years,
        part=chosen.part or understood.part,
    )
