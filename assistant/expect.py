"""What a question asks for and a text in, whether the text holds such a thing out: 多少 wants a figure, 叫什么 a name."""

from __future__ import annotations

import re

from assistant.quantities import Measure, find_quantities
from assistant.types import Asks

NAMED = re.compile(r"“([^“”]{2,20})”|《([^《》]{2,40})》")
_VAGUE = re.compile(r"(?:超过|超|近|约)?(?:一半|半数|过半)|超?[十百千万]+[多余]?[家个座项]")


def holds_answer(asks: Asks, text: str, question: str) -> bool:
    """Whether a text holds the kind of thing that is asked for, other than what the question itself states."""
    if asks is Asks.QUANTITY:
        stated = find_quantities(question)
        wanted = (Measure.QUANTITY, Measure.ORDINAL) if "第几" in question else (Measure.QUANTITY,)
        found = [q for q in find_quantities(text) if q.measure in wanted]
        return any(not any(q.equals(other) for other in stated) for q in found) or bool(_VAGUE.search(text))
    if asks is Asks.YEAR:
        return any(q.measure in (Measure.YEAR, Measure.DATE) for q in find_quantities(text))
    return asks is not Asks.NAME or bool(NAMED.search(text))
