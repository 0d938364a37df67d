"""A sentence -> its clauses and tagged words, with their places. The grammar that questions are made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import rjieba

from vectorstore.gazetteer import Gazetteer

_BREAK = re.compile(r"[，,；;：:。！？!?—…]+")
_UNITS = (
    "个工作日|个月|个小时|个百分点|百分点|平方公里|平方千米|平方米|立方米|公里|千米|公顷|亩|千瓦时|千瓦|兆瓦|吨标准煤|吨|美元|元|人次|户次|人|户|项|座|家|个|条|种|处|"
    "辆|套|所|名|位|次|米|件|部|起|倍|%|％|‰|类|批|艘|架|台|张|份|岁|天|日|小时|分钟|届|只|头|株|里|枚|间|门|千克|公斤|克"
)
NUMBER = re.compile(
    rf"(?<![\d第.A-Za-z])(?P<value>\d[\d,]*(?:\.\d+)?)\s?(?P<scale>万亿|亿|万|千)?(?P<about>多|余)?(?P<unit>{_UNITS})?(?!\d)"
)
YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d年(?:\d{1,2}月(?:\d{1,2}日)?)?(?!度|来|以来|至|—|到|间|期间)")
_ITEM = re.compile(
    r"\s*(?:第[一二三四五六七八九十百千零\d]{1,7}[条章款项]|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]|[一二三四五六七八九十](?:是|要)|——)\s*"
)
NAME = re.compile(r"《(?P<title>[^《》]{3,30})》|“(?P<quoted>[^“”]{2,14})”")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the segmenter's, its tag and where it begins in its sentence."""

    text: str
    tag: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends in its sentence."""
        return self.start + len(self.text)

    @property
    def is_verb(self) -> bool:
        """Whether it is a verb that can govern an object."""
        return self.tag in ("v", "vd") and len(self.text) >= 2

    @property
    def names_place(self) -> bool:
        """Whether it is the name of a place, and not a word that the segmenter takes for one."""
        if self.tag != "ns" or len(self.text) < 2:
            return False
        return self.text[-1] in "省市县区州盟" or Gazetteer.load().province_of(self.text) is not None

    @property
    def is_content(self) -> bool:
        """Whether it carries meaning by itself."""
        return len(self.text) >= 2 and self.tag[:1] in ("n", "v", "a", "i", "l", "j", "s") and self.tag != "nr"


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of a sentence between two breaks."""

    start: int
    end: int
    words: tuple[Word, ...]

    def text(self, sentence: str) -> str:
        """What stands there."""
        return sentence[self.start : self.end]

    def between(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that lie inside a stretch of the sentence."""
        return tuple(w for w in self.words if w.start >= start and w.end <= end)


def tag_words(sentence: str) -> tuple[Word, ...]:
    """Cut a sentence into words; together they are the sentence."""
    words: list[Word] = []
    start = 0
    for text, tag in rjieba.tag(sentence, False):
        words.append(Word(text, tag, start))
        start += len(text)
    return tuple(words)


def split_clauses(sentence: str, words: Sequence[Word]) -> tuple[Clause, ...]:
    """Cut a sentence at its commas and stops; thousands separators cut nothing."""
    clauses: list[Clause] = []
    start = 0
    ends = [m.span() for m in _BREAK.finditer(sentence) if not _inside_number(sentence, *m.span())]
    for stop, after in [*ends, (len(sentence), len(sentence))]:
        label = _ITEM.match(sentence, start, stop)
        start = label.end() if label else start
        inside = tuple(w for w in words if w.start >= start and w.end <= stop)
        if inside:
            clauses.append(Clause(start, stop, inside))
        start = after
    return tuple(clauses)


def remove_clause(sentence: str, clause: Clause) -> str | None:
    """The sentence without one of its clauses; ``None`` where nothing much is left."""
    before, after = sentence[: clause.start], sentence[clause.end :]
    kept = before + after.lstrip("，,；;、") if before.strip() else after.lstrip("，,；;：:、")
    kept = re.sub(r"[，,；;：:]+(?=[。！？；;]|$)", "", kept)
    return kept if len(kept) >= 10 else None


def _inside_number(sentence: str, start: int, end: int) -> bool:
    return sentence[start - 1 : start].isdigit() and sentence[end : end + 1].isdigit() and sentence[start] in ",:："
