"""A parsed document and the sentences cited from it -> the safe HTML of the reading panel.

The text is shown as it stands, boilerplate greyed, every cited sentence under an id that the markers of the answers
lead to. Of a long document only a window around each cited sentence is sent; the gaps say how much they leave out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.view.text import escape, say, say_label, say_reason, shorten
from assistant.view.words import Words, count, name_labels
from vectorstore.types import Boilerplate, Document, Media, ParsedDocument, Section, Sentence

_AROUND = 40  # sentences before and after a cited one
_WHOLE = 200  # a document of up to this many sentences is sent whole: some 40 kB of markup
_LONG_BOILERPLATE = 400  # characters of one greyed line


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence that answers of this conversation cite, and in which of them."""

    sentence: Sentence
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of text that is drawn in one way."""

    text: str
    cited: Cited | None = None
    first: bool = False  # of the cited sentence: it carries the id
    grey: bool = False


def name_document(source: str, corpus_sha256: str) -> str:
    """Give a short id for a document of one state of the corpus; it holds letters and digits only."""
    return hashlib.sha256(f"{source}\n{corpus_sha256}".encode("utf-8", "replace")).hexdigest()[:10]


def name_anchor(document: str, sentence: Sentence) -> str:
    """Give the id of the element that holds a cited sentence."""
    return f"s-{document}-{sentence.start}-{sentence.end}"


def draw_document(parsed: ParsedDocument, cited: Sequence[Cited], key: str, current: str, turn: int) -> str:
    """Draw the text of a document; of its cited sentences the ``current`` one stands out, the turn's others less."""
    return "".join(_draw_windows(parsed, cited, key, current, turn))


def draw_facts(document: Document) -> str:
    """Draw what is known of a document as a whole."""
    facts = [document.publisher or "", document.published.isoformat() if document.published else "", document.source]
    line = " · ".join(escape(fact) for fact in facts if fact)
    return f'<h3>{escape(document.title)}</h3><p class="pa-facts">{line}</p>'


def draw_lost_facts(title: str) -> str:
    """Say that a document is no longer as it was cited."""
    return (
        f'<h3>{escape(title)}</h3><p class="pa-facts">'
        f"{say(Words('这份文件已不在当前索引中，只保留了引文。', 'No longer in the index; only the quote was kept.'))}</p>"
    )


def draw_replaced() -> str:
    """Say that the text shown is that of an earlier index."""
    words = Words(
        "这是回答时的文本；当前索引中已改变或移除。",
        "The text as it was when the question was answered; the index has changed since.",
    )
    return f'<p class="pa-facts pa-replaced">⚠ {say(words)}</p>'


def draw_lost(quote: str, anchor: str, current: str) -> str:
    """Draw a quote whose document is no longer as it was: the text around it is not shown."""
    state = " pa-current" if anchor == current else ""
    return (
        f'<p><mark class="pa-mark{state}" id="{anchor}" data-anchor="{anchor}" tabindex="-1">{escape(quote)}</mark></p>'
    )


def _draw_windows(parsed: ParsedDocument, cited: Sequence[Cited], key: str, current: str, turn: int) -> Iterator[str]:
    by_place = {(c.sentence.start, c.sentence.end): c for c in cited}
    marked_up = parsed.document.media in (Media.HTML, Media.MARKDOWN)
    paragraphs = _plain_paragraphs if marked_up else _raw_paragraphs
    last, labelled = -1, ""
    for first, end in list_windows(parsed.sentences, by_place):
        if first > last + 1:
            yield _draw_gap(first - last - 1)
        for section, runs in paragraphs(parsed, first, end, by_place):
            header = _draw_section(section) if section is not None else labelled
            if header != labelled:  # sections under one label follow each other; it is said once
                yield header
            labelled = header
            yield f"<p>{''.join(_draw_run(run, key, current, turn) for run in runs)}</p>"
        last = end
    if last < len(parsed.sentences) - 1:
        yield _draw_gap(len(parsed.sentences) - 1 - last)


def list_windows(sentences: Sequence[Sentence], cited: Mapping[tuple[int, int], Cited]) -> list[tuple[int, int]]:
    """Which sentences to send: first and last position of each window, both included, in order, without overlaps."""
    if len(sentences) <= _WHOLE:
        return [(0, len(sentences) - 1)]
    windows: list[tuple[int, int]] = []
    for i, sentence in enumerate(sentences):
        if (sentence.start, sentence.end) not in cited:
            continue
        first, last = max(0, i - _AROUND), min(len(sentences) - 1, i + _AROUND)
        if windows and first <= windows[-1][1] + 1:
            first = windows.pop()[0]
        windows.append((first, last))
    return windows


