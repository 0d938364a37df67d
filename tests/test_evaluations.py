"""The evaluation page: runs in the background, their files, and what may not be reached."""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from starlette.testclient import TestClient

from assistant.errors import InputInvalid
from assistant.evaluation.background import LARGEST_FILE, Evaluations, RunLine, State
from assistant.evaluation.run import Bench
from assistant.evaluation.score import Score
from assistant.types import Answer, Turn
from assistant.view.evaluate import draw_comparison, draw_evaluation, draw_run
from tests.page_fakes import FakeAssistant, parse
from tests.test_evaluate import CORPUS, FACTS, make_answer
from tests.test_view import PAYLOADS, read, shape

ROW = {"id": "q1", "kind": "fact", "turns": ["甲市2024年新建多少公园？"], "must": [["120"]], "answerable": True}


@dataclass
class Slow:
    """Answers when it is let."""

    go: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        self.asked.append(question)
        assert self.go.wait(20)
        return make_answer(question, "新建公园120座[1]。")


def rows(count: int) -> bytes:
    return "".join(json.dumps({**ROW, "id": f"q{n}"}, ensure_ascii=False) + "\n" for n in range(count)).encode()


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go.set()


@pytest.fixture
def evaluations(tmp_path: Path, slow: Slow) -> Evaluations:
    questions = tmp_path / "questions.jsonl"
    questions.write_bytes(rows(3))
    return Evaluations(tmp_path / "reports", questions, lambda: Bench(slow, FACTS, CORPUS))


def finish(evaluations: Evaluations, slow: Slow) -> str:
    slow.go.set()
    name = evaluations.start()
    assert evaluations.wait(30)
    assert evaluations.state.problem == ""
    return name


def test_a_run_goes_on_in_the_background_and_ends_with_its_report(evaluations: Evaluations, slow: Slow) -> None:
    name = evaluations.start()
    assert evaluations.state == State(name, running=True, total=3)
    with pytest.raises(InputInvalid, match="已有一个评测在运行"):
        evaluations.start()
    slow.go.set()
    assert evaluations.wait(30)
    assert (evaluations.state.done, evaluations.state.correct, evaluations.state.running) == (3, 1.0, False)
    [line] = evaluations.list_runs()
    assert (line.name, line.summary["complete"]) == (name, True)
    assert "120" in evaluations.find_report(name).read_text(encoding="utf-8")


def test_a_stopped_run_keeps_what_is_done_and_asks_no_more(evaluations: Evaluations, slow: Slow) -> None:
    evaluations.start()
    evaluations.stop()
    assert evaluations.state.stopping
    slow.go.set()
    assert evaluations.wait(30)
    assert len(slow.asked) <= 1
    assert evaluations.list_runs()[0].summary["complete"] is False


