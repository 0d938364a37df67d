"""A sentence in, the runs of its clauses out that can be read alone, each with how far it can be.

A clause that states only who, when or on what condition needs the one behind it, and one that goes on with 并 the one before it;
so clauses are joined into units first, and runs are made of whole units. The mark of an article is no part of what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.reading.clauses import Clause, split_clauses
from vectorstore.segment import leading_verb

LONGEST = 60  # characters of a run, unless a single unit is longer
LONGEST_RULE = 90  # the same of a rule, which its figures, deadlines and exceptions make longer
_HALF = 3.0  # what a run lacks that says nothing alone
_JOINED = 90  # characters of a unit that is joined from several clauses; longer ones are told in parts

_COUNT = "[一二三四五六七八九十百零〇○\\d]"
_ARTICLE = re.compile(rf"^(?:[^,，。;；:：]*\s)?(?:第{_COUNT}+条(?:之{_COUNT}+)?)\s+")
_BESIDES = re.compile("^(?:此外|另外|同时|与此同时|同时也|为此|因此|总的来看|特别是)[,，]")
_MARK = re.compile(rf"^\s*[(（]{_COUNT}+[)）]\s*")
_MODAL = "应当?|不得|必须|可以|须|均须|均应|也应|一律|禁止|严禁|方可|视为|予以|给予"
_PREDICATE = re.compile(
    rf"^(?:{_MODAL}|由.{{1,30}}?(?:责令|处|予以|负责|给予|依法|依照)|责令|(?:可以)?并?处|没收|吊销|追回|取消)"
)
_FIRM = re.compile(
    "禁止|不得|严禁|罚款|吊销|停业|(?:实行|建立|推行|实施)[^，,]{2,30}(?:制度|机制|责任制|体系)|责任书|专项资金|方可|[内前]"
    "(?:完成|提出|报|作出|向|缴)"
)
_RULES = re.compile(rf"{_MODAL}|禁|罚款|责令|处罚")
_ON = re.compile(
    "^(?:并(?![网购轨联行])|且|以及|及其|从而|其中|但|致使|造成|导致)"
)  # goes on with what stands before it
_CONDITION = re.compile("(?<![是目])的$")
_PHRASE = re.compile(
    "^(?:按照|根据|依据|依照|对于?|在|经|自|以|为了?|因|除|结合|围绕|针对|从|与|向|通过|随着|作为|至)[^,，、]*$"
)
_TIME = re.compile(r"^(?:到|至)?(?:20\d\d年?[底末前初]?(?:之?前)?|今年|去年|全年|年内|近年来?|截至.{0,12}|同时|其中)$")
_ACTS = re.compile("^(?:提|加|推|建|实|开|完|新|强|发|支|促|改|做|把|让|确|落|增|减|降|有|是|设|制)")
_ANNOUNCES = re.compile(
    rf"(?:下列|如下|以下(?:{_COUNT}+[项个条种]|几|内容|条件|情形|事项|工作|措施|材料|行为))[^,，。]{{0,24}}$"
)
_ITEMS = re.compile(r"[:：]\s*(?=[(（][一1][)）])")
_WHERE = re.compile(
    "(?:^|[，,])?(?:在|当).*(?:[上下中内前后时里]|期间)$|的同时$|(?:来看|为例|以来|以后|之后|方面)$|(?:按照|根据|依据|依照|按|符合)[^，,]*(?:规定|要求|职责|程序|标准|分工)$"
    "|违反[^，,]*规定$|的行为$|(?:会同|联合)[^，,]{2,24}$"
)
_SAYS = re.compile(rf"\d|了|是|有|{_MODAL}")
_ANY_OTHER = re.compile(rf"^\s*[(（]{_COUNT}+[)）]\s*其他")
_TOPIC = re.compile("的[^的,，、]{1,8}$")
_PENAL = re.compile("罚款|处罚|责令|没收|吊销|关闭|撤销|处分|追回|取消|拘留")

_ADOPTED = re.compile(
    r"(?:会议|常务委员会|董事会|局务会|部务会)[^。]{0,60}(?:通过|修订|修正|批准)|(?:修正|修订|通过|废止)》?$"
)
_SIGNED = re.compile(
    r"^——\s*(?:19|20)\d\d年|(?:联系人|联系电话|发布单位|主题词|责任编辑|资料来源|转载请)[:：]?\s*\S"
    r"|(?:^|[\s(（])(?:来源|原创|作者)(?:[:：]\s*\S|\s+\S)"
    r"|欢迎(?:留言|关注|转发|订阅|来信)|^导读|(?:市|县|省|区|州|局|委|部)长\s+[\u4e00-\u9fff]{2,4}(?=\s|$)"
)
# What a page has before and behind an article: who wrote it and where they work, where it was printed, who paid for it.
_PRINTED = re.compile(
    r"^\s*(?:记者|通讯员|实习生|责编|编辑|摄影|撰文|文|图)[:：]?\s+[\u4e00-\u9fff]{2,4}(?:\s|$)"
    r"|\s记者\s*[\u4e00-\u9fff]{2,4}(?:\s|$)|^\s*(?:刊于|原载|载于|原文刊)《?"
    r"|^\s*(?:基金项目|收稿日期|通信作者|通讯作者|作者简介|作者单位|关键词|中图分类号|doi|DOI)\s*[:：]?"
    r"|^\s*[(（]\s*1?[.．、]?\s*[^()（）。]*(?:大学|学院|研究院|研究所|研究中心)[^()（）。]*[)）]\s*(?:刊于[^。]*)?$"
)
_ADDRESSED = re.compile(
    r"^\s*(?:各|[^,，。]{2,12}[,，、]各)[^。;；]*(?:单位|政府|部门|机构|委员会|[局办处校院镇]|街道|业主|住户|租户|居民|企业|公司)[:：]\s*$"
)
_NUMBERED = re.compile(r"^\s*[\u4e00-\u9fff]{1,8}[〔\[［](?:19|20)\d\d[〕\]］]第?\d+号\s*$")
_BARE_DATE = re.compile(r"^\s*[(（]?\s*(?:19|20)\d\d[年.-]\d{1,2}[月.-]\d{1,2}日?\s*[)）]?\s*$")
_ISSUED = re.compile(
    r"(?:通过|同意|批准|审定|修订)[,，]?\s*(?:现|予以|特)[^,，。;；]{0,12}(?:印发|公布|发布|转发|施行|实施)"
    r"|现(?:将|就)[^。;；]{0,60}(?:如下|公布于后|印发|公告)[。:：]?\s*$|供[^。，,]{0,14}参考[。]?\s*$|^(?:请|望)[^。,，]{0,12}(?:认真|结合实际|遵照|互相转告)"
)
_EDITOR = re.compile(r"^\s*(?:编后|编者按|编者注|编者的话|小编|导读|本号|本刊|本公众号)")
_REFERS = re.compile("前款|前条|本条第|上述|该(?:款|项)|第[一二三四五六七八九十]+款|第[一二三四五六七八九十]+项、")
_DATED = re.compile(r"(?:19|20)\d\d年\d{1,2}月\d{1,2}日")
_CARRIES = re.compile(
    "自.{2,20}起(?:施行|实施|执行)|同时废止|负责解释|有效期(?:至|为|[一二三四五六七八九十\\d]+年)|是指|本(?:办法|条例|规定|细则|指南|制度)(?:所称|适用|由)|制定本"
    "|从其规定|另行规定|现予公布|本文(?:归纳|也不)"
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of whole units of a sentence; ``lacking`` says how much is missing to read it alone."""

    start: int
    end: int
    lacking: float
    first: int  # the clauses that it is made of
    last: int

    @property
    def whole(self) -> bool:
        """Whether it says something alone."""
        return self.lacking < _HALF


