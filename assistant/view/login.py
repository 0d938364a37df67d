"""Why one is asked to log in, and as whom one has -> two small pages: logging in, and out. No script is needed for either."""

from __future__ import annotations

from urllib.parse import quote

from assistant.view.plain import ACCOUNT, NAME, draw_nav
from assistant.view.text import escape, say, say_sentence
from assistant.view.words import Words

_TITLE = Words("登录", "Log in")
_OUT = Words("退出登录", "Log out")
_STYLES = "".join(f'<link rel="stylesheet" href="/page/{name}.css">' for name in ("page", "plain", "login"))


def draw_login(problem: str = "", name: str = "", following: str = "/", language: str = "zh") -> str:
    """Draw the form; ``problem`` is one sentence, ``following`` the address to go to, ``language`` zh or en."""
    said = f'<div class="pa-error" role="alert">{say_sentence(problem)}</div>' if problem else ""
    where = f'<input type="hidden" name="next" value="{escape(following)}">'
    spoken = f'<input type="hidden" name="lang" value="{escape(language)}">'
    to_name, to_password = ("", " autofocus") if name else (" autofocus", "")
    fields = (
        f'<label for="name">{say(Words("用户名", "User name"))}</label>'
        f'<input id="name" name="name" value="{escape(name)}" autocomplete="username" autocapitalize="none" '
        f'spellcheck="false" maxlength="64" required{to_name}>'
        f'<label for="password">{say(Words("密码", "Password"))}</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" '
        f"required{to_password}>"
    )
    button = f'<button type="submit" class="pa-main">{say(_TITLE)}</button>'
    other, shown = ("en", "English") if language == "zh" else ("zh", "中文")
    switch = (
        f'<a class="pa-other-language" lang="{_full(other)}" hreflang="{_full(other)}" '
        f'href="/login?lang={other}&amp;next={escape(quote(following))}">{shown}</a>'
    )
    form = f'<form method="post" action="/login">{said}{where}{spoken}{fields}{button}</form>'
    return _draw(
        language, _TITLE, f'<main class="pa-login"><h1>{say(NAME)}</h1><h2>{say(_TITLE)}</h2>{form}{switch}</main>'
    )


def draw_account(user: str) -> str:
    """Draw as whom one is logged in, and the way out."""
    words = Words("已登录为", "You are logged in as")
    kept = Words(
        "您的对话只有您能看到，换一个浏览器登录也能找到。",
        "Your conversations are visible to you alone, in every browser in which you log in.",
    )
    body = (
        f'<main class="pa-body"><h2>{say(ACCOUNT)}</h2><p>{say(words)} <b>{escape(user)}</b></p>'
        f'<p class="pa-hint">{say(kept)}</p>'
        f'<form method="post" action="/logout"><button type="submit" class="pa-main">{say(_OUT)}</button></form></main>'
    )
    head = f'<header class="pa-header"><h1>{say(NAME)}</h1>{draw_nav("/account")}</header>'
    return _draw("zh", ACCOUNT, head + body, '<script src="/page/plain.js"></script>')


def draw_return(path: str) -> str:
    """Draw a page that leads at once to another address of this server.

    A link on another site brings no cookie along, so that somebody who is logged in would look like a stranger; this page
    asks again from here.
    """
    link = f'<a href="{escape(path)}">{say(Words("继续", "Go on"))}</a>'
    return _draw(
        "zh",
        NAME,
        f'<main class="pa-login">{link}</main>',
        f'<meta http-equiv="refresh" content="0;url={escape(path)}">',
    )


def _draw(language: str, title: Words, body: str, more: str = "") -> str:
    return (
        f'<!DOCTYPE html><html lang="{_full(language)}" data-lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title.zh)} {escape(title.en)} · {escape(NAME.zh)} {escape(NAME.en)}</title>"
        f'{more}{_STYLES}</head><body class="pa-plain">{body}</body></html>'
    )


def _full(language: str) -> str:
    return "zh-CN" if language == "zh" else "en"
