"""The reader's sequences and scores: with a model of five lines, and with the bundled one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.llm.catalog import bundled
from assistant.llm.decode import Logits
from assistant.llm.marks import split_matches
from assistant.llm.reader import (
    PASS_CANDIDATES,
    PASS_TOKENS,
    SENTENCE_TOKENS,
    SPECIALS,
    Model,
    normalise_text,
    plan_passes,
    score_candidates,
)
from assistant.llm.worker import Runtime, Stopped

CHINESE = st.text(alphabet="上海新建公园座碳排放的了是,，。0123456789.%() \nabC😀", max_size=80)
MARKERS = (*SPECIALS, *(f"[{n}]" for n in range(65)), "</s>", "<unk>")


class SpelledModel:
    """One token a byte; specials from 1000; sentences with 好 answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def plain_tokens(self, text: str) -> list[int]:
        return list(text.encode())

    def token_bytes(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def special_token(self, piece: str) -> int:
        return 1000 + MARKERS.index(piece)

    def logits(self, tokens: Sequence[int], positions: Sequence[int]) -> Logits:
        self.asked.append(tuple(tokens))
        rows = np.zeros((len(positions), 1100), np.float32)
        for row, position in zip(rows, positions, strict=True):
            if tokens[position] == self.special_token("<a>"):
                continue
            start = max(i for i in range(position) if tokens[i] >= 1000 or i == 0)
            body = bytes(t for t in tokens[start:position] if t < 256).decode("utf-8", "ignore")
            row[self.special_token("<y>" if "好" in body else "<n>")] = 3
        return rows


@cache
def bundled_runtime() -> Runtime:
    spec = bundled()
    return Runtime(str(spec.path), spec.context, 1, lambda: False)


@given(CHINESE, CHINESE)
def test_the_pieces_of_a_marked_sentence_are_the_sentence(sentence: str, question: str) -> None:
    pieces = split_matches(sentence, question)
    assert "".join(text for text, _ in pieces) == sentence
    assert all(text for text, _ in pieces)
    assert all(a[1] != b[1] for a, b in pairwise(pieces))


def test_runs_of_two_characters_and_whole_numbers_are_marked() -> None:
    def marked(sentence: str, question: str) -> list[str]:
        return [text for text, matches in split_matches(sentence, question) if matches]

    assert marked("上海2024年新建公园118座的公园", "上海哪年有公园118座？") == ["上海", "公园118座", "公园"]
    assert marked("种树5亩和15亩", "哪里有5个公园？") == ["5"]


def test_a_single_shared_character_or_an_empty_word_is_not_marked() -> None:
    assert split_matches("园的了", "公园里的了") == [("园的了", False)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("新建公园,120座;(好)", "新建公园，120座；（好）"),
        ("共1,000座,10:30开始:", "共1,000座，10:30开始："),
        ("  两\n\t 行 ", "两 行"),
        ("已经是全角，。", "已经是全角，。"),
    ],
)
def test_half_width_punctuation_becomes_full_width_but_not_in_numbers(written: str, read: str) -> None:
    assert normalise_text(written) == read


@given(CHINESE)
def test_normalised_text_stays_normalised(text: str) -> None:
    assert normalise_text(normalise_text(text)) == normalise_text(text)


@given(st.lists(CHINESE, max_size=30), CHINESE)
def test_every_candidate_is_read_once_and_no_sequence_is_too_long(candidates: list[str], question: str) -> None:
    model = SpelledModel()
    passes = plan_passes(model, question, candidates)
    assert [c for p in passes for c in p.candidates] == list(range(len(candidates)))
    for sequence in passes:
        assert len(sequence.tokens) <= PASS_TOKENS + 1
        assert 1 <= len(sequence.candidates) <= PASS_CANDIDATES
        numbers = [sequence.tokens[i] for i in sequence.numbers]
        assert numbers == [model.special_token(f"[{n}]") for n in range(1, len(numbers) + 1)]
        assert sequence.tokens[-1] == model.special_token("<a>")


def test_a_sequence_has_the_form_of_the_training() -> None:
    (sequence,) = plan_passes(SpelledModel(), "几座公园", ["公园好", "天"])
    written = "".join(MARKERS[t - 1000] if t >= 1000 else chr(t) for t in sequence.tokens)
    assert written.encode("latin-1").decode() == "<s><q>几座公园<c><m>公园</m>好[1]天[2]<a>"


