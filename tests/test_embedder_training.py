"""Making the embedder: pairs, training that can be stopped, rounding. The last two need torch."""

from __future__ import annotations

import numpy as np
import pytest

from training.embedder_data import Asked, Document, make_pairs


def test_neighbours_are_asked_for_by_a_sentence_that_is_not_among_them() -> None:
    sentences = tuple(f"第{n}句话说的是第{n}件要紧的事情。" for n in range(9))
    asked = [Asked("问?", "段", "句", validation=False), Asked("留?", "段", "句", validation=True)]
    pairs = make_pairs([Document("work_report", "", (sentences,))], asked, seed=0)
    assert len(pairs["near"]) == 9
    assert all(pair.left not in pair.right for pair in pairs["near"])
    assert {pair.left for pair in pairs["asked"]} == {"问?"}


def test_training_that_was_stopped_ends_where_it_would_have_ended() -> None:
    pytest.importorskip("torch")
    from training.contrast import Recipe, Side, Trainer

    rng = np.random.default_rng(0)
    places = rng.integers(0, 50, 400)
    side = Side(places, np.ones(400, dtype=np.float32), np.arange(0, 401, 10), np.arange(40))
    recipe = Recipe(steps=6, batch=16, shares=(("asked", 1.0),))
    start = rng.standard_normal((50, 8)).astype(np.float32)
    whole, first, second = (Trainer(start, {"asked": (side, side)}, recipe) for _ in range(3))
    assert len(list(whole.run(1))) == 6
    steps = first.run(1)
    for _ in range(3):
        next(steps)
    second.restore(first.state())
    assert [step for step, _ in second.run(1)] == [4, 5, 6]
    np.testing.assert_allclose(second.weights(), whole.weights(), atol=1e-6)


def test_rounding_keeps_a_table_within_half_a_step() -> None:
    pytest.importorskip("torch")
    from training.embedder import quantise

    table = np.random.default_rng(0).standard_normal((20, 8)).astype(np.float32)
    rounded, scales = quantise(table)
    assert np.abs(rounded * scales[:, None] - table).max() <= scales.max() / 2 + 1e-6
