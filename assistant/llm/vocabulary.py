"""a GGUF file -> its vocabulary: text -> the token ids that llama.cpp makes of it, and back; without llama.cpp.

For models that run on a server, whose prompts have to be made here. Only what the reader's files have: sentencepiece BPE with byte
fallback, no normalisation, no space put in front. ``tests/test_vocabulary.py`` holds it against llama.cpp itself.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from assistant.errors import ModelUnusable
from assistant.llm.header import Pieces, read_pieces

_UNKNOWN, _CONTROL, _DEFINED, _BYTE = 2, 3, 4, 6  # types of tokens in a GGUF file
_SPACE = "\u2581"  # stands for a space in the pieces


class Vocabulary:
    """The pieces of one model, as :class:`assistant.llm.reader.Tokens` wants them."""

    def __init__(self, pieces: Pieces) -> None:
        self._texts, self._scores, self._types = pieces.texts, pieces.scores, pieces.types
        self._ids = {text: token for token, text in reversed(list(enumerate(pieces.texts)))}
        self._bytes = {int(pieces.texts[t][3:5], 16): t for t in range(len(self)) if pieces.types[t] == _BYTE}

    def __len__(self) -> int:
        return len(self._texts)

    def plain_tokens(self, text: str) -> list[int]:
        """Tokenise text so that it holds no control token, whatever it says."""
        tokens: list[int] = []
        for token in self._merge(text):
            tokens += self._spelt_out(token) if self._is_markup(token) else [token]
        return tokens

    def parse(self, text: str) -> list[int]:
        """Tokenise text the way a server does that takes prompts as text: what is written like a control token becomes one."""
        tokens: list[int] = []
        for part in self._controls.split(text):
            tokens += [self._ids[part]] if part in self.control_texts else self._merge(part)
        return tokens

    def write(self, tokens: Sequence[int]) -> str:
        """The text of tokens, control tokens as they are written; bytes that are no character are dropped."""
        written = (self._texts[t].encode() if self._is_control(t) else self.token_bytes(t) for t in tokens)
        return b"".join(written).decode("utf-8", "ignore")

    def break_up(self, text: str) -> str:
        """Text in which nothing is written like a control token: the first character of each is widened."""
        while self._controls.search(text):
            text = self._controls.sub(lambda found: _widen(found.group()[0]) + found.group()[1:], text)
        return text

    def special_token(self, piece: str) -> int:
        """The id of the token that is written exactly so; ``ModelUnusable`` where there is none."""
        if piece not in self._ids:
            raise ModelUnusable(f"模型的词表里没有 {piece}。 The model's vocabulary has no {piece}.")
        return self._ids[piece]

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for; none for a control token."""
        if self._types[token] == _BYTE:
            return bytes([int(self._texts[token][3:5], 16)])
        nothing = self._types[token] in (_UNKNOWN, _CONTROL)
        return b"" if nothing else self._texts[token].replace(_SPACE, " ").encode()

    @cached_property
    def control_texts(self) -> frozenset[str]:
        """What must not stand in a prompt that a server tokenises, unless it is meant."""
        return frozenset(self._texts[t] for t in range(len(self)) if self._is_control(t))

    @cached_property
    def _controls(self) -> re.Pattern[str]:
        longest_first = sorted(self.control_texts, key=lambda text: (-len(text), text))
        return re.compile(f"({'|'.join(re.escape(text) for text in longest_first)})")

    def _is_control(self, token: int) -> bool:
        return self._types[token] in (_UNKNOWN, _CONTROL, _DEFINED)

    def _is_markup(self, token: int) -> bool:
        text = self._texts[token]
        if self._types[token] == _CONTROL:
            return True
        ordinary = self._types[token] == _BYTE or not (self._types[token] == _DEFINED or text.isascii())
        return not ordinary and len(text) > 2 and (text[0], text[-1]) in (("<", ">"), ("[", "]"))

    def _spelt_out(self, token: int) -> list[int]:
        return [t for c in self._texts[token] for t in self._merge(c) if not self._is_markup(t)]

    def _merge(self, text: str) -> list[int]:
        """Join neighbours to the piece with the highest score, the leftmost first, until none can be joined."""
        symbols = list(text.encode("utf-8", "replace").decode("utf-8").replace(" ", _SPACE))
        after = [*range(1, len(symbols)), -1] if symbols else []
        before = list(range(-1, len(symbols) - 1))
        waiting: list[tuple[float, int, int, str]] = []

        def offer(left: int, right: int) -> None:
            joined = symbols[left] + symbols[right]
            if joined in self._ids:
                heapq.heappush(waiting, (-self._scores[self._ids[joined]], left, right, joined))

        for left, right in pairwise(range(len(symbols))):
            offer(left, right)
        while waiting:
            _, left, right, joined = heapq.heappop(waiting)
            if symbols[left] + symbols[right] != joined or not symbols[left] or not symbols[right]:
                continue  # one of them has become a part of something else
            symbols[left], symbols[right] = joined, ""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
                offer(left, after[left])
            if before[left] >= 0:
                offer(before[left], left)
        return [token for symbol in symbols if symbol for token in self._pieces(symbol)]

    def _pieces(self, symbol: str) -> list[int]:
        if symbol in self._ids:
            return [self._ids[symbol]]
        unknown = self._types.index(_UNKNOWN) if _UNKNOWN in self._types else 0
        return [self._bytes.get(byte, unknown) for byte in symbol.encode()]


def _widen(character: str) -> str:
    return chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else "\u3000"


@cache
def read_vocabulary(path: Path) -> Vocabulary:
    """Read a model file's vocabulary.

    Raises:
        ModelUnusable: not a GGUF file, or a vocabulary of another kind.
    """
    pieces = read_pieces(path)
    if pieces.kind != "llama" or pieces.space_prefix:
        raise ModelUnusable(
            f"{path.name} 的词表不是阅读模型的那一种。 The vocabulary of {path.name} is not of the kind that readers have."
        )
    return Vocabulary(pieces)
