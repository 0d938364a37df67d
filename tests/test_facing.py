"""What faces the thing that was asked for is no answer: the other end, kind, number or time, a change, another's figure."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.answering.compose import Statement, frame
from assistant.answering.facing import asks_several, choose_alike, faces, tells_change
from tests.answer_fakes import FakeEngine
from tests.made_documents import NOWHERE, REVIEW_2023, TASKS_2024, make_parsed
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.types import Part


@pytest.mark.parametrize(
    ("question", "quote", "other"),
    [
        ("引进人才最低补助多少？", "最高补助30万元", "最低补助3万元"),
        ("晚高峰间隔多少？", "早高峰间隔缩短到4分钟", "晚高峰间隔缩短到6分钟"),
        ("省级示范园多少家？", "建成国家级示范园8家", "建成省级示范园20家"),
        ("泽湖治理一期投资多少？", "泽湖治理二期投资6亿元", "泽湖治理一期投资5亿元"),
        ("工业园二期厂房多少平方米？", "工业园厂房12万平方米", "工业园二期厂房8万平方米"),
        ("董事长出差由谁审批？", "集团领导出差由董事长审批", "董事长出差由董事会审批"),
        ("再次获评奖励多少？", "首次获评奖励80万元", "再次获评奖励20万元"),
        ("第一条隧道通车了多少公里？", "第二条隧道通车9公里", "第一条隧道通车7公里"),
        ("目前分担率是多少？", "到规划期末分担率达到62%", "分担率为48%"),
    ],
)
def test_what_faces_the_question_is_told_from_what_answers_it(question: str, quote: str, other: str) -> None:
    assert faces(question, quote, make_sentence(quote))
    assert not faces(question, other, make_sentence(other))


def test_what_is_planned_is_no_answer_to_what_is_done() -> None:
    quote = "整治河段累计完成40处"
    assert faces("计划整治河段多少处？", quote, make_sentence(quote, part=Part.REVIEW))
    assert not faces("整治河段多少处？", quote, make_sentence(quote, part=Part.REVIEW))


@pytest.mark.parametrize(
    ("question", "changes"),
    [("绿电占比是多少？", True), ("绿电占比提高多少？", False), ("绿电装机增加多少？", True)],
)
def test_a_rise_is_no_level_and_that_of_a_share_no_other(question: str, changes: bool) -> None:
    assert tells_change(question, "绿电占比提高1.5个百分点", "1.5个百分点") is changes
    assert not tells_change("绿电占比是多少？", "绿电占比提高到35%", "35%")


@pytest.mark.parametrize(
    ("question", "several"),
    [
        ("步道多长？坡度多少？", True),
        ("任务和指标各多少项？", True),
        ("建了多少座桥？", False),
        ("几年建了多少座桥？", False),
    ],
)
def test_a_question_for_several_figures_is_known(question: str, several: bool) -> None:
    assert asks_several(question) is several


def test_rows_of_a_comparison_have_one_unit() -> None:
    def tell(short: str) -> Statement:
        return Statement(short, "", short, make_sentence(short))

    chosen = choose_alike([[tell("231公里")], [tell("17处"), tell("200公里")]])
    assert [one.short for one in chosen] == ["231公里", "200公里"]
    assert [one.short for one in choose_alike([[tell("231公里")], [tell("17处")]])] == ["231公里", "17处"]


def test_a_year_that_a_sentence_names_is_not_said_to_be_that_of_the_document() -> None:
    assert frame(make_sentence("在2021年出台办法。", year=2021)) == "谈到2021年时，资料中写道："
    assert frame(make_sentence("出台办法。", year=2021)) == "2021年的资料中写道："


def test_the_place_is_told_where_the_quote_leaves_it_out() -> None:
    sentence = make_sentence("镇江市建设平台,补助最高30万元。", year=2023, places=("镇江",))
    assert frame(sentence, "补助最高30万元") == "谈到镇江时，2023年的资料中写道："
    assert frame(sentence, "镇江市建设平台") == "2023年的资料中写道："


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    review = "完成河岸复绿300公里，清淤河段508处。\n对高校科研团队最高补助30万元。"
    tasks = "清淤河段620处，支持崇明建设示范岛。\n崇明新建候鸟观测站12座。"
    documents = [make_parsed("a.txt", {REVIEW_2023: review, TASKS_2024: tasks}, places=("崇明",))]
    return Assistant(MemoryIndex(documents, open_embedder()), READER, FakeEngine())


def test_the_other_end_is_shown_without_a_short_answer(assistant: Assistant) -> None:
    assert not assistant.ask("上海对高校科研团队最低补助多少？").text.startswith(("30万元", "最高30万元"))
    assert assistant.ask("上海对高校科研团队最高补助多少？").text.startswith(("30万元", "最高30万元"))


def test_a_list_of_places_has_those_that_do_all_of_it() -> None:
    text = "济南、贵阳设立了骑行专用道。\n北京、杭州规划了步行道。\n设立骑行专用道的城市做了什么？"
    documents = [make_parsed("a.txt", {NOWHERE: text}, places=("济南", "北京"))]
    answer = Assistant(MemoryIndex(documents, open_embedder()), READER, FakeEngine()).ask("哪些城市设立了骑行专用道？")
    assert "济南" in answer.text
    assert "北京" not in answer.text
    assert "做了什么" not in answer.text


def test_a_refusal_does_not_say_that_a_place_is_not_there_which_is(assistant: Assistant) -> None:
    answer = assistant.ask("上海的2024年回顾有哪些？")
    assert "资料里没有上海2024年的内容" not in answer.text
