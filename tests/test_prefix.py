"""The kept reading of a prompt's fixed beginning: the same answers with it, without it, and when it is broken."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.llm.catalog import Form, ModelSpec, hash_file
from assistant.llm.engine import Engine
from assistant.llm.prefix import FOLDER, choose_state_file, drop_oldest, keep_state, state_is_whole
from assistant.llm.template import apply_template
from assistant.llm.worker import BATCH, Runtime, prompt_tokens
from tests.tiny_gguf import CONTEXT, tiny_gguf

RULES = "只根据下面编号的句子回答,不用自己的知识。数字、年份、地名照原文写。" * 12
SPEC = ModelSpec("tiny", tiny_gguf(), hash_file(tiny_gguf()), "F32", Form.INSTRUCT, "chatml", CONTEXT)


def write(home: Path | None, *questions: str) -> list[str]:
    with closing(Engine(SPEC, threads=1, home=home)) as engine:
        return [
            "".join(engine.generate(apply_template("chatml", RULES, q), max_tokens=16, temperature=1.0, seed=5))
            for q in questions
        ]


def states(home: Path) -> list[Path]:
    return sorted((home / FOLDER).glob("*.state"))


def test_answers_are_the_same_cold_warm_and_from_the_file(tmp_path: Path) -> None:
    cold = write(tmp_path, "低碳城市试点有哪些？", "公园", "低碳城市试点有哪些？")
    assert len(states(tmp_path)) == 1
    assert cold[0] == cold[2]
    kept = states(tmp_path)[0].stat().st_mtime_ns
    assert write(tmp_path, "低碳城市试点有哪些？", "公园") == cold[:2]  # another process, from the file
    assert hash_file(states(tmp_path)[0]) == states(tmp_path)[0].with_suffix(".sha256").read_text()
    assert states(tmp_path)[0].stat().st_mtime_ns >= kept


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other"])
def test_a_broken_file_is_not_read_and_is_written_anew(tmp_path: Path, damage: str) -> None:
    expected = write(tmp_path, "公园")
    path = states(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    changed = {"flip": bytes(data), "cut": bytes(data[:100]), "empty": b"", "other": b"x" * 5000}[damage]
    path.write_bytes(changed)
    assert not state_is_whole(str(path))
    assert write(tmp_path, "公园") == expected
    assert state_is_whole(str(path))


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    assert write(tmp_path, "公园") == write(tmp_path, "公园")


def test_the_file_s_name_holds_all_that_it_depends_on(tmp_path: Path) -> None:
    name = choose_state_file(tmp_path, SPEC, ["甲", "乙"])
    assert name == choose_state_file(tmp_path, SPEC, ["甲", "乙"])
    others = [
        choose_state_file(tmp_path, replace(SPEC, sha256="1" * 64), ["甲", "乙"]),
        choose_state_file(tmp_path, replace(SPEC, context=512), ["甲", "乙"]),
        choose_state_file(tmp_path, SPEC, ["甲乙"]),
        choose_state_file(tmp_path, SPEC, ["甲", "丙"]),
    ]
    assert len({name, *others}) == 5


def test_the_oldest_files_go_when_there_are_too_many_or_they_are_too_large(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.state" for n in range(5)]
    for age, path in enumerate(files):
        path.write_bytes(b"x" * 100)
        path.with_suffix(".sha256").touch()
        os.utime(path, (1000 + age, 1000 + age))
    drop_oldest(tmp_path, files[0], most_files=3)
    assert sorted(p.name for p in tmp_path.glob("*.state")) == ["0.state", "3.state", "4.state"]
    assert len(list(tmp_path.glob("*.sha256"))) == 3
    drop_oldest(tmp_path, files[0], most_bytes=150)
    assert [p.name for p in tmp_path.glob("*.state")] == ["0.state"]


def test_a_file_that_was_not_written_to_its_end_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.state"
    with pytest.raises(KeyboardInterrupt), keep_state(str(path)) as unfinished:
        Path(unfinished).write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_reading_behind_the_file_is_the_reading_itself(tmp_path: Path) -> None:
    prompt = apply_template("chatml", RULES, "低碳城市试点有哪些？" * 8)
    segments = [(s.text, s.control) for s in prompt.segments]
    state = str(tmp_path / "a.state")
    rows = []
    for _ in range(2):  # the first writes the file, the second reads it
        runtime = Runtime(str(tiny_gguf()), CONTEXT, 1, lambda: False)
        tokens, fixed = prompt_tokens(runtime, segments), prompt_tokens(runtime, segments[: prompt.fixed])
        assert tokens[: len(fixed)] == fixed and len(fixed) % BATCH
        runtime.read_fixed(fixed, state)
        rows.append(runtime.logits(tokens, [len(tokens) - 1])[0])
    plain = Runtime(str(tiny_gguf()), CONTEXT, 1, lambda: False).logits(tokens, [len(tokens) - 1])[0]
    assert (rows[0] == rows[1]).all()
    assert abs(rows[0] - plain).max() < 0.05  # other batches, another rounding
