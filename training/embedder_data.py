"""Official texts and question sets -> what the embedder is trained on: running words, and pairs that belong together.

Which files may be used is fixed here. The DRCD test set may be trained on by its licence, but the embedder is measured
on it, as on the work reports named in ``MEASURED_ON``; none of them is read here.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

from assistant.reading.thesaurus import GAP, read_lines
from training.asked import read_asked as read_stretches
from training.texts import cut_sentences, join_lines, list_paragraphs, read_official

OFFICIAL = "text/official.jsonl.xz"
QUESTION_SETS = ("cmrc2018_train", "cmrc2018_trial", "drcd_dev")
# benchmarks/paraphrases.jsonl asks about the work reports of these years.
MEASURED_ON = frozenset(
    f"{year}年中华人民共和国国务院政府工作报告" for year in (2003, 2006, 2009, 2011, 2014, 2017, 2018, 2019)
)
VALIDATION_SHARE = 12  # one question paragraph in so many

_LAW_SHARE = 10  # laws are nine tenths of the text, and all alike: one sentence in so many is asked with
_WINDOW = 3  # sentences on each side that belong to a sentence
_SHORTEST = 10  # characters of a sentence that can ask for its neighbours
_BESIDE = 1  # sentences on each side of one that a written question may find too


@dataclass(frozen=True, slots=True)
class Document:
    """One official document or one paragraph of a question set, as paragraphs of sentences."""

    kind: str
    title: str
    paragraphs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a person, the paragraph that answers it, and the sentence that does."""

    question: str
    paragraph: str
    sentence: str
    validation: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that belong together."""

    left: str
    right: str


def read_documents(data: Path) -> Iterator[Document]:
    """Read the official texts."""
    with lzma.open(data / OFFICIAL, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["title"] not in MEASURED_ON:
                paragraphs = tuple(tuple(cut_sentences(p)) for p in join_lines(row["text"]))
                yield Document(row["kind"], row["title"], paragraphs)


def read_asked(data: Path) -> tuple[list[Asked], list[Document]]:
    """Read the question sets: the questions, and the paragraphs as documents (also those without a usable question)."""
    asked: list[Asked] = []
    documents: list[Document] = []
    for name in QUESTION_SETS:
        with lzma.open(data / "qa" / f"{name}.json.xz", "rt", encoding="utf-8") as file:
            content = json.load(file)
        for number, (paragraph, questions) in enumerate(list_paragraphs(content)):
            sentences = cut_sentences(paragraph)
            documents.append(Document("wiki", "", (tuple(sentences),)))
            validation = _is_kept_back(f"{name}-{number}")
            for question, answer in questions:
                gold = _find_answering(question, answer, sentences)
                asked.append(Asked(question, paragraph, gold or paragraph, validation))
    return asked, documents


def read_written(data: Path) -> list[Asked]:
    """Read the questions that were written about the official texts, with the sentence that answers and those beside it."""
    written: list[Asked] = []
    for stretch in read_stretches(list(read_official(data))):
        if stretch.title in MEASURED_ON:
            continue
        for question in stretch.questions:
            for gold in question.gold:
                around = stretch.sentences[max(0, gold - _BESIDE) : gold + _BESIDE + 1]
                written.append(Asked(question.text, "".join(around), stretch.sentences[gold], stretch.held_out))
    return written


def read_meanings() -> list[Pair]:
    """Read the thesaurus: an everyday wording, and what it is called officially."""
    return [
        Pair(said, official)
        for officials, everyday in read_lines()
        for official in officials
        for said in everyday
        if GAP not in said + official
    ]


def make_pairs(
    documents: Sequence[Document],
    asked: Sequence[Asked],
    seed: int,
    written: Sequence[Asked] = (),
    meanings: Sequence[Pair] = (),
) -> dict[str, list[Pair]]:
    """Make the pairs of each kind: ``asked`` and ``written`` (question, paragraph or sentence), ``title``, ``near``, ``meaning``."""
    rng = Random(seed)
    questions = [a for a in asked if not a.validation]
    own = [a for a in written if not a.validation]
    return {
        "written": [pair for a in own for pair in (Pair(a.question, a.sentence), Pair(a.question, a.paragraph))],
        "meaning": list(meanings),
        "asked": [pair for a in questions for pair in (Pair(a.question, a.paragraph), Pair(a.question, a.sentence))],
        "title": [pair for d in documents if d.title for pair in _pair_title(d, rng)],
        "near": [pair for d in documents for p in d.paragraphs for pair in _pair_neighbours(d.kind, p, rng)],
    }


def _pair_title(document: Document, rng: Random) -> Iterator[Pair]:
    paragraphs = ["".join(p) for p in document.paragraphs]
    for paragraph in rng.sample(paragraphs, min(4, len(paragraphs))):
        yield Pair(document.title, paragraph)


def _pair_neighbours(kind: str, sentences: Sequence[str], rng: Random) -> Iterator[Pair]:
    """A sentence and what stands around it, without itself."""
    for at, sentence in enumerate(sentences):
        if len(sentence) < _SHORTEST or (kind == "law" and rng.randrange(_LAW_SHARE)):
            continue
        around = [*sentences[max(0, at - _WINDOW) : at], *sentences[at + 1 : at + 1 + _WINDOW]]
        if around:
            yield Pair(sentence, "".join(around))


def _find_answering(question: str, answer: str, sentences: Sequence[str]) -> str | None:
    # The answer may stand in several sentences; the one that holds most of the question is meant.
    pairs = {question[i : i + 2] for i in range(len(question) - 1)}
    holding = [s for s in sentences if answer and answer in s]
    return max(holding, key=lambda s: sum(pair in s for pair in pairs), default=None)


def _is_kept_back(name: str) -> bool:
    return int(sha256(name.encode()).hexdigest(), 16) % VALIDATION_SHARE == 0
