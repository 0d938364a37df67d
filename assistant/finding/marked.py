"""A question and the documents in, the stretches out that a text marks itself: what it counts, what it admits, a part by its place.

A text counts what it holds (``一是``, ``第一``, ``（一）``, ``——``) behind a sentence that announces it; it admits its difficulties in
a paragraph that says so first; and a question may name a part of it by its number or by its heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from assistant.finding.stretches import Stretch, list_stretches
from assistant.question.frames import PART, find_count, names_part
from assistant.question.weigh import Weighing
from assistant.reading.announced import DIGITS, MARK, Mark, find_listings, find_marks
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument, Scope, Sentence

_ANNOUNCES = re.compile("以下|下列|如下")
_ABOUT, _GAP, _LEAD = (
    0.5,
    15,
    4,
)  # share of the subject in what announces; sentences of an item; characters of an announcement
_UNDER = 0.6  # the same with the heading right above
_NAMED = 0.55  # the same where neither a number nor a noun of the question stands in what announces
_SPOKEN_OF = 2  # sentences before an announcement that say what it is about
_ANYTHING = frozenset(("方面", "事", "大事", "事项", "工作", "内容", "重点", "领域", "环节"))  # any list is one of such
_COLON = re.compile(r"[:：]\s*$")
_MOST = 20  # items

_TROUBLE = "困难|问题|挑战|不足|短板|差距|难题|教训|难处|薄弱环节|弱项"
_ASKS_TROUBLE = re.compile(_TROUBLE)
_ADMITS = re.compile(rf"(?:看到|认识到|面临|面对|存在|还有|仍有|有)[^。]{{0,14}}(?:{_TROUBLE})")
_OWNING = re.compile("承认|坦[言承]|存在|还存|面临|自己|自身|^些$")  # of what a question says beside its subject
_SOBER = re.compile("清醒|也要看到|应当看到|必须看到|还存在|还面临|仍存在|主要是|共性")
_SPOKEN = 0.5  # share of the subject that the text around an admission has to hold

_HEADING_NUMBER = re.compile(
    rf"^\s*(?:第(?P<nth>[{DIGITS}]+)[章节部篇编]分?|(?P<plain>[{DIGITS}]+)、|[(（](?P<bracket>[{DIGITS}]+)[)）])\s*"
)
# Characters of a heading that names a part, with 部分 and without; of one that is about the aims.
_LEAST_NAME, _LEAST_ALONE, _SHORT_NAME = 2, 4, 6
_GOALS = re.compile("(?:什么|哪些|啥|主要|总体|发展|[定设]下?)的?目标|目标是?(?:什么|啥|哪些|有哪些)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence where it stands."""

    headings: tuple[str, ...]
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a text counts: what announces it, what stands before that, how many there are, and where."""

    lead: str
    before: str
    count: int
    announced: bool  # by a sentence that ends in a colon
    lines: tuple[_Line, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A mark in its line."""

    line: int
    mark: Mark


def find_enumerated(
    documents: Sequence[ParsedDocument], focus: str, weighing: Weighing, scope: Scope
) -> tuple[Stretch, ...]:
    """Find the items that a text counts behind the sentence that announces what is asked for."""
    asked = find_count(focus)
    if asked is None:
        return ()
    best: tuple[float, _Counted | None] = (0.0, None)
    for parsed in documents:
        lines = [_Line(s.headings, sentence) for s in list_stretches([parsed], scope) for sentence in s.sentences]
        for counted in chain(_find_counted(lines), _find_joined(parsed, lines)):
            worth = _rate_announced(counted, asked, weighing)
            if worth > best[0]:
                best = (worth, counted)
    if best[1] is None:
        return ()
    called = [t.text for t in weighing.terms if asked["number"] and asked.string[asked.end() :].startswith(t.text)]
    announced = "\n".join((best[1].lead, best[1].before, *called))
    return tuple(Stretch(line.headings, (line.sentence,), announced) for line in best[1].lines)


def _find_counted(lines: Sequence[_Line]) -> Iterator[_Counted]:
    for run in _find_runs(lines):
        lead, before = _announce(lines, run[0])
        told = tuple(lines[number] for number in dict.fromkeys(one.line for one in run))
        yield _Counted(lead, before, len(run), _COLON.search(lead) is not None, told)


