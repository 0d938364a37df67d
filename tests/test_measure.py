"""`assistant eval` as a person meets it: the real command, index and model, over a few questions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from assistant.cli import app
from assistant.errors import InputInvalid
from assistant.evaluation.questions import read_questions
from assistant.evaluation.results import read_results
from tests.bad_model_server import Model, serve_model

PLAN = """甲县2024年工作计划

一、2024年主要任务

全县新建公园12座,修建步道37公里。
完成老旧小区改造45个。
新增公共停车位2600个。
"""
QUESTIONS: Sequence[dict[str, Any]] = (
    {"id": "a1", "kind": "fact", "turns": ["要新建多少座公园？"], "must": [["12座"]], "evidence": [["新建公园12座"]]},
    {"id": "a2", "kind": "fact", "turns": ["修建步道多少公里？"], "must": [["37公里"]]},
    {"id": "a3", "kind": "fact", "turns": ["老旧小区改造多少个？"], "must": [["45个"]], "must_not": ["12座"]},
    {"id": "a4", "kind": "fact", "turns": ["新增多少个公共停车位？"], "must": [["2600个"]]},
    {"id": "a5", "kind": "wrong", "turns": ["要新建多少座公园？"], "must": [["99座"]]},  # no answer can be right
    {"id": "a6", "kind": "refuse", "turns": ["灯塔的高度是多少米？"], "answerable": False},
)


def write(path: Path, rows: Sequence[dict[str, Any]] = QUESTIONS) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plan of its own to be asked about, and the questions."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "plan.txt").write_text(PLAN, encoding="utf-8")
    monkeypatch.setenv("ASSISTANT_SEEDS", str(seeds))
    monkeypatch.setenv("ASSISTANT_DATA", str(tmp_path / "data"))
    write(tmp_path / "questions.jsonl")
    return tmp_path


def command(place: Path, *options: str) -> list[str]:
    return ["eval", "--questions", str(place / "questions.jsonl"), "--out", str(place / "out"), *options]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments], capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.slow
def test_a_run_is_held_to_its_gates_gone_on_with_and_repeated(place: Path) -> None:
    first = run(*command(place, "--min-correct", "0.5", "--min-valid-citations", "1"))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "6 / 6" in first.stdout and str(place / "out" / "report.html") in first.stdout
    one = json.loads((place / "out" / "summary.json").read_text(encoding="utf-8"))
    assert one["all"]["n"] == 6 and one["kinds"]["wrong"]["scores"]["correct"]["mean"] == 0
    before = (place / "out" / "results.jsonl").read_bytes()

    again = CliRunner().invoke(app, command(place, "--resume", "--min-correct", "1", "--min-valid-citations", "1"))
    assert again.exit_code == 3
    missed = [line for line in again.stdout.splitlines() if "gate missed" in line]
    assert len(missed) == 1 and "correct" in missed[0]
    assert (place / "out" / "results.jsonl").read_bytes() == before  # every answer took its own time; none is new

    refused = CliRunner().invoke(app, command(place))
    assert isinstance(refused.exception, InputInvalid) and "--resume" in str(refused.exception)

    more = ["--out", str(place / "two"), "--baseline", str(place / "out")]
    assert CliRunner().invoke(app, [*command(place), *more]).exit_code == 0
    two = json.loads((place / "two" / "summary.json").read_text(encoding="utf-8"))
    assert (one["answers_sha256"], one["run"]) == (two["answers_sha256"], two["run"])
    assert (two["baseline"]["common"], two["baseline"]["better"], two["baseline"]["worse"]) == (6, [], [])


def test_every_line_that_does_not_fit_is_named_before_anything_is_asked(place: Path) -> None:
    bad = ['{"id": "a1", "turns": []}', "not json", '{"id": "a1", "turns": ["问？"], "must": "12"}']
    (place / "questions.jsonl").write_text("\n".join(bad), encoding="utf-8")
    done = run(*command(place))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for words in ("line 1: turns", "line 2: 不是 JSON", "line 3: must", "line 3: id a1"):
        assert words in done.stderr
    assert not (place / "out").exists() and not (place / "data").exists()


def test_evidence_that_does_not_stand_in_the_documents_is_named_before_anything_is_asked(place: Path) -> None:
    write(place / "questions.jsonl", [QUESTIONS[0], {**QUESTIONS[1], "evidence": [["修建步道38公里"]]}])
    done = CliRunner().invoke(app, command(place))
    assert isinstance(done.exception, InputInvalid)
    assert "a2" in str(done.exception) and "a1" not in str(done.exception)
    assert not (place / "out").exists()


@pytest.mark.parametrize("suffix", ["xlsx", "csv", "jsonl"])
def test_a_template_reads_back_when_filled_in_and_is_never_written_over(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"template.{suffix}"
    done = CliRunner().invoke(app, ["eval", "--template", str(path)])
    assert done.exit_code == 0 and str(path) in done.stdout
    content = path.read_bytes()
    assert isinstance(CliRunner().invoke(app, ["eval", "--template", str(path)]).exception, InputInvalid)
    assert path.read_bytes() == content
    if suffix == "xlsx":
        fill_in(path)
    assert [len(sample.turns) for sample in read_questions(path)] == [1, 2, 1]


def fill_in(path: Path) -> None:
    """Copy the examples of the second sheet into the table, which is empty in a workbook."""
    from openpyxl import load_workbook

    workbook = load_workbook(path)
    table, examples = workbook.worksheets
    for row in examples.iter_rows(min_row=2, max_row=4, values_only=True):
        table.append(row)
    workbook.save(path)


# The first two only make sense about their own paragraph: together they contradict each other.
PARAGRAPHS = ("东湖镇今年新建公园12座。", "西山镇今年新建公园30座。", "北港镇今年修建步道37公里。")
ASKED = (("p1", "新建公园多少座？", "12座"), ("p2", "新建公园多少座？", "30座"), ("p3", "修建步道多少公里？", "37公里"))


@pytest.fixture
def squad(place: Path) -> Path:
    """Three paragraphs in the SQuAD form, a question about each."""
    paragraphs = [
        {"context": text, "qas": [{"id": name, "question": question, "answers": [{"text": answer}]}]}
        for text, (name, question, answer) in zip(PARAGRAPHS, ASKED, strict=True)
    ]
    path = place / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "镇", "paragraphs": paragraphs}]}, ensure_ascii=False), "utf-8")
    return path


def ask_squad(squad: Path, corpus: str) -> dict[str, dict[str, Any]]:
    out = squad.parent / corpus
    options = ["--format", "squad", "--questions", str(squad), "--corpus", corpus, "--out", str(out)]
    done = CliRunner().invoke(app, ["eval", *options])
    assert done.exit_code == 0, done.output
    return {result.id: dict(result.answer or {}) for result in read_results(out / "results.jsonl")}


@pytest.mark.slow
def test_each_squad_question_is_asked_of_its_own_paragraph_or_of_all_of_them(
    squad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(squad.parent))
    own, everywhere = ask_squad(squad, "own"), ask_squad(squad, "all")
    assert [answer in own[name]["answer"] for name, _, answer in ASKED] == [True, True, True]
    for text, (name, _, _) in zip(PARAGRAPHS, ASKED, strict=True):
        assert {row["quote"] for row in own[name]["citations"]} == {text}
    assert everywhere["p1"]["answer"] == everywhere["p2"]["answer"]
    assert "37公里" in everywhere["p3"]["answer"]
    assert not (squad.parent / "data" / "CURRENT").exists()  # the index of the person stays as it is
    assert not list(squad.parent.glob("assistant-eval-*"))


def test_a_server_is_measured_where_one_is_set_with_several_questions_under_way(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Model(text="新建公园12座[1]。")
    with serve_model(model) as url:
        monkeypatch.setenv("ASSISTANT_LLM_URL", url)
        done = CliRunner().invoke(app, command(place, "--jobs", "3"))
    assert done.exit_code == 0, done.output
    summary = json.loads((place / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["run"]["model"]["name"] == "some-model"
    assert (summary["all"]["n"], summary["all"]["errors"]) == (6, 0)
    assert (
        model.bodies
        and "12座" in {r.id: r for r in read_results(place / "out" / "results.jsonl")}["a1"].answer["answer"]
    )


def test_a_question_file_that_is_not_squad_says_so(place: Path) -> None:
    done = CliRunner().invoke(app, command(place, "--format", "squad"))
    assert isinstance(done.exception, InputInvalid) and "SQuAD" in str(done.exception)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_run_after_the_question_under_way_and_it_can_be_gone_on_with(place: Path) -> None:
    many = [{**QUESTIONS[n % 4], "id": f"b{n:03d}"} for n in range(200)]
    write(place / "questions.jsonl", many)
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", *command(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    results = place / "out" / "results.jsonl"
    deadline = time.monotonic() + 60
    while (not results.exists() or not results.read_bytes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stdout + stderr
    assert "--resume" in stdout and "Traceback" not in stderr
    before = read_results(results)
    assert 0 < len(before) < 200
    done = run(*command(place, "--resume"))
    assert done.returncode == 0, done.stderr
    after = read_results(results)
    assert [result.answer for result in after[: len(before)]] == [result.answer for result in before]
    assert len({result.id for result in after}) == len(after) == 200
