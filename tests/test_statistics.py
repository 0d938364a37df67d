"""Means leave out what was not scored, intervals are the same each time, and pairs see more than two means do."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.evaluation.statistics import estimate_difference, estimate_mean, find_percentile

SHARES = st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=60)


def test_what_was_not_scored_is_not_counted_as_0() -> None:
    assert estimate_mean([1.0, None, 0.0, 1.0]).value == pytest.approx(2 / 3)
    assert estimate_mean([1.0, None, 0.0, 1.0]).scored == 3
    assert estimate_mean([None, None]).value is None


def test_one_value_has_no_interval() -> None:
    mean = estimate_mean([0.5])
    assert (mean.value, mean.low, mean.high) == (0.5, None, None)


def test_the_same_values_give_the_same_interval() -> None:
    values = [1.0] * 80 + [0.0] * 20
    assert estimate_mean(values) == estimate_mean(list(values))


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    mean = estimate_mean([1.0] * 80 + [0.0] * 20)
    assert mean.low == pytest.approx(0.8 - 1.96 * 0.04, abs=0.012)
    assert mean.high == pytest.approx(0.8 + 1.96 * 0.04, abs=0.012)


def test_more_questions_make_the_interval_narrower() -> None:
    few, many = (estimate_mean([1.0] * (8 * n) + [0.0] * (2 * n)) for n in (2, 50))
    assert (few.high or 0) - (few.low or 0) > 3 * ((many.high or 0) - (many.low or 0))


@given(SHARES)
def test_the_mean_lies_in_its_interval_and_both_in_the_range_of_the_values(values: list[float | None]) -> None:
    mean = estimate_mean(values)
    if mean.low is not None and mean.high is not None and mean.value is not None:
        assert -1e-9 <= mean.low <= mean.high <= 1 + 1e-9
        assert min(v for v in values if v is not None) - 1e-9 <= mean.low


def test_a_difference_is_taken_pair_by_pair() -> None:
    generator = random.Random(1)
    old = [float(generator.random() < 0.5) for _ in range(200)]
    new = [1.0 if n % 20 == 0 else value for n, value in enumerate(old)]
    difference = estimate_difference(new, old)
    assert difference.value is not None
    assert difference.low is not None
    assert difference.low > 0  # two separate intervals of 200 questions would overlap by far
    assert estimate_mean(new).low < estimate_mean(old).high  # type: ignore[operator]


def test_a_pair_that_one_run_did_not_score_does_not_count() -> None:
    difference = estimate_difference([1.0, None, 0.0], [0.0, 1.0, None])
    assert (difference.value, difference.scored) == (1.0, 1)


def test_lists_of_different_lengths_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="longer"):
        estimate_difference([1.0], [1.0, 0.0])


def test_percentiles_are_interpolated_and_unknown_without_values() -> None:
    assert find_percentile([1.0, 2.0, 3.0], 0.5) == 2.0
    assert find_percentile([1.0, 3.0], 0.5) == 2.0
    assert find_percentile([1.0] * 19 + [9.0], 0.95) < 9.0  # type: ignore[operator]
    assert find_percentile([], 0.5) is None
