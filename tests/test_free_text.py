"""A model that writes nonsense, through the whole path: whatever it says, every citation leads to its exact sentence."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest

from assistant.answer import Assistant
from assistant.checking.check import check_claim
from assistant.llm.catalog import Form, ModelSpec, hash_file
from assistant.llm.engine import Engine
from assistant.types import Answer, Finished, Found, Kind, Piece, Verdict
from tests.sentences import SHANGHAI
from tests.tiny_gguf import CONTEXT, tiny_gguf
from vectorstore.index import Index

PLACES = ("上海", "江苏", "北京", "天津", "")
YEARS = ("2023年", "2024年", "")
SUBJECTS = (
    *(
        "新建公园多少座",
        "有哪些主要任务",
        "绿色贸易",
        "公共充电桩",
        "新增绿地多少公顷",
        "科技创新",
        "海上风电",
        "低碳城市试点有哪些",
    ),
    *("教育有什么安排", "就业目标是多少", "总结工作", "医疗卫生", "乡村振兴"),
)
QUESTIONS = [f"{place}{year}{subject}？" for place in PLACES for year in YEARS for subject in SUBJECTS]


def spec() -> ModelSpec:
    made = ModelSpec("tiny", tiny_gguf(), hash_file(tiny_gguf()), "F32", Form.INSTRUCT, "chatml", CONTEXT)
    return replace(made, temperature=1.0)


def check(answer: Answer, index: Index) -> None:
    texts = {parsed.document.source: parsed.document.text for parsed in index.documents}
    data = answer.to_json()
    for row in data["citations"] + data["nearest"]:
        assert texts[row["source"]][row["start"] : row["end"]] == row["quote"]
    assert {int(n) for n in re.findall(r"\[(\d+)\]", data["answer"])} == {row["n"] for row in data["citations"]}
    for claim in answer.claims:
        assert claim.verdict is not Verdict.SUPPORTED or claim.citations


def ask_all(index: Index, questions: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    with closing(Engine(spec(), threads=2)) as engine:
        assistant = Assistant(index, spec(), engine)
        for question in questions:
            shown, text = 0, ""
            for event in assistant.stream(question):
                shown = len(event.passages) if isinstance(event, Found) else shown
                text += event.text if isinstance(event, Piece) else ""
            assert isinstance(event, Finished)
            answer = event.answer
            check(answer, index)
            markers = [int(n) for n in re.findall(r"\[(\d+)\]", text)]
            assert all(1 <= n <= shown for n in markers)  # what the model itself wrote, before anything was checked
            counts["markers"] += len(markers)
            counts["generated"] += bool(text)
            counts["answers"] += 1
            counts["citations"] += len(answer.citations)
            counts["refused"] += answer.refused
            counts["written"] += not answer.refused and answer.question.kind is not Kind.CORPUS
    return counts


def test_a_few_nonsense_answers_cite_only_what_is_there(seed_index: Index) -> None:
    assert ask_all(seed_index, QUESTIONS[:6])["answers"] == 6


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_hundred_nonsense_answers_cite_only_what_is_there(seed_index: Index) -> None:
    texts = [s.plain for s in seed_index.sentences if len(s.plain) > 40]
    own_words = [f"{text[start : start + 24]}？" for start in (0, 8, 16) for text in texts]
    counts = ask_all(seed_index, (own_words + QUESTIONS)[:200])
    assert counts["answers"] == 200
    assert (
        counts["generated"] > 100 and counts["markers"] > 50 and counts["citations"] > 10
    )  # it did write, and some of it is shown


@pytest.mark.parametrize("figure", ["۱۲۰座", "१२०座", "１２０座", "𝟏𝟐𝟎座"])
def test_a_figure_in_the_digits_of_another_script_is_checked_like_any_other(figure: str) -> None:
    finding = check_claim(f"新建公园{figure}", (SHANGHAI,))
    assert finding.verdict is Verdict.SUPPORTED
    assert check_claim(f"新建公园{figure.replace(figure[1], figure[2])}", (SHANGHAI,)).verdict is Verdict.UNSUPPORTED
