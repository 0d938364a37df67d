"""``Document`` and its boilerplate -> sections that tile it, with the labels region, year and part and their reasons.

Headings open sections. Sections that report on one region form a unit; a unit ends at the name of another place, at a
link to the full text, and where the parts run backwards: a review after tasks, or the same part again. A unit without a
place in its headings gets the region that its place names agree on, if they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from vectorstore.articles import is_code
from vectorstore.boilerplate import LINK_TITLE, find_boilerplate, is_link
from vectorstore.by_hand import BY_FILE, correct
from vectorstore.headings import Heading, read_heading, year_of_title
from vectorstore.issuer import find_issuer, listed_city
from vectorstore.layout import read_layout
from vectorstore.markup import Block, Layout
from vectorstore.outline import heading_blocks
from vectorstore.regions import Verdict, conflict, infer_region, is_compared, reports_named
from vectorstore.title import is_office
from vectorstore.types import Boilerplate, Document, LabelReasons, Labels, Part, Section, SourceFacts
from vectorstore.years import is_of_period, mixes_years

_OFFICIAL = (
    "报告",
    "方案",
    "规划",
    "条例",
    "办法",
    "意见",
    "通知",
    "公报",
    "计划",
    "纲要",
    "要点",
    "规定",
    "细则",
    "决定",
)
_OF_BODIES = re.compile("指南|制度|章程|手册|须知|守则|标准|预案|公告|通告|总结|建议|措施|政策")
_COLLECTION = re.compile(
    r"等|各[地省市]|多[地省市]|[两三四五六七八九十\d][地省市]|汇编|摘编|摘录|对比|对照|盘点|一览|梳理"
)
_AFTERWORDS = re.compile(
    r"(?:(?:记者|采访|编辑|编者)?手记|编后语?|编者按|编者的话|后记|结语|结束语|写在最后|尾声)[:：]?"
)
_REPORT = "工作报告"
_AFTERWORD = re.compile(
    "(?:编后|编后语|编者按|编者的话|编者注|小编|记者手记|结语|结束语)[:：]"
)  # of none of the parts before it
_FROM_DATE = "按发布日期"
_IN_FORCE = "条文长期有效，不属于某一年 / rules are in force over years"
_OF_SEVERAL = "说到几个年份，以各句自己的年份为准 / tells of several years: each sentence has its own"
_VERSION = re.compile(r"(?:19|20)\d{2}[^)）]{0,12}(?:修正|修订|修改|公布|发布|通过|施行|版)")
_ABOVE = 3  # blocks at the top where the office may stand whose document it is
_THIS_YEAR, _LAST_YEAR = re.compile("今年|本年度"), re.compile("去年|过去一年|上年|上一年")


@dataclass(slots=True)
class _Draft:
    """A section while its labels are being found."""

    start: int
    headings: list[Heading] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    after_link: bool = False
    links: list[str] = field(default_factory=list)  # titles of full texts that stand behind it
    unit: int = 0

    @property
    def region(self) -> str | None:
        """The place that its innermost place heading names."""
        return next((h.region for h in reversed(self.headings) if h.region), None)

    @property
    def title(self) -> Heading | None:
        """The title that it stands under: the document's, or that of a report in it."""
        return next((h for h in self.headings if h.style == "title"), None)

    @property
    def part(self) -> Part | None:
        """The part that its innermost part heading names."""
        return next((h.part for h in reversed(self.headings) if h.part), None)

    @property
    def part_heading(self) -> Heading | None:
        """Its own heading where that opens a part, or a year, which no heading above it has opened."""
        own = self.headings[-1] if self.headings else None
        if not own or own.style == "title":
            return None
        if own.part:
            return own if own.part not in {h.part for h in self.headings[:-1]} else None
        return own if own.year and own.style == "part" else None


