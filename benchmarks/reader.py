"""How good a reader model is: the answering sentence first, knowing that there is none, short answers, and its speed.

    python benchmarks/reader.py DATA [--model FILE.gguf] [--json FILE]

DATA holds ``qa/cmrc2018_dev.json.xz``, ``qa/expmrc_cmrc_dev.json.xz`` and ``text/official.jsonl.xz``. The model is run by
the product's own code (:mod:`assistant.llm.reader` over llama.cpp). Intervals are 95% bootstrap intervals over the questions.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.evaluation.statistics import estimate_difference, estimate_mean
from assistant.finding.retrieve import PASSAGES, retrieve
from assistant.llm import reader, spans
from assistant.llm.catalog import bundled
from assistant.llm.worker import Runtime
from assistant.question.follow import understand
from assistant.question.understand import describe_corpus
from assistant.types import Passage
from vectorstore.build import build_index
from vectorstore.embed import open_embedder
from vectorstore.index import Index
from vectorstore.sentences import cut
from vectorstore.types import Scope

ROOT = Path(__file__).resolve().parent.parent
PARAGRAPHS = 300
NINE = 9
_OVERLAP_WEIGHT = 0.2
_BLENDS = (0.1, 0.25, 0.5, 1.0)  # of P(it answers) beside the retriever's own score
_RANKINGS = ("among", "retriever", "reader", "with its answers", "among searched", "search", "reader over search")
_EMPTY = re.compile(r"[\s，。、；：？！“”（）()《》\"',.?!:;]+")
_DROPPED = re.compile(r"[\s\u3000\W_]+")
_CHARACTERS = re.compile(r"[A-Za-z]+|.", re.DOTALL)

Figures = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A question, the sentences of its paragraph, which of them answers, and the reference answers."""

    question: str
    sentences: tuple[str, ...]
    gold: int
    answers: tuple[str, ...]
    evidence: tuple[str, ...] = ()


