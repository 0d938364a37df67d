"""The body of a request, read ahead of the application -> the same body, or another one, for the application to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


async def read_body(receive: Receive) -> bytes | None:
    """Read a body to its end; ``None`` where the client left in the middle. The guard in front bounds its size."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def put_back(body: bytes, receive: Receive) -> Receive:
    """Give the body to whoever reads next, and after it what the client does."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def with_length(scope: Scope, body: bytes) -> Scope:
    """Give the request the length of another body."""
    kept = [(k, v) for k, v in scope["headers"] if k.lower() not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}


def read_object(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object as the application would; ``None`` where it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_object(value: dict[str, Any]) -> bytes:
    """Write a JSON object."""
    return json.dumps(value).encode("ascii")


async def answer(send: Send, status: int, body: bytes, media: str, *more: tuple[bytes, bytes]) -> None:
    """Answer in the place of the application."""
    headers = [(b"content-type", media.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
