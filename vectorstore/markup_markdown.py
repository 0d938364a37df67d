"""Markdown text -> layout: headings, paragraphs of several lines, list items, table rows, inline marks taken off."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from vectorstore.markup import Block, Furniture, Layout, adjacent, find_lines, trimmed
from vectorstore.tables import cut_cells, split_cells

_HEADING = re.compile(r"(#{1,6})(?:\s+|(?=[^\s#]))")
_CLOSING = re.compile(r"\s+#+$")
_SETEXT = re.compile(r"(=+|-{2,})$")
_FENCE = re.compile(r"(`{3,}|~{3,})")
_MARKER = re.compile(r"(?:>\s?)*(?:[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,3}[.)]\s+)?")
_INLINE = re.compile(
    r"!\[[^\]\[]*\]\([^()\s]*(?:\s+\"[^\"]*\")?\)"  # an image
    r"|\[(?P<link>[^\]\[\n]+)\](?:\([^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\]\[\n]*\])"
    r"|(?P<strong>\*{1,3}(?=\S)|(?<=\S)\*{1,3})(?!\d)"
    r"|(?<![0-9A-Za-z_])_{1,3}(?=\S)|(?<=\S)_{1,3}(?![0-9A-Za-z_])"
    r"|~~|`+|</?[A-Za-z][^<>\n]*>"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<entity>&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z]{2,24});)"
)


def read_markdown(text: str) -> Layout:
    """Cut Markdown into blocks; the front matter is furniture, its title the document's."""
    front = re.match(r"---[ \t]*\r?\n.*?\r?\n---[ \t]*(?:\r?\n|$)", text, re.DOTALL)
    offset = front.end() if front else 0
    furniture = (Furniture(0, offset, "front matter"),) if front else ()
    title = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front.group(), re.MULTILINE) if front else None
    lines = [line for line in find_lines(text) if line[0] >= offset]
    return Layout(tuple(_blocks(text, lines)), furniture, title.group(1) if title else "")


def _blocks(text: str, lines: list[tuple[int, int]]) -> Iterator[Block]:
    """Group lines to blocks: a paragraph goes on until a blank line or a line that begins something else."""
    position = 0
    fence = ""
    while position < len(lines):
        start, end = lines[position]
        fenced = _FENCE.match(text, start, end)
        if fenced or fence:
            fence = _next_fence(fence, fenced.group(1) if fenced else "")
            if not fenced:
                yield Block(text[start:end], range(start, end), range(start + 1, end + 1))
            position += 1
            continue
        last = position
        level = _heading_level(text, lines, position)
        if not level:
            while last + 1 < len(lines) and _goes_on(text, lines, last):
                last += 1
        block = _inline_block(text, start, lines[last][1], level)
        if block:
            yield block
        setext = last + 1 < len(lines) and level and not text.startswith("#", start)
        position = last + (2 if setext else 1)


def _next_fence(fence: str, seen: str) -> str:
    """Say which fence is open after this line; a fence closes with its own character."""
    if not fence:
        return seen
    return "" if seen and seen[0] == fence[0] else fence


def _heading_level(text: str, lines: list[tuple[int, int]], position: int) -> int:
    start, end = lines[position]
    match = _HEADING.match(text, start, end)
    if match:
        return len(match.group(1))
    if position + 1 < len(lines) and adjacent(text, end, lines[position + 1][0]):
        under = _SETEXT.match(text, *lines[position + 1])
        if under and not _begins(text, start, end):
            return 1 if under.group()[0] == "=" else 2
    return 0


def _begins(text: str, start: int, end: int) -> bool:
    """Whether a line begins a list item, a quotation, a table row, a heading or a fence."""
    marker = _MARKER.match(text, start, end)
    return bool(marker and marker.group()) or text[start] in "|#" or bool(_FENCE.match(text, start, end))


def _goes_on(text: str, lines: list[tuple[int, int]], last: int) -> bool:
    following = lines[last + 1]
    if text.startswith("|", lines[last][0]) or not adjacent(text, lines[last][1], following[0]):
        return False
    return not _begins(text, *following) and not _heading_level(text, lines, last + 1)


def _inline_block(text: str, start: int, end: int, level: int) -> Block | None:
    item = False
    if level:
        heading = _HEADING.match(text, start, end)
        start = heading.end() if heading else start
        closing = _CLOSING.search(text[start:end]) if heading else None
        end = start + closing.start() if closing else end
    else:
        marker = _MARKER.match(text, start, end)
        item = bool(marker and marker.group()) or text.startswith("|", start)
        start = marker.end() if marker else start
    chars = list(_plain_chars(text, start, end))
    if not level and text.startswith("|", start) and text.find("|", start + 1, end) > 0:
        return read_row(text, chars)
    plain = "".join(c for c, _, _ in chars)
    return trimmed(plain, [s for _, s, _ in chars], [e for _, _, e in chars], level=level, item=item)


def read_row(text: str, chars: list[tuple[str, int, int]]) -> Block | None:
    """Make a block of a table row, of what stands between its bars; the bars at its ends bound no cell."""
    last = next((n for n in range(len(chars) - 1, 0, -1) if not chars[n][0].isspace() or text[chars[n][1]] == "|"), 0)
    closed = last > 0 and text[chars[last][1]] == "|" and chars[last][0] == " "
    chars = chars[1 : last if closed else len(chars)]
    plain = "".join(c for c, _, _ in chars)
    if not plain.strip():
        return None
    bars = [n for n, (char, start, _) in enumerate(chars) if char == " " and text[start] == "|"]
    block = Block(plain, [s for _, s, _ in chars], [e for _, _, e in chars], item=True)
    return cut_cells(block, split_cells(plain, bars))


def _plain_chars(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Give every character that a reader sees with its place; marks of emphasis, links and images are left out."""
    position = start
    while position < end:
        match = _INLINE.match(text, position, end)
        if not match:
            yield _shown(text[position]), position, position + 1
            position += 1
            continue
        if match.group("link"):
            yield from _plain_chars(text, match.start("link"), match.end("link"))
        elif match.group("escaped"):
            yield match.group("escaped"), match.start(), match.end()
        elif match.group("entity"):
            yield from entity_chars(match.group("entity"), match.start(), match.end())
        position = match.end()


def _shown(char: str) -> str:
    return " " if char in "|\r\n\t" else char


def entity_chars(entity: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Give the characters of an entity such as ``&nbsp;``; each of them has the whole entity as its place."""
    for char in html.unescape(entity):
        yield ("\ufffd" if "\ud800" <= char <= "\udfff" else char), start, end
