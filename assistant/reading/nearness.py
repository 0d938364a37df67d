"""A question, or a word of one, and a text in; how near they are in meaning out: cosines of the bundled embedder's vectors.

For what no list of other names can hold. Near is not the same: what stands in each other's place lies near each other too
(加氢站, 充电桩), so nearness is one sign among others that a sentence answers, and never that a claim is true. The bundled
embedder is asked whatever embedder the index was made with, because the sign was fitted with it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.reading.clauses import split_clauses
from vectorstore.normalize import normalize
from vectorstore.segment import cut
from vectorstore.static_embed import StaticEmbedder

_FROM, _TO = (
    0.25,
    0.75,
)  # cosines of two words that are told to have nothing to do with each other, and to mean one thing


def find_near(term: str, text: str) -> float:
    """How near the nearest word of a normalised text is to a word or wording: 0 is strange, 1 the same."""
    vectors = _words(text)
    if not len(vectors):
        return 0.0
    cosine = float((vectors @ _vector(term)).max())
    return min(1.0, max(0.0, (cosine - _FROM) / (_TO - _FROM)))


def find_nearest_clause(question: str, text: str) -> float:
    """The cosine of a question and the clause of a text that is nearest to it."""
    vectors = _clauses(text)
    return float((vectors @ _vector(normalize(question))).max()) if len(vectors) else 0.0


@lru_cache(maxsize=2048)
def _words(text: str) -> NDArray[np.float32]:
    """The vectors of the words of a text, and of each two that follow each other."""
    words = [word for word in cut(text) if any(c.isalnum() for c in word)]
    texts = dict.fromkeys([*(w for w in words if len(w) > 1), *map("".join, pairwise(words))])
    return _stack(tuple(texts))


@lru_cache(maxsize=2048)
def _clauses(text: str) -> NDArray[np.float32]:
    return _stack(tuple(normalize(clause.text) for clause in split_clauses(text)))


def _stack(texts: tuple[str, ...]) -> NDArray[np.float32]:
    if not texts:
        return np.zeros((0, _embedder().dimensions), dtype=np.float32)
    return np.stack([_vector(text) for text in texts])


@lru_cache(maxsize=1 << 15)
def _vector(text: str) -> NDArray[np.float32]:
    return np.asarray(_embedder().embed([text])[0], dtype=np.float32)


@cache
def _embedder() -> StaticEmbedder:
    return StaticEmbedder()
