"""A question for what goes badly and the documents in, the stretches out in which a text owns up to it.

A text has a heading for it (存在的主要问题), or it says so where it comes to it, in its own words: 尚未到位, 仍要自付, 时有中断.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.finding.stretches import Stretch, list_stretches
from assistant.question.weigh import Weighing
from vectorstore.types import ParsedDocument, Scope, Sentence

_NOUN = "困难|问题|挑战|不足|短板|差距|难题|教训|弱项|薄弱环节|毛病|缺点|缺陷|难点|痛点|堵点|软肋|欠账"
_ASKS = re.compile(
    f"{_NOUN}|难处|做得不好|没做好|不到位|不理想|不尽如人意|不满意的地方|(?:哪里|哪些|哪儿|什么)(?:地方|方面)?(?:还)?(?:差|不行)"
)
_SOLVED = re.compile(
    f"(?:解决|化解|破解|攻克|整改|消除|克服|应对|针对|发现|反映|查出)[^,，。?？]{{0,8}}(?:{_NOUN})"
    f"|(?:{_NOUN})[^,，。?？没未]{{0,10}}(?:解决|化解|整改|怎么办|应对|处理|办法|建议|对策|药方)"
)
_HEADED = re.compile(
    rf"^\s*(?:[(（]?[一二三四五六七八九十\d]+[)）、.．]\s*)?(?:当前|目前|工作中?)?(?:仍然?|还)?(?:存在|面临)?的?(?:主要|突出|共性)?"
    rf"(?:(?:{_NOUN})(?:[和与及、]|之处|$)*)+(?:[和与及、](?:原因|成因|原因分析))?$"
)
_IDLE = re.compile(
    f"^(?:{_NOUN})$|承认|坦[言承]|存在|还存|面临|自己|自身|还有|仍有|^些$|主要|交代|交底|不到位|^有$|^地方$"
)
_ABOUT = 0.5  # share of the subject that a section with its headings has to hold
_AS_ABOUT = 0.8  # and a point of what the best one holds
# What goes badly by the words for it: something is still lacking, too little, or broken off.
_ADMITS = re.compile(
    "尚未|仍未|未能|还没有?(?:完|整|到|解|形|建|落)|没有(?:到位|落实|解决)|不到位|不够(?=[,，。;；、]|$)|不足(?!\\d|以下|[一二两三四五])|不高|不强|不稳|不平衡|不均|不畅"
    "|偏[低高弱慢少]|滞后|拖欠|抵触|欠缺|薄弱|短板|差距|(?:常常|时常|时有|经常)[^,，。]{0,4}(?:中断|发生|出现)|间歇|闲置|反弹"
    "|仍(?:然)?(?:存在|需自|要[^,，。]{0,6}自付|较|偏|未)|未完成|超标|意见最多|投诉(?:较|最)多|(?:有待|亟待|亟需)"
)
_CURED = re.compile("已(?:经)?(?:全部|基本)?(?:整改|解决|清零|销号|补发|通水)|(?:下降|减少|降低)到0")
_POINT = re.compile(
    r"^\s*(?:[一二三四五六七八九十]是|第[一二三四五六七八九十][,，、]|[(（][一二三四五六七八九十\d]+[)）]|\d+[.、])"
)
_SEVERAL = 2  # sentences from which on what a text owns up to is worth telling


def asks_owned(focus: str) -> bool:
    """Whether a question wants what goes badly, and not what was done about it."""
    return _ASKS.search(focus) is not None and not _SOLVED.search(focus)


def find_owned(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """What stands under headings for it in one document; else the sentences that say it in their own words."""
    idle = [term for term in weighing.terms if _IDLE.search(term.text)]
    subject = Weighing(tuple(term for term in weighing.terms if term not in idle))
    called = " ".join(term.text for term in idle)
    for find in (_find_headed, _find_said):
        found = [find(list(list_stretches([parsed], scope)), subject) for parsed in documents]
        told = [stretches for stretches in found if stretches]
        if len(told) == 1:
            return tuple(replace(stretch, announced=called) for stretch in told[0])
    return ()


def _find_headed(stretches: Sequence[Stretch], subject: Weighing) -> tuple[Stretch, ...]:
    """All that stands under headings that announce only what goes badly."""
    found = tuple(s for s in stretches if any(_HEADED.match(heading) for heading in s.headings[1:]))
    text = "\n".join("\n".join((*stretch.headings, stretch.text)) for stretch in found)
    if not found or subject.coverage(text) < _ABOUT:
        return ()
    return tuple(_keep_points(found, subject)) or found


def _keep_points(stretches: Sequence[Stretch], subject: Weighing) -> Iterator[Stretch]:
    """Of what is counted (一是, 二是) the points on the subject, each with the sentences behind it; nothing without a subject."""
    told: list[tuple[float, Stretch, list[Sentence]]] = []
    titled = subject.held("\n".join(dict.fromkeys(heading for stretch in stretches for heading in stretch.headings)))
    subject = Weighing(tuple(term for term in subject.terms if term.text not in titled))
    for stretch in stretches if subject.terms else ():
        points: list[list[Sentence]] = []
        for sentence in stretch.sentences:
            if not points or _POINT.match(sentence.plain):
                points.append([])
            points[-1].append(sentence)
        told += [(subject.coverage("\n".join(one.plain for one in p)), stretch, p) for p in points]
    least = max(_ABOUT, _AS_ABOUT * max((held for held, _, _ in told), default=0.0))
    for held, stretch, point in told:
        if held >= least:
            yield replace(stretch, sentences=tuple(point))


def _find_said(stretches: Sequence[Stretch], subject: Weighing) -> tuple[Stretch, ...]:
    """The sentences on the subject that say that something is lacking."""
    found = []
    for stretch in stretches:
        told = tuple(
            one
            for one in stretch.sentences
            if _ADMITS.search(one.plain)
            and not _CURED.search(one.plain)
            and subject.coverage("\n".join((*stretch.headings, one.plain))) >= _ABOUT
        )
        found += [replace(stretch, sentences=told)] if told else []
    return tuple(found) if sum(len(stretch.sentences) for stretch in found) >= _SEVERAL else ()
