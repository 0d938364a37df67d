"""Token files: sequences laid one behind the other, read back, cut, and put into batches in an order that only the seed decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.sequences import Target, Written


@dataclass(frozen=True, slots=True)
class Shard:
    """Sequences one behind the other: tokens and targets of shape ``(total,)``, lengths and kinds of shape ``(n,)``."""

    tokens: NDArray[np.uint16]
    targets: NDArray[np.uint8]
    lengths: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    names: tuple[str, ...]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each sequence begins."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)


def pack(written: Sequence[tuple[str, Written]]) -> Shard:
    """Lay sequences one behind the other."""
    names = tuple(sorted({kind for kind, _ in written}))
    return Shard(
        np.concatenate([s.tokens for _, s in written] or [np.zeros(0, np.uint16)]),
        np.concatenate([s.targets for _, s in written] or [np.zeros(0, np.uint8)]),
        np.array([len(s.tokens) for _, s in written], np.int32),
        np.array([names.index(kind) for kind, _ in written], np.uint8),
        names,
    )


def save_shard(shard: Shard, file: Path) -> None:
    """Write a shard, compressed; whole or not at all."""

    def write(to: Path) -> None:
        with to.open("wb") as stream:
            np.savez_compressed(
                stream,
                tokens=shard.tokens,
                targets=shard.targets,
                lengths=shard.lengths,
                kinds=shard.kinds,
                names=np.array(shard.names),
            )

    write_whole(file, write)


def load_shards(files: Iterable[Path]) -> Shard:
    """Read shards and put them one behind the other, in the order of their names."""
    shards = [_load(file) for file in sorted(files)]
    names = tuple(sorted({name for shard in shards for name in shard.names}))
    kinds = [np.array([names.index(n) for n in shard.names] or [0], np.uint8)[shard.kinds] for shard in shards]
    return Shard(
        np.concatenate([s.tokens for s in shards]),
        np.concatenate([s.targets for s in shards]),
        np.concatenate([s.lengths for s in shards]),
        np.concatenate(kinds),
        names,
    )


def shorten_all(shard: Shard, longest: int) -> Shard:
    """The same sequences with at most ``longest`` tokens each; those that cannot be cut so far are left out."""
    starts = shard.starts
    cut = [
        (shard.names[shard.kinds[i]], shorten(shard.tokens[b : b + n], shard.targets[b : b + n], longest))
        for i, (b, n) in enumerate(zip(starts, shard.lengths, strict=True))
    ]
    return pack([(name, written) for name, written in cut if written is not None])


def shorten(tokens: NDArray[np.uint16], targets: NDArray[np.uint8], longest: int) -> Written | None:
    """Leave out the last candidates until the sequence fits; ``None`` where one of them answers or two are not left."""
    if len(tokens) <= longest:
        return Written(tokens, targets)
    ends = np.flatnonzero((targets == Target.NO) | (targets == Target.YES)) + 1  # behind each candidate's number
    tail = len(tokens) - int(ends[-1])
    fitting = ends[ends + tail <= longest]
    if len(fitting) < 2 or (targets[fitting[-1] : ends[-1]] == Target.YES).any():
        return None
    kept = np.r_[0 : int(fitting[-1]), int(ends[-1]) : len(tokens)]
    return Written(tokens[kept], targets[kept])


def count_kinds(shard: Shard) -> Counter[str]:
    """How many sequences of each kind there are."""
    return Counter({shard.names[k]: int(n) for k, n in zip(*np.unique(shard.kinds, return_counts=True), strict=True)})


def plan_batches(
    lengths: NDArray[np.int32], buckets: Sequence[int], tokens: int, seed: int, epoch: int
) -> list[tuple[int, NDArray[np.int64]]]:
    """The batches of one epoch in their order: bucket length and which sequences. Batches of a bucket have one size.

    A sequence of ``n`` tokens needs ``n - 1`` inputs; those longer than the longest bucket are left out.
    """
    rng = np.random.default_rng([seed, epoch])
    fits = np.searchsorted(np.array(buckets), lengths - 1)
    batches: list[tuple[int, NDArray[np.int64]]] = []
    for number, length in enumerate(buckets):
        rows = rng.permutation(np.flatnonzero(fits == number))
        size = max(1, tokens // length)
        batches += [(length, rows[i : i + size]) for i in range(0, len(rows) - size + 1, size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _load(file: Path) -> Shard:
    with np.load(file, allow_pickle=False) as arrays:
        return Shard(
            arrays["tokens"],
            arrays["targets"],
            arrays["lengths"],
            arrays["kinds"],
            tuple(str(n) for n in arrays["names"]),
        )


def write_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` make a file beside, and put it in place only when it is done."""
    temporary = file.with_name(file.name + ".unfinished")
    write(temporary)
    temporary.replace(file)