def _find_joined(parsed: ParsedDocument, lines: Sequence[_Line]) -> Iterator[_Counted]:
    """Lists whose items no mark counts: only semicolons, or lines of their own."""
    placed = {line.sentence.id: number for number, line in enumerate(lines)}
    for listing in find_listings(parsed.sentences):
        told = [placed[item.sentences[0].id] for item in listing.items if item.sentences[0].id in placed]
        if len(told) < 2 or next(find_marks(listing.items[0].text), None) is not None:
            continue
        first = placed.get(listing.lead[0].id, told[0])
        before = "\n".join(line.sentence.plain for line in lines[max(0, first - _SPOKEN_OF) : first])
        yield _Counted(listing.text, before, len(listing.items), True, tuple(lines[number] for number in told))


def _find_runs(lines: Sequence[_Line]) -> Iterator[list[_Placed]]:
    """Runs of marks of one family that count on, each not far from the one before."""
    marks = [_Placed(number, mark) for number, line in enumerate(lines) for mark in find_marks(line.sentence.plain)]
    used: set[int] = set()
    for at, first in enumerate(marks):
        if first.mark.ordinal > 1 or at in used:
            continue
        run = [first]
        for number in range(at + 1, len(marks)):
            one = marks[number]
            if one.line - run[-1].line > _GAP or lines[one.line].sentence.source != lines[first.line].sentence.source:
                break
            if one.mark.family != first.mark.family:
                continue
            if one.mark.ordinal == (0 if first.mark.ordinal == 0 else len(run) + 1):
                run.append(one)
                used.add(number)
            elif one.mark.ordinal == 1:
                break
        if 1 < len(run) <= _MOST:
            yield run


def _announce(lines: Sequence[_Line], first: _Placed) -> tuple[str, str]:
    """The sentence that announces, or what of it stands before the first mark, and the one before it.

    What stands first under a heading is announced by that.
    """
    own = lines[first.line].sentence.plain[: first.mark.start]
    headings = lines[first.line].headings
    if first.line == 0 or lines[first.line - 1].headings != headings:
        return (own, "") if len(own) >= _LEAD else (headings[-1] if headings[1:] else "", "")
    before = [lines[n].sentence.plain for n in (first.line - 1, first.line - 2) if n >= 0]
    lead = own if len(own) >= _LEAD else (before.pop(0) if before else "")
    return lead, before[0] if before else ""


def _rate_announced(counted: _Counted, asked: re.Match[str], weighing: Weighing) -> float:
    lead, count = counted.lead, counted.count
    as_many = bool(asked["number"]) and _to_digits(asked["number"].replace("两", "二")) == str(count)
    named = names_noun(asked, lead) or (
        bool(asked["noun"]) and asked["noun"] in lead and (counted.announced or as_many)
    )
    if asked["number"] and not as_many:
        return 0.0
    said = (named or _ANNOUNCES.search(lead)) if asked["number"] or asked["noun"] else False
    subject = _leave_out_counted(counted, asked, weighing)
    about = (subject if as_many and subject.terms else weighing).coverage(
        "\n".join([*counted.lines[0].headings, counted.before, lead])
    )
    under = lead in counted.lines[0].headings and about >= _UNDER  # as many as asked for, under a heading about that
    if not (
        said or counted.announced or (as_many and (under or str(count) in normalize(lead) or asked["number"] in lead))
    ):
        return 0.0
    own = subject.coverage(lead) if subject.terms else 0.0
    if about < _ABOUT or (not weighing.terms and not (named and as_many)):
        return 0.0
    if not as_many and own < (_ABOUT if said else _NAMED):  # 哪些措施: what announces has to name the subject itself
        return 0.0
    return about + 0.5 * own + as_many + 0.5 * named


def _leave_out_counted(counted: _Counted, asked: re.Match[str], weighing: Weighing) -> Weighing:
    """The subject alone: what is counted (哪几件事, 哪五种路子) need not be called the same by the text."""
    behind = asked.string[asked.end() :]
    idle = {asked["noun"], *(term.text for term in weighing.terms if behind.startswith(term.text))}
    if not (asked["number"] or asked["noun"]):  # what the whole document is about tells no list of it from another
        idle |= weighing.held(counted.lines[0].headings[0])
    return Weighing(tuple(term for term in weighing.terms if term.text not in idle))


def names_noun(asked: re.Match[str] | None, lead: str) -> bool:
    """Whether what announces is called by the noun that a question asks for, and that says what is meant (条件, not 方面)."""
    return asked is not None and bool(asked["noun"]) and asked["noun"] not in _ANYTHING and asked["noun"] in lead


