"""A question that a document asks itself in, the answer that it gives there out: whole sentences, in their order.

Notices have been asked the same before. Who asks it again is given what they answered, and not one clause of it.
"""

from __future__ import annotations

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.answering.framing import frame_with_question, show_question
from assistant.finding.asked import Match
from assistant.question.weigh import Weighing
from assistant.types import Passage

_WHOLE = 320  # characters of an answer that is given whole; of a longer one its first sentence and what fits the question best
_MOST = 6  # sentences


def show_reply(match: Match, weighing: Weighing) -> tuple[Passage, ...]:
    """The sentences that are told as passages."""
    kept = list(match.answer)
    while len(kept) > _MOST or (len(kept) > 1 and sum(len(one.plain) for one in kept) > _WHOLE):
        kept.remove(min(kept[1:], key=lambda one: (weighing.coverage(one.plain), -one.start)))
    return tuple(Passage(number, one, 1.0, 1.0) for number, one in enumerate(kept, 1))


def compose_reply(match: Match, passages: tuple[Passage, ...], rival: Passage | None = None) -> Composition:
    """Quote them whole behind the question that they answer; a ``rival`` that gives another figure stands beside them."""
    shown = show_question(match.asked)
    said = []
    for number, passage in enumerate(passages):
        one = passage.sentence
        named = frame_with_question(frame(one), shown) if number == 0 else ""
        said.append(Statement(None, named, one.plain.strip().rstrip("。;；"), one))
    if rival is None:
        return Composition(Layout.PROSE, tuple(said))
    other = Statement(None, frame(rival.sentence), rival.sentence.plain.strip().rstrip("。;；"), rival.sentence)
    return Composition(Layout.DIFFERING, (other, *said))
