"""A question and its conversation in, a cited and checked answer out: understand, retrieve, gate, generate, cite, check.

Nothing reaches the user as checked that was not checked here; what a model wrote and the check refused is replaced by the exact quote,
or shown as what it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from assistant.answering.compose import Layout, is_hedged
from assistant.answering.contents import say_contents
from assistant.answering.refuse import write_refusal
from assistant.answering.rivals import find_rivals
from assistant.answering.say import Line, holds_anything, say_drafts, say_statements, write
from assistant.answering.ways import Way, choose_way, compose_way
from assistant.finding.gate import SLOT, Decision, decide, is_certain
from assistant.finding.likely import keep_unsure
from assistant.finding.retrieve import WEIGHED, Scorer, number, retrieve
from assistant.llm.catalog import Form, ModelSpec
from assistant.llm.engine import LanguageModel
from assistant.llm.held import Held, Model
from assistant.question.anchor import anchor, holds_name, note_other_figure
from assistant.question.english import is_english
from assistant.question.follow import understand, understand_as_follow_up
from assistant.question.slots import Slot, name_counted, plan_slots, rank_places
from assistant.question.understand import describe_corpus, read_narrowly
from assistant.question.weigh import Searchable, Weighing, weigh
from assistant.reading.quantities import Measure, find_quantities
from assistant.reading.stated import inherits_year, is_undated, may_be_of, states_year, tells_year_before
from assistant.types import (
    Answer,
    Citation,
    Event,
    Finished,
    Found,
    IndexFacts,
    Kind,
    Passage,
    Question,
    Refusal,
    Seconds,
    Turn,
    Understood,
)
from assistant.writing.writer import Task, keep_related, write_drafts
from vectorstore.errors import IndexDamaged, IndexStale
from vectorstore.types import Manifest, ParsedDocument, Scope

_UNDATED = (
    "资料没有写明这句话说的是哪一年，是不是{years}的，请对照原文判断。 "
    "The document does not say of which year this is: please judge from the source."
)
_LEFT_OUT = (
    "模型写的句子里有{0}句与所引的原文不符或重复，已略去。 "
    "{0} sentence(s) of the model did not stand in what they cite, or said the same again, and were left out."
)
_LOG = logging.getLogger(__name__)
_OF_A_SLOT = 3  # passages of each thing that is compared


class Evidence(Searchable, Protocol):
    """An index that answers may come from: ``vectorstore.index.Index``, or one in memory."""

    @property
    def manifest(self) -> Manifest:
        """What it was made from."""
        ...

    def current(self) -> Evidence:
        """Give the index in use: itself, or a newer one that has taken its place."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the stages behind the gate need of one question."""

    way: Way
    model: Model
    passages: tuple[Passage, ...]
    weighing: Weighing
    titles: dict[str, str]
    index: IndexFacts
    stop: threading.Event
    turns: tuple[Turn, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def question(self) -> Question:
        """The question as it is answered."""
        return self.way.question


@dataclass(slots=True)
class _Clock:
    """Seconds per stage; the only thing here that changes."""

    started: float = field(default_factory=time.perf_counter)
    laps: dict[str, float] = field(default_factory=dict)

    def lap(self, stage: str) -> None:
        """End a stage; it began where the one before it ended."""
        self.laps[stage] = (
            time.perf_counter() - self.started - sum(v for k, v in self.laps.items() if k != "first_token")
        )

    def first_token(self) -> None:
        """The model has said its first word."""
        self.laps.setdefault("first_token", time.perf_counter() - self.started)

    def read(self) -> Seconds:
        """All stages and the whole."""
        return Seconds(**self.laps, total=time.perf_counter() - self.started)


class Assistant:
    """Answers questions over one index with one model. Safe for several threads: the engine queues them."""

    def __init__(self, index: Evidence, spec: ModelSpec, engine: LanguageModel) -> None:
        self._index = index
        self.held = Held(spec, engine)  # may be exchanged while questions are under way
        self._lock = threading.Lock()

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        """The documents of the index in use."""
        return self._index.documents

    @property
    def index(self) -> Evidence:
        """The index in use."""
        return self._current()

    @property
    def model(self) -> ModelSpec:
        """The model that answers."""
        return self.held.current.spec

    def waiting(self) -> int:
        """How many questions are ahead in the model's queue."""
        return self.held.current.engine.waiting()

    def close(self) -> None:
        """Stop the model and release the index."""
        self.held.close()
        self._index.close()

    def ask(self, question: str, history: Sequence[Turn] = (), *, scope: Scope | None = None) -> Answer:
        """Answer a question; the errors are those of ``assistant.errors`` and ``vectorstore.errors``."""
        *_, last = self.stream(question, history, scope=scope)
        if not isinstance(last, Finished):
            raise TypeError(f"a stream ends with Finished, not {type(last).__name__}")
        return last.answer

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        scope: Scope | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Answer step by step: Understood, Found, Piece…, Finished. A given ``scope`` replaces the one that was understood."""
        with self.held.hold() as model:
            yield from self._stream(question, history, scope, stop or threading.Event(), model)

    def _stream(
        self, question: str, history: Sequence[Turn], scope: Scope | None, stop: threading.Event, model: Model
    ) -> Iterator[Event]:
        index, clock = self._current(), _Clock()
        corpus = describe_corpus(index.documents)
        understood = rank_places(understand(question, history, corpus), _list_named(index))
        understood = name_counted(understood, index.documents)
        if scope is not None:
            understood = replace(understood, scope=scope)
        clock.lap("understand")
        if not history:
            yield Understood(understood)
        passages, decision = self._decide(understood, index, model)
        if decision.refusal and (narrow := read_narrowly(understood)):
            found = self._decide(narrow, index, model)
            if found[1].refusal is None:
                understood, (passages, decision) = narrow, found
        if history:
            own = understand(question, (), corpus).terms
            for subject in (False, True):
                if decision.refusal is None or scope is not None:
                    break
                again = understand_as_follow_up(question, history, corpus, subject=subject)
                if again is None or again.standalone == understood.standalone:
                    continue
                if again.kind is Kind.SUMMARY and understood.kind is not Kind.SUMMARY:
                    continue  # 2026年呢 after a figure asks for that figure, and not for all there is of the year
                found = self._decide(again, index, model)
                if found[1].refusal is None and is_certain(again, found[0]) and _is_of(own, again, found[0], index):
                    understood, (passages, decision) = again, found
            yield Understood(understood)
        notes: tuple[str, ...] = ()
        if decision.refusal in (Refusal.OTHER_YEAR, Refusal.OTHER_REGION) and (named := anchor(understood, index)):
            found = self._decide(named.question, index, model)
            if found[1].refusal is None and holds_name(found[0][0].sentence.plain, named.name):
                understood, (passages, decision), notes = named.question, found, (named.note,)
        if decision.refusal is None and understood.kind in WEIGHED and not notes:
            other = note_other_figure(understood, passages[0].sentence, index) if passages else None
            notes = (other,) if other else ()
        if decision.refusal is None and understood.kind in WEIGHED and passages:
            notes = (*notes, *_note_undated(understood, passages[0], index))
        way = choose_way(Way(understood, passages, decision, notes), index)
        yield Found(way.passages if way.decision.refusal is None else ())
        clock.lap("retrieve")
        facts = IndexFacts(index.manifest.generation, index.manifest.corpus_sha256)
        titles = {parsed.document.source: parsed.document.title for parsed in index.documents}
        weighing = weigh(way.question, index)
        case = _Case(way, model, way.passages, weighing, titles, facts, stop, tuple(history), way.notes)
        yield Finished((yield from self._answer(case, index, clock)))

    def _decide(self, question: Question, index: Evidence, model: Model) -> tuple[tuple[Passage, ...], Decision]:
        """What was found for a question, and whether it is enough to answer."""
        found = () if question.kind in (Kind.NONE, Kind.CORPUS) else self._retrieve(question, index, model)
        decision = decide(question, found, index)
        if decision.refusal and question.scope.years and question.kind in (*WEIGHED, Kind.LIST):
            dated = self._retrieve_stated(question, index, model)
            again = decide(question, dated, index) if dated else decision
            if again.refusal is None:
                return dated, again
        if decision.refusal and question.scope.years and question.kind in WEIGHED:
            undated = self._retrieve_undated(question, index, model)
            if undated and is_certain(question, undated) and decide(question, undated, index).refusal is None:
                asks = question.asks
                return tuple(replace(p, likely=keep_unsure(p.likely or 0.0, asks)) for p in undated), Decision(None)
        return found, decision

    def _retrieve_stated(self, question: Question, index: Evidence, model: Model) -> tuple[Passage, ...]:
        """What sentences of other years' sections say of the year that was asked for: 2025年底为485万千瓦 in a plan of 2026."""
        years, wider = question.scope.years, replace(question.scope, years=frozenset())
        found = retrieve(question, index, self._scorer(question, model), scope=wider)
        documents = index.documents
        kept = [p for p in found if states_year(p.sentence, years) or inherits_year(p.sentence, years, documents)]
        return number(kept)

    def _retrieve_undated(self, question: Question, index: Evidence, model: Model) -> tuple[Passage, ...]:
        """What sentences say that have no year, where the year that was asked for may be theirs; a person has to judge that."""
        wider = replace(question.scope, years=frozenset())
        found = retrieve(question, index, self._scorer(question, model), scope=wider)
        years, documents = question.scope.years, index.documents
        return number(
            p for p in found if may_be_of(p.sentence, years, documents) or tells_year_before(p.sentence, years)
        )

    def _scorer(self, question: Question, model: Model) -> Scorer | None:
        """The reader that scores sentences, where the model is one and the question wants a single answer."""
        reads = model.spec.form is Form.READER and question.kind is not Kind.SUMMARY
        return model.engine.score if reads else None

    def _retrieve(self, question: Question, index: Evidence, model: Model) -> tuple[Passage, ...]:
        """Find passages; where several places or years are asked for those of each, so that none crowds out another."""
        scorer = self._scorer(question, model)
        slots: tuple[Slot, ...] = ()
        if question.kind is Kind.COMPARE:
            slots = plan_slots(question, _list_regions(index))
        elif question.kind is Kind.SUMMARY:
            slots = plan_slots(question, ())
        if len(slots) < 2:
            return retrieve(question, index, scorer)
        found: dict[str, Passage] = {}
        for slot in slots:
            of_slot = retrieve(question, index, scorer, scope=slot.scope)
            share = len(of_slot) if question.kind is Kind.SUMMARY else _OF_A_SLOT
            if (
                slot.scope.years
                and question.kind is Kind.COMPARE
                and max((p.coverage for p in of_slot), default=0) < SLOT
            ):
                of_slot = self._retrieve_stated(replace(question, scope=slot.scope), index, model)
            found |= {p.sentence.id: p for p in of_slot[:share]}
        return number(found.values())

    def _current(self) -> Evidence:
        """The index, opened anew where another process has built a newer one."""
        with self._lock:
            try:
                self._index = self._index.current()
            except (IndexStale, IndexDamaged) as error:
                _LOG.warning("%s", error)  # the generation that is open still answers
            return self._index

    def _answer(self, case: _Case, index: Evidence, clock: _Clock) -> Generator[Event, None, Answer]:
        if case.way.decision.refusal is not None:
            return self._refuse(case, case.way.decision, index, clock)
        if case.question.kind is Kind.CORPUS:
            return self._finish(case, say_contents(index.documents), Layout.BULLETS, (), clock)
        layout = Layout.PROSE
        empty: tuple[str, ...] = ()
        lines: tuple[Line, ...] = ()
        found = case.passages
        # Of two figures for one thing no model is asked to choose.
        quotes = (
            case.model.spec.form is Form.READER
            or case.way.only_quotes
            or bool(find_rivals(case.question, found, case.weighing))
        )
        if not quotes:
            task = Task(case.question, keep_related(found), case.turns, case.titles, case.stop)
            drafted = yield from write_drafts(case.model.engine, case.model.spec, task, clock.first_token)
            clock.lap("generate")
            case = replace(case, passages=drafted.passages, notes=(*case.notes, *drafted.notes))
            lines = say_drafts(drafted.drafts, case.passages, case.weighing, case.titles, case.question.counted)
            if left_out := len(drafted.drafts) - len(lines):
                case = replace(case, notes=(*case.notes, _LEFT_OUT.format(left_out)))
            # A text that cites nothing and states no figure may say, in the model's own words, that there is no answer.
            claims = any(draft.passages or _states_figure(draft.text) for draft in drafted.drafts)
            quotes = claims and not holds_anything(lines) and not case.stop.is_set()
            layout = Layout.NEAREST if is_hedged(case.question, found[0], case.weighing) else layout
        if quotes:  # also where nothing of what a model wrote stands: the documents' own words do
            composition = compose_way(case.way, case.weighing)
            layout, empty = composition.layout, composition.empty_rows
            clock.first_token()
            clock.lap("generate")
            lines = say_statements(composition, case.titles, english=is_english(case.question.text))
        if not holds_anything(lines) and not case.stop.is_set():
            return self._refuse(case, Decision(Refusal.NOT_IN_CORPUS, case.passages[:3]), index, clock)
        return self._finish(case, lines, layout, empty, clock)

    def _refuse(self, case: _Case, decision: Decision, index: Evidence, clock: _Clock) -> Answer:
        refusal = decision.refusal or Refusal.NOT_IN_CORPUS
        nearest = tuple(
            Citation(n, p.sentence, case.titles.get(p.sentence.source, p.sentence.source))
            for n, p in enumerate(decision.nearest, 1)
        )
        return Answer(
            question=case.question,
            text=write_refusal(case.question, refusal, decision.nearest, index.sentences),
            claims=(),
            citations=(),
            model=case.model.spec.facts(),
            index=case.index,
            refusal=refusal,
            nearest=nearest,
            seconds=clock.read(),
        )

    def _finish(
        self, case: _Case, lines: Sequence[Line], layout: Layout, empty_rows: Sequence[str], clock: _Clock
    ) -> Answer:
        written = write(lines, case.titles, layout, empty_rows, english=is_english(case.question.text))
        clock.lap("check")
        return Answer(
            question=case.question,
            text=written.text,
            claims=written.claims,
            citations=written.citations,
            model=case.model.spec.facts(),
            index=case.index,
            stopped=case.stop.is_set(),
            notes=case.notes,
            seconds=clock.read(),
        )


def _is_of(own: Sequence[str], question: Question, passages: Sequence[Passage], index: Evidence) -> bool:
    """Whether what was found for a question with a carried subject has a word of its own: 小麦呢 no sentence of 水稻 answers."""
    telling = weigh(question, index).only([term for term in own if len(term) > 1])
    return question.kind not in WEIGHED or not telling.terms or telling.coverage(passages[0].sentence.plain) > 0


def _states_figure(text: str) -> bool:
    return any(quantity.measure is Measure.QUANTITY for quantity in find_quantities(text))


def _list_regions(index: Evidence) -> list[str]:
    """The regions that sections of the documents are of."""
    return sorted({s.labels.region for parsed in index.documents for s in parsed.sections if s.labels.region})


def _list_named(index: Evidence) -> list[str]:
    """The regions that single sentences are of, also where a section is of none."""
    return sorted({s.labels.region for s in index.sentences if s.labels.region})


def _note_undated(question: Question, best: Passage, index: Evidence) -> tuple[str, ...]:
    """What to say of an answer whose sentence tells no year, where one was asked for."""
    years = question.scope.years
    if not is_undated(best.sentence, years) or inherits_year(best.sentence, years, index.documents):
        return ()
    return (_UNDATED.format(years="、".join(f"{year}年" for year in sorted(years))),)
