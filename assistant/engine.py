"""requests of many threads -> one worker process, one at a time, first come first served.

llama.cpp is not thread-safe and ends the process on some inputs, so it lives in :mod:`assistant.worker`. Each engine
has one thread that starts the worker, hands it the requests, watches the deadlines and starts it anew after a crash;
callers only wait for their own replies.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from assistant import errors
from assistant.catalog import Form, ModelSpec, verify_model
from assistant.errors import (
    AssistantError,
    EngineBusy,
    EngineCrashed,
    EngineTimeout,
    InputInvalid,
    ModelUnusable,
)
from assistant.process import Message, WorkerProcess
from assistant.types import Prompt, ReaderScores

POLL = 0.05  # seconds between two looks at stop signs and deadlines
GRACE = 2.0  # seconds for a stopped request to end before the worker is killed
MOST_CRASHES = 3  # within CRASH_WINDOW; one more and the engine says that it is unavailable
CRASH_WINDOW = 300.0
LONGEST_QUESTION = 4000
LONGEST_CANDIDATE = 4000
MOST_CANDIDATES = 512


@dataclass(eq=False, slots=True)
class _Job:
    """One request on its way through the queue."""

    request: Message
    replies: queue.SimpleQueue[Message | AssistantError] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)  # the caller's own, where it gave one
    closed: threading.Event = field(default_factory=threading.Event)  # nobody reads the replies any more

    @property
    def unwanted(self) -> bool:
        return self.stop.is_set() or self.closed.is_set()


class Stream(Iterator[str]):
    """The pieces of a text as they are made; ``close`` it to free the model before the end."""

    def __init__(self, engine: Engine, job: _Job) -> None:
        self._engine = engine
        self._job = job
        self._ended = False

    def __next__(self) -> str:
        """The next piece; raises the engine's errors."""
        while not self._ended:
            reply = self._engine._await_reply(self._job)
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
        self._threads = threads or usable_cores()
        self._queue_limit = queue_limit
        self._deadline = deadline
        self._first_token_deadline = first_token_deadline
        self._home = home
        self._changed = threading.Condition()  # guards the fields below
        self._waiting: deque[_Job] = deque()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._worker: WorkerProcess | None = None  # touched by the engine's thread only
        self._crashes: deque[float] = deque(maxlen=MOST_CRASHES + 1)
        self._ids = itertools.count()

    def start(self) -> None:
        """Begin to check and load the model; does not wait for it. Errors come with the first request."""
        with self._changed:
            if self._closing:
                raise EngineCrashed("模型已经关闭。 The engine is closed.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="assistant-engine", daemon=True)
                self._thread.start()

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
        }
        return Stream(self, self._enqueue(request, stop))

    def waiting(self) -> int:
        """How many requests wait for their turn, without the one that is being served."""
        with self._changed:
            return len(self._waiting)

    @property
    def worker_pid(self) -> int | None:
        """The process that holds the model, for watching it; ``None`` where it is not running."""
        worker = self._worker
        return worker.pid if worker is not None and worker.alive() else None

    def close(self) -> None:
        """End the worker; requests that wait fail."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=2 * GRACE + 1)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    # --- the callers' side

    def _reader_request(self, op: str, question: str, candidates: Sequence[str]) -> Message:
        self._require(Form.READER)
        if len(candidates) > MOST_CANDIDATES:
            raise InputInvalid(f"候选句最多 {MOST_CANDIDATES} 个。 At most {MOST_CANDIDATES} candidates.")
        texts = [text[:LONGEST_CANDIDATE] for text in candidates]
        return {"op": op, "question": question[:LONGEST_QUESTION], "candidates": texts}

    def _require(self, form: Form) -> None:
        if self.spec.form is not form:
            raise ModelUnusable(
                f"模型 {self.spec.name} 是 {self.spec.form.value} 型,这里要 {form.value} 型。 "
                f"The model {self.spec.name} has the form {self.spec.form.value}; this needs {form.value}."
            )

    def _call(self, request: Message) -> Message:
        job = self._enqueue(request, None)
        try:
            reply = self._await_reply(job)
        finally:
            job.closed.set()
        if reply is None or isinstance(reply, AssistantError):
            raise reply or EngineCrashed("模型没有回答。 The model gave no reply.")
        return reply

    def _enqueue(self, request: Message, stop: threading.Event | None) -> _Job:
        self.start()
        with self._changed:
            if len(self._waiting) >= self._queue_limit:
                raise EngineBusy(
                    f"排队已满({self._queue_limit} 个),请稍后再问。 The queue is full ({self._queue_limit} waiting); "
                    "ask again in a moment."
                )
            job = _Job({"id": next(self._ids), **request})
            if stop is not None:
                job.stop = stop
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def _await_reply(self, job: _Job) -> Message | AssistantError | None:
        """The next reply; ``None`` where the job was stopped before its turn."""
        while True:
            try:
                return job.replies.get(timeout=POLL)
            except queue.Empty:
                if job.unwanted and self._withdraw(job):
                    return None
                if self._thread is not None and not self._thread.is_alive() and job.replies.empty():
                    return EngineCrashed("模型已经关闭。 The engine is closed.")

    def _withdraw(self, job: _Job) -> bool:
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    # --- the engine's own thread

    def _run(self) -> None:
        try:
            self._warm_up()
            while (job := self._next_job()) is not None:
                self._serve(job)
        finally:
            if self._worker is not None:
                self._worker.end()
            with self._changed:
                self._closing = True
                self._fail_all(EngineCrashed("模型已经关闭。 The engine is closed."))

    def _warm_up(self) -> None:
        try:
            self._ready_worker()
        except AssistantError:
            return  # the next request tries again and tells its caller

    def _next_job(self) -> _Job | None:
        with self._changed:
            while not self._closing and not self._waiting:
                self._changed.wait()
            return None if self._closing else self._waiting.popleft()

    def _fail_all(self, error: AssistantError) -> None:
        while self._waiting:
            self._waiting.popleft().replies.put(error)

    def _serve(self, job: _Job) -> None:
        if job.unwanted:
            job.replies.put({"kind": "done"})
            return
        try:
            worker = self._ready_worker()
        except AssistantError as error:
            job.replies.put(error)
            return
        self._exchange(worker, job)
        if not worker.alive():
            self._warm_up()

    def _exchange(self, worker: WorkerProcess, job: _Job) -> None:
        worker.send(job.request)
        started = time.monotonic()
        limit = min(self._first_token_deadline, self._deadline)
        while True:
            if job.unwanted or self._closing:
                return self._cut_short(worker, job, {"kind": "done"})
            if time.monotonic() - started > limit:
                return self._cut_short(worker, job, self._too_late(limit))
            reply = worker.receive(POLL)
            if reply is None:
                continue
            if reply["kind"] == "gone":
                return job.replies.put(self._count_crash(worker))
            limit = self._deadline
            job.replies.put(_as_error(reply) or reply)
            if reply["kind"] != "piece":
                return None

    def _cut_short(self, worker: WorkerProcess, job: _Job, last: Message | AssistantError) -> None:
        """Stop the request that the worker is at; kill the worker where it does not listen."""
        worker.send({"op": "stop", "id": job.request["id"]})
        until = time.monotonic() + GRACE
        while time.monotonic() < until:
            reply = worker.receive(POLL)
            if reply is not None and reply["kind"] != "piece":
                break
        else:
            worker.kill()
        job.replies.put(last)

    def _too_late(self, limit: float) -> EngineTimeout:
        return EngineTimeout(
            f"模型超过 {limit:g} 秒没有答完,已停止,请缩短问题或换小一些的模型再问。 The model was not done after "
            f"{limit:g} seconds and was stopped; ask something shorter or use a smaller model."
        )

    def _count_crash(self, worker: WorkerProcess) -> EngineCrashed:
        self._crashes.append(time.monotonic())
        return EngineCrashed(
            f"模型进程意外退出({worker.obituary()}),正在重新启动,请再问一次。 The model process died "
            f"({worker.obituary()}); it is being started anew, please ask again."
        )

    def _ready_worker(self) -> WorkerProcess:
        """The running worker with the model loaded; started now where there is none."""
        if self._worker is not None and self._worker.alive():
            return self._worker
        recent = [at for at in self._crashes if time.monotonic() - at < CRASH_WINDOW]
        if len(recent) > MOST_CRASHES:
            raise EngineCrashed(
                f"模型在五分钟内退出了 {len(recent)} 次,暂停使用;请运行 assistant doctor,或换一个模型。 The model died "
                f"{len(recent)} times within five minutes and is not started again for now; run `assistant doctor`, or "
                "use another model."
            )
        if self._worker is not None:
            self._worker.end()
        verify_model(self.spec, home=self._home)
        self._worker = WorkerProcess()
        self._load(self._worker)
        return self._worker

    def _load(self, worker: WorkerProcess) -> None:
        path = str(self.spec.path)
        worker.send({"op": "load", "id": -1, "path": path, "context": self.spec.context, "threads": self._threads})
        started = time.monotonic()
        while (reply := worker.receive(POLL)) is None:
            if self._closing or time.monotonic() - started > self._deadline:
                worker.kill()
                raise self._too_late(self._deadline)
        if reply["kind"] == "gone":
            self._crashes.append(time.monotonic())
            raise ModelUnusable(
                f"llama.cpp 载入模型时退出:{path}({worker.obituary()})。 llama.cpp died while it loaded the model {path} "
                f"({worker.obituary()})."
            )
        if (error := _as_error(reply)) is not None:
            worker.kill()
            raise error


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _as_error(reply: Message) -> AssistantError | None:
    if reply["kind"] != "failed":
        return None
    kind: type[AssistantError] = getattr(errors, reply["error"], AssistantError)
    return kind(reply["message"])
