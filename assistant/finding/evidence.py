"""A question and a sentence that was found for it in, what speaks for its being the answer out: figures that the gate weighs.

Each can be explained to a person. ``local`` is the one that keeps wrong figures out: the words of the question have to stand
in the clause that holds the figure, or before it, and not just anywhere in a long enumeration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields

from assistant.finding.allowed import asks_permission, rules_on
from assistant.question.weigh import Weighing
from assistant.reading.clauses import Clause, split_clauses
from assistant.reading.expect import holds_answer, unit_fits, wants_date, wants_label
from assistant.reading.nearness import find_nearest_clause
from assistant.reading.owners import About, ask_about
from assistant.reading.pairs import is_of_others, keep_spoken, read_figures, said_of
from assistant.types import Asks, Question, ReaderScores
from vectorstore.normalize import normalize
from vectorstore.types import Hit, Sentence

_BY_NAME = 0.85  # of a match: less, and only a piece of the word stands there
_SHARED_VERB, _BEFORE, _AFTER = 0.85, 0.6, 0.3  # what a word counts that stands beside the clause of the answer


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one sentence; shares are of the weight of the question's telling words."""

    coverage: float  # share that the sentence holds
    local: float  # the same at the clause that may hold the answer
    context: float  # what the heading and the sentence before add
    counted: float  # share of what is counted (多少个…) that stands at the figure's own clause
    unit: float  # 1 where the figure is of the measure that is asked for
    elsewhere: float  # share that it lacks though the documents have it in other places
    unknown: float  # share that it lacks and no document has
    foreign: float  # share of such words that documents of this kind use: what is asked for is not spoken of here
    names: float  # share of what is counted (多少个…) that stands anywhere in the sentence
    dense: float  # cosine of the vectors
    ahead: float  # the same less that of the best other sentence
    clause_ahead: (
        float  # cosine of the question and the sentence's nearest clause, less that of the best other sentence
    )
    meant: float  # share that the sentence lacks by name, as far as it has words of near meaning
    lexical: float  # BM25, in twentieths
    best_lexical: float  # BM25 in proportion to the best sentence's
    fits: float  # 1 where it holds the kind of thing that is asked for
    quantity: float  # 1 where a figure is asked for
    named: float  # 1 where a name is
    place: float  # 1 where a place is
    dated: float  # 1 where a year is
    length: float  # of the sentence, as logarithm
    words: float  # telling words of the question, in fifths
    reads: float  # 1 where a reader has scored the sentences, else it and the next two are 0
    reader: float  # P(it answers)
    nothing: float  # P(no sentence answers)

    def values(self) -> tuple[float, ...]:
        """All figures in their order."""
        return astuple(self)


NAMES = tuple(field.name for field in fields(Evidence))


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found for a question, which a sentence is judged beside."""

    hits: Sequence[Hit]
    contexts: Mapping[str, str]  # id of a sentence -> its heading and the sentence before it
    scores: ReaderScores | None = None  # of the hits, in their order


def judge(question: Question, weighing: Weighing, found: Found) -> dict[str, Evidence]:
    """Give the evidence of each hit by the sentence's id."""
    most = max((hit.lexical for hit in found.hits), default=0.0) or 1.0
    out: dict[str, Evidence] = {}
    about = ask_about(question)
    asked = question.focus or question.standalone
    clauses = [find_nearest_clause(asked, hit.sentence.plain) for hit in found.hits]
    for position, hit in enumerate(found.hits):
        sentence, own = hit.sentence, _drop_question(hit.sentence)
        coverage = weighing.coverage(sentence.plain)
        context = found.contexts.get(sentence.id, "")
        rival = max((other.dense for other in found.hits if not _tell_one(sentence, other.sentence)), default=0.0)
        clause_rival = max(
            (c for c, other in zip(clauses, found.hits, strict=True) if not _tell_one(sentence, other.sentence)),
            default=0.0,
        )
        local, counted = cover_locally(question, weighing, sentence)
        # The section says the year, but no day and no month.
        labelled = sentence.labels.part is not None or (
            wants_label(question.focus) and sentence.labels.year is not None
        )
        dated = question.asks is Asks.YEAR and labelled and not wants_date(question.focus)
        spoken = keep_spoken(own, about)
        fits = dated or holds_answer(question.asks, spoken, question.focus)
        fits = fits and (not asks_permission(question.focus) or rules_on(spoken))
        out[sentence.id] = Evidence(
            coverage=coverage,
            local=local,
            context=weighing.coverage(f"{sentence.plain}\n{context}") - coverage if context else 0.0,
            counted=counted,
            unit=float(question.asks is not Asks.QUANTITY or unit_fits(spoken, question.focus)),
            elsewhere=weighing.lacking(sentence.plain, known=True),
            unknown=weighing.lacking(sentence.plain, known=False),
            foreign=weighing.foreign(sentence.plain),
            names=cover_counted(
                weighing.only(question.counted) if question.counted else weighing,
                own if question.counted else sentence.plain,
                question,
            ),
            dense=hit.dense,
            ahead=hit.dense - rival,
            clause_ahead=clauses[position] - clause_rival,
            meant=weighing.meant(sentence.plain),
            lexical=min(hit.lexical / 20, 2.0),
            best_lexical=hit.lexical / most,
            fits=float(fits),
            quantity=float(question.asks is Asks.QUANTITY),
            named=float(question.asks is Asks.NAME),
            place=float(question.asks is Asks.REGION),
            dated=float(question.asks is Asks.YEAR),
            length=math.log1p(len(sentence.plain)) / 5,
            words=len(weighing.terms) / 5,
            reads=float(found.scores is not None),
            reader=found.scores.answers[position] if found.scores else 0.0,
            nothing=found.scores.none if found.scores else 0.0,
        )
    return out


