"""A question who is in charge of something and the index in, the sentence on it and the note that names who out.

Such plans put it in brackets behind the paragraph: ``……。（省生态环境厅牵头，省财政厅配合）``. The note belongs to what stands before it,
as far back as the note before; a text without line breaks runs it together with the next heading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.answering.quote import choose_quote
from assistant.question.weigh import Searchable, Weighing, weigh
from assistant.types import Passage, Question
from vectorstore.types import Sentence

_WHO = re.compile(
    r"(?:谁|哪(?:个|些|几|[两2]|家|几?家)?(?:个|家)?(?:部门|单位|厅|委|局|机构)?)(?:来|在)?(?:牵头|负责|主管|管|主抓|承担)|责任单位|牵头(?:部门|单位)"
)
_ASKING = re.compile(r"牵头|负责|主管|责任|部门|单位|[厅委局归管]|工作|任务|建立|方案|[这那]项")
NOTE = re.compile(r"[（(](?:责任单位[:：])?[^（()）]*(?:牵头|责任单位)[^（()）]*[)）]")
_WHOLE = 140  # characters up to which the sentence is quoted as it stands
_FAR = 8  # sentences; a note further behind may be that of another paragraph
_HELD = 0.7  # share of the subject that its sentence has to hold: who is in charge of something else is a wrong answer


@dataclass(frozen=True, slots=True)
class Charge:
    """What was asked about, and the note behind it."""

    subject: Sentence
    bearer: Sentence
    note: str


def find_charge(question: Question, index: Searchable) -> Charge | None:
    """``None`` where nobody is asked for, the subject stands nowhere, or no note follows it."""
    if not _WHO.search(question.focus):
        return None
    terms = tuple(term for term in question.terms if not _ASKING.search(term))
    if not terms:
        return None
    weighing = weigh(replace(question, terms=terms), index)
    sentences = [s for s in index.sentences if question.scope.allows(s)]
    rated = [(weighing.coverage(NOTE.sub("", s.plain)), -n) for n, s in enumerate(sentences)]
    held, place = max(rated, default=(0.0, 0))
    if held < _HELD:
        return None
    subject = sentences[-place]
    following = [s for s in index.sentences if s.source == subject.source and s.start >= subject.start][:_FAR]
    for one in following:
        for match in NOTE.finditer(one.plain):
            if one.id != subject.id or match.start() > 0:  # at its own head it is said of what stood before
                return Charge(subject, one, match[0])
    return None


def show_charge(charge: Charge) -> tuple[Passage, ...]:
    """Both sentences as passages, each once."""
    sentences = {one.id: one for one in (charge.subject, charge.bearer)}
    return tuple(Passage(n, one, 1.0, 1.0) for n, one in enumerate(sentences.values(), 1))


def compose_charge(charge: Charge, weighing: Weighing) -> Composition:
    """The sentence that was found for the subject, and the note behind it: a person sees whether the one belongs to the other."""
    about = choose_quote(charge.subject, weighing, whole=_WHOLE)
    return Composition(
        Layout.NEAREST,
        (
            Statement(None, frame(charge.subject), about, charge.subject),
            Statement(None, frame(charge.bearer), charge.note, charge.bearer),
        ),
    )