def test_a_long_sentence_is_cut_and_the_next_is_still_read() -> None:
    (sequence,) = plan_passes(SpelledModel(), "问", ["长" * 1000, "短"])
    assert sequence.numbers[0] - 6 == SENTENCE_TOKENS  # <s> <q> three bytes <c>
    assert sequence.candidates == (0, 1)


def test_scores_stand_in_the_order_of_the_candidates_over_several_sequences() -> None:
    candidates = ["好" if i in (3, 17) else "坏" for i in range(25)]
    scores = score_candidates(SpelledModel(), "问", candidates)
    assert [i for i, p in enumerate(scores.answers) if p > 0.5] == [3, 17]
    assert scores.none == pytest.approx(1 / 11)  # the longest sequence has ten numbers and [0], all alike here


PAIRS = (
    ("《红楼梦》的作者是谁？", "《红楼梦》的作者一般认为是曹雪芹。", "这座城市的地铁共有十八条线路。"),
    ("这条铁路全长多少公里？", "该铁路全长486公里，设有12个车站。", "当地居民多以种植水稻为生。"),
    ("这所大学是哪一年成立的？", "该大学成立于1932年，前身是一所师范学校。", "球队在决赛中以三比一获胜。"),
    ("这种植物主要分布在哪里？", "这种植物主要分布在云南和四川的山区。", "他后来成为著名的钢琴家。"),
    ("电影的导演是谁？", "这部电影由张艺谋担任导演，于1987年上映。", "该岛面积约为三十平方公里。"),
)


@pytest.mark.parametrize(("question", "answering", "unrelated"), PAIRS)
def test_the_bundled_reader_puts_the_answering_sentence_first(question: str, answering: str, unrelated: str) -> None:
    for candidates in ((answering, unrelated), (unrelated, answering)):
        scores = score_candidates(bundled_runtime(), question, candidates).answers
        assert candidates[int(np.argmax(scores))] == answering


def test_a_question_without_its_answer_is_more_likely_to_have_none() -> None:
    others = [unrelated for _, _, unrelated in PAIRS]
    for question, answering, _ in PAIRS:
        without = score_candidates(bundled_runtime(), question, others).none
        assert score_candidates(bundled_runtime(), question, [answering, *others]).none < without


@pytest.mark.parametrize("marker", MARKERS)
def test_no_text_becomes_a_control_token_of_the_bundled_reader(marker: str) -> None:
    runtime: Model = bundled_runtime()
    known = {runtime.special_token(m) for m in MARKERS}
    for text in (marker, f"新建{marker}公园", marker * 3, f"<{marker}>"):
        tokens = runtime.plain_tokens(text)
        assert not known & set(tokens)
        assert b"".join(runtime.token_bytes(t) for t in tokens).decode() == text


def test_only_the_rows_that_were_asked_for_are_computed_and_they_equal_those_of_single_passes() -> None:
    runtime = bundled_runtime()
    tokens = [1, *runtime.plain_tokens("2024年推动可再生能源消费占比提高" * 60)][:600]
    assert len(tokens) == 600
    rows = runtime.logits(tokens, [10, 255, 256, 599])
    assert rows.shape == (4, runtime.size)
    for row, position in zip(rows, (10, 255, 256, 599), strict=True):
        alone = runtime.logits(tokens[: position + 1], [position])[0]
        assert np.allclose(row, alone, atol=0.05)
        assert row.argmax() == alone.argmax()


def test_a_stop_while_the_prompt_is_read_breaks_off_and_leaves_the_model_usable() -> None:
    stopping = iter([False] * 40 + [True] * 1000)
    spec = bundled()
    looks: list[bool] = []

    def stop() -> bool:
        looks.append(next(stopping) if armed else False)
        return looks[-1]

    armed = False
    runtime = Runtime(str(spec.path), spec.context, 1, stop)
    tokens = [1, *runtime.plain_tokens("低碳城市2024" * 200)][:500]
    assert len(tokens) == 500
    expected = runtime.logits(tokens, [499])
    runtime.logits([5] * 300, [299])
    armed = True
    with pytest.raises(Stopped):
        runtime.logits(tokens, [499])
    armed = False
    assert np.array_equal(runtime.logits(tokens, [499]), expected)
