"""one request -> one reply of a server that speaks OpenAI's protocol: connections, event streams, and what statuses mean.

Standard library only. The key is sent to the given address and stands in no message, no log and no representation.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import (
    AssistantError,
    EngineBusy,
    EngineCrashed,
    EngineTimeout,
    InputInvalid,
    ModelMissing,
    ModelUnusable,
)

POLL = 0.05  # seconds between two looks at the stop sign
TRIES = 3  # while nothing has come yet
PAUSE = 1.0  # seconds before the second of them; four times as long before the third
LONGEST_WAIT = 10.0  # seconds before another try, whatever the server asks for
LONGEST_LINE = 1 << 20
LONGEST_REPLY = 32 << 20  # some servers list thousands of models
_AGAIN = frozenset({429, 500, 502, 503, 504})
_LOST = (OSError, http.client.HTTPException)
_MISSHAPEN = (ValueError, TypeError, KeyError, IndexError, AttributeError)  # what came is no reply of this protocol
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")  # where servers put what is not the answer
_END = object()
_BARE = re.compile(r"[\w.-]+:\d+(/|$)")  # localhost:11434
_ENDPOINT = re.compile(r"/(chat/completions|completions|models)$")


class Kind(StrEnum):
    """How a server takes a grammar."""

    LLAMA = "llama"  # llama-server and llama-cpp-python: "grammar"
    VLLM = "vllm"  # from version 0.11: "structured_outputs"
    VLLM_GUIDED = "vllm-guided"  # before: "guided_grammar"
    OLLAMA = "ollama"  # not at all; its thinking can be switched off
    PLAIN = "plain"  # not at all; what it writes is only checked


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how it is asked."""

    url: str  # ends before /chat/completions
    key: str = field(default="", repr=False)
    model: str = ""  # empty: the first one that the server names
    kind: Kind | None = None  # None: found out
    context: int = 0  # tokens; 0: what the server says, or LARGEST_CONTEXT
    connect_seconds: float = 10.0
    first_seconds: float = 120.0  # until the first piece; a server may have others to serve first
    seconds: float = 300.0  # for all of an answer


