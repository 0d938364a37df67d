"""An index, and what was removed on the page -> the index without it, at once and before a new one is built.

Also what opens a newer generation, and closes the old one when the last question that began with it has ended.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.library.state import Shelf
from vectorstore.segment import contains, phrase
from vectorstore.types import Hit, Manifest, ParsedDocument, Scope, Sentence

if TYPE_CHECKING:
    from vectorstore.index import Index

_EVERYWHERE = Scope()


class Visible:
    """An index as answers may see it. Safe for several threads, as the index is."""

    def __init__(self, index: Index, shelf: Shelf) -> None:
        self._index = index
        self._shelf = shelf
        self._sources = frozenset(parsed.document.source for parsed in index.documents)
        self._view = _View(frozenset(), index.documents, index.sentences, ())
        self._close = weakref.finalize(self, index.close)

    @property
    def manifest(self) -> Manifest:
        """What the index was made from."""
        return self._index.manifest

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        """The documents that were not removed."""
        return self._look().documents

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Their sentences, in order."""
        return self._look().sentences

    def search(self, text: str, k: int, scope: Scope = _EVERYWHERE) -> tuple[Hit, ...]:
        """Find at most ``k`` of their sentences inside the scope, best first."""
        hidden = self._look().hidden
        if not hidden:
            return self._index.search(text, k, scope)
        left = (scope.sources or self._sources) - hidden
        return self._index.search(text, k, replace(scope, sources=left)) if left else ()

    def holds(self, term: str) -> int:
        """Count their sentences that hold a term word for word."""
        removed = self._look().removed
        gone = sum(1 for text in removed if contains(text, phrase(term))) if removed else 0
        return self._index.holds(term) - gone

    def rarity(self, term: str) -> float:
        """Say how telling a term is among their sentences, as the index does."""
        if not self._look().hidden:
            return self._index.rarity(term)
        held, count = self.holds(term), len(self._look().sentences)
        return math.log1p((count - held + 0.5) / (held + 0.5))

    def sentence(self, name: str) -> Sentence:
        """Give the sentence of an id; raises ``KeyError`` where there is none."""
        found = self._index.sentence(name)
        if found.source in self._look().hidden:
            raise KeyError(name)
        return found

    def current(self) -> Visible:
        """Give this one, or that of the newer generation if there is one by now."""
        newer = self._index.current()
        return self if newer is self._index else Visible(newer, self._shelf)

    def close(self) -> None:
        """Let go of the files."""
        self._close()

    def _look(self) -> _View:
        """Give what is left; worked out anew only where something was removed or restored since."""
        hidden = self._shelf.state().hidden & self._sources
        view = self._view
        if view.hidden != hidden:
            view = self._view = _View(
                hidden,
                tuple(p for p in self._index.documents if p.document.source not in hidden),
                tuple(s for s in self._index.sentences if s.source not in hidden),
                tuple(phrase(s.plain) for s in self._index.sentences if s.source in hidden),
            )
        return view


class _View:
    """The documents and sentences of an index without those of hidden documents."""

    def __init__(
        self,
        hidden: frozenset[str],
        documents: tuple[ParsedDocument, ...],
        sentences: tuple[Sentence, ...],
        removed: tuple[str, ...],
    ) -> None:
        self.hidden = hidden
        self.documents = documents
        self.sentences = sentences
        self.removed = removed  # texts of the hidden sentences, as terms are looked up in them
