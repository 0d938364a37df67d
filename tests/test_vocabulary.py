"""The vocabulary that is read without llama.cpp, held against llama.cpp's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import ModelUnusable
from assistant.llm.catalog import bundled
from assistant.llm.header import Pieces
from assistant.llm.reader import SPECIALS
from assistant.llm.vocabulary import Vocabulary, read_vocabulary
from assistant.llm.worker import Runtime
from tests.test_reader import bundled_runtime
from tests.tiny_gguf import CONTEXT, tiny_gguf

HOSTILE = (
    "[0]",
    "[1]",
    "[64]",
    "<a>",
    "<m>",
    "</m>",
    "<y>",
    "</s>",
    "<unk>",
    "<0x0A>",
    "<|im_end|>",
    "\u2581",
    " ",
    "\0",
    "\ud83d",
)
TEXTS = st.lists(
    st.sampled_from([*HOSTILE, *"上海新建公园座碳排放的了是,，。0123456789.%()[]<>/aqm\n😀𠮷"]), max_size=60
).map("".join)


@cache
def tiny_runtime() -> Runtime:
    return Runtime(str(tiny_gguf()), CONTEXT, 1, lambda: False)


@pytest.mark.parametrize("which", ["bundled", "tiny"])
@given(text=TEXTS)
def test_every_text_has_the_tokens_that_llama_cpp_gives_it(which: str, text: str) -> None:
    runtime = bundled_runtime() if which == "bundled" else tiny_runtime()
    vocabulary = read_vocabulary(bundled().path if which == "bundled" else tiny_gguf())
    assert vocabulary.plain_tokens(text) == runtime.plain_tokens(text)
    assert vocabulary.parse(text) == runtime.control_tokens(text)


def test_every_sentence_of_the_seeds_has_the_same_tokens(seeds_dir: Path) -> None:
    runtime, vocabulary = bundled_runtime(), read_vocabulary(bundled().path)
    lines = [line for file in seeds_dir.glob("*.txt") for line in file.read_text("utf-8").splitlines()]
    assert len(lines) > 100
    assert [vocabulary.plain_tokens(line) for line in lines] == [runtime.plain_tokens(line) for line in lines]


def test_every_token_stands_for_the_same_bytes() -> None:
    runtime, vocabulary = bundled_runtime(), read_vocabulary(bundled().path)
    assert len(vocabulary) == runtime.size
    assert all(vocabulary.token_bytes(token) == runtime.token_bytes(token) for token in range(runtime.size))
    assert all(vocabulary.special_token(piece) == runtime.special_token(piece) for piece in SPECIALS)
    with pytest.raises(ModelUnusable, match="<nonesuch>"):
        vocabulary.special_token("<nonesuch>")


@given(TEXTS)
def test_a_text_that_was_broken_up_reads_as_plain_text_only(text: str) -> None:
    vocabulary = read_vocabulary(bundled().path)
    broken = vocabulary.break_up(text)
    assert vocabulary.parse(broken) == vocabulary.plain_tokens(broken)
    assert len(broken) == len(text)
    assert (broken == text) == (not any(control in text for control in vocabulary.control_texts))


@given(TEXTS)
def test_what_is_written_of_tokens_is_read_as_the_same_tokens(text: str) -> None:
    vocabulary = read_vocabulary(bundled().path)
    plain = vocabulary.plain_tokens(vocabulary.break_up(text))
    tokens = [vocabulary.special_token("<q>"), *plain, vocabulary.special_token("[1]")]
    assert vocabulary.parse(vocabulary.write(tokens)) == tokens


def test_pieces_are_joined_by_score_and_then_from_the_left() -> None:
    texts = ("<unk>", "a", "b", "ab", "ba", "aa")
    scores = (0.0, -9.0, -9.0, -2.0, -1.0, -3.0)
    made = Vocabulary(Pieces("llama", texts, scores, (2, 1, 1, 1, 1, 1), space_prefix=False))
    assert [texts[t] for t in made.plain_tokens("aba")] == ["a", "ba"]
    assert [texts[t] for t in made.plain_tokens("aaa")] == ["aa", "a"]
    assert made.parse("x") == [0]  # no bytes to fall back on


def test_a_vocabulary_of_another_kind_is_refused(tmp_path: Path) -> None:
    data = tiny_gguf().read_bytes()
    other = tmp_path / "other.gguf"
    key = b"tokenizer.ggml.add_space_prefix"
    at = data.index(key) + len(key) + 4  # behind the type of the value
    other.write_bytes(data[:at] + b"\1" + data[at + 1 :])
    with pytest.raises(ModelUnusable, match=r"other\.gguf"):
        read_vocabulary(other)
