"""sections: a document is tiled by sections whose labels are right, or absent, and say why."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import Document, Media, ParsedDocument, Part

TEXTS = Path(__file__).parent / "texts"
SEEDS = Path(__file__).parent.parent / "seeds"
REVIEW, TASKS = Part.REVIEW, Part.TASKS
Expected = tuple[str, str | None, int | None, Part | None]

# What a reader would label: a string of a sentence, and the region, year and part that hold there.
EXPECTED: dict[str, tuple[Expected, ...]] = {
    "lost_headings.txt": (
        ("新年伊始", None, None, None),
        ("断面优良水质", "浙江", 2020, REVIEW),
        ("示范村200个", "浙江", 2021, TASKS),
        ("沱江、岷江", "四川", 2021, TASKS),
        ("草原修复150万亩", "四川", 2021, TASKS),
        ("新建碧道800公里", "广东", 2020, REVIEW),
        ("水源林改造40万亩", "广东", 2021, TASKS),
    ),
    "wrong_order.txt": (
        ("小编梳理", None, None, None),
        ("压减粗钢产量344万吨", "山东", 2021, REVIEW),
        ("淘汰落后产能120项", "山东", 2022, TASKS),
        ("关改搬转478家", "湖北", 2021, REVIEW),
        ("新建充电桩6万个", "湖北", 2022, TASKS),
        ("新增造林80万亩", "福建", 2022, TASKS),
    ),
    "news.txt": (
        ("世界环境日当天", None, 2021, None),
        ("日均回收量增长一倍", "上海", 2021, None),
        ("罚款50万元", "浙江", 2021, None),
        ("引入智能回收柜", None, 2021, None),
        ("日处理能力500吨", "福建", 2019, None),
        ("自2017年以来", "福建", 2021, None),
        ("专家表示", None, 2021, None),
    ),
    "regions.md": (
        ("以下内容摘自", None, None, None),
        ("农村电网改造投资", "贵州", 2019, REVIEW),
        ("光伏电站30座", "贵州", 2020, TASKS),
        ("利用率达到97%", "宁夏", 2019, REVIEW),
        ("150万千瓦", "宁夏", 2020, TASKS),
        ("数据未经审计", None, None, None),
    ),
    "page.html": (
        ("两省近日", None, 2022, None),
        ("堤防120公里", "湖南", 2021, REVIEW),
        ("排涝泵站26座", "湖南", 2022, TASKS),
        ("灌溉面积60万亩", "湖南", 2022, TASKS),
        ("水库1216座", "江西", 2021, REVIEW),
        ("供水工程85处", "江西", 2022, TASKS),
    ),
    "report_gb18030.txt": (
        ("过去一年", "云南", 2019, REVIEW),
        ("营造林712万亩", "云南", 2019, REVIEW),
        ("1450亿千瓦时", "云南", 2019, REVIEW),
        ("变电站4座", "云南", 2020, TASKS),
        ("森林城市6个", "云南", 2020, TASKS),
    ),
    "by_part.txt": (
        ("438亿斤", "江西", 2018, REVIEW),
        ("十五连丰", "安徽", 2018, REVIEW),
        ("1330亿斤", "河南", 2018, REVIEW),
        ("293万亩", "江西", 2019, TASKS),
        ("45万亩", "安徽", 2019, TASKS),
        ("620万亩", "河南", 2019, TASKS),
    ),
    "weak.txt": (
        ("营造林320万亩", None, 2021, REVIEW),
        ("赴深圳学习", None, 2021, REVIEW),
        ("零碳园区3个", None, 2022, TASKS),
        ("对标上海", None, 2022, TASKS),
    ),
    "003_9d398742754e4b06.txt": (
        ("导言", None, None, None),
        ("绿色低碳发展稳步推进", "天津", 2023, REVIEW),
        ("新创建20家", "天津", 2024, TASKS),
        ("第三条入津", "天津", 2024, TASKS),
        ("0.5个百分点", "北京", 2024, TASKS),
        ("以旧换新", "北京", 2024, TASKS),
        ("6.7万亩", "上海", 2023, REVIEW),
        ("滴水湖学校", "上海", 2024, TASKS),
        ("新建公园120座", "上海", 2024, TASKS),
        ("更加可触可感", "江苏", 2023, REVIEW),
        ("沿沪宁产业创新带", "江苏", 2024, TASKS),
        ("加大生态保护修复力度", "江苏", 2024, TASKS),
    ),
}

# Texts of neighbours that speak of each other: the reader's region, which may be withheld but never be another.
NEIGHBOURS = (
    ("疏解项目86个", "河北"),
    ("赛区场馆建设", "河北"),
    ("退城搬迁", "河北"),
    ("送电能力达到7000万千瓦", "内蒙古"),
    ("沙漠治理面积", "内蒙古"),
    ("增送绿电", "内蒙古"),
    ("转化基地5个", "安徽"),
    ("江淮运河", "安徽"),
    ("新建公园18座", "天津"),
    ("引滦生态补偿", "天津"),
)


def parsed(name: str) -> ParsedDocument:
    folder = SEEDS if (SEEDS / name).exists() else TEXTS
    return parse(read_document(folder / name))


def from_text(text: str, *, title: str = "") -> ParsedDocument:
    return parse(Document("a.txt", text, Media.TEXT, "", title))


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for name, rows in EXPECTED.items() for row in rows], ids=lambda value: str(value)[:40]
)
def test_the_labels_of_texts_without_labels_are_what_a_reader_would_give(name: str, row: Expected) -> None:
    quote, *labels = row
    document = parsed(name)
    place = document.document.text.index(quote)
    sentences = [s for s in document.sentences if s.start <= place < s.end]
    section = next(s for s in document.sections if s.start <= place < s.end)
    found = sentences[0].labels if sentences else section.labels
    assert [found.region, found.year, found.part] == labels, section.reasons


@pytest.mark.parametrize(("quote", "region"), NEIGHBOURS)
def test_a_text_that_speaks_much_of_its_neighbours_gets_its_own_region_or_none(quote: str, region: str) -> None:
    document = parsed("neighbours.txt")
    (found,) = [s for s in document.sentences if quote in s.quote]
    assert found.labels.region in (region, None)
    assert (found.labels.year, found.labels.part) in ((2018, REVIEW), (2019, TASKS), (2019, None))


def test_most_of_a_text_about_neighbours_is_still_labelled() -> None:
    document = parsed("neighbours.txt")
    labelled = [s.labels.region for s in document.sentences for quote, _ in NEIGHBOURS if quote in s.quote]
    assert sum(region is not None for region in labelled) >= 7


def test_a_region_that_is_given_or_withheld_has_its_reason() -> None:
    for name in EXPECTED:
        for section in parsed(name).sections:
            assert section.reasons.region
            assert bool(section.labels.year) == bool(section.reasons.year)
            assert bool(section.labels.part) == bool(section.reasons.part)


def test_an_article_about_many_cities_gets_no_region() -> None:
    assert {section.labels.region for section in parsed("000_7c4d3c7ea2799c50.txt").sections} == {None}


def test_competing_provinces_are_named_in_the_reason() -> None:
    reason = parsed("news.txt").sections[0].reasons.region
    assert "上海" in reason
    assert "浙江" in reason


def test_the_introduction_does_not_decide_the_order() -> None:
    text = (SEEDS / "003_9d398742754e4b06.txt").read_text(encoding="utf-8")
    other = text.replace("北京、天津、上海、江苏的", "江苏、上海、天津、北京的")
    assert other != text
    before, after = from_text(text), from_text(other)
    assert [s.labels for s in before.sections] == [s.labels for s in after.sections]


def test_a_review_after_tasks_begins_another_regions_text() -> None:
    one = "2020年工作回顾:\n\n成都、绵阳、宜宾建成公园。\n\n2021年主要任务:\n\n推动泸州、德阳绿化。\n\n"
    two = "2020年工作回顾:\n\n兰州、天水完成造林。\n\n2021年主要任务:\n\n新增泵站3座。\n"
    assert [s.labels.region for s in from_text(one + two).sections] == ["四川", "四川", "甘肃", "甘肃"]


def test_numbered_parts_of_one_report_stay_together() -> None:
    text = (
        "一、2020年工作回顾\n\n成都、绵阳、宜宾建成公园。\n\n二、2021年主要目标\n\n森林覆盖率提高。\n\n"
        "三、2021年重点工作\n\n新增泵站3座。\n"
    )
    assert [s.labels.region for s in from_text(text).sections] == ["四川"] * 3


@pytest.mark.parametrize(
    "heading", ["江苏", "江苏省", "【江苏】", "二、江苏", "江苏:", "(三)江苏省", "江苏篇", "■江苏"]
)
def test_a_heading_that_is_a_place_name_gives_the_region_until_the_next_one(heading: str) -> None:
    text = f"2020年大事\n\n{heading}\n\n新增泵站3座,完成投资2亿元。\n\n浙江\n\n新增绿道5公里,完成投资1亿元。\n"
    assert [s.labels.region for s in from_text(text).sections][-2:] == ["江苏", "浙江"]


@pytest.mark.parametrize("line", ["和平", "来宾", "首都机场", "江苏与浙江", "江苏大学", "江苏的发展成就举世瞩目。"])
def test_a_line_that_only_resembles_a_place_heading_gives_no_region_by_itself(line: str) -> None:
    sections = from_text(f"{line}\n\n新增泵站3座,完成投资2亿元。\n").sections
    assert {s.labels.region for s in sections} == {None}


@pytest.mark.parametrize(
    ("heading", "year", "part"),
    [
        ("2023年工作回顾:", 2023, REVIEW),
        ("二〇二二年工作回顾", 2022, REVIEW),
        ("2024年主要任务:", 2024, TASKS),
        ("二、2021年重点工作", 2021, TASKS),
        ("2022年重点工作完成情况", 2022, REVIEW),
        ("下一步工作安排", None, TASKS),
        ("2021年工作总结和2022年工作计划", None, None),
        ("1.总结推广先进经验", None, None),
        ("完成年度目标任务", None, None),
        ("第五条 职业教育的主要任务是:", None, None),
        ("过去五年工作回顾", None, REVIEW),
    ],
)
def test_year_and_part_come_from_the_heading(heading: str, year: int | None, part: Part | None) -> None:
    (section,) = from_text(f"{heading}\n\n新增泵站3座,完成投资2亿元。\n").sections
    assert (section.labels.year, section.labels.part) == (year, part)


def test_a_heading_may_name_region_year_and_part_at_once() -> None:
    text = "江苏省2021年工作回顾\n\n新增泵站3座。\n\n浙江2022年主要任务\n\n新增绿道5公里。\n"
    found = [(s.labels.region, s.labels.year, s.labels.part) for s in from_text(text).sections]
    assert found == [("江苏", 2021, REVIEW), ("浙江", 2022, TASKS)]


def test_a_report_reviews_the_year_before_its_title() -> None:
    text = "某工作报告\n\n一、过去一年工作回顾\n\n新增泵站3座。\n\n二、今年工作安排\n\n新增绿道5公里。\n"
    sections = from_text(text, title="湖南省2022年政府工作报告").sections
    assert [(s.labels.region, s.labels.year, s.labels.part) for s in sections[-2:]] == [
        ("湖南", 2021, REVIEW),
        ("湖南", 2022, TASKS),
    ]


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("四川省2021年工作要点", 2021),
        ("2030年前碳达峰行动方案", None),
        ("2021—2025年规划", None),
        ("到2035年远景目标纲要", None),
    ],
)
def test_a_title_gives_its_year_but_not_a_period_or_a_far_target(title: str, year: int | None) -> None:
    assert from_text("新增泵站3座,完成投资2亿元。\n", title=title).sections[0].labels.year == year


def test_a_title_that_the_text_contradicts_gives_no_region() -> None:
    text = "2020年工作回顾:\n\n成都、绵阳、宜宾建成公园,泸州、德阳完成绿化。\n"
    assert from_text(text, title="江苏省2021年政府工作报告").sections[0].labels.region is None
    assert from_text(text, title="四川省2021年政府工作报告").sections[0].labels.region == "四川"


def test_a_single_place_name_is_too_little_for_a_region() -> None:
    assert from_text("2020年工作回顾:\n\n与成都签署协议,新建公园3座。\n").sections[0].labels.region is None


def test_numbered_measures_are_content_and_not_headings() -> None:
    text = "2021年主要任务:\n\n1.推进碳达峰行动\n2.加快绿色转型\n3.完善监测体系\n\n以上任务年内完成。\n"
    assert [s.quote for s in from_text(text).sentences] == [
        "1.推进碳达峰行动",
        "2.加快绿色转型",
        "3.完善监测体系",
        "以上任务年内完成。",
    ]


def test_sections_tile_every_document() -> None:
    for name in EXPECTED:
        document = parsed(name)
        sections = document.sections
        assert sections[0].start == 0
        assert sections[-1].end == len(document.document.text)
        assert all(a.end == b.start for a, b in pairwise(sections))


def _labels(text: str, title: str = "") -> list[tuple[str | None, int | None, Part | None]]:
    return [(s.labels.region, s.labels.year, s.labels.part) for s in from_text(text, title=title).sections]


@pytest.mark.parametrize(
    "line", ["上海市2024年政府工作报告", "2024年上海市政府工作报告:", "《上海市2024年政府工作报告》(摘要)"]
)
def test_the_title_line_of_a_report_gives_a_short_text_its_region_and_year(line: str) -> None:
    assert _labels(f"{line}\n\n新建公园120座。\n") == [("上海", 2024, None)]


def test_reports_that_stand_one_after_the_other_keep_their_own_region_and_review_the_year_before() -> None:
    one = "上海市2024年政府工作报告\n\n一、过去一年工作回顾\n\n新建公园120座。\n\n"
    two = "江苏省2023年政府工作报告\n\n一、过去一年工作回顾\n\n新建公园100座。\n"
    for title in ("", "上海市2024年政府工作报告"):
        assert _labels(one + two, title) == [("上海", 2023, REVIEW), ("江苏", 2022, REVIEW)]


@pytest.mark.parametrize(
    "text",
    [
        "上海市2024年政府工作报告\n\n新建公园120座。江苏省2024年政府工作报告提出新建100座。\n完成任务。\n",
        "上海、江苏2024年政府工作报告\n\n新建公园120座。\n\n完成任务。\n",
        "上海市2024年政府工作报告解读\n\n新建公园120座。\n\n完成任务。\n",
    ],
)
def test_a_title_line_gives_no_region_where_another_report_is_meant_too(text: str) -> None:
    assert {region for region, _, _ in _labels(text)} == {None}


def test_titles_of_reports_in_a_list_are_no_headings() -> None:
    text = "相关报告\n\n浙江省2024年政府工作报告\n\n江苏省2024年政府工作报告\n\n"
    assert [s.plain for s in from_text(text + "安徽省2024年政府工作报告\n").sentences][-1] == "安徽省2024年政府工作报告"
    assert not any("浙江" in h for s in from_text(text + "新建公园。\n").sections for h in s.headings)


def test_a_title_that_names_where_one_went_gives_no_region() -> None:
    text = "新建公园120座。\n\n完成任务。\n"
    assert {r for r, _, _ in _labels(text, "代表团赴江苏考察报告")} == {None}
    assert {r for r, _, _ in _labels(text, "江苏省考察报告")} == {"江苏"}
