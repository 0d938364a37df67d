"""One question and what became of it -> what can be drawn of it, and where its markers lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.types import Answer, Citation, Question
from assistant.view.source import name_anchor, name_document
from assistant.view.text import Links
from vectorstore.types import ParsedDocument


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question of the conversation and what has become of it so far."""

    turn: int  # from 1
    asked: str
    understood: Question | None = None
    found: int | None = None  # sentences that the model may cite
    ahead: int = 0  # questions of others that are answered first
    wait: float = 0.0  # seconds until it is its turn, as far as one can tell
    draft: str = ""  # unchecked text from the model
    answer: Answer | None = None
    error: str | None = None
    conflict: bool = False  # the error: what was asked for lies outside the chosen scope
    stopped: bool = False
    documents: tuple[ParsedDocument, ...] = ()  # those that the answer leads to, as they were when it was given
    talk: str = ""  # the name of its conversation
    rating: str = ""  # what the person said of the answer: up, down or nothing
    replaced: frozenset[str] = frozenset()  # sources that the index now holds in another form, or no longer
    removed: frozenset[str] = frozenset()  # those of them that it holds no longer

    @property
    def running(self) -> bool:
        """Whether more is to come."""
        return self.answer is None and self.error is None and not self.stopped


def link_answer(answer: Answer, turn: int) -> Links:
    """Say what the markers of an answer, or of the nearest sentences of a refusal, lead to."""
    citations = {citation.n: citation for citation in answer.citations or answer.nearest}
    return Links(citations, {n: find_anchor(answer, citation) for n, citation in citations.items()}, turn)


def name_source(answer: Answer, citation: Citation) -> str:
    """Give the id of the document that a citation leads to."""
    return name_document(citation.sentence.source, answer.index.corpus_sha256)


def find_anchor(answer: Answer, citation: Citation) -> str:
    """Give the id of the element that holds a cited sentence."""
    return name_anchor(name_source(answer, citation), citation.sentence)


def keep_documents(answer: Answer, documents: Sequence[ParsedDocument]) -> tuple[ParsedDocument, ...]:
    """Give the documents that an answer leads to and that still hold every cited sentence where it was."""
    kept = []
    for parsed in documents:
        text = parsed.document.text
        rows = [c.sentence for c in (*answer.citations, *answer.nearest) if c.sentence.source == parsed.document.source]
        if rows and all(text[s.start : s.end] == s.quote for s in rows):
            kept.append(parsed)
    return tuple(kept)
