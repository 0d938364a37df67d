"""An order for an evaluation in, its outcome out, with a progress bar on a terminal; Ctrl-C ends it after the question under way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assistant.bench import open_bench
from assistant.evaluate import Order, Outcome, evaluate_command
from assistant.questions import write_template
from assistant.run import Progress as Reached
from assistant.settings import Settings


def measure(settings: Settings, order: Order) -> Outcome:
    """Run an evaluation over the index that there is, or over the paragraphs that a question file brings with it."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not Console(stderr=True).is_terminal,
    )
    with bar, _interrupt_sets(threading.Event()) as stop:
        task = bar.add_task("评测 evaluating", total=None, rate="")

        def show(reached: Reached) -> None:
            right = "" if reached.correct is None else f"正确 correct {reached.correct:.1%}"
            speed = bar.tasks[0].speed
            rate = f"{speed:.1f}/s" if speed else ""
            bar.update(task, total=reached.total, completed=reached.done, description=right, rate=rate)

        return evaluate_command(order, lambda paragraphs: open_bench(settings, paragraphs), show, stop)


def write_questions(path: Path) -> str:
    """Write a template for questions, and say so."""
    write_template(path)
    return (
        f"已写好模板:{path}。填好后运行 assistant eval --questions {path}。 Template written; fill it in and run that."
    )


@contextmanager
def _interrupt_sets(stop: threading.Event) -> Iterator[threading.Event]:
    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
