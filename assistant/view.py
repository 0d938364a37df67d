"""The conversation so far -> safe HTML of the page: the exchanges, the reading panel, the welcome.

Pure: no Gradio, no state. Whatever a document, a question or a model contains leaves here escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.types import Answer, Citation, Question, Verdict
from assistant.view_source import Cited, draw_chips, draw_document, draw_lost, name_anchor, name_document
from assistant.view_text import Links, Placed, draw_text, draw_verdict, escape, place_claims, say, shorten
from assistant.view_words import REFUSALS, VERDICTS, Words, name_labels, name_scope
from vectorstore.types import ParsedDocument

_SHORT_ANSWER = 24  # characters; a longer first claim is a sentence, not a short answer


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of the conversation and what has become of it so far."""

    turn: int  # from 1
    asked: str
    understood: Question | None = None
    found: int | None = None  # sentences that the model may cite
    ahead: int = 0  # questions of others that are answered first
    draft: str = ""  # unchecked text from the model
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False
    documents: tuple[ParsedDocument, ...] = ()  # those that the answer leads to, as they were when it was given

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.answer is None and self.error is None and not self.stopped


def draw_exchanges(exchanges: Sequence[Exchange]) -> str:
    """Several exchanges, oldest first."""
    return "".join(draw_exchange(exchange) for exchange in exchanges)


def draw_exchange(exchange: Exchange) -> str:
    """Draw the question as it was typed and the answer, its progress, or why there is none."""
    return (
        f'<section class="pa-exchange" data-turn="{exchange.turn}" data-running="{str(exchange.running).lower()}">'
        f'<div class="pa-question"><h2 class="pa-sr">问题 {exchange.turn}</h2>{_draw_typed(exchange.asked)}</div>'
        f'<div class="pa-answer">{_draw_understood(exchange)}{_draw_outcome(exchange)}</div></section>'
    )


def _draw_typed(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())


def _draw_understood(exchange: Exchange) -> str:
    question = exchange.answer.question if exchange.answer else exchange.understood
    if question is None:
        return ""
    rewritten = "".join(question.standalone.split()) != "".join(question.text.split())
    chips = draw_chips(name_scope(question.scope))
    if not rewritten and not chips:
        return ""
    sentence = f"<span>理解为：<b>{escape(question.standalone)}</b></span>" if rewritten else "<span>范围</span>"
    edit = (
        f'<button type="button" class="pa-edit" data-fill="{escape(question.standalone)}">修改 '
        '<small class="en" lang="en">edit</small></button>'
    )
    return f'<div class="pa-understood">{sentence}{chips}{edit if rewritten else ""}</div>'


def _draw_outcome(exchange: Exchange) -> str:
    if exchange.error is not None:
        return f'<div class="pa-error" role="alert">{escape(exchange.error)}</div>{_draw_draft(exchange)}'
    if exchange.answer is None:
        return (_draw_stopped() if exchange.stopped else _draw_progress(exchange)) + _draw_draft(exchange)
    if exchange.answer.refused:
        return draw_refusal(exchange.answer, exchange.turn)
    stopped = _draw_stopped() if exchange.answer.stopped else ""
    return stopped + draw_answer(exchange.answer, exchange.turn)


def _draw_progress(exchange: Exchange) -> str:
    if exchange.ahead:
        words = Words(f"前面还有 {exchange.ahead} 个问题，请稍候…", f"{exchange.ahead} ahead of you")
    elif exchange.found is not None:
        words = Words(f"已找到 {exchange.found} 个句子，正在回答…", f"{exchange.found} sentences found, answering")
    elif exchange.understood is not None:
        words = Words("已理解问题，正在检索…", "searching")
    else:
        words = Words("正在理解问题…", "reading your question")
    return f'<div class="pa-progress" role="status"><span class="pa-dot"></span>{say(words)}</div>'


def _draw_draft(exchange: Exchange) -> str:
    if not exchange.draft:
        return ""
    mark = say(Words("未核对", "not checked yet"))
    return f'<div class="pa-draft"><span class="pa-chip">{mark}</span> {_draw_typed(exchange.draft)}</div>'


def _draw_stopped() -> str:
    return f'<div class="pa-stopped" role="status">■ {say(Words("已停止", "stopped"))}</div>'


def link_answer(answer: Answer, turn: int) -> Links:
    """Say what the markers of an answer, or of the nearest sentences of a refusal, lead to."""
    citations = {citation.n: citation for citation in answer.citations or answer.nearest}
    return Links(citations, {n: _anchor(answer, citation) for n, citation in citations.items()}, turn)


def _key(answer: Answer, citation: Citation) -> str:
    return name_document(citation.sentence.source, answer.index.corpus_sha256)


def _anchor(answer: Answer, citation: Citation) -> str:
    return name_anchor(_key(answer, citation), citation.sentence)


