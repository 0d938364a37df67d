"""The labelled questions are data that can be wrong themselves: every line is held against the texts it asks about.

The checks use the comparison of the evaluation, so that "a right answer passes" means the same here and there.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from assistant.evaluation.compare import stands_in

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
DOCUMENTS = ROOT / "tests" / "documents"
KEYS = {"id", "kind", "turns", "must", "must_not", "evidence", "answerable"}
AT_LEAST = {
    "fact": 60,
    "attribution": 15,
    "time": 15,
    "paraphrase": 25,
    "list": 15,
    "summary": 15,
    "compare": 12,
    "refuse": 40,
    "premise": 8,
    "followup": 20,
    "english": 5,
    "noise": 10,
    "injection": 8,
}
NOT_MENTIONED = "未提及"  # the empty cell of a comparison: no sentence of the corpus says it

# What a person reads off the texts: where a section starts, and what it is about. Not what the program infers.
SECTIONS = {
    "000_7c4d3c7ea2799c50.txt": [("81个低碳城市试点中有40个优良", "", 2023)],
    "003_9d398742754e4b06.txt": [
        ("导言", "", 0),
        ("2023年工作回顾:\n\n绿色低碳发展稳步推进", "天津", 2023),
        ("2024年主要任务:\n\n加快绿色化转型", "天津", 2024),
        ("2024年主要任务:\n\n坚持以新时代首都发展", "北京", 2024),
        ("2023年工作回顾:\n\n长三角生态绿色一体化", "上海", 2023),
        ("2024年主要任务:\n\n加快自贸试验区", "上海", 2024),
        ("江苏\n\n2023年工作回顾", "江苏", 2023),
        ("2024年重点工作:", "江苏", 2024),
    ],
    "invented_article_2022.txt": [("72个绿色出行试点城市33个达标", "", 2022)],
    "invented_digest_2022.txt": [
        ("导读", "", 0),
        ("2021年工作回顾:\n\n长江大保护", "湖北", 2021),
        ("2022年主要任务:\n\n推进流域综合治理", "湖北", 2022),
        ("2022年主要任务:\n\n坚持生态优先", "浙江", 2022),
        ("四川\n\n2021年工作回顾", "四川", 2021),
        ("2022年重点工作:", "四川", 2022),
        ("2021年工作回顾:\n\n珠三角九市", "广东", 2021),
        ("2022年主要任务:\n\n建设更高水平的美丽湾区", "广东", 2022),
    ],
}


@dataclass(frozen=True)
class Labelled:
    """One line of a question file."""

    id: str
    kind: str
    turns: tuple[str, ...]
    must: tuple[tuple[str, ...], ...]
    must_not: tuple[str, ...]
    evidence: tuple[tuple[str, ...], ...]
    answerable: bool


def read_questions(path: Path) -> list[Labelled]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(set(row) == KEYS for row in rows)
    return [
        Labelled(
            row["id"],
            row["kind"],
            tuple(row["turns"]),
            tuple(tuple(group) for group in row["must"]),
            tuple(row["must_not"]),
            tuple(tuple(group) for group in row["evidence"]),
            row["answerable"],
        )
        for row in rows
    ]


def read_corpus(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}


def quote_evidence(question: Labelled, corpus: Mapping[str, str]) -> str:
    """Write the answer of a careful clerk: region and year, then whole sentences, nothing else."""
    lines = []
    for quote in (quote for group in question.evidence for quote in group):
        source, text = next((name, text) for name, text in corpus.items() if quote in text)
        at = text.index(quote)
        _, region, year = [row for row in SECTIONS[source] if text.index(row[0]) <= at][-1]
        sentences = re.finditer(r"[^。?\n]+[。?]?", text)
        whole = next(m.group() for m in sentences if m.start() <= at < m.end())
        lines.append(f"{region}{f'{year}年' if year else ''}:“{whole}”。")
    return "\n".join(lines)


def find_faults(question: Labelled, corpus: Mapping[str, str]) -> list[str]:
    """Say everything that would make a right answer fail, or a wrong one pass."""
    alternatives = [text for group in question.must for text in group]
    quotes = [quote for group in question.evidence for quote in group]
    faults = [
        f"evidence stands {count} times: {quote}"
        for quote in quotes
        if (count := sum(text.count(quote) for text in corpus.values())) != 1
    ]
    faults += [f"empty group in {name}" for name in ("must", "evidence") if () in getattr(question, name)]
    if "" in (*alternatives, *quotes, *question.must_not, *question.turns):
        faults.append("empty string")
    if question.answerable and not question.must:
        faults.append("nothing says what is right")
    if not question.answerable and (question.must or question.evidence):
        faults.append("a refusal has no answer and no evidence")
    faults += [f"echo passes: {text}" for text in alternatives if stands_in(text, " ".join(question.turns))]
    faults += [f"{bad} is part of {good}" for good in alternatives for bad in question.must_not if bad in good]
    return faults or _find_answer_faults(question, corpus)


def _find_answer_faults(question: Labelled, corpus: Mapping[str, str]) -> list[str]:
    if not question.evidence:
        return []
    answer = quote_evidence(question, corpus)
    missed = [g for g in question.must if NOT_MENTIONED not in g and not any(stands_in(text, answer) for text in g)]
    hit = [text for text in question.must_not if stands_in(text, answer)]
    return [f"a verbatim answer lacks {group}" for group in missed] + [f"a verbatim answer has {text}" for text in hit]


def is_held_out(identifier: str) -> bool:
    """Tell the third that is reported apart and never looked at while tuning; see QUESTIONS.rst."""
    return int(sha256(identifier.encode("utf-8")).hexdigest(), 16) % 3 == 0


def share_of_bigrams(question: str, text: str) -> float:
    grams = {question[i : i + 2] for i in range(len(question) - 1)}
    return sum(gram in text for gram in grams) / len(grams)


BOTH = {folder.name: (read_questions(folder / "questions.jsonl"), read_corpus(folder)) for folder in (SEEDS, DOCUMENTS)}
ALL = [pytest.param(q, corpus, id=q.id) for questions, corpus in BOTH.values() for q in questions]


@pytest.mark.parametrize(("question", "corpus"), ALL)
def test_a_question_lets_a_verbatim_answer_pass_and_an_echo_fail(question: Labelled, corpus: dict[str, str]) -> None:
    assert find_faults(question, corpus) == []


@pytest.mark.parametrize(("question", "corpus"), ALL)
def test_a_forbidden_string_is_a_temptation_that_really_stands_somewhere(
    question: Labelled, corpus: dict[str, str]
) -> None:
    around = " ".join([*question.turns, *corpus.values()])
    assert [text for text in question.must_not if not stands_in(text, around)] == []


def test_ids_are_unique_over_all_files() -> None:
    ids = [q.id for questions, _ in BOTH.values() for q in questions]
    assert len(ids) == len(set(ids))


def test_no_conversation_is_asked_twice() -> None:
    turns = [q.turns for questions, _ in BOTH.values() for q in questions]
    assert len(turns) == len(set(turns))


def test_the_seeds_have_enough_questions_of_every_kind_and_no_unknown_kind() -> None:
    counts = Counter(q.kind for q in BOTH["seeds"][0])
    assert set(counts) == set(AT_LEAST)
    assert {kind: n for kind, n in AT_LEAST.items() if counts[kind] < n} == {}


def test_the_other_documents_have_sixty_questions_of_all_kinds() -> None:
    counts = Counter(q.kind for q in BOTH["documents"][0])
    assert set(counts) == set(AT_LEAST)
    assert counts.total() >= 60


def test_only_a_followup_has_turns_before_the_last_one_and_at_most_three() -> None:
    for questions, _ in BOTH.values():
        for question in questions:
            low, high = (2, 4) if question.kind == "followup" else (1, 1)
            assert low <= len(question.turns) <= high, question.id


def test_everything_to_be_refused_by_its_kind_is_unanswerable() -> None:
    for questions, _ in BOTH.values():
        assert not any(q.answerable for q in questions if q.kind == "refuse")
        always = {"fact", "attribution", "time", "paraphrase", "list", "summary", "compare", "premise", "noise"}
        assert all(q.answerable for q in questions if q.kind in always)


def test_a_number_among_the_right_answers_has_its_unit() -> None:
    for questions, _ in BOTH.values():
        bare = [
            (q.id, text)
            for q in questions
            for group in q.must
            for text in group
            if re.fullmatch(r"[\d.]+", text) and not re.fullmatch(r"20\d\d|10000|30000|120000", text)
        ]
        assert bare == []


def test_paraphrases_share_fewer_words_with_their_sentences_than_plain_questions_do() -> None:
    questions, corpus = BOTH["seeds"]
    shares = {
        kind: [share_of_bigrams(q.turns[0], quote_evidence(q, corpus)) for q in questions if q.kind == kind]
        for kind in ("fact", "paraphrase")
    }
    means = {kind: sum(values) / len(values) for kind, values in shares.items()}
    assert means["paraphrase"] < means["fact"] / 2


def test_about_a_third_is_held_out_in_a_way_that_never_changes() -> None:
    questions, _ = BOTH["seeds"]
    held = [q.id for q in questions if is_held_out(q.id)]
    assert 0.25 < len(held) / len(questions) < 0.42
    assert held[:3] == ["q005", "q007", "q009"]


def test_the_folders_hold_no_other_file_that_would_be_indexed_with_the_texts() -> None:
    indexed = {".txt", ".md", ".html", ".htm"}
    found = {p.name for folder in (SEEDS, DOCUMENTS) for p in folder.rglob("*") if p.suffix.lower() in indexed}
    assert found == set(SECTIONS)


def test_the_read_off_sections_stand_in_their_texts_in_this_order() -> None:
    for _, corpus in BOTH.values():
        for source, text in corpus.items():
            starts = [start for start, _, _ in SECTIONS[source]]
            assert all(text.count(start) == 1 for start in starts)
            assert starts == sorted(starts, key=text.index)


SOUND = Labelled(
    id="x",
    kind="time",
    turns=("上海2024年新增森林多少亩？",),
    must=(("3.1万亩",),),
    must_not=("6.7万亩",),
    evidence=(("新增森林3.1万亩",),),
    answerable=True,
)


@pytest.mark.parametrize(
    "flawed",
    [
        replace(SOUND, evidence=(("新增森林3.1万顷",),)),
        replace(SOUND, evidence=(("新增森林",),)),
        replace(SOUND, evidence=(("新增森林超过6.7万亩",),)),
        replace(SOUND, must=(("1万亩",),)),
        replace(SOUND, must=()),
        replace(SOUND, must=((),)),
        replace(SOUND, must=(("",),)),
        replace(SOUND, turns=("上海2024年新增森林31000亩吗？",)),
        replace(SOUND, must_not=("万亩",)),
        replace(SOUND, must_not=("1000公顷",)),
        replace(SOUND, answerable=False),
    ],
    ids=lambda q: f"{q.turns}{q.must}{q.must_not}{q.evidence}",
)
def test_each_kind_of_flaw_is_found(flawed: Labelled) -> None:
    corpus = BOTH["seeds"][1]
    assert find_faults(SOUND, corpus) == []
    assert find_faults(flawed, corpus) != []
