"""A question in, the things that it sets side by side out: places, years, documents, each with the scope of its own evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from assistant.types import Asks, Kind, Question
from vectorstore.types import ParsedDocument, Scope

_PLACES = "省市|省份|直辖市|城市|地方|地区|省|市"
_MOST = re.compile("最[高低多少大小快慢长短]|[排居]?第[1一](?![季届批次号期个])|居首|垫底|领先")
_COUNTED_PLACES = re.compile(
    r"(?<![第\d])(?P<number>[2-9]|[二三四五六七八九])个?(?:地(?![级区])|省市|省份|省(?!级)|城市|直辖市|地方|地区)"
)
_OF_PLACES = re.compile(rf"哪[1一]?[个座]?(?:{_PLACES})|(?:几|各|[\d两三四五六七八九十]+)个?(?:{_PLACES})")


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that a comparison sets beside the others: a place, a year, both, or a document."""

    name: str
    scope: Scope


def rank_places(question: Question, known: Sequence[str]) -> Question:
    """Of which place is the first of all (哪个省最多): the figures of all of them are wanted, for one alone is none."""
    scope, focus = question.scope, question.focus
    named = max(len(scope.places), len(scope.regions))  # a city brings its province with it
    if question.kind in (Kind.NONE, Kind.CORPUS, Kind.COMPARE) or named == 1 or len(scope.years) > 1:
        return question
    if len(known) < 2 or not _MOST.search(focus) or not (named or _OF_PLACES.search(focus)):
        return question
    return replace(question, kind=Kind.COMPARE, asks=Asks.QUANTITY)


def name_counted(question: Question, documents: Sequence[ParsedDocument]) -> Question:
    """Of 四地 the four: the places of the one document, or of those that agree, whose sections are of just as many."""
    counted = _COUNTED_PLACES.search(question.focus)
    if (
        question.kind not in (Kind.COMPARE, Kind.SUMMARY)
        or not counted
        or question.scope.regions
        or question.scope.places
    ):
        return question
    number = int(counted["number"]) if counted["number"].isdigit() else "零一二三四五六七八九".index(counted["number"])
    of_documents = {frozenset(s.labels.region for s in parsed.sections if s.labels.region) for parsed in documents}
    fitting = [regions for regions in of_documents if len(regions) == number]
    if len(fitting) != 1:
        return question
    return replace(question, scope=replace(question.scope, regions=fitting[0]))


def asks_places(focus: str) -> bool:
    """Whether a question is about places without naming them: 各市, 哪个省, 几个地区."""
    return bool(_OF_PLACES.search(focus) or _MOST.search(focus) or re.search("各地|哪里|哪儿|两地|两[省市]", focus))


def asks_first(focus: str) -> bool:
    """Whether it asks which one is the first of all: the figure of one alone does not tell that."""
    return bool(_MOST.search(focus) and re.search("哪|谁", focus))


def says_first(text: str) -> bool:
    """Whether a text says that something is the first."""
    return bool(_MOST.search(text) or re.search("第[一二三]|首位|居前|前[列三]|之首|唯一|首[个家座]", text))


def plan_slots(question: Question, known: Sequence[str]) -> tuple[Slot, ...]:
    """One slot for each place and year that a question names, or for each document; all known regions where it names none."""
    scope = question.scope

    def stand(name: str) -> tuple[int, str]:
        """The order of the question; what it calls by another name comes last."""
        at = question.focus.find(name)
        return (at if at >= 0 else len(question.focus), name)

    if len(scope.sources) > 1 and not scope.places and len(scope.regions) < 2 and len(scope.years) < 2:
        return tuple(
            Slot(PurePosixPath(source).stem, replace(scope, sources=frozenset([source])))
            for source in sorted(scope.sources)
        )
    places = sorted(scope.places, key=stand) if len(scope.places) >= len(scope.regions) else []
    names = places or sorted(scope.regions, key=stand) or ([] if len(scope.years) > 1 else list(known))
    slots: list[Slot] = []
    for name in names or [""]:
        for year in sorted(scope.years) or [0]:
            narrowed = replace(
                scope,
                regions=frozenset() if places or not name else frozenset([name]),
                places=frozenset([name]) if places else frozenset(),
                years=frozenset([year]) if year else frozenset(),
            )
            slots.append(Slot(f"{name}{year}年" if year else name, narrowed))
    return tuple(slots)
