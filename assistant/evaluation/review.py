"""Candidates of the data folder + a person's decisions in, new rows of a question file out.

One at a time: the person sees the question, the answer and what the user says is right; then rejects it, leaves it for later, or
writes down what a right answer has to hold. Evidence has to stand in the corpus, and the row has to pass the check of the file.
How it is asked and shown is given from outside, so that a terminal, a test or a page can do it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assistant.errors import InputInvalid
from assistant.evaluation.feedback import Candidate, append_line, read_candidates, read_lines
from assistant.evaluation.questions import Row, check_evidence, check_rows, read_questions
from assistant.evaluation.results import write_whole
from assistant.evaluation.score import Sample, find_spans

Ask = Callable[[str, str], str]  # a prompt and what an empty answer stands for -> the answer; EOFError ends the review
Tell = Callable[[str], None]

DECISIONS = "candidates.decided.jsonl"
_NUMBER = re.compile(r"(.*?)(\d+)")
_QUOTE = re.compile(r"\[(\d+)\]")
_END = "空行结束 empty line ends"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review came to."""

    accepted: tuple[str, ...]  # the ids of the new questions
    rejected: int
    left: int  # candidates that still wait


def review(home: Path, questions: Path, corpus: Mapping[str, str], ask: Ask, tell: Tell) -> Reviewed:
    """Go through the candidates that wait in the data folder ``home``; every decision is kept as soon as it is made.

    ``corpus`` gives the text of each source. Raises ``InputInvalid`` where the question file cannot be added to, or
    another review is under way.
    """
    if questions.suffix.lower() not in (".jsonl", ".ndjson"):
        raise InputInvalid(
            f"{questions.name}：审阅只能收入 .jsonl 文件，请用 --questions 指定。"
            " A review adds to a .jsonl file; name one with --questions."
        )
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "review.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputInvalid("另一处正在审阅，请等它结束。 Another review is under way; wait until it ends.") from error
    try:
        waiting = find_waiting(home)
        return _go_through(_Session(home, questions, corpus, ask, tell), waiting)
    finally:
        lock.release()


def find_waiting(home: Path) -> tuple[Candidate, ...]:
    """The candidates that nobody has decided on, oldest first."""
    decided = {row.get("id") for row in read_lines(home / DECISIONS) if isinstance(row, dict)}
    return tuple(candidate for candidate in read_candidates(home) if candidate.id not in decided)


@dataclass(frozen=True, slots=True)
class _Session:
    """Where everything is, and whom to ask."""

    home: Path
    questions: Path
    corpus: Mapping[str, str]
    ask: Ask
    tell: Tell

    def choose(self, prompt: str, choices: str, default: str) -> str:
        """Ask until one of the letters is given."""
        while (answer := self.ask(prompt, default).strip().casefold()[:1]) not in choices or not answer:
            self.tell(f"请输入 {' / '.join(choices)}。 Type one of these.")
        return answer

    def decide(self, candidate: Candidate, decision: str, question: str | None = None) -> None:
        """Remember a decision."""
        append_line(self.home / DECISIONS, {"id": candidate.id, "decision": decision, "question": question})


def _go_through(session: _Session, waiting: Sequence[Candidate]) -> Reviewed:
    accepted: list[str] = []
    rejected = 0
    try:
        for number, candidate in enumerate(waiting, start=1):
            session.tell(f"\n—— {number} / {len(waiting)} ——\n{_describe(candidate)}")
            _tell_same(session, candidate)
            decision = session.choose("收入 a、拒绝 r、以后再说 s、结束 q (accept, reject, skip, quit)", "arsq", "s")
            if decision == "q":
                break
            if decision == "r":
                session.decide(candidate, "rejected")
                rejected += 1
            elif decision == "a" and (identity := _accept(session, candidate)) is not None:
                accepted.append(identity)
    except EOFError:  # what was decided stays
        session.tell("")
    return Reviewed(tuple(accepted), rejected, len(waiting) - len(accepted) - rejected)


def _describe(candidate: Candidate) -> str:
    answer = candidate.answer
    lines = [f"问 {turn}" for turn in candidate.turns]
    lines.append(f"答 {answer.get('answer', '')}")
    lines += [f"   [{n}] {quote}" for n, quote in _quotes(candidate).items()]
    lines.append(f"用户认为正确的 the user's correction: {candidate.correction or '—'}")
    if candidate.comment:
        lines.append(f"说明 comment: {candidate.comment}")
    return make_plain("\n".join(lines))


def _quotes(candidate: Candidate) -> dict[int, str]:
    """What the answer cited or named as nearest, by number."""
    rows = candidate.answer.get("citations") or candidate.answer.get("nearest") or ()
    return {n: str(row.get("quote", "")) for n, row in enumerate(rows, start=1) if isinstance(row, dict)}


