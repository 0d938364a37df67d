"""The figures, the results and the corpus texts of a run in, one HTML file out that needs no network.

Everything that a document, a question or a model wrote is escaped by the template; the page's only script is allowed by
its checksum, so that nothing else could run even if an escape were missed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from assistant.evaluation.report_text import Block, make_blocks
from assistant.evaluation.results import Result, describe_expected, write_whole
from assistant.evaluation.score import MEASURES, Sample, Span, find_spans
from assistant.evaluation.statistics import Mean, find_percentile
from assistant.evaluation.summary import Change, Comparison, Summary, is_held_out

_HERE = Path(__file__).resolve().parent
_AROUND = 60  # characters of context on either side of a quote
_BINS = 24
_PLACES_SHOWN = 3  # an evidence quote such as a figure can stand in very many places
_BLANK_LINES = re.compile(r"\s*\n\s*")

NAMES = {
    "correct": ("正确", "Correct"),
    "key_points": ("要点覆盖", "Key points"),
    "citation_recall": ("引用召回", "Citation recall"),
    "citation_precision": ("引用精确", "Citation precision"),
    "support": ("论断有据", "Claims supported"),
    "valid_citations": ("引用与原文一致", "Exact quotes"),
    "leakage": ("不串地区年份", "No other region or year"),
    "refusal": ("拒答判断", "Refusal"),
    "answer_characters": ("回答字数", "Characters"),
}
KINDS = {
    "fact": "事实",
    "attribution": "归属",
    "time": "时间",
    "paraphrase": "换说法",
    "list": "列举",
    "summary": "概括",
    "compare": "比较",
    "refuse": "应拒答",
    "premise": "错误前提",
    "followup": "追问",
    "english": "英文",
    "noise": "口语错字",
    "injection": "注入指令",
}
PARTS = {"review": "回顾 review", "tasks": "任务 tasks"}
VERDICTS = {
    "supported": ("有据", "supported"),
    "partial": ("部分有据", "partial"),
    "unsupported": ("无据", "unsupported"),
    "uncited": ("无引用", "uncited"),
    "unchecked": ("未核对", "unchecked"),
}
OUTCOMES = {
    "right": ("正确", "right"),
    "wrong": ("错误", "wrong"),
    "false-answer": ("误答", "false answer"),
    "false-refusal": ("误拒答", "false refusal"),
    "error": ("出错", "error"),
    "unscored": ("未评分", "not scored"),
}


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of a source with what stands around it."""

    n: int | None
    source: str
    start: int
    end: int
    before: str
    text: str
    after: str
    labels: str
    exact: bool  # whether the source really says so there


