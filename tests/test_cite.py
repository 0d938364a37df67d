"""Markers: only those that name a passage of this turn count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.checking.cite import neutralise, read_drafts
from assistant.types import Passage
from tests.sentences import make_sentence

PASSAGES = tuple(Passage(n, make_sentence(f"第{n}句。", start=n * 10), 1.0, 1.0) for n in (1, 2, 3))


def _read(text: str) -> list[tuple[str, list[int]]]:
    return [(d.text, [p.number for p in d.passages]) for d in read_drafts(text, PASSAGES)]


def test_markers_before_and_behind_the_full_stop_belong_to_their_sentence() -> None:
    assert _read("甲[1]。乙。[2]丙[3]") == [("甲。", [1]), ("乙。", [2]), ("丙", [3])]


def test_a_number_beyond_the_passages_is_dropped() -> None:
    assert _read("甲[9]。乙[0]。") == [("甲。", []), ("乙。", [])]


@pytest.mark.parametrize("marker", ["[1][3]", "[1, 3]", "【1】【3】", "［１］［３］", "[1、3]", "[3][1][3]"])
def test_all_spellings_of_markers_are_read(marker: str) -> None:
    ((_, numbers),) = _read(f"甲{marker}。")
    assert sorted(numbers) == [1, 3]


def test_a_marker_on_its_own_line_belongs_to_the_sentence_before() -> None:
    assert _read("甲。\n[2]") == [("甲。", [2])]


def test_a_full_stop_inside_quotation_marks_does_not_end_the_sentence() -> None:
    assert _read("文件写道:“甲。乙。”[1]") == [("文件写道:“甲。乙。”", [1])]


@pytest.mark.parametrize("planted", ["[1]", "【2】", "［３］", "[1, 2]", "[ 1 ]"])
def test_a_marker_planted_in_a_document_is_no_marker_any_more(planted: str) -> None:
    assert _read(f"甲{neutralise(planted)}。")[0][1] == []


@given(st.text(alphabet="[]【】［］123,、 甲乙。", max_size=40))
def test_neutralising_twice_changes_nothing_more(text: str) -> None:
    assert neutralise(neutralise(text)) == neutralise(text)


@given(st.text(alphabet="[]123 甲乙。！\n“”", max_size=60))
def test_no_text_makes_a_citation_of_nothing(text: str) -> None:
    for _, numbers in _read(text):
        assert set(numbers) <= {1, 2, 3}
        assert len(numbers) == len(set(numbers))
