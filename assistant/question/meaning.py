"""A question in, the word whose meaning it asks for out, or nothing: 什么是赛马制, 公共机构是什么意思."""

from __future__ import annotations

import re

from vectorstore.normalize import normalize

_WORD = "(?:[^,，。?？的和与及、]|(?<=中)和){2,16}"
_ASKED = re.compile(
    rf"(?:什么是|何谓|何为|啥是|什么叫做?)[“\"]?(?P<behind>{_WORD}?)[”\"]?[?？。]?$"
    rf"|[“\"]?(?P<before>{_WORD}?)[”\"]?(?:是什么意思|是啥意思|是指什么|指的是什么|指什么|的定义(?:是什么)?|的含义(?:是什么)?)[?？。]?$"
    rf"|^[“\"]?(?P<alone>{_WORD}?)[”\"]?是(?:1?个)?(?:什么东西|啥东西|啥|什么)[?？。]?$"
)
# 目标是什么 asks which it is, and not for the meaning of a word.
_WHICH_ONE = re.compile(
    "(?:目标|任务|原则|要求|主题|重点|措施|数据|指标|结果|原因|名称|名字|内容|标准|条件|对象|方向|特点|问题|建议|经验|做法"
    "|定位|依据|理念|主体|关键|核心|基础|前提|流程|程序|方式|办法|比例|单位|部门|时间|日期|地点|口号|题目|优势|亮点|挑战|困难|[率额量数])$"
)


def read_meaning(focus: str, terms: int) -> str:
    """The word, normalised. ``terms`` is how many telling words the question has: 碳中和是什么 has no other beside it."""
    asked = _ASKED.search(focus)
    if asked is None:
        return ""
    if asked["alone"]:
        return normalize(asked["alone"]) if terms == 1 and not _WHICH_ONE.search(asked["alone"]) else ""
    return normalize(asked["behind"] or asked["before"])
