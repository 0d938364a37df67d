"""A sentence in, the places and years that it names out, and the stretch of it that each of them governs.

``泉州、漳州下降12,福州、莆田下降9.5``: a list of places, or a year, speaks for what follows it, until the next one of its kind.
A figure that has none before it in its own clause, but one behind it there, belongs to that (``30公里在泉州建成``). What is only
compared with (``比2015年``, ``高于厦门``) governs nothing, and neither does what stands in a title or in an organisation's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from assistant.reading.quantities import Measure, Quantity, find_quantities
from assistant.types import Question
from vectorstore.gazetteer import Gazetteer

STOP = re.compile(r"[,，;；:：。！？!?\n](?!(?<=\d,)\d{3}(?!\d))")
_JOINS = re.compile(r"(?:[省市区县州年]?等?(?:[、和与及跟/]|以及|至|到|[—–\-~]+)|\s)+")
_ALONE = re.compile(r"[省市区县州等\s]*[,，]")  # a clause that is a list and nothing else belongs to the next one
_COMPARED = re.compile(r"(?:[比较与同跟]|高于|低于|多于|少于|大于|相当于)(?:的)?$")
_SINCE = re.compile(r"年?(?:以来|起|相比|水平|持平)")
_RANGE = re.compile(r"[—–\-~至到]+")
_NOW = re.compile(r"去年|上一?年|前年|今年|本年(?!度)|明年")
_THIS = frozenset({"今年", "本年"})
YEAR_BEFORE = frozenset({"上年", "上一年"})  # never the year that is told of
_TITLE = re.compile(r"《[^》]*》")
_NOTE = re.compile(r"〔[^〕]*〕|\[[^\]]*\]|（[^）]*）|\([^)]*\)")
_LONGEST = 15  # years; a range of more is none


@dataclass(frozen=True, slots=True)
class Named:
    """One place or year where it stands."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class Owners:
    """A list of places, or of years, that governs what follows it."""

    members: tuple[Named, ...]
    names: frozenset[str]  # of a range of years also those between

    @property
    def start(self) -> int:
        """Where the first of them stands."""
        return self.members[0].start

    @property
    def end(self) -> int:
        """Where the last one ends."""
        return self.members[-1].end


@dataclass(frozen=True, slots=True)
class About:
    """The places and years that a question is about, by the names that the sentences' owners have."""

    places: frozenset[str] = frozenset()
    years: frozenset[str] = frozenset()


@lru_cache(maxsize=512)
def list_figures(text: str) -> tuple[Quantity, ...]:
    """The figures of a sentence that count or measure something, in their order."""
    return tuple(q for q in find_quantities(text) if q.measure is Measure.QUANTITY)


@lru_cache(maxsize=512)
def _bound(text: str) -> tuple[int, ...]:
    """Where the clauses of a sentence begin, and where the last one ends."""
    return (0, *(m.end() for m in STOP.finditer(text)), len(text) + 1)


@lru_cache(maxsize=512)
def find_places(text: str) -> tuple[Owners, ...]:
    """The lists of places of a sentence that govern something."""
    titles = [m.span() for m in _TITLE.finditer(text)]
    named = [
        Named(m.start, m.end, m.place.name)
        for m in Gazetteer.load().find_places(text)
        if not m.in_name and not _inside(m.start, titles)
    ]
    return tuple(_join(text, named))


@lru_cache(maxsize=512)
def find_years(text: str) -> tuple[Owners, ...]:
    """The years of a sentence that govern something; 去年 is none that one knows, but ends what stands before it."""
    skipped = [m.span() for pattern in (_TITLE, _NOTE) for m in pattern.finditer(text)]
    named = [
        Named(q.start, q.end, str(int(q.value)))
        for q in find_quantities(text)
        if q.measure is Measure.YEAR and (q.text.endswith("年") or text[q.end : q.end + 1] in tuple("、—–-~至到和与及"))
    ]
    named += [Named(m.start(), m.end(), m[0]) for m in _NOW.finditer(text)]
    named.sort(key=lambda one: one.start)
    return tuple(_join(text, [one for one in named if not _inside(one.start, skipped)]))


def _inside(position: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)


def _join(text: str, named: list[Named]) -> Iterator[Owners]:
    """Put together what stands side by side; leave out what is only compared with."""
    row: list[Named] = []
    for one in named:
        gap = text[row[-1].end : one.start] if row else ""
        alone = row and _ALONE.fullmatch(gap) and not _clause_before(text, row[0].start)
        if row and (not gap or _JOINS.fullmatch(gap) or alone):
            row.append(one)
            continue
        if row:
            yield _close(text, row)
            row = []
        if not _COMPARED.search(text[max(0, one.start - 4) : one.start]) and not _SINCE.match(text, one.end):
            row = [one]
    if row:
        yield _close(text, row)


