"""A question and a statement in, whether that is of something beside what was asked for out: all the rules for it, in one place.

Such a statement is shown as the nearest wording and gives no short answer.
"""

from __future__ import annotations

from typing import Protocol

from assistant.answering.counting import counts_another
from assistant.answering.facing import faces, is_shared, is_told_of_others, tells_change
from assistant.finding.mismatch import speaks_otherwise
from assistant.finding.siblings import is_of_another_kind
from assistant.question.weigh import Weighing
from assistant.reading.expect import holds_answer
from assistant.reading.owners import ask_about, find_places
from assistant.reading.pairs import keep_spoken
from assistant.types import Asks, Kind, Question
from vectorstore.types import Sentence

_SPOKEN = 0.7  # of what a sentence holds of a question, what it has to say of the place that was asked for


class _Told(Protocol):
    """What is quoted of a sentence, and the short answer before it."""

    @property
    def short(self) -> str | None: ...

    @property
    def quote(self) -> str: ...

    @property
    def sentence(self) -> Sentence: ...


def is_beside(question: Question, told: _Told, weighing: Weighing) -> bool:
    """Whether a statement tells of what faces the thing that was asked for; a question for yes or no it answers by that."""
    focus, quote, sentence = question.focus, told.quote, told.sentence
    if question.kind is Kind.YES_NO:
        otherwise = is_told_of_others(focus, quote) or is_of_another_kind(focus, quote)
        return otherwise or _is_of_other_places(question, sentence, weighing)
    if question.asks is Asks.QUANTITY and not holds_answer(question.asks, quote, focus):
        return True  # a year is no figure of what was asked for
    if told.short and tells_change(focus, quote, told.short):
        return True
    if told.short and is_shared(question, sentence, quote, told.short):
        return True
    if counts_another(question, sentence, quote, told.short, weighing):
        return True
    return speaks_otherwise(question, quote, sentence.plain) or faces(focus, quote, sentence)


def _list_names(text: str) -> frozenset[str]:
    return frozenset(name for owners in find_places(text) for name in owners.names)


def _is_of_other_places(question: Question, sentence: Sentence, weighing: Weighing) -> bool:
    """Whether a sentence says it of another place: of 甲市与乙市互认了吗 what 甲市 and 丙市 do decides nothing."""
    own = {sentence.labels.region, *(place for place in sentence.places if place not in sentence.plain)}
    told = _list_names(sentence.plain)
    asked = question.scope.places | (_list_names(question.focus) - question.scope.regions)
    if told and not asked <= told | own:
        return True
    spoken = keep_spoken(sentence.plain, ask_about(question))
    return weighing.coverage(spoken) < _SPOKEN * weighing.coverage(sentence.plain)
