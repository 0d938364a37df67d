"""carry: a sentence without a place gets that of the one before it only where it surely goes on about it."""

from __future__ import annotations

import pytest

from vectorstore.parse import parse
from vectorstore.types import Document, Media, Sentence

NATIONAL = "\n\n北京、成都、长沙、武汉、合肥、西安参加了评估。\n"  # keeps the text from being one province's


def sentences(paragraph: str, *, title: str = "") -> tuple[Sentence, ...]:
    text = paragraph + ("" if title else NATIONAL)
    return tuple(s for s in parse(Document("a.txt", text, Media.TEXT, "", title)).sentences if s.paragraph == 0)


@pytest.mark.parametrize(
    ("paragraph", "places"),
    [
        ("例如,南京市建立了普惠平台。平台还向企业开放。", ("南京",)),
        ("以南京市为例,明确了目标。这一规划已成为依据。", ("南京",)),
        ("2021年,南京市关闭煤矿12座。全市绿地增加。", ("南京",)),
        ("南京市建立普惠机制,一方面,鼓励企业购买;另一方面,支持个人参与。", ("南京",)),
        ("江苏省南京市出台办法。此外,当地还设立了督导员。", ("江苏", "南京")),
        ("南京市印发方案。南京市的方案很细。积分可以兑换礼品。", ("南京",)),
    ],
)
def test_a_sentence_that_goes_on_about_a_place_gets_it(paragraph: str, places: tuple[str, ...]) -> None:
    last = sentences(paragraph)[-1]
    assert last.places == places
    assert last.labels.region == "江苏"


@pytest.mark.parametrize(
    "paragraph",
    [
        "南京市建立平台。积分可以兑换。用户增加。规则公开。",  # too far
        "南京市建立平台。二是推广经验。",
        "南京市建立平台。（二）推广经验的做法。",
        "南京市建立平台。全省用户增加。",
        "南京市建立平台。到2020年,全省用户增加。",
        "南京市建立平台。各市要学习经验。",
        "南京市建立平台。还有部分城市推广经验。",
        "南京市建立平台。（责任单位：省能源局）",
        "（责任单位：省能源局,南京市人民政府）推广经验。平台还向企业开放。",
        "推进平台建设（责任单位：南京市人民政府）。平台还向企业开放。",
        "南京、苏州等城市建立平台。平台还向企业开放。",
        "南京与无锡共建平台。平台还向企业开放。",
        "支持南京建立平台。平台还向企业开放。",
        "海南自贸试验区启动建设。货物进出口总额增长。",
        "浦东新区建成公园3座。全市建成公园120座。",
        "南京市建立平台。深圳大学参与建设。平台还向企业开放。",  # another place came between
    ],
)
def test_where_it_is_not_sure_a_sentence_gets_no_place(paragraph: str) -> None:
    last = sentences(paragraph)[-1]
    assert last.places == ()
    assert last.labels.region is None


def test_in_a_provinces_own_text_a_city_is_an_example_unless_the_next_sentence_refers_to_it() -> None:
    title = "广东省2024年工作方案"
    example = sentences("广州市建成平台。大力发展新能源,新增装机120万千瓦。", title=title)
    assert (example[1].places, example[1].labels.region) == ((), "广东")
    referred = sentences("广州市建成平台。该市新增装机120万千瓦。", title=title)
    assert (referred[1].places, referred[1].labels.region) == (("广州",), "广东")


def test_a_paragraph_that_opens_with_a_place_goes_on_about_it_where_its_words_are_taken_up() -> None:
    title = "广东省2024年工作方案"
    taken_up = sentences("加快建设珠海世界级航运枢纽。发展海洋产业,打造世界级航运枢纽示范区。", title=title)
    assert taken_up[1].places == ("珠海",)
    not_taken_up = sentences("加快建设珠海世界级航运枢纽。发展海洋产业,打造一流营商环境。", title=title)
    assert not_taken_up[1].places == ()


def test_a_heading_that_begins_with_a_city_holds_for_its_sentences_and_one_that_mentions_it_does_not() -> None:
    def under(heading: str) -> tuple[str, ...]:
        text = f"# 广东省工作方案\n\n## {heading}\n\n新增装机120万千瓦。\n"
        return parse(Document("a.md", text, Media.MARKDOWN, "", "广东省工作方案")).sentences[-1].places

    assert under("广州市") == under("广州市:打造枢纽") == ("广州",)
    assert under("加强与广州的合作") == ()
