"""a model and the fixed beginning of its prompts -> the file that keeps how the model has read it.

Reading the rules of the prompt costs seconds on a small machine and gives the same every time, so the state of the context
behind them is kept. The file is a derived thing: it is named by all that it depends on, whole or not there, and safe to delete.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from assistant.llm.catalog import ModelSpec, hash_file

FOLDER = "prefix"
MOST_FILES = 6
MOST_BYTES = 1 << 30
_SUFFIX = ".state"
_SUM = ".sha256"


def choose_state_file(home: Path, spec: ModelSpec, texts: Sequence[str]) -> Path:
    """Name the file for a model and the texts that its prompts begin with, and make room for it among the others."""
    folder = home / FOLDER
    with suppress(OSError):  # a folder that cannot be written only means that nothing is kept
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{_key(spec, texts)}{_SUFFIX}"
        if path.exists():
            os.utime(path)
        drop_oldest(folder, spare=path)
        return path
    return folder / f"{_key(spec, texts)}{_SUFFIX}"


def drop_oldest(folder: Path, spare: Path, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
    """Delete the files that were used longest ago until the rest is few and small enough; ``spare`` stays."""
    states = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda p: (p == spare, p.stat().st_mtime_ns), reverse=True)
    size = 0
    for place, path in enumerate(states):
        size += path.stat().st_size
        if path != spare and (place >= most_files or size > most_bytes):
            _sum_of(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def state_is_whole(path: str) -> bool:
    """Whether the file is there and what it was when it was written; a changed one could end the process that reads it."""
    try:
        return _sum_of(Path(path)).read_text(encoding="ascii") == hash_file(Path(path))
    except (OSError, ValueError):
        return False


@contextmanager
def keep_state(path: str) -> Iterator[str]:
    """Give a name to write to; what lies there afterwards becomes the file, with its checksum, in one step."""
    whole, unfinished = Path(path), Path(f"{path}.{os.getpid()}")
    try:
        yield str(unfinished)
        with suppress(OSError):  # a full disk, or a folder that cannot be written: nothing is kept
            checksum = hash_file(unfinished)
            _sum_of(whole).unlink(missing_ok=True)
            unfinished.replace(whole)
            _sum_of(whole).write_text(checksum, encoding="ascii")
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _key(spec: ModelSpec, texts: Sequence[str]) -> str:
    """Everything that the state depends on: the model, the context, the program that computes, and the texts."""
    parts = [spec.sha256, str(spec.context), version("llama-cpp-python"), *texts]
    return hashlib.sha256("\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "replace")).hexdigest()[
        :32
    ]


def _sum_of(path: Path) -> Path:
    return path.with_suffix(_SUM)
