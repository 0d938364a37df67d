"""What a question expects + the JSON form of an answer + the corpus texts in, one score for each measure out.

Pure, and without a judge model: an answer of an earlier run can be scored again. A score that cannot be given is
``None`` and not 0, and every score says why. 1 is good in every measure; only ``answer_characters`` is a count.
Not compared: meaning, negation, and units that the expectation does not name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.evaluation.compare import MARKER, stands_in

MEASURES = (
    "correct",
    "key_points",
    "citation_recall",
    "citation_precision",
    "support",
    "valid_citations",
    "leakage",
    "refusal",
    "answer_characters",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled question: what is asked and what makes an answer right."""

    id: str
    turns: tuple[str, ...]  # of the user, in order; the last one is graded
    kind: str = "general"
    must: tuple[tuple[str, ...], ...] = ()  # of every group one has to stand in the answer
    must_not: tuple[str, ...] = ()
    evidence: tuple[tuple[str, ...], ...] = ()  # of every group one exact quote has to overlap a cited span
    answerable: bool = True
    source: str | None = None  # the only document to be searched; None: all


@dataclass(frozen=True, slots=True)
class Asked:
    """The regions and years that the question names, as it was understood; empty where it names none."""

    regions: frozenset[str] = frozenset()
    years: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Score:
    """One measure of one answer."""

    value: float | None  # None: could not be scored
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Give the public form."""
        return {"value": self.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source file, in code points."""

    source: str
    start: int
    end: int

    def overlaps(self, other: Span) -> bool:
        """Whether both share at least one character."""
        return self.source == other.source and self.start < other.end and other.start < self.end


def find_spans(quote: str, corpus: Mapping[str, str]) -> tuple[Span, ...]:
    """Find every place of the corpus where an exact quote stands."""
    spans: list[Span] = []
    for source, text in corpus.items():
        start = text.find(quote) if quote else -1
        while start >= 0:
            spans.append(Span(source, start, start + len(quote)))
            start = text.find(quote, start + 1)
    return tuple(spans)


def score_answer(
    sample: Sample, answer: Mapping[str, Any], corpus: Mapping[str, str], asked: Asked
) -> dict[str, Score]:
    """Score the JSON form of an answer by every measure; ``corpus`` gives the text of each source."""
    spans = [Span(row["source"], row["start"], row["end"]) for row in answer["citations"]]
    groups = [tuple(span for quote in group for span in find_spans(quote, corpus)) for group in sample.evidence]
    return {
        "correct": score_correct(sample, answer),
        "key_points": score_key_points(sample, answer),
        "citation_recall": score_citation_recall(sample, spans, groups),
        "citation_precision": score_citation_precision(sample, spans, groups),
        "support": score_support(answer),
        "valid_citations": score_valid_citations(answer, corpus),
        "leakage": score_leakage(answer, asked),
        "refusal": score_refusal(sample, answer),
        "answer_characters": Score(len(MARKER.sub("", answer["answer"])), "不计引用标记 without markers"),
    }


def score_failure(problem: str) -> dict[str, Score]:
    """Score a question to which no answer came: it is not correct, and nothing else can be said."""
    reason = f"没有得到回答 no answer: {problem}"
    return {name: Score(0.0 if name == "correct" else None, reason) for name in MEASURES}


def score_correct(sample: Sample, answer: Mapping[str, Any]) -> Score:
    """Answerable: not refused, of every ``must`` group one, none of ``must_not``. Else: refused."""
    wrong = [text for text in sample.must_not if stands_in(text, answer["answer"])]
    if not sample.answerable:
        aside = f"; 拒答中提到 the refusal mentions: {_quote(wrong)}" if wrong else ""
        return Score(1.0, f"应拒答，已拒答 rightly refused{aside}") if answer["refused"] else _wrongly_answered()
    if answer["refused"]:
        return Score(0.0, f"不该拒答 wrongly refused: {answer['refusal_reason']}")
    if wrong:
        return Score(0.0, f"出现了不该有的内容 must not stand there: {_quote(wrong)}")
    missing = _missing(sample, answer)
    if missing:
        return Score(0.0, f"缺少 missing: {_groups(missing)}")
    if not sample.must and not sample.must_not:
        return Score(None, "题目没有规定答案 the question states no expected answer")
    return Score(1.0, "要点齐全 all that must stand there does")


def _wrongly_answered() -> Score:
    return Score(0.0, "资料里没有，应拒答 should have refused: the documents do not say")


def score_key_points(sample: Sample, answer: Mapping[str, Any]) -> Score:
    """Share of the ``must`` groups of which one string stands in the answer; none in a refusal."""
    if not sample.must:
        return Score(None, "题目没有要点 no key points to look for")
    if answer["refused"]:
        return Score(0.0, "拒答 refused")
    missing = _missing(sample, answer)
    found = len(sample.must) - len(missing)
    reason = f"{found} / {len(sample.must)}" + (f"; 缺少 missing: {_groups(missing)}" if missing else "")
    return Score(found / len(sample.must), reason)