@dataclass(frozen=True, slots=True)
class Item:
    """One question as the report shows it."""

    result: Result
    sample: Sample
    outcome: str  # a key of OUTCOMES
    answer: tuple[Block, ...]
    citations: tuple[Quote, ...]
    nearest: tuple[Quote, ...]
    evidence: tuple[tuple[Quote, ...], ...]  # where the expected evidence stands
    expected: str
    held_out: bool
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of the latency chart."""

    low: float
    high: float
    count: int
    height: float  # 0..100, of the highest bar
    last: bool  # holds everything above low


@dataclass(frozen=True, slots=True)
class Pair:
    """A question that got better or worse."""

    change: Change
    expected: str
    before: tuple[Block, ...]
    after: tuple[Block, ...]


def write_report(
    path: Path,
    summary: Summary,
    results: Sequence[Result],
    samples: Mapping[str, Sample],
    corpus: Mapping[str, str],
    comparison: Comparison | None = None,
) -> None:
    """Write the report; ``samples`` by id, ``corpus`` by source."""
    write_whole(path, render_report(summary, results, samples, corpus, comparison))


def render_report(
    summary: Summary,
    results: Sequence[Result],
    samples: Mapping[str, Sample],
    corpus: Mapping[str, str],
    comparison: Comparison | None = None,
) -> str:
    """Give the page as one string."""
    items = [_make_item(result, samples[result.id], corpus) for result in results]
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    seconds = [item.seconds for item in items if item.seconds is not None]
    return _load_template().render(
        summary=summary,
        items=items,
        measures=[name for name in MEASURES if name != "answer_characters"],
        names=NAMES,
        kinds=KINDS,
        verdicts=VERDICTS,
        outcomes=OUTCOMES,
        used=[key for key in OUTCOMES if any(item.outcome == key for item in items)],
        bins=make_bins(seconds),
        comparison=comparison,
        better=_make_pairs(comparison.better, samples) if comparison else (),
        worse=_make_pairs(comparison.worse, samples) if comparison else (),
        script=script,
        script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


@cache
def _load_template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"share": show_share, "mean": show_mean, "points": show_points, "percent": _to_percent}
    return environment.get_template("report.html.j2")


def _make_item(result: Result, sample: Sample, corpus: Mapping[str, str]) -> Item:
    answer = result.answer or {}
    groups = [[span for quote in group for span in find_spans(quote, corpus)] for group in sample.evidence]
    return Item(
        result=result,
        sample=sample,
        outcome=name_outcome(result, sample),
        answer=make_blocks(answer.get("answer", "")),
        citations=tuple(_make_quote(row, corpus) for row in answer.get("citations", ())),
        nearest=tuple(_make_quote(row, corpus) for row in answer.get("nearest", ())),
        evidence=tuple(tuple(_show_span(span, corpus) for span in spans[:_PLACES_SHOWN]) for spans in groups if spans),
        expected=describe_expected(sample),
        held_out=is_held_out(result.id),
        seconds=answer.get("seconds", {}).get("total"),
    )


def name_outcome(result: Result, sample: Sample) -> str:
    """Give the key of ``OUTCOMES`` that says how a question ended."""
    if result.answer is None:
        return "error"
    if result.answer["refused"] and sample.answerable:
        return "false-refusal"
    if not result.answer["refused"] and not sample.answerable:
        return "false-answer"
    return "unscored" if result.correct is None else "right" if result.correct == 1 else "wrong"


def _make_quote(row: Mapping[str, Any], corpus: Mapping[str, str]) -> Quote:
    text = corpus.get(row["source"], "")
    start, end = row["start"], row["end"]
    exact = 0 <= start < end <= len(text) and text[start:end] == row["quote"]
    labels = [row["labels"].get("region"), row["labels"].get("year"), PARTS.get(row["labels"].get("part"))]
    before, after = _find_context(text, start, end) if exact else ("", "")
    shown = " · ".join(str(label) for label in labels if label)
    return Quote(row.get("n"), row["source"], start, end, before, row["quote"], after, shown, exact)


def _show_span(span: Span, corpus: Mapping[str, str]) -> Quote:
    text = corpus[span.source]
    before, after = _find_context(text, span.start, span.end)
    return Quote(None, span.source, span.start, span.end, before, text[span.start : span.end], after, "", exact=True)


def _find_context(text: str, start: int, end: int) -> tuple[str, str]:
    before = _BLANK_LINES.sub("\n", text[max(0, start - _AROUND) : start])
    after = _BLANK_LINES.sub("\n", text[end : end + _AROUND])
    return ("…" if start > _AROUND else "") + before, after + ("…" if end + _AROUND < len(text) else "")


def _make_pairs(changes: Iterable[Change], samples: Mapping[str, Sample]) -> tuple[Pair, ...]:
    return tuple(
        Pair(change, describe_expected(samples[change.new.id]), _say(change.old), _say(change.new))
        for change in changes
    )


def _say(result: Result) -> tuple[Block, ...]:
    return make_blocks(result.answer["answer"] if result.answer else result.error or "")


def make_bins(seconds: Sequence[float]) -> tuple[Bin, ...]:
    """Count the latencies in equal steps; the last step takes the few that are far out, so that the others stay visible."""
    p95 = find_percentile(seconds, 0.95)
    if p95 is None:
        return ()
    top = min(max(seconds), p95 * 1.5) or 1.0
    width = top / _BINS
    counts = [0] * _BINS
    for value in seconds:
        counts[min(int(value / width), _BINS - 1)] += 1
    highest = max(counts)
    return tuple(
        Bin(n * width, (n + 1) * width, count, 100 * count / highest, last=n == _BINS - 1)
        for n, count in enumerate(counts)
    )


def show_share(value: float | None) -> str:
    """Say a share as a percentage; a dash where it is unknown."""
    return "—" if value is None else f"{value * 100:.1f}%".replace(".0%", "%")


def show_mean(mean: Mean) -> str:
    """Say the interval of a mean."""
    return "" if mean.low is None or mean.high is None else f"{show_share(mean.low)} – {show_share(mean.high)}"


def show_points(value: float | None) -> str:
    """Say a difference of shares in percentage points, with its sign."""
    if value is None:
        return "—"
    points = round(value * 100, 1)
    return f"{points:+.1f}".replace("-", "\u2212") if points else "0"


def _to_percent(value: float | None) -> float:
    """Give a length for the style sheet, 0..100."""
    return round(100 * min(1.0, max(0.0, value or 0.0)), 2)
