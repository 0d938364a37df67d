"""A question and what was found for it in, the decision to answer or to refuse out, before any model writes a word.

Refusing has two errors: answering what the documents do not say, and not answering what they say. Thresholds trade one for the
other: those of questions that one sentence answers stand in ``gate.toml`` and were fitted, those of lists and summaries stand here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.finding.likely import is_near, is_sure
from assistant.finding.mismatch import is_of_another_number, is_only_beside
from assistant.finding.retrieve import WEIGHED, retrieve
from assistant.finding.siblings import is_of_another_kind
from assistant.finding.unspoken import is_of_another_compound, speaks_of_another
from assistant.question.phrases import find_phrases
from assistant.question.weigh import Searchable, Weighing, stands_in, weigh
from assistant.reading.formal import NOTE
from assistant.reading.reached import is_under_way
from assistant.types import Asks, Kind, Passage, Question, Refusal
from vectorstore.normalize import normalize
from vectorstore.segment import is_word
from vectorstore.types import Scope

SLOT = 0.4  # coverage that a cell of a comparison needs; its place and year are sure already
_NEAREST = 3
_AS_NEAR = 0.75  # of what the nearest sentence holds of a question, what another has to hold to be shown beside it
_SPREAD = (Kind.LIST, Kind.SUMMARY)
_TOGETHER = 0.75  # what several sentences have to hold between them: more, because words meet by chance
_ABOUT = 0.45  # the same for a summary of one place or year, whose subject is already given by it
_SPOKEN = 3  # things of a theme that are spoken of where a text is about it, though it never names it
_WHOLLY = 0.99  # share of a question that is all of it
_LEAST = 0.05  # share of a question that has to stand in the one sentence that answers it
_MEANT = 0.15  # or so much of it with words of near meaning
_NAMED = 0.15  # the same of what it counts
_ELSEWHERE = 0.65  # share of a question that may stand in other sentences than the one that has the figure
# When something happens may be read off a label, which every sentence has: it has to be about just that.
_DATE = re.compile(
    r"(?:19|20)\d\d年|\d{1,2}月(?:\d{1,2}日|底|末|初)?|年(?:底|末|初)|季度|[上下]半年|十[一二三四五六七]五"
)
_WHEN, _DATED = re.compile("什么时候|何时|哪1年|哪年"), 0.9
THRESHOLD = 0.55  # share of the weighted telling words that the best sentence of a list or a summary has to hold


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to answer; if not, why, and the sentences to show instead."""

    refusal: Refusal | None
    nearest: tuple[Passage, ...] = ()


def decide(question: Question, passages: Sequence[Passage], index: Searchable) -> Decision:
    """Decide from the kind of the question and the coverage of its telling words by the evidence inside its scope."""
    if question.kind is Kind.NONE:
        return Decision(Refusal.NOT_A_QUESTION)
    if question.kind is Kind.CORPUS:
        return Decision(None)
    weighing = weigh(question, index)
    if _may_answer(question, passages, weighing, index) or _holds_enough(question, passages, weighing, index):
        return Decision(None)
    return _explain(question, passages, index)


def _may_answer(question: Question, passages: Sequence[Passage], weighing: Weighing, index: Searchable) -> bool:
    """Whether a sentence is near enough to be shown, if only as the nearest wording.

    However near it seems by other signs, some of the question's words have to stand in it, and the thing that is counted too.
    """
    best = passages[0] if passages else None
    if best is None or best.likely is None:
        return False
    plain = best.sentence.plain
    by_label = _WHEN.search(question.focus) and not _DATE.search(plain)
    if by_label and is_under_way(question.focus, plain):
        return False
    if best.coverage < (_DATED if by_label else _LEAST) and (by_label or _holds_little(weighing, plain, _MEANT)):
        return False
    if is_of_another_number(question.focus, plain):
        return False
    counted = weighing.only(question.counted)
    if question.asks is Asks.QUANTITY:
        if counted.terms and _counts_another(counted, plain):
            return False
        # The documents have these words, but in other places: a figure beside none of them is another one.
        if best.coverage < 1 - _ELSEWHERE and weighing.lacking(plain, known=True) > _ELSEWHERE:
            return False
    if speaks_of_another(question, best.sentence, index):
        return False
    if question.asks is Asks.QUANTITY and is_of_another_kind(question.focus, plain):
        return False
    if not is_sure(best.likely, question.asks) and (
        is_only_beside(question, plain) or is_of_another_compound(question, plain, weighing)
    ):
        return False
    return is_near(best.likely, question.asks)


def _holds_little(weighing: Weighing, plain: str, least: float) -> bool:
    """Whether a sentence has next to nothing of some words, by their names and by words of near meaning together."""
    return weighing.coverage(plain) + weighing.meant(plain) < least


def _counts_another(counted: Weighing, plain: str) -> bool:
    """Whether a sentence has not the thing that is counted. What the documents name elsewhere has to be named here too."""
    if counted.coverage(plain) >= _NAMED:
        return False
    return any(term.known for term in counted.terms) or _holds_little(counted, plain, _NAMED)


