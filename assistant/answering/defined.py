"""A question for what a word means and the documents in, the sentences that define just that word out.

``什么是公共机构`` is answered by ``公共机构，是指……``, and not by what such bodies have to do, however often these name the word.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from assistant.answering.compose import Composition, Layout, Statement, frame
from assistant.question.meaning import read_meaning
from assistant.question.weigh import Searchable
from assistant.types import Kind, Passage, Question
from vectorstore.normalize import normalize
from vectorstore.types import Sentence

_DEFINES = re.compile(
    r"(?:^|[:：])\s*(?:[(（][^()（）]{1,3}[)）]|第[^条]{1,6}条|\d+[.、])?\s*(?:本[^,，]{2,6}所称的?)?"
    r"[“\"]?(?P<word>[^,，:：“”\"]{2,20}?)[”\"]?\s*[,，]?\s*(?:是指|指的是|系指)"
)
_GOES_ON = re.compile(r"[;；]\s*$")
_ITEM = re.compile("[(（第]")


def find_definition(question: Question, index: Searchable) -> tuple[Sentence, ...]:
    """The sentence that defines what a question asks the meaning of, with what goes on behind its semicolon; else nothing."""
    word = read_meaning(question.focus, len(question.terms))
    if question.kind in (Kind.NONE, Kind.CORPUS, Kind.COMPARE) or not word:
        return ()
    for parsed in index.documents:
        for sentence in parsed.sentences:
            defines = _DEFINES.search(normalize(sentence.plain))
            if defines is None or normalize(defines["word"]) != word or not question.scope.allows(sentence):
                continue
            at = bisect_left(parsed.sentences, sentence.start, key=lambda other: other.start)
            behind = parsed.sentences[at + 1 : at + 2]
            joined = behind and _GOES_ON.search(sentence.plain) and not _ITEM.match(behind[0].plain.strip())
            return (sentence, *behind) if joined else (sentence,)
    return ()


def show_definition(defined: tuple[Sentence, ...]) -> tuple[Passage, ...]:
    """The sentences as passages."""
    return tuple(Passage(number, sentence, 1.0, 1.0) for number, sentence in enumerate(defined, 1))


def compose_definition(defined: tuple[Sentence, ...]) -> Composition:
    """Quote them whole: a definition that is cut leaves out what it does not hold for."""
    said = (Statement(None, frame(one), one.plain.rstrip("。;；"), one) for one in defined)
    return Composition(Layout.PROSE, tuple(said))
