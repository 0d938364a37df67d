"""Words and drawings -> a whole page that needs no framework: its head, the way to the other pages, and its body."""

from __future__ import annotations

from datetime import datetime

from assistant.conversations.history import Line
from assistant.view.text import escape, put, say, say_sentence
from assistant.view.words import Words, count

PAGES = {
    "/": Words("对话", "Chat"),
    "/history": Words("历史", "History"),
    "/documents": Words("资料", "Documents"),
    "/eval": Words("评测", "Evaluation"),
    "/models": Words("模型", "Models"),
}
ACCOUNT = Words("账户", "Account")
NAME = Words("政策文件助手", "Policy assistant")


def draw_nav(active: str) -> str:
    """Draw the way to the other pages, and the switch of the language."""
    here = ' aria-current="page"'
    links = "".join(
        f'<a href="{path}"{here if path == active else ""}>{say(words)}</a>' for path, words in PAGES.items()
    )
    # shown where there is a login, which plain.js learns from the server
    account = f'<a class="pa-account" href="/account"{here if active == "/account" else ""}>{say(ACCOUNT)}</a>'
    switch = (
        '<button type="button" class="pa-lang" data-switch="true">'
        '<span class="zh" lang="en">English</span><span class="en" lang="zh-CN">中文</span></button>'
    )
    name = f'<span class="pa-sr" id="pa-pages">{say(Words("页面", "Pages"))}</span>'
    return f'<nav class="pa-nav" aria-labelledby="pa-pages">{name}{links}{account}{switch}</nav>'


def draw_page(path: str, body: str) -> str:
    """Draw a whole page; ``body`` is safe HTML."""
    title = PAGES[path]
    return (
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title {put(Words(f'{title.zh} · {NAME.zh}', f'{title.en} · {NAME.en}'))}</title>"
        '<script src="/page/plain.js"></script><link rel="stylesheet" href="/page/page.css">'
        '<link rel="stylesheet" href="/page/plain.css"></head><body class="pa-plain">'
        f'<header class="pa-header"><h1>{say(NAME)}</h1>{draw_nav(path)}</header>'
        f'<main class="pa-body"><h2>{say(title)}</h2>{body}</main></body></html>'
    )


def draw_problem(text: str) -> str:
    """Draw one sentence about what went wrong."""
    return f'<div class="pa-error" role="alert">{say_sentence(text)}</div>'


def draw_history(lines: tuple[Line, ...], words: str, user: str = "") -> str:
    """Draw the list of conversations: search, open, delete; ``user`` is whose they are, where there is a login."""
    hint = Words("只保存在本机，只有这个浏览器能打开。", "Kept on this machine only, and only this browser opens them.")
    if user:
        hint = Words(f"保存在服务器上，只有 {user} 能打开。", f"Kept on the server; only {user} opens them.")
    label = Words("在问题和回答中查找", "search questions and answers")
    search = (
        f'<form class="pa-search" method="get" action="/history" role="search"><label class="pa-sr" for="q">{say(label)}'
        f'</label><input id="q" name="q" type="search" maxlength="200" value="{escape(words)}" autocomplete="off">'
        f'<button type="submit">{say(Words("查找", "Search"))}</button></form>'
    )
    rows = "".join(_draw_line(line) for line in lines)
    if not rows:
        none = Words("没有找到。", "Nothing found.") if words else Words("还没有对话。", "No conversations yet.")
        return f'<p class="pa-hint">{say(hint)}</p>{search}<p class="pa-none">{say(none)}</p>'
    clear = "" if words else _draw_delete("", Words("全部删除", "Delete all"))
    return f'<p class="pa-hint">{say(hint)}</p>{search}<ul class="pa-lines">{rows}</ul>{clear}'


def _draw_line(line: Line) -> str:
    asked = Words(f"{line.turns} 问", count(line.turns, "question"))
    found = f'<span class="pa-found">{escape(line.found)}</span>' if line.found else ""
    title = escape(line.title) or "…"
    return (
        f'<li><div><a href="/?talk={escape(line.id)}">{title}</a><span class="pa-facts">{_say_time(line.updated)} · '
        f"{say(asked)}</span>{found}</div>{_draw_delete(line.id, Words('删除', 'Delete'))}</li>"
    )


def _say_time(at: datetime) -> str:
    here = at.astimezone()
    return f'<time datetime="{at.isoformat()}">{here:%Y-%m-%d %H:%M}</time>'


def _draw_delete(name: str, words: Words) -> str:
    """Draw a deletion in two steps, so that no slip of the hand deletes."""
    sure = Words("确认删除", "Yes, delete")
    return (
        f'<details class="pa-delete"><summary>{say(words)}</summary><form method="post" action="/history/delete">'
        f'<input type="hidden" name="talk" value="{escape(name)}"><button type="submit">{say(sure)}</button></form></details>'
    )
