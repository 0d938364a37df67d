"""The models on this machine -> the page that shows them, changes the one that answers, and says how to get another."""

from __future__ import annotations

from assistant.llm.catalog import Form, ModelSpec
from assistant.llm.change import Change, Known, Shelf
from assistant.llm.offers import Offer
from assistant.llm.pull import name_size
from assistant.view.text import escape, say, say_sentence
from assistant.view.words import Words

_DOES = {
    Form.READER: Words("挑出并摘录原句，自己不写句子", "picks and quotes sentences, writes none of its own"),
    Form.INSTRUCT: Words(
        "自己写答案，每句都与原文核对", "writes the answer; each sentence is checked against the source"
    ),
}
_HERE = Words("本机的模型", "Models on this machine")
_ANSWERS = Words("正在回答", "answers now")
_NEXT = Words("下次启动时用", "after the next start")
_USE = Words("改用", "Use")
_FETCH = Words("可以下载的模型", "Models that can be fetched")
_ADD = Words("添加模型", "Add a model")
_PULL = Words(
    "从下面的表里下载一个（断点续传，核对校验和）：", "Fetch one of the table below (resumable, checksum held):"
)
_FILE = Words(
    "用自己的 GGUF 文件（会成为下次启动时的模型）：", "A GGUF file of your own (answers after the next start):"
)
_THEN = Words("之后刷新本页，就能在上面改用它。", "Then reload this page and change to it above.")


def draw_models(shelf: Shelf, change: Change, *, may_change: bool) -> str:
    """Draw the whole body."""
    lead = Words(
        "无论由哪个模型回答，每句话都要与原文核对。换模型不用重启，正在回答的问题由原来的模型答完。",
        "Whichever model answers, each sentence is checked against its source. Changing it needs no restart; questions under way "
        "are finished by the old one.",
    )
    free = Words(f"可用内存 {name_size(shelf.free)}。", f"Free memory: {name_size(shelf.free)}.")
    known = "".join(_draw_known(one, shelf, change, may_change=may_change) for one in shelf.known)
    return (
        f'<p class="pa-hint">{say(lead)} {say(free)}</p>{_draw_change(change, shelf)}{_draw_server(shelf)}'
        f'<h3>{say(_HERE)}</h3><ul class="pa-lines pa-models">{known}</ul>{_say_who(shelf, may_change=may_change)}'
        f"{_draw_adding()}{_draw_offers(shelf)}"
    )


def _draw_change(change: Change, shelf: Shelf) -> str:
    if change.running:
        words = Words(
            f"正在启动 {change.name} 并试答一次；在此之前仍由 {shelf.answers.name} 回答。",
            f"Starting {change.name} and letting it answer once; until then {shelf.answers.name} answers.",
        )
        return f'<div class="pa-run" id="pa-change" role="status"><span class="pa-dot"></span><span>{say(words)}</span></div>'
    if change.problem:
        words = Words(
            f"没有换成 {change.name}，仍由 {shelf.answers.name} 回答。",
            f"{change.name} was not taken; {shelf.answers.name} goes on answering.",
        )
        return f'<div class="pa-error" role="alert"><p>{say(words)}</p>{say_sentence(change.problem)}</div>'
    return ""


def _draw_server(shelf: Shelf) -> str:
    """Draw what a server answers with; its models are its own matter."""
    if not shelf.server:
        return ""
    words = Words(
        f"由服务器 {shelf.server} 上的 {shelf.answers.name} 回答（ASSISTANT_LLM_URL）；要换模型，请改 ASSISTANT_LLM_MODEL 后重启。",
        f"{shelf.answers.name} on the server {shelf.server} answers (ASSISTANT_LLM_URL); to change it set ASSISTANT_LLM_MODEL and "
        "start again.",
    )
    others = Words(f"服务器上还有：{'、'.join(shelf.served)}。", f"The server also has: {', '.join(shelf.served)}.")
    return f'<div class="pa-run"><span>{say(words)}{" " + say(others) if shelf.served else ""}</span></div>'


