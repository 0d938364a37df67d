"""Text -> the terms that stand for it in the lexical index and in hashed vectors.

Chinese is written without spaces and a segmenter cuts the same characters differently in different company: 特高压
may be one word in a question and part of 特高压通道 in the text. So a text is indexed by its words *and* by every
character and pair of characters of its Chinese runs: whatever stands in a text shares at least one term with it.
"""

from __future__ import annotations

import re
from functools import lru_cache

import rjieba

from vectorstore.normalize import normalize

_CJK = "〇々㐀-䶿一-鿿豈-﫿\U00020000-\U000323af"
# The dictionary is older than this word: it is cut into 中 and 和, which say nothing, and would be lost.
rjieba.add_word("碳中和", 100, "n")

# Tags of the segmenter's dictionary for words that say nothing by themselves.
_FUNCTION_TAGS = frozenset({"r", "rr", "rz", "p", "c", "u", "uj", "ul", "uv", "ud", "ug", "uz"}) | frozenset(
    {"y", "e", "o", "d", "df", "x", "zg", "k", "f"}
)

_RUN = re.compile(
    rf"(?P<cjk>[{_CJK}]+)"
    r"|(?P<number>\d+(?:\.\d+)*)"
    rf"|(?P<latin>[^\W\d_{_CJK}][^\W_{_CJK}]*)"
)


def cut(text: str) -> list[str]:
    """Cut a text as it stands into dictionary words and what lies between them; together they are the text."""
    return list(rjieba.cut(text, False))


def words(text: str) -> list[str]:
    """Cut a text into normalised words, long words also into their parts; punctuation is dropped."""
    return [word for word in rjieba.cut_for_search(_normal(text)) if any(c.isalnum() for c in word)]


def tag_words(text: str) -> list[tuple[str, str]]:
    """Cut a text into normalised words with the part of speech that the segmenter's dictionary gives each."""
    return [(str(word), str(tag)) for word, tag in rjieba.tag(_normal(text))]


def cut_tagged(text: str) -> list[tuple[str, str]]:
    """Cut a text as it stands into words with the part of speech of each; together they are the text."""
    return [(str(word), str(tag)) for word, tag in rjieba.tag(text)]


def content_words(text: str) -> list[str]:
    """Cut a text into the normalised words that carry meaning: no pronouns, particles, prepositions and the like."""
    tagged = rjieba.tag(_normal(text))
    return [word for word, tag in tagged if tag not in _FUNCTION_TAGS and any(map(str.isalnum, word))]


def is_word(text: str) -> bool:
    """Whether the segmenter's dictionary has a text as a word; what it cuts out without having it is a guess."""
    return bool(rjieba.has_word(text))


def leading_verb(text: str) -> str:
    """Give the verb that a clause opens with, or nothing: 新增 of 新增森林3万亩."""
    for word, tag in rjieba.tag(text.strip()):
        if tag.startswith("v"):
            return str(word)
        if tag not in ("d", "c", "p", "x"):
            break
    return ""


def index_terms(text: str) -> list[str]:
    """Give the terms under which a text is found: words, characters and pairs of Chinese runs, numbers, Latin words."""
    return _terms(text, singles=True)


def query_terms(text: str) -> list[str]:
    """Give the terms to look a text up by: as :func:`index_terms`, single characters only where they stand alone."""
    return _terms(text, singles=False)


def runs(text: str) -> list[str]:
    """Cut a text into normalised stretches without punctuation: Chinese runs, numbers, Latin words."""
    return [match.group() for match in _RUN.finditer(_normal(text))]


def phrase(text: str) -> str:
    """Normalise a text to compare it as a whole: no punctuation or space at its ends."""
    found = list(_RUN.finditer(plain := _normal(text)))
    return plain[found[0].start() : found[-1].end()] if found else ""


def contains(text: str, term: str) -> bool:
    """Say whether a term stands in a text, both as :func:`phrase` gives them.

    It does not where it is only a part of a longer number or Latin word: 12 in 120, AI in MAIL.
    """
    start = text.find(term) if term else -1
    while start >= 0:
        if not _goes_on(text, start, term[0], -1) and not _goes_on(text, start + len(term) - 1, term[-1], 1):
            return True
        start = text.find(term, start + 1)
    return False


# One text is asked for in several forms one after the other.
_normal = lru_cache(maxsize=256)(normalize)


def _terms(text: str, *, singles: bool) -> list[str]:
    plain = _normal(text)
    terms = [word for word in words(text) if len(word) > 1 and re.search(f"[{_CJK}]", word)]
    for match in _RUN.finditer(plain):
        run = match.group()
        if match["cjk"]:
            terms += [run[i : i + 2] for i in range(len(run) - 1)]
            terms += run if singles or len(run) == 1 else ()
        else:
            terms.append(run)
        if match["number"]:
            terms.append(run + _unit(plain, match.end()))
    return terms


def _unit(plain: str, end: int) -> str:
    # 120座 is a better key than 120 alone; a percent sign is a unit too.
    following = plain[end : end + 1]
    return following if following.isalnum() or following == "%" else "#"


def _goes_on(text: str, at: int, edge: str, step: int) -> bool:
    beside = text[at + step] if 0 <= at + step < len(text) else ""
    if edge.isdigit():
        further = text[at + 2 * step] if 0 <= at + 2 * step < len(text) else ""
        return beside.isdigit() or (beside == "." and further.isdigit())
    return edge.isascii() and edge.isalpha() and beside.isascii() and beside.isalpha()
