"""An Excel workbook in, its rows as they look out; and a workbook to fill in. The only module that knows openpyxl."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from assistant.errors import InputInvalid

_WIDTHS = {"id": 10, "kind": 12, "turns": 48, "must": 28, "must_not": 28, "evidence": 48, "answerable": 12}
_HELP = (
    ("id", "题目的名字，不重复。 A name of its own."),
    ("kind", "题目的类别，报告按它分组。 The report is grouped by it."),
    ("turns", "用户的话，一行一句，最后一句评分。 What the user says, one turn a line; the last answer is graded."),
    (
        "must",
        "回答里必须有的，一行一组，组内用 | 隔开任选其一。 One group a line; alternatives between |.",
    ),
    ("must_not", "回答里不许有的，一行一个。 What must not stand in the answer, one a line."),
    ("evidence", "资料原文，一行一组，同 must。 Exact quotes of the documents, in groups as in must."),
    ("answerable", "资料里有答案填 true，应当拒答填 false。 false where the right answer is to refuse."),
)


def read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Read the first sheet: the row's number and its cells by the names of the first row that is not empty.

    Numbers become text as they look in the sheet (``120``, ``25%``), so that they can be compared with an answer.
    Raises ``InputInvalid`` where the file is no workbook.
    """
    try:
        workbook = load_workbook(path, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise InputInvalid(f"{path}：不是 Excel 工作簿（.xlsx）。 Not an Excel workbook (.xlsx): {error}") from error
    rows: list[tuple[int, dict[str, Any]]] = []
    header: list[str] | None = None
    for row in workbook.worksheets[0].iter_rows():
        values = [_read_value(cell) for cell in row]
        if all(value in (None, "") for value in values):
            continue
        if header is None:
            header = ["" if value is None else str(value).strip() for value in values]
        else:
            rows.append((int(row[0].row or 0), dict(zip(header, values, strict=True))))
    workbook.close()
    return rows


def _read_value(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        percent = isinstance(cell.number_format, str) and cell.number_format.endswith("%")
        return f"{value * 100:.10g}%" if percent else f"{value:.15g}"
    return value.strip() if isinstance(value, str) else value


def write_sheet(path: Path, columns: Sequence[str], examples: Sequence[Sequence[str]]) -> None:
    """Write a workbook with an empty table to fill in, and a second sheet that explains it with examples."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "questions"
    sheet.append(list(columns))
    _dress(sheet, columns)
    choice = DataValidation(type="list", formula1='"true,false"', allow_blank=True)
    last = get_column_letter(len(columns))
    choice.add(f"{last}2:{last}2000")
    sheet.add_data_validation(choice)
    help_sheet = workbook.create_sheet("说明 help")
    help_sheet.append(list(columns))
    for example in examples:
        help_sheet.append(list(example))
    _dress(help_sheet, columns)
    for line in ((), *_HELP):
        help_sheet.append(list(line))
    workbook.save(path)


def _dress(sheet: Worksheet, columns: Sequence[str]) -> None:
    sheet.freeze_panes = "A2"
    for number, name in enumerate(columns, start=1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(name, 20)
    for row in sheet.iter_rows(min_row=1, max_row=max(sheet.max_row, 200), max_col=len(columns)):
        for cell in row:
            if isinstance(cell, Cell):
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                cell.number_format = "@"  # text: Excel must not turn 2024-1 into a date
