"""Another model in the place of the one that answers: nobody's question is lost, and nothing changes before it has shown that it can."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assistant.answer import Assistant
from assistant.errors import AssistantError, InputInvalid, ModelMissing, ModelUnusable
from assistant.llm.catalog import Form, ModelSpec, bundled, current_model, use_model
from assistant.llm.change import Change, Models, start_engine
from assistant.llm.engine import Engine
from assistant.llm.held import Held
from assistant.llm.offers import list_offers
from assistant.types import Answer, Finished, ReaderScores, Understood
from assistant.view.models import draw_models
from tests.answer_fakes import FakeEngine
from tests.page_fakes import FakeAssistant, make_evaluations
from tests.test_engine import gone, wait_until
from tests.test_view import PAYLOADS, read, shape
from vectorstore.index import Index

QUESTION = "上海2024年新建公园多少座？"
PLENTY = 1 << 40
OLD = bundled()


class Watched(FakeEngine):
    """A model that says when it was let go, and what is wrong with it."""

    def __init__(self, problem: Exception | None = None, go: threading.Event | None = None) -> None:
        super().__init__()
        self.closed = threading.Event()
        self.problem = problem
        self.go = go

    def score(self, question: str, candidates: Sequence[str]) -> ReaderScores:
        if self.go is not None:
            assert self.go.wait(20)
        if self.problem is not None:
            raise self.problem
        return super().score(question, candidates)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def other(tmp_path: Path) -> ModelSpec:
    """A second model on this machine, that is not chosen."""
    copy = tmp_path / "second.gguf"
    shutil.copyfile(OLD.path, copy)
    home = tmp_path / "data"
    spec = use_model(home, str(copy))
    use_model(home, OLD.name)
    return spec


class Case:
    """Models over engines of ours."""

    def __init__(self, home: Path, engine: Watched | None = None, **options: object) -> None:
        self.home = home
        self.old, self.new = Watched(), engine or Watched()
        self.held = Held(OLD, self.old)
        self.models = Models(self.held, home, lambda _: self.new, **{"free": lambda: PLENTY, **options})  # type: ignore[arg-type]

    def change(self, name: str) -> Change:
        self.models.begin(name)
        assert self.models.wait(20)
        return self.models.change


@pytest.fixture
def make(tmp_path: Path, other: ModelSpec) -> Callable[..., Case]:
    return lambda *engine, **options: Case(tmp_path / "data", *engine, **options)


def test_a_question_under_way_ends_with_the_model_it_began_with_and_the_next_has_the_new_one(seed_index: Index) -> None:
    old, new = Watched(), Watched()
    assistant = Assistant(seed_index, OLD, old)
    running = assistant.stream(QUESTION)
    assert isinstance(next(running), Understood)
    assistant.held.exchange(replace(OLD, name="new"), new)
    assert not old.closed.is_set()
    assert assistant.ask(QUESTION).model.name == "new"
    assert not old.closed.is_set()
    *_, last = running
    assert isinstance(last, Finished)
    assert last.answer.model.name == OLD.name
    assert old.closed.is_set()
    assert not new.closed.is_set()


def test_a_question_that_was_left_in_the_middle_does_not_keep_the_old_model(seed_index: Index) -> None:
    old = Watched()
    assistant = Assistant(seed_index, OLD, old)
    running = assistant.stream(QUESTION)
    next(running)
    assistant.held.exchange(replace(OLD, name="new"), Watched())
    running.close()  # type: ignore[attr-defined]
    assert old.closed.is_set()


def test_an_idle_model_is_stopped_at_once_and_two_changes_stop_each_their_own() -> None:
    first, second, third = Watched(), Watched(), Watched()
    held = Held(OLD, first)
    with held.hold() as mine:
        held.exchange(OLD, second)
        held.exchange(OLD, third)
        assert (mine.engine, first.closed.is_set(), second.closed.is_set()) == (first, False, True)
    assert first.closed.is_set()
    assert not third.closed.is_set()


def test_a_model_that_answers_takes_over_and_is_chosen_for_the_next_start(
    make: Callable[..., Case], other: ModelSpec
) -> None:
    case = make()
    assert case.change(other.name) == Change(other.name)
    assert (case.held.current.spec, case.held.current.engine) == (other, case.new)
    assert case.old.closed.is_set()
    assert current_model(case.home) == other
    assert [one.spec.name for one in case.models.list().known if one.answers] == [other.name]


@pytest.mark.parametrize("problem", [ModelUnusable("装不进来。 It cannot be loaded."), ModelMissing("没了。 Gone.")])
def test_a_model_that_fails_its_first_question_changes_nothing_and_says_why(
    make: Callable[..., Case], other: ModelSpec, problem: AssistantError
) -> None:
    case = make(Watched(problem))
    assert case.change(other.name) == Change(other.name, problem=str(problem))
    assert case.held.current.spec == OLD
    assert current_model(case.home).name == OLD.name
    assert (case.new.closed.is_set(), case.old.closed.is_set()) == (True, False)
    drawn = "".join(read(draw_models(case.models.list(), case.models.change, may_change=True)).text)
    assert f"没有换成 {other.name}，仍由 {OLD.name} 回答。" in drawn
    assert str(problem).split()[0] in drawn


def test_a_choice_that_cannot_be_kept_changes_nothing(
    make: Callable[..., Case], other: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    case = make()
    monkeypatch.setattr("assistant.llm.change.use_model", full)
    assert "No space left" in case.change(other.name).problem
    assert case.held.current.engine is case.old
    assert case.new.closed.is_set()


def test_an_error_of_the_program_is_said_without_its_text_and_the_next_change_works(
    make: Callable[..., Case], other: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    case = make(Watched(RuntimeError("秘密的路径")))
    assert "秘密" not in case.change(other.name).problem
    assert "程序内部出错" in case.models.change.problem
    case.new = Watched()
    assert case.change(other.name).problem == ""


def test_until_the_new_model_has_answered_the_old_one_does_and_no_second_change_begins(
    make: Callable[..., Case], other: ModelSpec
) -> None:
    go = threading.Event()
    case = make(Watched(go=go))
    case.models.begin(other.name)
    assert case.models.change.running
    assert case.held.current.spec == OLD
    drawn = draw_models(case.models.list(), case.models.change, may_change=True)
    assert 'id="pa-change"' in drawn
    assert drawn.count("disabled") == drawn.count("<button")
    with pytest.raises(InputInvalid, match="正在启动"):
        case.models.begin(other.name)
    go.set()
    assert case.models.wait(20)
    assert case.held.current.spec == other


def writer(home: Path, other: ModelSpec, monkeypatch: pytest.MonkeyPatch, need: int) -> ModelSpec:
    """The second model as one that writes and takes so much memory; readers take next to nothing."""
    spec = replace(other, form=Form.INSTRUCT, template="chatml")
    monkeypatch.setattr("assistant.llm.change.list_models", lambda _: (OLD, spec))
    monkeypatch.setattr("assistant.llm.change.needed_memory", lambda s: need if s.form is Form.INSTRUCT else 10**8)
    assert home.is_dir()
    return spec


def test_a_model_that_does_not_fit_is_refused_and_one_that_does_is_named(
    make: Callable[..., Case], other: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make(free=lambda: 2 * 10**9)
    spec = writer(case.home, other, monkeypatch, 5 * 10**9)
    fitting = max((o for o in list_offers() if o.memory <= 2 * 10**9 and o.template), key=lambda o: o.memory)
    with pytest.raises(ModelUnusable, match=rf"约需 5\.0 GB，可用 2\.0 GB.*assistant model pull {fitting.name}"):
        case.models.begin(spec.name)
    assert case.held.current.engine is case.old
    assert not case.models.change.running
    drawn = draw_models(case.models.list(), case.models.change, may_change=True)
    assert "✗ 约需内存 5.0 GB，现在放不下" in drawn
    assert "✓ 约需内存" in drawn  # others would


def test_a_model_that_would_fit_alone_is_said_to(
    make: Callable[..., Case], other: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make(free=lambda: 2 * 10**9)
    spec = writer(case.home, other, monkeypatch, 2 * 10**9 + 1)
    with pytest.raises(ModelUnusable, match=rf"一起放不下.*assistant model use {spec.name} 后重启"):
        case.models.begin(spec.name)


def test_whoever_said_to_ignore_the_memory_is_believed(
    make: Callable[..., Case], other: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make(free=lambda: 0, ignore_memory=True)
    spec = writer(case.home, other, monkeypatch, 5 * 10**9)
    monkeypatch.setattr("assistant.llm.change.use_model", lambda *_: None)
    assert case.change(spec.name).problem == ""


@pytest.mark.parametrize(
    ("options", "name", "reason"),
    [
        ({}, "无此模型", "没有名为"),
        ({}, OLD.name, "现在就由"),
        ({"may_change": False}, "second", "--allow-model-change"),
        ({"server": "127.0.0.1:8080"}, "second", "ASSISTANT_LLM_URL"),
    ],
)
def test_what_cannot_be_changed_to_is_refused_before_anything_is_started(
    make: Callable[..., Case], options: dict[str, object], name: str, reason: str
) -> None:
    case = make(**options)
    with pytest.raises(AssistantError, match=reason):
        case.models.begin(name)
    assert case.models.change == Change()


def test_a_model_whose_file_is_gone_is_shown_as_that_and_refused(make: Callable[..., Case], other: ModelSpec) -> None:
    case = make()
    other.path.unlink()
    drawn = draw_models(case.models.list(), case.models.change, may_change=True)
    assert "✗ 文件读不了" in drawn
    with pytest.raises(ModelMissing, match=r"second\.gguf"):
        case.models.begin(other.name)


def test_a_model_of_a_server_is_shown_and_no_button_offers_another(make: Callable[..., Case]) -> None:
    case = make(server="127.0.0.1:8080")
    reader = read(draw_models(case.models.list(), Change(), may_change=True))
    assert "127.0.0.1:8080" in "".join(reader.text)
    assert not [tag for tag, _ in reader.tags if tag == "button"]


def test_who_may_not_change_the_model_sees_no_button_and_why(make: Callable[..., Case]) -> None:
    case = make()
    allowed, refused = (draw_models(case.models.list(), Change(), may_change=may) for may in (True, False))
    assert ("<button" in allowed, "<button" in refused) == (True, False)
    assert "--allow-model-change" in refused


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_of_models_and_servers_stay_text(make: Callable[..., Case], payload: str) -> None:
    shelf = make().models.list()

    def draw(text: str) -> str:
        known = tuple(
            replace(one, spec=replace(one.spec, name=text, path=Path(text), quantization=text)) for one in shelf.known
        )
        named = replace(shelf, known=known, server=text, served=(text,), next_start=text)
        return draw_models(named, Change(text, problem=text), may_change=True)

    assert shape(draw(payload)) == shape(draw("普通"))


def test_the_page_changes_the_model_and_refuses_it_while_an_evaluation_runs(
    make: Callable[..., Case], other: ModelSpec, tmp_path: Path
) -> None:
    from assistant.page.app import build_app

    case, answerer = make(), FakeAssistant(pause=0.05, pieces=10_000)
    evaluations = make_evaluations(answerer, tmp_path)
    app = build_app(answerer, case.home, evaluations, models=case.models)
    with TestClient(app, follow_redirects=False) as client:
        assert other.name in client.get("/models").text
        evaluations.start()
        refused = client.post("/models/use", data={"model": other.name})
        assert (refused.status_code, "评测正在进行" in refused.text) == (400, True)
        evaluations.stop()
        for stop in answerer.stops:
            stop.set()
        wait_until(lambda: _stop_all(answerer) and not evaluations.state.running)
        assert client.post("/models/use", data={"model": other.name}).headers["location"] == "/models"
        assert case.models.wait(20)
        assert client.get("/models/state").json() == {"name": other.name, "running": False, "problem": ""}
        assert client.post("/models/use", data={"model": "x" * 500}).status_code == 400
        assert client.post("/models/use", headers={"origin": "http://evil.example"}).status_code == 403
        assert "form-action 'self'" in client.get("/models").headers["content-security-policy"]
    assert case.held.current.spec == other


def _stop_all(answerer: FakeAssistant) -> bool:
    for stop in answerer.stops:
        stop.set()
    return True


@pytest.fixture
def running(seed_index: Index) -> Iterator[Assistant]:
    engine = Engine(OLD, threads=1)
    assistant = Assistant(seed_index, OLD, engine)
    yield assistant
    assistant.held.close()


@pytest.mark.slow
def test_with_real_models_nobody_notices_a_change_but_by_the_name_below_the_answer(
    running: Assistant, other: ModelSpec, tmp_path: Path
) -> None:
    """Six changes between two real readers, and to one that writes, while three people ask without a break."""
    from tests.test_engine import tiny_spec

    home = tmp_path / "data"
    tiny = use_model(home, str(tiny_spec().path), "chatml")
    models = Models(running.held, home, lambda spec: start_engine(spec, threads=1, home=home))
    answers: list[Answer] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            answers.append(running.ask(QUESTION))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    pids = []
    try:
        for name in (other.name, OLD.name, tiny.name, other.name, OLD.name, other.name):
            engine = running.held.current.engine
            assert isinstance(engine, Engine)
            pids.append(engine.worker_pid)
            models.begin(name)
            assert models.wait(90)
            assert models.change == Change(name)
            before = len(answers)
            wait_until(lambda count=before: len(answers) > count + 3)  # type: ignore[misc]
    finally:
        enough.set()
        for thread in threads:
            thread.join(60)
    assert {answer.model.name for answer in answers} == {OLD.name, other.name, tiny.name}
    assert not any(thread.is_alive() for thread in threads)
    wait_until(lambda: all(gone(pid) for pid in pids if pid is not None))
    assert current_model(home).name == other.name


@pytest.mark.slow
def test_a_real_file_that_is_no_model_leaves_the_real_one_answering(
    running: Assistant, other: ModelSpec, tmp_path: Path
) -> None:
    home = tmp_path / "data"
    models = Models(running.held, home, lambda spec: start_engine(spec, threads=1, home=home))
    whole = other.path.read_bytes()
    other.path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    models.begin(other.name)
    assert models.wait(60)
    assert "校验和" in models.change.problem
    assert running.ask(QUESTION).model.name == OLD.name
    with closing(start_engine(OLD, threads=1, home=home)) as same:
        assert same.score("问", ("答。",)).answers