def find_sections(
    document: Document,
    boilerplate: Sequence[Boilerplate] | None = None,
    facts: SourceFacts | None = None,
    layout: Layout | None = None,
) -> tuple[Section, ...]:
    """Cut a document into sections: in order, without gap or overlap, the first from 0 and the last to the end."""
    layout = layout or read_layout(document.text, document.media)
    if boilerplate is None:
        boilerplate = find_boilerplate(document, layout)
    drafts = _draft(document, layout, boilerplate)
    code = is_code(layout.blocks)
    _group(drafts)
    offices = [block.plain for block in layout.blocks[:_ABOVE] if is_office(block.plain)]
    verdicts = _regions(document, drafts, offices)
    ends = [draft.start for draft in drafts[1:]] + [len(document.text)]
    several = _tells_of_several(document, drafts)
    sections = [
        _section(document, draft, verdict, end, code=code, several=several)
        for draft, verdict, end in zip(drafts, verdicts, ends, strict=True)
    ]
    return _corrected(document, sections, facts)


def has_dated_year(section: Section) -> bool:
    """Whether the section's year is only that of publication, so that a sentence may name another."""
    return section.labels.year is None or is_dated(section)


def is_dated(section: Section) -> bool:
    """Whether the section's year is that of publication."""
    return section.labels.year is not None and section.reasons.year.startswith(_FROM_DATE)


def tells_of_several(section: Section) -> bool:
    """Whether a section has no year because its text tells of several."""
    return section.reasons.year == _OF_SEVERAL


def is_of_code(section: Section) -> bool:
    """Whether the section is of rules, which are in force over years: a year in them is that of a date, not of the text."""
    return section.reasons.year == _IN_FORCE


def _draft(document: Document, layout: Layout, boilerplate: Sequence[Boilerplate]) -> list[_Draft]:
    headings = heading_blocks(document, layout, boilerplate)
    links = {b.start: b for b in boilerplate if is_link(b)}
    covered = {b.start for b in boilerplate}
    parts_outside = _parts_outside([headings[start] for start in sorted(headings)])
    drafts = [_Draft(0)]
    after_link = False
    for block in layout.blocks:
        if block.start in links:
            after_link = True
            if links[block.start].reason == LINK_TITLE:
                drafts[-1].links.append(block.plain)
        if block.start in covered:
            continue
        heading = headings.get(block.start)
        if heading:
            above = drafts[-1].headings
            if heading.style == "weak" and _AFTERWORDS.fullmatch(heading.text):
                above = [h for h in above if h.style == "title"]
            path = _nest(above, heading, after_link=after_link, parts_outside=parts_outside)
            drafts.append(_Draft(block.start, path, after_link=after_link))
        elif _AFTERWORD.match(block.plain) and len(drafts[-1].headings) > 1:
            drafts.append(_Draft(block.start, [h for h in drafts[-1].headings if h.style == "title"]))
        elif after_link:
            drafts.append(_Draft(block.start, after_link=True))
        if not heading:
            drafts[-1].blocks.append(block)
        after_link = False
    return _without_empty(drafts)


def _without_empty(drafts: list[_Draft]) -> list[_Draft]:
    """Join a section without text, often a heading right above another, to the one that follows it."""
    kept: list[_Draft] = []
    start: int | None = None
    for draft, following in zip(drafts, [*drafts[1:], None], strict=True):
        if following and not draft.blocks and not following.after_link:
            start = draft.start if start is None else start
            continue
        draft.start = draft.start if start is None else start
        start = None
        kept.append(draft)
    return kept


def _parts_outside(headings: list[Heading]) -> bool:
    """Whether parts hold places (2023年: 江苏, 浙江) rather than places parts: then two places follow without a part."""
    kinds = ["place" if h.region else "part" for h in headings if h.region or h.part or h.year]
    between = any(a == b == "place" for a, b in pairwise(kinds))
    return between and "part" in kinds and kinds[0] == "part"


