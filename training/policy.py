"""A sentence of an official text -> questions about it, as people put them, each with what answers it.

Every way of asking is one function over one clause. None of them writes facts: the answer is always the piece of the
sentence that the question word stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from training.clauses import NAME, NUMBER, YEAR, Clause, Word, split_clauses, tag_words
from training.wording import Piece, measure_noun, pick_topic_frame, word_list

_MANNER = re.compile(
    r"(?:超过|超|达到|达|约|近|突破|为|至|到|增至|仅|共|不少于|不低于|不超过|由|是|有|约为|总数|分别)+$"
)
_AFTER_NUMBER = re.compile(r"^(?:以上|以下|左右|以内|多|余|的|，|。|；|、|和|及|或|$)")
_LISTED = re.compile(
    r"(?P<list>[^、，,；;。：:（）()“”《》的]{2,14}(?:、[^、，,；;。：:（）()]{2,14}){1,6}?(?:[和及与][^、，,；;。：:（）()等的]{2,10})?)等(?P<head>[^，,；;。：:（）()]{2,14})"
)
_DUTY = re.compile(r"^(?:第.{1,6}条\s*)?(?P<who>[^，,；;。：:]{3,26}?)(?:负责|主管)(?P<duty>[^，,；;。：:]{4,30})")
_OBLIGED = re.compile(
    r"^(?:第.{1,6}条\s*)?(?P<who>[^，,；;。：:]{3,24}?)(?:应当|必须|不得)(?P<what>[^，,；;。：:]{4,60})"
)
_PENALTY = re.compile(
    r"(?P<condition>[^，,；;。：:]{6,40})的，(?P<penalty>[^；;。]*?(?:罚款|责令|处分|拘留|没收|吊销|赔偿|刑事责任)[^；;。]*)"
)
_DEFINED = re.compile(
    r"(?:本(?:条例|法|办法|规定)所称|所谓)的?(?P<term>[^，,；;。：:]{2,16})，?(?:是指|指|包括)(?P<meaning>[^；;。]{6,})"
)
_PLACE_WORDS = ("哪里", "哪个地方", "什么地方", "哪儿", "哪个地区")
_BODY_WORDS = ("哪个机构", "哪个部门", "什么单位", "哪个单位")
_DATE_LINE = re.compile(r"印发|抄送|联系人|电话|起施行|办公厅\d|网站|附件")
WEIGHTS = {
    "number": 5.0,
    "listed": 4.0,
    "name": 1.0,
    "when": 1.0,
    "penalty": 3.0,
    "definition": 3.0,
    "duty": 2.0,
    "obligation": 1.0,
    "object": 1.0,
}
_WIDEST = 26  # characters of the clause that a question goes along with


@dataclass(frozen=True, slots=True)
class Draft:
    """A question before it is worded: its pieces, the answer, the clause that holds it, the term that it hangs on."""

    kind: str
    pieces: tuple[Piece, ...]
    answer: str
    clause: Clause
    key: str = ""


def draft_questions(sentence: str, rng: Random) -> list[Draft]:
    """All questions that the ways of asking find in a sentence, in random order, kinds by their weights."""
    if _DATE_LINE.search(sentence):
        return []
    words = tag_words(sentence)
    clauses = split_clauses(sentence, words)
    drafts: list[Draft] = []
    for clause in clauses:
        for ask in WAYS:
            draft = ask(sentence, clause, rng)
            if draft and _says_enough(draft):
                drafts.append(draft)
    drafts += [d for d in (ask_penalty(sentence, clauses, rng), ask_definition(sentence, clauses, rng)) if d]
    return sorted(drafts, key=lambda d: -(rng.random() ** (1 / WEIGHTS[d.kind])))


def ask_number(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """新建公园120座 -> 新建公园多少座, 公园要新建多少座, 公园的数量是多少."""
    found = [m for m in NUMBER.finditer(sentence, clause.start, clause.end) if _counts(sentence, m)]
    if not found:
        return None
    match = rng.choice(found)
    start = max(clause.start, sentence.rfind("、", clause.start, match.start()) + 1)
    stop = _list_end(sentence, match.end(), clause.end)
    left = _without_manner(clause.between(start, match.start()))
    right = () if _AFTER_NUMBER.match(sentence[match.end() : clause.end]) else clause.between(match.end(), stop)
    verbs = [w for w in left if w.is_verb]
    if not verbs and start > clause.start:  # 新增森林3.1万亩、绿地1000公顷: the verb of the list
        verbs = [w for w in clause.between(clause.start, start) if w.is_verb][:1]
    verb = verbs[-1] if verbs else None
    thing = right or tuple(w for w in left if w is not verb)
    if not _length(thing) >= 2:
        return None
    pieces = _number_pieces(sentence[clause.start : clause.end], match, left, right, thing, verb, rng)
    return Draft("number", pieces, match.group().strip(), clause, "".join(w.text for w in thing[-3:]))


def _number_pieces(
    clause: str,
    match: re.Match[str],
    left: Sequence[Word],
    right: Sequence[Word],
    thing: Sequence[Word],
    verb: Word | None,
    rng: Random,
) -> tuple[Piece, ...]:
    unit = match["unit"] or ""
    much = _how_much(match, rng)
    form = rng.random()
    doing = [Piece(verb.text, does=True)] if verb else []
    if right:
        if form < 0.55 or not verb:
            return (*_pieces(left), Piece(much, asks=True), *_pieces(right))
        return (*_pieces(right), Piece("要", light=True), *doing, Piece(much, asks=True))
    if form < 0.4 or not thing:
        lead = [] if verb is None or verb in left else doing
        return (*lead, *_pieces(left), Piece(much, asks=True))
    if form < 0.6 and verb:
        return (*_pieces(thing), *doing, Piece(much, asks=True))
    if form < 0.8:
        noun = measure_noun(unit, rng)
        lead = doing if rng.random() < 0.7 else []
        return (
            *lead,
            *_pieces(thing),
            Piece("的", light=True),
            Piece(noun),
            Piece(rng.choice(["是多少", "有多少", "是多少", "多大"]), asks=True),
        )
    if form < 0.9:
        return (
            *doing,
            *_pieces(thing),
            Piece(rng.choice(["达到多少", "有多少", "是多少", "的目标是多少", "多少", "是几"]), asks=True),
        )
    return (*_pieces(thing), *doing, Piece(measure_noun(unit, rng), asks=True))


def _how_much(match: re.Match[str], rng: Random) -> str:
    unit = match["unit"] or ""
    if unit in ("%", "％", "‰"):
        return rng.choice(["多少", "多少", "百分之多少", "百分之几"])
    if "百分点" in unit:
        return rng.choice(["多少", "多少个百分点", "几个百分点"])
    if unit in ("元", "美元"):
        return rng.choice(["多少", "多少钱", "多少资金", "多少" + (match["scale"] or "") + unit, "多少" + unit])
    small = not match["scale"] and len(match["value"]) <= 2
    return rng.choice([f"多少{unit}", f"多少{unit}", "多少", f"几{unit}" if small and unit else f"多少{unit}"])


def ask_when(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """2008年全面推开 -> 哪一年全面推开."""
    match = YEAR.search(sentence, clause.start, clause.end)
    if not match or clause.end - clause.start - len(match.group()) < 6:
        return None
    left, right = clause.between(clause.start, match.start()), clause.between(match.end(), clause.end)
    wh = rng.choice(["哪一年", "什么时候", "何时", "哪年", "几几年", "哪一年"])
    body = _trim((*left, *right), rng)
    pieces = (
        (*_pieces(body), Piece("是", light=True), Piece(wh, asks=True))
        if rng.random() < 0.4
        else (*_pieces(left), Piece(wh, asks=True), *_pieces(right))
    )
    return Draft("when", pieces, match.group(), clause)


def ask_name(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """支持北京绿色交易所建设市场 -> 支持哪家机构建设市场; titles and quoted terms likewise."""
    match = NAME.search(sentence, clause.start, clause.end)
    if match and rng.random() < 0.8:
        titled = match["title"] is not None
        wh = rng.choice(
            ["哪个文件", "什么文件", "哪部法规", "什么规划", "哪个"] if titled else ["什么", "哪个", "什么"]
        )
        start, stop, answer = match.start(), match.end(), match["title"] or match["quoted"]
    else:
        names = [w for w in clause.words if w.names_place or (w.tag == "nt" and len(w.text) >= 4)]
        if not names:
            return None
        name = rng.choice(names)
        wh = rng.choice(_PLACE_WORDS if name.names_place else _BODY_WORDS)
        start, stop, answer = name.start, name.end, name.text
    left = clause.between(clause.start, start)[-8:]
    right = clause.between(stop, clause.end)[:8]
    return Draft("name", (*_pieces(left), Piece(wh, asks=True), *_pieces(right)), answer, clause)


def ask_listed(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """推动甲、乙等项目落地 -> 推动哪些项目落地."""
    match = _LISTED.search(sentence, clause.start, clause.end)
    if not match:
        return None
    inside = clause.between(match.start("list"), match.end("list"))
    first = sentence.find("、", match.start("list"))
    opening = [w for w in inside if w.end <= first and w.is_verb]
    start = opening[-1].end if opening and opening[-1].end < first - 1 else match.start("list")
    left = clause.between(clause.start, start)[-6:]
    right = clause.between(match.start("head"), clause.end)[:7]
    wh = rng.choice(["哪些", "哪些", "哪几个", "什么"])
    pieces = (*_pieces(left), Piece(wh, asks=True), *_pieces(right))
    if rng.random() < 0.3:
        pieces = (
            *_pieces(left),
            *_pieces(right),
            Piece(rng.choice(["有哪些", "包括哪些", "具体是哪些", "是指哪些"]), asks=True),
        )
    return Draft("listed", pieces, sentence[start : match.end("list")], clause)


def ask_object(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """着力建设美丽中国先行区 -> 着力建设什么, 建设什么先行区."""
    verbs = [i for i, w in enumerate(clause.words) if w.is_verb and i + 2 <= len(clause.words) - 1]
    if not verbs:
        return None
    i = rng.choice(verbs)
    left, thing = clause.words[: i + 1], clause.words[i + 1 :]
    if thing[0].tag[:1] in "upcxf" or thing[0].text in "了着过的或和" or thing[-1].text in "的和或时":
        return None
    if _length(thing) < 4 or _length(thing) > 22 or NUMBER.search(sentence, thing[0].start, clause.end):
        return None
    head = thing[-1]
    wh = rng.choice(
        ["什么", "什么", "哪些方面", "怎样的" + head.text, "什么" + head.text if head.tag.startswith("n") else "什么"]
    )
    answer = sentence[thing[0].start : clause.end]
    return Draft("object", (*_pieces(left[-7:]), Piece(wh, asks=True)), answer, clause)


def ask_duty(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """县级以上人民政府负责城市绿化 -> 谁负责城市绿化."""
    match = _DUTY.match(sentence[clause.start : clause.end])
    if not match or not _on_words(clause, match, "who", "duty") or match["duty"][0] in "人任":
        return None
    return Draft("duty", pick_topic_frame("duty", {"d": match["duty"]}, rng), match["who"], clause)


def ask_obligation(sentence: str, clause: Clause, rng: Random) -> Draft | None:
    """建设单位应当编制报告 -> 建设单位应当做什么, 谁应当编制报告."""
    match = _OBLIGED.match(sentence[clause.start : clause.end])
    if not match or not _on_words(clause, match, "who", "what") or match["what"].startswith("有下列"):
        return None
    if rng.random() < 0.5 and len(match["what"]) <= 30:
        who = rng.choice(["谁应当", "什么人应当", "哪个单位应当", "谁要", "谁必须"])
        return Draft("duty", (Piece(who, asks=True), *_pieces(tag_words(match["what"]))), match["who"], clause)
    return Draft("obligation", pick_topic_frame("obligation", {"s": match["who"]}, rng), match["what"], clause)


def ask_penalty(sentence: str, clauses: Sequence[Clause], rng: Random) -> Draft | None:
    """违反规定……的，处以罚款 -> 违反规定……会受到什么处罚."""
    match = _PENALTY.search(sentence)
    inside = [c for c in clauses if match and c.start >= match.start("penalty")]
    if not match or not inside:
        return None
    return Draft(
        "penalty", pick_topic_frame("condition", {"c": match["condition"]}, rng), match["penalty"][:60], inside[0]
    )


def ask_definition(sentence: str, clauses: Sequence[Clause], rng: Random) -> Draft | None:
    """本条例所称再生水，是指…… -> 什么是再生水."""
    match = _DEFINED.search(sentence)
    if not match:
        return None
    return Draft(
        "definition", pick_topic_frame("define", {"t": match["term"]}, rng), match["meaning"][:60], clauses[-1]
    )


def find_topics(sentences: Sequence[str], rng: Random) -> list[tuple[str, tuple[int, ...]]]:
    """Terms that a few sentences of a stretch speak of, each with these sentences."""
    places: dict[str, list[int]] = {}
    for i, sentence in enumerate(sentences):
        words = tag_words(sentence)
        for a, b in pairwise(words):
            if a.tag.startswith("n") and b.tag in ("n", "vn", "nz") and 4 <= len(a.text + b.text) <= 9:
                places.setdefault(a.text + b.text, []).append(i)
        for w in words:
            if w.tag in ("n", "nz", "vn", "l", "j") and len(w.text) >= 3:
                places.setdefault(w.text, []).append(i)
    found = [(t, tuple(dict.fromkeys(at))) for t, at in places.items() if 2 <= len(set(at)) <= 5]
    rng.shuffle(found)
    return found


WAYS: tuple[Callable[[str, Clause, Random], Draft | None], ...] = (
    ask_number,
    ask_when,
    ask_name,
    ask_listed,
    ask_object,
    ask_duty,
    ask_obligation,
)


def _says_enough(draft: Draft) -> bool:
    plain = "".join(p.text for p in draft.pieces if not p.asks and not p.light)
    return 4 <= len(plain) <= 60 and len(draft.answer) >= 1


def _pieces(words: Sequence[Word]) -> tuple[Piece, ...]:
    light = word_list("light")
    return tuple(
        Piece(
            w.text,
            light=w.text in light or w.tag in ("d", "u", "uj", "ul", "p", "c", "x", "f"),
            cut=w.tag == "x",
            does=w.is_verb,
        )
        for w in words
    )


def _on_words(clause: Clause, match: re.Match[str], *groups: str) -> bool:
    edges = {w.start - clause.start for w in clause.words} | {w.end - clause.start for w in clause.words}
    return all(match.start(g) in edges and match.end(g) in edges for g in groups)


def _trim(words: Sequence[Word], rng: Random) -> Sequence[Word]:
    while words and _length(words) > _WIDEST:
        words = words[1:] if rng.random() < 0.7 else words[:-1]
    return words


def _length(words: Sequence[Word]) -> int:
    return sum(len(w.text) for w in words if w.tag != "x")


def _without_manner(words: Sequence[Word]) -> tuple[Word, ...]:
    """Drop 超过, 达到 and the like before a number: the question word takes their place."""
    kept = list(words)
    while kept and (kept[-1].tag == "x" or _MANNER.fullmatch(kept[-1].text)):
        kept.pop()
    return tuple(kept)[-9:]


def _counts(sentence: str, match: re.Match[str]) -> bool:
    if not match["unit"] and not match["scale"]:
        return False
    following = sentence[match.end() : match.end() + 1]
    return not (
        match["unit"] in ("日", "届") or (not match["unit"] and following in ("年", "月", "日", "号", "条", "、"))
    )


def _list_end(sentence: str, start: int, end: int) -> int:
    at = sentence.find("、", start, end)
    return end if at < 0 else at
