"""Labelled questions + something that answers in; results, summary and report in a folder out.

A run can be killed at any moment and goes on where it was: each result is on the disk before the next one is awaited.
Known limits: a question that was under way at the kill is asked again; an answer that is being generated is not cut
short by a stop, it is waited for and kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from assistant.errors import EngineBusy, EngineCrashed, EngineTimeout, InputInvalid
from assistant.evaluation.report import write_report
from assistant.evaluation.results import RESULTS, Result, append_result, grade, keep_results, write_csv, write_whole
from assistant.evaluation.score import Asked, Sample
from assistant.evaluation.summary import Comparison, RunFacts, Summary, summarise
from assistant.types import Answer, Role, Turn

RUN = "run.json"
_LOCK = ".lock"
# These concern one question; any other error would meet every question, and ends the run.
_OF_ONE_QUESTION = (EngineTimeout, EngineCrashed, EngineBusy, InputInvalid)


class Answerer(Protocol):
    """Whatever is measured."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer the question, given the conversation before it."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, after each question."""

    done: int
    total: int
    kept: int  # of those done: taken over from before
    result: Result
    correct: float | None  # mean so far


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run measures: the answerer, what it is, and the texts that it cites."""

    answerer: Answerer
    facts: RunFacts
    corpus: Mapping[str, str]  # source -> text as it was read
    within: Callable[[str], Answerer] | None = None  # the same answerer, searching one source only


@dataclass(slots=True)
class _Run:
    """The state of one run: what there is to do, and what came of it."""

    samples: Mapping[str, Sample]
    bench: Bench
    out: Path
    on_result: Callable[[Progress], None] | None
    stop: threading.Event
    results: dict[str, Result] = field(default_factory=dict)
    kept: int = 0

    def store(self, result: Result) -> None:
        if result.id in self.results:  # a Ctrl-C came between storing it and crossing it off
            return
        append_result(self.out / RESULTS, result)
        self.results[result.id] = result
        if self.on_result is not None:
            values = [value for r in self.results.values() if (value := r.correct) is not None]
            mean = sum(values) / len(values) if values else None
            self.on_result(Progress(len(self.results), len(self.samples), self.kept, result, mean))

    def in_order(self) -> list[Result]:
        return [self.results[identity] for identity in self.samples if identity in self.results]


def run_evaluation(
    questions: Sequence[Sample],
    answerer: Answerer,
    out: Path,
    *,
    facts: RunFacts,
    corpus: Mapping[str, str],
    within: Callable[[str], Answerer] | None = None,
    resume: bool = False,
    on_result: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    jobs: int = 1,
    baseline: Callable[[Sequence[Result]], Comparison] | None = None,
    accept_other_facts: bool = False,
) -> Summary:
    """Ask, grade and report; ends early and whole where ``stop`` is set or on Ctrl-C.

    ``corpus`` gives the text of each source that can be cited; ``within`` the answerer for questions that name the only
    source to be searched. ``jobs`` questions are under way at once; ``on_result`` is called in the caller's thread.
    Raises ``InputInvalid`` where the folder holds another run, or one that another process is writing.
    """
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputInvalid(f"{out} 正被另一个评测使用。 Another evaluation is writing there.") from error
    try:
        bench = Bench(answerer, facts, corpus, within)
        run = _Run({sample.id: sample for sample in questions}, bench, out, on_result, stop or threading.Event())
        _take_over(run, resume=resume, accept_other_facts=accept_other_facts)
        todo = iter([sample for sample in questions if sample.id not in run.results])
        try:
            _ask_in_turn(run, todo) if jobs <= 1 else _ask_at_once(run, todo, jobs)
        finally:
            summary = _conclude(run, baseline)
        return summary
    finally:
        lock.release()


