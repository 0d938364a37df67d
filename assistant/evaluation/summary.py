"""Results in, the figures of a run out: means with intervals, both refusal errors, latency, gates, what changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.errors import InputInvalid
from assistant.evaluation.results import Result
from assistant.evaluation.score import MEASURES, Sample
from assistant.evaluation.statistics import Mean, estimate_difference, estimate_mean, find_percentile
from assistant.types import IndexFacts, ModelFacts

GATES = tuple(name for name in MEASURES if name != "answer_characters")
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What was run; results of two different ones are never mixed."""

    model: ModelFacts
    index: IndexFacts
    prompts: str  # checksum of the prompts
    program: str  # version

    def to_json(self) -> dict[str, Any]:
        """Give the public form."""
        return {
            "model": self.model.to_json(),
            "index": self.index.to_json(),
            "prompts": self.prompts,
            "program": self.program,
        }


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    count: int
    of: int

    def to_json(self) -> dict[str, int]:
        """Give the public form."""
        return {"count": self.count, "of": self.of}


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of some of the questions."""

    n: int
    errors: int  # questions to which no answer came
    scores: Mapping[str, Mean]
    false_answers: Share  # answered, of those that should be refused
    false_refusals: Share  # refused, of those that should be answered
    p50: float | None  # seconds
    p95: float | None
    tokens_per_second: float | None  # None where answers do not say how many tokens they took

    def to_json(self) -> dict[str, Any]:
        """Give the public form."""
        return {
            "n": self.n,
            "errors": self.errors,
            "scores": {name: mean.to_json() for name, mean in self.scores.items()},
            "false_answers": self.false_answers.to_json(),
            "false_refusals": self.false_refusals.to_json(),
            "seconds": {"p50": self.p50, "p95": self.p95},
            "tokens_per_second": self.tokens_per_second,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a run."""

    run: RunFacts
    questions: int  # in the file; more than all.n where the run was stopped
    all: Group
    kinds: Mapping[str, Group]
    tuning: Group  # two thirds of the questions: to be looked at while the program is made
    held_out: Group  # the other third: only to be measured
    answers_sha256: str  # equal for two runs that answered the same

    @property
    def complete(self) -> bool:
        """Whether every question was asked."""
        return self.all.n == self.questions

    def to_json(self) -> dict[str, Any]:
        """Give the public form, ``summary.json``."""
        return {
            "run": self.run.to_json(),
            "questions": self.questions,
            "complete": self.complete,
            "answers_sha256": self.answers_sha256,
            "all": self.all.to_json(),
            "kinds": {kind: group.to_json() for kind, group in self.kinds.items()},
            "splits": {"tuning": self.tuning.to_json(), "held_out": self.held_out.to_json()},
        }


def is_held_out(identity: str) -> bool:
    """Whether a question belongs to the third that nobody tunes on; a property of its id alone."""
    return int(hashlib.sha256(identity.encode()).hexdigest(), 16) % 3 == 0


def summarise(results: Sequence[Result], samples: Mapping[str, Sample], facts: RunFacts) -> Summary:
    """Give the figures of all results, of each kind in the order of its first question, and of both splits."""
    kinds = {
        kind: [result for result in results if result.kind == kind] for kind in dict.fromkeys(r.kind for r in results)
    }
    return Summary(
        run=facts,
        questions=len(samples),
        all=_summarise_group(results, samples),
        kinds={kind: _summarise_group(group, samples) for kind, group in kinds.items()},
        tuning=_summarise_group([result for result in results if not is_held_out(result.id)], samples),
        held_out=_summarise_group([result for result in results if is_held_out(result.id)], samples),
        answers_sha256=_hash_answers(results),
    )


def _summarise_group(results: Sequence[Result], samples: Mapping[str, Sample]) -> Group:
    answers = [(samples[result.id], result.answer) for result in results if result.answer is not None]
    refusable = [answer for sample, answer in answers if not sample.answerable]
    answerable = [answer for sample, answer in answers if sample.answerable]
    seconds = [answer["seconds"]["total"] for _, answer in answers]
    return Group(
        n=len(results),
        errors=len(results) - len(answers),
        scores={name: estimate_mean([result.scores[name].value for result in results]) for name in MEASURES},
        false_answers=Share(sum(not answer["refused"] for answer in refusable), len(refusable)),
        false_refusals=Share(sum(answer["refused"] for answer in answerable), len(answerable)),
        p50=find_percentile(seconds, 0.5),
        p95=find_percentile(seconds, 0.95),
        tokens_per_second=_find_rate([answer for _, answer in answers]),
    )


