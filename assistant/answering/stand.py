"""The passages of a summary in, out what a clause of each counts by where it stands.

The first sentence of a paragraph says what it is about; the items of a list say what its heading promises (申请条件); of the steps to
an aim the last one is the aim; and of a plan the figures of the year before it are where it starts from, and not what it sets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.types import Passage
from vectorstore.types import Sentence

_OPENING, _LEADS = 1.5, 0.5  # a short sentence that opens a paragraph of several, and any that does
_SENTENCES, _TOPIC = 3, 20  # sentences of such a paragraph and paragraphs beside it, characters of such a sentence
_PROMISED = 3.5  # an item of a list that the heading promises: it lacks less than it seems
# What is given back to a case among them (伪造数据的): its heading says what follows from it.
_CASE, _CASE_ENDS = 13.0, re.compile("(?<![是目])的[;；。]?$")
_ITEM = re.compile(r"^\s*[(（][一二三四五六七八九十\d]+[)）]")
_ANNOUNCES = re.compile(
    r"(?:下列|以下|如下)[^,，。:：]{0,8}?(?P<noun>条件|材料|情形|资料|程序|流程|义务|职责|权利|标准|要求|事项|措施|行为)"
)
_AIMED = re.compile(r"(?:到|至)(20\d\d)年")
_STEP, _BASE = -0.6, -2.5  # a step to an aim that is not the last one, and what a plan starts from
_PLAN = re.compile(r"(?:计划|方案|规划|纲要)")
_YEAR = re.compile(r"(20\d\d)年")
_ESTIMATED = re.compile("据[^,，。]{0,24}(?:测算|估算|统计|核算|研究)")
_SPAN = re.compile(r"(20\d\d)\s*年?\s*[-—–－~～至]+\s*(20\d\d)")


@dataclass(frozen=True, slots=True)
class Places:
    """What sentences count by where they stand."""

    opening: frozenset[str]  # short sentences that open a paragraph and say what it is about
    first: frozenset[str]  # sentences that open a paragraph of several
    promised: frozenset[str]  # items of lists that their heading promises
    aimed: dict[tuple[str, int], int]  # of paragraphs of a plan the last of its years that they aim at
    starts: dict[str, int]  # of plans the first year

    def rate(self, passage: Passage, text: str) -> float:
        """What a clause counts besides what it says."""
        own = passage.sentence
        worth = _OPENING * (own.id in self.opening) + _LEADS * (own.id in self.first)
        if own.id in self.promised:
            worth += _PROMISED + _CASE * (_CASE_ENDS.search(own.plain.strip()) is not None and _is_all(text, own.plain))
        years = [int(year) for year in _AIMED.findall(text)]
        if years and max(years) < self.aimed.get((own.source, own.paragraph), 0):
            worth += _STEP
        start, named = self.starts.get(own.source, 0), [int(year) for year in _YEAR.findall(text)]
        if start and (_ESTIMATED.match(text) or (named and max(named) < start)):
            worth += _BASE
        return worth


def _is_all(text: str, plain: str) -> bool:
    """Whether a clause is all that an item says."""
    return _ITEM.sub("", plain).strip().rstrip("。;；") == _ITEM.sub("", text).strip().rstrip("。;；")


def find_places(passages: Sequence[Passage], *, whole: bool) -> Places:
    """Find where the sentences stand; what opens a paragraph leads only where a text is told as a ``whole``."""
    paragraphs: dict[tuple[str, int], list[Sentence]] = {}
    for passage in passages:
        paragraphs.setdefault((passage.sentence.source, passage.sentence.paragraph), []).append(passage.sentence)
    spans = {p.sentence.source: span for p in passages if (span := _find_span(p))}
    aimed = {
        key: min(max(years), spans[key[0]][1])
        for key, told in paragraphs.items()
        if key[0] in spans and (years := [int(year) for one in told for year in _AIMED.findall(one.plain)])
    }
    starts = {source: first for source, (first, _) in spans.items()}
    several = {key: told for key, told in paragraphs.items() if len(told) > 1}
    first = {min(told, key=lambda s: s.start).id for told in several.values()} if whole else set[str]()
    opening = _find_openings(list(paragraphs.values()))
    return Places(frozenset(opening), frozenset(first), frozenset(_find_promised(passages)), aimed, starts)


def _find_span(passage: Passage) -> tuple[int, int] | None:
    """The first and the last year of a plan by its title; nothing where it is none."""
    title = passage.headings[0] if passage.headings else ""
    span = _SPAN.search(title)
    return (int(span[1]), int(span[2])) if span and _PLAN.search(title) else None


def _find_openings(paragraphs: Sequence[Sequence[Sentence]]) -> set[str]:
    if len(paragraphs) < _SENTENCES:
        return set()
    first = [min(told, key=lambda s: s.start) for told in paragraphs if len(told) >= _SENTENCES]
    return {sentence.id for sentence in first if len(sentence.plain) <= _TOPIC}


def _find_promised(passages: Sequence[Passage]) -> set[str]:
    """The items behind a sentence that announces what their heading names: 下列条件 under 申请条件."""
    promised: set[str] = set()
    named: tuple[str, ...] | None = None
    for passage in sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start)):
        plain = passage.sentence.plain
        if _ITEM.match(plain):
            promised |= {passage.sentence.id} if named == passage.headings else set()
        elif announced := _ANNOUNCES.search(plain):
            named = passage.headings if announced["noun"] in "".join(passage.headings[1:]) else None
        elif not plain.rstrip().endswith((":", "：")):  # 已受理的,终止办理: goes on announcing
            named = None
    return promised
