"""The documents in, their paragraphs out, each with the headings that it stands under and without what only carries the document.

A numbered line of its own is a heading too; in a text without line breaks headings stand in the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from assistant.reading.announced import find_item_lines
from assistant.reading.formal import VOCATIVE, is_formal
from assistant.reading.kept import keep
from assistant.reading.wholes import is_around
from vectorstore.types import ParsedDocument, Scope, Sentence

_NUMBERED = re.compile(r"^\s*(?:[(（][一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+、)")
_BRACKETED = re.compile(r"^\s*[(（][一二三四五六七八九十]+[)）]")
_CHAPTER = re.compile(r"(?:^|\s)(第[一二三四五六七八九十]+章\s+(?:\S\s\S|\S{2,20}))\s+第[一二三四五六七八九十]+条")
_ARTICLE = re.compile(r"^第[一二三四五六七八九十百]+条\s")
_LAST = re.compile(
    r"(?:^|(?<=\s))([一二三四五六七八九十]+、[^\s,，。；;：:、]{2,20})$"
)  # the sentence behind it is under it
_LONGEST_HEADING = 40
_RUN_IN = re.compile(r"^\s*(?:\d{1,2}[.．、](?!\d)|[(（]\d{1,2}[)）])\s*[^\d:：,，;；]{3,20}。?$")
# The same as documents count what stands right below their sections: rarer, and as telling as a heading of its own line.
_BRACKETED_IN = re.compile(r"^\s*[(（][一二三四五六七八九十]{1,3}[)）]\s*[^\d:：,，;；]{3,20}。?$")
_TOPIC = 24  # characters of a small heading in the line


@dataclass(frozen=True, slots=True)
class Stretch:
    """A paragraph with the headings that it stands under."""

    headings: tuple[str, ...]  # from the outermost to its own
    sentences: tuple[Sentence, ...]
    announced: str = ""  # what is said before it of all of it

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join(sentence.plain for sentence in self.sentences)


def list_stretches(documents: Sequence[ParsedDocument], scope: Scope) -> Iterator[Stretch]:
    """Cut documents into paragraphs, each with its headings; a numbered line of its own is a heading too.

    In a text without line breaks headings stand in the line: they open paragraphs there, and articles do.
    """
    for parsed in documents:
        for stretch in _cut_document(parsed):
            told = tuple(one for one in stretch.sentences if scope.allows(one) and not one.only_asks)
            if told:
                yield stretch if len(told) == len(stretch.sentences) else Stretch(stretch.headings, told)


@keep
def _cut_document(parsed: ParsedDocument) -> tuple[Stretch, ...]:
    """All paragraphs of a document, without what only carries it."""
    cut: list[Stretch] = []
    headings: tuple[str, ...] = ()
    section, inline = -1, ""
    items = find_item_lines(parsed.sentences)  # they are counted like headings
    for (number, _), group in groupby(parsed.sentences, key=lambda s: (s.section, s.paragraph)):
        sentences = tuple(group)
        if number != section:
            own = parsed.sections[number].headings
            title = () if own[:1] == (parsed.document.title,) else (parsed.document.title,)
            headings, section = (*title, *own), number
            below = bool(headings[1:]) and all(_BRACKETED.match(heading) for heading in headings[1:])
            inline = inline if below else ""
            headings = (headings[0], inline, *headings[1:]) if inline else headings
        if VOCATIVE.match(sentences[0].plain) and _BRACKETED.match(headings[-1]):
            headings = headings[:-1]  # a speech turns to something else, and no longer to its last small heading
        if _is_heading(sentences) and sentences[0].id not in items:
            above = headings[:-1] if _BRACKETED.match(headings[-1]) else headings
            headings = (*above, sentences[0].plain.strip().rstrip("。"))
            continue
        for heading, part in _cut_inline(sentences):
            if heading:
                inline, headings = heading, (headings[0], heading)
            if told := tuple(s for s in part if not is_formal(s.plain) and not is_around(s.plain)):
                cut.append(Stretch(headings, told))
    return tuple(cut)


def _cut_inline(sentences: Sequence[Sentence]) -> Iterator[tuple[str, list[Sentence]]]:
    """Cut a paragraph at the headings and articles that stand in it; the heading is empty where none opens."""
    heading, part = "", list[Sentence]()
    for sentence in sentences:
        chapter, last = _CHAPTER.search(sentence.plain), _LAST.search(sentence.plain)
        if chapter or _ARTICLE.match(sentence.plain):
            yield heading, part
            heading, part = (chapter[1] if chapter else ""), []
        if last is None or last.start():
            part.append(sentence)
        if last:
            yield heading, part
            heading, part = last[1], []
    yield heading, part


def _is_heading(sentences: Sequence[Sentence]) -> bool:
    first = sentences[0].plain
    return len(sentences) == 1 and len(first) <= _LONGEST_HEADING and _NUMBERED.match(first) is not None


def list_titled(documents: Sequence[ParsedDocument], scope: Scope) -> list[Stretch]:
    """All paragraphs; a numbered short sentence that opens one (``1.保护湖泊。``) is its heading too."""
    titled = []
    for stretch in list_stretches(documents, scope):
        opening = stretch.sentences[0].plain
        named = len(stretch.sentences) > 1 and (is_run_in(opening) or _BRACKETED_IN.match(opening) is not None)
        titled.append(replace(stretch, headings=(*stretch.headings, opening.rstrip("。 "))) if named else stretch)
    return titled


def is_run_in(opening: str) -> bool:
    """Whether a sentence, or a heading made of one, is a numbered short one that names what follows it."""
    return len(opening) <= _TOPIC and _RUN_IN.match(opening) is not None
