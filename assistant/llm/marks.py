"""A question and a sentence in, the sentence cut where it begins or ceases to say what the question says.

What both have is marked, and what the question calls by another name than documents do (药费 in a sentence, 药钱 in the question):
a reader as small as ours does not know that by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from assistant.reading.thesaurus import find_edges, find_meanings, find_wordings
from vectorstore.normalize import normalize

_NUMBER = re.compile(r"\d+")
_SHORT = 3  # characters; another name as short as this has to be a word of the sentence, and no part of two
# Two characters that touch one of these are no match: they are in almost every sentence.
_EMPTY_WORDS = frozenset(" ，。、；：？！“”（）()《》\"'.?!:;,的了是")


def split_matches(sentence: str, question: str) -> list[tuple[str, bool]]:
    """Cut a sentence where it begins or ceases to match the question; joined, the pieces are the sentence."""
    matches = [False] * len(sentence)
    for start, end in (*_find_shared(sentence, question), *_find_other_names(sentence, question)):
        matches[start:end] = [True] * (end - start)
    cuts = [i for i in range(1, len(sentence)) if matches[i] != matches[i - 1]]
    edges = [0, *cuts, len(sentence)]
    return [(sentence[i:j], matches[i]) for i, j in pairwise(edges) if j > i]


def _find_shared(sentence: str, question: str) -> Iterator[tuple[int, int]]:
    """Two characters or more that stand in both, and whole numbers."""
    pairs = {a + b for a, b in pairwise(question) if a not in _EMPTY_WORDS and b not in _EMPTY_WORDS}
    numbers = set(_NUMBER.findall(question))
    for i, (a, b) in enumerate(pairwise(sentence)):
        if a + b in pairs:
            yield i, i + 2
    for found in _NUMBER.finditer(sentence):
        if found.group() in numbers:
            yield found.span()


def _find_other_names(sentence: str, question: str) -> Iterator[tuple[int, int]]:
    """What documents call the things that the question names."""
    edges: frozenset[int] | None = None
    for name in _other_names(question):
        start = sentence.find(name)
        while start >= 0:
            end = start + len(name)
            if len(name) <= _SHORT and edges is None:
                edges = find_edges(sentence)
            if len(name) > _SHORT or (edges is not None and {start, end} <= edges):
                yield start, end
            start = sentence.find(name, start + 1)


@lru_cache(maxsize=256)
def _other_names(question: str) -> tuple[str, ...]:
    names = {name for wording in find_wordings(normalize(question)) for name in find_meanings(wording.text)}
    return tuple(sorted(name for name in names if len(name) > 1 and "…" not in name))
