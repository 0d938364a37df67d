"""An English question in, its Chinese counterpart out: phrase by phrase from ``english.toml`` and ``english.tsv``, not for show.

What stands in no list stays English, is found in no Chinese document, and so leads to a refusal instead of a guess. Word order is
not changed, except that what is counted follows 多少. Not covered: figures of speech, inflection beyond what is listed.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

from assistant.reading.quantities import Measure, find_quantities
from vectorstore.types import Labels, Part

_TOKEN = re.compile(r"[a-z0-9][a-z0-9'.]*|[^\sa-z0-9]+")
_LONGEST = 7  # words of a phrase


def is_english(text: str) -> bool:
    """Whether a text has Latin letters and no Chinese character."""
    return bool(re.search(r"[A-Za-z]", text)) and not re.search(r"[\u3400-\u9fff]", text)


def translate(text: str) -> str:
    """Put the known words of an English question into Chinese, the longest phrases first."""
    words = _load()
    tokens = _TOKEN.findall(_simplify(text))
    pieces: list[str] = []
    position = 0
    while position < len(tokens):
        for size in range(min(_LONGEST, len(tokens) - position), 0, -1):
            phrase = " ".join(tokens[position : position + size])
            put = words.get(phrase, words.get(_singular(phrase)))
            if put is not None or size == 1:
                pieces.append(phrase if put is None else put)
                position += size
                break
    pieces = [piece for piece in pieces if piece]
    places = [p for p in pieces if p in _names()]
    years = [f"{p}年" for p in pieces if re.fullmatch(r"(?:19|20)\d\d", p)]
    rest = [p for p in pieces if p not in places and not re.fullmatch(r"(?:19|20)\d\d", p)]
    return "和".join(places) + "和".join(years) + _join(rest) + "?"


def _simplify(text: str) -> str:
    """Lower case, straight apostrophes, no possessives, hyphens or marks."""
    lowered = re.sub(r"[’ʼ]", "'", text.lower())
    return re.sub(r"[?!,;:\"()]|(?<=\w)\.(?=\s|$)|(?<=[a-z])'s\b|(?<=\w)-(?=\w)", " ", lowered)


def _singular(phrase: str) -> str:
    """The phrase with its last word in the singular, as far as rules go."""
    if re.search(r"[^aeiou]ies$", phrase):
        return phrase[:-3] + "y"
    if re.search(r"(?:[sx]|ch|sh)es$", phrase):
        return phrase[:-2]
    return phrase[:-1] if re.search(r"[^su]s$", phrase) else phrase


def name_place(place: str) -> str:
    """The English name of a place, or its Chinese one where none is known."""
    return next((name.title() for name, chinese in _places().items() if chinese == place), place)


def frame_quote(labels: Labels, asked: str = "") -> str:
    """Say in English whose words follow, and to which question; the same labels as the Chinese frame that was checked."""
    part = {Part.TASKS: "tasks", Part.REVIEW: "review"}[labels.part] if labels.part else ""
    named = [name_place(labels.region) if labels.region else "The documents", str(labels.year or "")]
    return f"{' '.join(x for x in named if x)}{f' ({part})' if part else ''}{f' on “{asked}”' if asked else ''}: "


def write_quantity(text: str) -> str:
    """A quantity as it stands with its value in English behind it: ``1万个 (10,000)``."""
    found = [q for q in find_quantities(text) if q.measure is Measure.QUANTITY]
    if len(found) != 1:
        return text
    unit = _data()["units"].get(found[0].unit, "")
    return f"{text} ({found[0].value:,f}{unit})"


def _join(pieces: list[str]) -> str:
    """Chinese without spaces, what stayed English with them."""
    return re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", " ".join(pieces))


@cache
def _data() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("assistant.question") / "english.toml").read_text(encoding="utf-8"))


def _places() -> dict[str, str]:
    return _data()["places"]


@cache
def _names() -> frozenset[str]:
    return frozenset(_places().values())


@cache
def _load() -> dict[str, str]:
    """Every phrase with its counterpart; an empty one for words that say nothing."""
    data = _data()
    lines = (files("assistant.question") / "english.tsv").read_text(encoding="utf-8").splitlines()
    words = dict(line.split("\t") for line in lines if "\t" in line and not line.startswith("#"))
    own = {**data["places"], **data["terms"], **data["asking"], **dict.fromkeys(data["filler"]["words"], "")}
    return words | {_simplify(phrase).strip(): put for phrase, put in own.items()}
