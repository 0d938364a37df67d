"""A question what a year is for and the index in, the one sentence that says so out: ``2027年为攻坚之年,重点完成甲、乙和丙``.

A plan of several years sums up each of them in a sentence that opens with the year. Where such a sentence has all that the
question names, it is the answer, and not all that else is planned.
"""

from __future__ import annotations

import re

from assistant.question.weigh import Searchable, Weighing
from assistant.reading.orders import gives_orders
from assistant.types import Asks, Kind, Question
from vectorstore.types import Sentence

_OPENS = re.compile(r"^\s*(?P<year>(?:19|20)\d\d)年(?:是|为|作为|属于?|重点|主要|着重|集中)")
_TELLS = re.compile("重点|主要|着重|集中|完成|开展|推进|启动|实施")
_WHAT = re.compile("(?:[做干办抓搞]|完成|推进)(?:好|些)?(?:什么|哪些|啥)|重点是?什么")
_HELD = 0.9  # share of the question that the sentence has to hold, with the title of its document


def find_yearly(question: Question, index: Searchable, weighing: Weighing) -> Sentence | None:
    """``None`` where no one year is asked for, or not just one sentence sums it up."""
    years = question.scope.years
    several = question.kind in (Kind.LIST, Kind.SUMMARY) or (
        question.kind is Kind.FACT and _WHAT.search(question.focus)
    )
    if not several or len(years) != 1 or question.asks is not Asks.OTHER or not weighing.terms:
        return None
    found = []
    for parsed in index.documents:
        titled = weighing.held(parsed.document.title)
        for sentence in parsed.sentences:
            opens = _OPENS.match(sentence.plain)
            if opens is None or int(opens["year"]) not in years or gives_orders(sentence.plain):
                continue
            own = weighing.held(sentence.plain) - titled
            whole = weighing.coverage(f"{parsed.document.title}\n{sentence.plain}") >= _HELD
            if own and whole and _TELLS.search(sentence.plain, opens.end()) and _is_of(question, sentence):
                found.append(sentence)
    return found[0] if len(found) == 1 else None


def _is_of(question: Question, sentence: Sentence) -> bool:
    regions = question.scope.regions
    return not regions or sentence.labels.region in regions
