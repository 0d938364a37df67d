"""A question and the index in, its telling words with their weights out: how much of a question a text holds.

A word weighs by its rarity in the documents. What documents call by another name counts too, a little less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from assistant.question.frames import drop_frames
from assistant.reading.expect import find_units
from assistant.reading.lexicon import load_lexicon
from assistant.reading.nearness import find_near
from assistant.reading.quantities import Measure, Quantity, find_quantities
from assistant.reading.thesaurus import find_edges, find_meanings, find_members, is_official
from assistant.types import Kind, Question
from vectorstore.normalize import normalize
from vectorstore.segment import content_words, cut, is_word, tag_words
from vectorstore.types import Hit, ParsedDocument, Scope, Sentence

_BY_ANOTHER_NAME = 0.85  # what a word counts that stands in a text under another name
_A_MEMBER, _EACH_MEMBER = (
    0.5,
    0.1,
)  # what a theme counts by the first thing that is spoken of under it, and by each further one
_IN_PART = 0.7  # what a piece of a word counts, times its share of the word
_OF_ANOTHER, _LONGER = 0.5, 3  # times that for a word as long as this whose beginning is another word
_SHORT = 3  # characters; another name as short as this has to be a word of the text, and no part of two (开工 in 召开工作会议)
_PAIR, _MODALS = 2, ("能", "要", "会", "可", "该", "须", "想")
_MODES = frozenset(("允许", "准许", "准予"))
_FINES = re.compile(
    r"罚(?![款金没息球])(?:我|他|她|人|住户|业主|居民|企业|你)?(?:们)?\d|(?:要|会|被|挨|不|得)罚(?:吗|不罚|[?？。,，]|$)"
)
_GLUED = re.compile("[还给也就都才能要被把让会可再]")  # words that the segmenter glued to what stands beside them
_NEGATIONS = "不未非无没"


class Searchable(Protocol):
    """What of an index this stage needs."""

    @property
    def documents(self) -> tuple[ParsedDocument, ...]:
        """The documents in their order."""
        ...

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in the documents' order."""
        ...

    def search(self, text: str, k: int, scope: Scope = ...) -> tuple[Hit, ...]:
        """Find the ``k`` closest sentences inside a scope."""
        ...

    def holds(self, term: str) -> int:
        """In how many sentences a term stands."""
        ...

    def rarity(self, term: str) -> float:
        """Weight of a term: the rarer in the corpus, the higher."""
        ...


@dataclass(frozen=True, slots=True)
class Term:
    """A telling word or wording of a question."""

    text: str
    weight: float
    means: frozenset[str] = frozenset()  # what documents may call it
    pieces: tuple[str, ...] = ()  # the telling words that a wording is made of
    members: frozenset[str] = frozenset()  # of a theme what documents speak of under it
    known: bool = True  # whether the documents have it, by this or another name
    units: frozenset[str] = frozenset()  # of a word as 面积 the classes of units whose figures tell it: 平方米

    def match(self, normal: str) -> float:
        """How well it stands in a normalised text: 1 as it is, less by another name, by its words or by its longest piece."""
        if stands_in(self.text, normal):
            return 1.0
        if any(stands_in(other, normal, short=_SHORT) for other in self.means):
            return _BY_ANOTHER_NAME
        if self.units and any(q.unit in self.units for q in find_quantities(normal)):
            return _BY_ANOTHER_NAME
        if self.members and (count := sum(stands_in(member, normal, short=_SHORT) for member in self.members)):
            return min(_BY_ANOTHER_NAME, _A_MEMBER + _EACH_MEMBER * (count - 1))
        if self.pieces:
            return sum(_match_pieces(piece, normal) for piece in self.pieces) / len(self.pieces)
        return _match_pieces(self.text, normal) * (_OF_ANOTHER if _is_longer_word(self.text) else 1.0)


