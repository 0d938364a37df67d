"""Quotes and short answers: verbatim, readable by themselves, and none where there is a choice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.quote import choose_quote, short_answer
from assistant.question.weigh import Term, Weighing
from assistant.reading.clauses import split_clauses
from assistant.reading.owners import About
from assistant.types import Asks
from tests.sentences import SHANGHAI, make_sentence
from vectorstore.types import Part, Sentence


def _weigh(*terms: str) -> Weighing:
    return Weighing(tuple(Term(term, 1.0) for term in terms))


@pytest.mark.parametrize(
    ("terms", "quote"),
    [
        (("新建", "公园"), "新建公园120座"),
        (("新增", "森林"), "新增森林3.1万亩"),
        (("绿地",), "新增森林3.1万亩、绿地1000公顷"),
        (("世博文化公园", "开园"), "推动世博文化公园南区开园"),
    ],
)
def test_the_quote_is_the_clause_that_was_asked_for(terms: tuple[str, ...], quote: str) -> None:
    assert choose_quote(SHANGHAI, _weigh(*terms)) == quote


@pytest.mark.parametrize(
    ("terms", "answer"),
    [(("新建", "公园"), "120座"), (("绿地",), "1000公顷"), (("绿道",), "200公里"), (("新增", "森林"), "3.1万亩")],
)
def test_the_quantity_is_that_of_the_item_asked_for(terms: tuple[str, ...], answer: str) -> None:
    quote = choose_quote(SHANGHAI, _weigh(*terms))
    assert short_answer(Asks.QUANTITY, SHANGHAI, quote, _weigh(*terms)) == answer


def test_there_is_no_short_answer_where_two_items_fit_equally() -> None:
    sentence = make_sentence("新建公园10座、新建公园20座。")
    assert short_answer(Asks.QUANTITY, sentence, sentence.plain, _weigh("公园")) is None


REVIEW = make_sentence("新增森林超过6.7万亩、绿地1044公顷、绿道231公里。")
CARS = make_sentence("新能源汽车推广35.4万辆,保有量达到128.8万辆。")


@pytest.mark.parametrize(
    ("sentence", "terms", "question", "answer"),
    [
        (REVIEW, ("增加", "绿地"), "绿地增加了多少", "1044公顷"),  # not the forest that 新增 stands before
        (REVIEW, ("增加", "森林"), "森林增加了多少", "超过6.7万亩"),
        (REVIEW, ("新增", "绿地"), "新增绿地多少亩", None),  # asked in another unit
        (REVIEW, ("新增", "绿地"), "新增绿地多少公顷", "1044公顷"),
        (REVIEW, ("新增", "湿地"), "新增湿地多少", None),
        (CARS, ("新能源汽车", "推广"), "新能源汽车推广多少辆", "35.4万辆"),
        (CARS, ("新能源汽车", "保有量"), "新能源汽车保有量是多少", None),  # right would be the second; not sure enough
        (CARS, ("推广", "保有量"), "推广和保有量是多少", None),
    ],
)
def test_a_short_answer_belongs_to_what_was_asked_for(
    sentence: Sentence, terms: tuple[str, ...], question: str, answer: str | None
) -> None:
    assert short_answer(Asks.QUANTITY, sentence, sentence.plain.rstrip("。"), _weigh(*terms), question) == answer


def test_a_name_is_the_only_one_in_quotation_marks() -> None:
    one = make_sentence("镇江市建设了“碳惠宜”平台。", region="江苏", places=("镇江",))
    two = make_sentence("镇江市建设了“碳惠宜”平台和“绿能量”平台。")
    assert short_answer(Asks.NAME, one, one.plain, _weigh("平台")) == "“碳惠宜”"
    assert short_answer(Asks.NAME, two, two.plain, _weigh("平台")) is None
    assert short_answer(Asks.REGION, one, one.plain, _weigh("平台")) == "镇江"


def test_the_region_of_a_labelled_section_is_its_label() -> None:
    assert short_answer(Asks.REGION, SHANGHAI, "新建公园120座", _weigh("公园")) == "上海"


@given(st.text(alphabet="甲乙丙,、;。“”《》()120座新建公园", max_size=60))
def test_clauses_are_slices_and_a_quote_is_verbatim(text: str) -> None:
    for clause in split_clauses(text):
        assert text[clause.start : clause.end] == clause.text
    if text.strip():
        assert choose_quote(make_sentence(text), _weigh("公园")) in text


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("到2030年渔船全部换新。", "哪一年换完？", "2030年"),
        ("到2030年能耗比2021年下降17%。", "哪一年下降？", "2030年"),
        ("2030年、2031年分别换新。", "哪一年换完？", None),
        ("在2032年前完成改造。", "最晚哪一年完成？", "2032年前"),
        ("完成改造。", "最晚哪一年完成？", None),
        ("完成改造。", "哪一年完成？", "2033年"),
    ],
)
def test_a_year_is_the_one_that_the_words_state(text: str, question: str, answer: str | None) -> None:
    sentence = make_sentence(text, year=2033)
    assert short_answer(Asks.YEAR, sentence, text.rstrip("。"), _weigh("改造"), question) == answer


def test_a_comma_inside_a_number_cuts_no_clause() -> None:
    assert [clause.text for clause in split_clauses("投资1,200亿元,新建公园")] == ["投资1,200亿元", "新建公园"]


_PLAN = {"year": 2009, "part": Part.TASKS}


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("到明年底，西部地区建制村通公路。", "村子什么时候通公路?", "明年底"),
        ("今明两年，坚决打好攻坚战。", "攻坚战打到哪年?", "今明两年"),
        ("今后三年，西部地区建制村通公路。", "村子什么时候通公路?", None),
        ("到2020年，西部地区建制村通公路。", "村子什么时候通公路?", "2020年"),
        ("西部地区建制村通公路。", "村子什么时候通公路?", "2009年"),
        ("西部地区建制村通公路。", "要到哪一年村子通公路?", None),
        ("争取三年内村子通公路，中央财政安排资金。", "这是哪一年的安排?", "2009年"),
        ("8月底前村子通公路。", "村子几月通公路?", "8月底前"),
        ("村子通公路。", "村子几月通公路?", None),
        ("方案于2009年3月5日印发，村子通公路。", "方案哪天印发?", "2009年3月5日"),
    ],
)
def test_the_year_of_a_label_is_no_answer_where_the_words_say_another_time(
    text: str, question: str, answer: str | None
) -> None:
    sentence = make_sentence(text, **_PLAN)
    assert short_answer(Asks.YEAR, sentence, text.rstrip("。"), _weigh("村子", "通公路"), question) == answer


def test_what_a_plan_says_of_the_year_before_is_quoted_for_that_year_alone() -> None:
    sentence = make_sentence("年均浓度控制在31微克以内，2025年这一浓度为33微克。", year=2026, part=Part.TASKS)
    weighing = _weigh("年均", "浓度")
    said = {}
    for year in ("2025", "2026"):
        about = About(years=frozenset([year]))
        quote = choose_quote(sentence, weighing, asks=Asks.QUANTITY, question="浓度是多少?", about=about)
        said[year] = (quote, short_answer(Asks.QUANTITY, sentence, quote, weighing, "浓度是多少?", about))
    assert "33微克" in said["2025"][0]
    assert "31" not in said["2025"][0]
    assert "31微克" in said["2026"][0]


def test_a_note_behind_a_paragraph_is_not_quoted_with_what_follows_it() -> None:
    sentence = make_sentence("（省生态环境厅牵头，省财政厅配合）2丰富碳金融工具，发展碳期货。")
    assert "生态环境厅" not in choose_quote(sentence, _weigh("碳金融工具", "牵头"))
    plain = make_sentence("（试点城市）2丰富碳金融工具，发展碳期货。")
    assert "试点城市" in choose_quote(plain, _weigh("碳金融工具", "试点城市"))


def test_a_quote_does_not_end_before_what_it_opens_is_said() -> None:
    sentence = make_sentence("在东湖市发布的《节水规划》中,明确提出改造管网31公里,编制用水清单。")
    assert choose_quote(sentence, _weigh("东湖市", "节水规划")) == "在东湖市发布的《节水规划》中,明确提出改造管网31公里"


@pytest.mark.parametrize(
    ("text", "question", "answer"),
    [
        ("车辆应当在2025年12月31日之前登记。", "车辆应当在什么时候登记", "2025年12月31日之前"),
        ("车辆应当在2025年登记。", "车辆应当在什么时候登记", "2025年"),
        ("申报时间为9月1日至9月30日。", "什么时候申报", None),  # two ends, and no year of a label
        ("枢纽确保2027年底前投入运营。", "枢纽什么时候投入运营", "2027年底前"),
        ("2024年版指南同时废止。", "2024年版指南什么时候废止", None),  # the question's own year
    ],
)
def test_when_is_answered_by_the_whole_date_or_not_at_all(text: str, question: str, answer: str | None) -> None:
    sentence = make_sentence(text, year=2026)
    assert short_answer(Asks.YEAR, sentence, text.rstrip("。"), _weigh("登记"), question) == answer


@pytest.mark.parametrize(("text", "answer"), [("道路停车前30分钟免费。", None), ("道路停车泊位30个免费。", "30个")])
def test_a_figure_is_not_cut_from_its_unit(text: str, answer: str | None) -> None:
    assert short_answer(Asks.QUANTITY, make_sentence(text), text.rstrip("。"), _weigh("道路", "停车")) == answer


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("谁编制年度计划", "甲部是节能工作的归口部门，负责编制年度计划、统计数据"),
        ("编制年度计划有哪些要求", "负责编制年度计划、统计数据"),
    ],
)
def test_who_does_it_stands_in_the_quote_where_that_is_asked_for(question: str, quote: str) -> None:
    sentence = make_sentence("甲部是节能工作的归口部门，负责编制年度计划、统计数据，组织考核评比活动。")
    assert choose_quote(sentence, _weigh("编制", "年度计划"), items=True, question=question) == quote


@pytest.mark.parametrize(
    ("asks", "question", "plain", "answer"),
    [
        (Asks.QUANTITY, "两年培训了多少人", "两年内培训300人", "300人"),
        (Asks.QUANTITY, "培训300人用了几年", "培训300人", None),  # what the question states itself
        (Asks.YEAR, "隧道什么时候开工", "2026年启动隧道前期工作", "2026年"),
        (Asks.YEAR, "隧道什么时候开工", "2026年启动隧道前期工作,具体开工时间以批复为准", None),
    ],
)
def test_what_the_question_states_and_what_is_not_settled_is_no_short_answer(
    asks: Asks, question: str, plain: str, answer: str | None
) -> None:
    assert short_answer(asks, make_sentence(plain), plain, _weigh("培训", "隧道"), question) == answer


def test_the_place_that_a_question_names_is_no_answer_to_where() -> None:
    sentence = make_sentence("在三地启动园区建设", region="上海")
    weighed = _weigh("园区")
    assert short_answer(Asks.REGION, sentence, sentence.plain, weighed, "哪里启动园区建设") == "上海"
    assert short_answer(Asks.REGION, sentence, sentence.plain, weighed, "上海在哪三地启动园区建设") is None
