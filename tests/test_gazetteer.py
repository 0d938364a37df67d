"""gazetteer: all divisions are there, mentions are exact, and words that only look like places are not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.gazetteer import Gazetteer

GAZETTEER = Gazetteer.load()
# Prefecture-level divisions per province, as the ministry of civil affairs counts them.
PREFECTURES = {
    "河北": 11, "山西": 11, "内蒙古": 12, "辽宁": 14, "吉林": 9, "黑龙江": 13, "江苏": 13, "浙江": 11, "安徽": 16,
    "福建": 9, "江西": 11, "山东": 16, "河南": 17, "湖北": 13, "湖南": 14, "广东": 21, "广西": 14, "海南": 4, "四川": 21,
    "贵州": 9, "云南": 16, "西藏": 7, "陕西": 10, "甘肃": 14, "青海": 8, "宁夏": 5, "新疆": 14,
}  # fmt: skip

PROVINCES = [*PREFECTURES, "北京", "天津", "上海", "重庆", "台湾", "香港", "澳门"]


def names(text: str, *, aliases: bool = False) -> list[tuple[str, str]]:
    return [(m.place.name, m.place.province) for m in GAZETTEER.find_places(text, aliases=aliases)]


def provinces(text: str, *, aliases: bool = False) -> list[str]:
    return [m.place.province for m in GAZETTEER.find_places(text, aliases=aliases)]


def test_all_province_level_divisions_are_found_by_their_names() -> None:
    assert len(PROVINCES) == 34
    for province in PROVINCES:
        assert provinces(province) == [province]
        assert GAZETTEER.province_of(province) == province


def test_every_province_has_all_its_prefectures() -> None:
    for province, count in PREFECTURES.items():
        inside = GAZETTEER.places_in(province)
        prefectures = {
            m.place.name
            for name in inside
            for form in (name, name + "市", name + "地区", name + "盟", name + "州")
            for m in GAZETTEER.find_places(form)
            if m.place.level == "prefecture" and m.place.province == province
        }
        ambiguous = {name for name in inside if GAZETTEER.is_ambiguous(name)}
        assert count - len(ambiguous) <= len(prefectures) <= count, province
    assert sum(PREFECTURES.values()) == 333


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("江苏省南京市、镇江市等10个城市", [("江苏", "江苏"), ("南京", "江苏"), ("镇江", "江苏")]),
        ("延边朝鲜族自治州", [("延边", "吉林")]),
        ("吉林省吉林市", [("吉林", "吉林"), ("吉林市", "吉林")]),
        ("崇明与滨海新区", [("崇明", "上海"), ("滨海新区", "天津")]),
        ("北京朝阳、辽宁朝阳市", [("北京", "北京"), ("辽宁", "辽宁"), ("朝阳市", "辽宁")]),
        ("羊城与蓉城", [("广州", "广东"), ("成都", "四川")]),
        ("以新时代首都发展为统领", [("北京", "北京")]),
    ],
)
def test_names_full_names_and_other_names_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert names(text) == expected


@pytest.mark.parametrize(
    ("mentioned", "not_mentioned"),
    [
        ("海口港扩建", "建设出海口"),
        ("中山市发布办法", "纪念孙中山"),
        ("长治市转型", "实现长治久安"),
        ("成都市环城公园", "形成都市圈发展格局"),
        ("海南自由贸易港", "南海南部水域"),
        ("河南省粮食", "黄河南岸湿地"),
        ("福建省林业", "造福建设者"),
        ("大庆油田", "举行重大庆典"),
        ("日照市港口", "年日照时数2000小时"),
        ("白银市矿区", "白银和黄金价格"),
        ("来宾市糖业", "各位来宾"),
        ("大同市煤炭", "大同小异"),
        ("朝阳区街道", "朝阳产业"),
        ("四平市玉米", "面积四平方米"),
        ("天津市港口", "京津冀协同发展"),
        ("上海和南京", "沿沪宁产业创新带"),
        ("南京市交通", "南京西路改造"),
        ("金山区化工", "绿水青山就是金山银山"),
        ("长寿区园区", "健康长寿"),
        ("北京首都功能", "法国首都的气候大会"),
        ("大理州旅游", "大理石加工"),
    ],
)
def test_minimal_pairs_of_a_place_and_a_word_that_looks_like_it(mentioned: str, not_mentioned: str) -> None:
    assert names(mentioned)
    assert names(not_mentioned) == []


@pytest.mark.parametrize(
    "text",
    [
        "京津冀",
        "长三角",
        "粤港澳大湾区",
        "长江经济带",
        "沪宁",
        "宁杭",
        "成渝",
        "黄河流域",
        "川渝",
        "环渤海",
        "珠三角",
        "港澳台",
        "西电东送",
    ],
)
def test_a_region_of_several_provinces_is_no_mention_of_one(text: str) -> None:
    assert names(f"推进{text}协同发展") == []
    assert names(f"推进{text}协同发展", aliases=True) == []


@pytest.mark.parametrize(
    ("text", "province"),
    [
        ("第三条入津特高压通道", "天津"),
        ("来沪投资", "上海"),
        ("进京通道", "北京"),
        ("在渝企业", "重庆"),
        ("驻粤机构", "广东"),
    ],
)
def test_abbreviations_count_in_fixed_shapes(text: str, province: str) -> None:
    (mention,) = GAZETTEER.find_places(text)
    assert (mention.place.province, mention.kind) == (province, "alias")


def test_single_characters_count_elsewhere_only_when_asked_for() -> None:
    assert provinces("京、津、沪、苏四地有何安排") == []
    assert provinces("京、津、沪、苏四地有何安排", aliases=True) == ["北京", "天津", "上海", "江苏"]
    assert provinces("沪2024年新建公园多少", aliases=True) == ["上海"]
    assert provinces("云南、贵、川三省", aliases=True) == ["云南", "贵州", "四川"]
    for text in ("经济复苏", "发放津贴", "港口吞吐量", "平台经济", "青年就业", "职级晋升", "云计算中心", "新能源"):
        assert provinces(text, aliases=True) == [], text


def test_a_name_inside_an_organisation_is_marked() -> None:
    for text in ("北京绿色交易所", "上海国际航运中心", "天津石化炼油项目"):
        (mention,) = GAZETTEER.find_places(text)
        assert mention.in_name, text
    for text in ("北京建设科技创新中心", "上海市推动航运中心建设", "天津加快石化转型"):
        (mention,) = GAZETTEER.find_places(text)
        assert not mention.in_name, text


def test_a_district_named_after_another_city_is_not_the_municipalitys() -> None:
    assert provinces("沈阳市和平区") == ["辽宁"]
    assert provinces("天津市和平区") == ["天津", "天津"]


def test_province_of_knows_short_full_and_other_names_and_nothing_else() -> None:
    assert GAZETTEER.province_of("镇江") == "江苏"
    assert GAZETTEER.province_of("广西壮族自治区") == "广西"
    assert GAZETTEER.province_of("鹏城") == "广东"
    assert GAZETTEER.province_of("沪") == "上海"
    assert GAZETTEER.province_of("巴黎") is None


def test_places_in_a_province_are_its_own() -> None:
    assert {"苏州", "南京", "镇江"} <= GAZETTEER.places_in("江苏")
    assert "上海" not in GAZETTEER.places_in("上海")
    assert not GAZETTEER.places_in("江苏") & GAZETTEER.places_in("浙江")
    assert GAZETTEER.places_in("月球") == frozenset()


PIECES = [
    "上海",
    "京津冀",
    "在",
    "出海口",
    "江苏省",
    "南京市",
    "的",
    "入津",
    "、",
    "\n",
    "😀",
    "𠮷",
    "首都",
    "朝阳区",
    "abc",
    "。",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_mentions_stand_exactly_where_they_say_in_order_and_apart(text: str) -> None:
    for aliases in (False, True):
        mentions = GAZETTEER.find_places(text, aliases=aliases)
        assert all(text[m.start : m.end] == m.alias for m in mentions)
        assert all(a.end <= b.start for a, b in pairwise(mentions))
