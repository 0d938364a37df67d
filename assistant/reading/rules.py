"""A sentence of a law or of rules in, how far a quote of it goes out; sentences in, those that say one rule between them.

The unit that answers is condition and consequence (``……的，由……责令限期改正；逾期不改正的，处……罚款``): a quote that ends with the
condition says nothing of what was asked, and a consequence without its condition may be read as that of another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.reading.clauses import Clause
from vectorstore.types import Sentence

_CONDITION = re.compile("(?<!目)的$")
_NO_CONDITION = re.compile("^(?:其中|包括|有)|(?:最|更|新|主要|重要|相关)的$")
RULE = re.compile("(?<!目)的[,，]")
_DEPENDS = re.compile(
    "^(?:逾期|情节|违反(?:的|前款|上款|上述|本条|以上|规定的)|违者|否则|造成|拒不|拒绝|仍|构成|经|不能|未|无法|其中|但|超过|违法|违规|再次|对|有关|触犯|尚不|给|没有|可能|第[一二三四五六七八九十]次)"
)
_OTHERWISE = re.compile("违反(?:的|前款|上款|上述|本条|以上|规定的)|违者|否则|逾期[^,，]{0,12}的[,，]|情节严重")
_ASKS_RULE = re.compile(
    "罚|处分|处理|后果|追究|责任|制裁|怎么办|会怎么?样|会怎样|咋办|咋样|如何处置|逾期|到期|多久|期限|取消|撤销|关闭|吊销"
)
_JOINED = re.compile(r"[;；]\s*$")
_WHOLE = 160  # characters that a rule is quoted up to
_MOST = 4  # sentences of one rule


def end_of_rule(clauses: Sequence[Clause], first: int, last: int) -> int:
    """The last clause of the consequence where a quote holds a rule's condition or a part of what follows from it."""
    conditions = [n for n, clause in enumerate(clauses) if is_condition(clauses, n)]
    if not any(n <= last for n in conditions):
        return last
    following = next((n for n in conditions if n > last + 1), len(clauses))
    end = last
    for number in range(last + 1, following):
        if number - 1 not in conditions and clauses[number].end - clauses[first].start > _WHOLE:
            break
        end = number
    return end


def is_condition(clauses: Sequence[Clause], number: int) -> bool:
    """Whether a clause states a condition of what the next one says."""
    if number + 1 >= len(clauses) or not _CONDITION.search(clauses[number].text):
        return False
    return not _NO_CONDITION.search(clauses[number].text) and clauses[number + 1].opens


def asks_rule(focus: str) -> bool:
    """Whether a question wants what follows from something: how it is punished, within what time, with what result."""
    return bool(_ASKS_RULE.search(focus))


def find_rule(sentences: Sequence[Sentence], one: Sentence) -> tuple[Sentence, ...]:
    """The sentences that say one rule with this one: semicolons join them, and the later ones depend on the first."""
    at = next((n for n, sentence in enumerate(sentences) if sentence.id == one.id), None)
    if at is None:
        return ()
    start, end = at, at
    while start and at - start < _MOST and _DEPENDS.match(sentences[start].plain) and _is_joined(sentences, start):
        start -= 1
    while end + 1 < len(sentences) and end - start + 1 < _MOST and _is_joined(sentences, end + 1):
        if not _DEPENDS.match(sentences[end + 1].plain):
            break
        end += 1
    rule = tuple(sentences[start : end + 1])
    return rule if len(rule) > 1 and any(RULE.search(s.plain) for s in rule) else ()


def _is_joined(sentences: Sequence[Sentence], number: int) -> bool:
    """Whether a sentence goes on with the one before it, or says what follows if nobody heeds that."""
    before, one = sentences[number - 1], sentences[number]
    same = before.source == one.source and before.section == one.section and before.paragraph == one.paragraph
    return same and (_JOINED.search(before.plain) is not None or _OTHERWISE.match(one.plain) is not None)
