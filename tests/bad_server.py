"""A file server on 127.0.0.1 that behaves as badly as it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server has and how it hands it out; tests change it between requests."""

    content: bytes
    etag: str = '"one"'
    break_after: list[int] = field(default_factory=list)  # bytes of each of the next replies, after which it hangs up
    ranges: bool = True  # whether it knows Range
    length: int | None = None  # what it says, whatever it sends
    chunked: bool = False  # says no length at all
    statuses: list[int] = field(default_factory=list)  # of the next replies
    redirects: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, Message]] = field(default_factory=list)
    on_request: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(behaviour: Behaviour) -> Iterator[str]:
    """Serve on a free port; the address ends with a slash."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            with suppress(ConnectionError):  # the one who asked hung up, as some tests do
                self._answer()

        def _answer(self) -> None:
            behaviour.requests.append((self.path, self.headers))
            behaviour.on_request.set()
            self.close_connection = True
            if behaviour.statuses:
                self.send_response(behaviour.statuses.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path in behaviour.redirects:
                self.send_response(302)
                self.send_header("Location", behaviour.redirects[self.path])
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._send()

        def _send(self) -> None:
            content, start = behaviour.content, self._start()
            if start is None:
                self.send_response(200)
            elif start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            else:
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            body = content[start or 0 :]
            if behaviour.etag:
                self.send_header("ETag", behaviour.etag)
            if not behaviour.chunked:
                self.send_header("Content-Length", str(behaviour.length or len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body[: behaviour.break_after.pop(0)] if behaviour.break_after else body)
            self.wfile.flush()

        def _start(self) -> int | None:
            asked = self.headers.get("Range")
            if not asked or not behaviour.ranges or self.headers.get("If-Range") != behaviour.etag:
                return None
            return int(asked.removeprefix("bytes=").partition("-")[0])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
