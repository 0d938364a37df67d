"""prompts -> text from a server that speaks OpenAI's protocol: llama-server, vLLM, llama-cpp-python, Ollama, LM Studio, or any other.

The grammar of the citations goes with the request where the server takes one; what comes back is checked as ever, so a
server without grammars is only slower to be right. A reader on a server of llama.cpp's family scores sentences as one in this process
does (:mod:`assistant.llm.served`). Standard library only; the connection is closed when the text is not wanted any more.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, InputInvalid, ModelUnusable
from assistant.llm.catalog import Form, ModelSpec
from assistant.llm.discover import discover, name_model
from assistant.llm.engine import MOST_CANDIDATES
from assistant.llm.exchange import TRIES, Address, GrammarRefused, Kind, Reply, TryAgain, ask
from assistant.llm.served import ServedReader, Style, find_reader
from assistant.llm.template import load_templates
from assistant.llm.vocabulary import Vocabulary
from assistant.types import Prompt, ReaderScores

_LOG = logging.getLogger(__name__)
_NO_GRAMMAR = (Kind.PLAIN, Kind.OLLAMA)
_ROOM_TO_THINK = 4  # times the answer's room, where a server may let its model think whatever it is told


class RemoteEngine:
    """A language model behind an address; any thread may use it, each request has a connection of its own.

    Args:
        address: where, with its kind.
        spec: what answers are said to come from.
        count_path: where the server counts tokens; empty where it does not.
        model: the model's name there.
        reader: how it is asked for scores, where it is a reader.
        others: models that the server has besides.
    """

    def __init__(
        self,
        address: Address,
        spec: ModelSpec,
        count_path: str,
        *,
        model: str = "",
        reader: ServedReader | None = None,
        others: Sequence[str] = (),
    ) -> None:
        self.address = address
        self.spec = spec
        self.others = tuple(others)
        self._model = model or spec.name
        self._reader = reader
        self._one_by_one = threading.Lock()  # a server that reads one text at a time would forget each for the other
        self._count_path = count_path
        self._plain = address.kind in _NO_GRAMMAR
        self._closed = threading.Event()

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        """How likely each candidate answers, and that none does. Only for readers."""
        if self._reader is None:
            raise ModelUnusable(
                "服务器上的模型只能写答案，不能给候选句打分。 The server's model writes answers; it does not score sentences."
            )
        if len(candidates) > MOST_CANDIDATES:
            raise InputInvalid(f"候选句最多 {MOST_CANDIDATES} 个。 At most {MOST_CANDIDATES} candidates.")
        alone = self._reader.style is Style.TEXT
        with self._one_by_one if alone else nullcontext():
            return self._reader.score(question, candidates, self._closed)

    def generate(
        self,
        prompt: Prompt,
        *,
        grammar: str | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        stop: threading.Event | None = None,
    ) -> Iterator[str]:
        """Write on after the prompt's messages, in pieces; closing the iterator or setting ``stop`` ends the connection.

        Raises:
            AssistantError: while iterating; tried again before, where that can help and nothing had come yet.
        """
        if self._reader is not None:
            raise ModelUnusable("阅读模型不写文字。 A reader writes no text.")
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": role, "content": disarm(text)} for role, text in prompt.messages],
            "stream": True,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "seed": seed,
        }
        if self.address.kind is Kind.LLAMA:
            body |= {"cache_prompt": True, "repeat_penalty": 1.0}  # a quote repeats the words of its source
        elif self.address.kind not in _NO_GRAMMAR:
            body |= {"repetition_penalty": 1.0}
        if self.address.kind not in _NO_GRAMMAR:
            body["chat_template_kwargs"] = {"enable_thinking": False}
        else:
            body["max_tokens"] = _ROOM_TO_THINK * max_tokens
        if self.address.kind is Kind.OLLAMA:
            body["reasoning_effort"] = "none"
        return self._stream(body, grammar, stop or threading.Event())

    def count(self, texts: Sequence[str], *, control: bool = False) -> list[int]:
        """How many tokens each text is, where the server can say; else rather too many."""
        estimates = [_estimate(text) for text in texts]
        if control or not self._count_path or not sum(estimates):
            return estimates
        try:
            share = self._ask_count("\n".join(texts)) / sum(estimates)
        except (AssistantError, KeyError, TypeError, ValueError) as error:
            _LOG.info("the server does not count tokens: %s", error)
            self._count_path = ""
            return estimates
        return [math.ceil(estimate * share) + 1 for estimate in estimates]

    def waiting(self) -> int:
        """How many wait: the server does not say."""
        return 0

    def close(self) -> None:
        """End all that is under way."""
        self._closed.set()

    def _ask_count(self, text: str) -> int:
        key = "input" if "extras" in self._count_path else "content"
        reply = ask(self.address, "POST", self._count_path, {key: text, "model": self._model})
        return int(reply["count"]) if "count" in reply else len(reply["tokens"])

    def _stream(self, body: dict[str, Any], grammar: str | None, stop: threading.Event) -> Iterator[str]:
        for attempt in range(1, TRIES + 1):
            asked = body if grammar is None or self._plain else body | _grammar_field(self.address.kind, grammar)
            reply = Reply(self.address, asked)
            came = False
            try:
                for piece in reply.pieces(lambda: stop.is_set() or self._closed.is_set()):
                    came = True
                    yield piece
            except TryAgain as again:
                if came or attempt == TRIES:
                    raise again.error from again
                if stop.wait(again.pause(attempt)):
                    return
            except GrammarRefused as refused:
                if self._plain or grammar is None:
                    raise refused.error from refused
                _LOG.warning("the server takes no grammar; its answers are only checked")
                self._plain = True
            else:
                return
            finally:
                reply.close()
        yield from self._stream(body, None, stop)  # the last try was spent on finding out that it takes no grammar


def connect(address: Address, vocabularies: Sequence[Vocabulary] = ()) -> RemoteEngine:
    """Ask the server which model it has, what it is and how much it reads.

    Args:
        address: where.
        vocabularies: of the readers that are known here; a server's model with one of them is that reader.

    Raises:
        AssistantError: it cannot be reached, refuses the key, or does not have the model.
    """
    served = discover(address)
    llama = served.address.kind is Kind.LLAMA
    reader = find_reader(served.address, served.model, vocabularies) if llama and vocabularies else None
    form = Form.READER if reader else Form.INSTRUCT
    spec = ModelSpec(name_model(served.model), Path(), "", "server", form, None, served.context)
    return RemoteEngine(
        served.address, spec, served.count_path, model=served.model, reader=reader, others=served.others
    )


def disarm(text: str) -> str:
    """Break up what a server's template would read as control tokens, since it tokenises our text as its own."""
    for token in _control_texts():
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def _control_texts() -> list[str]:
    tokens = {token for template in load_templates().values() for token in (*template.tokens, *template.stop)}
    return sorted(tokens | {"<think>", "</think>", "<|endoftext|>"}, key=len, reverse=True)


def _grammar_field(kind: Kind | None, grammar: str) -> dict[str, Any]:
    if kind is Kind.LLAMA:
        return {"grammar": grammar}
    if kind is Kind.VLLM:
        return {"structured_outputs": {"grammar": grammar}}
    return {"guided_grammar": grammar} if kind is Kind.VLLM_GUIDED else {}


def _estimate(text: str) -> int:
    """Tokens of a text, rather too many: one for each character that is not ASCII, one for two that are."""
    wide = sum(1 for c in text if not c.isascii())
    return wide + (len(text) - wide + 1) // 2
