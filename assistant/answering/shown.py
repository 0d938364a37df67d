"""Sentences in, their composition out as they stand: the one that answers whole, or several to be compared with the question."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.answering.quote import choose_quote
from assistant.question.weigh import Weighing
from assistant.types import Passage
from vectorstore.types import Sentence

_WHOLE = 140  # characters up to which a sentence is quoted as it stands


def compose_whole(sentence: Sentence) -> Composition:
    """One sentence as it stands."""
    return Composition(Layout.PROSE, (Statement(None, frame(sentence), sentence.plain.rstrip("。;；"), sentence),))


def compose_nearest(passages: Sequence[Passage], weighing: Weighing) -> Composition:
    """Sentences to be compared with the question, whole where they are not long."""
    quoted = [(p.sentence, choose_quote(p.sentence, weighing, whole=_WHOLE)) for p in passages]
    return Composition(Layout.NEAREST, tuple(Statement(None, frame(one), quote, one) for one, quote in quoted))
