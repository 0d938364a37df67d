"""A stretch of a question in, its telling words out: the segmenter's words without what only holds a sentence together.

The segmenter guesses where it knows no word, and in everyday talk it guesses wrong: it takes an auxiliary for a part of the verb
behind it (想领, 没进), and a noun that begins with a measure word for two (家 + 电厂 for 家电 + 厂). Such guesses are taken apart here,
so that no scrap of two words is looked for in the documents, or named in a refusal as what they do not have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.reading.lexicon import load_lexicon
from vectorstore.segment import content_words, is_word, tag_words

# Auxiliaries and adverbs that the segmenter takes for the beginning of a verb that it does not know.
_BEFORE_VERB = "没不想能会可要得该再就还才只都也很太最更多少乱刚在上下前后被把给"
_BEHIND = "要得"  # auxiliaries that it takes for the end of the word before them: 钱要
_DONE = re.compile("(?<![获取所觉值赢懂记难免省])得$")  # also where its dictionary has the pair: 修得
_NOT = re.compile("^没(?=.$)(?!没[收落入有])")  # also where its dictionary has the pair: 没进, 没办
_COUNTS = re.compile(r"[\d几每各这那哪两半数多]$")
# What came of an action (降下来, 交上去): the action is what documents speak of.
_RESULT = re.compile(r"(?<=[\u4e00-\u9fff])(?:[下上起出回过进][来去])(?=[了的吗呢吧,。? ]|$)")


def find_telling(text: str) -> tuple[list[str], str]:
    """Give the telling words of a text in their order, and the text with a space for all that stands between them."""
    mended = _RESULT.sub(" ", text)
    found: list[str] = []
    kept, end, joins = "", 0, False
    for guessed in content_words(mended):
        word = _take_apart(guessed)
        start = mended.find(word, end)
        if start < 0:
            continue
        told = _tells(word)
        if told:
            found.append(word)
            kept += word if joins and start == end else f" {word}"
        joins, end = told, start + len(word)
    return found, kept.strip()


def _tells(word: str) -> bool:
    lexicon = load_lexicon()
    filler = word in lexicon.stopwords or word in lexicon.chat
    return not filler and word.lstrip("十百千万亿") not in lexicon.units and not word.isdigit()


def mend_measures(text: str) -> str:
    """Set 家电 厂 apart in 家电厂: a measure word without a number before it is none, but begins a word."""
    tagged = tag_words(text)
    out: list[str] = []
    for position, (word, tag) in enumerate(tagged):
        after = tagged[position + 1][0] if position + 1 < len(tagged) else ""
        if (
            tag == "q"
            and len(word) == 1
            and len(after) > 1
            and not _COUNTS.search("".join(out))
            and is_word(word + after[0])
        ):
            tagged[position + 1] = (f" {after[1:]}", tagged[position + 1][1])
            out.append(f" {word}{after[0]}")
        else:
            out.append(word)
    return "".join(out)


def _take_apart(word: str) -> str:
    """Of a verb that the segmenter guessed with what stands before it (想领) the verb."""
    while len(word) > 1 and (_NOT.match(word) or (not is_word(word) and word[0] in _BEFORE_VERB)):
        rest = word[1:]
        if not _is_verb(rest):
            break
        word = rest
    ends = word[-1] in _BEHIND and not is_word(word)
    return word[:-1] if len(word) > 1 and (ends or _DONE.search(word)) else word


def _is_verb(word: str) -> bool:
    tagged: Sequence[tuple[str, str]] = tag_words(word)
    return bool(tagged) and tagged[0][1].startswith(("v", "zg", "q", "m"))
