"""``lexicon.toml`` in, the words that the deterministic stages know out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vectorstore.normalize import normalize


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The lists of ``lexicon.toml``; what each is for stands there."""

    units: dict[str, str]  # measure word -> class
    dimensions: tuple[
        tuple[tuple[str, ...], frozenset[str]], ...
    ]  # words of a question, classes of units that answer them
    substances: dict[str, frozenset[str]]  # noun of what is measured and not counted -> classes of its units
    opposites: tuple[tuple[str, str], ...]
    negations: tuple[str, ...]
    not_negations: tuple[str, ...]
    review: tuple[str, ...]
    tasks: tuple[str, ...]
    umbrella: frozenset[str]
    kinds: dict[str, tuple[str, ...]]
    asks: dict[str, tuple[str, ...]]
    asking: tuple[str, ...]  # all words of asks, longest first
    greetings: tuple[str, ...]
    orders: tuple[str, ...]
    stopwords: frozenset[str]
    chat: frozenset[
        str
    ]  # words of everyday talk that say nothing of what is looked for, unless a longer wording holds them
    counterparts: tuple[frozenset[str], ...]  # words of which one may take the other's place in a follow-up
    frames: tuple[str, ...]  # patterns of wordings that only ask
    formal: tuple[str, ...]  # what stands in clauses that only carry a document
    exhorting: tuple[str, ...]  # and in those that only exhort


@cache
def load_lexicon() -> Lexicon:
    """Read the lexicon; once per process."""

    def same(words: list[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(normalize(word) for word in words))

    data = tomllib.loads((files("assistant.reading") / "lexicon.toml").read_text(encoding="utf-8"))
    return Lexicon(
        units={word: name for name, words in data["units"].items() for word in words},
        dimensions=tuple((same(d["words"]), frozenset(d["units"])) for d in data["dimensions"].values()),
        substances={word: frozenset(s["units"]) for s in data["substances"].values() for word in s["words"]},
        opposites=tuple((a, b) for a, b in data["opposites"]["pairs"]),
        negations=tuple(data["opposites"]["negations"]),
        not_negations=tuple(data["opposites"]["not_negations"]),
        review=same(data["parts"]["review"]),
        tasks=same(data["parts"]["tasks"]),
        umbrella=frozenset(same(data["umbrella"]["words"])),
        kinds={name: same(words) for name, words in data["kinds"].items()},
        asks={name: same(words) for name, words in data["asks"].items()},
        asking=tuple(sorted({w for ws in data["asks"].values() for w in same(ws)}, key=lambda w: (-len(w), w))),
        greetings=tuple(data["none"]["greetings"]),
        orders=tuple(data["none"]["orders"]),
        stopwords=frozenset(same([w for ws in (*data["stopwords"].values(), *data["parts"].values()) for w in ws])),
        chat=frozenset(same([word for words in data["chat"].values() for word in words])),
        counterparts=tuple(frozenset(same(words)) for words in data["counterparts"]["sets"]),
        frames=tuple(data["frames"]["patterns"]),
        formal=same(data["empty"]["formal"]),
        exhorting=same(data["empty"]["exhorting"]),
    )
