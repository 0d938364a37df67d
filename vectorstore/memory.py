"""Parsed documents -> an index that lives in memory alone: the same searches as over a generation on disk, without Chroma.

For a few documents that somebody has at hand. All cosines are computed at each search, so beyond some ten thousand
sentences the index on disk is the faster one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from vectorstore.alike import embed_texts
from vectorstore.embed import embed_query
from vectorstore.errors import SourceUnreadable
from vectorstore.generation import PROGRAM
from vectorstore.lexical import LexicalIndex
from vectorstore.segment import query_terms
from vectorstore.types import Embedder, Hit, Manifest, ParsedDocument, Scope, Sentence, Vectors

_RANK_CONSTANT = 60  # as vectorstore.index fuses; a test holds the two together
_DEPTH = 100
_EVERYWHERE = Scope()


class MemoryIndex:
    """An index over documents that are given; nothing is written. Searches may run in several threads."""

    def __init__(self, documents: Sequence[ParsedDocument], embedder: Embedder) -> None:
        """Index documents.

        Raises:
            SourceUnreadable: they hold no sentence, or two have one name.
        """
        self.documents: tuple[ParsedDocument, ...] = tuple(sorted(documents, key=lambda p: p.document.source))
        self.sentences: tuple[Sentence, ...] = tuple(s for parsed in self.documents for s in parsed.sentences)
        self._check()
        self._embedder = embedder
        plain = [sentence.plain for sentence in self.sentences]
        self._lexical = LexicalIndex.build(plain)
        self._vectors: Vectors = embed_texts(embedder, plain)
        self.manifest: Manifest = self._describe()
        self._allowed = lru_cache(maxsize=64)(self._find_allowed)
        self._held = lru_cache(maxsize=4096)(lambda term: len(self._lexical.holding(term)))

    def current(self) -> MemoryIndex:
        """Give the index itself: nobody else can have built a newer one."""
        return self

    def sentence(self, name: str) -> Sentence:
        """Give the sentence of an id; raises ``KeyError`` where there is none."""
        for sentence in self.sentences:
            if sentence.id == name:
                return sentence
        raise KeyError(name)

    def search(self, text: str, k: int, scope: Scope = _EVERYWHERE) -> tuple[Hit, ...]:
        """Find at most ``k`` sentences inside the scope, best first, as ``vectorstore.index.Index.search`` does."""
        allowed = self._allowed(scope)
        if k < 1 or not query_terms(text) or not allowed.any():
            return ()
        depth = max(_DEPTH, 4 * k)
        lexical = self._lexical.scores(text)
        vector = embed_query(self._embedder, text)
        cosines = self._vectors @ vector
        scores: dict[int, float] = defaultdict(float)
        for ranking in (
            _rank(np.flatnonzero((lexical > 0) & allowed), lexical),
            _rank([p for p in self._lexical.holding(text) if allowed[p]], lexical),
            _rank(np.flatnonzero(allowed), cosines),
        ):
            for rank, position in enumerate(ranking[:depth], start=1):
                scores[position] += 1.0 / (_RANK_CONSTANT + rank)
        best = sorted(scores, key=lambda position: (-scores[position], position))[:k]
        return tuple(Hit(self.sentences[p], scores[p], float(lexical[p]), float(cosines[p])) for p in best)

    def holds(self, term: str) -> int:
        """Count the sentences that hold a term word for word (normalised)."""
        return self._held(term)

    def rarity(self, term: str) -> float:
        """Say how telling a term is: the inverse document frequency of BM25, at least 0."""
        held = self.holds(term)
        return math.log1p((len(self.sentences) - held + 0.5) / (held + 0.5))

    def close(self) -> None:
        """Nothing to let go of."""

    def _find_allowed(self, scope: Scope) -> NDArray[np.bool_]:
        return np.array([scope.allows(sentence) for sentence in self.sentences], dtype=np.bool_)

    def _check(self) -> None:
        names = [parsed.document.source for parsed in self.documents]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise SourceUnreadable(
                f"两份文件同名：{twice}。请给它们不同的名称。 Two documents are called {twice}; rename one."
            )
        if not self.sentences:
            raise SourceUnreadable("给出的文件里没有可检索的句子。 The given documents hold no sentence to search.")

    def _describe(self) -> Manifest:
        lines = sorted((p.document.source, p.document.sha256) for p in self.documents)
        corpus = sha256("".join(f"{digest}  {source}\n" for source, digest in lines).encode()).hexdigest()
        return Manifest(
            generation="memory",
            program=PROGRAM,
            chromadb="",
            embedder=self._embedder.name,
            dimensions=self._embedder.dimensions,
            corpus_sha256=corpus,
            documents=len(self.documents),
            sections=sum(len(parsed.sections) for parsed in self.documents),
            sentences=len(self.sentences),
        )


def _rank(positions: Iterable[int], scores: NDArray[np.float32]) -> list[int]:
    return sorted((int(p) for p in positions), key=lambda position: (-scores[position], position))
