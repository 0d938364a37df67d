"""Quotes that speak of the sibling of what was asked: pairs of questions that differ in one thing."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.finding.mismatch import speaks_otherwise
from assistant.types import Asks, Kind, Question, Role, Turn
from tests.answer_fakes import FakeEngine
from tests.made_documents import TASKS_2024, make_parsed
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.types import Scope


def _ask(text: str, asks: Asks = Asks.QUANTITY) -> Question:
    return Question(text, text, Kind.FACT, asks, Scope(), (), focus=text)


@pytest.mark.parametrize(
    ("asked", "quote", "otherwise"),
    [
        ("2号线全长多少公里", "建成1号线南延段9公里", True),
        ("1号线全长多少公里", "建成1号线南延段9公里", False),
        ("3月底种子到位率是多少", "种子到位率为94%", True),
        ("种子到位率是多少", "种子到位率为94%", False),
        ("森林抚育多少亩", "新造林和森林抚育合计136万亩", True),
        ("新造林和森林抚育一共多少亩", "新造林和森林抚育合计136万亩", False),
        ("累计建成达标县多少个", "新建成达标县60个", True),
        ("新建成达标县多少个", "新建成达标县60个", False),
        ("农药到位率比去年高多少", "农药到位率为76%", True),
        ("农药到位率比去年高多少", "农药到位率比去年高3个百分点", False),
        ("南部三县的人均收入是多少", "中心城区与南部三县的人均收入之比为1.9", True),
        ("财政资金多少亿元", "其中财政资金占58%", True),
        ("财政资金占多少", "其中财政资金占58%", False),
    ],
)
def test_a_quote_of_the_sibling_is_told_from_one_of_the_thing(asked: str, quote: str, *, otherwise: bool) -> None:
    assert speaks_otherwise(_ask(asked), quote, quote) is otherwise


def test_a_sentence_that_only_asks_answers_nobody() -> None:
    asked = _ask("大豆进口是谁回答的", Asks.OTHER)
    assert speaks_otherwise(asked, "记者问：大豆进口下降了吗", "记者问：大豆进口下降了吗？")
    assert not speaks_otherwise(asked, "孙某回答：进口下降", "孙某回答：进口下降。")


def test_of_a_sentence_beside_that_has_the_missing_word_both_are_shown() -> None:
    text = "规模以上的工业取水口应当于2026年6月底前安装在线计量设施；规模以上的农业取水口应当于2026年12月底前安装。"
    assistant = Assistant(
        MemoryIndex([make_parsed("a.txt", {TASKS_2024: text})], open_embedder()), READER, FakeEngine()
    )
    farm = assistant.ask("农业取水口什么时候前要安装在线计量设施？")
    assert farm.refusal is not None or "农业取水口" in farm.text
    works = assistant.ask("工业取水口什么时候前要安装在线计量设施？")
    assert "工业取水口" in works.text


def test_a_follow_up_about_another_thing_is_not_answered_with_the_thing_before() -> None:
    text = "早籼稻最低收购价为每斤1.29元。新建公园120座。"
    assistant = Assistant(
        MemoryIndex([make_parsed("a.txt", {TASKS_2024: text})], open_embedder()), READER, FakeEngine()
    )
    before = (Turn(Role.USER, "2024年早籼稻最低收购价是多少"), Turn(Role.ASSISTANT, "1.29元"))
    assert "1.29" in assistant.ask("早籼稻呢", before).text
    wheat = assistant.ask("小麦呢", before)
    assert wheat.refusal is not None or "最接近" in wheat.text


def test_a_figure_of_the_year_before_is_not_given_for_the_year() -> None:
    sentence = "2025年，用水总量为5910亿立方米，有效利用系数提高到0.582"
    asked = Question("", "", Kind.FACT, Asks.QUANTITY, Scope(years=frozenset([2026])), (), focus="有效利用系数是多少")
    assert speaks_otherwise(asked, "有效利用系数提高到0.582", sentence)
    right = Question("", "", Kind.FACT, Asks.QUANTITY, Scope(years=frozenset([2025])), (), focus="有效利用系数是多少")
    assert not speaks_otherwise(right, "有效利用系数提高到0.582", sentence)
