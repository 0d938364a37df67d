"""Sentences that were found in, each with what it cannot be read without out: announcement, condition, the question it answers.

``逾期不改正的，处一万元以上五万元以下罚款`` says of what only together with the sentence before it, and ``（五）未按培训制度进行培训的``
what follows only with the one that announces it. For finding and weighing such sentences are one text; cited is the one that answers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.question.weigh import Weighing
from assistant.reading.announced import Listing, find_listings
from assistant.reading.formal import states_figure
from assistant.reading.rules import RULE, find_rule
from vectorstore.types import Hit, ParsedDocument, Scope, Sentence

_NEAR = 30  # sentences on either side that belong to one list or rule at most
_SHORT = 120  # characters of an announcement that is read with each of its items
_LESS = 0.9  # of its score, what a sentence that is bound to one that was found has


def add_bound(hits: Sequence[Hit], documents: Sequence[ParsedDocument], scope: Scope) -> list[Hit]:
    """The hits, and what follows from those that state a condition, which need not hold their words: both say one thing."""
    found = {hit.sentence.id: hit for hit in hits}
    for hit, near in _look_around(hits, documents):
        for one in _follow(hit.sentence, near):
            if scope.allows(one):
                found[one.id] = lend(hit, found.get(one.id, Hit(one, 0.0)), _LESS)
    return list(found.values())


def lend(hit: Hit, own: Hit, share: float) -> Hit:
    """A sentence with its own scores, or with a share of those of the one that it is read with, where these are higher."""
    return Hit(
        own.sentence,
        max(own.score, share * hit.score),
        max(own.lexical, share * hit.lexical),
        max(own.dense, share * hit.dense),
    )


def _follow(sentence: Sentence, near: Sequence[Sentence]) -> Iterator[Sentence]:
    """The rest of a rule; of an item of one its announcement, where that stands elsewhere."""
    yield from (one for one in find_rule(near, sentence) if one.start > sentence.start)
    listing = _find_listing(sentence, near)
    if listing is not None and RULE.search(listing.told):
        yield from listing.lead


def widen(hits: Sequence[Hit], documents: Sequence[ParsedDocument], weighing: Weighing) -> list[Hit]:
    """The hits with the text that they are read with."""
    return [
        replace(hit, sentence=replace(hit.sentence, plain=_read_whole(hit.sentence, near, weighing)))
        for hit, near in _look_around(hits, documents)
    ]


def _read_whole(sentence: Sentence, near: Sequence[Sentence], weighing: Weighing) -> str:
    """A sentence with the question that it answers before it, and with what says one thing with it."""
    asked = sentence.asked.plain if sentence.asked else ""
    return f"{asked}{_read_with_others(sentence, near, weighing)}"


def _read_with_others(sentence: Sentence, near: Sequence[Sentence], weighing: Weighing) -> str:
    listing = _find_listing(sentence, near)
    if listing is not None and sentence.id == listing.lead[-1].id and RULE.search(listing.told):
        before = "".join(one.plain for one in listing.lead[:-1])
        # Of what a rule lists that which the question is about; what the first item says is no other's.
        own = listing.items[:1] if listing.items[0].start and not states_figure(listing.told) else listing.items
        best = max(own, key=lambda item: weighing.coverage(item.text))
        return f"{before}{listing.told}{best.text}"
    if listing is not None and sentence.id != listing.lead[-1].id and len(listing.told) <= _SHORT:
        return f"{listing.told}{sentence.plain}"
    rule = find_rule(near, sentence)
    return "".join(one.plain for one in rule if one.start <= sentence.start) or sentence.plain


def _find_listing(sentence: Sentence, near: Sequence[Sentence]) -> Listing | None:
    """The list that a sentence announces, or is an item of."""
    for listing in find_listings(near):
        if sentence.id in {one.id for one in listing.lead}:
            return listing
        if any(sentence.id == one.id for item in listing.items for one in item.sentences):
            return listing
    return None


def _look_around(
    hits: Sequence[Hit], documents: Sequence[ParsedDocument]
) -> Iterator[tuple[Hit, tuple[Sentence, ...]]]:
    """Each hit with the sentences around it."""
    by_source = {parsed.document.source: parsed.sentences for parsed in documents}
    for hit in hits:
        own = by_source[hit.sentence.source]
        at = bisect_left(own, hit.sentence.start, key=lambda other: other.start)
        yield hit, tuple(own[max(0, at - _NEAR) : at + _NEAR])