def stands_in(term: str, normal: str, *, short: int = 0) -> bool:
    """Whether a term stands in a normalised text and is not turned round there (合格 in 不合格).

    One of at most ``short`` characters has to begin and end where words do.
    """
    start = normal.find(term)
    while start >= 0:
        end = start + len(term)
        turned = start > 0 and len(term) > 1 and (normal[start - 1] in _NEGATIONS or _is_deputy(term, normal, start))
        if not turned and (len(term) > short or {start, end} <= _edges(normal)):
            return True
        start = normal.find(term, start + 1)
    return False


def _is_deputy(term: str, normal: str, start: int) -> bool:
    """Whether a text names the deputy of a person only: 副县长 is not the 县长."""
    return normal[start - 1] == "副" and term.endswith(("长", "经理", "主任", "书记", "主席"))


_edges = lru_cache(maxsize=1024)(find_edges)


def _match_pieces(term: str, normal: str) -> float:
    """1 where a term stands in a normalised text, else what its longest piece there counts."""
    if stands_in(term, normal):
        return 1.0
    for size in range(len(term) - 1, 1, -1):
        if any(term[i : i + size] in normal for i in range(len(term) - size + 1)):
            return _IN_PART * size / len(term)
    return 0.0


@lru_cache(maxsize=1024)
def _is_longer_word(term: str) -> bool:
    """Whether a word goes on where a shorter noun ends, and is another thing: 博士后 is no 博士."""
    if len(term) != _LONGER or not is_word(term):
        return False
    return [tag for _, tag in tag_words(term[:-1])] == ["n"]


@dataclass(frozen=True, slots=True)
class Weighing:
    """The telling words of a question with their weights."""

    terms: tuple[Term, ...]

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return sum(term.weight for term in self.terms)

    def coverage(self, text: str) -> float:
        """Share of the weight that a text holds, from 0 to 1; 1 where there is nothing to look for."""
        if not self.terms:
            return 1.0
        normal = normalize(text)
        return sum(term.weight * term.match(normal) for term in self.terms) / self.total

    def lacking(self, text: str, *, known: bool) -> float:
        """Share of the weight that a text lacks, of words that the documents have (in other places), or of those that they have not."""
        return self._lost(normalize(text), [term for term in self.terms if term.known is known])

    def meant(self, text: str) -> float:
        """Share of the weight that a text lacks by any name, as far as it has words of near meaning."""
        normal = normalize(text)
        near = (
            t.weight * (1 - held) * find_near(t.text, normal) for t in self.terms if (held := t.match(normal)) < 1.0
        )
        return sum(near) / (self.total or 1.0)

    def foreign(self, text: str) -> float:
        """Share of the weight that a text lacks of words that such documents use and these do not: what is not spoken of here."""
        return self._lost(normalize(text), [t for t in self.terms if not t.known and is_official(t.text)])

    def _lost(self, normal: str, terms: Sequence[Term]) -> float:
        return sum(term.weight * (1 - term.match(normal)) for term in terms) / (self.total or 1.0)

    def held(self, text: str) -> frozenset[str]:
        """The words that a text holds, as they are or by another name."""
        normal = normalize(text)
        return frozenset(term.text for term in self.terms if term.match(normal) >= _BY_ANOTHER_NAME)

    def only(self, words: Sequence[str]) -> Weighing:
        """The part of it that is about some of the words."""
        return Weighing(tuple(term for term in self.terms if _is_about(term, words)))


def _is_about(term: Term, words: Sequence[str]) -> bool:
    return any(piece in word or word in piece for piece in (term.text, *term.pieces) for word in words)


def weigh(question: Question, index: Searchable) -> Weighing:
    """Weigh the telling words of a question by their rarity; a figure that the corpus holds is one of them."""
    subject = drop_frames(question.focus)  # the 4个 of 4个地方谁提到了氢能 counts nothing that is looked for
    asked = find_quantities(subject)
    stated = [normalize(q.text) for q in asked if q.measure is Measure.QUANTITY and not _is_relative(subject, q)]
    # A figure that no sentence of the place and year has tells nothing of what is looked for: the question may be mistaken in it.
    figures = [
        text for text in stated if len(text) > 1 and index.holds(text) and _is_in_scope(text, question.scope, index)
    ]
    terms = dict.fromkeys((*known_pieces(_drop_modes(question), index), *_name_acts(question.focus), *figures))
    spread = question.kind in (Kind.LIST, Kind.SUMMARY, Kind.COMPARE)
    return Weighing(tuple(_weigh_term(term, index, spread=spread) for term in terms))


