"""Raw public texts -> the bundled embedder: ``python -m training.embedder DATA``.

Words get vectors from the company they keep; hashed pieces of words get random ones, which find equal pieces. Then the
whole table is trained to bring questions near their paragraphs, titles near their text, sentences near their neighbours,
and the result lies between the table before and after training. Each step leaves its result below ``--out``, and a run
that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.contrast import Recipe, Side, Trainer, embed, take
from training.cooccur import choose_vocabulary, count_words, cut_texts, factorise, relate_words, widen_vocabulary
from training.embedder_data import (
    Asked,
    Document,
    Pair,
    make_pairs,
    read_asked,
    read_documents,
    read_meanings,
    read_written,
)
from vectorstore.static_embed import FORMAT, features

OUT = Path("build/embedder")
WORDS, SIDES, CHECKPOINT, RECIPE, RESULT = "words.npz", "sides.npz", "checkpoint.pt", "recipe.json", "static-v1.npz"

_TEXT_WEIGHTS = {"law": 1}  # of the running words; the rest is rarer and nearer to what is asked about
_OTHER_WEIGHT = 3
_SEEN_TWICE = 2  # a word of written questions or of the thesaurus that so many of them have gets a vector of its own
_LONGEST = 600  # characters of a text
_EVERY = 100  # steps between two lines of the log, and two checkpoints
_CUTS = (1, 5, 20)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all steps."""
    given, recipe = _read_arguments(arguments)
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    _check_recipe(given.out / RECIPE, recipe)
    if not (given.out / SIDES).exists():
        documents = list(read_documents(given.data))
        asked, paragraphs = read_asked(given.data)
        documents += paragraphs
        written, meanings = read_written(given.data), read_meanings()
        if not (given.out / WORDS).exists():
            said = [a.question + a.sentence for a in written if not a.validation]
            said += [pair.left + pair.right for pair in meanings]
            _save(given.out / WORDS, make_words(documents, said, recipe))
        sides = make_sides(documents, Questions(asked, written, meanings), _load(given.out / WORDS), recipe)
        _save(given.out / SIDES, sides)
    words, sides = _load(given.out / WORDS), read_sides(_load(given.out / SIDES))
    start = make_table(words, sides, recipe)
    trained = train(start, sides, recipe, given.out / CHECKPOINT)
    # Training is short of policy questions and forgets some of what words mean there; half way back is better at both.
    rounded, scales = quantise(start + recipe.learned * (trained - start))
    for name in ("validation", "written-validation"):
        _log(f"{name}: {measure(rounded * scales[:, None], sides, name)}")
    result = given.out / RESULT
    _save(result, {"format": np.int64(FORMAT), "table": rounded, "scales": scales, "words": words["words"]})
    _log(f"{result} {result.stat().st_size} bytes, sha256 {hashlib.sha256(result.read_bytes()).hexdigest()}")


@dataclass(frozen=True, slots=True)
class Questions:
    """All that is asked: of question sets, written about official texts, and single words of the thesaurus."""

    asked: Sequence[Asked]
    written: Sequence[Asked] = ()
    meanings: Sequence[Pair] = ()


def make_words(documents: Sequence[Document], said: Sequence[str], recipe: Recipe) -> dict[str, NDArray[Any]]:
    """Give the vocabulary, a unit vector for each word, and how telling it is (inverse document frequency).

    ``said`` are questions with their answers and wordings with their meanings: everyday words that the documents lack.
    """
    paragraphs = [(d.kind, "".join(sentences)) for d in documents for sentences in d.paragraphs]
    weights = [_TEXT_WEIGHTS.get(kind, _OTHER_WEIGHT) for kind, _ in paragraphs]
    cut = cut_texts(text for _, text in paragraphs)
    cut_said = cut_texts(said)
    vocabulary = widen_vocabulary(choose_vocabulary(cut, weights, recipe.words), cut_said, _SEEN_TWICE)
    cut, weights = [*cut, *cut_said], [*weights, *[_OTHER_WEIGHT] * len(cut_said)]
    telling = np.log1p(len(cut) / (count_words(cut, vocabulary) + 1.0))
    _log(f"{len(vocabulary)} words chosen of {sum(map(len, cut))}")
    vectors = factorise(relate_words(cut, weights, vocabulary), recipe.dimensions, recipe.seed)
    listed = np.frombuffer("\n".join(vocabulary).encode(), dtype=np.uint8)
    return {"words": listed, "vectors": vectors, "telling": telling.astype(np.float32)}


def make_sides(
    documents: Sequence[Document], questions: Questions, words: Mapping[str, NDArray[Any]], recipe: Recipe
) -> dict[str, NDArray[Any]]:
    """Make the texts of all pairs, and of the validation questions, into features; in one flat mapping for a file."""
    listed = bytes(words["words"]).decode().split("\n")
    vocabulary = {word: row for row, word in enumerate(listed)}
    texts: dict[str, Sequence[str]] = {}
    made = make_pairs(documents, questions.asked, recipe.seed, questions.written, questions.meanings)
    for kind, pairs in made.items():
        texts[f"{kind}.left"] = [pair.left for pair in pairs]
        texts[f"{kind}.right"] = [pair.right for pair in pairs]
    flat: dict[str, NDArray[Any]] = {}
    # People's questions look for their paragraph among all of them; written ones for their sentence among those asked about.
    for name, given, wanted in (
        ("validation", questions.asked, [a.paragraph for a in questions.asked]),
        ("written-validation", questions.written, [a.sentence for a in questions.written]),
    ):
        positions = {text: at for at, text in enumerate(dict.fromkeys(wanted))}
        kept = [(a.question, positions[text]) for a, text in zip(given, wanted, strict=True) if a.validation]
        texts[f"{name}.right"], texts[f"{name}.left"] = list(positions), [question for question, _ in kept]
        flat[f"{name}.gold"] = np.array([gold for _, gold in kept], dtype=np.int64)
    for name, found in texts.items():
        side = list_features([text[:_LONGEST] for text in found], vocabulary, recipe.buckets)
        _log(f"{name}: {len(side)} texts, {len(side.places)} features")
        flat |= {f"{name}.{field}": getattr(side, field) for field in Side.__dataclass_fields__}
    return flat


