"""Paragraphs with questions, and official texts -> examples with one candidate each, for tagging the short answer in it.

Some candidates do not answer: another sentence that a search would find, or the same one without its answering clause.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.clauses import remove_clause
from training.examples import LONGEST_ANSWER, NORMALISED_SHARE, choose_sentence
from training.overlap import Stretch
from training.policy import draft_questions
from training.texts import Paragraph, Text
from training.types import Example
from training.wording import as_product_reads, make_label, say_everyday, word_question

_WITHOUT_SHARE = 0.12
_NEAR = 30  # sentences to each side that a search may find instead


def human_spans(paragraph: Paragraph, rng: Random) -> Iterator[Example]:
    """One example of each question of a paragraph."""
    stretch = Stretch(paragraph.sentences)
    for asked in paragraph.questions:
        sentence = paragraph.sentences[asked.gold]
        others = [s for s in (stretch.sentences[i] for i in stretch.rank(asked.question)) if asked.answer not in s]
        if others and rng.random() < _WITHOUT_SHARE:
            yield _one_candidate("human-span-none", asked.question, others[0], "", rng)
        elif len(asked.answer) <= LONGEST_ANSWER and asked.answer in sentence:
            yield _one_candidate("human-span", asked.question, sentence, asked.answer, rng)


def policy_spans(text: Text, count: int, rng: Random) -> Iterator[Example]:
    """Up to ``count`` examples of an official text."""
    for _ in range(count):
        at = choose_sentence(text, rng)
        sentence = text.sentences[at]
        drafts = draft_questions(sentence, rng)
        if not drafts or len(drafts[0].answer) > LONGEST_ANSWER or drafts[0].answer not in sentence:
            continue
        draft = drafts[0]
        label = make_label(text.region, text.year, rng)
        question = word_question(draft.pieces, rng, label, drop=rng.choice([0.05, 0.15, 0.3]))
        if rng.random() < _WITHOUT_SHARE:
            near = remove_clause(sentence, draft.clause) if rng.random() < 0.5 else None
            near = near or _nearest(text, at, question)
            if near and draft.answer not in near:
                yield _one_candidate("policy-span-none", question, near, "", rng)
        else:
            yield _one_candidate("policy-span", question, sentence, draft.answer, rng)


def _nearest(text: Text, at: int, question: str) -> str | None:
    stretch = Stretch([*text.sentences[max(0, at - _NEAR) : at], *text.sentences[at + 1 : at + _NEAR]])
    return next((stretch.sentences[i] for i in stretch.rank(question)), None)


def _one_candidate(kind: str, question: str, sentence: str, answer: str, rng: Random) -> Example:
    if not kind.startswith("human"):
        question = say_everyday(question, rng)
    if rng.random() < NORMALISED_SHARE:
        question = as_product_reads(question)
    return Example(kind, question, (sentence,), (0,) if answer else (), answer)
