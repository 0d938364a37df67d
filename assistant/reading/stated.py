"""A sentence and the years that were asked for in, whether it is said of them out, whatever the year of its section.

A plan of 2026 says ``2025年底为485万千瓦``: that is of 2025. What a sentence only compares with (``比2025年``) it is not about. A text
that tells of several years leaves many sentences without one: what was done, in a text of February, was done the year before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.reading.owners import About, find_years
from vectorstore.sections import is_of_code
from vectorstore.types import Document, ParsedDocument, Scope, Sentence
from vectorstore.years import is_planned, period_of

_NEAR = 3  # sentences that a year at the head of one may speak for
_HEADS = re.compile(r"^[^,，。;；]{0,4}?到?(?P<year>(?:19|20)\d\d)年")
_YEAR_BEFORE = re.compile(  # 覆盖率73.8%,上年为66.5%
    r"(?<![比较与同是])(?P<name>上一?年)(?:同期|末|底)?(?:分别)?(?:仅?为|是|只有|仅有|达到?|约为?)?\s*\d"
)
_FROM_TO = re.compile(  # 由81.7%提高到87.2%, told of a year: the first is how it ended the year before
    r"[由从](?:上一?年末?的?|年初的?)?\d[\d.,]*[^\d,，。;；到至]{0,8}(?:提高|提升|上升|增长|增加|扩大|下降|降低|减少|缩短|压减|增|升|降)(?:到|至|为)了?\d"
)
_YEAR_ALONE = re.compile(
    r"(?:19|20)\d\d年(?:同期|末|底)?(?:仅?为|是|只有|仅有|达到?|约为?)\s*\d"
)  # 89.3%,2023年为86.5%
_IN_BRACKETS = re.compile(
    r"[（(](?P<year>(?:19|20)\d\d)年(?:同期|底|末)?(?:仅?为|是|只有|仅有|达到?|约为?)?\s*\d"
)  # （2023年为9860万元）
_OTHER_SPAN = re.compile(
    r"以来|累计|[一二三四五六七八九十\d]年(?!末|底|初)|十[一二三四五]五|季度|半年|\d月|同期|试点|本届|近年"
)
_RULES = re.compile("不得|禁止|不准|应当|必须|不予|可以|一律")  # these hold when they were written, and afterwards
_EARLY, _LATE = (
    3,
    10,
)  # months until which what was done is of the year before, and from which what is planned is of the next


def states_year(sentence: Sentence, years: frozenset[int]) -> bool:
    """Whether a sentence names one of the years as what it speaks of, be it as the one before its own."""
    if any(str(year) in owners.names for owners in find_years(sentence.plain) for year in years):
        return True
    return _names_year_before(sentence, years)


def tells_year_before(sentence: Sentence, years: frozenset[int]) -> bool:
    """Whether a sentence of another year has that year's figure beside its own: in brackets, or as what something rose from.

    Of ``由81.7%提高到87.2%`` in a text of the year after the first, it seems, is that year's.
    """
    year, plain = sentence.labels.year, sentence.plain
    if any(int(match["year"]) in years for match in _IN_BRACKETS.finditer(plain)):
        return True
    if year is None or year - 1 not in years or find_years(plain) or _OTHER_SPAN.search(plain):
        return False
    return _FROM_TO.search(plain) is not None and not is_planned(plain)


def name_years(about: About, sentence: Sentence) -> About:
    """What is asked about by the names that a sentence has for it: 上年 is 2024 in a sentence of 2025."""
    asked = frozenset(int(year) for year in about.years if year.isdigit())
    if not _names_year_before(sentence, asked):
        return about
    return replace(about, years=about.years | {m["name"] for m in _YEAR_BEFORE.finditer(sentence.plain)})


def opens_with_year_before(text: str) -> bool:
    """Whether a clause gives the figure of another year and nothing else, so that the clause before it says of what."""
    return _YEAR_BEFORE.match(text) is not None or _YEAR_ALONE.match(text) is not None


def _names_year_before(sentence: Sentence, years: frozenset[int]) -> bool:
    year = sentence.labels.year
    return year is not None and year - 1 in years and _YEAR_BEFORE.search(sentence.plain) is not None


def is_undated(sentence: Sentence, years: frozenset[int]) -> bool:
    """Whether nothing in a sentence or its labels tells that it is of the years that were asked for."""
    return bool(years) and sentence.labels.year is None and not find_years(sentence.plain)


def may_be_of(sentence: Sentence, years: frozenset[int], documents: Sequence[ParsedDocument]) -> bool:
    """Whether a sentence of no year can be said of one of these, by when its text was published or what period it is for."""
    if not is_undated(sentence, years):
        return False
    parsed = next((one for one in documents if one.document.source == sentence.source), None)
    if parsed is None or is_of_code(parsed.sections[sentence.section]):
        return False
    paragraph = [s for s in parsed.sentences if s.paragraph == sentence.paragraph and s.start < sentence.start]
    before = [s.labels.year for s in paragraph if s.labels.year is not None]
    if before and before[-1] not in years:
        return False  # its paragraph has come to another year
    period = period_of(parsed.document.title)
    if len(period) > 1 and is_planned(parsed.document.title):
        return years <= period
    if parsed.document.published is not None:
        return years <= _years_around(parsed.document, sentence.plain)
    told = {s.labels.year for s in parsed.sentences if s.section == sentence.section and s.labels.year}
    return told == years


def _years_around(document: Document, plain: str) -> frozenset[int]:
    """The years that a sentence without one may speak of, in a text of that day."""
    if document.published is None:
        return frozenset()
    year, month = document.published.year, document.published.month
    if _RULES.search(plain):
        return frozenset({year - 1, year})
    if is_planned(plain):
        return frozenset({year, year + 1} if month >= _LATE else {year})
    return frozenset({year - 1} if month <= _EARLY else {year - 1, year})


def lies_in(scope: Scope, sentence: Sentence) -> bool:
    """Whether a sentence lies inside a scope by its labels, or by the year that it states itself."""
    if scope.allows(sentence):
        return True
    return (
        bool(scope.years) and states_year(sentence, scope.years) and replace(scope, years=frozenset()).allows(sentence)
    )


def inherits_year(sentence: Sentence, years: frozenset[int], documents: Sequence[ParsedDocument]) -> bool:
    """Whether a sentence without any year follows one of its paragraph that begins with the year (到2025年)."""
    if sentence.labels.year is not None or find_years(sentence.plain):
        return False
    for parsed in documents:
        if parsed.document.source != sentence.source:
            continue
        before = [s for s in parsed.sentences if s.paragraph == sentence.paragraph and s.start < sentence.start]
        for one in reversed(before[-_NEAR:]):
            if find_years(one.plain):
                head = _HEADS.search(one.plain)
                return head is not None and int(head["year"]) in years
    return False
