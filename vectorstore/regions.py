"""The text of one unit of a document -> the one province that it speaks of, or none, with the reason.

Every place name votes for its province. A name that the writer gives to the own region (美丽上海, 入津) weighs more, a
name inside an organisation's, inside an enumeration of several provinces or after 对标 and 借鉴 less. A region is given only
where one province has most of the votes: a missing label costs a filter, a wrong one an answer about the wrong city.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vectorstore.gazetteer import Gazetteer, Mention

_LEAST = 1.5  # votes: one plain mention is not enough, a mention and an organisation's name are
_SHARE = 0.7  # of all votes
_CAP = 4.0  # votes that one name can give, however often it stands
_TIMES = 4  # how often a weak vote of one name counts
_OWN_PREFIX = re.compile(
    r"(?:美丽|绿色|人文|科技|平安|健康|法治|数字|幸福|诚信|清洁|清廉|文化|智慧|活力|创新|开放|富裕|文明|和谐|品质|"
    r"书香|安全|宜居|韧性|大美|"
    r"多彩|魅力|富饶|质量|制造|信用|海上|生态|美好|现代化新|强富美高新|新时代|建设新|大爱|食安|体育|航运|智造|无废|"
    r"低碳)$"
)
_OWN_SUFFIX = re.compile(r"^(?:全市|全省|全区|段|境内|特色|品牌|实践|样板|故事|方案)")
_OTHER_PREFIX = re.compile(
    r"(?:对标|对接|借鉴|学习|赶超|支援|对口|协作|面向|辐射|接轨|融入|毗邻|邻近|联合|携手|会同|参照|考察|赴|与|同|和|"
    r"及|承接|通往|直达|连接|至|到|向|往|送|来自|途经)$"
)
_LIST_MEMBER = re.compile(r"(?:京津冀|三角|湾区|经济带|流域|地区|[东西南北中]部)、$")
_REPORT = re.compile(r"(?:(?:19|20)\d{2}年度?)?(?:人民)?(?:政府)?工作报告")
_LISTED = re.compile(r"\s*[、,，和及与/]\s*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The region of a unit and why; without a region the reason says what competes."""

    region: str | None
    reason: str


def infer_region(text: str, *, linked_titles: Iterable[str] = ()) -> Verdict:
    """Infer the province of a unit of text; ``linked_titles`` are titles of the full text that it was taken from."""
    named = {p for title in linked_titles for p in _provinces(title)}
    votes, examples = _count(text)
    inferred = decide(votes, examples)
    if len(named) != 1:
        return inferred
    region = named.pop()
    if inferred.region in (None, region):
        return Verdict(region, f"全文链接的标题写明{region} / the title of the linked full text names {region}")
    return conflict("全文链接的标题 / the linked title", region, inferred.region)


def conflict(witness: str, named: str, inferred: str | None) -> Verdict:
    """Give no region where a title and the place names contradict each other."""
    zh, _, en = witness.partition(" / ")
    return Verdict(
        None,
        f"{zh}说的是{named}，地名说的是{inferred}，互相矛盾，地区未定 / "
        f"{en} says {named}, the place names say {inferred}: they contradict each other",
    )


def subjects(text: str) -> tuple[Mention, ...]:
    """The places that a sentence is about: not those that it only compares with, comes from, or names in a name."""
    mentions = Gazetteer.load().find_places(text)
    weighed = _weigh_all(text, mentions)
    listed = [_in_list(text, mentions, number) for number in range(len(mentions))]
    return tuple(m for m, (vote, _), among in zip(mentions, weighed, listed, strict=True) if vote >= 1 or among)


