"""Blocks -> blocks in which numbered headings stand alone, also where a text arrived as one long line.

Text that was taken from a page or a PDF file often has no line breaks: ``…负责） 二、重点任务 （一）优化结构。依法…``.
A number counts where a heading may begin (after a space, a sentence's end or a closing bracket), where words follow
that a heading may begin with, and where it goes on counting: one with its two, a two after its one. So 一、二、三产业
and （一）至（三）项 stay what they are. A heading ends at the first full stop or space if it is short by then, and text
follows it. Those that count together are headings together: where one of them is an item (it ends in ；, or the next one
follows at once) all are, and stay sentences.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vectorstore.headings import LONGEST, read_heading, read_numbered
from vectorstore.markup import Block, trimmed
from vectorstore.normalize import normalize
from vectorstore.segment import cut

_NUMERAL = "[一二三四五六七八九十]"
_MARK = re.compile(rf"(?P<ordinal>{_NUMERAL}{{1,3}})、|[（(](?P<bracketed>{_NUMERAL}{{1,3}})[）)]、?")
_BEFORE = tuple("。！？!?）)】”’」』")
_GOES_ON = re.compile(
    rf"\s*(?:[，,、。；;：:（(）)]|{_NUMERAL}+(?:[、，,]|产业|季度|月|日|类|级|线|期|等|方面)|"
    r"[至到和与及或等]|(?:项|款|类|条|目|产业|季度|级|期|线)(?![\u4e00-\u9fff]{2,6}(?:[。 ]|$)))"
)
_HEADED = re.compile(r"\s*[\u4e00-\u9fff“”、]{3,20}")  # a heading that nothing but the next number ends
_STOP = re.compile(r"[。！？!?；;：:]|\s")
_ARTICLE = re.compile(rf"第(?:{_NUMERAL}|[百千\d])+[条章节款]")
_LISTS = re.compile("一是|第一[，,]|[—–]")  # what a heading holds may begin so, however short its first item is
_SPACE = " \t\u3000\xa0"
_LONGEST_OPEN = 30  # characters; a heading that only a space ends is shorter than one that a full stop ends
_LEAST = 3  # characters after the number
_MISSED = 2  # numbers that counting may go on by: one heading may have been lost


@dataclass(frozen=True, slots=True)
class _Mark:
    """A number at which a heading may begin."""

    block: int
    start: int
    body: int
    style: str
    number: int
    limit: int = 0  # where the next number begins, or the block ends
    end: int | None = None  # of its heading
    item: bool = False  # of a list


def cut_headings(blocks: Iterable[Block]) -> Iterator[Block]:
    """Cut blocks of running text before their numbered headings and after them; all others stay as they are."""
    given = tuple(blocks)
    counted: dict[int, list[_Mark]] = defaultdict(list)
    for mark in _find_headings(given):
        counted[mark.block].append(mark)
    for number, block in enumerate(given):
        title = 0 if block.level or block.item else _title_end(block.plain)
        yield from _pieces(block, counted[number], title) if title or number in counted else (block,)


def _find_headings(blocks: Sequence[Block]) -> Iterator[_Mark]:
    """Find the numbers of all headings, in order; those whose own heading has no sure end are among them."""
    found = [mark for n, b in enumerate(blocks) if not (b.level or b.item) for mark in _marks(n, b.plain)]
    runs: dict[int, list[_Mark]] = defaultdict(list)
    counting = list(_counting(found))
    for (run, mark), following in zip(counting, [*(m for _, m in counting), None][1:], strict=True):
        near = following and following.block == mark.block
        limited = replace(mark, limit=following.start if following and near else len(blocks[mark.block].plain))
        runs[run].append(_read(blocks, limited, following))
    kept = [mark for run in runs.values() if _are_headings(run) for mark in run]
    yield from sorted(kept, key=lambda mark: (mark.block, mark.start))


def _marks(block: int, plain: str) -> Iterator[_Mark]:
    last: _Mark | None = None
    for match in _MARK.finditer(plain):
        before = plain[max(0, match.start() - LONGEST) : match.start()].rstrip()
        spaced = plain[match.start() - 1 : match.start()].isspace()
        below = last is not None and last.style == "ordinal" and _HEADED.fullmatch(plain, last.body, match.start())
        if before and not before.endswith(_BEFORE) and not below and not (spaced and before[-1].isalnum()):
            continue
        if _GOES_ON.match(plain, match.end()) or match.end() == len(plain):
            continue
        style = "ordinal" if match["ordinal"] else "bracketed"
        found = re.search(r"\d+", normalize(f"第{match[style]}"))
        if found:
            last = _Mark(block, match.start(), match.end(), style, int(found.group()))
            yield last


def _counting(marks: Sequence[_Mark]) -> Iterator[tuple[int, _Mark]]:
    """Keep the numbers that count, each with its run: those that follow upon one, and a one that its two follows."""
    last: dict[str, tuple[int, int]] = {}
    runs = 0
    for place, mark in enumerate(marks):
        run, number = last.get(mark.style, (0, mark.number))
        if mark.number == 1 and _continued(marks, place):
            runs += 1
            run = runs
        elif not 0 < mark.number - number <= _MISSED:
            continue
        last[mark.style] = run, mark.number
        if mark.style == "ordinal":
            last.pop("bracketed", None)
        yield run, mark


def _continued(marks: Sequence[_Mark], place: int) -> bool:
    """Whether the next number of this style is a two; brackets end where the level above them goes on."""
    style = marks[place].style
    for following in range(place + 1, len(marks)):
        if marks[following].style == style:
            return marks[following].number == 2
        if style == "bracketed":
            return False
    return False


def _read(blocks: Sequence[Block], mark: _Mark, following: _Mark | None) -> _Mark:
    """Say where the heading of a number ends, or that it is an item: of a list, or one that no text follows."""
    plain = blocks[mark.block].plain
    end = _heading_end(plain, mark)
    stop = re.search("[。；;]", plain[mark.body : mark.limit])
    listed = end is None and bool(stop and stop.group() != "。")
    if end is None:
        return replace(mark, end=None, item=listed)
    beneath = following is not None and mark.style == "ordinal" and following.style == "bracketed"
    return replace(mark, end=end, item=not beneath and not _has_text(blocks, mark, end, following))


def _has_text(blocks: Sequence[Block], mark: _Mark, end: int, following: _Mark | None) -> bool:
    if blocks[mark.block].plain[end : mark.limit].strip():
        return True
    if mark.limit < len(blocks[mark.block].plain) or mark.block + 1 == len(blocks):
        return False
    if following and (following.block, following.start) == (mark.block + 1, 0):
        return False
    return not _ARTICLE.match(blocks[mark.block + 1].plain)


def _are_headings(run: Sequence[_Mark]) -> bool:
    """Whether numbers that count together begin headings: none of them an item, but for a last one at the end."""
    listed = any(mark.item for mark in run[:-1]) or (run[-1].item and run[-1].end is None)
    return not listed and sum(mark.end is not None for mark in run) * 2 > len(run)


def _title_end(plain: str) -> int:
    """Find where the title of a report ends that a text in one line begins with; 0 where there is none."""
    title = plain[: LONGEST + 1].split(maxsplit=1)
    heading = read_heading(title[0]) if len(title) == 2 and "工作报告" in title[0] else None
    return len(title[0]) if heading and heading.style == "title" else 0


def _pieces(block: Block, marks: Sequence[_Mark], title: int) -> Iterator[Block]:
    plain = block.plain
    headings: Mapping[int, int] = {mark.start: mark.end for mark in marks if mark.end is not None}
    places = sorted({0, title, len(plain), *(mark.start for mark in marks), *headings.values()})
    for start, end in pairwise(places):
        piece = trimmed(plain[start:end], block.starts[start:end], block.ends[start:end])
        if piece:
            yield replace(piece, inner=len(places) > 2, numbered=headings.get(start) == end)


def _heading_end(plain: str, mark: _Mark) -> int | None:
    """Find where the heading that begins with a number ends; None where it cannot be told from a sentence."""
    body = mark.limit - len(plain[mark.body : mark.limit].lstrip())
    stop = _STOP.search(plain, body, mark.limit)
    end = mark.limit if stop is None else stop.end() if stop.group() == "。" else stop.start()
    heading = read_numbered(plain[mark.start : end])
    if heading is None or end - body < _LEAST:
        return None
    if stop is None or stop.group() == "。":  # without a stop the next number ends it: 三、保障措施（一）加强领导
        return end
    words, rest = plain[body:end], plain[end : mark.limit].lstrip()
    if stop.group() not in _SPACE or len(words) > _LONGEST_OPEN or re.search("[，,]", words):
        return None
    return end if not rest or _stands_apart(words, rest) else None


def _stands_apart(words: str, rest: str) -> bool:
    """Whether the space ends a heading: no word goes on over it, and what follows is more than the end of a title."""
    end = re.search("[。！？!?；;，,：:]", rest)
    if len(words) + (end.start() if end else len(rest)) < LONGEST and (end is None or end.group() in "。！？!?；;"):
        return bool(_LISTS.match(rest))
    position = 0
    for word in cut(words + rest[:8]):
        position += len(word)
        if position >= len(words):
            return position == len(words)
    return True
