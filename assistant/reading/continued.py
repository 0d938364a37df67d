"""The clauses of a sentence in, where what one of them begins is told to its end out.

``新建收储中心3个,分别在甲镇、乙乡、丙镇``: which and where they are stands in the next clause, and the number alone says neither.
``…推行红黑榜,因有群众反映…,改为只公布户数``: why something is done goes on to what was done.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.reading.clauses import Clause
from assistant.reading.quantities import Measure, find_quantities

_NAMES = re.compile(
    "(?:分别|依次)(?:为|是|在|位于|坐落|设[于在]|建[于在]|布局|叫|由|来自)|(?:都|均|主要|全部)?(?:位于|坐落[于在]|分布[于在]|设[于在]|布局[于在]|建在|集中在)"
)


def end_of_naming(clauses: Sequence[Clause], last: int) -> int:
    """The last clause that names what was counted up to ``last``, or says where it is; ``last`` where none does."""
    behind = last + 1
    if behind >= len(clauses) or not _NAMES.match(clauses[behind].text) or _measures(clauses[behind].text):
        return last
    while behind + 1 < len(clauses) and not clauses[behind + 1].opens and not _measures(clauses[behind + 1].text):
        behind += 1
    return behind


def _measures(text: str) -> bool:
    return any(quantity.measure is Measure.QUANTITY for quantity in find_quantities(text))
