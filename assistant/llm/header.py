"""a GGUF file -> what its header says of the model and its vocabulary: read with bounds on everything, because anyone may have made it.

Only the header is read; no number of it is trusted before it was held against the size of the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from assistant.errors import ModelUnusable

MOST_KEYS = 4096
MOST_TENSORS = 100_000
MOST_ITEMS = 4_000_000  # of an array; the largest vocabularies have 300,000 tokens
LONGEST_KEY = 1024
LONGEST_STRING = 4 << 20  # a chat template may be long
MOST_DIMENSIONS = 8

_STRING, _ARRAY = 8, 9
_KEPT = frozenset({"tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type"})
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}

# general.file_type -> the name that people know it by
_FILE_TYPES = {
    **{0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S"},
    **{12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K"},
    **{19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL"},
    **{26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16"},
    **{36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4"},
}
# type of a tensor -> values in a block, bytes of a block; of an unknown type only the place is checked
_BLOCKS = {
    **{0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36)},
    **{10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292)},
    **{16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82)},
    **{23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2)},
    **{34: (256, 54), 35: (256, 66), 39: (32, 17)},
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of itself."""

    architecture: str
    name: str
    quantization: str  # "unknown" where the file does not say
    context: int  # tokens that the model was trained on; 0 where the file does not say
    tokenizer: str
    tokens: frozenset[str]  # the vocabulary
    kv: int = 0  # bytes of memory for one token of the context, keys and values of two bytes each


@dataclass(frozen=True, slots=True)
class Pieces:
    """The vocabulary of a GGUF file, by token id."""

    kind: str  # of the tokenizer: "llama" is sentencepiece
    texts: tuple[str, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]
    space_prefix: bool  # whether a space is put in front of every text


def read_header(path: Path) -> Header:
    """Read what the catalogue needs to know.

    Raises:
        ModelUnusable: not a GGUF file, damaged, or shorter than its header says.
    """
    return _open(path)[0]


def read_pieces(path: Path) -> Pieces:
    """Read the vocabulary; raises as :func:`read_header` does."""
    header, values = _open(path)
    texts, scores, types = (values.get(f"tokenizer.ggml.{name}") for name in ("tokens", "scores", "token_type"))
    if not (isinstance(texts, tuple) and isinstance(scores, tuple) and isinstance(types, tuple)):
        raise ModelUnusable(f"{path} 里没有完整的词表。 {path} holds no whole vocabulary.")
    if not len(texts) == len(scores) == len(types):
        raise ModelUnusable(f"{path} 里的词表有误。 The vocabulary of {path} is broken.")
    return Pieces(header.tokenizer, texts, scores, types, bool(values.get("tokenizer.ggml.add_space_prefix", True)))


def _open(path: Path) -> tuple[Header, dict[str, object]]:
    try:
        with path.open("rb") as file:
            return _Reader(file, path).read()
    except OSError as error:
        raise ModelUnusable(f"读不了模型文件 {path}。 Cannot read the model file {path}: {error.strerror}.") from error


