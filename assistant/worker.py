"""requests on standard input -> replies on standard output: the process that owns llama.cpp.

The only module that imports ``llama_cpp``, and always in a process of its own, because llama.cpp answers some inputs
with the end of the process. Started by :mod:`assistant.process`; both ways one JSON object a line. The first request is
``load``; one request is served at a time, only ``stop`` is heard meanwhile.

==============  ==============================================================  =======================================
request         further keys                                                    replies
==============  ==============================================================  =======================================
load            path, context, threads                                          done
score           question, candidates                                            done: answers, none
short_answer    question, candidates, chosen                                    done: found (text, probability) or null
generate        segments, stops, grammar, max_tokens, temperature, seed         piece (many): text; then done
stop            (of the request with this id)                                   the request then ends with done
==============  ==============================================================  =======================================

Every request and reply has an ``id``. A request that cannot be served is answered with ``failed``: error, message.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from assistant.decode import Sampling, generate_text
from assistant.errors import AssistantError, GrammarInvalid, InputInvalid, ModelUnusable
from assistant.reader import find_short_answer, score_candidates

# Threads that spin while they wait make everything ten times slower as soon as another program wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import llama_cpp

Logits = NDArray[np.float32]

BATCH = 256  # also the grain of prefix reuse: equal prompts are then cut equally and give equal logits
LONGEST_RUN = 8000  # some tokenizers overflow the stack on 26,000 letters without a break
LONGEST_GRAMMAR = 200_000
LOG_LINES = 40


class Stopped(Exception):
    """The request was stopped while the model was computing."""


class Runtime:
    """A loaded model with one context, for one thread. ``stopping`` says whether to break off the computation."""

    def __init__(self, path: str, context: int, threads: int, stopping: Callable[[], bool]) -> None:
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._log_callback = llama_cpp.llama_log_callback(self._keep_log)
        llama_cpp.llama_log_set(self._log_callback, None)
        llama_cpp.llama_backend_init()
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), llama_cpp.llama_model_default_params())
        if not self._model:
            raise ModelUnusable(
                self._explain(f"llama.cpp 打不开模型 {path}", f"llama.cpp cannot open the model {path}")
            )
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.size = int(llama_cpp.llama_vocab_n_tokens(self._vocab))
        self.context = max(256, context - context % 256)
        self._context = llama_cpp.llama_init_from_model(self._model, self._parameters(threads))
        if not self._context:
            raise ModelUnusable(self._explain(f"内存不够运行 {path}", f"llama.cpp cannot make a context for {path}"))
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)
        self._abort = llama_cpp.llama_cpp.ggml_abort_callback(lambda _: stopping())
        self._never = llama_cpp.llama_cpp.ggml_abort_callback(0)
        self._stopping = stopping
        self._evaluated: list[int] = []  # tokens in the context's memory, in whole batches
        self._specials: dict[str, int] = {}

    def _parameters(self, threads: int) -> Any:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = self.context
        parameters.n_batch = parameters.n_ubatch = BATCH
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.no_perf = True
        return parameters

    def _keep_log(self, level: int, text: bytes, _: object) -> None:
        if level in (3, 4):  # warnings and errors
            self._log.append(text.decode("utf-8", "replace").strip())

    def _explain(self, chinese: str, english: str) -> str:
        return f"{chinese}。 {english}. {' | '.join(list(self._log)[-3:])}"

    def plain_tokens(self, text: str) -> list[int]:
        """Tokenise text so that it holds no control token, whatever it says."""
        tokens: list[int] = []
        for start in range(0, len(text), LONGEST_RUN):
            for token in self._tokenise(text[start : start + LONGEST_RUN], special=False):
                tokens += self._spelt_out(token) if self._is_markup(token) else [token]
        return tokens

    def control_tokens(self, text: str) -> list[int]:
        """Tokenise our own template text, in which control tokens are meant."""
        return self._tokenise(text, special=True)

    def special_token(self, piece: str) -> int:
        """The id of the token that is written exactly so; ``ModelUnusable`` where there is none."""
        if not self._specials:
            self._specials = {self._written(token): token for token in range(self.size - 1, -1, -1)}
        if piece not in self._specials:
            raise ModelUnusable(f"模型的词表里没有 {piece}。 The model's vocabulary has no {piece}.")
        return self._specials[piece]

    def token_bytes(self, token: int) -> bytes:
        """The bytes that a token stands for; none for a control token."""
        buffer = ctypes.create_string_buffer(256)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[:length]

    def ends(self, token: int) -> bool:
        """Whether the model says with this token that it has finished."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def opening_tokens(self) -> list[int]:
        """The token that the model wants at the start of everything, if any."""
        if not llama_cpp.llama_vocab_get_add_bos(self._vocab):
            return []
        return [int(llama_cpp.llama_vocab_bos(self._vocab))]

    def _tokenise(self, text: str, *, special: bool) -> list[int]:
        encoded = text.encode("utf-8", "replace")
        room = len(encoded) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, encoded, len(encoded), tokens, room, False, special)
        return list(tokens[:count])

    def _written(self, token: int) -> str:
        return str(llama_cpp.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace"))

    def _is_markup(self, token: int) -> bool:
        """Whether text must not become this token: control tokens, and others that are written like tags."""
        attributes = llama_cpp.llama_vocab_get_attr(self._vocab, token)
        if attributes & llama_cpp.LLAMA_TOKEN_ATTR_CONTROL:
            return True
        if attributes & llama_cpp.LLAMA_TOKEN_ATTR_BYTE:
            return False
        written = self._written(token)
        if not attributes & llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED and not written.isascii():
            return False  # an ordinary piece; it may be written in another alphabet than it stands for
        return len(written) > 2 and (written[0], written[-1]) in (("<", ">"), ("[", "]"))

    def _spelt_out(self, token: int) -> list[int]:
        return [t for c in self._written(token) for t in self._tokenise(c, special=False) if not self._is_markup(t)]

    def logits(self, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
        """Logits after each of the positions (rising): shape ``(len(positions), vocabulary)``.

        Raises:
            InputInvalid: more tokens than the context holds.
            Stopped: the request was stopped meanwhile.
        """
        if len(tokens) > self.context:
            raise InputInvalid(
                f"提示太长:{len(tokens)} 个词元,模型只能读 {self.context} 个。 The prompt has {len(tokens)} tokens, "
                f"the model reads {self.context}."
            )
        start = self._reuse(tokens, positions[0])
        rows: list[Logits] = []
        for first in range(start, len(tokens), BATCH):
            chunk = tokens[first : first + BATCH]
            wanted = [p - first for p in positions if first <= p < first + len(chunk)]
            rows += self._decode(chunk, first, wanted)
            if len(chunk) == BATCH:
                self._evaluated += chunk
        return np.stack(rows)

    def next_logits(self, token: int, place: int) -> Logits:
        """Logits after one more token at ``place``."""
        return self._decode([token], place, [0])[0]

    def _reuse(self, tokens: Sequence[int], needed: int) -> int:
        """Keep what the memory shares with these tokens, in whole batches, and forget the rest; how many are kept."""
        same = 0
        limit = min(len(self._evaluated), needed)
        while same + BATCH <= limit and self._evaluated[same : same + BATCH] == list(tokens[same : same + BATCH]):
            same += BATCH
        if not same or not llama_cpp.llama_memory_seq_rm(self._memory, 0, same, -1):
            llama_cpp.llama_memory_clear(self._memory, False)
            same = 0
        del self._evaluated[same:]
        return same

    def _decode(self, tokens: Sequence[int], place: int, wanted: Sequence[int]) -> list[Logits]:
        batch = self._batch
        batch.n_tokens = ctypes.c_int32(len(tokens))
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = place + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 0
        for i in wanted:
            batch.logits[i] = 1
        # Python is called back at every node of the graph: dear for one token, and one token ends soon by itself.
        abort = self._abort if len(tokens) > 1 else self._never
        llama_cpp.llama_set_abort_callback(self._context, abort, None)
        code = llama_cpp.llama_decode(self._context, batch)
        if code == 2 or self._stopping():
            raise Stopped
        if code != 0:
            raise ModelUnusable(self._explain("模型计算失败", f"llama_decode gave {code}"))
        return [self._row(i) for i in wanted]

    def _row(self, position: int) -> Logits:
        pointer = llama_cpp.llama_get_logits_ith(self._context, position)
        return np.ctypeslib.as_array(pointer, shape=(self.size,)).copy()

    def start_grammar(self, source: str) -> LlamaGrammar:
        """A grammar at its beginning; ``GrammarInvalid`` where llama.cpp does not accept it."""
        self._log.clear()
        sampler = None
        if source.strip() and len(source) <= LONGEST_GRAMMAR and "\0" not in source:
            sampler = llama_cpp.llama_sampler_init_grammar(self._vocab, source.encode("utf-8", "replace"), b"root")
        if not sampler:
            raise GrammarInvalid(f"语法(GBNF)有误。 llama.cpp does not accept this grammar: {' | '.join(self._log)}")
        return LlamaGrammar(sampler, self.size)


class LlamaGrammar:
    """A grammar of llama.cpp in the state that the text so far has brought it to; close it after use."""

    def __init__(self, sampler: Any, size: int) -> None:
        self._sampler = sampler
        self._one: Any = (llama_cpp.llama_token_data * 1)()
        self._all: Any = (llama_cpp.llama_token_data * size)()
        self._view = np.ctypeslib.as_array(self._all)

    def allows(self, token: int) -> bool:
        """Whether the token may come next."""
        self._one[0].id, self._one[0].logit = token, 0.0
        self._apply(self._one, 1)
        return bool(np.isfinite(self._one[0].logit))

    def mask(self, logits: Logits) -> Logits:
        """A copy with minus infinity for every token that may not come next."""
        self._view["id"] = np.arange(len(logits))
        self._view["logit"] = logits
        self._apply(self._all, len(logits))
        masked = np.full_like(logits, -np.inf)
        masked[self._view["id"]] = self._view["logit"]
        return masked

    def accept(self, token: int) -> None:
        """Go on with an allowed token; llama.cpp ends the process for another."""
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        """Free it."""
        llama_cpp.llama_sampler_free(self._sampler)

    def _apply(self, data: Any, size: int) -> None:
        candidates = llama_cpp.llama_token_data_array(data=data, size=size, selected=-1, sorted=False)
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(candidates))


class Worker:
    """Serves one request after the other."""

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests = requests
        self._replies = replies
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._runtime: Runtime | None = None
        self._current = self._stopped = -1  # ids of requests

    def run(self) -> None:
        """Serve until standard input ends, which ends the process."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            request = self._waiting.get()
            self._current = request["id"]
            try:
                result = self._serve(request)
            except Stopped:
                result = {}
            except AssistantError as error:
                self._reply("failed", error=type(error).__name__, message=str(error))
                continue
            self._reply("done", **result)

    def _listen(self) -> None:
        for line in self._requests:
            request = json.loads(line)
            if request["op"] == "stop":
                self._stopped = request["id"]
            else:
                self._waiting.put(request)
        os._exit(0)  # the parent is gone, and llama.cpp may be computing in the main thread

    def _stopping(self) -> bool:
        return self._stopped == self._current

    def _serve(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "load":
            self._runtime = Runtime(request["path"], request["context"], request["threads"], self._stopping)
            return {}
        if self._runtime is None:
            raise ModelUnusable("没有载入模型。 No model is loaded.")
        if request["op"] == "score":
            return asdict(score_candidates(self._runtime, request["question"], request["candidates"]))
        if request["op"] == "short_answer":
            found = find_short_answer(self._runtime, request["question"], request["candidates"], request["chosen"])
            return {"found": found}
        self._generate(self._runtime, request)
        return {}

    def _generate(self, runtime: Runtime, request: dict[str, Any]) -> None:
        tokens = prompt_tokens(runtime, request["segments"])
        room = runtime.context - len(tokens)
        sampling = Sampling(
            min(request["max_tokens"], room), request["temperature"], request["seed"], tuple(request["stops"])
        )
        grammar = runtime.start_grammar(request["grammar"]) if request["grammar"] is not None else None
        try:
            for piece in generate_text(runtime, tokens, sampling, grammar):
                self._reply("piece", text=piece)
        finally:
            if grammar is not None:
                grammar.close()

    def _reply(self, kind: str, **values: Any) -> None:
        self._replies.write(json.dumps({"id": self._current, "kind": kind, **values}).encode() + b"\n")
        self._replies.flush()


def prompt_tokens(runtime: Runtime, segments: Sequence[tuple[str, bool]]) -> list[int]:
    """Tokens of (text, is it control text) pairs; only control text can become control tokens."""
    tokens = [t for text, control in segments for t in _segment_tokens(runtime, text, control)]
    opening = runtime.opening_tokens()
    return tokens if tokens[: len(opening)] == opening else opening + tokens


def _segment_tokens(runtime: Runtime, text: str, control: bool) -> list[int]:
    return runtime.control_tokens(text) if control else runtime.plain_tokens(text)


def _watch_parent(parent: int) -> None:
    """End with the parent also where another process still holds the other end of our standard input."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main() -> None:
    """Keep standard output for replies alone, and serve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal stops the answer, not the model
    threading.Thread(target=_watch_parent, args=(int(sys.argv[1]),), daemon=True).start()
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    Worker(sys.stdin.buffer, replies).run()


if __name__ == "__main__":
    main()
