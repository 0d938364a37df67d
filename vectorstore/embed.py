"""Texts -> vectors of unit length, with what needs no model file; and the choice of the embedder by its name.

The hashing embedder knows no meaning. It finds texts that share words and pieces of words, the same on every machine.
The default is the trained one, which also finds what is said in other words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import EmbedderUnusable
from vectorstore.segment import runs, words
from vectorstore.static_embed import BUNDLED, StaticEmbedder
from vectorstore.types import Embedder, Vectors

_HASHING = re.compile(r"feature-hashing-(\d+)-v1")
_LONGEST_GRAM = 3


@runtime_checkable
class QueryEmbedder(Protocol):
    """An embedder that treats a question otherwise than a text, for instance with an instruction before it."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Give the vector of a question: shape ``(dimensions,)``, unit length."""
        ...


class HashingEmbedder:
    """Hashes words and character 1-, 2- and 3-grams into signed buckets, with sublinear counts.

    The last dimension is kept for texts without any feature: an empty text, or one of nothing but punctuation, is its
    unit vector, so that every row has unit length and such a text has cosine 0 with all others.
    """

    def __init__(self, dimensions: int = 512) -> None:
        if dimensions < 2:
            raise ValueError(f"dimensions must be at least 2, got {dimensions}")
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        """Names the method, the dimensions and the version of the method."""
        return f"feature-hashing-{self._dimensions}-v1"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one row of unit length for each text: shape ``(len(texts), dimensions)``."""
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._embed_one(text)
        return rows

    def _embed_one(self, text: str) -> NDArray[np.float64]:
        counts = Counter(_features(text))
        places = np.array([_place(feature, self._dimensions - 1) for feature in counts], dtype=np.int64).reshape(-1, 2)
        weights = places[:, 1] * (1.0 + np.log(np.array(list(counts.values()), dtype=np.float64)))
        row = np.bincount(places[:, 0], weights, minlength=self._dimensions).astype(np.float64)
        length = float(np.linalg.norm(row))
        if length > 0.0:
            return row / length
        row[-1] = 1.0
        return row


def open_embedder(name_or_path: str | None = None) -> Embedder:
    """Give the bundled embedder (``static-v1``, the default), that of another name, or that of a GGUF or NPZ file.

    Raises ``EmbedderUnusable`` where there is no such thing.
    """
    if name_or_path is None or name_or_path == BUNDLED.stem:
        return StaticEmbedder()
    if match := _HASHING.fullmatch(name_or_path):
        return HashingEmbedder(int(match[1]))
    if name_or_path.lower().endswith(".npz"):
        return StaticEmbedder(Path(name_or_path))
    if name_or_path.lower().endswith(".gguf"):
        from vectorstore.gguf_embed import GgufEmbedder

        return GgufEmbedder(Path(name_or_path))
    raise EmbedderUnusable(
        f"不认识向量模型 {name_or_path!r}：请给出 static-v1、feature-hashing-512-v1 或一个 .gguf 文件。 "
        f"Unknown embedder {name_or_path!r}: give static-v1, feature-hashing-512-v1 or a .gguf file."
    )


def embed_query(embedder: Embedder, text: str) -> NDArray[np.float32]:
    """Give the vector of a question, shape ``(dimensions,)``, as the embedder wants questions treated."""
    if isinstance(embedder, QueryEmbedder):
        return embedder.embed_query(text)
    row: NDArray[np.float32] = embedder.embed([text])[0]
    return row


def _features(text: str) -> Iterator[str]:
    for word in words(text):
        yield "w" + word
    for run in runs(text):
        for size in range(1, _LONGEST_GRAM + 1):
            for start in range(len(run) - size + 1):
                yield f"{size}{run[start : start + size]}"


@lru_cache(maxsize=1 << 18)
def _place(feature: str, buckets: int) -> tuple[int, int]:
    # Python's own hash differs from process to process.
    number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "big")
    return (number >> 1) % buckets, 1 if number & 1 else -1
