"""The line before the model, and what a person chooses beside a question."""

from __future__ import annotations

import json
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import EngineBusy
from assistant.page.line import WaitingLine
from assistant.page.scope import Choices, list_choices, read_scope
from assistant.page.talk import Talk, ask
from assistant.view.filter import draw_filter
from tests.page_fakes import FakeAssistant, parse
from tests.test_view import PAYLOADS, read, shape
from vectorstore.types import Part, Scope

CHOICES = Choices(("上海", "江苏"), (2024, 2023), (Part.REVIEW, Part.TASKS))


def test_those_in_line_are_served_in_the_order_in_which_they_came() -> None:
    line, stop, served = WaitingLine(), threading.Event(), list[int]()
    ready = [threading.Event() for _ in range(4)]

    def stand(number: int) -> None:
        with line.stand() as ticket:
            ready[number].set()
            for _ in line.wait(ticket, stop):
                pass
            time.sleep(0.01)
            served.append(number)

    threads = [threading.Thread(target=stand, args=(n,)) for n in range(4)]
    for thread, event in zip(threads, ready, strict=True):
        thread.start()
        assert event.wait(5)
    for thread in threads:
        thread.join(5)
    assert served == [0, 1, 2, 3]


def test_the_place_and_the_expected_wait_are_told_and_grow_with_the_line() -> None:
    line, stop = WaitingLine(), threading.Event()
    with line.stand(), line.stand() as second, line.stand() as third:
        near, far = next(line.wait(second, stop)), next(line.wait(third, stop))
    assert (near.ahead, far.ahead) == (1, 2)
    assert 0 < near.seconds < far.seconds


def test_one_too_many_is_refused_at_once_with_a_sentence_and_the_line_goes_on() -> None:
    line = WaitingLine(longest=1)
    with line.stand():
        began = time.monotonic()
        exchange = list(ask(FakeAssistant(), Talk(), "问", line))[-1]
        assert time.monotonic() - began < 0.5
    assert "1 个问题在排队" in str(exchange.error)
    assert list(ask(FakeAssistant(), Talk(), "问", line))[-1].answer is not None
    with line.stand(), pytest.raises(EngineBusy), line.stand():
        pass


def test_who_stops_while_waiting_leaves_the_line_without_an_answer() -> None:
    line, talk, answerer = WaitingLine(), Talk(), FakeAssistant()
    with line.stand():
        for exchange in ask(answerer, talk, "问", line):
            if exchange.ahead:
                assert exchange.wait > 0
                talk.stop.set()
    assert exchange.stopped
    assert answerer.histories == []
    with line.stand() as ticket:
        assert list(line.wait(ticket, threading.Event())) == []


def test_a_crash_does_not_leave_a_ghost_in_the_line() -> None:
    line = WaitingLine(longest=1)
    with pytest.raises(RuntimeError):
        list(ask(FakeAssistant(crash=RuntimeError()), Talk(), "问", line))
    assert list(ask(FakeAssistant(), Talk(), "问", line))[-1].answer is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        7,
        "[",
        "[]",
        '{"region": "上海"}',
        '{"region": [["上海"]]}',
        '{"region": ["火星"], "year": [2024]}',
        "[" * 3000,
        '{"part": ["review", "tasks"]}',
        json.dumps({"region": ["上海"] * 2000}),
    ],
)
def test_a_choice_of_another_form_or_of_what_is_not_there_restricts_nothing(text: object) -> None:
    assert read_scope(text, CHOICES) == Scope()


@given(st.text(max_size=80))
def test_any_choice_is_within_the_index(text: str) -> None:
    scope = read_scope(json.dumps({"region": [text], "year": [text], "part": [text]}), CHOICES)
    assert scope.regions <= set(CHOICES.regions)


def test_the_choice_reaches_the_answerer_and_is_shown_as_understood() -> None:
    answerer = FakeAssistant()
    exchanges = list(ask(answerer, Talk(), "几座公园？", chosen=Scope(years=frozenset({2024}))))
    assert answerer.scopes == [None, Scope(years=frozenset({2024}))]
    readings = {e.understood.scope.years for e in exchanges if e.understood}
    assert readings == {frozenset({2024})}
    assert exchanges[-1].answer is not None


def test_chips_are_made_from_the_index_and_a_single_value_is_no_choice() -> None:
    choices = list_choices((parse(),))
    assert choices == Choices(("上海",), (2024, 2023), (Part.REVIEW, Part.TASKS))
    markup = draw_filter(choices)
    assert [a["data-value"] for _, a in read(markup).tags if "data-value" in a] == ["2024", "2023", "review", "tasks"]
    assert draw_filter(list_choices(())) == ""


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_region_stays_text_on_its_chip(payload: str) -> None:
    hostile, plain = Choices((payload, "上海"), (), ()), Choices(("火星", "上海"), (), ())
    assert shape(draw_filter(hostile)) == shape(draw_filter(plain))
