"""A question that sets things side by side in, its sides out, and what is asked of each of them.

``虚报能耗数据和虚报差旅费，处罚有什么区别``: the sides are what joins leave on both hands, told apart by the words that only one of
them has; what stands behind them, or in a clause of its own, is asked of both. A side may be a bound of a figure (500万以下的) or
only the lack of the other (没有的). Places, years and documents are no sides here: they have scopes of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from assistant.question.frames import drop_frames
from assistant.question.places import find_mentions
from assistant.question.understand import join_terms
from assistant.reading.lexicon import load_lexicon
from assistant.reading.quantities import Measure, find_quantities
from vectorstore.normalize import normalize
from vectorstore.segment import content_words, cut
from vectorstore.types import Scope

_DEGREE = "高|低|多|少|大|小|快|慢|长|短|严格?|宽松?|重|轻|贵|便宜|早|晚|远|近"
_DIFFER = re.compile(
    r"(?:有|存在|是)?(?:什么|何|啥|哪些|多大|怎样)?的?(?:不同|不[1一]样|区别|差异|差别|异同)(?:之处|点|在哪里?|是什么)?"
)
_MEASURE = re.compile(
    rf"(?:相|之间)?差(?:了|距)?(?:是|有)?(?:多少|几|多大)|差距"
    rf"|(?:谁|哪[1一]?(?:个|种|类|边|家|方|者))(?:的|要|会|得)*[^,。?]{{0,6}}?[更最]?(?:{_DEGREE})(?=[些点1一,。?]|$)"
    rf"|(?:谁|哪[1一]?(?:个|种|类|边|家|方|者))[更最]?(?:{_DEGREE})(?=[些点1一,。?]|$)"
)
_EACH = re.compile("分别|各自?(?=[是为有要能由])")
_COUNTED = re.compile(r"这?[\d一二三四五六七八九十两几]+[个种类块者项方]")  # 两种情形, which are the sides themselves
_HOW_MANY = re.compile("多少|(?<!第)几")
_ORDER = re.compile(r"^(?:请|帮我|给我)*(?:比较|对比)(?:[1一]下|比[1一]比)?")
_JOINS = frozenset(("和", "与", "跟", "同", "及", "以及", "还是", "、", "比起", "相比"))
# Words that elsewhere say nothing, and tell a side from another: 中央和地方.
_TELLING = frozenset(("城市", "地方", "地区", "政府", "全市", "全省", "现在", "目前", "以前", "过去", "新", "旧"))
_LINKS = frozenset(("占", "由", "在", "对", "向", "要", "能", "应", "可", "是", "有", "被", "为", "按"))
_FIELD = re.compile(r"在(?P<field>[^,在的]{1,10}?)(?:方面|上|中|里|时)")  # 在考核上
_FIELD_END = re.compile(r"(?:方面|上|中|里|时)$")
_WITHOUT = re.compile(r"^(?:那些|其他)?(?:没有?|无|未|不)(?:[\u4e00-\u9fff]{0,2})?的?$")
_NEGATED = re.compile(r"没有?|未|无(?!障碍|人)|不(?!同|断|仅)")
_BOUNDS = (
    (
        True,
        re.compile(r"^\s*[元人户个吨]?(?:及)?(?:以上|起)"),
        re.compile(r"(?:超过|高于|大于|多于|不低于|不少于)\s*$"),
    ),
    (
        False,
        re.compile(r"^\s*[元人户个吨]?(?:及)?(?:以下|以内|以里)"),
        re.compile(r"(?:不足|低于|不满|小于|少于|不到|不超过)\s*$"),
    ),
)
_PENAL = re.compile("处罚|惩罚|惩处|受罚|罚款?|后果|追责|问责|处分")
_OUTCOME = re.compile("效果|成效|收效|效用|见效|作用|影响|结果")
_MAKE = re.compile("[型类级性制式]")
# Words of such a question that say nothing of what is compared.
_IDLE = re.compile(
    rf"^(?:[更最]?(?:{_DEGREE})|前后|两者|二者|情况|方面|要求|规定|标准|做法|待遇|办法|办理|处理|对待|标准差|幅度|增速|增幅|涨幅|降幅|升幅|增长率|金额|数额|力度|情形|侧重点?|重点)$"
)


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure and the side of it that is meant: 500万元以上."""

    value: Decimal
    above: bool


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things that are compared."""

    name: str  # as the question calls it
    words: tuple[str, ...] = ()  # what no other side has
    bound: Bound | None = None
    lacks: bool = False  # it is what the side before it is not


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sides, and what is asked of each."""

    sides: tuple[Side, ...]
    shared: tuple[str, ...]  # telling words that all sides have
    asked: tuple[str, ...]  # what is asked of all of them
    penal: bool  # whether it is asked how they are punished
    measured: bool  # whether it is asked for their figures
    each: bool  # whether it only asks for each, and compares nothing itself
    outcome: bool = False  # whether what came of each is asked for: 效果如何


