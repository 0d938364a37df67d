"""An order for an evaluation in, its outcome out, with a progress bar on a terminal; Ctrl-C ends it after the question under way."""

from __future__ import annotations

import threading
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assistant.errors import InputInvalid
from assistant.evaluation.bench import open_bench
from assistant.evaluation.evaluate import Order, Outcome, evaluate_command
from assistant.evaluation.questions import write_template
from assistant.evaluation.review import find_waiting, review
from assistant.evaluation.run import Progress as Reached
from assistant.interrupt import interrupt_sets
from assistant.open import open_index
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
    with bar, interrupt_sets(threading.Event()) as stop:
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
        f"已写好模板：{path}。填好后运行 assistant eval --questions {path}。 Template written; fill it in and run that."
    )


def review_feedback(settings: Settings, questions: Path | None) -> str:
    """Go through the answers that people found wrong, and say what came of it; accepted ones stand in ``questions`` then."""
    if questions is None:
        raise InputInvalid(
            "审阅要用 --questions 指定题目文件(.jsonl)。 A review needs --questions FILE.jsonl to add to."
        )
    if not find_waiting(settings.data):
        return "没有待审阅的反馈。 No feedback waits for review."
    index = open_index(settings)
    try:
        corpus = {parsed.document.source: parsed.document.text for parsed in index.documents}
        done = review(settings.data, questions, corpus, _ask, typer.echo)
    finally:
        index.close()
    added = f"({'、'.join(done.accepted)})" if done.accepted else ""
    return (
        f"收入 {len(done.accepted)} 题{added}，拒绝 {done.rejected} 条，待审阅 {done.left} 条。"
        f" {len(done.accepted)} added to {questions}, {done.rejected} rejected, {done.left} left."
    )


def _ask(prompt: str, default: str) -> str:
    try:
        return str(typer.prompt(prompt, default=default, show_default=bool(default)))
    except typer.Abort as error:  # Ctrl-C or Ctrl-D: what was decided is kept
        raise EOFError from error
