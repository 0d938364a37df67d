"""A question on its way to the framework's queue -> let in with a place in our line, or refused at once.

The framework spends some twenty milliseconds on each event, so that fifty questions at once took two seconds to be told
that the line is full. Here that takes one. Whatever slips past (another spelling of the request, a place that lapsed) meets
the same line again behind the queue; this door decides nothing that the line does not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from assistant.errors import EngineBusy
from assistant.page.body import answer, put_back, read_body, read_object
from assistant.page.line import WaitingLine

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

TICKET = "policy_assistant.ticket"  # where the place is found in the request
_JOIN = "/gradio_api/queue/join"
_CALL = "/gradio_api/call/"


class Door:
    """ASGI middleware: one too many is refused before anything is spent on it."""

    def __init__(self, app: ASGIApp, line: WaitingLine, functions: Collection[int], names: Collection[str]) -> None:
        """``functions`` and ``names`` are what the framework calls the event that asks."""
        self.app = app
        self._line = line
        self._functions = frozenset(functions)
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a question only with a place in the line."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith((_JOIN, _CALL)):
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        if not self._asks(scope["path"], read_object(body)):
            await self.app(scope, put_back(body, receive), send)
            return
        try:
            ticket = self._line.reserve()
        except EngineBusy as busy:
            words = json.dumps({"detail": str(busy)}, ensure_ascii=False).encode()
            later = str(max(1, math.ceil(self._line.expect()))).encode()
            await answer(send, 429, words, "application/json", (b"retry-after", later))
            return
        let_in = False

        async def watch(message: Message) -> None:
            nonlocal let_in
            let_in = let_in or (message["type"] == "http.response.start" and message["status"] == 200)
            await send(message)

        try:
            await self.app({**scope, TICKET: ticket}, put_back(body, receive), watch)
        finally:
            if not let_in:
                self._line.release(ticket)

    def _asks(self, path: str, body: dict[str, Any] | None) -> bool:
        """Whether this may be a question; in doubt it is one."""
        if path.startswith(_CALL):
            return path.removeprefix(_CALL).removeprefix("v2/").strip("/") in self._names
        try:
            return int((body or {}).get("fn_index", "")) in self._functions
        except (TypeError, ValueError, OverflowError):
            return True
