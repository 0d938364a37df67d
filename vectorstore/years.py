"""The sentences of a paragraph and the year in which the text was published -> the year that each speaks of, where that is sure.

A sentence names its year (``2025年``), or names it by the day of publication (``去年``, ``今年``), or goes on about that of a sentence
before it (``全年…``, ``其中…``, behind a semicolon). What it only compares with (``比2024年``) or dates a rule by (``自2026年4月1日起``)
is no year of its own. Where two years meet, or nothing says that it goes on, there is none: a missing year costs a hedge, a wrong
one an answer about the wrong year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

_YEAR = re.compile(r"(?<![\d—–-])((?:19|20)\d{2})年(?!以来|起|至|[-—–~]|到(?:19|20)?\d{2})")
_RANGE = re.compile(r"(?:19|20)\d{2}\s*年?\s*[-—–~至到]+\s*(?:19|20)?\d{2}")
_TITLE = re.compile(r"《[^》]*》")
_COMPARED = re.compile(r"(?:比|较|距|相比|相较于?|高于|低于|不及|超过|以)\s*$")
_BESIDE = re.compile(r"(?:与|同|跟|和)\s*$")
_ALIKE = re.compile(r"年?(?:末|底|同期)?(?:相比|相较|持平|相当)")  # 与2024年相比
_SINCE = re.compile(r"(?:自|从|早在|始于)\s*$")
_RELATIVE = re.compile(r"(?P<last>去年|(?:刚刚?)?过去的?一年)|(?P<this>今年(?!以来)|本年(?!度))|(?P<next>明年)")
_AFTER = {"last": -1, "this": 0, "next": 1}
_PLANS = re.compile(r"计划|规划|打算|力争|争取|拟|将(?!近|其|军|来)|目标|(?:年底|月底|月)前|要(?!求|素|点|道|地|是)")
_GOES_ON = re.compile(r"全年|年末|同比|^其中|[比较与]上年|上年同期|这一年|当年|该年")
_DONE = re.compile("[了已曾]|完成|达到|累计|目前|现有")
_ASKS = ("？", "?")
_FIGURE = re.compile(r"\d|[一二两三四五六七八九十百]+[个家座条项处批]")  # 建成三个中心, too
_ENDS_OPEN = ("；", ";")
_HEAD = 16  # characters within which a year speaks for the sentences behind it
_FAR = 3  # sentences
_WHOLE_YEAR = re.compile(r"全年|年末(?!前)|[比较与]上年(?!同期|[1一]季度)")
_EARLY = 3  # the last month of these
_TITLE_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
_PERIOD_YEARS = re.compile(r"((?:19|20)\d{2})\s*年?\s*[-—–~至到]+\s*((?:19|20)\d{2})")
_LONGEST = 15  # years; a longer period is none
_PERIOD = re.compile(
    r"[一二三四五六七八九十]{2}五(?:时期|规划)?|[两二三四五十]年(?:行动|规划|计划|攻坚)|第[一二三四五六七八九十]+个五年"
)


def tell_years(sentences: Iterable[str], published: int | None) -> Iterator[int | None]:
    """Give the year of each sentence of a paragraph."""
    told: int | None = None
    planned, left, before = False, 0, ""
    for text in sentences:
        years = own_years(text, published)
        left -= 1
        if len(years) == 1:
            (year,) = years
            yield year
            heads = _heads(text, year, published)
            asks = text.rstrip().endswith(_ASKS)
            told, planned, left = (year, is_planned(text), _FAR) if heads and not asks else (None, False, 0)
        elif years or _RANGE.search(text):
            yield None
            told = None
        else:
            goes_on = told is not None and left >= 0 and _carries(text, before, planned=planned)
            near = published is None or (told or 0) >= published - 1
            yield told if goes_on and near else None
        before = text


def own_years(text: str, published: int | None) -> frozenset[int]:
    """The years that a sentence names as what it speaks of; none where it speaks of a range of years."""
    plain = _TITLE.sub("", text)
    if _RANGE.search(plain):
        return frozenset()
    found = {int(m[1]) for m in _YEAR.finditer(plain) if _is_subject(plain, m)}
    if published is not None:
        relative = [str(m.lastgroup) for m in _RELATIVE.finditer(plain) if _is_subject(plain, m)]
        found |= {published + _AFTER[name] for name in relative}
    return frozenset(found)


def is_planned(text: str) -> bool:
    """Whether a sentence says what is to be done, rather than what was."""
    return _PLANS.search(text) is not None


def mixes_years(paragraphs: Iterable[str], published: int) -> bool:
    """Whether a text also tells of the year before the one in which it was published, and not just once."""
    sentences = (text for paragraph in paragraphs for text in re.split("[。！？；;]", paragraph))
    return sum(own_years(text, published) == {published - 1} for text in sentences) > 1


def looks_back(text: str, published: date) -> bool:
    """Whether a sentence gives the figures of a whole year in a text from the first months of the next one."""
    return published.month <= _EARLY and _WHOLE_YEAR.search(text) is not None and not is_planned(text)


def is_of_period(title: str) -> bool:
    """Whether a title says that a text is about several years: 2026—2028年, 盘点2025、展望2026, 十五五."""
    return len(period_of(title)) > 1 or bool(_RANGE.search(title) or _PERIOD.search(title))


def period_of(title: str) -> frozenset[int]:
    """The years that a title names, of a period also those between."""
    years = {int(year) for year in _TITLE_YEAR.findall(title)}
    found = _PERIOD_YEARS.search(title)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    return frozenset(years | ({*range(first, last + 1)} if 0 < last - first <= _LONGEST else set()))


def _is_subject(plain: str, match: re.Match[str]) -> bool:
    """Whether a year is one that is spoken of, and none that is compared with, or from which on something holds."""
    before = plain[: match.start()]
    if _COMPARED.search(before) or _SINCE.search(before):
        return False
    return not (_BESIDE.search(before) and _ALIKE.match(plain, match.end()))


def _heads(text: str, year: int, published: int | None) -> bool:
    """Whether a sentence's year stands at its head, so that it may speak for those that follow."""
    return year in own_years(text[:_HEAD], published) or bool(re.match(rf"[^,，]{{0,8}}[:：].{{0,6}}{year}年", text))


def _carries(text: str, before: str, *, planned: bool) -> bool:
    """Whether a sentence without a year goes on about that of those before it."""
    beside = before.rstrip().endswith(_ENDS_OPEN) and _FIGURE.search(text) is not None
    if is_planned(text) != planned:
        return beside and planned and not _DONE.search(text)  # 今年计划建成12座；改造管网80公里
    return planned or beside or _GOES_ON.search(text) is not None
