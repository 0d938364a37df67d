"""A sentence in, the pieces between its separators out, each with its place in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPEN, _CLOSE = "“‘《（(「『【〔", "”’》）)」』】〕"
_IN_NUMBER = re.compile(r"(?<=\d),\d{3}(?!\d)")


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a sentence between separators, with its place in the sentence's text."""

    start: int
    end: int
    text: str
    opens: bool  # whether it starts a clause; otherwise it goes on with an enumeration


def split_clauses(text: str) -> tuple[Clause, ...]:
    """Cut at commas, semicolons, colons and enumeration commas that stand outside quotation marks, brackets and numbers."""
    cuts: list[tuple[int, str]] = []
    depth = 0
    for position, sign in enumerate(text):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif depth == 0 and sign in ",，、;；。！？!?" and not _IN_NUMBER.match(text, position):
            cuts.append((position, sign))
    clauses: list[Clause] = []
    start, opens = 0, True
    for position, sign in [*cuts, (len(text), "")]:
        piece = text[start:position]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            clauses.append(Clause(start + lead, start + len(piece.rstrip()), piece.strip(), opens))
        start, opens = position + 1, sign != "、"
    return tuple(clauses)