_Paragraphs = Iterator[tuple[Section | None, Sequence[_Run]]]


def _raw_paragraphs(
    parsed: ParsedDocument, first: int, last: int, cited: Mapping[tuple[int, int], Cited]
) -> _Paragraphs:
    """Plain text: the lines of the file, exactly."""
    text, sentences = parsed.document.text, parsed.sentences
    start = sentences[first].start if first else 0
    end = sentences[last].end if last < len(sentences) - 1 else len(text)
    headers = sorted(parsed.sections, key=lambda s: s.start)
    position = start
    for line in text[start:end].splitlines(keepends=True):
        span = (position, position + len(line))
        position = span[1]
        if line.strip():
            begun = [s for s in headers if start <= s.start < span[1]]
            headers = [s for s in headers if s.start >= span[1]]
            yield begun[-1] if begun else None, _cut(text, span, cited, parsed.boilerplate)


def _cut(
    text: str, span: tuple[int, int], cited: Mapping[tuple[int, int], Cited], grey: Iterable[Boilerplate]
) -> list[_Run]:
    start, end = span
    marks = [(a, b, c) for (a, b), c in cited.items() if a < end and b > start]
    pale = [(b.start, b.end) for b in grey if b.start < end and b.end > start]
    edges = {start, end, *(e for a, b, _ in marks for e in (a, b)), *(e for pair in pale for e in pair)}
    cuts = sorted(e for e in edges if start <= e <= end)
    runs: list[_Run] = []
    for a, b in pairwise(cuts):
        mark = next((m for m in marks if m[0] <= a and b <= m[1]), None)
        greyed = any(x <= a and b <= y for x, y in pale)
        runs.append(_Run(text[a:b], mark[2] if mark else None, mark is not None and mark[0] == a, greyed))
    return runs


def _plain_paragraphs(
    parsed: ParsedDocument, first: int, last: int, cited: Mapping[tuple[int, int], Cited]
) -> _Paragraphs:
    """HTML and Markdown: the sentences without markup; tags are nothing that a person wants to read."""
    group: list[_Run] = []
    paragraph, section = -1, -1
    opened: Section | None = None
    for sentence in parsed.sentences[first : last + 1]:
        if sentence.paragraph != paragraph and group:
            yield opened, group
            group, opened = [], None
        if sentence.section != section:
            opened = parsed.sections[sentence.section]
        paragraph, section = sentence.paragraph, sentence.section
        found = cited.get((sentence.start, sentence.end))
        group.append(_Run(sentence.plain, found, found is not None))
    if group:
        yield opened, group


def _draw_run(run: _Run, key: str, current: str, turn: int) -> str:
    if run.cited is not None:
        anchor = name_anchor(key, run.cited.sentence)
        state = " pa-current" if anchor == current else " pa-other" if turn in run.cited.turns else ""
        name = f' id="{anchor}" tabindex="-1"' if run.first else ""
        turns = " ".join(map(str, run.cited.turns))
        return (
            f'<mark class="pa-mark{state}"{name} data-anchor="{anchor}" data-turns="{turns}">{escape(run.text)}</mark>'
        )
    if run.grey:
        return f'<span class="pa-grey">{escape(shorten(run.text, _LONG_BOILERPLATE))}</span>'
    return escape(run.text)


def _draw_section(section: Section) -> str:
    words = name_labels(section.labels)
    if not words:
        return ""
    reasons = [r for r in (section.reasons.region, section.reasons.year, section.reasons.part) if r]
    why = "".join(f"<span>{say_reason(reason)}</span>" for reason in reasons)
    chips = draw_chips(words)
    if not why:
        return f'<div class="pa-section">{chips}</div>'
    return (
        f'<details class="pa-section"><summary>{chips}<span class="pa-why">'
        f"{say(Words('标签依据', 'why'))}</span></summary><p>{why}</p></details>"
    )


def draw_chips(words: Sequence[str]) -> str:
    """Labels, side by side."""
    return "".join(f'<span class="pa-chip">{say_label(word)}</span>' for word in words)


def _draw_gap(sentences: int) -> str:
    words = Words(f"此处略去 {sentences} 句", f"{count(sentences, 'sentence')} not shown")
    return f'<p class="pa-gap">… {say(words)} …</p>'
