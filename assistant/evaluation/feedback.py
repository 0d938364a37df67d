"""A person's objection to an answer in, a line of ``candidates.jsonl`` in the data folder out; and those lines read again.

A candidate is not a question of the evaluation: only a person makes it one, with ``assistant eval --review``. The file holds what
people typed, so nobody but its owner may read it, and it stops growing at a limit.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from assistant.errors import InputInvalid
from assistant.types import Role, Turn

CANDIDATES = "candidates.jsonl"
LONGEST_TEXT = 4000  # characters of the question, the correction and the comment, each
LARGEST_LINE = 256 * 1024
LARGEST_FILE = 16 * 1024 * 1024
_MOST_TURNS = 20  # before the question; older ones are left out
_LOG = logging.getLogger(__name__)
# What a reviewer looks at; the rest of an answer can be had again by asking.
_KEPT = (
    "answer",
    "refused",
    "refusal_reason",
    "standalone_question",
    "claims",
    "citations",
    "nearest",
    "model",
    "index",
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that somebody found wrong."""

    id: str
    recorded: str  # when, UTC, ISO 8601
    turns: tuple[str, ...]  # of the user, in order; the last one is the question
    answer: Mapping[str, Any]  # its public JSON form, without what a review does not need
    correction: str  # what the user says is right; may be empty
    comment: str

    def to_json(self) -> dict[str, Any]:
        """Give the public form, a line of the file."""
        return {
            "id": self.id,
            "recorded": self.recorded,
            "turns": list(self.turns),
            "answer": dict(self.answer),
            "correction": self.correction,
            "comment": self.comment,
        }


def record(
    home: Path,
    question: str,
    answer_json: Mapping[str, Any],
    correction: str = "",
    comment: str = "",
    turns: Sequence[Turn] = (),
) -> Candidate:
    """Keep an objection to an answer for review; safe for several threads and processes.

    Args:
        home: the data folder.
        question: as it was typed.
        answer_json: the answer that was found wrong, as ``Answer.to_json`` gives it.
        correction: what would be right, in the user's words.
        comment: anything else that the user says.
        turns: the conversation before the question, oldest first.

    Raises:
        InputInvalid: the question is empty, a text is too long, or too many candidates wait for review.
    """
    if not question.strip():
        raise InputInvalid("没有问题，无法记录。 There is no question to record.")
    for name, text in (("问题 question", question), ("更正 correction", correction), ("说明 comment", comment)):
        if len(text) > LONGEST_TEXT:
            raise InputInvalid(f"{name}太长，最多 {LONGEST_TEXT} 字。 Too long; at most {LONGEST_TEXT} characters.")
    before = [turn.content[:LONGEST_TEXT] for turn in turns if turn.role is Role.USER][-_MOST_TURNS:]
    candidate = Candidate(
        id=uuid.uuid4().hex,
        recorded=datetime.now(UTC).isoformat(timespec="seconds"),
        turns=(*before, question),
        answer={name: answer_json[name] for name in _KEPT if name in answer_json},
        correction=correction.strip(),
        comment=comment.strip(),
    )
    append_line(home / CANDIDATES, candidate.to_json())
    return candidate


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Add a line of JSON to a file that only its owner can read, and wait until it is on the disk.

    Raises ``InputInvalid`` where the line is too long or the file is full.
    """
    line = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    if len(line) > LARGEST_LINE:
        raise InputInvalid("这条反馈太长，没有保存。 This feedback is too long and was not kept.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(path.name + ".lock")):
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size + len(line) > LARGEST_FILE:
                raise InputInvalid(
                    f"{path.name} 已满，这条反馈没有保存；请先运行 assistant eval --review。"
                    " It is full and this feedback was not kept; review it first: assistant eval --review"
                )
            file.seek(max(0, size - 1))
            if file.read(1) not in (b"", b"\n"):  # a kill cut the line before
                line = b"\n" + line
            file.write(line)
            os.fsync(file.fileno())


def read_candidates(home: Path) -> tuple[Candidate, ...]:
    """Read what waits, oldest first; a line that a kill or a hand has broken is left out with a warning."""
    return tuple(
        candidate for value in read_lines(home / CANDIDATES) if (candidate := _read_candidate(value)) is not None
    )


def read_lines(path: Path) -> list[Any]:
    """Read the JSON of every line that is whole; none where there is no file."""
    if not path.is_file():
        return []
    values: list[Any] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                values.append(json.loads(line.decode("utf-8")))
            except ValueError:
                _LOG.warning("%s 第%d行已损坏，已跳过。 Line %d is broken and left out.", path, number, number)
    return values


def _read_candidate(value: Any) -> Candidate | None:
    try:
        turns = tuple(str(turn) for turn in value["turns"])
        candidate = Candidate(
            str(value["id"]),
            str(value["recorded"]),
            turns,
            dict(value["answer"]),
            str(value["correction"]),
            str(value["comment"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        _LOG.warning("一条反馈不合格式，已跳过。 A candidate does not have the right form and is left out: %r", error)
        return None
    return candidate if turns else None
