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

from assistant.catalog import Form, ModelSpec
from assistant.cite import Draft, read_drafts
from assistant.compose import Layout, Slot, compose, plan_slots
from assistant.contents import say_contents
from assistant.decode import citation_grammar
from assistant.engine import Engine
from assistant.english import is_english
from assistant.gate import Decision, decide
from assistant.prompt import load_prompt, render
from assistant.refuse import write_refusal
from assistant.retrieve import Weighing, number, retrieve, weigh
from assistant.say import Line, holds_anything, say_drafts, say_statements, write
from assistant.template import apply_template
from assistant.types import (
    Answer,
    Citation,
    Event,
    Finished,
    Found,
    IndexFacts,
    Kind,
    Passage,
    Piece,
    Question,
    Refusal,
    Seconds,
    Turn,
    Understood,
)
from assistant.understand import Corpus, describe_corpus, understand
from vectorstore.errors import IndexDamaged, IndexStale
from vectorstore.index import Index
from vectorstore.types import ParsedDocument, Scope

_LOG = logging.getLogger(__name__)
_SENTENCES = 6  # of a generated answer; longer ones stop being read
_TOKENS = 512
_OF_A_SLOT = 3  # passages of each thing that is compared


@dataclass(frozen=True, slots=True)
class _Case:
    """All that the stages behind the gate need of one question."""

    question: Question
    passages: tuple[Passage, ...]
    weighing: Weighing
    titles: dict[str, str]
    index: IndexFacts
    stop: threading.Event


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

    def __init__(self, index: Index, spec: ModelSpec, engine: Engine) -> None:
        self._index = index
        self._spec = spec
        self._engine = engine
        self._lock = threading.Lock()

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        """The documents of the index in use."""
        return self._index.documents

    @property
    def model(self) -> ModelSpec:
        """The model that answers."""
        return self._spec

    def waiting(self) -> int:
        """How many questions are ahead in the model's queue."""
        return self._engine.waiting()

    def close(self) -> None:
        """Stop the model and release the index."""
        self._engine.close()
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
        index, clock = self._current(), _Clock()
        understood = understand(question, history, _corpus(index))
        if scope is not None:
            understood = replace(understood, scope=scope)
        yield Understood(understood)
        clock.lap("understand")
        passages: tuple[Passage, ...] = ()
        if understood.kind not in (Kind.NONE, Kind.CORPUS):
            passages = self._retrieve(understood, index)
        decision = decide(understood, passages, index)
        yield Found(passages if decision.refusal is None else ())
        clock.lap("retrieve")
        facts = IndexFacts(index.manifest.generation, index.manifest.corpus_sha256)
        titles = {parsed.document.source: parsed.document.title for parsed in index.documents}
        case = _Case(understood, passages, weigh(understood, index), titles, facts, stop or threading.Event())
        yield Finished((yield from self._answer(case, decision, index, clock)))

    def _retrieve(self, question: Question, index: Index) -> tuple[Passage, ...]:
        """Find passages; where several places or years are asked for those of each, so that none crowds out another."""
        reads = self._spec.form is Form.READER and question.kind is not Kind.SUMMARY
        scorer = self._engine.score if reads else None
        slots: tuple[Slot, ...] = ()
        if question.kind is Kind.COMPARE:
            regions = {s.labels.region for parsed in index.documents for s in parsed.sections if s.labels.region}
            slots = plan_slots(question, sorted(regions))
        elif question.kind is Kind.SUMMARY:
            slots = plan_slots(question, ())
        if len(slots) < 2:
            return retrieve(question, index, scorer)
        found: dict[str, Passage] = {}
        for slot in slots:
            of_slot = retrieve(question, index, scorer, scope=slot.scope)
            share = len(of_slot) if question.kind is Kind.SUMMARY else _OF_A_SLOT
            found |= {p.sentence.id: p for p in of_slot[:share]}
        return number(found.values())

    def _current(self) -> Index:
        """The index, opened anew where another process has built a newer one."""
        with self._lock:
            try:
                self._index = self._index.current()
            except (IndexStale, IndexDamaged) as error:
                _LOG.warning("%s", error)  # the generation that is open still answers
            return self._index

    def _answer(self, case: _Case, decision: Decision, index: Index, clock: _Clock) -> Generator[Event, None, Answer]:
        if decision.refusal is not None:
            return self._refuse(case, decision, clock)
        if case.question.kind is Kind.CORPUS:
            return self._finish(case, say_contents(index.documents), Layout.BULLETS, (), clock)
        layout, empty = Layout.PROSE, ()
        if self._spec.form is Form.READER:
            composition = compose(case.question, case.passages, case.weighing)
            layout, empty = composition.layout, composition.empty_rows
            clock.first_token()
            clock.lap("generate")
            lines = say_statements(composition, case.titles, english=is_english(case.question.text))
        else:
            text = yield from self._generate(case, clock)
            clock.lap("generate")
            lines = say_drafts(self._read(text, case), case.passages, case.weighing, case.titles)
        if not holds_anything(lines) and not case.stop.is_set():
            return self._refuse(case, Decision(Refusal.NOT_IN_CORPUS, case.passages[:3]), clock)
        return self._finish(case, lines, layout, empty, clock)

    def _generate(self, case: _Case, clock: _Clock) -> Generator[Event, None, str]:
        """Let an instruct model write, sentence by sentence with markers that exist; what it wrote until it was stopped."""
        prompt_template = load_prompt()
        messages = render(case.question, case.passages, case.titles, prompt_template)
        prompt = apply_template(self._spec.template or "", messages.system, messages.user)
        grammar = citation_grammar(len(case.passages), _SENTENCES, prompt_template.refusal)
        text = ""
        for piece in self._engine.generate(prompt, grammar=grammar, max_tokens=_TOKENS, stop=case.stop):
            clock.first_token()
            text += piece
            yield Piece(piece)
        return text

    def _read(self, text: str, case: _Case) -> list[Draft]:
        """Cut what a model wrote into sentences; the words of its refusal and an unfinished, uncited end are none."""
        drafts = list(read_drafts(text, case.passages))
        if drafts and not drafts[-1].passages and not text.rstrip().endswith(("。", "！", "？", ".", "!", "?")):
            drafts.pop()
        refusal = load_prompt().refusal.rstrip("。")
        return [draft for draft in drafts if refusal not in draft.text]

    def _refuse(self, case: _Case, decision: Decision, clock: _Clock) -> Answer:
        refusal = decision.refusal or Refusal.NOT_IN_CORPUS
        nearest = tuple(
            Citation(n, p.sentence, case.titles.get(p.sentence.source, p.sentence.source))
            for n, p in enumerate(decision.nearest, 1)
        )
        return Answer(
            question=case.question,
            text=write_refusal(case.question, refusal, decision.nearest),
            claims=(),
            citations=(),
            model=self._spec.facts(),
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
            model=self._spec.facts(),
            index=case.index,
            stopped=case.stop.is_set(),
            seconds=clock.read(),
        )


def _corpus(index: Index) -> Corpus:
    sections = [section for parsed in index.documents for section in parsed.sections]
    return describe_corpus(sections, frozenset(place for s in index.sentences for place in s.places))
