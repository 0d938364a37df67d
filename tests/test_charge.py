"""Who is in charge of something: the note behind its paragraph, and never the one before it."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from tests.answer_fakes import FakeEngine
from tests.made_documents import BEIJING, NOWHERE, make_parsed
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex

_TEXT = (
    "1完善碳市场功能,健全交易规则。（生态环境局牵头,财政局配合）2丰富碳金融工具。发展碳期货和碳保险。"
    "（金融管理局牵头,财政局配合）3培育中介服务机构。"
)


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    return Assistant(MemoryIndex([make_parsed("a.txt", {BEIJING: _TEXT})], open_embedder()), READER, FakeEngine())


@pytest.mark.parametrize(
    ("question", "bearer", "other"),
    [
        ("北京完善碳市场功能由谁牵头？", "生态环境局", "金融管理局"),
        ("北京丰富碳金融工具是哪个部门牵头的？", "金融管理局", "生态环境局"),
    ],
)
def test_the_note_behind_a_paragraph_says_who_is_in_charge_of_it(
    assistant: Assistant, question: str, bearer: str, other: str
) -> None:
    answer = assistant.ask(question)
    assert answer.refusal is None
    assert f"{bearer}牵头" in answer.text
    assert other not in answer.text


@pytest.mark.parametrize("question", ["北京培育中介服务机构由谁牵头？", "北京建设海底隧道由谁牵头？"])
def test_where_no_note_follows_nobody_is_named(assistant: Assistant, question: str) -> None:
    assert "局牵头" not in assistant.ask(question).text


_PLAN = (
    "（一）车辆。自2027年起全天禁止国三柴油货车通行，抢险车辆除外。（责任单位：区交通局、区城管局）\n"
    "（二）湖泊。每年4月至7月为东湖禁渔期。（责任单位：区水务局）\n"
    "2027年为攻坚之年，重点完成锅炉替代和老旧货车限行。\n"
    "社区业委会由主任陆成栋负责车棚事务的解释。物业由安居公司承担。"
)


@pytest.fixture(scope="module")
def plan() -> Assistant:
    return Assistant(MemoryIndex([make_parsed("a.txt", {NOWHERE: _PLAN})], open_embedder()), READER, FakeEngine())


@pytest.mark.parametrize(
    ("question", "bearer", "other"),
    [
        ("东湖禁渔期归哪个部门管", "区水务局", "区交通局"),
        ("老旧柴油货车限行这事归谁管", "区交通局", "区水务局"),
        ("社区车棚的事找谁？由哪位来解释", "陆成栋", "区交通局"),
    ],
)
def test_whose_business_something_is_stands_behind_it_or_in_a_sentence_with_by(
    plan: Assistant, question: str, bearer: str, other: str
) -> None:
    text = plan.ask(question).text
    assert bearer in text
    assert other not in text


def test_nobody_is_named_for_what_no_document_speaks_of(plan: Assistant) -> None:
    assert "责任单位" not in plan.ask("海底隧道归哪个部门管").text


@pytest.mark.parametrize(
    ("question", "told", "untold"),
    [
        ("北京的金融管理局负责哪些工作？", "丰富碳金融工具", "完善碳市场功能"),
        ("北京的生态环境局负责哪些工作？", "完善碳市场功能", "丰富碳金融工具"),
    ],
)
def test_what_a_body_is_in_charge_of_is_what_its_notes_stand_behind(
    assistant: Assistant, question: str, told: str, untold: str
) -> None:
    answer = assistant.ask(question)
    assert told in answer.text
    assert untold not in answer.text


def test_of_a_body_that_no_note_names_nothing_is_told(assistant: Assistant) -> None:
    assert "牵头" not in assistant.ask("北京的水务局负责哪些工作？").text