def read_address(
    url: str, *, key: str = "", key_file: str = "", model: str = "", kind: str = "", context: str = ""
) -> Address:
    """Make an address of what was set, as people write it; raises ``InputInvalid`` with what is wrong with it."""
    parts = urlsplit(f"http://{url}" if _BARE.match(url) else url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise InputInvalid(
            "ASSISTANT_LLM_URL 应为 http://主机:端口/v1 的形式，密钥请放进 ASSISTANT_LLM_KEY。 ASSISTANT_LLM_URL has the form "
            "http://host:port/v1; a key belongs into ASSISTANT_LLM_KEY."
        )
    path = _ENDPOINT.sub("", parts.path.rstrip("/"))
    if kind and kind not in set(Kind):
        raise InputInvalid(
            f"ASSISTANT_LLM_KIND={kind}：应为 {'、'.join(Kind)}。 It has to be one of {', '.join(Kind)}."
        )
    return Address(
        url=f"{parts.scheme}://{parts.netloc}{path or '/v1'}",
        key=key or (_read_key(Path(key_file)) if key_file else ""),
        model=model,
        kind=Kind(kind) if kind else None,
        context=int(context) if context.isdigit() else 0,
    )


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(
            f"读不了密钥文件 {path}(ASSISTANT_LLM_KEY_FILE)。 The key file {path} cannot be read."
        ) from error


class TryAgain(Exception):
    """The request failed in a way that another try may not."""

    def __init__(self, error: AssistantError, seconds: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.seconds = error, seconds

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the attempt (from 1) that failed."""
        return float(self.seconds or PAUSE * 4 ** (attempt - 1))


class GrammarRefused(Exception):
    """The server does not take the request with its grammar."""

    def __init__(self, error: AssistantError) -> None:
        super().__init__(str(error))
        self.error = error


class Reply:
    """One streamed answer: a thread reads the connection, so that a stop need not wait for the server's next word."""

    def __init__(self, address: Address, body: dict[str, Any]) -> None:
        self._address = address
        self._body = body
        self._connection = _connect(address, address.seconds)
        self._socket: socket.socket | None = None
        self._unwanted = threading.Event()
        self._pieces: queue.SimpleQueue[object] = queue.SimpleQueue()

    def pieces(self, stopped: Callable[[], bool]) -> Iterator[str]:
        """The text as it comes; ends where ``stopped`` says so, raises what went wrong."""
        if stopped() or self._unwanted.is_set():
            return
        threading.Thread(target=self._read, name="assistant-remote", daemon=True).start()
        began, limit = time.monotonic(), min(self._address.first_seconds, self._address.seconds)
        while not stopped():
            try:
                piece = self._pieces.get(timeout=POLL)
            except queue.Empty:
                if time.monotonic() - began > limit:
                    raise _too_late(self._address, limit) from None
                continue
            if piece is _END:
                return
            if isinstance(piece, Exception):
                raise piece
            limit = self._address.seconds
            if piece:
                yield str(piece)

    def close(self) -> None:
        """Hang up, whoever may be reading."""
        self._unwanted.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self) -> None:
        try:
            response = self._send()
            for piece in _read_events(response):
                self._pieces.put(piece)
            self._pieces.put(_END)
        except (AssistantError, TryAgain, GrammarRefused) as error:
            self._pieces.put(error)
        except (*_LOST, *_MISSHAPEN) as error:
            self._pieces.put(TryAgain(_broken(self._address, error)))

    def _send(self) -> http.client.HTTPResponse:
        self._connection.connect()
        self._socket = self._connection.sock
        if self._unwanted.is_set():  # hung up while it was dialling: the question is not asked any more
            raise ConnectionAbortedError
        path = urlsplit(self._address.url).path + "/chat/completions"
        self._connection.request("POST", path, json.dumps(self._body).encode("utf-8"), _headers(self._address))
        self._connection.sock.settimeout(2 * self._address.seconds)  # the reader of the pieces watches the clock
        response = self._connection.getresponse()
        if response.status != 200:
            raise _refusal(self._address, response, grammar=_has_grammar(self._body))
        return response


def _has_grammar(body: dict[str, Any]) -> bool:
    return bool({"grammar", "structured_outputs", "guided_grammar"} & body.keys())


def _connect(address: Address, seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(address.url)
    host, port, timeout = parts.hostname or "", parts.port, min(address.connect_seconds, seconds)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _headers(address: Address) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    return headers | ({"Authorization": f"Bearer {address.key}"} if address.key else {})


def ask(
    address: Address,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    seconds: float = 0.0,
    tries: int = 1,
) -> dict[str, Any]:
    """One short request and its JSON object; ``../`` leaves the version of the protocol.

    Args:
        address: where.
        method: of HTTP.
        path: behind the address.
        body: sent as JSON.
        seconds: how long it may take; as long as a connection may, where not given.
        tries: how often, where another try can help.
    """
    attempt = 1
    while True:
        try:
            return _ask_once(address, method, path, body, seconds or address.connect_seconds)
        except TryAgain as again:
            if attempt >= tries:
                raise again.error from again
            time.sleep(again.pause(attempt))
            attempt += 1


def _ask_once(address: Address, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
    connection = _connect(address, address.connect_seconds)
    base = urlsplit(address.url).path
    place = base.rpartition("/")[0] + path.removeprefix("..") if path.startswith("..") else base + path
    try:
        connection.connect()
    except OSError as error:  # nobody is there: another try does not help
        raise _broken(address, error) from error
    try:
        connection.sock.settimeout(seconds)
        connection.request(method, place, json.dumps(body).encode() if body is not None else None, _headers(address))
        response = connection.getresponse()
        if response.status != 200:
            refusal = _refusal(address, response, grammar=False)
            raise refusal.error if isinstance(refusal, GrammarRefused) else refusal
        reply = json.loads(response.read(LONGEST_REPLY))
    except TimeoutError as error:
        raise _too_late(address, seconds) from error
    except ValueError as error:  # a page, or anything but JSON
        raise _broken(address, error) from error
    except _LOST as error:
        raise TryAgain(_broken(address, error)) from error
    finally:
        connection.close()
    if not isinstance(reply, dict):
        raise _broken(address, ValueError("no JSON object"))
    return reply


def _read_events(response: http.client.HTTPResponse) -> Iterator[str]:
    """The pieces of text of an event stream, or of a reply in one; thoughts that the server tells apart are left out."""
    if "event-stream" not in str(response.headers.get("Content-Type", "")):
        choice = json.loads(response.read())["choices"][0]
        yield str((choice.get("message") or {}).get("content") or "")
        return
    said = thought = False
    while line := response.readline(LONGEST_LINE):
        text = line.decode("utf-8", "replace").strip()
        if not text.startswith("data:"):
            continue
        data = text.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        event = json.loads(data)
        if isinstance(event, dict) and event.get("error"):
            raise EngineCrashed(f"模型服务器出错。 The model server failed: {str(event['error'])[:200]}")
        for choice in event.get("choices") or []:
            delta = choice.get("delta") or {}
            piece = str(delta.get("content") or "")
            said |= bool(piece.strip())
            thought |= any(delta.get(name) for name in _THOUGHTS)
            yield piece
            if choice.get("finish_reason"):
                if thought and not said and choice["finish_reason"] == "length":
                    raise only_thought()
                return
    raise http.client.IncompleteRead(b"")


def only_thought() -> ModelUnusable:
    """What is said where a model's room ended before it began to answer: that is no refusal of the documents'."""
    return ModelUnusable(
        "模型只顾思考，没有写出回答。请在服务器上关闭它的思考，或换一个不思考的模型。 The model used up its room for thinking and wrote "
        "no answer; switch its thinking off at the server, or take a model that does not think aloud."
    )


def _refusal(address: Address, response: http.client.HTTPResponse, *, grammar: bool) -> Exception:
    """What a status means for the user; the server's own words without the key."""
    words = response.read(2000).decode("utf-8", "replace")
    words = " ".join((words.replace(address.key, "***") if address.key else words).split())[:300]
    status, where = response.status, urlsplit(address.url).netloc
    if status in (401, 403):
        return ModelUnusable(
            f"模型服务器 {where} 不接受密钥({status})，请检查 ASSISTANT_LLM_KEY。 The model server {where} refuses the key "
            f"({status}); check ASSISTANT_LLM_KEY."
        )
    if status == 404:
        return ModelMissing(
            f"{address.url} 没有这个接口或模型(404)，请检查 ASSISTANT_LLM_URL 和 ASSISTANT_LLM_MODEL。 {address.url} has no such "
            f"interface or model; check ASSISTANT_LLM_URL and ASSISTANT_LLM_MODEL. {words}"
        )
    told = f"模型服务器 {where} 答复 {status}。 The model server {where} says {status}: {words}"
    if status in _AGAIN:
        error = EngineBusy(told) if status in (429, 503) else EngineCrashed(told)
        after = str(response.headers.get("Retry-After", ""))
        return TryAgain(error, min(LONGEST_WAIT, float(after)) if after.isdigit() else 0.0)
    if status == 400 and "context" in words and ("exceed" in words or "maximum" in words):
        return InputInvalid(
            f"问题和资料超出了服务器上模型的上下文，请用 ASSISTANT_LLM_CONTEXT 说明它的大小。 The prompt is longer than the context of the "
            f"server's model; tell its size with ASSISTANT_LLM_CONTEXT. {words}"
        )
    return GrammarRefused(ModelUnusable(told)) if grammar and status in (400, 422, 501) else ModelUnusable(told)


def _too_late(address: Address, seconds: float) -> EngineTimeout:
    return EngineTimeout(
        f"模型服务器 {urlsplit(address.url).netloc} 超过 {seconds:g} 秒没有答完。 The model server "
        f"{urlsplit(address.url).netloc} was not done after {seconds:g} seconds; ask something shorter, or look at the server."
    )


def _broken(address: Address, error: Exception) -> EngineCrashed:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return EngineCrashed(
        f"连不上模型服务器 {urlsplit(address.url).netloc}，或连接中断({reason})。请检查它是否在运行和 ASSISTANT_LLM_URL。 The model server "
        f"{urlsplit(address.url).netloc} cannot be reached or broke off ({reason}); check that it runs, and ASSISTANT_LLM_URL."
    )
