"""Labelled questions, and questions made of official texts, in; weights and thresholds (``assistant/finding/gate.toml``) out.

Every question is asked three times: of the documents as they are, of the same without the sentence that answers it, where what is
nearest is the hardest near miss there is, and with its most telling word changed to one that the documents do not have. The
labelled questions are the tuning thirds of ``seeds``, ``tests/documents`` and ``benchmarks/fresh`` (``SEEN`` ones whole); what is
held out is never read here. One half of the questions is fitted on and the other judged, and the other way round; the weights
that ship are fitted on all. ``benchmarks/policy_questions.jsonl`` and ``benchmarks/paraphrases.jsonl`` only judge.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from assistant.answering.compose import WORDED
from assistant.evaluation.questions import read_questions
from assistant.evaluation.summary import is_held_out
from assistant.finding.evidence import NAMES, Found, judge
from assistant.finding.retrieve import PASSAGES, WEIGHED, Scorer, find_contexts, rate, read
from assistant.llm.catalog import bundled
from assistant.llm.engine import Engine
from assistant.question.follow import understand
from assistant.question.understand import describe_corpus
from assistant.question.weigh import weigh
from assistant.reading.thesaurus import find_meanings, list_official_words
from assistant.settings import read_settings
from assistant.types import Asks, Question, Role, Turn
from training.asked import read_asked
from training.examples import policy_examples
from training.texts import read_official
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.normalize import normalize
from vectorstore.parse import parse
from vectorstore.read import find_sources, read_document
from vectorstore.segment import tag_words
from vectorstore.types import Document, Media, ParsedDocument

ROOT = Path(__file__).resolve().parent.parent
FRESH = ("invented", "crawled", "national", "accounts", "laws", "local", "district", "bulletin", "reworded", "mixed")
LABELLED = ("seeds", "tests/documents", *(f"benchmarks/fresh/{name}" for name in FRESH))
DOCUMENTS = {"benchmarks/fresh/reworded": "seeds"}  # of questions that stand apart from their documents
SEEN = tuple(f"benchmarks/fresh/{name}" for name in ("plans", "reports", "rules"))  # nothing of these is held out
MADE = 200  # questions made of official texts
OTHERS = 8  # stretches that stand beside one in which nothing answers
KINDS = ("work_report", "congress_report", "carbon_policy")
LABELLED_WEIGHT, SWAPPED_WEIGHT, WRITTEN_WEIGHT, MADE_WEIGHT, ANSWER_WEIGHT, DECAY = 2.0, 1.0, 1.0, 0.3, 3.0, 3.0
SURE = 0.07  # share of the labelled near misses that may pass as an answer
NEAR = {"quantity": 0.15, "other": 0.26}  # and as the nearest wording; a wrong figure is worse than a wrong sentence
EVEN = 0.6  # and what is less likely than this is never given as the answer
STEPS, RATE = 2500, 0.4
# What can only speak for a sentence, and what only against it; so no weight can say the opposite because two figures move together.
FOR = {
    "coverage",
    "local",
    "context",
    "counted",
    "names",
    "unit",
    "dense",
    "ahead",
    "clause_ahead",
    "meant",
    "lexical",
    "best_lexical",
    "fits",
    "reader",
}
AGAINST = {"elsewhere", "unknown", "foreign", "nothing"}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A question to documents, and the texts of the sentences that answer it there; none where nothing does."""

    name: str  # the same with and without its answer
    kind: str
    question: Question
    index: MemoryIndex
    answers: tuple[str, ...]

    @property
    def half(self) -> int:
        """The half that it is in."""
        return hashlib.sha256(self.name.encode()).digest()[0] % 2


