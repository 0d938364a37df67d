"""A question and a quote in, whether the quote tells of what faces the thing that was asked for, and not of that itself, out.

Of 最低多少 a sentence with 最高 says nothing, nor does one of 早高峰 of 晚高峰, or one that says by how much a share rises of how
high it is. Such a sentence is shown as the nearest wording and gives no short answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from assistant.reading.expect import unit_fits
from assistant.reading.pairs import read_figures
from assistant.reading.quantities import Measure, find_quantities
from assistant.types import Asks, Question
from vectorstore.normalize import normalize
from vectorstore.types import Part, Sentence


class _Told(Protocol):
    """A figure that stands in a row: what is quoted, and the short answer before it."""

    @property
    def short(self) -> str | None: ...

    @property
    def quote(self) -> str: ...


_AnyTold = TypeVar("_AnyTold", bound=_Told)

# Words of which a thing has one only: a sentence with another of its row, and without that of the question, is of another thing.
_ROWS = tuple(
    tuple(re.compile(wording) for wording in row)
    for row in (
        (
            "最低|至少|最少|下限|起码(?!是)|不低于|不少于",
            "最高(?!人民)|最多|至多|上限|不超过|不高于|不多于|封顶",
        ),
        ("早高峰|早班|早间|上午", "晚高峰|晚班|晚间|下午"),
        ("上半年", "下半年"),
        ("年初", "年底|年末"),
        ("国家级", "省级|自治区级", "市级", "区级|县级"),
        ("公共充电|公用充电|公共停车", "私人充电|个人充电|自用充电|专属停车|专用停车"),
        ("进口", "出口(?!处)"),
        ("1期", "2期", "3期"),
        ("首次|首批|初次", "再次|第2次|多次"),
        ("彩色", "黑白"),
        ("市内", "市外"),
        ("国内|出差", "国外|境外|出国"),
        ("海上", "陆上|陆地"),
        ("高峰(?=时|期|平均|间隔|车速|拥堵|客流)", "低峰|平峰"),
        ("居住建筑|住宅建筑", "公共建筑"),
        ("注册用户", "活跃用户"),
        ("优秀", "优良", "良好"),
        ("平均", "最高|最大|最快|最低|最慢|最小|最长|最短"),
        ("罚(?!款权)", "奖励|奖金|补贴|补助"),
        ("每小时", "每[天日]", "每周", "每月", "每季", "每年"),
        ("完成|建成|竣工|完工|投用|投产|投入(?:使用|运营)", "启动|开工|动工"),
    )
)
_CHANGE = "提高|提升|上升|增长|增加|下降|降低|减少|回落|缩短|压减"
_CHANGES = re.compile(rf"{_CHANGE}|升|降|增|减|涨|跌|变化|变动|幅度|改善|同比|环比|比(?:上年|去年|20)|速度|百分点")
_BY = re.compile(rf"(?:{_CHANGE})了?(?:约|近|超过?|不少于|不低于)?$")
_CHANGED_MORE = re.compile(
    rf"(?:谁|哪[1一]?[个种类边家者])[^,。?]{{0,6}}?(?:{_CHANGE}|[升降增减涨跌])得?[更最]?[多少大小快慢]"
)
_BOUND = re.compile(r"(\d[\d.]*[万亿千百]*[\u4e00-\u9fff]{1,4}?)以([上下内外])")
_OTHER_END = {"上": "下", "下": "上", "内": "外", "外": "内"}
_PHASE = re.compile(r"(?<!\d)(\d)期(?![间限末初])")
_SHARE = re.compile("占比|比重|比例|份额|[^概频效]率|百分")
_DOER = 3  # characters of a name
_SHARES = frozenset(("percent", "points"))
_NOW = re.compile("现在|目前|当前|现有|如今|眼下|现阶段|已经(?:有|达)|现状")
_ADDED = re.compile("新增|新建|新创建")
_AIM = re.compile(r"到(?:(?:方案|规划|计划)?期末|20\d\d年(?:年?[底末])?)|力争|目标是|规划到|计划(?:到|于)")
_PLANNED = re.compile("计划|目标|打算|拟(?![订定])|预计")
_DONE = re.compile(r"(?:已经?|累计|全部|实际)(?:完成|建成|整治|新增|新建|达到)")
_ALIKE = re.compile("分别|依次|各|均|都")
_SEVERAL = re.compile("多少|多长|多大|多高|多远|多重|多久|(?<![第好])几(?=[个项家座条处人名户公千万亿亩辆])")
_CHANGED_BY = re.compile(rf"(?:{_CHANGE})了?多少")
_CHANGES_BY_FIGURE = re.compile(rf"(?:{_CHANGE})了?[约近超过]*\d")
_CHANGED_TO = re.compile(rf"(?:{_CHANGE})[到至为]")
_AT_THE_END = re.compile("(?:方案|规划|计划)?期末")
_YEAR = re.compile(r"(?:19|20)\d\d(?=年)")
_LEVEL = re.compile("(国家|省|市|县)级(以上|及以上)?")
# What asks of those that did not; 有没有 and 不低于 deny nothing, nor does what stands in a name (无废城市).
_NOT_DONE = re.compile(
    "(?<!有)没有?(?!有)(?=[\u4e00-\u9fff]{2})|(?:尚|还|仍|并)?未(?![来成必满])|(?:尚|还|仍)不|不(?:达标|合格|及格|符合)"
)
_ONE_YEAR = re.compile("每年|年均|(?<!\\d)1年(?![级期])")
_MORE_YEARS = re.compile(r"(?<!\d)[2-9]年(?![级期底末])")
_TITLE = re.compile("《[^《》]*》")
_TERM = re.compile("期限|目标年|[到至]哪|几年|多少年|起止|规划期")
_WHEN = re.compile("哪1?年|何时|什么时[候间]|哪1?一?年份")
_SINCE = re.compile(r"[自从](?:19|20)\d\d年[^,。;]{0,4}(?:以来|起|开始)")
_ENDED = re.compile("完成|结束|截止|建成|到期|为止|竣工")
_QUOTED = re.compile('[“"]([^“”"]{2,20})[”"]')
_NOT = re.compile("没|未|不|无|非|除|尚")
_OF_PROVINCE, _OF_NATION = re.compile("全省|全国|全自治区|我省"), re.compile("全国")
_ALL = re.compile("全[省国区]|排[名第行]|占|比")
_EACH_HOW_MANY = re.compile("各(?:是|有|为|占|自)?(?:多少|几)")


def asks_several(text: str) -> bool:
    """Whether a question wants more than one figure: one alone would stand for all that it asks."""
    return bool(_EACH_HOW_MANY.search(text)) or len(_SEVERAL.findall(text)) > 1


def is_bound_otherwise(asked: str, told: str) -> bool:
    """Of 500万元以下 a sentence of 500万元以上 says nothing."""
    asked, told = normalize(asked), normalize(told)
    bounds = set(_BOUND.findall(told))
    return any(
        (figure, _OTHER_END[end]) in bounds and (figure, end) not in bounds for figure, end in _BOUND.findall(asked)
    )


def faces(asked: str, quote: str, sentence: Sentence) -> bool:
    """Whether a quote says what faces the thing that was asked for: the other end, kind, number or time."""
    asked, told = normalize(asked), normalize(quote)
    if is_of_another(asked, told) or is_bound_otherwise(asked, told):
        return True
    if "谁" in asked and any(
        re.search(f"由[^,。;]{{0,4}}?{re.escape(asked[:n])}", told) and told.count(asked[:n]) == 1
        for n in range(_DOER, 9)
    ):
        return True  # 董事长出差由谁审批: what the 董事长 approves is another thing
    if tells_done(asked, told):
        return True
    if _CHANGED_BY.search(asked) and _CHANGED_TO.search(told) and not _CHANGES_BY_FIGURE.search(told):
        return True  # what it was shortened to is not by how much
    if _is_of_another_name(asked, told, normalize(sentence.plain)) or _is_of_more_years(asked, told):
        return True
    if _tells_no_time(asked, told):
        return True
    if _is_of_another_level(asked, told) or _is_at_the_end(asked, told, sentence):
        return True
    if not set(_PHASE.findall(asked)) <= set(_PHASE.findall(normalize(sentence.plain))):
        return True  # of a project's second phase what says nothing of phases may be of the first
    return _is_numbered_otherwise(asked, told) or _is_of_another_time(asked, told, sentence)


def tells_done(asked: str, told: str) -> bool:
    """Whether a question is of those that did not (没有达标的城市), and a text of those that did."""
    return _NOT_DONE.search(normalize(asked)) is not None and not _NOT.search(normalize(told))


def is_told_of_others(asked: str, told: str) -> bool:
    """Whether a text, though it may decide a question for yes or no, is of another of a row of numbered things (第二条)."""
    asked, told = normalize(asked), normalize(told)
    return is_bound_otherwise(asked, told) or _is_numbered_otherwise(asked, told)


def _tells_no_time(asked: str, told: str) -> bool:
    """Whether it is asked when, and a text has only the years of a title, or since when something goes on that was to end."""
    if not _WHEN.search(asked) or _TERM.search(asked):
        return False
    if _SINCE.search(told) and _ENDED.search(asked):
        return True
    return any(_YEAR.search(title) for title in _TITLE.findall(told)) and not _YEAR.search(_TITLE.sub("", told))


def _is_of_more_years(asked: str, told: str) -> bool:
    """Of what is done in one year says nothing what was done in two."""
    return bool(_ONE_YEAR.search(asked) and _MORE_YEARS.search(told) and not _ONE_YEAR.search(told))


def _is_of_another_name(asked: str, told: str, whole: str) -> bool:
    """Whether a sentence has a name of the question in quotation marks, and what is quoted has only one that begins like it."""
    names = {name for name in _QUOTED.findall(whole) if name in asked and name not in told}
    return any(other[:2] == name[:2] and other not in asked for name in names for other in _QUOTED.findall(told))


def _is_of_another_level(asked: str, told: str) -> bool:
    """Of 省级 what is said of 省级以上 says nothing alone, nor the other way round."""
    levels, others = ({(m[1], bool(m[2])) for m in _LEVEL.finditer(text)} for text in (asked, told))
    return any((level, not above) in others and (level, above) not in others for level, above in levels)


def _is_at_the_end(asked: str, told: str, sentence: Sentence) -> bool:
    """Whether a year is asked for, and what is told is aimed at for the end of a plan of which that year is not said to be."""
    years = set(_YEAR.findall(asked))
    if not years or _AT_THE_END.search(asked) or not _AT_THE_END.search(told):
        return False
    return not any(year in sentence.plain for year in years)


def is_of_another(asked: str, told: str) -> bool:
    """Whether a text has another word than the question of things of which there is one only."""
    for row in _ROWS:
        named = [word.search(asked) is not None for word in row]
        held = [word.search(told) is not None for word in row]
        if any(named) and any(held) and not any(n and h for n, h in zip(named, held, strict=True)):
            return True
    return False


def _is_numbered_otherwise(asked: str, told: str) -> bool:
    """Of 第一条 a sentence that has 第二条 only says nothing."""
    found = _read_ordinals(told)
    things = {thing for _, thing in found}
    return any(one not in found and one[1] in things for one in _read_ordinals(asked))


def _read_ordinals(text: str) -> set[tuple[str, str]]:
    """Numbers in a row, each with the word behind it that says of what: (2, 条)."""
    found = [q for q in find_quantities(text) if q.measure is Measure.ORDINAL]
    return {(str(q.value), thing) for q in found if (thing := text[q.end : q.end + 1]) and thing.isalpha()}


def _is_of_another_time(asked: str, told: str, sentence: Sentence) -> bool:
    """Of 现在 what a plan aims at says nothing, nor of a plan what is done already."""
    tasks, review = sentence.labels.part is Part.TASKS, sentence.labels.part is Part.REVIEW
    if _NOW.search(asked) and not _NOW.search(told):
        return tasks or _AIM.search(told) is not None or _ADDED.search(told) is not None
    if _PLANNED.search(asked) and not _PLANNED.search(told):
        return _DONE.search(told) is not None and review
    return tasks and _DONE.search(asked) is not None and _DONE.search(told) is None


def is_shared(question: Question, sentence: Sentence, quote: str, short: str) -> bool:
    """Whether a figure is that of several places together, or of the province whose report it is, and not of the place asked for.

    ``泉州、漳州等地造林30万亩`` does not tell how much of it is 泉州's; what a report says before it names a city is its province's.
    """
    places, at = question.scope.places, sentence.plain.find(quote) + quote.find(short)
    if question.asks is not Asks.QUANTITY or "等" in question.focus or not (places or question.scope.regions):
        return False
    figures = read_figures(sentence.plain)
    figure = next((one for one in figures if at <= one.quantity.start < at + len(short)), None)
    if figure is None:
        return False
    if (_OF_NATION if not places else _OF_PROVINCE).search(figure.clause) and not _ALL.search(question.focus):
        return True  # 合肥、芜湖列为试点,全省建成充电桩71万个
    if not places or _ALIKE.search(figure.clause):
        return False
    if figure.places:
        return not figure.item and any(
            len(one.members) > 1 and not places | question.scope.regions >= one.names for one in figure.places
        )
    named = [sentence.plain.find(place) for place in places if place in sentence.plain]
    if not named or sentence.labels.region is None or sentence.labels.region in places:
        return False
    return min(named) > (figure.quantity.start if sentence.labels.part else figure.end)


def choose_alike(rows: Sequence[Sequence[_AnyTold]]) -> list[_AnyTold]:
    """Of each row of a comparison the first that is told in the unit that most of them have: 30公里 is not set beside 5处."""
    units = [[_read_units(one) for one in row] for row in rows]
    known = dict.fromkeys(unit for row in units for held in row for unit in sorted(held))
    shared = max(known, key=lambda unit: sum(any(unit in held for held in row) for row in units), default=None)
    return [
        next((one for one, held in zip(row, told, strict=True) if shared in held), row[0])
        for row, told in zip(rows, units, strict=True)
    ]


def _read_units(statement: _Told) -> set[str]:
    found = find_quantities(statement.short or statement.quote)
    return {q.unit for q in found if q.measure is Measure.QUANTITY}


def pick_figures(text: str, focus: str, *, fitting: bool = False) -> list[str]:
    """The figures that the question does not state itself; ``fitting`` those of the measure, or of the change, that it asks for."""
    stated = find_quantities(focus)
    found = [q for q in find_quantities(text) if q.measure is Measure.QUANTITY]
    if fitting and _CHANGED_MORE.search(focus):
        found = [q for q in found if _BY.search(text[: q.start].rstrip())]
    told = [q.text for q in found if not any(q.equals(other) for other in stated)]
    return [one for one in told if unit_fits(one, focus)] if fitting else told


def tells_change(asked: str, quote: str, short: str) -> bool:
    """Whether a short answer is by how much something changes, where it was asked how much it is: 占比提高1.5个百分点."""
    if _SHARE.search(quote) and not _SHARE.search(asked) and "个百分点" in short:
        return True  # by how much the share of a thing rises is not by how much the thing does
    if _CHANGES.search(asked):
        return False
    shares = {q.unit for q in find_quantities(short)} & _SHARES
    return bool(shares) and _BY.search(quote.partition(short)[0].rstrip()) is not None
