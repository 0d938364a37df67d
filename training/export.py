"""A checkpoint -> GGUF files that llama.cpp reads, and back. Needs torch (for checkpoints only), gguf and llama.cpp.

llama.cpp turns neighbouring pairs where :mod:`training.model` turns halves, so the rows of queries and keys are
reordered on the way, and reordered back by :func:`read_gguf`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.sequences import CONTROL, Tokenizer

KINDS = ("f32", "q8_0", "q4_k_m")

Weights = dict[str, NDArray[np.float32]]

_LAYER = {
    "attention_norm": "attn_norm",
    "feed_norm": "ffn_norm",
    "out": "attn_output",
    "down": "ffn_down",
}


def export_all(run: Path, to: Path, name: str, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write a run's best weights in the forms asked for; Q4_K_M is made of the F32 file and needs llama.cpp."""
    weights, shape = load_checkpoint(run)
    to.mkdir(parents=True, exist_ok=True)
    files = {kind: to / f"{name}-{kind}.gguf" for kind in KINDS}
    for kind in kinds:
        if kind == "q4_k_m":
            quantise(files["f32"], files[kind])
        else:
            write_gguf(files[kind], weights, shape, name, quantised=kind == "q8_0")
    return [files[kind] for kind in kinds]


def load_checkpoint(run: Path) -> tuple[Weights, Mapping[str, int]]:
    """Read the weights of a run, or of a 16-bit checkpoint, with their shape."""
    import torch

    file = next(f for f in (run / "best.pt", run / "last.pt", run / "weights-16.pt") if f.exists())
    content = torch.load(file, map_location="cpu", weights_only=True)
    return {k: v.float().numpy() for k, v in content["weights"].items()}, content["shape"]


def write_gguf(file: Path, weights: Weights, shape: Mapping[str, int], name: str, *, quantised: bool) -> None:
    """Write weights as llama.cpp names them; norms stay float32, which it demands."""
    import gguf

    writer = gguf.GGUFWriter(file, "llama")
    _write_facts(writer, shape, name, quantised)
    _write_vocabulary(writer, Tokenizer())
    for tensor, values in to_gguf_tensors(weights, shape).items():
        if quantised and values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(tensor, gguf.quants.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(tensor, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def to_gguf_tensors(weights: Weights, shape: Mapping[str, int]) -> Weights:
    """Rename, cut and reorder the weights for llama.cpp."""
    heads = shape["heads"]
    tensors = {"token_embd.weight": weights["embedding.weight"], "output_norm.weight": weights["norm.weight"]}
    for i in range(shape["layers"]):
        own = {
            k.removeprefix(f"blocks.{i}.").removesuffix(".weight"): v
            for k, v in weights.items()
            if k.startswith(f"blocks.{i}.")
        }
        query, key, value = np.split(own["attend"], 3)
        gate, up = np.split(own["gate_up"], 2)
        named = {theirs: own[ours] for ours, theirs in _LAYER.items()}
        named |= {"attn_q": to_pairs(query, heads), "attn_k": to_pairs(key, heads), "attn_v": value}
        named |= {"ffn_gate": gate, "ffn_up": up}
        tensors |= {f"blk.{i}.{k}.weight": v for k, v in named.items()}
    return {k: np.ascontiguousarray(v, np.float32) for k, v in tensors.items()}


def read_gguf(file: Path) -> tuple[Weights, dict[str, int]]:
    """Read a reader back from a GGUF, dequantised; the reverse of :func:`write_gguf`."""
    import gguf

    reader = gguf.GGUFReader(file)
    found = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32) for t in reader.tensors}

    def number(key: str) -> int:
        return int(reader.fields[f"llama.{key}"].contents())

    shape = {
        "vocabulary": len(found["token_embd.weight"]),
        "width": number("embedding_length"),
        "layers": number("block_count"),
        "heads": number("attention.head_count"),
        "feed_forward": number("feed_forward_length"),
        "context": number("context_length"),
    }
    heads = shape["heads"]
    weights = {"embedding.weight": found["token_embd.weight"], "norm.weight": found["output_norm.weight"]}
    for i in range(shape["layers"]):
        own = {
            k.removeprefix(f"blk.{i}.").removesuffix(".weight"): v
            for k, v in found.items()
            if k.startswith(f"blk.{i}.")
        }
        joined = {ours: own[theirs] for ours, theirs in _LAYER.items()}
        joined["attend"] = np.concatenate(
            [to_halves(own["attn_q"], heads), to_halves(own["attn_k"], heads), own["attn_v"]]
        )
        joined["gate_up"] = np.concatenate([own["ffn_gate"], own["ffn_up"]])
        weights |= {f"blocks.{i}.{k}.weight": v for k, v in joined.items()}
    return weights, shape


def to_pairs(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Reorder the rows of queries or keys from halves to neighbouring pairs."""
    size = len(rows) // heads
    return rows.reshape(heads, 2, size // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def to_halves(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """The reverse of :func:`to_pairs`."""
    size = len(rows) // heads
    return rows.reshape(heads, size // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def quantise(source: Path, to: Path) -> None:
    """Make a Q4_K_M of a float32 GGUF; rows that are no multiple of 256 get the nearest simpler form by themselves."""
    import llama_cpp

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M
    parameters.nthread = 1
    if llama_cpp.llama_model_quantize(str(source).encode(), str(to).encode(), parameters) != 0:
        raise RuntimeError(f"llama.cpp could not quantise {source}")


def _write_facts(writer: Any, shape: Mapping[str, int], name: str, quantised: bool) -> None:
    import gguf

    from training.model import EPSILON, ROPE_BASE

    writer.add_name(name)
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["feed_forward"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["heads"])
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_vocab_size(shape["vocabulary"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantised else gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _write_vocabulary(writer: Any, tokenizer: Tokenizer) -> None:
    import gguf

    pieces = tokenizer.pieces
    kinds = []
    for i in range(tokenizer.size):
        kind = gguf.TokenType.NORMAL
        if pieces.is_unknown(i):
            kind = gguf.TokenType.UNKNOWN
        elif pieces.is_control(i) or pieces.id_to_piece(i) in CONTROL:
            kind = gguf.TokenType.CONTROL
        elif pieces.is_byte(i):
            kind = gguf.TokenType.BYTE
        kinds.append(int(kind))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.id_to_piece(i).encode() for i in range(tokenizer.size)])
    writer.add_token_scores([pieces.get_score(i) for i in range(tokenizer.size)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(tokenizer.special_token("<s>"))
    writer.add_eos_token_id(tokenizer.special_token("<eot>"))
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
