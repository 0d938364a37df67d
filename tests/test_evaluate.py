"""A run asks everything once, keeps what it has, and says what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from assistant.errors import EngineCrashed, InputInvalid, ModelMissing
from assistant.evaluation.evaluate import Bench, Order, Progress, evaluate_command, run_evaluation
from assistant.evaluation.results import read_results
from assistant.evaluation.score import Sample
from assistant.evaluation.squad import Paragraph
from assistant.evaluation.summary import RunFacts, check_gates, compare_runs, is_held_out
from assistant.types import (
    Answer,
    Asks,
    Citation,
    Claim,
    IndexFacts,
    Kind,
    ModelFacts,
    Question,
    Refusal,
    Role,
    Seconds,
    Turn,
    Verdict,
)
from vectorstore.types import Labels, Scope, Sentence

TEXT = "甲市2024年新建公园120座。乙市2023年新建公园95座。"
CORPUS = {"plan.txt": TEXT}
FACTS = RunFacts(ModelFacts("fake", "00", "F32"), IndexFacts("g1", "11"), prompts="22", program="0.1")


def make_sentence(quote: str, region: str, year: int) -> Sentence:
    start = TEXT.index(quote)
    return Sentence("plan.txt", start, start + len(quote), quote, quote, 0, 0, Labels(region, year))


PARKS = make_sentence("甲市2024年新建公园120座。", "甲", 2024)


def make_answer(question: str, text: str, *, refusal: Refusal | None = None, sentence: Sentence = PARKS) -> Answer:
    scope = Scope(regions=frozenset({"甲"}), years=frozenset({2024}))
    asked = Question(question, question, Kind.FACT, Asks.QUANTITY, scope, ())
    return Answer(
        question=asked,
        text=text,
        claims=() if refusal else (Claim(text, Verdict.SUPPORTED, "", (1,)),),
        citations=() if refusal else (Citation(1, sentence, "plan"),),
        model=FACTS.model,
        index=FACTS.index,
        refusal=refusal,
        seconds=Seconds(total=0.5),
    )


@dataclass
class FakeAnswerer:
    """Answers from a table, and remembers what it was asked."""

    replies: dict[str, str | Exception] = field(default_factory=dict)
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        self.asked.append((question, tuple(history)))
        reply = self.replies.get(question, "")
        if isinstance(reply, Exception):
            raise reply
        if not reply:
            return make_answer(question, "资料没有说。", refusal=Refusal.NOT_IN_CORPUS)
        return make_answer(question, f"{reply}[1]。")


PARK = Sample("park", ("公园多少座？",), "fact", must=(("120",),), evidence=(("新建公园120座",),))
AIRPORT = Sample("airport", ("机场多少座？",), "refuse", answerable=False)
FOLLOW = Sample("follow", ("充电桩呢？", "那公园呢？"), "followup", must=(("120",),))
SAMPLES = (PARK, AIRPORT, FOLLOW)


def make_answerer() -> FakeAnswerer:
    return FakeAnswerer({"公园多少座？": "120座", "充电桩呢？": "1万个", "那公园呢？": "95座"})


def run(out: Path, answerer: FakeAnswerer | None = None, samples: Sequence[Sample] = SAMPLES, **options: object):  # noqa: ANN201
    options = {"facts": FACTS, "corpus": CORPUS, **options}
    return run_evaluation(samples, answerer or make_answerer(), out, **options)  # type: ignore[arg-type]


def test_a_run_writes_all_four_files_and_the_means_of_what_was_scored(tmp_path: Path) -> None:
    summary = run(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} >= {"results.jsonl", "summary.json", "results.csv", "report.html"}
    written = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert written == summary.to_json()
    assert written["all"]["scores"]["correct"]["mean"] == pytest.approx(2 / 3)
    assert written["all"]["scores"]["citation_recall"] == {"mean": 1.0, "scored": 1, "low": None, "high": None}
    assert written["kinds"]["refuse"]["scores"]["key_points"]["mean"] is None
    assert written["run"]["model"]["sha256"] == "00"


def test_the_turns_are_asked_in_order_with_the_answers_between_and_the_last_is_graded(tmp_path: Path) -> None:
    answerer = make_answerer()
    run(tmp_path, answerer, [FOLLOW])
    assert answerer.asked[1] == (
        "那公园呢？",
        (Turn(Role.USER, "充电桩呢？"), Turn(Role.ASSISTANT, "1万个[1]。")),
    )
    (result,) = read_results(tmp_path / "results.jsonl")
    assert result.correct == 0.0
    assert result.replies == ("1万个[1]。",)


def test_a_resumed_run_asks_nothing_twice(tmp_path: Path) -> None:
    stop = threading.Event()
    run(tmp_path, stop=stop, on_result=lambda progress: stop.set())
    again = make_answerer()
    summary = run(tmp_path, again, resume=True)
    assert [question for question, _ in again.asked] == ["机场多少座？", "充电桩呢？", "那公园呢？"]
    assert summary.complete
    assert [result.id for result in read_results(tmp_path / "results.jsonl")] == ["park", "airport", "follow"]


def test_a_stopped_run_says_that_it_is_not_complete(tmp_path: Path) -> None:
    stop = threading.Event()
    summary = run(tmp_path, stop=stop, on_result=lambda progress: stop.set())
    assert not summary.complete
    assert summary.all.n == 1
    assert any("1 / 3" in message for message in check_gates(summary, {"correct": 0.0}))


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_half_written_last_line_is_dropped_and_its_question_asked_again(tmp_path: Path, cut: int) -> None:
    run(tmp_path)
    path = tmp_path / "results.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    again = make_answerer()
    summary = run(tmp_path, again, resume=True)
    expected = [] if cut == 1 else ["充电桩呢？", "那公园呢？"]  # without its line end the last line is still whole
    assert [question for question, _ in again.asked] == expected
    assert summary.complete
    assert len(read_results(path)) == 3


def test_a_broken_line_in_the_middle_is_named_and_not_skipped(tmp_path: Path) -> None:
    run(tmp_path)
    path = tmp_path / "results.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1][:40], lines[2]]) + "\n", encoding="utf-8")
    with pytest.raises(InputInvalid, match=r"results\.jsonl:2"):
        run(tmp_path, resume=True)


@pytest.mark.parametrize(
    "other",
    [
        replace(FACTS, model=ModelFacts("fake", "01", "F32")),
        replace(FACTS, index=IndexFacts("g2", "12")),
        replace(FACTS, prompts="23"),
        replace(FACTS, program="0.2"),
    ],
)
def test_a_run_of_something_else_is_not_gone_on_with_unless_told(tmp_path: Path, other: RunFacts) -> None:
    run(tmp_path)
    before = (tmp_path / "results.jsonl").read_bytes()
    with pytest.raises(InputInvalid, match="another --out"):
        run(tmp_path, resume=True, facts=other)
    assert (tmp_path / "results.jsonl").read_bytes() == before
    assert run(tmp_path, resume=True, facts=other, accept_other_facts=True).run == other


def test_a_folder_with_results_is_not_overwritten_without_resume(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(InputInvalid, match="--resume"):
        run(tmp_path)


def test_results_of_other_questions_are_not_thrown_away(tmp_path: Path) -> None:
    run(tmp_path)
    before = (tmp_path / "results.jsonl").read_bytes()
    with pytest.raises(InputInvalid, match="the file lacks"):
        run(tmp_path, samples=[PARK], resume=True)
    assert (tmp_path / "results.jsonl").read_bytes() == before


def test_a_resumed_run_scores_kept_answers_by_the_expectations_of_today(tmp_path: Path) -> None:
    run(tmp_path)
    again = make_answerer()
    summary = run(tmp_path, again, [replace(PARK, must=(("121",),)), AIRPORT, FOLLOW], resume=True)
    assert again.asked == []
    assert summary.kinds["fact"].scores["correct"].value == 0.0


def test_a_question_whose_words_changed_is_asked_again(tmp_path: Path) -> None:
    run(tmp_path)
    again = make_answerer()
    run(tmp_path, again, [PARK, replace(AIRPORT, turns=("机场几座？",)), FOLLOW], resume=True)
    assert [question for question, _ in again.asked] == ["机场几座？"]


def test_a_crash_on_one_question_is_not_correct_and_does_not_end_the_run(tmp_path: Path) -> None:
    answerer = make_answerer()
    answerer.replies["机场多少座？"] = EngineCrashed("模型进程退出。")
    summary = run(tmp_path, answerer)
    assert (summary.all.n, summary.all.errors) == (3, 1)
    assert summary.all.scores["correct"].scored == 3
    assert summary.all.scores["refusal"].scored == 2
    again = make_answerer()
    assert run(tmp_path, again, resume=True).all.errors == 0
    assert [question for question, _ in again.asked] == ["机场多少座？"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_that_would_meet_every_question_ends_the_run_and_keeps_what_there_is(
    tmp_path: Path, jobs: int
) -> None:
    answerer = make_answerer()
    answerer.replies["那公园呢？"] = ModelMissing("没有模型。")
    with pytest.raises(ModelMissing):
        run(tmp_path, answerer, jobs=jobs)
    assert {result.id for result in read_results(tmp_path / "results.jsonl")} == {"park", "airport"}
    assert (tmp_path / "report.html").exists()


def test_several_questions_at_once_are_all_under_way_and_reported_in_the_order_of_the_file(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=10)

    class Waiting(FakeAnswerer):
        def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
            together.wait()
            return super().ask(question, history)

    summary = run(tmp_path, Waiting({"公园多少座？": "120座"}), [PARK, AIRPORT], jobs=2)
    assert list(summary.kinds) == ["fact", "refuse"]
    alone = run(tmp_path / "alone", samples=[PARK, AIRPORT])
    assert summary.answers_sha256 == alone.answers_sha256


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_is_done(tmp_path: Path, jobs: int) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    summary = run(tmp_path, on_result=interrupt, jobs=jobs)
    assert 1 <= summary.all.n <= jobs
    assert run(tmp_path, resume=True).complete


def test_progress_counts_what_was_kept_and_the_running_score(tmp_path: Path) -> None:
    stop = threading.Event()
    run(tmp_path, stop=stop, on_result=lambda progress: stop.set())
    seen: list[Progress] = []
    run(tmp_path, resume=True, on_result=seen.append)
    assert [(p.done, p.total, p.kept) for p in seen] == [(2, 3, 1), (3, 3, 1)]
    assert seen[-1].correct == pytest.approx(2 / 3)


def test_two_evaluations_do_not_write_to_one_folder(tmp_path: Path) -> None:
    def start_another(progress: Progress) -> None:
        with pytest.raises(InputInvalid, match="Another evaluation"):
            run(tmp_path, resume=True)

    assert run(tmp_path, on_result=start_another).complete


def test_a_third_of_the_questions_is_held_out_by_the_id_alone(tmp_path: Path) -> None:
    samples = [replace(PARK, id=f"q{n}") for n in range(30)]
    summary = run(tmp_path, samples=samples)
    assert summary.held_out.n == sum(is_held_out(sample.id) for sample in samples)
    assert summary.held_out.n + summary.tuning.n == 30
    assert 3 <= summary.held_out.n <= 17


def test_both_errors_of_refusing_are_counted_apart(tmp_path: Path) -> None:
    answerer = FakeAnswerer({"机场多少座？": "3座"})
    summary = run(tmp_path, answerer)
    assert (summary.all.false_answers.count, summary.all.false_answers.of) == (1, 1)
    assert (summary.all.false_refusals.count, summary.all.false_refusals.of) == (2, 2)


def test_gates_name_the_measure_that_missed_and_only_that(tmp_path: Path) -> None:
    summary = run(tmp_path)
    (message,) = check_gates(summary, {"correct": 0.9, "citation_recall": 1.0})
    assert message.startswith("correct: 0.6667 < 0.9")
    assert check_gates(summary, {"correct": 2 / 3}) == []


def test_a_measure_that_was_never_scored_misses_its_gate(tmp_path: Path) -> None:
    summary = run(tmp_path, samples=[AIRPORT])
    assert "no question" in check_gates(summary, {"citation_recall": 0.0})[0]


@pytest.mark.parametrize("minimums", [{"truth": 0.5}, {"correct": 90.0}, {"answer_characters": 0.5}])
def test_a_gate_that_makes_no_sense_is_refused(tmp_path: Path, minimums: dict[str, float]) -> None:
    with pytest.raises(InputInvalid):
        check_gates(run(tmp_path), minimums)


def test_two_runs_are_compared_over_the_questions_that_both_asked_in_the_same_words(tmp_path: Path) -> None:
    run(tmp_path / "old", FakeAnswerer({"那公园呢？": "120座"}))
    run(tmp_path / "new", samples=[PARK, replace(AIRPORT, turns=("机场几座？",)), FOLLOW])
    old, new = (read_results(tmp_path / name / "results.jsonl") for name in ("old", "new"))
    comparison = compare_runs(new, old, "old")
    assert (comparison.common, comparison.left_out) == (2, 2)
    assert [change.new.id for change in comparison.better] == ["park"]
    assert [change.new.id for change in comparison.worse] == ["follow"]
    assert comparison.differences["correct"].value == 0.0


def write_questions(path: Path, *samples: Sample) -> Path:
    rows = [
        {
            "id": s.id,
            "kind": s.kind,
            "turns": s.turns,
            "must": s.must,
            "evidence": s.evidence,
            "answerable": s.answerable,
        }
        for s in samples
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def open_fake(answerer: FakeAnswerer) -> Callable[[Sequence[Paragraph] | None], object]:
    @contextmanager
    def open_bench(paragraphs: Sequence[Paragraph] | None) -> Iterator[Bench]:
        corpus = CORPUS if paragraphs is None else {p.source: p.text for p in paragraphs}
        yield Bench(answerer, FACTS, corpus, lambda source: answerer)

    return open_bench


def evaluate(order: Order, answerer: FakeAnswerer | None = None):  # noqa: ANN201
    return evaluate_command(order, open_fake(answerer or make_answerer()))  # type: ignore[arg-type]


def test_the_command_returns_3_where_a_gate_was_missed_and_0_where_not(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "q.jsonl", *SAMPLES)
    missed = evaluate(Order(questions, tmp_path / "a", minimums={"correct": 0.9}))
    assert missed.status == 3
    assert "correct: 0.6667 < 0.9" in missed.text
    assert evaluate(Order(questions, tmp_path / "b", minimums={"correct": 0.5})).status == 0


def test_the_command_asks_nothing_where_evidence_is_not_in_the_corpus(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "q.jsonl", PARK, replace(FOLLOW, evidence=(("新建公园121座",),)))
    answerer = make_answerer()
    with pytest.raises(InputInvalid, match="follow: evidence"):
        evaluate(Order(questions, tmp_path / "a"), answerer)
    assert answerer.asked == []


def test_the_command_compares_with_a_baseline(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "q.jsonl", *SAMPLES)
    evaluate(Order(questions, tmp_path / "old"), FakeAnswerer())
    evaluate(Order(questions, tmp_path / "new", baseline=tmp_path / "old"))
    written = json.loads((tmp_path / "new" / "summary.json").read_text(encoding="utf-8"))
    assert written["baseline"]["better"] == ["park"]
    assert written["baseline"]["differences"]["correct"]["mean"] == pytest.approx(1 / 3)


def test_a_baseline_without_results_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "q.jsonl", *SAMPLES)
    answerer = make_answerer()
    with pytest.raises(InputInvalid, match="no results"):
        evaluate(Order(questions, tmp_path / "a", baseline=tmp_path / "nothing"), answerer)
    assert answerer.asked == []


def test_resume_without_a_folder_goes_on_with_the_latest_run(tmp_path: Path) -> None:
    questions = write_questions(tmp_path / "q.jsonl", *SAMPLES)
    first = evaluate(Order(questions, reports=tmp_path / "reports"))
    again = make_answerer()
    second = evaluate(Order(questions, resume=True, reports=tmp_path / "reports"), again)
    assert second.out == first.out
    assert again.asked == []


@pytest.mark.slow
def test_a_run_killed_at_any_moment_resumes_without_asking_twice(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys, time
        from dataclasses import replace
        from pathlib import Path
        from tests.test_evaluate import CORPUS, FACTS, PARK, FakeAnswerer, make_answer
        from assistant.evaluation.evaluate import run_evaluation

        class Logged(FakeAnswerer):
            def ask(self, question, history=()):
                time.sleep(0.005)
                return make_answer(question, "120座[1]。")

        samples = [replace(PARK, id=f"q{n}", turns=(f"问题{n}",)) for n in range(60)]
        out = Path(sys.argv[1])
        run_evaluation(samples, Logged(), out, facts=FACTS, corpus=CORPUS, resume=True,
                       on_result=lambda p: print(p.result.id, flush=True))
        """
    )
    finished: list[str] = []
    kept = 0
    for attempt in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        if attempt < 11:
            time.sleep(0.007 * attempt)
            os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read()
        process.wait()
        told = [line for line in (first + rest).split("\n")[:-1] if line]
        finished += told
        results = read_results(tmp_path / "results.jsonl")
        assert len(results) >= kept + len(told)  # what was told was on the disk before
        kept = len(results)
    assert len(finished) == len(set(finished))
    assert kept == 60
