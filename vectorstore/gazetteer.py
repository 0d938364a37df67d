"""Text -> mentions of Chinese places, each with its province and its exact place in the text.

The places stand in ``gazetteer.tsv``. Names are found longest first and only on word boundaries, so that 出海口 is not
海口 and 建成都市圈 is not 成都; a region of several provinces (京津冀) is no mention of any of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vectorstore.segment import cut

_DATA = Path(__file__).with_name("gazetteer.tsv")
_ORGANISATION = re.compile(
    r"[\u4e00-\u9fffA-Za-z0-9]{0,10}?(?:交易所|交易市场|中心|大学|学院|研究院|研究所|公司|集团|银行|石化|港区|港|"
    r"机场|海关|高新区|开发区|软件园|"
    r"产业园|工业园|医院|博物馆|电网|电力|时代|钢铁|论坛|博览会|协会|学会|委员会|"
    r"联盟|俱乐部|队|杯|法院|"
    r"检察院|监管局|管理局|航空|证券|信托|日报|晚报|时报|新闻网|电视台|宣言|协定|议定书|精神|会议|公报)"
)
_NOT_IN_NAME = re.compile(
    r"[的了和与及或在是将被把对于从向到等也都为以来去则用让使]|利用|改造|获批|建成|率先|入选|引进|开展|出台|印发|探索|建立|建设|推动|加强|推进|加快|实施|打造|提升|支持|发展|启动|完成|"
    r"新建|举办|形成|成立|积极|全面|"
    r"市|省|自治区|地区|县|区(?=[^\u4e00-\u9fff]|[^内])"
)
_STREET = re.compile(r"[东西南北中]?[一二三四五]?(?:路(?![网线面段由径灯况桥局])|大道|大街|巷|街(?!道))")
_DIRECTION = "入进来赴在驻离返抵援留到出回"
_FOREIGN = re.compile(r"(?:[亚兰尼利斯拉尔本]|(?<![我全祖中和])国)(?:的)?$")
_NEAR = 12  # characters after a province within which an ambiguous short form counts as its district


@dataclass(frozen=True, slots=True)
class Place:
    """A place of China; ``name`` is its short form, ``province`` the short form of its province-level division."""

    name: str
    province: str
    level: str  # province, prefecture, district, county, area


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that stands in a text, at ``text[start:end] == alias``."""

    start: int
    end: int
    place: Place
    alias: str
    kind: str  # full, name, alias
    in_name: bool = False  # part of the name of an organisation, an event or a thing


@dataclass(frozen=True, slots=True)
class _Form:
    """One way of writing: without a place it is a joint region or an ordinary word and hides what lies inside it."""

    text: str
    kind: str
    place: Place | None
    ambiguous: bool = False