def test_an_error_of_the_program_ends_the_run_with_a_sentence_and_the_next_can_start(
    tmp_path: Path, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
            raise RuntimeError(question)

    questions = tmp_path / "questions.jsonl"
    questions.write_bytes(rows(1))
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    evaluations = Evaluations(tmp_path / "reports", questions, lambda: Bench(Broken(), FACTS, CORPUS))
    evaluations.start()
    assert evaluations.wait(30)
    assert "程序错误" in evaluations.state.problem
    evaluations.start()
    assert evaluations.wait(30)


def test_an_uploaded_file_is_checked_before_and_can_be_run(evaluations: Evaluations, slow: Slow) -> None:
    slow.go.set()
    identity, count = evaluations.upload("我的题目.jsonl", rows(2))
    assert count == 2
    evaluations.start(identity)
    assert evaluations.wait(30)
    assert evaluations.state.total == 2


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (60 * 1024 * 1024))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.exe", b"x", "题目文件要是"),
        ("a", b"x", "题目文件要是"),
        ("a.jsonl", b"x" * (LARGEST_FILE + 1), "2 MB"),
        ("a.jsonl", b"{}\n[]\n", "line 1"),
        ("a.jsonl", b"", "没有题目"),
        ("a.jsonl", rows(1).replace(b"}", b', "evidence": [["nowhere"]]}'), "不在语料中"),
        ("a.xlsx", b"not a spreadsheet", "Excel"),
        ("../../a.xlsx", bomb(), "太大"),
    ],
    ids=["kind", "no-kind", "size", "rows", "empty", "evidence", "no-excel", "bomb"],
)
def test_a_file_that_does_not_fit_is_refused_with_the_reason_and_not_kept(
    evaluations: Evaluations, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(InputInvalid, match=reason):
        evaluations.upload(name, content)
    assert [path for path in evaluations.reports.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["", "..", "../secret", "uploads/x", "a/../../b", "\x00", "没有", "uploads"])
def test_names_that_are_no_runs_lead_nowhere(evaluations: Evaluations, name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "report.html").write_text("secret")
    with pytest.raises(InputInvalid):
        evaluations.find_report(name)
    with pytest.raises(InputInvalid):
        evaluations.compare(name, name)


@pytest.mark.parametrize("upload", ["x", "../questions", "0" * 16, "questions.jsonl"])
def test_only_an_uploaded_file_can_be_named(evaluations: Evaluations, upload: str) -> None:
    with pytest.raises(InputInvalid, match="找不到这个题目文件"):
        evaluations.start(upload)


def test_two_runs_are_compared_and_a_broken_summary_is_left_out(evaluations: Evaluations, slow: Slow) -> None:
    old = finish(evaluations, slow)
    new = finish(evaluations, slow)
    assert old != new
    comparison = evaluations.compare(new, old)
    assert comparison.common == 3
    read(draw_comparison(new, comparison))
    (evaluations.reports / "broken").mkdir()
    (evaluations.reports / "broken" / "summary.json").write_text('{"all": {}}')
    assert {line.name for line in evaluations.list_runs()} == {old, new}
    read(draw_evaluation(evaluations.state, evaluations.list_runs()))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_and_problems_stay_text(evaluations: Evaluations, slow: Slow, payload: str) -> None:
    name = finish(evaluations, slow)
    summary = dict(evaluations.list_runs()[0].summary)

    def draw(text: str) -> str:
        run = {**summary, "run": {"model": {"name": text}}}
        return draw_evaluation(State(problem=text), (RunLine(name, run), RunLine(name, run)))

    assert shape(draw(payload)) == shape(draw("普通"))
    (failed, *_) = evaluations.read_run(name)
    wrong = {**failed.scores, "correct": Score(0.0, payload)}

    def draw_failed(text: str) -> str:
        answer = {**(failed.answer or {}), "answer": text}
        result = replace(failed, id=text, kind=text, turns=(text,), answer=answer, scores=wrong)
        return draw_run(name, [result])

    assert shape(draw_failed(payload)) == shape(draw_failed("普通"))


def test_the_page_starts_a_run_shows_it_and_gives_its_report_without_reach(
    evaluations: Evaluations, slow: Slow, tmp_path: Path
) -> None:
    from assistant.page.app import build_app

    with TestClient(build_app(FakeAssistant((parse(),)), tmp_path, evaluations), follow_redirects=False) as client:
        uploaded = client.post("/eval/questions", params={"name": "x.jsonl"}, content=rows(2))
        identity = uploaded.json()["id"]
        assert client.post("/eval/start", data={"questions": identity}).headers["location"] == "/eval"
        assert 'id="pa-run"' in client.get("/eval").text
        assert client.get("/eval/state").json()["total"] == 2
        assert client.post("/eval/start", data={"questions": ""}).status_code == 400
        slow.go.set()
        assert evaluations.wait(30)
        name = evaluations.state.name
        assert f"/eval/runs/{name}/report.html" in client.get("/eval", params={"new": name, "old": name}).text
        report = client.get(f"/eval/runs/{name}/report.html")
        assert "sandbox allow-scripts" in report.headers["content-security-policy"]
        assert "allow-same-origin" not in report.headers["content-security-policy"]
        assert client.get("/eval/runs/..%2f..%2fquestions/report.html").status_code == 404
        assert client.post("/eval/questions", content=b"x" * (LARGEST_FILE + 1)).status_code == 413
        assert "找不到这次评测" in client.get("/eval", params={"new": "x", "old": "y"}).text
        assert client.post("/eval/start", headers={"origin": "http://evil.example"}).status_code == 403


def test_a_failure_leads_into_the_conversation_with_all_its_turns(evaluations: Evaluations, slow: Slow) -> None:
    evaluations.questions.write_bytes(
        json.dumps({**ROW, "turns": ["甲市呢？", "那公园&绿地=?"], "must": [["999座"]]}, ensure_ascii=False).encode()
    )
    name = finish(evaluations, slow)
    drawn = draw_run(name, evaluations.read_run(name))
    (link,) = re.findall(r'href="/[?]([^"]+)"', drawn)
    assert parse_qs(unescape(link))["ask"] == ["甲市呢？", "那公园&绿地=?"]
    assert '<meter min="0" max="1" value="0">' in drawn
    assert "缺少" in drawn


def test_a_run_that_is_right_lists_no_failure(evaluations: Evaluations, slow: Slow) -> None:
    name = finish(evaluations, slow)
    drawn = draw_run(name, evaluations.read_run(name))
    assert 'value="3">' in drawn and "<li><b>" not in drawn


def test_a_run_that_is_not_there_is_said(evaluations: Evaluations) -> None:
    with pytest.raises(InputInvalid, match="找不到"):
        evaluations.read_run("../reports")


class Counted(Slow):
    """Stops its own run after so many questions."""

    stop_after = 2
    stop: Callable[[], None] = staticmethod(lambda: None)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        answer = super().ask(question, history)
        if len(self.asked) == self.stop_after:
            self.stop()
        return answer


def interrupt(tmp_path: Path) -> tuple[Evaluations, Counted, str]:
    """A run of five of its own questions that was stopped after two."""
    answerer = Counted()
    answerer.go.set()
    questions = tmp_path / "questions.jsonl"
    questions.write_bytes(rows(3))
    evaluations = Evaluations(tmp_path / "reports", questions, lambda: Bench(answerer, FACTS, CORPUS))
    answerer.stop = evaluations.stop
    name = evaluations.start(evaluations.upload("five.jsonl", rows(5))[0])
    assert evaluations.wait(30)
    assert (len(answerer.asked), evaluations.list_runs()[0].complete) == (2, False)
    return evaluations, answerer, name


def test_an_interrupted_run_goes_on_with_its_own_questions_and_asks_none_twice(tmp_path: Path) -> None:
    evaluations, answerer, name = interrupt(tmp_path)
    for path in (evaluations.reports / "uploads").rglob("questions.*"):
        path.unlink()
    evaluations.questions.write_bytes(rows(1))  # today's labelled questions are others
    evaluations.resume(name)
    assert evaluations.state.total == 5
    assert evaluations.wait(30)
    assert evaluations.state.problem == ""
    assert len(answerer.asked) == 5
    [line] = evaluations.list_runs()
    assert (line.name, line.complete, line.summary["all"]["n"]) == (name, True, 5)


def test_a_run_that_was_killed_before_it_could_sum_up_is_listed_and_goes_on(tmp_path: Path) -> None:
    evaluations, answerer, name = interrupt(tmp_path)
    folder = evaluations.reports / name
    (folder / "summary.json").unlink()
    with (folder / "results.jsonl").open("ab") as file:
        file.write(b'{"id": "q4", "ki')  # a line that the kill cut in two
    [line] = evaluations.list_runs()
    assert (line.name, line.done, line.complete) == (name, 2, False)
    drawn = read(draw_evaluation(State(), (line,)))
    assert [a["value"] for tag, a in drawn.tags if a.get("name") == "run"] == [name]
    assert not [a for tag, a in drawn.tags if a.get("href")]  # there is no report yet
    evaluations.resume(name)
    assert evaluations.wait(30)
    assert (len(answerer.asked), evaluations.list_runs()[0].complete) == (5, True)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"model": replace(FACTS.model, sha256="99")}, "模型变了"),
        ({"index": replace(FACTS.index, generation="g9")}, "资料索引变了"),
        ({"prompts": "99", "program": "9"}, "提示词、程序变了"),
    ],
)
def test_a_run_of_something_else_is_not_gone_on_with_and_what_changed_is_said(
    tmp_path: Path, other: dict[str, object], named: str
) -> None:
    evaluations, answerer, name = interrupt(tmp_path)
    today = replace(FACTS, **other)  # type: ignore[arg-type]
    later = Evaluations(evaluations.reports, evaluations.questions, lambda: Bench(answerer, today, CORPUS))
    with pytest.raises(InputInvalid, match=named):
        later.resume(name)
    assert not later.state.running
    assert len(answerer.asked) == 2


