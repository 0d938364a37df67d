"""A question and what is about to be quoted for it in, whether the quote speaks of something beside what was asked out.

Such a quote has the question's words and is of its sibling: of 2号线 that of 1号线, of what was built anew what there is in all, of
June what holds now, of one of two things what both are together. It may be shown, but not as the answer.
"""

from __future__ import annotations

import re

from assistant.reading.expect import unit_fits
from assistant.reading.pairs import read_figures
from assistant.types import Asks, Question
from vectorstore.normalize import normalize

_NUMBERED = re.compile(r"(\d+)(号线|号机组|号楼|号公路|号站|号令|标段)")
_IN_ALL = re.compile("累计|累积|总数|总量|保有量")
_ANEW = re.compile("新增|新建|新创|新设|新开工|当年")
_OF_BOTH = re.compile("(?:和|与|及|、)[^,，。;；、]{1,12}(?:合计|总共|共计|一共)")
_TOGETHER = re.compile("和|与|及|、|合计|总共|共计|一共|总")
_RATIO = re.compile("之比")
_COMPARED = re.compile("比|倍")
_CHANGE_ASKED = re.compile(
    "(?:提高|提升|增长|增加|上升|上涨|下降|降低|减少|回落|下跌)了?(?:多少|几)|比(?:去年|上年|上一年|往年|同期).*(?:多少|几)"
)
_CHANGE_TOLD = re.compile("[高增升涨降减跌落低多少快慢早晚翻扩缩比持平]")
_MONTH = re.compile(r"(?<!\d)(1?\d)月")


def speaks_otherwise(question: Question, quote: str, sentence: str) -> bool:
    """Whether a quote is of something else than the question by a number, a qualifier, a month or its kind of figure."""
    asked = question.focus
    if is_of_another_number(asked, quote) or sentence.rstrip('”" 。').endswith(("?", "？")):
        return True  # a question, as in the report of a press conference, answers none
    if _is_of_other_years(question, quote, sentence):
        return True
    months = set(_MONTH.findall(normalize(asked)))
    if months and not months & set(_MONTH.findall(normalize(sentence))):
        return True
    if question.asks is not Asks.QUANTITY:
        return False
    if _OF_BOTH.search(quote) and not _TOGETHER.search(asked):
        return True
    if _RATIO.search(quote) and not _COMPARED.search(asked):
        return True
    if _CHANGE_ASKED.search(asked) and not _CHANGE_TOLD.search(quote):
        return True
    return _is_counted_otherwise(asked, quote) or not unit_fits(quote, asked)


def _is_of_other_years(question: Question, quote: str, sentence: str) -> bool:
    """Whether all figures of a quote are said, by the words of its sentence, of years that were not asked for."""
    years, start = {str(year) for year in question.scope.years}, sentence.find(quote)
    if not years or start < 0:
        return False
    told = [figure for figure in read_figures(sentence) if start <= figure.quantity.start < start + len(quote)]
    named = [{name for one in figure.years or () for name in one.names} for figure in told]
    return bool(named) and all(names and all(name.isdigit() for name in names) and not names & years for names in named)


def _is_counted_otherwise(asked: str, quote: str) -> bool:
    """Whether one says how many there are in all, and the other how many were added."""
    return any(
        one.search(asked) and not other.search(asked) and other.search(quote) and not one.search(quote)
        for one, other in ((_IN_ALL, _ANEW), (_ANEW, _IN_ALL))
    )


def is_of_another_number(asked: str, text: str) -> bool:
    """Whether a text has the numbered thing that was asked for only under other numbers: of 2号线 a sentence of 1号线 says nothing."""
    named, told = _NUMBERED.findall(normalize(asked)), _NUMBERED.findall(normalize(text))
    kinds = {kind for _, kind in told}
    return any(kind in kinds and (number, kind) not in told for number, kind in named)
