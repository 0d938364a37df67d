"""Questions in English: read word by word, answered with Chinese quotes, refused where a word is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.answer import Assistant
from assistant.llm.catalog import Form, ModelSpec
from assistant.question.english import is_english, name_place, translate, write_quantity
from tests.answer_fakes import FakeEngine
from vectorstore.index import Index

READER = ModelSpec("fake", Path("fake.gguf"), "0" * 64, "F32", Form.READER, None)


@pytest.mark.parametrize(
    ("text", "english"),
    [("How many parks?", True), ("上海新建公园多少座?", False), ("CCUS是什么", False), ("123?", False)],
)
def test_english_is_latin_letters_without_chinese_characters(text: str, english: bool) -> None:
    assert is_english(text) is english


def test_known_phrases_become_chinese_longest_first() -> None:
    put = translate("How many public charging piles will Shanghai build in 2024?")
    assert put == "上海2024年多少公共充电桩新建?"


def test_an_unknown_word_stays_and_so_nothing_is_found_for_it() -> None:
    assert "dragon" in translate("How many dragon parks are in Shanghai?")


def test_places_have_their_english_names() -> None:
    assert (name_place("上海"), name_place("某个镇")) == ("Shanghai", "某个镇")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1万个", "1万个 (10,000)"),
        ("3.1万亩", "3.1万亩 (31,000 mu)"),
        ("0.5个百分点", "0.5个百分点 (0.5 percentage points)"),
    ],
)
def test_a_quantity_is_written_with_its_value(text: str, written: str) -> None:
    assert write_quantity(text) == written


def test_an_english_question_gets_an_english_frame_and_a_chinese_quote(seed_index: Index) -> None:
    answer = Assistant(seed_index, READER, FakeEngine()).ask("How much new forest did Shanghai add in 2023?")
    assert answer.text == "超过6.7万亩 (67,000 mu)。Shanghai 2023 (review): “新增森林超过6.7万亩”[1]。"


def test_an_english_question_beyond_the_documents_is_refused_in_english(seed_index: Index) -> None:
    answer = Assistant(seed_index, READER, FakeEngine()).ask("How many hospitals will Beijing close in 2024?")
    assert answer.refused
    assert answer.text.startswith("The documents do not say this")
