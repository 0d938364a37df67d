"""The first blocks of a text -> its title: the line that says what it is, and not the one above it that says whose it is.

An official text is often headed by the office that issues it (``某某市统计局  国家统计局某某调查队``), and its title stands below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vectorstore.headings import is_title
from vectorstore.markup import Block, Layout
from vectorstore.types import Boilerplate

_LONGEST = 60  # characters; behind a longer block there is no title
_SHORTEST = 6
_BELOW = 3  # blocks under the office within which the title stands
_SITE_NAME = re.compile(r"(?<=\S{6})\s*(?:_|\||-{1,2}|—+)\s*\S.{0,30}$")
_OFFICES = re.compile(
    r"(?:[\u4e00-\u9fff]{2,24}(?:局|厅|委员会|[改建健]委|办公室|人民政府|部|署|院|调查队|总队|集团|公司|协会|大学)[、\s]*)+(?:文件)?"
)
# 某某1  某某某2,3*: names of persons with the marks of where they work, or behind what says that they are authors.
_NAME = r"[\u4e00-\u9fff·]{2,8}?"
_AUTHORS = re.compile(
    rf"(?:{_NAME}\s?(?:[\d¹²³⁴⁵①②③④⑤]+[*＊]?|[*＊])(?:[,，][\d*＊]+)*(?:[\s,，、;；]+|$))+"
    r"|(?:作者|撰文|文字?|记者)\s*[:：/／]\s*\S.*"
)
_KIND = re.compile(
    r"(?:公报|年报|月报|季报|报告|方案|规划|条例|办法|意见|通知|通报|公告|计划|纲要|要点|规定|细则|决定|白皮书|总结|章程|指南|须知)"
    r"(?:\s*[（(][^（）()]{1,24}[）)])?\s*"
)


def find_title(layout: Layout, boilerplate: Sequence[Boilerplate]) -> str:
    """Give the title of a text on one line, or nothing."""
    marked = next((b.plain for b in layout.blocks if b.level == 1), "")
    if layout.title or marked:
        return " ".join((marked or _SITE_NAME.sub("", layout.title, count=1)).split())
    covered = [(b.start, b.end) for b in boilerplate]
    blocks = [b for b in layout.blocks if not any(start <= b.start < end for start, end in covered)]
    for number, block in enumerate(blocks):
        if block.level or is_title(block.plain):
            below = _find_below(blocks[number + 1 : number + 1 + _BELOW]) if is_office(block.plain) else ""
            return below or " ".join(drop_authors(block.plain).split())
        if len(block.plain) > _LONGEST:
            break
    return ""


def drop_authors(block: str) -> str:
    """A title without the line of its authors below it: the 承德 of 马承德 is no place that it is about."""
    first, *lines = block.strip().split("\n")
    kept = [line for line in lines if not _AUTHORS.fullmatch(line.strip())]
    return "\n".join((first, *kept))


def is_office(line: str) -> bool:
    """Whether a line consists of the names of offices or bodies."""
    return _OFFICES.fullmatch(line.strip()) is not None


def _find_below(blocks: Sequence[Block]) -> str:
    """The title under the line of an office: the first line that ends in the name of a kind of document."""
    for block in blocks:
        if len(block.plain) > _LONGEST or block.plain.rstrip().endswith(("。", "；")):
            break
        kind = [m for m in _KIND.finditer(block.plain) if m.end() == len(block.plain)]
        if kind and len(block.plain.strip()) >= _SHORTEST:
            return " ".join(block.plain.split())
    return ""
