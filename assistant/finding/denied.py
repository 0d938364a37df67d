"""A question that wants a yes and the index in, the sentence that says no out: 不得关停, 没有罚款权.

What is supposed to be done, or to be allowed, is answered by the sentence that denies just that of just that thing, though it
shares few other words with the question, and whatever year was supposed: what has no year of its own holds for every year.
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
_ACT = re.compile("[,。;!?“”]")


def find_denied(question: Question, index: Searchable, weighing: Weighing) -> Sentence | None:
    """``None`` where the question supposes nothing, or no one sentence denies it more than the others."""
    if question.kind is not Kind.YES_NO or len(weighing.terms) < 2:
        return None
    scope = replace(question.scope, years=frozenset(), part=None)
    rated = [
        (weighing.coverage(sentence.plain), -n, sentence)
        for n, sentence in enumerate(index.sentences)
        if _may_say(sentence, scope, question) and _denies(sentence.plain, weighing)
    ]
    best = sorted(rated, key=lambda one: one[:2], reverse=True)[:2]
    if not best or best[0][0] < _LEAST or (len(best) > 1 and best[1][0] == best[0][0]):
        return None
    return best[0][2]


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


def _is_named(term: Term, ahead: str) -> bool:
    return len(term.text) > 1 and any(name in ahead for name in (term.text, *term.means))
