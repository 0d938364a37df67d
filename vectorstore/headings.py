"""One line of text -> whether it is a heading, of which style, and which year, part or region it names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from vectorstore.gazetteer import Gazetteer
from vectorstore.issuer import unlisted_place
from vectorstore.normalize import normalize
from vectorstore.types import Part

LONGEST = 40  # characters; a longer line is a paragraph
_WEAK_LONGEST = 30
_NUMBERED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("chapter", re.compile(r"第[一二三四五六七八九十百\d]{1,4}[章篇部编节](?:分)?[\s:、]*")),
    ("ordinal", re.compile(r"[一二三四五六七八九十]{1,3}\s*[、.][\s]*")),
    ("bracketed", re.compile(r"[(][一二三四五六七八九十]{1,3}[)][\s、.]*")),
    ("decimal", re.compile(r"\d{1,2}\.\d{1,2}(?:\.\d{1,2})?(?=[\s\u4e00-\u9fff])[\s、]*")),
    (
        "point",
        re.compile(
            r"(?:特点|亮点|任务|举措|目标|行动|专栏|案例|工程|板块|重点|措施|方面|经验|"
            r"做法)[一二三四五六七八九十\d]{1,3}\s*[:.、][\s]*"
        ),
    ),
    ("digit", re.compile(r"\d{1,2}\s*[、.](?!\d)[\s]*")),
)
_NO_PART = re.compile(
    r"[,，;；]|(?:是|如下|包括|为)\s*:?$|^第[一二三四五六七八九十百\d]{1,5}条|"
    r"^(?:完成|推进|落实|实现|制定|明确|分解|细化|加强|做好|强化|聚焦|围绕|按照|根据|确保|部署|总结|开展|提出|印发|发布|建立|编制)"
)
_NOT_NUMERAL = re.compile(r"[^一二三四五六七八九十百\d]")
_REVIEW = re.compile(
    r"回顾|工作总结|年度总结|总结$|完成情况|进展情况|执行情况|落实情况|实施情况|工作情况|主要成就|主要成效|工作成效|"
    r"取得的?(?:成绩|成效|成就)|"
    r"过去一?年|^去年|上年度?|上一年"
)
_TASKS = re.compile(
    r"主要任务|重点任务|重点工作|工作任务|目标任务|工作安排|任务安排|工作部署|工作计划|工作打算|工作要点|工作重点|"
    r"主要目标|预期目标|工作思路|"
    r"工作目标|工作举措|重点举措|下一步|下步|下一阶段|^今年(?:的)?(?:工作|任务|目标|重点)"
)
_YEAR_RANGE = re.compile(r"(?:19|20)\d{2}\s*年?\s*[-—–~至到]+\s*(?:19|20)?\d{2}")
_TARGET_YEAR = re.compile(r"(?:到|至)\s*(?:19|20)\d{2}|(?:19|20)\d{2}\s*年(?:前|以前|之前|远景)")
_MANY_YEARS = re.compile(r"过去[五三十两二四\d]|五年|三年|十年|[一二三四五六七八九十]{2}五时期|规划期")
_REPORT_TITLE = re.compile(r"(?:人民)?(?:政府)?工作报告[》】]?\s*(?:[(][^()]{1,10}[)]|全文|摘要|节选)?\s*:?$")
_SEVERAL = re.compile(r"[、和与及等]|解读|对比|对照|汇编|摘编")
_FRONT = re.compile(
    r"(?:导言|导语|引言|前言|序言|序|编者按|摘要|目录|概述|概要|背景|结语|结束语|附录|附件|注释|参考文献|正文)\s*:?"
)
_DECORATION = '【】[]()<>《》〈〉■◆●▶▲★☆◎○□—-–·•#*=~_:、." 　'
_FIGURE = re.compile(
    r"\d[\d.,]*\s*(?:%|万|亿|千|百分|个|座|家|项|公里|公顷|平方|亩|吨|千瓦|元|辆|台|套|处|条|所|张|人)"
)
_DATELINE = re.compile(r"(?:19|20)\d{2}\s*[-/年.]\s*\d{1,2}\s*[-/月.]\s*\d{1,2}")  # says when, not of which year
_PLACE_FIRST = re.compile(r"(?P<name>[\u4e00-\u9fff]{2,8}):(?=\S{4})")  # 某省：守好一条河
_NOT_CLOSED = re.compile(
    r"[\d\s。;:!?%]|是指|应当|不得|可以|禁止|必须|只能|(?:^|,)[由要]|[一二三四五六七八九十百千万亿两]+(?:个|座|家|项|万|亿|%)"
)
_SENTENCE_END = tuple("。！？；!?;,，、…")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a heading says. ``style`` groups headings of one level; ``strong`` ones need no look at what follows."""

    text: str
    style: str
    strong: bool
    year: int | None = None
    part: Part | None = None
    region: str | None = None
    regions: tuple[str, ...] = ()  # all provinces that it names
    number: int | None = None  # of a numbered heading


