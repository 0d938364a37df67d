"""What of the documents and of the conversation a model is shown, and what it is asked a second time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer import Assistant
from assistant.errors import InputInvalid
from assistant.llm.catalog import Form, ModelSpec
from assistant.llm.thoughts import VisibleText
from assistant.types import Asks, Finished, Kind, Passage, Piece, Prompt, Question, Role, Turn, Verdict
from assistant.writing.budget import MARGIN, Fitted, answer_room, fit_prompt
from assistant.writing.prompt import load_prompt
from tests.answer_fakes import FakeEngine
from tests.sentences import make_sentence
from vectorstore.index import Index
from vectorstore.types import Scope

WRITER = ModelSpec("fake", Path("fake.gguf"), "0" * 64, "F32", Form.INSTRUCT, "chatml")
QUESTION = "上海2024年新建公园多少座？"
ASKED = Question("问题", "问题", Kind.FACT, Asks.OTHER, Scope(), ())


def count(texts: Sequence[str]) -> list[int]:
    return [len(text) for text in texts]


def passages(lengths: Sequence[int]) -> tuple[Passage, ...]:
    places = range(0, 10_000 * len(lengths), 10_000)
    texts = [f"{'甲乙丙丁戊己庚辛壬癸'[n % 10]}" * size + "。" for n, size in enumerate(lengths)]
    sentences = [make_sentence(text, start=at) for text, at in zip(texts, places, strict=True)]
    return tuple(Passage(n, sentence, 1.0 / n, 1.0) for n, sentence in enumerate(sentences, 1))


def fit(found: Sequence[Passage], context: int, turns: Sequence[Turn] = ()) -> Fitted:
    return fit_prompt(
        ASKED, found, turns, {}, load_prompt(), context=context, room=answer_room(context), frame=10, count=count
    )


@given(lengths=st.lists(st.integers(1, 400), min_size=1, max_size=14), context=st.integers(700, 3000))
def test_what_is_shown_fits_and_no_sentence_is_cut(lengths: list[int], context: int) -> None:
    found = passages(lengths)
    try:
        fitted = fit(found, context)
    except InputInvalid:
        assert context - answer_room(context) < len(fit(found[:1], 10_000).messages.user) + 1000
        return
    used = sum(count([fitted.messages.system, fitted.messages.user])) + 10
    assert used <= fitted.tokens <= context - answer_room(context)
    for passage in fitted.passages:
        assert f"[{passage.number}] {passage.sentence.plain}" in fitted.messages.user
    assert [p.number for p in fitted.passages] == list(range(1, len(fitted.passages) + 1))
    assert bool(fitted.notes) == (len(fitted.passages) < len(found))


def test_the_least_telling_sentences_go_first_and_the_user_is_told() -> None:
    found = passages([100] * 10)
    fitted = fit(found, 1500)
    kept = [p.sentence for p in fitted.passages]
    assert 0 < len(kept) < 10 and kept == [p.sentence for p in found[: len(kept)]]
    assert f"{len(kept)} of 10" in fitted.notes[0]


def test_a_sentence_that_is_too_long_alone_does_not_keep_out_those_behind_it() -> None:
    fitted = fit(passages([5000, 50, 50]), 1500)
    assert [len(p.sentence.plain) for p in fitted.passages] == [51, 51]


def test_a_question_that_leaves_no_room_is_said() -> None:
    with pytest.raises(InputInvalid, match="shorten"):
        fit_prompt(
            replace(ASKED, standalone="问" * 5000),
            passages([5]),
            (),
            {},
            load_prompt(),
            context=2000,
            room=answer_room(2000),
            frame=0,
            count=count,
        )


@given(sizes=st.lists(st.integers(1, 300), max_size=12), context=st.integers(900, 3000))
def test_of_a_conversation_the_last_turns_stay(sizes: list[int], context: int) -> None:
    turns = [Turn(Role.USER if n % 2 == 0 else Role.ASSISTANT, f"话{n}" * size) for n, size in enumerate(sizes)]
    fitted = fit(passages([20]), context, turns)
    assert list(fitted.turns) == turns[len(turns) - len(fitted.turns) :]
    assert fitted.tokens <= context - answer_room(context)
    assert len(fitted.messages.user) + len(fitted.messages.system) + 10 <= context - answer_room(context) + MARGIN


def test_markers_of_an_earlier_answer_are_not_markers_any_more() -> None:
    fitted = fit(passages([5]), 4000, [Turn(Role.USER, "甲【1】"), Turn(Role.ASSISTANT, "新建公园120座[1][2]。")])
    assert "新建公园120座。" in fitted.messages.user
    assert re.findall(r"[\[【]\d", fitted.messages.user) == ["[1"]


def test_sentences_of_one_source_and_label_stand_together_under_one_line() -> None:
    a, b = make_sentence("甲。", region="上海"), make_sentence("乙。", region="江苏", start=9)
    c = make_sentence("丙。", region="上海", start=30)
    found = tuple(Passage(n, sentence, 1.0, 1.0) for n, sentence in enumerate((a, b, c), 1))
    user = fit(found, 4000).messages.user
    assert user.count("】上海") == 1 and user.index("[3] 丙") < user.index("】江苏")


class Scripted(FakeEngine):
    """Says one text after the other."""

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.texts = list(texts)
        self.grammars: list[str | None] = []

    def generate(  # type: ignore[override]
        self, prompt: Prompt, *, grammar: str | None = None, stop: threading.Event | None = None, **options: object
    ) -> Iterator[str]:
        self.prompts.append(prompt)
        self.grammars.append(grammar)
        self.text = self.texts.pop(0)
        for start in range(0, len(self.text), 3):
            if stop is not None and stop.is_set():
                return
            yield self.text[start : start + 3]


def ask(index: Index, *texts: str, spec: ModelSpec = WRITER) -> tuple[Scripted, str]:
    engine = Scripted(*texts)
    answer = Assistant(index, spec, engine).ask(QUESTION)
    assert all(claim.verdict is Verdict.SUPPORTED for claim in answer.claims)
    return engine, answer.text


def test_a_claim_that_fails_is_asked_for_once_more_by_name(seed_index: Index) -> None:
    engine, text = ask(seed_index, "上海2024年新建公园130座[1]。", "上海2024年新建公园120座[1]。")
    assert text == "上海2024年新建公园120座[1]。"
    again = engine.prompts[1].messages[1][1]
    assert "「上海2024年新建公园130座。」[1]" in again and again.startswith(engine.prompts[0].messages[1][1])


def test_a_second_mistake_becomes_the_exact_quote(seed_index: Index) -> None:
    _, text = ask(seed_index, "上海2024年新建公园130座[1]。", "上海2024年新建公园140座[1]。")
    assert "140" not in text and "130" not in text and "“新建公园120座”[1]" in text


def test_only_the_failing_sentence_is_replaced(seed_index: Index) -> None:
    _, text = ask(
        seed_index, "上海2024年新建公园120座[1]。上海2024年新增绿地9000公顷[1]。", "上海2024年新增绿地1000公顷[1]。"
    )
    assert text == "上海2024年新建公园120座[1]。上海2024年新增绿地1000公顷[1]。"


def test_a_claim_that_holds_is_not_asked_for_again(seed_index: Index) -> None:
    engine, _ = ask(seed_index, "上海2024年新建公园120座[1]。")
    assert len(engine.prompts) == 1


def test_a_small_context_is_told_in_the_answer(seed_index: Index) -> None:
    spec = replace(WRITER, context=1280)
    texts = ("上海2024年新建公园120座[1]。",) * 2
    answer = Assistant(seed_index, spec, Scripted(*texts)).ask("上海2024年有哪些主要任务？")
    assert any("shown" in note for note in answer.notes)
    assert answer.to_json()["notes"] == list(answer.notes)


THOUGHT = "<think>也许是130座[1]？\n</think>\n\n上海2024年新建公园120座[1]。"


@pytest.mark.parametrize("thinks", [False, True])
def test_a_thought_is_never_shown_and_never_cited(seed_index: Index, *, thinks: bool) -> None:
    text = THOUGHT.removeprefix("<think>") if thinks else THOUGHT
    engine = Scripted(text)
    events = list(Assistant(seed_index, replace(WRITER, thinks=thinks), engine).stream(QUESTION))
    shown = "".join(event.text for event in events if isinstance(event, Piece))
    assert shown == "上海2024年新建公园120座[1]。"
    last = events[-1]
    assert isinstance(last, Finished)
    assert "130" not in last.answer.text + str(last.answer.claims)
    assert (engine.grammars[0] is None) == thinks


@given(
    parts=st.lists(
        st.sampled_from(["<think>", "</think>", "<thi", "nk>", "甲", "[1]。", "\n", "</thinking>"]), max_size=12
    ),
    sizes=st.lists(st.integers(1, 5), min_size=1),
)
def test_the_visible_text_does_not_depend_on_how_it_is_cut(parts: list[str], sizes: list[int]) -> None:
    whole = "".join(parts)
    at_once, in_pieces = VisibleText(), VisibleText()
    at_once.push(whole)
    at_once.finish()
    position = 0
    while position < len(whole):
        size = sizes[position % len(sizes)]
        in_pieces.push(whole[position : position + size])
        position += size
    in_pieces.finish()
    assert at_once.text == in_pieces.text
    assert "think>" not in at_once.text.replace("nk>", "") or "<think>" not in at_once.text


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("甲", "甲"),
        ("<think>乙</think>甲", "甲"),
        ("乙</think>甲", "甲"),
        ("<think>乙", ""),
        ("甲<think>乙</think>丙", "甲丙"),
        ("3 < 5", "3 < 5"),
        ("<thinking>乙</thinking>\n甲", "甲"),
    ],
)
def test_what_is_thought_and_what_is_answer(written: str, seen: str) -> None:
    visible = VisibleText()
    for character in written:
        visible.push(character)
    visible.finish()
    assert visible.text == seen


def test_a_model_that_thinks_aloud_gets_room_for_the_thought_and_never_all_of_it() -> None:
    for context in (512, 1024, 4096, 32_768):
        assert answer_room(context) < answer_room(context, thinks=True) <= context // 2