def _drop_question(sentence: Sentence) -> str:
    """What a sentence says itself, where it is read behind the question that it answers."""
    return sentence.plain.removeprefix(sentence.asked.plain) if sentence.asked else sentence.plain


def _tell_one(one: Sentence, other: Sentence) -> bool:
    """Whether two sentences are one, or of one answer: these are found together and are no rivals."""
    return one.id == other.id or (one.asked is not None and (one.source, one.asked) == (other.source, other.asked))


def cover_locally(question: Question, weighing: Weighing, sentence: Sentence) -> tuple[float, float]:
    """Shares at the clause that may hold the answer: of the whole question, and of what is counted.

    Words before the clause count less, those behind it least; what is counted has to stand in it, or with the verb that it shares.
    A figure of another place or year than the one that was asked for is no answer.
    """
    text, about = sentence.plain, ask_about(question)
    clauses, begin = split_clauses(text), len(text) - len(_drop_question(sentence))
    asked = normalize(text[:begin])
    fitting = [n for n, one in enumerate(clauses) if one.start >= begin and _may_answer(question, one.text)]
    if (
        not fitting and question.asks is not Asks.QUANTITY
    ):  # a year may be read off a label, a name may stand without quotes
        fitting = [n for n, one in enumerate(clauses) if one.start >= begin]
    counted = weighing.only(question.counted)
    best = (0.0, 0.0)
    for position in fitting:
        clause = clauses[position]
        head = clauses[_opening(clauses, position)].text
        before, after = normalize(text[: clause.start]), normalize(text[clause.end :])
        normal_head = normalize(head)
        for words in _said_here(question, text, clause, about):
            here = normalize(words)
            held = 0.0
            for term in weighing.terms:
                beside = (
                    _SHARED_VERB * max(term.match(normal_head), term.match(asked)),
                    _BEFORE * term.match(before),
                    _AFTER * term.match(after),
                )
                held += term.weight * max(term.match(here), *beside)
            local = held / (weighing.total or 1.0)
            best = max(best, (local, cover_counted(counted if counted.terms else weighing, words, question)))
    return best if weighing.terms else (1.0, 1.0)


def cover_counted(counted: Weighing, text: str, question: Question) -> float:
    """Share of what is counted that a text holds; by its generic end alone (教师 of 乡村教师) it is another thing."""
    if not counted.terms:
        return 1.0
    normal = normalize(text)
    asked = counted.terms if question.asks is Asks.QUANTITY else ()
    strange = [term.text for term in asked if not term.known and not term.match(normal)]
    held = 0.0
    for term in counted.terms:
        # 补贴 of 养蜂补贴, where no document has 养蜂, is the end of a longer name in the same way.
        ends = any(f"{other}{term.text}" in question.focus for other in strange)
        if not ends and (term.match(normal) >= _BY_NAME or term.text[:2] in normal):
            held += term.weight * term.match(normal)
    return held / counted.total


def _said_here(question: Question, text: str, clause: Clause, about: About) -> tuple[str, ...]:
    """What a clause says of what was asked for: of a row of figures (分别为8、6、7) the item that each belongs to."""
    if question.asks is not Asks.QUANTITY:
        return () if is_of_others(text, clause, about) else (clause.text,)
    figures = [f for f in read_figures(text) if clause.start <= f.quantity.start < clause.end]
    if not figures:  # 过半 is no figure that one could pair
        return () if is_of_others(text, clause, about) else (clause.text,)
    return tuple(f.words if f.item else clause.text for f in figures if said_of(text, f, about))


def _may_answer(question: Question, clause: str) -> bool:
    if not holds_answer(question.asks, clause, question.focus):
        return False
    return question.asks is not Asks.QUANTITY or unit_fits(clause, question.focus)


def _opening(clauses: Sequence[Clause], position: int) -> int:
    """The clause that an item of an enumeration shares its verb with."""
    while position > 0 and not clauses[position].opens:
        position -= 1
    return position
