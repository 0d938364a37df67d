"""Ctrl-C in, a set event out: while it holds, an interrupt stops what is under way and not the program."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_sets(stop: threading.Event) -> Iterator[threading.Event]:
    """Let SIGINT set ``stop``; what it did before is put back at the end. Only in the main thread."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
