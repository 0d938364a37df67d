"""A question that compares and the index in, for each of its sides the stretch of a sentence that speaks of it out.

What two sides are told by often stands in one sentence, clause beside clause; else each has a sentence of its own. A stretch begins
where the words of its own side stand and ends where those of another begin. Nothing is taken for a side whose own words it has not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from assistant.answering.facing import pick_figures, tells_change
from assistant.finding.contrast import Contrast, find_spoken, weigh_sides
from assistant.question.sides import Side, drop_places, find_bounds, split_sides
from assistant.question.weigh import Searchable, Weighing
from assistant.reading.clauses import Clause, split_clauses
from assistant.reading.orders import gives_orders
from assistant.reading.pairs import read_figures
from assistant.reading.quantities import Measure, find_quantities
from assistant.reading.stated import lies_in
from assistant.types import Kind, Passage, Question
from vectorstore.normalize import normalize
from vectorstore.types import Scope, Sentence

_OWN = 0.6  # share of a side's own words that its clause has to hold
_ASKED = 0.4  # share of what is asked of all sides that has to stand in the sentence
_MEASURED = 0.6  # the same of a figure, in the sentence itself or the one before it
_HELD = 0.5  # of what all have, what a stretch has to hold itself
_QUOTED = 0.5  # what it counts that the stretch itself has what all sides have, and what is asked of them
_SENTENCE = 0.9  # the same where all sides are told in one sentence, of what the whole of it has
_TOGETHER = 0.2  # what it counts that a sentence speaks of all sides
_LONG = 70  # characters of a stretch; the rest of a sentence is not read
_PUNISHED = re.compile("罚|处分|追回|没收|责令|警告|吊销|取消|扣减|解除|记过|退赔|约谈|取缔|撤销|停产|关闭|通报批评")
# What came of something is told by a change, or by what became of it.
_CAME = re.compile(
    "下降|提高|提升|减少|增加|增长|上升|缩短|压缩|降低|降至|降到|升到|升至|达到|翻番|好转|改善|反弹|没有?显著|明显|显著|成效|效果"
)
_FURTHER = 2
_FURTHERMORE = re.compile(r"^(?:逾期|拒不|造成|情节|构成|后果|有违法所得)")
_NOTE = re.compile(r"^[（(][^（()）]*(?:牵头|配合|负责)")  # who is in charge of what stands before
_OTHERWISE = re.compile(r"^(?:而|但)?(?:未|没有?|无|不|否则|其余|其他|反之)")
_CONDITION = re.compile(r"(?:的|时|后|者)$")
_REACHES = re.compile("^(?:达到?|为|增至|降至)")
_WITHIN = re.compile(r"[;；。]")
_IN_ALL = re.compile("合计|总计|共计|一共|总共|累计")
_OF_PLACES = re.compile(
    r"(?:[\d一二三四五六七八九十两几各多])个?(?:省|市|地|区|县|城)"
)  # 四省区各有什么: the sides are places


@dataclass(frozen=True, slots=True)
class Found:
    """What the documents say of one side."""

    side: Side
    sentence: Sentence
    quote: str
    short: str | None
    worth: float
    units: frozenset[str] = frozenset()  # in which its figures are told
    further: tuple[Sentence, ...] = ()  # what follows if that does not help: 逾期不改正的


@dataclass(frozen=True, slots=True)
class Opposed:
    """The rows of a comparison in the order of the question; a side without any is only named."""

    rows: tuple[tuple[str, Found | None], ...]
    each: bool = False  # whether nothing is compared, and each only asked for
    unheard: bool = False  # whether none is spoken of, and no text has a word of what is asked

    @property
    def whole(self) -> bool:
        """Whether every side is spoken of."""
        return all(found for _, found in self.rows)

    @property
    def answers(self) -> bool:
        """Whether enough is found: where only each is asked for, all of it."""
        return self.whole if self.each else not self.empty

    @property
    def empty(self) -> bool:
        """Whether none is."""
        return not any(found for _, found in self.rows)


@dataclass(frozen=True, slots=True)
class _Span:
    """A run of clauses, by the numbers of its first and its last."""

    first: int
    last: int


_Anchors = tuple[_Span | None, ...]


def find_opposed(question: Question, index: Searchable) -> Opposed | None:
    """``None`` where no sides are set against each other, or they are places, years or documents."""
    scope = question.scope
    if max(len(scope.places), len(scope.regions), len(scope.years), len(scope.sources)) > 1:
        return None
    if question.kind in (Kind.NONE, Kind.CORPUS):
        return None
    asked = None if _OF_PLACES.search(question.focus) else split_sides(drop_places(question.focus, scope))
    if asked is None:
        return None
    weighed = weigh_sides(question, asked, index)
    found = list(_read_all(question, index, weighed))
    best = _choose(found, len(asked.sides), measured=asked.measured)
    if asked.penal:
        best = [replace(one, further=_find_further(one.sentence, index)) if one else None for one in best]
    if any(best) and not all(best):  # what is spoken of is not said to be missing, though no stretch tells it apart
        best = [one or _show_spoken(n, weighed, index, scope) for n, one in enumerate(best)]
        if any(one is None and weighed.is_known(n, index.sentences) for n, one in enumerate(best)):
            return None
    rows = tuple((side.name, one) for side, one in zip(asked.sides, best, strict=True))
    labels = [one.sentence.labels for row in found for one in row if one]
    if len({one.year for one in labels} - {None}) > 1 and not scope.years:
        rows = tuple((_label(name, one), one) for name, one in rows)  # told of one year it is told of another too
    elif len({one.region for one in labels} - {None}) > 1 and not (scope.regions or scope.places):
        rows = tuple((_label(name, one), one) for name, one in rows)
    unheard = not any(found for _, found in rows) and any(not term.known for term in weighed.asked.terms)
    return Opposed(rows, asked.each, unheard)


def _show_spoken(number: int, weighed: Contrast, index: Searchable, scope: Scope) -> Found | None:
    """The whole sentence that speaks of a side."""
    within = (s for s in index.sentences if lies_in(scope, s) and not gives_orders(s.plain))
    sentence = find_spoken(weighed, number, within)
    if sentence is None:
        return None
    return Found(weighed.of.sides[number], sentence, sentence.plain.rstrip("。;；"), None, 0.0)


def _label(name: str, found: Found | None) -> str:
    """A side with the place and the year that it is told of."""
    labels = found.sentence.labels if found else None
    where = f"{labels.region or ''}{f'{labels.year}年' if labels.year else ''}" if labels else ""
    return f"{name}（{where}）" if where else name


_Group = tuple[str | None, str | None, int | None]  # unit, document and year; any, where none is given


def _choose(found: Sequence[list[Found | None]], count: int, *, measured: bool) -> list[Found | None]:
    """The best stretch of each side: of one document and year where that tells of as many, and of figures those of one unit."""
    groups: set[_Group] = set()
    for one in (one for row in found for one in row if one):
        for unit in one.units - {""} if measured else (None,):
            groups |= {(unit, one.sentence.source, one.sentence.labels.year), (unit, None, None)}
    chosen = [
        (group, [max((r[n] for r in found if _is_of(r[n], group)), key=_worth, default=None) for n in range(count)])
        for group in sorted(groups, key=str)
    ]
    if not chosen:
        return [None] * count
    _, best = max(chosen, key=lambda pair: (sum(map(bool, pair[1])), pair[0][1] is not None, sum(map(_worth, pair[1]))))
    return best


def _is_of(found: Found | None, group: _Group) -> bool:
    unit, source, year = group
    if found is None or (unit is not None and unit not in found.units):
        return False
    return source is None or (source, year) == (found.sentence.source, found.sentence.labels.year)


def _find_further(sentence: Sentence, index: Searchable) -> tuple[Sentence, ...]:
    """The sentences behind one that say what else is done, in its paragraph."""
    behind = [s for s in index.sentences if s.source == sentence.source and s.start > sentence.start][:_FURTHER]
    return tuple(
        takewhile(lambda s: s.paragraph == sentence.paragraph and _FURTHERMORE.match(s.plain) is not None, behind)
    )


def _worth(found: Found | None) -> float:
    return found.worth if found else 0.0


def _read_all(question: Question, index: Searchable, weighed: Contrast) -> Iterator[list[Found | None]]:
    """For each sentence the stretches of the sides; what one side says of both may stand in the sentence before the other's."""
    for parsed in index.documents:
        before: Sentence | None = None
        held: _Anchors = ()
        for sentence in parsed.sentences:
            if before is None or before.paragraph != sentence.paragraph:
                before, held = None, ()
            if not any(held) and not weighed.may_speak(sentence.plain):
                before, held = sentence, ()
                continue
            if not lies_in(question.scope, sentence) or gives_orders(sentence.plain):
                continue
            anchors = _find_anchors(sentence.plain, held, weighed)
            if any(anchors):
                heading = " ".join(parsed.sections[sentence.section].headings)
                near = before.plain if before else ""
                beside = any(held) and all(mine or its for mine, its in zip(anchors, held, strict=True))
                yield _read_sentence(sentence, anchors, weighed, (heading, near), beside=beside)
            before, held = sentence, anchors