def _draw_known(one: Known, shelf: Shelf, change: Change, *, may_change: bool) -> str:
    spec = one.spec
    marks = [f'<span class="pa-chip">{say(_ANSWERS)}</span>'] if one.answers else []
    if spec.name == shelf.next_start != shelf.answers.name:
        marks.append(f'<span class="pa-chip">{say(_NEXT)}</span>')
    facts = [escape(spec.quantization), say(_DOES[spec.form]), *_say_offer(one.offer)]
    button = ""
    if may_change and not one.answers and not shelf.server:
        off = " disabled" if change.running or not one.fits else ""
        button = (
            f'<form method="post" action="/models/use"><input type="hidden" name="model" value="{escape(spec.name)}">'
            f'<button type="submit"{off}>{say(_USE)}<span class="pa-sr"> {escape(spec.name)}</span></button></form>'
        )
    return (
        f'<li><div><b>{escape(spec.name)}</b> {"".join(marks)}<span class="pa-facts">{" · ".join(facts)}</span>'
        f'<span class="pa-facts">{_say_memory(one, spec)}</span></div>{button}</li>'
    )


def _say_memory(one: Known, spec: ModelSpec) -> str:
    if one.memory is None:
        words = Words(f"✗ 文件读不了：{spec.path}", f"✗ the file cannot be read: {spec.path}")
        return f'<span class="pa-lacks">{say(words)}</span>'
    need = name_size(one.memory)
    if one.answers:
        return say(Words(f"约占内存 {need}", f"takes about {need} of memory"))
    return _say_fit(need, fits=one.fits)


def _say_fit(need: str, *, fits: bool) -> str:
    if fits:
        return f'<span class="pa-fits">{say(Words(f"✓ 约需内存 {need}，放得下", f"✓ needs about {need} of memory: fits"))}</span>'
    words = Words(f"✗ 约需内存 {need}，现在放不下", f"✗ needs about {need} of memory: does not fit now")
    return f'<span class="pa-lacks">{say(words)}</span>'


def _say_offer(offer: Offer | None) -> list[str]:
    return [escape(offer.languages), escape(offer.licence), say_sentence(offer.good_for)] if offer else []


def _say_who(shelf: Shelf, *, may_change: bool) -> str:
    if may_change or shelf.server:
        return ""
    words = Words(
        "这个网页有多人登录，共用一个模型，所以在这里不能换；由管理员运行 assistant model use 后重启，或启动时加 --allow-model-change。",
        "Several people log in to this page and share one model, so it cannot be changed here: whoever runs it does with `assistant "
        "model use` and a restart, or starts it with --allow-model-change.",
    )
    return f'<p class="pa-hint">{say(words)}</p>'


def _draw_adding() -> str:
    rows = ((_PULL, "assistant model pull NAME"), (_FILE, "assistant model use FILE.gguf"))
    items = "".join(f"<li>{say(words)} <code>{escape(command)}</code></li>" for words, command in rows)
    return f'<h3>{say(_ADD)}</h3><ul class="pa-ways">{items}</ul><p class="pa-hint">{say(_THEN)}</p>'


def _draw_offers(shelf: Shelf) -> str:
    rows = "".join(_draw_offer(offer, fits=fits) for offer, fits in shelf.fetchable)
    if not rows:
        return ""
    return f'<h3>{say(_FETCH)}</h3><ul class="pa-lines pa-models">{rows}</ul>'


def _draw_offer(offer: Offer, *, fits: bool) -> str:
    size = Words(f"下载 {name_size(offer.size)}", f"{name_size(offer.size)} to fetch")
    facts = [escape(offer.quantization), say(size), *_say_offer(offer)]
    return (
        f'<li><div><b>{escape(offer.name)}</b><span class="pa-facts">{" · ".join(facts)}</span>'
        f'<span class="pa-facts">{_say_fit(name_size(offer.memory), fits=fits)}</span></div></li>'
    )
