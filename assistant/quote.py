"""A cited sentence and the telling words of a question in, the clause to quote and the short answer out; both verbatim.

A quote is a run of whole clauses of the sentence, so that it can be read by itself; of an enumeration it goes from the clause's start,
where the verb stands, to the item that was asked for. A short answer is given only where the clause leaves one choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.expect import NAMED, holds_answer, unit_fits
from assistant.quantities import Measure, Quantity, find_quantities
from assistant.types import Asks
from assistant.weigh import Weighing
from vectorstore.gazetteer import Gazetteer
from vectorstore.segment import leading_verb
from vectorstore.types import Sentence

_OPEN, _CLOSE = "“‘《（(「『【〔", "”’》）)」』】〕"
_TOO_LONG = 60  # characters; a quote this long is no longer read


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a sentence between separators, with its place in the sentence's text."""

    start: int
    end: int
    text: str
    opens: bool  # whether it starts a clause; otherwise it goes on with an enumeration


def split_clauses(text: str) -> tuple[Clause, ...]:
    """Cut at commas, semicolons, colons and enumeration commas that stand outside quotation marks, brackets and numbers."""
    cuts: list[tuple[int, str]] = []
    depth = 0
    for position, sign in enumerate(text):
        if sign in _OPEN:
            depth += 1
        elif sign in _CLOSE:
            depth = max(0, depth - 1)
        elif depth == 0 and sign in ",，、;；。！？!?" and not re.match(r"(?<=\d),\d{3}(?!\d)", text[position:]):
            cuts.append((position, sign))
    clauses: list[Clause] = []
    start, opens = 0, True
    for position, sign in [*cuts, (len(text), "")]:
        piece = text[start:position]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            clauses.append(Clause(start + lead, start + len(piece.rstrip()), piece.strip(), opens))
        start, opens = position + 1, sign != "、"
    return tuple(clauses)


def choose_quote(
    sentence: Sentence,
    weighing: Weighing,
    *,
    whole: int = 0,
    items: bool = False,
    asks: Asks = Asks.OTHER,
    question: str = "",
) -> str:
    """Choose the shortest run of clauses that holds as much of the question as the whole sentence does.

    A sentence of up to ``whole`` characters is quoted as it stands, and with ``items`` an enumeration goes on to its end: a list
    wants its items, not the one that was named.
    """
    text = sentence.plain
    if len(text) <= whole:
        return text.rstrip("。;；")
    clauses = split_clauses(text)
    if len(clauses) < 2 or not weighing.terms:
        return text.rstrip("。;；")
    goal = weighing.coverage(text)
    best: tuple[float, int, int, int] | None = None
    for i in range(len(clauses)):
        first = _clause_start(clauses, i)
        for j in range(i, len(clauses)):
            piece = text[clauses[first].start : clauses[j].end]
            held = weighing.coverage(piece)
            # A longer quote has to earn its length: a tenth of the question for twenty-five characters, then faster.
            fits = 0.3 if holds_answer(asks, piece, question) else 0.0
            worth = held + fits - 0.004 * len(piece) - 0.01 * max(0, len(piece) - _TOO_LONG)
            if best is None or worth > best[0] + 1e-9:
                best = (worth, len(piece), first, j)
            if held >= goal - 1e-9 and fits:
                break
    if best is None:
        return text
    first, last = best[2], best[3]
    while (whole or items) and last + 1 < len(clauses) and not clauses[last + 1].opens:
        last += 1  # the rest of the enumeration
    return text[clauses[first].start : clauses[last].end].strip()


