"""A question and the passages that may answer it in, statements to be checked out: how the bundled reader's answers are written.

The reader does not write. Every statement is a verbatim quote behind a frame that is made from the sentence's labels
(``上海2024年的任务中提出：“…”``), and a short answer before it where the quote leaves one choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from assistant.answering.beside import is_beside
from assistant.answering.chosen import give_reason, keep_counted
from assistant.answering.facing import asks_several, choose_alike, is_shared, tells_done
from assistant.answering.framing import frame_answer
from assistant.answering.opposed import Opposed
from assistant.answering.quote import (
    choose_quote,
    cut_pieces,
    drop_note,
    most_telling,
    open_piece,
    short_answer,
    states_other_year,
)
from assistant.answering.rivals import find_rivals
from assistant.answering.summarise import choose_told
from assistant.finding.allowed import add_conditions
from assistant.finding.asked import join_cases, join_verdict, leans_on_question
from assistant.finding.gate import SLOT, THRESHOLD
from assistant.finding.likely import is_sure
from assistant.question.meaning import read_meaning
from assistant.question.slots import asks_first, asks_places, plan_slots, says_first
from assistant.question.weigh import Weighing
from assistant.question.whose import asks_body, asks_document
from assistant.reading.expect import holds_answer
from assistant.reading.owners import About, ask_about, find_places, read_about
from assistant.reading.pairs import keep_spoken, names_them
from assistant.reading.reasons import asks_why, gives_reason
from assistant.reading.rules import RULE
from assistant.reading.stated import lies_in, name_years
from assistant.types import Asks, Kind, Passage, Question
from vectorstore.issuer import is_own_name
from vectorstore.normalize import normalize
from vectorstore.types import Labels, Part, Scope, Sentence

_OF_A_YEAR = re.compile("去年|今年|过去的?一年|这一年|全年|年末|同比")  # what tells of a year need not be a text of it
_ALSO = 0.25  # share of the question that a further sentence has to add to be worth reading
_MANNER = re.compile("怎么|怎样|如何|什么(?:方式|办法|措施|做法|形式|手段|机制|特点|好处)")  # wants the whole sentence
_WHICH_PLACES = re.compile("哪[些几]个?(?:城市|省份?|地方|地区|市|县)")
# Where the reader is sure of one sentence of a list, what it takes for no answer at all has the words by chance.
_READ, _UNREAD = 0.5, 0.03
_LISTED = 6  # statements of a list; more are a wall of quotes
_WHOLE = 140  # characters up to which a list quotes the whole sentence
WORDED = 0.5  # share of a question that a sentence has to hold to be the answer and not just the nearest
_ELSEWHERE = 0.2  # share of the question that may stand in other sentences and not in the one with the figure
_EVEN = 0.9  # of the likeliest sentence's probability: as likely, where none is what the question supposes
_ALIKE = 0.75  # of what the best row of figures holds of a question, what the others have to hold
_BESIDE = 0.7  # the same of a second sentence beside the best one of a row
_NAMING = 1.5  # what it counts that a clause names the place of its row
_SIBLING = 60  # characters between two sentences that may be siblings
_TRIED = 3  # sentences of a row of figures, of which one has the unit that the others have
_TOLD = 0.3  # of what the best stretch of a sentence holds of a question, what the one that is quoted has to
_TIE = 0.95  # sentences this close to the best that carry other labels answer an ambiguous question too


class Layout(StrEnum):
    """How the statements stand on the screen."""

    PROSE = "prose"
    NEAREST = "nearest"  # prose that a person is asked to compare with the question
    DIFFERING = "differing"  # prose that gives several figures for one thing
    BULLETS = "bullets"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer: what it says and the one sentence that it says it from."""

    short: str | None
    frame: str
    quote: str
    sentence: Sentence
    row: str = ""  # what the row of a table is about, or the heading that it stands under
    titled: bool = False  # whether the document that it stands in is what was asked for


