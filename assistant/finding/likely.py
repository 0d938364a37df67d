"""The evidence of a sentence in, the probability that it answers the question out.

A logistic regression over the figures of ``assistant.finding.evidence``, fitted by ``training/gate.py`` on labelled questions and on
the same questions with the answering sentence taken out of the documents. Its weights stand in ``gate.toml``.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from assistant.finding.evidence import NAMES, Evidence
from assistant.types import Asks


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was fitted, and from where on a sentence counts as the answer."""

    weights: tuple[float, ...]  # in the order of the evidence's figures
    bias: float
    sure: dict[str, float]  # kind of thing asked for -> probability from which a sentence is given as the answer
    near: dict[str, float]  # the same from which it is shown as the nearest wording


@cache
def load_judgement() -> Judgement:
    """Read the weights; once per process. ``ValueError`` where they are of other figures."""
    data = tomllib.loads((files("assistant.finding") / "gate.toml").read_text(encoding="utf-8"))
    if set(data["weights"]) != set(NAMES):
        raise ValueError("gate.toml was fitted on other figures; run training/gate.py")
    return Judgement(tuple(data["weights"][name] for name in NAMES), data["bias"], data["sure"], data["near"])


def find_probability(evidence: Evidence) -> float:
    """P(the sentence answers the question)."""
    judgement = load_judgement()
    total = sum(w * x for w, x in zip(judgement.weights, evidence.values(), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total + judgement.bias))))


def is_sure(probability: float, asks: Asks) -> bool:
    """Whether a sentence is given as the answer."""
    sure = load_judgement().sure
    return probability >= sure.get(asks.value, sure["other"])


def is_near(probability: float, asks: Asks) -> bool:
    """Whether a sentence is near enough to be shown as the nearest wording, without a short answer."""
    near = load_judgement().near
    return probability >= near.get(asks.value, near["other"])


def keep_unsure(probability: float, asks: Asks) -> float:
    """A probability that is near at best: of what no sign can make sure."""
    sure = load_judgement().sure
    return min(probability, math.nextafter(sure.get(asks.value, sure["other"]), 0.0))
