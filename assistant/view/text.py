"""An answer's text, its claims and its citations -> safe HTML.

Everything that comes from outside is escaped here; the only markup in the result is our own. The few Markdown forms
that answers use (headings, lists, tables, bold) are rendered; everything else stays text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.types import Citation, Claim
from assistant.view.words import PARTS, VERDICTS, Words

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_YEAR = re.compile(r"(\d{4})年")
_FEW = 4  # letters to a Chinese character of an English sentence, at least
_CITATION = Words("引用", "citation")
_TABLE = Words("表格", "Table")
_MARKER = re.compile(r"\[(\d{1,3})\]")
_AFTER_CLAIM = re.compile(r"(?:\s?\[\d{1,3}\]|[。！？；，、,.!?;])*")
_TOKEN = re.compile(r"\[(?P<n>\d{1,3})\]|\*\*(?P<bold>[^*\n]+)\*\*|(?P<open>“)")
_SEPARATOR_ROW = re.compile(r"^\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?$")
_HEADING = re.compile(r"^\s*(#{1,4})\s+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
# Control characters, invisible direction switches and lone surrogates: none can be shown, some lie about the order of
# characters, and the last cannot be sent as UTF-8.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A claim and where it stands in the answer's text, with the markers and the full stop that follow it."""

    claim: Claim
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Links:
    """What a marker of one answer leads to."""

    citations: Mapping[int, Citation]
    anchors: Mapping[int, str]  # number -> id of the element that holds the cited sentence
    turn: int


def clean(text: str) -> str:
    """Drop what cannot be shown, or lies about the order of what is."""
    return _UNSHOWABLE.sub("", text)


def escape(text: str) -> str:
    """Make text from anywhere safe inside an element and inside a double-quoted attribute."""
    return html.escape(clean(text), quote=True)


def say(words: Words) -> str:
    """Both languages side by side; the page shows the one that its reader chose."""
    return f'<span class="zh">{escape(words.zh)}</span> <span class="en" lang="en">{escape(words.en)}</span>'


def put(words: Words) -> str:
    """The end of an opening tag, and the text of an element that can hold no markup; a script puts the other language."""
    return f'data-zh="{escape(words.zh)}" data-en="{escape(words.en)}">{escape(words.zh)}'


def name_language(text: str) -> str:
    """Say of an element that it holds Chinese, whatever the language of the page: a voice needs to know."""
    return ' lang="zh-CN"' if _CHINESE.search(text) else ""


def say_label(word: str) -> str:
    """Write a label as it is, or in both languages where it is one of ours: a part or a year."""
    year = _YEAR.fullmatch(word)
    words = Words(word, year[1]) if year else next((w for w in PARTS.values() if w.zh == word), None)
    return say(words) if words else escape(word)


def say_sentence(text: str) -> str:
    """Write a message as one of our errors words it: Chinese, and after its full stop the same in English."""
    zh, stop, en = text.rpartition("。 ")
    letters = sum(1 for c in en if c.isascii() and c.isalpha())
    # a Chinese name may stand in an English sentence, not half a Chinese one
    both = bool(stop) and en[:1].isascii() and _FEW * len(_CHINESE.findall(en)) <= letters
    return say(Words(zh + "。", en)) if both else escape(text)


def say_reason(reason: str) -> str:
    """Write why a label was given; the reasons hold both languages, with a stroke between."""
    zh, stroke, en = reason.partition(" / ")
    return say(Words(zh, en)) if stroke else escape(reason)


