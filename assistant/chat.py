"""Typed questions in, answers on the terminal out: a conversation with follow-ups. Ctrl-C stops an answer, Ctrl-D ends the talk."""

from __future__ import annotations

import threading

from rich.console import Console

from assistant.answer import Assistant
from assistant.errors import AssistantError
from assistant.interrupt import interrupt_sets
from assistant.terminal import show_answer
from assistant.types import Answer, Finished, Found, Piece, Role, Turn

_ENDS = {"exit", "quit", "退出", "再见"}


def talk(assistant: Assistant, console: Console) -> None:
    """Ask and answer until the user ends it."""
    console.print("请提问；Ctrl-C 停止回答，Ctrl-D 结束。 Ask; Ctrl-C stops an answer, Ctrl-D ends.", style="dim")
    history: list[Turn] = []
    while True:
        try:
            question = console.input("\n[bold cyan]问 › [/bold cyan]").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if question in _ENDS:
            return
        if not question:
            continue
        try:
            answer = _answer(assistant, console, question, tuple(history))
        except AssistantError as error:
            console.print(str(error), style="red", markup=False)
            continue
        show_answer(console, answer)
        history += [Turn(Role.USER, question), Turn(Role.ASSISTANT, answer.text)]


def _answer(assistant: Assistant, console: Console, question: str, history: tuple[Turn, ...]) -> Answer:
    stop = threading.Event()
    answer: Answer | None = None
    with interrupt_sets(stop):
        for event in assistant.stream(question, history, stop=stop):
            match event:
                case Found(passages) if passages and console.is_terminal:
                    console.print(f"找到{len(passages)}个句子… {len(passages)} sentences found", style="dim")
                case Piece(text):
                    console.print(text, end="", style="dim", markup=False, highlight=False)
                case Finished(answer):
                    console.print()
                case _:
                    pass
    if answer is None:
        raise AssistantError("回答没有完成，请再问一次。 The answer was not finished: please ask again.")
    return answer
