"""seed texts -> a tiny instruct GGUF with random weights: enough to load, to stop and to crash, not to answer.

llama architecture, 2 layers of 64, ChatML control tokens, a sentencepiece BPE vocabulary with byte fallback. The same
seed gives the same file.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
from numpy.typing import NDArray

CONTROLS = ("<|im_start|>", "<|im_end|>")
WIDTH, LAYERS, HEADS, INNER, VOCABULARY, CONTEXT = 64, 2, 2, 128, 1200, 1024


_SEEDS = Path(__file__).resolve().parent.parent / "seeds"
_FOLDER = tempfile.TemporaryDirectory(prefix="tiny-gguf-")


@cache
def tiny_gguf() -> Path:
    """The tiny model over the seeds; made once in a test session. Never change the file."""
    return write_tiny_gguf(Path(_FOLDER.name) / "tiny.gguf", _lines())


@cache
def long_gguf() -> Path:
    """The same, for whole prompts: a server holds a model to the context that its file names."""
    return write_tiny_gguf(Path(_FOLDER.name) / "long.gguf", _lines(), context=4 * CONTEXT)


def _lines() -> Iterator[str]:
    return (line for file in sorted(_SEEDS.glob("*.txt")) for line in file.read_text("utf-8").splitlines() if line)


def write_tiny_gguf(
    path: Path, texts: Iterator[str], *, seed: int = 0, layers: int = LAYERS, context: int = CONTEXT
) -> Path:
    """Train the vocabulary on the texts, draw the weights, write the file."""
    vocabulary = _train_vocabulary(texts)
    writer = gguf.GGUFWriter(path, "llama")
    _add_shape(writer, layers, context)
    _add_vocabulary(writer, vocabulary)
    random = np.random.default_rng(seed)
    for name, shape in _shapes(vocabulary.get_piece_size(), layers):
        writer.add_tensor(name, _draw(random, shape))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _train_vocabulary(texts: Iterator[str]) -> sentencepiece.SentencePieceProcessor:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=texts,
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCABULARY,
        hard_vocab_limit=False,
        character_coverage=0.98,  # the rest falls back to bytes, so that characters are split between tokens
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        split_digits=True,
        max_sentencepiece_length=8,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        control_symbols=list(CONTROLS),
        minloglevel=2,
        num_threads=1,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def _add_shape(writer: gguf.GGUFWriter, layers: int, context: int) -> None:
    writer.add_name("tiny random")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: sentencepiece.SentencePieceProcessor) -> None:
    count = vocabulary.get_piece_size()
    writer.add_vocab_size(count)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([vocabulary.id_to_piece(i).encode() for i in range(count)])
    writer.add_token_scores([vocabulary.get_score(i) for i in range(count)])
    writer.add_token_types([int(_token_type(vocabulary, i)) for i in range(count)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(vocabulary.piece_to_id("<|im_end|>"))
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    # A trap: whoever runs a file's own template hangs here.
    writer.add_chat_template("{% for i in range(10000000000) %}{{ messages }}{% endfor %}")


def _token_type(vocabulary: sentencepiece.SentencePieceProcessor, token: int) -> gguf.TokenType:
    if vocabulary.is_unknown(token):
        return gguf.TokenType.UNKNOWN
    if vocabulary.is_control(token):
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if vocabulary.is_byte(token) else gguf.TokenType.NORMAL


def _shapes(tokens: int, layers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "token_embd.weight", (tokens, WIDTH)
    yield "output_norm.weight", (WIDTH,)
    yield "output.weight", (tokens, WIDTH)
    for i in range(layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{i}.{name}.weight", (WIDTH, WIDTH)
        for name, shape in (("ffn_gate", (INNER, WIDTH)), ("ffn_up", (INNER, WIDTH)), ("ffn_down", (WIDTH, INNER))):
            yield f"blk.{i}.{name}.weight", shape
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{i}.{name}.weight", (WIDTH,)


def _draw(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if len(shape) == 1:  # the norms
        return random.uniform(0.7, 1.3, shape).astype(np.float32)
    return random.normal(0, 0.2, shape).astype(np.float32)
