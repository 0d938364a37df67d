"""A comparison and the index in, how much a text speaks of each of its sides and of what is asked of them out.

The words that tell a side from the others have to stand in a text, whole, or by a name that no other side may go by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.question.sides import Comparison
from assistant.question.weigh import Searchable, Term, Weighing, stands_in, weigh
from assistant.reading.expect import holds_answer, unit_fits
from assistant.reading.quantities import Measure, find_quantities
from assistant.types import Asks, Question
from vectorstore.normalize import normalize
from vectorstore.types import Sentence

_ASKED = 0.4  # share of what is asked of all sides that has to stand in the sentence
_SHARED = 0.3  # the same of what all of them have
_SPOKEN = 0.6  # of a side and of what is asked, what a sentence has to hold to speak of them
_SHORT = 2  # characters; a word as short as this has to begin and end where words of the text do
_RENAMED = 0.85  # what a word counts under another name


@dataclass(frozen=True, slots=True)
class Contrast:
    """What a comparison looks for."""

    of: Comparison
    sides: tuple[Weighing, ...]
    forms: tuple[frozenset[str], ...]  # how documents may write the words of each side, and of no other
    shared: Weighing
    asked: Weighing
    focus: str

    def may_speak(self, text: str) -> bool:
        """Whether a text has a word of any side at all, or may state a bound: quickly told, for most texts have none."""
        normal = normalize(text)
        bounded = any(side.bound is not None for side in self.of.sides)
        return bounded or any(form in normal for forms in self.forms for form in forms)

    def speaks(self, number: int, text: str) -> float:
        """The share of a side's own words that a text has, as they are or by a name that no other side shares; no pieces of them."""
        normal, terms = normalize(text), self.sides[number].terms
        held = sum(
            term.weight * max((_as_told(term, form) for form in self._own(number, term, normal)), default=0.0)
            for term in terms
        )
        return held / (sum(term.weight for term in terms) or 1.0)

    def is_known(self, number: int, sentences: Iterable[Sentence]) -> bool:
        """Whether the texts speak of a side at all, and with a figure where one is asked for."""
        return any(
            self.shared.coverage(s.plain) >= _SPOKEN and (not self.of.measured or _tells_figure(s.plain, self.focus))
            for s in sentences
            if self.tells_of(number, s.plain)
        )

    def tells_of(self, number: int, text: str) -> bool:
        """Whether a text speaks of a side; one that names all of them and gives no figure only lists them."""
        if not self.sides[number].terms or self.speaks(number, text) < _SPOKEN:
            return False
        named = [self.speaks(n, text) >= _SPOKEN for n, side in enumerate(self.sides) if side.terms]
        return not all(named) or any(q.measure is Measure.QUANTITY for q in find_quantities(text))

    def _own(self, number: int, term: Term, normal: str) -> list[str]:
        forms = (term.means | {term.text}) & self.forms[number]
        return [form for form in forms if stands_in(form, normal, short=_SHORT)]

    def holds(self, text: str) -> float:
        """What a text holds of that which all sides have and are asked for; nothing where it has too little of either."""
        asked, shared = self.asked.coverage(text), self.shared.coverage(text)
        return (asked + shared) / 2 if asked >= _ASKED and shared >= _SHARED else 0.0


def find_spoken(weighed: Contrast, number: int, sentences: Iterable[Sentence]) -> Sentence | None:
    """The sentence that speaks most of a side and of what is asked, where there is one: nobody may say then that none does."""
    asked = (weighed.asked, weighed.shared)
    best: tuple[float, Sentence | None] = (0.0, None)
    for sentence in sentences:
        own = weighed.speaks(number, sentence.plain)
        held = [one.coverage(sentence.plain) for one in asked if one.terms]
        if not weighed.tells_of(number, sentence.plain) or not held or min(held) < _SPOKEN:
            continue
        if weighed.of.measured and not _tells_figure(sentence.plain, weighed.focus):
            continue
        if own + sum(held) > best[0]:
            best = (own + sum(held), sentence)
    return best[1]


def _tells_figure(text: str, focus: str) -> bool:
    return holds_answer(Asks.QUANTITY, text, focus) and unit_fits(text, focus)


def weigh_sides(question: Question, asked: Comparison, index: Searchable) -> Contrast:
    """Weigh the words of each side, those that all have, and those that are asked for."""
    bare = replace(question, focus="")
    sides = tuple(weigh(replace(bare, terms=side.words), index) for side in asked.sides)
    return Contrast(
        asked,
        sides,
        _tell_apart(sides),
        weigh(replace(bare, terms=asked.shared), index),
        weigh(replace(bare, terms=asked.asked), index),
        question.focus,
    )


def _tell_apart(sides: Sequence[Weighing]) -> tuple[frozenset[str], ...]:
    """The words of each side and their other names, without what another side may be called too.

    A part of a word is no other name of it: 居民 tells nothing of 城市居民.
    """
    forms = [
        {term.text for term in side.terms} | {m for term in side.terms for m in term.means if m not in term.text}
        for side in sides
    ]
    return tuple(
        frozenset(mine).difference(*(its for m, its in enumerate(forms) if m != n)) for n, mine in enumerate(forms)
    )


def _as_told(term: Term, form: str) -> float:
    return 1.0 if form == term.text else _RENAMED
