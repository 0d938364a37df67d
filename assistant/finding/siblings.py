"""A question and what is about to be quoted for it in, whether the quote tells of the sibling of what was asked for out.

Siblings have all words in common but the one that sets them apart: 新建 and 已建, 大型 and 小型, 一级 and 五级, what is planned and
what was done, one of two things and both, what is counted and who did it (``28个城市发行了债券`` counts no 债券).
"""

from __future__ import annotations

import re

from assistant.reading.clauses import split_clauses
from assistant.reading.expect import unit_fits
from assistant.reading.quantities import Measure, Quantity, find_quantities
from assistant.types import Asks, Question
from vectorstore.normalize import normalize
from vectorstore.segment import tag_words
from vectorstore.years import is_planned

_FAMILIES = tuple(
    tuple(map(re.compile, family))
    for family in (
        (r"新建", r"已建(?!成)|既有|存量|现有|原有"),
        (r"大型|大中型", r"(?<!大)中型|中小型|中小微", r"(?<!中)小型|中小型|小微|中小微", r"微型|小微|中小微"),
        (
            r"红色(?=[^,。]{0,4}预警)",
            r"橙色(?=[^,。]{0,4}预警)",
            r"黄色(?=[^,。]{0,4}预警)",
            r"蓝色(?=[^,。]{0,4}预警)",
        ),
        (r"上浮", r"下浮"),
        (r"左岸", r"右岸"),
        (r"光伏|太阳能", r"风电|风力发|风能", r"核电|核能", r"水电(?![费气油路煤表])|水力发"),
        (r"加氢站", r"充电[桩站]|充换电|充电设施", r"换电站", r"加油站"),
        (
            r"(?:公路|道路)(?=[^,。;、]{0,3}(?:货运|客运|运输))",
            r"铁路(?=[^,。;、]{0,3}(?:货运|客运|运输))",
            r"(?:水路|内河)(?=[^,。;、]{0,3}(?:货运|客运|运输))",
            r"(?:航空|民航)(?=[^,。;、]{0,3}(?:货运|客运|运输))",
        ),
        (r"东半", r"西半", r"南半", r"北半"),
        (r"东部", r"中部", r"西部", r"东北部"),
        tuple(rf"国[{sign}{number}](?!家|[个项类种])" for number, sign in enumerate("一二三四五六", 1)),
        (r"国内", r"国际(?!化)|境外|国外|海外"),
        (r"(?<!非)本市户籍|(?<!非)本地户籍", r"非本市户籍|外地户籍|非本地户籍"),
    )
)
_LEVEL = re.compile(r"(?<![年月一二三四五六七八九十\d])([1-9一二三四五六七八九])(级|类|等)(?!以)")
_NARROW = re.compile("国内|国际|境外|国外|私人|私营|女性|男性|民营|外资")
_DONE_ASKED = re.compile(r"(?:已经?|实际)(?:完成|建成|投产|开工|开通|落实|实现|投入)")
_DONE_TOLD = re.compile("已|完成了|建成了|实际|累计|实现了")
_NOT = r"(?:没有|没|未(?!来)|不(?![断同仅但少低超高大小得])|无(?![人障废缝])|非(?![常遗物])|禁止)"
_NEGATED = re.compile(rf"{_NOT}(?P<what>[\u4e00-\u9fff]{{2,4}})")
_ANY_NOT = re.compile(_NOT)
_POLAR = re.compile(r"吗|(?<![什怎])么$|是否|能否|可否|有没有|[能可会是要]不[能可会是要]|没有(?:[?？]|$)|不(?:[?？]|$)")
_BOTH = re.compile("[和与及或]")
_EITHER = re.compile("或")
_CHANGE = re.compile("[增减升降涨跌扩缩]|提高|提升|变化|变动|改善|下滑|回落|同比|[比较](?:上|去|前)1?年|新")
_CHANGED_BY = re.compile(
    r"(?:比|较|同比)[^,，;；]{0,10}(?:增加|增长|减少|下降|上升|提高|降低|缩短|延长|扩大)了?(?:约|近|超过?)?$"
)
_HOW_LONG = re.compile("多久|多长时间|多少时间")
_SPAN = re.compile("每|半年|季度|长期|永久|全天|[年月日天周时分]")
_PEAK_ASKED = re.compile("(?:达峰|到顶|封顶|见顶)[的了?？]*$")
_PEAK_TOLD = re.compile("(?:达峰|峰值|到顶|封顶|见顶|最高)(?!碳|[^,。;、]{0,4}(?:行动|方案|试点|工作|基地|建设))")
_START_ASKED = re.compile("(?:开始|起步)[的了?？]*$")
_START_TOLD = re.compile("[自从起始启首新]|开(?![放发展])|第1|[设成建]立|实施|施行|执行")
_MOST_ASKED = re.compile("最[多少高低大小好差快慢热冷]")
_MOST_TOLD = re.compile("最|新高|新低|首位|第1|居首|峰值|之冠|历史")
_LIST_ASKED = re.compile("(?:清单|目录|名录)[的了?？]*$")
_LIST_TOLD, _PAPER_TOLD = re.compile("清单|目录|名录|名单"), re.compile("方案|规划|计划")
_SHARED_OUT = re.compile("分别|各|均|都")
_TOGETHER = re.compile("和|与|及|、|合计|总共|共计|一共|总")
_NOUNS, _VERBS, _BESIDE = ("n", "l", "j"), ("v",), ("a", "b", "s", "f", "d", "u")


