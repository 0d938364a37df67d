"""A question and what was found for it in, the list that the documents announce for it and its statements out.

What announces (``应当落实下列工作：``) says nothing by itself: where that is what was found, or its items are, both are given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.finding.marked import names_noun
from assistant.question.frames import find_count
from assistant.question.weigh import Weighing
from assistant.reading.announced import Item, Listing, find_listings
from assistant.reading.clauses import split_clauses
from assistant.reading.rules import asks_rule, find_rule
from assistant.types import Asks, Kind, Passage, Question
from vectorstore.types import ParsedDocument

_AS_GOOD = 0.7  # of the best sentence's share of the question, what one that announces has to hold
_SUBJECT = 0.5  # share of the question, without the noun for its items, that what announces has to hold
_EVEN, _FEW = 0.01, 2  # sentences that hold as much as the best one
_MOSTLY = 0.6  # of what was found, what has to be items of one list
_GAIN = 0.1  # share of the question that an item adds which it is about
_RULES = re.compile("的[,，].*(?:责令|罚|处[以分理]|批准|关闭|不予|不得|取消|撤销|应当|可以)")
_CONDITION = re.compile("的[;；。]?$")
_WHOLE = 140  # characters up to which an item is quoted whole
_TAIL = re.compile(r"[\s。;；:：]+$")
_KINDS = (Kind.LIST, Kind.FACT, Kind.SUMMARY, Kind.YES_NO)


def find_listing(
    question: Question, passages: Sequence[Passage], documents: Sequence[ParsedDocument], weighing: Weighing
) -> Listing | None:
    """The list that answers: the one that the best sentence announces, or whose items are what was found."""
    if not passages or question.kind not in _KINDS or question.asks in (Asks.QUANTITY, Asks.YEAR):
        return None
    sources = {passage.sentence.source for passage in passages}
    listings = [one for d in documents if d.document.source in sources for one in find_listings(d.sentences)]
    if question.kind is Kind.SUMMARY or passages[0].headings:
        return next((one for one in listings if _is_told(one, question, passages)), None)
    least = _AS_GOOD * passages[0].coverage
    asked = find_count(question.focus)
    subject = Weighing(tuple(t for t in weighing.terms if asked is None or t.text != asked["noun"]))
    leading = {p.sentence.id for p in passages if p.coverage >= least} if question.kind is Kind.LIST else set()
    even = sum(passage.coverage >= passages[0].coverage - _EVEN for passage in passages)
    told = [one for one in listings if one.lead[-1].id in leading and names_noun(asked, one.told)]
    if not told and (question.kind is not Kind.LIST or even <= _FEW):  # what many sentences hold announces nothing
        told = [one for one in listings if one.lead[-1].id == passages[0].sentence.id]
    told = [one for one in told if not subject.terms or subject.coverage(one.text) >= _SUBJECT]
    found = next((one for one in told if weighing.coverage(one.text) >= least), None)
    if question.kind is Kind.LIST:
        return found
    if found or (found := _find_ruled(listings, passages[0])):
        return _narrow(found, weighing)
    return _find_joined(question, passages[0], documents)


def _find_joined(question: Question, best: Passage, documents: Sequence[ParsedDocument]) -> Listing | None:
    """A rule that semicolons cut into sentences, told as a list of what it says."""
    if not asks_rule(question.focus):
        return None
    own = next((d.sentences for d in documents if d.document.source == best.sentence.source), ())
    rule = find_rule(own, best.sentence)
    return Listing(rule[:1], rule[0].plain, tuple(Item((one,)) for one in rule[1:])) if rule else None


def _find_ruled(listings: Sequence[Listing], best: Passage) -> Listing | None:
    """Of a rule that has items (有下列行为之一的,责令…) the one that was found: what follows from it stands in what announces."""
    for listing in listings:
        for item in listing.items:
            if (
                best.sentence.id == item.sentences[0].id
                and _RULES.search(listing.told)
                and _CONDITION.search(item.text)
            ):
                return replace(listing, items=(item,))
    return None


def _is_told(listing: Listing, question: Question, passages: Sequence[Passage]) -> bool:
    """Whether what was found is little else than the items, or holds them all and what announces them is what was asked for."""
    found = {passage.sentence.id for passage in passages}
    items = {sentence.id for item in listing.items for sentence in item.sentences}
    told, named = len(found & items), names_noun(find_count(question.focus), listing.told)
    return (named and told == len(items)) or (told >= _MOSTLY * len(items) and told >= _MOSTLY * len(found))


def _narrow(listing: Listing, weighing: Weighing) -> Listing:
    """Of a rule (有下列行为之一的,责令…) the items that the question is about, where it names what they say."""
    if not _RULES.search(listing.told):
        return listing
    held = weighing.coverage(listing.text)
    gains = [weighing.coverage(f"{listing.text}\n{item.text}") - held for item in listing.items]
    named = tuple(item for item, gain in zip(listing.items, gains, strict=True) if gain >= max(_GAIN, max(gains)))
    return replace(listing, items=named) if named else listing


def show_listing(listing: Listing, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """What announces and the items as passages, and behind them what else was found."""
    best = passages[0]
    told = {s.id: s for s in (*listing.lead, *(s for item in listing.items for s in item.sentences))}
    own = [Passage(0, sentence, best.score, best.coverage, headings=best.headings) for sentence in told.values()]
    rest = [passage for passage in passages if passage.sentence.id not in told]
    return tuple(replace(passage, number=n) for n, passage in enumerate([*own, *rest], 1))


def compose_listing(listing: Listing) -> Composition:
    """The announcement, and every item, each cited."""
    lead, items = listing.lead[-1], list(listing.items)
    told = listing.told
    if items[0].start:  # announcement and first item are one sentence
        whole = lead.plain if len(lead.plain) <= _WHOLE else ""
        told, items = (whole, items[1:]) if whole else (told, items)
    quotes = [(told, lead), *((item.sentences[0].plain[item.start :], item.sentences[0]) for item in items)]
    return Composition(
        Layout.BULLETS, tuple(Statement(None, frame(lead), _shorten(quote), sentence) for quote, sentence in quotes)
    )


def _shorten(text: str) -> str:
    """A text of moderate length whole, of a longer one as many clauses from its end backwards as fit: what is said stands there."""
    text = _TAIL.sub("", text.strip())
    if len(text) <= _WHOLE:
        return text
    clauses = split_clauses(text)
    first = next((c.start for c in clauses if c.opens and len(text) - c.start <= _WHOLE), clauses[-1].start)
    return text[first:]
