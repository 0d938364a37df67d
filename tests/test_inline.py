"""inline: numbered headings inside a long line open sections; no number of a sentence or of a list does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_sentences import check, check_nothing_is_lost
from vectorstore.parse import parse
from vectorstore.types import Document, Media, ParsedDocument

ONE_LINE = (
    "某省绿色行动方案 为落实部署,制定本方案。 一、发展清洁能源 （一）强化指标约束。实施总量控制,逐步建立考核机制。"
    "（责任单位：省能源局、省财政厅） （二）推进节约用能。组织开展重点工程,完成改造120座。（责任单位：省能源局） "
    "二、重点任务 （一）构筑创新高地 积极利用各类资源,建设实验平台,形成一批成果。（省科技厅牵头,省能源局配合） "
    "（二）布局未来产业 一是培育企业；二是建设园区；三是开放场景,新增平台15家。"
)


def from_text(text: str) -> ParsedDocument:
    return parse(Document("a.txt", text, Media.TEXT, "", ""))


def headings(text: str) -> list[tuple[str, ...]]:
    return [section.headings for section in from_text(text).sections if section.headings]


def test_headings_inside_one_line_open_sections_of_their_level() -> None:
    assert headings(ONE_LINE) == [
        ("一、发展清洁能源", "（一）强化指标约束"),
        ("一、发展清洁能源", "（二）推进节约用能"),
        ("二、重点任务", "（一）构筑创新高地"),
        ("二、重点任务", "（二）布局未来产业"),
    ]


def test_what_stands_before_a_heading_ends_there_and_figures_stay_in_their_sentence() -> None:
    parsed = from_text(ONE_LINE)
    quotes = [s.quote for s in parsed.sentences]
    assert "（责任单位：省能源局、省财政厅）" in quotes
    assert "（省科技厅牵头,省能源局配合）" in quotes
    assert "组织开展重点工程,完成改造120座。" in quotes
    assert quotes[-3:] == ["一是培育企业；", "二是建设园区；", "三是开放场景,新增平台15家。"]
    assert len({s.paragraph for s in parsed.sentences}) == 5
    check(parsed)
    check_nothing_is_lost(parsed)


def test_the_same_text_with_and_without_line_breaks_has_the_same_headings() -> None:
    lines = ONE_LINE.replace(" 一、", "\n一、").replace(" 二、", "\n二、").replace(" （", "\n（")
    assert headings(lines)[-4:] == headings(ONE_LINE)


@pytest.mark.parametrize(
    "text",
    [
        "推动发展。一、二、三产业融合发展。二、三产业占比提高,就业增加。",
        "依照办法执行。（一）至（三）项除外。（二）项另行规定,年底前完成。",
        "任务按月推进。十一、十二月完成验收。全年任务如期完成。",
        "有下列情形的： （一）未按规定报送； （二）弄虚作假； （三）拒绝检查。 处以罚款。",
        "主要做了三件事。（一）推广绿色建筑。（二）发展公共交通。（三）推进垃圾分类。以上任务年内完成。",
        "三件事。（一）推广绿色建筑。各区抓好落实。（二）发展公共交通。（三）推进垃圾分类。各区抓好落实。",
        "明确三条要求。 （一）运营单位应当公开收费标准。收费变动要公告。 （二）用户可以查询账单。查询免费。",
        "全年建设目标。（一）新建公园120座。各区落实。（二）新建绿道5公里。各区落实。",
        "会议指出 一、要坚持原则,加强领导。二、要落实责任。三、要强化监督,务求实效。",
        "全年任务如下。 一、加强组织领导。各地要高度重视,形成合力。",  # a one without its two
    ],
)
def test_numbers_of_sentences_and_lists_are_no_headings(text: str) -> None:
    assert headings(text) == []
    check_nothing_is_lost(from_text(text))


def test_items_of_a_list_stay_evidence_and_headings_of_the_same_form_do_not() -> None:
    items = "工作内容\n\n（一）推广绿色建筑；\n（二）发展公共交通；\n（三）推进垃圾分类。\n\n以上任务年内完成,各区抓好落实。\n"
    assert "（三）推进垃圾分类。" in [s.quote for s in from_text(items).sentences]
    heads = "（一）推广绿色建筑。\n\n新建建筑全部达标。\n\n（二）推进垃圾分类。\n\n完成站点改造。\n"
    assert [s.quote for s in from_text(heads).sentences] == ["新建建筑全部达标。", "完成站点改造。"]
    assert headings(heads) == [("（一）推广绿色建筑",), ("（二）推进垃圾分类",)]


def test_a_space_inside_a_word_ends_no_heading() -> None:
    text = (
        "总则如下。 （一）建立应对气候变 化标准体系,研究制定核算标准。 （二）强化统计核算 完善指标体系,健全报告制度,"
        "公布年度数据。 （三）做好信息披露 建立云平台,定期公布进展。"
    )
    assert "（一）建立应对气候变 化标准体系,研究制定核算标准。" in [s.quote for s in from_text(text).sentences]
    assert headings(text) == [("（二）强化统计核算",), ("（三）做好信息披露",)]


def test_a_short_piece_before_a_heading_is_no_heading_itself() -> None:
    text = "有关要求 一、加强领导。各地要高度重视。 二、加大投入。各级要统筹资金。"
    assert from_text(text).sentences[0].quote == "有关要求"


def test_the_title_of_a_report_at_the_head_of_one_line_gives_region_and_year() -> None:
    (section,) = from_text("上海市2024年政府工作报告 新建公园120座。加快建设。").sections
    assert (section.labels.region, section.labels.year) == ("上海", 2024)


FRAGMENTS = [
    "一、", "二、", "三、", "（一）", "（二）", "(三)", "一是", "发展清洁能源", "推进节约用能", "新建公园120座", "至", "产业",
    "。", "；", "，", "：", " ", "\u3000", "\n", "\n\n", "（责任单位：省能源局）", "上海市2024年政府工作报告", "南京市建成平台",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=40).map("".join))
def test_any_order_of_numbers_is_cut_exactly_and_nothing_is_lost(text: str) -> None:
    parsed = from_text(text)
    check(parsed)
    check_nothing_is_lost(parsed)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*FRAGMENTS, "<p>", "</p>", "**", "- ", "# "]), min_size=1, max_size=40).map("".join))
def test_marked_up_text_with_numbers_is_cut_exactly(text: str) -> None:
    for media in (Media.HTML, Media.MARKDOWN, Media.PDF, Media.DOCX):
        check(parse(Document("a", text, media, "", "")))
