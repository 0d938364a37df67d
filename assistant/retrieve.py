"""A question in, the numbered sentences that may answer it out, best first.

Both legs of the index find candidates inside the question's scope; they are ordered by how much of the question's telling words each
sentence holds (rare words weigh more), by the index's fused score, and, where a reader model is there, by what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from assistant.expect import holds_answer
from assistant.lexicon import load_lexicon
from assistant.quantities import Measure, find_quantities
from assistant.types import Asks, Kind, Passage, Question, ReaderScores
from vectorstore.normalize import normalize
from vectorstore.segment import cut
from vectorstore.types import Hit, ParsedDocument, Scope, Sentence

CANDIDATES = 24  # beyond this neither leg found an answering sentence in our labelled questions
PASSAGES = 12  # as many as the reader scores in one pass
WHOLE = 400  # sentences of a document that is summarised as a whole
OVERVIEW = 40  # sentences that a summary chooses from: a section of a report, or two

# How the three scores are mixed. Coverage leads: it is the one that can be explained to a person. The first bundled reader
# only decides between equals: at 0.1 it cost two to three points on policy questions (benchmarks/reader.py).
_COVERAGE, _FUSED, _READER = 1.0, 0.25, 0.02

_FITS = 0.2  # a sentence with a name in quotation marks, where a name is asked for
_SYNONYM = 0.85  # what a word of the same meaning counts
_COUNTED = 0.8  # share of the words for what is counted that a sentence with its figure has to hold

Scorer = Callable[[str, Sequence[str]], ReaderScores]


class Searchable(Protocol):
    """What of an index this stage needs."""

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        """The documents in their order."""
        ...

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in the documents' order."""
        ...

    def search(self, text: str, k: int, scope: Scope = ...) -> tuple[Hit, ...]:
        """Find the ``k`` closest sentences inside a scope."""
        ...

    def holds(self, term: str) -> int:
        """In how many sentences a term stands."""
        ...

    def rarity(self, term: str) -> float:
        """Weight of a term: the rarer in the corpus, the higher."""
        ...


@dataclass(frozen=True, slots=True)
class Weighing:
    """The telling words of a question with their weights."""

    weights: tuple[tuple[str, float], ...]

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return sum(weight for _, weight in self.weights)

    def coverage(self, text: str) -> float:
        """Share of the weight that a text holds, from 0 to 1; 1 where there is nothing to look for."""
        if not self.weights:
            return 1.0
        normal = normalize(text)
        return sum(weight * match_term(term, normal) for term, weight in self.weights) / self.total

    def held(self, text: str) -> frozenset[str]:
        """The words that a text holds, as they are or by a synonym."""
        normal = normalize(text)
        return frozenset(term for term, _ in self.weights if match_term(term, normal) >= _SYNONYM)


def weigh(question: Question, index: Searchable) -> Weighing:
    """Weigh the telling words of a question by their rarity; a figure that the corpus holds is one of them."""
    stated = [normalize(q.text) for q in find_quantities(question.focus) if q.measure is Measure.QUANTITY]
    figures = [text for text in stated if len(text) > 1 and index.holds(text)]
    terms = dict.fromkeys((*known_pieces(question.terms, index), *figures))
    return Weighing(tuple((term, _rarity(term, index)) for term in terms))


def _rarity(term: str, index: Searchable) -> float:
    """Of a word that the corpus does not have the rarity of its commonest synonym there."""
    if index.holds(term):
        return index.rarity(term)
    known = [index.rarity(other) for other in load_lexicon().synonyms.get(term, ()) if index.holds(other)]
    return min(known, default=index.rarity(term))


def known_pieces(terms: Iterable[str], index: Searchable) -> tuple[str, ...]:
    """Take apart what the segmenter glued together by guess (考核设): where the corpus knows most of the pieces, they count."""
    out: list[str] = []
    for term in terms:
        pieces = [piece for piece in cut(term) if len(piece) > 1 and index.holds(piece)] if len(term) > 2 else []
        if not index.holds(term) and sum(map(len, pieces)) >= 2 * len(term) / 3:
            out += pieces
        else:
            out.append(term)
    return tuple(dict.fromkeys(out))


def _is_of_part(question: Question, sentence: Sentence) -> bool:
    """A summary of a plan or a review wants a report's own section, not news that name the place."""
    return question.kind is not Kind.SUMMARY or bool(question.terms) or sentence.labels.part is question.scope.part