def _read_sentence(
    sentence: Sentence, anchors: _Anchors, weighed: Contrast, context: tuple[str, str], *, beside: bool
) -> list[Found | None]:
    """For each side its stretch of one sentence; where all stand together what is asked may stand in the one before."""
    heading, near = context
    together = None not in anchors or beside
    held = weighed.holds(f"{heading}\n{sentence.plain}")
    if together:
        held = max(held, weighed.holds(f"{heading}\n{near}\n{sentence.plain}"))
    if weighed.of.measured and weighed.asked.coverage(f"{near}\n{sentence.plain}") < _MEASURED:
        held = 0.0  # a figure of what only shares a piece of a word, 客运枢纽 and not 客运量
    row: list[Found | None] = []
    for number, anchor in enumerate(anchors):
        found = None
        if anchor is not None and held:
            found = _check_stretch(sentence, _take_stretch(sentence.plain, anchor, anchors, weighed), number, weighed)
        if found and anchor:
            found = _value(found, number, held, weighed, elliptic=None not in anchors, beside=beside)
        row.append(found)
    return row


def _value(found: Found, number: int, held: float, weighed: Contrast, *, elliptic: bool, beside: bool) -> Found | None:
    """What a stretch is worth. What all sides have it may leave out only where they are told in one sentence, or by bounds."""
    shared, asked = weighed.shared.coverage(found.quote), weighed.asked.coverage(found.quote)
    side = weighed.of.sides[number]
    if shared < _HELD and not elliptic and side.words:
        return None
    own = weighed.speaks(number, found.quote) if side.words else 1.0
    if elliptic:
        shared, asked = (max(one, _SENTENCE * held) for one in (shared, asked))
    worth = held + own + _QUOTED * (shared + asked)
    return replace(found, worth=worth + _TOGETHER * (elliptic or beside))


