"""A question in, the numbered sentences that may answer it out, best first.

Both legs of the index find candidates inside the question's scope; they are ordered by how much of the question's telling words each
sentence holds (rare words weigh more) and by the index's fused score. Where one sentence has to answer, the first of them are
weighed by all the evidence there is, also what a reader model says, and ordered by the probability that they answer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.finding.allowed import asks_forbidden, find_forbidden
from assistant.finding.asked import give_answers, head, is_of_another_question, settle
from assistant.finding.bound import add_bound, widen
from assistant.finding.entitled import asks_funds, find_entitled, find_funds
from assistant.finding.evidence import Found, judge
from assistant.finding.latest import keep_latest
from assistant.finding.likely import find_probability
from assistant.finding.marked import asks_trouble, find_admitted, find_enumerated, find_part
from assistant.finding.mismatch import is_of_another_thing
from assistant.finding.owned import asks_owned, find_owned
from assistant.finding.person import names_nobody
from assistant.finding.stretches import Stretch, list_stretches
from assistant.finding.topics import find_counted, find_headed, find_listed, find_places, find_topic
from assistant.question.frames import PART
from assistant.question.weigh import Searchable, Weighing, stands_in, weigh
from assistant.reading.expect import holds_answer, wants_label
from assistant.reading.formal import states_figure
from assistant.reading.orders import gives_orders
from assistant.types import Asks, Kind, Passage, Question, ReaderScores
from vectorstore.issuer import is_own_name
from vectorstore.normalize import normalize
from vectorstore.types import Hit, ParsedDocument, Part, Scope, Sentence
from vectorstore.years import is_planned

CANDIDATES = 40  # beyond this hardly any answering sentence is found, and rating them takes longer
PASSAGES = 12  # as many as the reader scores in one pass
WHOLE = 400  # sentences of a document that is summarised as a whole
OVERVIEW = 40  # sentences that a summary chooses from: a section of a report, or two

# How sentences are ordered before anything else is known of them. Coverage leads: it can be explained to a person.
_COVERAGE, _FUSED = 1.0, 0.25
_MEANT, _DENSE = 0.5, 0.3  # nearness in meaning, of words and of the whole, where one sentence has to answer

_BY_NAME, _WHOLLY = 3, 0.9  # sentences of a list found by its own words alone, and what they have to hold of them
_NAMED = 0.15  # a sentence that names the place of its row
_FIGURE = 0.1  # one that states a figure, where no theme is compared
_THEME, _THINGS = 0.3, 3  # what the things of a theme count that a sentence speaks of, and how many of them
_FITS = 0.2  # a sentence with a name in quotation marks, where a name is asked for

# These are answered by one sentence, and the sentences that were found are weighed as answers.
WEIGHED = (Kind.FACT, Kind.YES_NO)

Scorer = Callable[[str, Sequence[str]], ReaderScores]


def _is_of_part(question: Question, sentence: Sentence, whole: frozenset[tuple[str, int]] = frozenset()) -> bool:
    """The tasks or the review of a place want its report's own section, not news that name the place.

    Where nothing of the place is cut into such parts, what its ``whole`` sections say was done, or is planned, is that.
    """
    if question.kind not in (Kind.SUMMARY, Kind.LIST) or (question.terms and not question.scope.regions):
        return True
    if (sentence.source, sentence.section) in whole:
        return is_planned(sentence.plain) == (question.scope.part is Part.TASKS)
    return sentence.labels.part is question.scope.part


def _find_whole(scope: Scope, index: Searchable) -> frozenset[tuple[str, int]]:
    """The sections of a place of which no text says of itself that it is a review or a plan."""
    of_place = Scope(regions=scope.regions, places=scope.places)
    if any(sentence.labels.part for sentence in index.sentences if of_place.allows(sentence)):
        return frozenset()
    return frozenset(
        (parsed.document.source, number)
        for parsed in index.documents
        for number, section in enumerate(parsed.sections)
        if section.labels.region in scope.regions
    )


def retrieve(
    question: Question, index: Searchable, scorer: Scorer | None = None, *, scope: Scope | None = None
) -> tuple[Passage, ...]:
    """Find at most ``PASSAGES`` sentences, numbered from 1 in the order of their worth."""
    weighing = weigh(question, index)
    if question.kind in (Kind.SUMMARY, Kind.LIST) and (
        topic := _find_topic(question, index, weighing, scope or question.scope)
    ):
        return topic
    if question.kind is Kind.SUMMARY and PART.search(question.focus):
        return ()  # a part that no document has
    rated = rate(question, index, weighing, scope)
    del rated[WHOLE if question.kind is Kind.SUMMARY else PASSAGES :]
    if not rated:
        return ()
    scores = read(question, rated, scorer)
    titles = {p.document.source: p.document.title for p in index.documents if len(question.scope.sources) > 1}
    likely: dict[str, float] = {}
    if question.kind in WEIGHED:
        hits = [one.whole for one in rated]
        found = Found(hits, find_contexts(index.documents, [hit.sentence for hit in hits]), scores)
        likely = {name: find_probability(evidence) for name, evidence in judge(question, weighing, found).items()}
        likely = settle(likely, [one.hit.sentence for one in rated], question, weighing)
    passages = []
    for position, one in enumerate(rated):
        name = one.hit.sentence.id
        reader = scores.answers[position] if scores else None
        score = likely.get(name, one.worth)
        headings = (titles[one.hit.sentence.source],) if titles and question.kind is Kind.COMPARE else ()
        passages.append(Passage(0, one.hit.sentence, score, one.coverage, reader, likely.get(name), headings))
    return number(passages)


@dataclass(frozen=True, slots=True)
class Rated:
    """A sentence with what it is worth before a reader has seen it."""

    hit: Hit
    worth: float
    coverage: float
    whole: Hit  # with the text that it is read with


def rate(question: Question, index: Searchable, weighing: Weighing, scope: Scope | None = None) -> list[Rated]:
    """Search, leave out what cannot be the answer, and order the rest."""
    hits = _search(question, index, question.scope if scope is None else scope, weighing)
    hits = give_answers(hits, index.documents, question.scope if scope is None else scope)
    hits = [hit for hit in hits if not gives_orders(hit.sentence.plain)]
    if question.scope.part:
        whole = _find_whole(question.scope, index)
        hits = [hit for hit in hits if _is_of_part(question, hit.sentence, whole)]
    if question.kind in WEIGHED:
        hits = add_bound(hits, index.documents, question.scope if scope is None else scope)
        hits = [hit for hit in hits if _can_answer(question, hit.sentence)]
        hits = [hit for hit in hits if not is_of_another_question(hit.sentence, weighing)]
    hits = keep_latest(question.focus, hits, index.documents)
    wholes = widen(hits, index.documents, weighing) if question.kind in WEIGHED else hits
    contexts = find_contexts(index.documents, [hit.sentence for hit in hits])
    best = max((hit.score for hit in hits), default=0.0) or 1.0
    rated = [_rate(hit, whole, weighing, contexts, best, question) for hit, whole in zip(hits, wholes, strict=True)]
    if question.kind is Kind.COMPARE:
        rated = [_rate_for_row(one, weighing, question.scope if scope is None else scope) for one in rated]
    return sorted(rated, key=lambda one: (-one.worth, one.hit.sentence.source, one.hit.sentence.start))


def read(question: Question, rated: Sequence[Rated], scorer: Scorer | None) -> ReaderScores | None:
    """Let a reader score the sentences, where there is one."""
    text = question.focus or question.standalone
    return scorer(text, [one.whole.sentence.plain for one in rated]) if scorer else None


def _can_answer(question: Question, sentence: Sentence) -> bool:
    """多少 is answered by a figure or not at all; a year may also come from a label, a name may stand without quotes."""
    if names_nobody(question.focus, sentence.plain):
        return False
    if question.asks is Asks.NAME or (question.asks is Asks.YEAR and sentence.labels.part):
        return True
    if question.asks is Asks.YEAR and sentence.labels.year and wants_label(question.focus):
        return True
    if question.asks is Asks.QUANTITY and is_of_another_thing(question, sentence.plain):
        return False
    return holds_answer(question.asks, sentence.plain, question.focus)


def number(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Order passages by their worth and number them from 1."""
    ranked = sorted(passages, key=lambda p: (-p.score, p.sentence.source, p.sentence.start))
    return tuple(replace(passage, number=n) for n, passage in enumerate(ranked, 1))


