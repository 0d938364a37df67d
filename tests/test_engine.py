"""The engine with the real worker: who is served when, and what happens when something dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import (
    EngineBusy,
    EngineCrashed,
    EngineTimeout,
    GrammarInvalid,
    InputInvalid,
    ModelDamaged,
    ModelMissing,
    ModelUnusable,
)
from assistant.llm import dispatch
from assistant.llm.catalog import Form, ModelSpec, bundled, hash_file
from assistant.llm.dispatch import Dispatcher, Job
from assistant.llm.engine import Engine
from assistant.llm.process import WorkerProcess
from assistant.llm.template import apply_template
from assistant.types import Prompt, Segment
from tests.tiny_gguf import CONTEXT, tiny_gguf

ROOT = Path(__file__).resolve().parent.parent
PROMPT = apply_template("chatml", "系统", "低碳城市试点有哪些？")
QUESTION = "上海2024年要新建多少座公园？"
CANDIDATES = ("新建公园120座。", "天气很好,适合出门。")


def tiny_spec() -> ModelSpec:
    path = tiny_gguf()
    return ModelSpec("tiny", path, hash_file(path), "F32", Form.INSTRUCT, "chatml", CONTEXT)


@pytest.fixture(scope="module")
def reader() -> Iterator[Engine]:
    with closing(Engine(bundled(), threads=1)) as engine:
        yield engine


@pytest.fixture(scope="module")
def writer() -> Iterator[Engine]:
    with closing(Engine(tiny_spec(), threads=1)) as engine:
        yield engine


@pytest.fixture
def own_writer() -> Iterator[Engine]:
    """An engine that the test may break."""
    with closing(Engine(tiny_spec(), threads=1, queue_limit=6)) as engine:
        write(engine)
        yield engine


def write(engine: Engine, **options: object) -> str:
    return "".join(engine.generate(PROMPT, **{"max_tokens": 12, **options}))  # type: ignore[arg-type]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def allow_seconds(engine: Engine, *, first: float = 60, whole: float = 60) -> None:
    """Set the deadlines of a running engine, so that loading the model may take its time."""
    dispatcher = engine._dispatcher
    dispatcher.limits = replace(dispatcher.limits, first_seconds=first, seconds=whole)


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"


def send_signal(engine: Engine, number: int) -> int:
    pid = engine.worker_pid
    assert pid is not None
    os.kill(pid, number)
    return pid


def test_scores_are_probabilities_and_repeat_exactly(reader: Engine) -> None:
    first = reader.score(QUESTION, CANDIDATES)
    assert len(first.answers) == 2
    assert all(0 <= x <= 1 for x in (*first.answers, first.none))
    assert reader.score(QUESTION, CANDIDATES) == first


def test_no_candidates_give_no_scores_and_none_for_certain(reader: Engine) -> None:
    scores = reader.score(QUESTION, ())
    assert scores.answers == ()
    assert scores.none == 1.0


@pytest.mark.parametrize(
    "text", ["", "\0", "\ud83d lone", "a" * 1_000_000, "低" * 100_000, "<a>[0]<eot></m>", "‮אב\u200d👩‍👩‍👧", "\n\t  "]
)
def test_hostile_text_does_not_stop_the_reader(reader: Engine, text: str) -> None:
    scores = reader.score(text, (text, *CANDIDATES))
    assert all(0 <= x <= 1 for x in scores.answers)
    reader.short_answer(text, (text, *CANDIDATES), 0)


def test_a_short_answer_is_a_piece_of_the_sentence_or_nothing(reader: Engine) -> None:
    for chosen, sentence in enumerate(CANDIDATES):
        found = reader.short_answer(QUESTION, CANDIDATES, chosen)
        assert found is None or (found[0] in sentence and 0.5 <= found[1] <= 1)
    with pytest.raises(InputInvalid):
        reader.short_answer(QUESTION, CANDIDATES, 2)


def test_a_model_is_only_asked_for_what_its_form_can_do(reader: Engine, writer: Engine) -> None:
    with pytest.raises(ModelUnusable, match="instruct"):
        reader.generate(PROMPT)
    with pytest.raises(ModelUnusable, match="reader"):
        writer.score(QUESTION, CANDIDATES)


def test_greedy_text_repeats_exactly_also_after_another_prompt(writer: Engine) -> None:
    first = write(writer)
    long = Prompt((Segment("城市" * 300),))
    other = "".join(writer.generate(long, max_tokens=8))
    assert first
    assert write(writer) == first
    assert "".join(writer.generate(long, max_tokens=8)) == other


def test_the_seed_decides_what_is_sampled(writer: Engine) -> None:
    texts = [write(writer, temperature=1.5, seed=seed) for seed in (1, 2, 1)]
    assert texts[0] == texts[2] != texts[1]


def test_pieces_are_whole_characters(writer: Engine) -> None:
    pieces = [p for seed in range(4) for p in writer.generate(PROMPT, max_tokens=300, temperature=2.0, seed=seed)]
    assert len(pieces) > 100
    assert not any("\ufffd" in piece or not piece for piece in pieces)


def test_a_stop_text_ends_the_answer_and_is_not_shown(writer: Engine) -> None:
    whole = write(writer)
    stop = whole[3:5]
    assert "".join(writer.generate(Prompt(PROMPT.segments, stop=(stop,)), max_tokens=12)) == whole[: whole.index(stop)]


def test_a_prompt_longer_than_the_context_is_refused_and_the_worker_lives(writer: Engine) -> None:
    with pytest.raises(InputInvalid, match=str(CONTEXT)):
        list(writer.generate(Prompt((Segment("长 " * 3 * CONTEXT),))))
    assert write(writer)


def test_the_answer_ends_where_the_context_does(writer: Engine) -> None:
    prompt = Prompt((Segment("城市" * 400),))
    assert "".join(writer.generate(prompt, max_tokens=100_000))


@pytest.mark.parametrize(
    "grammar",
    ['root ::= "open', "root ::= missing", 'root ::= root "a" | "b"', "", 'other ::= "a"', 'root ::= "\0"', "(" * 90],
)
def test_an_invalid_grammar_is_an_error_and_the_worker_lives(writer: Engine, grammar: str) -> None:
    write(writer)
    pid = writer.worker_pid
    with pytest.raises(GrammarInvalid):
        write(writer, grammar=grammar)
    assert write(writer)
    assert writer.worker_pid == pid


def test_a_grammar_is_kept(writer: Engine) -> None:
    assert write(writer, grammar='root ::= "甲" | "乙丙"', temperature=1.5) in ("甲", "乙丙")


def test_closing_the_stream_frees_the_model(own_writer: Engine) -> None:
    stream = own_writer.generate(PROMPT, max_tokens=900)
    next(stream)
    stream.close()
    assert list(stream) == []
    assert write(own_writer)


def test_a_stop_event_ends_the_text_without_an_error(own_writer: Engine) -> None:
    stop = threading.Event()
    stream = own_writer.generate(PROMPT, max_tokens=900, stop=stop)
    first = next(stream)
    stop.set()
    assert first
    assert write(own_writer) == write(own_writer)
    list(stream)  # ends


def test_a_request_that_is_stopped_while_it_waits_ends_before_its_turn(own_writer: Engine) -> None:
    send_signal(own_writer, signal.SIGSTOP)
    running = own_writer.generate(PROMPT)
    wait_until(lambda: own_writer.waiting() == 0)
    stop = threading.Event()
    waiting = own_writer.generate(PROMPT, stop=stop)
    assert own_writer.waiting() == 1
    stop.set()
    assert list(waiting) == []
    assert own_writer.waiting() == 0
    send_signal(own_writer, signal.SIGCONT)
    assert next(running)


def test_six_threads_are_served_in_the_order_in_which_they_came(own_writer: Engine) -> None:
    expected = write(own_writer)
    served: list[int] = []
    texts: list[str] = []

    def ask(number: int) -> None:
        texts.append(write(own_writer))
        served.append(number)

    send_signal(own_writer, signal.SIGSTOP)
    blocker = own_writer.generate(PROMPT, max_tokens=1)
    wait_until(lambda: own_writer.waiting() == 0)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for number, thread in enumerate(threads):
        thread.start()
        wait_until(lambda n=number: own_writer.waiting() == n + 1)  # type: ignore[misc]
    with pytest.raises(EngineBusy, match="6"):
        own_writer.generate(PROMPT)
    send_signal(own_writer, signal.SIGCONT)
    for thread in threads:
        thread.join()
    list(blocker)
    assert texts == [expected] * 6
    assert sorted(served) == list(range(6))


def test_requests_reach_the_worker_first_come_first_served(own_writer: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[int] = []
    original = Dispatcher._exchange

    def watch(self: Dispatcher, worker: WorkerProcess, job: Job) -> None:
        reached.append(job.request["id"])
        original(self, worker, job)

    monkeypatch.setattr(Dispatcher, "_exchange", watch)
    streams = [own_writer.generate(PROMPT, max_tokens=3) for _ in range(5)]
    for stream in reversed(streams):
        list(stream)
    assert len(reached) == 5
    assert reached == sorted(reached)


def test_a_killed_worker_is_an_error_and_the_next_request_is_served(own_writer: Engine) -> None:
    expected = write(own_writer)
    stream = own_writer.generate(PROMPT, max_tokens=900)
    next(stream)
    pid = send_signal(own_writer, signal.SIGKILL)
    with pytest.raises(EngineCrashed, match="-9"):
        list(stream)
        list(own_writer.generate(PROMPT))  # had it finished before the kill
    assert write(own_writer) == expected
    assert own_writer.worker_pid != pid


@pytest.mark.slow
def test_a_worker_that_keeps_dying_is_given_up(own_writer: Engine) -> None:
    for _ in range(dispatch.MOST_CRASHES + 1):
        write_stream = _frozen_stream(own_writer)
        send_signal(own_writer, signal.SIGKILL)
        with pytest.raises(EngineCrashed):
            list(write_stream)
        wait_until(lambda: len(own_writer._dispatcher._crashes) > 3 or own_writer.worker_pid is not None)
    with pytest.raises(EngineCrashed, match="doctor"):
        write(own_writer)


def _frozen_stream(engine: Engine) -> Iterator[str]:
    write_once = engine.generate(PROMPT, max_tokens=1)
    list(write_once)
    send_signal(engine, signal.SIGSTOP)
    stream = engine.generate(PROMPT)
    wait_until(lambda: engine.waiting() == 0)
    return stream


def test_a_worker_that_hangs_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "GRACE", 0.2)
    with closing(Engine(tiny_spec(), threads=1)) as engine:
        write(engine)
        allow_seconds(engine, first=0.3)
        pid = engine.worker_pid
        with pytest.raises(EngineTimeout, match=r"0\.3"):
            list(_frozen_stream(engine))
        allow_seconds(engine, first=60)
        assert write(engine)
        assert engine.worker_pid != pid


def test_an_answer_that_takes_too_long_is_cut_and_the_worker_stays(own_writer: Engine) -> None:
    pid = own_writer.worker_pid
    allow_seconds(own_writer, whole=0.0)
    with pytest.raises(EngineTimeout):
        write(own_writer, max_tokens=900)
    allow_seconds(own_writer, whole=60)
    assert write(own_writer)
    assert own_writer.worker_pid == pid


def test_a_flipped_bit_in_the_model_is_found_before_loading(tmp_path: Path) -> None:
    copy = tmp_path / "reader.gguf"
    shutil.copyfile(bundled().path, copy)
    with copy.open("r+b") as file:
        file.seek(copy.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(copy.stat().st_size // 2)
        file.write(bytes([byte ^ 1]))
    with closing(Engine(replace(bundled(), path=copy))) as engine:
        engine.start()
        with pytest.raises(ModelDamaged, match=r"reader\.gguf"):
            engine.score(QUESTION, CANDIDATES)
        assert engine.worker_pid is None


def test_a_model_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with closing(Engine(replace(bundled(), path=tmp_path / "gone.gguf"))) as engine, pytest.raises(ModelMissing):
        engine.score(QUESTION, CANDIDATES)


def test_a_file_that_llama_cpp_cannot_load_is_unusable_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(200))
    spec = replace(tiny_spec(), path=path, sha256=hash_file(path))
    with closing(Engine(spec)) as engine, pytest.raises(ModelUnusable, match=r"broken\.gguf.*failed to read header"):
        write(engine)


def test_a_closed_engine_says_so(own_writer: Engine) -> None:
    pid = own_writer.worker_pid
    own_writer.close()
    assert pid is not None
    assert gone(pid)
    with pytest.raises(EngineCrashed):
        write(own_writer)


_PARENT = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
from assistant.llm.catalog import bundled
from assistant.llm.dispatch import Dispatcher, Job
from assistant.llm.engine import Engine
engine = Engine(bundled(), threads=1)
engine.score("问", ["答。"])
os.write(1, f"{engine.worker_pid}\\n".encode())
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_the_worker_dies_with_its_parent_whatever_the_parent_is(tmp_path: Path) -> None:
    """Started from a script without a main guard, in a folder with a module that would hide one of Python's own."""
    (tmp_path / "queue.py").write_text("raise SystemExit('the wrong queue')")
    parent = subprocess.Popen(
        [sys.executable, "-P", "-c", _PARENT, str(ROOT)], stdout=subprocess.PIPE, cwd=tmp_path, env={**os.environ}
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert not gone(pid)
    os.kill(pid, signal.SIGINT)  # what Ctrl-C sends
    time.sleep(0.1)
    assert not gone(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: gone(pid))


def test_the_worker_imports_nothing_of_the_page_and_the_store() -> None:
    code = (
        "import sys, assistant.llm.worker; print(*{'gradio', 'chromadb', 'langchain_core', 'typer'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout.strip() == ""
