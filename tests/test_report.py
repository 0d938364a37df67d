"""The report shows what came of a run, runs nothing that a document or a model wrote, and needs no network."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evaluation.report import make_bins, name_outcome, render_report, show_points, show_share
from assistant.evaluation.report_text import make_blocks
from assistant.evaluation.results import Result, grade, write_csv
from assistant.evaluation.score import Asked, Sample
from assistant.evaluation.summary import Comparison, RunFacts, compare_runs, summarise
from assistant.types import IndexFacts, ModelFacts

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}"
TEXT = f"开头。{'前' * 80}甲市新建公园120座。{'后' * 80}{HOSTILE}结尾。"
CORPUS = {"plan.txt": TEXT}
FACTS = RunFacts(ModelFacts("fake", "ab" * 32, "F32"), IndexFacts("g1", "cd" * 32), prompts="ef" * 32, program="0.1")
QUOTE = "甲市新建公园120座。"


def cite(quote: str = QUOTE) -> dict[str, Any]:
    start = TEXT.index(quote)
    labels = {"region": "甲", "year": 2024, "part": "tasks"}
    return {"n": 1, "source": "plan.txt", "start": start, "end": start + len(quote), "quote": quote, "labels": labels}


def say(text: str, *citations: dict[str, Any], **more: Any) -> dict[str, Any]:
    claims = [{"text": text, "verdict": "supported", "reason": "because", "citations": [c["n"]]} for c in citations]
    return {
        "standalone_question": "公园多少座？",
        "answer": text,
        "refused": False,
        "refusal_reason": None,
        "claims": claims,
        "citations": list(citations),
        "nearest": [],
        "seconds": {"generate": 0.1, "total": 0.5},
        **more,
    }


REFUSAL = say("资料没有说。", refused=True, refusal_reason="not_in_corpus", nearest=[cite()])
PARK = Sample("park", ("公园多少座？",), "fact", must=(("120",),), evidence=((QUOTE,),))
AIRPORT = Sample("airport", ("机场多少座？",), "refuse", answerable=False)


def make(sample: Sample, answer: Mapping[str, Any] | None, error: str | None = None) -> Result:
    return grade(sample, answer, CORPUS, asked=Asked(), error=error)


def render(pairs: Sequence[tuple[Sample, Result]], comparison: Comparison | None = None) -> str:
    samples = {sample.id: sample for sample, _ in pairs}
    results = [result for _, result in pairs]
    return render_report(summarise(results, samples, FACTS), results, samples, CORPUS, comparison)


class Reader(HTMLParser):
    """Notes what a browser would load, run and show."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_an_answer_is_shown_with_its_expectation_its_reason_and_its_quote_in_context() -> None:
    page = render([(PARK, make(PARK, say("95座[1]。", cite())))])
    text = "".join(Reader(page).texts)
    assert "缺少 missing: 「120」" in text
    assert "because" in text
    assert f"…{'前' * 60}{QUOTE}{'后' * 60}…" in text
    assert f"<mark>{QUOTE}</mark>" in page
    assert f"plan.txt#{TEXT.index(QUOTE)}" in text


def test_a_marker_leads_to_its_quote() -> None:
    reader = Reader(render([(PARK, make(PARK, say("120座[1]。", cite())))]))
    links = [attrs["href"] for tag, attrs in reader.tags if tag == "a"]
    assert links
    assert {str(link)[1:] for link in links} <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))


def test_a_quote_that_is_not_in_its_source_is_called_so() -> None:
    wrong = {**cite(), "quote": "甲市新建公园121座。"}
    assert "differs from the source" in render([(PARK, make(PARK, say("120座[1]。", wrong)))])
    assert "differs from the source" not in render([(PARK, make(PARK, say("120座[1]。", cite())))])


