"""A model that answers, and another in its place -> each question's own: what began with one ends with it, then that is stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assistant.llm.catalog import ModelSpec
from assistant.llm.engine import LanguageModel


@dataclass(eq=False, slots=True)
class Model:
    """A model that runs."""

    spec: ModelSpec
    engine: LanguageModel
    users: int = 0  # questions under way with it; counted by ``Held`` only


class Held:
    """The model in use; any thread may ask for it and any may exchange it."""

    def __init__(self, spec: ModelSpec, engine: LanguageModel) -> None:
        self._current = Model(spec, engine)
        self._lock = threading.Lock()

    @property
    def current(self) -> Model:
        """The model that the next question gets."""
        with self._lock:
            return self._current

    @contextmanager
    def hold(self) -> Iterator[Model]:
        """Give the model for one question; it is not stopped before that has ended."""
        with self._lock:
            model = self._current
            model.users += 1
        try:
            yield model
        finally:
            with self._lock:
                model.users -= 1
                left = model is not self._current and model.users == 0
            if left:
                model.engine.close()

    def exchange(self, spec: ModelSpec, engine: LanguageModel) -> None:
        """Let the next question have another model; the old one is stopped here, or by the last question that has it."""
        with self._lock:
            old, self._current = self._current, Model(spec, engine)
            idle = old.users == 0
        if idle:
            old.engine.close()

    def close(self) -> None:
        """Stop the model in use."""
        self.current.engine.close()