def asks_trouble(focus: str) -> bool:
    """Whether a question wants what a text admits: difficulties, shortcomings, lessons."""
    return _ASKS_TROUBLE.search(focus) is not None


def find_admitted(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find the paragraphs that say what is difficult or lacking, with those that count on behind them.

    A report of a year speaks of it in its review of the year before: it counts as that of its own year.
    """
    idle = [term for term in weighing.terms if _ASKS_TROUBLE.search(term.text) or _OWNING.search(term.text)]
    subject = Weighing(tuple(term for term in weighing.terms if term not in idle))
    found: list[tuple[float, list[Stretch]]] = []
    for parsed in documents:
        of_year = any(f"{year}年" in parsed.document.title for year in scope.years)
        own = replace(scope, years=frozenset(), part=None) if of_year else scope
        stretches = list(list_stretches([parsed], own))
        for at, stretch in enumerate(stretches):
            lead = "\n".join(sentence.plain for sentence in stretch.sentences[:2])
            if not _ADMITS.search(lead):
                continue
            block = [stretch]
            for behind in stretches[at + 1 :]:
                mark = MARK.match(behind.sentences[0].plain)
                if mark is None or mark.lastgroup == "dash" or behind.headings != stretch.headings:
                    break
                block.append(behind)
            text = "\n".join((*stretch.headings, *(one.text for one in block)))
            sober = len(set(_SOBER.findall(lead)))
            if subject.coverage(text) >= _SPOKEN and sober:
                found.append((sober + subject.coverage(text), block))
    best = max((worth for worth, _ in found), default=0.0)
    # A difficulty is one by whatever name the question calls it.
    called = " ".join(term.text for term in idle)
    return tuple(replace(s, announced=called) for worth, block in found if worth >= best - 0.5 for s in block)


def find_part(documents: Sequence[ParsedDocument], focus: str, weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find what stands under the heading that a question names by its number or by its words."""
    own = {stretch.headings for stretch in list_stretches(documents, scope)}
    # A section that speaks of the year is told whole.
    stretches = [s for s in list_stretches(documents, replace(scope, years=frozenset())) if s.headings in own]
    numbers = {(m[1] or _to_digits(m[3]), "()" if m[3] else m[2]) for m in PART.finditer(focus)}
    if numbers:
        found = [s for s in stretches if all(any(_is_numbered(h, n) for h in s.headings[1:]) for n in numbers)]
    else:
        least = _LEAST_NAME if names_part(focus) else _LEAST_ALONE
        found = [s for s in stretches if any(_stands_named(h, focus, least) for h in s.headings[1:])]
    if len({s.sentences[0].source for s in found}) > 1:
        named = [s for s in found if any(_stands_named(h, focus, _LEAST_NAME) for h in s.headings[1:])]
        about = [s for s in found if weighing.terms and weighing.coverage("\n".join(s.headings)) >= _ABOUT]
        found = about or (named if numbers and len({s.sentences[0].source for s in named}) == 1 else [])
    return tuple(found)


def _is_numbered(heading: str, number: tuple[str, str]) -> bool:
    """Whether a heading has a number: 三、 is the third part, 第三章 the third chapter."""
    match = _HEADING_NUMBER.match(heading)
    counted, kind = number
    if match is None or counted != _to_digits(match["nth"] or match["plain"] or match["bracket"]):
        return False
    if kind == "()" or (kind == "节" and match["bracket"]):
        return match["bracket"] is not None
    return kind[0] in match[0] if match["nth"] else match["plain"] is not None and kind == "部分"


def _to_digits(counted: str) -> str:
    if counted.isdigit():
        return counted
    tens, ten, ones = counted.rpartition("十")
    value = (DIGITS.find(tens or "一") + 1) * 10 * bool(ten) + (DIGITS.index(ones) + 1 if ones else 0)
    return str(value)


def _stands_named(heading: str, focus: str, least: int) -> bool:
    """Whether the words of a heading stand in the question; 目标 names the short heading that holds it."""
    core = normalize(_HEADING_NUMBER.sub("", heading)).replace(" ", "")
    goals = least == _LEAST_ALONE and len(core) <= _SHORT_NAME and _GOALS.search(focus) and "目标" in core
    return bool(goals) or (len(core) >= least and core in focus)
