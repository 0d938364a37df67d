"""The sentences of a paragraph, one after the other -> the place that each speaks of without naming one.

南京市建立了平台。平台还……: the second sentence goes on about 南京. Where that is not sure a sentence gets no place: an
answer that lacks one is short, an answer that ascribes a sentence to the wrong city is false. So only the one place
that a sentence begins with is carried, two sentences far, and not past an enumeration, a bracket that names who is
responsible, or another subject; within a province's own text only to a sentence that says 该市 or 当地, or that takes up
the words of the short sentence which opened the paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from vectorstore.gazetteer import Gazetteer, Mention
from vectorstore.headings import read_heading
from vectorstore.regions import subjects
from vectorstore.segment import tag_words
from vectorstore.types import Section

_FAR = 2  # sentences
_TERM = 4  # characters
_NOTE = 420  # characters; a longer one is no note on who is responsible
_OPENING = re.compile(r"[^\d，,；;：:、（(]{6,24}。")  # one short clause without a figure
_LINK = r"(?:例如|比如|譬如|诸如|又如|再如|如|其中|此外|另外|同时|与此同时|近年来|近日|日前|目前|去年|今年|试点(?:城市|地区)中)[，,:：]?"
_TIME = r"(?:(?:到|自|从|在)?(?:19|20)\d{2}年(?:\d{1,2}月)?(?:以来|起|底|末|前)?[，,]?)"
_LEAD_IN = re.compile(rf"(?:[一二三四五六七八九十]是)?(?:{_LINK}|{_TIME})*(?:以)?")
_DIVISION = re.compile(r"(?:市|省|自治区|自治州|新区|地区|区|县|州|盟)?(?:委|人民政府|政府|人大)?")
_ALL_OF_IT = re.compile("全[省市区县州湖域境]")
_AS_EXAMPLE = re.compile(r"为(?:例|代表)")
_SAYS = ("v", "d", "p", "r", "t", "u", "c", "x", "zg", "i", "l")  # what may follow the subject of a sentence
_ENUMERATED = re.compile(
    r"[一二三四五六七八九十]{1,3}(?:是|要|、)|第[一二三四五六七八九十\d]+[，,、是]|[（(][一二三四五六七八九十\d]{1,3}[)）]|"
    r"\d{1,2}[.、．]|[①-⑳]|[—–-]|首先|其次|再次|最后"
)
_BRACKETS = ("（", "(", "【", "[")
_ANOTHER = re.compile(
    rf"(?:{_LINK}|{_TIME}|还)*(?:全[国球社]|各|省|我[省国]|国家|中央|其[他余]|另有|还?有|部分|多[个地数]|众多|许多|不少|一些|"
    r"(?:[两三四五六七八九十百\d]+|数十|几)[个座]?(?:城市|[地省市县区州])|沿线|试点|评估|数据|专家|记者|调研|课题组|"
    r"[京津冀长珠三角粤港澳]{3}|[东中西]部|《|总的?[来看体]|综上|应当|建议)"
)
_WHOLE = re.compile(rf"(?:{_LINK}|{_TIME})*全(?P<division>[省市区县州盟])")
_DIVISIONS = {  # 全市 of a city is its own
    "province": "省市区",
    "prefecture": "市州盟",
    "district": "区",
    "county": "县市",
}
_RESPONSIBLE = re.compile(r"[（(][^（()）]{0,200}(?:责任单位|牵头|负责|分工|配合)[^（()）]{0,200}[)）]\s*$")
_NATURAL = "湖江河山海岛"
_REFERS_BACK = re.compile(rf"(?:{_LINK}|{_TIME})*(?:该[市区县州盟地]|当地)")


def carry(section: Section, paragraph: Iterable[tuple[str, tuple[Mention, ...]]]) -> Iterator[tuple[Mention, ...]]:
    """Take the sentences of a paragraph, each with the places that it names; give for each those that it goes on about.

    To begin with a paragraph speaks of the place below a province that its heading begins with, if there is one.
    """
    of_heading = _of_heading(section)
    topic: tuple[Mention, ...] = ()
    opening: tuple[str, tuple[Mention, ...]] = ("", ())
    left = 0
    for number, (plain, own) in enumerate(paragraph):
        opened, opening = opening, ("", ())
        if own:
            above = {m.place.province for m in topic}  # 某省某湖管理局 goes on about the lake
            goes_on = {m.place.name for m in own} <= {m.place.name for m in topic} | above
            topic = topic if goes_on else _topic(plain, section.labels.region)
            topic = () if _is_aside(plain) else topic
            left = _FAR
            if number == 0 and len(own) == 1 and own[0].place.level != "province" and _OPENING.fullmatch(plain):
                opening = plain, own
            yield ()
            continue
        if _is_aside(plain) or _names_another(plain, topic or of_heading):
            topic = ()
            yield ()
            continue
        left -= 1
        if left < 0 or _ENUMERATED.match(plain):
            topic = ()
        if topic and (section.labels.region is None or _REFERS_BACK.match(plain) or _is_by(plain, topic)):
            yield topic
        else:
            yield opened[1] if _takes_up(*opened, plain) else of_heading


def _of_heading(section: Section) -> tuple[Mention, ...]:
    for text in reversed(section.headings):
        found = Gazetteer.load().find_places(text)
        if found and len({m.place.province for m in found}) == 1 and found[-1].place.province == section.labels.region:
            heads = read_heading(text, level=1)
            named = heads is not None and heads.region is not None
            if found[0].place.level == "province" and text[found[0].end : found[0].end + 1] in (":", "："):
                return ()  # what follows the colon is one of the things that are told of the province
            below = tuple(m for m in found if m.place.level != "province")
            return below if named or _begins(text, found) else ()
    return ()


def _begins(text: str, found: tuple[Mention, ...]) -> bool:
    """Whether the places stand at the head of a line, behind its number and year: 二、镇江市的做法."""
    before = re.sub(r"(?:19|20)\d{2}年?|[一二三四五六七八九十\d]+[、.．]|[\W_]", "", text[: found[0].start])
    return (
        not before and not found[0].in_name and len({m.place.name for m in found if m.place.level != "province"}) <= 1
    )


def _topic(plain: str, region: str | None) -> tuple[Mention, ...]:
    """Give the one place, with its province if that is named, that a sentence begins with and says something of."""
    about = subjects(plain)
    if not about or about[0].in_name or not _LEAD_IN.fullmatch(plain[: about[0].start].lstrip()):
        return ()
    chain = [about[0]]
    for mention in about[1:]:
        if mention.start != chain[-1].end:
            break
        chain.append(mention)
    known = {m.place.name for m in chain}
    if any(m.place.name not in known for m in about) or {m.place.province for m in chain} != {chain[0].place.province}:
        return ()
    if region not in (None, chain[0].place.province) or not _is_subject(plain[chain[-1].end :]):
        return ()
    return tuple(m for m in chain if m.place.name != region)


def _is_aside(plain: str) -> bool:
    """Whether a sentence stands in brackets, or ends in such that say who is responsible."""
    return plain.startswith(_BRACKETS) or bool(_RESPONSIBLE.search(plain[-_NOTE:]))


def _is_by(plain: str, topic: tuple[Mention, ...]) -> bool:
    """Whether a sentence names a lake, a river or a mountain by its kind alone, which is that of the sentence before it: 环湖."""
    kind = topic[-1].place.name[-1]
    return kind in _NATURAL and re.search(rf"[环全该沿入此临滨]{kind}|这[个座条]{kind}", plain) is not None


def _takes_up(opening: str, places: tuple[Mention, ...], plain: str) -> bool:
    """Whether a sentence repeats a term, word for word, of what the one that opened the paragraph says of its place."""
    for place in places:
        opening = opening.replace(place.alias, "|")
    pieces = (opening[i : i + _TERM] for i in range(len(opening) - _TERM + 1))
    return any("|" not in piece and piece in plain for piece in pieces)


def _names_another(plain: str, spoken_of: tuple[Mention, ...]) -> bool:
    """Whether a sentence begins with another subject: all of the country, others, or 全省 behind the name of a city."""
    whole = _WHOLE.match(plain)
    if whole and spoken_of:
        return whole["division"] not in _DIVISIONS.get(spoken_of[-1].place.level, "")
    return bool(_ANOTHER.match(plain))


def _is_subject(rest: str) -> bool:
    """Whether what follows a place says something of it, rather than making it part of a name or of a list."""
    division = _DIVISION.match(rest)
    rest = rest[division.end() :] if division else rest
    if _AS_EXAMPLE.match(rest) or _ALL_OF_IT.match(rest):
        return True
    tags = tag_words(rest[:12])
    return bool(tags) and tags[0][0] not in "、和与及至到等-—)" and tags[0][1].startswith(_SAYS)
