"""sentences: every sentence is its exact place in the file, whole, with the labels and places that hold for it."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vectorstore.layout import read_layout
from vectorstore.outline import heading_blocks
from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.sentences import cut
from vectorstore.types import Document, Media, ParsedDocument

ROOT = Path(__file__).parent
FILES = sorted([*(ROOT.parent / "seeds").glob("*.txt"), *(ROOT / "texts").iterdir()])


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in cut(text)]


def from_text(text: str, media: Media = Media.TEXT) -> ParsedDocument:
    return parse(Document("a.txt", text, media, "", ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("新建公园12座。完成造林3万亩!开工了吗?", ["新建公园12座。", "完成造林3万亩!", "开工了吗?"]),
        ("出台规划;发布方案;制定办法。", ["出台规划;", "发布方案;", "制定办法。"]),
        ("他说:“要坚持绿色发展。”随后散会。", ["他说:“要坚持绿色发展。”", "随后散会。"]),
        ("践行“先立后破;不立不破。”的原则。完。", ["践行“先立后破;不立不破。”的原则。", "完。"]),
        ("发布《关于加快发展。的意见》。执行。", ["发布《关于加快发展。的意见》。", "执行。"]),
        ("(详见附件1。)下一项开始。", ["(详见附件1。)", "下一项开始。"]),
        ("提高0.5个百分点,达3.5%。完成。", ["提高0.5个百分点,达3.5%。", "完成。"]),
        ("见https://example.org/a?b=1;c=2.5!d 一文。继续。", ["见https://example.org/a?b=1;c=2.5!d 一文。", "继续。"]),
        ("1.加快建设。2.推进改革。", ["1.加快建设。", "2.推进改革。"]),
        ("真的吗?!好……继续。。。完", ["真的吗?!", "好……继续。。。", "完"]),
        ("It cost 3.5 million in 2023. The No. 5 line opened. Dr. Li came.",
         ["It cost 3.5 million in 2023.", "The No. 5 line opened.", "Dr. Li came."]),
        ("Roads were built. “Trees follow.” They grow.", ["Roads were built.", "“Trees follow.”", "They grow."]),
        ("  前后空白。  再来。\u3000", ["前后空白。", "再来。"]),
    ],
)  # fmt: skip
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_headings_and_boilerplate_are_no_evidence() -> None:
    parsed = from_text("首页 | 新闻 | 视频\n\n2021年主要任务:\n\n新建公园12座。\n\n来源:某报\n")
    assert [s.quote for s in parsed.sentences] == ["新建公园12座。"]


def test_plain_text_of_markdown_has_no_marks_and_the_quote_keeps_them() -> None:
    (one, two) = from_text(
        "- 完成**投资** `62.5` 亿元，见[公报](http://a.cn/b)。\n- 3*5=15 与 a_b_c\n", Media.MARKDOWN
    ).sentences
    assert one.plain == "完成投资 62.5 亿元，见公报。"
    assert one.quote == "完成**投资** `62.5` 亿元，见[公报](http://a.cn/b)。"
    assert two.plain == "3*5=15 与 a_b_c"


def test_plain_text_of_html_has_no_tags_and_entities() -> None:
    page = "<p>完成<b>投资&nbsp;468.2</b>亿元。\n新建&lt;公园&gt;12座。</p><table><tr><td>绿地</td><td>30公顷</td></tr></table>"
    one, two, three = from_text(page, Media.HTML).sentences
    assert one.plain == "完成投资 468.2亿元。"
    assert one.quote == "完成<b>投资&nbsp;468.2</b>亿元。"
    assert two.plain == "新建<公园>12座。"
    assert three.plain == "绿地 30公顷"


def test_lines_cut_at_one_width_are_one_paragraph_and_short_lines_are_not() -> None:
    line = "全市上下坚持绿色低碳发展理念不动摇全面推进各项重点任务落地见效取"
    wrapped = from_text(f"{line}\n得明显成效。下一项工作随即展开。\n").sentences
    assert [s.quote for s in wrapped] == [f"{line}\n得明显成效。", "下一项工作随即展开。"]
    assert [s.quote for s in from_text("新建公园12座\n修缮道路30公里\n").sentences] == [
        "新建公园12座",
        "修缮道路30公里",
    ]


def test_the_place_of_a_paragraph_is_carried_to_sentences_that_name_none() -> None:
    first = "以深圳市为例,明确了目标。这一规划已成为依据。此外,规划有积极作用。"
    a, b, c, d = from_text(f"{first}\n\n另一段没有地名。\n").sentences
    assert a.places == b.places == c.places == ("深圳",)
    assert a.labels.region == b.labels.region == c.labels.region == "广东"
    assert d.places == ()
    assert d.labels.region is None


def test_places_of_several_provinces_are_named_but_not_carried() -> None:
    one, two = from_text("北京、上海、杭州等城市入选。多个城市以规划引领。\n").sentences
    assert one.places == ("北京", "上海", "杭州")
    assert one.regions == ("北京", "上海", "浙江")
    assert one.labels.region is None
    assert two.places == ()


def test_a_section_keeps_its_region_for_all_its_sentences() -> None:
    text = "江苏\n\n2021年主要任务:\n\n推动港口与上海国际航运中心融合。认真落实政策。支持苏州发展。\n"
    one, two, three = from_text(text).sentences
    assert {s.labels.region for s in (one, two, three)} == {"江苏"}
    assert one.places == ("上海",)
    assert one.regions == ("江苏",)
    assert two.places == ()
    assert three.places == ("苏州",)


@pytest.mark.parametrize(
    "sentence", ["赴深圳学习先进经验。", "对标深圳先进水平。", "深圳时代科技公司落户。", "与深圳签署协议。"]
)
def test_a_place_that_is_only_compared_with_gives_no_region(sentence: str) -> None:
    (found,) = from_text(f"{sentence}\n").sentences
    assert found.places == ("深圳",)
    assert found.labels.region is None


def test_a_heading_below_a_province_is_what_its_paragraphs_are_about() -> None:
    (found,) = from_text("# 汇编\n\n## 镇江\n\n上线碳普惠平台。\n", Media.MARKDOWN).sentences
    assert found.places == ("镇江",)
    assert found.labels.region == "江苏"


@pytest.mark.parametrize(
    ("sentence", "year"),
    [
        ("厦门在2019年建成分拣中心。", 2019),
        ("自2017年以来连续排名前列。", 2021),
        ("规划期为2011—2020年。", 2021),
        ("比2015年下降18%。", 2021),
        ("印发《2018年行动方案》。", 2021),
        ("2018年启动,2020年完成。", 2021),
        ("今年完成。", 2021),
    ],
)
def test_a_sentence_narrows_the_year_only_of_dated_news(sentence: str, year: int) -> None:
    text = f"某地回收网点走进社区\n\n时间:2021-06-05\n\n这是一则新闻。\n\n{sentence}\n"
    news = parse(Document("a.txt", text, Media.TEXT, "", "某地回收网点走进社区", None, date(2021, 6, 5)))
    assert news.sentences[-1].labels.year == year
    fixed = from_text(f"2022年主要任务:\n\n{sentence}\n")
    assert fixed.sentences[-1].labels.year == 2022


def check(parsed: ParsedDocument) -> None:
    text, sentences = parsed.document.text, parsed.sentences
    assert all(text[s.start : s.end] == s.quote for s in sentences)
    assert all(s.quote and s.quote == s.quote.strip() for s in sentences)
    assert all(a.end <= b.start for a, b in pairwise(sentences))
    assert all(a.end <= b.start for a, b in pairwise(parsed.boilerplate))
    assert not any(b.start < s.end and s.start < b.end for s in sentences for b in parsed.boilerplate)
    assert parsed.sections[0].start == 0
    assert parsed.sections[-1].end == len(text)
    assert all(a.end == b.start for a, b in pairwise(parsed.sections))
    for s in sentences:
        section = parsed.sections[s.section]
        assert section.start <= s.start
        assert s.end <= section.end


def check_nothing_is_lost(parsed: ParsedDocument) -> None:
    """Every character that is not blank lies in exactly one sentence, heading or span of boilerplate."""
    document = parsed.document
    layout = read_layout(document.text, document.media)
    headings = heading_blocks(document, layout, parsed.boilerplate)
    covered = [0] * len(document.text)
    spans = [(s.start, s.end) for s in parsed.sentences] + [(b.start, b.end) for b in parsed.boilerplate]
    spans += [(block.start, block.end) for block in layout.blocks if block.start in headings]
    for start, end in spans:
        for place in range(start, end):
            covered[place] += 1
    for place, char in enumerate(document.text):
        assert covered[place] <= 1
        assert covered[place] or char.isspace(), (place, char)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_cut_exactly(path: Path) -> None:
    parsed = parse(read_document(path))
    check(parsed)
    if parsed.document.media is Media.TEXT:
        check_nothing_is_lost(parsed)


FRAGMENTS = [
    "新建公园120座", "提高0.5个百分点", "上海", "江苏省", "入津", "京津冀", "。", "!", ";", "?", ",", "…", "……",
    "“", "”", "‘", "’", "《", "》",
    "(", ")", "（", "）", "「", "」", "\n", "\r\n", "\n\n", "\r", "\u2028", " ", "\u3000", "\t", "1.", "(一)", "一、", "2023年工作回顾:",
    "2024年主要任务:", "江苏", "全文链接:", "免责声明", "来源:某报", "😀", "👨‍👩‍👧", "𠮷", "\u200b", "\ufeff",
    "#", "**", "[a](b)", "- ", "|",
    "<p>", "</p>", "<b>", "<nav>", "</nav>", "<", ">", "&nbsp;", "&#55296;", "&", "<!--", "-->", "<script>", "</script>", "```", "---",
    "https://a.cn/x?y=1", "No.5", "3.5%", "A. B", "．", "\x0b", "\x85", "é",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=40).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_any_text_is_cut_exactly_and_nothing_is_lost(text: str) -> None:
    parsed = from_text(text)
    check(parsed)
    check_nothing_is_lost(parsed)


@settings(max_examples=150, deadline=None)
@given(TEXT, st.sampled_from([Media.MARKDOWN, Media.HTML]))
def test_any_marked_up_text_is_cut_exactly(text: str, media: Media) -> None:
    parsed = from_text(text, media)
    check(parsed)
    assert not any("\ud800" <= c <= "\udfff" for s in parsed.sentences for c in s.plain)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=120))
def test_any_characters_at_all_are_cut_exactly(text: str) -> None:
    for media in Media:
        check(from_text(text, media))
    check_nothing_is_lost(from_text(text))
