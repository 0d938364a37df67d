"""A model file -> what llama.cpp computes with it: tokens, logits, grammars, and the state of what it has read.

The only module that imports ``llama_cpp``, and always in a process of its own (:mod:`assistant.llm.serving`), because llama.cpp
answers some inputs with the end of the process.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import GrammarInvalid, InputInvalid, ModelUnusable
from assistant.llm.prefix import keep_state, state_is_whole

# Threads that spin while they wait make everything ten times slower as soon as another program wants a core.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import llama_cpp

Logits = NDArray[np.float32]

BATCH = 256  # also the grain of prefix reuse: equal prompts are then cut equally and give equal logits
LONGEST_RUN = 8000  # some tokenizers overflow the stack on 26,000 letters without a break
LONGEST_GRAMMAR = 200_000
LOG_LINES = 40
_listening: list[Any] = []  # llama.cpp has one callback for all and calls it also when its runtime is gone: never freed


class Stopped(Exception):
    """The request was stopped while the model was computing."""


class Runtime:
    """A loaded model with one context, for one thread. ``stopping`` says whether to break off the computation."""

    def __init__(self, path: str, context: int, threads: int, stopping: Callable[[], bool]) -> None:
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._log_callback = llama_cpp.llama_log_callback(self._keep_log)
        _listening.append(self._log_callback)
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
        self._ends: list[int] = []  # where those batches end
        self._fixed = 0  # tokens of the fixed beginning, behind which batches are counted anew
        self._trims = True  # whether this model can forget the end of what it has read
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
                f"提示太长：{len(tokens)} 个词元，模型只能读 {self.context} 个。 The prompt has {len(tokens)} tokens, "
                f"the model reads {self.context}."
            )
        first = self._reuse(tokens, positions[0])
        rows: list[Logits] = []
        while first < len(tokens):
            end = first + BATCH if first >= self._fixed else min(first + BATCH, self._fixed)
            chunk = tokens[first:end]
            wanted = [p - first for p in positions if first <= p < end]
            rows += self._decode(chunk, first, wanted)
            if len(chunk) == end - first:
                self._evaluated += chunk
                self._ends.append(end)
            first = end
        return np.stack(rows)

    def read_fixed(self, tokens: Sequence[int], state: str) -> None:
        """Have the fixed beginning of a prompt in memory, from its state file where there is one; else write that.

        Later calls of :meth:`logits` cut their batches behind it, so that equal prompts give equal logits as ever.
        """
        count = len(tokens)
        if count != self._fixed:
            self._forget()
            self._fixed = count
        if count in self._ends and self._trims and self._evaluated[:count] == list(tokens):
            return
        self._forget()
        if load_state(self._context, state, tokens, self.context):
            self._evaluated, self._ends = list(tokens), [*range(BATCH, count, BATCH), count]
            return
        self._forget()
        self.logits(tokens, [count - 1])
        save_state(self._context, state, tokens)

    def _forget(self) -> None:
        llama_cpp.llama_memory_clear(self._memory, False)
        self._evaluated, self._ends = [], []

    def next_logits(self, token: int, place: int) -> Logits:
        """Logits after one more token at ``place``."""
        return self._decode([token], place, [0])[0]

    def _reuse(self, tokens: Sequence[int], needed: int) -> int:
        """Keep what the memory shares with these tokens, in whole batches, and forget the rest; how many are kept."""
        same = 0
        for end in self._ends:
            if end > needed or self._evaluated[same:end] != list(tokens[same:end]):
                break
            same = end
        if same and not llama_cpp.llama_memory_seq_rm(self._memory, 0, same, -1):
            self._trims = False
            same = 0
        if not same:
            self._forget()
        del self._evaluated[same:]
        self._ends = [end for end in self._ends if end <= same]
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


def load_state(context: Any, path: str, tokens: Sequence[int], room: int) -> bool:
    """Read what :func:`save_state` wrote into the empty memory; False where there is none for these tokens."""
    if not state_is_whole(path):
        return False
    found, count = (llama_cpp.llama_token * room)(), ctypes.c_size_t(0)
    read = llama_cpp.llama_state_seq_load_file(context, os.fsencode(path), 0, found, room, ctypes.byref(count))
    return bool(read) and list(found[: count.value]) == list(tokens)


def save_state(context: Any, path: str, tokens: Sequence[int]) -> None:
    """Write what the memory holds of these tokens; without room on the disk there is no file, and no harm."""
    with keep_state(path) as unfinished:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        llama_cpp.llama_state_seq_save_file(context, os.fsencode(unfinished), 0, array, len(tokens))


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


def prompt_tokens(runtime: Runtime, segments: Sequence[tuple[str, bool]]) -> list[int]:
    """Tokens of (text, is it control text) pairs; only control text can become control tokens."""
    tokens = [t for text, control in segments for t in _segment_tokens(runtime, text, control)]
    opening = runtime.opening_tokens()
    return tokens if tokens[: len(opening)] == opening else opening + tokens


def _segment_tokens(runtime: Runtime, text: str, control: bool) -> list[int]:
    return runtime.control_tokens(text) if control else runtime.plain_tokens(text)
