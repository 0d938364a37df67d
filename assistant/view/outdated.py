"""Old answers and the documents of today -> which of their documents were changed or removed since, and a line that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.view.exchange import Exchange
from assistant.view.text import say
from assistant.view.words import Words
from vectorstore.types import ParsedDocument


def mark_outdated(exchanges: Sequence[Exchange], documents: Sequence[ParsedDocument]) -> tuple[Exchange, ...]:
    """Note in every answered exchange which of the documents it leads to are not what they were, or not there."""
    today = {parsed.document.source: parsed.document.sha256 for parsed in documents}
    return tuple(exchange if exchange.answer is None else _mark(exchange, today) for exchange in exchanges)


def _mark(exchange: Exchange, today: dict[str, str]) -> Exchange:
    answer = exchange.answer
    cited = {c.sentence.source for c in (*answer.citations, *answer.nearest)} if answer else set()
    then = {parsed.document.source: parsed.document.sha256 for parsed in exchange.documents}
    removed = frozenset(cited - today.keys())
    changed = {s for s in cited & today.keys() if (then[s] != today[s] if s in then else s in exchange.replaced)}
    if (removed, removed | changed) == (exchange.removed, exchange.replaced):
        return exchange
    return replace(exchange, removed=removed, replaced=removed | changed)


def draw_outdated(exchange: Exchange) -> str:
    """Say above an answer that documents it cites were removed; their text is kept with the answer."""
    if not exchange.removed or exchange.answer is None:
        return ""
    rows = (*exchange.answer.citations, *exchange.answer.nearest)
    titles = dict.fromkeys(c.title or c.sentence.source for c in rows if c.sentence.source in exchange.removed)
    names = "、".join(f"《{title}》" for title in titles)
    words = Words(
        f"这条回答引用的资料已被移除：{names}。以下是回答时的文本，新的问题不再使用它。",
        f"A document that this answer cites was removed: {names}. The text is that of then; new questions do not use it.",
    )
    return f'<p class="pa-facts pa-replaced" role="note">⚠ {say(words)}</p>'
