"""What a person does on the documents page -> the library changed: files added, documents removed, labels corrected.

Nothing here builds an index; whoever changed something asks the builder to. A file is read in a process of its own before
it is kept, so what is kept can be read.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from assistant.errors import LibraryInvalid
from assistant.library.state import Added, Removed, Shelf, State
from vectorstore.by_hand import NAMES, find_section, name_place
from vectorstore.confine import Limits, parse_confined, too_large
from vectorstore.corrections import check_correction, read_page_corrections, write_page_corrections
from vectorstore.errors import SourceUnreadable
from vectorstore.kinds import MEDIA
from vectorstore.types import LabelCorrection, Labels, ParsedDocument, Part

LARGEST_FILE = 25 * 1024 * 1024  # bytes
MOST_FILES = 2_000
LARGEST_LIBRARY = 1024 * 1024 * 1024  # bytes of all added files
PREFIX = "added/"  # before the names of added files, so that they meet no file of a folder

_LONGEST_NAME = 120
_LONGEST_PATH = 240
_UNNAMEABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_AT_ONCE = 2  # files that are read at the same time; each may take a gigabyte


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was added: its name in the index and what was read of it."""

    source: str
    parsed: ParsedDocument


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a form says of the labels of one section; empty: it has none of them."""

    region: str = ""
    year: str = ""
    part: str = ""


class Reader(Protocol):
    """What reads a file."""

    def __call__(self, path: Path, *, limits: Limits | None = None) -> ParsedDocument:
        """Give what was read; raises ``SourceUnreadable``."""
        ...


class Library:
    """Adds, removes and labels; every method may be called from any thread."""

    def __init__(self, home: Path, limits: Limits | None = None, read: Reader = parse_confined) -> None:
        """Take over the library in a data folder; ``read`` is how a file is read: in a process of its own."""
        self.shelf = Shelf(home)
        self._limits = limits or Limits(largest=LARGEST_FILE)
        self._parse = read
        self._reading = threading.Semaphore(_AT_ONCE)

    @property
    def largest(self) -> int:
        """Bytes that a file may have."""
        return self._limits.largest

    def receive(self) -> Path:
        """Give a place for a file that is coming; whoever asked deletes it."""
        folder = self.shelf.folder / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / secrets.token_hex(8)

    def add(self, received: Path, name: str, documents: Sequence[ParsedDocument]) -> Kept:
        """Read a received file in a process of its own and keep it; ``documents`` are those of the index.

        Raises ``SourceUnreadable`` or ``LibraryInvalid`` with the reason where it is refused.
        """
        shown = clean_name(name)
        last = shown.rpartition("/")[2]
        suffix = Path(last).suffix.lower()
        if suffix not in MEDIA:
            raise SourceUnreadable(
                f"{last}：不支持这种文件，请转换为 {'、'.join(MEDIA)}。 "
                f"This type cannot be read: convert it to one of {' '.join(MEDIA)}."
            )
        size = received.stat().st_size
        if size > self.largest:
            raise too_large(last, self.largest)
        digest = hashlib.sha256(received.read_bytes()).hexdigest()
        self._check_new(shown, digest, size, documents)
        folder = received.with_name(f"{received.name}.d")
        folder.mkdir()
        named = folder / f"{secrets.token_hex(8)}{suffix}"
        try:
            received.rename(named)
            parsed = self._read(named, last)
            return self._put(named, parsed, shown, suffix, documents)
        finally:
            named.unlink(missing_ok=True)
            folder.rmdir()

    def _read(self, path: Path, name: str) -> ParsedDocument:
        with self._reading:
            try:
                parsed = self._parse(path, limits=self._limits)
            except SourceUnreadable as error:  # it knows the file by the name it has here
                raise SourceUnreadable(str(error).replace(path.name, name)) from error
        if not parsed.sentences:
            raise SourceUnreadable(f"{name}：里面没有可检索的句子。 It holds no sentence to search.")
        return parsed

    def _put(
        self, path: Path, parsed: ParsedDocument, shown: str, suffix: str, documents: Sequence[ParsedDocument]
    ) -> Kept:
        size, key = path.stat().st_size, secrets.token_hex(8)
        with self.shelf.changing() as held:
            self._check_new(shown, parsed.document.sha256, size, documents)  # another one may have come meanwhile
            source = _free_name(PREFIX + shown, held[0], documents)
            named = _rename(parsed, source, path.stem, Path(shown).stem)
            self.shelf.keep_parsed(key, named)
            added = Added(source, key, suffix, named.document.sha256, size, _now())
            kept = self.shelf.file_of(added)
            kept.parent.mkdir(parents=True, exist_ok=True)
            path.rename(kept)
            held[0] = replace(held[0], added=(*held[0].added, added))
        return Kept(source, named)

    def _check_new(self, shown: str, digest: str, size: int, documents: Sequence[ParsedDocument]) -> None:
        state, name = self.shelf.state(), shown.rpartition("/")[2]
        removed = {r.source for r in state.removed}
        same = next((a.source for a in state.added if a.sha256 == digest), None)
        same = same or next((p.document.source for p in documents if p.document.sha256 == digest), None)
        if same in removed:
            raise LibraryInvalid(
                f"{name}：与已移除的“{same}”内容相同，请在下方恢复它。 It is the same as {same}, which was removed: restore that."
            )
        if same is not None:
            raise LibraryInvalid(
                f"{name}：与已有的“{same}”内容相同，没有重复添加。 It is the same as {same}, which is there."
            )
        if any(a.source == PREFIX + shown and a.source not in removed for a in state.added):
            raise LibraryInvalid(
                f"{name}：已有同名文件而内容不同，请先移除旧的。 There is another file of this name: remove that one first."
            )
        if len(state.added) >= MOST_FILES or sum(a.size for a in state.added) + size > LARGEST_LIBRARY:
            raise LibraryInvalid(
                f"{name}：添加的文件已到上限（{MOST_FILES} 份、{LARGEST_LIBRARY // 2**20} MB），请先移除一些。 "
                "No more files can be added: delete some first."
            )

    def remove(self, source: str, documents: Sequence[ParsedDocument]) -> None:
        """Take a document out of all answers; its file stays where it is. Raises ``LibraryInvalid`` for no such document."""
        parsed = next((p for p in documents if p.document.source == source), None)
        with self.shelf.changing() as held:
            state = held[0]
            added = state.find_added(source)
            if state.find_removed(source) or (parsed is None and added is None):
                raise _no_such()
            key = added.key if added else secrets.token_hex(8)
            if parsed is None:
                parsed = self.shelf.read_parsed(key)
            elif added is None:
                self.shelf.keep_parsed(key, parsed)
            removed = Removed(source, parsed.document.title, key, added is not None, _now())
            restored = tuple(r for r in state.restored if r.source != source)
            held[0] = replace(state, removed=(*state.removed, removed), restored=restored)

    def restore(self, source: str) -> None:
        """Take a removed document back. Raises ``LibraryInvalid`` where none of that name was removed."""
        with self.shelf.changing() as held:
            removed = held[0].find_removed(source)
            if removed is None:
                raise _no_such()
            held[0] = replace(
                held[0],
                removed=tuple(r for r in held[0].removed if r.source != source),
                restored=(*held[0].restored, removed),
            )

    def delete(self, source: str) -> None:
        """Delete a removed file of ours for good; a file in somebody's folder is never deleted."""
        with self.shelf.changing() as held:
            removed = held[0].find_removed(source)
            if removed is None or not removed.added:
                raise _no_such()
            held[0] = replace(held[0].without(source), forgotten=(*held[0].forgotten, source))
        self.shelf.discard(removed.key)
        with self.shelf.changing():
            corrections = dict(read_page_corrections(self.shelf.corrections))
            if corrections.pop(source, None):
                write_page_corrections(self.shelf.corrections, corrections)

    def correct(self, source: str, start: int, wanted: Wanted | None, documents: Sequence[ParsedDocument]) -> None:
        """Set the labels of the section that begins at ``start``; without ``wanted`` give it back its automatic ones.

        Only what differs from the automatic labels is kept. Raises ``LibraryInvalid`` where a label is none.
        """
        parsed = next((p for p in documents if p.document.source == source), None)
        section = next((s for s in parsed.sections if s.start == start), None) if parsed else None
        if parsed is None or section is None:
            raise _no_such()
        text = parsed.document.text
        after = name_place(text, section)
        if after is None:
            raise LibraryInvalid(
                "这一节的文字在文件中重复出现，无法单独更正。 Its words stand in the file twice; it cannot be named."
            )
        correction = _read_wanted(source, after, wanted, section.before[0] if section.before else section.labels)
        number = parsed.sections.index(section)
        with self.shelf.changing():
            corrections: dict[str, Sequence[LabelCorrection]] = dict(self.corrections())
            others = [c for c in corrections.get(source, ()) if find_section(text, parsed.sections, c.after) != number]
            corrections[source] = [*others, correction] if correction else others
            write_page_corrections(self.shelf.corrections, {name: rows for name, rows in corrections.items() if rows})

    def drop_lost(self, source: str, after: str) -> None:
        """Drop a correction that fits its document no longer."""
        with self.shelf.changing():
            corrections: dict[str, Sequence[LabelCorrection]] = dict(self.corrections())
            corrections[source] = [c for c in corrections.get(source, ()) if c.after != after]
            write_page_corrections(self.shelf.corrections, {name: rows for name, rows in corrections.items() if rows})

    def corrections(self) -> Mapping[str, tuple[LabelCorrection, ...]]:
        """Give the labels that were corrected on the page, by document."""
        return read_page_corrections(self.shelf.corrections)


