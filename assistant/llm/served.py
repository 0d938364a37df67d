"""question + candidate sentences -> ReaderScores, from a reader that runs on a server of llama.cpp's family.

A reader writes no text: what is asked for is how likely a few tokens are behind a few places of its sequence. Each place is a request
for one token; the server keeps what it has read, so that each costs only what is new since the one before.

llama-server takes the sequence as token ids. llama-cpp-python's server takes text only and reads in it whatever is written like a
control token, so such words of a document are broken up; it names tokens by their texts, and control tokens have none, so each is
made the one that is chosen (by a bias, which does not change the probabilities that it tells).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from assistant.errors import AssistantError, EngineCrashed, ModelUnusable
from assistant.llm.exchange import TRIES, Address, ask
from assistant.llm.reader import CANDIDATES, SPECIALS, Logits, score_with
from assistant.llm.vocabulary import Vocabulary
from assistant.types import ReaderScores

_LISTED = 64  # tokens that llama-server names at once; among them is almost always what is wanted
_CERTAIN = 1000.0  # added to a logit, makes that token the chosen one
_PROBE = f"{''.join(SPECIALS)}[1][64]公园120座,低碳。㊣"


class Style(StrEnum):
    """How a server is asked."""

    IDS = "ids"  # llama-server: token ids both ways
    TEXT = "text"  # llama-cpp-python's server


@dataclass(frozen=True, slots=True)
class ServedReader:
    """A reader behind an address, and the vocabulary that it has there as here."""

    address: Address
    model: str
    style: Style
    vocabulary: Vocabulary
    tries: int = TRIES

    def score(self, question: str, candidates: Sequence[str], closed: threading.Event) -> ReaderScores:
        """P(it answers) for every candidate, and P(none of them answers)."""

        def weigh(tokens: Sequence[int], choices: Sequence[tuple[int, Sequence[int]]]) -> list[Logits]:
            return [self._weigh(tokens[: place + 1], wanted, closed) for place, wanted in choices]

        words = _Disarmed(self.vocabulary) if self.style is Style.TEXT else self.vocabulary
        return score_with(weigh, words, question, candidates)

    def _weigh(self, tokens: Sequence[int], wanted: Sequence[int], closed: threading.Event) -> Logits:
        if closed.is_set():
            raise EngineCrashed("模型已经关闭。 The engine is closed.")
        listed = self._list(tokens) if self.style is Style.IDS else {}
        return np.array([listed[t] if t in listed else self._force(tokens, t) for t in wanted], np.float32)

    def _list(self, tokens: Sequence[int]) -> dict[int, float]:
        """Log-probabilities of the likeliest tokens."""
        reply = self._complete(tokens, {})
        try:
            rows = reply["completion_probabilities"][0]["top_logprobs"]
            return {int(row["id"]): float(row["logprob"]) for row in rows}
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._silent() from error

    def _force(self, tokens: Sequence[int], token: int) -> float:
        """The log-probability of one token; the bias that chooses it does not count in what is told."""
        reply = self._complete(tokens, {str(token): _CERTAIN})
        try:
            if self.style is Style.TEXT:
                return float(reply["choices"][0]["logprobs"]["token_logprobs"][0])
            chosen = {int(row["id"]): float(row["logprob"]) for row in reply["completion_probabilities"]}
            return chosen[token]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._silent() from error

    def _silent(self) -> ModelUnusable:
        return ModelUnusable(
            f"服务器没有给出词元的概率({self.address.url})。 The server {self.address.url} tells no probabilities of tokens; start "
            "llama-server, or llama_cpp.server without --logits_all false."
        )

    def _complete(self, tokens: Sequence[int], bias: dict[str, float]) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model, "temperature": 0, "repeat_penalty": 1.0, "logit_bias": bias}
        if self.style is Style.TEXT:
            body |= {"prompt": self.vocabulary.write(tokens), "max_tokens": 1, "logprobs": 1}
            path = "/completions"
        else:
            body |= {"prompt": list(tokens), "n_predict": 1, "n_probs": _LISTED, "cache_prompt": True}
            path = "../completion"
        return ask(self.address, "POST", path, body, seconds=self.address.first_seconds, tries=self.tries)


def find_reader(address: Address, model: str, vocabularies: Sequence[Vocabulary]) -> ServedReader | None:
    """Whether the server has a reader: its vocabulary tells. ``None`` where it has another model, or cannot say.

    Raises:
        ModelUnusable: a reader that cannot be asked from here.
    """
    alike = False
    for style in Style:
        said = _tokenise(address, model, style, _PROBE) or []
        for vocabulary in vocabularies:
            expected = vocabulary.parse(_PROBE)
            if said[-len(expected) :] == expected:
                return _try(ServedReader(address, model, style, vocabulary))
        single = _tokenise(address, model, style, CANDIDATES * 8) if said else None
        alike |= single is not None and len(single) <= 9  # one token each, and perhaps one that begins
    if alike:
        raise ModelUnusable(
            "服务器上的阅读模型与本机的都不同，请先在本机运行 assistant model use 同一个文件。 The server's reader has another vocabulary "
            "than those that are known here; run `assistant model use FILE` with the same file first."
        )
    return None


def _try(reader: ServedReader) -> ServedReader:
    """Ask one small thing, so that a server that tells no probabilities is known at the start."""
    words = reader.vocabulary
    if reader.style is Style.TEXT and words.parse("".join(SPECIALS)) != [words.special_token(s) for s in SPECIALS]:
        raise ModelUnusable(
            "这个阅读模型的文件太旧，llama_cpp.server 读不了它的标记；请改用 llama-server。 The markers of this reader's "
            "file are no control tokens, so llama_cpp.server cannot be told them; use llama-server, or the file of this version."
        )
    try:
        replace(reader, tries=1).score("有几个句子？", ["这里有一个句子。"], threading.Event())
    except ModelUnusable:
        raise
    except AssistantError as error:
        if "logits_all" not in str(error):
            raise
        raise ModelUnusable(
            "服务器没有打开概率输出，请去掉 --logits_all false 后重新启动它。 The server was started with --logits_all false and tells no "
            "probabilities; start it without."
        ) from error
    return reader


def _tokenise(address: Address, model: str, style: Style, text: str) -> list[int] | None:
    """The server's tokens of a text in which control tokens are meant; ``None`` where it has no such interface."""
    if style is Style.IDS:
        path, body = "../tokenize", {"content": text, "add_special": False, "parse_special": True, "model": model}
    else:
        path, body = "../extras/tokenize", {"input": text, "model": model}
    try:
        return [int(token) for token in ask(address, "POST", path, body)["tokens"]]
    except (AssistantError, KeyError, TypeError, ValueError):
        return None


class _Disarmed:
    """A vocabulary for prompts that go out as text: what is written like a control token is broken up before."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def plain_tokens(self, text: str) -> list[int]:
        """Tokens of a text that reads as none but plain ones, also where a server tokenises it anew."""
        return self._vocabulary.plain_tokens(self._vocabulary.break_up(text))

    def special_token(self, piece: str) -> int:
        """The id of the token that is written exactly so."""
        return self._vocabulary.special_token(piece)
