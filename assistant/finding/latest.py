"""A question for the last of several dated steps and what was found in, the same without the earlier steps out.

A law says of each of its steps when it was: ``2009年3月2日 …通过``, ``2021年3月26日 …第四次修正``. Which is the last one stands in none
of them, so the words of the question (最近一次修正) fit all alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from vectorstore.types import Hit, ParsedDocument, Sentence

_CHANGED = ("修正", "修订", "修改")
_LATEST = re.compile(
    rf"(?:最近|最新|最后|最末)(?:的?[1一]次|的)?[^,。?]{{0,8}}?(?P<did>{'|'.join(_CHANGED)}|通过|公布|发布|调整)"
)
_STEP = re.compile(r"[（(]?((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日")


def keep_latest(focus: str, hits: Sequence[Hit], documents: Sequence[ParsedDocument]) -> list[Hit]:
    """Leave out the steps of a document that are not its last one of the kind, where the last one is asked for."""
    asked = _LATEST.search(focus)
    if asked is None:
        return list(hits)
    did = _CHANGED if asked["did"] in _CHANGED else (asked["did"],)
    sources = {hit.sentence.source for hit in hits}
    last: dict[str, date] = {}
    for parsed in documents:
        if parsed.document.source in sources:
            days = [day for sentence in parsed.sentences if (day := _read_step(sentence, did))]
            last |= {parsed.document.source: max(days)} if days else {}
    return [hit for hit in hits if _is_last(hit.sentence, last)]


def _is_last(sentence: Sentence, last: Mapping[str, date]) -> bool:
    day = _read_step(sentence, ())
    return day is None or last.get(sentence.source, day) == day


def _read_step(sentence: Sentence, did: Sequence[str]) -> date | None:
    """The day that a sentence begins with, where it is one of such a step."""
    match = _STEP.match(sentence.plain)
    if match is None or (did and not any(word in sentence.plain for word in did)):
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
