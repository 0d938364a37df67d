"""What the command line asks for in; questions checked, a run made, and an exit status with the figures in words out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from assistant.errors import InputInvalid
from assistant.evaluation.questions import check_evidence, read_questions
from assistant.evaluation.results import RESULTS, read_results
from assistant.evaluation.run import RUN, Answerer, Bench, Progress, run_evaluation
from assistant.evaluation.score import Sample
from assistant.evaluation.squad import Paragraph, read_squad
from assistant.evaluation.summary import Summary, check_gates, check_minimums, compare_runs, describe_summary
from assistant.settings import Settings

__all__ = ["Answerer", "Bench", "Order", "Outcome", "Progress", "evaluate_command", "run_evaluation"]


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for."""

    questions: Path | None = None  # None: the labelled questions beside the seeds
    out: Path | None = None  # None: a new folder below reports/, or the latest one to go on with
    baseline: Path | None = None  # the folder of an earlier run
    resume: bool = False
    minimums: Mapping[str, float] = field(default_factory=dict)  # measure -> lowest mean that passes
    jobs: int = 1
    format: str = "auto"  # auto: by the file's name; squad
    corpus: str = "all"  # of a SQuAD file: each paragraph alone (own), or all of them searched (all)
    reports: Path = Path("reports")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the command line says and returns: 0, 3 where a gate was missed, 130 where the run was stopped."""

    status: int
    text: str
    out: Path


def evaluate_command(
    order: Order,
    open_bench: Callable[[Sequence[Paragraph] | None], AbstractContextManager[Bench]],
    on_result: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Check everything that can be checked, then run; raises ``InputInvalid`` before anything is asked.

    ``open_bench`` gives what is measured: over the index that there is for ``None``, else over these paragraphs, and
    then with ``Bench.within`` where each paragraph is to be searched alone.
    """
    _check_order(order)
    samples, paragraphs = _read(order)
    earlier = read_results(order.baseline / RESULTS) if order.baseline else None
    out = order.out or _choose_out(order.reports, resume=order.resume)
    with open_bench(paragraphs) as bench:
        if paragraphs is None:
            check_evidence(samples, bench.corpus, (order.questions or _default_questions()).name)
        elif order.corpus == "own" and bench.within is None:
            raise InputInvalid("--corpus own 在这里不能用。 --corpus own cannot be used here; use --corpus all.")
        summary = run_evaluation(
            samples,
            bench.answerer,
            out,
            facts=bench.facts,
            corpus=bench.corpus,
            within=bench.within if order.corpus == "own" else None,
            resume=order.resume,
            on_result=on_result,
            stop=stop,
            jobs=order.jobs,
            baseline=None if earlier is None else lambda new: compare_runs(new, earlier, str(order.baseline)),
        )
    return _make_outcome(order, summary, out)


def _check_order(order: Order) -> None:
    check_minimums(order.minimums)
    if order.jobs < 1:
        raise InputInvalid(f"--jobs 至少是 1。 --jobs is at least 1: {order.jobs}")
    if order.format not in ("auto", "squad"):
        raise InputInvalid(f"--format 只能是 auto 或 squad。 --format is auto or squad: {order.format}")
    if order.corpus not in ("own", "all"):
        raise InputInvalid(f"--corpus 只能是 own 或 all。 --corpus is own or all: {order.corpus}")


def _default_questions() -> Path:
    return Settings().seeds / "questions.jsonl"


def _read(order: Order) -> tuple[tuple[Sample, ...], tuple[Paragraph, ...] | None]:
    if order.format != "squad":
        return read_questions(order.questions or _default_questions()), None
    if order.questions is None:
        raise InputInvalid("--format squad 需要 --questions 文件。 --format squad needs --questions FILE.")
    squad = read_squad(order.questions)
    return squad.samples, squad.paragraphs


def _choose_out(reports: Path, *, resume: bool) -> Path:
    earlier = sorted(path.parent for path in reports.glob(f"*/{RUN}")) if resume else []
    return earlier[-1] if earlier else reports / datetime.now().strftime("%Y%m%d-%H%M%S")


def _make_outcome(order: Order, summary: Summary, out: Path) -> Outcome:
    lines = [describe_summary(summary), f"报告 report: {out / 'report.html'}"]
    missed = check_gates(summary, order.minimums)
    lines += [f"未达标 gate missed: {message}" for message in missed]
    if not summary.complete:
        lines.append(f"已停止，可继续。 Stopped; go on with: assistant eval --resume --out {out}")
        return Outcome(130, "\n".join(lines), out)
    return Outcome(3 if missed else 0, "\n".join(lines), out)
