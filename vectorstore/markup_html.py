"""HTML text -> layout: block elements, inline marks taken off, navigation, scripts and forms as furniture.

A scanner of our own rather than a parser of the standard library, since every character has to lead back to its place.
It passes over the text once and never backtracks further than to the tag that it reads.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from vectorstore.markup import Block, Furniture, Layout, trimmed
from vectorstore.markup_markdown import entity_chars
from vectorstore.tables import cut_cells, split_cells

_TAG = re.compile(r"</?(?P<name>[A-Za-z][\w:-]*)(?P<rest>(?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)>")
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,24});")
_ATTRIBUTE = re.compile(r"([\w:-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_RAW = {"script", "style", "noscript", "template", "textarea", "svg", "iframe", "title"}
_FURNITURE = {"nav", "footer", "header", "aside", "form", "button", "select", "dialog"}
_INLINE = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|ruby|s|samp|small|span|strike|"
    r"strong|sub|sup|td|th|time|tt|u|var|wbr|img"
)
_CELL = {"td", "th"}
_ITEM = {"li", "tr", "dd", "dt"}
_BAR = "\x1f"  # between two cells of a row
_END = "。！？；!?;"
_FORM_TEXT = 200  # characters: a form or a header that holds more and whole sentences wraps the page, as ASP.NET's does


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    chars: list[tuple[str, int, int]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    furniture: list[Furniture] = field(default_factory=list)
    opened: list[tuple[str, int, int]] = field(default_factory=list)  # furniture element, its start, blocks before it
    metadata: list[str] = field(default_factory=list)
    title: str = ""
    level: int = 0
    item: bool = False

    def close_block(self) -> None:
        """End the block that is being read."""
        chars = list(_collapsed(self.chars))
        self.chars.clear()
        plain = "".join(c for c, _, _ in chars)
        bars = [at for at, char in enumerate(plain) if char == _BAR]
        plain = plain.replace(_BAR, " ")
        starts, ends = [s for _, s, _ in chars], [e for _, _, e in chars]
        if len(bars) > 1 and self.item and plain.strip():
            row = Block(plain[bars[0] + 1 :], starts[bars[0] + 1 :], ends[bars[0] + 1 :], item=True)
            self.blocks.append(cut_cells(row, split_cells(row.plain, [at - bars[0] - 1 for at in bars[1:]])))
        elif block := trimmed(plain, starts, ends, level=self.level, item=self.item):
            self.blocks.append(block)


def read_html(text: str) -> Layout:
    """Cut HTML into blocks; elements that hold no text of the document become furniture."""
    reading = _Reading()
    position = 0
    lacking: set[str] = set()  # closing strings that do not come any more: never searched for twice
    while position < len(text):
        char = text[position]
        if char == "<":
            position = _read_markup(text, position, reading, lacking)
        elif char == "&" and (entity := _ENTITY.match(text, position)):
            reading.chars.extend(entity_chars(entity.group(), entity.start(), entity.end()))
            position = entity.end()
        else:
            reading.chars.append((char, position, position + 1))
            position += 1
    reading.close_block()
    return _layout(reading)


def _read_markup(text: str, position: int, reading: _Reading, lacking: set[str]) -> int:
    """Read what begins with ``<`` and give the position behind it; a lone ``<`` is a character."""
    if text.startswith("<!--", position):
        end = _end_of(text, "-->", position, lacking)
        if end:
            reading.furniture.append(Furniture(position, end, "comment"))
            return end
    tag = _TAG.match(text, position)
    if not tag:
        declaration = _DECLARATION.match(text, position)
        if declaration:
            return declaration.end()
        reading.chars.append(("<", position, position + 1))
        return position + 1
    name, closing = tag.group("name").lower(), text.startswith("</", position)
    if name in _RAW and not closing and not tag.group("rest").endswith("/"):
        return _read_raw(text, tag, name, reading, lacking)
    if name == "meta":
        _read_meta(tag.group("rest"), reading)
    if _INLINE.fullmatch(name):
        if name in _CELL:
            reading.chars.append((" " if closing else _BAR, tag.start(), tag.end()))
        return tag.end()
    _read_block_tag(tag, name, closing, reading)
    return tag.end()


def _end_of(text: str, closing: str, position: int, lacking: set[str]) -> int:
    if closing in lacking:
        return 0
    found = text.find(closing, position)
    if found < 0:
        lacking.add(closing)
        return 0
    return found + len(closing)


def _read_raw(text: str, tag: re.Match[str], name: str, reading: _Reading, lacking: set[str]) -> int:
    """Pass over an element whose content is not read as text; without its end only the tag is passed over."""
    end = 0
    for closing in (f"</{name}>", f"</{name.upper()}>", f"</{name.capitalize()}>"):
        end = end or _end_of(text, closing, tag.end(), lacking)
    if not end:
        return tag.end()
    if name == "title":
        reading.title = reading.title or html.unescape(text[tag.end() : end - len("</title>")]).strip()
    reading.furniture.append(Furniture(tag.start(), end, name))
    return end


def _read_meta(rest: str, reading: _Reading) -> None:
    values = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(rest)}
    name = (values.get("name") or values.get("property") or "").lower()
    if name and values.get("content"):
        reading.metadata.append(f"{name}: {values['content']}")


def _read_block_tag(tag: re.Match[str], name: str, closing: bool, reading: _Reading) -> None:
    reading.close_block()
    heading = re.fullmatch(r"h([1-6])", name)
    reading.level = int(heading.group(1)) if heading and not closing else 0
    if name != "br":
        reading.item = name in _ITEM and not closing
    if name not in _FURNITURE:
        return
    if not closing:
        reading.opened.append((name, tag.start(), len(reading.blocks)))
        return
    for place in range(len(reading.opened) - 1, -1, -1):
        opened, start, before = reading.opened[place]
        if opened == name:
            del reading.opened[place:]
            _close_furniture(reading, name, start, tag.end(), before)
            return


def _close_furniture(reading: _Reading, name: str, start: int, end: int, before: int) -> None:
    """Turn an element into furniture, unless it holds so much text that it must wrap the document itself."""
    inside = "".join(block.plain for block in reading.blocks[before:])
    if len(inside) > _FORM_TEXT and sum(inside.count(c) for c in _END) >= 3:
        return
    if name == "header" and reading.blocks[before:] and not reading.title:
        reading.title = next((b.plain for b in reading.blocks[before:] if b.level == 1), "")
    del reading.blocks[before:]
    reading.furniture.append(Furniture(start, end, name))


def _collapsed(chars: list[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Make one space of every run of white space, and none of a line break between two Chinese characters."""
    position = 0
    while position < len(chars):
        if not chars[position][0].isspace():
            yield chars[position]
            position += 1
            continue
        until = position
        while until < len(chars) and chars[until][0].isspace():
            until += 1
        if bars := [one for one in chars[position:until] if one[0] == _BAR]:
            yield from bars
            position = until
            continue
        broken = any(c in "\r\n" for c, _, _ in chars[position:until])
        inner = position > 0 and until < len(chars)
        if not (broken and inner and chars[position - 1][0] > "\u2e80" and chars[until][0] > "\u2e80"):
            yield " ", chars[position][1], chars[until - 1][2]
        position = until


def _layout(reading: _Reading) -> Layout:
    """Order the furniture and drop what lies inside other furniture, or inside a block: a comment within a sentence."""
    furniture: list[Furniture] = []
    starts = [block.start for block in reading.blocks]
    for piece in sorted(reading.furniture, key=lambda f: (f.start, -f.end)):
        before = bisect_right(starts, piece.start) - 1
        inside = before >= 0 and piece.start < reading.blocks[before].end
        if not inside and (not furniture or piece.start >= furniture[-1].end):
            furniture.append(piece)
    return Layout(tuple(reading.blocks), tuple(furniture), reading.title, tuple(reading.metadata))
