"""The conversation so far -> safe HTML of the page: its exchanges, and what stands there before the first.

Pure: no Gradio, no state. Whatever a document, a question or a model contains leaves here escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assistant.types import Answer, Citation, Refusal, Verdict
from assistant.view.acts import draw_acts
from assistant.view.exchange import Exchange, link_answer
from assistant.view.outdated import draw_outdated
from assistant.view.plain import NAME, draw_nav
from assistant.view.source import draw_chips
from assistant.view.text import (
    Links,
    Placed,
    draw_text,
    draw_verdict,
    escape,
    name_language,
    place_claims,
    say,
    say_sentence,
    shorten,
)
from assistant.view.words import REFUSALS, VERDICTS, Words, count, name_labels, name_scope
from vectorstore.types import ParsedDocument

_PROMISE = Words(
    "每句话都有出处，并与原文核对过；资料里没有的，不回答。",
    "Every sentence cites its source and is checked against it; what the documents do not say is not answered.",
)
_SHORT_ANSWER = 24  # characters; a longer first claim is a sentence, not a short answer


def draw_exchanges(exchanges: Sequence[Exchange]) -> str:
    """Several exchanges, oldest first."""
    return "".join(draw_exchange(exchange) for exchange in exchanges)


def draw_exchange(exchange: Exchange) -> str:
    """Draw the question as it was typed and the answer, its progress, or why there is none."""
    return (
        f'<section class="pa-exchange" data-turn="{exchange.turn}" data-talk="{escape(exchange.talk)}" '
        f'data-running="{str(exchange.running).lower()}">'
        f'<div class="pa-question"{name_language(exchange.asked)}>'
        f'<h2 class="pa-sr">{say(Words("问题", "question"))} {exchange.turn}</h2>'
        f"{_draw_typed(exchange.asked)}</div>"
        f'<div class="pa-answer">{_draw_understood(exchange)}{draw_outdated(exchange)}{_draw_outcome(exchange)}'
        f"{draw_acts(exchange)}</div></section>"
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
    sentence = (
        f"<span>{say(Words('理解为：', 'Understood as:'))}<b>{escape(question.standalone)}</b></span>"
        if rewritten
        else f"<span>{say(Words('范围', 'scope'))}</span>"
    )
    edit = (
        f'<button type="button" class="pa-edit" data-fill="{escape(question.standalone)}">'
        f"{say(Words('修改', 'edit'))}</button>"
    )
    return f'<div class="pa-understood">{sentence}{chips}{edit if rewritten else ""}</div>'


def _draw_outcome(exchange: Exchange) -> str:
    if exchange.error is not None:
        again = _draw_conflict(exchange.asked) if exchange.conflict else ""
        said = say_sentence(exchange.error)
        return f'<div class="pa-error" role="alert">{said}{again}</div>{_draw_draft(exchange)}'
    if exchange.answer is None:
        return (_draw_stopped() if exchange.stopped else _draw_progress(exchange)) + _draw_draft(exchange)
    if exchange.answer.refused:
        return draw_refusal(exchange.answer, exchange.turn)
    stopped = _draw_stopped() if exchange.answer.stopped else ""
    return stopped + draw_answer(exchange.answer, exchange.turn)


def _draw_conflict(asked: str) -> str:
    """Offer to ask without the chosen scope; the question itself is put back into the box, to be changed."""
    again = Words("清除所选范围，再问一次", "Clear the scope and ask again")
    return f'<p class="pa-ways-on"><button type="button" class="pa-edit" data-again="{escape(asked)}">{say(again)}</button></p>'


def _draw_progress(exchange: Exchange) -> str:
    if exchange.ahead:
        about = round(exchange.wait)
        words = Words(
            f"前面还有 {exchange.ahead} 个问题，" + (f"约 {about} 秒…" if about else "请稍候…"),
            f"{exchange.ahead} ahead of you" + (f", about {about} s" if about else ""),
        )
    elif exchange.found is not None:
        words = Words(
            f"已找到 {exchange.found} 个句子，正在回答…", f"{count(exchange.found, 'sentence')} found, answering"
        )
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
    return f'<div class="pa-text"{name_language(answer.text)}>{head}{body}{unplaced}</div>{draw_tally(answer)}{_draw_notes(answer)}'


def _end_of_short_answer(text: str, placed: Sequence[Placed]) -> int:
    """Where the short answer ends: a first claim of a few characters that more text follows; 0 where there is none."""
    if not placed or placed[0].start != 0:
        return 0
    first = text[: placed[0].end]
    fits = len(first) <= _SHORT_ANSWER and "\n" not in first and not first.startswith(("|", "#"))
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
    words = Words(f"{total} 句：{zh}", f"{count(total, 'sentence')}: {en}")
    return f'<div class="pa-tally"><span class="pa-bar" aria-hidden="true">{bar}</span><span>{say(words)}</span></div>'


def _draw_notes(answer: Answer) -> str:
    notes = "".join(f"<li>{say_sentence(note)}</li>" for note in answer.notes)
    made = [
        answer.model.name,
        answer.model.quantization,
        f"{answer.seconds.total:.1f} s" if answer.seconds.total else "",
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
            f'<p class="pa-lead">{say(Words("最接近的句子", "Nearest sentences"))}</p><ol class="pa-near">{near}</ol>'
        )
    return (
        '<div class="pa-refusal" role="note"><p class="pa-lead"><b>⊘ '
        f"{say(_say_refusal(answer.refusal))}</b></p>{text}{near}</div>{_draw_notes(answer)}"
    )


def _say_refusal(refusal: Refusal) -> Words:
    words = REFUSALS[refusal]
    return Words(f"未作回答：{words.zh}", f"Not answered: {words.en}")


def _draw_nearest(citation: Citation, links: Links, turn: int) -> str:
    words = draw_chips(name_labels(citation.sentence.labels))
    quote = escape(shorten(citation.sentence.plain, 160))
    return (
        f'<li><a class="pa-cite pa-long" href="#{links.anchors[citation.n]}" data-turn="{turn}">{quote}</a>{words}</li>'
    )


def draw_header(documents: Sequence[ParsedDocument]) -> str:
    """Draw the head of the page: what it is, in one line, and how much it knows."""
    sentences = sum(len(parsed.sentences) for parsed in documents)
    counts = Words(
        f"{len(documents)} 份资料 · {sentences} 句",
        f"{count(len(documents), 'document')} · {count(sentences, 'sentence')}",
    )
    return (
        f'<header class="pa-header"><h1>{say(NAME)}</h1><p>{say(_PROMISE)}</p>'
        f'<p class="pa-counts">{say(counts)}</p>{draw_nav("/")}</header>'
    )


def draw_welcome(questions: Sequence[str]) -> str:
    """Before the first question: a few that the loaded documents can answer."""
    items = "".join(
        f'<li><button type="button" class="pa-example" data-ask="{escape(q)}">{escape(q)}</button></li>'
        for q in questions
    )
    if not items:
        return f'<div class="pa-welcome"><p>{say(Words("还没有资料。", "No documents yet."))}</p></div>'
    lead = Words("可以这样问", "Questions these documents can answer")
    return f'<div class="pa-welcome"><p class="pa-lead">{say(lead)}</p><ul>{items}</ul></div>'
