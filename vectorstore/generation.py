"""The directories of the index: one generation a build, a pointer to the current one, a lock for the one who writes.

::

    data/
      LOCK                     held by the process that builds; the system frees it when that process dies
      CURRENT                  one line: the current generation and the SHA-256 of its manifest
      generations/<id>/        written once, then never changed
        manifest.json          written last; without it a generation is unfinished
      copies/                  what readers give to Chroma (see ``copies``), and which large generations were hashed

A build writes a new generation beside the old one, makes the disk hold it, and renames a new pointer over the old
one: a kill at any moment leaves one whole generation current. The one before is kept; readers of older ones go on, as
all they still need is in memory, in their own copy, or in files that they hold open (where the system does not allow
such files to be deleted, they stay until the next build).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from filelock import FileLock, Timeout

from vectorstore.codec import manifest_from_json, manifest_to_json
from vectorstore.errors import IndexBusy, IndexDamaged, IndexMissing, IndexStale
from vectorstore.types import Manifest

FORMAT = 5  # raise it whenever an older program could misread what this one writes, or this one reads sources otherwise

_MANIFEST = "manifest.json"
_POINTER = re.compile(r"(?P<generation>\d{8}T\d{6}-[0-9a-f]{6}-\d+) (?P<sha256>[0-9a-f]{64})\n")
_HASH_ALWAYS = 200_000_000  # bytes; a second or so. Above it, a file whose size and time are known is not read again


def _version() -> str:
    try:
        return version("policy-assistant")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0"


PROGRAM = _version()


@dataclass(frozen=True, slots=True)
class Pointer:
    """What ``CURRENT`` says."""

    generation: str
    manifest_sha256: str


@contextmanager
def writing(data: Path) -> Iterator[None]:
    """Hold the right to write; raises ``IndexBusy`` at once where another process or thread has it."""
    data.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data / "LOCK", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise IndexBusy(
            f"另一个程序正在 {data} 里建立索引。请等它结束后再试。 "
            f"Another process is building the index in {data}; try again when it has finished."
        ) from error
    try:
        yield
    finally:
        lock.release()


def begin(data: Path, corpus_sha256: str) -> Path:
    """Make the directory of a new generation, after clearing away unfinished ones; only while writing."""
    generations = data / "generations"
    generations.mkdir(parents=True, exist_ok=True)
    for directory in generations.iterdir():
        if not (directory / _MANIFEST).exists():
            remove(directory)
    counters = [int(d.name.rpartition("-")[2]) for d in generations.iterdir() if d.name.rpartition("-")[2].isdigit()]
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    directory = generations / f"{stamp}-{corpus_sha256[:6]}-{max(counters, default=0) + 1}"
    directory.mkdir()
    return directory


def list_files(directory: Path) -> tuple[tuple[str, int, str], ...]:
    """Give path, size and SHA-256 of every file of a generation, its manifest left out, and make the disk hold them."""
    rows = []
    for path in sorted(directory.rglob("*")):
        if path.is_dir():
            _sync(path)
        elif path != directory / _MANIFEST:
            _sync(path)
            rows.append((path.relative_to(directory).as_posix(), path.stat().st_size, _digest(path)))
    return tuple(rows)


def finish(directory: Path, manifest: Manifest) -> Pointer:
    """Write the manifest, which makes the generation whole, and give the pointer to it."""
    content = json.dumps({"format": FORMAT} | manifest_to_json(manifest), ensure_ascii=False, indent=1).encode()
    _write(directory / _MANIFEST, content)
    _sync(directory.parent)
    return Pointer(manifest.generation, sha256(content).hexdigest())


def publish(data: Path, pointer: Pointer) -> None:
    """Make a finished generation the current one; only while writing. Deletes all but it and the one before."""
    before = data / "CURRENT"
    keep = {pointer.generation, *([read_pointer(data).generation] if _readable(before) else [])}
    _write(before, f"{pointer.generation} {pointer.manifest_sha256}\n".encode())
    for directory in (data / "generations").iterdir():
        if directory.name not in keep:
            remove(directory)


def remove(directory: Path) -> None:
    """Delete a generation; only while writing."""
    if not directory.is_dir():
        return
    # The manifest goes first: a removal that is cut short leaves an unfinished generation, never a whole-looking one.
    (directory / _MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)


def read_pointer(data: Path) -> Pointer:
    """Say which generation is current. Raises ``IndexMissing``, ``IndexDamaged``."""
    try:
        content = (data / "CURRENT").read_bytes()
    except FileNotFoundError as error:
        raise IndexMissing(
            f"{data} 里还没有索引。请先运行 assistant index。 There is no index in {data} yet; run: assistant index"
        ) from error
    match = _POINTER.fullmatch(content.decode("ascii", errors="replace"))
    if match is None:
        raise damaged(data / "CURRENT")
    return Pointer(match["generation"], match["sha256"])


def locate(data: Path, pointer: Pointer) -> Path:
    """Give the directory of a generation."""
    return data / "generations" / pointer.generation


def read_manifest(data: Path, pointer: Pointer) -> Manifest:
    """Read and check the manifest of a generation. Raises ``IndexDamaged``, ``IndexStale``."""
    path = locate(data, pointer) / _MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise damaged(path) from error
    if sha256(content).hexdigest() != pointer.manifest_sha256:
        raise damaged(path)
    fields = json.loads(content)
    if fields.get("format") != FORMAT:
        raise stale(data, f"form {fields.get('format')}", f"form {FORMAT}")
    return manifest_from_json(fields)


def check_files(directory: Path, manifest: Manifest, *, contents: bool) -> None:
    """Compare the files of a generation with its manifest: sizes always, SHA-256 where ``contents`` is asked for.

    A large generation is hashed once; after that, as long as no size and no time of a file has changed, it is not read
    again. Raises ``IndexDamaged`` with the first file that differs.
    """
    for name, size, _ in manifest.files:
        path = directory / name
        if not path.is_file() or path.stat().st_size != size:
            raise damaged(path)
    large = sum(size for _, size, _ in manifest.files) > _HASH_ALWAYS
    if not contents or (large and _seen(directory) == _times(directory, manifest)):
        return
    for name, _, digest in manifest.files:
        if _digest(directory / name) != digest:
            raise damaged(directory / name)
    if large:
        _remember(directory, manifest)


def damaged(path: Path) -> IndexDamaged:
    """Make the error for a file that is not what was written."""
    return IndexDamaged(
        f"索引文件 {path} 已损坏或缺失。请运行 assistant index 重建。 "
        f"The index file {path} is damaged or missing; rebuild the index: assistant index"
    )


def stale(data: Path, made_by: str, asked: str) -> IndexStale:
    """Make the error for an index that was made by something else than asked for."""
    return IndexStale(
        f"{data} 里的索引由 {made_by} 建立，现在用的是 {asked}。请运行 assistant index 重建。 "
        f"The index in {data} was made by {made_by}, now in use is {asked}; rebuild it: assistant index"
    )


def _readable(pointer: Path) -> bool:
    return pointer.exists() and _POINTER.fullmatch(pointer.read_bytes().decode("ascii", errors="replace")) is not None


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(content)
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a directory
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _note(directory: Path) -> Path:
    return directory.parent.parent / "copies" / f"{directory.name}.checked"


def _seen(directory: Path) -> object:
    note = _note(directory)
    return json.loads(note.read_text()) if note.exists() else None


def _times(directory: Path, manifest: Manifest) -> list[list[object]]:
    return [[name, size, (directory / name).stat().st_mtime_ns] for name, size, _ in manifest.files]


def _remember(directory: Path, manifest: Manifest) -> None:
    note = _note(directory)
    if os.access(note.parent if note.parent.exists() else note.parent.parent, os.W_OK):
        note.parent.mkdir(exist_ok=True)
        _write(note, json.dumps(_times(directory, manifest)).encode())
