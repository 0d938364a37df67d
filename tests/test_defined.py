"""What a word means is answered by the sentence that defines just that word; siblings by bounds, and rules that are no rivals."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from assistant.answer import Assistant
from assistant.answering.defined import find_definition
from assistant.answering.facing import is_bound_otherwise
from assistant.answering.refuse import write_refusal
from assistant.question.meaning import read_meaning
from assistant.question.slots import asks_places
from assistant.question.weigh import stands_in
from assistant.reading.expect import unit_fits
from assistant.types import Asks, Kind, Question, Refusal
from tests.answer_fakes import FakeEngine
from tests.made_documents import NOWHERE, make_parsed
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.types import Document, Media, Scope

_TEXT = """云湖市建筑节能办法

第一条 公共机构应当制定年度目标。

第二条 本办法下列用语的含义：

（一）公共机构，是指使用财政性资金的国家机关。

（二）公共建筑，是指供人们活动的建筑；不包括厂房。
"""
_LAW = parse(Document("law.txt", _TEXT, Media.TEXT, sha256(_TEXT.encode()).hexdigest(), title="云湖市建筑节能办法"))


def _ask(text: str, asks: Asks = Asks.OTHER) -> Question:
    return Question(text, text, Kind.FACT, asks, Scope(), (), focus=text)


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("什么是公共机构?", ["（一）公共机构"]),
        ("公共建筑是什么意思?", ["（二）公共建筑", "不包括"]),
        ("什么是机构?", []),  # a part of the word is another word
        ("公共机构应当做什么?", []),
    ],
)
def test_a_definition_is_that_of_the_word_itself(question: str, begins: list[str]) -> None:
    found = find_definition(_ask(question), MemoryIndex([_LAW], open_embedder()))
    assert [sentence.plain[: len(begin)] for sentence, begin in zip(found, begins, strict=True)] == begins


def test_a_definition_of_another_place_is_none() -> None:
    asked = replace(_ask("什么是公共机构?"), scope=Scope(regions=frozenset(["北京"])))
    assert find_definition(asked, MemoryIndex([_LAW], open_embedder())) == ()


@pytest.mark.parametrize(
    ("asked", "quote", "otherwise"),
    [
        ("500万元以下的项目由谁审批", "500万元以上的项目由总经理审批", True),
        ("500万元以上的项目由谁审批", "500万元以上的项目由总经理审批", False),
        ("600公里以外可以坐飞机吗", "600公里以内的不得乘坐飞机", True),
        ("500万元以下的项目由谁审批", "800万元以上的项目由总经理审批", False),
    ],
)
def test_what_lies_below_a_bound_is_not_what_lies_above_it(asked: str, quote: str, *, otherwise: bool) -> None:
    assert is_bound_otherwise(asked, quote) is otherwise


@pytest.mark.parametrize(
    ("term", "text", "stands"),
    [("县长", "明确一名副县长牵头", False), ("县长", "明确县长牵头", True), ("中心", "建设城市副中心", True)],
)
def test_a_deputy_is_not_the_person(term: str, text: str, *, stands: bool) -> None:
    assert stands_in(term, text) is stands


@pytest.mark.parametrize(("text", "fits"), [("治理两条支流", False), ("总投资6.8亿元", True)])
def test_what_was_invested_is_money(text: str, *, fits: bool) -> None:
    assert unit_fits(text, "河道治理投资多少") is fits


@pytest.mark.parametrize(("focus", "places"), [("各市的补贴比较", True), ("家电和取暖的补贴比较", False)])
def test_rows_of_places_are_only_asked_for_by_a_word_for_them(focus: str, *, places: bool) -> None:
    assert asks_places(focus) is places


@pytest.mark.parametrize(
    ("text", "missing"), [("2027年起不再采购柴油机械。", False), ("2026年起不再采购柴油机械。", True)]
)
def test_a_refusal_does_not_deny_what_a_sentence_says_of_the_year(text: str, *, missing: bool) -> None:
    asked = replace(_ask("2027年的柴油机械还能买吗"), terms=("柴油机械",), scope=Scope(years=frozenset([2027])))
    said = write_refusal(asked, Refusal.NOT_IN_CORPUS, (), [make_sentence(text)])
    assert ("提到过" not in said) is missing


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ("碳中和是什么？", "碳中和"),
        ("什么是赛马制", "赛马制"),
        ("上海的目标是什么？", ""),
        ("江苏和天津是什么关系？", ""),
        ("优良率是什么", ""),
    ],
)
def test_a_bare_word_is_asked_for_its_meaning_and_an_aim_for_what_it_is(asked: str, word: str) -> None:
    assert read_meaning(asked, 1) == word


def test_a_word_that_is_only_used_is_shown_as_the_nearest_wording() -> None:
    texts = {NOWHERE: "采用赛马制的形式推进攻关。新建公园120座。公交车全部更新。"}
    assistant = Assistant(MemoryIndex([make_parsed("a.txt", texts)], open_embedder()), READER, FakeEngine())
    assert "最接近" in assistant.ask("什么是赛马制？").text
