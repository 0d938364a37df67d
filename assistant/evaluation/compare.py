"""Text in, the form in which an evaluation compares strings out.

Normalised, without citation markers and spaces, and with every number written out, so that ``1万``, ``10,000`` and
``一万`` are the same.
A number only ever equals a whole number: ``25`` does not stand in ``125``, ``25.5`` or ``2025``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from vectorstore.normalize import normalize

MARKER = re.compile(r"\[\d+\]")
_THIN_SPACE = re.compile("(?<=\\d)[\u00a0\u2009\u202f](?=\\d{3}(?!\\d))")  # 10 000 as typesetters write it
_FULL_WIDTH_COMMA = re.compile(r"(?<=\d)，(?=\d)")  # NFKC would make it a thousands separator
_PERCENT = re.compile(r"百分之\s*(\d+(?:\.\d+)?)")
_SCALE = r"(?:[十百千]?(?:万亿|万|亿)|千(?![瓦米克帕伏卡赫焦])|百(?![分姓货科帕]))"
_SCALED = re.compile(rf"(?<![\d.])(?:\d+(?:\.\d+)?\s?{_SCALE})+(?:\d{{4}}(?![\d年.]))?")
_TERM = re.compile(rf"(\d+(?:\.\d+)?)\s?({_SCALE}|$)")
_WORTH = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}


@dataclass(frozen=True, slots=True)
class Comparable:
    """A text as it is compared: normalised, without spaces; ``breaks`` are the positions where a space stood."""

    text: str
    breaks: frozenset[int]


@lru_cache(maxsize=4096)
def make_comparable(text: str) -> Comparable:
    """Give the form in which strings are compared: two texts that say the same have the same one."""
    text = _THIN_SPACE.sub("", MARKER.sub(" ", text))
    text = _FULL_WIDTH_COMMA.sub("、", text)
    text = _PERCENT.sub(r"\1%", normalize(text))
    text = _SCALED.sub(_expand, text)
    kept: list[str] = []
    breaks: set[int] = set()
    for character in text:
        if character.isspace():
            breaks.add(len(kept))
        else:
            kept.append(character)
    return Comparable("".join(kept), frozenset(breaks))


def _expand(match: re.Match[str]) -> str:
    total = Decimal(0)
    for number, scale in _TERM.findall(match.group()):
        worth = 1
        for unit in scale:
            worth *= _WORTH[unit]
        total += Decimal(number) * worth
    return format(total.normalize(), "f")


def stands_in(expected: str, text: str) -> bool:
    """Whether an expected string stands in a text; its numbers only match whole numbers."""
    wanted, whole = make_comparable(expected).text, make_comparable(text)
    if not wanted:
        return False
    start = whole.text.find(wanted)
    while start >= 0:
        if _is_whole(whole, start, start + len(wanted)):
            return True
        start = whole.text.find(wanted, start + 1)
    return False


def _is_whole(whole: Comparable, start: int, end: int) -> bool:
    inside = any(start < i < end and _in_number(whole.text, i) for i in whole.breaks)
    return not inside and not _splits_number(whole, start) and not _splits_number(whole, end)


def _in_number(text: str, at: int) -> bool:
    return 0 < at < len(text) and _is_digit(text[at - 1]) and _is_digit(text[at])


def _splits_number(whole: Comparable, at: int) -> bool:
    """Whether a cut before position ``at`` would cut a number in two."""
    text = whole.text
    if at in whole.breaks or not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if _is_digit(before) and _is_digit(after):
        return True
    if before == "." and _is_digit(after):
        return at > 1 and _is_digit(text[at - 2]) and at - 1 not in whole.breaks
    if _is_digit(before) and after == ".":
        return at + 1 < len(text) and _is_digit(text[at + 1]) and at + 1 not in whole.breaks
    return False


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"
