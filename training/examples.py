"""Paragraphs with questions, and official texts -> examples: a question, numbered candidates, which of them answer.

What a search hands over is imitated: candidates share words with the question, stand without their labels, and come in
any order. What does not answer is made as near as can be: the same sentence without the clause that answers, or about
another year or place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

from training.clauses import YEAR, remove_clause, split_clauses, tag_words
from training.overlap import Stretch, likeness, pairs_of
from training.policy import Draft, draft_questions, find_topics
from training.texts import Asked, Paragraph, Text
from training.types import Example
from training.wording import as_product_reads, make_label, pick_topic_frame, say_everyday, word_question

FEWEST, MOST = 5, 16  # candidates
NO_ANSWER_SHARE = 0.18
_TOPIC_SHARE = 0.14
SORTED_SHARE = 0.3
NORMALISED_SHARE = 0.55  # the product normalises questions; other programs need not
LONGEST_ANSWER = 40
_NEIGHBOURHOOD = 80  # sentences to each side that a search may confuse with the one asked about
_SAME = 0.55  # a sentence so like the answering one may answer too, so it is no distractor
_DIGITS = re.compile(r"\d+")
_TELLING = re.compile(
    r"\d[\d.,]*(?:万|亿|%|个|项|元|公里|吨|座|家|千瓦|亩|人|年)|、[^、]{2,14}等|《|负责|罚款|所称|[一二三四五六七八九十百]+(?:万元|元|日内|年内|个月)"
)
_DULL = {
    "name": 0.6,
    "object": 0.3,
    "obligation": 0.5,
    "when": 0.6,
}  # how often these are kept; they are easy to make and less asked


def human_examples(paragraph: Paragraph, others: Sequence[Paragraph], rng: Random) -> Iterator[Example]:
    """One example of each question of a paragraph, with distractors out of some other paragraphs."""
    far = [
        s for other in rng.sample(others, min(25, len(others))) if other.name != paragraph.name for s in other.sentences
    ]
    stretch = Stretch([*paragraph.sentences, *far])
    own = len(paragraph.sentences)
    for asked in paragraph.questions:
        ranked = [i for i in stretch.rank(asked.question) if i != asked.gold]
        near = [i for i in ranked if i < own]
        mixed = rng.random() < 0.45 or len(near) < FEWEST
        yield _human_example(asked, paragraph, stretch, ranked if mixed else near, rng)


def _human_example(asked: Asked, paragraph: Paragraph, stretch: Stretch, ranked: Sequence[int], rng: Random) -> Example:
    gold = paragraph.sentences[asked.gold]
    safe = [i for i in ranked[:40] if asked.answer not in stretch.sentences[i]]
    distractors = [stretch.sentences[i] for i in safe[: rng.randint(FEWEST, 12)]]
    if rng.random() < NO_ANSWER_SHARE:
        near = _without_answer(gold, asked.answer) if rng.random() < 0.5 else None
        return assemble("human-none", asked.question, [], [*([near] if near else []), *distractors], "", rng)
    return assemble("human", asked.question, [gold], distractors, asked.answer, rng)


def _without_answer(sentence: str, answer: str) -> str | None:
    clauses = split_clauses(sentence, tag_words(sentence))
    at = sentence.find(answer)
    holding = [c for c in clauses if c.start < at + len(answer) and c.end > at]
    near = remove_clause(sentence, holding[0]) if len(holding) == 1 else None
    return near if near and answer not in near else None


def policy_examples(text: Text, count: int, rng: Random) -> Iterator[Example]:
    """Up to ``count`` examples of an official text: facts, near misses, unanswerable ones, and whole topics."""
    for _ in range(count):
        at = choose_sentence(text, rng)
        window = text.sentences[max(0, at - _NEIGHBOURHOOD) : at + _NEIGHBOURHOOD]
        topic = rng.random() < _TOPIC_SHARE
        example = _topic_example(text, window, rng) if topic else _fact_example(text, window, text.sentences[at], rng)
        if example is not None:
            yield example


def choose_sentence(text: Text, rng: Random) -> int:
    """A random sentence; one with figures, lists, names or rules is twice looked for, because people ask about those."""
    at = rng.randrange(len(text.sentences))
    for _ in range(3):
        if _TELLING.search(text.sentences[at]):
            break
        at = rng.randrange(len(text.sentences))
    return at


def _fact_example(text: Text, window: Sequence[str], sentence: str, rng: Random) -> Example | None:
    drafts = draft_questions(sentence, rng)
    if not drafts:
        return None
    draft = drafts[0]
    if rng.random() > _DULL.get(draft.kind, 1.0):
        return None
    label = make_label(text.region, text.year, rng)
    question = word_question(draft.pieces, rng, label, drop=rng.choice([0.05, 0.15, 0.3]))
    distractors = _distractors(window, sentence, question, draft.answer, rng)
    form = rng.random()
    near = remove_clause(sentence, draft.clause)
    near = near if near and draft.answer not in near else None
    if form < 0.08:
        return assemble(f"{draft.kind}-none", question, [], distractors, "", rng)
    if form < 0.16 and near:
        return assemble(f"{draft.kind}-clause-gone", question, [], [near, *distractors], "", rng)
    if form < 0.22 and draft.key in question and draft.key:
        return _swapped_example(draft, question, sentence, window, distractors, rng)
    misses = [near] if near and rng.random() < 0.15 else []
    other = _other_label(sentence, question, rng) if rng.random() < 0.6 else None
    if other and rng.random() < 0.25:
        return assemble(f"{draft.kind}-other-label", question, [], [other, *distractors], "", rng)
    misses += [other] if other else []
    return assemble(draft.kind, question, [sentence], [*misses, *distractors], draft.answer, rng)


def _swapped_example(
    draft: Draft, question: str, sentence: str, window: Sequence[str], distractors: Sequence[str], rng: Random
) -> Example | None:
    """Ask for something else that the texts do not count: the nearest sentence must not be taken for an answer."""
    nouns = [
        w.text
        for s in rng.sample(list(window), min(12, len(window)))
        for w in tag_words(s)
        if w.tag == "n" and len(w.text) >= 2
    ]
    shown = sentence + "".join(distractors)
    strange = [n for n in nouns if n not in shown]
    if not strange:
        return None
    return assemble(
        f"{draft.kind}-swapped", question.replace(draft.key, rng.choice(strange)), [], [sentence, *distractors], "", rng
    )


def _other_label(sentence: str, question: str, rng: Random) -> str | None:
    """The sentence about another year or place than the question names, its figures changed."""
    year = YEAR.search(sentence)
    if year and year.group()[:4] in question:
        other = str(int(year.group()[:4]) + rng.choice([-3, -2, -1, 1, 2, 3]))
        return _change_figures(sentence.replace(year.group()[:4], other), rng, spare=other)
    places = [w.text for w in tag_words(sentence) if w.names_place and w.text in question]
    if not places:
        return None
    return _change_figures(sentence.replace(places[0], rng.choice([p for p in _PLACES if p != places[0]])), rng)


_PLACES = (
    "北京",
    "天津",
    "上海",
    "江苏",
    "浙江",
    "广东",
    "山东",
    "河北",
    "四川",
    "湖北",
    "重庆",
    "福建",
    "安徽",
    "云南",
    "深圳",
    "杭州",
    "南京",
    "广州",
)


def _change_figures(sentence: str, rng: Random, spare: str = "") -> str:
    def change(match: re.Match[str]) -> str:
        digits = match.group()
        if digits == spare or rng.random() < 0.3:
            return digits
        return str(rng.randint(1, 9)) + "".join(rng.choice("0123456789") for _ in digits[1:])

    return _DIGITS.sub(change, sentence)


def _topic_example(text: Text, window: Sequence[str], rng: Random) -> Example | None:
    start = rng.randrange(max(1, len(window) - 40))
    part = window[start : start + 40]
    topics = find_topics(part, rng)
    if not topics:
        return None
    term, at = topics[0]
    question = word_question(
        pick_topic_frame("topic", {"t": term}, rng), rng, make_label(text.region, text.year, rng), drop=0.0
    )
    stretch = Stretch(part)
    others = [part[i] for i in stretch.rank(question) if i not in at and term not in part[i]]
    if rng.random() < 0.08:
        return assemble("topic-none", question, [], others[: rng.randint(FEWEST, 12)], "", rng)
    return assemble("topic", question, [part[i] for i in at], others[: rng.randint(3, 10)], "", rng)


def _distractors(window: Sequence[str], gold: str, question: str, answer: str, rng: Random) -> list[str]:
    stretch = Stretch(window)
    gold_pairs = pairs_of(gold)
    chosen: list[str] = []
    wanted = rng.randint(FEWEST, MOST - 2)
    for i in stretch.rank(question):
        sentence = stretch.sentences[i]
        if (
            sentence == gold
            or likeness(stretch.pairs[i], gold_pairs) > _SAME
            or (answer in sentence and len(answer) > 1)
        ):
            continue
        if rng.random() < 0.85:
            chosen.append(sentence)
        if len(chosen) == wanted:
            break
    return chosen


def assemble(
    kind: str, question: str, golds: Sequence[str], distractors: Sequence[str], answer: str, rng: Random
) -> Example:
    """Put the candidates into an order; the question may be in the form in which the product hands it over.

    Only questions made by program are put into everyday words; what people wrote stays as it is.
    """
    wrong = [d for d in dict.fromkeys(distractors) if d not in golds][: MOST - len(golds)]
    candidates = [*golds, *wrong]
    if rng.random() < SORTED_SHARE:
        ranked = Stretch(candidates).rank(question)
        candidates = [candidates[i] for i in ranked]
    else:
        rng.shuffle(candidates)
    if not kind.startswith(("human", "asked")):
        question = say_everyday(question, rng)
    if rng.random() < NORMALISED_SHARE:
        question = as_product_reads(question)
    gold = tuple(sorted(candidates.index(g) for g in dict.fromkeys(golds)))
    short = answer if len(gold) == 1 and len(answer) <= LONGEST_ANSWER else ""
    return Example(kind, question, tuple(candidates), gold, short)
