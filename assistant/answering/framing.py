"""The frame of a quote in, the same with the question that its sentence answers out, where a reader needs that.

``不能`` says what only beside ``旧沙发能不能放在楼下？``. The question is the document's own, word for word, and is checked so.
"""

from __future__ import annotations

import re

from assistant.question.weigh import Weighing
from vectorstore.types import Asked, Sentence

_SAYS = "资料中写道："
_SHOWS = re.compile("资料对“(.+)”的回答中写道：$")
_SHOWN = 60  # characters of a question; of a longer one its last sentences
_SENTENCE = re.compile(r"(?<=[。！？!?])")


def frame_answer(named: str, sentence: Sentence, quote: str, weighing: Weighing) -> str:
    """The frame with the question, where that has words of the user's which the quote has not."""
    asked = sentence.asked
    if asked is None or sentence.only_asks:
        return named
    shown = show_question(asked)
    if weighing.coverage(f"{shown}\n{quote}") <= weighing.coverage(quote):
        return named
    return frame_with_question(named, shown)


def frame_with_question(named: str, shown: str) -> str:
    """``2026年的资料对“…？”的回答中写道：``; the words 任务 and 回顾 of a frame say less than the question."""
    subject = named.removesuffix(_SAYS) if named.endswith(_SAYS) else ""
    return f"{subject}资料对“{shown}”的回答中写道："


def find_question(named: str) -> str:
    """The question that a frame shows, or nothing."""
    shown = _SHOWS.search(named)
    return shown[1] if shown else ""


def show_question(asked: Asked) -> str:
    """The question as it stands in the document, or its end, where somebody has said much before he asked."""
    shown = ""
    for piece in reversed(_SENTENCE.split(asked.plain.strip())):
        if shown and len(piece) + len(shown) > _SHOWN:
            break
        shown = piece + shown
    return shown.strip()
