"""A question for when something is reached and a sentence in, whether the sentence speaks of reaching it out.

A plan of 2024 that goes on with 碳达峰碳中和 does not say that it is reached in 2024: there the year of a section is no answer.
"""

from __future__ import annotations

import re

_WHEN = re.compile("什么时候|啥时候|何时|哪1?一?年|几时|多久")
_REACHES = "实现|达到|达成|完成|建成|达峰|见效|投产|投运|投用|启用|开通|通车|竣工|完工|落成|收官|到位|全覆盖|清零|退出|淘汰完|结束"
_ASKED = re.compile(_REACHES)
_TOLD = re.compile(
    f"{_REACHES}|已|成功|突破|超额|揭牌|落地|开园|获批|入选|评为|出台|颁布|施行|实施|生效|成立|设立|开工|启动"
)
_GOALS = re.compile(
    "碳达峰碳中和|碳?达峰(?=行动|工作|方案|任务|试点)|碳达峰"
)  # the name of the aim does not say that it is reached
_UNDER_WAY = re.compile(
    "推进|推动|加快|促进|深化|稳步|持续|积极|着力|争取|探索|谋划|研究|支持|引导|鼓励|努力|迈向|有序"
)


def is_under_way(question: str, text: str) -> bool:
    """Whether it is asked when something is reached and a text only tells that it is worked on."""
    if not (_WHEN.search(question) and _ASKED.search(question)):
        return False
    return _UNDER_WAY.search(text) is not None and _TOLD.search(_GOALS.sub(" ", text)) is None