def match_term(term: str, normal: str) -> float:
    """How well a term stands in a normalised text: 1 as it is, less by a synonym or by its longest piece."""
    if term in normal:
        return 1.0
    if any(other in normal for other in load_lexicon().synonyms.get(term, ())):
        return _SYNONYM
    for size in range(len(term) - 1, 1, -1):
        if any(term[i : i + size] in normal for i in range(len(term) - size + 1)):
            return 0.7 * size / len(term)
    return 0.0


def retrieve(
    question: Question, index: Searchable, scorer: Scorer | None = None, *, scope: Scope | None = None
) -> tuple[Passage, ...]:
    """Find at most ``PASSAGES`` sentences, numbered from 1 in the order of their worth."""
    hits = _search(question, index, question.scope if scope is None else scope)
    if not hits:
        return ()
    weighing = weigh(question, index)
    contexts = _contexts(index.documents)
    if question.scope.part:
        hits = [hit for hit in hits if _is_of_part(question, hit.sentence)]
    if question.kind is Kind.FACT:
        counted = Weighing(tuple((term, index.rarity(term)) for term in known_pieces(question.counted, index)))
        hits = [hit for hit in hits if _can_answer(question, hit.sentence, counted)]
    if not hits:
        return ()
    best = max(hit.score for hit in hits) or 1.0
    rated = [_rate(hit, weighing, contexts, best, question.asks) for hit in hits]
    rated.sort(key=lambda r: (-r[1], r[0].sentence.source, r[0].sentence.start))
    del rated[WHOLE if question.kind is Kind.SUMMARY else PASSAGES :]
    text = question.focus or question.standalone
    scores = scorer(text, [hit.sentence.plain for hit, *_ in rated]).answers if scorer else None
    passages = [
        Passage(0, hit.sentence, score + (_READER * scores[i] if scores else 0.0), held, scores[i] if scores else None)
        for i, (hit, score, held) in enumerate(rated)
    ]
    return number(passages)


def _can_answer(question: Question, sentence: Sentence, counted: Weighing) -> bool:
    """多少 is answered by a figure or not at all; a year may also come from a label, a name may stand without quotes."""
    if question.asks is Asks.NAME or (question.asks is Asks.YEAR and sentence.labels.part):
        return True
    if counted.weights and counted.coverage(sentence.plain) < _COUNTED:
        return False
    return holds_answer(question.asks, sentence.plain, question.focus)


def number(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Order passages by their worth and number them from 1."""
    ranked = sorted(passages, key=lambda p: (-p.score, p.sentence.source, p.sentence.start))
    return tuple(replace(passage, number=n) for n, passage in enumerate(ranked, 1))


def _search(question: Question, index: Searchable, scope: Scope) -> Sequence[Hit]:
    """Search inside the scope. Sentences that are about a place come with those of its province that name it."""
    text = question.focus or question.standalone
    if question.kind is Kind.SUMMARY and not question.terms:  # all that there is of a place, a year or a document
        return [Hit(sentence, 1.0) for sentence in index.sentences if scope.allows(sentence)][:WHOLE]
    hits = index.search(text, OVERVIEW if question.kind is Kind.SUMMARY else CANDIDATES, scope)
    if not scope.places:
        return hits
    found = {hit.sentence.id for hit in hits}
    wider = index.search(text, CANDIDATES, replace(scope, places=frozenset()))
    named = [hit for hit in wider if any(place in hit.sentence.plain for place in scope.places)]
    return [*hits, *(hit for hit in named if hit.sentence.id not in found)]


def _rate(
    hit: Hit, weighing: Weighing, contexts: Mapping[str, str], best: float, asks: Asks
) -> tuple[Hit, float, float]:
    """Rate a sentence, read with its heading and the sentence before it: half of what they add counts."""
    coverage = weighing.coverage(hit.sentence.plain)
    context = contexts.get(hit.sentence.id, "")
    if context and coverage < 1.0:
        coverage += 0.5 * (weighing.coverage(f"{hit.sentence.plain}\n{context}") - coverage)
    fits = _FITS if asks is Asks.NAME and holds_answer(asks, hit.sentence.plain, "") else 0.0
    return hit, _COVERAGE * coverage + _FUSED * hit.score / best + fits, coverage


def _contexts(documents: Sequence[ParsedDocument]) -> dict[str, str]:
    """What each sentence is read with: its headings, and the sentence before it in its paragraph."""
    contexts: dict[str, str] = {}
    for parsed in documents:
        before: Sentence | None = None
        for sentence in parsed.sentences:
            heading = " ".join(parsed.sections[sentence.section].headings)
            same = before is not None and before.paragraph == sentence.paragraph
            contexts[sentence.id] = f"{heading}\n{before.plain}" if before and same else heading
            before = sentence
    return contexts
