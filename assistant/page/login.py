"""Users and requests -> who asks: the gate before every address, and the addresses for logging in and out.

Everything but the login page, what it is drawn with and the two health addresses needs a session; the name of its user is
all that the pages behind learn. Passwords are hashed in threads of their own, so that a flood of logins leaves the page be.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import FastAPI
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from assistant.errors import InputInvalid
from assistant.page.attempts import Attempts
from assistant.page.body import answer, put_back, read_body, read_object, with_length, write_object
from assistant.page.owner import USER
from assistant.page.routes import read_form
from assistant.page.sessions import OLDEST, Sessions
from assistant.users import LONGEST, Secret, Watched, clean_name, fits, stand_in
from assistant.view.login import draw_account, draw_login, draw_return

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "policy_assistant_session"
SAFE_COOKIE = "__Host-policy_assistant_session"  # over TLS: no other server of the domain can set this one
OPEN = frozenset({"/login", "/healthz", "/readyz", "/page/page.css", "/page/plain.css", "/page/login.css"})
_FRAMEWORK = "/gradio_api/"
_HEARTBEAT = "/gradio_api/heartbeat/"
_OWN_PATH = re.compile(r"/(?![/\\])[!-~]*")
_AT_ONCE = 2  # passwords that are hashed at the same time
_WAITING = 32  # logins that wait for it
_LOG = logging.getLogger(__name__)

_FIRST = "请先登录。 Please log in first."
_WRONG = "用户名或密码不对。 The user name or the password is wrong."
_CROWDED = "现在登录的人太多，请几秒后再试。 Too many people are logging in; try again in a few seconds."
_BROKEN = "用户文件暂时无法读取，请告诉管理员。 The file of users cannot be read; please tell whoever runs this page."
_GONE = "已退出登录。 You are logged out."


class Gate:
    """ASGI middleware: lets in who has a session, says who it is, and stops answering when the session ends."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self.app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through as its user's, or show the way to the login."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing here speaks anything else
        if scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        token, user = find_session(HTTPConnection(scope), self._sessions)
        if user is None:
            await _turn_away(scope, send)
            return
        renamed = await self._rename(scope, receive, user)
        if renamed is not None:
            await self.app({**renamed[0], USER: user}, renamed[1], self._while_valid(token, send))

    def _while_valid(self, token: str, send: Send) -> Send:
        """Send nothing more once the session has ended, also in the middle of a stream."""
        over = False

        async def sending(message: Message) -> None:
            nonlocal over
            if over:
                return
            if message["type"] == "http.response.body" and self._sessions.find(token, used=False) is None:
                over = True
                message = {"type": "http.response.body", "body": b""}
            if message["type"] == "http.response.start":
                message = _keep_private(message)
            await send(message)

        return sending

    async def _rename(self, scope: Scope, receive: Receive, user: str) -> tuple[Scope, Receive] | None:
        """Give this user's own name to what the browser calls its session, wherever the framework looks for it."""
        path: str = scope["path"]
        if not path.startswith(_FRAMEWORK):
            return scope, receive
        if path.startswith(_HEARTBEAT):
            path = _HEARTBEAT + self._sessions.name_visit(user, path.removeprefix(_HEARTBEAT))
            scope = {**scope, "path": path, "raw_path": path.encode("ascii")}
        fields = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if any(name == "session_hash" for name, _ in fields):
            fields = [(n, self._sessions.name_visit(user, v) if n == "session_hash" else v) for n, v in fields]
            scope = {**scope, "query_string": urlencode(fields).encode("ascii")}
        if scope["method"] != "POST":
            return scope, receive
        body = await read_body(receive)
        if body is None:
            return None
        value = read_object(body)
        if value is not None and isinstance(value.get("session_hash"), str):
            body = write_object({**value, "session_hash": self._sessions.name_visit(user, value["session_hash"])})
            scope = with_length(scope, body)
        return scope, put_back(body, receive)


def _keep_private(start: Message) -> Message:
    """Let no cache keep what was drawn for a user; what is the same for all may be kept."""
    headers = {name.lower(): value for name, value in start.get("headers", ())}
    personal = headers.get(b"content-type", b"").startswith((b"text/html", b"application/json"))
    if not personal or b"cache-control" in headers:
        return start
    return {**start, "headers": [*start["headers"], (b"cache-control", b"private, no-store")]}


def find_session(request: HTTPConnection, sessions: Sessions) -> tuple[str, str | None]:
    """Give the token that a request brings and whose session it is."""
    for name in (SAFE_COOKIE, COOKIE):
        token = request.cookies.get(name, "")
        user = sessions.find(token) if token else None
        if user is not None:
            return token, user
    return "", None


async def _turn_away(scope: Scope, send: Send) -> None:
    """Lead a person to the login, and tell a program that one is needed."""
    headers = HTTPConnection(scope).headers
    path: str = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
    fresh = (b"cache-control", b"no-store")
    if scope["method"] not in ("GET", "HEAD") or "text/html" not in headers.get("accept", ""):
        await answer(send, 401, _FIRST.encode(), "text/plain; charset=utf-8", fresh)
    elif headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
        await answer(send, 200, draw_return(check_path(path)).encode(), "text/html; charset=utf-8", fresh)
    else:
        to = f"/login?next={quote(check_path(path), safe='')}" if path != "/" else "/login"
        await answer(send, 303, b"", "text/plain", (b"location", to.encode()), fresh)


