"""Sentences of a document -> the same, of which those of an answer know the question that they answer.

Notices, interpretations and interviews speak in questions and answers: ``问：…？`` and ``答：…``, ``Q1：`` and ``A1：``, a reporter
and whom he asks, headings that end with a question mark. ``不能。`` says something only together with what was asked. So every
sentence of an answer holds its question, with the place where that stands, and the question holds itself: it says nothing.

The marks of the speakers are markup: what is read (``plain``) is without them, what stands in the file (``quote``) has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from vectorstore.markup import Block, Layout
from vectorstore.types import Asked, Section, Sentence

_COUNT = r"[一二三四五六七八九十\d]{0,3}"
_DRESS = r"(?:[*_\s#]|<[^<>]*>)*"  # marks of Markdown and HTML between the letters that a reader sees
_NUMBER = r"(?:(?:[一二三四五六七八九十]{1,3}|\d{1,2})\s*[、.．](?!\d)|[（(][一二三四五六七八九十\d]{1,3}[)）])"
# Who writes 问： asks, whatever follows; a reporter may only be named as the author, and a 问题一 may be a trouble.
_SURELY_ASKS = rf"问|提问|[Qq]{_COUNT}|[Qq]uestion\s*{_COUNT}|问{_COUNT}"
_MAY_ASK = rf"问题{_COUNT}|(?:网友|群众|居民|市民|企业|读者|来信人)?(?:提问|问|咨询|留言|来信)|网友|市民|记者|主持人"
_ANSWERS = rf"答{_COUNT}|(?:官方|统一|部门)?(?:答复|回答|回复|解答|回应)|[Aa]{_COUNT}|[Aa]nswer\s*{_COUNT}|(?:新闻)?发言人|(?:有关)?负责人"
_LONGEST_LINE = 60  # characters of a question that nothing but its mark shows to be one
_LEAST_LINES = 2  # of such questions with an answer each: a single one is the author's own
_QUESTION_ENDS = ("？", "?")
_CLOSERS = "”’\"' ）)*"
_PLEASE = re.compile("请(?:问|您|你|简要|具体|详细|再)*[^，。]{0,6}(?:介绍|谈|说|讲|解释|解读|阐述|透露|分享)")


def _mark(words: str) -> re.Pattern[str]:
    """How a speaker is marked at the head of a sentence: ``问：``, ``【问】``, ``**Q1：**``, ``3.问：``."""
    spread = rf"{_DRESS}(?:{_NUMBER}{_DRESS})?"
    return re.compile(rf"{spread}(?:[【\[](?:{words})[】\]]{_DRESS}[：:]?|(?:{words}){_DRESS}[：:]){_DRESS}")


_SURE, _LIKELY, _ANSWER = _mark(_SURELY_ASKS), _mark(_MAY_ASK), _mark(_ANSWERS)
_COUNTED = re.compile(rf"{_DRESS}(?:{_NUMBER}|[Qq]\d{{0,3}}[.．、]){_DRESS}")


@dataclass(slots=True)
class _Turn:
    """A question and its answer while they are being read, by the positions of their sentences."""

    asking: list[int]
    answer: list[int] = field(default_factory=list)
    sure: bool = True


def mark_asked(sentences: Sequence[Sentence], sections: Sequence[Section], layout: Layout) -> tuple[Sentence, ...]:
    """Give every sentence of an answer its question; a line that is nothing but a speaker's mark goes with the question."""
    turns = list(_read_turns(sentences)) or list(_read_lines(sentences))
    _shorten_last(turns, sentences)
    found: dict[int, Asked] = {}
    own = list(sentences)
    for turn in turns:
        own[turn.asking[0]] = _without(own[turn.asking[0]], (_SURE, _LIKELY, _COUNTED))
        if turn.answer:
            own[turn.answer[0]] = _without(own[turn.answer[0]], (_ANSWER,))
        asked = _ask(own, turn.asking)
        found |= dict.fromkeys((*turn.asking, *turn.answer), asked)
    for position, asked in _read_headings(own, sections, layout):
        found.setdefault(position, asked)
    return tuple(replace(one, asked=found[n]) if n in found else one for n, one in enumerate(own))


def _read_turns(sentences: Sequence[Sentence]) -> Iterator[_Turn]:
    """Questions and answers whose speakers are marked."""
    turn: _Turn | None = None
    for position, sentence in enumerate(sentences):
        before = sentences[position - 1] if position else None
        if before is not None and before.section != sentence.section:
            yield from _close(turn, sentences)
            turn = None
        if (sure := bool(_SURE.match(sentence.plain))) or _LIKELY.match(sentence.plain):
            yield from _close(turn, sentences)
            turn = _Turn([position], sure=sure)
        elif turn is None:
            continue
        elif not turn.answer and (_is_bare(sentence.plain) or all(_is_bare(sentences[n].plain) for n in turn.asking)):
            turn.asking.append(position)
        elif turn.answer or _ANSWER.match(sentence.plain) or (before and before.paragraph != sentence.paragraph):
            turn.answer.append(position)
        else:
            turn.asking.append(position)
    yield from _close(turn, sentences)


