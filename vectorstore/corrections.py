"""``sources.toml`` -> what a person says of the files of the corpus: title, publisher, date, and corrected labels.

Every mistake in the file is an error that names the file, the table and the key: a correction that silently does nothing
would leave the wrong label that somebody set out to correct.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from vectorstore.errors import CorrectionInvalid, SourceUnreadable
from vectorstore.gazetteer import Gazetteer
from vectorstore.read import read_document
from vectorstore.types import LabelCorrection, Part, SourceFacts

_FACTS = {"title", "publisher", "published", "correct"}
_CORRECTION = {"after", "region", "year", "part"}
_FIRST_YEAR, _LAST_YEAR = 1949, 2100


def read_source_facts(path: Path) -> dict[str, SourceFacts]:
    """Read ``sources.toml``; its tables are named after the files beside it. An absent file says nothing.

    Raises:
        CorrectionInvalid: the file is not TOML, has an unknown key or a wrong value, names a file that is not there,
            or corrects a string that does not stand in that file exactly once.
    """
    if not path.exists():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorrectionInvalid(
            f"{path.name}：不是有效的 TOML（{error}）。 It is not valid TOML: correct that line."
        ) from error
    return {name: _facts(path, name, table) for name, table in tables.items()}


def _fail(path: Path, where: str, chinese: str, english: str) -> CorrectionInvalid:
    return CorrectionInvalid(f"{path.name} [{where}]：{chinese}。 {english}.")


def _facts(path: Path, source: str, table: object) -> SourceFacts:
    where = f'"{source}"'
    if not isinstance(table, Mapping):
        raise _fail(path, where, "应是以文件名命名的表", "It has to be a table named after a file")
    _check_keys(path, where, table, _FACTS)
    if not (path.parent / source).is_file():
        raise _fail(path, where, "没有这个文件，请改正文件名", "There is no such file: correct the name")
    entries = table.get("correct", [])
    if not isinstance(entries, list):
        raise _fail(path, f"{where}.correct", "应写作 [[…correct]]", "Write it as [[….correct]]")
    text = _text_of(path, source) if entries else ""
    corrections = tuple(
        _correction(path, source, f"{where}.correct {number}", entry, text) for number, entry in enumerate(entries, 1)
    )
    return SourceFacts(
        title=_string(path, where, table, "title"),
        publisher=_string(path, where, table, "publisher"),
        published=_date(path, where, table),
        corrections=corrections,
    )


def _text_of(path: Path, source: str) -> str:
    try:
        return read_document(path.parent / source).text
    except SourceUnreadable as error:
        raise CorrectionInvalid(f'{path.name} ["{source}"]：{error}') from error


def _check_keys(path: Path, where: str, table: Mapping[str, object], known: set[str]) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise _fail(
            path,
            where,
            f"不认识的键 {unknown[0]}，可用的键：{'、'.join(sorted(known))}",
            f"Unknown key {unknown[0]}: correct it",
        )


def _string(path: Path, where: str, table: Mapping[str, object], key: str) -> str | None:
    value = table.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise _fail(path, where, f"{key} 应是不空的字符串", f"{key} has to be a string that is not empty")
    return value


def _date(path: Path, where: str, table: Mapping[str, object]) -> date | None:
    value = table.get("published")
    if isinstance(value, datetime):
        return value.date()
    if value is not None and not isinstance(value, date):
        raise _fail(path, where, "published 应是日期，如 2024-01-21", "published has to be a date such as 2024-01-21")
    return value


def _correction(path: Path, source: str, where: str, entry: object, text: str) -> LabelCorrection:
    if not isinstance(entry, Mapping):
        raise _fail(path, where, "应是表", "It has to be a table")
    _check_keys(path, where, entry, _CORRECTION)
    after = _string(path, where, entry, "after")
    if after is None or text.count(after) != 1:
        times = text.count(after) if after else 0
        raise _fail(
            path,
            where,
            f"after 的文字在文件中应恰好出现一次，实际 {times} 次",
            f"after has to stand in the file once, it stands {times} times",
        )
    region = _string(path, where, entry, "region")
    if region is not None and Gazetteer.load().province_of(region) is None:
        raise _fail(path, where, f"region 不是已知的省份：{region}", f"region is no known province: {region}")
    year = entry.get("year")
    if year is not None and (
        not isinstance(year, int) or isinstance(year, bool) or not _FIRST_YEAR <= year <= _LAST_YEAR
    ):
        raise _fail(path, where, "year 应是四位年份", "year has to be a year of four digits")
    part = entry.get("part")
    if part is not None and part not in set(Part):
        raise _fail(path, where, "part 应是 review 或 tasks", "part has to be review or tasks")
    province = Gazetteer.load().province_of(region) if region else None
    return LabelCorrection(source, after, province, year, Part(part) if part else None)
