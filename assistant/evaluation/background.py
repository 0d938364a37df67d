"""Question files and a running assistant in; evaluation runs in the background, their progress and figures out.

One run at a time, in a thread; the assistant goes on answering people meanwhile, each waits for one question at most.
Runs lie where ``assistant eval`` puts them, so both list the same ones. One that ended early goes on where it was, with
the questions that it began with: they are kept beside its results.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, InputInvalid, ModelUnusable
from assistant.evaluation.questions import check_evidence, read_questions
from assistant.evaluation.results import RESULTS, Result, read_results
from assistant.evaluation.run import RUN, Answerer, Bench, Progress, run_evaluation
from assistant.evaluation.score import Sample
from assistant.evaluation.summary import Comparison, RunFacts, compare_runs
from assistant.types import Answer, Turn
from vectorstore.errors import StoreError

LARGEST_FILE = 2 * 1024 * 1024  # bytes of a question file
_LARGEST_UNPACKED = 50 * 1024 * 1024
_MOST_ENTRIES = 200
_KINDS = (".jsonl", ".ndjson", ".csv", ".xlsx")
_MOST_RUNS = 100
_QUESTIONS = "questions"
_FACTS = {
    "model": ("模型", "model"),
    "index": ("资料索引", "index"),
    "prompts": ("提示词", "prompts"),
    "program": ("程序", "program"),
}
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,60}")
_UPLOAD = re.compile(r"[0-9a-f]{16}")
_LOG = logging.getLogger(__name__)
_CRASHED = "评测因程序错误中止，详情见终端。 The run ended with an internal error, see the terminal."


@dataclass(frozen=True, slots=True)
class State:
    """How far the run in the background is."""

    name: str = ""  # of the run; empty before the first
    running: bool = False
    stopping: bool = False
    done: int = 0
    total: int = 0
    correct: float | None = None  # mean so far
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give what the page polls."""
        return {
            "name": self.name,
            "running": self.running,
            "stopping": self.stopping,
            "done": self.done,
            "total": self.total,
            "correct": self.correct,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of before: its name and what ``summary.json`` says."""

    name: str
    summary: Mapping[str, Any]  # empty where it was killed before it could write one
    done: int = 0  # questions, of one without a summary

    @property
    def complete(self) -> bool:
        """Whether all its questions were asked."""
        return bool(self.summary) and bool(self.summary["complete"])


@dataclass(frozen=True, slots=True)
class _Steady:
    """The answerer, as long as it is the one that the run began with: figures of two would be figures of none."""

    answerer: Answerer
    facts: RunFacts

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        answer = self.answerer.ask(question, history)
        if answer.model != self.facts.model:
            raise ModelUnusable(
                f"评测期间换了模型（{self.facts.model.name} → {answer.model.name}），评测已停止；换回来可以继续。 The model was changed "
                "during the run, which was stopped; it can be gone on with when the first one is back."
            )
        if answer.index != self.facts.index:
            raise ModelUnusable(
                "评测期间资料变了，评测已停止，请另开一次。 The documents changed during the run, which was stopped; start a new one."
            )
        return answer


class Evaluations:
    """Starts, watches, stops, lists and compares runs; every method may be called from any thread."""

    def __init__(self, reports: Path, questions: Path, bench: Callable[[], Bench]) -> None:
        self.reports = reports
        self.questions = questions  # the labelled ones, that are always there
        self._bench = bench
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._state = State()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> State:
        """How far the run is, or how the last one ended."""
        with self._lock:
            return self._state

    def start(self, upload: str = "") -> str:
        """Begin a run with the labelled questions, or with an uploaded file, and give its name.

        ``InputInvalid`` where one is under way, or with every row of the file that does not fit.
        """
        bench = self._bench()
        questions = self._find_upload(upload) if upload else self.questions
        samples = self._read(questions, bench)
        with self._lock:
            self._check_free()
            name = self._choose_name()
            folder = self.reports / name
            folder.mkdir(parents=True)
            shutil.copyfile(questions, folder / f"{_QUESTIONS}{questions.suffix}")
            self._begin(name, samples, bench, done=0)
        return name

    def resume(self, name: str) -> None:
        """Go on with a run that ended early; what was answered is not asked again.

        ``InputInvalid`` where it is not there, was of another model, index or program, or another run is under way.
        """
        folder, bench = self._find_run(name), self._bench()
        _check_same(folder / RUN, bench.facts)
        kept = sorted(folder.glob(f"{_QUESTIONS}.*"))
        samples = self._read(kept[0] if kept else self.questions, bench)
        done = len(read_results(folder / RESULTS)) if (folder / RESULTS).is_file() else 0
        with self._lock:
            self._check_free()
            self._begin(name, samples, bench, done=done)

    def _check_free(self) -> None:
        if self._state.running:
            raise InputInvalid("已有一个评测在运行，请先停止它。 An evaluation is running already; stop it first.")

    def _begin(self, name: str, samples: tuple[Sample, ...], bench: Bench, *, done: int) -> None:
        self._stop = threading.Event()
        self._state = State(name, running=True, done=done, total=len(samples))
        work = (samples, bench, self.reports / name, self._stop)
        self._thread = threading.Thread(target=self._run, args=work, name="evaluation", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the run after the question that is under way; what is done is kept."""
        with self._lock:
            self._stop.set()
            self._state = replace(self._state, stopping=self._state.running)

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the run; whether it has come."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return not self.state.running

    def upload(self, name: str, content: bytes) -> tuple[str, int]:
        """Keep a question file under a name of our making; that name and how many questions it holds.

        ``InputInvalid`` where it is too large, of no known kind, or has a row that does not fit.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in _KINDS:
            raise InputInvalid(
                f"题目文件要是 {'、'.join(_KINDS)} 之一。 A question file is one of {', '.join(_KINDS)}."
            )
        if len(content) > LARGEST_FILE:
            raise InputInvalid("题目文件超过 2 MB。 The question file is larger than 2 MB.")
        identity = hashlib.sha256(content).hexdigest()[:16]
        folder = self.reports / "uploads" / identity
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"questions{suffix}"
        path.write_bytes(content)
        try:
            _check_unpacked(path)
            samples = self._read(path, self._bench())
        except InputInvalid:
            path.unlink()
            raise
        return identity, len(samples)

    def list_runs(self) -> tuple[RunLine, ...]:
        """Give the runs that there are, newest first, also one that was killed; what cannot be read is left out."""
        folders = {path.parent for path in (*self.reports.glob("*/summary.json"), *self.reports.glob(f"*/{RUN}"))}
        running = self.state.name if self.state.running else ""
        found = sorted((f for f in folders if _NAME.fullmatch(f.name) and f.name != running), reverse=True)
        lines = []
        for folder in found[:_MOST_RUNS]:
            try:
                lines.append(_read_line(folder))
            except (OSError, ValueError, KeyError, TypeError, InputInvalid) as problem:
                _LOG.warning("%s 无法读取。 It cannot be read: %r", folder, problem)
        return tuple(lines)

    def read_run(self, name: str) -> tuple[Result, ...]:
        """Give what came of each question of a run; ``InputInvalid`` where the run is not there."""
        return read_results(self._find_run(name) / RESULTS)

    def compare(self, new: str, old: str) -> Comparison:
        """Compare two runs question by question; ``InputInvalid`` where one is not there."""
        after, before = (read_results(self._find_run(name) / RESULTS) for name in (new, old))
        return compare_runs(after, before, old)

    def find_report(self, name: str) -> Path:
        """Give the report of a run; ``InputInvalid`` where there is none."""
        path = self._find_run(name) / "report.html"
        if not path.is_file():
            raise InputInvalid("找不到这份报告。 There is no such report.")
        return path

    def _find_run(self, name: str) -> Path:
        folder = self.reports / name
        if not _NAME.fullmatch(name) or not folder.is_dir() or folder.is_symlink():
            raise InputInvalid("找不到这次评测。 There is no such run.")
        return folder

    def _find_upload(self, upload: str) -> Path:
        files = sorted((self.reports / "uploads" / upload).glob("questions.*")) if _UPLOAD.fullmatch(upload) else []
        if not files:
            raise InputInvalid("找不到这个题目文件，请重新上传。 There is no such question file; upload it again.")
        return files[0]

    def _read(self, path: Path, bench: Bench) -> tuple[Sample, ...]:
        samples = read_questions(path)
        check_evidence(samples, bench.corpus, path.name)
        return samples

    def _choose_name(self) -> str:
        name = datetime.now().strftime("%Y%m%d-%H%M%S")
        taken = [n for n in (name, *(f"{name}-{i}" for i in range(2, 100))) if not (self.reports / n).exists()]
        return taken[0]

    def _run(self, samples: tuple[Sample, ...], bench: Bench, out: Path, stop: threading.Event) -> None:
        problem = ""
        try:
            run_evaluation(
                samples,
                _Steady(bench.answerer, bench.facts),
                out,
                facts=bench.facts,
                corpus=bench.corpus,
                resume=True,  # of a new run there is nothing to take over
                on_result=self._note,
                stop=stop,
            )
        except (AssistantError, StoreError, OSError) as error:
            problem = str(error)
        except BaseException:
            problem = _CRASHED
            raise
        finally:
            with self._lock:
                self._state = replace(self._state, running=False, stopping=False, problem=problem)

    def _note(self, reached: Progress) -> None:
        with self._lock:
            self._state = replace(self._state, done=reached.done, total=reached.total, correct=reached.correct)


def _read_line(folder: Path) -> RunLine:
    """Read what is listed of a run; of one that was killed, how many questions were asked."""
    path = folder / "summary.json"
    if path.is_file():
        return RunLine(folder.name, _check_summary(json.loads(path.read_text(encoding="utf-8"))))
    return RunLine(folder.name, {}, len(read_results(folder / RESULTS)))


def _check_same(path: Path, facts: RunFacts) -> None:
    """Refuse to go on with what was measured of something else; figures of two would be figures of none."""
    try:
        earlier = json.loads(path.read_text(encoding="utf-8"))
        today = facts.to_json()
        others = [name for name in today if earlier.get(name) != today[name]]
    except (OSError, ValueError, AttributeError) as error:
        raise InputInvalid(
            f"{path} 不在或已损坏，不能继续，请另开一次评测。 {path} is missing or broken; start a new run."
        ) from error
    if others:
        zh, en = ("、".join(_FACTS[name][0] for name in others), ", ".join(_FACTS[name][1] for name in others))
        raise InputInvalid(
            f"这次评测之后{zh}变了，接着做会把两种结果混在一起，请另开一次评测。 Since that run the {en} changed; its figures would be "
            "mixed, so start a new run."
        )


def _check_summary(summary: Any) -> Mapping[str, Any]:
    """Give the summary where it holds what a list shows; else ``KeyError`` or ``TypeError``."""
    figures = summary["all"]
    for name in ("n", "false_answers", "false_refusals", "seconds"):
        figures[name]
    figures["scores"]["correct"]["mean"]
    summary["questions"], summary["complete"], summary["run"]["model"]["name"]
    return dict(summary)


def _check_unpacked(path: Path) -> None:
    """Refuse a spreadsheet that unpacks to far more than it is."""
    if path.suffix != ".xlsx":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError) as error:
        raise InputInvalid("这不是 Excel 文件。 This is not an Excel file.") from error
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _LARGEST_UNPACKED:
        raise InputInvalid("这个 Excel 文件解开后太大。 This Excel file unpacks to too much.")
