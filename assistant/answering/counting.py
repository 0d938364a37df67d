"""A question for a figure and what is about to be quoted for it in, whether the figure counts something else out.

Of 能耗下降了多少 says nothing 过半的县建立了台账,将能耗下降任务分到乡镇: the clause with the figure does not hold what was asked
for, and the one that does has no figure. Such a sentence may be shown as the nearest wording only.
"""

from __future__ import annotations

import re

from assistant.answering.facing import is_of_another, is_shared
from assistant.question.weigh import Weighing
from assistant.reading.expect import unit_fits
from assistant.reading.pairs import Figure, read_figures
from assistant.reading.quantities import Measure, find_quantities
from assistant.types import Asks, Question
from vectorstore.normalize import normalize
from vectorstore.segment import cut_tagged, leading_verb
from vectorstore.types import Part, Sentence

_RANK = "第几"
_TIMES = re.compile("(?:多少|几)([次趟班场轮批届回])")
_HAS = re.compile("有(?:多少|几)|(?:共|有|是)?(?:多少|几)(?=[?]?$)")
_MAKES = re.compile("新|增|建|设|创|开工|动工|启动|计划|目标|要|将|拟|打算|任务|安排|完成|培育|年")
_MADE = re.compile("^(?:再|将|拟)?(?:新增|新建|新创|新设|新开工|开工建设|开工)")
_TO_BE = re.compile("^(?:建成|完成|营造|修复|改造|推进|打造|创建|建设)")
_HOW_MUCH = re.compile("(?:是|有|为|达|达到|了|共)?多少(?:了|呢|啊)?[?]?$")


def counts_another(question: Question, sentence: Sentence, quote: str, short: str | None, weighing: Weighing) -> bool:
    """Whether the figures of a quote that fit a question best are no answer to it."""
    if question.asks is not Asks.QUANTITY:
        return False
    asked = normalize(question.focus)
    if _RANK in asked:
        return "第" not in (short or quote)  # 增至37个 is no place in a row
    if (times := _TIMES.search(asked)) and not re.search(rf"[\d多]{times[1]}", normalize(quote)):
        return True  # 8个城市每年考核 does not say how many times
    leading = _find_leading(question, sentence, quote, weighing)
    return bool(leading) and all(
        _says_it_behind(figure, sentence.plain, quote, weighing)
        or is_of_another(asked, normalize(figure.words))
        or (short is None and is_shared(question, sentence, quote, figure.quantity.text))
        or _is_anew(asked, figure, sentence)
        or _has_another_subject(figure, weighing)
        or _counts_doers(asked, figure, weighing)
        or _names_some_of_them(figure, sentence.plain, quote, weighing)
        for figure in leading
    )


def _find_leading(question: Question, sentence: Sentence, quote: str, weighing: Weighing) -> list[Figure]:
    """The figures of the quote whose clause holds most of the question, of those in the measure that it asks for."""
    start, stated = sentence.plain.find(quote), find_quantities(question.focus)
    if start < 0:
        return []
    rated = [
        (weighing.coverage(figure.words), figure)
        for figure in read_figures(sentence.plain)
        if start <= figure.quantity.start < start + len(quote)
        and figure.quantity.measure is Measure.QUANTITY
        and not any(figure.quantity.equals(one) for one in stated)
        and unit_fits(figure.quantity.text, question.focus)
    ]
    most = max((held for held, _ in rated), default=0.0)
    return [figure for held, figure in rated if held == most]


def _says_it_behind(figure: Figure, text: str, quote: str, weighing: Weighing) -> bool:
    """Whether a word of the question stands only behind the clause with the figure, where no more figure is told of it."""
    start = text.find(quote)
    before = weighing.held(f"{text[start : figure.end]}{leading_verb(figure.words)}")
    return bool(weighing.held(quote) - before)


def _is_anew(asked: str, figure: Figure, sentence: Sentence) -> bool:
    """Of how many there are says nothing how many are built anew, or are to be."""
    if not _HAS.search(asked) or _MAKES.search(asked):
        return False
    planned = sentence.labels.part is Part.TASKS and _TO_BE.search(figure.words) is not None
    return planned or _MADE.search(figure.words) is not None


def _has_another_subject(figure: Figure, weighing: Weighing) -> bool:
    """Whether the clause with the figure has a noun of its own before it, and no word of the question: 用户达到186万人."""
    if weighing.held(figure.words) or weighing.coverage(figure.words):
        return False
    before = figure.clause[: max(figure.clause.find(figure.quantity.text), 0)]
    return any(tag in ("n", "vn", "l") and len(word) > 1 for word, tag in cut_tagged(before))


def _counts_doers(asked: str, figure: Figure, weighing: Weighing) -> bool:
    """Whether it counts those who do what was asked for: 14个城市出台了补贴办法 tells of no 补贴."""
    if figure.quantity.unit != "count" or not _HOW_MUCH.search(asked):
        return False
    at = figure.clause.find(figure.quantity.text)
    behind = cut_tagged(figure.clause[at + len(figure.quantity.text) :]) if at >= 0 else []
    nouns = 0
    while nouns < len(behind) and behind[nouns][1].startswith(("n", "zg")):
        nouns += 1
    named = [word for word, _ in behind[:nouns]]
    if not named or nouns == len(behind) or not behind[nouns][1].startswith("v"):
        return False
    rest = "".join(word for word, _ in behind[nouns:])
    held = weighing.held(figure.clause[:at] + "".join(named))
    return not any(word in asked for word in named) and not held and bool(weighing.held(rest))


def _names_some_of_them(figure: Figure, text: str, quote: str, weighing: Weighing) -> bool:
    """Whether what was asked for is only named among those that are counted: 台账、码表等9件成果 are not 9 台账."""
    start, end = text.find(quote), text.find(quote) + len(quote)
    before, behind = text[start : figure.quantity.start], text[figure.quantity.end : end]
    return before.endswith("等") and bool(weighing.held(before)) and not weighing.held(behind)
