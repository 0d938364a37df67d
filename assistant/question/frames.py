"""A normalised question in, the same without the words that only ask out: what is left is what it is about.

``给领导写个简要``, ``各说一句``, ``记者想问`` say how the answer is wanted and by whom; no document speaks of them. The wordings
stand in ``lexicon.toml``; none takes a word that may be the subject.
"""

from __future__ import annotations

import re
from functools import cache

from assistant.reading.lexicon import load_lexicon

# Years behind 比 that a figure is measured from, as in 比2015年下降40%: part of the statement, and nothing that is compared.
_BASE_YEAR = re.compile(
    r"比(?:19|20)\d\d年?(?:的)?(?:同期|水平|底|末)?(?=[^,。?;]{0,8}?(?:下降|降低|减少|增长|增加|提高|上升|提升))"
)

# Things that a text counts: 4条原则, 哪几项举措.
_NOUNS = (
    "原则|举措|措施|任务|方面|要求|目标|条件|情形|事项|手段|问题|困难|挑战|工程|行动|工作|内容|重点|机制|标准|关系"
    "|大事|事|做法|经验|建议|结论|途径|方式|环节|领域|职责|权利|义务|特点|特征|优势|亮点"
)
COUNTS = re.compile(
    r"(?:(?<![\d十])(?P<number>\d{1,2}|[两二三四五六七八九十])(?=条(?!件)|[项个大点件种类])|哪?几|哪些|什么)(?:条(?!件)|[项个大点件种类])?"
    rf"(?:主要|重点|具体|基本|重大)?的?(?P<noun>{_NOUNS})?"
)
# A part of a document, by its number or as such.
PART = re.compile(r"第(\d+)(部分|章|节|篇|编)|[(（]([\d一二三四五六七八九十]+)[)）]")
_NAMES_PART = re.compile("部分|[1那这]章|[1那这]节|[那这]块|章节")


def names_part(normal: str) -> bool:
    """Whether a question names a part of a document by its number or as a part."""
    return PART.search(normal) is not None or _NAMES_PART.search(normal) is not None


def find_count(normal: str) -> re.Match[str] | None:
    """What a question counts: the 3个特点 of 81个试点的3个特点, else the first number or question word that counts."""
    found = list(COUNTS.finditer(normal))
    return next((match for match in found if match["noun"]), found[0] if found else None)


def counts_things(normal: str) -> bool:
    """Whether a question wants things that a text counts, as many as it says: 4条原则."""
    counted = find_count(normal)
    return counted is not None and bool(counted["number"] and counted["noun"])


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(wording) for wording in load_lexicon().frames)


def drop_frames(normal: str) -> str:
    """Take the wordings that only ask out of a normalised question; it stays as it is where nothing else would be left."""
    left = normal
    for pattern in _patterns():
        left = pattern.sub(" ", left)
    return left if left.strip(" ,。?!的") else normal


def drop_base_years(normal: str) -> str:
    """Take out the years that a figure is measured from."""
    return _BASE_YEAR.sub("比", normal)
