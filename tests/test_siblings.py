"""Quotes that tell of the sibling of what was asked: pairs of questions that differ in one thing."""

from __future__ import annotations

import pytest

from assistant.finding.siblings import is_of_sibling
from assistant.types import Asks, Kind, Question
from vectorstore.types import Scope


def _ask(text: str, asks: Asks = Asks.QUANTITY, terms: tuple[str, ...] = ()) -> Question:
    return Question(text, text, Kind.FACT, asks, Scope(), terms, focus=text)


@pytest.mark.parametrize(
    ("asked", "quote", "sibling"),
    [
        ("已建泵房噪声不超过多少分贝", "对新建泵房，要求噪声不超过40分贝", True),
        ("新建泵房噪声不超过多少分贝", "对新建泵房，要求噪声不超过40分贝", False),
        ("大型货船多少艘", "小型货船300艘", True),
        ("小型货船多少艘", "小型货船300艘", False),
        ("蓝色预警后多少小时内到岗", "发布红色预警的，2小时内到岗", True),
        ("红色预警后多少小时内到岗", "发布红色预警的，2小时内到岗", False),
        ("三级企业票价下浮多少", "评为“一级”的企业，票价下浮5%", True),
        ("一级企业票价下浮多少", "评为“一级”的企业，票价下浮5%", False),
        ("一级企业票价上浮多少", "评为“一级”的企业，票价下浮5%", True),
        ("国际航班旅客多少人次", "航班旅客900万人次", True),
        ("航班旅客多少人次", "航班旅客900万人次", False),
        ("已完成投资多少", "计划总投资80亿元", True),
        ("计划投资多少", "计划总投资80亿元", False),
        ("苹果产量是多少", "苹果和柑橘产量30万吨", True),
        ("苹果和柑橘产量是多少", "苹果和柑橘产量30万吨", False),
        ("苹果产量是多少", "苹果和柑橘产量分别为30万吨、20万吨", False),
        ("大风天数有多少天", "大风天数比上年减少2天", True),
        ("大风天数减少多少天", "大风天数比上年减少2天", False),
        ("国三货车多少辆", "国四货车300辆", True),
        ("国三货车多少辆", "国三货车300辆", False),
        ("公路货运占比目标", "水路货运占比达到22%，铁路货运占比达到9%", True),
        ("铁路货运占比目标", "水路货运占比达到22%，铁路货运占比达到9%", False),
        ("西半湖水温多少度", "东半湖水温12度", True),
        ("东半湖水温多少度", "东半湖水温12度", False),
        ("风电装机多少", "新增光伏装机90万千瓦", True),
        ("光伏装机多少", "新增光伏装机90万千瓦", False),
        ("加氢站多少座", "建成充电站20座", True),
        ("充电站多少座", "建成充电站20座", False),
        ("多少个学校公布了危房清单", "25个学校制定了危房方案", True),
        ("多少个学校制定了危房方案", "25个学校制定了危房方案", False),
        ("学校多少个", "40个乡镇建成学校", True),
        ("多少个乡镇建成学校", "40个乡镇建成学校", False),
    ],
)
def test_a_figure_of_the_sibling_is_told_from_that_of_the_thing(asked: str, quote: str, *, sibling: bool) -> None:
    terms = tuple(word for word in ("学校", "乡镇") if word in asked)
    assert is_of_sibling(_ask(asked, terms=terms), quote) is sibling


@pytest.mark.parametrize(
    ("asked", "quote", "sibling"),
    [
        ("影响最显著的因素是什么", "规模大小没有显著影响", True),
        ("影响最显著的因素是什么", "影响最显著的是水温", False),
        ("没有显著影响的因素是什么", "规模大小没有显著影响", False),
        ("规模有显著影响吗", "规模大小没有显著影响", False),
        ("试用期多久", "试用期间共发放3000元", True),
        ("试用期多久", "试用期为三个月", False),
    ],
)
def test_what_is_denied_and_what_gives_no_time_is_no_answer(asked: str, quote: str, *, sibling: bool) -> None:
    assert is_of_sibling(_ask(asked, Asks.OTHER), quote) is sibling


@pytest.mark.parametrize(
    ("asked", "quote", "sibling"),
    [
        ("哪年碳达峰", "实施碳达峰十大行动", True),
        ("哪年碳达峰", "2030年前实现碳达峰", False),
        ("苹果哪年卖得最多", "卖出苹果30万吨", True),
        ("苹果哪年卖得最多", "苹果销量创历史新高", False),
        ("试点哪年开始", "深化试点", True),
        ("试点哪年开始", "自2010年以来开展试点", False),
    ],
)
def test_a_year_is_that_of_the_stage_that_is_asked_for(asked: str, quote: str, *, sibling: bool) -> None:
    assert is_of_sibling(_ask(asked, Asks.YEAR), quote) is sibling
