"""A question that wants a yes, or takes it for granted, and the index in, the sentence that says no out: 不得关停, 没有罚款权.

``港口可以收服务费,一度收多少`` supposes what 不得收取服务费 denies, and ``中型企业最多能贷多少`` what 中型企业不适用 does. What is
supposed to be done, or to be allowed, is answered by the sentence that denies just that of just that thing, though it shares few
other words with the question, and whatever year was supposed: what has no year of its own holds for every year.
"""

from __future__ import annotations

import re
from dataclasses import replace

from assistant.question.weigh import Searchable, Term, Weighing
from assistant.reading.orders import gives_orders
from assistant.types import Kind, Question
from vectorstore.normalize import normalize
from vectorstore.types import Scope, Sentence

_DENIES = re.compile("不得|不能|不可|不准|不许|不允许|严禁|禁止|无权|没有|不予|无需|不需要?|不再|不必|不应")
_WITHIN = 6  # characters between the denial and what is denied
_LEAST = 0.25  # share of the question that the sentence has to hold
_THING = 0.3  # how well another word of the question has to stand there: 采暖锅炉 has half of 供暖锅炉
# What is taken for granted before a question: 甲可以收乙,一度收多少.
_SUPPOSES = re.compile(
    "(?:可以|能够?|允许|准许|有权|必须|应当|要求|强制|规定)[^,。?]{2,40},[^,。?]*(?:多少|几|怎么|如何|哪|什么|多[久长大高])"
)
_EXCLUDES = re.compile(
    "不适用|不属于|不在[^,。;]{0,8}(?:之列|范围)|不纳入|不包括|不享受|不受理|不予(?:受理|支持|办理)|除外"
)
_SUBJECT, _RARE, _BETWEEN = 3, 3, 12  # characters of what is excluded, sentences that speak of it, characters behind it
_AROUND = 0.5  # share of the question that its paragraph has to hold
_ACT = re.compile("[,。;!?“”]")


def find_denied(question: Question, index: Searchable, weighing: Weighing) -> Sentence | None:
    """``None`` where the question supposes nothing, or no one sentence denies it more than the others."""
    if len(weighing.terms) < 2:
        return None
    if question.kind is not Kind.YES_NO and not (question.kind is Kind.FACT and _SUPPOSES.search(question.focus)):
        return None
    scope = replace(question.scope, years=frozenset(), part=None)
    rated = [
        (weighing.coverage(sentence.plain), -n, sentence)
        for n, sentence in enumerate(index.sentences)
        if _may_say(sentence, scope, question)
        and _denies(sentence.plain, weighing)
        and (question.kind is Kind.YES_NO or _denies_act(sentence.plain, weighing))
    ]
    best = sorted(rated, key=lambda one: one[:2], reverse=True)[:2]
    if not best or best[0][0] < _LEAST or (len(best) > 1 and best[1][0] == best[0][0]):
        return None
    return best[0][2]


def find_excluded(question: Question, index: Searchable, weighing: Weighing) -> Sentence | None:
    """The one sentence that takes what is asked about out of the rules on it; ``None`` where the documents say more of it."""
    if question.kind not in (Kind.YES_NO, Kind.FACT) or len(weighing.terms) < 2:
        return None
    found = []
    for name in _name_subjects(question, weighing):
        if not 0 < index.holds(name) <= _RARE:
            continue
        behind = re.compile(rf"{re.escape(name)}[^,。;:]{{0,{_BETWEEN}}}?(?:{_EXCLUDES.pattern})")
        found += [s for s in index.sentences if question.scope.allows(s) and behind.search(normalize(s.plain))]
    if len({sentence.id for sentence in found}) != 1:
        return None
    own = found[0]
    around = [s.plain for s in index.sentences if (s.source, s.paragraph) == (own.source, own.paragraph)]
    return own if weighing.coverage("\n".join(around)) >= _AROUND else None


def _name_subjects(question: Question, weighing: Weighing) -> frozenset[str]:
    """The longer words of a question, and each two that stand side by side in it (集体 and 农场)."""
    focus, words = normalize(question.focus), [term.text for term in weighing.terms]
    pairs = {one + other for one in words for other in words if one + other in focus}
    return frozenset(word for word in {*words, *pairs} if len(word) >= _SUBJECT)


def _may_say(sentence: Sentence, scope: Scope, question: Question) -> bool:
    year, years = sentence.labels.year, question.scope.years
    return scope.allows(sentence) and (not years or year is None or year in years) and not gives_orders(sentence.plain)


def _denies(text: str, weighing: Weighing) -> bool:
    """Whether a text denies one of the words right behind the denial, and has another of them."""
    normal = normalize(text)
    denied = {
        term.text
        for match in _DENIES.finditer(normal)
        for term in weighing.terms
        if _is_named(term, _ACT.split(normal[match.end() : match.end() + _WITHIN + len(term.text)])[0])
    }
    return any(any(term.text != other and term.match(normal) >= _THING for term in weighing.terms) for other in denied)


def _denies_act(text: str, weighing: Weighing) -> bool:
    """Whether two words of the question stand in what is denied: the thing, and what is done with it."""
    normal = normalize(text)
    acts = [_ACT.split(normal[match.end() :])[0] for match in _DENIES.finditer(normal)]
    return any(
        sum(any(name in act for name in (term.text, *term.means)) for term in weighing.terms) > 1 for act in acts
    )


def _is_named(term: Term, ahead: str) -> bool:
    return len(term.text) > 1 and any(name in ahead for name in (term.text, *term.means))