def shorten(text: str, limit: int) -> str:
    """Text on one line, cut with an ellipsis after ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def place_claims(text: str, claims: Sequence[Claim]) -> tuple[tuple[Placed, ...], tuple[Claim, ...]]:
    """Find each claim in the text, in order; give those found and those that could not be placed."""
    bare, origin = _drop_markers(text)
    placed: list[Placed] = []
    lost: list[Claim] = []
    cursor = 0
    for claim in claims:
        wanted = claim.text.strip().rstrip("。.!?！？;；")
        at = bare.find(wanted, cursor) if wanted else -1
        if at < 0:
            lost.append(claim)
            continue
        cursor = at + len(wanted)
        tail = _AFTER_CLAIM.match(text, origin[cursor - 1] + 1)
        placed.append(Placed(claim, origin[at], tail.end() if tail else origin[cursor - 1] + 1))
        while cursor < len(bare) and origin[cursor] < placed[-1].end:
            cursor += 1
    return tuple(placed), tuple(lost)


def _drop_markers(text: str) -> tuple[str, list[int]]:
    """Give the text without ``[n]``, and for each of its characters the place it came from."""
    kept: list[int] = []
    position = 0
    for marker in _MARKER.finditer(text):
        kept.extend(range(position, marker.start()))
        position = marker.end()
    kept.extend(range(position, len(text)))
    return "".join(text[i] for i in kept), kept


def draw_verdict(claim: Claim) -> str:
    """Sign and words of a verdict; its reason opens on demand."""
    words = VERDICTS[claim.verdict]
    return (
        f'<details class="pa-verdict pa-{claim.verdict.value}"><summary>'
        f'<span aria-hidden="true">{words.sign}</span> {say(Words(words.zh, words.en))}</summary>'
        f'<span class="pa-reason">{_say_reason(claim)}</span></details>'
    )


def _say_reason(claim: Claim) -> str:
    return say(Words(claim.reason_zh, claim.reason)) if claim.reason_zh else escape(claim.reason) or "–"


def draw_marker(number: int, links: Links) -> str:
    """Draw the link from ``[n]`` to the cited sentence; a number that cites nothing stays text."""
    citation = links.citations.get(number)
    if citation is None:
        return f"[{number}]"
    quote = escape(shorten(citation.sentence.plain, 300))
    return (
        f'<a class="pa-cite" href="#{links.anchors[number]}" data-turn="{links.turn}" title="{quote}">'
        f'<span class="pa-sr">{say(_CITATION)} </span>{number}</a>'
    )


def draw_text(text: str, placed: Sequence[Placed], links: Links) -> str:
    """Draw the whole text as blocks: headings, lists, tables and paragraphs."""
    lines = list(_lines(text))
    parts: list[str] = []
    index = 0
    while index < len(lines):
        if _is_table(text, lines, index):
            stop = next((i for i in range(index, len(lines)) if not _at(text, lines[i]).startswith("|")), len(lines))
            parts.append(_draw_table(text, lines[index:stop], placed, links))
            index = stop
            continue
        parts.append(_draw_line(text, *lines[index], placed, links))
        index += 1
    return "".join(parts)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, start + len(line)
        start += len(line) + 1


def _at(text: str, span: tuple[int, int]) -> str:
    return text[span[0] : span[1]].strip()


def _is_table(text: str, lines: Sequence[tuple[int, int]], index: int) -> bool:
    if not _at(text, lines[index]).startswith("|") or index + 1 >= len(lines):
        return False
    return _SEPARATOR_ROW.match(_at(text, lines[index + 1])) is not None


def _draw_line(text: str, start: int, end: int, placed: Sequence[Placed], links: Links) -> str:
    heading = _HEADING.match(text[start:end])
    if heading:
        return f'<h3 class="pa-heading">{_draw_span(text, start + heading.end(), end, placed, links)}</h3>'
    bullet = _BULLET.match(text[start:end])
    if bullet:
        return f'<div class="pa-item">{_draw_span(text, start + bullet.end(), end, placed, links)}</div>'
    return f'<div class="pa-para">{_draw_span(text, start, end, placed, links)}</div>'


def _draw_table(text: str, rows: Sequence[tuple[int, int]], placed: Sequence[Placed], links: Links) -> str:
    def draw_row(row: tuple[int, int], tag: str) -> str:
        cells = (f"<{tag}>{_draw_span(text, a, b, placed, links)}</{tag}>" for a, b in _cells(text, *row))
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(draw_row(row, "td") for row in rows[2:])
    name = f"table-{links.turn}-{rows[0][0]}"
    return (
        f'<div class="pa-table" tabindex="0" role="region" aria-labelledby="{name}">'
        f'<span class="pa-sr" id="{name}">{say(_TABLE)}</span><table>'
        f"<thead>{draw_row(rows[0], 'th')}</thead><tbody>{body}</tbody></table></div>"
    )


def _cells(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give the cells of a table row as spans of the text; an escaped pipe does not end one."""
    bars = [start + m.start() for m in re.finditer(r"(?<!\\)\|", text[start:end])]
    edges = [*bars, end] if text[start:end].rstrip()[-1] != "|" else bars
    for left, right in pairwise(edges):
        inner = text[left + 1 : right]
        offset = len(inner) - len(inner.lstrip())
        yield left + 1 + offset, left + 1 + max(offset, len(inner.rstrip()))


def _draw_span(text: str, start: int, end: int, placed: Sequence[Placed], links: Links) -> str:
    parts: list[str] = []
    position = start
    for place in placed:
        a, b = max(place.start, position), min(place.end, end)
        if a >= b:
            continue
        parts.append(draw_inline(text[position:a], links))
        inner = draw_inline(text[a:b], links)
        parts.append(f'<span class="pa-claim pa-{place.claim.verdict.value}">{inner}</span>')
        if place.end <= end:
            parts.append(draw_verdict(place.claim))
        position = b
    parts.append(draw_inline(text[position:end], links))
    return "".join(parts)


def draw_inline(text: str, links: Links) -> str:
    """One stretch of text: markers become links, verbatim quotes and bold are marked, the rest is escaped."""
    parts: list[str] = []
    position = 0
    while token := _TOKEN.search(text, position):
        parts.append(escape(text[position : token.start()]))
        position = token.end()
        if token["n"]:
            parts.append(draw_marker(int(token["n"]), links))
        elif token["bold"]:
            parts.append(f"<strong>{draw_inline(token['bold'], links)}</strong>")
        else:
            position = _end_of_quote(text, token.start())
            parts.append(_draw_quote(text[token.start() : position], links))
    return "".join(parts) + escape(text[position:])


def _end_of_quote(text: str, start: int) -> int:
    """Find where the quotation that opens at ``start`` closes, inner ones skipped; behind ``start`` if nowhere."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"“": 1, "”": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    return start + 1


def _draw_quote(quoted: str, links: Links) -> str:
    inner = quoted[1:-1]
    if len(inner) >= 4 and is_verbatim(inner, links):
        return f'<q class="pa-quote">{escape(quoted)}</q>'
    return escape(quoted[0]) + (draw_inline(inner, links) + escape(quoted[-1]) if len(quoted) > 1 else "")


def is_verbatim(text: str, links: Links) -> bool:
    """Whether a cited sentence holds this text, spaces aside; single quotation marks may stand for double ones."""
    wanted = _fold(text)
    return any(wanted in _fold(c.sentence.plain) for c in links.citations.values())


def _fold(text: str) -> str:
    return "".join(text.split()).translate(str.maketrans("‘’", "“”"))
