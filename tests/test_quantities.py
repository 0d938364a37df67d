"""Numbers, years and dates: read right or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.reading.quantities import Measure, find_quantities


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("新建1万个电动汽车公共充电桩", "10000", "count"),
        ("新增光伏装机94.6万千瓦", "946000", "kilowatt"),
        ("占比提高0.5个百分点", "0.5", "points"),
        ("达到百分之三十", "30", "percent"),
        ("占35％", "35", "percent"),
        ("新建一百二十座公园", "120", "count"),
        ("共1,200家企业", "1200", "count"),
        ("１２０座", "120", "count"),
        ("120万吨乙烯", "1200000", "tonne"),
        ("新增森林超过6.7万亩", "67000", "mu"),
        ("约三点五亿元", "350000000", "yuan"),
    ],
)
def test_a_quantity_is_read_with_its_value_and_unit(text: str, value: str, unit: str) -> None:
    (found,) = find_quantities(text)
    assert (found.value, found.unit, found.measure) == (Decimal(value), unit, Measure.QUANTITY)


@pytest.mark.parametrize("text", ["推进一体化", "统一项目管理", "探索一批零碳工厂", "十四五", "千家万户", "特点一"])
def test_numerals_inside_words_are_no_quantities(text: str) -> None:
    assert find_quantities(text) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1万个", "10000个", True),
        ("120座", "120个", True),
        ("25个", "5个", False),
        ("25个", "125个", False),
        ("0.5个百分点", "0.5%", False),
        ("1000公顷", "1000座", False),
        ("3.1万亩", "31000亩", True),
        ("二〇二四年", "2024年", True),
        ("2023年", "2024年", False),
    ],
)
def test_quantities_are_equal_by_value_and_kind_of_unit(one: str, other: str, same: bool) -> None:
    assert find_quantities(one)[0].equals(find_quantities(other)[0]) is same


def test_a_comma_between_clauses_is_no_thousands_separator() -> None:
    assert [q.text for q in find_quantities("新建公园120座,推动30座城市公园开放")] == ["120座", "30座"]


def test_years_dates_and_ordinals_are_told_apart() -> None:
    measures = [q.measure for q in find_quantities("2023年8月15日开通第三条通道")]
    assert measures == [Measure.YEAR, Measure.DATE, Measure.ORDINAL]


@given(st.text(alphabet="0123456789一二三十百千万亿点.,个座%年月第约新建公园,。 ", max_size=60))
def test_offsets_are_exact_and_spans_do_not_overlap(text: str) -> None:
    end = 0
    for quantity in find_quantities(text):
        assert text[quantity.start : quantity.end] == quantity.text
        assert quantity.start >= end
        end = quantity.end


@given(st.integers(1, 9999), st.sampled_from(["", "万", "亿"]))
def test_what_is_written_is_read_back(number: int, scale: str) -> None:
    (found,) = find_quantities(f"共有{number}{scale}吨。")
    assert found.value == number * {"": 1, "万": 10**4, "亿": 10**8}[scale]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("三成以上", "30", "percent"),
        ("超过六成", "60", "percent"),
        ("近7成", "70", "percent"),
        ("五分之二", "40", "percent"),
        ("超过一半", "50", "percent"),
        ("过半数", "50", "percent"),
        ("翻一番", "2", "times"),
        ("翻两番", "4", "times"),
        ("3倍", "3", "times"),
        ("一星级以上", "1", "star"),
        ("1.5度", "1.5", "degree"),
        ("300万名", "3000000", "person"),
    ],
)
def test_shares_ranks_and_persons_are_figures(text: str, value: str, unit: str) -> None:
    (found,) = find_quantities(text)
    assert (found.value, found.unit, found.measure) == (Decimal(value), unit, Measure.QUANTITY)


@pytest.mark.parametrize("text", ["一度下降", "统一成立", "三成为", "长三角", "成效", "一名"])
def test_words_that_only_look_like_figures_are_none(text: str) -> None:
    assert find_quantities(text) == ()


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("PM2.5浓度30微克", ["30"]),
        ("广义货币M2增长8%", ["8%"]),
        ("5G基站2万个", ["2万个"]),
        ("府发202061号文件安排20亿元", ["20亿元"]),
        ("GDP1.2万亿元", ["1.2万亿元"]),
    ],
)
def test_a_figure_inside_a_name_counts_nothing(text: str, figures: list[str]) -> None:
    assert [q.text for q in find_quantities(text) if q.measure is Measure.QUANTITY] == figures


@pytest.mark.parametrize("sign", ["不得", "不能", "不应", "不可"])
def test_a_bound_is_read_with_the_word_that_turns_it_round(sign: str) -> None:
    (quantity,) = find_quantities(f"贮存期限{sign}超过一年")
    assert quantity.text == f"{sign}超过一年"
    (bare,) = find_quantities("贮存期限超过一年")
    assert bare.text == "超过一年"
