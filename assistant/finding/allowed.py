"""A question on what is allowed in, whether a sentence rules on it out; of 哪些…不能 all that is forbidden about the subject.

``能不能`` and ``合法吗`` are answered by 禁止, 不得, 可以 and their like: a sentence that only speaks of the same thing answers nothing.
What is forbidden stands one rule to a sentence, spread over the paragraphs that are about the subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.finding.stretches import Stretch, list_stretches
from assistant.question.weigh import Weighing
from assistant.types import Passage
from vectorstore.types import ParsedDocument, Scope

_ASKS = re.compile(
    "可不可以|可否|行不行|准不准|让不让|许不许|违不违[法规]|合不合[法规]|算不算违"
    r"|(?:可以|允许|准许|合[法规]|违[法规]|犯法)[^,，。?？]{0,14}[吗么嘛]|[,，](?:行|可以|成)[吗么嘛]"
)
_RULES = re.compile(
    "禁止|严禁|不得|不准|不许|不可|不能|不予|不再|不应|不在|不属于|不接受|不受理|不适用|可以|允许|准予|应当|必须|须|方可|均可|一律|无权|有权|无需"
    "|不收取|仅限|限于|除外|例外|免费|免予|免征|取消|鼓励|提倡"
)
_ANNOUNCES = re.compile(r"[:：]\s*$")
_ASKS_FORBIDDEN = re.compile(
    "(?:哪些|什么|哪几|啥)[^,，。?？]{0,12}(?:不能|不准|不许|不得|不可以|不让|不允许|(?:被|是|要)?禁止|严禁)"
    "|(?:不能|不准|不许|不得|禁止|严禁|不允许|不让)[^,，。?？]{0,8}(?:哪些|什么|啥)|禁止性|禁令"
)
_FORBIDS = re.compile("禁止|严禁|不得|不准|不许|不允许|不可以|不应|不提供|不予|不再")
_THINGS = re.compile("行为|做法|事情|^事$|东西|活动|方式|处理|规定|进行|^用$")  # what is forbidden is one of them
_ASKS_CONDITION = re.compile(
    "(?:什么|哪些|哪几|啥|何种)(?:样的)?[^,，。?？]{0,4}(?:条件|要求|资格|门槛)|(?:条件|要求|资格|门槛)(?:是什么|有哪些|有啥|是啥|如何|怎样)|怎么?样?才能|才(?:能|可以|算|行)"
)
_CONDITION = re.compile(
    "必须|须|应当|方可|不得|只有|才能|需要?(?!求)|满足|符合|具备|条件|以上|以下|不低于|不高于|不超过|不少于"
)
_BESIDE, _RIGHT_BESIDE = 0.5, 3  # of what the best sentence holds; characters between two sentences side by side
_AS_MUCH = 0.7  # of what the best paragraph holds of the subject, what another has to hold
_LEAST = 0.5  # share of the subject that the best has to hold


def asks_permission(focus: str) -> bool:
    """Whether a question wants to know if something is allowed."""
    return _ASKS.search(focus) is not None


def rules_on(text: str) -> bool:
    """Whether a text allows, forbids or demands something; what only announces a list does not."""
    return _RULES.search(text) is not None and not _ANNOUNCES.search(text)


def asks_forbidden(focus: str) -> bool:
    """Whether a question wants all that is forbidden."""
    return _ASKS_FORBIDDEN.search(focus) is not None


def add_conditions(focus: str, chosen: list[Passage], passages: Sequence[Passage]) -> list[Passage]:
    """With what was chosen the sentences right beside the best one that set a condition (必须, 应当), where conditions are asked for."""
    if not chosen or not _ASKS_CONDITION.search(focus):
        return chosen
    best = chosen[0].sentence
    beside = [
        p
        for p in passages
        if (p.sentence.source, p.sentence.paragraph) == (best.source, best.paragraph)
        and p not in chosen
        and p.coverage >= _BESIDE * chosen[0].coverage
        and _CONDITION.search(p.sentence.plain)
        and max(p.sentence.start - best.end, best.start - p.sentence.end) <= _RIGHT_BESIDE
    ]
    return [*chosen, *beside]


def find_forbidden(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """The sentences that forbid something in the paragraphs about the subject, or about each of several.

    Where a document's title holds a part of the subject, a paragraph has to hold some of the rest.
    """
    subject = Weighing(tuple(term for term in weighing.terms if not _THINGS.search(term.text)))
    rated: list[tuple[float, frozenset[str], Stretch]] = []
    for stretch in list_stretches(documents, scope):
        told = tuple(s for s in stretch.sentences if _FORBIDS.search(s.plain))
        titled = subject.held(stretch.headings[0])
        rest = Weighing(tuple(term for term in subject.terms if term.text not in titled))
        own = "\n".join((*stretch.headings[1:], stretch.text))
        if told and subject.terms and (rest.held(own) or not rest.terms):
            held = subject.coverage("\n".join((stretch.headings[0], own)))
            rated.append((held, rest.held(own), replace(stretch, sentences=told)))
    best = max((held for held, _, _ in rated), default=0.0)
    if best < _LEAST:
        return ()
    known = frozenset[str]().union(*(words for held, words, _ in rated if held >= _AS_MUCH * best))
    return tuple(stretch for held, words, stretch in rated if held >= _AS_MUCH * best or words - known)
