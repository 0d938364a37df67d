"""What a question supposes and a document denies; what a year is for; what has to be met; the measure that 多少 wants."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.finding.mismatch import is_of_another_thing, is_only_beside
from assistant.question.understand import Corpus, read_question
from assistant.reading.expect import find_units, holds_answer, unit_fits
from assistant.reading.quantities import Measure, find_quantities
from assistant.types import Asks
from tests.answer_fakes import FakeEngine
from tests.made_documents import read_text
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex

_TEXT = (
    "城北区节能工作情况\n\n电厂投资3.6亿元建成沼气发电机组，于2024年6月投运，年发电量约4200万千瓦时。"
    "承担学校供暖任务的小锅炉，在新管网建成之前不得拆除。大锅炉2026年底前完成改造。"
    "2025年为筑基之年，重点完成台账登记、设备检测和人员培训。2026年为攻坚之年，重点完成管网改造。"
    "本区设立节能企业红名单制度，审批时限压缩到3个工作日；列入红名单的企业必须连续两年没有安全事故。"
    "检查发现，一般工业固体废物综合利用率由51.3%提高到58.9%，但园林垃圾和餐厨垃圾两个领域进展迟缓。"
)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    parsed = read_text(_TEXT, tmp_path_factory.mktemp("documents"))
    return Assistant(MemoryIndex([parsed], open_embedder()), READER, FakeEngine())


def test_an_amount_of_electricity_is_told_in_kilowatt_hours_and_not_in_money(assistant: Assistant) -> None:
    text = assistant.ask("沼气发电机组每年能发多少电").text
    assert "4200万千瓦时" in text
    assert not text.startswith("3.6亿元")


@pytest.mark.parametrize(
    ("question", "fitting", "other"),
    [
        ("每年能发多少电", "9600万千瓦时", "2.4亿元"),
        ("一年用多少水", "300万立方米", "300万千瓦"),
        ("要烧多少煤？", "48万吨", "48万元"),
        ("征了多少地", "1200亩", "1200户"),
        ("年用电量是多少", "5亿千瓦时", "5亿元"),
        ("货运量增速是多少", "8.7%", "4860万吨"),
    ],
)
def test_what_is_measured_has_a_unit_of_its_own(question: str, fitting: str, other: str) -> None:
    assert unit_fits(fitting, question)
    assert not unit_fits(other, question)


@pytest.mark.parametrize("question", ["建了多少电站", "惠及多少地方", "设多少垃圾桶", "多少水库"])
def test_a_longer_noun_is_counted_and_not_measured(question: str) -> None:
    assert find_units(question) == frozenset()


def test_what_is_supposed_is_answered_by_what_denies_it(assistant: Assistant) -> None:
    answer = assistant.ask("要在2026年底前把学校的小锅炉全部拆除吧？")
    assert answer.refusal is None
    assert "不得拆除" in answer.text


def test_what_denies_something_else_denies_nothing(assistant: Assistant) -> None:
    assert "不得拆除" not in assistant.ask("要在2026年底前把学校的食堂全部外包吧？").text


@pytest.mark.parametrize(("year", "told", "other"), [(2025, "台账登记", "管网改造"), (2026, "管网改造", "台账登记")])
def test_what_a_year_is_for_is_the_sentence_that_opens_with_it(
    assistant: Assistant, year: int, told: str, other: str
) -> None:
    word = "筑基" if year == 2025 else "攻坚"
    text = assistant.ask(f"{year}年{word}的重点任务有哪些？").text
    assert told in text
    assert other not in text


def test_a_condition_beside_what_was_found_is_told_too(assistant: Assistant) -> None:
    assert "必须连续两年没有安全事故" in assistant.ask("节能企业红名单制度，企业要满足什么条件才能进").text


def test_a_rate_of_one_thing_is_none_of_another_that_the_sentence_only_names(assistant: Assistant) -> None:
    assert "58.9%" in assistant.ask("一般工业固体废物综合利用率是多少").text
    answer = assistant.ask("园林垃圾综合利用率是多少")
    assert answer.refusal is not None
    assert not answer.citations


def test_a_rate_of_another_thing_is_told_from_that_of_the_thing_by_what_stands_before_it() -> None:
    question = read_question("园林垃圾综合利用率是多少", "园林垃圾综合利用率是多少", Corpus())
    assert is_of_another_thing(question, "工业固体废物综合利用率达到58.9%，园林垃圾处理滞后。")
    assert not is_of_another_thing(question, "园林垃圾综合利用率达到58.9%。")
    assert not is_of_another_thing(question, "在园林垃圾方面，综合利用率达到58.9%。")


def test_another_kind_of_what_is_counted_is_only_beside_it() -> None:
    question = read_question("有多少辆氢燃料电池公交车", "有多少辆氢燃料电池公交车", Corpus())
    assert is_only_beside(question, "其中新能源公交车5920辆，占九成。")
    assert not is_only_beside(question, "其中燃料电池公交车20辆。")


def test_the_number_of_a_note_counts_nothing() -> None:
    assert [q.measure for q in find_quantities("3. 车辆包括纯电动和燃料电池车辆")] == [Measure.ORDINAL]
    assert [q.text for q in find_quantities("3.5万吨钢")] == ["3.5万吨"]
    assert not holds_answer(Asks.QUANTITY, "3. 车辆包括燃料电池车辆", "有多少辆车")


@pytest.mark.parametrize(
    ("question", "text", "holds"),
    [
        ("锅炉最晚什么时候关停", "锅炉须在9月底前全部关停", True),
        ("锅炉最晚哪一年关停", "锅炉须在9月底前全部关停", False),
        ("制度在什么时候之前建立", "在“十六五”之前建立制度", True),
        ("制度在什么时候之前建立", "建立统一的制度", False),
    ],
)
def test_until_when_may_be_told_by_a_month_or_a_period(question: str, text: str, holds: bool) -> None:
    assert holds_answer(Asks.YEAR, text, question) is holds
