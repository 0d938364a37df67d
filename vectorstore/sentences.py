"""Sections -> sentences, the units of evidence, each with its exact place, its labels and the places that it speaks of."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat

from vectorstore.articles import continues
from vectorstore.boilerplate import find_boilerplate
from vectorstore.carry import carry
from vectorstore.gazetteer import Gazetteer, Mention
from vectorstore.layout import read_layout
from vectorstore.markup import Block, Layout
from vectorstore.outline import heading_blocks
from vectorstore.regions import subjects
from vectorstore.sections import find_sections, has_dated_year, is_dated, is_of_code
from vectorstore.types import Boilerplate, Document, Labels, Section, Sentence
from vectorstore.years import looks_back, own_years, tell_years

_ENDS = "。！？；!?;…"
_CLOSERS = "”’」』》〉）】)]}\"'"
_PAIRS = {
    "“": "”",
    "‘": "’",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "（": "）",
    "(": ")",
    "【": "】",
    "[": "]",
}
_SHORT_QUOTE = 60  # characters: within a shorter pair of quotation marks or brackets no sentence ends
_ABBREVIATION = re.compile(
    r"(?:\b[A-Z]|\b(?:No|Nos|Mr|Mrs|Ms|Dr|Prof|St|Inc|Ltd|Co|Corp|vs|etc|e\.g|i\.e|Fig|Art|Vol|pp|approx|Jan|Feb|"
    r"Aug|Sept|Oct|Nov|Dec))$"
)
_LONGEST_ROW = 300  # characters; a longer row of a table holds paragraphs
_DATED = re.compile(r"[（(]?(?:19|20)\d{2}年\d")  # of the steps of a law each has its year: 2021年3月26日 …修正
_HAN = re.compile("[\u4e00-\u9fff]")
_LINK = re.compile(r"(?:https?://|www\.)[!-~]+")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z]{2,24});")


def split_sentences(
    document: Document,
    sections: Sequence[Section] | None = None,
    boilerplate: Sequence[Boilerplate] | None = None,
    layout: Layout | None = None,
) -> tuple[Sentence, ...]:
    """Cut the text outside boilerplate and headings into sentences, in order and without overlap."""
    layout = layout or read_layout(document.text, document.media)
    if boilerplate is None:
        boilerplate = find_boilerplate(document, layout)
    if sections is None:
        sections = find_sections(document, boilerplate, layout=layout)
    hidden = {*heading_blocks(document, layout, boilerplate)}
    starts = [section.start for section in sections]
    sentences: list[Sentence] = []
    covered = {b.start for b in boilerplate}
    content = [block for block in layout.blocks if block.start not in covered]
    paragraph = -1
    for block, same in zip(content, continues(content, hidden), strict=True):
        if block.start in hidden:
            continue
        paragraph += not same
        number = bisect_right(starts, block.start) - 1
        sentences.extend(_labelled(document, block, sections[number], number, paragraph))
    return tuple(sentences)


def cut(text: str) -> Iterator[tuple[int, int]]:
    """Give the places of the sentences of one paragraph, without the white space around them."""
    begin = 0
    for end in _boundaries(text):
        yield from _trimmed(text, begin, end)
        begin = end
    yield from _trimmed(text, begin, len(text))


def _trimmed(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[begin:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        yield begin + left, begin + len(piece.rstrip())


def _boundaries(text: str) -> Iterator[int]:
    """Find where sentences end: behind final marks and the closing marks that belong to them."""
    closed_at = _enclosed(text)
    position = 0
    while position < len(text):
        if position in closed_at:
            position = _after_enclosed(text, position, closed_at[position])
            if position < 0:
                return
            if position and text[position - 1] in _ENDS + _CLOSERS and _closes_sentence(text, position):
                yield position
            continue
        if _is_end(text, position):
            position = _past_marks(text, position)
            if position < len(text):
                yield position
            continue
        position += 1


def _enclosed(text: str) -> dict[int, int]:
    """Find the spans inside which no sentence ends: links, entities, short pairs of quotation marks and brackets."""
    spans = {m.start(): m.end() for m in _LINK.finditer(text)} | {m.start(): m.end() for m in _ENTITY.finditer(text)}
    for position, char in enumerate(text):
        closing = _PAIRS.get(char)
        if closing:
            end = text.find(closing, position + 1, position + _SHORT_QUOTE + 2)
            if end > 0:
                spans[position] = max(spans.get(position, 0), end + 1)
    return spans


def _after_enclosed(text: str, start: int, end: int) -> int:
    return end if end > start else start + 1


def _closes_sentence(text: str, position: int) -> bool:
    """Whether a closing mark ends the sentence: 。” does, unless the sentence goes on after it."""
    last = position - 1
    while last >= 0 and text[last] in _CLOSERS:
        last -= 1
    if last < 0 or position >= len(text):
        return False
    if text[last] == ".":
        return text[position].isspace() and text[position + 1 : position + 2].isupper()
    if text[last] not in "。！？!?…":
        return False
    return text[position] not in "，,、；;：:。！？!?的地得是等和与及中里" + _CLOSERS


def _is_end(text: str, position: int) -> bool:
    char = text[position]
    if char == "…":
        return position + 1 < len(text) and text[position + 1] != "…" and text[position + 1].isspace()
    if char in _ENDS:
        return True
    if char != "." or position + 2 >= len(text):
        return False
    if position and _HAN.match(text[position + 1]):  # an English sentence that Chinese follows without a space
        return (text[position - 1].islower() or text[position - 1] in ")\"'") and not _ABBREVIATION.search(
            text[:position][-8:]
        )
    following = text[position + 1 : position + 3]
    if not following[0].isspace() or not (following[1].isupper() or following[1] in "“\"'(‘"):
        return False
    before = text[max(0, position - 8) : position]
    return (bool(before) and not before[-1].isdigit() and not _ABBREVIATION.search(before)) or _ends_in_year(
        text, position
    )


def _ends_in_year(text: str, position: int) -> bool:
    """Whether the full stop follows a figure inside a sentence rather than the number of a list item."""
    return (
        text[position - 1].isdigit()
        and bool(re.search(r"[A-Za-z]\s+[\d,.%]+$", text[max(0, position - 24) : position]))
        and not re.search(r"\b(?:No|Nos|Art|Fig|Vol)\.?\s*\d+$", text[max(0, position - 24) : position])
    )


def _past_marks(text: str, position: int) -> int:
    while position < len(text) and (text[position] in _ENDS or text[position] == "."):
        position += 1
    while position < len(text) and text[position] in _CLOSERS + _ENDS:
        position += 1
    return position


def _labelled(document: Document, block: Block, section: Section, number: int, paragraph: int) -> Iterator[Sentence]:
    """Make the sentences of a paragraph; one that names no place may go on about that of the sentence before it."""
    row = bool(block.cells) and len(block.plain) <= _LONGEST_ROW
    places = [(0, len(block.plain))] if row else list(cut(block.plain))
    texts = [block.plain[first:end] for first, end in places]
    named = [Gazetteer.load().find_places(plain) for plain in texts]
    carried = carry(section, zip(texts, named, strict=True))
    years = _years(document, section, texts)
    for (first, end), plain, own, goes_on, year in zip(places, texts, named, carried, years, strict=True):
        start, stop = block.starts[first], block.ends[end - 1]
        labels = _narrowed(section, year, subjects(plain) if own else goes_on)
        day = document.published if is_dated(section) else None
        if year is None and day and day.year == labels.year and looks_back(plain, day):
            labels = replace(labels, year=None)
        provinces = [m.place.province for m in (own or goes_on) if not (m.in_name and section.labels.region)]
        yield Sentence(
            source=document.source,
            start=start,
            end=stop,
            quote=document.text[start:stop],
            plain=plain,
            section=number,
            paragraph=paragraph,
            labels=labels,
            places=tuple(dict.fromkeys(m.place.name for m in (own or goes_on))),
            regions=tuple(dict.fromkeys([*([labels.region] if labels.region else []), *provinces])),
        )


def _years(document: Document, section: Section, texts: Sequence[str]) -> Iterator[int | None]:
    """The years that the sentences of a paragraph have of their own, where that of their section is not sure."""
    if not has_dated_year(section):
        return repeat(None, len(texts))
    if is_of_code(section):  # a step of a law has its year; what a rule names is a day from which on it holds
        steps = (own_years(text, None) if _DATED.match(text) else () for text in texts)
        return (next(iter(years)) if len(years) == 1 else None for years in steps)
    return tell_years(texts, document.published.year if document.published else None)


def _narrowed(section: Section, year: int | None, about: tuple[Mention, ...]) -> Labels:
    """Take the section's labels and add the one province and year that the sentence itself speaks of."""
    labels = section.labels
    provinces = {m.place.province for m in about}
    if labels.region is None and len(provinces) == 1:
        labels = replace(labels, region=provinces.pop())
    return replace(labels, year=year) if year else labels
