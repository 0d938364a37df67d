"""Hits in, answers out: a question of a document says nothing itself, and what was found by it is the answer below it.

A user's question that says what a document's own question says is answered by that one's whole answer.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.finding.allowed import asks_permission, rules_on
from assistant.finding.bound import lend
from assistant.question.weigh import Searchable, Weighing
from assistant.reading.expect import holds_answer
from assistant.reading.quantities import find_quantities
from assistant.types import Asks, Kind, Passage, Question
from vectorstore.normalize import normalize
from vectorstore.segment import content_words
from vectorstore.types import Asked, Hit, ParsedDocument, Scope, Sentence

_LESS = 0.9  # of the score of a question, what the sentences of its answer have
_HELD = 0.9  # share of the user's words that the document's question has to hold to say the same
_OWN = 0.75  # the same without headings and title
_NAMED = 0.84  # with them, where he says all of the words of a short question: 怎么收费 under 停放和充电
_SHARED = 0.65  # share of the words of the document's question that the user has to say too
_ASKED = 0.6  # share of the user's words that a question has to hold whose 不能 is told of what he asks
_NEAR = 0.5  # of the best probability, what the sentence with most of his words has to have to be told instead
_CASES, _MOST_CASES = 0.4, 4  # the same where an answer tells several cases, and how many of these are told
_FEWEST = 2  # characters of telling words that the two share at least: 怎么收费 may be asked of anything
_HOW = re.compile("怎么|怎样|如何|咋")
_SEVERAL = re.compile("(?:关于|有关|[就对《])[^《》就对的]*、[^《》的]*")
_KINDS = (Kind.FACT, Kind.YES_NO, Kind.LIST, Kind.SUMMARY)
_ASKING = re.compile(
    "什么|怎么|怎样|如何|哪[些里个几]?|为何|谁|多少|多久|几|是否|能否|可否|有没有|是不是|能不能|可不可以|会不会|要不要|请问"
    "|请?(?:您|你)?(?:简要|具体|详细|再)?(?:介绍|谈谈?|说说?|解释|解读|阐述)(?:一下)?"
)
# What has to be asked of a figure there too: 有几处 is no question for 有哪些安全措施, and 补贴多少 none for 三年以后怎么办.
_ASKS_FIGURE = re.compile("多少|几|多[久长大高远重快]|怎么[收计算补]|如何[收计算补]|价|费|标准|什么时候|何时")
_PARTS = re.compile("[、，,；;？?]")
_ASKS_ALONE = re.compile(f"{_ASKING.pattern}|([\u4e00-\u9fff])[不没]\\1|[吗呢么]$")
_VERDICT = re.compile(
    "(?:都|也|一律|当然|目前|暂时|原则上)*(?:(?:不|没有?|无需|不用|并不|并非)?(?:可以|能够?|行|是的?|会|要|需要|有|对|必|得|应该?|算|用)?)的?[。！，,；;]"
)


def give_answers(hits: Sequence[Hit], documents: Sequence[ParsedDocument], scope: Scope) -> list[Hit]:
    """The hits without questions; each of these lends what it scored to the sentences of its answer."""
    found = {hit.sentence.id: hit for hit in hits if not hit.sentence.only_asks}
    for hit in hits:
        if hit.sentence.only_asks:
            for one in list_answer(hit.sentence, documents):
                if scope.allows(one):
                    found[one.id] = lend(hit, found.get(one.id, Hit(one, 0.0)), _LESS)
    return list(found.values())


def head(parsed: ParsedDocument, sentence: Sentence) -> tuple[str, ...]:
    """The headings that a sentence stands under, and the question that it answers.

    What a title names side by side (关于垃圾分类、充电和光伏的须知) says of no answer what it is about: 怎么收费 is asked of one.
    """
    headings, title = parsed.sections[sentence.section].headings, parsed.document.title
    if sentence.asked is None:
        return headings
    return (*(_SEVERAL.sub(" ", one) if one == title else one for one in headings), sentence.asked.plain)


def list_answer(sentence: Sentence, documents: Sequence[ParsedDocument]) -> tuple[Sentence, ...]:
    """All sentences of the answer that a sentence belongs to, in their order; of a question those of its answer."""
    asked = sentence.asked
    if asked is None:
        return ()
    own = next(parsed.sentences for parsed in documents if parsed.document.source == sentence.source)
    at = bisect_left(own, asked.start, key=lambda other: other.start)
    return tuple(one for one in _run(own, at, asked) if not one.only_asks)


def _run(sentences: Sequence[Sentence], at: int, asked: Asked) -> Iterator[Sentence]:
    """What holds a question stands together behind it."""
    begun = False
    for one in sentences[at:]:
        if one.asked == asked:
            begun = True
            yield one
        elif begun:
            return


@dataclass(frozen=True, slots=True)
class Match:
    """A question of a document that says what the user asks, and its answer."""

    asked: Asked
    answer: tuple[Sentence, ...]


def find_match(question: Question, index: Searchable, weighing: Weighing) -> Match | None:
    """Find the question that says the same, both ways round; nothing where two documents ask it, or its answer does not fit."""
    if question.kind not in _KINDS or not weighing.terms:
        return None
    found: dict[tuple[str, Asked], Sentence] = {}
    for sentence in index.sentences:
        if sentence.asked and not sentence.only_asks and question.scope.allows(sentence):
            found.setdefault((sentence.source, sentence.asked), sentence)
    above = {parsed.document.source: parsed for parsed in index.documents}
    close = []
    for (source, asked), one in found.items():
        title = above[source].document.title
        headings = tuple(h for h in above[source].sections[one.section].headings if h != title)
        if any(says_the_same(question, weighing, asked.plain, one, title, headings) for one in cut_question(asked)):
            close.append(one)
    if len(close) != 1 or close[0].asked is None:
        return None
    answer = list_answer(close[0], index.documents)
    told = "".join(one.plain for one in answer)
    fits = question.asks is not Asks.QUANTITY or (
        _ASKS_FIGURE.search(close[0].asked.plain) is not None and holds_answer(question.asks, told, question.focus)
    )
    return Match(close[0].asked, answer) if answer and fits else None


def says_the_same(
    question: Question, weighing: Weighing, asked: str, part: str = "", title: str = "", headings: Sequence[str] = ()
) -> bool:
    """Whether two questions, or his and a part of the other, have the same telling words: his in it, and most of its in his.

    A little of his may stand in the headings. Of a short question, which may be asked of anything, the rest has to be what
    its part of the document is about: what a title names side by side is spoken of in any part, and is left out.
    """
    under = "\n".join((asked, *headings, _SEVERAL.sub(" ", title)))
    held, own = weighing.coverage(under), normalize(question.standalone)
    if held < _NAMED or any(
        not any(q.equals(other) for other in find_quantities(normalize(asked))) for q in find_quantities(own)
    ):
        return False
    words = [w for w in content_words(_ASKING.sub(",", normalize(part or asked))) if len(w) > 1]
    shared = [w for w in words if any(w[i : i + 2] in own for i in range(len(w) - 1))]
    if weighing.coverage(asked) >= _OWN and held >= _HELD:
        return sum(map(len, shared)) > _FEWEST and len(shared) >= _SHARED * len(words)
    return bool(words) and question.kind is not Kind.SUMMARY and all(word in own for word in words)


def opens_with_verdict(sentence: Sentence) -> bool:
    """Whether a sentence begins with a yes or a no that says nothing without the question."""
    return sentence.asked is not None and _VERDICT.match(sentence.plain) is not None


def cut_question(asked: Asked) -> tuple[str, ...]:
    """A question, and the several that it may be made of (会不会漏雨、有没有辐射)."""
    parts = tuple(part for part in _PARTS.split(asked.plain) if _ASKS_ALONE.search(part))
    return (asked.plain, *parts) if len(parts) > 1 else (asked.plain,)


def leans_on_question(sentence: Sentence, weighing: Weighing) -> bool:
    """Whether a word of the user's stands only in a question that is several: which of its answer answers that one is open."""
    if sentence.asked is None or len(cut_question(sentence.asked)) == 1:
        return False
    return bool(weighing.held(sentence.asked.plain) - weighing.held(sentence.plain))


