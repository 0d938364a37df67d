"""Lines as they stand on the pages of a PDF -> paragraphs: lines joined, headers, footers and page numbers set apart.

A line ends where the paper does, a sentence does not. Two lines are one paragraph where the first is full (the next word
would not have fitted), the second begins at the margin, and size and distance are the same; over the end of a page only
where the first line ends no sentence either. When in doubt, two paragraphs: a sentence that is cut is found and shown,
two that were glued could say what nobody wrote.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from vectorstore.markup import width
from vectorstore.markup_extracted import Paragraph

_EDGE = 0.12  # share of a page's height in which headers and footers stand
_REPEATED = 3  # pages that a header stands on, or half of all
_DEEP = 3  # lines from the edge that are looked at
_APART = 1.3  # times the usual distance of lines
_NUMBER = re.compile(
    r"[-—–·\s]*(?:第\s*)?(?:\d{1,4}|[ivxIVX]{1,6})\s*(?:页)?(?:\s*(?:[/／]|of|共)\s*(?:共\s*)?\d{1,4}\s*页?)?[-—–·\s]*",
)
_FINAL = tuple("。！？；：.!?;:…”’』」）)")
_STARTS = re.compile(
    r"(?:第[一二三四五六七八九十百\d]{1,4}[章节条款部编]|[一二三四五六七八九十]{1,3}[、.．]|[（(][一二三四五六七八九十\d]{1,3}[)）]"
    r"|\d{1,2}(?:[、．]|\.(?!\d)|\.\d{1,2}(?=[^\d]))|[①-⑳]|[•●■◆▪·○□▶➢–-]\s)"
)
_FAR = 80  # lines of a block that are looked at in each direction
_BLOCK = 4
_NARROW = 25  # times the size of the type: a few lines that are no wider were not cut by a margin
_SPREAD = re.compile(r"(?<=[\u2e80-\uffef]) (?=[\u2e80-\uffef])")
_HYPHENS = "-\u2010\u00ad"
_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)+")
_LARGER = 1.15  # times the size of the text: a heading
_LONGEST_HEADING = 40  # characters
_MOST_HEADINGS = 0.3  # share of the characters; where more is large, size says nothing


@dataclass(frozen=True, slots=True)
class Line:
    """One line on a page, in points from its left and upper edge."""

    text: str  # cells of a table row have a tab between them
    left: float
    right: float
    top: float
    bottom: float
    size: float  # of the type
    upright: bool = True  # not turned, as watermarks are

    @property
    def row(self) -> bool:
        """Whether it is a row of a table."""
        return "\t" in self.text


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of one page in the order of reading."""

    number: int
    height: float
    lines: tuple[Line, ...]
    pictured: bool = False  # it holds a picture; without text it was scanned


@dataclass(slots=True)
class _Draft:
    """A paragraph while its lines are being gathered."""

    lines: list[Line]
    page: int


def join_pages(pages: Sequence[Page]) -> list[Paragraph]:
    """Make paragraphs of pages, in order; at the beginning of each page a line that says which it is."""
    aside = _find_edges(pages)
    bodies = [tuple(line for line in page.lines if (page.number, line) not in aside) for page in pages]
    body_size = _body_size(bodies)
    drafts = _gather(pages, bodies)
    kept = _compounds(pages)
    levels = _levels(drafts, body_size)
    paragraphs: list[Paragraph] = []
    waiting = list(pages)
    for draft in drafts:
        while waiting and waiting[0].number <= draft.page:
            paragraphs.append(_mark(waiting.pop(0), aside))
        text = _join([line.text for line in draft.lines], kept)
        if draft.lines[0].row:
            paragraphs.append(Paragraph(tuple(text.split("\t"))))
        else:
            paragraphs.append(Paragraph((text,), level=_level(draft, text, levels)))
    return [*paragraphs, *(_mark(page, aside) for page in waiting)]


def has_text(paragraphs: Sequence[Paragraph]) -> bool:
    """Whether there is anything but lines of the pages themselves."""
    return any(not paragraph.page and any(c.isalnum() for c in "".join(paragraph.cells)) for paragraph in paragraphs)


