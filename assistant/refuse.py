"""A question and a decision not to answer it in, the words of the refusal out.

A refusal says what is missing and where the nearest sentences come from. It holds no citation markers: nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.prompt import name_labels
from assistant.types import Passage, Question, Refusal


def write_refusal(question: Question, refusal: Refusal, nearest: Sequence[Passage]) -> str:
    """One or two sentences, in the language of the question."""
    if re.search(r"[\u4e00-\u9fff]", question.text):
        return _in_chinese(question, refusal, nearest)
    return _in_english(refusal, nearest)


def _in_chinese(question: Question, refusal: Refusal, nearest: Sequence[Passage]) -> str:
    if refusal is Refusal.NOT_A_QUESTION:
        return "这不是能从这些政策文件中回答的问题。请就文件的内容提问。"
    about = _about(question)
    see = "最接近的句子列在下面，供您查看。" if nearest else ""
    elsewhere = "、".join(
        dict.fromkeys(name_labels(p.sentence.labels) for p in nearest if name_labels(p.sentence.labels))
    )
    if refusal in (Refusal.OTHER_REGION, Refusal.OTHER_YEAR) and elsewhere and question.terms:
        return f"资料里没有{about}；相近的内容出自：{elsewhere}。{see}"
    return f"资料里没有{about}，所以不作回答。{see}"


def _about(question: Question) -> str:
    scope = question.scope
    where = "、".join(sorted(scope.places or scope.regions))
    when = "、".join(f"{year}年" for year in sorted(scope.years))
    what = "、".join(f"“{phrase}”" for phrase in _phrases(question)[: 1 if question.counted else 2])
    if what:
        return f"{where}{when}关于{what}的内容"
    return f"{where}{when}的内容" if where or when else "这个问题的答案"


def _phrases(question: Question) -> list[str]:
    """The telling words as they stood side by side in the question; of 多少 what was to be counted comes first."""
    phrases: list[str] = []
    for term in question.terms:
        if phrases and phrases[-1] + term in question.focus:
            phrases[-1] += term
        else:
            phrases.append(term)
    return sorted(phrases, key=lambda phrase: not any(term in phrase for term in question.counted))


def _in_english(refusal: Refusal, nearest: Sequence[Passage]) -> str:
    if refusal is Refusal.NOT_A_QUESTION:
        return "This is not a question that these policy documents could answer. Please ask about what they say."
    see = " The nearest sentences are listed below." if nearest else ""
    return f"The documents do not say this, so it is not answered.{see}"
