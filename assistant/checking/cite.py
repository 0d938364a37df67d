"""A model's free text and the passages it was shown in, claims with valid citations out.

The system owns the citations: a marker counts only where it names a passage of this turn. Markers that stand in documents
or in the question never reach this stage as markers (``neutralise`` has rewritten them before the prompt was made).

Covered: ``[1]``, ``[1][3]``, ``[1, 3]``, ``【1】``, full-width digits and brackets. Not covered: superscripts, footnotes, author-year.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.types import Passage

_MARKER = re.compile(r"\s*[\[【［]\s*(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*[\]】］]")
_WIDE_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_END = "。！？!?\n"
_CLOSING = '”’」』）)》"'
_SPACE = r"[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"  # also what nobody sees
_PLANTED = re.compile(rf"[\[【［](?:{_SPACE}|\^)*\d(?:[\d,，、]|{_SPACE})*[\]】］]")
_BRACKETS = str.maketrans({"[": "〔", "]": "〕", "【": "〔", "】": "〕", "［": "〔", "］": "〕"})


@dataclass(frozen=True, slots=True)
class Draft:
    """One sentence of a model's text and the passages that it names."""

    text: str  # without markers, with its full stop
    passages: tuple[Passage, ...]


def neutralise(text: str) -> str:
    """Turn square brackets around digits into tortoise-shell ones, so that text can hold no marker. Idempotent."""
    return _PLANTED.sub(lambda m: m[0].translate(_BRACKETS), text)


def drop_planted(text: str) -> str:
    """Take out what looks like a marker, so that its digits are no figures."""
    return _PLANTED.sub("", text)


def read_drafts(text: str, passages: Sequence[Passage]) -> tuple[Draft, ...]:
    """Cut a model's text into sentences and resolve their markers; numbers that name no passage are dropped."""
    by_number = {passage.number: passage for passage in passages}
    drafts: list[Draft] = []
    for sentence, numbers in _sentences(text):
        named = [by_number[n] for n in dict.fromkeys(numbers) if n in by_number]
        if sentence:
            drafts.append(Draft(sentence, tuple(named)))
        elif drafts and named:  # markers on a line of their own belong to the sentence before
            last = drafts[-1]
            extra = tuple(p for p in named if p not in last.passages)
            drafts[-1] = Draft(last.text, last.passages + extra)
    return tuple(drafts)


def _sentences(text: str) -> list[tuple[str, list[int]]]:
    """Split at sentence ends; markers directly behind the full stop belong to the sentence before it."""
    out: list[tuple[str, list[int]]] = []
    start = position = 0
    while position < len(text):
        if text[position] not in _END or _is_decimal_or_quoted(text, start, position):
            position += 1
            continue
        position += 1
        while position < len(text) and text[position] in _END + _CLOSING:
            position += 1
        while match := _MARKER.match(text, position):
            position = match.end()
        out.append(_strip_markers(text[start:position]))
        start = position
    out.append(_strip_markers(text[start:]))
    return [(sentence, numbers) for sentence, numbers in out if sentence or numbers]


def _is_decimal_or_quoted(text: str, start: int, position: int) -> bool:
    """A full stop inside quotation marks does not end the sentence around it."""
    if text[position] == "\n":
        return False
    piece = text[start:position]
    inside = piece.count("“") > piece.count("”")
    return inside and text[position + 1 : position + 2] != "”"


def _strip_markers(piece: str) -> tuple[str, list[int]]:
    numbers = [int(n) for m in _MARKER.finditer(piece) for n in re.findall(r"\d+", m[1].translate(_WIDE_DIGITS))]
    return _MARKER.sub("", piece).strip(), numbers
