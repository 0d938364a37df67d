"""What is worked out from a document, kept as long as the document is in use: documents never change, and every question reads them all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from vectorstore.types import ParsedDocument

_MOST = 2_000  # documents

T = TypeVar("T")


def keep(work: Callable[[ParsedDocument], T]) -> Callable[[ParsedDocument], T]:
    """Do a piece of work once for each document; the same object is the same document."""
    kept: OrderedDict[int, tuple[ParsedDocument, T]] = OrderedDict()  # holding the document keeps its id its own

    @wraps(work)
    def once(parsed: ParsedDocument) -> T:
        found = kept.get(id(parsed))
        if found is None:
            found = (parsed, work(parsed))
            kept[id(parsed)] = found
            if len(kept) > _MOST:
                kept.popitem(last=False)
        return found[1]

    return once
