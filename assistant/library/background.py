"""Changes of the library in, new indexes out: built in a process of its own while questions are answered, one at a time.

A change that comes during a build is built right after it. A build that fails leaves the old index and says why; what was
removed is out of the answers all the same (``visible``).
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

# The package is found wherever the program was started, and nothing else is taken from there.
_BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from assistant.library.building import main; main()"
_ROOT = str(Path(__file__).resolve().parent.parent.parent)
_LAST = 4_000  # bytes of what it wrote on standard error
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Building:
    """How far the build is, and what became of the one before."""

    running: bool = False
    stage: str = ""  # wait, embed, write, check
    done: int = 0
    total: int = 0
    problem: str = ""
    builds: int = 0  # that succeeded since the start

    def to_json(self) -> dict[str, Any]:
        """Give what the page polls."""
        return {
            "running": self.running,
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "problem": self.problem,
            "builds": self.builds,
        }


class Builder:
    """Builds when asked to; every method may be called from any thread."""

    def __init__(self, data: Path, embedder: str | None, on_built: Callable[[], object], boot: str = _BOOT) -> None:
        """Take over the data folder; ``on_built`` is called after each build, so that the new index is opened."""
        self._order = json.dumps({"data": str(data.absolute()), "embedder": embedder})
        self._on_built = on_built
        self._boot = boot
        self._lock = threading.Lock()
        self._wanted = self._closed = False
        self._state = Building()
        self._process: subprocess.Popen[bytes] | None = None
        self._idle = threading.Event()
        self._idle.set()

    @property
    def state(self) -> Building:
        """How far it is."""
        return self._state

    def request(self) -> None:
        """Ask for a build; where one is running, for another after it."""
        with self._lock:
            if self._closed:
                return
            self._wanted = True
            if self._idle.is_set():
                self._idle.clear()
                self._state = replace(self._state, running=True, stage="", done=0, total=0, problem="")
                threading.Thread(target=self._work, name="assistant-index-builder", daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is being built; False after the timeout."""
        return self._idle.wait(timeout)

    def close(self) -> None:
        """Stop for good; a build that is running is killed, which leaves the old index."""
        with self._lock:
            self._closed, self._wanted = True, False
            if self._process is not None:
                self._process.kill()

    def _work(self) -> None:
        problem = ""
        while True:
            with self._lock:
                if not self._wanted:
                    self._state = replace(self._state, running=False, problem=problem)
                    self._idle.set()
                    return
                self._wanted = False
            problem = self._build()
            if not problem and not self._closed:
                self._state = replace(self._state, builds=self._state.builds + 1)
                self._on_built()

    def _build(self) -> str:
        """Build once; give the sentence that says what went wrong, or nothing."""
        with tempfile.TemporaryFile() as errors:
            with self._lock:
                if self._closed:
                    return ""
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", self._boot, _ROOT, self._order],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    start_new_session=True,
                )
            with self._process as process:
                assert process.stdout is not None
                told = [self._hear(json.loads(line)) for line in process.stdout]
            self._process = None
            if process.returncode == 0 and told:
                return told[-1] or ""
            if self._closed:
                return ""
            _LOG.warning("the build ended with %s: %s", process.returncode, _read_end(errors))
            return (
                f"建立索引的进程意外结束（{process.returncode}），仍使用原来的索引，详情见终端。 "
                "The process that builds the index ended unexpectedly; the old index stays in use, see the terminal."
            )

    def _hear(self, message: dict[str, Any]) -> str | None:
        if "stage" in message:
            self._state = replace(
                self._state, stage=message["stage"], done=int(message["done"]), total=int(message["total"])
            )
        return message.get("problem")


def _read_end(errors: IO[bytes]) -> str:
    size = errors.seek(0, 2)
    errors.seek(max(0, size - _LAST))
    return errors.read().decode("utf-8", "replace").strip()
