"""Titles, headings and first lines of a document -> the place or body that it is of, where no gazetteer has it.

A county, a town, a company or a university may be new, renamed or small. Its name stands where such texts say whose they
are: at the head of the title (``2026年青岚市政府工作报告``, ``青岚市水务集团有限公司差旅管理规定``), or in the lines below it that
say where a report was given and by whom. What is only an ordinary word there (``城市``, ``示范县``, ``证券公司``) names nobody,
and a name that the gazetteer has is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from vectorstore.gazetteer import Gazetteer
from vectorstore.segment import tag_words

_HAN = "[\u4e00-\u9fff]"
_DIVISION = "自治[区州县旗]|[省市县区旗州盟镇乡]"
# What may stand before the name in a title, and what turns 市 and 区 behind it into another word.
_BEFORE = re.compile(r"[《〈【\s]*(?:关于(?:印发)?)?[《〈]?(?:中共)?(?:(?:19|20)\d{2}年度?)?")
_PLACE = re.compile(
    rf"(?P<name>(?P<stem>{_HAN}{{2,4}}?)(?:{_DIVISION}))(?![场民值容级域属直内外里中面城长村下土间划块别])"
)
_BODY = re.compile(
    rf"(?P<name>(?P<stem>{_HAN}{{2,14}}?)(?:集团|大学|(?=(?:股份|责任)?有限(?:责任)?公司)))(?P<full>(?:股份|责任)?有限(?:责任)?公司)?"
)
_GIVEN = re.compile(rf"在(?P<name>(?P<stem>{_HAN}{{2,4}})(?:{_DIVISION}))第[一二三四五六七八九十\d]+届人民代表大会")
_SIGNED = re.compile(rf"(?P<name>(?P<stem>{_HAN}{{2,4}}?)(?:{_DIVISION}))(?:人民政府)?[省市县区州旗镇乡]长[\s　]")
_PUBLISHED = re.compile(
    rf"(?:发布单位|发布机构|发文机关|制定机关|印发单位)[:：]\s*(?P<name>(?P<stem>{_HAN}{{2,4}}?)(?:{_DIVISION}))(?:人民政府|{_HAN}{{2,12}}(?:局|委员会|委|厅|办公室))"
)
_OF_GOVERNMENT = re.compile(
    rf"(?P<name>(?P<stem>{_HAN}{{2,4}}?)(?:自治[县旗]|[县区旗镇乡]))(?=人民政府|{_HAN}{{2,8}}(?:局|委员会|办公室)关于)"
)
_HEADED = re.compile(  # a line above the title that is the name of an office
    rf"^\s*(?P<name>(?P<stem>{_HAN}{{2,4}}?)(?:{_DIVISION}))(?:人民政府(?:办公室)?|{_HAN}{{2,12}}(?:局|委员会|委|厅|办公室))\s*$"
)
_AMONG = re.compile("[和与及、等]")
_WIDER = re.compile("都市圈|城市群|经济圈|[河江湖山](?!区|市|县)")  # what is more than a city, or no city
_LINES = 6  # below the title
# No name holds these: they count, point, or make a kind of place (城市, 市县, 园区, 本省).
_NO_NAME = re.compile("[各全我本该某此每几多数城都地区县市省州超股夜的和与及在为]")
_KINDS = tuple("园社小景灌山牧库林矿校辖片专战郊农厂疫港新口边保护示范试验开发功能聚")
_RANKS = tuple("大强名小重老")  # 产粮大县
_ORDINARY = re.compile("^(?:[vadbmptcufrqilj]|n(?!r|s|z|t))")  # tags of words that are no names
_BODIES = ("集团", "有限公司", "大学")
_KINDS_OF_NAME = ("自治县", "自治州", "县", "市", "省", "区", "镇", "乡", *_BODIES)
_OTHER_WORD = re.compile("[场民值容级域属直内外里中面长区]")
_NAMED = re.compile("^n(?:r|z|s|t)")
_FUNCTION = re.compile("^(?:[vprmqucdyfkox]|zg)")
_STEM = re.compile(rf"(?:(?:股份|责任)?有限(?:责任)?公司|集团|{_DIVISION})$")
_LEAST = 2  # characters of a short name


def find_issuer(title: str, lines: Iterable[str] = ()) -> str | None:
    """Give the name of the place or body at the head of a title, or else that the lines below it name."""
    if found := _of_title(title):
        return found
    for number, line in enumerate(lines):
        if number == _LINES:
            break
        for pattern in (_GIVEN, _SIGNED, _PUBLISHED, _HEADED):
            match = pattern.search(line)
            if match and _is_name(match["name"], match["stem"]):
                return match["name"]
    return None


def listed_city(title: str) -> str | None:
    """Give the short name of the one city or county of the gazetteer that a title begins with: 扬州 of 2026年扬州市政府工作报告."""
    mentions = Gazetteer.load().find_places(title)
    below = {m.place.name for m in mentions if m.place.level in ("prefecture", "district", "county")}
    before = _BEFORE.match(title)
    if len(below) != 1 or not before or mentions[0].start != before.end() or any(m.in_name for m in mentions):
        return None
    several = _WIDER.match(title, mentions[-1].end) or len({m.place.province for m in mentions}) > 1
    return None if several else below.pop()


def unlisted_place(text: str) -> str | None:
    """Give a text that is the name of a county, city or town and nothing else, where the gazetteer does not have it."""
    match = _PLACE.fullmatch(text)
    return match["name"] if match and _is_name(match["name"], match["stem"]) else None


def is_own_name(label: str | None) -> bool:
    """Whether a label of a region is such a name, and no province."""
    return label is not None and Gazetteer.load().province_of(label) is None


@lru_cache(maxsize=512)
def short_names(name: str) -> tuple[str, ...]:
    """Give the names that people use for it, longest first: 青岚市水务集团 also without 集团, 云泽县 also as 云泽."""
    found = {name, f"{name}有限公司"} if name.endswith("集团") else {name}
    stem = _STEM.sub("", name)
    if unlisted_place(name) is None and len(first := _first_word(stem)) >= _LEAST and name.endswith("集团"):
        found |= (
            set() if first.endswith(_KINDS_OF_NAME) else {first, f"{first}集团"}
        )  # 青岚市 is more than its 水务集团
    if len(stem) >= _LEAST and (not _is_word(stem)):
        found.add(stem)
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def find_foreign(text: str) -> tuple[tuple[int, int], ...]:
    """Find the names in a normalised question that look like those of places, companies or schools that nothing lists."""
    words = tag_words(text)
    if "".join(word for word, _ in words) != text:
        return ()
    listed = {at for m in Gazetteer.load().find_places(text) for at in range(m.start, m.end)}
    found, start = [], 0
    for number, (word, tag) in enumerate(words):
        end = start + len(word)
        before = _name_before(words[:number], body=word in _BODIES) if word in _KINDS_OF_NAME else ""
        if word.endswith(_KINDS_OF_NAME) and len(word) > _LEAST and _NAMED.match(tag):
            before = word
        begin = end - len(word) - len(before) if before != word else start
        stem = before[:-1] if before == word else before
        kept = before and not _NO_NAME.search(stem) and not (text[end - 1] == "区" and stem.endswith(_KINDS))
        if kept and not listed & {*range(begin, end)} and not _OTHER_WORD.match(text, end):
            found.append((begin, end))
        start = end
    return tuple(found)


def _name_before(words: Sequence[tuple[str, str]], *, body: bool) -> str:
    """What of the words before 县 or 集团 is a name: a word that is tagged as one, or characters that belong to no word."""
    middle = ""
    if body and words and len(words[-1][0]) > 1 and not _NAMED.match(words[-1][1]):
        middle, words = words[-1][0], words[:-1]  # 海天港务集团
    if words and len(words[-1][0]) > 1:
        return words[-1][0] + middle if _NAMED.match(words[-1][1]) else ""
    name = ""
    for word, tag in reversed(words):
        if len(word) > 1 or not "\u4e00" <= word <= "\u9fff" or _FUNCTION.match(tag):
            break
        name = word + name
    return name + middle if len(name) >= _LEAST else ""


def _of_title(title: str) -> str | None:
    before = _BEFORE.match(title)
    start = before.end() if before else 0
    listed = next(iter(Gazetteer.load().find_places(title)), None)
    if listed and listed.start == start and (within := _PLACE.match(title, _behind(title, listed.end))):
        start = within.start()  # 浙江省云泽县
    place, body = _find_inner(title, start), _BODY.match(title, start)
    named = place is not None and _is_name(place["name"], place["stem"])
    if body and (named or not Gazetteer.load().find_places(body["name"])) and not _AMONG.match(title, body.end()):
        # A company that has the name of a town in its own is meant by its whole name.
        if body["full"]:
            return body["name"] if body["name"].endswith("集团") else body["name"] + body["full"]
        if not named and not _begins_with_word(body["stem"]):
            return body["name"]
    return place["name"] if place and named and not _AMONG.match(title, place.end()) else None


def _find_inner(title: str, start: int) -> re.Match[str] | None:
    """The place at the head of a title; of 某市某区人民政府 the district, whose government it is."""
    place = _PLACE.match(title, start)
    within = _OF_GOVERNMENT.match(title, place.end()) if place else None
    return within if within and _is_name(within["name"], within["stem"]) else place


def _behind(title: str, position: int) -> int:
    """Where what follows a place begins, behind the kind of place that it is."""
    division = re.compile(_DIVISION).match(title, position)
    return division.end() if division else position


def _is_name(name: str, stem: str) -> bool:
    gazetteer = Gazetteer.load()
    if gazetteer.province_of(name) or gazetteer.province_of(stem) or gazetteer.find_places(name):
        return False
    if (
        _NO_NAME.search(stem)
        or stem.endswith(_RANKS)
        or (name.endswith("区") and not name.endswith("自治区") and stem.endswith(_KINDS))
    ):
        return False
    return not _holds_word(stem)


def _holds_word(stem: str) -> bool:
    """Whether an ordinary word of two characters stands in it, as 示范 in 示范县."""
    return any(len(word) >= _LEAST and _ORDINARY.match(tag) for word, tag in tag_words(stem))


def _begins_with_word(stem: str) -> bool:
    """Whether it begins with an ordinary word, as 证券公司 and 中外合资."""
    word, tag = tag_words(stem)[0]
    return len(word) >= _LEAST and _ORDINARY.match(tag) is not None


def _first_word(stem: str) -> str:
    """The name at the head of a company's: 华岳 of 华岳港务."""
    first = ""
    for word, tag in tag_words(stem):
        if len(word) > 1 and (first or _ORDINARY.match(tag)):
            break
        first += word
    return first


def _is_word(stem: str) -> bool:
    tagged = tag_words(stem)
    return len(tagged) == 1 and _ORDINARY.match(tagged[0][1]) is not None
