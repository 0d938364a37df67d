"""Comparisons of things that are no places and no years: a row for each side, from its own clause and no other."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.question.sides import split_sides
from tests.answer_fakes import FakeEngine
from tests.made_documents import BEIJING, NOWHERE, TASKS_2024, make_parsed
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.types import Labels, Part

_RULES = (
    "第一条 林区巡护分为昼间巡护和夜间巡护。\n"
    "第二条 瞒报火情的，给予记过处分。造成严重损失的，予以开除。\n"
    "第三条 擅自砍伐林木的，没收工具，处砍伐价值三倍罚款。\n"
    "第四条 面积200亩以上的苗圃，由林场场长审批。200亩以下的，由护林站自行决定。\n"
    "第五条 补助标准：正式护林员每人每月900元，临时护林员每人每月650元，其他人员每人每月300元。\n"
    "第六条 装有监控的林班火情发现率为93%，未装的为71%。\n"
    "第七条 获评省级示范苗圃的，一次性奖励40万元；获评县级示范苗圃的，一次性奖励8万元。\n"
    "第八条 省级示范林班由林场申报，国家级奖励66万元。\n"
    "第九条 冷杉苗和云杉苗的成活率分别达到88%和79%。"
)
_NORTH = Labels("吉林", 2024, Part.TASKS)


@pytest.fixture(scope="module")
def assistant() -> Assistant:
    plans = make_parsed(
        "b.txt",
        {
            BEIJING: "2024年新建口袋公园40个。",
            TASKS_2024: "2024年新建口袋公园60个。",
            _NORTH: "2024年新建滑雪公园70个。",
        },
    )
    index = MemoryIndex([make_parsed("a.txt", {NOWHERE: _RULES}), plans], open_embedder())
    return Assistant(index, READER, FakeEngine())


def _rows(assistant: Assistant, question: str) -> dict[str, str]:
    answer = assistant.ask(question)
    assert answer.refusal is None, answer.text
    cells = [line.strip("| ").split(" | ") for line in answer.text.splitlines() if line.startswith("| ")]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2 and cell[0] not in ("对象", "---")}


@pytest.mark.parametrize(
    ("question", "cells", "nowhere"),
    [
        ("瞒报火情和擅自砍伐林木，处罚有什么区别", ("记过", "三倍"), ()),
        ("正式护林员和临时护林员的补助差多少", ("900元", "650元"), ("300元",)),
        ("200亩以上的苗圃和200亩以下的，审批上有什么不同？", ("场长审批", "自行决定"), ()),
        ("有监控的林班和没有的，火情发现率差多少？", ("93%", "71%"), ()),
        ("省级示范苗圃和县级示范苗圃的奖励哪个多", ("40万元", "8万元"), ("66万元",)),
        ("冷杉苗和云杉苗的成活率差多少", ("88%", "79%"), ()),
    ],
)
def test_each_side_is_answered_by_its_own_clause(
    assistant: Assistant, question: str, cells: tuple[str, str], nowhere: tuple[str, ...]
) -> None:
    rows = list(_rows(assistant, question).values())
    assert len(rows) == 2
    for cell, said in zip(cells, rows, strict=True):
        assert said.split("。")[0].strip("“") == cell or cell in said
    assert not any(figure in said for figure in nowhere for said in rows)


def test_the_figures_of_two_sides_are_not_exchanged(assistant: Assistant) -> None:
    rows = _rows(assistant, "冷杉苗和云杉苗的成活率差多少")
    assert [said.split("。")[0] for said in rows.values()] == ["88%", "79%"]
    turned = _rows(assistant, "云杉苗和冷杉苗的成活率差多少")
    assert [said.split("。")[0] for said in turned.values()] == ["79%", "88%"]


def test_what_else_is_done_to_those_who_do_so_is_told_too(assistant: Assistant) -> None:
    rows = _rows(assistant, "瞒报火情和擅自砍伐林木，处罚有什么区别")
    assert "予以开除" in rows["瞒报火情"]
    assert "开除" not in rows["擅自砍伐林木"]


def test_a_side_that_the_documents_do_not_speak_of_is_said_to_be_missing(assistant: Assistant) -> None:
    rows = _rows(assistant, "瞒报火情和旷工迟到，处罚有什么区别")
    assert "记过" in rows["瞒报火情"]
    assert rows["旷工迟到"] == "资料未提及"


def test_the_figure_of_another_thing_with_the_same_adjective_is_none_of_a_side(assistant: Assistant) -> None:
    # 国家级 stands only beside 林班.
    rows = _rows(assistant, "国家级示范苗圃和县级示范苗圃的奖励差多少")
    assert rows["国家级示范苗圃"] == "资料未提及"
    assert "8万元" in rows["县级示范苗圃"]


@pytest.mark.parametrize("question", ["正式护林员和临时护林员的退休年龄有什么不同", "冷杉苗和云杉苗的株高差多少"])
def test_what_is_said_of_neither_side_is_refused(assistant: Assistant, question: str) -> None:
    assert assistant.ask(question).refusal is not None


def test_of_the_place_that_has_most_all_places_are_shown(assistant: Assistant) -> None:
    rows = _rows(assistant, "哪个省市2024年新建口袋公园最多？")
    assert "40个" in rows["北京2024年"]
    assert "60个" in rows["上海2024年"]
    assert rows["吉林2024年"] == "资料未提及"  # 滑雪公园 are something else


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("甲类库和乙类库的间距差多少", ("甲类库", "乙类库")),
        ("在考核上,防汛和抗旱有什么不1样", ("防汛", "抗旱")),
        ("比较1下岸电和油机的费用", ("岸电", "油机")),
        ("拆解废物没通过验收和没有执照,处罚有什么区别", ("没通过验收", "没有执照")),
    ],
)
def test_a_question_is_cut_into_its_sides(question: str, sides: tuple[str, ...]) -> None:
    found = split_sides(question)
    assert found is not None
    assert tuple(side.name for side in found.sides) == sides


@pytest.mark.parametrize(
    "question",
    ["谁带头大幅精简会议、压减文件", "新建公园和绿地多少公顷", "标准差是什么意思", "名录和临时名录有什么区别"],
)
def test_what_sets_nothing_side_by_side_has_no_sides(question: str) -> None:
    assert split_sides(question) is None


def test_a_sentence_that_only_lists_the_sides_tells_none_of_them() -> None:
    text = "统筹推进红松林场、白桦林场和云杉林场防火建设。\n红松林场防火以巡护为主。\n云杉林场防火以瞭望塔为主。"
    index = MemoryIndex([make_parsed("a.txt", {NOWHERE: text})], open_embedder())
    rows = _rows(Assistant(index, READER, FakeEngine()), "红松林场、白桦林场和云杉林场的防火有什么不同")
    assert "巡护" in rows["红松林场"]
    assert "瞭望塔" in rows["云杉林场"]
    assert rows["白桦林场"] == "资料未提及"


def test_what_is_told_of_several_years_says_of_which_one_it_is() -> None:
    text = "中央林业补助{}万元。地方林业补助{}万元。"
    sections = {Labels(None, 2021): text.format(30, 20), Labels(None, 2022): text.format(50, 40)}
    index = MemoryIndex([make_parsed("a.txt", sections)], open_embedder())
    rows = _rows(Assistant(index, READER, FakeEngine()), "中央和地方的林业补助差多少")
    assert len(rows) == 2
    years = {name[name.index("（") :] for name in rows}
    assert len(years) == 1  # and never the one of one year beside the other of another
    figures = [said.split("。")[0] for said in rows.values()]
    assert figures in (["30万元", "20万元"], ["50万元", "40万元"])


_GROWTH = (
    "全年公路货运量2.41亿吨，下降1.9%；铁路货运量4860万吨，增长8.7%。\n"
    "矿业型城市的垃圾利用率三年提高了9.2个百分点，而综合型城市只提高了3.5个百分点。\n"
    "全年新建候车亭430座，加装坡道的轨道交通车站达到168座。全年轨道交通客运量6.5亿人次。\n"
    "以立法禁用塑料袋，一年后塑料袋使用量下降约四成。\n"
    "对餐饮单位实行油烟在线监测，油烟投诉减少了17%。\n"
    "南库和北库蓄水合计412万立方米，其中南库蓄水276万立方米，下降3.1%；北库蓄水136万立方米，下降10.9%。"
)


@pytest.fixture(scope="module")
def growth() -> Assistant:
    return Assistant(MemoryIndex([make_parsed("a.txt", {NOWHERE: _GROWTH})], open_embedder()), READER, FakeEngine())


@pytest.mark.parametrize(
    ("question", "cells"),
    [
        ("公路和铁路货运量哪个大", ("2.41亿吨", "4860万吨")),
        ("公路和铁路的货运量增速，哪个快", ("1.9%", "8.7%")),
        ("南库和北库蓄水哪个多", ("276万立方米", "136万立方米")),
        ("南库和北库蓄水哪个降得多", ("3.1%", "10.9%")),
        ("矿业型城市和综合型城市，垃圾利用率三年里哪个涨得多？", ("9.2个百分点", "3.5个百分点")),
    ],
)
def test_the_figures_of_both_sides_are_of_the_measure_that_is_asked_for(
    growth: Assistant, question: str, cells: tuple[str, str]
) -> None:
    rows = list(_rows(growth, question).values())
    assert [cell.partition("。")[0] for cell in rows] == list(cells)


def test_what_came_of_two_measures_is_told_by_the_change_that_each_brought(growth: Assistant) -> None:
    rows = list(_rows(growth, "立法禁用塑料袋和油烟在线监测，这两种办法效果分别如何？").values())
    assert "约四成" in rows[0]
    assert "17%" in rows[1]


def test_a_figure_of_stations_is_none_of_passengers(growth: Assistant) -> None:
    text = growth.ask("轨道交通和公交的客运量，哪个多").text
    assert "168座" not in text
    assert "430座" not in text


_CITIES = (
    "松江、柳河两市列为试点，全省建成加氢站713座。\n林权贷款余额达到274亿元，松江市率先办理了质押。\n"
    "松江市新建口袋公园30个，柳河市新建口袋公园20个。"
)


@pytest.mark.parametrize(("question", "figure"), [("加氢站", "713座"), ("林权贷款余额", "274亿元")])
def test_what_a_province_has_in_all_is_said_of_none_of_its_cities(question: str, figure: str) -> None:
    text = _CITIES.replace("松江", "合肥").replace("柳河", "芜湖")
    parsed = make_parsed("a.txt", {Labels("安徽", None): text}, places=("合肥", "芜湖"))
    cities = Assistant(MemoryIndex([parsed], open_embedder()), READER, FakeEngine())
    assert figure not in cities.ask(f"合肥和芜湖哪个{question}多").text
    assert "30个" in cities.ask("合肥和芜湖哪个新建口袋公园多").text
