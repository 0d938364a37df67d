"""Lists and rules: an announcement comes with its items, a condition with its consequence, and neither stands for another's."""

from __future__ import annotations

from hashlib import sha256

import pytest

from assistant.answer import Assistant
from assistant.answering.quote import choose_quote
from assistant.finding.allowed import asks_forbidden, asks_permission, rules_on
from assistant.question.weigh import Term, Weighing
from assistant.reading.announced import find_item_lines, find_listings
from assistant.reading.clauses import split_clauses
from assistant.reading.expect import unit_fits
from assistant.reading.rules import end_of_rule, find_rule
from assistant.types import Answer
from tests.answer_fakes import FakeEngine
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.types import Document, Media, ParsedDocument

_RULES = """云湖市餐厨垃圾管理办法

第一章 总则

第一条 为了加强餐厨垃圾管理，制定本办法。

第二章 收运管理

第二条 收运单位应当落实下列工作：

（一）配备密闭的收运车辆；

（二）建立收运台账；

（三）每日清洗收运容器。

第三条 有下列情形之一的收运申请，不予批准：

（一）车辆没有取得道路运输许可的；

（二）近两年内发生过泄漏事故的。

第四条 申请收运资质应当具备下列条件：注册资金不少于二百万元；有不少于五辆专用车辆；有固定的停车场地。

第五条 收运车辆不得在居民区停放过夜。禁止将餐厨垃圾排入雨水管道。违反的，责令改正，并处三千元罚款。

第三章 罚则

第六条 收运单位未建立收运台账的，由城市管理部门责令限期改正；逾期不改正的，处一万元以上三万元以下罚款。

第七条 违反本办法规定，有下列行为之一的，由城市管理部门责令改正，并处五千元罚款：

（一）未按规定清洗收运容器的；

（二）沿途遗撒餐厨垃圾的。
"""


def _parse(text: str) -> ParsedDocument:
    digest = sha256(text.encode()).hexdigest()
    return parse(Document("rules.txt", text, Media.TEXT, digest, title=text.splitlines()[0]))


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    return Assistant(MemoryIndex([_parse(_RULES)], open_embedder()), READER, FakeEngine())


def _cited(answer: Answer) -> str:
    return "\n".join(citation.sentence.plain for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "items", "others"),
    [
        ("收运单位应当落实哪些工作？", ("密闭的收运车辆", "收运台账", "每日清洗"), ("道路运输许可",)),
        ("哪些情形的收运申请不予批准？", ("道路运输许可", "泄漏事故"), ("每日清洗",)),
        ("申请收运资质要具备哪些条件？", ("二百万元", "五辆", "停车场地"), ("泄漏事故",)),
    ],
)
def test_what_is_announced_is_answered_with_every_item_and_with_no_other(
    assistant: Assistant, question: str, items: tuple[str, ...], others: tuple[str, ...]
) -> None:
    answer = assistant.ask(question)
    assert answer.refusal is None
    for item in items:
        assert item in answer.text
        assert item in _cited(answer)
    assert not [other for other in others if other in answer.text]


@pytest.mark.parametrize(
    ("question", "fine", "other"),
    [
        ("收运单位没有建立收运台账，逾期不改正的罚款多少？", "一万元以上三万元以下", "五千元"),
        ("沿途遗撒餐厨垃圾罚多少？", "五千元", "三万元"),
    ],
)
def test_a_fine_is_that_of_the_rule_that_was_asked_for(
    assistant: Assistant, question: str, fine: str, other: str
) -> None:
    answer = assistant.ask(question)
    assert fine in answer.text
    assert other not in answer.text


def test_who_asks_how_a_thing_is_punished_is_told_the_rule_to_its_end(assistant: Assistant) -> None:
    answer = assistant.ask("收运单位未建立收运台账怎么处罚？")
    assert "责令限期改正" in answer.text
    assert "一万元以上三万元以下罚款" in answer.text


