"""The short answer of a sentence: with a model that wants fixed characters, and the sequences of training."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.llm.decode import Logits
from assistant.llm.reader import SENTENCE_TOKENS
from assistant.llm.spans import Answering, choose_piece, find_answer, find_edges, find_short_answer, plan_span
from tests.test_reader import MARKERS, SpelledModel

CHINESE = st.text(alphabet="上海新建公园座碳排放的了是,，。0123456789.%() \nabC😀", max_size=60)


class WantingModel(SpelledModel):
    """Says yes at every byte of the second copy that belongs to the wanted text, where that stands first."""

    def __init__(self, wanted: str, sure: float = 6.0) -> None:
        super().__init__()
        self._wanted, self._sure = wanted.encode(), sure

    def logits(self, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
        self.asked.append(tuple(tokens))
        begin = tokens.index(self.special_token("<a>")) + 1
        copy = [(i, t) for i, t in enumerate(tokens) if i >= begin and t < 256]
        at = bytes(t for _, t in copy).find(self._wanted)
        wanted = {i for i, _ in copy[at : at + len(self._wanted)]} if at >= 0 and self._wanted else set()
        rows = np.zeros((len(positions), 1100), np.float32)
        for row, position in zip(rows, positions, strict=True):
            row[self.special_token("<y>" if position in wanted else "<n>")] = self._sure
        return rows


def test_a_sequence_holds_the_sentence_twice_and_asks_at_the_second() -> None:
    model = SpelledModel()
    span = plan_span(model, "几座公园", "公园好")
    written = "".join(MARKERS[t - 1000] if t >= 1000 else chr(t) for t in span.tokens)
    assert written.encode("latin-1").decode() == "<s><q>几座公园<c><m>公园</m>好<a><m>公园</m>好"
    assert bytes(span.tokens[i] for i in span.places).decode() == "公园好"
    assert span.ends[-1] == len("公园好".encode())


def test_a_long_sentence_loses_its_end_in_both_copies() -> None:
    span = plan_span(SpelledModel(), "问", "长" * 1000)
    assert len(span.places) == SENTENCE_TOKENS
    assert list(span.tokens[-SENTENCE_TOKENS:]) == list(("长" * 1000).encode())[:SENTENCE_TOKENS]


def test_the_answer_is_the_run_that_the_model_wants() -> None:
    found = find_short_answer(WantingModel("120座"), "建什么", ["天气", "新建公园,120座"], 1)
    assert found is not None
    assert found[0] == "120座"
    assert 0.99 < found[1] <= 1


def test_the_answer_is_given_as_the_document_writes_it() -> None:
    found = find_short_answer(WantingModel("公园，120座"), "建什么", ["新建公园,120座"], 0)
    assert found is not None
    assert found[0] == "公园,120座"


def test_a_wish_that_would_cut_a_number_gives_the_whole_number_or_nothing() -> None:
    found = find_short_answer(WantingModel("12"), "几座", ["新建公园120座"], 0)
    assert found is None or "120" in found[0]


@pytest.mark.parametrize("sentence", ["", "  ", "新建公园120座"])
def test_an_unsure_answer_is_none(sentence: str) -> None:
    assert find_short_answer(WantingModel("火车"), "几座", [sentence], 0) is None


def test_of_two_likely_sentences_the_one_with_a_sure_answer_is_taken() -> None:
    found = find_answer(WantingModel("120座"), "几座", ["公园是好的", "新建公园120座"], [0.6, 0.5])
    assert (found.candidate, found.text) == (1, "120座")
    far = find_answer(WantingModel("120座"), "几座", ["公园是好的", "新建公园120座"], [0.6, 0.0])
    assert far.candidate == 1  # no other piece is sure, so that no other sentence stands against it


def test_without_a_sure_piece_the_likeliest_sentence_is_taken_whole() -> None:
    assert find_answer(WantingModel("火车"), "几座", ["天气好", "新建公园120座"], [0.2, 0.9]) == Answering(1)


@given(CHINESE, st.integers(0, 2**32 - 1))
def test_a_piece_is_verbatim_and_cuts_no_number_and_no_word(sentence: str, seed: int) -> None:
    class Moody(SpelledModel):
        def logits(self, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
            rows = np.random.default_rng(seed).normal(1, 3, (len(positions), 1100))
            return rows.astype(np.float32)

    found = find_short_answer(Moody(), "几座", [sentence], 0)
    if found is None:
        return
    assert found[0]
    assert found[0] in sentence
    for word in re.finditer(r"\d+(?:[.,]\d+)*|[A-Za-z]+", sentence):
        if sentence.count(found[0]) == 1:
            start = sentence.index(found[0])
            inside = max(start, word.start()), min(start + len(found[0]), word.end())
            assert inside[0] >= inside[1] or inside == (word.start(), word.end())


def test_of_two_equal_pieces_the_first_is_chosen_and_no_edges_give_none() -> None:
    best = choose_piece(np.array([2.0, -5.0, 2.0]), {0: 0, 1: 1, 2: 2, 3: 3})
    assert best is not None
    assert (best.start, best.stop) == (0, 1)
    assert choose_piece(np.zeros(0), {0: 0}) is None


def test_edges_stand_between_whole_words_only() -> None:
    assert find_edges("建12座", [3, 4, 5, 8]) == {0: 0, 1: 1, 3: 3, 4: 4}