def _search(question: Question, index: Searchable, scope: Scope, weighing: Weighing) -> Sequence[Hit]:
    """Search inside the scope. Sentences that are about a place come with those of its province that name it."""
    text = question.focus or question.standalone
    if question.asks is Asks.YEAR and wants_label(text):  # 哪一年的报告: every sentence is of a report
        text = " ".join(question.terms) or text
    unknown = [term for term in weighing.terms if not index.holds(term.text)]
    others = {word for term in unknown for word in term.means} | {word for t in weighing.terms for word in t.members}
    asked, text = text, " ".join([text, *sorted(others)])
    if question.kind is Kind.SUMMARY and not question.terms:  # all that there is of a place, a year or a document
        return [Hit(sentence, 1.0) for sentence in index.sentences if scope.allows(sentence)][:WHOLE]
    hits: Sequence[Hit] = index.search(text, OVERVIEW if question.kind is Kind.SUMMARY else CANDIDATES, scope)
    if question.kind is Kind.LIST and asked != text:  # the things of a theme must not crowd out its own name
        known = {hit.sentence.id for hit in hits}
        named = [hit for hit in index.search(asked, _BY_NAME, scope) if hit.sentence.id not in known]
        hits = [*hits, *(hit for hit in named if weighing.coverage(hit.sentence.plain) >= _WHOLLY)]
    if not scope.places:
        return hits
    found = {hit.sentence.id for hit in hits}
    wider = index.search(text, CANDIDATES, replace(scope, places=frozenset()))
    named = [hit for hit in wider if any(place in hit.sentence.plain for place in scope.places)]
    return [*hits, *(hit for hit in named if hit.sentence.id not in found)]