def _mark(page: Page, aside: set[tuple[int, Line]]) -> Paragraph:
    lines = [line.text.replace("\t", " ") for line in page.lines if (page.number, line) in aside]
    scanned = "（本页没有文字，可能是扫描页 / no text, perhaps scanned）" if page.pictured and not page.lines else ""
    return Paragraph((" · ".join([f"第 {page.number} 页{scanned}", *lines]),), page=True)


def _find_edges(pages: Sequence[Page]) -> set[tuple[int, Line]]:
    """Find headers, footers and page numbers, and what is turned: it is of the page and not of the text."""
    near = [(page, line) for page in pages for line in _edge_lines(page)]
    times = Counter(key for key, _ in {(_likeness(line), page.number) for page, line in near})
    least = max(2, min(_REPEATED, (len(pages) + 1) // 2))
    found = {
        (page.number, line)
        for page, line in near
        if times[_likeness(line)] >= least or _NUMBER.fullmatch(line.text.strip())
    }
    return found | {(page.number, line) for page in pages for line in page.lines if not line.upright}


def _edge_lines(page: Page) -> list[Line]:
    """Give the lines at the upper and lower edge that stand apart from the text: a line of the text has its distance."""
    order = sorted((line for line in page.lines if line.upright), key=lambda line: line.top)
    distance = max(_usual_distance(order), 1.0)
    upper: list[Line] = []
    for number, line in enumerate(order[:_DEEP], 1):
        following = order[number].top if number < len(order) else page.height
        if line.bottom <= _EDGE * page.height and following - line.top > _APART * distance:
            upper = order[:number]
    lower: list[Line] = []
    for number in range(1, min(_DEEP, len(order) - len(upper)) + 1):
        line = order[-number]
        before = order[-number - 1].top if number < len(order) else 0.0
        if line.top >= (1 - _EDGE) * page.height and line.top - before > _APART * distance:
            lower = order[-number:]
    return [*upper, *lower]


def _likeness(line: Line) -> tuple[str, int]:
    """Give a line without its figures, and its height: the page number in a footer changes, the footer does not."""
    return re.sub(r"\d+", "#", "".join(line.text.split())), round(line.top / 12)


def _body_size(bodies: Sequence[Sequence[Line]]) -> float:
    sizes = Counter[float]()
    for lines in bodies:
        for line in lines:
            sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _gather(pages: Sequence[Page], bodies: Sequence[Sequence[Line]]) -> list[_Draft]:
    drafts: list[_Draft] = []
    for page, lines in zip(pages, bodies, strict=True):
        distance = _usual_distance(lines)
        for at, line in enumerate(lines):
            if at:
                joined = _goes_on(lines, at, distance)
            else:
                joined = bool(drafts) and _goes_on_over_page(drafts[-1].lines[-1], lines, distance, drafts[-1])
            if joined:
                drafts[-1].lines.append(line)
            else:
                drafts.append(_Draft([line], page.number))
    return drafts


def _usual_distance(lines: Sequence[Line]) -> float:
    steps = [b.top - a.top for a, b in itertools.pairwise(lines) if 0 < b.top - a.top < 6 * max(a.size, 1)]
    return median(steps) if steps else 0.0


def _goes_on(lines: Sequence[Line], at: int, distance: float) -> bool:
    """Whether a line goes on with the paragraph of the one above it."""
    one, other = lines[at - 1], lines[at]
    if _is_title(one, other, lines):
        return not one.text.endswith(_FINAL)
    if not _follows(one, other, distance) or _STARTS.match(other.text):
        return False
    left, right = _margins(lines, at, distance)
    if other.left > left + other.size and other.left > one.left - 0.5 * one.size:
        return False  # indented, as first lines are
    return _is_full(one, other, right)


def _follows(one: Line, other: Line, distance: float) -> bool:
    """Whether two lines stand in one column, at its distance and in its type."""
    if one.row or other.row or abs(one.size - other.size) > 0.1 * one.size:
        return False
    return 0 < other.top - one.top <= max(1.35 * distance, 1.2 * one.size)


def _goes_on_over_page(last: Line, lines: Sequence[Line], distance: float, draft: _Draft) -> bool:
    first = lines[0]
    if last.row or first.row or _STARTS.match(first.text) or last.text.endswith(_FINAL):
        return False
    if abs(last.size - first.size) > 0.1 * last.size:
        return False
    left, right = _margins(lines, 0, distance)
    if first.left > left + first.size:
        return False
    return _is_full(last, first, max(right, *(line.right for line in draft.lines)))


def _margins(lines: Sequence[Line], at: int, distance: float) -> tuple[float, float]:
    """Give the left and right margin of the block of lines that a line stands in."""
    low = high = at
    while low > max(0, at - _FAR) and _follows(lines[low - 1], lines[low], distance):
        low -= 1
    while high + 1 < min(len(lines), at + _FAR) and _follows(lines[high], lines[high + 1], distance):
        high += 1
    block = [line for line in lines[low : high + 1] if abs(line.left - lines[at].left) <= 3.5 * line.size]
    few = len(block) < _BLOCK
    if few:  # too few lines to have a margin of their own: a heading and a date are no paragraph
        block += [line for line in lines if abs(line.left - lines[at].left) < line.size and not line.row]
    left, right = min(line.left for line in block), max(line.right for line in block)
    return left, max(right, left + _NARROW * lines[at].size) if few else right


def _is_title(one: Line, other: Line, lines: Sequence[Line]) -> bool:
    """Whether two lines are those of a title: larger than the text, and over its middle."""
    if one.row or other.row or abs(one.size - other.size) > 0.1 or not 0 < other.top - one.top <= 2.2 * one.size:
        return False
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    if one.size < _LARGER * median(line.size for line in lines):
        return False
    return all(
        abs((line.left + line.right - left - right) / 2) < line.size and line.left > left + line.size
        for line in (one, other)
    )


def _is_full(one: Line, other: Line, right: float) -> bool:
    """Whether the first word of the next line would not have fitted behind this one."""
    word = re.match(r"[^\s\u2e80-\uffff]+|.", other.text)
    first = width(word.group()) if word else 1
    column = (other.right - other.left) / max(width(other.text), 1)
    return one.right + (first + 1) * column >= right


def _compounds(pages: Sequence[Page]) -> frozenset[str]:
    """Collect the words that are written with a hyphen inside a line; at the end of one they keep it."""
    return frozenset(w.lower() for page in pages for line in page.lines for w in _WORD.findall(line.text))


def _join(lines: Sequence[str], compounds: frozenset[str]) -> str:
    text = lines[0].rstrip()
    for following in lines[1:]:
        line = following.strip()
        if not text or not line:
            text += line
        elif text[-1] in _HYPHENS and line[0].islower() and text[-2:-1].isalpha():
            text = _join_word(text, line, compounds)
        elif text[-1] > "\u2e80" or line[0] > "\u2e80":
            text += line
        else:
            text += f" {line}"
    return text


def _join_word(text: str, line: str, compounds: frozenset[str]) -> str:
    before = re.search(r"[A-Za-z-]+$", text[:-1])
    after = re.match(r"[A-Za-z-]+", line)
    whole = f"{before.group() if before else ''}-{after.group() if after else ''}".lower()
    return f"{text[:-1]}-{line}" if whole in compounds else text[:-1] + line


def _levels(drafts: Sequence[_Draft], body: float) -> dict[float, int]:
    """Say which sizes are those of headings: the largest is the first level."""
    large = [draft for draft in drafts if draft.lines[0].size >= _LARGER * body and not draft.lines[0].row]
    if not body or _length(large) > _MOST_HEADINGS * _length(drafts):
        return {}
    sizes = sorted({round(draft.lines[0].size, 1) for draft in large}, reverse=True)
    return {size: level for level, size in enumerate(sizes[:4], 1)}


def _length(drafts: Sequence[_Draft]) -> int:
    return sum(len(line.text) for draft in drafts for line in draft.lines)


def _level(draft: _Draft, text: str, levels: dict[float, int]) -> int:
    level = levels.get(round(draft.lines[0].size, 1), 0)
    return level if len(text) <= _LONGEST_HEADING and not text.endswith(tuple("。！？；!?;,，、")) else 0


def without_gaps(line: Line) -> Line:
    """Close up a line whose Chinese characters were spread out; single spaces between words stay."""
    pairs = len(_SPREAD.findall(line.text))
    chinese = sum(1 for c in line.text if c > "\u2e80")
    return replace(line, text=_SPREAD.sub("", line.text)) if pairs >= max(3, 0.6 * (chinese - 1)) else line