@dataclass(frozen=True, slots=True)
class _Unit:
    first: int
    last: int
    lacking: float


def is_around(plain: str) -> bool:
    """Whether a sentence only says who adopted, issued, signed, wrote or published the document, or when."""
    if any(pattern.search(plain) for pattern in (_SIGNED, _PRINTED, _ADDRESSED, _NUMBERED, _BARE_DATE)):
        return True
    if _ISSUED.search(plain) and not _RULES.search(plain):
        return True
    return _ADOPTED.search(plain) is not None and _DATED.search(plain) is not None and not _RULES.search(plain)


def is_editorial(plain: str) -> bool:
    """Whether a sentence opens a paragraph in which whoever put the document together speaks."""
    return _EDITOR.match(plain) is not None


def carries(text: str) -> bool:
    """Whether a clause speaks of the document and not of its matter: what it is made for, from when it is in force."""
    return _CARRIES.search(text) is not None


def rules(text: str) -> bool:
    """Whether a clause says what has to be, must not be, or is punished."""
    return _RULES.search(text) is not None


def opens_article(plain: str) -> bool:
    """Whether a sentence opens an article, and so says what that is about."""
    return _ARTICLE.match(plain) is not None


def rules_firmly(text: str) -> bool:
    """Whether a clause forbids, punishes, or sets up what others have to keep to."""
    return _FIRM.search(text) is not None


def cut_runs(plain: str, longest: int = LONGEST) -> tuple[tuple[Clause, ...], list[Run]]:
    """Cut a sentence into clauses, and give all runs of whole units that are short enough to be a bullet."""
    clauses = _split(plain)
    units = list(_join(plain, clauses))
    runs = []
    for at, unit in enumerate(units):
        start = clauses[unit.first].start
        for upto in range(at, len(units)):
            end = clauses[units[upto].last].end
            if upto > at and (
                end - start > longest or plain[clauses[units[upto - 1].last].end :].lstrip()[:1] in tuple(":：")
            ):
                break
            lacking = unit.lacking + _lack_behind(plain, clauses, units, upto) + _lack_alone(plain, start, end)
            runs.append(Run(start, end, lacking, unit.first, units[upto].last))
    return clauses, runs