@dataclass(frozen=True, slots=True)
class Judged:
    """A case as numbers: of each candidate its figures, and whether it answers."""

    case: Case
    figures: Floats  # (candidates, figures)
    answers: NDArray[np.bool_]  # (candidates,)


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(prog="python -m training.gate", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds text/official.jsonl.xz")
    parser.add_argument("--to", type=Path, default=ROOT / "assistant" / "finding" / "gate.toml")
    given = parser.parse_args()
    engine = Engine(bundled())
    try:
        labelled = list(labelled_cases())
        cases = [
            *with_and_without(labelled),
            *swap(labelled, list_things(given.data), 11),
            *with_and_without(made_cases(given.data)),
            *with_and_without(written_cases(given.data)),
        ]
        fitted_on = [one for case in cases for one in judge_case(case, engine.score)]
        shown = [*with_and_without(policy_cases(given.data)), *with_and_without(paraphrase_cases(given.data))]
        only_judged = [one for case in shown for one in judge_case(case, engine.score)]
    finally:
        engine.close()
    for half in (0, 1):
        model = fit([one for one in fitted_on if one.case.half != half])
        report(f"half {half}, fitted on the other", model, [one for one in fitted_on if one.case.half == half])
    model = fit(fitted_on)
    report("never fitted on", model, only_judged)
    given.to.write_text(write_toml(model), encoding="utf-8")


# Cases


def labelled_cases() -> Iterator[Case]:
    """The tuning thirds of the questions that stand in this repository."""
    embedder = open_embedder(read_settings().embedder)
    for folder in (*LABELLED, *SEEN):
        documents = [
            parse(read_document(file, root=root)) for file, root in find_sources([ROOT / DOCUMENTS.get(folder, folder)])
        ]
        index = MemoryIndex(documents, embedder)
        for sample in read_questions(ROOT / folder / "questions.jsonl"):
            if is_held_out(sample.id) and folder not in SEEN:
                continue
            history = [Turn(Role.USER, text) for text in sample.turns[:-1]]
            question = understand(sample.turns[-1], history, describe_corpus(documents))
            answers = tuple(quote for group in sample.evidence for quote in group) if sample.answerable else ()
            yield Case(sample.id, sample.kind, question, index, answers)


def made_cases(data: Path) -> Iterator[Case]:
    """Questions made by program of official texts, each asked of its own text."""
    rng = Random(7)
    texts = [text for text in read_official(data) if text.kind in KINDS and len(text.sentences) > 40]
    rng.shuffle(texts)
    made = 0
    for text in texts:
        index = index_text(text.title, "\n".join(text.sentences))
        for example in policy_examples(text, 12, rng):
            if len(example.gold) == 1 and made < MADE:
                made += 1
                answer = example.candidates[example.gold[0]]
                question = understand(example.question, (), describe_corpus(index.documents))
                yield Case(f"{text.title} {example.question}", "made", question, index, (answer,))
        if made >= MADE:
            return


def written_cases(data: Path) -> Iterator[Case]:
    """Questions written about stretches of official texts that no training has seen; those that nothing answers too.

    What answers is looked for in the text around it. Where nothing does, only the stretch is known to hold no answer, so it
    stands among stretches of other texts.
    """
    stretches = [s for s in read_asked(list(read_official(data))) if s.held_out]
    rng = Random(17)
    for stretch in stretches:
        whole = index_text(stretch.title, "\n".join((*stretch.sentences, *stretch.around)))
        others = [s for other in rng.sample(stretches, min(OTHERS, len(stretches))) for s in other.sentences]
        alone = index_text(stretch.title, "\n".join((*stretch.sentences, *others)))
        for asked in stretch.questions:
            index = whole if asked.gold else alone
            question = understand(asked.text, (), describe_corpus(index.documents))
            answers = tuple(stretch.sentences[i] for i in asked.gold)
            yield Case(f"{stretch.title} {asked.text}", "written", question, index, answers)


def policy_cases(data: Path) -> Iterator[Case]:
    """The reworded questions about two work reports that measure the reader."""
    yield from _written(data, "policy_questions.jsonl", "document", "quote")


def paraphrase_cases(data: Path) -> Iterator[Case]:
    """The questions with few shared words that measure the embedder, as far as they are about official texts."""
    yield from _written(data, "paraphrases.jsonl", "source", "sentence")


def _written(data: Path, name: str, source: str, answer: str) -> Iterator[Case]:
    rows = [json.loads(line) for line in (ROOT / "benchmarks" / name).read_text(encoding="utf-8").splitlines()]
    with lzma.open(data / "text" / "official.jsonl.xz", "rt", encoding="utf-8") as lines:
        wanted = {row[source] for row in rows}
        texts = {text["title"]: text["text"] for text in map(json.loads, lines) if text["title"] in wanted}
    indexes = {title: index_text(title, text) for title, text in texts.items()}
    for row in rows:
        if row[source] in indexes:
            index = indexes[row[source]]
            question = understand(row["question"], (), describe_corpus(index.documents))
            yield Case(row["question"], name.removesuffix(".jsonl"), question, index, (row[answer],))


def swap(cases: Iterable[Case], things: Sequence[str], seed: int) -> Iterator[Case]:
    """Each case that has an answer, asked for a thing that its documents do not name: the most telling word is another one."""
    rng = Random(seed)
    for case in cases:
        question = case.question
        known = [term for term in weigh(question, case.index).terms if term.known and term.text in question.standalone]
        if not case.answers or question.kind not in WEIGHED or not known:
            continue
        told = max(known, key=lambda term: (term.text in question.counted, term.weight))
        for thing in rng.sample(things, len(things)):
            if not any(map(case.index.holds, (thing, *find_meanings(thing)))):
                text = question.standalone.replace(told.text, thing)
                swapped = understand(text, (), describe_corpus(case.index.documents))
                yield replace(case, kind="swapped", question=swapped, answers=())
                break


def list_things(data: Path) -> list[str]:
    """Things that people may ask for: words of the thesaurus, and as many nouns of the official texts."""
    official = [word for word in list_official_words() if 2 <= len(word) <= 6]
    rng = Random(13)
    nouns: set[str] = set()
    texts = [text for text in read_official(data) if text.kind in KINDS]
    for text in rng.sample(texts, 60):
        for sentence in rng.sample(text.sentences, min(40, len(text.sentences))):
            nouns.update(word for word, tag in tag_words(sentence) if tag == "n" and 2 <= len(word) <= 5)
    return official + rng.sample(sorted(nouns), min(len(nouns), len(official)))


def index_text(title: str, text: str) -> MemoryIndex:
    """Index one text in memory."""
    document = Document(title, text, Media.TEXT, hashlib.sha256(text.encode()).hexdigest(), title)
    return MemoryIndex([parse(document)], open_embedder(read_settings().embedder))


def with_and_without(cases: Iterable[Case]) -> Iterator[Case]:
    """Each case that one sentence answers, and beside it the same with that sentence taken out."""
    for case in cases:
        if case.question.kind not in WEIGHED:
            continue
        yield case
        if case.answers:
            kept = [_without(parsed, case.answers) for parsed in case.index.documents]
            if sum(len(p.sentences) for p in kept) < len(case.index.sentences):
                index = MemoryIndex(kept, open_embedder(read_settings().embedder))
                yield replace(case, index=index, answers=())


def _without(parsed: ParsedDocument, answers: Sequence[str]) -> ParsedDocument:
    return replace(parsed, sentences=tuple(s for s in parsed.sentences if not answered_by(s.plain, answers)))


def answered_by(plain: str, answers: Sequence[str]) -> bool:
    """Whether a sentence is one of those that answer, or holds one."""
    normal = normalize(plain).rstrip("。;")
    return any(normal in normalize(text) or normalize(text).rstrip("。;") in normal for text in answers)


# Figures


def judge_case(case: Case, scorer: Scorer) -> Iterator[Judged]:
    """The candidates of a case as the product sees them: with what the reader says, and without a reader."""
    weighing = weigh(case.question, case.index)
    rated = rate(case.question, case.index, weighing)[:PASSAGES]
    if not rated:
        yield Judged(case, np.zeros((0, len(NAMES))), np.zeros(0, dtype=np.bool_))
        return
    hits = [one.hit for one in rated]
    answers = np.array([answered_by(hit.sentence.plain, case.answers) for hit in hits], dtype=np.bool_)
    for scores in (read(case.question, rated, scorer), None):
        found = Found(hits, find_contexts(case.index.documents, [hit.sentence for hit in hits]), scores)
        evidence = judge(case.question, weighing, found)
        yield Judged(case, np.array([evidence[hit.sentence.id].values() for hit in hits]), answers)


# The regression


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the figures as they are, and the thresholds."""

    weights: Floats
    bias: float
    sure: dict[str, float]
    near: dict[str, float]

    def probabilities(self, figures: Floats) -> Floats:
        """P(it answers) of each candidate."""
        total: Floats = figures @ self.weights + self.bias
        return 1 / (1 + np.exp(-total))


def fit(judged: Sequence[Judged]) -> Model:
    """Fit by gradient descent with momentum on standardised figures, within the signs that make sense; convex."""
    figures = np.concatenate([one.figures for one in judged])
    answers = np.concatenate([one.answers for one in judged]).astype(np.float64)
    share = np.concatenate([np.full(len(one.answers), _worth(one.case)) for one in judged])
    share = np.where(answers > 0, ANSWER_WEIGHT * share, share)
    share = share / share.sum()
    mean, spread = figures.mean(axis=0), figures.std(axis=0) + 1e-6
    standard = (figures - mean) / spread
    weights, moved, bias = np.zeros(len(mean)), np.zeros(len(mean)), 0.0
    decay = DECAY / len(answers)
    lowest = np.array([0.0 if name in FOR else -np.inf for name in NAMES])
    highest = np.array([0.0 if name in AGAINST else np.inf for name in NAMES])
    for _ in range(STEPS):
        error = (1 / (1 + np.exp(-(standard @ weights + bias))) - answers) * share
        moved = 0.9 * moved + standard.T @ error + decay * weights
        weights = np.clip(weights - RATE * moved, lowest, highest)
        bias -= RATE * 3 * float(error.sum())
    own = weights / spread
    model = Model(own, bias - float(mean @ own), {}, {})
    misses = [
        one
        for one in judged
        if not one.case.answers and one.case.kind not in ("made", "swapped", "written") and _was_read(one)
    ]
    # What is hedged for other reasons (assistant.answering.compose.is_hedged) needs no threshold to be so.
    worded = [replace(one, figures=one.figures[is_worded(one.figures)]) for one in misses]
    sure = {name: max(EVEN, top) for name, top in find_thresholds(model, worded, SURE).items()}
    near = {name: find_thresholds(model, misses, share)[name] for name, share in NEAR.items()}
    return replace(model, sure=sure, near=near)


def is_worded(figures: Floats) -> NDArray[np.bool_]:
    """Which sentences hold half of the question, and lack no official word of it."""
    half = figures[:, NAMES.index("coverage")] >= WORDED
    return half & (figures[:, NAMES.index("foreign")] == 0)


def _worth(case: Case) -> float:
    return {"made": MADE_WEIGHT, "swapped": SWAPPED_WEIGHT, "written": WRITTEN_WEIGHT}.get(case.kind, LABELLED_WEIGHT)


def _was_read(judged: Judged) -> bool:
    return bool(judged.figures[:, NAMES.index("reads")].any())


def find_thresholds(model: Model, misses: Sequence[Judged], share: float) -> dict[str, float]:
    """The probability that at most such a share of the near misses reaches: for figures, and for all else."""
    tops: dict[str, list[float]] = {"quantity": [], "other": []}
    for one in misses:
        top = float(model.probabilities(one.figures).max(initial=0.0))
        tops["quantity" if one.case.question.asks is Asks.QUANTITY else "other"].append(top)
    return {name: round(float(np.quantile(values, 1 - share)), 3) for name, values in tops.items()}


def report(title: str, model: Model, judged: Sequence[Judged]) -> None:
    """Say by kind how many are answered rightly, as the nearest wording, wrongly, and how many near misses pass."""
    sys.stdout.write(
        f"\n{title}\n{'kind':20}{'right':>7}{'near':>6}{'wrong':>7}{'of':>5}{'| miss sure':>12}{'near':>6}{'of':>5}\n"
    )
    counts: dict[str, list[int]] = {}
    for one in judged:
        if not _was_read(one):
            continue
        p = model.probabilities(one.figures)
        best = int(p.argmax()) if len(p) else -1
        name = "quantity" if one.case.question.asks is Asks.QUANTITY else "other"
        top = float(p.max(initial=0.0))
        tier = 0 if top >= model.sure[name] else 1 if top >= model.near[name] else 2
        for kind in (one.case.kind, "all"):
            row = counts.setdefault(kind, [0] * 7)
            if one.case.answers:
                row[3] += 1
                row[tier if best >= 0 and one.answers[best] else 2] += tier < 2
            else:
                row[6] += 1
                row[4 + tier] += tier < 2
    for kind, row in counts.items():
        sys.stdout.write(f"{kind:20}{row[0]:7}{row[1]:6}{row[2]:7}{row[3]:5}{row[4]:12}{row[5]:6}{row[6]:5}\n")


def write_toml(model: Model) -> str:
    """The model as the product reads it."""
    lines = [
        "# Fitted by training/gate.py; not to be edited. Weights of the figures of evidence.py, for P(a sentence answers).",
        f"bias = {model.bias:.4f}",
        "",
        "# From this probability on a sentence is given as the answer, and from that on as the nearest wording.",
        f"sure = {{ quantity = {model.sure['quantity']}, other = {model.sure['other']} }}",
        f"near = {{ quantity = {model.near['quantity']}, other = {model.near['other']} }}",
        "",
        "[weights]",
        *(f"{name} = {weight:.4f}" for name, weight in zip(NAMES, model.weights, strict=True)),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
