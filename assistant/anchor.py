"""A refused question and the index in, the same question without the place or year that its named thing does not have out.

《湿地保护管理办法》 is one regulation: asked for by the wrong year it is still that one. The answer quotes what the documents say
of it, with their own year and place, and says that the question had another. The same is said of a figure that is only in the question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from assistant.quantities import Measure, find_quantities
from assistant.types import Question
from assistant.weigh import Searchable
from vectorstore.normalize import normalize
from vectorstore.types import Scope, Sentence

_TITLE = re.compile(r"《([^《》]{4,60})》")
# Things that people give a name of their own. A quoted word without such a noun may be of any place.
_BRAND = re.compile(r"[“\"]([^“”\"]{2,20})[”\"](?=小程序|平台|应用|APP|app|系统|办法|条例|品牌|网站)")

_COUNTING = frozenset({"", "count", "person", "span_of_years", "month", "day", "hour"})
_MANY = 100


@dataclass(frozen=True, slots=True)
class Anchored:
    """The question as its named thing allows it, and what of it that contradicts."""

    question: Question
    name: str
    note: str


def anchor(question: Question, index: Searchable) -> Anchored | None:
    """``None`` where nothing is named that the documents have, or they have it where the question says."""
    scope = question.scope
    names = [m[1] for pattern in (_TITLE, _BRAND) for m in pattern.finditer(question.standalone)]
    if not (scope.years or scope.regions or scope.places):
        return None
    for name in names:
        plain = normalize(name)
        holding = [s for s in index.sentences if plain in normalize(s.plain)]
        if not holding or any(scope.allows(s) for s in holding):
            continue
        of_year = replace(scope, regions=frozenset(), places=frozenset())
        of_place = replace(scope, years=frozenset(), part=None)
        wrong = "、".join(f"{year}年" for year in sorted(scope.years))
        if any(of_year.allows(s) for s in holding):
            wrong, kept = "、".join(sorted(scope.places or scope.regions)), of_year
        elif any(of_place.allows(s) for s in holding):
            kept = of_place
        else:
            wrong, kept = "、".join(sorted(scope.places or scope.regions)) + wrong, Scope(sources=scope.sources)
        note = (
            f"资料里没有{wrong}的“{name}”，下面是资料对它的说法，年份和地区以资料为准。 "
            f"The documents do not have “{name}” there; below is what they say of it, with their own year and place."
        )
        return Anchored(replace(question, scope=kept), name, note)
    return None


def note_other_figure(question: Question, best: Sentence, index: Searchable) -> str | None:
    """What to say of a figure that the question states and no sentence of its place and year has, where the best one has another."""
    figures = [q for q in find_quantities(best.plain) if q.measure is Measure.QUANTITY]
    for stated in find_quantities(question.focus):
        counts = stated.unit in _COUNTING and stated.value < _MANY  # 哪3个城市 states nothing
        told = [figure for figure in figures if figure.unit == stated.unit]
        if stated.measure is not Measure.QUANTITY or counts or not told or any(f.equals(stated) for f in figures):
            continue
        text = normalize(stated.text)
        if not any(question.scope.allows(s) and text in normalize(s.plain) for s in index.sentences):
            return (
                f"问题里的“{stated.text}”在资料的这个范围里没有出现，下面是资料自己的说法，数字以资料为准。 "
                f"The documents do not have the figure {stated.text} there; below is what they say themselves."
            )
    return None


def holds_name(text: str, name: str) -> bool:
    """Whether a sentence names the thing."""
    return normalize(name) in normalize(text)