def _clause_before(text: str, position: int) -> str:
    """What stands before a place in its clause."""
    start = max((m.end() for m in STOP.finditer(text, 0, position)), default=0)
    return text[start:position].strip()


def _close(text: str, row: list[Named]) -> Owners:
    names = {one.name for one in row}
    for one, other in pairwise(row):
        if one.name.isdigit() and other.name.isdigit() and _RANGE.search(text[one.end : other.start]):
            first, last = int(one.name), int(other.name)
            names |= {str(year) for year in range(first, last)} if last - first <= _LONGEST else set()
    return Owners(tuple(row), frozenset(names))


@lru_cache(maxsize=4096)
def find_owners(text: str, lists: tuple[Owners, ...], position: int) -> tuple[Owners, ...] | None:
    """The lists that govern what stands at a position; ``None`` where two may.

    In its own clause these are the ones before it, as far back as the next figure; else the one behind it there; else those
    of the last clause that has any.
    """
    if not lists:
        return ()
    bounds, figures = _bound(text), list_figures(text)
    start = max(bound for bound in bounds if bound <= position)
    end = min(bound for bound in bounds if bound > position)
    before = _last_group([one for one in lists if start <= one.start < position], figures)
    if before:
        return before
    inherited = _last_group([one for one in lists if one.start < start], figures, bounds)
    behind = [one for one in lists if position < one.start < end]
    between = [q for q in figures if behind and position < q.start < behind[0].start]
    if behind and not between:
        return None if inherited else (behind[0],)
    return inherited


def _last_group(lists: Sequence[Owners], figures: Sequence[Quantity], bounds: Sequence[int] = ()) -> tuple[Owners, ...]:
    """The last list and those of its clause before it that no figure parts from it: 厦门对口帮扶龙岩 is about both."""
    group: list[Owners] = []
    for one in reversed(lists):
        marks = (*(q.start for q in figures), *bounds)
        if group and any(one.end <= mark <= group[-1].start for mark in marks):
            break
        group.append(one)
    return tuple(reversed(group))


@lru_cache(maxsize=64)
def read_about(text: str) -> About:
    """The places and years that a question, or the row of a table, names."""
    places = {m.place.name: m.place.province for m in Gazetteer.load().find_places(text, aliases=True)}
    years = frozenset(name for owners in find_years(text) for name in owners.names if name.isdigit())
    return About(_narrow(places), years)


def ask_about(question: Question) -> About:
    """What an understood question is about; a year that it only compares with is none."""
    scope = question.scope
    gazetteer = Gazetteer.load()
    places = {name: gazetteer.province_of(name) or name for name in (*scope.regions, *scope.places)}
    stated = {str(int(q.value)) for q in find_quantities(question.focus) if q.measure is Measure.YEAR}
    compared = stated - read_about(question.focus).years
    return About(_narrow(places), frozenset(map(str, scope.years)) - compared)


def _narrow(places: dict[str, str]) -> frozenset[str]:
    """Of 江苏省南京市 the city alone."""
    within = {province for name, province in places.items() if name != province}
    return frozenset(name for name in places if name not in within)


def is_relative(name: str) -> bool:
    """Whether it is a year that only the document's own tells (今年)."""
    return bool(_NOW.fullmatch(name))


def is_named(names: frozenset[str], lists: tuple[Owners, ...]) -> bool:
    """Whether one of the names stands in one of the lists."""
    return any(names & owners.names for owners in lists)


def speaks_of(asked: frozenset[str], owners: tuple[Owners, ...] | None, text: str, lists: tuple[Owners, ...]) -> bool:
    """Whether what these owners govern in a sentence is said of what was asked for.

    What stands in the sentence has to be among them. What does not stand there may be a region that they lie in.
    """
    if not asked or not lists:
        return True
    if owners is None:
        return False
    if any(asked & one.names for one in owners):
        return True
    if is_named(asked, lists):  # a figure that nothing governs may be its own, where it has no other
        governed = (find_owners(text, lists, q.start) or () for q in list_figures(text))
        return not owners and not any(asked & one.names for found in governed for one in found)
    gazetteer = Gazetteer.load()
    names = {name for one in owners for name in one.names}
    # 今年 is the year of the label, and so may 去年 be where nothing else is spoken of.
    labelled = bool(names & _THIS) or (
        not names <= YEAR_BEFORE
        and all(_NOW.fullmatch(name) for one in lists for name in one.names)
        and len(lists) == 1
    )
    return not owners or labelled or any(gazetteer.province_of(name) in asked for name in names)
