"""What a question asks for and a text in, whether the text holds such a thing out: 多少 wants a figure, 叫什么 a name."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from assistant.reading.lexicon import load_lexicon
from assistant.reading.quantities import Measure, find_quantities
from assistant.types import Asks

NAMED = re.compile(r"“([^“”]{2,20})”|《([^《》]{2,40})》")
_VAGUE = re.compile(r"超?[十百千万]+[多余]?[家个座项]")
_PEOPLE, _CASES = frozenset({"person"}), re.compile(r"\d+[起宗桩]")  # 31起 are no people
_COUNTED = frozenset({"count", "person"})
_COUNTS = {"count": frozenset({"count", "person"})}  # 多少个 may be answered in 名, 多少人 not in 个

DEADLINE = re.compile(
    r"(?:[到至](?=(?:19|20)\d\d年))?(?P<until>(?:19|20)\d\d年(?:年?[底末])?(?:之前|以前|前|止))"
    r"|[到至](?P<by>(?:19|20)\d\d年(?:年?[底末])?)"
)
# Times that are told from the document's own year, and spans of years: where one stands, no year of a label is meant.
OTHER_TIME = re.compile(r"(?:今明两年|明后两年|明年|后年|次年|翌年)(?:年?[底末初]|[上下]半年|[一二三四]季度)?")
SPAN = re.compile(
    r"(?:今后|未来|近|过去|前|后|这|用)?[几一二两三四五六七八九十\d]{1,2}年(?:内|间|来|以内|左右|时间)"
    r"|(?:今后|未来|过去)[几一二两三四五六七八九十\d]{1,2}年|近年|多年来|本届|十[一二三四五六]五"
)
DAY = re.compile(r"(?:(?:19|20)\d\d年)?1?\d月[123]?\d[日号](?:之?前)?")
MONTH = re.compile(r"(?:(?:19|20)\d\d年)?1?\d月(?:[底末初]|[上中下]旬)?(?:之?前)?")
# 在“十六五”之前: a period of five years as the end or the time of something, where a year is not what was asked for.
PERIOD = re.compile(
    r"[“\"]?十[一二三四五六七]五[”\"]?(?:规划|计划)?(?:时期|期间|结束|收官|末期?|初期?)?(?:之前|以前|前)|[“\"]?十[一二三四五六七]五[”\"]?(?:末期?|初期?|时期|期间)"
)
UNSETTLED = re.compile("时间[^,，。;；]{0,4}(?:以[^,，。;；]{2,14}为准|另行|待定|未定)")  # 具体开工时间以国家批复为准
WHEN = re.compile("什么时[候间]|何时|啥时|多会儿")  # any time answers it, not only a year
_LABEL_ASKED = re.compile(
    r"哪[1一]?年的[^,。?]{0,4}?(?:报告|文件|安排|任务|计划|预算|部署|规划|要求|说法)|(?:出现|写|提|出)[在自到]?[了过于]?哪[1一]?年的"
)
_DATE_ASKED = re.compile(r"哪[1一]?[天日]|几号|几月|哪[1一]?个月|什么日子|何日")
_UNTIL = re.compile(
    "(?:最晚|最迟|不晚于).*(?:年|时[候间]|何时)|(?:什么时[候间]|何时|啥时候)(?:之前|以前|前|为止|截止)|[到至]了?哪.?年(?!的)|哪.?年(?:年?底)?(?:之前|以前|前)|(?:之前|以前|截止|期限).*哪.?年"
)

# Units that no figure of policy documents has a class for: of 收盘多少点 the very unit has to stand at a figure.
_RARE_UNIT = re.compile(r"(?:多少|好多|(?<![第哪])几)([点级分票股届页字步岁克升册枚幅])(?=[,，。?？!！;；、]|$)")
# 罚多少 wants money, or how many times what was taken.
_FINED = re.compile(r"(?:罚款?|罚金|处罚)[^,，。?？]{0,4}(?:多少|几)(?!个?[天日月年])|多少[^,，。?？]{0,2}罚款?")
_FUNDS = r"(?:债券|资金|贷款|收入|营收|利润|税收|产值|奖金)"
_INVESTED = re.compile(
    rf"{_FUNDS}(?:总额|余额|规模)?(?:总共|一共|共计?|合计)?(?:是|了|有|为|达到?|约)?多少(?=[?？,，。]|$)|"
    "投资(?:额|了|是|有|为|共|约)?多少(?=[?？,，。]|$)|哪1?个的?投资额?更?[大多高小少]"
)
_MONEY = frozenset(("yuan", "usd"))
_FINE = frozenset(("yuan", "usd", "times"))
# 多少电 at the end of what is asked, and 用电量是多少: the noun alone, and not as a part of another (多少电站).
_ENDS = r"(?:了|呢|啊|呀|出来|下来)?(?=[,，。?？!！;；]|$)"
_SPEED = re.compile(
    "增速|增幅|涨幅|降幅|增长率|下降率|升幅|(?:增长|上升|下降|[增涨升降跌])得?[更最]?[快慢]"
)  # told in percent, whatever else grows
_RATES = frozenset(("percent", "points", "times"))
_APART = re.compile(r"(?:差|[高低多少]|拉开)了?(?:多少|几)个?百分点")


# 号码是多少 wants a number that one dials or writes to, and no amount.
_ENDS_ASKED = "(?=[,，。?？呢啊]|$)"
_DIALLED = (  # not 2024年 or 96346万元
    r"\d{3,4}[-—–]\d{7,8}|[48]00-?\d{3}-?\d{4}"
    r"|(?<![\d.])(?:1\d{10}|\d{7,8}|1[12]\d{1,3}|9\d{4})(?![\d.]|[年月日号个万亿元吨公千平户人家项座条亩名件起次例台辆%])"
)
_REACH = (
    (
        re.compile(
            f"(?:电话|手机|热线|传真|联系方式)(?:号码?)?(?:是|为|打)?(?:多少|几号?|什么|啥){_ENDS_ASKED}"
            "|(?:电话|热线|手机|传真)号码|(?:拨打?|打)(?:哪个|什么|几号?|啥)(?:电话|号码|热线)"
        ),
        re.compile(_DIALLED),
    ),
    (re.compile(f"(?:邮箱|电子邮件)(?:地址)?(?:是|为)?(?:多少|什么|啥|哪个){_ENDS_ASKED}"), re.compile(r"@[\w.]+")),
    (re.compile(f"网址(?:是|为)?(?:多少|什么|啥|哪个){_ENDS_ASKED}"), re.compile(r"www\.|https?:|\.(?:cn|com)")),
)


def is_reached(question: str, text: str) -> bool:
    """Whether a text has the number or address that a question wants to reach somebody by; true where it wants none."""
    return all(told.search(text) for asked, told in _REACH if asked.search(question))


def wants_deadline(question: str) -> bool:
    """Whether it asks until when (最晚哪一年): only a year that the words themselves set as the end answers it."""
    return bool(_UNTIL.search(question))


def wants_date(question: str) -> bool:
    """Whether it asks for a day or a month: a year alone, also that of a label, does not answer it."""
    return bool(_DATE_ASKED.search(question))


def wants_label(question: str) -> bool:
    """Whether it asks what year's report or plan something stands in: the label of the section tells that, whatever the words say."""
    return bool(_LABEL_ASKED.search(question))


