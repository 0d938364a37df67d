"""A question who is in charge of something, or what somebody is in charge of, and the index in, the sentences on it and the notes out.

Such plans put it in brackets behind the paragraph: ``……。（省生态环境厅牵头，省财政厅配合）``. The note belongs to what stands before it,
as far back as the note before; a text without line breaks runs it together with the next heading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.answering.quote import choose_quote, drop_note
from assistant.question.weigh import Searchable, Weighing, weigh
from assistant.types import Passage, Question
from vectorstore.normalize import normalize
from vectorstore.types import Sentence

_WHO = re.compile(
    r"(?:谁|哪(?:个|些|几|[两2]|家|几?家)?(?:个|家)?(?:部门|单位|厅|委|局|机构)?)(?:来|在)?(?:牵头|负责|主管|管|主抓|承担)|责任单位|牵头(?:部门|单位)"
    r"|归(?:谁|哪[1一]?[个家](?:部门|单位)?)"
)
_WHOM = re.compile(
    r"(?:找|问|归|由|该|请)(?:谁|哪[1一]?(?:位|个|家)(?:部门|单位|人|公司)?)|(?:谁|哪[1一]?(?:位|个|家)(?:部门|单位|人|公司)?)(?:来|去)?(?P<act>负责|解释|答复|受理|承担|维护|管护|处理|组织|审批|核定|出资|管)"
)
# 由主任某某负责…的解释, 由甲公司承担: who does it, before the verb.
_BEARS = re.compile(r"由[^,，。;；:：]{2,40}?(?:负责|承担|牵头|受理|解释|答复|组织|审批|核定|管护|维护|出资)")

_DUTIES = re.compile(
    r"(?P<who>[\u4e00-\u9fff]{3,20}?)(?:主要|具体|都|分别)?(?:负责|牵头|承担|参与)(?:了|着|的|有|是)*(?:哪[些几]|什么|啥)"
)
_NAMES = re.compile(r"责任单位|牵头|配合|分别|负责|按职责|[（()）、，,：:；;]")
_COUNT = re.compile(r"^\s*\d{1,2}[.．、](?!\d)\s*")  # before the heading of a paragraph it is no figure of what it says
_GLUED_COUNT = re.compile(r"^\s*\d{1,2}[.．、]?(?![\d.年月日个项家台户处座%])")
_BODY, _DUTIES_TOLD = 3, 12  # characters of a body's name; paragraphs that are told of one

_ASKING = re.compile(
    r"牵头|负责|主管|责任|部门|单位|[厅委局归管]|工作|任务|建立|方案|[这那]项|^问题$|^事情?$|^事项$|谁|哪位|解释|答复"
)
NOTE = re.compile(r"[（(](?:责任单位[:：])?[^（()）]*(?:牵头|责任单位)[^（()）]*[)）]")
_ACTS = re.compile("解释|答复|受理|承担|维护|管护|组织|审批|核定|出资|修复|管理")
_ACT = 0.3  # what the verb that was asked for counts
_WHOLE = 140  # characters up to which the sentence is quoted as it stands
_FAR = 8  # sentences; a note further behind may be that of another paragraph
_OWN, _UNION = 0.3, 0.9  # what a paragraph holds itself, and with the sentence that holds most, where that has no note
_RIVAL = 0.75  # of what the best paragraph holds, from where on another may be meant as well
_HELD = 0.7  # share of the subject that its sentence has to hold: who is in charge of something else is a wrong answer


@dataclass(frozen=True, slots=True)
class Charge:
    """What was asked about, and the note behind it."""

    subject: Sentence
    bearer: Sentence
    note: str
    duties: tuple[tuple[Sentence, Sentence, str], ...] = ()  # of a body all that it is in charge of


def find_charge(question: Question, index: Searchable) -> Charge | None:
    """``None`` where nobody is asked for, the subject stands nowhere, or no note follows it."""
    if found := _find_duties(question, index):
        return found
    if not _WHO.search(question.focus):
        return None
    terms = tuple(term for term in question.terms if not _ASKING.search(term))
    if not terms:
        return None
    weighing = weigh(replace(question, terms=terms), index)
    sentences = [s for s in index.sentences if question.scope.allows(s)]
    rated = sorted(((weighing.coverage(NOTE.sub("", s.plain)), -n) for n, s in enumerate(sentences)), reverse=True)
    if not rated or rated[0][0] < _HELD:
        return None
    for held, place in rated:
        if held < _HELD:
            break
        if found := _find_note(sentences[-place], index):
            return found
    return _find_beside(sentences[-rated[0][1]], sentences, index, weighing)


def _find_duties(question: Question, index: Searchable) -> Charge | None:
    """What opens the paragraphs whose notes name the body that the question asks about; nothing where no note does."""
    asked = _DUTIES.search(normalize(question.text))
    found: list[tuple[Sentence, Sentence, str]] = []
    for parsed in index.documents if asked else ():
        opens: Sentence | None = None
        for sentence in parsed.sentences:
            opens = sentence if opens is None or opens.paragraph != sentence.paragraph else opens
            for match in NOTE.finditer(sentence.plain):
                names = {name for name in _NAMES.split(normalize(match[0])) if len(name) >= _BODY}
                named = asked is not None and any(asked["who"].endswith(name) for name in names)
                if named and question.scope.allows(sentence):
                    found.append((opens, sentence, match[0]))
            if NOTE.search(sentence.plain):
                opens = sentence if drop_note(sentence.plain) != sentence.plain else None
    return Charge(*found[0], tuple(found[:_DUTIES_TOLD])) if found else None


def _open_behind(sentence: Sentence) -> str:
    """What a sentence says without the note of the paragraph before, and without the number of its own."""
    behind = drop_note(sentence.plain)
    return (_COUNT if behind == sentence.plain else _GLUED_COUNT).sub("", behind)


def _find_note(subject: Sentence, index: Searchable) -> Charge | None:
    """The note behind a sentence."""
    following = [s for s in index.sentences if s.source == subject.source and s.start >= subject.start][:_FAR]
    for one in following:
        for match in NOTE.finditer(one.plain):
            if one.id != subject.id or match.start() > 0:  # at its own head it is said of what stood before
                return Charge(subject, one, match[0])
    return None


def _find_beside(best: Sentence, sentences: Sequence[Sentence], index: Searchable, weighing: Weighing) -> Charge | None:
    """The one sentence of a paragraph with a note that speaks of what the best one only sums up (老旧货车限行)."""
    noted = {s.paragraph for s in sentences if s.source == best.source and NOTE.search(s.plain)}
    rated = sorted(
        (
            (weighing.coverage(NOTE.sub("", s.plain)), -s.start, s)
            for s in sentences
            if s.source == best.source and s.paragraph in noted
        ),
        key=lambda one: one[:2],
        reverse=True,
    )
    if not rated or rated[0][0] < _OWN or weighing.coverage(f"{best.plain}\n{rated[0][2].plain}") < _UNION:
        return None
    if any(held >= _RIVAL * rated[0][0] and s.paragraph != rated[0][2].paragraph for held, _, s in rated[1:]):
        return None
    return _find_note(rated[0][2], index)


def find_bearer(question: Question, index: Searchable) -> Charge | None:
    """The sentence that says by whom something is done (由…负责), where no note does and whom to ask was asked.

    A word of the question that stands in the document's title need not stand in the sentence; some other has to.
    """
    asked = _WHOM.search(normalize(question.text))
    terms = tuple(term for term in question.terms if not _ASKING.search(term))
    if not asked or not terms:
        return None
    weighing = weigh(replace(question, terms=terms), index)
    acts = set(_ACTS.findall(normalize(question.text)))
    found: list[tuple[float, int, Sentence, str]] = []
    for parsed in index.documents:
        title = parsed.document.title
        titled = weighing.held(title)
        for sentence in parsed.sentences:
            bears = _BEARS.search(sentence.plain)
            own = weighing.held(sentence.plain) - titled
            if not bears or (not own and len(titled) < len(terms)) or not question.scope.allows(sentence):
                continue
            held = weighing.coverage(f"{title}\n{sentence.plain}")
            if held >= _HELD and weighing.held(sentence.plain):
                worth = weighing.coverage(sentence.plain) + _ACT * any(act in sentence.plain for act in acts)
                found.append((worth, -sentence.start, sentence, sentence.plain))
    if not found:
        return None
    best = max(found, key=lambda one: one[:2])
    return Charge(best[2], best[2], best[3])


def show_charge(charge: Charge) -> tuple[Passage, ...]:
    """Both sentences as passages, each once."""
    told = charge.duties or ((charge.subject, charge.bearer, charge.note),)
    sentences = {one.id: one for subject, bearer, _ in told for one in (subject, bearer)}
    return tuple(Passage(n, one, 1.0, 1.0) for n, one in enumerate(sentences.values(), 1))


def compose_charge(charge: Charge, weighing: Weighing) -> Composition:
    """The sentence that was found for the subject, and the note behind it: a person sees whether the one belongs to the other."""
    if charge.duties:
        pairs = [((s, _open_behind(s).strip().rstrip("。;；")), (b, note)) for s, b, note in charge.duties]
        told = [one for subject, bearer in pairs for one in (subject, bearer)[: 1 + (subject[0].id != bearer[0].id)]]
        return Composition(Layout.BULLETS, tuple(Statement(None, frame(s), quote, s) for s, quote in told))
    about = _COUNT.sub("", choose_quote(charge.subject, weighing, whole=_WHOLE))
    if charge.subject.id == charge.bearer.id and charge.note == charge.subject.plain:
        return Composition(Layout.NEAREST, (Statement(None, frame(charge.subject), about, charge.subject),))
    return Composition(
        Layout.NEAREST,
        (
            Statement(None, frame(charge.subject), about, charge.subject),
            Statement(None, frame(charge.bearer), charge.note, charge.bearer),
        ),
    )
