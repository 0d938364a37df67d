"""Results of an evaluation <-> ``results.jsonl`` (a line per question, safe against a kill) and ``results.csv``."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputInvalid
from assistant.evaluation.score import MEASURES, Asked, Sample, Score, score_answer, score_failure

RESULTS = "results.jsonl"
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "＝",
    "＋",
    "－",
    "＠",
    "\t",
    "\r",
    "\n",
)  # a spreadsheet would run a cell that starts so


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one question."""

    id: str
    kind: str
    turns: tuple[str, ...]
    replies: tuple[str, ...]  # what the program answered to the turns before the last
    answer: Mapping[str, Any] | None  # its public JSON form; None where there is none
    error: str | None  # why there is none
    asked: Asked
    scores: Mapping[str, Score]

    @property
    def correct(self) -> float | None:
        """The score that a person asks for first."""
        return self.scores["correct"].value

    def to_json(self) -> dict[str, Any]:
        """Give the public form, a line of ``results.jsonl``."""
        return {
            "id": self.id,
            "kind": self.kind,
            "turns": list(self.turns),
            "replies": list(self.replies),
            "asked": {"regions": sorted(self.asked.regions), "years": sorted(self.asked.years)},
            "answer": self.answer,
            "error": self.error,
            "scores": {name: score.to_json() for name, score in self.scores.items()},
        }


def grade(
    sample: Sample,
    answer: Mapping[str, Any] | None,
    corpus: Mapping[str, str],
    *,
    asked: Asked,
    replies: Sequence[str] = (),
    error: str | None = None,
) -> Result:
    """Score an answer, or the lack of one, against its question."""
    scores = score_failure(error or "") if answer is None else score_answer(sample, answer, corpus, asked)
    return Result(sample.id, sample.kind, sample.turns, tuple(replies), answer, error, asked, scores)


def append_result(path: Path, result: Result) -> None:
    """Add a line and wait until it is on the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_to_line(result))
        file.flush()
        os.fsync(file.fileno())


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Replace the whole file at once."""
    write_whole(path, "".join(_to_line(result) for result in results))


def write_whole(path: Path, text: str) -> None:
    """Write a file such that a kill leaves either the old one or the new one."""
    scratch = path.with_name(path.name + ".new")
    with scratch.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _to_line(result: Result) -> str:
    return json.dumps(result.to_json(), ensure_ascii=False) + "\n"


def read_results(path: Path) -> tuple[Result, ...]:
    """Read ``results.jsonl``; a last line that was not finished is left out.

    Raises ``InputInvalid`` where there is no such file or another line is broken.
    """
    if not path.is_file():
        raise InputInvalid(f"找不到评测结果 {path}。 There are no results at {path}.")
    lines = path.read_bytes().split(b"\n")  # a kill can cut a character in two, so the bytes are split first
    finished, rest = lines[:-1], lines[-1]
    results = [_read_line(line, f"{path}:{number}") for number, line in enumerate(finished, start=1) if line.strip()]
    if rest.strip():
        with suppress(InputInvalid):
            results.append(_read_line(rest, path.name))
    return tuple(results)


def _read_line(line: bytes, place: str) -> Result:
    try:
        data = json.loads(line.decode("utf-8"))
        asked = data.get("asked") or {"regions": [], "years": []}
        return Result(
            id=data["id"],
            kind=data["kind"],
            turns=tuple(data["turns"]),
            replies=tuple(data.get("replies", ())),
            answer=data["answer"],
            error=data.get("error"),
            asked=Asked(frozenset(asked["regions"]), frozenset(asked["years"])),
            scores={name: Score(score["value"], score["reason"]) for name, score in data["scores"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputInvalid(
            f"{place}：结果已损坏，请换一个 --out。 A broken line; choose another --out: {error!r}"
        ) from error


def keep_results(path: Path, samples: Sequence[Sample], corpus: Mapping[str, str]) -> dict[str, Result]:
    """Take over what an earlier run asked, scored by today's questions, and make the file say the same.

    Left out, and so asked again: questions without an answer and questions whose turns were changed.
    Raises ``InputInvalid`` where the results are of other questions.
    """
    if not path.is_file():
        return {}
    by_id = {sample.id: sample for sample in samples}
    earlier = read_results(path)
    unknown = [old.id for old in earlier if old.id not in by_id]
    if unknown:
        raise InputInvalid(
            f"{path} 里有 {len(unknown)} 题不在题目文件中（如 {unknown[0]}），请用原来的题目文件，或换一个 --out。"
            " It holds questions that the file lacks; use the same question file or another --out."
        )
    kept: dict[str, Result] = {}
    for old in earlier:
        sample = by_id[old.id]
        if old.answer is not None and old.turns == sample.turns:
            kept[old.id] = grade(sample, old.answer, corpus, asked=old.asked, replies=old.replies)
    write_results(path, kept.values())
    return kept


def write_csv(path: Path, results: Iterable[Result], samples: Mapping[str, Sample]) -> None:
    """Write one row per question for a spreadsheet: with a byte order mark, and no cell is a formula."""
    header = [
        "id",
        "kind",
        "question",
        "expected",
        "answer",
        "refused",
        "error",
        "citations",
        "seconds",
        *MEASURES,
        "reason",
    ]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for result in results:
            writer.writerow([_make_safe(cell) for cell in _make_row(result, samples[result.id])])


def _make_row(result: Result, sample: Sample) -> list[Any]:
    answer = result.answer or {}
    return [
        result.id,
        result.kind,
        "\n".join(result.turns),
        describe_expected(sample),
        answer.get("answer", ""),
        answer.get("refused", ""),
        result.error or "",
        "\n".join(f"[{row['n']}] {row['source']}#{row['start']}-{row['end']}" for row in answer.get("citations", ())),
        answer.get("seconds", {}).get("total", ""),
        *("" if (value := result.scores[name].value) is None else round(value, 4) for name in MEASURES),
        result.scores["correct"].reason,
    ]


def describe_expected(sample: Sample) -> str:
    """Say in one line what makes an answer right."""
    if not sample.answerable:
        return "应拒答 refuse"
    wanted = "; ".join(" / ".join(group) for group in sample.must)
    unwanted = f" · 不许 not: {' / '.join(sample.must_not)}" if sample.must_not else ""
    return wanted + unwanted


def _make_safe(cell: Any) -> Any:
    if isinstance(cell, str) and (cell.startswith(_FORMULA) or cell.lstrip().startswith(_FORMULA)):
        return "'" + cell
    return cell
