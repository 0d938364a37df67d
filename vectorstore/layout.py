"""``Document`` text -> its layout: blocks and furniture, by the way in which the file is marked up.

In plain text a line is a paragraph, unless lines were cut at one width: then they are joined. Numbered headings inside a
paragraph become blocks of their own (see ``inline``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vectorstore.inline import cut_headings
from vectorstore.markup import Block, Layout, adjacent, find_lines, width
from vectorstore.markup_extracted import read_extracted
from vectorstore.markup_html import read_html
from vectorstore.markup_markdown import read_markdown
from vectorstore.types import Media

_FINAL = "。！？；!?;:：.”’」』…"
_WRAP_WIDTH = 50  # columns; shorter lines are lines of their own, not the wrapped lines of one paragraph


def read_layout(text: str, media: Media) -> Layout:
    """Cut a document's text into blocks."""
    layout = _read_marked(text, media)
    return replace(layout, blocks=tuple(cut_headings(layout.blocks)))


def _read_marked(text: str, media: Media) -> Layout:
    if media is Media.HTML:
        return read_html(text)
    if media is Media.MARKDOWN:
        return read_markdown(text)
    if media in (Media.PDF, Media.DOCX):
        return read_extracted(text)
    return Layout(tuple(_text_blocks(text)))


def _text_blocks(text: str) -> Iterable[Block]:
    lines = find_lines(text)
    position = 0
    while position < len(lines):
        until = _wrapped_until(text, lines, position)
        start, end = lines[position][0], lines[until][1]
        yield Block(text[start:end], range(start, end), range(start + 1, end + 1))
        position = until + 1


def _wrapped_until(text: str, lines: list[tuple[int, int]], first: int) -> int:
    """Find the last line of the paragraph that begins here: lines cut at one width belong together."""
    widest = width(text[slice(*lines[first])])
    last = first
    while (
        widest >= _WRAP_WIDTH
        and last + 1 < len(lines)
        and adjacent(text, lines[last][1], lines[last + 1][0])
        and text[lines[last][1] - 1] not in _FINAL
        and width(text[slice(*lines[last])]) >= 0.85 * widest
        and width(text[slice(*lines[last + 1])]) <= 1.1 * widest
    ):
        last += 1
    return last
