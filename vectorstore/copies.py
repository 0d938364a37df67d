"""Files of a generation -> a private copy that a reader may write into.

Chroma writes into its directory even when it only reads. So the generation stays as it was written and hashed, and
each reader gives Chroma a copy. A lock beside the copy, which the system frees when its holder dies, says whether it
is still in use; what killed readers left is swept away by the next one.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

_PATIENCE = 30  # seconds; the guard is only held for making and removing directories


class PrivateCopy:
    """A copy of some files, deleted when closed."""

    def __init__(self, path: Path, lock: FileLock, parent: Path | None = None) -> None:
        """Take over a locked directory, and ``parent`` if that was made only for it."""
        self.path = path
        self._lock = lock
        self._parent = parent

    @classmethod
    def make(cls, copies: Path, origin: Path, names: Sequence[str]) -> PrivateCopy:
        """Copy the named files below ``origin`` into a new directory; the system's, where ``copies`` is read-only."""
        place = _writable(copies)
        with FileLock(place / "GUARD", timeout=_PATIENCE):
            _sweep(place)
            path = place / f"{origin.name}-{secrets.token_hex(4)}"
            lock = _lock_of(path)
            lock.acquire()
        copy = cls(path, lock, parent=None if place == copies else place)
        try:
            copy._fill(origin, names)
        except OSError:
            copy.close()
            raise
        return copy

    def close(self) -> None:
        """Delete the copy."""
        shutil.rmtree(self.path, ignore_errors=True)
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()
        if self._parent:
            shutil.rmtree(self._parent, ignore_errors=True)

    def _fill(self, origin: Path, names: Sequence[str]) -> None:
        self.path.mkdir()
        for name in names:
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin / name, target)


def _writable(copies: Path) -> Path:
    if os.access(copies if copies.exists() else copies.parent, os.W_OK):
        copies.mkdir(exist_ok=True)
        return copies
    return Path(tempfile.mkdtemp(prefix="policy-assistant-"))


def _sweep(copies: Path) -> None:
    for marker in copies.glob("*.lock"):
        path = marker.with_suffix("")
        lock = _lock_of(path)
        try:
            lock.acquire()
        except Timeout:
            continue
        PrivateCopy(path, lock).close()


def _lock_of(path: Path) -> FileLock:
    return FileLock(f"{path}.lock", timeout=0, thread_local=False)
