"""Sentences that repeat each other -> one vector for each different text, and who shares it.

Documents repeat each other: copies, editions, forms with one line filled in. Equal vectors are more than a waste. A graph
of neighbours, as HNSW keeps it, links each vector to its nearest ones; where a vector stands in it more often than it
may have neighbours, its copies link to each other alone, and no search comes in from outside. So a vector is entered
once, under the first sentence that has it, and the search gives all who share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vectorstore.types import Embedder, Vectors

_AT_ONCE = 256

Alike = NDArray[np.int64]
"""For every sentence the position of the first one that has its vector: its own, where it is the first."""


def embed_texts(
    embedder: Embedder, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
) -> Vectors:
    """Give the vector of every text; equal texts, embedded once, have the same to the last bit.

    ``progress`` is told how many of the different texts are done, and how many there are.
    """
    rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    different = list(rows)
    vectors = np.zeros((len(different), embedder.dimensions), dtype=np.float32)
    for start in range(0, len(different), _AT_ONCE):
        if progress:
            progress(start, len(different))
        vectors[start : start + _AT_ONCE] = embedder.embed(different[start : start + _AT_ONCE])
    if progress:
        progress(len(different), len(different))
    return vectors[[rows[text] for text in texts]]


def find_alike(vectors: Vectors) -> Alike:
    """Find the sentences with the same vector."""
    firsts: dict[bytes, int] = {}
    return np.array(
        # Adding nothing makes the two zeros of floating point one.
        [firsts.setdefault((row + 0.0).tobytes(), position) for position, row in enumerate(vectors)],
        dtype=np.int64,
    )


def group_alike(alike: Alike) -> dict[int, list[int]]:
    """Give the positions of those who share a vector, in their order, by the first of them."""
    groups: dict[int, list[int]] = {}
    for position, first in enumerate(alike.tolist()):
        groups.setdefault(first, []).append(position)
    return groups