def list_features(texts: Sequence[str], vocabulary: Mapping[str, int], buckets: int) -> Side:
    """Make texts into features; equal texts are done once."""
    numbers: dict[str, int] = {}
    same = np.array([numbers.setdefault(text, len(numbers)) for text in texts], dtype=np.int64)
    found = [features(text, vocabulary, buckets) for text in numbers]
    chosen = [found[number] for number in same]
    starts = np.cumsum([0, *(len(places) for places, _ in chosen)])
    places = np.concatenate([places for places, _ in chosen]).astype(np.int32)
    return Side(places, np.concatenate([weights for _, weights in chosen]), starts, same)


def read_sides(flat: Mapping[str, NDArray[Any]]) -> dict[str, Side]:
    """Give the sides by name (``asked.left``), with the validation questions' ``same`` naming their paragraph."""
    names = sorted({name.rsplit(".", 1)[0] for name in flat if not name.endswith(".gold")})
    sides = {name: Side(*(flat[f"{name}.{field}"] for field in Side.__dataclass_fields__)) for name in names}
    for name in ("validation", "written-validation"):
        left = sides[f"{name}.left"]
        sides[f"{name}.left"] = Side(left.places, left.weights, left.starts, flat[f"{name}.gold"])
    return sides


def make_table(words: Mapping[str, NDArray[Any]], sides: Mapping[str, Side], recipe: Recipe) -> NDArray[np.float32]:
    """Give the table to start training from: a row's length is how telling it is."""
    vectors, telling = words["vectors"], words["telling"]
    counted = [sides["validation.right"], sides["near.left"]]
    texts = sum(len(side) for side in counted)
    held = np.bincount(np.concatenate([side.places for side in counted]), minlength=len(vectors) + recipe.buckets)
    rng = np.random.default_rng(recipe.seed)
    buckets = rng.standard_normal((recipe.buckets, recipe.dimensions))
    buckets /= np.linalg.norm(buckets, axis=1, keepdims=True)
    lengths = recipe.bucket_length * np.log1p(texts / (held[len(vectors) :] + 1.0))
    table = np.concatenate([vectors * telling[:, None], buckets * lengths[:, None]])
    return np.asarray(table / np.log1p(texts), dtype=np.float32)


def train(
    table: NDArray[np.float32], sides: Mapping[str, Side], recipe: Recipe, checkpoint: Path
) -> NDArray[np.float32]:
    """Train a table, from the checkpoint if there is one."""
    pairs = {kind: (sides[f"{kind}.left"], sides[f"{kind}.right"]) for kind, _ in recipe.shares}
    trainer = Trainer(table, pairs, recipe)
    if checkpoint.exists():
        trainer.restore(torch.load(checkpoint, weights_only=True))
    for step, loss in trainer.run(_EVERY):
        torch.save(trainer.state(), checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").replace(checkpoint)
        _log(f"step {step}: loss {loss:.4f}" + (f" {measure(trainer.weights(), sides)}" if step % 400 == 0 else ""))
    return trainer.weights()


def measure(table: NDArray[np.float32], sides: Mapping[str, Side], name: str = "validation") -> dict[str, float]:
    """Give recall and mean reciprocal rank of the validation questions among all texts that some question is about."""
    matrix = torch.from_numpy(np.ascontiguousarray(table, dtype=np.float32))
    with torch.no_grad():
        left, right = (
            embed(matrix, *take(side, np.arange(len(side))), len(side))
            for side in (sides[f"{name}.left"], sides[f"{name}.right"])
        )
        scores = (left @ right.T).numpy()
    gold = sides[f"{name}.left"].same
    ranks = (scores > scores[np.arange(len(gold)), gold][:, None]).sum(axis=1)
    found = {f"recall@{at}": float((ranks < at).mean()) for at in _CUTS}
    return {name: round(value, 4) for name, value in {**found, "mrr": float((1 / (ranks + 1)).mean())}.items()}


def quantise(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a table to 8 bits with a scale for each row; the error of a value is under 0.4 % of its row's largest."""
    scales = np.maximum(np.abs(table).max(axis=1), 1e-9) / 127.0
    return np.rint(table / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def _read_arguments(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Recipe]:
    parser = argparse.ArgumentParser(prog="python -m training.embedder", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds qa/ and text/")
    parser.add_argument("--out", type=Path, default=OUT, help="where everything made goes")
    parser.add_argument("--threads", type=int, default=2)
    for name in ("words", "buckets", "dimensions", "steps", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Recipe(), name))
    given = parser.parse_args(arguments)
    recipe = Recipe(given.words, given.buckets, given.dimensions, steps=given.steps, seed=given.seed)
    return given, recipe


def _check_recipe(path: Path, recipe: Recipe) -> None:
    """Refuse to go on with what another recipe has left."""
    wanted = json.loads(json.dumps(asdict(recipe)))
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise SystemExit(f"{path.parent} holds a run with another recipe; give another --out or remove it")
    path.write_text(json.dumps(wanted, indent=1), encoding="utf-8")


def _save(path: Path, arrays: Mapping[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _log(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