@pytest.mark.parametrize("name", ["", "..", "../secret", "uploads/x", "20990101-000000"])
def test_only_a_run_that_is_there_can_be_gone_on_with(evaluations: Evaluations, name: str) -> None:
    with pytest.raises(InputInvalid, match="找不到这次评测"):
        evaluations.resume(name)


def test_no_second_run_is_gone_on_with_beside_one(tmp_path: Path) -> None:
    evaluations, answerer, name = interrupt(tmp_path)
    answerer.go.clear()
    evaluations.start()
    with pytest.raises(InputInvalid, match="已有一个评测在运行"):
        evaluations.resume(name)
    answerer.go.set()
    assert evaluations.wait(30)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": replace(FACTS.model, name="other")}, "换了模型"),
        ({"index": replace(FACTS.index, generation="g9")}, "资料变了"),
    ],
)
def test_a_run_ends_where_its_model_or_its_documents_change_and_keeps_what_was_done(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    class Changing(Counted):
        def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
            answer = super().ask(question, history)
            return replace(answer, **changed) if len(self.asked) > 2 else answer  # type: ignore[arg-type]

    answerer = Changing()
    answerer.go.set()
    questions = tmp_path / "questions.jsonl"
    questions.write_bytes(rows(4))
    evaluations = Evaluations(tmp_path / "reports", questions, lambda: Bench(answerer, FACTS, CORPUS))
    evaluations.start()
    assert evaluations.wait(30)
    assert said in evaluations.state.problem
    [line] = evaluations.list_runs()
    assert (line.complete, line.summary["all"]["n"]) == (False, 2)


def test_a_run_is_gone_on_with_by_a_button_that_a_complete_one_lacks(tmp_path: Path) -> None:
    from assistant.page.app import build_app

    evaluations, _, name = interrupt(tmp_path)
    app = build_app(FakeAssistant((parse(),)), tmp_path, evaluations)
    with TestClient(app, follow_redirects=False) as client:
        assert f'name="run" value="{name}"' in client.get("/eval").text
        assert client.post("/eval/resume", data={"run": "x"}).status_code == 400
        assert client.post("/eval/resume", data={"run": name}).headers["location"] == "/eval"
        assert evaluations.wait(30)
        assert 'name="run"' not in client.get("/eval").text