def _text_of(text: str, clauses: Sequence[Clause], span: _Span) -> str:
    return text[clauses[span.first].start : clauses[span.last].end]


def _find_anchors(text: str, before: _Anchors, weighed: Contrast) -> _Anchors:
    """The clause that speaks of each side and of it alone, or of all in a row; none of an enumeration where its items do not."""
    clauses = split_clauses(text)
    single = [_Span(n, n) for n in range(len(clauses))]
    spans = [*single, *_list_enumerations(clauses)]
    anchors: list[_Span | None] = []
    for number, side in enumerate(weighed.of.sides):
        if side.lacks:
            held = anchors[-1] if anchors else None
            after = held.last if held else (-1 if before and before[number - 1] else None)
            anchors.append(_find_otherwise(clauses, after))
        elif side.bound is not None:
            anchors.append(next((s for s in single if side.bound in find_bounds(clauses[s.first].text)), None))
        else:
            rated = [(_rate(_text_of(text, clauses, span), number, weighed), -n) for n, span in enumerate(spans)]
            best, place = max(rated, default=(0.0, 0))
            anchors.append(spans[-place] if best > 0 else None)
    listed = [s for s in _list_enumerations(clauses) if _only_lists(_text_of(text, clauses, s), weighed)]
    idle = {number for span in listed for number in range(span.first, span.last + 1)}
    return tuple(None if span and span.first in idle else span for span in anchors)


def _only_lists(text: str, weighed: Contrast) -> bool:
    """Whether an enumeration names all sides and tells nothing of any: 推进甲地、乙地和丙地发展."""
    count = len(weighed.sides)
    return not find_quantities(text) and all(
        side.words and weighed.speaks(n, text) >= _OWN for n, side in zip(range(count), weighed.of.sides, strict=True)
    )


def _list_enumerations(clauses: Sequence[Clause]) -> Iterator[_Span]:
    """The runs of clauses that are items of one enumeration."""
    first = 0
    for number in range(1, len(clauses) + 1):
        if number == len(clauses) or clauses[number].opens:
            if number - first > 1:
                yield _Span(first, number - 1)
            first = number


def _rate(clause: str, number: int, weighed: Contrast) -> float:
    """How much a clause speaks of a side: of two that it holds of the first that it names, or of both where it tells them in a row."""
    own = weighed.speaks(number, clause)
    if own < _OWN or _NOTE.match(clause):
        return 0.0
    others = [n for n, weighing in enumerate(weighed.sides) if n != number and weighing.terms]
    rivals = [n for n in others if weighed.speaks(n, clause) >= _OWN]
    if rivals and _IN_ALL.search(clause):
        return 0.0  # the figure is of all of them together
    in_row = any(figure.item for figure in read_figures(clause))
    mine = _stands_at(number, clause, weighed)
    if not in_row and any(_stands_at(n, clause, weighed) <= mine for n in rivals):
        return 0.0
    return own + 0.1 * weighed.shared.coverage(clause) + 0.1 * weighed.asked.coverage(clause)


def _stands_at(number: int, clause: str, weighed: Contrast) -> int:
    """Where the words of a side begin in a clause; its end where they stand there by another name only."""
    normal = normalize(clause)
    places = [normal.find(word) for word in weighed.of.sides[number].words]
    return min((place for place in places if place >= 0), default=len(normal))


