"""A model server on 127.0.0.1 in OpenAI's protocol that answers, breaks off, stalls or refuses as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Model:
    """What the server says; tests change it between requests."""

    text: str = "上海2024年新建公园120座[1]。"
    owner: str = "llamacpp"
    version: str = "0.12.0"
    key: str = ""  # without it everything is refused
    statuses: list[int] = field(default_factory=list)  # of the next chat replies
    words: str = "as told"  # with these
    loading: list[int] = field(default_factory=list)  # of the next replies to GET
    break_after: int | None = None  # pieces, after which it hangs up
    stall_after: int | None = None  # pieces, after which it says nothing any more
    garbage: bytes = b""  # sent in the place of the answer
    refuses_grammar: bool = False
    reasoning: str = ""  # sent apart from the text, as servers do that know thinking models
    finish: str = "stop"  # why the text ends
    names: tuple[str, ...] = ("some-model",)
    base: str = "/v1"  # where the protocol begins
    gets: dict[str, Any] = field(default_factory=dict)  # further replies to GET, or statuses, by their paths
    reader: Callable[[str, dict[str, Any]], dict[str, Any] | None] = lambda path, body: (
        None
    )  # what else it can be asked
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)  # the client closed a stalled reply
    release: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve_model(model: Model) -> Iterator[str]:
    """Serve on a free port; the address ends with ``/v1``, wherever the protocol begins."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            model.paths.append(self.path)
            if model.key and self.headers.get("Authorization") != f"Bearer {model.key}":
                return self._say(401, {"error": f"bad key {self.headers.get('Authorization')}"})
            answers: dict[str, dict[str, Any]] = {
                f"{model.base}/models": {
                    "data": [{"id": name, "owned_by": model.owner, "max_model_len": None} for name in model.names]
                },
                "/version": {"version": model.version},
                "/props": {"default_generation_settings": {"n_ctx": 2048}},
                **model.gets,
            }
            if model.loading:
                return self._say(model.loading.pop(0), {"error": "Loading model"})
            found = answers.get(self.path, 404)
            return self._say(found, {}) if isinstance(found, int) else self._say(200, found)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.paths.append(self.path)
            reply = model.reader(self.path, body)
            if reply is None and self.path == "/tokenize" and model.owner == "llamacpp":
                return self._say(200, {"tokens": list(range(2 * len(body["content"])))})
            model.bodies.append(body)
            if model.key and self.headers.get("Authorization") != f"Bearer {model.key}":
                return self._say(401, {"error": f"bad key {self.headers.get('Authorization')}"})
            if model.statuses:
                return self._say(model.statuses.pop(0), {"error": model.words})
            if model.refuses_grammar and {"grammar", "structured_outputs", "guided_grammar"} & body.keys():
                return self._say(400, {"error": "unknown field grammar"})
            if reply is not None:
                return self._say(200, reply)
            if self.path != f"{model.base}/chat/completions":
                return self._say(404, {})
            with suppress(ConnectionError):
                self._stream()
            return None

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            if model.garbage:
                self.wfile.write(model.garbage)
                return
            if model.reasoning:
                self._event({"reasoning_content": model.reasoning})
            pieces = [model.text[i : i + 4] for i in range(0, len(model.text), 4)]
            for n, piece in enumerate(pieces):
                if n == model.break_after:
                    return
                if n == model.stall_after:
                    self._stall()
                    return
                self._event({"content": piece})
            self._event({}, model.finish)
            self.wfile.write(b"data: [DONE]\n\n")

        def _stall(self) -> None:
            self.wfile.flush()
            self.connection.settimeout(0.02)
            while not model.release.is_set():
                with suppress(TimeoutError):
                    if not self.connection.recv(1):
                        model.hung_up.set()
                        return

        def _event(self, delta: dict[str, Any], finish: str | None = None) -> None:
            event = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
            self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())

        def _say(self, status: int, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        model.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
