"""BM25: a term that stands in a text finds it; what is stored and read back scores the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.lexical import LexicalIndex

_TEXTS = [
    "新建公园120座。",
    "推动第三条入津特高压通道开工。",
    "镇江市建设了“碳惠宜”平台。",
    "企业采用CCUS技术。",
    "新增光伏装机94.6万千瓦。",
    "……",
]


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    return LexicalIndex.build(_TEXTS)


@pytest.mark.parametrize(
    ("query", "best"),
    [("公园", 0), ("园", 0), ("120座", 0), ("特高压", 1), ("高压通", 1), ("碳惠宜", 2), ("ccus", 3), ("94.6万千瓦", 4)],
)
def test_term_finds_the_text_it_stands_in(index: LexicalIndex, query: str, best: int) -> None:
    scores = index.scores(query)
    assert scores.shape == (len(_TEXTS),)
    assert scores[best] > 0
    assert int(scores.argmax()) == best


@pytest.mark.parametrize("query", ["", "。", "量子", "quantum"])
def test_unknown_or_empty_query_scores_nothing(index: LexicalIndex, query: str) -> None:
    assert not index.scores(query).any()


@given(st.sampled_from(_TEXTS[:5]), st.data())
def test_any_two_characters_of_a_text_find_it(text: str, data: st.DataObject) -> None:
    han = [i for i in range(len(text) - 1) if "一" <= text[i] <= "鿿" and "一" <= text[i + 1] <= "鿿"]
    start = data.draw(st.sampled_from([i for i in han if not set(text[i : i + 2]) & set("三万千")]))
    index = LexicalIndex.build(_TEXTS)
    assert index.scores(text[start : start + 2])[_TEXTS.index(text)] > 0


def test_holding_is_word_for_word(index: LexicalIndex) -> None:
    assert index.holding("特高压") == [1]
    assert index.holding("“碳惠宜”平台") == [2]
    assert index.holding("12") == []
    assert index.holding("") == []


def test_saved_index_scores_the_same(index: LexicalIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "lexical")
    again = LexicalIndex.load(tmp_path / "lexical")
    assert len(again) == len(index)
    for query in ("公园", "特高压通道", "量子", ""):
        np.testing.assert_array_equal(again.scores(query), index.scores(query))
        assert again.holding(query) == index.holding(query)


def test_stored_files_are_arrays_and_json_only(index: LexicalIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "lexical")
    for path in (tmp_path / "lexical").iterdir():
        if path.suffix == ".npy":
            np.load(path, allow_pickle=False)
        else:
            json.loads(path.read_text(encoding="utf-8"))


def test_texts_without_any_term_can_be_indexed() -> None:
    assert not LexicalIndex.build(["……", "!"]).scores("公园").any()