def _clause_start(clauses: tuple[Clause, ...], position: int) -> int:
    """Go back to where the clause of an enumeration's item starts, unless that makes the quote too long to read."""
    first = position
    while first > 0 and not clauses[first].opens:
        first -= 1
    return first if clauses[position].end - clauses[first].start <= _TOO_LONG else position


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of whole clauses and how much it says."""

    start: int
    text: str
    worth: float


def cut_pieces(sentence: Sentence, weighing: Weighing, limit: int = _TOO_LONG) -> tuple[Piece, ...]:
    """Cut a sentence into runs of whole clauses of at most ``limit`` characters, each rated by what it says.

    Figures, names in quotation marks and the question's words count. A single clause may be longer than the limit.
    """
    pieces: list[Piece] = []
    text, clauses = sentence.plain, split_clauses(sentence.plain)
    first = 0
    while first < len(clauses):
        last = first
        while last + 1 < len(clauses) and clauses[last + 1].end - clauses[first].start <= limit:
            last += 1
        # Better to stop before an enumeration than in the middle of it.
        stop = last
        while stop > first and stop + 1 < len(clauses) and not clauses[stop + 1].opens:
            stop -= 1
        last = stop if stop > first or clauses[first].opens else last
        piece = text[clauses[first].start : clauses[last].end].strip()
        said = len(find_quantities(piece)) + len(NAMED.findall(piece)) + 2 * weighing.coverage(piece)
        pieces.append(Piece(clauses[first].start, piece, said + 0.02 * len(piece)))
        first = last + 1
    return tuple(pieces)


def most_telling(sentence: Sentence, weighing: Weighing) -> str:
    """The run of clauses of a sentence that says most."""
    pieces = cut_pieces(sentence, weighing)
    return max(pieces, key=lambda piece: piece.worth).text if pieces else sentence.plain


def short_answer(asks: Asks, sentence: Sentence, quote: str, weighing: Weighing, question: str = "") -> str | None:
    """Find the short answer in a quote, or nothing where there is more than one candidate."""
    if asks is Asks.QUANTITY:
        return _only_quantity(quote, weighing, question)
    if asks is Asks.REGION:
        return _only_region(sentence)
    if asks is Asks.NAME:
        names = [m[0] for m in NAMED.finditer(quote)]
        return names[0] if len(set(names)) == 1 else None
    if asks is Asks.YEAR:
        return _only_year(sentence, quote)
    return None


def _only_quantity(quote: str, weighing: Weighing, question: str) -> str | None:
    """The quantity of the one item that fits the question best; none where that is not sure.

    An item of an enumeration shares the verb of its first one. What the item lacks of the question's words must not stand behind it,
    where it belongs to another figure.
    """
    items: list[tuple[float, Clause, Quantity]] = []
    verb = ""
    for clause in split_clauses(quote):
        stated = [q for q in find_quantities(clause.text) if q.measure is Measure.QUANTITY]
        verb = leading_verb(clause.text) if clause.opens else verb
        if len(stated) > 1:
            return None
        if stated:
            items.append((weighing.coverage(f"{verb}{clause.text}"), clause, stated[0]))
    most = max((coverage for coverage, *_ in items), default=0.0)
    leading = [(clause, quantity) for coverage, clause, quantity in items if coverage == most]
    if most <= 0 or len(leading) != 1:
        return None
    clause, quantity = leading[0]
    held, behind = weighing.held(quote[: clause.end] + leading_verb(quote)), weighing.held(quote[clause.end :])
    if behind - held or not unit_fits(quantity.text, question):
        return None
    return quantity.text


def _only_region(sentence: Sentence) -> str | None:
    own = [m.place.name for m in Gazetteer.load().find_places(sentence.plain) if m.place.name != m.place.province]
    if sentence.labels.region and not own:
        return sentence.labels.region
    if len(set(own)) == 1 and sentence.labels.region:
        return own[0] if sentence.places == (own[0],) else sentence.labels.region
    return sentence.places[0] if len(sentence.places) == 1 else None


def _only_year(sentence: Sentence, quote: str) -> str | None:
    stated = [q for q in find_quantities(quote) if q.measure is Measure.YEAR]
    if len(stated) == 1:
        return f"{stated[0].value}年"
    if stated or sentence.labels.year is None:
        return None
    return f"{sentence.labels.year}年"
