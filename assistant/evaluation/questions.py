"""A file of labelled questions (JSON Lines, CSV, Excel) in, checked samples out; or every row that does not fit.

A cell of a table holds one group a line, the alternatives of a group between ``|``; or the same JSON as in JSON Lines.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from assistant.errors import InputInvalid
from assistant.evaluation.compare import make_comparable, stands_in
from assistant.evaluation.score import Sample, find_spans

COLUMNS = ("id", "kind", "turns", "must", "must_not", "evidence", "answerable")
_TRUE = {"true", "yes", "y", "1", "是", "对", "真"}
_FALSE = {"false", "no", "n", "0", "否", "错", "假"}
_LINES = {".jsonl", ".ndjson"}
_TABLES = {".csv", ".xlsx"}


@dataclass(frozen=True, slots=True)
class Row:
    """One question as it stands in the file."""

    place: str  # where it stands, for messages: 第3行 line 3
    values: Mapping[str, Any]
    problem: str = ""  # why it could not be read at all


def read_questions(path: Path) -> tuple[Sample, ...]:
    """Read and check a file of questions; raises ``InputInvalid`` with every row that does not fit."""
    if not path.is_file():
        raise InputInvalid(f"找不到题目文件 {path}。 There is no question file {path}.")
    suffix = path.suffix.lower()
    if suffix in _LINES:
        rows = list(_read_lines(_decode(path)))
    elif suffix == ".csv":
        rows = list(_read_csv(_decode(path)))
    elif suffix == ".xlsx":
        from assistant.evaluation.spreadsheet import read_rows

        rows = [Row(f"第{n}行 row {n}", _read_cells(cells)) for n, cells in read_rows(path)]
    else:
        raise InputInvalid(
            f"{path.name}：题目文件要是 .jsonl、.csv 或 .xlsx；SQuAD 格式请加 --format squad。"
            " Questions are .jsonl, .csv or .xlsx; for the SQuAD form add --format squad."
        )
    return check_rows(rows, path.name)


def check_rows(rows: Sequence[Row], name: str) -> tuple[Sample, ...]:
    """Turn rows into samples; raises ``InputInvalid`` naming every row of the file ``name`` that does not fit."""
    if not rows:
        raise InputInvalid(f"{name}：没有题目。 There are no questions in it.")
    samples: list[Sample] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    for row in rows:
        found = [row.problem] if row.problem else list(_find_problems(row.values))
        identity = _read_id(row.values.get("id"))
        if identity and identity in seen:
            found.append(f"id {identity} 与{seen[identity]}重复 is used twice")
        seen.setdefault(identity, row.place)
        problems += [f"{row.place}: {problem}" for problem in found]
        if not found:
            samples.append(_make_sample(row.values))
    _refuse(problems, name)
    return tuple(samples)


def check_evidence(samples: Iterable[Sample], corpus: Mapping[str, str], name: str) -> None:
    """Raise ``InputInvalid`` with every evidence group of which no quote stands in the corpus."""
    problems = [
        f"{sample.id}: evidence 不在语料中 does not stand in the corpus: {group[0][:60]}"
        for sample in samples
        for group in sample.evidence
        if not any(find_spans(quote, corpus) for quote in group)
    ]
    _refuse(problems, name)


def _refuse(problems: Sequence[str], name: str) -> None:
    if problems:
        head = f"{name}：{len(problems)} 处不合格式，没有开始评测。 {len(problems)} problems, nothing was run."
        raise InputInvalid("\n".join([head, *(f"  {problem}" for problem in problems)]))


def _decode(path: Path) -> str:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):  # Excel in China saves CSV as GB18030
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputInvalid(f"{path}：不是 UTF-8 或 GB18030 编码。 Neither UTF-8 nor GB18030; save it as UTF-8.")


def _read_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"第{number}行 line {number}"
        try:
            values = json.loads(line)
        except ValueError as error:
            yield Row(place, {}, f"不是 JSON not JSON: {error}")
            continue
        if isinstance(values, dict):
            yield Row(place, values)
        else:
            yield Row(place, {}, "不是 JSON 对象 not a JSON object")


def _read_csv(text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                continue
            place = f"第{line}行 line {line}"
            surplus = (
                "" if len(cells) <= len(header) else f"有 {len(cells)} 格，表头只有 {len(header)} 格 too many cells"
            )
            yield Row(place, _read_cells(dict(zip(header, cells, strict=False))), surplus)
    except csv.Error as error:
        yield Row(f"第{reader.line_num}行 line {reader.line_num}", {}, f"不是 CSV not CSV: {error}")


def _read_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _read_cell(name, value) for name, value in cells.items() if name and value not in (None, "")}


def _read_cell(name: str, value: object) -> object:
    """Turn a cell of a table into what JSON Lines would hold; what cannot be read stays and is found by the check."""
    if name == "answerable" and isinstance(value, str):
        word = value.strip().casefold()
        return True if word in _TRUE else False if word in _FALSE else value
    if isinstance(value, (date, time, bool)) or name not in ("turns", "must", "must_not", "evidence"):
        return value
    text = str(value).strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if name == "turns":
        return lines
    groups = [[part.strip() for part in line.replace("｜", "|").split("|") if part.strip()] for line in lines]
    return [part for group in groups for part in group] if name == "must_not" else groups


def _read_id(value: object) -> str:
    return str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _find_problems(values: Mapping[str, Any]) -> Iterator[str]:
    yield from _find_misspelt(values)
    if not _read_id(values.get("id")):
        yield "缺少 id has no id"
    if not _is_texts(values.get("turns")):
        yield "turns 要是一句或多句提问 must be one or more questions"
    if not isinstance(values.get("kind", "general"), (str, int)) or not str(values.get("kind", "general")).strip():
        yield "kind 要是文字 must be text"
    if not isinstance(values.get("answerable", True), bool):
        yield f"answerable 要是 true 或 false must be true or false: {values['answerable']!r}"
    for name in ("must", "evidence"):
        if not _is_groups(values.get(name, [])):
            yield f'{name} 要是若干组文字 must be groups of texts, such as [["37", "三十七"]]'
    if values.get("must_not", []) and not _is_texts(values["must_not"]):
        yield "must_not 要是若干文字 must be a list of texts"
    yield from _find_contradictions(values)


def _find_misspelt(values: Mapping[str, Any]) -> Iterator[str]:
    for name in values:
        near = get_close_matches(name.strip().casefold(), COLUMNS, n=1, cutoff=0.75)
        if near and name not in COLUMNS:
            yield f"没有 {name} 这一项，是不是 {near[0]}？ no such key, did you mean {near[0]}?"


def _find_contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    must, must_not = values.get("must", []), values.get("must_not", [])
    if not _is_groups(must) or not (must_not == [] or _is_texts(must_not)):
        return
    empty = [
        text for text in (*(text for group in must for text in group), *must_not) if not make_comparable(text).text
    ]
    for text in empty:
        yield f"{text!r} 比较时是空的 is empty when it is compared"
    for group in must:
        if not empty and all(any(stands_in(bad, good) for bad in must_not) for good in group):
            yield f"must 与 must_not 矛盾 contradict each other: {' / '.join(group)}"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) and text.strip() for text in value)


def _is_groups(value: object) -> bool:
    return isinstance(value, list) and all(_is_texts(group) for group in value)


def _make_sample(values: Mapping[str, Any]) -> Sample:
    return Sample(
        id=_read_id(values["id"]),
        kind=str(values.get("kind", "general")).strip(),
        turns=tuple(values["turns"]),
        must=tuple(tuple(group) for group in values.get("must", [])),
        must_not=tuple(values.get("must_not", [])),
        evidence=tuple(tuple(group) for group in values.get("evidence", [])),
        answerable=values.get("answerable", True),
    )


_EXAMPLES = (
    ("q001", "fact", "某县明年要修多少公里步道？", "37公里", "", "修建步道37公里", "true"),
    ("q002", "followup", "某县明年要修多少公里步道？\n那长椅呢？", "5千张 | 5000张", "37公里", "", "true"),
    ("q003", "refuse", "某县明年要修多少座灯塔？", "", "", "", "false"),
)


def write_template(path: Path) -> None:
    """Write a file to fill in: ``.xlsx``, ``.csv`` or ``.jsonl``; raises ``InputInvalid`` where the file exists."""
    suffix = path.suffix.lower()
    if suffix not in _TABLES | _LINES:
        raise InputInvalid(f"{path.name}：模板要是 .xlsx、.csv 或 .jsonl。 A template is .xlsx, .csv or .jsonl.")
    if path.exists():
        raise InputInvalid(f"{path} 已经存在，请换个名字。 It exists already; choose another name.")
    if suffix == ".xlsx":
        from assistant.evaluation.spreadsheet import write_sheet

        write_sheet(path, COLUMNS, _EXAMPLES)
    elif suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:  # Excel needs the mark to read Chinese
            csv.writer(file).writerows([COLUMNS, *_EXAMPLES])
    else:
        rows = [_read_cells(dict(zip(COLUMNS, example, strict=True))) for example in _EXAMPLES]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
