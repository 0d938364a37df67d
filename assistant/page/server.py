"""An ASGI application -> a guarded server on this machine.

The guard checks where a request comes from, bounds its size, and gives every response the headers that keep a page from
running or loading anything that is not its own. It knows nothing of Gradio beyond the few paths it closes.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assistant.page.reach import Reach, open_port

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BODY_LIMIT = 256 * 1024  # bytes; a question has at most 4,000 characters, and the page sends nothing else
_FILE_LIMIT = 2 * 1024 * 1024  # bytes of a file of questions
# A document has at most 25 MB, which is refused with its name and a reason; without script several come in one form.
_LIMITS = {"/eval/questions": _FILE_LIMIT, "/documents/file": 32 * 1024 * 1024, "/documents/files": 128 * 1024 * 1024}
# The framework's own ways to upload, proxy or call components on the server stay closed.
_CLOSED = re.compile(r"^(/gradio_api)?/(upload|proxy=|component_server|stream|monitoring|runs|vibe|deep_link)")
# pages of ours that need no framework
_PLAIN = re.compile(r"^/(history|documents|eval|models|login|logout|account)(/|$)")
_REPORT = re.compile(r"^/eval/runs/[^/]+/report\.html$")
_ENTRANCES = ("/", "/login")  # where a link on another site may lead
_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-gradio-")
_WRONG_HOST = (
    "这个主机名不在允许之列；启动时加 --trusted-host 主机名。 This host name is not among those allowed; start the page with "
    "--trusted-host NAME."
)
_SCRIPT = re.compile(r"<script\b")


def serve_app(app: ASGIApp, reach: Reach, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``on_ready`` is given the address once the page answers.

    ``InputInvalid`` where the address is not one of this machine or the port is taken.
    """
    import uvicorn

    listener = open_port(reach.host, reach.port)
    shown = "127.0.0.1" if reach.host in ("0.0.0.0", "::") else reach.host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{listener.getsockname()[1]}/"

    closing = Closing(app)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready(address)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            closing.close()
            await super().shutdown(sockets)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn sends itself the signal again after a clean end; for the caller the end is the end.
            with super().capture_signals():
                yield
                self._captured_signals.clear()

    config = configure(closing, reach)
    try:
        Server(config).run(sockets=[listener])
    finally:
        listener.close()


def configure(app: ASGIApp, reach: Reach, patience: int = 2) -> uvicorn.Config:
    """Give the settings of the server: quiet, and nobody's word about where a request came from counts unasked."""
    import uvicorn

    return uvicorn.Config(
        app,
        port=reach.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=patience,
        ws="none",
        proxy_headers=bool(reach.proxies),
        forwarded_allow_ips=list(reach.proxies),
    )


class Closing:
    """ASGI middleware: when the server ends, each open stream learns that nobody listens any more, and ends by itself.

    Without it an open page holds the server until its patience ends, with an error for every stream.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._end = asyncio.Event()

    def close(self) -> None:
        """Let all streams end; called in the server's own loop."""
        self._end.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what waits for its listener waits for the end, too."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def receive_or_end() -> Message:
            message, end = asyncio.ensure_future(receive()), asyncio.ensure_future(self._end.wait())
            try:
                await asyncio.wait({message, end}, return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "http.disconnect"}
            finally:
                message.cancel()
                end.cancel()

        await self.app(scope, receive_or_end, send)


def write_policy(nonce: str) -> str:
    """Write the content security policy of the page.

    Gradio compiles the template of its HTML component with ``Function``, which needs ``unsafe-eval``, and styles
    elements inline. Scripts are only ours and Gradio's: from this origin, or with the nonce of this response.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def write_plain_policy(path: str) -> str:
    """Write the policy of the pages that are ours alone; a report keeps its own, shut off from this origin."""
    if _REPORT.match(path):
        return "sandbox allow-scripts allow-popups; frame-ancestors 'none'"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def prepare_html(page: str, nonce: str) -> str:
    """Gradio's start page, in our language, with our style and script, and the nonce on every script it holds.

    Gradio escapes ``<`` in the configuration it writes into the page, so each ``<script`` is its own.
    """
    links = (
        '<script src="/page/plain.js"></script><link rel="stylesheet" href="/page/page.css">'
        '<script defer src="/page/page.js"></script></head>'
    )
    page = page.replace('lang="en"', 'lang="zh-CN"', 1).replace("</head>", links, 1)
    return _SCRIPT.sub(f'<script nonce="{nonce}"', page)


class Guard:
    """ASGI middleware: wrong names, closed paths, foreign origins, bounded bodies, security headers."""

    def __init__(self, app: ASGIApp, reach: Reach = Reach()) -> None:  # noqa: B008 -- frozen
        self.app = app
        self._reach = reach

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here with one sentence."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        nonce = secrets.token_urlsafe(16)
        send = _with_headers(send, _choose_headers(scope["path"], nonce))
        refusal = refuse(scope["path"], headers)
        if not self._reach.allows(headers.get("host", "")):
            refusal = 400, _WRONG_HOST
        if refusal is not None:
            await _answer(send, *refusal)
            return
        if scope["path"] == "/":
            send = _with_page(send, nonce)
        # what a proxy says was heard, or not, before; the framework would believe anybody
        kept = [(k, v) for k, v in scope["headers"] if not k.lower().startswith(_FORWARDED)]
        scope = {**scope, "headers": kept}
        await self.app(scope, _bounded(receive, find_limit(scope["path"])), send)


def refuse(path: str, headers: MutableMapping[str, str]) -> tuple[int, str] | None:
    """Why a request is not let through, as status and sentence; ``None`` where it is."""
    if _CLOSED.match(path):
        return 404, "not available"
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host", ""):
        return 403, "foreign origin"
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none") and path not in _ENTRANCES:
        return 403, "foreign origin"
    length, limit = headers.get("content-length", "0"), find_limit(path)
    if not length.isdigit() or int(length) > limit:
        return 413, f"at most {limit} bytes"
    return None


def find_limit(path: str) -> int:
    """Give how many bytes a request may bring: a question file, a document, or no more than a question."""
    return _LIMITS.get(path, _BODY_LIMIT)


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _bounded(receive: Receive, limit: int) -> Receive:
    """Stop reading a body that is longer than it may be, whatever its header said."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return message if read <= limit else {"type": "http.disconnect"}

    return bounded


def _choose_headers(path: str, nonce: str) -> dict[str, str]:
    plain = _PLAIN.match(path) is not None
    return {
        "content-security-policy": write_plain_policy(path) if plain else write_policy(nonce),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # a form that is sent without a referrer has no origin either, and would be refused as foreign
        "referrer-policy": "same-origin" if plain else "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }


def _with_headers(send: Send, ours: dict[str, str]) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(k, v) for k, v in message.get("headers", ()) if k.decode("latin-1").lower() not in ours]
            message = {**message, "headers": [*kept, *((k.encode(), v.encode()) for k, v in ours.items())]}
        await send(message)

    return guarded


def _with_page(send: Send, nonce: str) -> Send:
    """Rewrite the start page on its way out; it is small, so it is held until it is whole."""
    start: Message = {}
    parts: list[bytes] = []

    async def rewriting(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        if message["type"] != "http.response.body":
            await send(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts)
        if _is_html(start):
            body = prepare_html(body.decode("utf-8"), nonce).encode("utf-8")
        kept = [(k, v) for k, v in start.get("headers", ()) if k.lower() != b"content-length"]
        await send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return rewriting


def _is_html(start: MutableMapping[str, Any]) -> bool:
    headers = {k.lower(): v for k, v in start.get("headers", ())}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
