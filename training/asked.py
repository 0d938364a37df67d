"""Questions written by hand about stretches of official texts -> examples, for choosing sentences and for tagging answers.

They say in their own words what the text says in its own, which no program here can make (`training/questions`). Each
line of a file is a stretch of a document and what was asked about it; answering sentences are named by how they begin,
so that they are found again whatever else of the text is cut in another way.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from training.examples import LONGEST_ANSWER, MOST, NO_ANSWER_SHARE, NORMALISED_SHARE, assemble
from training.overlap import Stretch, likeness, pairs_of
from training.texts import Text, is_held_out
from training.types import Example
from training.wording import as_product_reads

QUESTIONS = Path(__file__).with_name("questions")
# Documents that some measure asks about (benchmarks/fresh, paraphrases.jsonl, policy_questions.jsonl): no question here may.
MEASURED_ON = frozenset(
    {
        *(
            f"{year}年中华人民共和国国务院政府工作报告"
            for year in (2003, 2006, 2009, 2011, 2014, 2016, 2017, 2018, 2019)
        ),
        "关于发布《第二次全国污染源普查公报》的公告",
        "广东省人民政府关于印发广东省十三五控制温室气体排放工作实施方案的通知",
        "广东省人民政府办公厅关于印发广东省发展绿色金融支持碳达峰行动实施方案的通知",
        "广东省发展和改革委员会 广东省科学技术厅 广东省工业和信息化厅关于印发《广东省培育发展未来绿色低碳产业集群行动计划》的通知",
        "温室气体自愿减排交易管理办法（试行）",
        "电子废物污染环境防治管理办法",
    }
)
BEGINNING = 24  # characters by which a sentence is named
_AROUND = 80  # sentences to each side that a search may confuse with the one asked about
_NEIGHBOURS_SHARE = 0.5  # of the distractors: sentences beside the answer, rather than those that share the most words
_SAME = 0.55  # a sentence so like the answering one may answer too, so it is no distractor
_WITHOUT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a stretch; ``gold`` are positions in the stretch, none where nothing in it answers."""

    text: str
    gold: tuple[int, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class AskedStretch:
    """Sentences of a text in order, those around them, and the questions about them."""

    sentences: tuple[str, ...]
    around: tuple[str, ...]
    title: str
    questions: tuple[Question, ...]

    @property
    def held_out(self) -> bool:
        """Whether the stretch is kept for validation: a property of its document or of its first sentence."""
        return is_held_out(self.title) or is_held_out(self.sentences[0])


def read_asked(texts: Sequence[Text], folder: Path = QUESTIONS) -> list[AskedStretch]:
    """Find the stretches of all files of a folder in the texts; what is not found is left out."""
    by_title: dict[str, list[Text]] = defaultdict(list)
    for text in texts:
        by_title[text.title].append(text)
    rows = (json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.open(encoding="utf-8"))
    found = (_place(row, by_title[row["title"]]) for row in rows if row["title"] not in MEASURED_ON)
    return [stretch for stretch in found if stretch is not None and stretch.questions]


def _place(row: dict[str, object], texts: Iterable[Text]) -> AskedStretch | None:
    """A stretch begins at one sentence and ends with another one, both named by how they begin."""
    first, last = str(row["first"]), str(row["last"])
    for text in texts:
        starts = [i for i, s in enumerate(text.sentences) if s.startswith(first)]
        for start in starts:
            stop = next(
                (
                    i + 1
                    for i in range(start, min(start + 30, len(text.sentences)))
                    if text.sentences[i].startswith(last)
                ),
                0,
            )
            if stop:
                return _stretch(row, text, start, stop)
    return None


def _stretch(row: dict[str, object], text: Text, start: int, stop: int) -> AskedStretch:
    sentences = text.sentences[start:stop]
    questions = []
    asked: list[dict[str, object]] = row["asked"]  # type: ignore[assignment]
    for item in asked:
        beginnings: list[str] = item["in"]  # type: ignore[assignment]
        gold = [next((i for i, s in enumerate(sentences) if s.startswith(b)), -1) for b in beginnings]
        if -1 not in gold:
            questions.append(Question(str(item["question"]), tuple(sorted(set(gold))), str(item.get("answer", ""))))
    around = (*text.sentences[max(0, start - _AROUND) : start], *text.sentences[stop : stop + _AROUND])
    return AskedStretch(sentences, around, text.title, tuple(questions))


def asked_examples(stretch: AskedStretch, rng: Random) -> Iterator[Example]:
    """One example of each question of a stretch."""
    for question in stretch.questions:
        golds = [stretch.sentences[i] for i in question.gold]
        near, far = _distractors(stretch, question, golds, rng)
        if not golds:
            yield assemble("asked-none", question.text, [], _mix(near, far, rng), "", rng)
        elif rng.random() < NO_ANSWER_SHARE / 2:
            # Only what stands beside the answer: further away another sentence may well answer too.
            yield assemble("asked-taken", question.text, [], near, "", rng)
        else:
            yield assemble("asked", question.text, golds, _mix(near, far, rng), question.answer, rng)


def _distractors(
    stretch: AskedStretch, question: Question, golds: Sequence[str], rng: Random
) -> tuple[list[str], list[str]]:
    near = [s for i, s in enumerate(stretch.sentences) if i not in question.gold]
    rng.shuffle(near)
    shapes = [pairs_of(gold) for gold in golds]
    others = Stretch(stretch.around)
    far = [
        others.sentences[i]
        for i in others.rank(question.text)[:24]
        if not any(likeness(others.pairs[i], shape) > _SAME for shape in shapes)
        and not (len(question.answer) > 1 and question.answer in others.sentences[i])
    ]
    return near, far


def _mix(near: Sequence[str], far: Sequence[str], rng: Random) -> list[str]:
    count = rng.randint(6, MOST - 2)
    beside = round(count * _NEIGHBOURS_SHARE)
    return [*near[:beside], *far[: count - min(beside, len(near))]]


def asked_spans(stretch: AskedStretch, rng: Random) -> Iterator[Example]:
    """One example of each question with a short answer, or with a sentence beside it that does not answer."""
    for question in stretch.questions:
        others = [s for i, s in enumerate(stretch.sentences) if i not in question.gold]
        asked = as_product_reads(question.text) if rng.random() < NORMALISED_SHARE else question.text
        if others and (not question.gold or rng.random() < _WITHOUT_SHARE):
            ranked = Stretch(others).rank(question.text)
            yield Example("asked-span-none", asked, (others[ranked[0]],), (), "")
        elif len(question.gold) == 1 and 0 < len(question.answer) <= LONGEST_ANSWER:
            sentence = stretch.sentences[question.gold[0]]
            if question.answer in sentence:
                yield Example("asked-span", asked, (sentence,), (0,), question.answer)