def draw_answer(answer: Answer, turn: int) -> str:
    """Draw the checked answer: short answer first, every claim with its verdict, then the sum of the verdicts."""
    links = link_answer(answer, turn)
    placed, lost = place_claims(answer.text, answer.claims)
    cut = _end_of_short_answer(answer.text, placed)
    short = draw_text(answer.text[:cut], placed, links)
    head = f'<div class="pa-short">{short}</div>' if short else ""
    rest = tuple(Placed(p.claim, p.start - cut, p.end - cut) for p in placed if p.start >= cut)
    body = draw_text(answer.text[cut:], rest, links)
    unplaced = "".join(f'<div class="pa-item">{escape(claim.text)} {draw_verdict(claim)}</div>' for claim in lost)
    return f'<div class="pa-text">{head}{body}{unplaced}</div>{draw_tally(answer)}{_draw_notes(answer)}'


def _end_of_short_answer(text: str, placed: Sequence[Placed]) -> int:
    """Where the short answer ends: a first claim of a few characters that more text follows; 0 where there is none."""
    if not placed or placed[0].start != 0:
        return 0
    first = text[: placed[0].end]
    fits = len(first) <= _SHORT_ANSWER and "\n" not in first and "“" not in first and not first.startswith(("|", "#"))
    return placed[0].end if fits and text[placed[0].end :].strip() else 0


def draw_tally(answer: Answer) -> str:
    """Draw a bar and a line that sum the verdicts up: "3 句：2 已核对，1 部分"."""
    if not answer.claims:
        return ""
    counts = Counter(claim.verdict for claim in answer.claims)
    total = len(answer.claims)
    zh = "，".join(f"{counts[v]} {VERDICTS[v].zh}" for v in Verdict if counts[v])
    en = ", ".join(f"{counts[v]} {VERDICTS[v].en}" for v in Verdict if counts[v])
    bar = "".join(f'<i class="pa-{claim.verdict.value}"></i>' for claim in answer.claims)
    words = Words(f"{total} 句：{zh}", f"{total} {'sentence' if total == 1 else 'sentences'}: {en}")
    return f'<div class="pa-tally"><span class="pa-bar" aria-hidden="true">{bar}</span><span>{say(words)}</span></div>'


def _draw_notes(answer: Answer) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in answer.notes)
    made = [
        answer.model.name,
        answer.model.quantization,
        f"{answer.seconds.total:.1f} 秒" if answer.seconds.total else "",
    ]
    line = " · ".join(escape(word) for word in made if word)
    return (f'<ul class="pa-notes">{notes}</ul>' if notes else "") + f'<p class="pa-made">{line}</p>'


def draw_refusal(answer: Answer, turn: int) -> str:
    """Draw a refusal: that it is one, why, and the nearest sentences to look at."""
    if answer.refusal is None:
        return ""
    links = link_answer(answer, turn)
    text = draw_text(answer.text, (), Links({}, {}, turn))
    near = "".join(_draw_nearest(citation, links, turn) for citation in answer.nearest)
    if near:
        near = (
            f'<p class="pa-lead">{say(Words("最接近的句子", "nearest sentences"))}</p><ol class="pa-near">{near}</ol>'
        )
    return (
        '<div class="pa-refusal" role="note"><p class="pa-lead"><b>⊘ 未作回答：'
        f"{say(REFUSALS[answer.refusal])}</b></p>{text}{near}</div>{_draw_notes(answer)}"
    )


def _draw_nearest(citation: Citation, links: Links, turn: int) -> str:
    words = draw_chips(name_labels(citation.sentence.labels))
    quote = escape(shorten(citation.sentence.plain, 160))
    return (
        f'<li><a class="pa-cite pa-long" href="#{links.anchors[citation.n]}" data-turn="{turn}">{quote}</a>{words}</li>'
    )


def draw_sources(exchanges: Sequence[Exchange], documents: Sequence[ParsedDocument]) -> str:
    """Draw the reading panel: the cited documents, opened at the newest answer's first citation."""
    newest = next((e for e in reversed(exchanges) if e.answer and (e.answer.citations or e.answer.nearest)), None)
    if newest is None or newest.answer is None:
        return draw_library(documents)
    links = link_answer(newest.answer, newest.turn)
    current = links.anchors[min(links.anchors)]
    contents = "".join(_draw_contents(e, newest.turn, current) for e in exchanges if e.answer)
    articles = "".join(_draw_articles(exchanges, current, newest.turn))
    back = (
        '<button type="button" class="pa-back" hidden>← 返回回答 <small class="en" lang="en">back</small> '
        "<kbd>Esc</kbd></button>"
    )
    return (
        f'<div class="pa-reader" data-turn="{newest.turn}"><div class="pa-readerhead">'
        f'<h2>{say(Words("原文", "source"))}</h2>{back}</div>{contents}<div class="pa-docs">{articles}</div></div>'
    )


def _draw_contents(exchange: Exchange, shown: int, current: str) -> str:
    """List the cited sentences of one answer, side by side, to step through."""
    if exchange.answer is None:
        return ""
    links = link_answer(exchange.answer, exchange.turn)
    if not links.citations:
        return ""
    items = "".join(_draw_content(n, links, current, exchange.answer.refused) for n in sorted(links.citations))
    hidden = "" if exchange.turn == shown else " hidden"
    name = "最接近的句子" if exchange.answer.refused else "引用的句子"
    return f'<nav class="pa-contents" data-turn="{exchange.turn}" aria-label="{name}"{hidden}>{items}</nav>'