def _split(plain: str) -> tuple[Clause, ...]:
    """The clauses behind the mark of an article; the items that a sentence announces begin clauses, too."""
    body, items = _find_body(plain), _ITEMS.search(plain)
    parts = [(body, items.end()), (items.end(), len(plain))] if items and items.end() > body else [(body, len(plain))]
    return tuple(
        Clause(c.start + start, c.end + start - (c.text[-1:] in ":："), c.text.rstrip(":："), c.opens)
        for start, end in parts
        for c in split_clauses(plain[start:end].rstrip())
    )


def _find_body(plain: str) -> int:
    """Where the text of an article begins behind its mark, and behind what a page has before it."""
    mark = _ARTICLE.match(plain) or _BESIDES.match(plain)
    return mark.end() if mark and mark.end() < len(plain) else 0


def _join(plain: str, clauses: Sequence[Clause]) -> Iterator[_Unit]:
    """Join what cannot be read alone to what it needs, as long as that is not too long to be read."""
    starts = [n for n, clause in enumerate(clauses) if clause.opens]
    spans = [(first, last - 1) for first, last in zip(starts, [*starts[1:], len(clauses)], strict=True)]
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined:
            before = joined[-1]
            size = clauses[last].end - clauses[before[0]].start
            if size <= _JOINED and _belong(plain, clauses, before, (first, last)):
                joined[-1] = (before[0], last)
                continue
        joined.append((first, last))
    for at, (first, last) in enumerate(joined):
        lacks = at > 0 and _is_open(plain, clauses, joined[at - 1], (first, last))
        goes_on = at > 0 and _ON.match(clauses[first].text) is not None
        yield _Unit(first, last, _HALF * goes_on or 1.5 * lacks)


def _belong(plain: str, clauses: Sequence[Clause], one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether a clause needs the one behind it, or the other way round."""
    text, behind = plain[clauses[one[0]].start : clauses[one[1]].end], clauses[other[0]].text
    if _breaks(plain, clauses[one[1]].end):
        return False
    if _is_open(plain, clauses, one, other) or _ON.match(behind):
        return True
    # Of a rule all that happens to who breaks it.
    return _CONDITION.search(text.split("，")[0].split(",")[0]) is not None and _PENAL.match(behind) is not None


def _find_tail(plain: str, clauses: Sequence[Clause], unit: tuple[int, int]) -> str:
    """The last clause of a unit with the enumeration in it."""
    first = max(n for n in range(unit[0], unit[1] + 1) if clauses[n].opens or n == unit[0])
    return plain[clauses[first].start : clauses[unit[1]].end]


def _breaks(plain: str, end: int) -> bool:
    return plain[end:].lstrip()[:1] in tuple(";；。:：")


def _is_open(plain: str, clauses: Sequence[Clause], one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether what is said goes on in the next clause: so far it is a condition, a time, a phrase, or only who."""
    text, last = plain[clauses[one[0]].start : clauses[one[1]].end], _find_tail(plain, clauses, one)
    behind = clauses[other[0]].text
    if _breaks(plain, clauses[one[1]].end):
        return False
    if _CONDITION.search(last) or _TIME.search(last) or (_PHRASE.match(last) and len(last) <= LONGEST // 2):
        return True
    if _WHERE.search(last) or (
        _TOPIC.search(text) and one[0] == 0 and _RULES.search(behind) and not _RULES.search(text)
    ):
        return True
    return _PREDICATE.match(behind) is not None and not _RULES.search(text) and not _ACTS.match(text)


def _lack_alone(plain: str, start: int, end: int) -> float:
    """How much a run lacks by itself: it is one of several items, or only names something."""
    text = plain[start:end]
    item = _MARK.match(plain) is not None and (
        plain.rstrip()[-1:] in (";", "；") or _ANY_OTHER.match(plain) is not None
    )
    named = start > 0 and _TOPIC.search(text) is not None and not _SAYS.search(text) and not leading_verb(text)
    return 1.5 * item + 1.0 * named + 1.0 * (_REFERS.search(text) is not None)


def _lack_behind(plain: str, clauses: Sequence[Clause], units: Sequence[_Unit], upto: int) -> float:
    """How much a run lacks that ends with a unit: what it announces, or what follows from it."""
    last = units[upto].last
    text = plain[clauses[units[upto].first].start : clauses[last].end]
    if _CONDITION.search(clauses[last].text) or _TIME.search(clauses[last].text):
        return _HALF
    if _CONDITION.search(clauses[-1].text) and not _breaks(plain, clauses[last].end):
        return _HALF  # an item that is a condition of what is said elsewhere
    if _ANNOUNCES.search(text):
        return 2.0
    if plain[clauses[last].end :].strip()[:1] in (":", "："):
        return 0.5
    if upto + 1 < len(units):
        behind = units[upto + 1]
        return _HALF * _is_open(plain, clauses, (units[upto].first, last), (behind.first, behind.last))
    return 0.0
