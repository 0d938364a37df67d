"""A normalised question in, the same without the words that only ask out: what is left is what it is about.

``给领导写个简要``, ``各说一句``, ``记者想问`` say how the answer is wanted and by whom; no document speaks of them. The wordings
stand in ``lexicon.toml``; none takes a word that may be the subject.
"""

from __future__ import annotations

import re
from functools import cache

from assistant.lexicon import load_lexicon

# Years behind 比 that a figure is measured from, as in 比2015年下降40%: part of the statement, and nothing that is compared.
_BASE_YEAR = re.compile(
    r"比(?:19|20)\d\d年?(?:的)?(?:同期|水平|底|末)?(?=[^,。?;]{0,8}?(?:下降|降低|减少|增长|增加|提高|上升|提升))"
)


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(wording) for wording in load_lexicon().frames)


def drop_frames(normal: str) -> str:
    """Take the wordings that only ask out of a normalised question; it stays as it is where nothing else would be left."""
    left = normal
    for pattern in _patterns():
        left = pattern.sub(" ", left)
    return left if left.strip(" ,。?!的") else normal


def drop_base_years(normal: str) -> str:
    """Take out the years that a figure is measured from."""
    return _BASE_YEAR.sub("比", normal)
