"""question + one sentence -> its short answer: a verbatim piece of the sentence, for models of the reader form.

The sentence is written twice::

    <s> <q> question <c> sentence <a> sentence

so that every token of the second copy is read in the light of the whole sentence. At each of these the model says
``<y>`` or ``<n>``: whether it belongs to the answer. The piece with the highest sum of what it says is the answer.

Nothing here imports llama.cpp: the model is anything that has the methods of :class:`assistant.llm.reader.Model`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.llm.reader import (
    ANSWER,
    MARK,
    NO,
    SENTENCE_TOKENS,
    UNMARK,
    YES,
    Model,
    Tokens,
    align_text,
    marked_tokens,
    normalise_text,
    question_tokens,
)
from vectorstore.segment import cut

LONGEST_ANSWER = 40  # tokens
LEAST_PROBABILITY = 0.5

# Both found on held-out paragraphs of the training data: a tag says "outside" too readily, most tokens being that; and a
# sentence that holds a sure answer is likelier to be the answering one.
_LEANING = 0.5  # added to what a tag says for "inside", in logits
_SURENESS = 2.0  # what the sureness of a piece counts beside its sentence's label, both in logits
_TRIED = 4  # sentences

_WORD = re.compile(r"\d+(?:[.,]\d+)*[%％‰]?|[A-Za-z]+|.", re.DOTALL)  # no answer may cut these in two, nor a word


class SpelledTokens(Tokens, Protocol):
    """Tokens of which it is known what they stand for."""

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that a token stands for, which may be a part of a character."""
        ...


@dataclass(frozen=True, slots=True)
class SpanPass:
    """One sequence for the model; ``places`` and ``ends`` have one entry for each token of the sentence."""

    tokens: tuple[int, ...]
    places: tuple[int, ...]  # where the second copy's tokens stand in tokens, without its marks
    ends: tuple[int, ...]  # where each of them ends in the normalised sentence, in UTF-8 bytes


def plan_span(model: SpelledTokens, question: str, sentence: str) -> SpanPass:
    """Write the question and the sentence twice; a sentence that is too long loses its end."""
    asked = normalise_text(question)
    body = marked_tokens(model, normalise_text(sentence), asked)[:SENTENCE_TOKENS]
    marks = {model.special_token(MARK), model.special_token(UNMARK)}
    head = [*question_tokens(model, asked), *body, model.special_token(ANSWER)]
    places = tuple(len(head) + i for i, token in enumerate(body) if token not in marks)
    ends = accumulate(len(model.token_bytes(token)) for token in body if token not in marks)
    return SpanPass((*head, *body), places, tuple(ends))


def find_short_answer(model: Model, question: str, candidates: Sequence[str], chosen: int) -> tuple[str, float] | None:
    """The piece of the chosen sentence that answers, and how sure the model is of it: the mean of its ``P(<y>)``.

    The piece is verbatim, contiguous, and never cuts a number or a word in two. ``None`` where the model is not
    sure, or the sentence is empty.
    """
    sentence = candidates[chosen]
    span = plan_span(model, question, sentence)
    if not span.places:
        return None
    logits = model.logits(span.tokens, span.places)
    leaning = logits[:, model.special_token(YES)].astype(np.float64) - logits[:, model.special_token(NO)]
    text, origins = align_text(sentence)
    best = choose_piece(leaning + _LEANING, find_edges(text, span.ends))
    if best is None or best.probability < LEAST_PROBABILITY:
        return None
    return sentence[origins[best.start] : origins[best.stop - 1] + 1], best.probability


@dataclass(frozen=True, slots=True)
class Answering:
    """A sentence, by its place among the candidates, with the piece of it that answers; ``None`` where no piece is sure."""

    candidate: int
    text: str | None = None
    probability: float = 0.0


def find_answer(model: Model, question: str, candidates: Sequence[str], answers: Sequence[float]) -> Answering:
    """The sentence that answers, chosen together with its short answer.

    ``answers`` is P(it answers) for every candidate, of which there has to be one at least. For reading one text: among what
    a search found in many documents a sure piece of a wrong sentence is too common (``training/RUNS.md``).
    """
    likeliest = sorted(range(len(candidates)), key=lambda i: (-answers[i], i))[:_TRIED]
    best, height = Answering(likeliest[0]), -math.inf
    for i in likeliest:
        found = find_short_answer(model, question, candidates, i)
        if found and (value := _logit(answers[i]) + _SURENESS * _logit(found[1])) > height:
            best, height = Answering(i, *found), value
    return best


def _logit(p: float) -> float:
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A piece as places in the normalised sentence, and the mean probability of its tokens."""

    start: int
    stop: int
    probability: float


def choose_piece(leaning: NDArray[np.float64], edges: dict[int, int]) -> Chosen | None:
    """The piece between two edges with the highest sum; ``leaning`` has shape ``(tokens,)``, in logits."""
    sums = np.concatenate([[0.0], np.cumsum(leaning)])
    pieces = [(a, b) for a, b in combinations(sorted(edges), 2) if b - a <= LONGEST_ANSWER]
    if not pieces:
        return None
    start, stop = max(pieces, key=lambda piece: (sums[piece[1]] - sums[piece[0]], -piece[0]))
    probability = float(np.mean(1 / (1 + np.exp(-leaning[start:stop]))))
    return Chosen(edges[start], edges[stop], probability)


def find_edges(text: str, ends: Sequence[int]) -> dict[int, int]:
    """Between which tokens a piece may start or end: number of tokens before it -> place in ``text``.

    ``ends`` are where the tokens end, in UTF-8 bytes.
    """
    whole = {found.end() for found in _WORD.finditer(text)} | {0}
    words = whole & {0, *accumulate(map(len, cut(text)))}
    offsets = accumulate((len(c.encode()) for c in text), initial=0)
    characters = {offset: i for i, offset in enumerate(offsets) if i in words}
    return {n: characters[end] for n, end in enumerate((0, *ends)) if end in characters}
