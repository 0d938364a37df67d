"""A subject and the documents in, the one document out that a question names by the words of its title; and what is said of money.

People shorten titles freely: 低碳交通航运三年行动计划 is 交通运输和航运低碳发展三年行动计划. Where a summary names the kind of a
document and all else it says stands in one title, the whole document is meant and not the section that has most of the words.
What pays for something stands under its own heading (财政和金融支持, 保障措施), or spread over the sentences that speak of funds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.finding.stretches import Stretch, list_titled
from assistant.question.titles import name_document
from assistant.question.weigh import Term, Weighing, stands_in
from assistant.reading.quantities import find_quantities
from vectorstore.normalize import normalize
from vectorstore.types import ParsedDocument, Scope, Sentence

_KINDS = re.compile(
    "行动计划|计划|方案|规划|纲要|报告|总结|意见|办法|条例|通知|公报|指南|细则|规定|制度|章程|规则|手册|须知|公告|守则|导则|标准"
)
_THIS_TEXT = re.compile("[这那][1一]?[份篇][^,，。?？]{0,24}(?:报告|材料|文件|文章|资料|东西)")
# 补贴办法讲了什么 may be asked of a 指南.
_ANY_KIND = re.compile("办法|规定|文件|政策|通知|指南|须知|方案|细则|规则|意见|制度|报告|材料|文章|计划|规划|总结|公报")
_ANY_TEXT = re.compile(
    rf"(?:{_ANY_KIND.pattern})[^,，。?？]{{0,4}}(?:主要内容|要点|全文|大意|(?:主要)?(?:都)?(?:讲|说|写)(?:了|的|些))"
)
_VERBS = re.compile(
    "(?:怎么样?|如何|怎样|咋|哪些|什么|啥|何)(?:具体|主要|新)?的?(?:规定|计划|报告|通知|总结|意见)"
    "|总结(?:[1一]?下|总结)|^(?:请|帮我|给我|来)*总结|(?:给我|来个|做个|写个)总结"
)
_DIGITS = "〇一二三四五六七八九十"
_FIGURE = re.compile(r"^(\d+)[个项条座家种类]$")
_ENTITLED = 0.75  # share of the subject that the title has to hold
_PIECE = 2  # characters of a word that stand together in the title

_ASKS_FUNDS = re.compile(
    "(?:钱|资金|经费|款项|本钱|花销)[^,，。?？]{0,6}(?:从?哪|来源|怎么?样?来|怎么?样?[出筹补给分管用花]|如何|由谁|谁[出给])"
    "|(?:怎么|咋|如何|怎样)[^,，。?？]{0,2}(?:补(?!办|缴|交|救|正|充|齐|领|栽|种|植)|给钱|出钱|补贴|补助|奖补|筹钱|筹资)|资金(?:保障|安排|投入|渠道|支持)"
)
_MONEY_WORDS = re.compile("钱|资金|经费|款项|花销|本钱|补|财政|投入|渠道")
_FUNDS_HEADED = re.compile("财政|资金|金融|补贴|补助|奖补|奖励|经费|投融资|融资|投入")
_FUNDS = re.compile(
    "资金|财政|补贴|补助|奖补|奖励|贷款|债券|基金|经费|投资|融资|贴息|社会资本|自筹|转移支付|预算|补偿金|减免|申领"
)
_EVEN = 0.01  # documents that hold as much of a question are not told apart
_FEW, _SEVERAL = 2, 3  # sentences on money that are worth telling, under headings for it and spread


def find_entitled(
    documents: Sequence[ParsedDocument], focus: str, weighing: Weighing, scope: Scope
) -> tuple[Stretch, ...]:
    """All of the one document that a question names by its kind and by words of its title."""
    if not weighing.terms:
        return ()
    focus = _VERBS.sub(" ", focus)
    found: list[tuple[Stretch, ...]] = []
    for parsed in documents:
        title = normalize(name_document(parsed.document.title))
        kind = _find_kind(title)
        named = (kind and kind in focus) or _THIS_TEXT.search(focus) or (kind and _ANY_TEXT.search(focus))
        terms = tuple(term for term in weighing.terms if not _ANY_KIND.fullmatch(term.text))
        if not named or not terms or not _is_entitled(terms, title):
            continue
        years = frozenset(
            year for year in scope.years if str(year) not in title
        )  # what the title says is no part of it
        own = tuple(list_titled([parsed], replace(scope, part=None, years=years)))
        if own and not _is_narrowed(own, title, weighing):
            found.append(own)
    if len(found) != 1:
        return ()
    called = " ".join(term.text for term in weighing.terms)
    return tuple(replace(stretch, announced=called) for stretch in found[0])


def _find_kind(title: str) -> str:
    kinds = _KINDS.findall(title)
    return kinds[-1] if kinds else ""


def _is_entitled(terms: Sequence[Term], title: str) -> bool:
    """Whether a title holds the words, as they are or in pieces that stand apart there (低碳 and 交通); all that documents know."""
    held = [term for term in terms if _stands(term.text, title)]
    total = sum(term.weight for term in terms)
    return sum(t.weight for t in held) >= _ENTITLED * total and all(t in held for t in terms if t.known)


def _stands(word: str, title: str) -> bool:
    """Whether a title has a word as it is, in pieces, or as a number without what it counts (4个 in 4省区)."""
    figure = _FIGURE.match(word)
    written = f"{figure[1]}|{_DIGITS[int(figure[1]) % len(_DIGITS)]}" if figure else ""
    counted = figure is not None and re.search(rf"(?<!\d)(?:{written})(?!\d|年|月)", title) is not None
    return counted or stands_in(word, title) or _stands_apart(word, title)


def _stands_apart(word: str, title: str) -> bool:
    """Whether a word is made of pieces of at least two characters that a title has."""
    if len(word) < 2 * _PIECE:
        return False
    return any(
        word[:at] in title and (word[at:] in title or _stands_apart(word[at:], title))
        for at in range(_PIECE, len(word) - _PIECE + 1)
    )


def _is_narrowed(stretches: Sequence[Stretch], title: str, weighing: Weighing) -> bool:
    """Whether a heading has a word of the question that the title lacks: a section is asked for."""
    lacking = [t.text for t in weighing.terms if not _stands(t.text, title)]
    own = {heading for stretch in stretches for heading in stretch.headings[1:]}
    return any(stands_in(word, normalize(heading)) for word in lacking for heading in own)


def asks_funds(focus: str) -> bool:
    """Whether a question wants to know where the money for something comes from, or how it is given."""
    return _ASKS_FUNDS.search(focus) is not None


def find_funds(documents: Sequence[ParsedDocument], weighing: Weighing, scope: Scope) -> tuple[Stretch, ...]:
    """What is said of money in the document that is about the rest of the question: under its own headings, else by sentences."""
    subject = Weighing(tuple(term for term in weighing.terms if not _MONEY_WORDS.search(term.text)))
    called = " ".join(term.text for term in weighing.terms)
    rated: list[tuple[float, tuple[Stretch, ...]]] = []
    for parsed in documents:
        stretches = [s for s in list_titled([parsed], scope) if s.sentences]
        found = _find_funded(stretches, subject)
        headings = "\n".join(dict.fromkeys(heading for stretch in found for heading in stretch.headings))
        held = subject.coverage("\n".join((headings, *(stretch.text for stretch in found))))
        if found and held >= _ENTITLED:
            rated.append((held + weighing.coverage(headings), found))
    best = max((worth for worth, _ in rated), default=0.0)
    told = [found for worth, found in rated if worth >= best - _EVEN]
    return tuple(replace(stretch, announced=called) for stretch in told[0]) if len(told) == 1 else ()


def _find_funded(stretches: Sequence[Stretch], subject: Weighing) -> tuple[Stretch, ...]:
    headed = tuple(s for s in stretches if any(_FUNDS_HEADED.search(heading) for heading in s.headings[1:]))
    size = sum(len(stretch.sentences) for stretch in stretches)
    part = 2 * sum(len(stretch.sentences) for stretch in headed) <= size  # else all of the document is about money
    if part and sum(_gives(one) for stretch in headed for one in stretch.sentences) >= _FEW:
        return headed
    spread = tuple(_keep_funds(stretches, subject))
    return spread if sum(len(stretch.sentences) for stretch in spread) >= _SEVERAL else ()


def _keep_funds(stretches: Sequence[Stretch], subject: Weighing) -> Iterator[Stretch]:
    """Of each paragraph the sentences that give or spend money on the subject."""
    titled = subject.coverage("\n".join(stretches[0].headings[:1])) if stretches else 0.0
    for stretch in stretches:
        about = titled >= _ENTITLED or subject.coverage("\n".join((*stretch.headings, stretch.text))) >= _ENTITLED
        told = tuple(one for one in stretch.sentences if about and _gives(one))
        if told:
            yield replace(stretch, sentences=told)


def _gives(sentence: Sentence) -> bool:
    """Whether a sentence speaks of funds, with a sum or a rule how they are given."""
    plain = sentence.plain
    return _FUNDS.search(plain) is not None and (bool(find_quantities(plain)) or len(_FUNDS.findall(plain)) > 1)
