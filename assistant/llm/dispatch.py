"""a queue of requests -> one worker process: first come first served, one at a time, with deadlines.

One thread starts the worker, hands it the requests, watches the clock and starts it anew after a crash; callers only
wait for their own replies.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from assistant import errors
from assistant.errors import AssistantError, EngineBusy, EngineCrashed, EngineTimeout, ModelUnusable
from assistant.llm.catalog import ModelSpec, verify_model
from assistant.llm.process import Message, WorkerProcess

POLL = 0.05  # seconds between two looks at stop signs and deadlines
GRACE = 2.0  # seconds for a stopped request to end before the worker is killed
MOST_CRASHES = 3  # within CRASH_WINDOW; one more and the engine says that it is unavailable
CRASH_WINDOW = 300.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked for."""

    threads: int  # for computing
    waiting: int  # requests in the queue
    seconds: float  # for one request, once it is its turn
    first_seconds: float  # until its first reply


@dataclass(eq=False, slots=True)
class Job:
    """One request on its way through the queue."""

    request: Message
    replies: queue.SimpleQueue[Message | AssistantError] = field(default_factory=queue.SimpleQueue)
    stop: threading.Event = field(default_factory=threading.Event)  # the caller's own, where it gave one
    closed: threading.Event = field(default_factory=threading.Event)  # nobody reads the replies any more

    @property
    def unwanted(self) -> bool:
        """Whether it need not be served any more."""
        return self.stop.is_set() or self.closed.is_set()


class Dispatcher:
    """Owns the queue, the thread and the worker process. Every public method may be called from any thread."""

    def __init__(self, spec: ModelSpec, limits: Limits, home: Path | None) -> None:
        self.limits = limits
        self._spec = spec
        self._home = home
        self._changed = threading.Condition()  # guards the fields below
        self._waiting: deque[Job] = deque()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._worker: WorkerProcess | None = None  # changed by the dispatcher's thread only
        self._crashes: deque[float] = deque(maxlen=MOST_CRASHES + 1)
        self._ids = itertools.count()

    def start(self) -> None:
        """Begin to check and load the model; does not wait for it."""
        with self._changed:
            if self._closing:
                raise _closed()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="assistant-engine", daemon=True)
                self._thread.start()

    def submit(self, request: Message, stop: threading.Event | None = None) -> Job:
        """Put a request into the queue; :class:`EngineBusy` where it is full."""
        self.start()
        with self._changed:
            if len(self._waiting) >= self.limits.waiting:
                raise EngineBusy(
                    f"排队已满({self.limits.waiting} 个)，请稍后再问。 The queue is full ({self.limits.waiting} waiting); "
                    "ask again in a moment."
                )
            job = Job({"id": next(self._ids), **request})
            if stop is not None:
                job.stop = stop
            self._waiting.append(job)
            self._changed.notify_all()
        return job

    def await_reply(self, job: Job) -> Message | AssistantError | None:
        """The next reply; ``None`` where the job was stopped before its turn."""
        while True:
            try:
                return job.replies.get(timeout=POLL)
            except queue.Empty:
                if job.unwanted and self._withdraw(job):
                    return None
                if self._thread is not None and not self._thread.is_alive() and job.replies.empty():
                    return _closed()

    def waiting(self) -> int:
        """How many requests wait, without the one that is being served."""
        with self._changed:
            return len(self._waiting)

    @property
    def worker_pid(self) -> int | None:
        """The process that holds the model; ``None`` where it is not running."""
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

    def _withdraw(self, job: Job) -> bool:
        with self._changed:
            if job not in self._waiting:
                return False
            self._waiting.remove(job)
            return True

    # what follows runs in the dispatcher's own thread

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
                self._fail_all(_closed())

    def _warm_up(self) -> None:
        try:
            self._ready_worker()
        except AssistantError:
            return  # the next request tries again and tells its caller

    def _next_job(self) -> Job | None:
        with self._changed:
            while not self._closing and not self._waiting:
                self._changed.wait()
            return None if self._closing else self._waiting.popleft()

    def _fail_all(self, error: AssistantError) -> None:
        while self._waiting:
            self._waiting.popleft().replies.put(error)

    def _serve(self, job: Job) -> None:
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

    def _exchange(self, worker: WorkerProcess, job: Job) -> None:
        worker.send(job.request)
        started = time.monotonic()
        limit = min(self.limits.first_seconds, self.limits.seconds)
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
            limit = self.limits.seconds
            job.replies.put(_as_error(reply) or reply)
            if reply["kind"] != "piece":
                return None

    def _cut_short(self, worker: WorkerProcess, job: Job, last: Message | AssistantError) -> None:
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
            f"模型超过 {limit:g} 秒没有答完，已停止，请缩短问题或换小一些的模型再问。 The model was not done after "
            f"{limit:g} seconds and was stopped; ask something shorter or use a smaller model."
        )

    def _count_crash(self, worker: WorkerProcess) -> EngineCrashed:
        self._crashes.append(time.monotonic())
        return EngineCrashed(
            f"模型进程意外退出({worker.obituary()})，正在重新启动，请再问一次。 The model process died "
            f"({worker.obituary()}); it is being started anew, please ask again."
        )

    def _ready_worker(self) -> WorkerProcess:
        """The running worker with the model loaded; started now where there is none."""
        if self._worker is not None and self._worker.alive():
            return self._worker
        recent = [at for at in self._crashes if time.monotonic() - at < CRASH_WINDOW]
        if len(recent) > MOST_CRASHES:
            raise EngineCrashed(
                f"模型在五分钟内退出了 {len(recent)} 次，暂停使用；请运行 assistant doctor，或换一个模型。 The model died "
                f"{len(recent)} times within five minutes and is not started again for now; run `assistant doctor`, or "
                "use another model."
            )
        if self._worker is not None:
            self._worker.end()
        verify_model(self._spec, home=self._home)
        try:
            self._worker = WorkerProcess()
        except OSError as error:
            raise EngineCrashed(
                f"模型进程启动不了({error.strerror})。 The model's process cannot be started: {error.strerror}."
            ) from error
        self._load(self._worker)
        return self._worker

    def _load(self, worker: WorkerProcess) -> None:
        path = str(self._spec.path)
        worker.send(
            {"op": "load", "id": -1, "path": path, "context": self._spec.context, "threads": self.limits.threads}
        )
        started = time.monotonic()
        while (reply := worker.receive(POLL)) is None:
            if self._closing or time.monotonic() - started > self.limits.seconds:
                worker.kill()
                raise self._too_late(self.limits.seconds)
        if reply["kind"] == "gone":
            self._crashes.append(time.monotonic())
            raise ModelUnusable(
                f"llama.cpp 载入模型时退出：{path}({worker.obituary()})。 llama.cpp died while it loaded the model {path} "
                f"({worker.obituary()})."
            )
        if (error := _as_error(reply)) is not None:
            worker.kill()
            raise error


def _closed() -> EngineCrashed:
    return EngineCrashed("模型已经关闭。 The engine is closed.")


def _as_error(reply: Message) -> AssistantError | None:
    if reply["kind"] != "failed":
        return None
    kind: type[AssistantError] = getattr(errors, reply["error"], AssistantError)
    return kind(reply["message"])
