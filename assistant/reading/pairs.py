"""A sentence in, its figures out, each with what it is said of: places, years and the words of its clause.

``A、B、C分别下降8、6、7``: the n-th figure belongs to the n-th item, where there are as many of the one as of the other; where not,
nothing tells which belongs to which, and the figures are marked so. 前者 and 后者 stand for the two things that were named last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.reading.clauses import Clause, split_clauses
from assistant.reading.owners import (
    STOP,
    About,
    Owners,
    find_owners,
    find_places,
    find_years,
    is_named,
    list_figures,
    speaks_of,
)
from assistant.reading.quantities import Quantity
from vectorstore.segment import cut, leading_verb

_EACH = re.compile("分别|依次")
_WHICH = re.compile("前者|后者")
_AND = ("、", "和", "与", "及", "以及")
_RANGE = re.compile(r"\s*[—–\-~～至到]+\s*")
_MORE = re.compile(r"\s*[,，]\s*(?=\d)")  # a comma between two figures of one row


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and what it is said of."""

    quantity: Quantity
    clause: str  # where it stands
    words: str  # what goes with it: its clause with the verb that it shares, or its own item of a list
    end: int  # where that stops in the sentence
    places: tuple[Owners, ...] | None  # None where more than one may be meant
    years: tuple[Owners, ...] | None
    item: str = ""  # its item of a list that is told 分别
    sure: bool = True  # whether it is known which item it belongs to
    row: int | None = None  # of figures that are told of a list of items: what they share


@dataclass(frozen=True, slots=True)
class _Item:
    """One of the things that a row of figures is told of."""

    text: str  # the thing
    words: str  # with what stands before and behind the whole list
    place: Owners | None = None
    year: Owners | None = None


@lru_cache(maxsize=512)
def read_figures(text: str) -> tuple[Figure, ...]:
    """All figures of a sentence in their order."""
    rows = tuple(_read_rows(text))
    figures: list[Figure] = []
    verb = ""
    for clause in split_clauses(text):
        verb = leading_verb(clause.text) if clause.opens else verb
        for quantity in list_figures(text):
            if clause.start <= quantity.start < clause.end:
                plain = Figure(
                    quantity,
                    clause.text,
                    f"{verb}{clause.text}",
                    clause.end,
                    find_owners(text, find_places(text), quantity.start),
                    find_owners(text, find_years(text), quantity.start),
                )
                figures.append(_place_in_row(plain, rows) or _follow_which(text, clause, plain))
    return tuple(figures)


def said_of(text: str, figure: Figure, about: About) -> bool:
    """Whether a figure is said of the places and years that were asked for."""
    (places, lists), (years, dates) = _kinds(text, about)
    return speaks_of(places, figure.places, text, lists) and speaks_of(years, figure.years, text, dates)


def keep_spoken(text: str, about: About) -> str:
    """A sentence without the clauses that speak of other places and years than the ones that were asked for."""
    clauses = split_clauses(text)
    others = [clause for clause in clauses if is_of_others(text, clause, about)]
    if not others:
        return text
    return ",".join(_keep_head(text, clause) if clause in others else clause.text for clause in clauses)


def _keep_head(text: str, clause: Clause) -> str:
    """Of a clause that is said of others what stands before a colon, and before them: it announces all (前5位的地区:广东…)."""
    head = re.match("[^:：]*[:：]", clause.text)
    first = min((one.start for one in (*find_places(text), *find_years(text)) if one.start >= clause.start), default=0)
    return head[0][:-1] if head and clause.start + head.end() <= first else ""


def is_of_others(text: str, clause: Clause, about: About) -> bool:
    """Whether a clause speaks of other places or years only, though the sentence names what was asked for."""
    for asked, lists in _kinds(text, about):
        owners = _governing(text, lists, clause)
        if is_divided(asked, lists) and owners and not any(asked & one.names for one in owners):
            return True
    return False


def governs(years: frozenset[str], text: str, clause: Clause) -> bool:
    """Whether one of the years is the one that a clause speaks of."""
    return any(years & one.names for one in _governing(text, find_years(text), clause))


def names_them(text: str, start: int, end: int, about: About) -> bool:
    """Whether a stretch of a sentence that speaks of several places or years names those that were asked for."""
    for asked, lists in _kinds(text, about):
        if not is_divided(asked, lists):
            continue
        meant = [
            [one for one in owners.members if one.name in asked] or owners.members
            for owners in lists
            if asked & owners.names
        ]
        if not any(start <= one.start and one.end <= end for members in meant for one in members):
            return False
    return True


def is_divided(asked: frozenset[str], lists: tuple[Owners, ...]) -> bool:
    """Whether a sentence speaks of what was asked for, and of others."""
    return is_named(asked, lists) and any(not asked & owners.names for owners in lists)


def _kinds(text: str, about: About) -> tuple[tuple[frozenset[str], tuple[Owners, ...]], ...]:
    return (about.places, find_places(text)), (about.years, find_years(text))


def _governing(text: str, lists: tuple[Owners, ...], clause: Clause) -> tuple[Owners, ...]:
    own = tuple(one for one in lists if one.start < clause.end and one.end > clause.start)
    return own or find_owners(text, lists, clause.start) or ()


@dataclass(frozen=True, slots=True)
class _Row:
    """Figures side by side and the items that they belong to; none where their numbers differ."""

    slots: tuple[tuple[Quantity, ...], ...]  # a range of two figures is one slot
    items: tuple[_Item, ...]
    end: int