def _missing(sample: Sample, answer: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [group for group in sample.must if not any(stands_in(text, answer["answer"]) for text in group)]


def score_citation_recall(sample: Sample, cited: Sequence[Span], groups: Sequence[tuple[Span, ...]]) -> Score:
    """Share of the evidence groups that overlap a cited span; groups that are not in the corpus do not count."""
    known = [spans for spans in groups if spans]
    if not known:
        return _without_evidence(sample)
    hit = sum(any(_overlaps_any(span, cited) for span in spans) for spans in known)
    aside = f"; {len(groups) - len(known)} 组不在语料中 not in the corpus" if len(known) < len(groups) else ""
    return Score(hit / len(known), f"{hit} / {len(known)} 组证据被引用 evidence groups cited{aside}")


def score_citation_precision(sample: Sample, cited: Sequence[Span], groups: Sequence[tuple[Span, ...]]) -> Score:
    """Share of the citations that overlap some evidence."""
    evidence = [span for spans in groups for span in spans]
    if not evidence:
        return _without_evidence(sample)
    if not cited:
        return Score(None, "没有引用 nothing is cited")
    hit = sum(_overlaps_any(span, evidence) for span in cited)
    return Score(hit / len(cited), f"{hit} / {len(cited)} 处引用是证据 citations are evidence")


def _without_evidence(sample: Sample) -> Score:
    if sample.evidence:
        return Score(None, "证据不在语料中 the evidence is not in the corpus")
    return Score(None, "题目没有证据 no evidence given")


def _overlaps_any(span: Span, others: Iterable[Span]) -> bool:
    return any(span.overlaps(other) for other in others)


def score_support(answer: Mapping[str, Any]) -> Score:
    """Share of the claims whose verdict is ``supported``."""
    verdicts = [claim["verdict"] for claim in answer["claims"]]
    if not verdicts:
        return Score(None, "没有论断 no claims")
    if set(verdicts) == {"unchecked"} and not answer["citations"]:
        return Score(None, "来自索引目录，不是文件的内容 from the list of documents, not from what they say")
    supported = verdicts.count("supported")
    others = sorted(set(verdicts) - {"supported"})
    reason = f"{supported} / {len(verdicts)} 句有据 supported" + (f"; {', '.join(others)}" if others else "")
    return Score(supported / len(verdicts), reason)


def score_valid_citations(answer: Mapping[str, Any], corpus: Mapping[str, str]) -> Score:
    """Whether every citation is the exact text of its span, and markers and rows belong together one to one."""
    rows = answer["citations"]
    markers = {int(marker[1:-1]) for marker in MARKER.findall(answer["answer"])}
    numbers = [row["n"] for row in rows]
    if not rows and not markers:
        return Score(None, "没有引用 nothing is cited")
    problems = [f"[{row['n']}] {problem}" for row in rows if (problem := _find_problem(row, corpus))]
    problems += [f"[{n}] 没有出处 has no row" for n in sorted(markers - set(numbers))]
    problems += [f"[{n}] 正文未用 is not used" for n in sorted(set(numbers) - markers)]
    problems += [f"[{n}] 重复 stands twice" for n in sorted({n for n in numbers if numbers.count(n) > 1})]
    if problems:
        return Score(0.0, "; ".join(problems))
    return Score(1.0, f"{len(rows)} 处引用与原文一致 citations are the exact text")


def _find_problem(row: Mapping[str, Any], corpus: Mapping[str, str]) -> str | None:
    text = corpus.get(row["source"])
    if text is None:
        return f"没有这个文件 no such source: {row['source']}"
    if not 0 <= row["start"] < row["end"] <= len(text):
        return f"位置不在文件内 outside the source: {row['start']}-{row['end']}"
    if text[row["start"] : row["end"]] != row["quote"]:
        return f"与原文不符 differs from the source at {row['start']}-{row['end']}"
    return None


def score_leakage(answer: Mapping[str, Any], asked: Asked) -> Score:
    """1 where no cited sentence is labelled with another region or year than those asked for, else 0."""
    if not asked.regions and not asked.years:
        return Score(None, "问题没有限定地区或年份 the question names no region or year")
    if not answer["citations"]:
        return Score(None, "没有引用 nothing is cited")
    foreign = [
        f"[{row['n']}] {label}"
        for row in answer["citations"]
        for label, known in ((row["labels"]["region"], asked.regions), (row["labels"]["year"], asked.years))
        if label is not None and known and label not in known
    ]
    if foreign:
        return Score(0.0, f"引用了别的地区或年份 cites another region or year: {', '.join(foreign)}")
    return Score(1.0, "没有串到别的地区或年份 no other region or year")


def score_refusal(sample: Sample, answer: Mapping[str, Any]) -> Score:
    """Whether it was right to refuse, or right not to."""
    if answer["refused"]:
        return Score(0.0, "误拒答 false refusal") if sample.answerable else Score(1.0, "正确拒答 rightly refused")
    return Score(1.0, "正确作答 rightly answered") if sample.answerable else Score(0.0, "误答 false answer")


def _quote(texts: Iterable[str]) -> str:
    return "、".join(f"「{text}」" for text in texts)


def _groups(groups: Iterable[Sequence[str]]) -> str:
    return "; ".join(" / ".join(f"「{text}」" for text in group) for group in groups)
