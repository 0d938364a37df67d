"""Chips beside the question: a choice narrows, never widens or replaces, and what contradicts it is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer import Assistant
from assistant.llm.catalog import Form, ModelSpec
from assistant.page.scope import ScopeConflict, narrow
from assistant.page.talk import Talk, ask
from assistant.types import Refusal
from assistant.view.conversation import draw_exchange
from assistant.view.exchange import Exchange
from tests.answer_fakes import FakeEngine
from tests.test_view import read
from vectorstore.index import Index
from vectorstore.types import Part, Scope

READER = ModelSpec("fake", Path("fake.gguf"), "0" * 64, "F32", Form.READER, None)


def scope(regions: str = "", years: str = "", part: Part | None = None, places: str = "") -> Scope:
    return Scope(frozenset(regions.split()), frozenset(places.split()), frozenset(int(y) for y in years.split()), part)


@pytest.mark.parametrize(
    ("asked", "chosen", "left"),
    [
        (scope(), scope("上海", "2024", Part.TASKS), scope("上海", "2024", Part.TASKS)),
        (scope("上海"), scope(years="2024"), scope("上海", "2024")),
        (scope("上海", "2024"), scope("上海 北京", "2024 2023"), scope("上海", "2024")),
        (scope("江苏", places="镇江"), scope("江苏"), scope("江苏", places="镇江")),
        (scope("上海", "2023"), scope(), scope("上海", "2023")),
        (scope(part=Part.REVIEW), scope("上海"), scope("上海", part=Part.REVIEW)),
    ],
)
def test_a_choice_adds_to_what_the_question_says(asked: Scope, chosen: Scope, left: Scope) -> None:
    narrowed = narrow(asked, chosen)
    assert (narrowed.scope, narrowed.note) == (left, "")


@pytest.mark.parametrize(
    ("asked", "chosen", "left", "named"),
    [
        (scope("上海 北京"), scope("上海"), scope("上海"), "北京"),
        (scope("上海", "2023 2024"), scope(years="2024"), scope("上海", "2024"), "2023年"),
        (scope("上海 江苏", places="上海 南京"), scope("上海"), scope("上海", places="上海"), "南京"),
    ],
)
def test_what_the_choice_leaves_out_of_the_question_is_said(
    asked: Scope, chosen: Scope, left: Scope, named: str
) -> None:
    narrowed = narrow(asked, chosen)
    assert narrowed.scope == left
    assert f"问题里的{named}不在其中" in narrowed.note


@pytest.mark.parametrize(
    ("asked", "chosen", "named"),
    [
        (scope("北京"), scope("上海"), ("北京", "上海")),
        (scope("江苏", places="镇江"), scope("上海"), ("镇江", "上海")),
        (scope("上海", "2023"), scope(years="2024"), ("2023年", "2024年")),
        (scope(part=Part.REVIEW), scope(part=Part.TASKS), ("回顾", "任务")),
    ],
)
def test_a_choice_that_contradicts_the_question_is_a_conflict_with_both_sides_named(
    asked: Scope, chosen: Scope, named: tuple[str, str]
) -> None:
    with pytest.raises(ScopeConflict) as problem:
        narrow(asked, chosen)
    assert f"问题问的是{named[0]}，所选范围是{named[1]}" in str(problem.value)


_SCOPES = st.builds(
    Scope,
    regions=st.frozensets(st.sampled_from(["上海", "北京", "江苏"])),
    years=st.frozensets(st.sampled_from([2023, 2024])),
    part=st.sampled_from([None, *Part]),
)


@given(_SCOPES, _SCOPES)
def test_no_choice_ever_lets_in_what_the_question_did_not_ask_for(asked: Scope, chosen: Scope) -> None:
    try:
        left = narrow(asked, chosen).scope
    except ScopeConflict:
        return
    assert not asked.regions or left.regions <= asked.regions
    assert not asked.years or left.years <= asked.years
    assert asked.part in (None, left.part)
    assert not chosen.regions or left.regions <= chosen.regions
    assert not chosen.years or left.years <= chosen.years


def last(index: Index, question: str, chosen: Scope) -> Exchange:
    *_, exchange = ask(Assistant(index, READER, FakeEngine()), Talk(), question, chosen=chosen)
    return exchange


def test_a_question_about_beijing_is_not_answered_with_shanghai_because_a_chip_says_so(seed_index: Index) -> None:
    exchange = last(seed_index, "北京2024年要新建多少个公共充电桩？", scope("上海"))
    assert exchange.answer is None
    assert "问题问的是北京，所选范围是上海" in str(exchange.error)
    drawn = draw_exchange(exchange)
    assert [a["data-again"] for _, a in read(drawn).tags if "data-again" in a] == [exchange.asked]


def test_the_same_question_without_the_chip_is_asked_as_it_stands(seed_index: Index) -> None:
    exchange = last(seed_index, "北京2024年要新建多少个公共充电桩？", Scope())
    assert exchange.answer is not None
    assert exchange.answer.refusal is Refusal.OTHER_REGION
    assert "data-again" not in draw_exchange(exchange)


def test_a_comparison_within_a_chip_is_answered_for_it_and_says_what_was_left_out(seed_index: Index) -> None:
    exchange = last(seed_index, "比较北京和上海2024年的任务", scope("上海"))
    assert exchange.answer is not None
    assert {c.sentence.labels.region for c in exchange.answer.citations} == {"上海"}
    assert "问题里的北京不在其中" in exchange.answer.notes[0]
    assert "北京不在其中" in draw_exchange(exchange)