def clean_name(name: str) -> str:
    """Give a name, or a path of a folder that was added, as it may be shown; raises ``LibraryInvalid`` for none."""
    text = _UNNAMEABLE.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/")
    parts = [part.strip()[-_LONGEST_NAME:] for part in text.split("/")]
    shown = "/".join(part for part in parts if part not in ("", ".", ".."))[-_LONGEST_PATH:].strip("/ ")
    if not shown:
        raise LibraryInvalid("文件没有名字。 The file has no name.")
    return shown


def _free_name(source: str, state: State, documents: Sequence[ParsedDocument]) -> str:
    """Number a name that a removed document, or a file of a folder, still has."""
    taken = {*(a.source for a in state.added), *(r.source for r in state.removed), *state.forgotten}
    taken |= {p.document.source for p in documents}
    stem, dot, suffix = source.rpartition(".")
    number = 1
    while source in taken:
        number += 1
        source = f"{stem} ({number}){dot}{suffix}"
    return source


def _rename(parsed: ParsedDocument, source: str, stem: str, shown: str) -> ParsedDocument:
    """Give a document the name it has in the index; its title too where that was only the file's name."""
    title = shown if parsed.document.title == stem else parsed.document.title
    return ParsedDocument(
        replace(parsed.document, source=source, title=title),
        parsed.boilerplate,
        tuple(replace(section, source=source) for section in parsed.sections),
        tuple(replace(sentence, source=source) for sentence in parsed.sentences),
    )


