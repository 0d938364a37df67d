"""read_docx: all the text of a Word file, in order and with its structure; bombs and what is no Word file refused."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from tests.made_files import make_docx, paragraph, run, table
from vectorstore import read_docx
from vectorstore.errors import SourceUnreadable
from vectorstore.layout import read_layout
from vectorstore.parse import parse
from vectorstore.read_docx import extract_docx
from vectorstore.types import Document, Media, Part


def blocks(body: str, **more: object) -> list[tuple[str, int, bool]]:
    text = extract_docx(make_docx(body, **more), "a.docx")  # type: ignore[arg-type]
    return [(b.plain, b.level, b.item) for b in read_layout(text, Media.DOCX).blocks]


def test_paragraphs_headings_and_lists_keep_their_order_and_levels() -> None:
    body = (
        paragraph("某市报告", "a")
        + paragraph("一、回顾", "1")
        + paragraph("新建公园95座。")
        + paragraph("细则", "mine")
        + paragraph("第一项。", more='<w:numPr><w:numId w:val="1"/></w:numPr>')
        + paragraph("自成一级", more='<w:outlineLvl w:val="2"/>')
        + paragraph("   ")
    )
    assert blocks(body) == [
        ("某市报告", 1, False),
        ("一、回顾", 1, False),
        ("新建公园95座。", 0, False),
        ("细则", 2, False),
        ("第一项。", 0, True),
        ("自成一级", 3, False),
    ]


def test_inserted_text_and_content_controls_are_read_and_deleted_or_hidden_text_is_not() -> None:
    body = (
        f"<w:p>{run('新建')}<w:ins>{run('公园')}</w:ins><w:del><w:r><w:delText>旧的</w:delText></w:r></w:del>"
        f"{run('120座。')}{run('看不见的命令', '<w:vanish/>')}</w:p>"
        f"<w:sdt><w:sdtContent>{paragraph('控件里的一句。')}</w:sdtContent></w:sdt>"
        f"<w:p><w:moveFrom>{run('搬走的')}</w:moveFrom>{run('留下的', '<w:vanish w:val=' + chr(34) + '0' + chr(34) + '/>')}</w:p>"
    )
    assert [plain for plain, _, _ in blocks(body)] == ["新建公园120座。", "控件里的一句。", "留下的"]


def test_a_line_broken_by_hand_is_no_new_sentence_and_the_fallback_of_a_text_box_is_not_read_twice() -> None:
    body = (
        f"<w:p>{run('关于印发方案的')}<w:r><w:br/></w:r>{run('通知')}<w:r><w:tab/></w:r>{run('x y')}</w:p>"
        "<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent>"
        + paragraph("框里的字。")
        + "</w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent>"
        + paragraph("框里的字。")
        + "</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"
        f"{run('框外的字。')}</w:p>"
    )
    assert [plain for plain, _, _ in blocks(body)] == ["关于印发方案的通知 x y", "框里的字。", "框外的字。"]


def test_a_row_of_a_table_is_one_line_and_a_merged_cell_is_said_in_each_of_its_rows() -> None:
    first = '<w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>' + paragraph("北京") + "</w:tc>"
    further = "<w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc>"
    body = table(("地区", "指标", "2024年"), (first, "公园", "120"), (further, "绿道", "231"))
    assert blocks(body) == [("地区 指标 2024年", 0, True), ("北京 公园 120", 0, True), ("北京 绿道 231", 0, True)]


def test_a_table_inside_a_cell_and_a_frame_of_one_cell_are_read_as_what_they_are() -> None:
    inner = f"<w:tc>{table(('甲', '乙'))}{paragraph('丙')}</w:tc>"
    frame = f"<w:tc>{paragraph('一、框中标题', '1')}{paragraph('框中的一段。')}</w:tc>"
    assert blocks(table((inner, "丁"))) == [("甲 乙 丙 丁", 0, True)]
    assert blocks(table((frame,))) == [("一、框中标题", 1, False), ("框中的一段。", 0, False)]


def test_the_table_of_contents_is_of_the_page_and_notes_come_at_the_end() -> None:
    notes = (
        '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:footnote w:type="separator">'
        f"{paragraph('线')}</w:footnote><w:footnote>{paragraph('数据为初步核算数。')}</w:footnote></w:footnotes>"
    )
    data = make_docx(paragraph("一、回顾 3", "toc") + paragraph("正文。"), parts={"word/footnotes.xml": notes})
    text = extract_docx(data, "a.docx")
    layout = read_layout(text, Media.DOCX)
    assert [b.plain for b in layout.blocks] == ["正文。", "数据为初步核算数。"]
    assert [text[f.start : f.end] for f in layout.furniture] == ["一、回顾 3"]


def test_sections_and_labels_come_from_the_headings() -> None:
    body = (
        paragraph("广东省政府工作报告", "a")
        + paragraph("2023年工作回顾", "1")
        + paragraph("新建公园95座。")
        + paragraph("2024年主要任务", "1")
        + paragraph("新建公园120座。")
    )
    text = extract_docx(make_docx(body), "a.docx")
    parsed = parse(Document("a.docx", text, Media.DOCX, "0", "广东省政府工作报告"))
    labels = {s.quote: (s.labels.region, s.labels.year, s.labels.part) for s in parsed.sentences}
    assert labels == {
        "新建公园95座。": ("广东", 2023, Part.REVIEW),
        "新建公园120座。": ("广东", 2024, Part.TASKS),
    }


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><w:document xmlns:w="http://schemas.openxmlformats.org/'
    'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&c;</w:t></w:r></w:p></w:body></w:document>'
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (make_docx("", document=LAUGHS), "DTD"),
        (make_docx(paragraph("字。"), parts={"word/media/a.bin": b"\x00" * 3_000_000}), "解压后"),
        (make_docx(paragraph("字。"), parts={f"x/{n}": b"" for n in range(2_001)}), "2004 个文件"),
        (make_docx(""), "没有文字"),
        (make_docx(paragraph("字。"))[:-30], "损坏"),
        (make_docx("<w:p><w:r>"), "损坏"),
    ],
    ids=["entities", "ratio", "entries", "empty", "cut off", "broken"],
)
def test_bombs_and_damage_are_refused_with_their_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        extract_docx(data, "某文件.docx")
    assert reason in str(caught.value)
    assert "某文件.docx" in str(caught.value)


def test_the_limits_let_through_what_is_just_within_them(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = make_docx(paragraph("字。"), parts={f"x/{n}": b"" for n in range(1_997)})
    assert extract_docx(fits, "a.docx") == "字。\n"
    # As much, and as well packed, as the bomb above but for the ratio: random bytes do not pack.
    noise = random.Random(7).randbytes(3_000_000)
    assert extract_docx(make_docx(paragraph("字。"), parts={"word/media/a.bin": noise}), "a.docx") == "字。\n"
    monkeypatch.setattr(read_docx, "LARGEST_UNPACKED", 2_000_000)
    with pytest.raises(SourceUnreadable, match="解压后"):
        extract_docx(make_docx(paragraph("字。"), parts={"word/media/a.bin": noise}), "a.docx")


def test_a_workbook_and_a_plain_archive_are_no_word_files() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as package:
        package.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(SourceUnreadable, match="不是 Word"):
        extract_docx(held.getvalue(), "a.docx")


def test_an_entry_that_says_less_than_it_holds_is_not_read_beyond_what_it_said() -> None:
    data = bytearray(make_docx(paragraph("长" * 2000)))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as package:
        size = package.getinfo("word/document.xml").file_size
    lied = bytes(data).replace(size.to_bytes(4, "little"), (50).to_bytes(4, "little"))
    with pytest.raises(SourceUnreadable, match="损坏"):
        extract_docx(lied, "a.docx")