def _nest(path: list[Heading], heading: Heading, *, after_link: bool, parts_outside: bool) -> list[Heading]:
    """Place a heading below those that it belongs to: a style that is open already closes what stands under it."""
    if heading.style == "title":
        return [heading]
    if after_link:
        path = [h for h in path if h.style == "title"]
    if _marked(heading):
        return [*[h for h in path if h.style == "title" or (_marked(h) and h.style < heading.style)], heading]
    if heading.style == "place" and not parts_outside:
        return [*[h for h in path if h.style == "title" or _marked(h)], heading]
    above = {h.part for h in path}
    if heading.part and (heading.year or heading.part not in above):
        cut = (n for n, h in enumerate(path) if h.style != "title" and (h.part or (heading.region and h.region)))
        path = path[: next(cut, len(path))]
    styles = [h.style for h in path]
    if heading.style in styles:
        return [*path[: styles.index(heading.style)], heading]
    return [*[h for h in path if h.style != "weak"], heading]


def _marked(heading: Heading) -> bool:
    """Whether the markup gives the level of a heading."""
    return heading.style in ("h1", "h2", "h3", "h4", "h5", "h6")


def _group(drafts: list[_Draft]) -> None:
    """Number the units: sections that speak of one region."""
    unit = 0
    seen: list[Heading] = []
    place: str | None = None
    for number, draft in enumerate(drafts):
        region = draft.region
        opening = draft.part_heading
        begins = draft.after_link or region != place or bool(opening and (not seen or _runs_backwards(seen, opening)))
        if number and begins:
            unit += 1
            seen = []
        place = region
        if opening:
            seen.append(opening)
        draft.unit = unit


def _runs_backwards(seen: list[Heading], heading: Heading) -> bool:
    """Whether a part heading cannot belong to the same text: the same part again, or a review after tasks."""
    last = seen[-1]
    if heading.style == last.style and heading.number and last.number and heading.number == last.number + 1:
        return False
    if heading.part is None:
        return heading.year in {h.year for h in seen} or bool(heading.year and last.year and heading.year < last.year)
    return any(h.part is heading.part or (h.part is Part.TASKS and heading.part is Part.REVIEW) for h in seen)


def _regions(document: Document, drafts: list[_Draft], offices: Sequence[str]) -> list[Verdict]:
    """Find the region of every section: its heading's, else that of its unit, else that of an official title."""
    of_title = _region_of_title(document.title)
    issuer = _issuer(document, drafts, offices)
    units: dict[int, Verdict] = {}
    reports: dict[int, set[str]] = {}
    for unit in {draft.unit for draft in drafts}:
        members = [draft for draft in drafts if draft.unit == unit]
        text = _text_of(members)
        units[unit] = infer_region(text, linked_titles=[link for d in members for link in d.links])
        reports[unit] = reports_named(text)
    found = []
    for draft in drafts:
        title = draft.title.text if draft.title else document.title
        named = (draft.title.region if draft.title else None) or of_title
        others = reports[draft.unit] - {named} if _REPORT in title else set()
        verdict = _verdict(draft, units[draft.unit], named, min(others, default=None))
        own = issuer and not any(h.region for h in draft.headings if h.style != "title")
        found.append(Verdict(issuer, f"文件写明是“{issuer}”的 / the document says whose it is") if own else verdict)
    return found


def _issuer(document: Document, drafts: Sequence[_Draft], offices: Sequence[str]) -> str | None:
    """The city, county or body that an official document is of; of a collection, and of a province, there is none."""
    title = document.title
    if is_compared(title) or _COLLECTION.search(title) or not _is_official(title):
        return None
    return listed_city(title) or find_issuer(title, (*offices, *(block.plain for block in drafts[0].blocks)))


def _verdict(draft: _Draft, inferred: Verdict, of_title: str | None, other_report: str | None) -> Verdict:
    heading = next((h for h in reversed(draft.headings) if h.region and h.style != "title"), None)
    if heading:
        return Verdict(heading.region, f"标题写明“{heading.text}” / the heading names it")
    if of_title and other_report:
        return conflict("文件标题 / the document's title", of_title, other_report)
    if of_title and inferred.region in (None, of_title):
        return Verdict(of_title, f"文件标题写明“{of_title}” / the title of the document names it")
    if of_title:
        return conflict("文件标题 / the document's title", of_title, inferred.region)
    return inferred


