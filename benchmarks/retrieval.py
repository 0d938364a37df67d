"""Measure retrieval: by words, by vectors, and by both fused.

Two tasks. *questions*: the questions of CMRC 2018 dev and DRCD test, each to find its paragraph among all paragraphs of
both. *paraphrases*: 60 questions that share few words with the sentence that answers them (paraphrases.jsonl), each to
find it among all sentences of the documents asked about. Nothing of the two is trained on.

Then the cosine of word pairs (word_pairs.tsv): of synonyms (养老金, 退休金), and of words that stand in each other's place
without meaning the same (北京, 上海; 提高, 降低). An area under the curve of 1 tells the two apart, 0.5 is chance.

    python benchmarks/retrieval.py DATA [--embedder NAME] [--weight W ...] [--json]

DATA holds qa/cmrc2018_dev.json.xz, qa/drcd_test.json.xz and text/official.jsonl.xz.
"""

from __future__ import annotations

import argparse
import json
import lzma
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.texts import cut_sentences, join_lines, list_paragraphs
from vectorstore.embed import embed_query, open_embedder
from vectorstore.lexical import LexicalIndex
from vectorstore.sentences import cut
from vectorstore.types import Embedder

HERE = Path(__file__).resolve().parent
SEEDS = HERE.parent / "seeds"
PARAPHRASES = HERE / "paraphrases.jsonl"
WORD_PAIRS = HERE / "word_pairs.tsv"
QUESTION_SETS = ("cmrc2018_dev", "drcd_test")
CUTS = (1, 5, 20)
DEPTH = 100  # of each ranking that is fused, as in the index
RANK_CONSTANT = 60
DRAWS = 2000

Ranks = NDArray[np.int64]  # of the right text, from 0


@dataclass(frozen=True, slots=True)
class Task:
    """Questions, and for each the position of the text that it has to find."""

    name: str
    texts: tuple[str, ...]
    questions: tuple[str, ...]
    gold: tuple[int, ...]


def read_questions(data: Path) -> Task:
    """Read CMRC dev and DRCD test as one task over all their paragraphs."""
    positions: dict[str, int] = {}
    asked: list[tuple[str, int]] = []
    for name in QUESTION_SETS:
        with lzma.open(data / "qa" / f"{name}.json.xz", "rt", encoding="utf-8") as file:
            for paragraph, questions in list_paragraphs(json.load(file)):
                at = positions.setdefault(paragraph, len(positions))
                asked += [(question, at) for question, _ in questions]
    return Task("questions", tuple(positions), tuple(q for q, _ in asked), tuple(at for _, at in asked))


