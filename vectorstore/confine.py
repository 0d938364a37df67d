"""A file from anywhere -> its parsed form, read in a process of its own with bounded memory and time.

A parser that hangs, crashes or takes all memory costs that file and nothing else.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from vectorstore.codec import parsed_from_json
from vectorstore.errors import SourceUnreadable
from vectorstore.types import Document, ParsedDocument, SourceFacts

# The package is found wherever the program was started, and nothing else is taken from there.
_BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from vectorstore.confined import main; main()"
_ROOT = str(Path(__file__).resolve().parent.parent)
_LAST = 2_000  # bytes of what it wrote on standard error


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may take."""

    memory: int = 1 << 30  # bytes, beyond what the process has before it reads the file
    seconds: int = 60  # of processor time
    wait: float = 180.0  # seconds of real time: other work may be going on
    output: int = 512 * 1024 * 1024  # bytes of what is given back
    largest: int = 0  # bytes of the file; 0: any


def parse_confined(path: Path, *, root: Path | None = None, limits: Limits | None = None) -> ParsedDocument:
    """Read and parse one file.

    Raises:
        SourceUnreadable: it cannot be read, or it took more than it may.
    """
    return _read(path, root, limits or Limits(), whole=True)


def read_confined(
    path: Path, *, root: Path | None = None, facts: SourceFacts | None = None, limits: Limits | None = None
) -> Document:
    """Read one file without parsing it; ``facts`` win over what its text says. Raises ``SourceUnreadable``."""
    document = _read(path, root, limits or Limits(), whole=False).document
    facts = facts or SourceFacts()
    return replace(
        document,
        title=facts.title or document.title,
        publisher=facts.publisher or document.publisher,
        published=facts.published or document.published,
    )


def _read(path: Path, root: Path | None, limits: Limits, *, whole: bool) -> ParsedDocument:
    if limits.largest and path.stat().st_size > limits.largest:
        raise too_large(path.name, limits.largest)
    order = {
        "path": str(path.absolute()),
        "root": str(root.absolute()) if root else None,
        "whole": whole,
        "memory": limits.memory,
        "seconds": limits.seconds,
        "output": limits.output,
    }
    answer = _run(json.dumps(order), path.name, limits)
    if "problem" in answer:
        raise SourceUnreadable(answer["problem"])
    return parsed_from_json(answer["parsed"])


def too_large(name: str, largest: int) -> SourceUnreadable:
    """Make the error for a file that is larger than a file may be."""
    return SourceUnreadable(
        f"{name}：超过 {largest // 2**20} MB 的上限，请拆分。 It is larger than {largest // 2**20} MB: split it."
    )


def _run(order: str, name: str, limits: Limits) -> dict[str, Any]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        # -P keeps the current directory out of sys.path; a session of its own keeps the terminal's Ctrl-C away.
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, _ROOT, order],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            code = process.wait(limits.wait)
        except subprocess.TimeoutExpired as error:
            raise _too_slow(name, limits) from error
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code != 0:
            raise _died(name, code, _read_end(errors), limits)
        output.seek(0)
        answer: dict[str, Any] = json.loads(output.read())
        return answer


def _read_end(errors: IO[bytes]) -> str:
    size = errors.seek(0, 2)
    errors.seek(max(0, size - _LAST))
    return errors.read().decode("utf-8", "replace")


def _died(name: str, code: int, said: str, limits: Limits) -> SourceUnreadable:
    ended = ""
    with suppress(ValueError):
        ended = signal.Signals(-code).name if code < 0 else ""
    if ended == "SIGXCPU":
        return _too_slow(name, limits)
    # Outside Python a lack of memory is an abort or a signal; the system's own guard kills.
    if "MemoryError" in said or "bad_alloc" in said or ended in ("SIGKILL", "SIGABRT", "SIGTRAP", "SIGILL"):
        return SourceUnreadable(
            f"{name}：解析所需内存超过 {limits.memory // 2**20} MB 的上限，已停止，请拆分文件。 "
            f"Reading it takes more than {limits.memory // 2**20} MB of memory; it was stopped: split the file."
        )
    if ended == "SIGXFSZ" or "File too large" in said:
        return SourceUnreadable(f"{name}：解出的文字过多，已停止，请拆分文件。 It holds too much text: split the file.")
    return SourceUnreadable(
        f"{name}：文件已损坏，解析失败（{ended or _last_line(said)}），请重新导出。 The file is damaged: export it again."
    )


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1][:120] if lines else "?"


def _too_slow(name: str, limits: Limits) -> SourceUnreadable:
    return SourceUnreadable(
        f"{name}：解析超过 {limits.seconds} 秒，已停止，请拆分文件。 "
        f"Reading it took longer than {limits.seconds} s; it was stopped: split the file."
    )
