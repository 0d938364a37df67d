"""A question in, the things that it speaks of out: whole noun phrases as they stand in it.

A refusal names what the documents do not have. That has to be a thing, whole: 电子废物企业 and not 废物企业, 官方名单 and not 没进官方;
and no verb, no auxiliary and nobody's mother.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from assistant.question.places import find_mentions, goes_on
from assistant.question.telling import mend_measures
from assistant.reading.lexicon import load_lexicon
from assistant.reading.quantities import find_quantities
from vectorstore.segment import is_word, tag_words

_IN_PHRASE = ("n", "vn", "an", "b", "j", "eng", "a", "g")
_LAST = ("n", "vn", "an", "j", "eng", "g")
_NAMES = ("nr", "ns", "nt", "nz")

_ENDS = "号站率量区户机厂费卡证"  # of things
_NO_PART = re.compile("^[往向朝从在把被]|[太很最更的了着过哪几]")
_LEAST = 2  # characters of a phrase


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase and the words that it is made of."""

    text: str
    words: tuple[str, ...]


def find_phrases(normal: str, terms: Collection[str], places: Collection[str] = ()) -> tuple[Phrase, ...]:
    """Find the noun phrases of a normalised question that hold one of its telling words, and not the places that it asks about."""
    named = [m for m in find_mentions(normal, tuple(places)) if not goes_on(normal, m)]
    taken = {n for m in named for n in range(m.start, m.end)}
    taken |= {n for q in find_quantities(normal) if q.text[-1:] != "件" for n in range(q.start, q.end)}
    runs: list[list[tuple[str, str]]] = [[]]
    place = 0
    for word, tag in tag_words(mend_measures(normal)):
        start = normal.find(word, place)
        place = start + len(word) if start >= 0 else place
        if start < 0 or start in taken or not _may_stand(word, tag):
            runs.append([])
        else:
            runs[-1].append((word, tag))
    found = [phrase for run in runs if (phrase := _make_phrase(run, terms))]
    return tuple(p for p in dict.fromkeys(found) if any(t in p.text or p.text in t for t in terms))


def _may_stand(word: str, tag: str) -> bool:
    lexicon = load_lexicon()
    filler = word in lexicon.stopwords or word in lexicon.chat
    # Of two characters that the segmenter takes for a noun by guess (多报) only a name is one; 收点 is a verb with its object's measure.
    guessed = len(word) == 2 and not is_word(word) and not tag.startswith(_NAMES)
    some = len(word) == 2 and word[1] in "点些" and tag_words(word[0])[0][1].startswith("v")
    scrap = not is_word(word) and _NO_PART.search(word)  # 往北方, 娃太少
    return (
        not (filler or guessed or some or scrap or word.endswith("的"))
        and tag.startswith(_IN_PHRASE)
        and word.isalnum()
    )


def _make_phrase(run: list[tuple[str, str]], terms: Collection[str]) -> Phrase | None:
    # A longer word that the segmenter does not know (碳普惠) is a thing, whatever it is taken for.
    while run and not run[-1][1].startswith(_LAST) and (is_word(run[-1][0]) or len(run[-1][0]) <= _LEAST):
        run = run[:-1]
    words = tuple(word for word, _ in run)
    text = "".join(words)
    if len(text) < _LEAST:
        return None
    # 公众号, where the segmenter takes 号 for a measure: the telling word goes on.
    longer = next((term for term in terms if term[:-1] == text and term[-1] in _ENDS), "")
    return Phrase(longer, (longer,)) if longer else Phrase(text, words)