def make_plain(text: str) -> str:
    """Drop what could command a terminal: people's texts are shown to the person who reviews them."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))


def _tell_same(session: _Session, candidate: Candidate) -> None:
    same = [s.id for s in _read(session.questions) if s.turns == candidate.turns]
    if same:
        session.tell(f"题目文件里已有同样的问题：{'、'.join(same)}。 The same question is in the file already.")


def _read(questions: Path) -> tuple[Sample, ...]:
    """The questions there are; none yet where the file is new or empty."""
    if not questions.exists() or not questions.read_bytes().strip():
        return ()
    return read_questions(questions)


def _accept(session: _Session, candidate: Candidate) -> str | None:
    """Let the person write the row until it fits; ``None`` where it was given up."""
    while True:
        values = _write_row(session, candidate)
        identity = choose_id([sample.id for sample in _read(session.questions)])
        try:
            _check(values, identity, session)
        except InputInvalid as error:
            session.tell(str(error))
            if session.choose("重填 y、以后再说 n (again, or later)", "yn", "y") == "n":
                return None
            continue
        session.tell(make_plain(json.dumps({"id": identity, **values}, ensure_ascii=False)))
        if session.choose("收入这一题吗？ Add it? y / n", "yn", "y") == "n":
            return None
        append_row(session.questions, {"id": identity, **values})
        session.decide(candidate, "accepted", identity)
        return identity


def _write_row(session: _Session, candidate: Candidate) -> dict[str, Any]:
    total = len(candidate.turns)
    turns = [session.ask(f"提问 turn {n} / {total}", turn).strip() for n, turn in enumerate(candidate.turns, start=1)]
    answerable = session.choose("资料里有答案吗？ Do the documents answer it? y / n", "yn", "y") == "y"
    usual = "refuse" if not answerable else "followup" if total > 1 else "fact"
    kind = session.ask("类别 kind", usual).strip()
    must = _ask_groups(session, "要点，写法之间用 | 分开 must, alternatives between |") if answerable else []
    must_not = [text for group in _ask_groups(session, "不许出现 must not stand there") for text in group]
    evidence = _ask_evidence(session, candidate) if answerable else []
    return {
        "kind": kind,
        "turns": turns,
        "must": must,
        "must_not": must_not,
        "evidence": evidence,
        "answerable": answerable,
    }


def _ask_groups(session: _Session, what: str) -> list[list[str]]:
    """One group a line, until an empty one."""
    groups: list[list[str]] = []
    while line := session.ask(f"{what} {len(groups) + 1}（{_END}）", "").strip():
        groups.append([part.strip() for part in line.replace("｜", "|").split("|") if part.strip()])
    return [group for group in groups if group]


def _ask_evidence(session: _Session, candidate: Candidate) -> list[list[str]]:
    """One exact quote a line, each verified; ``[1]`` stands for the quote with that number."""
    quotes, groups = _quotes(candidate), list[list[str]]()
    while line := session.ask(f"原文证据 exact quote {len(groups) + 1}，[1] 取上面的引文（{_END}）", "").strip():
        group = [_take_quote(part.strip(), quotes) for part in line.replace("｜", "|").split("|") if part.strip()]
        lost = [part for part in group if not find_spans(part, session.corpus)]
        if lost:
            session.tell(f"不在资料原文中，请照抄原文。 Not in the documents; copy it exactly: {lost[0]}")
        elif group:
            groups.append(group)
    return groups


def _take_quote(text: str, quotes: Mapping[int, str]) -> str:
    match = _QUOTE.fullmatch(text)
    return quotes.get(int(match[1]), text) if match else text


def _check(values: Mapping[str, Any], identity: str, session: _Session) -> None:
    """Raise ``InputInvalid`` where the row would not pass the check of the file, or could never be scored."""
    samples = check_rows([Row("这一题 this question", {"id": identity, **values})], session.questions.name)
    check_evidence(samples, session.corpus, session.questions.name)
    if samples[0].answerable and not samples[0].must:
        raise InputInvalid("请至少写一个要点，否则无法判断对错。 Give at least one key point; nothing could be scored.")


def choose_id(taken: Iterable[str]) -> str:
    """The number after the highest one, in the way that most ids of the file are written."""
    parts = [match for identity in taken if (match := _NUMBER.fullmatch(identity))]
    if not parts:
        return "q001"
    prefix = Counter(match[1] for match in parts).most_common(1)[0][0]
    numbers = [match[2] for match in parts if match[1] == prefix]
    return f"{prefix}{max(map(int, numbers)) + 1:0{max(map(len, numbers))}d}"


def append_row(questions: Path, row: Mapping[str, Any]) -> None:
    """Add a line to a question file such that a kill leaves either the old file or the new one."""
    questions = questions.resolve()  # a link stays one
    try:
        before = questions.read_bytes().decode("utf-8") if questions.exists() else ""
    except UnicodeDecodeError as error:
        raise InputInvalid(f"{questions}：不是 UTF-8，请先另存为 UTF-8。 Not UTF-8; save it as UTF-8 first.") from error
    if before and not before.endswith("\n"):
        before += "\n"
    questions.parent.mkdir(parents=True, exist_ok=True)
    write_whole(questions, before + json.dumps(row, ensure_ascii=False) + "\n")
