"""A question with what was found for it, and the documents, in; the way in which it is answered out.

Mostly the passages that were found answer. Some questions are answered by what stands elsewhere: who is in charge behind a paragraph,
what a term means where it is defined, the sides of a comparison each in its own clause, a figure to be confirmed by the one that
the documents give, a list by the items that its sentence announces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from assistant.answering.charge import compose_charge, find_bearer, find_charge, show_charge
from assistant.answering.compose import Composition, compose, compose_opposed, is_hedged
from assistant.answering.defined import compose_definition, find_definition, show_definition
from assistant.answering.listing import compose_listing, find_listing, show_listing
from assistant.answering.opposed import find_opposed, show_opposed
from assistant.answering.replies import compose_reply, show_reply
from assistant.answering.rivals import find_contradiction
from assistant.answering.shown import compose_nearest, compose_whole
from assistant.answering.speaker import compose_speaker, find_speaker, show_speaker
from assistant.answering.yearly import find_yearly
from assistant.finding.asked import find_match
from assistant.finding.denied import find_denied, find_excluded
from assistant.finding.gate import Decision
from assistant.question.anchor import find_stated_otherwise, note_figure
from assistant.question.weigh import Searchable, Weighing, weigh
from assistant.types import Kind, Passage, Question, Refusal


@dataclass(frozen=True, slots=True)
class Way:
    """How a question is answered, and from what."""

    question: Question
    passages: tuple[Passage, ...]
    decision: Decision
    notes: tuple[str, ...] = ()
    compose: Callable[[], Composition] | None = None  # where others than the passages as they were found are told
    only_quotes: bool = False  # no model is asked to write it


def choose_way(way: Way, index: Searchable) -> Way:
    """Replace what was found by what answers better, where the question is of such a kind; ``way`` says what was found."""
    weighing = weigh(way.question, index)
    # Who is in charge stands behind the paragraph, and not in the sentence that was found.
    if charge := find_charge(way.question, index):
        told = replace(way, passages=show_charge(charge), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_charge(charge, weighing))
    if spoken := find_speaker(way.question, index):
        told = replace(way, passages=show_speaker(spoken), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_speaker(spoken))
    if defined := find_definition(way.question, index):
        told = replace(way, passages=show_definition(defined), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_definition(defined))
    if match := find_match(way.question, index, weighing):
        rival = find_contradiction(way.question, match.answer, way.passages, weighing)
        told = replace(way, passages=show_reply(match, weighing), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_reply(match, told.passages, rival))
    if yearly := find_yearly(way.question, index, weighing):
        told = replace(way, passages=(Passage(1, yearly, 1.0, 1.0),), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_whole(yearly))
    opposed = find_opposed(way.question, index)
    if opposed and opposed.answers:
        told = replace(way, passages=show_opposed(opposed), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_opposed(opposed))
    if opposed and opposed.unheard:
        way = replace(way, decision=Decision(Refusal.NOT_IN_CORPUS, way.passages[:3]))
    unsure = bool(way.passages) and is_hedged(way.question, way.passages[0], weighing)
    lacking = way.decision.refusal is Refusal.NOT_IN_CORPUS or (way.decision.refusal is None and unsure)
    if lacking and (bearer := find_bearer(way.question, index)):
        told = replace(way, passages=show_charge(bearer), decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_charge(bearer, weighing))
    shown = way.passages[:1] if way.decision.refusal is None else ()
    refused = way.decision.refusal in (Refusal.NOT_IN_CORPUS, Refusal.OTHER_YEAR)
    lacks = refused or (shown and unsure)
    if lacks and (denied := find_denied(way.question, index, weighing) or find_excluded(way.question, index, weighing)):
        others = [p for p in shown if p.sentence.id != denied.id]
        passages = tuple(replace(p, number=n) for n, p in enumerate((Passage(1, denied, 1.0, 1.0), *others), 1))
        told = replace(way, passages=passages, decision=Decision(None), only_quotes=True)
        return replace(told, compose=lambda: compose_nearest(passages, weighing))
    best = way.passages[0].sentence if way.passages and way.decision.refusal is None else None
    if other := find_stated_otherwise(way.question, index, weighing, best):
        question, passages = replace(way.question, kind=Kind.YES_NO), (Passage(1, other, 1.0, 1.0),)
        return replace(
            way, question=question, passages=passages, decision=Decision(None), notes=(note_figure(question),)
        )
    if (
        way.decision.refusal is None
        and not (unsure and way.question.kind is Kind.YES_NO)
        and (listing := find_listing(way.question, way.passages, index.documents, weighing))
    ):
        return replace(way, passages=show_listing(listing, way.passages), compose=lambda: compose_listing(listing))
    return way


def compose_way(way: Way, weighing: Weighing) -> Composition:
    """Put the answer together out of the documents' own words."""
    if way.compose:
        return way.compose()
    return compose(way.question, way.passages, weighing, contradicted=bool(way.notes))
