"""Blocks -> blocks in which chapters and articles of a law stand alone, and which of them go on with the paragraph before.

A text of rules counts its articles: ``第一条``, ``第二条``. Three of them that count on make a code, whatever its title says.
One that was taken from a page often is one long line; then every chapter (``第二章 监督管理`` before an article) and every
article begins a block of its own. An article with what it counts is one paragraph, so that it is read together, and so
are the items of a list with the line that announces them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vectorstore.markup import Block, trimmed
from vectorstore.normalize import normalize

_NUMERAL = "[一二三四五六七八九十百千零〇\\d]"
# Inside a line a space stands behind the number; at its head words may follow at once, but none that go on a reference.
_ARTICLE = re.compile(
    rf"(?:^|(?<=[\s。；;：:！）)”]))第(?P<number>{_NUMERAL}{{1,6}})条(?:之[一二三四五六七八九十])?(?=[\s　])"
    rf"|^第(?P<opening>{_NUMERAL}{{1,6}})条(?=[\u4e00-\u9fff“《])(?![和与及至到或第所的款项之]|规定)"
)
_CHAPTER = re.compile(
    rf"(?:^|(?<=[\s。；;！）)”]))第{_NUMERAL}{{1,4}}[编章节](?=\s)[^。；;：:！？，,]{{1,40}}?(?=\s第{_NUMERAL}{{1,6}}[条章节](?:\s|$))"
)
_TITLE = re.compile(r"(?P<title>\S{4,50}(?:条例|办法|规定|细则|规则|规程|准则|章程|法))\s(?!第)")
_LEAST = 3  # articles that make a code
_MISSED = 2  # numbers that counting may go on by
_ANNEX = re.compile(r"(?:附件|附录|附表|附：|附:)")
_ITEM = (
    re.compile(r"[（(][一二三四五六七八九十]{1,3}[)）]"),
    re.compile(r"[（(]\d{1,2}[)）]"),
    re.compile(r"\d{1,2}\s*[、.．](?!\d)"),
    re.compile(r"[一二三四五六七八九十]{1,2}[是要]"),
    re.compile(r"第[一二三四五六七八九十]{1,2}[，,、]"),
    re.compile(r"[①-⑳]"),
)
_SEVERAL = re.compile("[。！？].")
_ANNOUNCES = ("：", ":")


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where an article begins."""

    block: int
    start: int
    number: int


def is_code(blocks: Iterable[Block]) -> bool:
    """Whether a text counts articles: it is in force over years, and of none."""
    return len(_count_articles(tuple(blocks))) >= _LEAST


def cut_articles(blocks: Iterable[Block]) -> Iterator[Block]:
    """Cut the blocks of a code before its chapters and articles, and behind the title that its one line begins with."""
    given = tuple(blocks)
    marks = _count_articles(given)
    code = len(marks) >= _LEAST
    for number, block in enumerate(given):
        starts = {mark.start for mark in marks if mark.block == number}
        yield from _pieces(block, starts) if code and _has_inner(block, starts) else (block,)


def continues(blocks: Sequence[Block], headings: set[int]) -> Iterator[bool]:
    """Say of every block whether it belongs to the paragraph of the block before it; ``headings`` are starts of blocks.

    ``blocks`` are those of the text, headings among them.
    """
    articles = {(mark.block, mark.start) for mark in _count_articles(blocks)}
    code = len(articles) >= _LEAST
    article = announced = False
    family: re.Pattern[str] | str | None = None
    for number, block in enumerate(blocks):
        if block.start in headings:
            article = announced = False
            family = None
            yield False
            continue
        opens = (number, 0) in articles
        own = _family(block)
        listed = own is not None and (own is family or (announced and family is None))
        goes = article and not opens and not _ANNEX.match(block.plain)
        article = code and (opens or goes)
        yield goes or listed
        family = own if listed else None
        announced = block.plain.endswith(_ANNOUNCES) and not block.cells


def _family(block: Block) -> re.Pattern[str] | str | None:
    """The way in which a line counts as an item of a list, if it does; a paragraph of several sentences is none."""
    if block.cells or _SEVERAL.search(block.plain):
        return None
    return next((one for one in _ITEM if one.match(block.plain)), "item" if block.item else None)


def _count_articles(blocks: Sequence[Block]) -> list[_Mark]:
    """The articles that count on from one; what a text only refers to (第七条第二款) has no space behind it."""
    found: list[_Mark] = []
    for number, block in enumerate(blocks):
        if block.level:
            continue
        for match in _ARTICLE.finditer(block.plain):
            digits = re.search(r"\d+", normalize(f"第{match['number'] or match['opening']}条"))
            value = int(digits.group()) if digits else 0
            if value == 1 or (found and 0 < value - found[-1].number <= _MISSED):
                found.append(_Mark(number, match.start(), value))
    return found


def _has_inner(block: Block, starts: set[int]) -> bool:
    return bool(starts - {0}) or (bool(starts) and _CHAPTER.match(block.plain) is not None)


def _pieces(block: Block, starts: set[int]) -> Iterator[Block]:
    plain = block.plain
    first = _TITLE.match(plain) if not block.start else None
    chapters = {edge for match in _CHAPTER.finditer(plain) for edge in match.span()}
    places = sorted({0, len(plain), *starts, *chapters, *([first.end("title")] if first else [])})
    for start, end in pairwise(places):
        piece = trimmed(plain[start:end], block.starts[start:end], block.ends[start:end])
        if piece:
            yield replace(piece, item=block.item)
