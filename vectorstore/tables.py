"""Rows of tables -> rows in which every cell is read with the head of its column: ``标准：480元``.

A figure in a table says what it is a figure of only together with the head above it. The words of the head are put
before the cell in what a reader sees and a search finds; they have the cell's own place in the file, so that the quote
stays the row. A row with another number of cells than the head (cells that were joined) is left as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from vectorstore.markup import Block, Furniture, Layout

HEAD = "表头，随各行一起读 / head of a table, read with each of its rows"
_LONGEST_HEAD = 16  # characters of a column's head
_SENTENCE_MARK = re.compile("[。！？；;!?，,：:]")
_DIGIT = re.compile(r"\d")
_CELL = re.compile(rf"(?:^|(?<= ))[^\s。！？；;!?，,：:“”《》]{{1,{_LONGEST_HEAD}}}：(?=\S)")
_RULE = re.compile(r"[\s|:：-]+")  # between head and body in Markdown


def read_tables(layout: Layout) -> Layout:
    """Read the rows of every table with its head, which becomes furniture."""
    blocks: list[Block] = []
    furniture = list(layout.furniture)
    for rows, run in groupby(layout.blocks, key=lambda block: bool(block.cells)):
        if not rows:
            blocks.extend(run)
            continue
        heads, read = _read_table(list(run))
        blocks.extend(read)
        furniture.extend(Furniture(head.start, head.end, HEAD) for head in heads)
    return replace(layout, blocks=tuple(blocks), furniture=tuple(sorted(furniture, key=lambda one: one.start)))


def is_row(plain: str) -> bool:
    """Whether a sentence is such a row: head and cell, head and cell. Half of it would not say what its figures are of."""
    return len(_CELL.findall(plain)) > 1 and _CELL.match(plain) is not None


def split_cells(plain: str, separators: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Give the spans of the cells between separators, without the white space around them."""
    edges = [-1, *separators, len(plain)]
    spans = []
    for left, right in pairwise(edges):
        cell = plain[left + 1 : right]
        start = left + 1 + len(cell) - len(cell.lstrip())
        spans.append((min(start, right), max(min(start, right), left + 1 + len(cell.rstrip()))))
    return tuple(spans)


def cut_cells(block: Block, cells: Sequence[tuple[int, int]]) -> Block:
    """Take the white space off a row and give it its cells; a row of one cell is none."""
    left = len(block.plain) - len(block.plain.lstrip())
    right = len(block.plain.rstrip())
    kept = tuple(
        (min(max(start - left, 0), right - left), min(max(end - left, 0), right - left)) for start, end in cells
    )
    return replace(
        block,
        plain=block.plain[left:right],
        starts=block.starts[left:right],
        ends=block.ends[left:right],
        cells=kept if len(kept) > 1 else (),
    )


def _read_table(rows: list[Block]) -> tuple[list[Block], list[Block]]:
    """Give the head of a table, if it has one, and the rows that are left."""
    rule = len(rows) > 1 and _RULE.fullmatch(rows[1].plain) is not None
    names = _cells_of(rows[0])
    body = rows[2:] if rule else rows[1:]
    if not body or not _is_head(names, body, ruled=rule):
        return [], rows
    between = rows[1:2] if rule else []
    return [rows[0]], [*between, *(_read_row(row, names) for row in body)]


def _is_head(names: Sequence[str], body: Sequence[Block], *, ruled: bool) -> bool:
    """Whether the first row names the columns: short words, without a figure where no rule stands below it."""
    if len(names) < 2 or any(len(name) > _LONGEST_HEAD or _SENTENCE_MARK.search(name) for name in names):
        return False
    if ruled:
        return any(names)
    named = all(name and not _DIGIT.search(name) for name in names) and len(set(names)) == len(names)
    fitting = [row for row in body if len(row.cells) == len(names)]
    return named and any(_DIGIT.search(row.plain) for row in fitting)


def _cells_of(row: Block) -> list[str]:
    return [" ".join(row.plain[start:end].split()) for start, end in row.cells]


def _read_row(row: Block, names: Sequence[str]) -> Block:
    if len(row.cells) != len(names):
        return row
    chars: list[tuple[str, int, int]] = []
    cells: list[tuple[int, int]] = []
    for (start, end), name in zip(row.cells, names, strict=True):
        if start == end:
            continue
        at = row.starts[start]
        chars.extend((char, at, at) for char in (" " if chars else ""))
        begin = len(chars)
        if name and name != row.plain[start:end]:
            chars.extend((char, at, at) for char in f"{name}：")
        chars.extend(zip(row.plain[start:end], row.starts[start:end], row.ends[start:end], strict=True))
        cells.append((begin, len(chars)))
    if not chars:
        return row
    plain = "".join(char for char, _, _ in chars)
    return replace(row, plain=plain, starts=[s for _, s, _ in chars], ends=[e for _, _, e in chars], cells=tuple(cells))
