"""A sentence in, who says what in it out: ``有学者（郑知远，2023）认为，…`` and ``…。”某厅副厅长程望舒在接受采访时表示，…``.

Who speaks stands before a verb of saying, back to where the clause begins. What is said stands behind the verb, or in quotation
marks before it, then often in a sentence of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_VERBS = (
    "表示|指出|认为|介绍说?|坦言|坦承|强调|解释说?|透露|提醒说?|主张|感慨|感叹|回应|呼吁|直言|抱怨|反映|断言|预计|建议|提出"
    "|告诉记者|写道|补充道|[说讲称]"
)
_WHEN_SAID = r"(?:在[^,，。;；:：“”]{1,24}?(?:时|中|上|里|会)|近日|日前|此前|也|还|曾|则|都|均|普遍|多次|明确|向记者|对记者|这样)*"
_SPEECH = re.compile(
    rf"(?:(?<=[,，。;；:：！!？?”\n])|^)\s*(?P<who>(?:[^,，。;；:：！!？?“”（()）\n]|[（(][^（()）]{{1,20}}[)）]){{2,40}}?)"
    rf"(?P<at>{_WHEN_SAID})(?P<verb>{_VERBS})(?:(?P<mark>[,，:：]|(?=“))|(?P<alone>[。.]?\s*$))"
)
_OPENS = re.compile("^(?:对此|同时|不过|但是?|而|另外|此外|其中|目前|据|有|当时|随后|正如|正像)+(?!关)")
# 总的来说, 可以说, 由甲局负责解释: nobody speaks there.
_NOBODY = re.compile(
    r"^(?:对|就|从|由|并|总的|总体|一般|具体|简单|相对|严格|通常|客观|整体|坦率|坦白|可以|应当|不能|需要|换|俗话|常言|如前|也就|或者|比如|应该|老实"
    r"|第[一二三四五六七八九十\d]+条|我|本文|笔者)|(?:地|就是|可以|应该|负责)$|^(?:他|她|他们|她们|它|其|该负责人|这位|人|有人|人们|大家)$"
)
_NAMED = re.compile(r"[民长员人师授家者工士任记友][^,，]{2,3}$")  # 渔民王某来说 is no 来说
_NOUNS = re.compile("建议|提出|解释|反映|预计|介绍|主张|提醒")  # at the end of a sentence these are no verbs of saying


@dataclass(frozen=True, slots=True)
class Speech:
    """Who speaks in a sentence, and where what is said behind it begins; nothing is where the verb ends the sentence."""

    who: str
    start: int  # of the speaker in the sentence
    said: int  # where the verb with its sign ends


def read_speeches(text: str) -> Iterator[Speech]:
    """All that somebody says in a sentence, in the order of the text."""
    for match in _SPEECH.finditer(text):
        opening = _OPENS.match(match["who"])
        who = match["who"][opening.end() if opening else 0 :].strip().removesuffix("所")
        unsaid = match["alone"] is not None and _NOUNS.match(match["verb"])
        wise = who.endswith("来") and not _NAMED.search(who)
        if len(who) >= 2 and not (unsaid or wise or _NOBODY.search(who)):
            yield Speech(who, text.find(who, match.start()), match.end())
