"""Text -> a form for comparing and searching, never for showing: widths, case, characters and numerals made equal.

Chinese numerals become digits only where they are numbers: in a run of two and more, after 第, or before a counter.
Words that merely hold such a character (一体化, 十四五, 五台山) stay as they are.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

from opencc import OpenCC

_VALUES = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_DATA = tomllib.loads(Path(__file__).with_name("numerals.toml").read_text(encoding="utf-8"))
_COUNTERS: list[str] = _DATA["counters"].split()
_FIXED: list[str] = _DATA["fixed"].split()
_RUN = "[零〇一二三四五六七八九两十百千万亿]"
_DIGIT = "[零〇一二三四五六七八九]"
_TOKENS = re.compile(
    rf"(?P<share>{_RUN}+)分之(?P<part>{_RUN}+(?:点{_DIGIT}+)?|\d+(?:\.\d+)?)"
    rf"|(?P<whole>{_RUN}+)点(?P<decimals>{_DIGIT}+)(?![钟整半])"
    rf"|(?P<ordinal>(?<=第){_RUN}+)"
    rf"|(?P<fixed>{'|'.join(sorted(_FIXED, key=len, reverse=True))})"
    rf"|(?P<run>(?!{_RUN}*千(?:瓦|克|米|伏|卡|赫)){_RUN}{{2,}}|{_RUN}+?(?=千(?:瓦|克|米|伏|卡|赫)))"
    rf"|(?P<single>(?<!\d)[〇一二三四五六七八九两十百](?=\s?(?:{'|'.join(_COUNTERS)})))"
)
_SEPARATED_ASCII = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d])")


_KEPT = 65_536  # texts whose form is kept: the sentences of some hundred documents are read for every question
_LONGEST_KEPT = 400  # characters


def normalize(text: str) -> str:
    """Make two ways of writing the same thing equal; the result is for machines only."""
    return _keep(text) if len(text) <= _LONGEST_KEPT else _normalize(text)


@lru_cache(maxsize=_KEPT)
def _keep(text: str) -> str:
    return _normalize(text)


def _normalize(text: str) -> str:
    text = _SEPARATED_ASCII.sub(lambda m: m.group().replace(",", ""), text)
    text = unicodedata.normalize("NFKC", text).casefold()
    return _TOKENS.sub(_digits, _converter().convert(text))


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _digits(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if match.group("share"):
        return _fraction(match)
    if match.group("whole"):
        whole = _integer(match.group("whole"))
        decimals = "".join(str(_VALUES[c]) for c in match.group("decimals"))
        return match.group() if whole is None else f"{whole}.{decimals}"
    if kind == "fixed":
        return match.group()
    return _number(match.group())


def _fraction(match: re.Match[str]) -> str:
    whole, part = match.group("share"), match.group("part")
    part = (
        part
        if part[0].isdigit() and part[0].isascii()
        else _TOKENS.sub(_digits, part)
        if "点" in part
        else _number(part)
    )
    if whole in ("百", "千"):
        return part + ("%" if whole == "百" else "‰")
    return f"{part}/{_number(whole)}"


def _number(run: str) -> str:
    """Write a run of numerals as digits, 万 and 亿 kept where nothing follows them; unchanged if it is no number."""
    large = re.search(r"[万亿]+$", run)
    body = run[: large.start()] if large else run
    if not body:
        return run
    if large and re.search("[万亿]", body):
        body, large = run, None
    value = _integer(body)
    return run if value is None else f"{value}{large.group() if large else ''}"


def _integer(run: str) -> int | None:
    """Read a run of numerals, positional (二〇二四) or with units (一百二十); None where it is neither."""
    if all(c in _VALUES for c in run):
        positional = len(run) == 1 or len(run) >= 3 or "〇" in run or "零" in run
        return int("".join(str(_VALUES[c]) for c in run)) if positional and not (len(run) > 1 and "两" in run) else None
    total = section = 0
    digit: int | None = None
    last_unit = 10**12
    for position, char in enumerate(run):
        if char in _VALUES:
            if digit not in (None, 0):
                return None
            digit = _VALUES[char]
        elif char in _UNITS:
            unit = _UNITS[char]
            if unit >= last_unit or (digit is None and (unit != 10 or section) and position):
                return None
            section += (1 if digit is None else digit) * unit
            digit, last_unit = None, unit
        else:
            value = section + (digit or 0)
            total = (total + value) * _LARGE[char] if char == "亿" else total + value * _LARGE[char]
            section, digit, last_unit = 0, None, 10**12
    return total + section + (digit or 0)
