"""Many questions at once against a running page in, how soon each is taken up or refused out.

A page is started on a free port of this machine with an index of its own, and ended afterwards (`--url` measures one
that runs already). All clients speak the page's own protocol, as browsers do, and put their question at the same moment;
meanwhile the two health addresses are asked again and again. A refusal has to come within half a second.
Standard library only: `.venv/bin/python benchmarks/burst.py [--clients 14 60] [--rounds 3] [--json] [--url URL]`.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

_ROOT = Path(__file__).resolve().parent.parent
_QUESTION = "天津2024年有哪些主要任务？"
_PATIENCE = 120.0  # seconds for a whole round
_LIMIT = 0.5  # seconds until a refusal has to be there
_FULL = "个问题在排队"  # what a refusal says, see assistant/page/line.py


@dataclass(frozen=True, slots=True)
class Heard:
    """What one client heard: when something first, when the end, and whether it was a refusal."""

    first_s: float
    end_s: float
    refused: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One burst; times are the worst over all clients unless they say otherwise."""

    clients: int
    answered: int
    refused: int
    failed: int
    refused_median_s: float | None
    refused_worst_s: float | None
    first_sign_worst_s: float | None  # of those that were taken up
    answered_worst_s: float | None
    health_worst_s: float
    health_asked: int
    unwell: int  # times that a health address did not answer, or not with 200


def main() -> int:
    """Measure, print; 1 where a refusal came too late, a client heard nothing, or the page was not well meanwhile."""
    parser = argparse.ArgumentParser(description="Measure what many questions at once do to the page.")
    parser.add_argument("--clients", type=int, nargs="+", default=[14, 60], help="questions at once (default 14 60)")
    parser.add_argument("--rounds", type=int, default=3, help="bursts of each size (default 3)")
    parser.add_argument("--question", default=_QUESTION)
    parser.add_argument("--url", help="of a page that runs already")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    options = parser.parse_args()
    with _page(options.url) as url:
        rows = [burst(url, n, options.question) for n in options.clients for _ in range(options.rounds)]
    sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=2) + "\n" if options.json else as_table(rows))
    late = [r for r in rows if r.failed or r.unwell or (r.refused_worst_s or 0.0) > _LIMIT]
    return 1 if late else 0


@contextmanager
def _page(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as data:
        environment = {**os.environ, "ASSISTANT_DATA": data, "PYTHONPATH": str(_ROOT)}
        command = [sys.executable, "-m", "assistant", "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=data, env=environment, stdout=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}"
        try:
            while _ask_health(address, "/readyz") is None:
                if process.poll() is not None:
                    raise SystemExit("The page did not start; see the message above.")
                sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(20)


def burst(url: str, clients: int, question: str) -> Row:
    """Put so many questions at once and wait for the end of each."""
    function = _find_function(url)
    gate, heard, done = threading.Barrier(clients + 1), list[Heard | None](), threading.Event()
    healthy: list[float | None] = []

    def ask() -> None:
        connection = _connect(url)
        connection.connect()
        gate.wait()
        try:
            heard.append(_listen(url, connection, function, question))
        except (OSError, http.client.HTTPException, ValueError, KeyError) as problem:
            sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
            heard.append(None)

    def watch() -> None:
        while not done.is_set():
            healthy.extend(_ask_health(url, path) for path in ("/healthz", "/readyz"))
            done.wait(0.02)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(clients)]
    watcher = threading.Thread(target=watch, daemon=True)
    for thread in (*threads, watcher):
        thread.start()
    gate.wait()
    deadline = monotonic() + _PATIENCE
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    done.set()
    watcher.join()
    return _sum_up(clients, heard, healthy)


def _sum_up(clients: int, heard: Sequence[Heard | None], healthy: Sequence[float | None]) -> Row:
    answered = [one for one in heard if one and not one.refused]
    refused = [one.end_s for one in heard if one and one.refused]
    return Row(
        clients=clients,
        answered=len(answered),
        refused=len(refused),
        failed=clients - len(answered) - len(refused),
        refused_median_s=round(statistics.median(refused), 3) if refused else None,
        refused_worst_s=round(max(refused), 3) if refused else None,
        first_sign_worst_s=round(max(one.first_s for one in answered), 3) if answered else None,
        answered_worst_s=round(max(one.end_s for one in answered), 3) if answered else None,
        health_worst_s=round(max((time for time in healthy if time is not None), default=0.0), 3),
        health_asked=len(healthy),
        unwell=healthy.count(None),
    )


def _connect(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=_PATIENCE)


def _ask_health(url: str, path: str) -> float | None:
    """Give how long a health address took; ``None`` where it is not well."""
    began = monotonic()
    connection = _connect(url)
    try:
        connection.request("GET", path)
        return monotonic() - began if connection.getresponse().status == 200 else None
    except OSError:
        return None
    finally:
        connection.close()


def _find_function(url: str) -> int:
    connection = _connect(url)
    connection.request("GET", "/config")
    config: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return next(int(each["id"]) for each in config["dependencies"] if each["api_name"] == "ask")


def _listen(url: str, connection: http.client.HTTPConnection, function: int, question: str) -> Heard:
    """Ask as the page does: join the queue, then listen to its events until the answer or the refusal is whole."""
    session = uuid.uuid4().hex
    body = json.dumps({"data": [question, None, ""], "fn_index": function, "session_hash": session})
    began = monotonic()
    connection.request("POST", "/gradio_api/queue/join", body, {"content-type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode()
    if response.status != 200:
        took = monotonic() - began
        if _FULL not in text:
            raise ValueError(f"{response.status}: {text[:200]}")
        return Heard(took, took, refused=True)
    connection.request("GET", f"/gradio_api/queue/data?session_hash={session}")
    events = connection.getresponse()
    first, refused = 0.0, False
    for line in events:
        if not line.startswith(b"data:"):
            continue
        event = json.loads(line[5:])
        if event["msg"] in ("process_generating", "process_completed"):
            first = first or monotonic() - began
            refused = refused or _FULL in json.dumps(event.get("output"), ensure_ascii=False)
        if event["msg"] == "process_completed":
            if not event["success"]:
                raise ValueError(str(event.get("output")))
            return Heard(first, monotonic() - began, refused)
    raise ValueError("the page ended without an answer")


def as_table(rows: Sequence[Row]) -> str:
    """Give a Markdown table."""
    lines = [
        "| at once | answered | refused | failed | refused s, median | refused s, worst | first sign s, worst "
        "| answered s, worst | health s, worst (asked) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        times = (row.refused_median_s, row.refused_worst_s, row.first_sign_worst_s, row.answered_worst_s)
        figures = " | ".join("-" if time is None else f"{time:.2f}" for time in times)
        lines.append(
            f"| {row.clients} | {row.answered} | {row.refused} | {row.failed} | {figures} "
            f"| {row.health_worst_s:.2f} ({row.health_asked}) |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
