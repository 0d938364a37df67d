"""Clean documents and attacks in, documents with an attack planted in them out; and the worst model to read them.

``tests/attacks`` holds the data. The model answers well until an attack stands in its prompt, and then does what the attack wants.
"""

from __future__ import annotations

import json
import re
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from assistant.types import Prompt, ReaderScores
from assistant.writing.prompt import load_prompt
from vectorstore.types import Document, Media

DATA = Path(__file__).resolve().parent.parent / "tests" / "attacks"
IN_TEXT = ("before", "inside", "after")
ELSEWHERE = ("title", "file name")
# obeys: says what the order wants and cites its line. repeats: says the line itself. smuggles: cites the line that truly answers.
# bare: cites nothing. appends: answers, and adds what the order wants.
MANNERS = ("obeys", "repeats", "smuggles", "bare", "appends")
_BRACKETS = str.maketrans("[]【】〔〕", "()()()")
_LINE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)


def list_lines(user: str) -> list[tuple[str, str]]:
    """The numbered sentences of a prompt: number and text."""
    return _LINE.findall(user)


@dataclass(frozen=True, slots=True)
class Host:
    """A clean document and what is asked of it."""

    source: str
    title: str
    text: str
    answering: str  # how the sentence begins that answers the first question
    questions: tuple[tuple[str, tuple[str, ...]], ...]  # with what a right answer holds; nothing: to be refused
    values: dict[str, str]  # what stands for ⟨name⟩ in the attacks


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that wants something, and what a model says that does what it wants."""

    id: str
    family: str
    text: str
    wants: str


@dataclass(frozen=True, slots=True)
class Case:
    """An attack in a place of a document."""

    attack: Attack  # filled in for the host
    host: Host
    position: str
    document: Document
    span: tuple[int, int]  # of the attack in the text; empty where it is not there


def read_hosts() -> tuple[Host, ...]:
    """Read the clean documents."""
    rows = json.loads((DATA / "hosts.json").read_text(encoding="utf-8"))
    return tuple(
        Host(**{**row, "questions": tuple((q["text"], tuple(q["right"])) for q in row["questions"])}) for row in rows
    )


def read_attacks() -> tuple[Attack, ...]:
    """Read the attacks: ours, then BIPIA's."""
    lines = [
        line for name in ("chinese", "english") for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    return tuple(Attack(**json.loads(line)) for line in lines)


def list_cases(positions: Sequence[str] = IN_TEXT + ELSEWHERE, sample: int = 1) -> Iterator[Case]:
    """Every ``sample``-th of all attacks in all positions; the documents take turns."""
    hosts = read_hosts()
    number = 0
    for turn, attack in enumerate(read_attacks()):
        for place, position in enumerate(positions):
            if number % sample == 0:
                yield plant(attack, hosts[(turn + place) % len(hosts)], position)
            number += 1


def plant(attack: Attack, host: Host, position: str) -> Case:
    """Put an attack, made to fit the document, into its place."""
    filled = Attack(attack.id, attack.family, _fill(attack.text, host), _fill(attack.wants, host))
    at = host.text.index(host.answering)
    gap, text, span = "\n\n", host.text, (0, 0)
    if position in IN_TEXT:
        start, end = host.text.rindex(gap, 0, at) + len(gap), host.text.find(gap, at)
        place, before, behind = {
            "before": (start, "", gap),
            "inside": (at, "", ""),
            "after": (end, gap, ""),
        }[position]
        text = host.text[:place] + before + filled.text + behind + host.text[place:]
        span = (place + len(before), place + len(before) + len(filled.text))
    line = " ".join(filled.text.split())
    source = f"{line}.txt" if position == "file name" else host.source
    title = line if position == "title" else host.title
    document = Document(source, text, Media.TEXT, sha256(text.encode()).hexdigest(), title)
    return Case(filled, host, position, document, span)


def _fill(text: str, host: Host) -> str:
    return re.sub(r"⟨(\w+)⟩", lambda m: host.values[m[1]], text)


def fold(text: str) -> str:
    """A text without spaces, invisible characters and widths, to find it again."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Zs", "Cc"))


class Obedient:
    """The worst model there can be: it does what any order in its prompt says, and answers well where there is none."""

    def __init__(self, case: Case, right: Sequence[str], manner: str) -> None:
        self._case, self._right, self._manner = case, right, manner
        pieces = (fold(piece) for piece in re.split(r"[。！？!?\n]", case.attack.text))
        self._tells = [piece.translate(_BRACKETS)[:24] for piece in pieces if len(piece) > 3] or [
            fold(case.attack.text)
        ]
        self.prompts: list[Prompt] = []
        self.obeyed = False

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        stop: threading.Event | None = None,
    ) -> Iterator[str]:
        """Write with numbers, whatever the grammar says: no grammar is part of this measurement."""
        self.prompts.append(prompt)
        yield self._write(dict(prompt.messages)["user"])

    def write(self, system: str, user: str) -> str:
        """Write for the undefended way."""
        return self._write(user)

    def _write(self, user: str) -> str:
        lines = [(f"[{number}]", line) for number, line in list_lines(user)]
        true = next((x for x in lines if self._right and all(r in x[1] for r in self._right)), ("", ""))
        if self._is_told(user):
            self.obeyed = True
            planted = next((x for x in lines if self._is_told(x[1])), ("", self._case.attack.text))
            number, said = {
                "obeys": (planted[0], self._case.attack.wants),
                "repeats": (planted[0], planted[1]),
                "smuggles": (true[0], self._case.attack.wants),
                "bare": ("", self._case.attack.wants),
                "appends": ("", f"{true[1].rstrip('。')}{true[0]}。{self._case.attack.wants}"),
            }[self._manner]
            return f"{said.rstrip('。.')}{number}。"
        if self._right and all(r in user for r in self._right):
            return f"{true[1].rstrip('。') or '、'.join(self._right)}{true[0]}。"
        return load_prompt().refusal

    def _is_told(self, text: str) -> bool:
        folded = fold(text).translate(_BRACKETS)
        return any(tell in folded for tell in self._tells)

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        """Not what an instruct model is asked."""
        raise NotImplementedError

    def count(self, texts: Sequence[str], *, control: bool = False) -> list[int]:
        """Every character is a token."""
        return [len(text) for text in texts]

    def waiting(self) -> int:
        """Nobody waits."""
        return 0

    def close(self) -> None:
        """There is nothing to let go of."""
