"""The passages of a document under its headings in, how many bullets of a summary each of its parts has out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.reading.wholes import LONGEST, opens_article
from assistant.types import Passage

TOLD = 12  # bullets of a summary by headings or paragraphs
_AIMS = re.compile("目标|总体要求|主要指标")
_PARTS = re.compile("[;；]")
_MANY_BELOW = 2  # headings below one beyond its bullets, from which on they come first
_GENERAL, _LESS = re.compile("总\\s*则$|^[^、与和及]*附\\s*则$"), 0.5  # what all rules have, and what it counts
_BESIDE = 0.2  # what it counts that the heading of a part is about something else
_FEW = 2  # articles, from which on a part is measured by them


def find_depth(passages: Sequence[Passage]) -> int:
    """The deepest level of headings that gives half as many groups as bullets at most; else the second, or the first."""
    deepest = max(len(p.headings) for p in passages)
    for depth in range(deepest, 1, -1):
        if len({(p.sentence.source, p.headings[:depth]) for p in passages}) <= TOLD // 2:
            return depth
    finest = {(p.sentence.source, p.headings[:2]) for p in passages}
    return 2 if len(finest) <= TOLD else 1


def share_bullets(groups: Sequence[Sequence[Passage]], depth: int, about: Sequence[bool]) -> list[int]:
    """Give each group a bullet, one that states the aims another, one for each heading below, and the rest by what is left.

    ``about`` says of which groups the heading names what was asked for: what others say of it beside that has less room.
    """
    shares = [2 if len(group) > 1 and _AIMS.search(" ".join(group[0].headings[1:])) else 1 for group in groups]
    below = [len({passage.headings[: depth + 1] for passage in group}) for group in groups]
    led = any(about) and not all(about)
    sizes = [
        size * (_BESIDE if led and not own else 1.0) for size, own in zip(_measure(groups, depth), about, strict=True)
    ]
    for _ in range(max(0, TOLD - sum(shares))):
        lacking = max(range(len(groups)), key=lambda n: (below[n] - shares[n], -n))
        roomy = [n for n in range(len(groups)) if not led or _room(groups[n]) > shares[n]] or list(range(len(groups)))
        most = max(roomy, key=lambda n: (sizes[n] / (shares[n] + 1), -n))
        most = lacking if below[lacking] > shares[lacking] + _MANY_BELOW else most
        shares[most] += _room(groups[most]) > shares[most]
    return shares


def _measure(groups: Sequence[Sequence[Passage]], depth: int) -> list[float]:
    """How much there is to tell of each: its articles, where all have some, for the items of a list are no rules of their own."""
    articles = [sum(opens_article(passage.sentence.plain) for passage in group) for group in groups]
    if not articles or sum(articles) < _FEW * len(articles) or not all(articles):
        return [float(len(group)) for group in groups]
    general = [_GENERAL.search("".join(group[0].headings[:depth][-1:])) is not None for group in groups]
    return [count * (_LESS if plain else 1.0) for count, plain in zip(articles, general, strict=True)]


def _room(group: Sequence[Passage]) -> int:
    """How many bullets a group may have: one for each sentence, more for one that is long or has parts between semicolons."""
    plain = [passage.sentence.plain for passage in group]
    return sum(max(len(_PARTS.split(text.strip("；;"))), -(-len(text) // LONGEST)) for text in plain)
