"""A follow-up that leaves out what was said before in, the question that it stands for out.

Three ways in which people leave out: a part is exchanged for its counterpart (省级 for 国家级), a condition is added (到期没治好呢), and
a thing is named by its place in the list that was answered (第二个). Each gives nothing where it does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.reading.lexicon import load_lexicon
from assistant.reading.thesaurus import find_edges
from vectorstore.normalize import normalize
from vectorstore.segment import cut, tag_words

_CONDITION = re.compile(
    r"^(?:如果|要是|假如|万一|倘若|逾期|到期|期满|超过|超出)|(?:以后|之后|的话)|没有?(?!.*的[^,]*$)|[未不](?!.*的[^,]*$)|(?:又|再次|再犯)"
)
_END = "?"  # as the normal form of a question has it
_ASKING = re.compile(r"什么|哪|怎么|如何|怎样|咋|多少|多久|多长|几|谁|吗|是否|能不能|有没有|行不行|要不要")
_SUPPOSED = re.compile(r"^(?:如果|要是|假如|万一|倘若)|的话$")
# A condition that says nothing without what was spoken of: it is added to that, where another takes its place.
_FURTHER = re.compile(
    r"到期|逾期|期满|过期|仍|还是|拒不|再|以后|之后|后果|(?P<grave>(?:情节|后果|数额|金额)[^,]{0,3}(?:严重|轻微|大)的?$)"
)
_CONSEQUENCE = re.compile(
    r"(?:要|会|应该?|该|将|得|都)*(?:受|被|承担|负)?到?(?:怎么|咋|如何|怎样)(?:处?罚|处理|处置|处分|追究|样|办)?\?*$"
    r"|(?:要|会|应该?|该|将|得|都)*(?:受|被|承担|负|有)?到?(?:什么|啥|哪些|怎样的)样?的?(?:处分|处罚|后果|责任|惩罚)\?*$|罚(?:款)?(?:多少|几)[^,]{0,4}$"
)
_WHO = re.compile(r"由?谁(?:来|去)?[^,谁]{1,4}$")
# What a question says of its subject at its end: 怎么罚, 奖励多少.
_PREDICATE = re.compile(
    r"(?:(?:要|会|应该?|该|能|将|可以|得|都)*被?(?:怎么|咋|如何|怎样)[^,]{0,6}"
    r"|(?:要|会|能|可以|得)*(?:罚款?|奖励?|补贴?|补助|处罚?|收费?|交|缴|拨|报销?|领|拿|给|发)(?:到|的|是|为)*(?:多少|几)[^,]{0,6})\?*$"
)
# 第2条 is of a law, and 第1个园区 a thing with a name of its own.
_OF_WHICH = re.compile(
    r"^(?:那么?)?(?:其中)?(?:的)?(?:第(\d+)|最后1?)(?:[个类种样件](?:问题|方面|经验|特点|建议|措施|原因)?|[点项]|(?:个)?方面|大?问题)(?=[能要可会是有在怎咋需由谁什哪呢的得该领拿又还,?具详展细说讲介]|$)"
)
_MORE_OF_IT = re.compile(
    r"^,?(?:请|能不能|能否|能|可以|再|给我|帮我|麻烦)*(?:具体|详细|展开|仔细|细)(?:地|来|些|点|一些)?(?:说说?|讲讲?|介绍|谈谈?|聊聊?|解释)?(?:[1一](?:下|点|些))?"
    r"(?:看看?)?(?:是(?:什么|怎么回事))?(?:吗|呢|么)?[?。]?$|^,?(?:说说|讲讲|介绍[1一]下|解释[1一]下)[?。]?$"
)
_HEADING = re.compile(
    r"^(?:《[^》]*》)?(?:[(（][一二三四五六七八九十\d]+[)）]|[一二三四五六七八九十]+、)(?P<name>[^“”]{2,24})$"
)
_NUMBER = r"(?:\d+[.、]\s*|[(（][一二三四五六七八九十\d]+[)）]\s*)"
# A point of a list is named by what stands behind its number, or by all that it says where that is short.
_BULLET = re.compile(
    rf"^- “?(?:{_NUMBER}(?P<name>[^“”,，。;；:：\[]{{2,24}})|(?P<short>[^“”,，。;；:：\[\d]{{2,20}})[。;；]?”?(?:\[\d+\])?[。;；]?$)"
)
# A point that counts itself: 二是…, 第二，…, 特点二：…
_COUNTS = re.compile(
    r"(?:(?P<is>[一二三四五六七八九十]{1,2})是|第(?P<nth>[一二三四五六七八九十]{1,2})[,，、]|其(?P<its>[一二三四五六七八九十])[,，、]"
    r"|[\u4e00-\u9fff]{2}(?P<kind>[一二三四五六七八九十]{1,2})[:：])(?P<name>[^,，。;；:：\[\n]{2,28})"
)
_NUMERALS = "一二三四五六七八九十"
_APART = 2000  # characters between two points of one list
_ON_IT = "讲讲"  # all that there is of it
_LEAST_ITEMS = 2


def add_condition(core: str, text: str) -> str:
    """到期没治好呢: what becomes of what was spoken of, where something else holds; nothing where the words state no condition."""
    further = _FURTHER.search(core)
    stated = bool(_SUPPOSED.search(core)) or bool(further and further["grave"])
    told_of = stated or (_is_clause(core) and bool(_CONDITION.search(core)))
    does = _CONSEQUENCE.search(text) is not None and "的" not in core and _opens_with_verb(core)
    if _ASKING.search(core) or not (told_of or does):
        return ""
    core = _SUPPOSED.sub("", core).removesuffix("的").removeprefix("是")
    clauses = [clause for clause in re.split(r"[,。?]", text) if clause]
    told = [clause for clause in clauses if not _ASKING.search(clause)]
    if len(told) > 1:  # one condition takes the place of the other
        told = [told[0], *(clause for clause in told[1:] if not _CONDITION.search(clause))]
    if who := _WHO.search(clauses[-1]) if clauses else None:
        return f"{clauses[-1][: who.start()]},{core}{who[0]}?"
    if not told and clauses:
        said = _PREDICATE.sub("", _CONSEQUENCE.sub("", clauses[-1]))
        if said != clauses[-1] and not further and not _SUPPOSED.search(core) and _CONDITION.search(said):
            return f"{_read_subject(said)}{core}会怎样{_END}"
        told = [said] if said and said != clauses[-1] else []
    return ",".join([*told, f"{core}会怎样{_END}"]) if told else ""


def _read_subject(said: str) -> str:
    """What a statement is about: the nouns that it opens with, and a comma."""
    subject = ""
    for word, tag in tag_words(said):
        if not tag.startswith(("n", "vn", "b", "j")):
            break
        subject += word
    return f"{subject}," if subject else ""


def _is_clause(core: str) -> bool:
    """Whether it states something, and does not only name it: 没有执照的企业 is a thing."""
    tagged = [tag for word, tag in tag_words(core) if word.strip(",")]
    return bool(tagged) and any(tag.startswith("v") for tag in tagged) and not tagged[-1].startswith(("n", "s", "r"))


def _opens_with_verb(core: str) -> bool:
    return any(tag.startswith("v") for _, tag in tag_words(core)[:1])


def exchange_statement(core: str, text: str) -> str:
    """提供虚假信息的机构呢: another case, of which the same is asked; nothing where it is only a name."""
    predicate = _PREDICATE.search(text) or _CONSEQUENCE.search(text)
    head, _, thing = core.rpartition("的")
    states = re.search("[不没未]", head) or any(tag.startswith("v") for _, tag in tag_words(head))
    if predicate is None or not thing or not states:
        return ""
    return f"{core}{predicate[0].rstrip('?')}?"


def exchange_counterpart(noun: str, text: str) -> str:
    """省级 for 国家级: a word takes the place of the one beside which it is spoken of; nothing where no such word stands there."""
    edges = find_edges(text)
    for words in load_lexicon().counterparts:
        spans = (
            [m.span() for word in words - {noun} for m in re.finditer(re.escape(word), text)] if noun in words else []
        )
        whole = [span for span in spans if {*span} <= edges]  # 小学 of 小学生 is no word of its own
        if whole:
            start, end = max(whole, key=lambda span: span[1] - span[0])
            for size in range(len(noun) - 1, 0, -1):  # 部门负责人 for 员工 of 部门员工
                start -= size if text[:start].endswith(noun[:size]) else 0
            return f"{text[:start]}{noun}{text[end:]}"
    # 甲类 for 乙类: words of two and more characters that end alike.
    like = [word for word in cut(text) if len(word) > 1 and word[-1] == noun[-1] and len(word) <= len(noun) + 1]
    return text.replace(like[-1], noun, 1) if len(noun) > 1 and noun[-1] in "级类型档等期" and like else ""


def name_item(text: str, reply: str, texts: Sequence[str] = ()) -> str:
    """第二个能领多少钱: the question with the second thing of the list that was answered; as it is where there is no such list.

    Points that count themselves (二是…) are taken by their number, from the document where the answer left them out.
    """
    normal = normalize(text)
    match = _OF_WHICH.search(normal)
    if match is None or not reply:
        return text
    rest = normal[match.end() :]
    ahead, rest = (_ON_IT, "") if _MORE_OF_IT.match(rest) else ("", rest)
    if match[1] and (name := _find_counted(int(match[1]), reply, texts)):
        return f"{ahead}{name}{rest}"
    items = _list_items(reply)
    number = int(match[1]) - 1 if match[1] else len(items) - 1
    return f"{ahead}{items[number]}{rest}" if 0 <= number < len(items) else text


def _find_counted(number: int, reply: str, texts: Sequence[str]) -> str:
    """The point of a number: in the answer, or in the document behind or before one that the answer has."""
    if number > len(_NUMERALS):
        return ""
    found = [match for line in reply.splitlines() for match in _COUNTS.finditer(line)]
    for match in found:
        if _count(match) == number:
            return _close(match["name"])
    for match in found[:1]:
        for text in texts:
            at = text.find(_close(match[0]))
            near = text[max(0, at - _APART) : at + _APART] if at >= 0 else ""
            others = [m for m in _COUNTS.finditer(near) if _marks_alike(m, match) and _count(m) == number]
            if len(others) == 1:
                return _close(others[0]["name"])
    return ""


def _close(name: str) -> str:
    """Without the mark of a quotation that it only ends."""
    return name.removesuffix("”") if name.count("”") > name.count("“") else name


def _count(match: re.Match[str]) -> int:
    numeral = match["is"] or match["nth"] or match["its"] or match["kind"]
    return _NUMERALS.find(numeral) + 1


def _marks_alike(one: re.Match[str], other: re.Match[str]) -> bool:
    return all((one[name] is None) == (other[name] is None) for name in ("is", "nth", "its", "kind"))


def _list_items(reply: str) -> list[str]:
    """The things that an answer lists: its headings where it has several, or else its points."""
    lines = [line.strip() for line in reply.splitlines()]
    for pattern in (_HEADING, _BULLET):
        matches = [match.groupdict() for line in lines if (match := pattern.match(line))]
        found = list(dict.fromkeys((match["name"] or match.get("short") or "").strip() for match in matches))
        if len(found) >= _LEAST_ITEMS:
            return found
    return []
