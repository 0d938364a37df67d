"""Understanding: what a question names, what it wants, and when it goes on from the one before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputInvalid
from assistant.question.follow import understand, understand_as_follow_up
from assistant.question.understand import MAX_CHARACTERS, Corpus, clean
from assistant.types import Asks, Kind, Question, Role, Turn
from vectorstore.types import Part

CORPUS = Corpus(2024, (("北京和上海的任务", "a.txt"),))


def _read(text: str, *before: str) -> Question:
    return understand(text, [Turn(Role.USER, b) for b in before], CORPUS)


@pytest.mark.parametrize(
    ("text", "regions", "years"),
    [
        ("上海2024年要新建多少公共充电桩？", {"上海"}, {2024}),
        ("沪今年要建几座公园", {"上海"}, {2024}),
        ("魔都去年新增了多少森林", {"上海"}, {2023}),
        ("首都二〇二四年的可再生能源消费占比提高多少", {"北京"}, {2024}),
        ("上海和江蘇24年的任務", {"上海", "江苏"}, {2024}),
        ("京津冀协同发展怎么推进", set(), set()),
        ("广东省2024年的任务是什么？", {"广东"}, {2024}),
    ],
)
def test_places_and_years_are_found_under_all_their_names(text: str, regions: set[str], years: set[int]) -> None:
    scope = _read(text).scope
    assert (set(scope.regions), set(scope.years)) == (regions, years)


def test_a_city_keeps_its_province() -> None:
    scope = _read("镇江的碳普惠平台叫什么？").scope
    assert (set(scope.places), set(scope.regions)) == ({"镇江"}, {"江苏"})


def test_a_place_inside_what_is_asked_for_does_not_narrow_the_search() -> None:
    assert not _read("哪个城市推动第三条入津特高压通道开工？").scope.regions


@pytest.mark.parametrize(
    ("text", "kind", "asks"),
    [
        ("上海2024年要新建多少公共充电桩？", Kind.FACT, Asks.QUANTITY),
        ("哪个城市要建零碳园区？", Kind.FACT, Asks.REGION),
        ("镇江的碳普惠平台叫什么？", Kind.FACT, Asks.NAME),
        ("上海在节能方面有哪些做法？", Kind.LIST, Asks.OTHER),
        ("总结一下江苏2024年的重点工作", Kind.SUMMARY, Asks.OTHER),
        ("比较北京和上海的绿色建筑目标", Kind.COMPARE, Asks.OTHER),
        ("北京是否支持绿色交易所建设？", Kind.YES_NO, Asks.OTHER),
        ("上海2024年的落户办法和以前有什么不一样", Kind.FACT, Asks.OTHER),
        ("上海和北京的落户办法有什么不一样", Kind.COMPARE, Asks.OTHER),
        ("2024年各地的落户办法有什么不同", Kind.COMPARE, Asks.OTHER),
        ("你好", Kind.NONE, Asks.OTHER),
        ("写一首关于春天的诗", Kind.NONE, Asks.OTHER),
        ("1+1等于几", Kind.NONE, Asks.QUANTITY),
        ("资料库里有哪些文件？", Kind.CORPUS, Asks.OTHER),
    ],
)
def test_what_a_question_wants_is_told_from_its_words(text: str, kind: Kind, asks: Asks) -> None:
    question = _read(text)
    assert (question.kind, question.asks) == (kind, asks)


def test_telling_words_are_without_places_years_and_question_words() -> None:
    terms = _read("请问上海2024年要新建多少公共充电桩？").terms
    assert any("充电桩" in term for term in terms)
    assert not {"上海", "2024", "多少", "请问", "年"} & set(terms)


def test_a_title_in_quotation_marks_is_the_document_and_not_its_places() -> None:
    scope = _read("《北京和上海的任务》主要讲了什么？").scope
    assert (set(scope.sources), set(scope.regions)) == ({"a.txt"}, set())


def test_part_is_read_only_where_no_year_says_it_already() -> None:
    assert _read("上海计划新建多少公园").scope.part is Part.TASKS
    assert _read("上海完成了哪些绿化").scope.part is Part.REVIEW
    assert _read("上海2024年计划新建多少公园").scope.part is None


@pytest.mark.parametrize(
    ("before", "text", "standalone"),
    [
        ("上海2024年要新建多少公共充电桩？", "那公园呢？", "上海2024年要新建多少公园?"),
        ("上海2024年要新建多少公共充电桩？", "那北京呢？", "北京2024年要新建多少公共充电桩?"),
        ("上海2023年新增森林多少亩？", "那2024年呢？", "上海2024年新增森林多少亩?"),
        ("上海2023年新增森林多少亩？", "去年呢", "上海2023年新增森林多少亩?"),
        ("天津2024年有哪些任务？", "其中要新创建多少家绿色制造单位？", "天津2024年要新创建多少家绿色制造单位?"),
        ("上海2024年要新建多少公园？", "换成2023年呢", "上海2023年要新建多少公园?"),
        ("上海2024年铁路货运量是多少？", "水路呢", "上海2024年水路货运量多少?"),
        ("上海2024年铁路货运量是多少？", "客运量呢", "上海2024年客运量多少?"),
        ("2019年中央的赤字是多少？", "要是换成2014年，中央这一块是多少", "2014年中央的赤字是多少?"),
        ("洱海流域今年要修什么？", "抚仙湖呢？", "抚仙湖今年要修什么?"),
        ("2020年广东服务业的比重目标？", "战略性新兴产业呢？", "2020年广东战略性新兴产业的比重目标?"),
        ("天津的合同节水做了多少家单位？", "谁来出这笔钱？", "天津合同节水单位,谁来出这笔钱?"),
        ("2023年小学生人均公用经费提高到多少？", "初中的呢？", "2023年初中人均公用经费提高到多少?"),
        ("2024年要改造多少棚户区住房？", "整个十四五期间呢？", "十四五期间要改造多少棚户区住房?"),
        ("2023年底高速铁路有多长？", "它占全世界的多少？", "2023年高速铁路占全世界的多少?"),
        ("2023年医改有什么安排？", "一共要花多少钱？", "2023年医改,一共要花多少钱?"),
        ("2023年医改有什么安排？", "其中中央出多少？", "2023年医改,中央出多少?"),
        ("2023年中央三农投入多少？", "比上年多了多少？", "2023年中央三农投入,比上年多了多少?"),
        ("广西2022年港口吞吐了多少标箱？", "2023年的目标是多少", "广西2023年港口吞吐了多少标箱?"),
        ("2023年工程机械排了多少氮氧化物？", "农业机械呢？", "2023年农业机械排了多少氮氧化物?"),
        ("2023年民航飞机排了多少氮氧化物？", "换成颗粒物是多少", "2023年民航飞机排了多少颗粒物?"),
        ("福建今年优良天数的目标是多少", "重庆呢，是怎么定的", "重庆今年优良天数的目标是多少"),
        ("苏州围绕哪些方向攻关？", "奖励多少？", "苏州奖励多少?"),
        ("江苏生态园林城市有多少个？", "上海有吗？", "上海生态园林城市有多少个?"),
        ("江苏生态园林城市有多少？", "海绵城市呢？", "江苏海绵城市多少?"),  # the place stood before the noun
        ("天津的合同节水做了多少家单位？", "多久能回本？", "多久能回本？"),  # nothing says that it goes on
    ],
)
def test_a_follow_up_is_made_complete(before: str, text: str, standalone: str) -> None:
    assert _read(text, before).standalone == standalone


@pytest.mark.parametrize(
    "text",
    ["北京2024年的可再生能源消费占比提高多少？", "江苏2023年有多少个国家级海绵城市？", "你好", "镇江的平台叫什么？"],
)
def test_a_question_that_stands_alone_is_never_rewritten(text: str) -> None:
    assert _read(text, "上海2024年要新建多少公共充电桩？").standalone == text


def test_a_follow_up_of_a_follow_up_keeps_the_place_and_the_year() -> None:
    question = _read("那绿地呢？", "上海2024年要新建多少公共充电桩？", "那公园呢？")
    assert (set(question.scope.regions), set(question.scope.years)) == ({"上海"}, {2024})


def test_the_year_of_the_first_question_lasts_over_one_that_names_only_the_year_before() -> None:
    question = _read("其中买农机的补贴安排了多少", "2009年三农投入多少？", "比上年多了多少？")
    assert set(question.scope.years) == {2009}
    assert set(_read("2016年买农机的补贴安排了多少", "2009年三农投入多少？").scope.years) == {2016}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("物价涨幅控制线：2019年和2023年哪个定得松？", {"物价", "涨幅"}),
        ("登记失业率上限，2019年跟2023年差多少", {"登记失业率"}),
        ("2019年与2023年的赤字，各定多少？", {"赤字"}),
        ("山东跟广西，2023年谁要建的充电桩多？", {"充电桩"}),
    ],
)
def test_figures_of_two_years_or_places_are_compared_and_the_words_that_compare_are_no_subject(
    text: str, terms: set[str]
) -> None:
    question = _read(text)
    assert (question.kind, question.asks) == (Kind.COMPARE, Asks.QUANTITY)
    assert {piece for term in question.terms for piece in terms if piece in term} == terms
    assert not any(word in term for term in question.terms for word in ("定", "松", "差", "上限", "控制", "多"))


def test_which_of_one_place_has_more_is_no_comparison() -> None:
    assert _read("山东2023年谁要建的充电桩多？").kind is not Kind.COMPARE


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("“工匠精神”出现在哪一年的报告里？", Asks.YEAR),
        ("“工匠精神”出现在哪个城市的报告里？", Asks.REGION),
        ("实施方案最晚几号交？", Asks.YEAR),
    ],
)
def test_where_in_time_is_no_place(text: str, asks: Asks) -> None:
    assert _read(text).asks is asks


def test_a_name_in_quotation_marks_is_one_word() -> None:
    assert "工匠精神" in _read("“工匠精神”出现在哪一年的报告里？").terms


def test_what_the_assistant_said_is_not_taken_for_a_question() -> None:
    history = [Turn(Role.USER, "上海2024年要新建多少公园？"), Turn(Role.ASSISTANT, "北京2023年的任务。")]
    assert understand("那绿地呢？", history, CORPUS).scope.regions == {"上海"}


def test_a_question_that_nothing_marks_may_be_read_as_going_on_about_the_same_place() -> None:
    history = [Turn(Role.USER, "绍兴成立了什么机构？")]
    again = understand_as_follow_up("从各部门抽了多少人过去？", history, CORPUS)
    assert again is not None
    assert (again.standalone, set(again.scope.places)) == ("绍兴从各部门抽了多少人过去?", {"绍兴"})
    assert understand_as_follow_up("北京抽了多少人？", history, CORPUS) is None
    assert understand_as_follow_up("从各部门抽了多少人过去？", [], CORPUS) is None


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("云南2025年的造林比上一年多吗？", {2024, 2025}),
        ("今年的造林比去年多吗？", {2023, 2024}),
        ("云南的造林比上年多吗？", {2023}),
        ("云南2025年的造林比上年多了多少？", {2025}),
        ("云南的造林比上年多了多少？", set()),
    ],
)
def test_the_year_before_is_the_one_before_the_year_that_is_named(text: str, years: set[int]) -> None:
    assert set(_read(text).scope.years) == years


@pytest.mark.parametrize("text", ["", "   ", "\u200b\n"])
def test_an_empty_question_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InputInvalid, match="空"):
        clean(text)


def test_a_question_beyond_the_limit_is_refused_with_both_numbers() -> None:
    with pytest.raises(InputInvalid, match=f"{MAX_CHARACTERS}"):
        clean("长" * (MAX_CHARACTERS + 1))


@given(st.text(max_size=200))
def test_no_text_breaks_understanding(text: str) -> None:
    try:
        question = _read(text, "上海2024年要新建多少公园？")
    except InputInvalid:
        return
    assert question.text and question.standalone
