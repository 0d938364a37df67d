"""A question, the places that it names and the documents' texts in, the places out that are more than the beginning of a longer name.

A county has a 马鞍山填埋场 and a 大石桥镇 of its own: where the documents never name a city but as the beginning of such names, a
question that says one of them means that thing, and not the city. What they say of the city itself keeps the place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from vectorstore.gazetteer import Mention
from vectorstore.normalize import normalize
from vectorstore.segment import tag_words

_NOUNS = ("n", "j", "l", "s")
_DIVISION = re.compile("[省市县区]|自治州|地区")
# What makes another name of the place's: a village, a road or a river that is called so.
_LOCAL = re.compile(
    "镇|乡|村|屯|庄|街|路|桥|河|湖|江|山|岭|沟|坡|湾|岛|水库|坝|闸|圩|厂|矿|场|站|馆|公园|医院|[中小]学|社区"
)


def drop_beginnings(mentions: Sequence[Mention], normal: str, texts: Sequence[str]) -> tuple[Mention, ...]:
    """Leave out the places that are only the beginning of a longer name, as far as the documents know it."""
    return tuple(one for one in mentions if not _begins_longer(one, normal, tuple(texts)))


def _begins_longer(mention: Mention, normal: str, texts: tuple[str, ...]) -> bool:
    if len(mention.alias) < 2 or mention.kind == "full" or _DIVISION.match(normal, mention.end):
        return False
    tail = _tail(normal[mention.end :])
    if not tail:
        return False
    behind = _behind(mention.alias, texts)
    return any(text.startswith(tail) for text in behind) and all(
        text.startswith(tail) or _LOCAL.match(text) for text in behind
    )


def _tail(rest: str) -> str:
    """The noun that stands right behind a place, without anything between."""
    head = re.split(r"[\s,.;:?!的、和与及]", rest, maxsplit=1)[0]
    word, tag = tag_words(head)[0] if head else ("", "")
    local = _LOCAL.match(head)
    if local and len(local[0]) >= len(word):
        return local[0]
    return word if tag.startswith(_NOUNS) and _LOCAL.search(word) else ""


@lru_cache(maxsize=256)
def _behind(name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """What follows a name wherever it stands in the texts."""
    return tuple(
        normalize(text[match.end() : match.end() + 12])
        for text in texts
        for match in re.finditer(re.escape(name), text)
    )
