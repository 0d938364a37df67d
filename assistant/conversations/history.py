"""Conversations in, the same conversations after a reload, a restart or a new index out: SQLite in the data folder.

An answer is kept with the texts that it was made from, so that its citations lead there also when the documents have
changed or gone. Each row belongs to an owner, a name that the page gives (the checksum of a browser's cookie): nobody
finds, opens or deletes what is another's. Only the owner of the data folder may read the file; what is deleted is
overwritten. Known limit: a text above ``LARGEST_TEXT`` is not kept; of it the quotes remain.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from assistant.conversations.stored import answer_from_json, answer_to_json
from assistant.types import Answer
from vectorstore.types import Document, Media

FILE = "history.sqlite3"
LARGEST_TEXT = 4_000_000  # characters of one cited document
MOST_TALKS = 2000  # of one owner; the oldest go
_TITLE = 60  # characters
_SCHEMA = """
CREATE TABLE IF NOT EXISTS talks (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS talks_of_owner ON talks (owner, updated);
CREATE TABLE IF NOT EXISTS turns (
    talk TEXT NOT NULL REFERENCES talks (id) ON DELETE CASCADE, turn INTEGER NOT NULL, asked TEXT NOT NULL,
    at TEXT NOT NULL, answer TEXT, error TEXT, rating TEXT NOT NULL DEFAULT '', comment TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL, PRIMARY KEY (talk, turn)
);
CREATE TABLE IF NOT EXISTS texts (
    source TEXT NOT NULL, sha256 TEXT NOT NULL, facts TEXT NOT NULL, text BLOB NOT NULL, PRIMARY KEY (source, sha256)
);
CREATE TABLE IF NOT EXISTS uses (
    talk TEXT NOT NULL, turn INTEGER NOT NULL, source TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (talk, turn, source), FOREIGN KEY (talk, turn) REFERENCES turns (talk, turn) ON DELETE CASCADE
);
"""
_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Line:
    """One conversation in the list."""

    id: str
    title: str
    updated: datetime
    turns: int
    found: str = ""  # the words around what was searched for


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """One question and its answer, with the documents that it cites as they were."""

    turn: int
    asked: str
    at: datetime
    answer: Answer | None
    error: str | None = None
    rating: str = ""  # up, down or nothing
    comment: str = ""
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptTalk:
    """One conversation, oldest turn first."""

    id: str
    title: str
    created: datetime
    turns: tuple[KeptTurn, ...]


def is_talk_id(value: object) -> bool:
    """Whether this could be the name of a conversation."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


class History:
    """The conversations of one data folder; every method may be called from any thread and any process."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE

    def keep(self, owner: str, talk: str, turn: KeptTurn) -> None:
        """Keep a turn, or what has become of it; a conversation of another owner is left alone."""
        with self._open() as base:
            self._keep(base, owner, talk, turn)

    def _keep(self, base: sqlite3.Connection, owner: str, talk: str, turn: KeptTurn) -> None:
        now = turn.at.astimezone(UTC).isoformat(timespec="seconds")
        title = " ".join(_clean(turn.asked).split())[:_TITLE]
        base.execute("INSERT OR IGNORE INTO talks VALUES (?, ?, ?, ?, ?)", (talk, owner, title, now, now))
        if not _owns(base, owner, talk):
            return
        answer = _clean(json.dumps(answer_to_json(turn.answer), ensure_ascii=False)) if turn.answer else None
        words = fold(f"{turn.asked}\n{turn.answer.text if turn.answer else ''}")
        base.execute("DELETE FROM turns WHERE talk = ? AND turn = ?", (talk, turn.turn))
        base.execute(
            "INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (talk, turn.turn, _clean(turn.asked), now, answer, turn.error, turn.rating, _clean(turn.comment), words),
        )
        for document in turn.documents:
            _keep_text(base, talk, turn.turn, document)
        base.execute("UPDATE talks SET updated = ? WHERE id = ?", (now, talk))
        old = "SELECT id FROM talks WHERE owner = ? ORDER BY updated DESC LIMIT -1 OFFSET ?"
        base.execute(f"DELETE FROM talks WHERE id IN ({old})", (owner, MOST_TALKS))

    def rate(self, owner: str, talk: str, turn: int, rating: str, comment: str) -> bool:
        """Keep what a person says of an answer; whether there is such an answer of theirs."""
        with self._open() as base:
            if not _owns(base, owner, talk):
                return False
            changed = base.execute(
                "UPDATE turns SET rating = ?, comment = ? WHERE talk = ? AND turn = ? AND answer IS NOT NULL",
                (rating, _clean(comment), talk, turn),
            )
            return changed.rowcount == 1

    def list(self, owner: str, words: str = "", limit: int = 200) -> tuple[Line, ...]:
        """Give the newest conversations, or those that hold all of the words in one turn; newest first."""
        wanted = [fold(word) for word in words.split()][:8]
        held = " AND ".join(["t.words LIKE ? ESCAPE '!'"] * len(wanted)) or "1"
        query = (
            "SELECT k.id, k.title, k.updated, (SELECT count(*) FROM turns WHERE talk = k.id), min(t.words) FROM talks k "
            f"JOIN turns t ON t.talk = k.id WHERE k.owner = ? AND {held} GROUP BY k.id ORDER BY k.updated DESC LIMIT ?"
        )
        with self._open() as base:
            rows = base.execute(query, (owner, *(f"%{_escape(word)}%" for word in wanted), limit)).fetchall()
        return tuple(
            Line(i, title, datetime.fromisoformat(at), turns, _cut(text, wanted[0]) if wanted else "")
            for i, title, at, turns, text in rows
        )

    def read(self, owner: str, talk: str) -> KeptTalk | None:
        """Give a whole conversation; ``None`` where this owner has no such one."""
        with self._open() as base:
            head = base.execute("SELECT title, created FROM talks WHERE id = ? AND owner = ?", (talk, owner)).fetchone()
            if head is None:
                return None
            rows = base.execute(
                "SELECT turn, asked, at, answer, error, rating, comment FROM turns WHERE talk = ? ORDER BY turn",
                (talk,),
            ).fetchall()
            turns = tuple(_read_turn(row, _read_texts(base, talk, row[0])) for row in rows)
        return KeptTalk(talk, head[0], datetime.fromisoformat(head[1]), turns)

    def delete(self, owner: str, talk: str | None = None) -> int:
        """Delete a conversation, or all of this owner, with the texts that nothing else cites; how many were deleted."""
        with self._open() as base:
            gone = base.execute("DELETE FROM talks WHERE owner = ? AND (? IS NULL OR id = ?)", (owner, talk, talk))
            base.execute(
                "DELETE FROM texts WHERE NOT EXISTS "
                "(SELECT 1 FROM uses u WHERE u.source = texts.source AND u.sha256 = texts.sha256)"
            )
            return gone.rowcount

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        with closing(sqlite3.connect(self._path, timeout=10)) as base:
            base.execute("PRAGMA journal_mode = WAL")
            base.execute("PRAGMA foreign_keys = ON")
            base.execute("PRAGMA secure_delete = ON")
            base.executescript(_SCHEMA)
            with base:
                yield base


def fold(text: str) -> str:
    """Make texts comparable for the search: width, case and spaces do not matter."""
    wide = unicodedata.normalize("NFKC", _clean(text)).casefold()
    return unicodedata.normalize(
        "NFKC", "".join(wide.split())
    ).casefold()  # marks may join letters once spaces are gone


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


def _escape(word: str) -> str:
    return re.sub(r"([!%_])", r"!\1", word)


def _cut(text: str, word: str) -> str:
    at = max(0, text.find(word))
    return ("…" if at > 16 else "") + text[max(0, at - 16) : at + len(word) + 40]


def _owns(base: sqlite3.Connection, owner: str, talk: str) -> bool:
    return base.execute("SELECT 1 FROM talks WHERE id = ? AND owner = ?", (talk, owner)).fetchone() is not None


def _keep_text(base: sqlite3.Connection, talk: str, turn: int, document: Document) -> None:
    if len(document.text) > LARGEST_TEXT:
        return
    key = (document.source, document.sha256)
    if base.execute("SELECT 1 FROM texts WHERE source = ? AND sha256 = ?", key).fetchone() is None:
        facts = {
            "media": document.media.value,
            "title": document.title,
            "publisher": document.publisher,
            "published": document.published.isoformat() if document.published else None,
        }
        packed = zlib.compress(document.text.encode("utf-8", "surrogatepass"), 6)
        base.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", (*key, json.dumps(facts, ensure_ascii=False), packed))
    base.execute("INSERT OR REPLACE INTO uses VALUES (?, ?, ?, ?)", (talk, turn, *key))


def _read_texts(base: sqlite3.Connection, talk: str, turn: int) -> tuple[Document, ...]:
    rows = base.execute(
        "SELECT x.source, x.sha256, x.facts, x.text FROM uses u JOIN texts x ON x.source = u.source AND x.sha256 = u.sha256 "
        "WHERE u.talk = ? AND u.turn = ? ORDER BY x.source",
        (talk, turn),
    ).fetchall()
    return tuple(_make_document(*row) for row in rows)


def _make_document(source: str, sha256: str, facts: str, packed: bytes) -> Document:
    known: dict[str, Any] = json.loads(facts)
    text = zlib.decompress(packed).decode("utf-8", "surrogatepass")
    published = date.fromisoformat(known["published"]) if known["published"] else None
    return Document(source, text, Media(known["media"]), sha256, known["title"], known["publisher"], published)


def _read_turn(row: Sequence[Any], documents: tuple[Document, ...]) -> KeptTurn:
    turn, asked, at, answer, error, rating, comment = row
    try:
        made = answer_from_json(json.loads(answer)) if answer else None
    except (KeyError, TypeError, ValueError):
        made, error = None, "这条回答无法读取。 This answer can no longer be read."
    return KeptTurn(turn, asked, datetime.fromisoformat(at), made, error, rating, comment, documents)
