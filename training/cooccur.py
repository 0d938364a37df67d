"""Running words -> a vector for each frequent word, from the company that it keeps (PPMI, factorised)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import rjieba
import torch
from numpy.typing import NDArray

from vectorstore.normalize import normalize

_WINDOW = 5
_SMOOTHING = 0.75  # of context counts: rare contexts are not worth as much as their ratio says (Levy and others 2015)
_LEAST = 1.0  # weighted meetings of two words; fewer are chance
_PASSES = 3  # power iterations of the randomised factorisation
_SPARE = 32  # dimensions more than are kept


def cut_texts(texts: Iterable[str]) -> list[list[str]]:
    """Cut texts into normalised words; punctuation stays, as a word of its own that is in no vocabulary."""
    return [rjieba.cut(normalize(text), False) for text in texts]


def choose_vocabulary(cut: Sequence[Sequence[str]], weights: Sequence[int], size: int) -> list[str]:
    """Give the most frequent words, in order; of numbers none, of single characters those that are words."""
    counts: Counter[str] = Counter()
    for tokens, weight in zip(cut, weights, strict=True):
        for token, times in Counter(tokens).items():
            counts[token] += weight * times
    usable = [w for w, _ in counts.most_common() if any(c.isalpha() for c in w) and not any(c.isdigit() for c in w)]
    return usable[:size]


def widen_vocabulary(vocabulary: Sequence[str], cut: Sequence[Sequence[str]], least: int) -> list[str]:
    """Add the words of at least two characters that stand in so many of other texts; in order."""
    known = set(vocabulary)
    held = Counter(token for tokens in cut for token in set(tokens) if len(token) > 1 and token not in known)
    added = [w for w, times in held.items() if times >= least and w.isalpha() and not w.isascii()]
    return [*vocabulary, *sorted(added)]


def count_words(cut: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """Count in how many texts each word stands: shape ``(len(vocabulary),)``."""
    rows = {word: row for row, word in enumerate(vocabulary)}
    counts = np.zeros(len(vocabulary), dtype=np.int64)
    for tokens in cut:
        for token in set(tokens):
            if (row := rows.get(token)) is not None:
                counts[row] += 1
    return counts


def relate_words(cut: Sequence[Sequence[str]], weights: Sequence[int], vocabulary: Sequence[str]) -> torch.Tensor:
    """Give the positive pointwise mutual information of words within a window, as a sparse square matrix."""
    size = len(vocabulary)
    rows = {word: row for row, word in enumerate(vocabulary)}
    keys = np.zeros(0, dtype=np.int64)
    values = np.zeros(0, dtype=np.float32)
    chunk: list[tuple[NDArray[np.int64], int]] = []
    filled = 0
    for tokens, weight in zip(cut, weights, strict=True):
        ids = np.array([rows.get(token, -1) for token in tokens], dtype=np.int64)
        chunk.append((ids, weight))
        filled += len(ids)
        if filled > 2_000_000:
            keys, values = _merge(keys, values, chunk, size)
            chunk, filled = [], 0
    keys, values = _merge(keys, values, chunk, size)
    return _weigh(keys, values, size)


def factorise(matrix: torch.Tensor, dimensions: int, seed: int) -> NDArray[np.float32]:
    """Give a unit vector for each row of a symmetric sparse matrix: shape ``(rows, dimensions)``."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.randn(matrix.shape[1], dimensions + _SPARE, generator=generator)
    for _ in range(_PASSES):
        basis, _ = torch.linalg.qr(matrix @ basis)
    projected = (matrix @ basis).T  # symmetric, so this is basis.T @ matrix
    left, strength, _ = torch.linalg.svd(projected @ projected.T)
    vectors = (basis @ left[:, :dimensions]) * strength[:dimensions].pow(0.25)
    vectors = vectors - vectors.mean(0)
    lengths = vectors.norm(dim=1, keepdim=True).clamp(min=1e-9)
    return np.asarray((vectors / lengths).numpy(), dtype=np.float32)


def _merge(
    keys: NDArray[np.int64], values: NDArray[np.float32], chunk: Sequence[tuple[NDArray[np.int64], int]], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Add the pairs of some texts to those counted so far; nearer words count more."""
    gap = np.full(_WINDOW, -1, dtype=np.int64)  # words of two texts are no neighbours
    ids = np.concatenate([part for tokens, _ in chunk for part in (tokens, gap)])
    counts = np.concatenate([np.full(len(tokens) + _WINDOW, weight, dtype=np.float32) for tokens, weight in chunk])
    found, worth = [keys], [values]
    for distance in range(1, _WINDOW + 1):
        left, right = ids[:-distance], ids[distance:]
        both = (left >= 0) & (right >= 0)
        pairs, where = np.unique(left[both] * size + right[both], return_inverse=True)
        found.append(pairs)
        worth.append(np.bincount(where, counts[:-distance][both] / distance, len(pairs)).astype(np.float32))
    merged, where = np.unique(np.concatenate(found), return_inverse=True)
    return merged, np.bincount(where, np.concatenate(worth), len(merged)).astype(np.float32)


def _weigh(keys: NDArray[np.int64], values: NDArray[np.float32], size: int) -> torch.Tensor:
    """Make counts of pairs, each pair once, into a symmetric matrix of their positive mutual information."""
    row, column = np.divmod(keys, size)
    row, column = np.concatenate([row, column]), np.concatenate([column, row])
    values = np.concatenate([values, values])
    alone = np.bincount(row, values, size) + 1e-9
    context = alone**_SMOOTHING
    context /= context.sum()
    information = np.log(values / (alone[row] * context[column]))
    keep = (information > 0) & (values > _LEAST)
    indices = torch.from_numpy(np.stack([row[keep], column[keep]]))
    matrix = torch.sparse_coo_tensor(indices, torch.from_numpy(information[keep].astype(np.float32)), (size, size))
    return matrix.coalesce().to_sparse_csr()
