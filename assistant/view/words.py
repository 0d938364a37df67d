"""Verdicts, refusals and labels -> the words and signs that the page shows for them, Chinese first."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.types import Refusal, Verdict
from vectorstore.types import Labels, Part, Scope


@dataclass(frozen=True, slots=True)
class Words:
    """One text of the interface in both languages."""

    zh: str
    en: str


def count(number: int, one: str, many: str = "") -> str:
    """A number and its English noun: ``1 document``, ``2 documents``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


@dataclass(frozen=True, slots=True)
class VerdictWords:
    """How a verdict is shown: never by colour alone."""

    sign: str
    zh: str
    en: str


VERDICTS: dict[Verdict, VerdictWords] = {
    Verdict.SUPPORTED: VerdictWords("✓", "已核对", "supported"),
    Verdict.PARTIAL: VerdictWords("◐", "部分", "partial"),
    Verdict.UNSUPPORTED: VerdictWords("✗", "未找到依据", "unsupported"),
    Verdict.UNCITED: VerdictWords("○", "无引用", "uncited"),
    Verdict.UNCHECKED: VerdictWords("–", "未核对", "unchecked"),
}

REFUSALS: dict[Refusal, Words] = {
    Refusal.NOT_IN_CORPUS: Words("资料未提及", "not in the documents"),
    Refusal.OTHER_REGION: Words("只有别的地区的内容", "only about other regions"),
    Refusal.OTHER_YEAR: Words("只有别的年份的内容", "only about other years"),
    Refusal.FALSE_PREMISE: Words("问题的前提与资料不符", "the question assumes what the documents do not say"),
    Refusal.NOT_A_QUESTION: Words("不是资料能回答的问题", "not a question for documents"),
}

PARTS: dict[Part, Words] = {Part.REVIEW: Words("回顾", "review"), Part.TASKS: Words("任务", "tasks")}


def name_labels(labels: Labels) -> tuple[str, ...]:
    """Give the labels as short words, most general first: ``("上海", "2024年", "任务")``."""
    words = [
        labels.region or "",
        f"{labels.year}年" if labels.year else "",
        PARTS[labels.part].zh if labels.part else "",
    ]
    return tuple(word for word in words if word)


def name_scope(scope: Scope) -> tuple[str, ...]:
    """Name what a question restricts itself to, in short words."""
    words = [
        *sorted(scope.regions),
        *sorted(scope.places - scope.regions),
        *(f"{year}年" for year in sorted(scope.years)),
    ]
    if scope.part is not None:
        words.append(PARTS[scope.part].zh)
    return tuple(words)