def read_heading(line: str, *, level: int = 0) -> Heading | None:
    """Read a line as a heading; ``level`` is what the markup says of it. None where it cannot be one."""
    text = _one_line(line)
    if not text or (not level and (len(text) > LONGEST or text.endswith(_SENTENCE_END))):
        return None
    style, number, body = _numbering(text)
    part = _part_of(body)
    report = None if style else _place_of_report(body)
    region = _place_of(body) or report or _province_first(body) or (_reporting_place(body) if part else None)
    year = None if _DATELINE.search(body) else _year_of(body)
    dated = year and (len(body) <= 8 or (len(body) <= 20 and body.endswith(":")))
    strong = bool(level or region or part or dated or (style and not _FIGURE.search(body)))
    if not strong and not _could_be_weak(text):
        return None
    if report and not level:
        style = "title"
    style = f"h{level}" if level else style or ("part" if part else "place" if region else "part" if strong else "weak")
    return Heading(" ".join(line.split()), style, strong, year, part, region, _regions_in(body), number)


def read_numbered(line: str) -> Heading | None:
    """Read a numbered line as a heading that a full stop may end, such as （一）优化产业结构.

    Such a line is only a heading where those that it counts with are (see ``inline``); it says no figure and is one
    clause or two.
    """
    text = _one_line(line)
    style, number, body = _numbering(text)
    if style not in ("ordinal", "bracketed") or any(text.count(a) != text.count(b) for a, b in ("《》", "()", "“”")):
        return None
    if not text.endswith("。"):
        heading = read_heading(line)
        return heading if heading and heading.strong else None
    if len(text) > LONGEST or _NOT_CLOSED.search(body[:-1]) or body.count(",") > 1:
        return None
    return Heading(" ".join(line.split()).rstrip("。"), style, strong=True, regions=_regions_in(body), number=number)


def is_strong_heading(line: str) -> bool:
    """Whether a line is a heading whatever follows it."""
    heading = read_heading(line)
    return bool(heading and heading.strong)


def is_title(line: str) -> bool:
    """Whether a line looks like the title of a document rather than a heading inside it."""
    text = _one_line(line)
    if not 6 <= len(text) <= 60 or text.endswith((*_SENTENCE_END, ":")) or _FRONT.fullmatch(text):
        return False
    if re.fullmatch(r"(?:\S\s)+\S", text):
        return False
    heading = read_heading(text)
    if heading and heading.strong:
        return bool(re.search(r"报告|方案|规划|条例|办法|意见|通知|公报", text)) and heading.style in (
            "part",
            "weak",
            "title",
        )
    return True


def year_of_title(title: str) -> int | None:
    """The one year that a title names, if it names one and no period and no far target (2030年前, 到2025年)."""
    text = _one_line(title)
    return None if _TARGET_YEAR.search(text) else _year_of(text)


