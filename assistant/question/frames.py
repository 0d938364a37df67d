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


# What asks for all that is said of a field: 在港口方面打算怎么做, 交通领域有哪些进展.
_BROADLY = re.compile(
    r"(?:方面|领域|[这那]1?块)[,]?[^,。?]{0,8}?"
    r"(?:怎么样?|咋|如何|怎样)(?:去|来)?(?:做|干|办|弄|搞|推进?|抓|安排|部署|要求|规定|考虑|打算|扶持|支持|帮扶|发力|推动|落实|展开)"
    r"|(?:方面|领域|[这那]1?块)[,]?[^,。?]{0,8}?(?:哪些|什么|啥|何)(?:新的?|主要|具体|重要)?"
    r"(?:进展|动作|安排|规定|要求|部署|动向|变化|打算|考虑|成效|成果|成绩|作为)(?:[,。?]|$)"
)


_ABOUT_IT = re.compile("讲了|说了|讲些|说些|讲的|说的|主要内容|概述|概括|总结|归纳|要点|[1一]章|部分|[这那]份")
# 比较 in what a document is called sets nothing beside anything: 四省比较报告, 那份比较四个省的报告.
_CALLED_COMPARISON = re.compile(
    r"(?:比较|对比)(?=(?:研究|分析)?报告|研究|材料|[1一]文)|(?:比较|对比)[^,。?;]{1,12}?的?(?=[这那]?份?(?:报告|材料|文件|文章|研究))"
)


def drop_called(normal: str) -> str:
    """Take out the words by which a document is called a comparison, where something is asked about it."""
    return _CALLED_COMPARISON.sub(" ", normal) if _ABOUT_IT.search(normal) else normal


def asks_broadly(normal: str) -> bool:
    """Whether a question wants all that is said of a field, and not one fact of it."""
    return _BROADLY.search(normal) is not None


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
