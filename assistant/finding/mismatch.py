"""A question and what is about to be quoted for it in, whether the quote speaks of something beside what was asked out.

Such a quote has the question's words and is of its sibling: of 2号线 that of 1号线, of what was built anew what there is in all, of
June what holds now, of one of two things what both are together. It may be shown, but not as the answer.
"""

from __future__ import annotations

import re

from assistant.finding.siblings import is_of_another_kind, is_of_sibling
from assistant.reading.expect import unit_fits
from assistant.reading.pairs import read_figures
from assistant.reading.quantities import find_quantities
from assistant.reading.thesaurus import find_meanings
from assistant.types import Asks, Question
from vectorstore.normalize import normalize
from vectorstore.segment import tag_words

_NUMBERED = re.compile(
    r"(\d+)(?:号[\u4e00-\u9fff]{0,3}?(?=线|机组|楼|公路|站|令)|(?=标段|a级))(线|机组|楼|公路|站|令|标段|a级)"  # 2号能源站, 5A级
)
_IN_ALL = re.compile("累计|累积|总数|总量|保有量")
_ENDS_IN_ALL = re.compile(rf"(?:{_IN_ALL.pattern})[?？]?$")
_ANEW = re.compile("新增|新建|新创|新设|新开工|当年")
_OF_BOTH = re.compile("(?:和|与|及|、)[^,，。;；、]{1,12}(?:合计|总共|共计|一共)")
_TOGETHER = re.compile("和|与|及|、|合计|总共|共计|一共|总")
_RATIO = re.compile("之比")
_COMPARED = re.compile("比|倍")
_CHANGE_ASKED = re.compile(
    "(?:提高|提升|增长|增加|上升|上涨|下降|降低|减少|回落|下跌)了?(?:多少|几)|比(?:去年|上年|上一年|往年|同期).*(?:多少|几)"
)
_CHANGE_TOLD = re.compile("[高增升涨降减跌落低多少快慢早晚翻扩缩比持平]")
_RATED = re.compile("率$")
_NOUNS = ("n", "l", "j", "i")
_SHARES = ("percent", "points")
_MEASURE = re.compile("(?:.率|.量|浓度|强度|占比|比例|面积|产值|增加值)$")
_HEADED = 3  # characters; the end of a longer name is what it is one of
_ENDS_IN_MEASURE = re.compile("(?:.率|.量|浓度|强度|占比|比例|面积|产值)[?？]?$")
_BETWEEN = re.compile("(?:的|综合|平均|年均|年度?|全年|总|累计|日均)+$")
_ANY = re.compile(
    "^(?:全[国省市区县州]|城市|地区|企业|公司|基地|单位|项目|工程|园区|消费品|产品|商品|设备|我[国省市区县]|指标|领域|方面)$"
)
_MONTH = re.compile(r"(?<!\d)(1?\d)月")


def speaks_otherwise(question: Question, quote: str, sentence: str) -> bool:
    """Whether a quote is of something else than the question by a number, a qualifier, a month or its kind of figure."""
    asked = question.focus
    if is_of_another_number(asked, quote) or sentence.rstrip('”" 。').endswith(("?", "？")):
        return True  # a question, as in the report of a press conference, answers none
    if _is_of_other_years(question, quote, sentence) or is_of_sibling(question, quote):
        return True
    if _ENDS_IN_MEASURE.search(asked) and is_of_another_thing(question, quote):
        return True  # 危险废物综合利用率 without 是多少
    months = set(_MONTH.findall(normalize(asked)))
    if months and not months & set(_MONTH.findall(normalize(sentence))):
        return True
    if question.asks is not Asks.QUANTITY:  # 充电桩总数 without 是多少
        return _ENDS_IN_ALL.search(asked) is not None and _is_counted_otherwise(asked, quote)
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


def is_of_another_thing(question: Question, text: str) -> bool:
    """Whether the rate or amount that is asked for is told in a text of another thing only: 工业固废利用率 of 建筑垃圾利用率.

    The thing stands right before its measure in the question; a text that leaves it out, or has a piece of it, may be of it.
    """
    asked, told = normalize(question.focus), normalize(text)
    for measure in (term for term in question.terms if _MEASURE.search(term)):
        ahead = _BETWEEN.sub("", asked.partition(measure)[0]) if measure in asked else ""
        thing = next((term for term in question.terms if len(term) > 2 and ahead.endswith(term)), "")
        if thing and measure in told and not _tells_of(thing, measure, told) and _is_of_others(measure, thing, told):
            return True
    return False


def is_only_beside(question: Question, text: str) -> bool:
    """Whether a text that is no sure answer has a figure of another measure, or of another kind of what is counted.

    Of 利用率 says nothing what speaks of no 利用, and of 氢燃料电池公交车 nothing what counts 新能源公交车.
    """
    if question.asks is not Asks.QUANTITY:
        return False
    told = normalize(text)
    if is_of_another_kind(question.focus, text):
        return True
    for measure in (term for term in question.terms if _RATED.search(term) and len(term) > 2):
        names = {measure, measure[:-1], *find_meanings(measure)}
        if not any(name in told for name in names):
            return True
    return any(is_end_of_another(normalize(thing), told) for thing in question.counted if len(thing) > 3)


def is_end_of_another(thing: str, told: str) -> bool:
    """Whether a text has the end of a compound only, behind a noun that has nothing of what the compound begins with."""
    ends = [thing[n:] for n in range(1, len(thing) - 1) if thing[n:] in told]
    if thing in told or not ends:
        return False
    kind = thing.removesuffix(ends[0])
    if len(kind) < 2 or any(kind[n : n + 2] in told for n in range(len(kind) - 1)):
        return False
    heads = [re.split("[,。;:]", told[: m.start()])[-1] for m in re.finditer(re.escape(ends[0]), told)]
    last = [tagged[-1] for head in heads if (tagged := tag_words(head))]
    return len(last) == len(heads) and all(tag.startswith(_NOUNS) and not _ANY.search(word) for word, tag in last)


def _tells_of(thing: str, measure: str, told: str) -> bool:
    """Whether a text has the thing before a figure of its own clause, by this or another name; a rate is told in percent."""
    share = measure.endswith(("率", "比", "比例"))
    for name in (thing, *find_meanings(thing)):
        clause = re.split("[,。;]", told[told.find(name) + len(name) :], maxsplit=1)[0] if name in told else ""
        if any(q.unit in _SHARES or not share for q in find_quantities(clause)):
            return True
    return False


def _is_of_others(measure: str, thing: str, told: str) -> bool:
    """Whether every time the measure stands behind a noun of its own that shares no two characters with the thing."""
    pieces = {
        thing[n : n + 2] for n in range(len(thing) - (2 if len(thing) > _HEADED else 1))
    }  # without its head: 废物
    for match in re.finditer(re.escape(measure), told):
        head = _BETWEEN.sub("", re.split("[,。;:]", told[: match.start()])[-1])
        tagged = tag_words(head)
        if not tagged or not tagged[-1][1].startswith(_NOUNS) or len(tagged[-1][0]) < 2 or _ANY.search(tagged[-1][0]):
            return False
        if any(piece in told[: match.start()] for piece in pieces):
            return False
    return True


def is_of_another_number(asked: str, text: str) -> bool:
    """Whether a text has the numbered thing that was asked for only under other numbers: of 2号线 a sentence of 1号线 says nothing."""
    named, told = _NUMBERED.findall(normalize(asked)), _NUMBERED.findall(normalize(text))
    kinds = {kind for _, kind in told}
    return any(kind in kinds and (number, kind) not in told for number, kind in named)
