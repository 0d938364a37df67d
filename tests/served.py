"""Processes of llama.cpp's family for the tests: llama-cpp-python's server always, llama-server where ``LLAMA_SERVER`` names one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def python_server(model: Path, *options: str) -> Iterator[str]:
    """A process of llama-cpp-python's server; the address ends with ``/v1``."""
    pytest.importorskip("sse_starlette")
    pytest.importorskip("starlette_context")
    with _serve([sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--n_threads", "1", *options]) as url:
        yield url


@contextmanager
def llama_server(model: Path, *options: str) -> Iterator[str]:
    """A process of llama-server."""
    program = shutil.which(os.environ.get("LLAMA_SERVER") or "llama-server")
    if program is None:
        pytest.skip("no llama-server: LLAMA_SERVER=/path/to/one")
    with _serve([program, "--model", str(model), "--offline", "-t", "1", *options]) as url:
        yield url


@contextmanager
def _serve(command: Sequence[str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}/v1"
            end = time.monotonic() + 60
            while not _answers(url):
                assert server.poll() is None and time.monotonic() < end
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:  # llama-server, now and then, when somebody has just hung up
                server.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=2):
            return True
    except OSError:
        return False