def is_of_sibling(question: Question, quote: str) -> bool:
    """Whether a quote tells of what is set against the thing that was asked for, and not of that."""
    asked, told = normalize(question.focus), normalize(quote)
    if is_of_another_kind(asked, told) or _is_of_another_level(asked, told):
        return True
    if not _POLAR.search(asked) and _is_denied(asked, told):
        return True
    if _DONE_ASKED.search(asked) and is_planned(told) and not _DONE_TOLD.search(told):
        return True
    if _HOW_LONG.search(asked) and not _SPAN.search(told):
        return True
    if question.asks is Asks.YEAR:
        return _is_of_another_stage(asked, told)
    if question.asks is not Asks.QUANTITY:
        return False
    if _LIST_ASKED.search(asked) and _PAPER_TOLD.search(told) and not _LIST_TOLD.search(told):
        return True
    narrow = _NARROW.findall(asked)
    if any(word not in told for word in narrow):
        return True
    return not _tells_figure(question, quote)


def is_of_another_kind(asked: str, told: str) -> bool:
    """Whether a quote has another one of a family of kinds, and not the one that is asked for."""
    asked, told = normalize(asked), normalize(told)
    for family in _FAMILIES:
        meant = [one for one in family if one.search(asked)]
        if len(meant) == 1 and not meant[0].search(told) and any(one.search(told) for one in family):
            return True
    return False


def _is_of_another_level(asked: str, told: str) -> bool:
    named, levels = _LEVEL.findall(asked), _LEVEL.findall(told)
    kinds = {kind for _, kind in levels}
    return any(kind in kinds and (number, kind) not in levels for number, kind in named)


def _is_of_another_stage(asked: str, told: str) -> bool:
    """Whether it is asked when something peaks, begins or is most, and a quote tells no such thing: of 碳达峰 a 碳达峰行动."""
    return any(
        one.search(asked) is not None and other.search(told) is None
        for one, other in ((_PEAK_ASKED, _PEAK_TOLD), (_START_ASKED, _START_TOLD), (_MOST_ASKED, _MOST_TOLD))
    )


def _is_denied(asked: str, told: str) -> bool:
    """Whether a quote denies all that it has of a word that the question states: 没有显著影响 is no 影响显著."""
    if _ANY_NOT.search(asked):
        return False
    for match in _NEGATED.finditer(told):
        word = tag_words(match["what"])[0][0]
        plain = re.search(rf"(?<!没有)(?<![未不没无非]){re.escape(word)}", told)
        if len(word) > 1 and word in asked and not plain:
            return True
    return False


def _tells_figure(question: Question, quote: str) -> bool:
    """Whether one of the figures of the asked measure is of the thing alone: not of two things, and not of who did it."""
    told = [
        (clause.text, one)
        for clause in split_clauses(quote)
        for one in find_quantities(clause.text)
        if one.measure is Measure.QUANTITY and unit_fits(one.text, question.focus)
    ]
    return not told or any(
        not _is_of_both(question.focus, text, one)
        and not _counts_another(question, text, one)
        and not _changes_by(question.focus, text, one)
        for text, one in told
    )


def _is_of_both(asked: str, clause: str, figure: Quantity) -> bool:
    """Whether a figure is that of two things (风电和光伏装机1620万千瓦), one of which only is asked for."""
    before = clause if _EITHER.search(clause) else clause[: figure.start]
    if _TOGETHER.search(asked) or _SHARED_OUT.search(clause):
        return False
    for match in _BOTH.finditer(before):
        first, second = tag_words(before[: match.start()])[-1:], tag_words(before[match.end() :])
        if not first or not second or any(tag.startswith(_VERBS) for _, tag in second[1:-1]):
            continue
        one, other = first[0], second[0]
        nouns = all(len(word) > 1 and tag.startswith(_NOUNS) for word, tag in (one, other))
        if nouns and (one[0] in asked) != (other[0] in asked):
            return True
    return False


def _changes_by(asked: str, clause: str, figure: Quantity) -> bool:
    """Whether a figure is by how much something has changed (天数比上年减少2天), where it is asked how much it is."""
    return _CHANGE.search(asked) is None and _CHANGED_BY.search(clause[: figure.start]) is not None


def _counts_another(question: Question, clause: str, figure: Quantity) -> bool:
    """Whether a figure counts who did something (28个城市发行了债券), and what is asked for stands behind the verb only."""
    nouns: list[str] = []
    for number, (word, tag) in enumerate(tagged := tag_words(clause[figure.end :])):
        if tag.startswith(_VERBS) and nouns:
            behind = "".join(other for other, _ in tagged[number + 1 :])
            alone = not any(noun in question.focus for noun in nouns)
            return alone and any(normalize(term) in behind for term in question.terms if len(term) > 1)
        if tag.startswith(_NOUNS):
            nouns.append(word)
        elif not tag.startswith(_BESIDE):
            return False
    return False
