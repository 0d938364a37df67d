"""The conversation so far -> safe HTML of the reading panel: the cited documents, or what is indexed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from assistant.types import Citation
from assistant.view.exchange import Exchange, find_anchor, link_answer, name_source
from assistant.view.source import Cited, draw_document, draw_facts, draw_lost, draw_lost_facts, draw_replaced
from assistant.view.text import Links, escape, name_language, say, say_label, shorten
from assistant.view.words import Words, count, name_labels
from vectorstore.types import ParsedDocument

_SOURCE = Words("原文", "Source")


@dataclass(slots=True)
class _Shelf:
    """One cited document, and by which turns each of its sentences is cited."""

    parsed: ParsedDocument | None = None  # None: no longer as it was when it was cited
    citations: dict[str, Citation] = field(default_factory=dict)  # by anchor
    turns: dict[str, list[int]] = field(default_factory=dict)  # by anchor
    replaced: bool = False  # the index holds it in another form now, or no longer


def draw_sources(exchanges: Sequence[Exchange], documents: Sequence[ParsedDocument]) -> str:
    """Draw the reading panel: the cited documents, opened at the newest answer's first citation."""
    newest = next((e for e in reversed(exchanges) if e.answer and (e.answer.citations or e.answer.nearest)), None)
    if newest is None or newest.answer is None:
        return draw_library(documents)
    links = link_answer(newest.answer, newest.turn)
    current = links.anchors[min(links.anchors)]
    shelves = _sort(exchanges)
    heads = "".join(_draw_head(key, shelf, current) for key, shelf in shelves.items())
    contents = "".join(_draw_contents(e, newest.turn, current) for e in exchanges)
    articles = "".join(_draw_article(key, shelf, current, newest.turn) for key, shelf in shelves.items())
    back = f'<button type="button" class="pa-back" hidden>← {say(Words("返回回答", "back"))} <kbd>Esc</kbd></button>'
    return (
        f'<div class="pa-reader" data-turn="{newest.turn}"><h2 class="pa-sr">{say(_SOURCE)}</h2><div class="pa-readerhead">'
        f'<div class="pa-heads">{heads}{back}</div>{contents}</div><div class="pa-docs">{articles}</div></div>'
    )


def _sort(exchanges: Sequence[Exchange]) -> dict[str, _Shelf]:
    """Gather the citations of all exchanges by document, so that each is sent once."""
    shelves: dict[str, _Shelf] = {}
    for exchange in exchanges:
        if exchange.answer is None:
            continue
        for citation in link_answer(exchange.answer, exchange.turn).citations.values():
            anchor = find_anchor(exchange.answer, citation)
            shelf = shelves.setdefault(name_source(exchange.answer, citation), _Shelf())
            shelf.citations[anchor] = citation
            shelf.replaced = citation.sentence.source in exchange.replaced
            shelf.turns.setdefault(anchor, []).append(exchange.turn)
            for parsed in exchange.documents:
                if parsed.document.source == citation.sentence.source:
                    shelf.parsed = parsed
    return shelves


def _draw_head(key: str, shelf: _Shelf, current: str) -> str:
    """Draw title, publisher and date of a document; in sight wherever its text is scrolled to."""
    first = next(iter(shelf.citations.values()))
    facts = draw_facts(shelf.parsed.document) if shelf.parsed else draw_lost_facts(first.title or first.sentence.source)
    if shelf.parsed and shelf.replaced:
        facts += draw_replaced()
    return f'<div class="pa-head" id="head-{key}"{"" if current in shelf.citations else " hidden"}>{facts}</div>'


def _draw_article(key: str, shelf: _Shelf, current: str, turn: int) -> str:
    if shelf.parsed is None:
        body = "".join(draw_lost(c.sentence.plain, anchor, current) for anchor, c in shelf.citations.items())
    else:
        rows = [Cited(c.sentence, tuple(shelf.turns[anchor])) for anchor, c in shelf.citations.items()]
        body = draw_document(shelf.parsed, rows, key, current, turn)
    hidden = "" if current in shelf.citations else " hidden"
    language = name_language("".join(c.sentence.plain for c in shelf.citations.values()))
    return f'<article class="pa-doc" id="doc-{key}" data-head="head-{key}"{language}{hidden}>{body}</article>'


def _draw_contents(exchange: Exchange, shown: int, current: str) -> str:
    """List the cited sentences of one answer, side by side, to step through; equal labels are written once."""
    if exchange.answer is None:
        return ""
    links = link_answer(exchange.answer, exchange.turn)
    if not links.citations:
        return ""
    groups = groupby(sorted(links.citations), key=lambda n: _name_place(links.citations[n]))
    items = "".join(
        f'<span class="pa-steps"><span>{place}</span>{"".join(_draw_steps(numbers, links, current))}</span>'
        for place, numbers in groups
    )
    hidden = "" if exchange.turn == shown else " hidden"
    name = Words("最接近的句子", "Nearest") if exchange.answer.refused else Words("引用", "Cited")
    return (
        f'<nav class="pa-contents" data-turn="{exchange.turn}" aria-labelledby="cited-{exchange.turn}"{hidden}>'
        f'<span id="cited-{exchange.turn}">{say(name)}<span class="pa-sr"> {exchange.turn}</span></span>{items}</nav>'
    )


def _name_place(citation: Citation) -> str:
    return " · ".join(map(say_label, name_labels(citation.sentence.labels))) or escape(shorten(citation.title, 16))


def _draw_steps(numbers: Iterator[int], links: Links, current: str) -> Iterator[str]:
    for n in numbers:
        state = ' aria-current="true"' if links.anchors[n] == current else ""
        quote = escape(shorten(links.citations[n].sentence.plain, 300))
        yield (f'<a class="pa-step" href="#{links.anchors[n]}" data-turn="{links.turn}"{state} title="{quote}">{n}</a>')


def draw_library(documents: Sequence[ParsedDocument], limit: int = 40) -> str:
    """List what is indexed, before anything was asked: titles, dates, labels, number of sentences."""
    items = "".join(_draw_entry(parsed) for parsed in documents[:limit])
    more = len(documents) - limit
    rest = f'<p class="pa-gap">… {say(Words(f"还有 {more} 份", f"{more} more"))}</p>' if more > 0 else ""
    hint = Words("回答里的引用编号会在这里打开原文。", "Citation numbers of an answer open the source here.")
    return (
        f'<div class="pa-library"><h2>{say(Words("资料", "Documents"))}</h2><p class="pa-hint">{say(hint)}</p>'
        f"<ul>{items}</ul>{rest}</div>"
    )


def _draw_entry(parsed: ParsedDocument) -> str:
    document = parsed.document
    labels = dict.fromkeys(name_labels(section.labels) for section in parsed.sections)
    chips = "".join(
        f'<span class="pa-chip">{" · ".join(map(say_label, words))}</span>' for words in list(labels)[:12] if words
    )
    published = document.published.isoformat() if document.published else ""
    size = Words(f"{len(parsed.sentences)} 句", count(len(parsed.sentences), "sentence"))
    facts = " · ".join([*(escape(f) for f in (document.publisher or "", published) if f), say(size)])
    title = f"<b{name_language(document.title)}>{escape(document.title)}</b>"
    return f'<li>{title}<span class="pa-facts">{facts}</span><span>{chips}</span></li>'
