"""The grammar of cited answers, held by llama.cpp, and how tokens are chosen under a grammar."""

from __future__ import annotations

from contextlib import closing
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import GrammarInvalid
from assistant.llm.decode import Logits, TextStream, choose_token, citation_grammar
from assistant.llm.worker import Runtime
from tests.tiny_gguf import CONTEXT, tiny_gguf

REFUSAL = '资料中没有"相关"内容。'


@cache
def runtime() -> Runtime:
    return Runtime(str(tiny_gguf()), CONTEXT, 1, lambda: False)


def accepts(source: str, text: str) -> bool:
    """Whether the whole text is in the language, and a model may end after it."""
    end = runtime().special_token("<|im_end|>")
    with closing(runtime().start_grammar(source)) as grammar:
        for token in runtime().plain_tokens(text):
            if not grammar.allows(token):
                return False
            grammar.accept(token)
        return grammar.allows(end)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("新建公园120座[2]。", True),
        ("新建公园120座[2]", False),
        ("新建公园120座。", False),
        ("新建公园120座[4]。", False),
        ("新建公园120座[0]。", False),
        ("新建公园120座[12]。", False),
        ("新建公园120座[2][3]。", True),
        ("新建公园120座[2]。新增森林2万亩[1]。", True),
        ("新建公园120座[2]。新增森林2万亩。", False),
        ("甲甲[1]。乙乙[1]。丙丙[1]。", False),
        ("新建[公园]120座[2]。", False),
        ("新建公园【1】120座[2]。", False),
        ("新建公园\n120座[2]。", False),
        ("提高3.5个百分点[1].", True),
        ("[1]。", False),
        (REFUSAL, True),
        (REFUSAL + "新建公园120座[2]。", False),
        ("", False),
    ],
)
def test_every_sentence_of_the_language_is_cited(text: str, allowed: bool) -> None:
    assert accepts(citation_grammar(3, 2, REFUSAL), text) is allowed


@pytest.mark.parametrize("numbers", [1, 9, 10, 64])
def test_all_numbers_that_exist_and_no_other_may_be_cited(numbers: int) -> None:
    grammar = citation_grammar(numbers, 1, REFUSAL)
    assert accepts(grammar, f"新建公园[{numbers}]。")
    assert not accepts(grammar, f"新建公园[{numbers + 1}]。")


@pytest.mark.parametrize(("numbers", "sentences"), [(0, 1), (1, 0)])
def test_a_grammar_without_numbers_or_sentences_is_refused(numbers: int, sentences: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        citation_grammar(numbers, sentences, REFUSAL)


def test_a_refusal_is_text_and_never_a_rule() -> None:
    for refusal in ('"\\x" | root', "第一行\n第二行", "a\\"):
        assert accepts(citation_grammar(1, 1, refusal), refusal)


@pytest.mark.parametrize("source", ['root ::= "', "root ::= x", 'root ::= root "a" | "b"', "", "  "])
def test_an_invalid_grammar_is_found_before_it_is_used(source: str) -> None:
    with pytest.raises(GrammarInvalid):
        runtime().start_grammar(source)


class Evens:
    """Allows even tokens; remembers how often the whole vocabulary was masked."""

    def __init__(self) -> None:
        self.masked = 0
        self.accepted: list[int] = []

    def allows(self, token: int) -> bool:
        return token % 2 == 0

    def mask(self, logits: Logits) -> Logits:
        self.masked += 1
        return np.where(np.arange(len(logits)) % 2 == 0, logits, -np.inf).astype(np.float32)

    def accept(self, token: int) -> None:
        self.accepted.append(token)


@given(st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=400), st.floats(0, 3), st.integers(0, 9))
def test_a_chosen_token_is_always_allowed(values: list[float], temperature: float, seed: int) -> None:
    grammar = Evens()
    token = choose_token(np.array(values, np.float32), temperature, np.random.default_rng(seed), grammar)
    assert token is not None
    assert grammar.accepted == [token]
    assert token % 2 == 0


def test_the_vocabulary_is_masked_only_where_the_models_choice_is_not_allowed() -> None:
    grammar, random = Evens(), np.random.default_rng(0)
    assert choose_token(np.array([0, 1, 5], np.float32), 0, random, grammar) == 2
    assert grammar.masked == 0
    assert choose_token(np.array([0, 9, 5], np.float32), 0, random, grammar) == 2
    assert grammar.masked == 1


def test_no_token_is_chosen_where_none_is_allowed() -> None:
    grammar = Evens()
    assert choose_token(np.array([-np.inf, 1], np.float32), 0, np.random.default_rng(0), grammar) is None


def test_unlikely_tokens_are_cut_off() -> None:
    logits = np.log(np.array([0.96, 0.03, 0.01], np.float32))
    random = np.random.default_rng(0)
    assert {choose_token(logits, 1.0, random) for _ in range(200)} == {0}
    logits = np.log(np.array([0.5, 0.46, 0.04], np.float32))
    assert {choose_token(logits, 1.0, random) for _ in range(200)} == {0, 1}


@given(st.text(max_size=40), st.lists(st.integers(1, 5), max_size=60))
def test_bytes_cut_anywhere_give_the_same_text(text: str, cuts: list[int]) -> None:
    data, stream, pieces = text.encode(), TextStream(), []
    for cut in [*cuts, len(data) or 1]:
        pieces.append(stream.push(data[:cut]))
        data = data[cut:]
    assert "".join(pieces) + stream.finish() == text


@given(st.text("ab<>", max_size=30), st.text("ab<>", min_size=1, max_size=4))
def test_nothing_of_a_stop_text_is_shown(text: str, stop: str) -> None:
    stream = TextStream((stop,))
    shown = "".join(stream.push(c.encode()) for c in text) + stream.finish()
    assert shown == text.split(stop)[0]
    assert stream.stopped is (stop in text)


def test_broken_bytes_are_dropped() -> None:
    stream = TextStream()
    assert stream.push(b"\xe4\xb8") + stream.push("中".encode()) + stream.push(b"\xff") + stream.finish() == "中"
