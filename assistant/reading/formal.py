"""A sentence in, whether it says something of its own out: or only carries its document, exhorts, or states a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from assistant.reading.expect import NAMED
from assistant.reading.lexicon import load_lexicon
from assistant.reading.quantities import Measure, find_quantities
from vectorstore.normalize import normalize

NOTE = re.compile(r"[(（][^()（）]*(?:牵头|配合|负责|分工落实|责任单位|责任部门)[^()（）]*[)）]")  # who is responsible
_CAPTION = re.compile(r"^\s*\d[^\d\s,，。；;:：%％年月日个]{2,14}$")  # a numbered heading of a text without line breaks
VOCATIVE = re.compile(r"^\s*(?:各位|同志们|女士们|朋友们)\S{0,8}[!！:：]\s*$")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_TOPIC = 24  # characters of a small heading in the line


@lru_cache(maxsize=65_536)
def is_formal(plain: str) -> bool:
    """Whether a sentence only carries the document: who issued it, to whom, who is responsible."""
    empty = _HAN.search(plain) is None or VOCATIVE.match(plain) is not None or _CAPTION.match(plain) is not None
    noted = NOTE.match(plain)
    responsible = noted is not None and len(plain) - noted.end() <= _TOPIC  # behind it at most the next small heading
    return empty or responsible or (holds_formality(plain) and not states_figure(plain))


def holds_formality(plain: str) -> bool:
    """Whether a text has wordings that only carry the document."""
    return _holds(plain, load_lexicon().formal)


def exhorts(plain: str) -> bool:
    """Whether a clause only exhorts: it gives no figure and names nothing."""
    return _holds(plain, load_lexicon().exhorting) and not states_figure(plain) and not NAMED.search(plain)


def states_figure(plain: str) -> bool:
    """Whether a text states a figure other than a date."""
    return any(quantity.measure is Measure.QUANTITY for quantity in find_quantities(plain))


def _holds(plain: str, words: Sequence[str]) -> bool:
    normal = normalize(plain)
    return any(word in normal for word in words)