def _draw_content(n: int, links: Links, current: str, refused: bool) -> str:
    citation = links.citations[n]
    words = " · ".join(name_labels(citation.sentence.labels)) or shorten(citation.title, 16)
    number = "≈" if refused else str(n)
    state = ' aria-current="true"' if links.anchors[n] == current else ""
    return (
        f'<a class="pa-step" href="#{links.anchors[n]}" data-turn="{links.turn}"{state} '
        f'title="{escape(shorten(citation.sentence.plain, 300))}"><b>{number}</b> {escape(words)}</a>'
    )


def _draw_articles(exchanges: Sequence[Exchange], current: str, turn: int) -> Iterator[str]:
    """Each cited document once, whichever answers cite it."""
    cited: dict[str, dict[str, list[int]]] = {}
    sentences: dict[str, Citation] = {}
    parsed: dict[str, ParsedDocument] = {}
    for exchange in exchanges:
        if exchange.answer is None:
            continue
        for citation in link_answer(exchange.answer, exchange.turn).citations.values():
            key, anchor = _key(exchange.answer, citation), _anchor(exchange.answer, citation)
            sentences[anchor] = citation
            cited.setdefault(key, {}).setdefault(anchor, []).append(exchange.turn)
            for document in exchange.documents:
                if document.document.source == citation.sentence.source:
                    parsed[key] = document
    for key, anchors in cited.items():
        document_of = parsed.get(key)
        if document_of is None:
            for anchor in anchors:
                lost = sentences[anchor].sentence
                yield draw_lost(lost.plain, sentences[anchor].title or lost.source, f"{key}-{lost.start}", anchor)
            continue
        rows = [Cited(sentences[anchor].sentence, tuple(turns)) for anchor, turns in anchors.items()]
        yield draw_document(document_of, rows, key, current, turn)


def keep_documents(answer: Answer, documents: Sequence[ParsedDocument]) -> tuple[ParsedDocument, ...]:
    """Give the documents that an answer leads to and that still hold every cited sentence where it was."""
    kept = []
    for parsed in documents:
        text = parsed.document.text
        rows = [c.sentence for c in (*answer.citations, *answer.nearest) if c.sentence.source == parsed.document.source]
        if rows and all(text[s.start : s.end] == s.quote for s in rows):
            kept.append(parsed)
    return tuple(kept)


def draw_library(documents: Sequence[ParsedDocument], limit: int = 40) -> str:
    """List what is indexed, before anything was asked: titles, dates, labels, number of sentences."""
    items = "".join(_draw_entry(parsed) for parsed in documents[:limit])
    more = len(documents) - limit
    rest = f'<p class="pa-gap">… 还有 {more} 份 <small class="en" lang="en">{more} more</small></p>' if more > 0 else ""
    hint = Words("回答里的引用编号会在这里打开原文。", "Citation numbers of an answer open the source here.")
    return (
        f'<div class="pa-library"><h2>{say(Words("资料", "documents"))}</h2><p class="pa-hint">{say(hint)}</p>'
        f"<ul>{items}</ul>{rest}</div>"
    )


def _draw_entry(parsed: ParsedDocument) -> str:
    document = parsed.document
    labels = dict.fromkeys(name_labels(section.labels) for section in parsed.sections)
    chips = "".join(f'<span class="pa-chip">{escape(" · ".join(words))}</span>' for words in list(labels)[:12] if words)
    published = document.published.isoformat() if document.published else ""
    facts = " · ".join(escape(f) for f in (document.publisher or "", published, f"{len(parsed.sentences)} 句") if f)
    return f'<li><b>{escape(document.title)}</b><span class="pa-facts">{facts}</span><span>{chips}</span></li>'


def draw_header(documents: Sequence[ParsedDocument]) -> str:
    """Draw the head of the page: what it is, in one line, and how much it knows."""
    count = sum(len(parsed.sentences) for parsed in documents)
    return (
        '<header class="pa-header"><h1>政策文件助手 <small class="en" lang="en">Policy assistant</small></h1>'
        '<p>每句话都有出处，并与原文核对过；资料里没有的，不回答。 <small class="en" lang="en">Every sentence '
        "cites its source and is checked against it.</small></p>"
        f'<p class="pa-counts">{len(documents)} 份资料 · {count} 句 · 全部在本机</p></header>'
    )


def draw_welcome(questions: Sequence[str]) -> str:
    """Before the first question: a few that the loaded documents can answer."""
    items = "".join(
        f'<li><button type="button" class="pa-example" data-ask="{escape(q)}">{escape(q)}</button></li>'
        for q in questions
    )
    if not items:
        return f'<div class="pa-welcome"><p>{say(Words("还没有资料。", "No documents yet."))}</p></div>'
    lead = Words("可以这样问", "questions these documents can answer")
    return f'<div class="pa-welcome"><p class="pa-lead">{say(lead)}</p><ul>{items}</ul></div>'
