"""The same questions and the same scores as an Inspect task, for its log viewer and for those whose evaluations live there.

``pip install 'policy-assistant[inspect]'``, then ``inspect eval benchmarks/inspect_task.py --model none`` and ``inspect view``;
``-T questions=FILE`` for other questions. Runs offline, with the index and the model that ``assistant`` uses.
"""

# mypy: disable-error-code="import-not-found, untyped-decorator, misc"
from __future__ import annotations  # the line above: inspect_ai is optional

from assistant.environment import make_offline

make_offline()

import atexit  # noqa: E402
import math  # noqa: E402
from contextlib import ExitStack  # noqa: E402
from pathlib import Path  # noqa: E402

from anyio.to_thread import run_sync  # noqa: E402
from inspect_ai import Task, task  # noqa: E402
from inspect_ai.dataset import MemoryDataset  # noqa: E402
from inspect_ai.dataset import Sample as InspectSample  # noqa: E402
from inspect_ai.model import ModelOutput  # noqa: E402
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr  # noqa: E402
from inspect_ai.solver import Generate, Solver, TaskState, solver  # noqa: E402
from inspect_ai.util import concurrency  # noqa: E402

from assistant.evaluation.bench import open_bench  # noqa: E402
from assistant.evaluation.questions import check_evidence, read_questions  # noqa: E402
from assistant.evaluation.results import describe_expected  # noqa: E402
from assistant.evaluation.run import Bench, ask_sample  # noqa: E402
from assistant.evaluation.score import MEASURES, Sample  # noqa: E402
from assistant.evaluation.summary import is_held_out  # noqa: E402
from assistant.settings import Settings, read_settings  # noqa: E402


@task
def policy_questions(questions: str = str(Settings().seeds / "questions.jsonl")) -> Task:
    """Ask every question of a file once."""
    samples = read_questions(Path(questions))
    stack = ExitStack()
    atexit.register(stack.close)  # a task has no end of its own
    bench = stack.enter_context(open_bench(read_settings(), None))
    check_evidence(samples, bench.corpus, Path(questions).name)
    dataset = [
        InspectSample(
            id=sample.id,
            input="\n".join(sample.turns),
            target=describe_expected(sample),
            metadata={"kind": sample.kind, "held_out": is_held_out(sample.id)},
        )
        for sample in samples
    ]
    by_id = {sample.id: sample for sample in samples}
    return Task(MemoryDataset(dataset, name=Path(questions).stem), solver=ask(by_id, bench), scorer=grade())


@solver
def ask(samples: dict[str, Sample], bench: Bench) -> Solver:
    """Put the turns of a question to the assistant; one question at a time, as it has one model."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        async with concurrency("assistant", 1):
            result = await run_sync(ask_sample, samples[str(state.sample_id)], bench)
        answer = result.answer or {"answer": result.error or ""}
        state.output = ModelOutput.from_content(bench.facts.model.name, answer["answer"])
        state.metadata["result"] = result.to_json()
        return state

    return solve


@scorer(metrics={name: [mean(), stderr()] for name in MEASURES})
def grade() -> Scorer:
    """Give the scores that ``assistant eval`` gives; what cannot be scored is left out of the means, not counted as 0."""

    async def score(state: TaskState, target: Target) -> Score:
        scores = state.metadata["result"]["scores"]
        values = {name: math.nan if one["value"] is None else one["value"] for name, one in scores.items()}
        reasons = "\n".join(f"{name}: {one['reason']}" for name, one in scores.items())
        return Score(
            value=values, answer=state.output.completion, explanation=reasons, metadata=state.metadata["result"]
        )

    return score