class Gazetteer:
    """All places, and how to find them in a text."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        """Take the rows of the table; ``load`` is the usual way in."""
        self._forms: dict[str, list[_Form]] = defaultdict(list)
        self._strong: dict[str, Place] = {}
        self._weak: dict[str, Place] = {}
        self._provinces: dict[str, str] = {}
        self._inside: dict[str, set[str]] = defaultdict(set)
        self._shared: set[str] = set()
        self._doubtful: set[str] = set()
        for row in rows:
            self._add(row)
        for forms in self._forms.values():
            forms.sort(key=lambda form: -len(form.text))

    @staticmethod
    @lru_cache(maxsize=1)
    def load() -> Gazetteer:
        """Read the table that lies beside this module, once."""
        lines = [line for line in _DATA.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        names = lines[0].split("\t")
        return Gazetteer([dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]])

    def find_places(self, text: str, *, aliases: bool = False) -> tuple[Mention, ...]:
        """Find the places that a text names, in order and without overlap.

        With ``aliases`` the one-character abbreviations (沪, 苏) count wherever they stand as words of their own, as in a
        question; without, only in fixed shapes such as 入津 and 来沪.
        """
        return tuple(self._scan(text, aliases=aliases))

    def province_of(self, name: str) -> str | None:
        """The province of a place given by its short, full or other name; None where the name is unknown."""
        return self._provinces.get(name.strip())

    def provinces(self) -> tuple[str, ...]:
        """The short names of all provinces, in the order of the table."""
        return tuple(dict.fromkeys(self._provinces.values()))

    def places_in(self, province: str) -> frozenset[str]:
        """The short names of the places inside a province, without the province itself."""
        return frozenset(self._inside.get(self._provinces.get(province, province), ()))

    def is_shared(self, name: str) -> bool:
        """Whether another province has a place of the same full name (朝阳区), so that it proves little."""
        return name in self._shared

    def is_ambiguous(self, name: str) -> bool:
        """Whether a name is also an ordinary word or names many places, so that it alone is no mention (和平, 来宾)."""
        return name in self._doubtful

    def _add(self, row: dict[str, str]) -> None:
        name, full, level = row["name"], row["full"], row["level"]
        if level in ("joint", "word"):
            self._forms[name[0]].append(_Form(name, level, None))
            return
        place = Place(name, row["province"], level)
        ambiguous = "ambiguous" in row["flags"]
        written = {name: ("name", ambiguous)} | {full: ("full", full == name and ambiguous)}
        written |= dict.fromkeys(row["aliases"].split(), ("alias", False))
        for form, (kind, doubtful) in written.items():
            self._forms[form[0]].append(_Form(form, kind, place, doubtful))
            self._provinces.setdefault(form, place.province)
            if doubtful:
                self._doubtful.add(form)
        self._strong |= dict.fromkeys(row["strong"].split(), place)
        self._weak |= dict.fromkeys(row["weak"].split(), place)
        if "shared" in row["flags"]:
            self._shared |= {name, full}
        if level == "province":
            self._provinces |= dict.fromkeys([*row["strong"].split(), *row["weak"].split()], name)
        else:
            self._inside[place.province].add(name)

    def _scan(self, text: str, *, aliases: bool) -> Iterator[Mention]:
        words = _words(text)
        last: Mention | None = None
        position = 0
        while position < len(text):
            step = 1
            for form in self._forms.get(text[position], ()):
                if text.startswith(form.text, position) and self._counts(text, position, form, words, last):
                    step = len(form.text)
                    if form.place:
                        last = _mention(text, position, form)
                        yield last
                    break
            else:
                found = self._abbreviation(text, position, words, aliases=aliases)
                if found:
                    last = found
                    yield last
            position += step

    def _counts(self, text: str, start: int, form: _Form, words: list[tuple[int, int]], last: Mention | None) -> bool:
        end = start + len(form.text)
        if form.place is None:
            return form.kind == "joint" or _on_words(start, end, words) or len(form.text) > 2
        if not _on_words(start, end, words) and not (last and last.end == start):
            return False
        if form.text == "首都" and _FOREIGN.search(text[max(0, start - 3) : start]):
            return False
        if _STREET.match(text, end):
            return False
        near = last is not None and start - last.end <= _NEAR and not re.search(r"[。!?！？\n]", text[last.end : start])
        if form.kind == "full" and form.place.level in ("district", "county"):
            return not (near and last and last.end == start and last.place.province != form.place.province)
        if not form.ambiguous:
            return True
        return bool(
            near
            and last
            and last.place.province == form.place.province
            and text[last.end : start] in ("", "市", "省", "、")
        )

    def _abbreviation(self, text: str, start: int, words: list[tuple[int, int]], *, aliases: bool) -> Mention | None:
        """Read one character as a province where its surroundings leave no doubt."""
        char = text[start]
        place = self._strong.get(char) or (self._weak.get(char) if aliases else None)
        if not place:
            return None
        word = words[start]
        alone = word == (start, start + 1)
        before = text[start - 1] if start else ""
        directed = before in _DIRECTION and (alone or word == (start - 1, start + 1)) and char in self._strong
        if before and directed:
            return Mention(start, start + 1, place, char, "alias")
        if aliases and (self._in_row(text, start) or (alone and char in self._strong)):
            return Mention(start, start + 1, place, char, "alias")
        return None

    def _in_row(self, text: str, start: int) -> bool:
        """Whether a character stands among other abbreviations: 京津沪苏, 云、贵、川, or before 省 or 市."""
        known = self._strong.keys() | self._weak.keys()
        after = text[start + 1 : start + 3]
        before = text[max(0, start - 2) : start]
        beside = (after[:1] in known and after[:1] != "") or (before[-1:] in known and before[-1:] != "")
        listed = (after[:1] == "、" and after[1:] in known) or (before[-1:] == "、" and before[:1] in known)
        return beside or listed or after[:1] in ("省", "市")


def _words(text: str) -> list[tuple[int, int]]:
    """For every character, the span of the dictionary word that it belongs to."""
    spans: list[tuple[int, int]] = []
    position = 0
    for word in cut(text):
        end = position + len(word)
        spans.extend([(position, end)] * len(word))
        position = end
    if position != len(text):
        return [(i, i + 1) for i in range(len(text))]
    return spans


def _on_words(start: int, end: int, words: list[tuple[int, int]]) -> bool:
    """Whether a name begins at a word and does not end inside a word that began within the name."""
    if words[start][0] != start:
        return False
    return words[end - 1][1] == end or words[end - 1][0] == start


def _mention(text: str, start: int, form: _Form) -> Mention:
    end = start + len(form.text)
    assert form.place is not None
    follows = _ORGANISATION.match(text, end)
    in_name = bool(follows and not _NOT_IN_NAME.search(follows.group()))
    return Mention(start, end, form.place, form.text, form.kind, in_name)
