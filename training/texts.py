"""Official texts and question sets as they were published -> clean, cut, labelled values to make examples of.

Which files may be used is fixed here, and so is what is kept away from training because it is measured on.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from opencc import OpenCC

from vectorstore.gazetteer import Gazetteer
from vectorstore.sentences import cut

OFFICIAL = "text/official.jsonl.xz"
QUESTION_SETS = ("cmrc2018_train", "cmrc2018_trial", "drcd_dev", "drcd_test")
# benchmarks/policy_questions.jsonl asks about these, so nothing of them is trained on.
MEASURED_ON = frozenset({"2011年中华人民共和国国务院政府工作报告", "2017年中华人民共和国国务院政府工作报告"})
HELD_OUT_SHARE = 25  # one question paragraph in so many is kept for validation

_SHORTEST, _LONGEST = 8, 260  # characters of a sentence
_LEAST_SENTENCES = 6
_END = re.compile(r"[。！？；：:;!?]$")
_PAGE_BREAK = re.compile(r"\s*[\u200b\ufeff]+\s*")
_CHINESE = re.compile(r"[一-鿿]")
_TITLE_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_TRADITIONAL = re.compile(r"[國議會產黨開關對發]")


@dataclass(frozen=True, slots=True)
class Text:
    """One official document: its sentences in order, and what its title says of region and year."""

    kind: str
    title: str
    region: str | None
    year: int | None
    sentences: tuple[str, ...]

    @property
    def held_out(self) -> bool:
        """Whether the document is kept for validation."""
        return is_held_out(self.title)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a person about a paragraph; ``answer`` stands in sentence ``gold``."""

    question: str
    answer: str
    gold: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a question set, cut into sentences, simplified characters."""

    name: str
    sentences: tuple[str, ...]
    questions: tuple[Asked, ...]

    @property
    def held_out(self) -> bool:
        """Whether the paragraph is kept for validation; a property of its name, so it never changes."""
        return is_held_out(self.name)


def is_held_out(name: str) -> bool:
    """Keep one name in so many for validation."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0


def read_official(data: Path) -> Iterator[Text]:
    """Read the official texts; short, traditional and measured-on documents are left out."""
    for row in _read_lines(data / OFFICIAL):
        text = clean_official(row["kind"], row["title"], row["text"])
        if text is not None:
            yield text


def clean_official(kind: str, title: str, text: str) -> Text | None:
    """Make one document of its raw text; ``None`` where it is not to be trained on."""
    if title in MEASURED_ON or len(_TRADITIONAL.findall(text[:2000])) > 10:
        return None
    sentences = tuple(s for p in join_lines(text) for s in cut_sentences(p) if _is_prose(s))
    if len(sentences) < _LEAST_SENTENCES:
        return None
    year = _TITLE_YEAR.search(title)
    return Text(kind, title, _find_region(kind, title), int(year.group(1)) if year else None, sentences)


def join_lines(text: str) -> list[str]:
    """Give the paragraphs of a text whose lines were broken at links and pages; headings are dropped."""
    text = _PAGE_BREAK.sub("", text.replace("\u3000", " "))
    paragraphs: list[str] = []
    open_line = False
    for line in text.split("\n"):
        line = re.sub(r"[ \t]+", " ", line).strip()
        if not line or line.startswith("#"):
            open_line = False
            continue
        if open_line and not _END.search(paragraphs[-1]):
            paragraphs[-1] += line
        else:
            paragraphs.append(line)
        open_line = True
    return [p for p in paragraphs if _END.search(p) or len(p) > 60]


def cut_sentences(paragraph: str) -> list[str]:
    """Cut a paragraph as the product does."""
    return [paragraph[start:end] for start, end in cut(paragraph)]


def read_questions(data: Path) -> list[Paragraph]:
    """Read the question sets that may be trained on, traditional ones made simplified."""
    found: list[Paragraph] = []
    for name in QUESTION_SETS:
        content = json.loads(_read_text(data / "qa" / f"{name}.json.xz"))
        for number, (context, asked) in enumerate(list_paragraphs(content)):
            if name.startswith("drcd"):
                context, asked = _simplify(context), [(_simplify(q), _simplify(a)) for q, a in asked]
            found.append(make_paragraph(f"{name}-{number}", context, asked))
    return [p for p in found if p.questions and len(p.sentences) > 1]


def list_paragraphs(content: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Walk a file in SQuAD form, or in the plain form of the CMRC trial set: context, questions with first answers."""
    if isinstance(content, list):
        for item in content:
            yield item["context_text"], [(q["query_text"], q["answers"][0]) for q in item["qas"]]
        return
    for article in content["data"]:
        for item in article["paragraphs"]:
            yield item["context"], [(q["question"], q["answers"][0]["text"]) for q in item["qas"] if q["answers"]]


def make_paragraph(name: str, context: str, asked: list[tuple[str, str]]) -> Paragraph:
    """Cut a paragraph and find the sentence of each answer; questions whose answer is not in one sentence are left out."""
    sentences = tuple(cut_sentences(context))
    questions = []
    for question, answer in asked:
        golds = [i for i, s in enumerate(sentences) if answer and answer in s]
        if golds:
            questions.append(Asked(question.strip(), answer.strip(), _likeliest(question, sentences, golds)))
    return Paragraph(name, sentences, tuple(questions))


def _likeliest(question: str, sentences: tuple[str, ...], golds: list[int]) -> int:
    # DRCD's character offsets do not survive simplification, so of several sentences the one with most of the question.
    pairs = {question[i : i + 2] for i in range(len(question) - 1)}
    return max(golds, key=lambda i: sum(pair in sentences[i] for pair in pairs))


def _is_prose(sentence: str) -> bool:
    chinese = len(_CHINESE.findall(sentence))
    return _SHORTEST <= len(sentence) <= _LONGEST and chinese >= 0.55 * len(sentence)


def _find_region(kind: str, title: str) -> str | None:
    if kind in ("work_report", "congress_report"):
        return "全国"
    mentions = Gazetteer.load().find_places(title)
    return mentions[0].place.name if mentions else None


@lru_cache(maxsize=1)
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _simplify(text: str) -> str:
    return str(_converter().convert(text))


def _read_lines(path: Path) -> Iterator[Any]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _read_text(path: Path) -> str:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return file.read()
