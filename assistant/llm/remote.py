"""prompts -> text from a server that speaks OpenAI's protocol: llama-server, vLLM, llama-cpp-python, or any other.

The grammar of the citations goes with the request where the server takes one; what comes back is checked as ever, so a
server without grammars is only slower to be right. Standard library only; the connection is closed when the text is not
wanted any more. The key is sent to the given address and stands in no message, no log and no representation.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, ModelMissing, ModelUnusable
from assistant.llm.catalog import LARGEST_CONTEXT, Form, ModelSpec
from assistant.llm.exchange import Address, GrammarRefused, Kind, Reply, TryAgain, ask
from assistant.llm.template import load_templates
from assistant.types import Prompt, ReaderScores

_LOG = logging.getLogger(__name__)
TRIES = 3  # while nothing has come yet
PAUSE = 1.0  # seconds before the second of them; four times as long before the third


class RemoteEngine:
    """A language model behind an address; any thread may use it, each request has a connection of its own."""

    def __init__(self, address: Address, spec: ModelSpec, count_path: str) -> None:
        self.address = address
        self.spec = spec
        self._count_path = count_path
        self._plain = address.kind is Kind.PLAIN
        self._closed = threading.Event()

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        """Not for this kind of model."""
        raise ModelUnusable(
            "服务器上的模型只能写答案,不能给候选句打分。 A server's model writes answers; it does not score sentences."
        )

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
        body: dict[str, Any] = {
            "model": self.spec.name,
            "messages": [{"role": role, "content": disarm(text)} for role, text in prompt.messages],
            "stream": True,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "seed": seed,
        }
        if self.address.kind is Kind.LLAMA:
            body |= {"cache_prompt": True, "repeat_penalty": 1.0}  # a quote repeats the words of its source
        elif self.address.kind is not Kind.PLAIN:
            body |= {"repetition_penalty": 1.0}
        if self.address.kind is not Kind.PLAIN:
            body["chat_template_kwargs"] = {"enable_thinking": False}
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
        reply = ask(self.address, "POST", self._count_path, {key: text})
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
                if stop.wait(again.seconds or PAUSE * 4 ** (attempt - 1)):
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


def connect(address: Address) -> RemoteEngine:
    """Ask the server which model it has, what it is and how much it reads.

    Raises:
        AssistantError: it cannot be reached, refuses the key, or does not have the model.
    """
    models = ask(address, "GET", "/models").get("data") or []
    known = [str(model.get("id", "")) for model in models if isinstance(model, dict)]
    if address.model and known and address.model not in known:
        raise ModelMissing(
            f"服务器上没有模型 {address.model},有:{', '.join(known[:10])}。 The server has no model {address.model}; it has: "
            f"{', '.join(known[:10])}."
        )
    model = next((m for m in models if isinstance(m, dict) and m.get("id") == (address.model or m.get("id"))), {})
    kind = address.kind or _find_kind(address, str(model.get("owned_by", "")))
    context = address.context or _find_context(address, kind, model)
    name = address.model or str(model.get("id", "")) or "default"
    spec = ModelSpec(name, Path(), "", "server", Form.INSTRUCT, None, context)
    counts = {"llamacpp": "../tokenize", "me": "../extras/tokenize/count"}.get(str(model.get("owned_by")), "")
    return RemoteEngine(replace(address, kind=kind), spec, counts)


def disarm(text: str) -> str:
    """Break up what a server's template would read as control tokens, since it tokenises our text as its own."""
    for token in _control_texts():
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def _control_texts() -> list[str]:
    tokens = {token for template in load_templates().values() for token in (*template.tokens, *template.stop)}
    return sorted(tokens | {"<think>", "</think>", "<|endoftext|>"}, key=len, reverse=True)


def _find_kind(address: Address, owner: str) -> Kind:
    if owner in ("llamacpp", "me"):
        return Kind.LLAMA
    if owner != "vllm":
        return Kind.PLAIN
    try:
        version = str(ask(address, "GET", "../version").get("version", ""))
        numbers = [int(part) for part in version.split(".")[:2]]
    except (AssistantError, ValueError):
        return Kind.VLLM
    return Kind.VLLM if numbers >= [0, 11] else Kind.VLLM_GUIDED


def _find_context(address: Address, kind: Kind, model: dict[str, Any]) -> int:
    said = model.get("max_model_len") or (model.get("meta") or {}).get("n_ctx")
    if said is None and kind is Kind.LLAMA:
        with suppress(AssistantError):
            settings = ask(address, "GET", "../props").get("default_generation_settings") or {}
            said = settings.get("n_ctx")
    return said if isinstance(said, int) and said >= 256 else LARGEST_CONTEXT


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
