"""A question and the titles of the documents in, the documents that it names and the question without their names out.

A title may be quoted, in whole or in part, stand there without quotation marks, or be shortened as people do, who leave words out
and keep the order: 江滩修复计划 for 江河滩涂生态修复行动计划.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.reading.thesaurus import find_edges
from vectorstore.gazetteer import Gazetteer

HERE = "本文"  # stands for a document in a question

_KINDS = "方案|计划|规划|纲要|报告|意见|办法|条例|通知|公报|指南|细则|规定|制度|章程|规则|手册"
_SHORTENED = re.compile(rf"[^,，。？?！!;；:：、《》“”\"的与和跟同及在]{{2,30}}?(?:{_KINDS})")
# Of a title what many have: it tells none from another.
_COMMON = re.compile(
    rf"{_KINDS}|工作|实施|行动|关于|印发|政府|人民|中华|共和国|国务院|总体|年度|任务|目标|重点|主要|我们|我|你|这|那|[省市县区年个份篇]"
)
_YEAR_BEFORE = re.compile(r"(?:(?:19|20)\d\d)年(?:印发|出台|发布|公布)?的?$")
_LEAST_COMMON, _LEAST_TELLING = (
    8,
    3,
)  # characters of a title that a question has to hold, of it what tells it from others
_NEARLY_ALL = 0.8
_MOST = 0.5  # share of a title that has to stand in the question without quotation marks
_THIS = re.compile("的?[这那该][1一]?[份部项个篇本套]$")
_LONGEST_PLACE = 6
_EDITION = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")  # （2026年版）, （试行）: nobody says it
_ISSUED = re.compile(r"^.*关于印发(?P<core>.+?)的通知$")


@dataclass(frozen=True, slots=True)
class _Named:
    """A stretch of the question that names a document."""

    start: int
    end: int
    source: str


def take_titles(text: str, titles: Sequence[tuple[str, str]]) -> tuple[str, frozenset[str]]:
    """Take the names of documents for the documents: the places and years in them are not asked for."""
    sources = set()
    while named := _find_named(text, titles):
        start = _widen(text, named, titles)
        if year := _YEAR_BEFORE.search(text[:start]):  # 2017年的…方案: the year tells which document
            start = year.start()
        text = f"{text[:start]}{HERE}{text[named.end :]}"
        sources.add(named.source)
    return text, frozenset(sources)


def _widen(text: str, named: _Named, titles: Sequence[tuple[str, str]]) -> int:
    """Where 青岚市这份 before a name begins: a place of its title tells which document, and is not asked for."""
    title = next(title for title, source in titles if source == named.source)
    before = text[: named.start]
    end = len(_THIS.sub("", before))
    sizes = (size for size in range(min(_LONGEST_PLACE, end), 1, -1) if text[end - size : end] in title)
    return end - next(sizes, 0) if end < len(before) else named.start


def _find_named(text: str, titles: Sequence[tuple[str, str]]) -> _Named | None:
    finders = (_find_quoted, _find_standing, _find_shortened)
    return next((found for find in finders if (found := find(text, titles)) is not None), None)


def _find_quoted(text: str, titles: Sequence[tuple[str, str]]) -> _Named | None:
    for title, source in titles:
        for core in dict.fromkeys((title, name_document(title))):
            for quoted in (f"《{core}》", f"“{core}”", f'"{core}"'):
                if (start := text.find(quoted)) >= 0:
                    return _Named(start, start + len(quoted), source)
    return None


def _find_standing(text: str, titles: Sequence[tuple[str, str]]) -> _Named | None:
    """Find most of a title as it stands; 省 and 市 and quotation marks may be left out."""
    plain, places = _compact(text)
    found: list[tuple[int, _Named]] = []
    for title, source in titles:
        core = _compact(name_document(title))[0]
        start, size = _longest_common(plain, core)
        run = plain[start : start + size]
        # A title that says what is asked for is no name that the question uses: the kind of document has to be said, or nearly all.
        named = re.search(_KINDS, run) is not None or size >= _NEARLY_ALL * len(core)
        if size >= max(_LEAST_COMMON, _MOST * len(core)) and named and _tells(run):
            stretch = _Named(places[start], places[start + size - 1] + 1, source)
            found.append((size, _with_marks(text, stretch)))
    found.sort(key=lambda pair: -pair[0])
    return found[0][1] if found and (len(found) == 1 or found[0][0] > found[1][0]) else None


def _find_shortened(text: str, titles: Sequence[tuple[str, str]]) -> _Named | None:
    """Find a name that leaves words of one title out, and of no other."""
    edges = find_edges(text)
    for match in _SHORTENED.finditer(text):
        for start in range(match.start(), match.end()):
            shortened = re.sub("的?[这那该][份部项个篇本套]", "", text[start : match.end()])  # 市里那份补贴指南
            if not _tells(shortened):
                break
            fitting = [source for title, source in titles if _leaves_out(shortened, name_document(title))]
            if start in edges and len(fitting) == 1:
                return _Named(start, match.end(), fitting[0])
    return None


def _tells(name: str) -> bool:
    """Whether a name holds more than a place, a year and a kind of document: 广东2024年计划 may be what 广东 plans."""
    if name.endswith("工作报告"):  # and that is no verb, as 计划 is
        return True
    left = list(name)
    for mention in Gazetteer.load().find_places(name, aliases=True):
        left[mention.start : mention.end] = " " * (mention.end - mention.start)
    rest = re.sub(r"(?:19|20)\d\d年?|\s|\d", "", "".join(left))
    return len(_COMMON.sub("", rest)) >= _LEAST_TELLING


def name_document(title: str) -> str:
    """Of …关于印发X的通知 it is X, and of X（2026年版） too."""
    title = _EDITION.sub("", title) or title
    match = _ISSUED.match(title)
    return (match["core"] if match else title).strip("《》")


def _compact(text: str) -> tuple[str, list[int]]:
    places = [place for place, sign in enumerate(text) if sign not in "省市《》“”\"' "]
    return "".join(text[place] for place in places), places


def _with_marks(text: str, named: _Named) -> _Named:
    opens = named.start > 0 and text[named.start - 1] in '《“"'
    closes = named.end < len(text) and text[named.end] in '》”"'
    return _Named(named.start - opens, named.end + closes, named.source)


def _longest_common(one: str, other: str) -> tuple[int, int]:
    """Where in ``one`` the longest run starts that both share, and its length."""
    best = (0, 0)
    before = [0] * (len(other) + 1)
    for i, sign in enumerate(one):
        row = [0] * (len(other) + 1)
        for j, there in enumerate(other):
            if sign == there:
                row[j + 1] = before[j] + 1
                if row[j + 1] > best[1]:
                    best = (i + 1 - row[j + 1], row[j + 1])
        before = row
    return best


def _leaves_out(shortened: str, title: str) -> bool:
    """Whether a name has the signs of a title in their order, from runs that begin where words of the title do."""
    signs: Iterator[str] = iter(title)
    return all(sign in signs for sign in shortened) and title.endswith(shortened[-2:])
