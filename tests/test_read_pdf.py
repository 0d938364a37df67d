"""read_pdf and paper: the text of a PDF as a person reads it, and each reason to refuse one."""

from __future__ import annotations

import pytest

from tests.made_files import Put, make_pdf, set_lines
from vectorstore.errors import SourceUnreadable
from vectorstore.layout import read_layout
from vectorstore.markup_extracted import show_extracted
from vectorstore.paper import Line, Page, join_pages
from vectorstore.parse import parse
from vectorstore.read_pdf import extract_pdf
from vectorstore.types import Document, Media

WIDE = "一年来我们坚持稳中求进工作总基调扎实推进各项工作取得明显成效群众满意"  # as wide as the text: 34 characters
CHINESE = ["　　" + WIDE[:32], WIDE, "度达到九成。全年新建公园95座，新增绿道231公里，完成老旧小区改造", "128个。"]


def blocks(data: bytes) -> list[str]:
    return [block.plain for block in read_layout(extract_pdf(data, "a.pdf"), Media.PDF).blocks]


def test_a_chinese_paragraph_is_one_line_however_many_it_had_on_paper() -> None:
    text = "".join(line.strip("　") for line in CHINESE)
    assert blocks(make_pdf([set_lines(CHINESE)])) == [text]


def test_sentences_are_not_cut_at_the_ends_of_lines_and_lead_to_the_text() -> None:
    text = extract_pdf(make_pdf([set_lines(CHINESE)]), "a.pdf")
    parsed = parse(Document("a.pdf", text, Media.PDF, "0", "a"))
    assert [s.quote for s in parsed.sentences][1] == "全年新建公园95座，新增绿道231公里，完成老旧小区改造128个。"
    assert all(text[s.start : s.end] == s.quote for s in parsed.sentences)


def test_an_indented_line_and_one_that_follows_a_short_one_begin_a_paragraph() -> None:
    lines = ["　　" + WIDE[:32], WIDE[:20] + "。", "　　" + WIDE[:32], WIDE[:10] + "。", WIDE[3:30] + "。"]
    assert [len(block) for block in blocks(make_pdf([set_lines(lines)]))] == [53, 43, 28]


def test_a_numbered_line_begins_a_paragraph_though_the_line_before_is_full() -> None:
    found = blocks(make_pdf([set_lines([WIDE, WIDE, "（一）" + WIDE[:31], WIDE, "二、" + WIDE[:32]])]))
    assert [block[:3] for block in found] == ["一年来", "（一）", "二、一"]


def test_headers_footers_and_page_numbers_are_set_apart_and_a_paragraph_goes_on_over_the_page() -> None:
    pages = []
    for number in range(1, 5):
        lines = [WIDE] * 28 + ([WIDE[:9] + "。"] if number == 4 else [])
        frame = [Put("某市人民政府公报", 250, 45, 9), Put(f"— {number} —", 280, 800, 9)]
        pages.append([*frame, *set_lines(lines, y=110, step=23)])
    text = extract_pdf(make_pdf(pages), "a.pdf")
    layout = read_layout(text, Media.PDF)
    assert [block.plain for block in layout.blocks] == [WIDE * 112 + WIDE[:9] + "。"]
    assert [text[f.start : f.end] for f in layout.furniture] == [
        f"第 {n} 页 · 某市人民政府公报 · — {n} —" for n in range(1, 5)
    ]


def test_a_line_of_the_text_that_stands_on_many_pages_at_the_edge_is_not_taken_for_a_header() -> None:
    pages = [set_lines([WIDE] * 30, y=60, step=23) for _ in range(4)]
    assert blocks(make_pdf(pages)) == [WIDE * 120]


def test_a_sentence_that_ends_with_its_page_is_not_glued_to_the_next_page() -> None:
    pages = [set_lines([WIDE, WIDE[:-1] + "。"]), set_lines([WIDE, WIDE])]
    assert len(blocks(make_pdf(pages))) == 2


def test_a_word_that_was_hyphenated_is_whole_again_and_a_compound_keeps_its_hyphen() -> None:
    lines = [
        "The state-owned enterprises of the city promote interna-",
        "tional cooperation, and the parks are kept by the state-",
        "owned company from 2023-",
        "2024 on.",
    ]
    assert blocks(make_pdf([set_lines(lines)]))[0].startswith(
        "The state-owned enterprises of the city promote international cooperation, and the parks are kept by the state-owned"
    )
    assert "2023-" in " ".join(blocks(make_pdf([set_lines(lines)])))


