"""question + candidate sentences -> token ids -> ReaderScores, for models of the reader form.

The form is the one that the reader was trained on::

    <s> <q> question <c> sentence [1] sentence [2] ... <a>

Runs of a sentence that the question has too, by the same or another name, stand between ``<m>`` and ``</m>``
(:mod:`assistant.llm.marks`). At each number the model says ``<y>`` or ``<n>``: whether the sentence before it answers. After ``<a>`` it
names the answering sentence, or ``[0]`` for none.

Nothing here imports llama.cpp: the model is anything that has the methods of :class:`Model`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.llm.marks import split_matches
from assistant.types import ReaderScores

Logits = NDArray[np.float32]

# The limits of the training sequences. Beyond them positions and numbers were never seen.
PASS_TOKENS = 418
PASS_CANDIDATES = 10
QUESTION_TOKENS = 57
SENTENCE_TOKENS = 120

# No piece of the vocabulary is longer than 8 characters, so longer texts than this only lose what is cut off anyway.
LONGEST_TEXT = 8 * SENTENCE_TOKENS

BEGIN, QUESTION, CANDIDATES, ANSWER, END = "<s>", "<q>", "<c>", "<a>", "<eot>"
MARK, UNMARK, YES, NO = "<m>", "</m>", "<y>", "<n>"
SPECIALS = (BEGIN, QUESTION, CANDIDATES, ANSWER, END, MARK, UNMARK, YES, NO, "[0]")

_FULL_WIDTH = str.maketrans(",;:?!()", "，；：？！（）")
_HALF_WIDTH = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[;?!()]")  # 1,000 and 10:30 keep theirs


class Tokens(Protocol):
    """What the reader's sequences are made with."""

    def plain_tokens(self, text: str) -> list[int]:
        """Tokenise text so that it holds no control token, whatever it says."""
        ...

    def special_token(self, piece: str) -> int:
        """The id of the token that is written exactly so."""
        ...


class Model(Tokens, Protocol):
    """What the reader needs of a language model."""

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that a token stands for, which may be a part of a character."""
        ...

    def logits(self, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
        """Logits after each of the positions of ``tokens``: shape ``(len(positions), vocabulary)``."""
        ...


@dataclass(frozen=True, slots=True)
class Pass:
    """One sequence for the model, with as many candidates as fit."""

    tokens: tuple[int, ...]  # ends with <a>
    numbers: tuple[int, ...]  # where the candidates' numbers stand in tokens
    candidates: tuple[int, ...]  # which candidates these are


# Tokens, and after which of them (rising) what may come -> for each of these the logits of what may come, up to a constant.
Weigh = Callable[[Sequence[int], Sequence[tuple[int, Sequence[int]]]], Sequence[Logits]]


def score_candidates(model: Model, question: str, candidates: Sequence[str]) -> ReaderScores:
    """P(it answers) for every candidate, and P(none of them answers); all in [0, 1]."""

    def weigh(tokens: Sequence[int], choices: Sequence[tuple[int, Sequence[int]]]) -> list[Logits]:
        rows = model.logits(tokens, [place for place, _ in choices])
        return [row[list(wanted)] for row, (_, wanted) in zip(rows, choices, strict=True)]

    return score_with(weigh, model, question, candidates)


def score_with(weigh: Weigh, words: Tokens, question: str, candidates: Sequence[str]) -> ReaderScores:
    """The same, with whatever can tell a few logits.

    Candidates that do not fit into one sequence are read in several; ``none`` is then the lowest of theirs, because one
    answering sentence is enough.
    """
    answers = [0.0] * len(candidates)
    none = 1.0
    verdicts = (words.special_token(YES), words.special_token(NO))
    for sequence in plan_passes(words, question, candidates):
        pointers = [words.special_token(f"[{n}]") for n in range(len(sequence.numbers) + 1)]
        choices = [(place, verdicts) for place in sequence.numbers]
        *rows, last = weigh(sequence.tokens, [*choices, (len(sequence.tokens) - 1, pointers)])
        for candidate, (yes, no) in zip(sequence.candidates, rows, strict=True):
            answers[candidate] = _sigmoid(float(yes) - float(no))
        none = min(none, float(softmax(last)[0]))
    return ReaderScores(answers=tuple(answers), none=none)


def plan_passes(model: Tokens, question: str, candidates: Sequence[str]) -> list[Pass]:
    """Spread the candidates, in their order, over as few sequences as hold them.

    Give the likeliest candidate first: so the model was measured.
    """
    asked = normalise_text(question)
    head = question_tokens(model, asked)
    bodies = [marked_tokens(model, normalise_text(text), asked)[:SENTENCE_TOKENS] for text in candidates]
    groups = _fill([len(body) + 1 for body in bodies], PASS_TOKENS - len(head))
    return [_build_pass(model, head, group, bodies) for group in groups]


def question_tokens(model: Tokens, asked: str) -> list[int]:
    """How every sequence begins: the normalised question between its two control tokens."""
    body = model.plain_tokens(asked)[:QUESTION_TOKENS]
    return [model.special_token(BEGIN), model.special_token(QUESTION), *body, model.special_token(CANDIDATES)]


def marked_tokens(model: Tokens, sentence: str, question: str) -> list[int]:
    """Tokenise a sentence with marks around what the question has too."""
    tokens: list[int] = []
    for text, matches in split_matches(sentence, question):
        piece = model.plain_tokens(text)
        tokens += [model.special_token(MARK), *piece, model.special_token(UNMARK)] if matches else piece
    return tokens


def normalise_text(text: str) -> str:
    """Make text look like the training texts: full-width punctuation, single spaces; never longer than is read."""
    return align_text(text)[0]


def align_text(text: str) -> tuple[str, list[int]]:
    """The normalised text, and for each of its characters the place in ``text`` that it comes from."""
    text = text[:LONGEST_TEXT]
    widened = _HALF_WIDTH.sub(lambda found: found.group().translate(_FULL_WIDTH), text)
    kept = [i for i, c in enumerate(widened) if not c.isspace() or (i > 0 and not widened[i - 1].isspace())]
    if kept and widened[kept[-1]].isspace():
        kept.pop()
    return "".join(" " if widened[i].isspace() else widened[i] for i in kept), kept


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Probabilities of one row of logits."""
    weights: NDArray[np.float64] = np.exp(logits.astype(np.float64) - float(logits.max()))
    return weights / float(weights.sum())


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _build_pass(model: Tokens, head: Sequence[int], group: Sequence[int], bodies: Sequence[Sequence[int]]) -> Pass:
    tokens, numbers = list(head), []
    for n, candidate in enumerate(group, 1):
        tokens += [*bodies[candidate], model.special_token(f"[{n}]")]
        numbers.append(len(tokens) - 1)
    tokens.append(model.special_token(ANSWER))
    return Pass(tuple(tokens), tuple(numbers), tuple(group))


def _fill(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Put positions 0, 1, ... into runs of at most ``room`` tokens and ``PASS_CANDIDATES`` positions."""
    runs: list[list[int]] = []
    used = 0
    for i, length in enumerate(lengths):
        if not runs or used + length > room or len(runs[-1]) == PASS_CANDIDATES:
            runs.append([])
            used = 0
        runs[-1].append(i)
        used += length
    return runs