def _drop_modes(question: Question) -> tuple[str, ...]:
    """The telling words without 允许 and its like where a permission is asked for: 不得 and 可以 answer that as well."""
    told = tuple(term for term in question.terms if term not in _MODES)
    return told if told and question.kind is Kind.YES_NO else question.terms


def _name_acts(focus: str) -> tuple[str, ...]:
    """罚200元 speaks of a 罚款, though the verb alone is too short to be looked for."""
    return ("罚款",) if _FINES.search(focus) else ()


def _is_in_scope(text: str, scope: Scope, index: Searchable) -> bool:
    if scope == Scope():
        return True
    return any(scope.allows(s) and text in normalize(s.plain) for s in index.sentences)


def _is_relative(focus: str, quantity: Quantity) -> bool:
    """The 1年 of 上1年 and of 哪1年 is no figure, and 4个地方 at the head of a question are those that the documents are of."""
    if not quantity.start and focus.startswith(("地方", "地区", "省市", "省份"), quantity.end):
        return True
    return focus[max(0, quantity.start - 1) : quantity.start] in (
        "上",
        "前",
        "下",
        "后",
        "同",
        "哪",
        "这",
        "那",
        "每",
        "某",
    )


def _weigh_term(text: str, index: Searchable, *, spread: bool) -> Term:
    """Weigh by rarity; what the corpus does not have by the commonest of its other names there."""
    # A theme is no answer to what one sentence has to answer.
    members = frozenset(member for member in find_members(text) if index.holds(member)) if spread else frozenset()
    known = frozenset(other for other in find_meanings(text) if index.holds(other))
    pieces = tuple(content_words(text)) if known else ()
    units = find_units(text) if _is_measure(text) else frozenset()
    if index.holds(text) or not known:
        return Term(text, index.rarity(text), known, pieces, members, known=index.holds(text) > 0, units=units)
    return Term(text, min(map(index.rarity, known)), known, pieces, members)


def _is_measure(text: str) -> bool:
    return any(text in words for words, _ in load_lexicon().dimensions)


def known_pieces(terms: Iterable[str], index: Searchable) -> tuple[str, ...]:
    """Take apart what the segmenter glued together by guess (考核设): where the corpus knows most of the pieces, they count."""
    out: list[str] = []
    for term in terms:
        if len(term) == _PAIR and term.endswith(_MODALS) and not is_word(term) and not index.holds(term):
            continue  # 人能 of 什么样的人能申请
        if any(map(index.holds, find_meanings(term))):
            out.append(term)
            continue
        pieces = [piece for piece in cut(term) if len(piece) > 1 and index.holds(piece)] if len(term) > 2 else []
        if not index.holds(term) and sum(map(len, pieces)) >= 2 * len(term) / 3:
            out += pieces
        elif not index.holds(term) and (halves := _halve(term, index)):
            out += halves
        elif not index.holds(term) and not is_word(term) and (parts := _unglue(term, index)):
            out += parts
        else:
            out.append(term)
    return tuple(dict.fromkeys(out))


def _unglue(term: str, index: Searchable) -> tuple[str, ...]:
    """What of a term stands between words that tell nothing, where the documents have all of it: 棚 and 充 of 棚还给充."""
    parts = tuple(part for part in _GLUED.split(term) if part)
    return parts if len(parts) > 1 and all(map(index.holds, parts)) else ()


def _halve(term: str, index: Searchable) -> tuple[str, ...]:
    """The two wordings that a term is made of, where the corpus has both: 碳普惠 and 平台. Else nothing."""
    for i in range(len(term) - 2, 1, -1):
        halves = term[:i], term[i:]
        if all(index.holds(half) and (is_official(half) or len(cut(half)) == 1) for half in halves):
            return halves
    return ()
