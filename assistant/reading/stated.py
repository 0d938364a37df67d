"""A sentence and the years that were asked for in, whether it is said of them out, whatever the year of its section.

A plan of 2026 says ``2025年底为485万千瓦``: that is of 2025. What a sentence only compares with (``比2025年``) it is not about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.reading.owners import find_years
from vectorstore.types import ParsedDocument, Scope, Sentence

_NEAR = 3  # sentences that a year at the head of one may speak for
_HEADS = re.compile(r"^[^,，。;；]{0,4}?到?(?P<year>(?:19|20)\d\d)年")


def states_year(sentence: Sentence, years: frozenset[int]) -> bool:
    """Whether a sentence names one of the years as what it speaks of."""
    return any(str(year) in owners.names for owners in find_years(sentence.plain) for year in years)


def lies_in(scope: Scope, sentence: Sentence) -> bool:
    """Whether a sentence lies inside a scope by its labels, or by the year that it states itself."""
    if scope.allows(sentence):
        return True
    return (
        bool(scope.years) and states_year(sentence, scope.years) and replace(scope, years=frozenset()).allows(sentence)
    )


def inherits_year(sentence: Sentence, years: frozenset[int], documents: Sequence[ParsedDocument]) -> bool:
    """Whether a sentence without any year follows one of its paragraph that begins with the year (到2025年)."""
    if sentence.labels.year is not None or find_years(sentence.plain):
        return False
    for parsed in documents:
        if parsed.document.source != sentence.source:
            continue
        before = [s for s in parsed.sentences if s.paragraph == sentence.paragraph and s.start < sentence.start]
        for one in reversed(before[-_NEAR:]):
            if find_years(one.plain):
                head = _HEADS.search(one.plain)
                return head is not None and int(head["year"]) in years
    return False
