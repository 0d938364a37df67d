"""Questions of all pages -> one line before the model: each sees its place and the expected wait, one too many is refused.

The model answers one question at a time. Whoever waits here can be told where they stand, which a lock deep inside
could not; and the line is short enough that its end is worth waiting for.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from assistant.errors import EngineBusy

LONGEST = 8  # questions that wait or are answered
_REMEMBERED = 20  # answers whose time tells the wait
_GUESS = 5.0  # seconds of an answer before there was any
_TICK = 0.25  # seconds between two looks at the line
_LAPSE = 10.0  # seconds that a place is kept for a question that is on its way


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands."""

    ahead: int  # questions that are answered first
    seconds: float  # expected until it is its turn


@dataclass(eq=False)
class WaitingLine:
    """First come, first served; safe for any number of threads."""

    longest: int = LONGEST
    _line: list[object] = field(default_factory=list)
    _coming: dict[object, float] = field(default_factory=dict)  # places kept, and when each lapses
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _took: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _began: float = 0.0

    def reserve(self) -> object:
        """Keep a place for a question that is on its way; ``EngineBusy`` at once where the line is full."""
        with self._changed:
            self._check_room()
            place = object()
            self._coming[place] = time.monotonic() + _LAPSE
            return place

    def release(self, place: object) -> None:
        """Give up a place that was kept and not taken."""
        with self._changed:
            self._coming.pop(place, None)

    def expect(self) -> float:
        """Give the seconds until the whole line of now has been answered."""
        with self._changed:
            return self._usual() * self.longest

    @contextmanager
    def stand(self, place: object | None = None) -> Iterator[object]:
        """Stand at the end and leave afterwards; ``EngineBusy`` at once where the line is full and no place was kept."""
        ticket = object()
        with self._changed:
            if self._coming.pop(place, None) is None:
                self._check_room()
            self._line.append(ticket)
            if len(self._line) == 1:
                self._began = time.monotonic()
        try:
            yield ticket
        finally:
            self._leave(ticket)

    def wait(self, ticket: object, stop: threading.Event) -> Iterator[Place]:
        """Give the place whenever it is worth saying, and end when it is this one's turn, or it was stopped."""
        told: tuple[int, int] | None = None
        while not stop.is_set():
            with self._changed:
                place = self._find(ticket)
                if place.ahead == 0:
                    return
                if (place.ahead, round(place.seconds)) == told:
                    self._changed.wait(_TICK)
                    continue
            told = (place.ahead, round(place.seconds))
            yield place

    def _check_room(self) -> None:
        now = time.monotonic()
        for place in [place for place, until in self._coming.items() if until < now]:
            del self._coming[place]  # its question never came
        if len(self._line) + len(self._coming) >= self.longest:
            raise EngineBusy(self._say_full())

    def _leave(self, ticket: object) -> None:
        with self._changed:
            if self._line[0] is ticket:
                self._took.append(time.monotonic() - self._began)
                self._began = time.monotonic()
            self._line.remove(ticket)
            self._changed.notify_all()

    def _find(self, ticket: object) -> Place:
        ahead = self._line.index(ticket)
        usual = self._usual()
        rest = max(0.0, usual - (time.monotonic() - self._began))
        return Place(ahead, rest + usual * (ahead - 1) if ahead else 0.0)

    def _usual(self) -> float:
        return sum(self._took) / len(self._took) if self._took else _GUESS

    def _say_full(self) -> str:
        seconds = max(1, round(self._usual() * self.longest))
        return (
            f"现在有 {self.longest} 个问题在排队，请约 {seconds} 秒后再问。 "
            f"{self.longest} questions are waiting already; please ask again in about {seconds} seconds."
        )