def test_nothing_that_others_wrote_is_markup_or_template() -> None:
    sample = Sample(HOSTILE, (HOSTILE, HOSTILE), HOSTILE, must=((HOSTILE,),), evidence=((HOSTILE,),))
    answer = say(HOSTILE + "[1]", cite(HOSTILE), standalone_question=HOSTILE + "?")
    result = grade(sample, answer, CORPUS, asked=Asked(), replies=[HOSTILE])
    old = grade(sample, say("别的"), CORPUS, asked=Asked())
    page = render([(sample, result), (PARK, make(PARK, None, HOSTILE))], compare_runs([result], [old], HOSTILE))
    reader = Reader(page)
    assert [tag for tag, _ in reader.tags].count("script") == 1
    assert not [tag for tag, attrs in reader.tags if tag == "img" or any(name.startswith("on") for name in attrs)]
    assert HOSTILE in "".join(reader.texts)
    assert "49" not in "".join(reader.texts).replace(str(TEXT.index(HOSTILE)), "")


@given(st.text(max_size=30))
def test_whatever_a_model_writes_is_shown_as_it_is(text: str) -> None:
    plain = text.replace("\0", "").replace("\r", "\n")
    page = render([(PARK, make(PARK, say(plain)))])
    said = page.split('<div class="said">')[1].split("</div>")[0]
    assert "".join(Reader(said).texts).replace("\r", "\n") == re.sub(r"\r\n?", "\n", plain)


TABLE = "先看表。\n\n| 对象 | 说法 |\n| --- | --- |\n| 甲 | 120座[1]。 |\n| 乙 | <b>未提及</b> |\n\n2项中有1项。"


def test_a_table_is_drawn_as_one_and_its_markers_lead_to_their_quotes() -> None:
    page = render([(PARK, make(PARK, say(TABLE, cite())))])
    said = page.split('<div class="said">')[1].split("<h3>")[0]
    reader = Reader(said)
    assert [tag for tag, _ in reader.tags].count("tr") == 3 and "---" not in said
    assert [attrs["href"] for _, attrs in reader.tags if attrs.get("href")] == ["#i1-1"]
    assert "<b>未提及</b>" in "".join(reader.texts)
    assert said.startswith("先看表。<div") and "</table></div>2项中有1项。" in said


@pytest.mark.parametrize("text", ["| 只有一行 |", "| 甲 |\n| 乙 |", "a\n|---|\nb", "|", "\n\n"])
def test_what_is_no_table_stays_as_it_is_written(text: str) -> None:
    (block,) = make_blocks(text)
    assert "".join(piece for piece, _ in block.pieces) == text


def test_labels_kinds_and_reasons_are_said_in_chinese_too() -> None:
    answer = say("120座[1]。", cite())
    answer["claims"][0]["reason_zh"] = "数字都在"
    text = "".join(Reader(render([(PARK, make(PARK, answer))])).texts)
    for words in ("甲 · 2024 · 任务 tasks", "事实 fact", "数字都在 because"):
        assert words in text


def test_the_page_loads_nothing_and_only_its_own_script_may_run() -> None:
    page = render([(PARK, make(PARK, say("120座[1]。", cite())))])
    reader = Reader(page)
    assert not [attrs for tag, attrs in reader.tags if attrs.get("src") or tag in ("link", "iframe", "object")]
    assert not re.search(r"url\(|@import|https?://", page)
    (policy,) = [attrs["content"] for _, attrs in reader.tags if attrs.get("http-equiv")]
    assert "default-src 'none'" in str(policy)
    assert "script-src 'sha256-" in str(policy)
    assert "script-src 'unsafe-inline'" not in str(policy)


@pytest.mark.parametrize(
    ("sample", "answer", "outcome"),
    [
        (PARK, say("120座"), "right"),
        (PARK, say("95座"), "wrong"),
        (PARK, REFUSAL, "false-refusal"),
        (PARK, None, "error"),
        (AIRPORT, REFUSAL, "right"),
        (AIRPORT, say("3座"), "false-answer"),
        (Sample("free", ("谈谈。",)), say("好"), "unscored"),
    ],
)
def test_both_refusal_errors_have_a_name_of_their_own(
    sample: Sample, answer: dict[str, Any] | None, outcome: str
) -> None:
    result = make(sample, answer, "超时")
    assert name_outcome(result, sample) == outcome
    reader = Reader(render([(sample, result)]))
    (shown,) = [attrs for _, attrs in reader.tags if "data-outcome" in attrs]
    assert shown["data-outcome"] == outcome
    assert shown["data-failed"] == ("0" if outcome in ("right", "unscored") else "1")