@dataclass(frozen=True, slots=True)
class Composition:
    """What is to be said, before it is checked."""

    layout: Layout
    statements: tuple[Statement, ...]
    empty_rows: tuple[str, ...] = ()  # what a table was asked for and has no evidence on


def compose(
    question: Question, passages: Sequence[Passage], weighing: Weighing, *, contradicted: bool = False
) -> Composition:
    """Choose the sentences to quote by the kind of the question; whole ones where they contradict what it supposes."""
    if question.kind is Kind.COMPARE:
        return _compare(question, passages, weighing)
    headed = bool(passages) and all(passage.headings for passage in passages)  # a list that a heading announces
    if question.kind is Kind.LIST and not headed:
        return _list(question, passages, weighing)
    if question.kind in (Kind.SUMMARY, Kind.LIST):
        return _summarise(question, passages, weighing)
    rivals = find_rivals(question, passages, weighing)
    if rivals and not is_hedged(question, rivals[0], weighing):
        if any(RULE.search(one.sentence.plain) for one in rivals):  # each for a case of its own: no contradiction
            return _say(question, rivals, weighing, near=True)
        said = _say(question, rivals, weighing)
        return Composition(Layout.DIFFERING, tuple(replace(one, short=None) for one in said.statements))
    if beside := _find_beside(question, passages, weighing):
        return _say(question, _in_order([passages[0], beside]), weighing, near=True)
    if joined := (join_verdict(question, passages, weighing) or join_cases(question, passages, weighing)):
        return _say(question, joined, weighing, near=is_hedged(question, passages[0], weighing))
    if contradicted:
        likely = _EVEN * (passages[0].likely or 0.0)
        return _say(question, [p for p in passages[:2] if (p.likely or 0.0) >= likely], weighing, near=True)
    return _say(question, _answering(question, passages, weighing), weighing)