def _place_in_row(figure: Figure, rows: Sequence[_Row]) -> Figure | None:
    for row in rows:
        for position, slot in enumerate(row.slots):
            if figure.quantity not in slot:
                continue
            if not row.items:
                return replace(figure, end=row.end, sure=False, row=row.end)
            item = row.items[position]
            return replace(
                figure,
                words=item.words,
                end=row.end,
                places=(item.place,) if item.place else figure.places,
                years=(item.year,) if item.year else figure.years,
                item=item.text,
                row=row.end,
            )
    return None


def _read_rows(text: str) -> Iterator[_Row]:
    for mark in _EACH.finditer(text):
        slots, end = _read_slots(text, mark.end())
        if len(slots) < 2:
            continue
        tail = text[mark.end() : slots[0][0].start]
        items = tuple(replace(item, words=f"{item.words}{tail}") for item in _read_items(text, mark.start()))
        yield _Row(slots, items if len(items) == len(slots) else (), end)


def _read_slots(text: str, start: int) -> tuple[tuple[tuple[Quantity, ...], ...], int]:
    """The figures behind 分别, as far as the clause goes."""
    stated = [q for q in list_figures(text) if q.start >= start]
    slots: list[list[Quantity]] = []
    for quantity in stated:
        last = slots[-1][-1].end if slots else start
        gap = text[last : quantity.start]
        if slots and _RANGE.fullmatch(gap):
            slots[-1].append(quantity)
        elif STOP.search(gap) and not (slots and _MORE.fullmatch(gap)):
            break
        else:
            slots.append([quantity])
    return tuple(map(tuple, slots)), slots[-1][-1].end if slots else start


def _read_items(text: str, end: int) -> tuple[_Item, ...]:
    """The items of the list before 分别, in its clause or, where that holds nothing, in the one before."""
    stops = [0, *(m.end() for m in STOP.finditer(text, 0, end))]
    start = stops[-1]
    if not text[start:end].strip() and len(stops) > 1:
        start, end = stops[-2], end - 1
    behind = end
    lists = [(one, kind) for kind, found in enumerate((find_places(text), find_years(text))) for one in found]
    within = [(one, kind) for one, kind in lists if one.start < behind and one.end > start]
    several = [(one, kind) for one, kind in within if len(one.members) > 1]
    if several:
        owners, kind = max(several, key=lambda pair: pair[0].end)
        head, tail = text[start : owners.start], text[owners.end : behind]
        if len(several) > 1 or len(owners.names) != len(owners.members) or len(_split_items(tail)) > 1:
            return ()
        alone = [Owners((one,), frozenset([one.name])) for one in owners.members]
        return tuple(
            _Item(one.members[0].name, f"{head}{tail}", place=None if kind else one, year=one if kind else None)
            for one in alone
        )
    last = max((one.end for one, _ in within), default=start)
    if start < last < behind:
        start = last + (1 if re.match("[省市区县年](?!场)", text[last:behind]) else 0)
    return _name_items(_split_items(text[start:behind]))


def _split_items(text: str) -> list[str]:
    """Cut at the words that join, where they are words."""
    pieces = [""]
    for word in cut(text):
        if word in _AND:
            pieces.append("")
        else:
            pieces[-1] += word
    return [piece.strip() for piece in pieces if piece.strip()]


def _name_items(pieces: list[str]) -> tuple[_Item, ...]:
    """Tell the items from what stands before the first (全市新建) and behind the last (单位运输周转量): it is said of all.

    How long they are is read off the ones between, or off the shorter of two.
    """
    if len(pieces) < 2:
        return ()
    inner = pieces[1:-1] or [min(pieces[0], pieces[-1], key=len)]
    width = max(map(len, inner))
    words = cut(pieces[0])
    size = _count_words(words[::-1], width)
    head, first = "".join(words[: len(words) - size]), "".join(words[len(words) - size :])
    words = cut(pieces[-1])
    size = _count_words(words, width)
    last, tail = "".join(words[:size]), "".join(words[size:])
    return tuple(_Item(item, f"{head}{item}{tail}") for item in (first, *pieces[1:-1], last))


def _count_words(words: Sequence[str], width: int) -> int:
    """How many words make up a width of characters."""
    length = 0
    for count, word in enumerate(words):
        if length >= width:
            return count
        length += len(word)
    return len(words)


def _follow_which(text: str, clause: Clause, figure: Figure) -> Figure:
    """Read 前者 and 后者 before a figure: the first and the second of the two that were named last."""
    which = [m for m in _WHICH.finditer(text, 0, figure.quantity.start) if m.start() >= clause.start]
    if not which:
        return figure
    first = next(_WHICH.finditer(text)).start()
    items = _read_two(text, first)
    if len(items) != 2:
        return replace(figure, sure=False, row=first)
    item = items[0 if which[-1][0] == "前者" else 1]
    return replace(
        figure,
        words=f"{item.words}{clause.text}",
        places=(item.place,) if item.place else figure.places,
        years=(item.year,) if item.year else figure.years,
        item=item.text,
        row=first,
    )


def _read_two(text: str, before: int) -> tuple[_Item, ...]:
    """The two items of the last clause before that has two."""
    stops = [m.start() for m in STOP.finditer(text, 0, before)]
    for stop in reversed(stops):
        items = _read_items(text, stop)
        if len(items) == 2:
            return items
        if items:
            return ()
    return ()