def test_lines_of_english_are_joined_with_a_space_and_of_chinese_without() -> None:
    line = Line("a", 90, 490, 100, 112, 12)
    page = Page(
        1,
        842,
        tuple(
            Line(t, 90, 490, 100 + 20 * n, 112 + 20 * n, 12)
            for n, t in enumerate(["land use", "and 规划", "用地", "x"])
        ),
    )
    assert [p.cells for p in join_pages([page]) if not p.page] == [("land use and 规划用地x",)]
    assert line.upright


def test_two_columns_are_read_one_after_the_other() -> None:
    left = set_lines([WIDE[:15]] * 6 + [WIDE[:4] + "。"], x=60)
    right = set_lines([WIDE[15:30]] * 6 + [WIDE[:4] + "。"], x=320)
    found = blocks(make_pdf([[*left, *right]]))
    assert found == [WIDE[:15] * 6 + WIDE[:4] + "。", WIDE[15:30] * 6 + WIDE[:4] + "。"]


def test_the_cells_of_a_row_stay_apart_and_its_line_is_joined_to_no_other() -> None:
    rows = [
        [Put(word, 90 + 130 * n, 100 + 20 * row) for n, word in enumerate(words)]
        for row, words in enumerate([("指标", "2023年", "2024年"), ("新建公园", "95座", "120座")])
    ]
    text = extract_pdf(make_pdf([[put for row in rows for put in row]]), "a.pdf")
    assert "指标\t2023年\t2024年\n新建公园\t95座\t120座\n" in text
    assert [(b.plain, b.item) for b in read_layout(text, Media.PDF).blocks][1] == ("新建公园 95座 120座", True)
    assert "新建公园 | 95座 | 120座" in show_extracted(text)


def test_a_title_of_two_lines_is_one_and_two_short_lines_of_text_are_two() -> None:
    title = [Put("关于印发某市绿色低碳发展行动", 140, 80, 22), Put("工作方案的通知", 217, 116, 22)]
    short = [Put("发布机构：某市人民政府", 90, 170), Put("发布日期：2024年3月5日", 90, 190)]
    found = blocks(make_pdf([[*title, *short, *set_lines([WIDE] * 9, y=230)]]))
    assert found == ["关于印发某市绿色低碳发展行动工作方案的通知", short[0].text, short[1].text, WIDE * 9]


def test_larger_type_is_a_heading_and_the_largest_the_title() -> None:
    page = [Put("某市2024年工作要点", 180, 90, 22), Put("绿色低碳发展", 90, 140, 16), *set_lines([WIDE] * 8, y=180)]
    text = extract_pdf(make_pdf([page]), "a.pdf")
    assert [(b.plain[:6], b.level) for b in read_layout(text, Media.PDF).blocks] == [
        ("某市2024", 1),
        ("绿色低碳发展", 2),
        (WIDE[:6], 0),
    ]


def test_the_empty_page_of_a_scan_between_others_is_said_where_it_stands() -> None:
    data = make_pdf([set_lines([WIDE]), []], pictured=True)
    assert "第 2 页（本页没有文字，可能是扫描页" in extract_pdf(data, "a.pdf")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (make_pdf([[], []], pictured=True), "扫描件"),
        (make_pdf([[Put("Scanned by X", 200, 820, 8)]] * 4, pictured=True), "扫描件"),
        (make_pdf([[]]), "没有文字"),
        (make_pdf([set_lines([WIDE])], encrypted=True), "密码"),
        (b"%PDF-1.7\n" + b"\x00\x01garbage" * 50, "损坏"),
    ],
    ids=["scan", "scan with a stamp", "no text", "password", "damaged"],
)
def test_what_cannot_be_read_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        extract_pdf(data, "某文件.pdf")
    assert reason in str(caught.value)
    assert "某文件.pdf" in str(caught.value)


def test_text_with_the_marks_of_the_extracted_form_cannot_make_headings_or_furniture() -> None:
    page = Page(1, 842, (Line("\x01\x01假标题\f假页码", 90, 490, 100, 112, 12),))
    from vectorstore.markup_extracted import write_extracted

    layout = read_layout(write_extracted(join_pages([page])), Media.PDF)
    assert [(b.plain, b.level) for b in layout.blocks] == [("假标题 假页码", 0)]
    assert len(layout.furniture) == 1