def split_sides(focus: str) -> Comparison | None:
    """``None`` where a question sets nothing side by side."""
    text, measured, each = _take_mark(focus.rstrip("?？。!"))
    if text is None:
        return None
    fields = [m["field"] for m in _FIELD.finditer(text)]
    text = re.sub("[,，](?=[和与跟])", "", _FIELD.sub("", text))
    pieces = [piece.strip() for piece in re.split("[,，:：]", text) if piece.strip()]
    for number, piece in enumerate(pieces):
        if parts := _split(piece):
            others = [*fields, *(_FIELD_END.sub("", p) for n, p in enumerate(pieces) if n != number)]
            return _read(parts, others, measured=measured, each=each)
    return None


def drop_places(focus: str, scope: Scope) -> str:
    """The question without the place that it is about: it is said of all sides."""
    for name in sorted((*scope.places, *scope.regions), key=len, reverse=True):
        for form in (name, name[:-1]):
            focus = re.sub(rf"^(?:在|对)?{re.escape(form)}的?(?=.)", "", focus) if len(form) > 1 else focus
    return focus


def _take_mark(focus: str) -> tuple[str | None, bool, bool]:
    """The question without the words that compare; whether those ask for figures, and whether they only ask for each."""
    text, ordered = _ORDER.subn("", focus)
    if found := _DIFFER.search(text):
        return f"{text[: found.start()]},{text[found.end() :]}", False, False
    if found := _MEASURE.search(text):
        head = _EACH.split(text[: found.start()])[0]
        return f"{head},{text[found.end() :]}", True, False
    if ordered:
        return text, False, False
    if found := _EACH.search(text):
        return text[: found.start()], bool(_HOW_MANY.search(text, found.end())), True
    return None, False, False


def _split(piece: str) -> list[str]:
    """What stands around the words that join; nothing where none does."""
    parts = [""]
    for word in cut(piece):
        if word in _JOINS:
            parts.append("")
        else:
            parts[-1] += word
    parts = [part.strip() for part in parts]
    return parts if len(parts) > 1 and all(parts) else []


def _read(parts: Sequence[str], others: Sequence[str], *, measured: bool, each: bool) -> Comparison | None:
    last, tail = _cut_tail(parts[-1], parts[0], bare=not others)
    names, topic = _cut_topic([*parts[:-1], last])
    asked = _COUNTED.sub(" ", " ".join([*others, topic, tail]))
    told = [_telling(name, of_side=True) for name in names]
    common = set(told[0]).intersection(*told[1:])
    bounds = [_read_bound(name) for name in names]
    sides = []
    for number, name in enumerate(names):
        rest = {word for n, words in enumerate(told) if n != number for word in words} | set(_telling(tail))
        own = tuple(word for word in told[number] if word not in rest)
        if all(bounds):
            sides.append(Side(name, (), bounds[number]))
        elif _lacks(name, names[number - 1] if number else "", own):
            sides.append(Side(f"{name.removesuffix('的')}的", (), lacks=True))
        elif own := _find_make(name, names, own):
            sides.append(Side(name, own))
    if len(sides) < len(names):
        return None
    shared = dict.fromkeys(word for words in told for word in words if all(bounds) or word in common)
    wanted = tuple(word for word in _telling(asked) if not _PENAL.fullmatch(word) and not _IDLE.match(word))
    outcome = bool(wanted) and all(_OUTCOME.fullmatch(word) for word in wanted)
    wanted = () if outcome else wanted
    return Comparison(tuple(sides), tuple(shared), wanted, bool(_PENAL.search(asked)), measured, each, outcome)


