"""Pieces of a question -> the question as a person writes it: frames, near synonyms, dropped words, labels, keywords."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import rjieba

from assistant.reading.thesaurus import find_wordings, read_lines
from vectorstore.normalize import normalize

_LIGHT_TAGS = frozenset(("d", "u", "uj", "ul", "p", "c", "x", "f"))
_LEAST_SAID = 5  # characters besides the question word; less asks about nothing
_EVERYDAY_SHARE = 0.4  # of the questions are put in everyday words
_EVERYDAY_WORDS = 0.6  # of their words for which people have others


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a question. ``asks``: the question word, never dropped; ``light``: the first to go; ``cut``: a mark; ``does``: a verb."""

    text: str
    asks: bool = False
    light: bool = False
    cut: bool = False
    does: bool = False


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=8)
def word_list(name: str) -> frozenset[str]:
    """A list of words of the table."""
    return frozenset(_words()[name].split())


@lru_cache(maxsize=1)
def synonyms() -> Mapping[str, tuple[str, ...]]:
    """For each word of the table the words that may stand for it."""
    table: dict[str, list[str]] = {}
    for pair in _words()["synonyms"]:
        one, other = pair.split()
        table.setdefault(one, []).append(other)
        table.setdefault(other, []).append(one)
    return {word: tuple(others) for word, others in table.items()}


def measure_noun(unit: str, rng: Random) -> str:
    """What is counted in this unit: 公顷 -> 面积."""
    table = _words()["measure"]
    for ending, nouns in table.items():
        if ending in unit:
            return str(rng.choice(nouns))
    return str(rng.choice(table["other"]))


def pick_topic_frame(name: str, parts: Mapping[str, str], rng: Random) -> tuple[Piece, ...]:
    """Fill one of the frames of a name; its own words ask, what is filled in may be reworded."""
    frame = rng.choice(_words()["frames"][name])
    pieces: list[Piece] = []
    for bit in re.split(r"(\{\w\})", frame):
        if bit:
            pieces += cut_pieces(parts[bit[1]]) if bit.startswith("{") else [Piece(bit, asks=True)]
    return tuple(pieces)


def cut_pieces(text: str) -> tuple[Piece, ...]:
    """The words of a text as pieces of a question."""
    light = word_list("light")
    return tuple(
        Piece(word, light=word in light or tag in _LIGHT_TAGS, cut=tag == "x", does=tag == "v")
        for word, tag in rjieba.tag(text, False)
    )


def word_question(pieces: Sequence[Piece], rng: Random, label: str = "", drop: float = 0.12) -> str:
    """Write a question. ``label``: region and year that the document's title gives, put in front or behind."""
    form = rng.random()
    kept = [p for p in pieces if p.asks or not _dropped(p, rng, drop)]
    if sum(len(p.text) for p in kept if not p.asks and not p.light) < _LEAST_SAID:
        kept = list(pieces)
    texts = [p.text if p.asks else _reworded(p.text, rng) for p in kept]
    if form < 0.08:  # keywords only
        asks = [t for t, p in zip(texts, kept, strict=True) if p.asks]
        rest = [t for t, p in zip(texts, kept, strict=True) if not p.asks and not p.light]
        return _tidy((" " if rng.random() < 0.5 else "").join([*([label] if label else []), *rest, *asks]))
    frames = _words()["frames"]
    core = _insert_modal("".join(texts), kept, texts, rng)
    core = rng.choice(frames["fact"]).replace("{q}", core) if rng.random() < 0.25 else core
    core = label + core if rng.random() < 0.85 or not label else f"{core}，{label}"
    core = (rng.choice(frames["before"]) if rng.random() < 0.06 else "") + core + rng.choice(frames["after"])
    return _tidy(core + rng.choice(frames["mark"]))


def as_product_reads(question: str) -> str:
    """The form in which the product hands questions to the reader: normalised widths, case and numerals."""
    return normalize(question)


@lru_cache(maxsize=1)
def everyday() -> Mapping[str, tuple[str, ...]]:
    """For each word of documents that the product's thesaurus has, what people and other documents say for it."""
    table: dict[str, list[str]] = {}
    for official, others in read_lines():
        for word in official:
            table.setdefault(word, []).extend(w for w in (*official, *others) if w != word and "…" not in w)
    return {word: tuple(dict.fromkeys(others)) for word, others in table.items() if others}


def say_everyday(question: str, rng: Random) -> str:
    """The question, in a part of the cases in everyday words: 新建调蓄池 -> 新修蓄水的池子."""
    if rng.random() >= _EVERYDAY_SHARE:
        return question
    table = everyday()
    for wording in reversed(find_wordings(question)):
        (start, end), *gapped = wording.spans
        if not gapped and wording.text in table and rng.random() < _EVERYDAY_WORDS:
            question = question[:start] + rng.choice(table[wording.text]) + question[end:]
    return question


def make_label(region: str | None, year: int | None, rng: Random) -> str:
    """How people name a document's place and year before their question; sometimes only one of them, or none."""
    if rng.random() < 0.3:
        return ""
    place = (
        ""
        if region is None
        else rng.choice([region, region, ""])
        if region != "全国"
        else rng.choice(["全国", "我国", "国家", "", ""])
    )
    when = "" if year is None else rng.choice([f"{year}年", f"{year}年", f"{year}", f"{year % 100:02d}年", ""])
    return f"{when}{place}" if rng.random() < 0.3 else f"{place}{when}"


def _dropped(piece: Piece, rng: Random, drop: float) -> bool:
    if piece.cut:
        return rng.random() < 0.8
    return rng.random() < (0.6 if piece.light else drop)


def _reworded(text: str, rng: Random) -> str:
    table = synonyms()
    if text in table and rng.random() < 0.35:
        return rng.choice(table[text])
    if len(text) > 4 and rng.random() < 0.35:
        inside = [w for w in table if w in text]
        if inside:
            word = rng.choice(inside)
            return text.replace(word, rng.choice(table[word]), 1)
    return text


def _insert_modal(core: str, kept: Sequence[Piece], texts: Sequence[str], rng: Random) -> str:
    verb = next((i for i, p in enumerate(kept) if p.does), None)
    if verb is None or rng.random() > 0.25 or "要" in core:
        return core
    modal = rng.choice(_words()["modal"]["any"])
    return "".join([*texts[:verb], modal, *texts[verb:]])


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"[、，,；;：:]+(?=[？?]|$)", "", text)
    text = re.sub(r"^[、，,；;：:。和及与]+|[（(]$", "", text)
    return re.sub(r"([、，])[、，]+", r"\1", text).strip()
