"""A refused question and the index in, the same question without the place or year that its named thing does not have out.

《湿地保护管理办法》 is one regulation: asked for by the wrong year it is still that one. The answer quotes what the documents say
of it, with their own year and place, and says that the question had another. The same is said of a figure that is only in the question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from assistant.question.weigh import Searchable, Weighing
from assistant.reading.pairs import read_figures
from assistant.reading.quantities import Measure, find_quantities
from assistant.types import Question
from vectorstore.normalize import normalize
from vectorstore.types import Scope, Sentence

_TITLE = re.compile(r"《([^《》]{4,60})》")
# Things that people give a name of their own. A quoted word without such a noun may be of any place.
_BRAND = re.compile(r"[“\"]([^“”\"]{2,20})[”\"](?=小程序|平台|应用|APP|app|系统|办法|条例|品牌|网站)")

_COUNTING = frozenset({"", "count", "person", "span_of_years", "month", "day", "hour"})
_MANY = 100

_COUNTING_ONLY = frozenset({"", "count", "person"})
_CONFIRM = re.compile(r"(?:[对是]吧|[对是]吗|对不对|是不是|是否|吧|吗)[?。]?$|^是不是|就[能可行]|可以[^,。?]*吗")
_LIMITS = re.compile(
    "不得|不超过|不少于|不低于|至少|最[多少高低长短]|期限|满|以[上下内]|[^年月日]内|应当|必须|连续|提前|逾期|超过"
)
_KNOWN = 0.5  # share of a question that the documents have words of, for one of their figures to be set against its own
_SPOKEN = 0.55  # share of these that the clause of the figure has to hold
_APART = 0.1  # by which the next one has to hold less


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


def find_stated_otherwise(
    question: Question, index: Searchable, weighing: Weighing, found: Sentence | None
) -> Sentence | None:
    """The sentence that gives another figure for what a question wants confirmed (可以放三年对吧), where just one speaks of it.

    Its clause has to hold most of those words of the question that the documents have at all. None is given where one as near gives
    the question's own figure, where the question speaks of what such documents have a word for and these do not, or where the
    sentence that was ``found`` for it has a figure of that measure itself.
    """
    stated = [
        q for q in find_quantities(question.focus) if q.measure is Measure.QUANTITY and q.unit not in _COUNTING_ONLY
    ]
    if len(stated) != 1 or not _CONFIRM.search(question.focus):
        return None
    own = found is not None and not found.plain.rstrip('”" ').endswith(("?", "？"))  # what only asks says nothing
    if found and own and any(q.unit == stated[0].unit for q in find_quantities(found.plain)):
        return None
    terms = [t for t in weighing.terms if t.text != normalize(stated[0].text)]
    known = Weighing(tuple(term for term in terms if term.known and len(term.text) > 1))
    if not known.terms or known.total < _KNOWN * Weighing(tuple(terms)).total:
        return None
    best: dict[Decimal, tuple[float, Sentence]] = {}
    confirmed = 0.0
    for sentence in index.sentences:
        if not question.scope.allows(sentence) or weighing.foreign(sentence.plain) > 0:
            continue
        for figure in read_figures(sentence.plain):
            if figure.quantity.unit != stated[0].unit or not _LIMITS.search(figure.clause):
                continue
            held = (known.coverage(figure.words) + known.coverage(sentence.plain)) / 2
            if figure.quantity.equals(stated[0]):
                confirmed = max(confirmed, held)
            elif held > best.get(figure.quantity.value, (0.0, sentence))[0]:
                best[figure.quantity.value] = held, sentence
    ranked = sorted(best.values(), key=lambda pair: -pair[0])
    if not ranked or ranked[0][0] < max(_SPOKEN, confirmed):
        return None
    return None if len(ranked) > 1 and ranked[1][0] > ranked[0][0] - _APART else ranked[0][1]


def note_figure(question: Question) -> str:
    """What to say of the figure that a question wants confirmed and the documents give otherwise."""
    stated = next(q for q in find_quantities(question.focus) if q.measure is Measure.QUANTITY)
    return (
        f"问题里的“{stated.text}”与下面这句话里的数字不同，请以资料的说法为准。 "
        f"The documents give another figure than {stated.text}; below is what they say."
    )


def holds_name(text: str, name: str) -> bool:
    """Whether a sentence names the thing."""
    return normalize(name) in normalize(text)
