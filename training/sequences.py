"""An example -> token ids with what is to be predicted at each, in the form that the product reads (`assistant.llm.reader`).

Marks, limits and normalisation are the product's own functions, so that training and use cannot drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.llm.reader import (
    ANSWER,
    BEGIN,
    CANDIDATES,
    END,
    QUESTION,
    QUESTION_TOKENS,
    SENTENCE_TOKENS,
    marked_tokens,
    normalise_text,
)
from assistant.llm.spans import plan_span
from training.types import Example

ANSWER_TOKENS = 32
TOKENIZER = Path(__file__).with_name("tokenizer.model")
CONTROL = (*(f"[{i}]" for i in range(65)), "<q>", "<c>", "<a>", "<eot>", "<y>", "<n>", "<m>", "</m>")
_CONTROL = re.compile("|".join(re.escape(piece) for piece in (*CONTROL, "<s>", "</s>", "<unk>")))


class Target(IntEnum):
    """What a position is to predict: the next token of some kind, or the label of the sentence before it."""

    NOTHING = 0
    TEXT = 1
    NO = 2
    YES = 3
    POINTER = 4
    ANSWER = 5
    OUTSIDE = 6  # of the short answer
    INSIDE = 7


class Tokenizer:
    """The reader's vocabulary, with the methods that :mod:`assistant.llm.reader` needs of a model to write sequences."""

    def __init__(self, path: Path = TOKENIZER) -> None:
        import sentencepiece

        self._pieces: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))

    @cached_property
    def size(self) -> int:
        """Number of tokens."""
        return int(self._pieces.get_piece_size())

    @property
    def pieces(self) -> Any:
        """The sentencepiece processor, for the export."""
        return self._pieces

    def special_token(self, piece: str) -> int:
        """The id of a control token; ``KeyError`` where there is none."""
        token = int(self._pieces.piece_to_id(piece))
        if token == self._pieces.unk_id():
            raise KeyError(piece)
        return token

    def token_bytes(self, token: int) -> bytes:
        """The UTF-8 bytes that a token stands for; none for a control token."""
        if self._pieces.is_byte(token):
            return bytes([int(self._pieces.id_to_piece(token)[3:5], 16)])
        nothing = self._pieces.is_control(token) or self._pieces.is_unknown(token)
        return b"" if nothing else self._pieces.id_to_piece(token).replace("\u2581", " ").encode()

    def plain_tokens(self, text: str) -> list[int]:
        """Tokenise text so that it holds no control token, whatever it says."""
        cuts = [0, *(found.start() + 1 for found in _CONTROL.finditer(text)), len(text)]
        tokens: list[int] = []
        for start, stop in pairwise(cuts):
            tokens += self._pieces.encode(text[start:stop])
        return tokens


@dataclass(frozen=True, slots=True)
class Written:
    """Token ids and, for each, what it is to predict: shapes ``(n,)``. The last token predicts nothing."""

    tokens: NDArray[np.uint16]
    targets: NDArray[np.uint8]


def write_sequence(example: Example, tokenizer: Any, longest: int) -> Written | None:
    """Write an example; candidates that do not fit are left out from the end, ``None`` where an answering one is."""
    asked = normalise_text(example.question)
    special = tokenizer.special_token
    tokens = [special(BEGIN), special(QUESTION), *tokenizer.plain_tokens(asked)[:QUESTION_TOKENS], special(CANDIDATES)]
    targets = [Target.NOTHING, *[Target.TEXT] * (len(tokens) - 2), Target.NOTHING]
    answer = _answer_tokens(example, tokenizer)
    written = 0
    for n, text in enumerate(example.candidates, 1):
        body = marked_tokens(tokenizer, normalise_text(text), asked)[:SENTENCE_TOKENS]
        if len(tokens) + len(body) + 1 + len(answer) > longest:
            break
        tokens += [*body, special(f"[{n}]")]
        # What a sentence is followed by and the number itself are no language, so neither is predicted.
        targets += [
            *[Target.TEXT] * (len(body) - 1),
            Target.NOTHING,
            Target.YES if n - 1 in example.gold else Target.NO,
        ]
        written = n
    if written < 2 or any(g >= written for g in example.gold):
        return None
    pointers = max(1, len(example.gold))
    tokens += answer
    targets += [*[Target.POINTER] * pointers, *[Target.ANSWER] * (len(answer) - 1 - pointers), Target.NOTHING]
    return Written(np.array(tokens, np.uint16), np.array(targets, np.uint8))


def write_span(example: Example, tokenizer: Any) -> Written | None:
    """Write a question and its one candidate for tagging the short answer; ``None`` where the answer is cut off."""
    (sentence,) = example.candidates
    span = plan_span(tokenizer, example.question, sentence)
    text, answer = normalise_text(sentence), normalise_text(example.answer)
    start = text.find(answer) if example.gold else -1
    if not span.places or (example.gold and start < 0):
        return None
    first = len(text[: max(start, 0)].encode())
    last = first + len(answer.encode()) if start >= 0 else first
    targets = np.full(len(span.tokens), Target.NOTHING, np.uint8)
    for place, begin, end in zip(span.places, (0, *span.ends), span.ends, strict=False):
        targets[place] = Target.INSIDE if begin < last and end > first else Target.OUTSIDE
    if example.gold and (span.ends[-1] < last or not (targets == Target.INSIDE).any()):
        return None
    return Written(np.array(span.tokens, np.uint16), targets)


def _answer_tokens(example: Example, tokenizer: Any) -> list[int]:
    special = tokenizer.special_token
    numbers = [special(f"[{g + 1}]") for g in example.gold] or [special("[0]")]
    short: Sequence[int] = tokenizer.plain_tokens(normalise_text(example.answer)) if example.answer else []
    return [special(ANSWER), *numbers, *(short if len(short) <= ANSWER_TOKENS else []), special(END)]


def next_tokens(tokens: NDArray[np.uint16], targets: NDArray[np.uint8], yes: int, no: int) -> NDArray[np.int64]:
    """What each position is to predict, as token ids; meaningless where the target is ``NOTHING``."""
    following = np.zeros(len(tokens), np.int64)
    following[:-1] = tokens[1:]
    following[(targets == Target.YES) | (targets == Target.INSIDE)] = yes
    following[(targets == Target.NO) | (targets == Target.OUTSIDE)] = no
    return following
