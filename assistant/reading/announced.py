"""The sentences of a document in, the lists that they announce out: what announces, and each item that follows it.

A list is announced by what ends in a colon (``应当落实下列工作：``) and counted (``（一）``, ``1.``, ``一是``) or cut by semicolons.
Neither part says anything without the other: who asks for the one is given both, and an announcement alone is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vectorstore.types import Sentence

DIGITS = "一二三四五六七八九十"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮"
_BEFORE = r"(?:^|(?<=[:：;；。,，\s]))"
MARK = re.compile(
    rf"{_BEFORE}(?:(?P<is>[{DIGITS}])[是要]|第(?P<nth>[{DIGITS}])(?=[,，、])"
    rf"|[(（](?P<bracket>[{DIGITS}]+)[)）]|(?P<arabic>\d{{1,2}})[.．、](?![\d年月])|[(（](?P<paren>\d{{1,2}})[)）]"
    rf"|(?P<circle>[{_CIRCLED}])|(?P<dash>——))"
)
_ENDS = re.compile(r"[:：]\s*$")
_COUNTED = "困难|问题|不足|做法|措施|举措|原则|条件|要求|内容|情形|材料|职责|任务|目标|特点|方式|标准"
_ANNOUNCES = re.compile(
    rf"(?:(?:下列|以下|如下|[{DIGITS}两几\d](?:项|个|条|件|点|种|类|大|方面)|包括|分别[是为]|主要[有是])[^:：。；;]{{0,16}}"
    rf"|(?:{_COUNTED})(?:主要)?[有是为]?)[:：]"
)
_JOINED = re.compile(r"[;；]\s*$")
_GAP = 4  # sentences of one item
_MOST = 30  # items


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a text counts: the kind of its mark, and the number; 0 for a dash."""

    start: int
    family: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Item:
    """One item: the sentences that tell it. The first may hold the announcement too, up to ``start``."""

    sentences: tuple[Sentence, ...]
    start: int = 0

    @property
    def text(self) -> str:
        """Its words alone."""
        return self.sentences[0].plain[self.start :] + "".join(s.plain for s in self.sentences[1:])


@dataclass(frozen=True, slots=True)
class Listing:
    """What announces, up to its colon, with what semicolons join to it; and the items."""

    lead: tuple[Sentence, ...]
    told: str  # the words of its last sentence up to the colon
    items: tuple[Item, ...]

    @property
    def text(self) -> str:
        """All that announces."""
        return "".join(s.plain for s in self.lead[:-1]) + self.told


def find_marks(plain: str) -> Iterator[Mark]:
    """The marks of a sentence that count; a dash only at its head."""
    for match in MARK.finditer(plain):
        family = match.lastgroup or ""
        if family == "dash" and match.start():
            continue
        yield Mark(match.start(), family, 0 if family == "dash" else _count(match[family]))


def _count(written: str) -> int:
    """The number that a mark stands for."""
    if written.isdecimal() and written.isascii():
        return int(written)
    if written in _CIRCLED:
        return _CIRCLED.index(written) + 1
    tens, ten, ones = written.rpartition("十")
    return (DIGITS.find(tens or "一") + 1) * 10 * bool(ten) + (DIGITS.index(ones) + 1 if ones else 0)


def find_listings(sentences: Sequence[Sentence]) -> Iterator[Listing]:
    """Find the lists of a document, in its order."""
    for at, sentence in enumerate(sentences):
        cut = _find_colon(sentence.plain)
        if cut is None:
            continue
        items = _take_items(sentences, at, cut)
        if len(items) > 1 or (items and items[0].start == 0):
            yield Listing(_join_lead(sentences, at), sentence.plain[:cut].strip(), items)


def find_item_lines(sentences: Sequence[Sentence]) -> frozenset[str]:
    """The ids of the sentences that are whole items: each says all of one, so that none is a heading of what follows it."""
    found: set[str] = set()
    for listing in find_listings(sentences):
        joined = all(_JOINED.search(item.sentences[-1].plain) for item in listing.items[:-1])
        if joined or all(len(item.sentences) == 1 for item in listing.items):
            found |= {sentence.id for item in listing.items for sentence in item.sentences}
    return frozenset(found)


def _find_colon(plain: str) -> int | None:
    """Where the items begin behind the colon of an announcement."""
    if _ENDS.search(plain):
        return len(plain)
    for match in re.finditer(r"[:：]\s*", plain):
        mark = MARK.match(plain, match.end())
        if mark and mark.lastgroup != "dash" and next(find_marks(plain[match.end() :])).ordinal == 1:
            return match.end()
    announced = _ANNOUNCES.search(plain)
    return announced.end() if announced and _JOINED.search(plain) else None


def _take_items(sentences: Sequence[Sentence], at: int, cut: int) -> tuple[Item, ...]:
    own = sentences[at].plain[cut:].strip()
    start = len(sentences[at].plain) - len(sentences[at].plain[cut:].lstrip())
    first, begin = (at, start) if own else (at + 1, 0)
    if first >= len(sentences) or not _together(sentences[at], sentences[first]):
        return ()
    opening = next(find_marks(sentences[first].plain[begin:]), None)
    if opening is not None and opening.start == 0 and opening.ordinal in (0, 1):
        return _take_marked(sentences, first, begin, opening)
    return _take_joined(sentences, first, begin)


def _take_marked(sentences: Sequence[Sentence], first: int, begin: int, opening: Mark) -> tuple[Item, ...]:
    """Items that go on counting; what stands between two of them belongs to the one before."""
    starts = [first]
    for number in range(first + 1, len(sentences)):
        if not _together(sentences[first], sentences[number]) or number - starts[-1] > _GAP or len(starts) == _MOST:
            break
        mark = next(find_marks(sentences[number].plain), None)
        if mark is None or mark.start or mark.family != opening.family:
            continue
        if mark.ordinal != (0 if opening.ordinal == 0 else len(starts) + 1):
            break
        starts.append(number)
    ends = [*starts[1:], starts[-1] + 1]
    return tuple(
        Item(tuple(sentences[one:end]), begin if one == first else 0) for one, end in zip(starts, ends, strict=True)
    )


def _take_joined(sentences: Sequence[Sentence], first: int, begin: int) -> tuple[Item, ...]:
    """Items without marks: one after the other as long as they end in semicolons, and the one behind the last of these."""
    items = [Item((sentences[first],), begin)]
    for number in range(first + 1, len(sentences)):
        before = sentences[number - 1]
        if not _JOINED.search(before.plain) or not _together(before, sentences[number]) or len(items) == _MOST:
            break
        items.append(Item((sentences[number],)))
    return tuple(items) if len(items) > 1 else ()


def _join_lead(sentences: Sequence[Sentence], at: int) -> tuple[Sentence, ...]:
    """The sentence that announces, with those before it that semicolons join to it."""
    start = at
    while start and _JOINED.search(sentences[start - 1].plain) and _same_paragraph(sentences[start - 1], sentences[at]):
        if next(find_marks(sentences[start - 1].plain), None) is not None:
            break  # an item of a list before
        start -= 1
    return tuple(sentences[start : at + 1])


def _same_paragraph(one: Sentence, other: Sentence) -> bool:
    return one.source == other.source and one.paragraph == other.paragraph and one.section == other.section


def _together(one: Sentence, other: Sentence) -> bool:
    return one.source == other.source and one.section == other.section