def test_what_follows_from_an_item_stands_in_what_announces_it(assistant: Assistant) -> None:
    answer = assistant.ask("未按规定清洗收运容器怎么处罚？")
    assert "五千元罚款" in answer.text
    assert "清洗收运容器" in answer.text


def test_a_list_ends_where_its_count_ends() -> None:
    first, second, *_ = find_listings(_parse(_RULES).sentences)
    assert [item.text[:3] for item in first.items] == ["（一）", "（二）", "（三）"]
    assert [item.text[:3] for item in second.items] == ["（一）", "（二）"]


def test_an_announcement_without_items_is_no_list() -> None:
    assert not list(
        find_listings([make_sentence("各单位应当落实下列工作："), make_sentence("今年增长百分之三。", start=20)])
    )


def test_items_are_no_headings_of_what_follows_and_small_headings_are_no_items() -> None:
    items = find_item_lines(_parse(_RULES).sentences)
    headed = _parse(
        "工作安排\n\n做好以下工作：\n\n（一）建设公园\n\n新建公园十座。绿地三百亩。\n\n（二）种树\n\n种树五万株。管好林地。\n"
    )
    assert len(items) == 10
    assert not find_item_lines(headed.sentences)


@pytest.mark.parametrize(
    ("text", "words", "ends"),
    [
        ("提供虚假材料的，由住建部门责令改正，没收违法所得，并处五万元罚款。", ("虚假材料",), "并处五万元罚款"),
        ("提供免费的午餐，由财政部门给予补助，每人十元。", ("午餐",), "午餐"),
    ],
)
def test_a_quote_goes_on_from_the_condition_to_what_follows(text: str, words: tuple[str, ...], ends: str) -> None:
    weighing = Weighing(tuple(Term(word, 1.0) for word in words))
    assert choose_quote(make_sentence(text), weighing).endswith(ends)


def test_of_two_rules_in_a_sentence_the_quote_keeps_to_its_own() -> None:
    clauses = split_clauses("迟到的，扣一百元，旷工的，扣五百元")
    assert end_of_rule(clauses, 0, 0) == 1
    assert end_of_rule(clauses, 2, 2) == 3


def test_sentences_say_one_rule_where_the_later_one_depends_on_the_first() -> None:
    one = make_sentence("未建台账的，责令改正；")
    two = make_sentence("逾期不改的，处一万元罚款。", start=20)
    other = make_sentence("获评先进的，奖励一万元。", start=20)
    assert find_rule([one, two], two) == (one, two)
    assert find_rule([one, other], other) == ()


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("雨水管道可以排餐厨垃圾吗？", True),
        ("收运车过夜停小区，合法吗", True),
        ("收运车有几辆？", False),
        ("公园建成了吗", False),
    ],
)
def test_questions_on_what_is_allowed_are_known(question: str, wanted: bool) -> None:
    assert asks_permission(question) is wanted


def test_a_question_on_what_is_allowed_is_answered_by_what_rules_on_it(assistant: Assistant) -> None:
    assert "禁止将餐厨垃圾排入雨水管道" in assistant.ask("餐厨垃圾可以排入雨水管道吗？").text
    assert rules_on("禁止露天焚烧")
    assert not rules_on("露天焚烧减少三成")
    assert not rules_on("收运单位应当落实下列工作：")


def test_all_that_is_forbidden_about_a_subject_is_listed(assistant: Assistant) -> None:
    assert asks_forbidden("收运车辆和餐厨垃圾有哪些行为是禁止的")
    assert not asks_forbidden("收运车辆有哪些要求")
    answer = assistant.ask("餐厨垃圾管理上禁止哪些行为？")
    assert "停放过夜" in answer.text
    assert "雨水管道" in answer.text
    assert "每日清洗" not in answer.text


@pytest.mark.parametrize(
    ("text", "fits"), [("处五千元罚款", True), ("自收到通知之日起20日内", False), ("使用率低于80%的", False)]
)
def test_how_much_is_fined_wants_money(text: str, fits: bool) -> None:
    assert unit_fits(text, "遗撒垃圾罚多少？") is fits
