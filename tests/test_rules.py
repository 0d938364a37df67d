"""Laws, rules and tables: what counts articles is of no year, chapters and articles are found, a cell is read with its head."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from assistant.answer import Assistant
from assistant.llm.catalog import bundled
from tests.answer_fakes import FakeEngine
from vectorstore import sections
from vectorstore.embed import open_embedder
from vectorstore.markup_extracted import Paragraph, write_extracted
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import Document, Media, ParsedDocument

_HISTORY = (
    "1996年5月7日 云梦省第八届人民代表大会常务委员会第二次会议通过",
    "2009年3月2日 云梦省第十届人民代表大会常务委员会第九次会议修订",
    "2022年8月19日 云梦省第十三届人民代表大会常务委员会第三次会议《关于修改三件法规的决定》第一次修正",
)
_ARTICLES = (
    "## 第一章　总 则",
    "第一条　为了保护渔港,制定本办法。",
    "第二条　渔港分为三级。",
    "一级渔港由省管理。",
    "## 第二章 管理",
    "第三条 有下列情形之一的,不得停靠:",
    "(一)没有登记的;",
    "(二)超过吃水限度的。",
    "第四条 依照第三条 的规定处罚,处五百元罚款。",
    "第五条 本办法自1997年1月1日起施行。",
)
_LAW = "\n\n".join(("# 渔港停靠办法", *_HISTORY, *_ARTICLES))
_LINE = (
    "渔网回收管理规定 《渔网回收管理规定》已经2019年6月3日办公会议通过,自2019年9月1日起施行。 第一章 总 则 "
    "第一条 为了回收渔网,制定本规定。 第二条 渔民应当交回旧渔网。 每张补贴二十元。 第二章 回收站的责任 第三条 回收站应当登记。 "
    "有下列行为的,责令改正: (一)不登记的; (二)违反第二条 第一款的。 第四条 本规定由渔业局解释。"
)


def _read(text: str, name: str = "a.txt", folder: Path | None = None) -> ParsedDocument:
    assert folder is not None
    (folder / name).write_text(text, encoding="utf-8")
    return parse(read_document(folder / name))


def _paragraph(parsed: ParsedDocument, words: str) -> tuple[int, int]:
    (found,) = [s for s in parsed.sentences if words in s.plain]
    return found.section, found.paragraph


def test_a_law_that_was_passed_and_amended_is_of_none_of_those_years_and_dated_by_its_last_step(tmp_path: Path) -> None:
    parsed = _read(_LAW, folder=tmp_path)
    assert {section.labels.year for section in parsed.sections} == {None}
    assert all("施行" not in s.plain or s.labels.year is None for s in parsed.sentences)
    assert parsed.document.published == date(2022, 8, 19)


def test_each_step_of_a_law_has_its_own_year(tmp_path: Path) -> None:
    parsed = _read(_LAW, folder=tmp_path)
    steps = [s.labels.year for s in parsed.sentences if s.plain.startswith(("1996", "2009", "2022"))]
    assert steps == [1996, 2009, 2022]


def test_a_text_with_the_same_lines_that_counts_no_articles_is_of_the_year_of_its_date(tmp_path: Path) -> None:
    text = "渔港开港见闻\n\n2022年8月19日\n\n今年改造渔港。\n\n扩建码头。\n"
    assert {s.labels.year for s in _read(text, folder=tmp_path).sections} == {2022}


def test_without_the_rule_for_laws_the_date_would_label_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sections, "is_code", lambda blocks: False)
    assert {s.labels.year for s in _read(_LAW, folder=tmp_path).sections} == {2022}


@pytest.mark.parametrize(
    ("title", "year"), [("2025年度渔船补贴实施办法", 2025), ("渔船补贴办法(2019年修正)", None), ("渔船补贴办法", None)]
)
def test_rules_are_of_the_year_that_their_title_says_they_are_for(title: str, year: int | None, tmp_path: Path) -> None:
    text = _LAW.replace("# 渔港停靠办法", f"# {title}")
    assert {section.labels.year for section in _read(text, folder=tmp_path).sections} == {year}


def test_marks_of_markdown_before_a_heading_are_read_in_plain_text_and_not_shown(tmp_path: Path) -> None:
    parsed = _read(_LAW, folder=tmp_path)
    assert parsed.document.title == "渔港停靠办法"
    assert [s.headings[-1] for s in parsed.sections] == ["渔港停靠办法", "第一章 总 则", "第二章 管理"]
    assert not any("#" in s.plain for s in parsed.sentences)


@pytest.mark.parametrize("line", ["#渔港# 今天开港,船只有序离开。", "C# 语言入门,适合初学的人。"])
def test_a_sharp_that_is_no_mark_of_a_heading_stays(line: str, tmp_path: Path) -> None:
    parsed = _read(f"渔港消息\n\n{line}\n\n今天开港。\n", folder=tmp_path)
    assert any(s.plain.startswith(line[:3]) for s in parsed.sentences)


def test_an_article_with_all_its_lines_is_one_paragraph_and_the_next_article_another(tmp_path: Path) -> None:
    parsed = _read(_LAW, folder=tmp_path)
    assert _paragraph(parsed, "渔港分为三级") == _paragraph(parsed, "一级渔港")
    assert _paragraph(parsed, "不得停靠") == _paragraph(parsed, "没有登记") == _paragraph(parsed, "超过吃水")
    assert len({_paragraph(parsed, words) for words in ("保护渔港", "三级", "不得停靠", "五百元", "起施行")}) == 5


@pytest.mark.parametrize("space", ["　", " ", ""])
def test_articles_are_counted_with_a_space_behind_their_number_and_without(space: str, tmp_path: Path) -> None:
    lines = ("渔船登记管理办法", "2019年3月2日", "第一条{}为了登记,制定本办法。", "第二条{}渔船应当登记。")
    text = "\n".join(
        (*lines, "未登记的不得出海。", "第三条{}本办法第二条规定的渔船除外。", "第一条规定的目的不变。")
    ).format(*[space] * 3)
    parsed = _read(text, folder=tmp_path)
    assert {section.labels.year for section in parsed.sections} == {None}
    assert _paragraph(parsed, "渔船应当登记") == _paragraph(parsed, "不得出海")
    assert _paragraph(parsed, "除外") == _paragraph(parsed, "目的不变")


def test_chapters_and_articles_are_found_in_a_law_that_is_one_line(tmp_path: Path) -> None:
    parsed = _read(_LINE, folder=tmp_path)
    assert parsed.document.title == "渔网回收管理规定"
    assert [s.headings[-1] for s in parsed.sections] == ["渔网回收管理规定", "第一章 总 则", "第二章 回收站的责任"]
    assert _paragraph(parsed, "交回旧渔网") == _paragraph(parsed, "二十元")
    assert _paragraph(parsed, "应当登记") == _paragraph(parsed, "不登记的")
    assert _paragraph(parsed, "交回旧渔网") != _paragraph(parsed, "应当登记") != _paragraph(parsed, "解释")


def test_what_a_text_only_refers_to_is_no_article(tmp_path: Path) -> None:
    (found,) = [s for s in _read(_LINE, folder=tmp_path).sentences if s.plain.startswith("(二)")]
    assert found.plain == "(二)违反第二条 第一款的。"


def test_a_text_in_one_line_that_counts_no_articles_stays_one_block(tmp_path: Path) -> None:
    text = "渔港开港了。 大家按照第三条 的说法,先登记再停靠。 船长们都说好。"
    assert len({s.paragraph for s in _read(text, folder=tmp_path).sentences}) == 1


@pytest.mark.parametrize("marks", [("1. ", "2. "), ("（一）", "（二）"), ("①", "②")])
def test_the_items_of_a_list_belong_to_the_line_that_announces_them(marks: tuple[str, str], tmp_path: Path) -> None:
    first, second = marks
    text = f"渔港大事\n\n今年办好以下实事：\n{first}修码头3座；\n{second}清淤泥5万吨。\n每件事都有人负责。\n"
    parsed = _read(text, folder=tmp_path)
    assert _paragraph(parsed, "以下实事") == _paragraph(parsed, "修码头") == _paragraph(parsed, "清淤泥")
    assert _paragraph(parsed, "每件事") != _paragraph(parsed, "清淤泥")


def test_numbered_paragraphs_of_several_sentences_stay_paragraphs(tmp_path: Path) -> None:
    text = "渔港大事\n\n主要做法如下：\n1. 修码头3座。工期两年。\n2. 清淤泥5万吨。全年完成。\n"
    parsed = _read(text, folder=tmp_path)
    assert len({_paragraph(parsed, words) for words in ("如下", "修码头", "清淤泥")}) == 3


_ROWS = (("职级", "住宿标准", "伙食补助"), ("船长", "480元", "100元"), ("水手", "260元", "80元"))
_BARS = "\n".join(f"| {' | '.join(row)} |" for row in (_ROWS[0], ("---",) * 3, *_ROWS[1:]))
_HTML = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in _ROWS)
_TABLES = {
    "a.md": f"# 差旅标准\n\n{_BARS}\n",
    "a.txt": f"渔业局差旅费标准\n\n{_BARS}\n",
    "a.html": f"<html><body><h1>差旅标准</h1><table>\n{_HTML}\n</table></body></html>",
}


@pytest.mark.parametrize("name", sorted(_TABLES))
def test_a_row_of_a_table_is_read_with_the_heads_of_its_columns(name: str, tmp_path: Path) -> None:
    parsed = _read(_TABLES[name], name, tmp_path)
    assert [s.plain for s in parsed.sentences] == [
        "职级：船长 住宿标准：480元 伙食补助：100元",
        "职级：水手 住宿标准：260元 伙食补助：80元",
    ]


@pytest.mark.parametrize("name", sorted(_TABLES))
def test_the_quote_of_a_row_is_the_row_as_it_stands_in_the_file(name: str, tmp_path: Path) -> None:
    parsed = _read(_TABLES[name], name, tmp_path)
    for sentence in parsed.sentences:
        assert sentence.quote == parsed.document.text[sentence.start : sentence.end]
        assert "标准" not in sentence.quote and "元" in sentence.quote


def _extracted(*rows: tuple[str, ...]) -> list[str]:
    text = write_extracted([Paragraph(("差旅标准",), level=1), *(Paragraph(row) for row in rows)])
    return [s.plain for s in parse(Document("a.docx", text, Media.DOCX, "", "差旅标准")).sentences]


def test_rows_that_were_taken_out_of_a_word_file_are_read_with_their_heads() -> None:
    assert _extracted(*_ROWS)[0] == "职级：船长 住宿标准：480元 伙食补助：100元"


def test_a_row_with_another_number_of_cells_is_left_as_it_stands() -> None:
    assert _extracted(*_ROWS, ("合计", "740元"))[-1] == "合计 740元"


def test_a_first_row_with_figures_names_no_columns() -> None:
    assert _extracted(("船长", "480元"), ("水手", "260元")) == ["船长 480元", "水手 260元"]


def test_a_single_line_with_bars_is_a_bar_of_the_page_and_no_table(tmp_path: Path) -> None:
    text = "| 首页 | 新闻 | 关于我们 |\n\n渔业局差旅费标准\n\n船长每天480元,水手每天260元。\n"
    assert not any("首页" in s.plain for s in _read(text, folder=tmp_path).sentences)


def test_empty_cells_get_no_head(tmp_path: Path) -> None:
    text = "# 标准\n\n| 职级 | 住宿 | 备注 |\n| --- | --- | --- |\n| 船长 | 480元 |  |\n| | 260元 | 实习 |\n"
    plain = [s.plain for s in _read(text, "a.md", tmp_path).sentences]
    assert plain == ["职级：船长 住宿：480元", "住宿：260元 备注：实习"]


def test_a_row_whose_cells_hold_semicolons_stays_one_sentence(tmp_path: Path) -> None:
    text = "# 标准\n\n| 项目 | 奖励 |\n| --- | --- |\n| 绿色渔港 | 国家级80万元；省级30万元 |\n"
    (sentence,) = _read(text, "a.md", tmp_path).sentences
    assert sentence.plain == "项目：绿色渔港 奖励：国家级80万元；省级30万元"


def test_a_figure_of_a_row_with_several_is_quoted_with_the_row_and_not_given_as_the_answer(tmp_path: Path) -> None:
    one = _ask("船长的住宿标准是多少元", "| 职级 | 住宿标准 |\n| --- | --- |\n| 船长 | 每天480元 |", tmp_path)
    assert one.startswith("480元。") and "职级：船长 住宿标准：每天480元" in one
    two = _ask("船长的补助最高多少", "| 职级 | 补助 |\n| --- | --- |\n| 船长 | 路费70%,最高900元 |", tmp_path)
    assert "补助：路费70%,最高900元" in two and not two.startswith(("70%", "900元"))


def _ask(question: str, table: str, folder: Path) -> str:
    parsed = _read(f"# 渔业局差旅费标准\n\n{table}\n", "a.md", folder)
    return Assistant(MemoryIndex([parsed], open_embedder()), bundled(), FakeEngine()).ask(question).text
