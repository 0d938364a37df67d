"""messages to and from the worker: starts the process that owns llama.cpp and holds the two pipes to it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

GRACE = 2.0  # seconds for the process to end by itself before it is killed

# The package is found wherever the program was started, and nothing else is taken from there.
_BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from assistant.llm.serving import main; main()"
_ROOT = str(Path(__file__).resolve().parent.parent.parent)

Message = dict[str, Any]


class WorkerProcess:
    """The child process and the two pipes to it."""

    def __init__(self) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        # A session of its own keeps the terminal's Ctrl-C away; -P keeps the current directory out of sys.path.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, _ROOT, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
        )
        self._replies: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="assistant-engine-replies", daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._replies.put(json.loads(line))
        self._replies.put({"kind": "gone"})

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def send(self, message: Message) -> None:
        """Hand over a message, without the lone surrogates that UTF-8 cannot hold; an end of the process shows in ``receive``."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            self._process.stdin.flush()

    def receive(self, timeout: float) -> Message | None:
        """The next message, ``{"kind": "gone"}`` at the end of the process, ``None`` after the timeout."""
        try:
            return self._replies.get(timeout=timeout)
        except queue.Empty:
            return None

    def obituary(self) -> str:
        """How it ended: the exit code and the last line that it wrote on standard error."""
        try:
            code = self._process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.returncode
        self._errors.seek(0)
        lines = self._errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
        return f"exit {code}" + (f": {lines[-1][:200]}" if lines else "")

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it by closing its standard input; kill it where it does not listen."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=GRACE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._errors.close()
