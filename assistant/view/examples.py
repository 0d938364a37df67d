"""The documents of an index -> questions that they can answer, for a person who does not know what to ask.

Nothing here knows a document: the questions are made from section labels, titles and sentences that give a quantity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

from vectorstore.types import Labels, ParsedDocument, Part

# "新建学校35所", "新增湿地超过2万亩": a verb of doing, what is done, how much, and its unit.
_QUANTITY = re.compile(
    r"(?:^|[，,。；;、])(?P<verb>新建|新增|新创建|新开工|开工建设|建成|改造|淘汰|培育|打通|创建|植树造林)"
    r"(?P<thing>[\u4e00-\u9fff]{2,8}?)(?:超过|达到|近|约|不少于)?\d[\d.,]*[万亿]?"
    r"(?P<unit>座|所|个|处|项|家|亩|公里|公顷|辆|套|条|万千瓦|平方米)"
)


def suggest_questions(documents: Sequence[ParsedDocument], limit: int = 6) -> tuple[str, ...]:
    """Up to ``limit`` questions of different kinds, in an order that the same index always gives."""
    kinds = (
        list(_ask_quantities(documents)),
        list(_ask_parts(documents)),
        list(_ask_comparisons(documents)),
        list(_ask_titles(documents)),
    )
    mixed = chain.from_iterable(zip_longest(*kinds))
    return tuple(dict.fromkeys(question for question in mixed if question))[:limit]


def _ask_quantities(documents: Sequence[ParsedDocument]) -> Iterator[str]:
    asked: set[tuple[str, str]] = set()
    for sentence in chain.from_iterable(parsed.sentences for parsed in documents):
        labels = sentence.labels
        if not (labels.region and labels.year and labels.part):
            continue
        found = _QUANTITY.search(sentence.plain)
        if found is None or (labels.region, labels.part) in asked:
            continue
        asked.add((labels.region, labels.part))
        verb = f"要{found['verb']}" if labels.part is Part.TASKS else f"{found['verb']}了"
        yield f"{labels.region}{labels.year}年{verb}多少{found['unit']}{found['thing']}？"


def _labels(documents: Sequence[ParsedDocument]) -> list[Labels]:
    """Give the complete labels of sections, without repeats, in the order of the documents."""
    sections = chain.from_iterable(parsed.sections for parsed in documents)
    return list(dict.fromkeys(s.labels for s in sections if s.labels.region and s.labels.year and s.labels.part))


def _ask_parts(documents: Sequence[ParsedDocument]) -> Iterator[str]:
    for part, words in ((Part.TASKS, "的主要任务有哪些"), (Part.REVIEW, "做了哪些工作")):
        for labels in _labels(documents):
            if labels.part is part:
                yield f"{labels.region}{labels.year}年{words}？"


def _ask_comparisons(documents: Sequence[ParsedDocument]) -> Iterator[str]:
    seen: dict[tuple[int | None, Part | None], list[str]] = {}
    for labels in _labels(documents):
        seen.setdefault((labels.year, labels.part), []).append(labels.region or "")
    for (year, part), regions in seen.items():
        if len(regions) > 1:
            words = "任务" if part is Part.TASKS else "工作"
            yield f"比较{regions[0]}和{regions[1]}{year}年的{words}"


def _ask_titles(documents: Sequence[ParsedDocument]) -> Iterator[str]:
    for parsed in documents:
        if _labels([parsed]):
            continue  # its regions and years make more telling questions than its title
        if parsed.sentences and parsed.document.title != parsed.document.source:
            yield f"“{parsed.document.title}”主要讲了什么？"