def _one_line(line: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", line).lstrip("#").split())


def _numbering(text: str) -> tuple[str, int | None, str]:
    """Take the number off a heading: its style, its number, and the words that follow."""
    for style, pattern in _NUMBERED:
        match = pattern.match(text)
        if match and match.end() < len(text):
            digits = re.search(r"\d+", normalize(f"第{re.sub(_NOT_NUMERAL, '', match.group())}"))
            return style, int(digits.group()) if digits else None, text[match.end() :]
    return "", None, text


def _could_be_weak(text: str) -> bool:
    """Whether a short line without a full stop could be a heading, if a paragraph follows it."""
    if len(text) > _WEAK_LONGEST or _FIGURE.search(text) or re.search("[。;!?]", text[:-1]):
        return False
    if text.endswith(":"):
        return bool(_FRONT.fullmatch(text))
    return bool(re.search(r"[\u3400-\u9fffA-Za-z]", text))


def _place_of(body: str) -> str | None:
    """The province that a heading consists of: 江苏, 【江苏省】, 江苏篇; None for any other heading."""
    name = body.strip(_DECORATION)
    name = re.sub(r"(?:篇|卷|部分|地区|情况|方面|经验|案例|实践|做法)$", "", name)
    gazetteer = Gazetteer.load()
    if not 2 <= len(name) <= 12 or gazetteer.is_ambiguous(name):
        return None
    return gazetteer.province_of(name) or unlisted_place(name)


def _province_first(body: str) -> str | None:
    """The province that a heading opens with, before a colon: what follows is told of it."""
    match = _PLACE_FIRST.match(body)
    mentions = Gazetteer.load().find_places(match["name"]) if match else ()
    whole = (
        len(mentions) == 1 and mentions[0].place.level == "province" and match and match["name"] == mentions[0].alias
    )
    return mentions[0].place.name if whole else None


def _reporting_place(body: str) -> str | None:
    """The province of 江苏省去年工作总结 or 2020年江苏主要任务: the only place, before anything but the year."""
    mentions = Gazetteer.load().find_places(body)
    before = re.sub(r"(?:19|20)\d{2}年?度?", "", body[: mentions[0].start] if mentions else "")
    if not mentions or mentions[0].in_name or before.strip(_DECORATION):
        return None
    provinces = {mention.place.province for mention in mentions}
    return provinces.pop() if len(provinces) == 1 else None


def _place_of_report(body: str) -> str | None:
    """The province whose 工作报告 a line is the title of: 上海市2024年政府工作报告; None where it names several."""
    match = _REPORT_TITLE.search(body)
    if not match or _SEVERAL.search(body) or len({m.place.province for m in Gazetteer.load().find_places(body)}) > 1:
        return None
    before = body[: match.start()].strip(_DECORATION)
    place = re.sub(r"(?:19|20)\d{2}\s*年?度?", "", before).strip()
    place = re.sub(r"(?:人民)?政府$", "", place)
    return Gazetteer.load().province_of(place) or unlisted_place(place)


def _part_of(body: str) -> Part | None:
    """The part that a heading opens; a measure (完成年度目标任务) or the beginning of a sentence opens none."""
    if len(body) > _WEAK_LONGEST or _NO_PART.search(body):
        return None
    review, tasks = _REVIEW.search(body), _TASKS.search(body)
    if review and tasks:
        both = len(set(re.findall(r"(?:19|20)\d{2}", body))) > 1 or re.search(r"[和与及、]", body)
        return None if both else Part.REVIEW
    return Part.REVIEW if review else Part.TASKS if tasks else None


def _year_of(body: str) -> int | None:
    text = normalize(body)
    if _YEAR_RANGE.search(text) or _MANY_YEARS.search(body):
        return None
    years = {int(m) for m in re.findall(r"(?<!\d)((?:19|20)\d{2})\s*年", text)}
    return years.pop() if len(years) == 1 else None


def _regions_in(body: str) -> tuple[str, ...]:
    mentions = Gazetteer.load().find_places(body)
    return tuple(dict.fromkeys(m.place.province for m in mentions))