class _Reader:
    """Reads one file from its beginning."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._size = path.stat().st_size

    def read(self) -> tuple[Header, dict[str, object]]:
        if self._take(4) != b"GGUF":
            raise self._unusable("不是 GGUF 文件", "it is not a GGUF file")
        if self._number("<I") not in (2, 3):
            raise self._unusable("GGUF 版本不受支持", "its GGUF version is not supported")
        tensors = self._bounded("<Q", MOST_TENSORS)
        keys = self._bounded("<Q", MOST_KEYS)
        values = dict(self._pair() for _ in range(keys))
        self._check_tensors(tensors, values)
        return self._header(values), values

    def _header(self, values: dict[str, object]) -> Header:
        architecture = values.get("general.architecture")
        tokens = values.get("tokenizer.ggml.tokens")
        if not isinstance(architecture, str) or not isinstance(tokens, tuple):
            raise self._unusable("文件里没有语言模型", "it holds no language model: architecture or vocabulary missing")
        file_type, context = values.get("general.file_type"), values.get(f"{architecture}.context_length")
        return Header(
            architecture=architecture,
            name=str(values.get("general.name", "")),
            quantization=_FILE_TYPES.get(file_type, "unknown") if isinstance(file_type, int) else "unknown",
            context=context if isinstance(context, int) and 0 < context < 1 << 31 else 0,
            tokenizer=str(values.get("tokenizer.ggml.model", "")),
            tokens=frozenset(tokens),
            kv=_context_bytes(architecture, values),
        )

    def _check_tensors(self, count: int, values: dict[str, object]) -> None:
        needed = 0
        for _ in range(count):
            self._string(LONGEST_KEY)
            sizes = [self._bounded("<Q", 1 << 40) for _ in range(self._bounded("<I", MOST_DIMENSIONS))]
            kind, offset = self._number("<I"), self._bounded("<Q", self._size)
            needed = max(needed, offset + _tensor_bytes(sizes, int(kind)))
        alignment = values.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 16:
            raise self._unusable("文件头有误", "its alignment makes no sense")
        start = -(-self._file.tell() // alignment) * alignment
        if count and start + needed > self._size:
            raise self._unusable(
                f"文件不完整，差 {start + needed - self._size} 字节",
                f"it is {start + needed - self._size} bytes too short; fetch it again",
            )

    def _pair(self) -> tuple[str, object]:
        key = self._string(LONGEST_KEY)
        return key, self._value(int(self._number("<I")), keep=key in _KEPT)

    def _value(self, kind: int, *, keep: bool) -> object:
        if kind == _STRING:
            return self._string(LONGEST_STRING)
        if kind == _ARRAY:
            return self._array(keep=keep)
        if kind not in _NUMBERS:
            raise self._unusable("文件头有误", f"its header has a value of the unknown type {kind}")
        return self._number(_NUMBERS[kind])

    def _array(self, *, keep: bool) -> object:
        kind, count = int(self._number("<I")), self._bounded("<Q", MOST_ITEMS)
        if kind == _STRING:
            strings = (self._string(LONGEST_STRING) for _ in range(count))
            return tuple(strings) if keep else sum(1 for _ in strings)
        if kind not in _NUMBERS:
            raise self._unusable("文件头有误", f"its header has an array of the unknown type {kind}")
        size = struct.calcsize(_NUMBERS[kind])
        if keep:
            return struct.unpack(f"<{count}{_NUMBERS[kind][1]}", self._take(size * count))
        self._skip(size * count)
        return count

    def _string(self, longest: int) -> str:
        return self._take(self._bounded("<Q", longest)).decode("utf-8", "replace")

    def _bounded(self, form: str, most: int) -> int:
        value = int(self._number(form))
        if not 0 <= value <= most:
            raise self._unusable("文件头有误", f"its header holds the impossible count {value}")
        return value

    def _number(self, form: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return value

    def _take(self, count: int) -> bytes:
        taken = self._file.read(count) if count <= self._size else b""
        if len(taken) != count:
            raise self._unusable("文件不完整", "it ends in the middle of its header")
        return taken

    def _skip(self, count: int) -> None:
        if self._file.tell() + count > self._size:
            raise self._unusable("文件不完整", "it ends in the middle of its header")
        self._file.seek(count, 1)

    def _unusable(self, chinese: str, english: str) -> ModelUnusable:
        return ModelUnusable(
            f"模型文件不能用：{chinese}({self._path})。 The model file {self._path} cannot be used: {english}."
        )


def _context_bytes(architecture: str, values: dict[str, object]) -> int:
    """What a token costs in all layers; too much rather than too little where layers differ. 0 where it cannot be told."""

    def read(key: str) -> int:
        value = values.get(f"{architecture}.{key}")
        return value if isinstance(value, int) and 0 < value < 1 << 20 else 0

    heads = read("attention.head_count")
    length = read("embedding_length") // heads if heads else 0
    width = (read("attention.key_length") or length) + (read("attention.value_length") or length)
    return 2 * read("block_count") * (read("attention.head_count_kv") or heads) * width


def _tensor_bytes(sizes: list[int], kind: int) -> int:
    values = 1
    for size in sizes:
        values *= size
    block, length = _BLOCKS.get(kind, (1, 0))
    return values // block * length