def read_paraphrases(data: Path) -> Task:
    """Read the paraphrased questions and all sentences of the documents that they are about."""
    rows = [json.loads(line) for line in PARAPHRASES.read_text(encoding="utf-8").splitlines()]
    wanted = {row["source"] for row in rows}
    sentences: list[tuple[str, str]] = []
    for path in sorted(SEEDS.glob("*.txt")):
        text = path.read_text(encoding="utf-8-sig")
        sentences += [(path.name, text[start:end]) for start, end in cut(text)]
    with lzma.open(data / "text" / "official.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            document: dict[str, Any] = json.loads(line)
            if document["title"] in wanted:
                paragraphs = join_lines(document["text"])
                sentences += [(document["title"], s) for p in paragraphs for s in cut_sentences(p)]
    positions = {pair: at for at, pair in reversed(list(enumerate(sentences)))}
    gold = tuple(positions[row["source"], row["sentence"]] for row in rows)
    return Task("paraphrases", tuple(s for _, s in sentences), tuple(row["question"] for row in rows), gold)


def rank_legs(task: Task, embedder: Embedder, weights: Sequence[float]) -> Mapping[str, Ranks]:
    """Rank the right text of every question by each leg, by reciprocal ranks of both, and by their weighted scores."""
    lexical = LexicalIndex.build(task.texts)
    vectors = embedder.embed(task.texts)
    ranks: dict[str, list[int]] = {}
    for question, gold in zip(task.questions, task.gold, strict=True):
        words = lexical.scores(question)
        cosines = vectors @ embed_query(embedder, question)
        legs = {"lexical": words, "dense": cosines, "ranks": _fuse_ranks(words, cosines)}
        for weight in weights:
            legs[f"scores {weight:g}"] = _fuse_scores(words, cosines, weight)
        for name, scores in legs.items():
            ranks.setdefault(name, []).append(_rank(scores, gold))
    return {name: np.array(found, dtype=np.int64) for name, found in ranks.items()}


def _fuse_ranks(words: NDArray[np.float32], cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fuse by reciprocal rank."""
    fused = np.zeros(len(words), dtype=np.float32)
    for scores in (words, cosines):
        order = np.argsort(-scores, kind="stable")[:DEPTH]
        order = order[scores[order] > 0]
        fused[order] += (1.0 / (RANK_CONSTANT + 1 + np.arange(len(order)))).astype(np.float32)
    return fused


def _fuse_scores(words: NDArray[np.float32], cosines: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """Add the BM25 score, as a share of the best one, and the weighted cosine."""
    return np.asarray(words / max(float(words.max()), 1e-9) + weight * np.maximum(cosines, 0.0), dtype=np.float32)


def _rank(scores: NDArray[np.float32], gold: int) -> int:
    """Count the texts before the right one; one that was not found at all is last."""
    if scores[gold] <= 0:
        return len(scores)
    return int((scores > scores[gold]).sum() + (scores[:gold] == scores[gold]).sum())


def measure(ranks: Ranks) -> dict[str, NDArray[np.floating[Any]]]:
    """Give recall at each cut and the reciprocal rank of every question."""
    found = {f"recall@{cut_at}": (ranks < cut_at).astype(np.float64) for cut_at in CUTS}
    return {**found, "mrr": 1.0 / (ranks + 1.0)}


def interval(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Give the 95 % bootstrap interval of a mean."""
    rng = np.random.default_rng(0)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def report(task: Task, ranks: Mapping[str, Ranks]) -> list[dict[str, Any]]:
    """Give a row for each leg: figures with intervals, and the difference of recall@5 to the lexical leg."""
    base = measure(ranks["lexical"])
    rows = []
    for name, found in ranks.items():
        values = measure(found)
        row: dict[str, Any] = {"task": task.name, "leg": name, "texts": len(task.texts), "questions": len(task.gold)}
        row |= {key: (float(v.mean()), *interval(v)) for key, v in values.items()}
        gain = values["recall@5"] - base["recall@5"]
        row["gain@5"] = (float(gain.mean()), *interval(gain))
        rows.append(row)
    return rows


def compare_words(embedder: Embedder) -> dict[str, float]:
    """Say how well cosines tell synonyms from siblings and antonyms."""
    cosines: dict[str, list[float]] = {"synonym": [], "sibling": []}
    for line in WORD_PAIRS.read_text(encoding="utf-8").splitlines():
        kind, one, other = line.split("\t")
        left, right = embedder.embed([one, other])
        cosines[kind].append(float(left @ right))
    synonyms, siblings = np.array(cosines["synonym"]), np.array(cosines["sibling"])
    return {
        "area_under_curve": float((synonyms[:, None] > siblings[None, :]).mean()),
        "synonyms_from_0.5": float((synonyms >= 0.5).mean()),
        "siblings_from_0.5": float((siblings >= 0.5).mean()),
    }


def _show(row: Mapping[str, Any]) -> str:
    figures = [
        f"{100 * row[key][0]:5.1f} [{100 * row[key][1]:5.1f}, {100 * row[key][2]:5.1f}]"
        for key in ("recall@1", "recall@5", "recall@20", "mrr", "gain@5")
    ]
    return f"{row['task']:11} {row['leg']:11} " + "  ".join(figures)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--embedder", help="name or file; the default one where not given")
    parser.add_argument(
        "--weight", type=float, nargs="*", default=[1.0, 0.5], help="of the cosine where scores are added"
    )
    parser.add_argument("--task", choices=("questions", "paraphrases"), help="only one of the two")
    parser.add_argument("--json", action="store_true", help="for other programs")
    given = parser.parse_args()
    embedder = open_embedder(given.embedder)
    milliseconds = _time_questions(embedder)  # first, while no cache holds them
    readers = {"questions": read_questions, "paraphrases": read_paraphrases}
    rows = []
    for name, read in readers.items():
        if given.task in (None, name):
            task = read(given.data)
            rows += report(task, rank_legs(task, embedder, given.weight))
    words = compare_words(embedder)
    if given.json:
        facts = {"embedder": embedder.name, "ms_a_question": milliseconds, "words": words, "rows": rows}
        json.dump(facts, sys.stdout, indent=1)
        return
    print(f"{embedder.name}: {milliseconds:.2f} ms a question; word pairs: {words}\n")
    print(f"{'':23} recall@1              recall@5              recall@20             MRR                   gain@5")
    print("\n".join(map(_show, rows)))


def _time_questions(embedder: Embedder) -> float:
    """Give the milliseconds of processor time that a question takes."""
    questions = [json.loads(line)["question"] for line in PARAPHRASES.read_text(encoding="utf-8").splitlines()]
    embed_query(embedder, "先装入词典")
    started = process_time()
    for question in questions:
        embed_query(embedder, question)
    return 1000 * (process_time() - started) / len(questions)


if __name__ == "__main__":
    main()
