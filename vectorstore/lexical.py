"""Texts -> BM25 over words and character pairs, and exact look-up of phrases. The only module that imports bm25s.

Stored as plain arrays and JSON; nothing in it is executable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from vectorstore.segment import contains, index_terms, phrase, query_terms

_NORMAL = "normal.json"
_NO_TERM = ""
_K1 = 1.2
_B = 0.5  # sentences differ in length by nature, not by padding: the usual 0.75 favours fragments


class LexicalIndex:
    """BM25 and phrases over a fixed list of texts, which are known by their positions."""

    def __init__(self, ranker: bm25s.BM25, normal: Sequence[str]) -> None:
        self._ranker = ranker
        self._normal = tuple(normal)

    @classmethod
    def build(cls, texts: Sequence[str]) -> LexicalIndex:
        """Index texts, at least one."""
        ranker = bm25s.BM25(method="lucene", k1=_K1, b=_B)
        # bm25s divides by the mean length, so a text without terms gets one that no query has.
        ranker.index([index_terms(text) or [_NO_TERM] for text in texts], show_progress=False)
        return cls(ranker, [phrase(text) for text in texts])

    @classmethod
    def load(cls, directory: Path) -> LexicalIndex:
        """Read what :meth:`save` wrote."""
        ranker = bm25s.BM25.load(str(directory), allow_pickle=False, show_progress=False)
        return cls(ranker, json.loads((directory / _NORMAL).read_text(encoding="utf-8")))

    def save(self, directory: Path) -> None:
        """Write the index into a new directory."""
        directory.mkdir(parents=True)
        self._ranker.save(str(directory), allow_pickle=False, show_progress=False)
        (directory / _NORMAL).write_text(json.dumps(self._normal, ensure_ascii=False), encoding="utf-8")

    def __len__(self) -> int:
        return len(self._normal)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Give the BM25 score of every text, 0 where it shares no term with the query: shape ``(len(self),)``."""
        terms = query_terms(query)
        if not terms:
            return np.zeros(len(self), dtype=np.float32)
        return np.asarray(self._ranker.get_scores(terms), dtype=np.float32)

    def holding(self, term: str) -> list[int]:
        """Give the positions of the texts that hold a term word for word (normalised), in order."""
        wanted = phrase(term)
        return [position for position, text in enumerate(self._normal) if contains(text, wanted)]