def test_a_run_without_a_single_answer_still_has_a_report() -> None:
    empty = render_report(summarise([], {"park": PARK}, FACTS), [], {"park": PARK}, CORPUS)
    assert "The run was stopped" in empty
    assert "超时" in render([(PARK, make(PARK, None, "超时"))])


def test_with_a_baseline_both_answers_of_a_changed_question_are_shown() -> None:
    new, old = make(PARK, say("95座[1]。", cite())), make(PARK, say("120座"))
    page = render([(PARK, new)], compare_runs([new], [old], "reports/before"))
    text = "".join(Reader(page).texts)
    assert "reports/before" in text
    before, now = (re.sub(r"<.*?>", "", part) for part in re.findall(r'<div class="said">(.*?)</div>', page)[:2])
    assert (before, now) == ("120座", "95座[1]。")


def test_the_latency_chart_counts_every_answer_once() -> None:
    seconds = [0.1] * 50 + [0.2] * 40 + [30.0]
    bins = make_bins(seconds)
    assert sum(each.count for each in bins) == 91
    assert bins[-1].count == 1
    assert bins[0].low == 0
    assert max(each.height for each in bins) == 100
    assert sum(each.count > 0 for each in bins) >= 3  # one answer far out does not press the others into one bar
    assert make_bins([]) == ()
    assert sum(each.count for each in make_bins([0.0, 0.0])) == 2


def test_figures_are_said_as_a_person_reads_them() -> None:
    assert [show_share(value) for value in (1.0, 0.875, 0.0, None)] == ["100%", "87.5%", "0%", "—"]
    assert [show_points(value) for value in (0.05, -0.051, 0.0, None)] == ["+5.0", "−5.1", "0", "—"]


def test_a_table_for_excel_has_a_mark_and_a_row_per_question(tmp_path: Path) -> None:
    follow = Sample(
        "f", ("充电桩呢？", "那公园呢？"), "followup", must=(("120", "一百二十"), ("座",)), must_not=("95",)
    )
    results = [make(PARK, say("120座[1]。", cite())), make(AIRPORT, REFUSAL), make(follow, None, "超时")]
    write_csv(tmp_path / "r.csv", results, {s.id: s for s in (PARK, AIRPORT, follow)})
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["park", "airport", "f"]
    assert rows[0]["correct"] == "1.0"
    assert rows[1]["key_points"] == ""  # not scored is not 0
    assert rows[2]["question"] == "充电桩呢？\n那公园呢？"
    assert rows[2]["expected"] == "120 / 一百二十; 座 · 不许 not: 95"
    assert rows[2]["error"] == "超时"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_no_cell_of_the_table_is_a_formula(tmp_path: Path, start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    sample = Sample(text, (text,), text, must=((text,),))
    write_csv(tmp_path / "r.csv", [make(sample, say(text))], {text: sample})
    with (tmp_path / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    for name in ("id", "kind", "question", "expected", "answer"):
        assert row[name] == "'" + text


def test_a_result_is_the_same_after_it_was_written(tmp_path: Path) -> None:
    from assistant.evaluation.results import append_result, read_results

    result = make(PARK, say(HOSTILE + "\n\u2028[1]", cite()))
    append_result(tmp_path / "r.jsonl", result)
    append_result(tmp_path / "r.jsonl", make(AIRPORT, REFUSAL))
    first, _ = read_results(tmp_path / "r.jsonl")
    assert first == result
    assert json.loads((tmp_path / "r.jsonl").read_text(encoding="utf-8").split("\n")[0])["id"] == "park"