def _find_make(name: str, names: Sequence[str], own: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a side, or what is left of it without the end that all have, where it is of a make: 综合型 of 综合型城市."""
    end = min(map(len, names)) - 1
    while end > 0 and len({one[-end:] for one in names}) > 1:
        end -= 1
    end -= end > 0 and _MAKE.match(name[-end:]) is not None  # they share it: 资源型, 综合型
    rest = normalize(name[: len(name) - end] if end > 0 else "")
    return (rest,) if len(rest) > 1 and (not own or (_MAKE.match(rest[-1]) and own == (rest[:-1],))) else own


def _cut_tail(text: str, other: str, *, bare: bool) -> tuple[str, str]:
    """The last side, and what is asked of all behind it: it stands behind 的, or (``bare``) behind what the sides end alike with.

    Where they do not, the last side is about as long as the ``other``: 集团领导和部门负责人住宿费.
    """
    if text.endswith("的"):
        return text[:-1], ""
    if "的" in text:
        head, tail = text.rsplit("的", 1)
        return head, tail
    if not bare:
        return text, ""
    for size in range(len(other) - 1, 1, -1):
        if (at := text.find(other[-size:])) > 0:
            return text[: at + size], text[at + size :]
    words = cut(text)
    ends = list(accumulate(len(word) for word in words))
    alike = next((n for n, word in enumerate(words[:-1]) if len(word) > 1 and word[-1] == other[-1]), None)
    if alike is not None:  # 公路和铁路货运量: the sides are of one make
        return text[: ends[alike]], text[ends[alike] :]
    size = min(range(len(ends)), key=lambda n: (abs(ends[n] - len(other)), n)) + 1
    tail = "".join(words[size:])
    while size > 1 and words[size - 1] in _LINKS:
        size -= 1
    return "".join(words[:size]), tail


def _cut_topic(names: list[str]) -> tuple[list[str], str]:
    """What stands before the first side and is said of all: 拆解废物 of 拆解废物没通过验收和没有执照."""
    first = _NEGATED.search(names[0])
    if first and first.start() > 1 and all(_NEGATED.match(name) for name in names[1:]):
        return [names[0][first.start() :], *names[1:]], names[0][: first.start()]
    return names, ""


def _telling(text: str, *, of_side: bool = False) -> tuple[str, ...]:
    """The telling words: no places, no figures, nothing that only asks."""
    lexicon = load_lexicon()
    text = drop_frames(normalize(text))
    for span in sorted(((m.start, m.end) for m in find_mentions(text)), reverse=True):
        text = f"{text[: span[0]]} {text[span[1] :]}"
    for quantity in reversed(find_quantities(text)):
        text = f"{text[: quantity.start]} {text[quantity.end :]}"
    told = [w for w in content_words(text) if (of_side and w in _TELLING) or w not in lexicon.stopwords]
    return tuple(word for word in join_terms(told, text) if len(word) > 1)


def _lacks(name: str, before: str, own: Sequence[str]) -> bool:
    """Whether a side is only that the one before it is not so: 没有的, or the same words with a negation."""
    if not before or _NEGATED.search(before):
        return False
    return bool(_WITHOUT.match(name)) or (not own and bool(_NEGATED.search(name)))


def _read_bound(name: str) -> Bound | None:
    """The figure that bounds a side, and on which hand of it the side lies."""
    return next(iter(find_bounds(name)), None)


def find_bounds(text: str) -> list[Bound]:
    """The figures of a text that bound something."""
    bounds = []
    for quantity in find_quantities(text):
        if quantity.measure is not Measure.QUANTITY:
            continue
        before, behind = text[: quantity.start], text[quantity.end :]
        for above, after, ahead in _BOUNDS:
            if after.match(behind) or ahead.search(before) or _says(quantity.text, above=above):
                bounds.append(Bound(quantity.value, above))
                break
    return bounds


def _says(text: str, *, above: bool) -> bool:
    """Whether a figure holds the word that bounds it itself (超过500万元)."""
    return bool(re.match("超过|高于|大于|多于" if above else "不足|低于|不满|小于|少于|不到", text))