def _take_over(run: _Run, *, resume: bool, accept_other_facts: bool) -> None:
    """Check what lies in the folder, load what was done there, and note what is being run."""
    path = run.out / RUN
    if (run.out / RESULTS).exists() and not resume:
        raise InputInvalid(
            f"{run.out} 里已有评测结果；继续请加 --resume，重来请换一个 --out。"
            " It holds results already; add --resume to go on, or choose another --out."
        )
    if resume and (run.out / RESULTS).exists() and not accept_other_facts:
        _check_facts(path, run.bench.facts)
    write_whole(path, json.dumps(run.bench.facts.to_json(), ensure_ascii=False, indent=1) + "\n")
    run.results.update(keep_results(run.out / RESULTS, list(run.samples.values()), run.bench.corpus))
    run.kept = len(run.results)


def _check_facts(path: Path, facts: RunFacts) -> None:
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputInvalid(
            f"{path} 不在或已损坏，不知道先前评测的是什么，请换一个 --out。"
            " It is missing or broken, so nobody knows what was run; choose another --out."
        ) from error
    today = facts.to_json()
    others = [name for name in today if earlier.get(name) != today[name]]
    if others:
        told = "; ".join(f"{name}: {earlier.get(name)} → {today[name]}" for name in others)
        raise InputInvalid(
            f"先前评测的不是同一个程序，不能接着做，请换一个 --out（{told}）。"
            " The earlier run was of something else and cannot be gone on with; choose another --out."
        )


def _ask_in_turn(run: _Run, todo: Iterator[Sample]) -> None:
    try:
        while not run.stop.is_set() and (sample := next(todo, None)) is not None:
            run.store(ask_sample(sample, run.bench))
    except KeyboardInterrupt:
        run.stop.set()


def _ask_at_once(run: _Run, todo: Iterator[Sample], jobs: int) -> None:
    """Keep ``jobs`` questions under way; what is under way at a stop or an error is waited for and kept."""
    failure: BaseException | None = None
    under_way: set[Future[Result]] = set()
    with ThreadPoolExecutor(jobs) as pool:
        while True:
            try:
                while len(under_way) < jobs and not run.stop.is_set() and (sample := next(todo, None)) is not None:
                    under_way.add(pool.submit(ask_sample, sample, run.bench))
                if not under_way:
                    break
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    failure = failure or future.exception()
                    if future.exception() is None:
                        run.store(future.result())
                    under_way.remove(future)  # only now: a Ctrl-C in between must not lose an answer
                if failure is not None:
                    run.stop.set()
            except KeyboardInterrupt:
                run.stop.set()
    if failure is not None:
        raise failure


def ask_sample(sample: Sample, bench: Bench) -> Result:
    """Put the turns of a question one after the other and grade the last answer."""
    answerer = bench.within(sample.source) if sample.source and bench.within else bench.answerer
    history: list[Turn] = []
    try:
        for text in sample.turns[:-1]:
            history += [Turn(Role.USER, text), Turn(Role.ASSISTANT, answerer.ask(text, tuple(history)).text)]
        answer = answerer.ask(sample.turns[-1], tuple(history))
    except _OF_ONE_QUESTION as error:
        return grade(sample, None, bench.corpus, asked=Asked(), replies=_replies(history), error=str(error))
    scope = answer.question.scope
    asked = Asked(scope.regions, scope.years)
    return grade(sample, answer.to_json(), bench.corpus, asked=asked, replies=_replies(history))


def _replies(history: Sequence[Turn]) -> list[str]:
    return [turn.content for turn in history if turn.role is Role.ASSISTANT]


def _conclude(run: _Run, baseline: Callable[[Sequence[Result]], Comparison] | None) -> Summary:
    """Write what a person reads, also of a run that ended early."""
    results = run.in_order()
    summary = summarise(results, run.samples, run.bench.facts)
    comparison = baseline(results) if baseline else None
    content: dict[str, Any] = summary.to_json()
    if comparison is not None:
        content["baseline"] = comparison.to_json()
    write_whole(run.out / "summary.json", json.dumps(content, ensure_ascii=False, indent=1) + "\n")
    write_csv(run.out / "results.csv", results, run.samples)
    write_report(run.out / "report.html", summary, results, run.samples, run.bench.corpus, comparison)
    return summary