def decide(votes: dict[str, float], examples: dict[str, list[str]]) -> Verdict:
    """Give the region that has a clear majority of the votes."""
    total = sum(votes.values())
    if not total:
        return Verdict(None, "没有地名，地区未定 / names no place, so the region is unknown")
    ranked = sorted(votes, key=lambda p: -votes[p])
    first = ranked[0]
    share = votes[first] / total
    names = "、".join(dict.fromkeys(examples[first]))
    if votes[first] >= _LEAST and share >= _SHARE:
        return Verdict(
            first, f"据地名推断为{first}({share:.0%}：{names}) / inferred from its place names ({share:.0%})"
        )
    if len(ranked) == 1:
        return Verdict(None, f"只提到{names}，不足以定为{first} / only {names}: too little to call it {first}")
    rivals = "、".join(ranked[:5])
    return Verdict(None, f"{rivals}等地名并存，地区未定 / place names of several provinces compete: {rivals}")


def _count(text: str) -> tuple[dict[str, float], dict[str, list[str]]]:
    mentions = Gazetteer.load().find_places(text)
    per_name: dict[tuple[str, str], float] = defaultdict(float)
    examples: dict[str, list[str]] = defaultdict(list)
    for mention, (vote, shown) in zip(mentions, _weigh_all(text, mentions), strict=True):
        key = (mention.place.province, mention.alias)
        so_far = per_name[key]
        per_name[key] = min(so_far + vote, max(so_far, min(_CAP, _TIMES * vote)))
        if len(examples[mention.place.province]) < 5:
            examples[mention.place.province].append(shown)
    votes: dict[str, float] = defaultdict(float)
    for (province, _), vote in per_name.items():
        votes[province] += vote
    return votes, examples


def _weigh_all(text: str, mentions: tuple[Mention, ...]) -> list[tuple[float, str]]:
    """Weigh all mentions; a district right behind its province (北京市通州区) weighs no more than that."""
    weighed: list[tuple[float, str]] = []
    for number, mention in enumerate(mentions):
        vote, shown = _weigh(text, mentions, number)
        if number and mentions[number - 1].end == mention.start:
            vote = min(vote, weighed[-1][0])
        weighed.append((vote, shown))
    return weighed


def _weigh(text: str, mentions: tuple[Mention, ...], number: int) -> tuple[float, str]:
    """Give the vote of one mention and the words to show for it."""
    mention = mentions[number]
    before, after = text[max(0, mention.start - 6) : mention.start], text[mention.end : mention.end + 6]
    if len(mention.alias) == 1:
        return 1.0, text[mention.start - 1 : mention.end]
    if Gazetteer.load().is_shared(mention.alias):
        return 0.25, mention.alias
    own = _OWN_PREFIX.search(before)
    if own:
        return 2.0, own.group() + mention.alias
    if _in_list(text, mentions, number) or _OTHER_PREFIX.search(before):
        return 0.25, mention.alias
    if mention.in_name or _LIST_MEMBER.search(before):
        return 0.5, mention.alias
    if _OWN_SUFFIX.match(after) and mention.place.level == "province":
        return 1.5, mention.alias
    return 1.0, mention.alias


def _in_list(text: str, mentions: tuple[Mention, ...], number: int) -> bool:
    """Whether a mention stands in an enumeration with a place of another province."""
    mention = mentions[number]
    for neighbour in (number - 1, number + 1):
        if not 0 <= neighbour < len(mentions):
            continue
        other = mentions[neighbour]
        between = text[min(mention.end, other.end) : max(mention.start, other.start)]
        if other.place.province != mention.place.province and _LISTED.fullmatch(between):
            return True
    return False


def is_compared(title: str) -> bool:
    """Whether a title names places only as what one goes to or learns from: 赴江苏考察报告."""
    mentions = Gazetteer.load().find_places(title)
    return bool(mentions) and all(_OTHER_PREFIX.search(title[: m.start][-6:]) for m in mentions)


def reports_named(text: str) -> set[str]:
    """The provinces whose 工作报告 a text names."""
    found = set()
    for match in _REPORT.finditer(text):
        window = text[max(0, match.start() - 12) : match.start()]
        mentions = Gazetteer.load().find_places(window)
        if mentions and not window[mentions[-1].end :].strip("省市区 "):
            found.add(mentions[-1].place.province)
    return found


def _provinces(text: str) -> set[str]:
    return {m.place.province for m in Gazetteer.load().find_places(text) if not m.in_name}