def holds_answer(asks: Asks, text: str, question: str) -> bool:
    """Whether a text holds the kind of thing that is asked for, other than what the question itself states."""
    if not is_reached(question, text):
        return False
    if asks is Asks.QUANTITY:
        stated = find_quantities(question)
        wanted = (Measure.QUANTITY, Measure.ORDINAL) if "第几" in question else (Measure.QUANTITY,)
        found = [q for q in find_quantities(text) if q.measure in wanted]
        return any(not any(q.equals(other) for other in stated) for q in found) or bool(_VAGUE.search(text))
    if asks is Asks.YEAR and wants_date(question):
        return bool(MONTH.search(text))
    if asks is Asks.YEAR and wants_deadline(question):
        timed = bool(WHEN.search(question) and (MONTH.search(text) or PERIOD.search(text)))
        return bool(DEADLINE.search(text) or OTHER_TIME.search(text) or timed)
    if asks is Asks.YEAR:
        timed = bool(WHEN.search(question) and PERIOD.search(text))
        return (
            timed
            or bool(OTHER_TIME.search(text))
            or any(q.measure in (Measure.YEAR, Measure.DATE) for q in find_quantities(text))
        )
    return asks is not Asks.NAME or bool(NAMED.search(text))


@lru_cache(maxsize=64)
def find_units(question: str) -> frozenset[str]:
    """The classes of units that a question wants: 多少公里 wants kilometres, 多少钱 money; none where any will do."""
    lexicon = load_lexicon()
    if _APART.search(question):  # what two shares are apart in points, they state in percent
        return frozenset(("percent", "points"))
    if _SPEED.search(question):
        return _RATES
    for word in sorted(lexicon.units, key=len, reverse=True):
        if re.search(rf"(?:多少|好多|(?<![第哪])几)[十百千万亿]*{re.escape(word)}", question):
            return _COUNTS.get(lexicon.units[word], frozenset((lexicon.units[word],)))
    if _FINED.search(question):
        return _FINE
    if _INVESTED.search(question):
        return _MONEY
    if substance := _measured().search(question):
        return lexicon.substances[substance["noun"] or substance["of"]]
    wanted = [units for words, units in lexicon.dimensions if any(word in question for word in words)]
    return frozenset().union(*wanted) if len(wanted) == 1 else frozenset()


@cache
def _measured() -> re.Pattern[str]:
    """多少 with the noun of what is measured, or that of its amount before it: 用电量是多少."""
    nouns = "|".join(map(re.escape, sorted(load_lexicon().substances, key=len, reverse=True)))
    return re.compile(
        rf"(?:多少|好多)(?P<noun>{nouns}){_ENDS}"
        rf"|(?P<of>{nouns})(?:消费|消耗|使用|取用|利用|产生|排放|处理|发|运输|吞吐)?总?量"
        rf"(?:是|为|有|达到?|约|大概|大约|共|一共|各|分别)*(?:(?:多少|好多){_ENDS}|[,，]?(?:谁|哪[1一]?[个种边家者])(?:的?更|最)?[多大高少小低])"
    )


def unit_fits(text: str, question: str) -> bool:
    """Whether a text holds a figure of the measure that a question wants; a bare number counts things or people."""
    if own := _RARE_UNIT.search(question):
        return bool(re.search(rf"\d[十百千万亿多余]*{own[1]}", text))
    wanted = find_units(question)
    if wanted == _PEOPLE:
        text = _CASES.sub("", text)
    found = [q for q in find_quantities(text) if q.measure is Measure.QUANTITY]
    return not wanted or any(q.unit in wanted or (not q.unit and wanted & _COUNTED) for q in found)
