"""Texts and paragraphs -> token files, part by part, and back as batches in an order that only the seed decides.

A part is written whole or not at all, so a build that was killed goes on where it stopped.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.examples import Example, human_examples, policy_examples
from training.sequences import Target, Tokenizer, Written, write_sequence
from training.texts import Asked, Paragraph, Text, read_official, read_questions

LONGEST = 704  # tokens of a training sequence
POLICY_COUNTS = {"work_report": 90, "congress_report": 60, "carbon_policy": 14, "law": 2}  # tries per document and round
_PARAGRAPHS_A_PART, _TEXTS_A_PART = 400, 250


@dataclass(frozen=True, slots=True)
class Sources:
    """All that examples are made of."""

    paragraphs: tuple[Paragraph, ...]
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of work: a slice of the sources in one round. Its name is its seed."""

    name: str
    start: int
    stop: int
    validation: bool
    longest: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Sequences one behind the other: tokens and targets of shape ``(total,)``, lengths and kinds of shape ``(n,)``."""

    tokens: NDArray[np.uint16]
    targets: NDArray[np.uint8]
    lengths: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    names: tuple[str, ...]

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where each sequence begins."""
        return np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)


def read_sources(data: Path, cache: Path) -> Sources:
    """Clean the raw data, or read what an earlier run cleaned."""
    file = cache / "sources.json"
    if not file.exists():
        paragraphs, texts = read_questions(data), list(read_official(data))
        cache.mkdir(parents=True, exist_ok=True)
        content = {"paragraphs": [asdict(p) for p in paragraphs], "texts": [asdict(t) for t in texts]}
        _write_whole(file, lambda f: f.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8"))
    content = json.loads(file.read_text(encoding="utf-8"))
    paragraphs = [
        Paragraph(p["name"], tuple(p["sentences"]), tuple(Asked(**q) for q in p["questions"])) for p in content["paragraphs"]
    ]
    texts = [Text(**{**t, "sentences": tuple(t["sentences"])}) for t in content["texts"]]
    return Sources(tuple(paragraphs), tuple(texts))


def plan_parts(sources: Sources, human_rounds: int, policy_rounds: int, longest: int = LONGEST) -> list[Part]:
    """Name every piece of work; the validation parts come first."""
    humans, texts = len(sources.paragraphs), len(sources.texts)
    parts = [Part("validation-human", 0, humans, True, longest), Part("validation-policy", 0, texts, True, longest)]
    rounds = [("human", human_rounds, humans, _PARAGRAPHS_A_PART), ("policy", policy_rounds, texts, _TEXTS_A_PART)]
    for kind, count, size, step in rounds:
        for number in range(count):
            parts += [
                Part(f"{kind}-{number}-{start:05d}", start, min(size, start + step), False, longest)
                for start in range(0, size, step)
            ]
    return parts


def make_examples(sources: Sources, part: Part, seed: int) -> Iterator[Example]:
    """The examples of a part: the same for the same seed, whatever was made before."""
    rng = Random(f"{seed}/{part.name}")
    if "human" in part.name:
        others = [p for p in sources.paragraphs if p.held_out == part.validation]
        for paragraph in sources.paragraphs[part.start : part.stop]:
            if paragraph.held_out == part.validation:
                yield from human_examples(paragraph, others, rng)
        return
    for text in sources.texts[part.start : part.stop]:
        if text.held_out == part.validation:
            yield from policy_examples(text, POLICY_COUNTS[text.kind], rng)


def build_parts(sources: Sources, parts: Sequence[Part], out: Path, seed: int, workers: int = 1) -> None:
    """Write the parts that are not there yet."""
    out.mkdir(parents=True, exist_ok=True)
    missing = [part for part in parts if not (out / f"{part.name}.npz").exists()]
    if workers == 1:
        for part in missing:
            sys.stderr.write(f"{build_part(sources, part, out, seed)}\n")
        return
    with ProcessPoolExecutor(workers, initializer=_remember, initargs=(sources,)) as pool:
        for line in pool.map(_build_remembered, missing, [out] * len(missing), [seed] * len(missing)):
            sys.stderr.write(f"{line}\n")


def build_part(sources: Sources, part: Part, out: Path, seed: int) -> str:
    """Make, tokenise and write one part; a line that says what is in it."""
    examples = list(make_examples(sources, part, seed))
    written = [(e.kind, write_sequence(e, _tokenizer(), part.longest)) for e in examples]
    shard = pack([(kind, sequence) for kind, sequence in written if sequence is not None])
    save_shard(shard, out / f"{part.name}.npz")
    return f"{part.name}: {len(shard.lengths)} of {len(examples)} examples, {len(shard.tokens)} tokens"


def pack(written: Sequence[tuple[str, Written]]) -> Shard:
    """Lay sequences one behind the other."""
    names = tuple(sorted({kind for kind, _ in written}))
    return Shard(
        np.concatenate([s.tokens for _, s in written] or [np.zeros(0, np.uint16)]),
        np.concatenate([s.targets for _, s in written] or [np.zeros(0, np.uint8)]),
        np.array([len(s.tokens) for _, s in written], np.int32),
        np.array([names.index(kind) for kind, _ in written], np.uint8),
        names,
    )


def save_shard(shard: Shard, file: Path) -> None:
    """Write a shard, compressed; whole or not at all."""

    def write(to: Path) -> None:
        with to.open("wb") as stream:
            np.savez_compressed(
                stream,
                tokens=shard.tokens,
                targets=shard.targets,
                lengths=shard.lengths,
                kinds=shard.kinds,
                names=np.array(shard.names),
            )

    _write_whole(file, write)


def load_shards(files: Iterable[Path]) -> Shard:
    """Read shards and put them one behind the other, in the order of their names."""
    shards = [_load(file) for file in sorted(files)]
    names = tuple(sorted({name for shard in shards for name in shard.names}))
    kinds = [np.array([names.index(n) for n in shard.names] or [0], np.uint8)[shard.kinds] for shard in shards]
    return Shard(
        np.concatenate([s.tokens for s in shards]),
        np.concatenate([s.targets for s in shards]),
        np.concatenate([s.lengths for s in shards]),
        np.concatenate(kinds),
        names,
    )


def shorten_all(shard: Shard, longest: int) -> Shard:
    """The same sequences with at most ``longest`` tokens each; those that cannot be cut so far are left out."""
    starts = shard.starts
    cut = [
        (shard.names[shard.kinds[i]], shorten(shard.tokens[b : b + n], shard.targets[b : b + n], longest))
        for i, (b, n) in enumerate(zip(starts, shard.lengths, strict=True))
    ]
    return pack([(name, written) for name, written in cut if written is not None])


def shorten(tokens: NDArray[np.uint16], targets: NDArray[np.uint8], longest: int) -> Written | None:
    """Leave out the last candidates until the sequence fits; ``None`` where one of them answers or two are not left."""
    if len(tokens) <= longest:
        return Written(tokens, targets)
    ends = np.flatnonzero((targets == Target.NO) | (targets == Target.YES)) + 1  # behind each candidate's number
    tail = len(tokens) - int(ends[-1])
    fitting = ends[ends + tail <= longest]
    if len(fitting) < 2 or (targets[fitting[-1] : ends[-1]] == Target.YES).any():
        return None
    kept = np.r_[0 : int(fitting[-1]), int(ends[-1]) : len(tokens)]
    return Written(tokens[kept], targets[kept])


def count_kinds(shard: Shard) -> Counter[str]:
    """How many sequences of each kind there are."""
    return Counter({shard.names[k]: int(n) for k, n in zip(*np.unique(shard.kinds, return_counts=True), strict=True)})


def plan_batches(
    lengths: NDArray[np.int32], buckets: Sequence[int], tokens: int, seed: int, epoch: int
) -> list[tuple[int, NDArray[np.int64]]]:
    """The batches of one epoch in their order: bucket length and which sequences. Batches of a bucket have one size.

    A sequence of ``n`` tokens needs ``n - 1`` inputs; those longer than the longest bucket are left out.
    """
    rng = np.random.default_rng([seed, epoch])
    fits = np.searchsorted(np.array(buckets), lengths - 1)
    batches: list[tuple[int, NDArray[np.int64]]] = []
    for number, length in enumerate(buckets):
        rows = rng.permutation(np.flatnonzero(fits == number))
        size = max(1, tokens // length)
        batches += [(length, rows[i : i + size]) for i in range(0, len(rows) - size + 1, size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _load(file: Path) -> Shard:
    with np.load(file, allow_pickle=False) as arrays:
        return Shard(
            arrays["tokens"], arrays["targets"], arrays["lengths"], arrays["kinds"], tuple(str(n) for n in arrays["names"])
        )


def _write_whole(file: Path, write: Callable[[Path], Any]) -> None:
    temporary = file.with_name(file.name + ".unfinished")
    write(temporary)
    temporary.replace(file)


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    return Tokenizer()


_remembered: list[Sources] = []


def _remember(sources: Sources) -> None:
    _remembered[:] = [sources]


def _build_remembered(part: Part, out: Path, seed: int) -> str:
    return build_part(_remembered[0], part, out, seed)
