"""The command line as a person meets it: one process per command, its output, its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("gradio", "chromadb", "llama_cpp", "langchain_core", "numpy", "rjieba", "opencc")


def _run(*arguments: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments], capture_output=True, text=True, timeout=timeout, check=False
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom assistant.cli import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["index", "ask", "chat", "serve", "eval", "model", "user", "doctor"])
def test_every_command_has_help(command: str) -> None:
    from typer.testing import CliRunner

    from assistant.cli import app

    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_ask_builds_the_index_first_and_prints_the_public_form(tmp_data: Path) -> None:
    done = _run("ask", "上海2024年要新建多少公共充电桩？", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["answer"] == "1万个。上海2024年的任务中提出：“新建1万个电动汽车公共充电桩”[1]。"
    assert "索引" in done.stderr
    assert (tmp_data / "CURRENT").exists()


@pytest.mark.slow
def test_ask_takes_the_conversation_from_a_file(tmp_path: Path) -> None:
    history = tmp_path / "history.json"
    turns = [
        {"role": "user", "content": "上海2024年要新建多少公共充电桩？"},
        {"role": "assistant", "content": "1万个。"},
    ]
    history.write_text(json.dumps(turns), encoding="utf-8")
    done = _run("ask", "那公园呢？", "--history", str(history), "--json")
    assert json.loads(done.stdout)["answer"].startswith("120座。")


@pytest.mark.parametrize("content", ["{", '{"role": "user"}', '[{"role": "system", "content": "x"}]', "[1]"])
def test_a_history_that_is_none_is_named_in_one_line(tmp_path: Path, content: str) -> None:
    history = tmp_path / "history.json"
    history.write_text(content, encoding="utf-8")
    done = _run("ask", "问题", "--history", str(history))
    assert done.returncode == 1
    assert "history.json" in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_an_empty_question_is_one_line_and_status_1() -> None:
    done = _run("ask", "  ")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and "空" in done.stderr


def test_wrong_usage_is_status_2() -> None:
    assert _run("ask").returncode == 2
    assert _run("ask", "问题", "--no-such-option").returncode == 2


@pytest.mark.slow
def test_index_prints_sections_with_labels_and_reasons(tmp_data: Path) -> None:
    done = _run("index")
    assert done.returncode == 0, done.stderr
    for text in ("天津 · 2023 · 回顾", "北京 · 2024 · 任务", "上海 · 2024 · 任务", "据地名推断", "句子 sentences"):
        assert text in done.stdout


@pytest.mark.slow
def test_index_names_a_file_that_cannot_be_read_and_skips_it_when_told(tmp_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "good.txt").write_text("2024年主要任务:\n\n新建公园10座。\n", encoding="utf-8")
    (folder / "bad.txt").write_bytes(b"\x00\x01\x02")
    done = _run("index", str(folder))
    assert done.returncode == 1 and "bad.txt" in done.stderr and "Traceback" not in done.stderr
    skipped = _run("index", str(folder), "--skip-unreadable")
    assert skipped.returncode == 0 and "bad.txt" in skipped.stdout


@pytest.mark.slow
def test_doctor_says_what_is_wrong_and_what_to_do(tmp_data: Path) -> None:
    before = _run("doctor")
    assert before.returncode == 1 and "assistant index" in before.stdout
    assert _run("index").returncode == 0
    after = _run("doctor")
    assert after.returncode == 0, after.stdout
    assert "✗" not in after.stdout


def test_model_verify_and_list_name_the_bundled_reader(tmp_data: Path) -> None:
    assert "reader" in _run("model", "list").stdout
    assert _run("model", "verify").returncode == 0
    missing = _run("model", "use", "no-such-model")
    assert missing.returncode == 1 and "no-such-model" in missing.stderr
