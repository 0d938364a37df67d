"""Scores, in minimal pairs: two cases that look alike and must not be scored alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evaluation.compare import stands_in
from assistant.evaluation.score import MEASURES, Asked, Sample, Span, find_spans, score_answer, score_failure

CORPUS = {
    "plan.txt": "甲市2024年新建公园120座。乙市2024年新建公园95座。甲市2023年新建公园80座。",
    "copy.txt": "转载：甲市2024年新建公园120座。",
}


def cite(n: int, source: str, quote: str, region: str | None = "甲", year: int | None = 2024) -> dict[str, Any]:
    start = CORPUS[source].index(quote)
    labels = {"region": region, "year": year, "part": None}
    return {"n": n, "source": source, "start": start, "end": start + len(quote), "quote": quote, "labels": labels}


PARKS = cite(1, "plan.txt", "甲市2024年新建公园120座。")


def answer(text: str, *citations: dict[str, Any], verdicts: Sequence[str] = ("supported",)) -> dict[str, Any]:
    claims = [{"text": "", "verdict": verdict, "reason": "", "citations": [1]} for verdict in verdicts]
    return {"answer": text, "refused": False, "refusal_reason": None, "claims": claims, "citations": list(citations)}


def refuse(text: str) -> dict[str, Any]:
    return {"answer": text, "refused": True, "refusal_reason": "not_in_corpus", "claims": [], "citations": []}


def sample(**expected: Any) -> Sample:
    return Sample("q", ("公园多少座？",), **expected)


def values(expected: Sample, said: dict[str, Any], asked: Asked | None = None) -> dict[str, float | None]:
    scores = score_answer(expected, said, CORPUS, asked or Asked())
    assert tuple(scores) == MEASURES
    assert all(score.reason for score in scores.values())
    return {name: score.value for name, score in scores.items()}


@pytest.mark.parametrize(
    ("expected", "text", "stands"),
    [
        ("25", "新建25座", True),
        ("25", "新建125座", False),
        ("25", "新建250座", False),
        ("25", "提高25.5%", False),
        ("25", "提高1.25%", False),
        ("25.5", "提高25.5%", True),
        ("25", "到2025年", False),
        ("25", "25", True),
        ("25", "2024 25座", True),
        ("25", "见第1条. 25座", True),
        ("125", "1 25座", False),
        ("5", "共25项", False),
        ("1万", "共10000个", True),
        ("1万", "共10,000个", True),
        ("10000", "共1万个", True),
        ("10000", "共一万个", True),
        ("10000", "共1.0万个", True),
        ("1万", "共1个", False),
        ("1", "共1万个", False),
        ("1万", "共11万个", False),
        ("1.2万亿", "共12000亿元", True),
        ("1.2万亿", "共1.2亿元", False),
        ("3亿5000万", "共3.5亿元", True),
        ("12000", "共1万2千个", True),
        ("94.6万", "装机94.6万千瓦", True),
        ("5千瓦", "功率5千瓦", True),
        ("5000", "共五千人", True),
        ("35%", "占比35%", True),
        ("35%", "占百分之三十五", True),
        ("35%", "占百分之35", True),
        ("35%", "占3.5%", False),
        ("35%", "共35座", False),
        ("二十座", "共20座", True),
        ("120座", "新建公园１２０座", True),
        ("120座", "新建公园 120 座", True),
        ("25", "先后25，120座", True),
        ("120", "先后25，120座", True),
        ("25120", "先后25，120座", False),
        ("2024年新建", "2023年新建，2024年改造", False),
        ("碳普惠", "碳普惠", True),
        ("碳达峰", "碳達峰", True),
        ("碳达峰,碳中和", "碳达峰，碳中和", True),
        ("CCUS", "ccus技术", True),
        ("120座", "[120]座", False),
        ("1", "新建公园[1]。", False),
        ("12", "新建1[2]座", False),
        ("新建公园120座", "新建公园[1]120座", True),
    ],
)
def test_a_number_only_stands_where_it_is_a_whole_number(expected: str, text: str, stands: bool) -> None:
    assert stands_in(expected, text) is stands


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_figure_stands_in_another_only_where_both_are_equal(one: int, other: int) -> None:
    assert stands_in(str(one), f"共{other}个") is (one == other)
    assert stands_in(f"{one:,}", f"共 {other} 个") is (one == other)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_can_be_compared_with_any_other(one: str, other: str) -> None:
    assert stands_in(one, other) in (True, False)


def test_correct_needs_one_string_of_every_group() -> None:
    expected = sample(must=(("120", "一百多"), ("公园",)))
    assert values(expected, answer("公园120座"))["correct"] == 1.0
    assert values(expected, answer("公园一百多座"))["correct"] == 1.0
    assert values(expected, answer("绿地120座"))["correct"] == 0.0


def test_a_right_figure_beside_a_forbidden_one_is_not_correct() -> None:
    expected = sample(must=(("120",),), must_not=("80",))
    assert values(expected, answer("120座"))["correct"] == 1.0
    assert values(expected, answer("120座，2023年80座"))["correct"] == 0.0
    assert values(expected, answer("120座，共1800株树"))["correct"] == 1.0


def test_the_right_year_in_the_wrong_place_is_not_correct() -> None:
    expected = sample(must=(("2023年新建公园80座",),))
    assert values(expected, answer("2023年新建公园80座"))["correct"] == 1.0
    assert values(expected, answer("2024年新建公园80座（2023年发布）"))["correct"] == 0.0


def test_a_figure_that_only_stands_in_a_cited_quote_does_not_count() -> None:
    assert values(sample(must=(("120",),)), answer("新建若干座[1]。", PARKS))["correct"] == 0.0


def test_a_refusal_that_mentions_the_right_figure_is_still_a_refusal() -> None:
    scores = values(sample(must=(("120",),)), refuse("资料没有说；最接近的是：公园120座。"))
    assert (scores["correct"], scores["key_points"], scores["refusal"]) == (0.0, 0.0, 0.0)


def test_a_text_that_sounds_like_a_refusal_is_not_one() -> None:
    expected = sample(answerable=False)
    assert values(expected, refuse("资料没有说。"))["correct"] == 1.0
    assert values(expected, answer("资料没有说。"))["correct"] == 0.0
    assert values(expected, answer("资料没有说。"))["refusal"] == 0.0


def test_a_right_refusal_that_quotes_a_forbidden_figure_is_right_and_says_so() -> None:
    expected = sample(answerable=False, must_not=("95座",))
    score = score_answer(expected, refuse("资料没有说丙市；乙市是95座。"), CORPUS, Asked())["correct"]
    assert score.value == 1.0
    assert "95座" in score.reason


def test_without_an_expected_answer_nothing_is_called_correct() -> None:
    assert values(sample(), answer("什么都行"))["correct"] is None
    assert values(sample(), refuse("不知道"))["correct"] == 0.0
    assert values(sample(must_not=("95",)), answer("什么都行"))["correct"] == 1.0


def test_key_points_is_the_share_of_groups_that_were_said() -> None:
    expected = sample(must=(("120",), ("95",), ("80",), ("公园",)))
    assert values(expected, answer("公园120座"))["key_points"] == 0.5
    assert values(sample(), answer("公园120座"))["key_points"] is None


def test_evidence_counts_where_it_overlaps_a_cited_span_by_a_character() -> None:
    expected = sample(evidence=(("120座。乙市",), ("80座",)))
    assert values(expected, answer("…[1]", PARKS))["citation_recall"] == 0.5
    beside = sample(evidence=(("乙市2024年",),))
    assert values(beside, answer("…[1]", PARKS))["citation_recall"] == 0.0


def test_evidence_that_stands_in_two_places_may_be_cited_in_either() -> None:
    expected = sample(evidence=(("新建公园120座",),))
    in_copy = cite(1, "copy.txt", "甲市2024年新建公园120座。")
    assert values(expected, answer("…[1]", PARKS))["citation_recall"] == 1.0
    assert values(expected, answer("…[1]", in_copy))["citation_recall"] == 1.0


def test_the_same_offsets_in_another_source_are_no_overlap() -> None:
    assert Span("a", 0, 5).overlaps(Span("a", 4, 9))
    assert not Span("a", 0, 5).overlaps(Span("b", 4, 9))
    assert not Span("a", 0, 5).overlaps(Span("a", 5, 9))


def test_evidence_that_is_not_in_the_corpus_cannot_be_scored() -> None:
    assert values(sample(evidence=(("新建公园999座",),)), answer("…[1]", PARKS))["citation_recall"] is None
    assert values(sample(evidence=(("999座",), ("120座",))), answer("…[1]", PARKS))["citation_recall"] == 1.0


def test_precision_is_the_share_of_citations_that_are_evidence() -> None:
    expected = sample(evidence=(("120座",),))
    other = cite(2, "plan.txt", "乙市2024年新建公园95座。", "乙")
    assert values(expected, answer("…[1][2]", PARKS, other))["citation_precision"] == 0.5
    assert values(expected, answer("…"))["citation_precision"] is None
    assert values(sample(), answer("…[1]", PARKS))["citation_precision"] is None


def test_a_refusal_has_no_precision_but_misses_the_evidence() -> None:
    scores = values(sample(evidence=(("120座",),)), refuse("资料没有说。"))
    assert (scores["citation_recall"], scores["citation_precision"]) == (0.0, None)


def test_only_supported_claims_count_as_supported() -> None:
    said = answer("…", PARKS, verdicts=("supported", "partial", "unchecked", "uncited"))
    assert values(sample(), said)["support"] == 0.25
    assert values(sample(), answer("…", verdicts=()))["support"] is None


@pytest.mark.parametrize(
    "damage",
    [
        {"start": PARKS["start"] + 1},
        {"end": PARKS["end"] - 1},
        {"quote": PARKS["quote"].replace("120", "121")},
        {"source": "other.txt"},
        {"start": -22, "end": -6},
        {"end": 10_000},
    ],
)
def test_a_citation_that_is_not_its_exact_span_is_invalid(damage: dict[str, Any]) -> None:
    assert values(sample(), answer("…[1]", PARKS))["valid_citations"] == 1.0
    assert values(sample(), answer("…[1]", {**PARKS, **damage}))["valid_citations"] == 0.0


def test_every_marker_has_one_row_and_every_row_a_marker() -> None:
    assert values(sample(), answer("…[1][2]", PARKS))["valid_citations"] == 0.0
    assert values(sample(), answer("…", PARKS))["valid_citations"] == 0.0
    assert values(sample(), answer("…[1]", PARKS, PARKS))["valid_citations"] == 0.0
    assert values(sample(), answer("…"))["valid_citations"] is None


def test_a_marker_that_the_answer_repeats_from_the_question_is_no_citation() -> None:
    assert values(sample(), answer("关于[7]：公园120座[1]。", PARKS))["valid_citations"] == 0.0


def test_leakage_is_a_label_other_than_what_was_asked() -> None:
    here, this_year = Asked(frozenset({"甲"})), Asked(years=frozenset({2024}))
    beside = cite(1, "plan.txt", "乙市2024年新建公园95座。", "乙")
    before = cite(1, "plan.txt", "甲市2023年新建公园80座。", "甲", 2023)
    assert values(sample(), answer("…[1]", PARKS), here)["leakage"] == 1.0
    assert values(sample(), answer("…[1]", beside), here)["leakage"] == 0.0
    assert values(sample(), answer("…[1]", before), here)["leakage"] == 1.0
    assert values(sample(), answer("…[1]", before), this_year)["leakage"] == 0.0
    assert values(sample(), answer("…[1]", beside), Asked(frozenset({"甲", "乙"})))["leakage"] == 1.0


def test_leakage_is_not_scored_where_nothing_was_asked_for_or_nothing_is_cited() -> None:
    assert values(sample(), answer("…[1]", PARKS))["leakage"] is None
    assert values(sample(), answer("…"), Asked(frozenset({"甲"})))["leakage"] is None


def test_a_label_that_is_unknown_does_not_leak() -> None:
    unknown = cite(1, "plan.txt", "乙市2024年新建公园95座。", None, None)
    assert values(sample(), answer("…[1]", unknown), Asked(frozenset({"甲"}), frozenset({2024})))["leakage"] == 1.0


def test_an_answer_is_as_long_as_it_is_without_its_markers() -> None:
    assert values(sample(), answer("公园120座[1][12]。"))["answer_characters"] == 7


def test_no_answer_is_not_correct_and_nothing_else_is_scored() -> None:
    scores = score_failure("超时")
    assert scores["correct"].value == 0.0
    assert {scores[name].value for name in MEASURES if name != "correct"} == {None}


@given(st.text(alphabet="甲乙120座。", max_size=6))
def test_every_span_found_is_the_exact_quote(quote: str) -> None:
    for span in find_spans(quote, CORPUS):
        assert CORPUS[span.source][span.start : span.end] == quote
