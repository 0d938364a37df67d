"""A normalised question in, the places that it names out, and which of them it asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vectorstore.gazetteer import Gazetteer, Mention, Place
from vectorstore.issuer import find_foreign, is_own_name, short_names
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument

_DOCUMENTS = re.compile(
    r"^(?:省|市)?的?[这那该]?份?(?:文件|资料|材料|文档|本文|[^,。?的和与及、]{0,8}(?:报告|方案|规划|办法|意见|计划)[里中])"
)  # 广东文件: whose they are, and no more
_LONGER = re.compile("港(?![口澳股])|机场|大学|湾(?!区)")
_OF = re.compile(r"^[省市]?的?$")  # what may stand between a province and its city


def find_mentions(normal: str, own: Sequence[str] = ()) -> tuple[Mention, ...]:
    """Places that a question names. One-character names count only where they cannot be part of a word.

    ``own`` are places and bodies that the documents say they are of, where the gazetteer does not have them (云泽县, a company):
    they may be called by their short names, and stand before what the gazetteer finds inside them.
    """
    found = _find_own(normal, own)
    taken = {at for mention in found for at in range(mention.start, mention.end)}
    for mention in Gazetteer.load().find_places(normal, aliases=True):
        if len(mention.alias) == 1:
            before = normal[mention.start - 1 : mention.start]
            after = normal[mention.end : mention.end + 1]
            if before not in ("", "和", "与", "、", ",", "跟", "同", "比", "那") or not re.match(
                r"[和与、,\d的今去明要市跟同比呢?]|$", after
            ):
                continue
        if not taken & {*range(mention.start, mention.end)}:
            found.append(mention)
    return _drop_wider(sorted(found, key=lambda m: m.start), normal)


def goes_on(normal: str, mention: Mention) -> bool:
    """Whether the name of a place is the first part of a longer name: 天津港 is a thing in 天津, and not 港 of it."""
    return _LONGER.match(normal, mention.end) is not None


def _drop_wider(found: Sequence[Mention], normal: str) -> tuple[Mention, ...]:
    """Of 江苏省云泽县 the province only tells where a county lies that no gazetteer has."""
    kept = []
    for number, mention in enumerate(found):
        behind = found[number + 1] if number + 1 < len(found) else None
        unlisted = behind is not None and is_own_name(behind.place.province)
        if not (unlisted and behind and _OF.match(normal[mention.end : behind.start])):
            kept.append(mention)
    return tuple(kept)


def read_own(documents: Sequence[ParsedDocument]) -> tuple[str, ...]:
    """The places and bodies that documents say they are of, where the gazetteer does not have them."""
    labels = dict.fromkeys(section.labels.region for parsed in documents for section in parsed.sections)
    return tuple(sorted(label for label in labels if label and is_own_name(label)))


def find_foreign_places(normal: str, known: Sequence[Mention], texts: Sequence[str]) -> tuple[Mention, ...]:
    """Names of places and bodies that stand in none of the texts and in no gazetteer: what is asked of them is not in there."""
    taken = {at for mention in known for at in range(mention.start, mention.end)}
    found = []
    for start, end in find_foreign(normal):
        name = normal[start:end]
        if not taken & {*range(start, end)} and not any(name in text for text in texts):
            found.append(Mention(start, end, Place(name, name, "province"), name, "name"))
    return tuple(found)


def _find_own(normal: str, own: Sequence[str]) -> list[Mention]:
    written = sorted(
        ((normalize(short), name) for name in own for short in short_names(name)), key=lambda w: -len(w[0])
    )
    # Of a short name that two of them have, none is meant more than the other.
    shared = {short for short, name in written for other, another in written if short == other and name != another}
    found: list[Mention] = []
    for short, name in written:
        for match in re.finditer(re.escape(short), normal):
            free = all(match.end() <= one.start or one.end <= match.start() for one in found)
            if free and short not in shared:
                found.append(Mention(match.start(), match.end(), Place(name, name, "province"), match[0], "name"))
    return found


def read_places(mentions: Sequence[Mention], normal: str) -> frozenset[str]:
    """Places below a province; of 江苏和南京 the wider decides, of 江苏省南京 the city; beside 广州, 上海 is a place among places."""
    wide = {m.place.name for n, m in enumerate(mentions) if not _only_tells_where(n, mentions, normal)}
    below = {m.place.name for m in mentions if m.place.name != m.place.province and m.place.province not in wide}
    return (
        frozenset(below | {m.place.name for m in mentions if m.place.name == m.place.province and m.place.name in wide})
        if below
        else frozenset()
    )


def _only_tells_where(number: int, mentions: Sequence[Mention], normal: str) -> bool:
    """Whether a province stands there only to tell where a city of it lies, or whose the documents are."""
    mention = mentions[number]
    if _DOCUMENTS.match(normal[mention.end :]):
        return True
    after = mentions[number + 1] if number + 1 < len(mentions) else None
    own = after is not None and after.place.province == mention.place.name != after.place.name
    return own and after is not None and _OF.match(normal[mention.end : after.start]) is not None
