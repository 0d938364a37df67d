"""An answer's text in, the pieces that a report draws out: markers that become links, and tables that become tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Piece = tuple[str, int | None]  # text, and the number where it is a marker

_MARKER = re.compile(r"\[(\d+)\]")
_RULE = re.compile(r"\|[\s:|-]*-[\s:|-]*\|")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of an answer: running text, or the rows of a table with its header first."""

    pieces: tuple[Piece, ...] = ()
    rows: tuple[tuple[tuple[Piece, ...], ...], ...] = ()


def make_blocks(text: str) -> tuple[Block, ...]:
    """Cut an answer into text and Markdown tables; only the line breaks around a table are lost."""
    groups = list(_group(text.split("\n")))
    if len(groups) == 1:
        return (_make_block(False, [text]),)
    return tuple(_make_block(table, lines) for table, lines in groups if table or any(lines))


def _group(lines: list[str]) -> Iterator[tuple[bool, list[str]]]:
    """Group the lines of tables and those between: a table is a line with a rule below it, and the rows that follow."""
    at = begun = 0
    while at < len(lines):
        if at + 1 == len(lines) or not lines[at].startswith("|") or not _RULE.fullmatch(lines[at + 1].strip()):
            at += 1
            continue
        end = at + 2
        while end < len(lines) and lines[end].startswith("|"):
            end += 1
        yield False, _trim(lines[begun:at])
        yield True, [lines[at], *lines[at + 2 : end]]
        at = begun = end
    yield False, _trim(lines[begun:])


def _trim(lines: list[str]) -> list[str]:
    return "\n".join(lines).strip("\n").split("\n")


def _make_block(table: bool, lines: list[str]) -> Block:
    if not table:
        return Block(pieces=split_markers("\n".join(lines)))
    return Block(rows=tuple(tuple(split_markers(cell.strip()) for cell in _split_row(line)) for line in lines))


def _split_row(line: str) -> list[str]:
    return line.strip().removeprefix("|").removesuffix("|").split("|")


def split_markers(text: str) -> tuple[Piece, ...]:
    """Cut a text such that each marker is a piece of its own; together they are the text."""
    pieces: list[Piece] = []
    last = 0
    for match in _MARKER.finditer(text):
        pieces += [(text[last : match.start()], None), (match.group(), int(match.group(1)))]
        last = match.end()
    return tuple(piece for piece in (*pieces, (text[last:], None)) if piece[0])
