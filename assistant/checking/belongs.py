"""A figure of a claim and the cited sentences in, what it is said of there and not in the claim out.

``泉州下降12,莆田下降9.5``: that 莆田 fell by 12 has every word and every number of the sentence, and is wrong. So what a claim says a
figure of, place, year or item of a list, has to be what the sentence says it of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.reading.owners import YEAR_BEFORE, Owners, find_places, find_years, is_named, is_relative
from assistant.reading.pairs import Figure, read_figures
from vectorstore.gazetteer import Gazetteer
from vectorstore.segment import content_words
from vectorstore.types import Sentence

# Whose words follow (上海2024年的任务中提出：“…”); its place and year are those of the section, not of each figure in it.
_FRAME = re.compile(r"^(?P<whose>[^“”:：,，。]{0,20}?)的?(?:任务|回顾|资料)中(?:提出|写道)[:：](?=“)")


def read_claim(claim: str) -> tuple[Figure, ...]:
    """The figures of a claim; a frame that names a province, or none, is taken off."""
    frame = _FRAME.match(claim)
    gazetteer = Gazetteer.load()
    named = gazetteer.find_places(frame["whose"]) if frame else ()
    if frame and all(mention.place.name == mention.place.province for mention in named):
        claim = claim[frame.end() + 1 :].removesuffix("”")
    return read_figures(claim)


def find_other(claimed: Figure, cited: Sequence[Sentence]) -> str | None:
    """What a figure is said of in the sentences, where that is not what the claim says it of; ``None`` where all is well."""
    wrong: list[str] = []
    for sentence in cited:
        for figure in read_figures(sentence.plain):
            if not figure.quantity.equals(claimed.quantity):
                continue
            other = _differs(claimed, figure, sentence)
            if other is None:
                return None
            wrong.append(other)
    return wrong[0] if wrong else None


def _differs(claimed: Figure, figure: Figure, sentence: Sentence) -> str | None:
    text = sentence.plain
    for mine, its, lists, years in (
        (claimed.places, figure.places, find_places(text), False),
        (claimed.years, figure.years, find_years(text), True),
    ):
        if mine and lists and not any(_holds(one, its, lists, sentence, years=years) for one in mine):
            return "、".join(one.name for owners in its or () for one in owners.members) or "别的"
    return _differs_in_item(claimed, figure, text)


def _holds(
    mine: Owners, its: tuple[Owners, ...] | None, lists: tuple[Owners, ...], sentence: Sentence, *, years: bool
) -> bool:
    """Whether a figure of the sentence is said of all that the claim says it of."""
    names = frozenset(name for one in its or () for name in one.names)
    if years:
        before = bool(names) and names <= YEAR_BEFORE  # 上年 of a sentence of 2025 is 2024
        own = (sentence.labels.year or 0) - before
        label = {str(own)} if all(map(is_relative, names)) else set()
        return all(name in names or is_relative(name) or name in label for name in mine.names)
    gazetteer = Gazetteer.load()
    for name in mine.names:
        within = any(gazetteer.province_of(other) == name for other in names)
        its_own = sentence.labels.region == name
        free = (not names and its_own) or (not is_named(frozenset([name]), lists) and (not names or within or its_own))
        if name not in names and not free and not (within and _stand_together(mine)):
            return False
    return its is not None


def _stand_together(owners: Owners) -> bool:
    """Whether a list is a place with the region that it lies in (江苏镇江)."""
    return len({Gazetteer.load().province_of(name) for name in owners.names}) == 1


def _differs_in_item(claimed: Figure, figure: Figure, text: str) -> str | None:
    """Of a row (分别为8、6、7) the n-th figure is that of the n-th item; a claim that names another is wrong."""
    row = [one for one in read_figures(text) if figure.row is not None and one.row == figure.row]
    if len(row) < 2 or not claimed.sure:
        return None
    if not figure.sure:
        return "所列几项中的某一项" if content_words(claimed.words) else None
    said = claimed.item or claimed.clause
    named = [one for one in row if one.item in said]
    if named:
        wrong = [one for one in named if not one.quantity.equals(claimed.quantity)]
        right = [one for one in named if one.quantity.equals(claimed.quantity)]
        return None if right and not wrong else figure.item
    # The 9 of 第九条 before an item is none of its words.
    held = {one.item: sum(word in said for word in content_words(one.item) if not word.isdigit()) for one in row}
    best = max(held.values())
    return None if held[figure.item] == best else figure.item
