"""logits -> a token: free sampling, and sampling under a grammar.

Pure functions over NumPy arrays; the model and the grammar are only seen through the callables and protocols below.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]

_FREE = "[^\\[\\]【】［］。\\x00-\\x1F\\x7F]"  # any character but what could be a marker, end a sentence or a line

LEAST_TEMPERATURE = 1e-3  # below, the likeliest token is taken
TOP_P = 0.95
TOP_K = 256  # what lies below is cut off by TOP_P anyway, and sorting a large vocabulary costs more than a small model


class Grammar(Protocol):
    """A grammar in the state that the text so far has brought it to."""

    def allows(self, token: int) -> bool:
        """Whether the token may come next; costs microseconds."""
        ...

    def mask(self, logits: Logits) -> Logits:
        """A copy with minus infinity for every token that may not come next; costs milliseconds."""
        ...

    def accept(self, token: int) -> None:
        """Go on with an allowed token."""
        ...


class Model(Protocol):
    """What free generation needs of a language model."""

    def logits(self, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
        """Logits after each of the positions of ``tokens``: shape ``(len(positions), vocabulary)``."""
        ...

    def next_logits(self, token: int, place: int) -> Logits:
        """Logits after one more token at ``place``."""
        ...

    def ends(self, token: int) -> bool:
        """Whether the model says with this token that it has finished."""
        ...

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that a token stands for, which may be a part of a character."""
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen; ``temperature`` 0 takes the likeliest, and needs no seed."""

    max_tokens: int
    temperature: float = 0.0
    seed: int = 0
    stops: tuple[str, ...] = ()


def generate_text(
    model: Model, tokens: Sequence[int], sampling: Sampling, grammar: Grammar | None = None
) -> Iterator[str]:
    """Go on from the tokens until the model ends, a stop text comes, or ``max_tokens`` are made; pieces of text."""
    random = np.random.default_rng(sampling.seed)
    text = TextStream(sampling.stops)
    logits = model.logits(tokens, [len(tokens) - 1])[0]
    for place in range(len(tokens), len(tokens) + sampling.max_tokens):
        token = choose_token(logits, sampling.temperature, random, grammar)
        if token is None or model.ends(token):
            break
        if piece := text.push(model.token_bytes(token)):
            yield piece
        if text.stopped or place + 1 == len(tokens) + sampling.max_tokens:
            break
        logits = model.next_logits(token, place)
    if piece := text.finish():
        yield piece


def choose_token(
    logits: Logits, temperature: float, random: np.random.Generator, grammar: Grammar | None = None
) -> int | None:
    """The next token; ``None`` where the grammar allows none.

    The model's own choice is checked first and the whole vocabulary masked only where it is not allowed, because a
    model that follows the grammar by itself then pays almost nothing for it.
    """
    token = _sample(logits, temperature, random)
    if grammar is None:
        return token
    if not grammar.allows(token):
        masked = grammar.mask(logits)
        if not np.isfinite(masked).any():
            return None
        token = _sample(masked, temperature, random)
    grammar.accept(token)
    return token


def _sample(logits: Logits, temperature: float, random: np.random.Generator) -> int:
    if temperature < LEAST_TEMPERATURE:
        return int(logits.argmax())
    best = np.argpartition(logits, -TOP_K)[-TOP_K:] if len(logits) > TOP_K else np.arange(len(logits))
    best = best[np.argsort(-logits[best], kind="stable")]
    weights = np.exp((logits[best].astype(np.float64) - float(logits[best[0]])) / temperature)
    weights /= weights.sum()
    kept = int(np.searchsorted(np.cumsum(weights), TOP_P)) + 1
    weights = weights[:kept] / weights[:kept].sum()
    return int(best[random.choice(len(weights), p=weights)])


class TextStream:
    """Pieces of UTF-8 bytes in, pieces of text out: never half a character, and nothing from a stop text on."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("ignore")  # broken bytes are no text, so they are dropped
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def push(self, piece: bytes) -> str:
        """The text that is certain now; what may still become a stop text is held back."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(piece)
        found = [at for at in (self._held.find(stop) for stop in self._stops) if at >= 0]
        if found:
            self.stopped = True
            text, self._held = self._held[: min(found)], ""
            return text
        keep = self._possible_stop()
        text, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return text

    def finish(self) -> str:
        """What was held back, once no more comes."""
        text, self._held = self._held, ""
        return text

    def _possible_stop(self) -> int:
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0


def citation_grammar(numbers: int, max_sentences: int, refusal: str) -> str:
    """A GBNF grammar for an answer whose every sentence ends with citations.

    A sentence is free text without brackets that could be a marker, then one or more ``[n]`` with ``n`` in
    ``1..numbers``, then a full stop. Nothing else is an answer but the fixed ``refusal``.

    Raises:
        ValueError: where ``numbers`` or ``max_sentences`` is below 1.
    """
    if numbers < 1 or max_sentences < 1:
        raise ValueError(f"citation_grammar needs at least one number and one sentence, not {numbers}, {max_sentences}")
    marks = " | ".join(f'"[{n}]"' for n in range(1, numbers + 1))
    return "\n".join(
        (
            f"root ::= {_literal(refusal)} | sentence{{1,{max_sentences}}}",
            'sentence ::= text mark{1,4} ("。" | "." | "\\n")',
            f"text ::= {_FREE} {_FREE}+",
            f"mark ::= {marks}",
            "",
        )
    )


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
