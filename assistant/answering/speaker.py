"""A question who said something and the index in, the stretch with the speaker and what was said out.

``哪位官员说“…”`` and ``是谁主张…``: who speaks stands before the verb in the same sentence or in the one beside a quotation.
The name is the short answer where what was said is quoted in the question, or all but stands in what is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.question.weigh import Searchable, Weighing, weigh
from assistant.reading.orders import gives_orders
from assistant.reading.speech import Speech, read_speeches
from assistant.types import Passage, Question
from vectorstore.normalize import normalize
from vectorstore.types import Sentence

_PEOPLE = (
    r"(?:谁|何人|什么人|啥人|哪[1一]?(?:位|名|个|家|些)?(?:官员|领导|干部|专家|学者|教授|院士|研究者|人士|负责人|人|部门|单位|机构|厅|局"
    r"|企业家|记者|农民|渔民|居民|市民|村民|省长|市长|厅长|局长|处长|司长|主任)?)"
)
_SAYS = "说|讲|表示|认为|主张|指出|坦言|坦承|承认|强调|透露|感慨|抱怨|提醒|直言|回应|宣称|解释|介绍"
_ASKS = re.compile(
    rf"(?:是|由|出自|来自)?{_PEOPLE}(?:在[^,，。?？]{{1,8}})?(?:曾|也|还|最早|公开|对[^,，。?？]{{1,6}})?(?:{_SAYS})"
    rf"|(?:话|观点|看法|说法|意见|主张|判断|论断|结论|提法)(?:最早)?(?:是|出自|来自|由)?{_PEOPLE}(?:之口|(?:{_SAYS}|提出?)(?:出来)?的|$|[?？])"
    rf"|{_PEOPLE}之口|[”\"](?:这?[句段]?话?)?(?:是|出自|来自)(?:于|自)?{_PEOPLE}(?:(?:{_SAYS})的?)?(?:$|[,，?？])"
)
_SPOKEN = re.compile(
    rf"谁|哪位|官员|职务|身份|专家|学者|人士|观点|看法|说法|主张|这话|这句话|那句话|^话$|^原话$|^(?:{_SAYS})$"
)
_QUOTED = re.compile(r"[“\"「『]([^“”\"「」『』]{4,})[”\"」』]")
_ALL_BUT, _NEAR = 0.75, 0.55  # share of what was said that has to be found: to name who said it, and to show it at all
_WHOLE = 140  # characters of a sentence that is quoted from the speaker to its end


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said, where it stands, and who said it."""

    said: Sentence
    by: Sentence
    who: str
    quote: str  # of the sentence that names the speaker
    sure: bool  # whether it is what was asked for, by its words


def find_speaker(question: Question, index: Searchable) -> Spoken | None:
    """``None`` where nobody is asked for, what was said stands nowhere, or nothing tells who said it."""
    if not _ASKS.search(question.focus):
        return None
    quoted = [normalize(m[1]).strip("。.,，!！?？") for m in _QUOTED.finditer(question.focus)]
    terms = tuple(term for term in question.terms if not _SPOKEN.search(term))
    if not quoted and not terms:
        return None
    weighing = weigh(replace(question, terms=terms), index)
    found: list[tuple[float, int, Spoken]] = []
    for number, (said, told) in enumerate(_rate(question, index, weighing, quoted)):
        spoken = _attribute(said, index, weighing, quoted) if told >= _NEAR else None
        if spoken:
            found.append((told, -number, replace(spoken, sure=told >= _ALL_BUT)))
    return max(found, key=lambda one: one[:2])[2] if found else None


def _rate(
    question: Question, index: Searchable, weighing: Weighing, quoted: list[str]
) -> Iterator[tuple[Sentence, float]]:
    """How much of what was said each sentence has; a quotation it has or has not."""
    for sentence in index.sentences:
        if question.scope.allows(sentence) and not gives_orders(sentence.plain):
            if quoted:
                yield sentence, float(all(one in normalize(sentence.plain) for one in quoted))
            else:
                yield sentence, weighing.coverage(sentence.plain)


def _attribute(said: Sentence, index: Searchable, weighing: Weighing, quoted: list[str]) -> Spoken | None:
    """Who says it: in the sentence itself, in the one behind a quotation, or in the one that announces it."""
    text = said.plain
    speeches = [one for one in read_speeches(text) if _is_said(text[one.said :], text, weighing, quoted)]
    if speeches:
        return Spoken(said, said, speeches[-1].who, _from(text, speeches[-1]), sure=True)
    around = [s for s in index.sentences if s.source == said.source]
    at = next(n for n, s in enumerate(around) if s.id == said.id)
    behind, before = around[at + 1 : at + 2], around[max(0, at - 1) : at]
    if text.rstrip().endswith("”"):
        for other in behind:
            first = next(read_speeches(other.plain), None)
            if first and first.start == 0:
                return Spoken(said, other, first.who, other.plain[: first.said].rstrip(",，:："), sure=True)
    for other in before if text.lstrip().startswith("“") else ():
        last = list(read_speeches(other.plain))[-1:]
        if last and last[0].said >= len(other.plain.rstrip()):
            return Spoken(said, other, last[0].who, other.plain[last[0].start :].rstrip(",，:："), sure=True)
    return None


def _is_said(stretch: str, text: str, weighing: Weighing, quoted: list[str]) -> bool:
    """Whether a stretch behind a verb of saying holds what was asked for, and not only the rest of its sentence does."""
    if quoted:
        return all(one in normalize(stretch) for one in quoted)
    return weighing.coverage(stretch) >= _ALL_BUT * weighing.coverage(text)


def _from(text: str, speech: Speech) -> str:
    return (text if len(text) <= _WHOLE else text[speech.start :]).rstrip("。;；")


def show_speaker(spoken: Spoken) -> tuple[Passage, ...]:
    """The sentences that are quoted, each once."""
    sentences = {one.id: one for one in (spoken.by, spoken.said)}
    return tuple(Passage(n, one, 1.0, 1.0) for n, one in enumerate(sentences.values(), 1))


def compose_speaker(spoken: Spoken) -> Composition:
    """Who said it, and what was said where that is a sentence of its own."""
    short = spoken.who if spoken.sure else None
    told = frame(spoken.by)
    statements = [Statement(short, told, spoken.quote, spoken.by)]
    if spoken.said.id != spoken.by.id:
        told = told if spoken.said.labels == spoken.by.labels else frame(spoken.said)
        statements.append(Statement(None, told, spoken.said.plain.rstrip("。;；"), spoken.said))
    return Composition(Layout.PROSE if spoken.sure else Layout.NEAREST, tuple(statements))
