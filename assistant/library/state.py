"""``library.json`` <-> which files were added, and which documents were taken out of the answers.

::

    data/library/
      LOCK               held while the list changes
      library.json       this list
      sources.toml       labels that were corrected on the page (``vectorstore.corrections``)
      files/<key>.<type> the files that were added, as they came
      parsed/<key>.json  what was read of them, and of documents that were removed
      incoming/          what is being received

The names on disk are random: no name that a person or a browser gave ever becomes a path.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from assistant.errors import LibraryInvalid
from vectorstore.codec import parsed_from_json, parsed_to_json
from vectorstore.types import ParsedDocument

_PATIENCE = 30  # seconds; the lock is held for a moment only


@dataclass(frozen=True, slots=True)
class Added:
    """A file that was added on the page."""

    source: str  # its name in the index
    key: str
    suffix: str
    sha256: str
    size: int  # bytes
    when: str  # ISO 8601, UTC


@dataclass(frozen=True, slots=True)
class Removed:
    """A document that no answer comes from any more."""

    source: str
    title: str
    key: str  # of what was read of it
    added: bool  # its file is one of ours; otherwise it lies in somebody's folder, untouched
    when: str


@dataclass(frozen=True, slots=True)
class State:
    """All that was added and removed."""

    added: tuple[Added, ...] = ()
    removed: tuple[Removed, ...] = ()
    restored: tuple[Removed, ...] = ()  # taken back, and not in an index again yet
    forgotten: tuple[str, ...] = ()  # deleted for good, and perhaps still in the index

    @property
    def hidden(self) -> frozenset[str]:
        """The names of documents that nothing may be answered from."""
        return frozenset({*(r.source for r in self.removed), *self.forgotten})

    def find_added(self, source: str) -> Added | None:
        """Give the added file of that name."""
        return next((a for a in self.added if a.source == source), None)

    def find_removed(self, source: str) -> Removed | None:
        """Give the removed document of that name."""
        return next((r for r in self.removed if r.source == source), None)

    def without(self, source: str) -> State:
        """Give the list without anything of that name."""
        return replace(
            self,
            added=tuple(a for a in self.added if a.source != source),
            removed=tuple(r for r in self.removed if r.source != source),
            restored=tuple(r for r in self.restored if r.source != source),
        )


class Shelf:
    """The folder with all of it; every method may be called from any thread and any process."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "library"
        self._list = self.folder / "library.json"
        self._read: tuple[tuple[int, int, int], State] = ((0, 0, 0), State())

    @property
    def corrections(self) -> Path:
        """Where the corrected labels are kept."""
        return self.folder / "sources.toml"

    def state(self) -> State:
        """Give the list as it is now; it is read again only where it has changed."""
        try:
            found = self._list.stat()
        except FileNotFoundError:
            return State()
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if self._read[0] != stamp:
            self._read = (stamp, self._load())
        return self._read[1]

    def _load(self) -> State:
        try:
            value: dict[str, Any] = json.loads(self._list.read_text(encoding="utf-8"))
            return State(
                added=tuple(Added(**row) for row in value["added"]),
                removed=tuple(Removed(**row) for row in value["removed"]),
                restored=tuple(Removed(**row) for row in value["restored"]),
                forgotten=tuple(value["forgotten"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise LibraryInvalid(
                f"{self._list} 已损坏，无法知道哪些资料已移除；请从备份恢复或删除该文件。 "
                f"{self._list} is damaged, so that nobody knows what was removed; restore or delete it."
            ) from error

    @contextmanager
    def changing(self) -> Iterator[list[State]]:
        """Hold the list to change it: what the one entry is at the end is written, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "LOCK", timeout=_PATIENCE):
            held = [self.state()]
            yield held
            new = self._list.with_name(f"library.{secrets.token_hex(4)}.new")
            new.write_text(json.dumps(asdict(held[0]), ensure_ascii=False, indent=1), encoding="utf-8")
            new.replace(self._list)

    def file_of(self, added: Added) -> Path:
        """Give where an added file is kept."""
        return self.folder / "files" / f"{added.key}{added.suffix}"

    def keep_parsed(self, key: str, parsed: ParsedDocument) -> None:
        """Keep what was read of a document."""
        path = self.folder / "parsed" / f"{key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.write_text(json.dumps(parsed_to_json(parsed), ensure_ascii=False), encoding="utf-8")
        new.replace(path)

    def read_parsed(self, key: str) -> ParsedDocument:
        """Give what was read of a document; raises ``LibraryInvalid`` where that is damaged or gone."""
        path = self.folder / "parsed" / f"{key}.json"
        try:
            return parsed_from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LibraryInvalid(
                f"{path} 已损坏或缺失，请在资料页移除这份文件后重新添加。 "
                f"{path} is damaged or missing; remove that document on the page and add it again."
            ) from error

    def discard(self, key: str) -> None:
        """Delete what is kept under a key."""
        (self.folder / "parsed" / f"{key}.json").unlink(missing_ok=True)
        for file in (self.folder / "files").glob(f"{key}.*"):
            file.unlink(missing_ok=True)
