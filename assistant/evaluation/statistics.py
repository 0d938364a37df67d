"""Scores in, means with 95% intervals, percentiles and paired differences out. Seeded: equal scores, equal figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SEED = 20240229
_RESAMPLES = 4000
_BLOCK = 2_000_000  # drawn positions held in memory at once


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over the questions that were scored, with its interval."""

    value: float | None  # None where none was scored
    scored: int
    low: float | None = None  # None where fewer than two were scored
    high: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the public form."""
        return {"mean": self.value, "scored": self.scored, "low": self.low, "high": self.high}


def estimate_mean(values: Sequence[float | None]) -> Mean:
    """Give the mean of what was scored and its percentile bootstrap interval; ``None`` is left out, not counted as 0.

    A bootstrap cannot see what never happened: where all values are equal, the interval is that value.
    """
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if known.size == 0:
        return Mean(None, 0)
    if known.size == 1:
        return Mean(float(known[0]), 1)
    low, high = np.percentile(_resample_means(known), [2.5, 97.5])
    return Mean(float(known.mean()), int(known.size), float(low), float(high))


def _resample_means(values: NDArray[np.float64]) -> NDArray[np.float64]:
    generator = np.random.default_rng(_SEED)
    rows = max(1, _BLOCK // values.size)
    blocks = []
    for start in range(0, _RESAMPLES, rows):
        count = min(rows, _RESAMPLES - start)
        blocks.append(values[generator.integers(0, values.size, size=(count, values.size))].mean(axis=1))
    return np.concatenate(blocks)


def estimate_difference(new: Sequence[float | None], old: Sequence[float | None]) -> Mean:
    """Give the mean of ``new - old`` over the pairs in which both were scored; both lists are in the same order."""
    pairs = zip(new, old, strict=True)
    return estimate_mean([None if a is None or b is None else a - b for a, b in pairs])


def find_percentile(values: Sequence[float], share: float) -> float | None:
    """Give the value below which ``share`` (0..1) of the values lie, ``None`` for none."""
    return float(np.percentile(np.array(values, dtype=np.float64), share * 100)) if values else None
