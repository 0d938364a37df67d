"""Blocks of a document -> which of them are its headings.

A line by itself only may be a heading; whether it is one also depends on what stands around it: a paragraph follows a
heading, another item follows an item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from vectorstore.headings import Heading, read_heading, read_numbered
from vectorstore.markup import Block, Layout
from vectorstore.title import drop_authors, is_office
from vectorstore.types import Boilerplate, Document, Part


def heading_blocks(document: Document, layout: Layout, boilerplate: Sequence[Boilerplate]) -> dict[int, Heading]:
    """Find the headings among the blocks: start of the block -> heading."""
    content = _content(layout, boilerplate)
    read = [_read(block) for block in content]
    listed = _numbered_items(read)
    found: dict[int, Heading] = {}
    for number, (block, heading) in enumerate(zip(content[:-1], read[:-1], strict=True)):
        following = content[number + 1]
        above = all(is_office(heading.text) for heading in found.values())
        if above and " ".join(drop_authors(block.plain).split()) == document.title:
            found[block.start] = Heading(document.title, "title", strong=True)
        elif (
            heading
            and not listed[number]
            and (heading.strong or _heads(following))
            and not _listed_title(heading, following)
        ):
            found[block.start] = heading
    titles = [start for start, heading in found.items() if heading.style == "title"]
    if titles and not any(heading.part for heading in found.values()):
        found[titles[0]] = replace(found[titles[0]], part=_part_of_title(document.title))
    return found


def _read(block: Block) -> Heading | None:
    if block.numbered:
        return read_numbered(block.plain)
    if block.item and not block.level:
        return None
    heading = read_heading(block.plain, level=block.level)
    return None if heading and block.inner and heading.style != "title" else heading


def _part_of_title(title: str) -> Part | None:
    """A title such as 2022年工作要点 says what the whole text is, where no heading inside it does."""
    heading = read_heading(title, level=1)
    return heading.part if heading else None


def _numbered_items(read: list[Heading | None]) -> list[bool]:
    """Say which lines are items of a list rather than headings: numbered lines that follow upon each other."""
    follows = [_next_item(a, b) for a, b in pairwise(read)]
    return [before or after for before, after in zip([False, *follows], [*follows, False], strict=True)]


def _next_item(one: Heading | None, other: Heading | None) -> bool:
    if not one or not other or one.number is None or other.number is None or one.part or other.part:
        return False
    return one.style == other.style and not one.style.startswith("h") and other.number == one.number + 1


def _heads(following: Block | None) -> bool:
    """Whether a short line may be the heading of what follows: a paragraph or a real heading, not a list's next item."""
    if following is None or following.item:
        return False
    heading = _read(following)
    return heading is None or heading.strong


def _listed_title(heading: Heading, following: Block) -> bool:
    """Whether the title of a report stands in a list of such titles rather than above its text."""
    other = read_heading(following.plain, level=following.level) if heading.style == "title" else None
    return other is not None and other.style == "title"


def _content(layout: Layout, boilerplate: Sequence[Boilerplate]) -> list[Block]:
    covered = {b.start for b in boilerplate}
    return [block for block in layout.blocks if block.start not in covered]
