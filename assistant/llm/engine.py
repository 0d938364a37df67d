"""questions and prompts of any thread -> scores and text of the local language model, in a process of its own.

llama.cpp is not thread-safe and ends the process on some inputs, so it lives in :mod:`assistant.llm.worker`, and
:mod:`assistant.llm.dispatch` hands it one request at a time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from assistant.errors import AssistantError, EngineCrashed, InputInvalid, ModelUnusable
from assistant.llm.catalog import Form, ModelSpec
from assistant.llm.dispatch import Dispatcher, Job, Limits
from assistant.llm.prefix import choose_state_file
from assistant.llm.process import Message
from assistant.types import Prompt, ReaderScores

LONGEST_QUESTION = 4000
LONGEST_CANDIDATE = 4000
MOST_CANDIDATES = 512


class Stream(Iterator[str]):
    """The pieces of a text as they are made; ``close`` it to free the model before the end."""

    def __init__(self, dispatcher: Dispatcher, job: Job) -> None:
        self._dispatcher = dispatcher
        self._job = job
        self._ended = False

    def __next__(self) -> str:
        """The next piece; raises the engine's errors."""
        while not self._ended:
            reply = self._dispatcher.await_reply(self._job)
            if isinstance(reply, AssistantError):
                self.close()
                raise reply
            if reply is None or reply["kind"] == "done":
                self.close()
                break
            return str(reply["text"])
        raise StopIteration

    def close(self) -> None:
        """Say that no more pieces are wanted; does not wait."""
        self._ended = True
        self._job.closed.set()

    def __del__(self) -> None:
        self._job.closed.set()


class LanguageModel(Protocol):
    """What an answer needs of a language model, wherever it runs."""

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        """How likely each candidate answers."""
        ...

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
        """Write on after the prompt, in pieces."""
        ...

    def count(self, texts: Sequence[str], *, control: bool = False) -> Sequence[int]:
        """How many tokens each text is."""
        ...

    def waiting(self) -> int:
        """How many requests wait for their turn."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Engine:
    """A language model that any thread may use.

    Args:
        spec: which model.
        threads: for computing; as many as this process may use cores, where not given.
        queue_limit: requests that may wait; one more gets :class:`EngineBusy`.
        deadline: seconds for one request, once it is its turn.
        first_token_deadline: seconds until its first reply.
        home: where the checksums of the user's own models are remembered; without it the file is read each time.

    Every method may raise :class:`ModelDamaged`, :class:`ModelMissing`, :class:`ModelUnusable`, :class:`EngineBusy`,
    :class:`EngineTimeout` or :class:`EngineCrashed`.
    """

    def __init__(
        self,
        spec: ModelSpec,
        *,
        threads: int | None = None,
        queue_limit: int = 8,
        deadline: float = 120.0,
        first_token_deadline: float = 60.0,
        home: Path | None = None,
    ) -> None:
        self.spec = spec
        limits = Limits(threads or usable_cores(), queue_limit, deadline, first_token_deadline)
        self._home = home
        self._dispatcher = Dispatcher(spec, limits, home)

    def start(self) -> None:
        """Begin to check and load the model; does not wait for it. Errors come with the first request."""
        self._dispatcher.start()

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        """How likely each candidate answers, and that none does. Only for models of the reader form.

        Raises:
            InputInvalid: more than 512 candidates.
        """
        reply = self._call(self._reader_request("score", question, candidates))
        return ReaderScores(answers=tuple(reply["answers"]), none=reply["none"])

    def short_answer(self, question: str, candidates: Sequence[str], chosen: int) -> tuple[str, float] | None:
        """The piece of the chosen candidate that answers, and how sure the model is; ``None`` where it is not.

        Raises:
            InputInvalid: ``chosen`` is not the position of a candidate, or there are more than 512.
        """
        if not 0 <= chosen < len(candidates):
            raise InputInvalid(f"没有第 {chosen} 个候选句。 There is no candidate {chosen}.")
        reply = self._call(self._reader_request("short_answer", question, candidates) | {"chosen": chosen})
        return None if reply["found"] is None else (str(reply["found"][0]), float(reply["found"][1]))

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        stop: threading.Event | None = None,
    ) -> Stream:
        """Write on after the prompt: an iterator of pieces of text. Only for instruct models.

        Closing the iterator or setting ``stop`` frees the model, also while it reads the prompt.

        Raises:
            GrammarInvalid: while iterating, where llama.cpp does not accept the grammar.
            InputInvalid: while iterating, where the prompt is longer than the model's context.
        """
        self._require(Form.INSTRUCT)
        segments = [(s.text, s.control) for s in prompt.segments]
        request = {
            "op": "generate",
            "segments": segments,
            "stops": list(prompt.stop),
            "grammar": grammar,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "fixed": prompt.fixed,
            "state": self._state_file(prompt),
        }
        return Stream(self._dispatcher, self._dispatcher.submit(request, stop))

    def count(self, texts: Sequence[str], *, control: bool = False) -> list[int]:
        """How many tokens each text is; ``control``: text of a chat template, in which control tokens are meant."""
        return list(self._call({"op": "count", "texts": list(texts), "control": control})["counts"])

    def waiting(self) -> int:
        """How many requests wait for their turn, without the one that is being served."""
        return self._dispatcher.waiting()

    @property
    def worker_pid(self) -> int | None:
        """The process that holds the model, for watching it; ``None`` where it is not running."""
        return self._dispatcher.worker_pid

    def close(self) -> None:
        """End the worker; requests that wait fail."""
        self._dispatcher.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _reader_request(self, op: str, question: str, candidates: Sequence[str]) -> Message:
        self._require(Form.READER)
        if len(candidates) > MOST_CANDIDATES:
            raise InputInvalid(f"候选句最多 {MOST_CANDIDATES} 个。 At most {MOST_CANDIDATES} candidates.")
        texts = [text[:LONGEST_CANDIDATE] for text in candidates]
        return {"op": op, "question": question[:LONGEST_QUESTION], "candidates": texts}

    def _state_file(self, prompt: Prompt) -> str:
        if self._home is None or not prompt.fixed:
            return ""
        return str(choose_state_file(self._home, self.spec, [s.text for s in prompt.segments[: prompt.fixed]]))

    def _require(self, form: Form) -> None:
        if self.spec.form is not form:
            raise ModelUnusable(
                f"模型 {self.spec.name} 是 {self.spec.form.value} 型，这里要 {form.value} 型。 "
                f"The model {self.spec.name} has the form {self.spec.form.value}; this needs {form.value}."
            )

    def _call(self, request: Message) -> Message:
        job = self._dispatcher.submit(request)
        try:
            reply = self._dispatcher.await_reply(job)
        finally:
            job.closed.set()
        if reply is None or isinstance(reply, AssistantError):
            raise reply or EngineCrashed("模型没有回答。 The model gave no reply.")
        return reply


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
