"""Questions written about official texts: found again in the texts, made into examples, and kept away from what measures."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from training.asked import BEGINNING, MEASURED_ON, QUESTIONS, asked_examples, asked_spans, read_asked
from training.build import Sources, make_examples, plan_parts
from training.texts import Text

SENTENCES = tuple(f"第{n}条 第{n}号事项由第{n}办公室在{n + 3}日内办理，逾期不办的向上级报告情况。" for n in range(40))
TEXT = Text("law", "某市办事规定", None, 2019, SENTENCES)
ROW = {
    "title": "某市办事规定",
    "first": SENTENCES[10][:BEGINNING],
    "last": SENTENCES[21][:BEGINNING],
    "asked": [
        {"question": "十二号的事几天给办好", "in": [SENTENCES[12][:BEGINNING]], "answer": "15日内"},
        {"question": "哪两样归十五和十六办公室管", "in": [SENTENCES[15][:BEGINNING], SENTENCES[16][:BEGINNING]]},
        {"question": "办一次要交多少钱", "in": []},
        {"question": "不在这一段里的", "in": ["这句话别处才有"]},
    ],
}


def _write(folder: Path, *rows: object) -> Path:
    folder.joinpath("law.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return folder


def test_a_stretch_is_found_again_wherever_the_text_is_cut(tmp_path: Path) -> None:
    folder = _write(tmp_path, ROW, {**ROW, "first": "这句话没有"}, {**ROW, "title": "另一份文件"})
    (stretch,) = read_asked([TEXT], folder)
    assert stretch.sentences == SENTENCES[10:22]
    assert [q.gold for q in stretch.questions] == [(2,), (5, 6), ()]  # what names no sentence of it is left out
    (later,) = read_asked([Text("law", TEXT.title, None, 2019, ("另加的一句话放在最前面。", *SENTENCES))], folder)
    assert later.sentences == stretch.sentences
    assert not set(stretch.around) & set(stretch.sentences)


def test_examples_hold_their_answer_and_near_misses_hold_none(tmp_path: Path) -> None:
    (stretch,) = read_asked([TEXT], _write(tmp_path, ROW))
    rng = Random(1)
    made = [example for _ in range(60) for example in asked_examples(stretch, rng)]
    assert {e.kind for e in made} == {"asked", "asked-none", "asked-taken"}
    for example in made:
        assert len(set(example.candidates)) == len(example.candidates) <= 16
        if example.kind == "asked-taken":
            answers = {stretch.sentences[i] for q in stretch.questions[:2] for i in q.gold}
            assert len(answers & set(example.candidates)) < len(answers)
        assert bool(example.gold) == (example.kind == "asked")
    for example in (e for _ in range(40) for e in asked_spans(stretch, rng)):
        assert len(example.candidates) == 1
        assert bool(example.gold) == (example.kind == "asked-span")
        assert example.answer in example.candidates[0]


def test_a_held_out_stretch_is_in_the_validation_part_only(tmp_path: Path) -> None:
    texts = [Text("law", f"第{n}号规定", None, 2019, SENTENCES) for n in range(60)]
    stretches = read_asked(texts, _write(tmp_path, *({**ROW, "title": text.title} for text in texts)))
    sources = Sources((), tuple(texts), tuple(stretches))
    parts = [p for p in plan_parts(sources, 0, 0, asked_rounds=1) if p.name.split("-0-")[0].endswith("asked")]
    kept = {p.name: len(list(make_examples(sources, p, 0))) for p in parts if "span" not in p.name}
    held_out = sum(s.held_out for s in stretches)
    assert 0 < held_out < 20
    assert kept["validation-asked"] == 3 * held_out
    assert sum(kept.values()) == 3 * len(stretches)


def test_the_questions_that_are_shipped_are_about_nothing_that_measures() -> None:
    rows = [json.loads(line) for file in QUESTIONS.glob("*.jsonl") for line in file.open(encoding="utf-8")]
    assert len(rows) > 1000
    assert not {row["title"] for row in rows} & MEASURED_ON
    for row in rows:
        assert row["asked"]
        for item in row["asked"]:
            assert len(item["question"]) >= 3
            assert "answer" not in item or len(item["in"]) == 1