def settle(
    likely: Mapping[str, float], sentences: Sequence[Sentence], question: Question, weighing: Weighing
) -> dict[str, float]:
    """Give the best probability of an answer's sentences to that one of them which has most of the user's words itself.

    What all of them have of their question does not tell them apart, and the shortest would win.
    """
    settled = dict(likely)
    answers: dict[tuple[str, Asked], list[Sentence]] = {}
    for sentence in sentences if question.asks is Asks.OTHER else ():
        if sentence.asked is not None:
            answers.setdefault((sentence.source, sentence.asked), []).append(sentence)
    for members in answers.values():
        best = max(members, key=lambda one: likely[one.id])
        fitting = max(members, key=lambda one: (round(weighing.coverage(one.plain), 2), likely[one.id]))
        if likely[fitting.id] >= _NEAR * likely[best.id] and not opens_with_verdict(best):
            settled[best.id], settled[fitting.id] = likely[fitting.id], likely[best.id]
    return settled


def is_of_another_question(sentence: Sentence, weighing: Weighing) -> bool:
    """Whether a sentence is a bare yes or no to something else than what the user asks."""
    bare = opens_with_verdict(sentence) and _VERDICT.fullmatch(sentence.plain.strip()) is not None
    return bare and sentence.asked is not None and weighing.coverage(sentence.asked.plain) < _ASKED


