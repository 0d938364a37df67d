"""Commands in, their cost from cold out: wall time, processor time and memory, as a table or as JSON.

Each run is a fresh process over an index that exists; the first run is not counted, it warms the file cache.
Processor time holds what the process waited for, so its language model too. Memory is the sum over the process and its
children at its highest, sampled, with shared pages counted once (Linux; elsewhere it is left out).
Standard library only: `.venv/bin/python benchmarks/start.py [--json] [--runs 5] [--question TEXT]`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

_ROOT = Path(__file__).resolve().parent.parent
_QUESTION = "天津2024年有哪些主要任务？"
_SAMPLE = 0.02  # seconds between two looks at the memory


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took."""

    wall_s: float
    cpu_s: float
    memory_mb: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of a command, and its slowest run."""

    command: str
    runs: int
    wall_s: float
    wall_worst_s: float
    cpu_s: float
    memory_mb: float | None


def main() -> int:
    """Measure, print; 1 where a command fails."""
    parser = argparse.ArgumentParser(description="Measure how long the program takes to start.")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each command (default 5)")
    parser.add_argument("--question", default=_QUESTION)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "ASSISTANT_DATA": data}
        program = [sys.executable, "-m", "assistant"]
        commands = ([*program, "--help"], [*program, "index"], [*program, "ask", options.question])
        try:
            rows = [measure(command, options.runs, environment) for command in commands]
        except subprocess.CalledProcessError as error:
            sys.stderr.write(f"{' '.join(error.cmd)} ended with {error.returncode}:\n{error.stderr}\n")
            return 1
    sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=2) + "\n" if options.json else as_table(rows))
    return 0


def measure(command: Sequence[str], runs: int, environment: dict[str, str]) -> Row:
    """Run a command once uncounted and ``runs`` times counted."""
    costs = [run(command, environment) for _ in range(runs + 1)][1:]
    memory = [cost.memory_mb for cost in costs if cost.memory_mb is not None]
    return Row(
        command=" ".join(["assistant", *command[3:]]),
        runs=runs,
        wall_s=round(statistics.median(cost.wall_s for cost in costs), 3),
        wall_worst_s=round(max(cost.wall_s for cost in costs), 3),
        cpu_s=round(statistics.median(cost.cpu_s for cost in costs), 3),
        memory_mb=round(statistics.median(memory), 1) if memory else None,
    )


def run(command: Sequence[str], environment: dict[str, str]) -> Cost:
    """Run a command once. Raises ``CalledProcessError`` where it fails."""
    with tempfile.TemporaryFile() as errors:
        started = perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment, cwd=_ROOT
        )
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, stderr=errors.read().decode())
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak.stop())


class _Peak:
    """Watches the memory of a process and its descendants until it is stopped."""

    def __init__(self, pid: int) -> None:
        self._pid, self._highest, self._done = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> float | None:
        """Give the highest sum in megabytes."""
        self._done.set()
        self._thread.join()
        return self._highest / 1024 if self._highest else None

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE):
            self._highest = max(self._highest, sum(_kilobytes(pid) for pid in _family(self._pid)))


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            members += [int(child) for child in _read(children).split()]
    return members


def _kilobytes(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # it ended between two looks
        return ""


def as_table(rows: Sequence[Row]) -> str:
    """Give a Markdown table."""
    lines = ["| command | runs | wall s | worst s | CPU s | memory MB |", "|---|---|---|---|---|---|"]
    for row in rows:
        memory = "-" if row.memory_mb is None else f"{row.memory_mb:.0f}"
        figures = f"{row.wall_s:.2f} | {row.wall_worst_s:.2f} | {row.cpu_s:.2f} | {memory}"
        lines.append(f"| `{row.command}` | {row.runs} | {figures} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