def _find_rate(answers: Sequence[Mapping[str, Any]]) -> float | None:
    known = [answer for answer in answers if answer.get("answer_tokens") and answer["seconds"]["generate"] > 0]
    seconds = sum(answer["seconds"]["generate"] for answer in known)
    return sum(answer["answer_tokens"] for answer in known) / seconds if known else None


def _hash_answers(results: Sequence[Result]) -> str:
    said = [
        [
            result.id,
            result.answer and result.answer["answer"],
            [[row["source"], row["start"], row["end"]] for row in (result.answer or {}).get("citations", ())],
        ]
        for result in results
    ]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def check_minimums(minimums: Mapping[str, float]) -> None:
    """Raise ``InputInvalid`` for a gate that no run could be held against."""
    for name, minimum in minimums.items():
        if name not in GATES:
            raise InputInvalid(f"没有 {name} 这个指标。 There is no measure {name}; choose one of {', '.join(GATES)}.")
        if not 0 <= minimum <= 1:
            raise InputInvalid(
                f"{name} 的下限要在 0 和 1 之间。 The minimum of {name} is a share from 0 to 1: {minimum}"
            )


def check_gates(summary: Summary, minimums: Mapping[str, float]) -> list[str]:
    """Say which minimum was missed, one message each; a measure that was never scored is missed."""
    check_minimums(minimums)
    missed: list[str] = []
    for name, minimum in minimums.items():
        mean = summary.all.scores[name]
        if mean.value is None:
            missed.append(f"{name}：没有一题能评分 no question could be scored, {minimum:g} asked for")
        elif mean.value < minimum - _ROUNDING:
            missed.append(f"{name}: {mean.value:.4f} < {minimum:g}（{mean.scored} 题 scored）")
    if minimums and not summary.complete:
        missed.append(f"只问了 {summary.all.n} / {summary.questions} 题 only these were asked")
    return missed


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose ``correct`` is not what it was."""

    old: Result
    new: Result


@dataclass(frozen=True, slots=True)
class Comparison:
    """The run against an earlier one, over the questions that both asked in the same words."""

    name: str  # of the earlier run
    common: int
    left_out: int  # questions of either run that the other lacks or words differently
    differences: Mapping[str, Mean]  # new - old over the questions that both scored
    better: tuple[Change, ...] = field(default=())
    worse: tuple[Change, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Give the public form."""
        return {
            "name": self.name,
            "common": self.common,
            "left_out": self.left_out,
            "differences": {name: mean.to_json() for name, mean in self.differences.items()},
            "better": [change.new.id for change in self.better],
            "worse": [change.new.id for change in self.worse],
        }


def compare_runs(new: Sequence[Result], old: Sequence[Result], name: str) -> Comparison:
    """Compare question by question, which tells small differences from chance better than two means do."""
    earlier = {result.id: result for result in old}
    pairs = [Change(earlier[r.id], r) for r in new if r.id in earlier and earlier[r.id].turns == r.turns]
    scored = [(pair, pair.old.correct, pair.new.correct) for pair in pairs]
    return Comparison(
        name=name,
        common=len(pairs),
        left_out=len(new) + len(earlier) - 2 * len(pairs),
        differences={
            measure: estimate_difference(
                [pair.new.scores[measure].value for pair in pairs],
                [pair.old.scores[measure].value if measure in pair.old.scores else None for pair in pairs],
            )
            for measure in MEASURES
        },
        better=tuple(
            pair for pair, before, after in scored if before is not None and after is not None and after > before
        ),
        worse=tuple(
            pair for pair, before, after in scored if before is not None and after is not None and after < before
        ),
    )


def describe_summary(summary: Summary) -> str:
    """Say the figures in lines for a terminal."""
    group = summary.all
    lines = [
        f"{group.n} / {summary.questions} 题 questions" + (f"，{group.errors} 题出错 errors" if group.errors else "")
    ]
    lines += [f"  {name:<19}{describe_mean(group.scores[name], 3 if name in GATES else 0)}" for name in MEASURES]
    lines.append(f"  误答 false answers     {group.false_answers.count} / {group.false_answers.of}")
    lines.append(f"  误拒答 false refusals  {group.false_refusals.count} / {group.false_refusals.of}")
    if group.p50 is not None and group.p95 is not None:
        lines.append(f"  用时 seconds           p50 {group.p50:.2f}  p95 {group.p95:.2f}")
    lines += [f"  {kind:<19}{describe_mean(one.scores['correct'], 3)}" for kind, one in summary.kinds.items()]
    return "\n".join(lines)


def describe_mean(mean: Mean, digits: int) -> str:
    """Say a mean with its interval and how many were scored."""
    if mean.value is None:
        return "—  (0)"
    interval = "" if mean.low is None else f"  [{mean.low:.{digits}f}, {mean.high:.{digits}f}]"
    return f"{mean.value:.{digits}f}{interval}  ({mean.scored})"
