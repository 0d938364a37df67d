r"""Paragraphs taken out of a PDF or a Word file <-> the text that the index keeps of it, and that text -> layout.

The text is what a person reads in the panel and what sentences point into: one paragraph, heading or table row a line,
however many lines it had on paper. Four characters that no paragraph holds say what a line is:

=============  ===========================================================================
``\f`` first   a line of the page and not of the text: page number, header, table of contents
``\x01`` first a heading, as many of them as its level
``\t`` first   an item of a list
``\t`` inside  between two cells of a table row
=============  ===========================================================================
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from vectorstore.markup import Block, Furniture, Layout, find_lines
from vectorstore.tables import cut_cells, split_cells

PAGE = "\f"
_HEADING = "\x01"
_CELL = "\t"
_HIGHEST = 6
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
# Fonts of PDFs lead some glyphs to the radical that looks like the character, or to a ligature; nobody writes those.
_LOOKALIKE = re.compile("[\u2e80-\u2fdf\uf900-\ufaff\ufb00-\ufb06]")
_REASON = "页眉、页脚、页码或目录 / header, footer, page number or contents"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of the text; ``cells`` has more than one entry for a table row."""

    cells: tuple[str, ...]
    level: int = 0
    item: bool = False
    page: bool = False  # of the page and not of the text


def clean(text: str) -> str:
    """Put text on one line, without what cannot be shown, look-alikes of characters made the characters themselves."""
    plain = _CONTROL.sub("", _SPACE.sub(" ", text))
    return _LOOKALIKE.sub(lambda match: unicodedata.normalize("NFKC", match.group()), plain).strip()


def write_extracted(paragraphs: Iterable[Paragraph]) -> str:
    """Write paragraphs as the text that ``read_extracted`` reads; empty ones are left out."""
    return "".join(f"{line}\n" for line in map(_write_line, paragraphs) if line)


def _write_line(paragraph: Paragraph) -> str:
    cells = [clean(cell) for cell in paragraph.cells]
    if not any(cells):
        return ""
    if paragraph.page:
        return PAGE + " ".join(cells)
    if paragraph.level:
        return _HEADING * min(paragraph.level, _HIGHEST) + " ".join(cells)
    return (_CELL if paragraph.item else "") + _CELL.join(cells).strip(_CELL)


def read_extracted(text: str) -> Layout:
    """Cut the text into blocks: a line is a block, lines of the page are furniture."""
    blocks: list[Block] = []
    furniture: list[Furniture] = []
    for start, end in find_lines(text):
        if start and text[start - 1] == PAGE:
            furniture.append(Furniture(start, end, _REASON))
            continue
        level = 0
        while level < _HIGHEST and text.startswith(_HEADING, start + level):
            level += 1
        item = (start > 0 and text[start - 1] == _CELL) or _CELL in text[start:end]
        start += level
        plain = text[start:end].replace(_CELL, " ")
        if plain:
            block = Block(plain, range(start, end), range(start + 1, end + 1), level, item)
            tabs = [at for at, char in enumerate(text[start:end]) if char == _CELL]
            blocks.append(cut_cells(block, split_cells(plain, tabs)) if tabs else block)
    return Layout(tuple(blocks), tuple(furniture))


def show_extracted(text: str) -> str:
    """Give the text for a person who wants to see what was taken out of a file: with marks that can be seen."""
    lines = []
    for line in text.replace(PAGE, "\n\n── ").split("\n"):
        level = len(line) - len(line.lstrip(_HEADING))
        shown = f"{'#' * level} {line[level:]}" if level else line
        lines.append(f"· {shown[1:]}" if shown.startswith(_CELL) else shown.replace(_CELL, " | "))
    return "\n".join(lines).lstrip("\n")
