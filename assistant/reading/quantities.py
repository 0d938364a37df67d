"""Text in, the quantities, years and dates that it states out: what a checked sentence must not get wrong.

Works on text as it stands (full or half width, Arabic or Chinese numerals) and keeps offsets. Covered: ``1万个``, ``94.6万千瓦``,
``0.5个百分点``, ``35%``, ``百分之三十``, ``二十座``, ``120万吨``, ``2024年``, ``二〇二四年``, ``8月15日``, ``第三条``
and ranges written with two numbers.
Shares in words too: ``三成``, ``三分之一``, ``一半``, ``过半``, and ``翻一番``. A figure inside a name (``PM2.5``, ``M2``, ``5G``)
is kept apart.
Not covered: numerals in idioms (``千家万户`` holds none) and arithmetic between units.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

from assistant.reading.lexicon import load_lexicon


class Measure(StrEnum):
    """What kind of number it is."""

    QUANTITY = "quantity"
    YEAR = "year"
    ORDINAL = "ordinal"
    DATE = "date"
    NAME = "name"  # part of a name or of a document's number: it counts nothing


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, and where it stands."""

    start: int
    end: int
    text: str  # as it stands, with its unit and with words such as 超过 before it
    value: Decimal  # 1万 is 10000; the year, or month*100+day, of a date
    unit: str  # class of the unit in lexicon.toml; the unit itself where it is in none; empty without one
    measure: Measure

    def equals(self, other: Quantity) -> bool:
        """Whether both state the same: equal value and unit; a number without a unit fits any."""
        if self.measure is not other.measure or self.value != other.value:
            return False
        return self.unit == other.unit or not self.unit or not other.unit or {self.unit, other.unit} <= _COUNTS


_COUNTS = {"count", "person"}  # 100个 may be 100名
_WIDE = str.maketrans("０１２３４５６７８９．，％＋－", "0123456789.,%+-")
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "○": 0}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_CJK = "零〇○一二两三四五六七八九十百千"
_ARABIC = r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?"
_IDIOMS = "千家万户|千方百计|百家争鸣|千行百业|三番五次|四面八方"
_AFTER_DIGITS = ("度",)  # units that are words behind a Chinese numeral (一度)
_NOT_TENTHS = "(?![为立果效长员本分功品都人熟型套批片群形绩交就不])"
_HEAD = re.compile(r"(?:^|\n)\s*[“(（]?\s*$")
_POINT = re.compile(r"(?:[.、．](?!\d)|[)）])\s*\S")
# 不得超过一年 is one bound: without its 不得 it would say the opposite.
_BEFORE = (
    r"(?:(?:不得|不能|不可|不应当?|不准|不许|不宜)超过|超过|超|约|近|达到|达|不少于|不低于|不超过|至少|最高|逾|突破)?"
)


def find_quantities(text: str) -> tuple[Quantity, ...]:
    """Find all quantities in the order of the text. They do not overlap."""
    # Digits of other scripts are figures, too, and each is one character, so that places stay what they are.
    plain = _OTHER_DIGIT.sub(lambda m: str(unicodedata.decimal(m[0])), text.translate(_WIDE))
    found: list[Quantity] = []
    for match in _pattern().finditer(plain):
        quantity = _read(match, text)
        if quantity is not None:
            found.append(quantity)
    return tuple(found)


@cache
def _pattern() -> re.Pattern[str]:
    known = sorted(load_lexicon().units, key=len, reverse=True)
    units = "|".join(map(re.escape, known))
    # 一度 and 一名 are words; behind figures in digits they are units.
    spoken = "|".join(re.escape(unit) for unit in known if unit not in _AFTER_DIGITS)
    return re.compile(
        rf"(?P<half>(?:超过|超|约|近|不到|不足)?(?:一半|半数)|过半数?)"
        rf"|(?P<before_part>{_BEFORE})(?:(?P<under>[{_CJK}]+)分之(?P<over>[{_CJK}]+)|(?P<tenths>[一二三四五六七八九1-9])成{_NOT_TENTHS})"
        rf"|翻了?(?P<doubled>[一两二三四五六七八九])番|(?P<twice>翻番)"
        rf"|(?P<percent_cjk>百分之(?P<pc>[{_CJK}点]+|{_ARABIC}))"
        rf"|第(?P<ordinal>[{_CJK}]+|\d+)"
        rf"|(?P<year>(?:19|20)\d\d|[一二][九〇零○][{_CJK[:12]}]{{2}})(?=年|[—\-–至到~](?:19|20)?\d\d)(?P<year_sign>年)?"
        rf"|(?P<month>1[0-2]|0?[1-9])月(?:(?P<day>3[01]|[12]\d|0?[1-9])[日号])?"
        rf"|(?P<before>{_BEFORE})(?P<number>{_ARABIC})(?:(?P<scale>[十百千万亿]{{0,3}}?)[多余]?(?P<unit>{units})|(?P<bare>[十百千万亿]{{0,3}}))"
        rf"|(?!{_IDIOMS})(?P<before_cjk>{_BEFORE})(?P<cjk>[{_CJK}]+(?:点[{_CJK}]+)?)(?P<scale_cjk>[万亿]{{0,2}})[多余]?(?P<unit_cjk>{spoken})"
    )