def main() -> None:
    """Measure one model and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, default=bundled().path, help="the bundled one where not given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, default=0, help="questions of each set, for a quick look")
    parser.add_argument("--only", default="cmrc,expmrc,policy,seeds,speed")
    parser.add_argument("--pass-tokens", type=int, help="try another length of a pass than the product's")
    parser.add_argument("--pass-candidates", type=int, help="try another number of candidates of a pass")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    reader.PASS_TOKENS = given.pass_tokens or reader.PASS_TOKENS
    reader.PASS_CANDIDATES = given.pass_candidates or reader.PASS_CANDIDATES
    model = Runtime(str(given.model), 1024, given.threads, lambda: False)
    figures: Figures = {"model": given.model.name, "bytes": given.model.stat().st_size}
    parts: dict[str, Callable[[], Figures]] = {
        "cmrc": lambda: measure_cmrc(model, given.data, given.limit),
        "expmrc": lambda: measure_expmrc(model, given.data, given.limit),
        "policy": lambda: measure_policy(model, given.data, given.limit),
        "seeds": lambda: measure_seeds(model, given.limit),
        "speed": lambda: measure_speed(model),
    }
    for name in given.only.split(","):
        figures[name] = parts[name]()
        print(json.dumps({name: figures[name]}, ensure_ascii=False), flush=True)
    if given.json:
        given.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")


def measure_cmrc(model: reader.Model, data: Path, limit: int) -> Figures:
    """Right sentence among the nine of most overlap; answerable or not with the answering sentence taken away."""
    asked = read_cmrc(data, limit)
    weigh = weigh_pairs({s for a in asked for s in a.sentences})
    hits: dict[str, list[float]] = {
        "overlap": [],
        "label": [],
        "label+answer": [],
        "label+overlap": [],
        "among nine": [],
    }
    heights: dict[bool, list[float]] = {True: [], False: []}
    nones: dict[bool, list[float]] = {True: [], False: []}
    overlaps: dict[bool, list[float]] = {True: [], False: []}
    for n, one in enumerate(asked):
        nine, shared = best_nine(one, weigh)
        scores = reader.score_candidates(model, one.question, [one.sentences[i] for i in nine])
        height = np.array([_logit(p) for p in scores.answers])
        hits["among nine"].append(float(one.gold in nine))
        hits["overlap"].append(float(nine[0] == one.gold))
        hits["label"].append(float(nine[int(height.argmax())] == one.gold))
        answering = spans.find_answer(model, one.question, [one.sentences[i] for i in nine], scores.answers)
        hits["label+answer"].append(float(nine[answering.candidate] == one.gold))
        mixed = height + _OVERLAP_WEIGHT * (shared - shared.mean()) / (shared.std() + 1e-6)
        hits["label+overlap"].append(float(nine[int(mixed.argmax())] == one.gold))
        heights[True].append(float(height.max()))
        nones[True].append(-scores.none)
        overlaps[True].append(float(shared.max()))
        if n % 2 == 0 and len(one.sentences) > 2:
            nine, shared = best_nine(one, weigh, without=one.gold)
            scores = reader.score_candidates(model, one.question, [one.sentences[i] for i in nine])
            heights[False].append(max(_logit(p) for p in scores.answers))
            nones[False].append(-scores.none)
            overlaps[False].append(float(shared.max()))
    known = {"label": heights, "pointer": nones, "overlap": overlaps}
    return {
        "questions": len(asked),
        "right sentence": {name: interval(values) for name, values in hits.items()},
        "label above overlap": difference(hits["label"], hits["overlap"]),
        "AUROC answerable": {name: auroc_interval(v[True], v[False]) for name, v in known.items()},
    }


def measure_expmrc(model: reader.Model, data: Path, limit: int) -> Figures:
    """Answer, evidence and overall F1 by the published formula; where the model is not sure, its sentence is the answer."""
    asked = read_expmrc(data, limit)
    weigh = weigh_pairs({s for a in asked for s in a.sentences})
    answer, evidence, overall, given = [], [], [], 0
    for one in asked:
        nine, _ = best_nine(one, weigh)
        candidates = [one.sentences[i] for i in nine]
        scores = reader.score_candidates(model, one.question, candidates)
        found = spans.find_answer(model, one.question, candidates, scores.answers)
        given += found.text is not None
        a = max(bag_f1(found.text or candidates[found.candidate], r) for r in one.answers)
        e = max(bag_f1(candidates[found.candidate], r) for r in one.evidence)
        answer.append(a)
        evidence.append(e)
        overall.append(a * e)
    return {
        "questions": len(asked),
        "answer F1": interval(answer),
        "evidence F1": interval(evidence),
        "overall F1": interval(overall),
        "short answers given": given / max(1, len(asked)),
    }


def measure_policy(model: reader.Model, data: Path, limit: int) -> Figures:
    """Right sentence in work reports that were not trained on, among the passages of the product's retriever."""
    file = Path(__file__).with_name("policy_questions.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()][: limit or None]
    titles = sorted({row["document"] for row in rows})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "texts"
        folder.mkdir()
        for number, title in enumerate(titles):
            (folder / f"{number}.txt").write_text(read_report(data, title), encoding="utf-8")
        asked = [
            (r["question"], (r["quote"],), Scope(sources=frozenset({f"{titles.index(r['document'])}.txt"})))
            for r in rows
        ]
        return measure_passages(model, [folder], Path(temporary) / "index", asked)


def measure_seeds(model: reader.Model, limit: int) -> Figures:
    """The same on the seeds' labelled questions of one turn, inside the scope that the product understands."""
    rows = [json.loads(line) for line in (ROOT / "seeds/questions.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [r for r in rows if r["answerable"] and len(r["turns"]) == 1 and len(r.get("evidence", ())) == 1][
        : limit or None
    ]
    asked = [(r["turns"][0], tuple(r["evidence"][0]), None) for r in rows]
    with tempfile.TemporaryDirectory() as temporary:
        return measure_passages(model, [ROOT / "seeds"], Path(temporary) / "index", asked)


def measure_passages(
    model: reader.Model, paths: Sequence[Path], data: Path, asked: Sequence[tuple[str, tuple[str, ...], Scope | None]]
) -> Figures:
    """Rank the retriever's passages by its own order, by the reader, and by both; and the search's hits by the reader.

    The retriever leaves out sentences that its rules say cannot answer, so the reader is also shown what the search
    itself found.
    """
    embedder = open_embedder()
    build_index(paths, data=data, embedder=embedder)
    index = Index.open(data, embedder)
    corpus = describe_corpus(index.documents)
    hits: dict[str, list[float]] = {n: [] for n in (*_RANKINGS, *(f"blend {b}" for b in _BLENDS))}
    for question, quotes, scope in asked:
        understood = understand(question, (), corpus)
        found = [
            hit.sentence.plain
            for hit in index.search(understood.focus, PASSAGES, understood.scope if scope is None else scope)
        ]
        searched = reader.score_candidates(model, understood.focus, found).answers if found else (0.0,)
        rights = [holds_any(text, quotes) for text in found] or [0.0]
        hits["among searched"].append(max(rights))
        hits["search"].append(rights[0])
        hits["reader over search"].append(rights[int(np.argmax(searched))])
        passages = retrieve(understood, index, scope=scope)
        scores = (
            reader.score_candidates(model, understood.focus, [p.sentence.plain for p in passages]).answers
            if passages
            else ()
        )
        right = [holds_any(p.sentence.plain, quotes) for p in passages]
        hits["among"].append(max(right, default=0.0))
        hits["retriever"].append(right[0] if right else 0.0)
        hits["reader"].append(right[int(np.argmax(scores))] if right else 0.0)
        texts = [p.sentence.plain for p in passages]
        found_with = spans.find_answer(model, understood.focus, texts, scores).candidate if right else 0
        hits["with its answers"].append(right[found_with] if right else 0.0)
        for weight in _BLENDS:
            hits[f"blend {weight}"].append(right[_best(passages, scores, weight)] if right else 0.0)
    index.close()
    gains = {
        name: difference(hits[name], hits["retriever"])
        for name in hits
        if name in ("reader", "with its answers") or name.startswith("blend")
    }
    gains["reader over search, above the search"] = difference(hits["reader over search"], hits["search"])
    return {
        "questions": len(asked),
        "right sentence": {k: interval(v) for k, v in hits.items()},
        "above the retriever": gains,
    }


def holds_any(text: str, quotes: Sequence[str]) -> float:
    """1 where a sentence holds one of the quotes, or is inside one."""
    return float(any(quote in text or text in quote for quote in quotes))


def _best(passages: Sequence[Passage], scores: Sequence[float], weight: float) -> int:
    return int(np.argmax([p.score + weight * s for p, s in zip(passages, scores, strict=True)]))


def measure_speed(model: reader.Model) -> Figures:
    """Milliseconds to score twelve candidates of forty characters, median of 21."""
    rng = random.Random(0)
    letters = "推进建设绿色低碳发展城市能源重点项目新增公里面积完成改造实施工程"
    times = []
    for _ in range(21):
        candidates = ["".join(rng.choices(letters, k=39)) + "。" for _ in range(12)]
        question = "".join(rng.choices(letters, k=14)) + "有多少？"
        began = time.perf_counter()
        reader.score_candidates(model, question, candidates)
        times.append(1000 * (time.perf_counter() - began))
    return {"twelve candidates, ms": round(statistics.median(times), 1), "fastest, ms": round(min(times), 1)}


def read_cmrc(data: Path, limit: int) -> list[Asked]:
    """The questions of 300 paragraphs of CMRC 2018 dev whose answer stands in one sentence."""
    content = json.loads(_read(data / "qa/cmrc2018_dev.json.xz"))
    paragraphs = [p for article in content["data"] for p in article["paragraphs"]]
    chosen = random.Random(0).sample(paragraphs, PARAGRAPHS)
    return list(_list_asked(chosen))[: limit or None]


def read_expmrc(data: Path, limit: int) -> list[Asked]:
    """The questions of ExpMRC-CMRC dev with their marked evidence."""
    content = json.loads(_read(data / "qa/expmrc_cmrc_dev.json.xz"))
    return list(_list_asked([p for article in content["data"] for p in article["paragraphs"]]))[: limit or None]


def _list_asked(paragraphs: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    for paragraph in paragraphs:
        text = paragraph["context"]
        places = list(cut(text))
        sentences = tuple(text[a:b] for a, b in places)
        for qa in paragraph["qas"]:
            answers = tuple(a["text"] if isinstance(a, dict) else a for a in qa["answers"])
            start = qa["answers"][0].get("answer_start", -1) if isinstance(qa["answers"][0], dict) else -1
            start = start if text[max(start, 0) :].startswith(answers[0]) and start >= 0 else text.find(answers[0])
            gold = next((i for i, (a, b) in enumerate(places) if a <= start < b), None)
            if gold is not None and len(sentences) > 1:
                yield Asked(qa["question"], sentences, gold, answers, tuple(qa.get("evidences", ())))


def read_report(data: Path, title: str) -> str:
    """The text of one official document, its lines joined where links and pages broke them."""
    with lzma.open(data / "text/official.jsonl.xz", "rt", encoding="utf-8") as lines:
        text = next(row["text"] for row in map(json.loads, lines) if row["title"] == title)
    text = re.sub(r"\s*[\u200b\ufeff]+\s*", "", text)
    return re.sub(r"(?<![。！？；：\n])\n(?!\n)", "", text)


def weigh_pairs(sentences: set[str]) -> Callable[[str], float]:
    """Give the weight of a pair of characters: the rarer in the sentences, the higher."""
    held = Counter(pair for s in sentences for pair in pairs_of(s))
    return lambda pair: math.log(1 + len(sentences) / (1 + held[pair]))


def pairs_of(text: str) -> set[str]:
    """The pairs of characters of a text, and its numbers."""
    plain = _EMPTY.sub("", text)
    return {plain[i : i + 2] for i in range(len(plain) - 1)} | set(re.findall(r"\d+", plain))


def best_nine(one: Asked, weigh: Callable[[str], float], without: int = -1) -> tuple[list[int], np.ndarray[Any, Any]]:
    """The nine sentences that share the most with the question, best first, and how much they share."""
    wanted = pairs_of(one.question)
    shared = [sum(weigh(p) for p in sorted(wanted & pairs_of(s))) / math.sqrt(8 + len(s)) for s in one.sentences]
    order = sorted((i for i in range(len(shared)) if i != without), key=lambda i: (-shared[i], i))[:NINE]
    return order, np.array([shared[i] for i in order])


def bag_f1(given: str, wanted: str) -> float:
    """F1 of bags of characters, Latin words whole, punctuation dropped."""
    one, other = (Counter(_CHARACTERS.findall(_DROPPED.sub("", t.lower()))) for t in (given, wanted))
    same = sum((one & other).values())
    return 2 * same / (sum(one.values()) + sum(other.values())) if same else 0.0


def auroc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """How often one of the first list is above one of the second."""
    one, other = np.array(higher)[:, None], np.array(lower)[None, :]
    return float(((one > other) + 0.5 * (one == other)).mean())


def auroc_interval(higher: Sequence[float], lower: Sequence[float]) -> Figures:
    """AUROC with its bootstrap interval."""
    rng = np.random.default_rng(0)
    one, other = np.array(higher), np.array(lower)
    drawn = [auroc(list(rng.choice(one, len(one))), list(rng.choice(other, len(other)))) for _ in range(200)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {"value": round(auroc(higher, lower), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def interval(values: Sequence[float]) -> Figures:
    """Mean with its bootstrap interval, in per cent."""
    mean = estimate_mean(values)
    return {
        k: round(100 * v, 1)
        for k, v in (("value", mean.value), ("low", mean.low), ("high", mean.high))
        if v is not None
    }


def difference(new: Sequence[float], old: Sequence[float]) -> Figures:
    """Mean difference with its paired bootstrap interval, in points."""
    mean = estimate_difference(new, old)
    return {
        k: round(100 * v, 1)
        for k, v in (("value", mean.value), ("low", mean.low), ("high", mean.high))
        if v is not None
    }


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))


def _read(file: Path) -> str:
    with lzma.open(file, "rt", encoding="utf-8") as stream:
        return stream.read()


if __name__ == "__main__":
    main()