def _find_topic(question: Question, index: Searchable, weighing: Weighing, scope: Scope) -> tuple[Passage, ...]:
    """What there is of a document, of a place in several, or of a subject, as it stands under its headings.

    Nothing of a place in a year that has sections of its own for that.
    """
    documents, stretches = index.documents, _find_marked(question, index, weighing, scope)
    if not stretches and not PART.search(question.focus):
        stretches = _find_about(question, index, weighing, scope)
    passages = []
    for stretch in _drop_other_years(stretches, documents, scope):
        heading = "\n".join((*stretch.headings, stretch.announced))
        for sentence in stretch.sentences:
            coverage = weighing.coverage(f"{heading}\n{sentence.plain}")
            passages.append(Passage(0, sentence, coverage, coverage, headings=stretch.headings))
    return number(passages[:WHOLE])


def _drop_other_years(
    stretches: Sequence[Stretch], documents: Sequence[ParsedDocument], scope: Scope
) -> Iterator[Stretch]:
    """Leave out what a text that tells of several years says of one that was not asked for."""
    sections = {parsed.document.source: parsed.sections for parsed in documents}

    def is_other(sentence: Sentence) -> bool:
        mixed = sections[sentence.source][sentence.section].labels.year is None
        return mixed and sentence.labels.year is not None and sentence.labels.year not in scope.years

    for stretch in stretches:
        told = tuple(s for s in stretch.sentences if not is_other(s)) if scope.years else stretch.sentences
        if told:
            yield stretch if len(told) == len(stretch.sentences) else replace(stretch, sentences=told)


def _find_marked(question: Question, index: Searchable, weighing: Weighing, scope: Scope) -> Sequence[Stretch]:
    """What a text itself marks as that which is asked for: a part of it, what it counts, what it admits."""
    documents, focus = index.documents, question.focus
    if found := find_part(documents, focus, weighing, scope):
        return find_enumerated(documents, focus, weighing, scope) or found
    if found := find_enumerated(documents, focus, weighing, scope):
        return found
    if asks_forbidden(focus) and (found := find_forbidden(documents, weighing, scope)):
        return found
    if asks_trouble(focus) and not (scope.regions and scope.years):
        return find_admitted(documents, weighing, scope)
    return ()


