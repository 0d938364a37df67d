"""Conversations of the page <-> the history: each finished exchange is kept, a kept conversation can be gone on with."""

from __future__ import annotations

import logging
import sqlite3
import weakref
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from assistant.conversations.history import History, KeptTalk, KeptTurn, Line, is_talk_id
from assistant.conversations.stored import answer_to_json
from assistant.errors import InputInvalid
from assistant.evaluation.feedback import LONGEST_TEXT, record
from assistant.page.talk import KEPT, Talk
from assistant.types import Role, Turn
from assistant.view.exchange import Exchange, keep_documents
from vectorstore.parse import parse
from vectorstore.types import Document, ParsedDocument

RATINGS = ("up", "down")
_LOG = logging.getLogger(__name__)


class Memory:
    """The conversations that are open in some page, and the history of all; may be used from any thread."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.history = History(home)
        self._open: weakref.WeakValueDictionary[str, Talk] = weakref.WeakValueDictionary()

    def begin(self, owner: str) -> Talk:
        """Begin a conversation."""
        talk = Talk(owner=owner)
        self._open[talk.id] = talk
        return talk

    def adopt(self, talk: Talk | None, owner: str) -> Talk:
        """Give the conversation to go on with: the one that the page holds, or a new one where that is another's."""
        if talk is None or talk.owner not in ("", owner):
            return self.begin(owner)
        talk.owner = talk.owner or ("" if talk.exchanges else owner)  # the very first visit began without a name
        return talk

    def talks(self) -> list[Talk]:
        """Give the conversations that are open."""
        return list(self._open.values())

    def resume(self, owner: str, name: str, documents: Sequence[ParsedDocument]) -> Talk | None:
        """Give a conversation of this owner as it was; the same one where another page has it open."""
        if not owner or not is_talk_id(name):
            return None
        live = self._open.get(name)
        if live is not None:
            return live if live.owner == owner else None
        kept = self.read(owner, name)
        if kept is None or not kept.turns:
            return None
        exchanges = tuple(restore(turn, name, documents) for turn in kept.turns[-KEPT:])
        talk = Talk(exchanges=exchanges, asked=kept.turns[-1].turn, owner=owner, id=name)
        self._open[name] = talk
        return talk

    def keep(self, talk: Talk) -> None:
        """Keep the newest exchange; a history that cannot be written never stands in the way of an answer."""
        if not talk.owner or not talk.exchanges:
            return
        exchange = talk.exchanges[-1]
        documents = tuple(parsed.document for parsed in exchange.documents)
        error = exchange.error or ("■ 已停止。 Stopped." if exchange.answer is None else None)
        turn = KeptTurn(
            exchange.turn, exchange.asked, datetime.now(UTC), exchange.answer, error, exchange.rating, "", documents
        )
        try:
            self.history.keep(talk.owner, talk.id, turn)
        except (sqlite3.Error, OSError) as problem:
            _LOG.warning("对话没有保存。 The conversation was not kept: %s", problem)

    def read(self, owner: str, name: str) -> KeptTalk | None:
        """Give a kept conversation, or ``None``."""
        if not owner or not is_talk_id(name):
            return None
        try:
            return self.history.read(owner, name)
        except (sqlite3.Error, OSError) as problem:
            _LOG.warning("历史无法读取。 The history cannot be read: %s", problem)
            return None

    def list(self, owner: str, words: str) -> tuple[Line, ...]:
        """Give this owner's conversations, newest first; ``InputInvalid`` where the history cannot be read."""
        try:
            return self.history.list(owner, words[:200]) if owner else ()
        except (sqlite3.Error, OSError) as problem:
            raise InputInvalid(f"历史文件无法读取：{self.home}。 The history cannot be read: {problem}") from problem

    def delete(self, owner: str, name: str | None) -> int:
        """Delete one conversation, or all of this owner's; a page that has it open begins anew when it asks."""
        if not owner or (name is not None and not is_talk_id(name)):
            return 0
        gone = self.history.delete(owner, name)
        for talk in self.talks():
            if talk.owner == owner and name in (None, talk.id):
                talk.owner = ""  # what is said in it from now on is not kept
        return gone

    def rate(self, owner: str, name: str, number: int, rating: str, comment: str) -> None:
        """Keep what a person says of an answer; a wrong one becomes a candidate question for a person to review.

        ``InputInvalid`` where there is no such answer, or the comment is too long.
        """
        if rating not in RATINGS or len(comment) > LONGEST_TEXT:
            raise InputInvalid("这条反馈不能记录。 This feedback cannot be recorded.")
        kept = self.read(owner, name)
        turn = next((t for t in kept.turns if t.turn == number), None) if kept else None
        if kept is None or turn is None or turn.answer is None:
            raise InputInvalid("找不到这条回答，没有记录。 There is no such answer; nothing was recorded.")
        if rating == "down" and (turn.rating, turn.comment) != (rating, comment):
            before = [Turn(Role.USER, t.asked) for t in kept.turns if t.turn < number]
            record(self.home, turn.asked, answer_to_json(turn.answer), correction=comment, turns=before)
        self.history.rate(owner, name, number, rating, comment)
        live = self._open.get(name)
        if live is not None:
            live.rate(number, rating)


def restore(turn: KeptTurn, talk: str, documents: Sequence[ParsedDocument]) -> Exchange:
    """Make an exchange of a kept turn: with the documents of the index where they are the same, else as they were."""
    exchange = Exchange(turn.turn, turn.asked, error=turn.error, talk=talk, rating=turn.rating)
    if turn.answer is None:
        return exchange
    today = {parsed.document.source: parsed for parsed in documents}
    cited = {c.sentence.source for c in (*turn.answer.citations, *turn.answer.nearest)}
    then = {document.source: document for document in turn.documents}
    replaced = frozenset(s for s in cited if s not in today or (s in then and not _is_same(then[s], today[s])))
    same = [today[source] for source in sorted(cited - replaced)]
    old = [parse(then[source]) for source in sorted(replaced & set(then))]
    return Exchange(
        turn.turn,
        turn.asked,
        understood=turn.answer.question,
        answer=turn.answer,
        documents=keep_documents(turn.answer, [*same, *old]),
        talk=talk,
        rating=turn.rating,
        replaced=replaced,
    )


def _is_same(then: Document, today: ParsedDocument) -> bool:
    return then.sha256 == today.document.sha256
