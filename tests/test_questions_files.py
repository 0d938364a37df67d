"""Question files are read as people write them, and every row that does not fit is named before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from assistant.errors import InputInvalid
from assistant.evaluation.questions import COLUMNS, check_evidence, read_questions, write_template
from assistant.evaluation.score import Sample
from assistant.evaluation.squad import read_squad

ROW = {
    "id": "q017",
    "kind": "fact",
    "turns": ["上海2024年要新建多少公共充电桩？", "那公园呢？"],
    "must": [["120", "一百二十"], ["公园"]],
    "must_not": ["1万个"],
    "evidence": [["新建公园120座"]],
    "answerable": True,
}
SAMPLE = Sample(
    id="q017",
    kind="fact",
    turns=("上海2024年要新建多少公共充电桩？", "那公园呢？"),
    must=(("120", "一百二十"), ("公园",)),
    must_not=("1万个",),
    evidence=(("新建公园120座",),),
)
TABLE_ROW = (
    "q017",
    "fact",
    "上海2024年要新建多少公共充电桩？\n那公园呢？",
    "120 | 一百二十\n公园",
    "1万个",
    "新建公园120座",
    "true",
)


def write_lines(path: Path, *rows: Any) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_table(path: Path, *rows: Any, encoding: str = "utf-8-sig") -> Path:
    if path.suffix == ".xlsx":
        workbook = Workbook()
        for row in rows:
            workbook.worksheets[0].append(list(row))
        workbook.save(path)
    else:
        quoted = [",".join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in rows]
        path.write_text("\r\n".join(quoted) + "\r\n", encoding=encoding, newline="")
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(InputInvalid) as caught:
        read_questions(path)
    return str(caught.value).splitlines()[1:]


def test_the_same_question_is_read_from_json_lines_csv_and_excel(tmp_path: Path) -> None:
    assert read_questions(write_lines(tmp_path / "q.jsonl", ROW)) == (SAMPLE,)
    assert read_questions(write_table(tmp_path / "q.csv", COLUMNS, TABLE_ROW)) == (SAMPLE,)
    assert read_questions(write_table(tmp_path / "q.xlsx", COLUMNS, TABLE_ROW)) == (SAMPLE,)


def test_a_cell_may_hold_the_json_of_json_lines(tmp_path: Path) -> None:
    cells = [ROW["id"], ROW["kind"], *(json.dumps(ROW[key], ensure_ascii=False) for key in COLUMNS[2:6]), "是"]
    assert read_questions(write_table(tmp_path / "q.csv", COLUMNS, cells)) == (SAMPLE,)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_survives_however_a_spreadsheet_saved_it(tmp_path: Path, encoding: str) -> None:
    (sample,) = read_questions(write_table(tmp_path / "q.csv", COLUMNS, TABLE_ROW, encoding=encoding))
    assert sample == SAMPLE


def test_optional_keys_may_be_left_out(tmp_path: Path) -> None:
    (sample,) = read_questions(write_lines(tmp_path / "q.jsonl", {"id": 7, "turns": ["多少？"], "note": "ours"}))
    assert (sample.id, sample.kind, sample.must, sample.answerable) == ("7", "general", (), True)


@pytest.mark.parametrize(
    ("word", "answerable"), [("否", False), ("FALSE", False), ("是", True), ("", True), ("0", False)]
)
def test_a_person_may_say_answerable_in_words(tmp_path: Path, word: str, answerable: bool) -> None:
    row = (*TABLE_ROW[:-1], word)
    assert read_questions(write_table(tmp_path / "q.csv", COLUMNS, row))[0].answerable is answerable
    assert read_questions(write_table(tmp_path / "q.xlsx", COLUMNS, row))[0].answerable is answerable


def test_figures_in_excel_are_read_as_they_look(tmp_path: Path) -> None:
    path = write_table(tmp_path / "q.xlsx", COLUMNS, (1, "fact", "多少？", 120, 0.25, "", True))
    workbook = load_workbook(path)
    workbook.worksheets[0]["E2"].number_format = "0%"
    workbook.save(path)
    (sample,) = read_questions(path)
    assert (sample.id, sample.must, sample.must_not) == ("1", (("120",),), ("25%",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ""}, "has no id"),
        ({"id": ["a"]}, "has no id"),
        ({"turns": []}, "turns"),
        ({"turns": "多少？"}, "turns"),
        ({"turns": ["多少？", " "]}, "turns"),
        ({"must": ["120"]}, "must "),
        ({"must": [[]]}, "must "),
        ({"must": [["120", ""]]}, "must "),
        ({"must": [[120]]}, "must "),
        ({"must": [["[1]"]]}, "empty when it is compared"),
        ({"must_not": "1万个"}, "must_not"),
        ({"must_not": ["120"], "must": [["公园120座"]]}, "contradict"),
        ({"evidence": ["新建公园120座"]}, "evidence"),
        ({"answerable": "maybe"}, "answerable"),
        ({"answerable": None}, "answerable"),
        ({"kind": []}, "kind"),
        ({"must-not": ["1万个"]}, "did you mean must_not"),
        ({"Evidence": [["新建公园120座"]]}, "did you mean evidence"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_its_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = write_lines(tmp_path / "q.jsonl", {**ROW, "id": "first"}, {**ROW, **change})
    (problem,) = problems_of(path)
    assert "line 2" in problem
    assert said in problem


def test_every_bad_row_is_named_and_not_only_the_first(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.jsonl", ROW, "", "{", "[1]", {**ROW, "turns": []}, ROW)
    found = problems_of(path)
    assert [problem.split(":")[0].split()[-1] for problem in found] == ["3", "4", "5", "5", "6"]
    assert "not JSON" in found[0]
    assert "twice" in found[-1]


def test_a_line_of_a_table_is_counted_as_an_editor_counts(tmp_path: Path) -> None:
    bad = ("q2", "fact", "", "", "", "", "")
    (problem,) = problems_of(write_table(tmp_path / "q.csv", COLUMNS, TABLE_ROW, bad))
    assert "line 5" in problem  # the row before it holds two line breaks
    (problem,) = problems_of(write_table(tmp_path / "q.xlsx", COLUMNS, TABLE_ROW, bad))
    assert "row 3" in problem


def test_a_cell_too_many_is_not_dropped_in_silence(tmp_path: Path) -> None:
    (problem,) = problems_of(write_table(tmp_path / "q.csv", COLUMNS, (*TABLE_ROW, "surplus")))
    assert "too many cells" in problem


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\xff\xff\x81", b"PK\x03\x04 no workbook"])
@pytest.mark.parametrize("name", ["q.jsonl", "q.csv", "q.xlsx"])
def test_a_file_that_holds_no_questions_is_refused_in_words(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputInvalid, match=name):
        read_questions(tmp_path / name)


def test_another_kind_of_file_is_told_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputInvalid, match="--format squad"):
        read_questions(tmp_path / "q.json")
    with pytest.raises(InputInvalid, match="no question file"):
        read_questions(tmp_path / "nothing.jsonl")


def test_evidence_has_to_stand_in_the_corpus_to_the_letter() -> None:
    corpus = {"plan.txt": "新建公园120座。"}
    check_evidence([SAMPLE], corpus, "q.jsonl")
    with pytest.raises(InputInvalid, match="q017: evidence"):
        check_evidence([SAMPLE], {"plan.txt": "新建公园 120座。"}, "q.jsonl")


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_template_can_be_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"questions{suffix}"
    write_template(path)
    samples = read_questions(path)
    assert [sample.answerable for sample in samples] == [True, True, False]
    assert samples[1].turns == ("某县明年要修多少公里步道？", "那长椅呢？")
    assert samples[1].must == (("5千张", "5000张"),)


def test_an_excel_template_is_filled_in_and_read(tmp_path: Path) -> None:
    path = tmp_path / "questions.xlsx"
    write_template(path)
    workbook = load_workbook(path)
    for number, cell in enumerate(TABLE_ROW, start=1):
        workbook.worksheets[0].cell(2, number).value = cell
    workbook.save(path)
    assert read_questions(path) == (SAMPLE,)


def test_a_template_does_not_overwrite_work(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.jsonl", ROW)
    with pytest.raises(InputInvalid, match="exists"):
        write_template(path)
    with pytest.raises(InputInvalid, match="template"):
        write_template(tmp_path / "q.docx")


def squad(**qa: Any) -> dict[str, Any]:
    context = "1998年建成。甲市公园120座，1998年的两倍。乙市没有公园。"
    question = {"id": "a", "question": "公园多少座？", "answers": [{"text": "120座", "answer_start": 12}], **qa}
    return {"data": [{"title": "公园", "paragraphs": [{"context": context, "qas": [question]}]}]}


def write_squad(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_squad_question_brings_its_paragraph_and_the_sentence_of_its_answer(tmp_path: Path) -> None:
    read = read_squad(write_squad(tmp_path / "s.json", squad()))
    (sample,), (paragraph,) = read.samples, read.paragraphs
    assert sample.must == (("120座",),)
    assert sample.evidence == (("甲市公园120座，1998年的两倍。",),)
    assert sample.source == paragraph.source
    assert paragraph.text.startswith("1998年建成。")


def test_the_sentence_is_that_of_the_offset_and_not_the_first_that_fits(tmp_path: Path) -> None:
    later = squad(answers=[{"text": "1998年", "answer_start": 17}])
    assert read_squad(write_squad(tmp_path / "s.json", later)).samples[0].evidence[0][0].startswith("甲市")
    wrong = squad(answers=[{"text": "1998年", "answer_start": 3}])
    assert read_squad(write_squad(tmp_path / "s.json", wrong)).samples[0].evidence[0][0].startswith("1998年建成")


def test_several_reference_answers_are_alternatives(tmp_path: Path) -> None:
    answers = [{"text": text, "answer_start": -1} for text in ("120座", "120", "120座")]
    assert read_squad(write_squad(tmp_path / "s.json", squad(answers=answers))).samples[0].must == (("120座", "120"),)


@pytest.mark.parametrize("qa", [{"answers": []}, {"is_impossible": True}])
def test_a_squad_question_without_an_answer_is_one_to_refuse(tmp_path: Path, qa: dict[str, Any]) -> None:
    sample = read_squad(write_squad(tmp_path / "s.json", squad(**qa))).samples[0]
    assert (sample.answerable, sample.must, sample.evidence) == (False, (), ())


def test_the_plain_list_of_contexts_is_read_too(tmp_path: Path) -> None:
    qa = {"query_id": "Q", "query_text": "多少？", "answers": ["120座"]}
    path = write_squad(tmp_path / "s.json", [{"context_id": "C", "context_text": "公园120座。", "qas": [qa]}])
    assert read_squad(path).samples[0].evidence == (("公园120座。",),)


def test_squad_entries_that_do_not_fit_are_all_named(tmp_path: Path) -> None:
    content = squad()
    good = content["data"][0]["paragraphs"][0]["qas"][0]
    content["data"][0]["paragraphs"][0]["qas"] = [good, good, {**good, "id": "b", "question": ""}]
    with pytest.raises(InputInvalid) as caught:
        read_squad(write_squad(tmp_path / "s.json", content))
    assert "a: id" in str(caught.value)
    assert "b: 没有问题" in str(caught.value)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"data": 5}', '[{"qas": []}]', "7", '{"data": []}'])
def test_another_form_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputInvalid, match=r"s\.json"):
        read_squad(tmp_path / "s.json")


def test_the_labelled_questions_beside_the_seeds_fit_their_documents() -> None:
    folder = Path(__file__).parent.parent / "seeds"
    corpus = {path.name: path.read_text(encoding="utf-8-sig") for path in folder.glob("*.txt")}
    samples = read_questions(folder / "questions.jsonl")
    check_evidence(samples, corpus, "questions.jsonl")
    assert len({sample.kind for sample in samples}) > 5
