"""Raw public texts -> the bundled embedder: ``python -m training.embedder DATA``.

Words get vectors from the company they keep; hashed pieces of words get random ones, which find equal pieces. Then the
whole table is trained to bring questions near their paragraphs, titles near their text, sentences near their neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.cooccur import choose_vocabulary, count_words, cut_texts, factorise, relate_words
from training.embedder_data import Asked, Document, read_asked, read_documents
from vectorstore.static_embed import features

OUT = Path("build/embedder")
_TEXT_WEIGHTS = {"law": 1}  # of the running words; the rest is rarer and nearer to what is asked about
_OTHER_WEIGHT = 3
_EVERY = 200  # steps between two lines of the log


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out."""

    words: int = 18_000
    buckets: int = 16_384
    dimensions: int = 128
    bucket_length: float = 0.5  # of a random bucket against a word of the same rarity
    steps: int = 2400
    batch: int = 384
    rate: float = 6e-3
    temperature: float = 0.05
    masked_share: float = 0.4  # of the pairs whose left side loses what both sides share
    masked: float = 0.7  # of what they share
    dropout: float = 0.1
    shares: tuple[tuple[str, float], ...] = (("asked", 0.45), ("near", 0.45), ("title", 0.1))
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """Texts as features: text ``i`` is ``places[starts[i]:starts[i + 1]]``; ``same[i]`` is equal for equal texts."""

    places: NDArray[np.int64]
    weights: NDArray[np.float32]
    starts: NDArray[np.int64]
    same: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
        """Give the features of some texts one after the other, their weights, and whose they are."""
        counts = self.starts[chosen + 1] - self.starts[chosen]
        owner = np.repeat(np.arange(len(chosen)), counts)
        at = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + self.starts[chosen][owner]
        return self.places[at], self.weights[at], owner


@dataclass(frozen=True)
class Material:
    """What is read once for all steps."""

    documents: Sequence[Document]
    asked: Sequence[Asked]

    @cached_property
    def paragraphs(self) -> list[tuple[str, int]]:
        """All paragraphs with the weight of their words."""
        return [
            ("".join(sentences), _TEXT_WEIGHTS.get(document.kind, _OTHER_WEIGHT))
            for document in self.documents
            for sentences in document.paragraphs
        ]


def read_material(data: Path) -> Material:
    """Read all that may be trained on."""
    asked, paragraphs = read_asked(data)
    return Material([*read_documents(data), *paragraphs], asked)


def make_words(material: Material, recipe: Recipe) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]]:
    """Give the vocabulary, a unit vector for each word, and how telling it is (inverse document frequency)."""
    weights = [weight for _, weight in material.paragraphs]
    cut = cut_texts(text for text, _ in material.paragraphs)
    vocabulary = choose_vocabulary(cut, weights, recipe.words)
    held = count_words(cut, vocabulary)
    vectors = factorise(relate_words(cut, weights, vocabulary), recipe.dimensions, recipe.seed)
    return vocabulary, vectors, np.log1p(len(cut) / (held + 1.0)).astype(np.float32)


def make_table(
    vectors: NDArray[np.float32], telling: NDArray[np.float32], sides: Sequence[Side], recipe: Recipe
) -> NDArray[np.float32]:
    """Give the table to start training from: a row's length is how telling it is."""
    rows = len(vectors) + recipe.buckets
    held = sum(np.bincount(side.places, minlength=rows) for side in sides)
    texts = sum(len(side) for side in sides)
    rng = np.random.default_rng(recipe.seed)
    buckets = rng.standard_normal((recipe.buckets, recipe.dimensions)).astype(np.float32)
    buckets /= np.linalg.norm(buckets, axis=1, keepdims=True)
    lengths = recipe.bucket_length * np.log1p(texts / (held[len(vectors) :] + 1.0))
    table = np.concatenate([vectors * telling[:, None], buckets * lengths[:, None]])
    return (table / np.log1p(texts)).astype(np.float32)


