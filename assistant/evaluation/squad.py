"""A file in SQuAD form in, samples and the paragraphs that they ask about out.

The questions of public sets only make sense about their own paragraphs, so these become the corpus of the run.
Both common shapes are read: ``data/paragraphs/qas`` (SQuAD, CMRC 2018, DRCD) and a plain list of ``context_text`` and
``query_text`` (CMRC 2018 trial). A question without an answer, or with ``is_impossible``, is one to refuse.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputInvalid
from assistant.evaluation.compare import make_comparable
from assistant.evaluation.score import Sample

_KIND = "squad"
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]*")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One text of the corpus that a question file brings with it."""

    source: str  # a file name made from the text's checksum: equal paragraphs are one
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class SquadSet:
    """Questions with the paragraphs that they ask about; ``Sample.source`` names the paragraph."""

    samples: tuple[Sample, ...]
    paragraphs: tuple[Paragraph, ...]


def read_squad(path: Path) -> SquadSet:
    """Read a file in SQuAD form; raises ``InputInvalid`` with every entry that does not fit."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        entries = list(_list_entries(content))
    except FileNotFoundError as error:
        raise InputInvalid(f"找不到题目文件 {path}。 There is no question file {path}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputInvalid(f"{path}：不是 SQuAD 格式。 Not in the SQuAD form: {error!r}") from error
    paragraphs: dict[str, Paragraph] = {}
    samples: dict[str, Sample] = {}
    problems: list[str] = []
    for paragraph, qa in entries:
        sample, problem = _make_sample(paragraph, qa)
        if sample is None or sample.id in samples:
            problems.append(problem or f"{sample.id if sample else ''}: id 重复 is used twice")
            continue
        paragraphs.setdefault(paragraph.source, paragraph)
        samples[sample.id] = sample
    if problems or not samples:
        head = f"{path.name}：{len(problems)} 题不合格式，没有开始评测。 {len(problems)} do not fit, nothing was run."
        raise InputInvalid("\n".join([head, *(f"  {problem}" for problem in problems)]))
    return SquadSet(tuple(samples.values()), tuple(paragraphs.values()))


def _list_entries(content: Any) -> Iterator[tuple[Paragraph, Mapping[str, Any]]]:
    if isinstance(content, list):
        for item in content:
            paragraph = _make_paragraph(item["context_text"], item.get("title", ""))
            for qa in item["qas"]:
                yield paragraph, {"id": qa["query_id"], "question": qa["query_text"], "answers": qa["answers"]}
        return
    for article in content["data"]:
        for item in article["paragraphs"]:
            paragraph = _make_paragraph(item["context"], article.get("title", ""))
            for qa in item["qas"]:
                yield paragraph, qa


def _make_paragraph(text: str, title: str) -> Paragraph:
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Paragraph(f"{name}.txt", str(title), text)


def _make_sample(paragraph: Paragraph, qa: Mapping[str, Any]) -> tuple[Sample | None, str]:
    identity, question = str(qa.get("id", "")), qa.get("question")
    if not identity:
        return None, f"缺少 id has no id: {question}"
    if not isinstance(question, str) or not question.strip():
        return None, f"{identity}: 没有问题 has no question"
    answers = [] if qa.get("is_impossible") else [_read_answer(answer) for answer in qa.get("answers", [])]
    texts = tuple(dict.fromkeys(text for text, _ in answers if make_comparable(text).text))
    if answers and not texts:
        return None, f"{identity}: 答案是空的 its answers are empty"
    quotes = tuple(dict.fromkeys(quote for answer in answers if (quote := _find_sentence(paragraph.text, *answer))))
    sample = Sample(
        id=identity,
        kind=_KIND,
        turns=(question,),
        must=(texts,) if texts else (),
        evidence=(quotes,) if quotes else (),
        answerable=bool(texts),
        source=paragraph.source,
    )
    return sample, ""


def _read_answer(answer: Any) -> tuple[str, int]:
    if isinstance(answer, str):
        return answer, -1
    start = answer.get("answer_start", -1)
    return str(answer.get("text", "")), start if isinstance(start, int) else -1


def _find_sentence(text: str, answer: str, start: int) -> str:
    """Give the sentence of the paragraph that holds the answer; empty where the answer does not stand in it."""
    if start < 0 or text[start : start + len(answer)] != answer:
        start = text.find(answer)  # public sets hold wrong offsets
    if start < 0 or not answer:
        return ""
    for match in _SENTENCE.finditer(text):
        if match.start() <= start < match.end():
            return match.group().strip()
    return ""
