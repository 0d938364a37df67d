"""Pairs of texts as features -> a table of vectors in which the two of a pair lie near each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Features = tuple[NDArray[np.integer[Any]], NDArray[np.float32], NDArray[np.int64]]  # places, weights, whose they are


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out."""

    words: int = 18_000  # the most frequent ones of the texts; those of written questions and the thesaurus come on top
    buckets: int = 16_384
    dimensions: int = 128
    bucket_length: float = 0.5  # of a random bucket against a word of the same rarity
    steps: int = 1200
    batch: int = 384
    rate: float = 6e-3
    temperature: float = 0.05
    masked_share: float = 0.5  # of the pairs whose left side loses what both sides share
    masked: float = 0.7  # of what they share
    dropout: float = 0.1
    shares: tuple[tuple[str, float], ...] = (
        ("asked", 0.2),
        ("written", 0.4),
        ("near", 0.2),
        ("meaning", 0.15),
        ("title", 0.05),
    )
    learned: float = 0.7  # how far the result goes from the table before training to the one after it
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """Texts as features: text ``i`` is ``places[starts[i]:starts[i + 1]]``; ``same[i]`` is equal for equal texts."""

    places: NDArray[np.integer[Any]]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]
    same: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1


def take(side: Side, chosen: NDArray[np.integer[Any]]) -> Features:
    """Give the features of some texts one after the other, their weights, and the position in ``chosen`` of each."""
    counts = side.starts[chosen + 1] - side.starts[chosen]
    owner = np.repeat(np.arange(len(chosen)), counts)
    at = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + side.starts[chosen][owner]
    return side.places[at], side.weights[at], owner


def embed(
    table: torch.Tensor,
    places: NDArray[np.integer[Any]],
    weights: NDArray[np.float32],
    owner: NDArray[np.int64],
    count: int,
) -> torch.Tensor:
    """Give one row of unit length for each of ``count`` texts, of zeros for one without features."""
    summed = nn.functional.embedding_bag(
        torch.from_numpy(places.astype(np.int64)),
        table,
        torch.from_numpy(np.searchsorted(owner, np.arange(count))),
        mode="sum",
        per_sample_weights=torch.from_numpy(weights),
    )
    return nn.functional.normalize(summed, dim=1)


class Trainer:
    """Trains a table on pairs: of a batch, each left text has to find its right one, and the other way round."""

    def __init__(self, table: NDArray[np.float32], pairs: Mapping[str, tuple[Side, Side]], recipe: Recipe) -> None:
        self._recipe = recipe
        self._pairs = pairs
        self._done = 0
        self._table = nn.Parameter(torch.from_numpy(table.copy()))
        self._optimizer = torch.optim.Adam([self._table], lr=recipe.rate, betas=(0.9, 0.98))

    def weights(self) -> NDArray[np.float32]:
        """Give the table as it is now."""
        return np.asarray(self._table.detach().numpy().copy(), dtype=np.float32)

    def state(self) -> dict[str, Any]:
        """Give what :meth:`restore` needs to go on from here."""
        return {"done": self._done, "table": self._table.detach(), "optimizer": self._optimizer.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state` was taken, as if there had been no stop."""
        self._done = state["done"]
        with torch.no_grad():
            self._table.copy_(state["table"])
        self._optimizer.load_state_dict(state["optimizer"])

    def run(self, every: int) -> Iterator[tuple[int, float]]:
        """Train; give the step and the mean loss every so many steps, and at the end."""
        losses: list[float] = []
        for step in range(self._done + 1, self._recipe.steps + 1):
            losses.append(self._train_on_batch(step))
            self._done = step
            if step % every == 0 or step == self._recipe.steps:
                yield step, sum(losses) / len(losses)
                losses.clear()

    def _train_on_batch(self, step: int) -> float:
        recipe = self._recipe
        rng = np.random.default_rng([recipe.seed, step])  # so that a run that goes on draws what it would have drawn
        kinds, shares = zip(*recipe.shares, strict=True)
        left, right = self._pairs[kinds[rng.choice(len(kinds), p=shares)]]
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, step / 50) * (1.0 - (step - 1) / recipe.steps)
        chosen = rng.choice(len(left), min(recipe.batch, len(left)), replace=False)
        a, b = take(left, chosen), take(right, chosen)
        questions = embed(self._table, *self._drop(self._mask(a, b, rng), rng), len(chosen))
        texts = embed(self._table, *self._drop(b, rng), len(chosen))
        loss = _contrast(questions @ texts.T / recipe.temperature, right.same[chosen])
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return float(loss.detach())

    def _mask(self, left: Features, right: Features, rng: np.random.Generator) -> Features:
        """Take from some left texts most of what stands in the right one too, so that meaning has to find it."""
        places, _, owner = left
        rows = len(self._table)
        shared = np.isin(owner * rows + places, right[2] * rows + right[0])
        struck = (rng.random(int(owner.max()) + 1) < self._recipe.masked_share)[owner]
        return _keep(left, ~(shared & struck & (rng.random(len(places)) < self._recipe.masked)))

    def _drop(self, side: Features, rng: np.random.Generator) -> Features:
        return _keep(side, rng.random(len(side[0])) >= self._recipe.dropout)


def _keep(side: Features, kept: NDArray[np.bool_]) -> Features:
    places, weights, owner = side
    return places[kept], weights[kept], owner[kept]


def _contrast(scores: torch.Tensor, same: NDArray[np.int64]) -> torch.Tensor:
    """Cross entropy both ways; a text that is also another one's partner is not counted as wrong."""
    named = torch.from_numpy(same)
    target = torch.arange(len(scores))
    twins = (named[:, None] == named[None, :]) & (target[:, None] != target[None, :])
    scores = scores.masked_fill(twins, -1e4)
    entropy = nn.functional.cross_entropy
    return (entropy(scores, target) + entropy(scores.T, target)) / 2