def list_features(texts: Sequence[str], vocabulary: Mapping[str, int], buckets: int) -> Side:
    """Make texts into features."""
    numbers: dict[str, int] = {}
    same = np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
    found = [features(text, vocabulary, buckets) for text in numbers]
    chosen = [found[number] for number in same]
    starts = np.cumsum([0, *(len(places) for places, _ in chosen)])
    places = np.concatenate([places for places, _ in chosen])
    return Side(places, np.concatenate([weights for _, weights in chosen]), starts, same)


class Trainer:
    """Trains a table on pairs: of a batch, each left text has to find its right one."""

    def __init__(self, table: NDArray[np.float32], pairs: Mapping[str, tuple[Side, Side]], recipe: Recipe) -> None:
        self._recipe = recipe
        self._pairs = pairs
        self._rng = np.random.default_rng(recipe.seed)
        self.table = nn.Parameter(torch.from_numpy(table.copy()))
        self._optimizer = torch.optim.Adam([self.table], lr=recipe.rate, betas=(0.9, 0.98))

    def run(self) -> Iterator[tuple[int, float]]:
        """Train; give the step and the mean loss now and then."""
        names = [name for name, _ in self._recipe.shares]
        shares = [share for _, share in self._recipe.shares]
        total = 0.0
        for step in range(1, self._recipe.steps + 1):
            left, right = self._pairs[str(self._rng.choice(names, p=shares))]
            for group in self._optimizer.param_groups:
                group["lr"] = self._recipe.rate * min(1.0, step / 50) * (1.0 - (step - 1) / self._recipe.steps)
            total += self._step(left, right)
            if step % _EVERY == 0:
                yield step, total / _EVERY
                total = 0.0

    def _step(self, left: Side, right: Side) -> float:
        chosen = self._rng.choice(len(left), min(self._recipe.batch, len(left)), replace=False)
        a, b = left.take(chosen), right.take(chosen)
        questions = self._embed(*self._mask(a, b), len(chosen))
        texts = self._embed(*self._drop(b), len(chosen))
        scores = questions @ texts.T / self._recipe.temperature
        same = torch.from_numpy(right.same[chosen])
        twins = (same[:, None] == same[None, :]) & ~torch.eye(len(chosen), dtype=torch.bool)
        scores = scores.masked_fill(twins, -1e4)
        target = torch.arange(len(chosen))
        loss = (nn.functional.cross_entropy(scores, target) + nn.functional.cross_entropy(scores.T, target)) / 2
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return float(loss)

    def _embed(
        self, places: NDArray[np.int64], weights: NDArray[np.float32], owner: NDArray[np.int64], count: int
    ) -> torch.Tensor:
        starts = np.searchsorted(owner, np.arange(count))
        summed = nn.functional.embedding_bag(
            torch.from_numpy(places),
            self.table,
            torch.from_numpy(starts),
            mode="sum",
            per_sample_weights=torch.from_numpy(weights),
        )
        return nn.functional.normalize(summed, dim=1)

    def _mask(self, a: tuple, b: tuple) -> tuple:
        """Take from some left texts most of what stands in the right one too, so that meaning has to find it."""
        places, weights, owner = a
        rows = len(self.table)
        shared = np.isin(owner * rows + places, b[2] * rows + b[0])
        struck = (self._rng.random(owner.max() + 1) < self._recipe.masked_share)[owner]
        lost = shared & struck & (self._rng.random(len(places)) < self._recipe.masked)
        return self._drop((places[~lost], weights[~lost], owner[~lost]))

    def _drop(self, side: tuple) -> tuple:
        keep = self._rng.random(len(side[0])) >= self._recipe.dropout
        return side[0][keep], side[1][keep], side[2][keep]


def quantise(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a table to 8 bits with a scale for each row; the error of a row is under 0.5 % of its largest value."""
    scales = np.maximum(np.abs(table).max(axis=1), 1e-9) / 127.0
    return np.rint(table / scales[:, None]).astype(np.int8), scales.astype(np.float32)
