"""Sentences of one stretch -> which of them share the most with a question: what a search would hand to the reader."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence

_EMPTY = re.compile(r"[\s，。、；：？！“”（）()《》\"',.?!:;]+")
_NUMBER = re.compile(r"\d+")


def pairs_of(text: str) -> frozenset[str]:
    """The pairs of characters of a text without its punctuation, and its numbers."""
    plain = _EMPTY.sub("", text)
    return frozenset(plain[i : i + 2] for i in range(len(plain) - 1)) | frozenset(_NUMBER.findall(plain))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Share of the pairs of two texts that both have."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0


class Stretch:
    """A fixed list of sentences that can be ranked for a question."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        self.pairs = tuple(pairs_of(s) for s in sentences)
        self._holders: dict[str, list[int]] = defaultdict(list)
        for i, pairs in enumerate(self.pairs):
            for pair in pairs:
                self._holders[pair].append(i)

    def scores(self, question: str) -> list[float]:
        """How much each sentence shares with a question; rare pairs weigh more, long sentences less."""
        found = [0.0] * len(self.sentences)
        for pair in pairs_of(question):
            holders = self._holders.get(pair, ())
            weight = math.log(1 + len(self.sentences) / (1 + len(holders)))
            for i in holders:
                found[i] += weight
        return [score / math.sqrt(8 + len(s)) for score, s in zip(found, self.sentences, strict=True)]

    def rank(self, question: str) -> list[int]:
        """All positions, the likeliest first."""
        scores = self.scores(question)
        return sorted(range(len(scores)), key=lambda i: (-scores[i], i))