def check_path(path: str) -> str:
    """Give an address of this server, or the start page where it is another's."""
    return path if _OWN_PATH.fullmatch(path) else "/"


class Checker:
    """Compares passwords in a few threads; more than those and a short line behind them are not taken."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_AT_ONCE, "password")
        self._under_way = 0  # touched in the server's loop only

    async def check(self, password: str, secret: Secret) -> bool | None:
        """Whether it fits; ``None`` where too many are waiting already."""
        if self._under_way >= _AT_ONCE + _WAITING:
            return None
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, fits, password, secret)
        finally:
            self._under_way -= 1


class Login:
    """What the login page does."""

    def __init__(self, users: Watched, attempts: Attempts | None = None) -> None:
        self.sessions = Sessions(users)
        self._users = users
        self._attempts = attempts or Attempts()
        self._checker = Checker()

    async def enter(self, request: Request) -> Response:
        """Log in with what the form holds: one sentence and the form again where that does not work."""
        form = await read_form(request)
        name, password = clean_name(form.get("name", "")[:LONGEST]), form.get("password", "")[: LONGEST + 1]
        following, language = check_path(form.get("next", "/")), choose_language(request, form.get("lang", ""))

        def again(status: int, problem: str, wait: float = 0.0) -> Response:
            more = {"retry-after": str(math.ceil(wait))} if wait else {}
            return show(draw_login(problem, name[:64], following, language), status, more)

        address = request.client.host if request.client else ""
        wait = self._attempts.begin(name, address)
        if wait > 0:
            seconds = math.ceil(wait)
            return again(
                429, f"尝试次数太多，请 {seconds} 秒后再试。 Too many attempts; try again in {seconds} seconds.", wait
            )
        try:
            users = self._users.read()
        except InputInvalid as problem:
            _LOG.warning("%s", problem)
            self._attempts.take_back(name, address)
            return again(503, _BROKEN, 10)
        secret = users.get(name)
        right = await self._checker.check(password, secret or stand_in(users))
        if right is None:
            self._attempts.take_back(name, address)
            return again(503, _CROWDED, 5)
        if secret is None or not right:
            return again(401, _WRONG)
        self._attempts.succeed(name, address)
        self.sessions.end(find_session(request, self.sessions)[0])
        return self._welcome(request, self.sessions.begin(name, secret), following)

    def _welcome(self, request: Request, token: str, following: str) -> Response:
        response = RedirectResponse(following, status_code=303, headers={"cache-control": "no-store"})
        # What the browser itself says of its page is worth more here than what a proxy says, and needs no trust in one.
        safe = request.url.scheme == "https" or urlsplit(request.headers.get("origin", "")).scheme == "https"
        response.set_cookie(
            SAFE_COOKIE if safe else COOKIE,
            token,
            max_age=int(OLDEST),
            path="/",
            httponly=True,
            secure=safe,
            samesite="strict",
        )
        return response

    def leave(self, request: Request) -> Response:
        """End the session, here and in the browser."""
        self.sessions.end(find_session(request, self.sessions)[0])
        response = RedirectResponse("/login?out=1", status_code=303, headers={"cache-control": "no-store"})
        for name, safe in ((SAFE_COOKIE, True), (COOKIE, False)):
            response.delete_cookie(name, path="/", httponly=True, secure=safe, samesite="strict")
        return response


def add_login(app: FastAPI, login: Login) -> None:
    """Add the addresses for logging in and out to the server."""

    @app.get("/login")
    def form(request: Request, lang: str = "", out: str = "") -> Response:
        following = check_path(request.query_params.get("next", "/"))
        return show(draw_login(_GONE if out else "", "", following, choose_language(request, lang)))

    @app.post("/login")
    async def enter(request: Request) -> Response:
        return await login.enter(request)

    @app.get("/account")
    def account(request: Request) -> Response:
        return show(draw_account(request.scope[USER]))

    @app.get("/logout")
    def ask_to_leave() -> Response:
        return RedirectResponse("/account", status_code=303)  # a link must not log anybody out

    @app.post("/logout")
    async def leave(request: Request) -> Response:
        return login.leave(request)


def show(page: str, status: int = 200, more: dict[str, str] | None = None) -> Response:
    """Give a page that no cache keeps."""
    return HTMLResponse(page, status_code=status, headers={"cache-control": "no-store", **(more or {})})


def choose_language(request: HTTPConnection, wanted: str) -> str:
    """Give the language asked for, or the one that the browser prefers: zh where it knows both or says nothing."""
    if wanted in ("zh", "en"):
        return wanted
    accepted = request.headers.get("accept-language", "zh").lower()
    places = {name: at for name in ("zh", "en") if (at := accepted.find(name)) >= 0}
    return min(places, key=lambda name: places[name]) if places else ("en" if accepted.strip() else "zh")
