"""Whose words something is: the title of the document is the answer where no place tells."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.question.whose import asks_body, asks_document
from assistant.types import Verdict
from tests.answer_fakes import FakeEngine
from tests.made_documents import BEIJING, NOWHERE, make_parsed
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    documents = [
        make_parsed("松涛林场巡护规定.txt", {NOWHERE: "巡护员每周巡山不少于五次。\n林区内不得使用无人机播种。"}),
        make_parsed("b.txt", {BEIJING: "推进“一窗通办”改革，新建口袋公园40个。"}),
    ]
    return Assistant(MemoryIndex(documents, open_embedder()), READER, FakeEngine())


@pytest.mark.parametrize(
    "question",
    [
        "哪份文件规定林区内不得使用无人机播种？",
        "“林区内不得使用无人机播种”出自哪里的文件",
        "哪个单位规定林区内不得使用无人机播种？",
    ],
)
def test_the_title_is_the_answer_and_is_checked(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question)
    assert answer.text.find("《松涛林场巡护规定.txt》") in (0, answer.text.find("\n") + 1)
    assert answer.citations[0].title == "《松涛林场巡护规定.txt》"
    assert {claim.verdict for claim in answer.claims} == {Verdict.SUPPORTED}


def test_a_place_that_the_frame_names_needs_no_title(assistant: Assistant) -> None:
    text = assistant.ask("哪个城市提出“一窗通办”改革？").text
    assert "北京" in text
    assert "《" not in text


def test_a_question_for_something_else_gets_no_title(assistant: Assistant) -> None:
    assert "《" not in assistant.ask("巡护员每周巡山不少于几次？").text


@pytest.mark.parametrize(
    ("question", "document", "body"),
    [
        ("哪份文件规定机票要提前预订", True, False),
        ("这是谁的规定", True, False),
        ("哪个县提出建设机场", False, True),
        ("哪个部门负责审批", False, False),
        ("由谁负责解释", False, False),
    ],
)
def test_what_is_asked_for_is_told_apart(question: str, document: bool, body: bool) -> None:
    assert (asks_document(question), asks_body(question)) == (document, body)