def _close(turn: _Turn | None, sentences: Sequence[Sentence]) -> Iterator[_Turn]:
    """Keep of a question's sentences those that ask; what follows them in their paragraph answers where nothing else does."""
    if turn is None:
        return
    spoken = [n for n in turn.asking if not _is_bare(sentences[n].plain)]
    asking = [n for n in spoken if _asks(sentences[n].plain)]
    if not spoken or (not asking and not turn.sure):
        return
    asking = asking or spoken[-1:]
    answer = turn.answer or [n for n in spoken if n > asking[-1]]
    if answer:
        yield _Turn(
            list(range(asking[0], answer[0])) if turn.answer else list(range(asking[0], asking[-1] + 1)), answer
        )


def _read_lines(sentences: Sequence[Sentence]) -> Sequence[_Turn]:
    """Questions that stand on a line of their own, each with the paragraphs up to the next or up to a heading."""
    turns: list[_Turn] = []
    turn: _Turn | None = None
    for (section, _), group in groupby(enumerate(sentences), key=lambda one: (one[1].section, one[1].paragraph)):
        members = [number for number, _ in group]
        if turn is not None and sentences[turn.asking[0]].section != section:
            turn = None
        line = sentences[members[0]].plain
        if len(members) == 1 and len(line) <= _LONGEST_LINE and _ends_asking(line):
            turn = _Turn(members)
            turns.append(turn)
        elif turn is not None:
            turn.answer += members
    answered = [one for one in turns if one.answer]
    return answered if len(answered) >= _LEAST_LINES else ()


def _shorten_last(turns: Sequence[_Turn], sentences: Sequence[Sentence]) -> None:
    """The last answer of a document is no longer than the others: behind it stand its date and who signed it."""
    if not turns or turns[-1].answer[-1] != len(sentences) - 1:
        return
    most = max((_count_paragraphs(turn, sentences) for turn in turns[:-1]), default=1)
    kept = list(dict.fromkeys(sentences[n].paragraph for n in turns[-1].answer))[:most]
    turns[-1].answer = [n for n in turns[-1].answer if sentences[n].paragraph in kept]


def _count_paragraphs(turn: _Turn, sentences: Sequence[Sentence]) -> int:
    return len({sentences[n].paragraph for n in turn.answer})


def _read_headings(
    sentences: Sequence[Sentence], sections: Sequence[Section], layout: Layout
) -> Iterator[tuple[int, Asked]]:
    """The sentences below headings that ask, with what these ask."""
    for number, group in groupby(enumerate(sentences), key=lambda one: one[1].section):
        members = list(group)
        headings = sections[number].headings
        if not headings or not (_ends_asking(headings[-1]) or _SURE.match(headings[-1])):
            continue
        first = members[0][1].start
        above = (b for b in layout.blocks if sections[number].start <= b.start < first)
        heading = next((b for b in above if " ".join(b.plain.split()) == headings[-1]), None)
        if heading is not None:
            asked = _ask_heading(heading)
            yield from ((position, asked) for position, _ in members)


def _ask_heading(heading: Block) -> Asked:
    mark = _SURE.match(heading.plain) or _LIKELY.match(heading.plain) or _COUNTED.match(heading.plain)
    begin = mark.end() if mark and mark.end() < len(heading.plain) else 0
    return Asked(heading.starts[begin], heading.end, heading.plain[begin:])


def _ask(sentences: Sequence[Sentence], asking: Sequence[int]) -> Asked:
    first, last = sentences[asking[0]], sentences[asking[-1]]
    return Asked(first.start, last.end, "".join(sentences[n].plain for n in asking if not _is_bare(sentences[n].plain)))


def _asks(plain: str) -> bool:
    return _ends_asking(plain) or _PLEASE.search(plain) is not None


def _ends_asking(plain: str) -> bool:
    return plain.rstrip(_CLOSERS).endswith(_QUESTION_ENDS)


def _is_bare(plain: str) -> bool:
    """Whether a line is nothing but the mark of a speaker, whose words begin below it."""
    return any(mark.fullmatch(plain) for mark in (_SURE, _LIKELY, _ANSWER))


def _without(sentence: Sentence, marks: Iterable[re.Pattern[str]]) -> Sentence:
    """Read a sentence without the mark of who speaks; its quote stays as it stands in the file."""
    for mark in marks:
        read = mark.match(sentence.plain)
        if read and read.end() < len(sentence.plain):
            return replace(sentence, plain=sentence.plain[read.end() :])
    return sentence