def _is_official(title: str) -> bool:
    return any(word in title for word in _OFFICIAL) or _OF_BODIES.search(title) is not None


def _region_of_title(title: str) -> str | None:
    """The one province of an official document's title; a collection (江苏等地…汇编) has none."""
    heading = read_heading(title, level=1)
    if not heading or is_compared(title) or _COLLECTION.search(title) or not any(word in title for word in _OFFICIAL):
        return None
    return heading.regions[0] if len(set(heading.regions)) == 1 else None


def _text_of(drafts: list[_Draft]) -> str:
    lines = []
    for draft in drafts:
        if draft.headings:
            lines.append(draft.headings[-1].text)
        lines.extend(block.plain for block in draft.blocks)
    return "\n".join(lines)


def _section(document: Document, draft: _Draft, verdict: Verdict, end: int, *, code: bool, several: bool) -> Section:
    year, year_reason = _year_of_code(document, draft) if code else _year(document, draft, several=several)
    heading = next((h for h in reversed(draft.headings) if h.part), None)
    part = heading.part if heading else None
    reasons = LabelReasons(
        region=verdict.reason,
        year=year_reason,
        part=f"标题“{heading.text}” / from the heading" if heading else "",
    )
    headings = tuple(h.text for h in draft.headings)
    return Section(document.source, draft.start, end, headings, Labels(verdict.region, year, part), reasons)


def _tells_of_several(document: Document, drafts: Iterable[_Draft]) -> bool:
    """Whether the day of publication does not tell the year: the title is of several years, or the text is."""
    if document.published is None or is_of_period(document.title):
        return True
    undated = (draft for draft in drafts if not any(h.year for h in draft.headings))
    return mixes_years((block.plain for draft in undated for block in draft.blocks), document.published.year)


def _year(document: Document, draft: _Draft, *, several: bool) -> tuple[int | None, str]:
    """Find the year of a section: its heading's, else that of a report's title, else the date of publication.

    That date is no year of a text that tells of several: there each sentence has its own, or none.
    """
    heading = next((h for h in reversed(draft.headings) if h.year and h.style != "title"), None)
    if heading:
        return heading.year, f"标题“{heading.text}” / from the heading"
    title = draft.title.text if draft.title else document.title
    of_title = year_of_title(title)
    words = "".join(h.text for h in draft.headings if h.part)
    if of_title and draft.part is Part.REVIEW and (_REPORT in title or _LAST_YEAR.search(words)):
        return of_title - 1, f"{of_title}年报告回顾上一年 / a report of {of_title} reviews the year before"
    if of_title:
        return of_title, "文件标题中的年份 / from the title of the document"
    if document.published is None:
        return None, ""
    year, day = document.published.year, document.published.isoformat()
    if draft.part is Part.REVIEW and _LAST_YEAR.search(words):
        return year - 1, f"{_FROM_DATE}{day}的上一年 / the year before its publication"
    if _THIS_YEAR.search(words) or (draft.part is None and not several):
        return year, f"{_FROM_DATE}{day} / from the date of publication"
    return None, _OF_SEVERAL if several and draft.part is None else ""


def _year_of_code(document: Document, draft: _Draft) -> tuple[int | None, str]:
    """Rules are of the year that their title says they are for, and of none by when they were passed or amended."""
    title = draft.title.text if draft.title else document.title
    of_title = None if _VERSION.search(title) else year_of_title(title)
    return (of_title, "文件标题中的年份 / from the title of the document") if of_title else (None, _IN_FORCE)


def _corrected(document: Document, sections: list[Section], facts: SourceFacts | None) -> tuple[Section, ...]:
    """Apply what a person set by hand to the section that begins with, or holds, the given string."""
    for correction in facts.corrections if facts else ():
        place = document.text.find(correction.after)
        for number, section in enumerate(sections):
            if section.start <= place < section.end:
                sections[number] = correct(section, correction, BY_FILE)
    return tuple(sections)
