"""The value between the stages that make examples and those that write them down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """One thing to learn. ``gold`` are positions in ``candidates``; none where no candidate answers."""

    kind: str
    question: str
    candidates: tuple[str, ...]
    gold: tuple[int, ...]
    answer: str = ""
