"""The two protocols in which llama.cpp's servers tell probabilities, over a reader in this process; for ``serve_model``."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assistant.llm.decode import Logits
from assistant.llm.served import Style
from assistant.llm.worker import Runtime


@dataclass
class FakeReader:
    """Answers as llama-server does (``ids``) or as llama-cpp-python's server does (``text``)."""

    runtime: Runtime
    style: Style
    listed: int = 64  # tokens that it names at most
    begins: bool = False  # puts <s> before what it tokenises, as llama-cpp-python may
    silent: bool = False  # tells no probabilities
    prompts: list[list[int]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """The reply to a POST; ``None`` where it has no such interface."""
        with self.lock:  # llama.cpp is for one thread
            if path == {Style.IDS: "/tokenize", Style.TEXT: "/extras/tokenize"}[self.style]:
                tokens = self.runtime.control_tokens(body["content" if self.style is Style.IDS else "input"])
                return {"tokens": [self.runtime.special_token("<s>"), *tokens] if self.begins else tokens}
            if path != {Style.IDS: "/completion", Style.TEXT: "/v1/completions"}[self.style]:
                return None
            return self._complete(body)

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        prompt = body["prompt"]
        tokens = list(prompt) if self.style is Style.IDS else self.runtime.control_tokens(prompt)
        self.prompts.append(tokens)
        logits = self.runtime.logits(tokens, [len(tokens) - 1])[0].astype(np.float64)
        told = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
        biased = logits.copy()
        for token, bias in (body.get("logit_bias") or {}).items():
            biased[int(token)] += bias
        return self._tell(told, int(biased.argmax()), body)

    def _tell(self, told: Logits | Any, chosen: int, body: dict[str, Any]) -> dict[str, Any]:
        if self.silent and self.style is Style.IDS:
            return {"content": ""}
        if self.style is Style.TEXT:  # all control tokens have the same text: none
            piece = self.runtime.token_bytes(chosen).decode("utf-8", "ignore")
            chances = (
                None if self.silent else {"token_logprobs": [told[chosen]], "top_logprobs": [{piece: told[chosen]}]}
            )
            return {"choices": [{"text": piece, "logprobs": chances}]}
        best = np.argsort(-told)[: min(self.listed, body["n_probs"])]
        rows = [{"id": int(t), "token": "", "logprob": float(told[t])} for t in best]
        return {"completion_probabilities": [{"id": chosen, "logprob": float(told[chosen]), "top_logprobs": rows}]}