def _find_beside(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Passage | None:
    """The sentence right beside the best one that has a word of the question which that lacks: 小麦 behind 早籼稻最低收购价.

    Side by side one leaves out what the other has said, so the best one may be of the sibling.
    """
    if not _is_figure(question) or not passages:
        return None
    best = passages[0].sentence
    wanted = {term.text for term in weighing.terms if term.known and len(term.text) > 1} - weighing.held(best.plain)
    for passage in passages[1:]:
        other = passage.sentence
        apart = max(other.start - best.end, best.start - other.end)
        near = (other.source, other.paragraph) == (best.source, best.paragraph) and apart <= _SIBLING
        if near and wanted & weighing.held(other.plain) and holds_answer(question.asks, other.plain, question.focus):
            return passage
    return None


def _list(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    best = max(p.coverage for p in passages)
    chosen = [p for p in passages if p.coverage >= 0.7 * best][:_LISTED]
    places = _WHICH_PLACES.search(question.focus) is not None
    if not places and max((p.reader or 0.0 for p in chosen), default=0.0) >= _READ:
        chosen = [p for p in chosen if p.reader is None or p.reader >= _UNREAD]
    chosen = add_conditions(question.focus, chosen, passages)
    counted = keep_counted(question.focus, passages)
    for passage in passages:
        held = "\n".join(p.sentence.plain for p in chosen)
        gain = weighing.coverage(f"{held}\n{passage.sentence.plain}") - weighing.coverage(held)
        if gain >= _ALSO and len(chosen) < _LISTED and passage not in chosen:
            chosen.append(passage)
    if places and best >= _EVEN:  # one that says less, or names none, is of something else
        whole = [
            p for p in chosen if p.coverage >= _EVEN * best and (p.sentence.places or find_places(p.sentence.plain))
        ]
        chosen = whole or chosen
    statements = [
        Statement(None, frame(p.sentence), choose_quote(p.sentence, weighing, whole=_WHOLE), p.sentence)
        for p in _in_order(counted or chosen)
    ]
    turned = all(tells_done(question.focus, one.quote) for one in statements)
    return Composition(Layout.NEAREST if turned else Layout.BULLETS, tuple(statements))


def _summarise(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    """One telling run of clauses of each sentence, in the order of the text; of each place, year or heading its share."""
    statements = [
        Statement(None, frame(told.passage.sentence), told.piece.text, told.passage.sentence, told.heading)
        for told in choose_told(question, passages, weighing)
    ]
    return Composition(Layout.BULLETS, tuple(statements))


def _answering(question: Question, passages: Sequence[Passage], weighing: Weighing) -> list[Passage]:
    """The best sentence; those that add what it lacks; equals under another label, where the question leaves it open."""
    best = passages[0]
    chosen = [best]
    if is_hedged(question, best, weighing):
        return chosen
    for passage in passages[1:]:
        if passage.coverage < THRESHOLD or is_hedged(question, passage, weighing) or len(chosen) == 3:
            break
        held = "\n".join(p.sentence.plain for p in chosen)
        gain = weighing.coverage(f"{held}\n{passage.sentence.plain}") - weighing.coverage(held)
        open_label = _differs(passage.sentence.labels, best.sentence.labels, question)
        if gain >= _ALSO or (open_label and passage.coverage >= _TIE * best.coverage):
            chosen.append(passage)
    return add_conditions(question.focus, give_reason(question.focus, chosen, passages, weighing), passages)


def is_hedged(question: Question, passage: Passage, weighing: Weighing) -> bool:
    """Whether a sentence is only the nearest wording, so that a person has to judge whether it answers.

    Half of the question has to stand in it. A figure is given as the answer only where few of the other words stand in other
    sentences, which may hold the right one.
    """
    if passage.likely is None:
        return False
    if passage.coverage < WORDED or not is_sure(passage.likely, question.asks):
        return True
    plain = passage.sentence.with_question
    if leans_on_question(passage.sentence, weighing):
        return True
    if weighing.foreign(plain) > 0:  # such documents have a word for it, and this sentence does not
        return True
    if question.kind is Kind.YES_NO:  # 不适用 answers 适用吗
        normal = normalize(plain)
        weighing = Weighing(tuple(t if t.text not in normal else replace(t, known=False) for t in weighing.terms))
        return weighing.lacking(normal, known=True) > _ELSEWHERE
    return _is_figure(question) and weighing.lacking(plain, known=True) > _ELSEWHERE


def _differs(one: Labels, other: Labels, question: Question) -> bool:
    if one.region != other.region:
        return not question.scope.regions and question.asks is not Asks.REGION
    return one.year != other.year and not question.scope.years


def _in_order(passages: Sequence[Passage]) -> list[Passage]:
    return sorted(passages, key=lambda p: (p.sentence.source, p.sentence.start))


def _say(question: Question, passages: Sequence[Passage], weighing: Weighing, *, near: bool = False) -> Composition:
    near, about = near or is_hedged(question, passages[0], weighing), ask_about(question)
    near = near or (asks_first(question.focus) and not says_first(passages[0].sentence.plain))
    near = near or (asks_why(question.focus) and not any(gives_reason(p.sentence.plain) for p in passages))
    if read_meaning(question.focus, len(question.terms)):  # what defines the word would be told before this (ways.py)
        near, passages = True, passages[:1]
    if not near:
        first = _state(question, passages[0].sentence, weighing, about)
        near = is_beside(question, first, weighing) or _is_divided(weighing, first, about)
    statements = [_state(question, passage.sentence, weighing, about, near=near) for passage in passages]
    statements = [replace(one, short=None) if is_beside(question, one, weighing) else one for one in statements]
    return Composition(Layout.NEAREST if near else Layout.PROSE, tuple(statements))


def _state(
    question: Question, sentence: Sentence, weighing: Weighing, about: About, *, near: bool = False
) -> Statement:
    """What is quoted of a sentence, with a short answer where it is more than the nearest wording."""
    items, several = question.asks is Asks.OTHER, _is_figure(question) and asks_several(question.standalone)
    manner = items and (_MANNER.search(question.focus) or asks_why(question.focus))
    whole = _WHOLE if near or several or manner or question.kind is Kind.YES_NO else 0
    quote = choose_quote(
        sentence, weighing, whole=whole, items=items, asks=question.asks, question=question.focus, about=about
    )
    # Else the rest may be of another year.
    alone = keep_spoken(sentence.plain, about) == sentence.plain and not states_other_year(sentence, about)
    if wider := alone and _leaves_out(weighing, sentence.plain, quote):
        quote = drop_note(sentence.plain).rstrip("。;；") if len(sentence.plain) <= _WHOLE else quote
    short = short_answer(question.asks, sentence, quote, weighing, question.focus, about)
    near, titled = near or wider, _asks_title(question, sentence, short)
    named = frame_answer(frame(sentence, None if question.scope.places else quote), sentence, quote, weighing)
    return Statement(None if near or several else short, named, quote, sentence, titled=titled)


def _leaves_out(weighing: Weighing, text: str, quote: str) -> bool:
    """Whether a sentence has a word of the question that the quote has not: the quote may be of its sibling then (工业, not 农业)."""
    return any(len(word) > 1 for word in weighing.held(text) - weighing.held(quote))


def _is_divided(weighing: Weighing, statement: Statement, about: About) -> bool:
    """Whether a sentence speaks of several places or years, and has a word of the question elsewhere than in what is quoted."""
    text = statement.sentence.plain
    return keep_spoken(text, about) != text and _leaves_out(weighing, text, statement.quote)


def _asks_title(question: Question, sentence: Sentence, short: str | None) -> bool:
    """Whether the title of a document is the answer: where that is asked for, or whose words they are and nothing else tells."""
    told = short is not None or (sentence.labels.region is not None and sentence.labels.part is not None)
    return asks_document(question.focus) or (asks_body(question.focus) and not told)


def _compare(question: Question, passages: Sequence[Passage], weighing: Weighing) -> Composition:
    """One row for each slot, each from its own evidence."""
    cells: list[list[Statement]] = []
    empty: list[str] = []
    known = sorted({p.sentence.labels.region for p in passages if p.sentence.labels.region})
    slots = plan_slots(question, known)
    if len(slots) == 1 and not (slots[0].scope.regions or slots[0].scope.places or slots[0].scope.sources):
        return _say(question, passages[:1], weighing, near=True)  # nothing is set against anything
    for slot in slots:
        about = read_about(slot.name)
        fitting = [p for p in passages if lies_in(slot.scope, p.sentence) and _fits_row(question, p, weighing, about)]
        if not fitting:
            empty.append(slot.name)
            continue
        reported = [p for p in fitting if p.sentence.labels.part]
        if max((p.coverage for p in reported), default=0.0) >= _ALIKE * max(p.coverage for p in fitting):
            fitting = reported  # a report of the place before news that name it
        name = fitting[0].headings[0] if fitting[0].headings else slot.name
        share = _ALIKE if _is_figure(question) else _BESIDE  # a second one says as much of what is asked for
        least = share * fitting[0].coverage if len(slots) > 1 else 0.0
        told = [p for p in fitting[: _TRIED if _is_figure(question) else 2] if p.coverage >= least]
        made = [_cell(question, p, weighing, name, about) for p in told]
        own = [one for one in made if not is_shared(question, one.sentence, one.quote, one.short or one.quote)]
        if own or not made:  # what a province has in all is said of none of its cities
            cells.append(own)
        else:
            empty.append(slot.name)
    rows = choose_alike(cells) if _is_figure(question) else [cell for row in cells for cell in row]
    if _is_figure(question):  # a figure of something else that shares a word is none of the row
        held = {row.row: weighing.coverage(keep_spoken(row.sentence.plain, read_about(row.row))) for row in rows}
        far = [name for name, share in held.items() if share < _ALIKE * max(held.values())]
        rows, empty = [row for row in rows if row.row not in far], [*empty, *far]
    if question.scope == Scope() and not asks_places(question.focus):
        empty = []  # places that nobody asked for lack nothing
    years = {row.sentence.labels.year for row in rows}
    if not question.scope.years and len(years) > 1:  # figures of several years side by side say so
        rows = [replace(r, row=f"{r.row}{r.sentence.labels.year}年") if r.sentence.labels.year else r for r in rows]
    return Composition(Layout.TABLE, tuple(rows), tuple(empty))


def compose_opposed(opposed: Opposed) -> Composition:
    """One row for each side that is spoken of, with what follows if that does not help."""
    rows: list[Statement] = []
    for name, found in opposed.rows:
        if found:
            row = name.replace("|", "／")
            rows.append(Statement(found.short, frame(found.sentence), found.quote, found.sentence, row))
            rows += [Statement(None, frame(s), s.plain.rstrip("。;；"), s, row) for s in found.further]
    return Composition(Layout.TABLE, tuple(rows), tuple(name for name, found in opposed.rows if not found))


def _fits_row(question: Question, passage: Passage, weighing: Weighing, about: About) -> bool:
    """Whether a sentence holds enough of the question, and a figure where one is asked for, in what it says of the row's own."""
    about = name_years(about, passage.sentence)
    spoken = keep_spoken(passage.sentence.plain, about)
    held = passage.coverage if spoken == passage.sentence.plain else weighing.coverage(spoken)
    return held >= SLOT and (question.asks is not Asks.QUANTITY or holds_answer(question.asks, spoken, question.focus))


def _is_figure(question: Question) -> bool:
    return question.asks in (Asks.QUANTITY, Asks.YEAR)


def _cell(question: Question, passage: Passage, weighing: Weighing, row: str, about: About) -> Statement:
    """A figure with the clause that states it; of anything else what says most."""
    sentence = passage.sentence
    if not _is_figure(question):
        return Statement(None, frame(sentence), _tell(sentence, weighing, about), sentence, row)
    quote = choose_quote(sentence, weighing, asks=question.asks, question=question.focus, about=about)
    short = short_answer(question.asks, sentence, quote, weighing, question.focus, about)
    told = Statement(short, frame(sentence), quote, sentence, row)
    return replace(told, short=None) if is_beside(question, told, weighing) else told


def _tell(sentence: Sentence, weighing: Weighing, about: About) -> str:
    """Of what a sentence says of the row's place what says most, the clauses before others that name it."""
    text = sentence.plain
    pieces = [p for p in cut_pieces(sentence, weighing) if names_them(text, p.start, p.start + len(p.text), about)]
    if not pieces:
        return most_telling(sentence, weighing, about)
    least = _TOLD * max(weighing.coverage(p.text) for p in pieces)  # more figures do not make up for another subject
    told = [p for p in pieces if weighing.coverage(p.text) >= least]
    best = max(told, key=lambda p: p.worth + _NAMING * any(place in p.text for place in about.places))
    return open_piece(sentence, best)


def frame(sentence: Sentence, quote: str | None = None) -> str:
    """Say whose words follow, from labels alone: ``上海2024年的任务中提出``; of a text without parts its year only.

    The one place that a text is about is told where the ``quote`` of it, or else the sentence, does not name it.
    """
    labels = sentence.labels
    year = f"{labels.year}年" if labels.year else ""
    if labels.region and labels.part:
        verb = "任务中提出" if labels.part is Part.TASKS else "回顾中写道"
        return f"{labels.region}{year}的{verb}："
    shown = sentence.plain if quote is None or len(sentence.places) > 1 else quote
    subject = "" if not sentence.places or sentence.places[0] in shown else f"谈到{sentence.places[0]}时，"
    if year and (year in sentence.plain or _OF_A_YEAR.search(sentence.plain)) and not is_own_name(labels.region):
        return f"{subject or f'谈到{year}时，'}资料中写道："  # a year that a sentence names is not that of its document
    if is_own_name(labels.region):  # it says itself whose it is; a province may only be inferred
        subject = f"{labels.region}{year}的"
        return f"{subject}资料中写道："
    return f"{subject}{year}的资料中写道：" if year else f"{subject}资料中写道："