def _read_wanted(source: str, after: str, wanted: Wanted | None, automatic: Labels) -> LabelCorrection | None:
    """Give what differs from the automatic labels, or ``None``."""
    if wanted is None:
        return None
    digits, part = wanted.year.strip().removesuffix("年"), wanted.part.strip()
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) == 4):
        raise LibraryInvalid(f"年份“{digits[:20]}”应是四位数字。 The year has to be four digits.")
    if part and part not in set(Part):
        raise LibraryInvalid("部分应是回顾或任务。 The part has to be review or tasks.")
    try:
        province = check_correction(wanted.region.strip() or None, int(digits) if digits else None)
    except ValueError as error:
        raise LibraryInvalid(
            f"“{str(error)[:20]}”不是省级地区或可用的年份。 That is no province, or no year that can be used."
        ) from error
    labels = Labels(province, int(digits) if digits else None, Part(part) if part else None)
    differing = [name for name in NAMES if getattr(labels, name) != getattr(automatic, name)]
    if not differing:
        return None
    clear = tuple(name for name in differing if getattr(labels, name) is None)
    kept = replace(labels, **{name: None for name in NAMES if name not in differing})
    return LabelCorrection(source, after, kept.region, kept.year, kept.part, clear)


def _no_such() -> LibraryInvalid:
    return LibraryInvalid(
        "没有这份资料或这一节，页面可能已过时，请刷新。 There is no such document or section: reload the page."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
