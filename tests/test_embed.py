"""Embedders: unit rows, the same on every run, and the choice of one by name."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.embed import HashingEmbedder, embed_query, open_embedder
from vectorstore.errors import EmbedderUnusable

_EMBEDDER = HashingEmbedder()


@given(st.lists(st.text(max_size=40), max_size=4))
def test_hashing_gives_one_row_of_unit_length_for_each_text(texts: list[str]) -> None:
    rows = _EMBEDDER.embed(texts)
    assert rows.shape == (len(texts), 512)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_hashing_is_the_same_in_another_process() -> None:
    program = (
        "from vectorstore.embed import HashingEmbedder; import hashlib;"
        "print(hashlib.sha256(HashingEmbedder().embed(['碳普惠']).round(4).tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert there == hashlib.sha256(_EMBEDDER.embed(["碳普惠"]).round(4).tobytes()).hexdigest()


def test_shared_words_are_nearer_than_none() -> None:
    question, parks, grid = _EMBEDDER.embed(["新建多少公园", "新建公园120座", "第三条特高压通道"])
    assert question @ parks > question @ grid


def test_text_without_features_has_cosine_zero_with_every_text_that_has_some() -> None:
    empty, punctuation, text = _EMBEDDER.embed(["", "。。!", "碳普惠"])
    assert empty @ punctuation == 1.0
    assert empty @ text == 0.0


def test_repeated_word_counts_less_than_twice() -> None:
    once, often, other = _EMBEDDER.embed(["公园 充电桩", "公园 公园 公园 充电桩", "公园"])
    assert often @ other > once @ other
    assert often @ other < 0.95


def test_name_says_the_dimensions() -> None:
    assert HashingEmbedder(64).name == "feature-hashing-64-v1"
    assert HashingEmbedder(64).embed(["碳"]).shape == (1, 64)
    with pytest.raises(ValueError, match="at least 2"):
        HashingEmbedder(1)


def test_embedder_is_opened_by_its_name() -> None:
    assert open_embedder("feature-hashing-512-v1").name == "feature-hashing-512-v1"
    assert open_embedder("feature-hashing-64-v1").dimensions == 64
    with pytest.raises(EmbedderUnusable, match="word2vec"):
        open_embedder("word2vec")


def test_question_goes_its_own_way_only_where_the_embedder_has_one() -> None:
    class Asking(HashingEmbedder):
        def embed_query(self, text: str) -> np.ndarray:
            return self.embed([f"问 {text}"])[0]

    np.testing.assert_array_equal(embed_query(_EMBEDDER, "碳"), _EMBEDDER.embed(["碳"])[0])
    np.testing.assert_array_equal(embed_query(Asking(), "碳"), _EMBEDDER.embed(["问 碳"])[0])


def _write_tiny_model(path: Path, pooling: int | None) -> Path:
    """A random one-layer language model, whose tokens are bytes."""
    width, random = 32, np.random.default_rng(0)
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL, *[gguf.TokenType.BYTE] * 256]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(width)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(width // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    if pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(pooling))
    square = {f"blk.0.{name}.weight" for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    square |= {f"blk.0.{name}.weight" for name in ("ffn_gate", "ffn_up", "ffn_down")}
    for name in sorted(square):
        writer.add_tensor(name, random.standard_normal((width, width)).astype(np.float32))
    for name in ("token_embd.weight", "output.weight"):
        writer.add_tensor(name, random.standard_normal((len(tokens), width)).astype(np.float32))
    for name in ("output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"):
        writer.add_tensor(name, np.ones(width, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write_tiny_model(tmp_path_factory.mktemp("gguf") / "tiny.gguf", pooling=1)


def test_gguf_file_gives_unit_rows_that_differ_with_the_text(tiny_model: Path) -> None:
    embedder = open_embedder(str(tiny_model))
    rows = embedder.embed(["碳普惠", "特高压", "碳普惠", ""])
    assert rows.shape == (4, 32)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(rows[0], rows[2], atol=1e-4)
    assert rows[0] @ rows[1] < 0.999


def test_gguf_name_holds_the_sum_of_the_file_and_the_pooling(tiny_model: Path) -> None:
    from vectorstore.gguf_embed import GgufEmbedder, Pooling

    digest = hashlib.sha256(tiny_model.read_bytes()).hexdigest()
    assert open_embedder(str(tiny_model)).name == f"gguf:{digest}:mean"
    last = GgufEmbedder(tiny_model, pooling=Pooling.LAST, text_prefix="passage: ")
    assert last.name == f"gguf:{digest}:last:passage: "


def test_end_of_a_text_that_is_longer_than_the_batch_still_counts(tiny_model: Path) -> None:
    embedder = open_embedder(str(tiny_model))
    long = "绿色低碳转型" * 400
    plain, ended = embedder.embed([long, long + "特高压通道" * 100])
    assert plain @ ended < 0.9999
    np.testing.assert_allclose(np.linalg.norm(ended), 1.0, atol=1e-5)


def test_gguf_question_gets_its_prefix(tiny_model: Path) -> None:
    from vectorstore.gguf_embed import GgufEmbedder

    embedder = GgufEmbedder(tiny_model, query_prefix="query: ")
    np.testing.assert_allclose(embed_query(embedder, "碳"), embedder.embed(["query: 碳"])[0], atol=1e-4)


@pytest.mark.parametrize("content", [None, b"", b"GGUF" + bytes(100)])
def test_file_that_is_no_model_is_refused_with_its_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EmbedderUnusable, match=r"broken\.gguf"):
        open_embedder(str(path))


def test_model_without_pooling_is_refused_unless_one_is_given(tmp_path: Path) -> None:
    from vectorstore.gguf_embed import GgufEmbedder, Pooling

    path = _write_tiny_model(tmp_path / "plain.gguf", pooling=None)
    with pytest.raises(EmbedderUnusable, match="pooling"):
        open_embedder(str(path))
    assert GgufEmbedder(path, pooling=Pooling.MEAN).dimensions == 32
