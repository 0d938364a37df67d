"""``Document`` text -> its layout: blocks and furniture, by the way in which the file is marked up.

In plain text a line is a paragraph, unless lines were cut at one width: then they are joined; the marks of Markdown before
a heading (``## 第一章``), which texts taken from pages often keep, are read as such. Numbered headings inside a paragraph
become blocks of their own (see ``inline``), and so do the articles of a law (``articles``); rows of tables are read with
their heads (``tables``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from vectorstore.articles import cut_articles
from vectorstore.inline import cut_headings
from vectorstore.markup import Block, Layout, adjacent, find_lines, width
from vectorstore.markup_extracted import read_extracted
from vectorstore.markup_html import read_html
from vectorstore.markup_markdown import read_markdown, read_row
from vectorstore.tables import read_tables
from vectorstore.types import Media

_FINAL = "。！？；!?;:：.”’」』…"
_HEADING = re.compile(r"(#{1,6})[ \t\u3000]+(?=\S)")
_LONGEST_MARKED = 80  # characters; a longer line is a paragraph whatever stands before it
# Who gave a report stands below where it was given, however long that line is: 青岚市人民政府市长 张三.
_SIGNED = re.compile(r"\S{2,24}(?:[省市县区州盟旗院局]长|主席|主任|检察长)[ \u3000]+\S{1,4}(?:[ \u3000]\S{1,2})?")
# Never goes on with the title above it.
_BYLINE = re.compile(r"(?:来源|稿源|信息来源|作者|文章作者|记者|编辑|责任编辑|发布时间|发布日期|原创)\s*[:：]")
_BARS = 2  # a row of a table has one more
_WRAP_WIDTH = 50  # columns; shorter lines are lines of their own, not the wrapped lines of one paragraph


def read_layout(text: str, media: Media) -> Layout:
    """Cut a document's text into blocks."""
    layout = _read_marked(text, media)
    layout = read_tables(layout)
    return replace(layout, blocks=tuple(cut_headings(cut_articles(layout.blocks))))


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
        if marked := _marked_line(text, *lines[position]) or _table_row(text, lines, position):
            yield marked
            position += 1
            continue
        until = _wrapped_until(text, lines, position)
        start, end = lines[position][0], lines[until][1]
        yield Block(text[start:end], range(start, end), range(start + 1, end + 1))
        position = until + 1


def _marked_line(text: str, start: int, end: int) -> Block | None:
    """Read a line that kept the marks of a heading in Markdown."""
    heading = _HEADING.match(text, start, end)
    if heading and end - heading.end() <= _LONGEST_MARKED:
        first = heading.end()
        return Block(text[first:end], range(first, end), range(first + 1, end + 1), len(heading.group(1)))
    return None


def _table_row(text: str, lines: list[tuple[int, int]], position: int) -> Block | None:
    """Read a line that kept the bars of a row of a table; one such line alone is a bar of the page."""
    start, end = lines[position]
    bars = _count_bars(text, start, end)
    beside = [_count_bars(text, *lines[n]) for n in (position - 1, position + 1) if 0 <= n < len(lines)]
    if bars <= _BARS or bars not in beside:
        return None
    shown = [(" " if text[at] in "|\t" else text[at], at, at + 1) for at in range(start, end)]
    return read_row(text, shown)


def _count_bars(text: str, start: int, end: int) -> int:
    return text.count("|", start, end) if text[start] == "|" and text[end - 1] == "|" else 0


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
        and not _marked_line(text, *lines[last + 1])
        and not _count_bars(text, *lines[last + 1])
        and not _SIGNED.fullmatch(text, *lines[last + 1])
        and not _BYLINE.match(text, *lines[last + 1])
    ):
        last += 1
    return last
