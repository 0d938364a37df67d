"""The Inspect task gives the scores that `assistant eval` gives. Skipped where inspect_ai is not installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai", reason="pip install 'policy-assistant[inspect]'")

from inspect_ai import eval as inspect_eval

from assistant.evaluation.bench import open_bench
from assistant.evaluation.questions import read_questions
from assistant.evaluation.run import run_evaluation
from assistant.evaluation.score import MEASURES
from assistant.settings import read_settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_means_are_those_of_our_own_run(tmp_path: Path, tmp_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [json.loads(line) for line in (ROOT / "seeds" / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    kinds = [next(row for row in rows if row["kind"] == kind) for kind in ("fact", "refuse", "followup")]
    hopeless = {**kinds[0], "id": "hopeless", "must": [["不会有的"]]}
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (*kinds, hopeless)), encoding="utf-8")
    with open_bench(read_settings(), None) as bench:
        ours = run_evaluation(
            read_questions(path), bench.answerer, tmp_path / "out", facts=bench.facts, corpus=bench.corpus
        )
    monkeypatch.chdir(ROOT)
    (log,) = inspect_eval(
        "benchmarks/inspect_task.py",
        model=None,
        task_args={"questions": str(path)},
        log_dir=str(tmp_path / "logs"),
        display="none",
    )
    assert log.status == "success", log.error
    assert log.results is not None
    theirs = {score.name: score for score in log.results.scores}
    assert set(theirs) == set(MEASURES)
    for name, mean in ours.all.scores.items():
        assert theirs[name].scored_samples == mean.scored
        assert theirs[name].metrics["mean"].value == pytest.approx(mean.value)