def _find_otherwise(clauses: Sequence[Clause], after: int | None) -> _Span | None:
    """The clause behind that of a side that says what holds where it is not so."""
    if after is None:
        return None
    behind = range(after + 1, min(after + 4, len(clauses)))
    return next((_Span(n, n) for n in behind if _OTHERWISE.match(clauses[n].text)), None)


def _take_stretch(text: str, anchor: _Span, anchors: _Anchors, weighed: Contrast) -> tuple[int, int]:
    """From the clause of a side to where what is said of it ends: at the next side, at a figure that is asked for, at a semicolon."""
    clauses = split_clauses(text)
    taken = {n for span in anchors if span for n in range(span.first, span.last + 1)}
    last, first = anchor.last, anchor.first
    conditional = _CONDITION.search(clauses[anchor.last].text) is not None
    if weighed.of.penal and not conditional:  # who does so stands before what is done to them
        while first and first - 1 not in taken and _CONDITION.search(clauses[first - 1].text):
            first -= 1
    start = clauses[first].start
    open_end = conditional or weighed.of.penal
    # What is asked for may stand as far ahead as the next side.
    end = min((n for n in taken if n > last), default=len(clauses)) - 1
    limit = _LONG * (2 if open_end else 1)
    while last + 1 < len(clauses) and last + 1 not in taken:
        following = clauses[last + 1]
        ends = _WITHIN.search(text[clauses[last].end : following.start]) and not _FURTHERMORE.match(following.text)
        said, ahead = text[start : clauses[last].end], text[start : clauses[end].end]
        told = weighed.of.measured and pick_figures(clauses[last].text, weighed.focus, fitting=True)
        enough = told and weighed.asked.coverage(said) >= weighed.asked.coverage(ahead)
        if ends or enough or following.end - start > limit:
            break
        last += 1
    return start, clauses[last].end


def _check_stretch(sentence: Sentence, stretch: tuple[int, int], number: int, weighed: Contrast) -> Found | None:
    """A stretch answers where it holds what is asked for: a figure, or what is done to those who do so."""
    quote = sentence.plain[stretch[0] : stretch[1]].strip()
    short: str | None = None
    if weighed.of.penal and not _PUNISHED.search(quote):
        return None
    if weighed.of.measured:
        figures = pick_figures(quote, weighed.focus, fitting=True)
        if not figures:
            return None
        last = split_clauses(quote)[-1].text
        asked = bool(weighed.asked.terms) and weighed.asked.coverage(last) >= _ASKED
        told = pick_figures(last, weighed.focus, fitting=True) if asked else figures
        own = told if len(told) == 1 else _pick_from_row(sentence.plain, stretch, weighed.sides[number])
        short = _REACHES.sub("", own[0]) if len(own) == 1 else None
        if any(tells_change(weighed.focus, quote, one) for one in told) and not (own and short):
            return None  # by how much a share rises is not how high it is
        if short and tells_change(weighed.focus, quote, own[0]):
            return None
    elif (weighed.of.outcome and not _CAME.search(quote)) or _is_unnamed(weighed, number, quote):
        return None
    units = frozenset(q.unit for q in find_quantities(quote) if q.measure is Measure.QUANTITY)
    return Found(weighed.of.sides[number], sentence, quote, short, 0.0, units)


def _is_unnamed(weighed: Contrast, number: int, quote: str) -> bool:
    """Where nothing is asked but what a thing is, it has to be named as it is."""
    side = weighed.of.sides[number]
    plain = not (weighed.of.penal or weighed.of.outcome or weighed.asked.terms) and bool(side.words)
    return plain and normalize(side.name) not in normalize(quote)


def _pick_from_row(text: str, stretch: tuple[int, int], side: Weighing) -> list[str]:
    """Of figures that are told of a list of items those of the one item that the side is; of two such rows none."""
    return [
        figure.quantity.text
        for figure in read_figures(text)
        if figure.item and stretch[0] <= figure.quantity.start < stretch[1] and _is_item(figure.item, side)
    ]


def _is_item(item: str, side: Weighing) -> bool:
    """Whether an item of a list is a side; it may be told without what the items share (云杉 of 云杉苗)."""
    normal = normalize(item)
    return side.coverage(item) >= _OWN or any(len(normal) > 1 and normal in term.text for term in side.terms)


def show_opposed(opposed: Opposed) -> tuple[Passage, ...]:
    """The sentences that were found, each once."""
    sentences = {one.id: one for _, found in opposed.rows if found for one in (found.sentence, *found.further)}
    return tuple(Passage(n, one, 1.0, 1.0) for n, one in enumerate(sentences.values(), 1))
