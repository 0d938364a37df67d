"""A question and the documents in, the stretches out that a text marks itself: what it counts, what it admits, a part by its place.

A text counts what it holds (``一是``, ``第一``, ``（一）``, ``——``) behind a sentence that announces it; it admits its difficulties in
a paragraph that says so first; and a question may name a part of it by its number or by its heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.frames import COUNTS, PART, names_part
from assistant.topics import Stretch, list_stretches
from assistant.weigh import Weighing
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument, Scope, Sentence

_DIGITS = "一二三四五六七八九十"
_MARK = re.compile(
    rf"(?:^|(?<=[:：;；。,，\s]))(?:(?P<is>[{_DIGITS}])[是要]|第(?P<nth>[{_DIGITS}])(?=[,，、])"
    rf"|[(（](?P<bracket>[{_DIGITS}])[)）]|(?P<dash>——))"
)
_ANNOUNCES = re.compile("以下|下列|如下")
_ABOUT, _GAP, _LEAD = (
    0.5,
    15,
    4,
)  # share of the subject in what announces; sentences of an item; characters of an announcement
_MOST = 12  # items

_TROUBLE = "困难|问题|挑战|不足|短板|差距|难题|教训|难处|薄弱环节|弱项"
_ASKS_TROUBLE = re.compile(_TROUBLE)
_ADMITS = re.compile(rf"(?:看到|认识到|面临|面对|存在|还有|仍有|有)[^。]{{0,14}}(?:{_TROUBLE})")
_SOBER = re.compile("清醒|也要看到|应当看到|必须看到|还存在|还面临|仍存在|主要是|共性")
_SPOKEN = 0.5  # share of the subject that the text around an admission has to hold

_HEADING_NUMBER = re.compile(
    rf"^\s*(?:第(?P<nth>[{_DIGITS}]+)[章节部篇编]分?|(?P<plain>[{_DIGITS}]+)、|[(（](?P<bracket>[{_DIGITS}]+)[)）])\s*"
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
class _Mark:
    line: int
    start: int
    family: str
    ordinal: int  # 0 for a dash


def find_enumerated(
    documents: Sequence[ParsedDocument], focus: str, weighing: Weighing, scope: Scope
) -> tuple[Stretch, ...]:
    """Find the items that a text counts behind the sentence that announces what is asked for."""
    asked = COUNTS.search(focus)
    if asked is None or not (asked["number"] or asked["noun"]):
        return ()
    best: tuple[float, str, list[_Line]] = (0.0, "", [])
    for parsed in documents:
        lines = [_Line(s.headings, sentence) for s in list_stretches([parsed], scope) for sentence in s.sentences]
        for marks in _find_runs(lines):
            announced = _announce(lines, marks[0])
            worth = _rate_announced(announced, lines[marks[0].line].headings, marks, asked, weighing)
            if worth > best[0]:
                best = (worth, "\n".join(announced), _take_items(lines, marks))
    return tuple(Stretch(line.headings, (line.sentence,), best[1]) for line in best[2])


def _find_marks(lines: Sequence[_Line]) -> Iterator[_Mark]:
    for number, line in enumerate(lines):
        for match in _MARK.finditer(line.sentence.plain):
            family = match.lastgroup or ""
            ordinal = 0 if family == "dash" else _DIGITS.index(match[family]) + 1
            if family != "dash" or match.start() == 0:
                yield _Mark(number, match.start(), family, ordinal)


def _find_runs(lines: Sequence[_Line]) -> Iterator[list[_Mark]]:
    """Runs of marks of one family that count on, each not far from the one before."""
    marks = list(_find_marks(lines))
    used: set[int] = set()
    for at, first in enumerate(marks):
        if first.ordinal > 1 or at in used:
            continue
        run = [first]
        for number in range(at + 1, len(marks)):
            mark = marks[number]
            if mark.line - run[-1].line > _GAP or lines[mark.line].sentence.source != lines[first.line].sentence.source:
                break
            if mark.family == first.family and mark.ordinal == (0 if first.ordinal == 0 else len(run) + 1):
                run.append(mark)
                used.add(number)
            elif mark.family == first.family and mark.ordinal == 1:
                break
        if 1 < len(run) <= _MOST:
            yield run


def _announce(lines: Sequence[_Line], first: _Mark) -> tuple[str, str]:
    """The sentence that announces, or what of it stands before the first mark, and the one before it."""
    own = lines[first.line].sentence.plain[: first.start]
    before = [lines[n].sentence.plain for n in (first.line - 1, first.line - 2) if n >= 0]
    lead = own if len(own) >= _LEAD else (before.pop(0) if before else "")
    return lead, before[0] if before else ""


def _rate_announced(
    announced: tuple[str, str],
    headings: Sequence[str],
    marks: Sequence[_Mark],
    asked: re.Match[str],
    weighing: Weighing,
) -> float:
    lead, before = announced
    as_many = bool(asked["number"]) and _to_digits(asked["number"].replace("两", "二")) == str(len(marks))
    named = bool(asked["noun"]) and asked["noun"] in lead
    if asked["number"] and not as_many:
        return 0.0
    if not (
        named
        or (as_many and (str(len(marks)) in normalize(lead) or asked["number"] in lead))
        or _ANNOUNCES.search(lead)
    ):
        return 0.0
    about = weighing.coverage("\n".join([*headings, before, lead]))
    own = weighing.coverage(lead) if weighing.terms else 0.0
    if about < _ABOUT or (not weighing.terms and not (named and as_many)):
        return 0.0
    if not as_many and own < _ABOUT:  # 哪些措施 without a number: what announces has to name the subject itself
        return 0.0
    return about + 0.5 * own + as_many + 0.5 * named


def _take_items(lines: Sequence[_Line], marks: Sequence[_Mark]) -> list[_Line]:
    return [lines[number] for number in dict.fromkeys(mark.line for mark in marks)]


def asks_trouble(focus: str) -> bool:
    """Whether a question wants what a text admits: difficulties, shortcomings, lessons."""
    return _ASKS_TROUBLE.search(focus) is not None


def find_admitted(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """Find the paragraphs that say what is difficult or lacking, with those that count on behind them.

    A report of a year speaks of it in its review of the year before: it counts as that of its own year.
    """
    subject = Weighing(tuple(t for t in weighing.terms if not _ASKS_TROUBLE.search(t.text)))
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
                mark = _MARK.match(behind.sentences[0].plain)
                if mark is None or mark.lastgroup == "dash" or behind.headings != stretch.headings:
                    break
                block.append(behind)
            text = "\n".join((*stretch.headings, *(one.text for one in block)))
            sober = len(set(_SOBER.findall(lead)))
            if subject.coverage(text) >= _SPOKEN and sober:
                found.append((sober + subject.coverage(text), block))
    best = max((worth for worth, _ in found), default=0.0)
    # A difficulty is one by whatever name the question calls it.
    called = " ".join(t.text for t in weighing.terms if _ASKS_TROUBLE.search(t.text))
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
    value = (_DIGITS.find(tens or "一") + 1) * 10 * bool(ten) + (_DIGITS.index(ones) + 1 if ones else 0)
    return str(value)


def _stands_named(heading: str, focus: str, least: int) -> bool:
    """Whether the words of a heading stand in the question; 目标 names the short heading that holds it."""
    core = normalize(_HEADING_NUMBER.sub("", heading)).replace(" ", "")
    goals = least == _LEAST_ALONE and len(core) <= _SHORT_NAME and _GOALS.search(focus) and "目标" in core
    return bool(goals) or (len(core) >= least and core in focus)
