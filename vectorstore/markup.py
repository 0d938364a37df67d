"""What a marked-up text is cut into: blocks of readable text and the furniture of the page, each with its place.

A block is a paragraph, a heading, a list item or a table row. Its ``plain`` text is what a reader sees; ``starts`` and
``ends`` lead every character of it back to the file, so that no later stage ever searches for an offset.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[^\r\n\x0b\x0c\x85\u2028\u2029]+")
_BREAK = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of readable text: ``starts[i]`` and ``ends[i]`` are the place of ``plain[i]`` in the file."""

    plain: str
    starts: Sequence[int]
    ends: Sequence[int]
    level: int = 0  # 1 to 6: the markup says that it is a heading
    item: bool = False  # a list item or a table row
    inner: bool = False  # a stretch of a longer paragraph: no heading unless it is numbered or the title of a report
    numbered: bool = False  # a heading, as those are that it counts with
    cells: tuple[tuple[int, int], ...] = ()  # of a table row: where in ``plain`` each cell stands

    @property
    def start(self) -> int:
        """Where the block begins in the file."""
        return self.starts[0]

    @property
    def end(self) -> int:
        """Where the block ends in the file."""
        return self.ends[-1]


@dataclass(frozen=True, slots=True)
class Furniture:
    """A span that the markup itself declares not to be text of the document: a script, a navigation element."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The blocks of a document in their order, and its furniture."""

    blocks: tuple[Block, ...]
    furniture: tuple[Furniture, ...] = ()
    title: str = ""  # what the markup names as the title
    metadata: tuple[str, ...] = ()  # readable facts from the markup: ``date: 2023-08-15``


def trimmed(
    plain: str, starts: Sequence[int], ends: Sequence[int], *, level: int = 0, item: bool = False
) -> Block | None:
    """Make a block without the white space around it, or none where nothing is left."""
    left = len(plain) - len(plain.lstrip())
    right = len(plain.rstrip())
    if right <= left:
        return None
    return Block(plain[left:right], starts[left:right], ends[left:right], level, item)


def find_lines(text: str) -> list[tuple[int, int]]:
    """Give start and end of every line that is not blank, without its line break and surrounding white space."""
    lines = []
    for match in _LINE.finditer(text):
        line = match.group()
        left = len(line) - len(line.lstrip())
        if left < len(line):
            lines.append((match.start() + left, match.start() + len(line.rstrip())))
    return lines


def adjacent(text: str, end: int, start: int) -> bool:
    """Whether exactly one line break lies between two lines."""
    return len(_BREAK.findall(text, end, start)) == 1


def width(line: str) -> int:
    """Count the columns of a line; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
