"""A model that only pretends: scores every candidate alike, or writes the text that it was given."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence

from assistant.llm.engine import Engine
from assistant.types import Prompt, ReaderScores


class FakeEngine(Engine):
    """Stands in for the worker process; remembers the prompts that it was given."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.prompts: list[Prompt] = []

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        return ReaderScores(tuple(0.5 for _ in candidates), 0.5)

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        stop: threading.Event | None = None,
    ) -> Iterator[str]:
        self.prompts.append(prompt)
        for piece in re.findall(r"[^\[]{1,8}|\[\d+\]", self.text):
            if stop is not None and stop.is_set():
                return
            yield piece

    def count(self, texts: Sequence[str], *, control: bool = False) -> list[int]:
        return [len(text) for text in texts]

    def waiting(self) -> int:
        return 0

    def close(self) -> None:
        pass