def _read(match: re.Match[str], text: str) -> Quantity | None:
    got = match.groupdict()
    if got["half"]:
        return _quantity(match, text, Decimal(50), "percent", Measure.QUANTITY)
    if got["tenths"] or got["under"]:
        return _share(match, text)
    if got["doubled"] or got["twice"]:
        times = Decimal(2) ** int(_number(got["doubled"] or "一") or 1)
        return _quantity(match, text, times, "times", Measure.QUANTITY)
    if got["percent_cjk"]:
        value = _number(got["pc"])
        return None if value is None else _quantity(match, text, value, "percent", Measure.QUANTITY)
    if got["ordinal"]:
        value = _number(got["ordinal"])
        return None if value is None else _quantity(match, text, value, "", Measure.ORDINAL)
    if got["year"]:
        return _quantity(match, text, Decimal(_year(got["year"])), "", Measure.YEAR)
    if got["month"]:
        date = Decimal(int(got["month"]) * 100 + int(got["day"] or 0))
        return _quantity(match, text, date, "", Measure.DATE)
    if got["number"]:
        if _counts_sentence(match):
            return _quantity(match, text, Decimal(got["number"]), "", Measure.ORDINAL)
        if _inside_name(match):
            return _quantity(match, text, Decimal(got["number"].replace(",", "")), "", Measure.NAME)
        return _plain(match, text, got["number"], got["scale"] or got["bare"] or "", got["unit"])
    if _inside_word(match, text):
        return None
    return _plain(match, text, got["cjk"], got["scale_cjk"], got["unit_cjk"])


def _plain(match: re.Match[str], text: str, number: str, scale: str, unit: str | None) -> Quantity | None:
    value = _number(number)
    if value is None:
        return None
    bare = not scale and not unit
    if bare and re.fullmatch(r"(?:19|20)\d\d", number):
        return _quantity(match, text, value, "", Measure.YEAR)
    for sign in scale:
        value *= {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}[sign]
    return _quantity(match, text, value, load_lexicon().units.get(unit or "", unit or ""), Measure.QUANTITY)


def _quantity(match: re.Match[str], text: str, value: Decimal, unit: str, measure: Measure) -> Quantity:
    return Quantity(match.start(), match.end(), text[match.start() : match.end()], value.normalize(), unit, measure)


def _share(match: re.Match[str], text: str) -> Quantity | None:
    """三成 is 30%, 五分之二 is 40%."""
    if match["tenths"]:
        tenths = _number(match["tenths"])
        return None if tenths is None else _quantity(match, text, tenths * 10, "percent", Measure.QUANTITY)
    over, under = _number(match["over"]), _number(match["under"])
    if over is None or not under:
        return None
    share = (over * 100 / under).quantize(Decimal("0.01"))
    return _quantity(match, text, share, "percent", Measure.QUANTITY)


def _counts_sentence(match: re.Match[str]) -> bool:
    """3. or (3) before a sentence is its number in a list, and counts nothing."""
    if match["unit"] or match["scale"] or match["bare"] or not match["number"].isdigit() or len(match["number"]) > 2:
        return False
    text = match.string
    return bool(_HEAD.search(text[: match.start()]) and _POINT.match(text, match.end()))


def _inside_name(match: re.Match[str]) -> bool:
    """PM2.5, M2, 5G, 61号: what stands right behind a letter, or before G or 号, names something."""
    if match["unit"] or match["scale"] or match["bare"]:
        return False
    behind, ahead = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 2]
    return bool(re.match("[A-Za-z]", behind) or re.match(r"G(?![Ww])|号", ahead))


def _inside_word(match: re.Match[str], text: str) -> bool:
    """A single Chinese numeral before a measure word is often part of a word (统一项目, 一批), not a figure."""
    before = text[match.start() - 1 : match.start()] if not match["before_cjk"] else ""
    vague = match["cjk"] == "一" and match["unit_cjk"] in ("批", "次", "种", "个", "项", "条", "类", "件", "位", "名")
    return vague or bool(before and before in "统唯万同第")


def _year(text: str) -> int:
    if text.isdigit() and text.isascii():
        return int(text)
    return int("".join(str(_DIGITS[c]) for c in text))


def _number(text: str) -> Decimal | None:
    """Read ``3.5``, ``1,200``, ``三点五``, ``一百二十``, ``二〇二四``; None where the numerals make no number."""
    if text[0].isascii():
        return Decimal(text.replace(",", ""))
    whole, _, fraction = text.partition("点")
    if fraction and not all(c in _DIGITS for c in fraction):
        return None
    value = _whole(whole)
    if value is None:
        return None
    return Decimal(f"{value}.{''.join(str(_DIGITS[c]) for c in fraction)}") if fraction else Decimal(value)


def _whole(text: str) -> int | None:
    if len(text) > 1 and all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total, digit = 0, None
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        else:
            total += (1 if digit is None else digit) * _SCALES[sign]
            digit = None
    return total + (digit or 0) if text else None
