"""A question and the sentences that were chosen for it in, the same with what it needs beside them, or without what it rules out.

Why something is so may stand in the sentence beside the one that says that it is. Of ``哪25个城市`` only a sentence that counts just
as many names some of them: what 24 of them did, or 25 with another plan, is something else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.question.weigh import Weighing
from assistant.reading.reasons import asks_why, gives_reason
from assistant.types import Passage
from vectorstore.normalize import normalize

_AS_MUCH, _RIGHT_BESIDE = 0.8, 3  # of what the best sentence holds; characters between two sentences side by side
_OPENS = re.compile("^(?:主要)?(?:原因|是因为|因为|由于|这是因)")
_COUNTED = re.compile(r"(?:哪|是那?)(?P<number>\d{1,4})(?P<noun>[个家座项处条位名所户][\u4e00-\u9fff])")
_EVEN = 0.9  # of what the best of those that count as many holds, what the others have to hold


def give_reason(focus: str, chosen: list[Passage], passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """With sentences that give no reason the one about the same thing that does, where it is asked why."""
    if not asks_why(focus) or any(gives_reason(p.sentence.plain) for p in chosen):
        return chosen
    best = chosen[0]
    for passage in passages:
        one, other = best.sentence, passage.sentence
        beside = (one.source, one.paragraph) == (other.source, other.paragraph)
        beside = beside and 0 <= other.start - one.end <= _RIGHT_BESIDE
        about = passage.coverage >= _AS_MUCH * best.coverage and weighing.held(other.plain)
        told = about or (beside and (weighing.held(other.plain) or _OPENS.search(other.plain)))
        if passage not in chosen and told and gives_reason(other.plain):
            return [*chosen[:1], passage]
    return chosen


def keep_counted(focus: str, passages: Sequence[Passage]) -> list[Passage]:
    """The sentences that count just as many of the things as the question does; none where it states no number, or none does."""
    counted = _COUNTED.search(normalize(focus))
    if counted is None:
        return []
    stated = re.compile(rf"(?<![\d.]){counted['number']}{counted['noun']}")
    found = [p for p in passages if stated.search(normalize(p.sentence.plain))]
    best = max((p.coverage for p in found), default=0.0)
    return [p for p in found if p.coverage >= _EVEN * best]
