"""A normalised question in, the places that it names out, and which of them it asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vectorstore.gazetteer import Gazetteer, Mention

_DOCUMENTS = re.compile(
    r"^(?:省|市)?的?[这那该]?份?(?:文件|资料|材料|文档|本文|[^,。?的和与及、]{0,8}(?:报告|方案|规划|办法|意见|计划)[里中])"
)  # 广东文件: whose they are, and no more
_OF = re.compile(r"^[省市]?的?$")  # what may stand between a province and its city


def find_mentions(normal: str) -> tuple[Mention, ...]:
    """Places that a question names. One-character names count only where they cannot be part of a word."""
    found = []
    for mention in Gazetteer.load().find_places(normal, aliases=True):
        if len(mention.alias) == 1:
            before = normal[mention.start - 1 : mention.start]
            after = normal[mention.end : mention.end + 1]
            if before not in ("", "和", "与", "、", ",", "跟", "同", "比", "那") or not re.match(
                r"[和与、,\d的今去明要市跟同比呢?]|$", after
            ):
                continue
        found.append(mention)
    return tuple(found)


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
