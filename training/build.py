"""Raw data -> token files, part by part. A part is written whole or not at all, so a killed build goes on where it stopped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

from training.asked import AskedStretch, asked_examples, asked_spans, read_asked
from training.examples import human_examples, policy_examples
from training.sequences import Tokenizer, write_sequence, write_span
from training.shards import pack, save_shard, write_whole
from training.spans import human_spans, policy_spans
from training.texts import Asked, Paragraph, Text, read_official, read_questions
from training.types import Example

LONGEST = 704  # tokens of a training sequence
POLICY_COUNTS = {
    "work_report": 90,
    "congress_report": 60,
    "carbon_policy": 14,
    "law": 2,
}  # tries per document and round
_PARAGRAPHS_A_PART, _TEXTS_A_PART, _STRETCHES_A_PART = 400, 250, 500


@dataclass(frozen=True, slots=True)
class Sources:
    """All that examples are made of."""

    paragraphs: tuple[Paragraph, ...]
    texts: tuple[Text, ...]
    asked: tuple[AskedStretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of work: a slice of the sources in one round. Its name is its seed."""

    name: str
    start: int
    stop: int
    validation: bool
    longest: int


def read_sources(data: Path, cache: Path) -> Sources:
    """Clean the raw data, or read what an earlier run cleaned."""
    file = cache / "sources.json"
    if not file.exists():
        paragraphs, texts = read_questions(data), list(read_official(data))
        cache.mkdir(parents=True, exist_ok=True)
        content = {"paragraphs": [asdict(p) for p in paragraphs], "texts": [asdict(t) for t in texts]}
        write_whole(file, lambda f: f.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8"))
    content = json.loads(file.read_text(encoding="utf-8"))
    paragraphs = [
        Paragraph(p["name"], tuple(p["sentences"]), tuple(Asked(**q) for q in p["questions"]))
        for p in content["paragraphs"]
    ]
    texts = [Text(**{**t, "sentences": tuple(t["sentences"])}) for t in content["texts"]]
    return Sources(tuple(paragraphs), tuple(texts), tuple(read_asked(texts)))


def plan_parts(
    sources: Sources,
    human_rounds: int,
    policy_rounds: int,
    span_rounds: int = 0,
    longest: int = LONGEST,
    *,
    asked_rounds: int = 0,
) -> list[Part]:
    """Name every piece of work; the validation parts come first. ``span_rounds``: of people's, if other than their others."""
    humans, texts, asked = len(sources.paragraphs), len(sources.texts), len(sources.asked)
    kinds = [
        ("human", human_rounds, humans, _PARAGRAPHS_A_PART),
        ("policy", policy_rounds, texts, _TEXTS_A_PART),
        ("span-human", span_rounds or human_rounds, humans, _PARAGRAPHS_A_PART),
        ("span-policy", policy_rounds, texts, _TEXTS_A_PART),
        ("asked", asked_rounds, asked, _STRETCHES_A_PART),
        ("span-asked", asked_rounds, asked, _STRETCHES_A_PART),
    ]
    parts = [Part(f"validation-{kind}", 0, size, True, longest) for kind, _, size, _ in kinds if size]
    for kind, count, size, step in kinds:
        for number in range(count):
            parts += [
                Part(f"{kind}-{number}-{start:05d}", start, min(size, start + step), False, longest)
                for start in range(0, size, step)
            ]
    return parts


def make_examples(sources: Sources, part: Part, seed: int) -> Iterator[Example]:
    """The examples of a part: the same for the same seed, whatever was made before."""
    rng = Random(f"{seed}/{part.name}")
    spans = "span" in part.name
    if "asked" in part.name:
        for stretch in sources.asked[part.start : part.stop]:
            if stretch.held_out == part.validation:
                yield from asked_spans(stretch, rng) if spans else asked_examples(stretch, rng)
        return
    if "human" in part.name:
        others = [p for p in sources.paragraphs if p.held_out == part.validation]
        for paragraph in sources.paragraphs[part.start : part.stop]:
            if paragraph.held_out == part.validation:
                yield from human_spans(paragraph, rng) if spans else human_examples(paragraph, others, rng)
        return
    for text in sources.texts[part.start : part.stop]:
        if text.held_out == part.validation:
            make = policy_spans if spans else policy_examples
            yield from make(text, POLICY_COUNTS[text.kind], rng)


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
    written = [
        (e.kind, write_span(e, _tokenizer()) if "span" in e.kind else write_sequence(e, _tokenizer(), part.longest))
        for e in examples
    ]
    shard = pack([(kind, sequence) for kind, sequence in written if sequence is not None])
    save_shard(shard, out / f"{part.name}.npz")
    return f"{part.name}: {len(shard.lengths)} of {len(examples)} examples, {len(shard.tokens)} tokens"


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    return Tokenizer()


_remembered: list[Sources] = []


def _remember(sources: Sources) -> None:
    _remembered[:] = [sources]


def _build_remembered(part: Part, out: Path, seed: int) -> str:
    return build_part(_remembered[0], part, out, seed)
