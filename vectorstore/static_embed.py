"""Texts -> vectors of unit length, with a small table of trained vectors for words and pieces of words.

A text's vector is the sum of its features' vectors; how much a feature counts is the length of its own vector, which
training has set. Words outside the vocabulary are held by their characters and pairs of characters, which are hashed.
Only numpy; the file holds plain arrays and nothing executable.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import EmbedderUnusable
from vectorstore.segment import runs, words
from vectorstore.types import Vectors

BUNDLED = Path(__file__).with_name("models") / "static-v1.npz"

FORMAT = 1  # of the file
_DIGEST_SHOWN = 12
_PIECE = 2  # characters; a longer word has to be cut out as one
_LONGEST_TEXT = 20_000  # characters; what follows would not move the sum


class StaticEmbedder:
    """The bundled embedder. Safe for several threads: nothing in it changes after loading."""

    def __init__(self, path: Path = BUNDLED) -> None:
        """Load a table; raises ``EmbedderUnusable``."""
        content, arrays = _read(path)
        self._table: NDArray[np.int8] = np.asarray(arrays["table"], dtype=np.int8)
        self._scales: NDArray[np.float32] = np.asarray(arrays["scales"], dtype=np.float32)
        listed = bytes(arrays["words"]).decode("utf-8").split("\n")
        self._vocabulary = {word: row for row, word in enumerate(listed)}
        self._buckets = len(self._table) - len(listed)
        if self._buckets < 1 or len(self._scales) != len(self._table):
            raise _unusable(path, "its arrays do not fit together")
        self._name = f"static-v{FORMAT}-{self._table.shape[1]}-{sha256(content).hexdigest()[:_DIGEST_SHOWN]}"

    @property
    def name(self) -> str:
        """Names the format, the dimensions and the beginning of the file's SHA-256."""
        return self._name

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._table.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one row of unit length for each text: shape ``(len(texts), dimensions)``.

        A text without any word or number gets the unit vector of the last dimension.
        """
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[:] = self._embed_one(text)
        return rows

    def _embed_one(self, text: str) -> Vectors:
        places, weights = features(text, self._vocabulary, self._buckets)
        total = (weights * self._scales[places]) @ self._table[places].astype(np.float32)
        length = float(np.linalg.norm(total))
        if length > 0.0:
            return np.asarray(total / length, dtype=np.float32)
        unit = np.zeros(self.dimensions, dtype=np.float32)
        unit[-1] = 1.0
        return unit


def features(text: str, vocabulary: Mapping[str, int], buckets: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give the rows of the table that a text is the sum of, without repeats, and the weight of each.

    Rows below ``len(vocabulary)`` are words, those from there on are buckets. A feature that stands in the text ``n``
    times weighs ``1 + log(n)``.
    """
    counts = Counter(_list_features(text[:_LONGEST_TEXT], vocabulary, buckets))
    places = np.fromiter(counts, dtype=np.int64, count=len(counts))
    times = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
    return places, np.asarray(1.0 + np.log(times), dtype=np.float32)


def _list_features(text: str, vocabulary: Mapping[str, int], buckets: int) -> Iterator[int]:
    for word in words(text):
        if len(word) > _PIECE and (row := vocabulary.get(word)) is not None:
            yield row
    for run in runs(text):
        for piece in _cut_pieces(run):
            row = vocabulary.get(piece)
            yield len(vocabulary) + _bucket(piece, buckets) if row is None else row


def _cut_pieces(run: str) -> Iterator[str]:
    """Give every character and pair of a run, also those that are no word; a number or ASCII word whole."""
    if run[0].isdigit() or run[0].isascii():
        yield run
        return
    for size in range(1, _PIECE + 1):
        for start in range(len(run) - size + 1):
            yield run[start : start + size]


@lru_cache(maxsize=1 << 18)
def _bucket(piece: str, buckets: int) -> int:
    # Python's own hash differs from process to process.
    return int.from_bytes(blake2b(piece.encode(), digest_size=8).digest(), "big") % buckets


def _read(path: Path) -> tuple[bytes, Mapping[str, NDArray[np.generic]]]:
    try:
        content = path.read_bytes()
        with np.load(path, allow_pickle=False) as file:
            if int(file["format"]) != FORMAT:
                raise _unusable(path, f"format {int(file['format'])} instead of {FORMAT}")
            return content, {name: file[name] for name in ("table", "scales", "words")}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _unusable(path, str(error)) from error


def _unusable(path: Path, reason: str) -> EmbedderUnusable:
    return EmbedderUnusable(
        f"不能用 {path} 计算向量({reason})。请重新安装，或用 feature-hashing-512-v1。 "
        f"{path} cannot be used as an embedder ({reason}); install again, or use feature-hashing-512-v1."
    )
