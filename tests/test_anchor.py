"""A thing with a name of its own, asked for by the wrong year or place: answered with the documents' own, and said so."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.question.anchor import anchor, find_stated_otherwise
from assistant.question.follow import understand
from assistant.question.understand import describe_corpus
from assistant.question.weigh import weigh
from assistant.types import Refusal
from tests.answer_fakes import FakeEngine
from tests.made_documents import BEIJING, NOWHERE, REVIEW_2023, TASKS_2024, make_parsed
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex

_TEXTS = {
    REVIEW_2023: "出台《湿地保护管理办法》,推出湿地管护补贴,覆盖湿地32处。新建公园50座。",
    TASKS_2024: "新建公园120座。上线“绿碳行”小程序,推动市民绿色出行。",
    BEIJING: "大力支持“三大件”产品出口。",
}


def _index() -> MemoryIndex:
    return MemoryIndex([make_parsed("a.txt", _TEXTS)], open_embedder())


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("上海2024年出台的《湿地保护管理办法》推出了什么？", "湿地保护管理办法"),  # another year
        ("北京2023年出台的《湿地保护管理办法》推出了什么？", "湿地保护管理办法"),  # another place
        ("北京的“绿碳行”小程序推动什么？", "绿碳行"),
        ("上海2023年出台的《湿地保护管理办法》推出了什么？", None),  # as it is
        ("上海2024年的“三大件”出口什么？", None),  # a kind of things, which every place may have
        ("上海2024年出台的《森林保护管理办法》推出了什么？", None),  # named nowhere
        ("《湿地保护管理办法》推出了什么？", None),  # nothing to contradict
    ],
)
def test_only_a_named_thing_that_stands_elsewhere_is_followed(question: str, name: str | None) -> None:
    index = _index()
    found = anchor(understand(question, (), describe_corpus(index.documents)), index)
    assert (found.name if found else None) == name


def test_the_answer_has_the_documents_own_year_and_a_note() -> None:
    assistant = Assistant(_index(), READER, FakeEngine())
    answer = assistant.ask("上海2024年出台的《湿地保护管理办法》推出了什么？")
    assert answer.refusal is None
    assert "2023年" in answer.text
    assert "湿地管护补贴" in answer.text
    assert any("2024年" in note and "湿地保护管理办法" in note for note in answer.notes)


def test_a_plain_thing_of_another_year_is_still_refused() -> None:
    assistant = Assistant(_index(), READER, FakeEngine())
    assert assistant.ask("北京2024年新建公园多少座？").refusal is Refusal.OTHER_REGION


@pytest.mark.parametrize(
    ("question", "noted"),
    [("上海2024年财政赤字900亿元，是怎么考虑的？", True), ("上海2024年财政赤字218亿元，是怎么考虑的？", False)],
)
def test_a_wrong_figure_in_the_question_is_answered_with_the_documents_own_and_said_so(
    question: str, noted: bool
) -> None:
    texts = {REVIEW_2023: "财政赤字900亿元。", TASKS_2024: "安排财政赤字218亿元。新建公园120座。"}
    assistant = Assistant(MemoryIndex([make_parsed("a.txt", texts)], open_embedder()), READER, FakeEngine())
    answer = assistant.ask(question)
    assert answer.refusal is None
    assert "218亿元" in answer.text
    assert any("900亿元" in note for note in answer.notes) is noted


@pytest.mark.parametrize(
    ("question", "given"),
    [
        ("苗木检疫报告要保存七年对吧？", "保存四年"),
        ("临时采伐证有效期是90天吗？", None),  # said of nothing
        ("苗木检疫报告要保存四年对吧？", "保存四年"),  # as it is, and no note
    ],
)
def test_a_figure_to_be_confirmed_is_set_against_that_of_the_documents(question: str, given: str | None) -> None:
    text = "苗木检疫报告及调运记录应当保存四年。\n每年开展巡山二十次。\n采伐申请应当在十五个工作日内答复。"
    index = MemoryIndex([make_parsed("a.txt", {NOWHERE: text})], open_embedder())
    asked = understand(question, (), describe_corpus(index.documents))
    found = find_stated_otherwise(asked, index, weigh(asked, index), None)
    assert (found is not None) == (given is not None and "七年" in question)
    answer = Assistant(index, READER, FakeEngine()).ask(question)
    if given:
        assert given in answer.text
    else:
        assert answer.refusal is not None


def test_two_figures_that_are_as_near_are_not_chosen_from() -> None:
    text = "苗木检疫报告应当保存四年。\n苗木检疫报告副本应当保存两年。"
    index = MemoryIndex([make_parsed("a.txt", {NOWHERE: text})], open_embedder())
    asked = understand("苗木检疫报告要保存七年对吧？", (), describe_corpus(index.documents))
    assert find_stated_otherwise(asked, index, weigh(asked, index), None) is None
