"""``thesaurus.tsv`` in, what ordinary wordings are called in policy documents out: 种树 is 造林 there, 老房子 is 老旧小区.

``themes.tsv`` gives what is spoken of under a theme, for summaries and comparisons.

General knowledge of the language, written without sight of the documents or of the questions that measure the program. It is
for finding and for deciding whether the documents speak of a thing at all; a claim is checked by its own words and never by these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vectorstore.segment import cut

GAP = "…"  # what may stand between the two sides of a wording
_LONGEST_GAP = 6  # characters
_SHORT = (
    3  # characters; a wording as short as this counts only where the segmenter sees words begin and end with it too
)


@dataclass(frozen=True, slots=True)
class Wording:
    """A wording of the thesaurus where it stands in a text."""

    text: str  # as the thesaurus has it, 给…充电 with its gap
    spans: tuple[tuple[int, int], ...]  # what it fixes of the text: one stretch, or one on each side of the gap


@dataclass(frozen=True, slots=True)
class _Thesaurus:
    means: dict[str, frozenset[str]]
    gaps: tuple[tuple[re.Pattern[str], str], ...]  # patterns and the wordings that they find
    longest: int  # characters of a wording without a gap


@cache
def _load() -> _Thesaurus:
    means: dict[str, set[str]] = defaultdict(set)
    for official, everyday in read_lines():
        for word in (*official, *everyday):
            means[word] |= set(official) - {word}
    known = {word: frozenset(others) for word, others in means.items() if others}
    gaps = tuple((_make_pattern(word), word) for word in known if GAP in word)
    return _Thesaurus(known, gaps, max((len(word) for word in known if GAP not in word), default=0))


def read_lines(name: str = "thesaurus.tsv") -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The lines of a file of wordings: what documents say, and what people say for it."""
    for line in (files("assistant.reading") / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            official, _, everyday = line.partition("\t")
            yield tuple(official.split()), tuple(everyday.split())  # normalised as they stand: a test sees to it


def _make_pattern(word: str) -> re.Pattern[str]:
    left, _, right = word.partition(GAP)
    return re.compile(rf"({re.escape(left)})[^,。?!;:、\s]{{0,{_LONGEST_GAP}}}?({re.escape(right)})")


def find_meanings(term: str) -> frozenset[str]:
    """Give what documents call a term, other than by itself."""
    return _load().means.get(term, frozenset())


def is_official(term: str) -> bool:
    """Whether documents of this kind use a word: one that asks by it and finds it in no document asks for what is not there."""
    return term in _official()


@cache
def _official() -> frozenset[str]:
    return frozenset(list_official_words())


def list_official_words() -> tuple[str, ...]:
    """All words of documents that the thesaurus knows, in its order."""
    return tuple(dict.fromkeys(word for official, _ in read_lines() for word in official))


def find_members(term: str) -> frozenset[str]:
    """Give what documents speak of under a theme, as 特高压 and 储能 under 能源; nothing for a term that names none."""
    return _themes().get(term, frozenset())


@cache
def _themes() -> dict[str, frozenset[str]]:
    themes: dict[str, frozenset[str]] = {}
    for names, members in read_lines("themes.tsv"):
        for name in names:
            themes[name] = themes.get(name, frozenset()) | frozenset(members) - {name}
    return themes


def find_wordings(normal: str) -> tuple[Wording, ...]:
    """Find the wordings of a normalised text, the longest first; none overlaps another's fixed stretches."""
    found = [*_find_whole(normal), *_find_gapped(normal)]
    found.sort(key=lambda w: (-sum(end - start for start, end in w.spans), w.spans))
    taken: set[int] = set()
    kept = []
    for wording in found:
        places = {place for start, end in wording.spans for place in range(start, end)}
        if not places & taken:
            taken |= places
            kept.append(wording)
    return tuple(sorted(kept, key=lambda w: w.spans))


def _find_whole(normal: str) -> Iterator[Wording]:
    thesaurus, edges = _load(), find_edges(normal)
    for start in range(len(normal)):
        for end in range(start + 2, min(len(normal), start + thesaurus.longest) + 1):
            if normal[start:end] in thesaurus.means and (end - start > _SHORT or {start, end} <= edges):
                yield Wording(normal[start:end], ((start, end),))


def _find_gapped(normal: str) -> Iterator[Wording]:
    for pattern, word in _load().gaps:
        for match in pattern.finditer(normal):
            yield Wording(word, (match.span(1), match.span(2)))


def find_edges(normal: str) -> frozenset[int]:
    """Where words begin and end, as the segmenter cuts the text."""
    position, edges = 0, {0}
    for word in cut(normal):
        position += len(word)
        edges.add(position)
    return frozenset(edges)
