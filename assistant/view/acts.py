"""An answer -> the buttons below it: copy with its footnotes, say whether it is right, and in which words."""

from __future__ import annotations

from assistant.types import Answer
from assistant.view.exchange import Exchange
from assistant.view.text import escape, say
from assistant.view.words import Words, name_labels

_RATINGS = {"up": Words("有用", "Helpful"), "down": Words("不对", "Wrong")}
_FORMS = {"md": "Markdown", "html": "HTML", "docx": "Word"}
_SIGNS = {"up": "↑", "down": "↓"}
RECORDED = {
    "up": Words("已记录，谢谢", "Recorded, thank you"),
    "down": Words("已记录，待人工审阅", "Recorded, for a person to review"),
}
_ASKED = Words("哪里不对，正确的是什么？可以不填。", "What is wrong, and what is right? May stay empty.")


def draw_acts(exchange: Exchange) -> str:
    """Draw what can be done with a finished answer; nothing where there is none."""
    if exchange.answer is None:
        return ""
    buttons = "".join(_draw_rating(name, exchange) for name in _RATINGS)
    copy = f'<button type="button" class="pa-act" data-copy="{escape(write_copy(exchange.answer))}">'
    said = say(RECORDED[exchange.rating]) if exchange.rating in RECORDED else ""
    return (
        f'<div class="pa-acts">{copy}{say(Words("复制", "Copy"))}</button>{buttons}'
        f'<span class="pa-said" role="status">{said}</span>{_draw_exports(exchange.talk)}</div>{_draw_form()}'
    )


def _draw_rating(name: str, exchange: Exchange) -> str:
    pressed = str(exchange.rating == name).lower()
    return (
        f'<button type="button" class="pa-act" data-rate="{name}" aria-pressed="{pressed}">'
        f'<span aria-hidden="true">{_SIGNS[name]}</span> {say(_RATINGS[name])}</button>'
    )


def _draw_exports(talk: str) -> str:
    """Draw the links that save the whole conversation; the page shows those below its newest answer."""
    if not talk:
        return ""
    links = "".join(
        f'<a class="pa-act" href="/page/talks/{escape(talk)}/export.{form}" download>{name}</a>'
        for form, name in _FORMS.items()
    )
    return f'<span class="pa-exports">{say(Words("保存对话", "Save conversation"))} {links}</span>'


def _draw_form() -> str:
    """Draw the place for a comment; the page shows it when an answer is called wrong."""
    return (
        f'<form class="pa-form" hidden><label>{say(_ASKED)}<textarea rows="2" maxlength="2000"></textarea></label>'
        f'<button type="submit" class="pa-act pa-submit">{say(Words("提交", "Send"))}</button>'
        f'<button type="button" class="pa-act" data-cancel="true">{say(Words("取消", "Cancel"))}</button></form>'
    )


def write_copy(answer: Answer) -> str:
    """Write an answer as plain text with its citations as footnotes, for the clipboard."""
    rows = []
    for citation in answer.citations or answer.nearest:
        labels = " · ".join(name_labels(citation.sentence.labels))
        about = f"{citation.title}（{labels}）" if labels else citation.title
        quote = " ".join(citation.sentence.plain.split())
        rows.append(f"[{citation.n}] “{quote}”——{about}，{citation.sentence.id}")
    return "\n\n".join(part for part in (answer.text.strip(), "\n".join(rows)) if part)
