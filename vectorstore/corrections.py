"""``sources.toml`` <-> what a person says of the files of the corpus: title, publisher, date, and corrected labels.

There is one beside the files of a folder, written by hand, and one in the data folder, which holds the labels that were
corrected on the page: that one names documents by their names in the index, survives every new index, is written here,
and is applied last. A folder that was given is never written to.

Every mistake in such a file is an error that names the file, the table and the key: a correction that silently does
nothing would leave the wrong label that somebody set out to correct.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from vectorstore.by_hand import NAMES
from vectorstore.confine import read_confined
from vectorstore.errors import CorrectionInvalid, SourceUnreadable
from vectorstore.gazetteer import Gazetteer
from vectorstore.kinds import EXTRACTED, MEDIA
from vectorstore.read import read_document
from vectorstore.types import LabelCorrection, Part, SourceFacts

_FACTS = {"title", "publisher", "published", "correct"}
_CORRECTION = {"after", "region", "year", "part", "clear"}
_HEAD = """# Labels that were corrected on the page; they win over what was inferred and over the sources.toml of a folder.
# A table is named after a document as it is called in the index; the rest is as in a sources.toml beside the files.
# "clear" names labels that the section has none of.
"""
_FIRST_YEAR, _LAST_YEAR = 1949, 2100


def read_source_facts(path: Path) -> dict[str, SourceFacts]:
    """Read ``sources.toml``; its tables are named after the files beside it. An absent file says nothing.

    Raises:
        CorrectionInvalid: the file is not TOML, has an unknown key or a wrong value, names a file that is not there,
            or corrects a string that does not stand in that file exactly once.
    """
    return {name: _facts(path, name, table) for name, table in _read_tables(path).items()}


def _read_tables(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorrectionInvalid(
            f"{path.name}：不是有效的 TOML（{error}）。 It is not valid TOML: correct that line."
        ) from error


def read_page_corrections(path: Path) -> dict[str, tuple[LabelCorrection, ...]]:
    """Read the corrections that were made on the page, by document. Raises ``CorrectionInvalid``."""
    return {
        name: tuple(
            _correction(path, name, f'"{name}".correct {number}', entry)
            for number, entry in enumerate(_entries(path, name, table), 1)
        )
        for name, table in _read_tables(path).items()
    }


def write_page_corrections(path: Path, corrections: Mapping[str, Sequence[LabelCorrection]]) -> None:
    """Write them, in place of what was there, whole or not at all."""
    lines = [_HEAD]
    for name in sorted(corrections):
        for correction in corrections[name]:
            lines.append(f"\n[[{_quote(name)}.correct]]\nafter = {_quote(correction.after)}\n")
            if correction.region is not None:
                lines.append(f"region = {_quote(correction.region)}\n")
            if correction.year is not None:
                lines.append(f"year = {correction.year}\n")
            if correction.part is not None:
                lines.append(f"part = {_quote(correction.part.value)}\n")
            if correction.clear:
                lines.append(f"clear = [{', '.join(map(_quote, correction.clear))}]\n")
    new = path.with_name(path.name + ".new")
    new.write_text("".join(lines), encoding="utf-8")
    new.replace(path)


def _quote(text: str) -> str:
    """Write a string as TOML does: as JSON, and the one character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def check_correction(region: str | None, year: int | None) -> str | None:
    """Give the province in its short form; raises ``ValueError`` where there is none of that name, or no such year."""
    if year is not None and not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise ValueError(year)
    province = Gazetteer.load().province_of(region) if region else None
    if region and province is None:
        raise ValueError(region)
    return province


def _fail(path: Path, where: str, chinese: str, english: str) -> CorrectionInvalid:
    return CorrectionInvalid(f"{path.name} [{where}]：{chinese}。 {english}.")


def _facts(path: Path, source: str, table: object) -> SourceFacts:
    where = f'"{source}"'
    entries = _entries(path, source, table)
    assert isinstance(table, Mapping)
    if not (path.parent / source).is_file():
        raise _fail(path, where, "没有这个文件，请改正文件名", "There is no such file: correct the name")
    text = _text_of(path, source) if entries else ""
    corrections = []
    for number, entry in enumerate(entries, 1):
        corrections.append(_correction(path, source, f"{where}.correct {number}", entry))
        _check_place(path, f"{where}.correct {number}", corrections[-1].after, text)
    return SourceFacts(
        title=_string(path, where, table, "title"),
        publisher=_string(path, where, table, "publisher"),
        published=_date(path, where, table),
        corrections=tuple(corrections),
    )


def _entries(path: Path, source: str, table: object) -> list[object]:
    """Give the corrections that a table holds, unread."""
    where = f'"{source}"'
    if not isinstance(table, Mapping):
        raise _fail(path, where, "应是以文件名命名的表", "It has to be a table named after a file")
    _check_keys(path, where, table, _FACTS)
    entries = table.get("correct", [])
    if not isinstance(entries, list):
        raise _fail(path, f"{where}.correct", "应写作 [[…correct]]", "Write it as [[….correct]]")
    return entries


def _text_of(path: Path, source: str) -> str:
    try:
        file = path.parent / source
        confined = MEDIA.get(file.suffix.lower()) in EXTRACTED
        return (read_confined(file) if confined else read_document(file)).text
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


def _check_place(path: Path, where: str, after: str, text: str) -> None:
    if text.count(after) != 1:
        raise _fail(
            path,
            where,
            f"after 的文字在文件中应恰好出现一次，实际 {text.count(after)} 次",
            f"after has to stand in the file once, it stands {text.count(after)} times",
        )


def _correction(path: Path, source: str, where: str, entry: object) -> LabelCorrection:
    if not isinstance(entry, Mapping):
        raise _fail(path, where, "应是表", "It has to be a table")
    _check_keys(path, where, entry, _CORRECTION)
    after = _string(path, where, entry, "after")
    if after is None:
        raise _fail(path, where, "缺少 after", "after is missing")
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
    clear = entry.get("clear", [])
    if not isinstance(clear, list) or not set(clear) <= set(NAMES):
        raise _fail(path, where, "clear 应是 region、year、part 的列表", "clear has to be a list of region, year, part")
    province = Gazetteer.load().province_of(region) if region else None
    return LabelCorrection(source, after, province, year, Part(part) if part else None, tuple(clear))
