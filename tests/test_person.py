"""Who holds an office: a sentence that has the office and names nobody answers nothing; pairs that differ in one thing."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.answering.quote import short_answer
from assistant.finding.mismatch import is_of_another_number
from assistant.finding.person import names_nobody
from assistant.question.weigh import Term, Weighing
from assistant.types import Asks
from tests.answer_fakes import FakeEngine
from tests.made_documents import TASKS_2024, make_parsed
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex


def _weigh(*terms: str) -> Weighing:
    return Weighing(tuple(Term(term, 1.0) for term in terms))


@pytest.mark.parametrize(
    ("asked", "text", "nobody"),
    [
        ("董事长是谁？", "原因见董事长致辞。", True),
        ("董事长是谁？", "——董事长 梁正宏", False),
        ("总经理是谁？", "环保总监不受基地总经理考核。", True),
        ("总经理是谁？", "总经理周立民分管生产。", False),
        ("领导小组组长是谁？", "成立领导小组，由区长任组长。", False),
        ("区长是谁？", "成立领导小组，由区长任组长。", True),
        ("谁担任主任委员？", "由独立董事沈若梅担任主任委员。", False),
        ("区长由谁考核？", "由区长任组长。", False),  # not who it is
    ],
)
def test_a_sentence_with_an_office_and_no_name_does_not_say_who_holds_it(
    asked: str, text: str, *, nobody: bool
) -> None:
    assert names_nobody(asked, text) is nobody


@pytest.mark.parametrize(
    ("asked", "text", "other"),
    [
        ("2号热力站什么时候建成", "2029年10月底前建成1号站", True),
        ("1号热力站什么时候建成", "2029年10月底前建成1号站", False),
        ("获评5A级景区的是哪个", "苇湖获评4A级景区", True),
        ("获评4A级景区的是哪个", "苇湖获评4A级景区", False),
    ],
)
def test_a_numbered_thing_may_have_a_word_between_number_and_noun(asked: str, text: str, *, other: bool) -> None:
    assert is_of_another_number(asked, text) is other


@pytest.mark.parametrize(("number", "when"), [("1", "2029年10月底前"), ("2", "2030年底前")])
def test_the_date_is_that_of_the_number_that_was_asked_for(number: str, when: str) -> None:
    sentence = make_sentence("2029年10月底前建成1号站，2030年底前建成2号站。")
    question = f"{number}号热力站什么时候建成？"
    assert short_answer(Asks.YEAR, sentence, sentence.plain.rstrip("。"), _weigh("建成"), question) == when


@pytest.mark.parametrize(("question", "answer"), [("奖励最高多少？", None), ("奖励多少？", "3%")])
def test_of_the_most_the_share_beside_it_says_nothing(question: str, answer: str | None) -> None:
    sentence = make_sentence("按节约金额的3%给予奖励，单项最高8万元。")
    assert short_answer(Asks.QUANTITY, sentence, sentence.plain.rstrip("。"), _weigh("奖励"), question) == answer


@pytest.mark.parametrize(("question", "answer"), [("排放是多少？", None), ("排放涉及几个类别？", "两个")])
def test_a_few_things_are_no_amount(question: str, answer: str | None) -> None:
    sentence = make_sentence("排放仅完成两个类别的盘查。")
    assert short_answer(Asks.QUANTITY, sentence, sentence.plain.rstrip("。"), _weigh("排放"), question) == answer


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("推进学校、车站等屋顶光伏建设，三年新增光伏装机160兆瓦。完成造林2万亩。", True),
        ("新建学校两所，扩建幼儿园三所，改造初中五所。完成造林2万亩。", False),
    ],
)
def test_a_theme_is_not_summarised_from_a_thing_that_is_named_in_passing(text: str, *, refused: bool) -> None:
    index = MemoryIndex([make_parsed("a.txt", {TASKS_2024: text})], open_embedder())
    answer = Assistant(index, READER, FakeEngine()).ask("总结2024年上海的教育工作")
    assert (answer.refusal is not None) is refused
