"""Texts -> vectors, with any embedding model in a GGUF file.

Loads llama.cpp, so it is imported only where such a model is asked for. llama.cpp cuts a text that is longer than its
batch without a word; here such a text is embedded in pieces, and its vector is the mean of theirs, weighted by tokens.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from enum import IntEnum
from hashlib import file_digest
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before the import: else ten times slower on a busy machine

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from vectorstore.errors import EmbedderUnusable
from vectorstore.types import Vectors

_BATCH = 512  # tokens; sentences have far fewer
_LONGEST_PIECE = 2000  # characters; some tokenizers die of a run of 26,000 characters of one class


class Pooling(IntEnum):
    """How the vectors of the tokens become the vector of the text; the numbers are llama.cpp's."""

    MEAN = 1
    CLS = 2
    LAST = 3


class GgufEmbedder:
    """An embedding model in a GGUF file.

    Calls from several threads wait for each other: llama.cpp is not thread-safe.
    """

    def __init__(
        self,
        path: Path,
        *,
        pooling: Pooling | None = None,
        query_prefix: str = "",
        text_prefix: str = "",
        threads: int | None = None,
    ) -> None:
        """Load a model.

        ``pooling``: the one that the file names, if ``None``. ``query_prefix`` and ``text_prefix`` stand before every
        question and every text, where the model's card asks for it. Raises ``EmbedderUnusable``.
        """
        self._prefixes = (query_prefix, text_prefix)
        self._lock = threading.Lock()
        self._model = _load(path, pooling, threads)
        self._pooling = _check_pooling(self._model, path)
        self._sha256 = _digest(path)

    @property
    def name(self) -> str:
        """Names the file's SHA-256, the pooling and, where there is one, the text prefix."""
        prefix = f":{self._prefixes[1]}" if self._prefixes[1] else ""
        return f"gguf:{self._sha256}:{self._pooling.name.lower()}{prefix}"

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._model.n_embd())

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Give one row of unit length for each text: shape ``(len(texts), dimensions)``.

        A text without any token gets the unit vector of the last dimension.
        """
        return self._embed([self._prefixes[1] + text for text in texts])

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """Give the vector of a question: shape ``(dimensions,)``, unit length."""
        row: NDArray[np.float32] = self._embed([self._prefixes[0] + text])[0]
        return row

    def close(self) -> None:
        """Free the model; the embedder cannot be used after that."""
        with self._lock:
            self._model.close()

    def _embed(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        with self._lock:
            pieces = [(row, *piece) for row, text in zip(rows, texts, strict=True) for piece in self._cut(text)]
            found = self._model.embed([piece for _, piece, _ in pieces], truncate=False) if pieces else []
        for (row, _, tokens), vector in zip(pieces, found, strict=True):
            row += tokens * _to_unit(np.asarray(vector, dtype=np.float32))
        return np.stack([_to_unit(row) for row in rows]) if texts else rows

    def _cut(self, text: str) -> list[tuple[str, int]]:
        """Cut a text into pieces that fit the batch, with their numbers of tokens."""
        if len(text) <= _LONGEST_PIECE:
            tokens = len(self._model.tokenize(text.encode()))
            if tokens <= _BATCH:
                return [(text, tokens)] if tokens else []
        middle = len(text) // 2
        return self._cut(text[:middle]) + self._cut(text[middle:])


def _load(path: Path, pooling: Pooling | None, threads: int | None) -> llama_cpp.Llama:
    count = threads or max(1, (os.cpu_count() or 2) // 2)
    try:
        return llama_cpp.Llama(
            str(path),
            n_ctx=_BATCH,
            n_batch=_BATCH,
            n_ubatch=_BATCH,
            n_threads=count,
            n_threads_batch=count,
            embedding=True,
            pooling_type=llama_cpp.LLAMA_POOLING_TYPE_UNSPECIFIED if pooling is None else int(pooling),
            verbose=False,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise _unusable(path, str(error)) from error


def _check_pooling(model: llama_cpp.Llama, path: Path) -> Pooling:
    # Without pooling, or with a reranker's, llama_cpp reads beyond what the model gives.
    try:
        pooling = Pooling(int(model.pooling_type()))
    except ValueError as error:
        raise _unusable(path, "it names no pooling; give pooling") from error
    if llama_cpp.llama_model_n_embd_out(model.model) != model.n_embd():
        raise _unusable(path, "its output has another width than the model")
    return pooling


def _unusable(path: Path, reason: str) -> EmbedderUnusable:
    return EmbedderUnusable(
        f"不能用 {path} 计算向量({reason})。请换一个 GGUF 向量模型。 "
        f"{path} cannot be used as an embedder ({reason}); give another embedding GGUF."
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _to_unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    if length > 0.0:
        return vector / np.float32(length)
    unit = np.zeros_like(vector)
    unit[-1] = 1.0
    return unit
