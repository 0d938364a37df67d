"""Facts, years, lists and suppositions in documents of an invented county: pairs of questions that differ in one thing."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.answering.chosen import keep_counted
from assistant.finding.denied import find_excluded
from assistant.finding.siblings import is_of_another_kind
from assistant.finding.unspoken import is_of_another_compound, speaks_of_another
from assistant.question.longer import drop_beginnings
from assistant.question.places import find_mentions
from assistant.question.understand import Corpus, read_question
from assistant.question.weigh import Term, Weighing
from assistant.reading.clauses import split_clauses
from assistant.reading.continued import end_of_naming
from assistant.reading.expect import holds_answer, is_reached
from assistant.reading.reasons import asks_why, gives_reason
from assistant.reading.stated import opens_with_year_before, tells_year_before
from assistant.types import Answer, Asks, Passage, Refusal
from tests.answer_fakes import FakeEngine
from tests.made_documents import read_text
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.normalize import normalize

_TEXT = (
    "清禾县2025年农业工作总结\n\n一、灌溉\n\n"
    "新建提水泵站4座，分别在柳坝镇、石门乡、双桥镇、南屏乡，总投资860万元。灌溉水有效利用系数由0.53提高到0.56。"
    "水费收缴率91.4%，2024年为88.2%。县级财政投入3200万元（2024年为2750万元）。\n\n"
    "二、机具\n\n拖拉机和收割机三年累计更新640台，其中2024年150台、2025年220台、2026年270台。"
    "未安装尾气净化装置的拖拉机，自2026年3月1日起不得进入芦荡湿地作业。"
    "农机合作社不得向社员收取停放费，维修费按成本结算。大型农场和集体农场不适用本补贴办法，由省级农垦专项资金支持。"
    "小型农场购机补贴每台最高4万元。\n\n"
    "三、防灾\n\n原铜陵采石场自9月1日起停止爆破。双桥镇推行夜间巡查，因有村民反映扰民，8月起改为只查路口。"
    "农户可以拨打农技热线报告虫情，县农技站自收到报告之日起3个工作日内回复。"
    "全县农机报废专项资金1200万元，由柳坝、石门两镇先行试点。"
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> MemoryIndex:
    return MemoryIndex([read_text(_TEXT, tmp_path_factory.mktemp("documents"))], open_embedder())


@pytest.fixture(scope="module")
def assistant(index: MemoryIndex) -> Assistant:
    return Assistant(index, READER, FakeEngine())


def _ask(assistant: Assistant, question: str) -> Answer:
    return assistant.ask(question)


@pytest.mark.parametrize(
    ("text", "normal"), [("2025、2026三年", "2025、2026三年"), ("三年", "3年"), ("这两年", "这2年")]
)
def test_a_numeral_behind_a_year_stays_apart_from_it(text: str, normal: str) -> None:
    assert normalize(text) == normal


@pytest.mark.parametrize(
    ("question", "years"),
    [
        ("规划第10年做什么", set()),
        ("规划10年做什么", {2010}),
        ("连续10年增长的是什么", set()),
        ("2024、2025、2026三年各多少台", {2024, 2025, 2026}),
    ],
)
def test_a_year_that_is_counted_is_none_of_the_calendar(question: str, years: set[int]) -> None:
    assert read_question(question, question, Corpus()).scope.years == years


def test_the_year_of_a_beginning_is_no_word_that_is_looked_for() -> None:
    assert "起" not in read_question("", "湿地从2026年起哪些拖拉机不能进", Corpus()).terms
    assert "起重机" in read_question("", "2026年起重机有哪些", Corpus()).terms


def test_each_of_three_years_has_its_row(assistant: Assistant) -> None:
    text = _ask(assistant, "2024、2025、2026三年拖拉机和收割机各更新多少台？").text
    assert all(figure in text for figure in ("150台", "220台", "270台"))


def test_a_list_of_a_year_is_told_by_the_sentence_that_states_the_year(assistant: Assistant) -> None:
    assert "尾气净化" in _ask(assistant, "芦荡湿地从2026年起哪些拖拉机不能进").text
    assert _ask(assistant, "芦荡湿地从2027年起哪些拖拉机不能进").refusal is Refusal.OTHER_YEAR


@pytest.mark.parametrize(
    ("question", "text", "places"),
    [
        ("铜陵采石场何时停产", "原铜陵采石场停产", 0),
        ("铜陵何时停产", "原铜陵采石场停产", 1),
        ("铜陵采石场何时停产", "铜陵采石场停产，铜陵市通报", 1),
        ("铜陵的采石场何时停产", "原铜陵采石场停产", 1),
    ],
)
def test_a_city_is_not_meant_where_the_documents_only_have_a_longer_name(question: str, text: str, places: int) -> None:
    assert len(drop_beginnings(find_mentions(question), question, [text])) == places


def test_what_has_a_citys_name_is_found_in_the_county(assistant: Assistant) -> None:
    assert "9月1日" in _ask(assistant, "铜陵采石场什么时候停止爆破").text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("新建泵站4座，分别在柳坝镇、石门乡，投资860万元", 2),
        ("新建泵站4座，分别投资100万元、200万元", 0),
        ("新建泵站4座，改造渠道", 0),
    ],
)
def test_what_is_counted_is_named_in_the_next_clause(text: str, end: int) -> None:
    assert end_of_naming(split_clauses(text), 0) == end


def test_where_things_are_is_quoted_to_the_last_of_them(assistant: Assistant) -> None:
    text = _ask(assistant, "新建的四座提水泵站都在哪").text
    assert all(place in text for place in ("柳坝镇", "石门乡", "双桥镇", "南屏乡"))
    assert "柳坝镇" not in _ask(assistant, "新建提水泵站多少座").text


@pytest.mark.parametrize(
    ("text", "gives"),
    [("因有村民反映扰民，改为", True), ("因地制宜", False), ("原因是地势高", True), ("推行巡查", False)],
)
def test_a_reason_is_told_by_the_words_for_it(text: str, gives: bool) -> None:
    assert gives_reason(text) is gives


def test_why_is_answered_with_the_reason(assistant: Assistant) -> None:
    assert asks_why("为什么改了") and not asks_why("怎么改的")
    assert "扰民" in _ask(assistant, "双桥镇的夜间巡查为什么改了做法").text


@pytest.mark.parametrize(
    ("text", "label", "tells"),
    [
        ("普及率由81%提高到87%。", 2025, True),
        ("普及率由81%提高到87%。", 2024, False),
        ("五年来普及率由81%提高到87%。", 2025, False),
        ("普及率由2020年的81%提高到87%。", 2025, False),
        ("投入3200万元（2024年为2750万元）。", 2025, True),
        ("投入3200万元（2023年为2750万元）。", 2025, False),
    ],
)
def test_the_figure_of_the_year_before_may_stand_beside_this_ones(text: str, label: int, tells: bool) -> None:
    assert tells_year_before(make_sentence(text, year=label), frozenset([2024])) is tells


def test_a_figure_that_is_only_beside_is_no_short_answer(assistant: Assistant) -> None:
    nearest = _ask(assistant, "清禾县2024年县级财政投入多少").text
    assert "2750万元" in nearest
    assert not nearest.startswith(("3200万元", "2750万元"))
    assert _ask(assistant, "清禾县2023年县级财政投入多少").refusal is not None


def test_a_clause_with_a_year_and_a_figure_alone_says_not_of_what(assistant: Assistant) -> None:
    assert opens_with_year_before("2024年为88.2%") and not opens_with_year_before("2024年收缴率为88.2%")
    assert "水费收缴率91.4%，2024年为88.2%" in _ask(assistant, "清禾县2024年水费收缴率是多少").text


def test_what_is_taken_for_granted_is_answered_by_what_forbids_it(assistant: Assistant) -> None:
    assert "不得向社员收取停放费" in _ask(assistant, "合作社可以向社员收停放费，一台收多少？").text
    assert "不得" not in _ask(assistant, "小型农场可以申请购机补贴，每台最高多少？").text


def test_whom_a_rule_leaves_out_is_told_by_that(assistant: Assistant, index: MemoryIndex) -> None:
    assert "不适用" in _ask(assistant, "集体农场购机补贴每台最高多少").text
    assert "不适用" not in _ask(assistant, "小型农场购机补贴每台最高多少").text
    own = read_question("", "小型农场购机补贴每台最高多少", Corpus())
    assert find_excluded(own, index, Weighing((Term("小型农场", 1.0), Term("购机补贴", 1.0)))) is None


@pytest.mark.parametrize(
    ("question", "text", "reached"),
    [
        ("农技热线号码是多少", "可以拨打农技热线，3个工作日内回复。", False),
        ("农技热线号码是多少", "农技热线0575-8123456。", True),
        ("投诉打什么电话", "请拨打12316。", True),
        ("农技热线号码是多少", "热线受理12316件。", False),
        ("农技热线受理多少件", "热线受理12件。", True),
    ],
)
def test_a_number_to_be_dialled_is_no_amount(question: str, text: str, reached: bool) -> None:
    assert is_reached(question, text) is reached
    assert holds_answer(Asks.QUANTITY, text, question) is reached


def test_no_amount_is_shown_for_a_number_to_be_dialled(assistant: Assistant) -> None:
    assert _ask(assistant, "农技热线号码是多少").refusal is Refusal.NOT_IN_CORPUS
    assert "3个工作日" in _ask(assistant, "农技热线收到虫情报告后几个工作日内回复").text


@pytest.mark.parametrize(
    ("question", "other"), [("柳坝镇分到多少资金", False), ("南屏乡分到多少资金", True), ("企业上市多少家", False)]
)
def test_a_sum_of_all_is_not_that_of_a_place_that_it_leaves_out(index: MemoryIndex, question: str, other: bool) -> None:
    sentence = next(s for s in index.sentences if "专项资金1200万元" in s.plain)
    assert speaks_of_another(read_question("", question, Corpus()), sentence, index) is other


@pytest.mark.parametrize(
    ("question", "other"), [("怎么应对美国的关税", True), ("怎么应对欧盟的关税", False), ("怎么应对关税", False)]
)
def test_what_concerns_one_country_says_nothing_of_another(index: MemoryIndex, question: str, other: bool) -> None:
    sentence = make_sentence("积极应对欧盟碳边境调节机制。")
    assert speaks_of_another(read_question("", question, Corpus()), sentence, index) is other


@pytest.mark.parametrize(
    ("text", "other"), [("汽车以旧换新补贴。", True), ("消费品以旧换新补贴。", False), ("电视机以旧换新补贴。", False)]
)
def test_the_end_of_a_name_behind_another_noun_is_another_thing(text: str, other: bool) -> None:
    question = read_question("", "电视机以旧换新补贴吗", Corpus())
    weighing = Weighing((Term("电视机", 1.0, known=False), Term("以旧换新", 1.0)))
    assert is_of_another_compound(question, text, weighing) is other


@pytest.mark.parametrize(
    ("asked", "other"), [("大中型企业不良率", True), ("小型企业不良率", False), ("企业不良率", False)]
)
def test_small_firms_are_neither_large_nor_middle_sized(asked: str, other: bool) -> None:
    assert is_of_another_kind(asked, "小微企业贷款不良率0.9%") is other


def test_of_a_stated_number_only_what_counts_as_many_is_told() -> None:
    texts = ("甲、乙等25个城市出台了规划。", "丙等24个城市出台了办法。", "丁市出台了规划。")
    passages = [Passage(n, make_sentence(text, start=100 * n), 1.0, 1.0) for n, text in enumerate(texts)]
    assert keep_counted("哪25个城市出台了规划", passages) == passages[:1]
    assert keep_counted("哪些城市出台了规划", passages) == []
