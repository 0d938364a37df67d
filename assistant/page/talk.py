"""A question from the page and the conversation on the server -> the conversation as it grows.

The browser sends a question and nothing else: the history lies in ``Talk``, which never leaves the server, so nobody
can put words into the assistant's mouth.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from assistant.errors import AssistantError, EngineBusy, InputInvalid
from assistant.page.line import WaitingLine
from assistant.page.scope import ScopeConflict, narrow
from assistant.types import Event, Finished, Found, Piece, Role, Turn, Understood
from assistant.view.exchange import Exchange, keep_documents
from vectorstore.errors import StoreError
from vectorstore.types import ParsedDocument, Scope

QUESTION_LIMIT = 4000  # characters
_HISTORY = 12  # exchanges that a follow-up may refer to
KEPT = 60  # exchanges that a page keeps; older ones are dropped from it
_REDRAW = 0.08  # seconds between two drawings of a growing draft


class Answerer(Protocol):
    """What answers: ``assistant.answer.Assistant``, or a fake in tests."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        scope: Scope | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Give what happens on the way to the answer; the last event is ``Finished``."""
        ...

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        """The documents of the index generation in use."""
        ...

    def waiting(self) -> int:
        """How many questions are ahead in the queue."""
        ...


@dataclass(eq=False)
class Talk:
    """One conversation of one page, on the server."""

    exchanges: tuple[Exchange, ...] = ()
    asked: int = 0  # questions so far, also those that were dropped
    stop: threading.Event = field(default_factory=threading.Event)
    busy: threading.Lock = field(default_factory=threading.Lock)
    owner: str = ""  # whose it is in the history; empty: nobody's, and not kept
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def history(self) -> tuple[Turn, ...]:
        """Give what was said so far, as the assistant is told it: answers only, no errors and no drafts."""
        turns: list[Turn] = []
        for exchange in self.exchanges[-_HISTORY:]:
            if exchange.answer is not None:
                turns += (Turn(Role.USER, exchange.asked), Turn(Role.ASSISTANT, exchange.answer.text))
        return tuple(turns)

    def running(self) -> bool:
        """Whether the newest exchange is not finished."""
        return bool(self.exchanges) and self.exchanges[-1].running

    def begin(self, question: str) -> Exchange:
        """Add an exchange and make the stop signal fresh."""
        self.stop = threading.Event()
        self.asked += 1
        exchange = Exchange(self.asked, question, talk=self.id)
        self.exchanges = (*self.exchanges, exchange)[-KEPT:]
        return exchange

    def fail(self, problem: str) -> Exchange:
        """End the newest exchange with a problem instead of an answer."""
        return self.put(replace(self.exchanges[-1], error=problem))

    def rate(self, turn: int, rating: str) -> None:
        """Note what the person says of an answer, for the next drawing."""
        self.exchanges = tuple(replace(e, rating=rating) if e.turn == turn else e for e in self.exchanges)

    def put(self, exchange: Exchange) -> Exchange:
        """Replace the newest exchange by how far it has come."""
        self.exchanges = (*self.exchanges[:-1], exchange)
        return exchange


def check_question(question: object) -> str:
    """Give the question as it may be asked, or ``InputInvalid``; the limit is enforced here, on the server."""
    if not isinstance(question, str) or not question.strip():
        raise InputInvalid("请输入一个问题。 Please type a question.")
    if len(question) > QUESTION_LIMIT:
        raise InputInvalid(
            f"问题有 {len(question)} 个字符，上限是 {QUESTION_LIMIT}；请缩短后再问。 "
            f"The question has {len(question)} characters, the limit is {QUESTION_LIMIT}; please shorten it."
        )
    return question.strip()


def ask(
    answerer: Answerer,
    talk: Talk,
    question: object,
    line: WaitingLine | None = None,
    chosen: Scope | None = None,
    place: object | None = None,
) -> Iterator[Exchange]:
    """Ask in a conversation; every exchange given replaces the one before, the last one is finished.

    ``line`` is where questions of all pages wait for their turn, ``place`` one in it that was kept for this question;
    ``chosen`` what the person chose beside the question.

    A problem that the user can do something about ends the exchange with its sentence instead of an answer.
    """
    if not talk.busy.acquire(blocking=False):
        raise EngineBusy(
            "上一个问题还在回答中，请先停止或等待。 The last question is still being answered; stop it or wait."
        )
    try:
        yield from _ask(answerer, talk, question, line or WaitingLine(), chosen or Scope(), place)
    finally:
        talk.stop.set()  # also where the page was closed in the middle: the model must not go on for nobody
        talk.busy.release()


def _ask(
    answerer: Answerer, talk: Talk, question: object, line: WaitingLine, chosen: Scope, place: object | None
) -> Iterator[Exchange]:
    history = talk.history()
    exchange = talk.begin(str(question)[:QUESTION_LIMIT])
    try:
        text = check_question(question)
        with line.stand(place) as ticket:
            yield exchange
            for place in line.wait(ticket, talk.stop):
                yield talk.put(replace(exchange, ahead=place.ahead, wait=place.seconds))
            if not talk.stop.is_set():
                for grown in follow(answerer, talk, exchange, text, history, chosen):
                    exchange = talk.put(grown)
                    yield exchange
    except ScopeConflict as problem:
        exchange = talk.put(replace(talk.exchanges[-1], error=str(problem), conflict=True))
    except (AssistantError, StoreError) as problem:
        exchange = talk.fail(str(problem))
    if exchange.running:
        exchange = replace(exchange, stopped=True)
    yield talk.put(exchange)


def follow(
    answerer: Answerer,
    talk: Talk,
    exchange: Exchange,
    question: str,
    history: tuple[Turn, ...],
    chosen: Scope,
) -> Iterator[Exchange]:
    """Turn the events of one question into exchanges, drafts no more often than a person can see."""
    drawn = 0.0
    for event in _stream_within(answerer, question, history, talk.stop, chosen):
        exchange = advance(exchange, event, answerer)
        talk.put(exchange)
        if isinstance(event, Piece) and time.monotonic() - drawn < _REDRAW:
            continue
        drawn = time.monotonic()
        yield exchange


def _stream_within(
    answerer: Answerer, question: str, history: tuple[Turn, ...], stop: threading.Event, chosen: Scope
) -> Iterator[Event]:
    """Answer within the choice; how the question itself is read is known only with the first event."""
    events = answerer.stream(question, history, stop=stop)
    first, note = next(events, None), ""
    if isinstance(first, Understood):
        narrowed = narrow(first.question.scope, chosen)
        note = narrowed.note
        if narrowed.scope != first.question.scope:
            events, first = answerer.stream(question, history, scope=narrowed.scope, stop=stop), None
    if first is not None:
        yield first
    for event in events:
        if note and isinstance(event, Finished):
            event = Finished(replace(event.answer, notes=(note, *event.answer.notes)))
        yield event


def advance(exchange: Exchange, event: Event, answerer: Answerer) -> Exchange:
    """Take one more event into an exchange."""
    match event:
        case Understood(question):
            return replace(exchange, understood=question, ahead=answerer.waiting())
        case Found(passages):
            return replace(exchange, found=len(passages), ahead=answerer.waiting())
        case Piece(text):
            return replace(exchange, draft=exchange.draft + text, ahead=0)
        case Finished(answer):
            return replace(exchange, answer=answer, draft="", documents=keep_documents(answer, answerer.documents))