def _find_about(question: Question, index: Searchable, weighing: Weighing, scope: Scope) -> Sequence[Stretch]:
    """What stands under the headings, or in the paragraphs, of what is asked for."""
    documents = index.documents
    if question.asks is Asks.OTHER and (counted := find_counted(documents, question.focus, weighing, scope)):
        return counted
    several = bool(scope.regions and scope.years)
    if asks_owned(question.focus) and not several and (owned := find_owned(documents, weighing, scope)):
        return owned
    if question.kind is Kind.SUMMARY:
        if asks_funds(question.focus) and not several and (funds := find_funds(documents, weighing, scope)):
            return funds
        if entitled := find_entitled(documents, question.focus, weighing, scope):
            return entitled
    if question.kind is Kind.LIST and (question.terms or (scope.regions and not scope.places)):
        named = all(map(is_own_name, scope.regions))  # of a province there are reports, whose parts are chosen from
        listed = question.terms and question.asks is Asks.OTHER and named
        return find_listed(documents, weighing, scope) if listed else ()
    if not question.terms:
        if scope.places or scope.regions:
            return find_places(documents, replace(question.scope, years=scope.years))
        if not (scope.sources or scope.years):
            return ()
        found = tuple(list_stretches(documents, scope))
        # Reports of several places have sections of their own, of which each has its share.
        told = [sentence for stretch in found for sentence in stretch.sentences]
        of_places = 2 * sum(sentence.labels.region is not None for sentence in told) > len(told)
        return found if scope.sources or not of_places else ()
    if scope.regions and scope.years:
        return ()
    if scope.regions or scope.places:
        return find_headed(documents, weighing, scope)
    return find_topic(documents, weighing, scope)


def _rate(
    hit: Hit, whole: Hit, weighing: Weighing, contexts: Mapping[str, str], best: float, question: Question
) -> Rated:
    """Rate a sentence, read with its heading and the sentence before it: half of what they add counts, all of it in a summary."""
    asks, share = question.asks, (1.0 if question.kind is Kind.SUMMARY else 0.5)
    plain = whole.sentence.plain
    coverage = weighing.coverage(plain)
    context = contexts.get(hit.sentence.id, "")
    if context and coverage < 1.0:
        coverage += share * (weighing.coverage(f"{plain}\n{context}") - coverage)
    fits = _FITS if asks is Asks.NAME and holds_answer(asks, hit.sentence.plain, "") else 0.0
    meant = _MEANT * weighing.meant(plain) + _DENSE * hit.dense if question.kind in WEIGHED else 0.0
    return Rated(hit, _COVERAGE * coverage + _FUSED * hit.score / best + fits + meant, coverage, whole)


def _rate_for_row(rated: Rated, weighing: Weighing, scope: Scope) -> Rated:
    """In the row of a table comes first what names the place of the row, and of a theme what speaks of its own things."""
    plain = rated.hit.sentence.plain
    worth = rated.worth + _NAMED * any(place in plain for place in scope.places)
    normal, themes = normalize(plain), [term for term in weighing.terms if term.members]
    if not themes:
        return replace(rated, worth=worth + _FIGURE * states_figure(plain))
    spoken = max(sum(stands_in(member, normal) for member in term.members) for term in themes)
    worth += _THEME * min(_THINGS, spoken) / _THINGS
    return replace(rated, worth=worth)


def find_contexts(documents: Sequence[ParsedDocument], sentences: Iterable[Sentence]) -> dict[str, str]:
    """What each of these sentences is read with: its headings, the question that it answers, the sentence before it."""
    by_source = {parsed.document.source: parsed for parsed in documents}
    contexts: dict[str, str] = {}
    for sentence in sentences:
        parsed = by_source[sentence.source]
        at = bisect_left(parsed.sentences, sentence.start, key=lambda other: other.start)
        before = parsed.sentences[at - 1] if at else None
        heading = " ".join(head(parsed, sentence))
        same = before is not None and (before.section, before.paragraph) == (sentence.section, sentence.paragraph)
        contexts[sentence.id] = f"{heading}\n{before.plain}" if before and same else heading
    return contexts