def join_verdict(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """Of a question for yes or no the verdict that an answer opens with, and the sentence of it that fits best behind that.

    Only where the document's question is what the verdict is of: it holds as much of the user's as the sentence itself does.
    """
    best = passages[0].sentence if passages else None
    if best is None or best.asked is None or not (question.kind is Kind.YES_NO or asks_permission(question.focus)):
        return []
    own = [passage for passage in passages if _is_of(passage.sentence, best)]
    verdict = next((passage for passage in own if opens_with_verdict(passage.sentence)), None)
    others = [passage for passage in own if passage is not verdict and not opens_with_verdict(passage.sentence)]
    if verdict is None or not others:
        return []
    # What has none of his words may be said of another thing; what follows the verdict explains it.
    fitting = passages[0] if passages[0] is not verdict else others[0]
    if not weighing.coverage(fitting.sentence.plain):
        fitting = min(others, key=lambda one: one.sentence.start)
    if weighing.coverage(best.asked.plain) < max(_ASKED, weighing.coverage(fitting.sentence.plain)):
        return []
    if weighing.held(fitting.sentence.plain) - weighing.held(best.asked.plain):
        return []  # 轮椅 is named behind it: what it says of that need not be what the verdict says
    return [verdict, fitting]


def _is_of(one: Sentence, other: Sentence) -> bool:
    return (one.source, one.asked) == (other.source, other.asked)


def join_cases(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """Of a question whether or how something is allowed all that its answer rules, where it rules case by case and none was named.

    装充电桩 is allowed on a space of one's own, with consent on a rented one, and not in a shelter: each alone would be wrong.
    """
    best = passages[0].sentence if passages else None
    wanted = question.kind is Kind.YES_NO or asks_permission(question.focus) or _HOW.search(question.focus)
    if best is None or best.asked is None or not wanted:
        return []
    if weighing.coverage(best.asked.plain) < _CASES or not rules_on(best.plain):
        return []
    own = [passage for passage in passages if _is_of(passage.sentence, best) and rules_on(passage.sentence.plain)]
    others = [passage for passage in own if passage.sentence.id != best.id]
    named = weighing.held(best.plain) - weighing.held(best.asked.plain)
    if not others or any(all(word not in weighing.held(o.sentence.plain) for o in others) for word in named):
        return []
    return sorted(own[:_MOST_CASES], key=lambda one: one.sentence.start)