def is_certain(question: Question, passages: Sequence[Passage]) -> bool:
    """Whether the best sentence is sure to answer, as far as that is weighed for questions of the kind."""
    best = passages[0] if passages else None
    return best is not None and (best.likely is None or is_sure(best.likely, question.asks))


def _holds_enough(question: Question, passages: Sequence[Passage], weighing: Weighing, index: Searchable) -> bool:
    """A fact has to stand in one sentence; what a list or a summary is about may be spread over several."""
    if question.kind in WEIGHED:
        if not _may_answer(question, passages, weighing, index):
            return False
        return passages[0].likely is not None and is_sure(passages[0].likely, question.asks)
    best = max((p.coverage for p in passages), default=-1.0)
    if question.kind is Kind.COMPARE:
        # Where nothing is set side by side by name, no place and no year makes up for words that are missing.
        scope = question.scope
        rows = max(len(scope.places), len(scope.regions), len(scope.years), len(scope.sources))
        return best >= (SLOT if rows else THRESHOLD)
    if question.kind in _SPREAD and _lacks_compound(question, passages, index):
        return False
    together = weighing.coverage("\n".join(p.sentence.plain for p in passages)) if passages else -1.0
    if question.kind is Kind.SUMMARY and (question.scope.regions or question.scope.years):
        return max(best, together) >= _ABOUT and not _only_touches(passages, weighing)
    return best >= THRESHOLD or (question.kind in _SPREAD and together >= _TOGETHER)


def _only_touches(passages: Sequence[Passage], weighing: Weighing) -> bool:
    """Whether all that is told of a theme is a thing or two that may be spoken of under any other: roofs of schools are no education.

    The name of a body in a note on who is in charge (教育局) says nothing of its subject.
    """
    told = normalize("\n".join(NOTE.sub("", passage.sentence.plain) for passage in passages))
    if not weighing.terms or not all(term.members for term in weighing.terms):
        return False
    return not any(
        any(stands_in(name, told) for name in (term.text, *term.means))
        or sum(stands_in(member, told) for member in term.members) >= _SPOKEN
        for term in weighing.terms
    )


def _lacks_compound(question: Question, passages: Sequence[Passage], index: Searchable) -> bool:
    """Whether the documents speak of just what was asked for, but none of the sentences does: 金融 alone is no 绿色金融.

    Where no document has the compound its parts are all there is to go by.
    """
    compounds = [
        p
        for p in find_phrases(question.focus, question.terms, question.scope.places)
        if len(p.words) > 1 and all(map(is_word, p.words))
    ]
    for compound in compounds:
        if any(compound.text in sentence.plain for sentence in index.sentences):
            if any(p.headings and p.coverage >= _WHOLLY for p in passages):
                return False  # it was found with its headings, and with what announces it
            above = {parsed.document.source: parsed.sections for parsed in index.documents}
            heads = (above[p.sentence.source][p.sentence.section].headings for p in passages)
            told = ("\n".join((*head, *p.headings, p.sentence.plain)) for head, p in zip(heads, passages, strict=True))
            return not any(all(word in text for word in compound.words) for text in told)
    return False


def _explain(question: Question, passages: Sequence[Passage], index: Searchable) -> Decision:
    """Look whether another year or another region has what was asked for; else show what comes nearest."""
    scope = question.scope
    if not question.terms and (scope.regions or scope.years):
        of_place = replace(scope, years=frozenset(), part=None)
        known = any(of_place.allows(sentence) for sentence in index.sentences)
        refusal = Refusal.OTHER_YEAR if known and scope.years else Refusal.OTHER_REGION
        return Decision(refusal, retrieve(replace(question, scope=of_place), index)[:_NEAREST] if known else ())
    wider: list[tuple[Refusal, Scope]] = []
    if scope.years or scope.part:
        wider.append((Refusal.OTHER_YEAR, replace(scope, years=frozenset(), part=None)))
    if scope.regions or scope.places:
        wider.append((Refusal.OTHER_REGION, replace(scope, regions=frozenset(), places=frozenset())))
        wider.append((Refusal.OTHER_REGION, Scope(sources=scope.sources)))
    weighing = weigh(question, index)
    for refusal, tried in wider:
        found = retrieve(replace(question, scope=tried), index)
        if _holds_enough(question, found, weighing, index):
            return Decision(refusal, _keep_near(found))
    anything = replace(question, asks=Asks.OTHER)
    nearest = passages or retrieve(anything, index) or retrieve(anything, index, scope=Scope(sources=scope.sources))
    return Decision(Refusal.NOT_IN_CORPUS, _keep_near(nearest))


def _keep_near(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The first few, without those that hold next to nothing of what the first one holds."""
    least = _AS_NEAR * max((p.coverage for p in passages[:1]), default=0.0)
    return tuple(p for p in passages[:_NEAREST] if p.coverage >= least)
