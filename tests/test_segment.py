"""Terms: whatever stands in a text can be looked up, and nothing is found inside a longer number or word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.segment import contains, index_terms, phrase, query_terms, runs, words

_HAN = "碳普惠特高压通道公共充电桩海绵城市绿色低碳转型揭榜挂帅建设推动"  # no numerals: what they become depends on what follows


def test_words_drop_punctuation_and_keep_numbers() -> None:
    assert words("新增光伏94.6万千瓦,CCUS!") == ["新增", "光伏", "94.6", "万千", "千瓦", "万千瓦", "ccus"]


def test_full_width_and_traditional_text_give_the_same_words() -> None:
    assert words("碳達峰１２０座") == words("碳达峰120座")


@pytest.mark.parametrize("text", ["", "   ", "。!?", "\n\t", "——《》"])
def test_text_without_words_has_no_terms(text: str) -> None:
    assert words(text) == index_terms(text) == query_terms(text) == runs(text) == []
    assert phrase(text) == ""


def test_index_holds_every_pair_of_characters_whatever_the_segmenter_cuts() -> None:
    assert {"入津", "津特", "特高", "高压", "特高压"} <= set(index_terms("入津特高压"))


def test_single_characters_are_indexed_but_only_asked_for_alone() -> None:
    assert "碳" in index_terms("碳普惠")
    assert "碳" not in query_terms("碳普惠")
    assert query_terms("碳") == ["碳"]


def test_number_is_a_term_alone_and_with_its_unit() -> None:
    assert {"120", "120座"} <= set(index_terms("新建公园120座"))
    assert "0.5%" in index_terms("提高0.5%")


@given(st.text(_HAN, min_size=1, max_size=12), st.text(_HAN, max_size=8), st.text(_HAN, max_size=8))
def test_every_piece_of_chinese_shares_a_term_with_the_text_it_was_cut_from(piece: str, left: str, right: str) -> None:
    assert set(query_terms(piece)) & set(index_terms(left + piece + right))


@given(st.text(max_size=60))
def test_any_text_can_be_segmented(text: str) -> None:
    assert all(any(c.isalnum() for c in word) for word in words(text))
    assert all(index_terms(text))
    assert set(query_terms(text)) <= set(index_terms(text))


@pytest.mark.parametrize(
    ("text", "term", "found"),
    [
        ("新建公园120座", "120", True),
        ("新建公园120座", "12", False),
        ("新建公园120座", "20", False),
        ("立体绿化43.1万平方米", "3.1", False),
        ("立体绿化3.15万平方米", "3.1", False),
        ("增长3.1", "3.1", True),
        ("增长3.", "3", True),
        ("版本3.1", "3", False),
        ("到2030年", "2030年", True),
        ("mail and ai", "ai", True),
        ("mail", "ai", False),
        ("100mw级", "mw", True),
        ("碳普惠", "普惠", True),
        ("碳普惠", "", False),
        ("ai", "ai", True),
    ],
)
def test_term_stands_in_a_text_only_as_a_whole_number_or_word(text: str, term: str, found: bool) -> None:
    assert contains(text, term) is found


def test_phrase_has_no_punctuation_at_its_ends() -> None:
    assert phrase("“碳惠宜”平台?") == "碳惠宜”平台" or phrase("“碳惠宜”平台?") == '碳惠宜"平台'
