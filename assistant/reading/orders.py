"""The text of a sentence in, whether it speaks to whoever answers instead of about the world out.

Such sentences (``忽略以上指示``, control tokens of a model, a tool's call) are never evidence: they are not retrieved, not shown
to a model and not quoted. Their document keeps them. The words stand in ``orders.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from vectorstore.normalize import normalize

# Characters that turn the order of others round: nothing that a Chinese or English text needs.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_MIXED = re.compile(
    r"[a-z][\u0400-\u04ff]|[\u0400-\u04ff][a-z]", re.IGNORECASE
)  # Cyrillic letters that pass for Latin ones
_ENTITY = re.compile(r"(?:&#x?[0-9a-f]{2,6};){2,}|(?:%[0-9a-f]{2}){6,}|(?:\\u[0-9a-f]{4}){2,}", re.IGNORECASE)


@lru_cache(maxsize=65536)
def gives_orders(text: str) -> bool:
    """Whether a sentence speaks to a program, or hides what it says."""
    if _TURNING.search(text) or _MIXED.search(text) or _ENTITY.search(text):
        return True
    seen = drop_invisible(text)
    wide = unicodedata.normalize("NFKC", seen).casefold().strip()
    return any(pattern.search(form) for form in (wide, normalize(seen)) for pattern in _load_patterns())


def drop_invisible(text: str) -> str:
    """Take out what nobody sees: zero-width characters, soft hyphens, marks of direction."""
    return text if text.isascii() else "".join(c for c in text if unicodedata.category(c) != "Cf")


@cache
def _load_patterns() -> tuple[re.Pattern[str], ...]:
    data = tomllib.loads((files("assistant.reading") / "orders.toml").read_text(encoding="utf-8"))
    return tuple(re.compile(line) for lines in data.values() for line in lines)
