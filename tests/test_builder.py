"""The builder: one index at a time, in a process of its own; what fails leaves the old one and says why."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.library.background import Builder
from assistant.library.keep import Library
from assistant.open import open_index
from assistant.settings import Settings
from tests.test_library import NEW, read_here
from vectorstore.generation import read_pointer, writing

# What a process that builds may do, said in a line each; it is run as the real one is.
_SLEEPS = "import sys; sys.stdin.read()"
_DIES = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
_FAILS = 'print(\'{"stage": "embed", "done": 1, "total": 2}\'); print(\'{"problem": "磁盘满了。 Full."}\')'
_WORKS = 'print(\'{"built": "g"}\')'


class Counted:
    """Counts the builds that were heard of."""

    def __init__(self) -> None:
        self.built = 0

    def __call__(self) -> None:
        self.built += 1


def make(tmp_path: Path, boot: str) -> tuple[Builder, Counted]:
    counted = Counted()
    return Builder(tmp_path, None, counted, boot), counted


def test_a_build_is_heard_of_and_a_request_meanwhile_makes_one_more(tmp_path: Path) -> None:
    log = tmp_path / "log"
    gate = tmp_path / "gate"
    waits = (
        f"import pathlib, time\nwith open({str(log)!r}, 'a') as f: f.write('x')\n"
        f"while not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)\n{_WORKS}"
    )
    builder, counted = make(tmp_path, waits)
    builder.request()
    while not log.exists():
        threading.Event().wait(0.01)
    for _ in range(5):
        builder.request()
    assert builder.state.running
    gate.write_text("")
    assert builder.wait(60)
    assert (log.read_text(), counted.built, builder.state.builds) == ("xx", 2, 2)


@pytest.mark.parametrize(("boot", "said"), [(_FAILS, "磁盘满了"), (_DIES, "意外结束（-9）"), ("x =", "意外结束（1）")])
def test_a_build_that_fails_says_why_and_the_next_one_is_not_hindered(tmp_path: Path, boot: str, said: str) -> None:
    builder, counted = make(tmp_path, boot)
    builder.request()
    assert builder.wait(60)
    assert said in builder.state.problem
    assert counted.built == 0
    builder._boot = _WORKS
    builder.request()
    assert builder.wait(60)
    assert (builder.state.problem, counted.built) == ("", 1)


def test_closing_kills_what_runs_and_nothing_begins_after_it(tmp_path: Path) -> None:
    builder, counted = make(tmp_path, _SLEEPS)
    builder.request()
    while builder._process is None:
        threading.Event().wait(0.01)
    builder.close()
    assert builder.wait(60)
    builder.request()
    assert not builder.state.running
    assert counted.built == 0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("上海市2024年主要任务\n\n新建公园120座。\n", encoding="utf-8")
    return Settings(seeds=tmp_path / "corpus", data=tmp_path / "data")


@pytest.fixture
def builder(settings: Settings) -> Iterator[Builder]:
    made = Builder(settings.data, None, lambda: None)
    yield made
    made.close()


def add(library: Library, data: bytes, name: str) -> None:
    received = library.receive()
    received.write_bytes(data)
    library.add(received, name, [])


@pytest.mark.slow
def test_the_real_process_builds_waits_for_another_and_leaves_the_old_index_where_it_fails(
    settings: Settings, builder: Builder
) -> None:
    index = open_index(settings)
    library = Library(settings.data, read=read_here)
    add(library, NEW, "风电.txt")
    with writing(settings.data):
        builder.request()
        while builder.state.stage != "wait":
            assert builder.state.running
            threading.Event().wait(0.05)
        assert len(index.current().documents) == 1
    assert builder.wait(120)
    assert builder.state.problem == ""
    index = index.current()
    assert [p.document.source for p in index.documents] == ["a.txt", "added/风电.txt"]
    before = read_pointer(settings.data)
    add(library, NEW + "再建一座。".encode(), "二.txt")
    next((library.shelf.folder / "parsed").glob("*.json")).write_text("{", encoding="utf-8")
    builder.request()
    assert builder.wait(120)
    assert "损坏" in builder.state.problem
    assert read_pointer(settings.data) == before
    assert len(index.current().documents) == 2
    index.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_ends_when_the_one_that_started_it_is_gone(settings: Settings) -> None:
    import subprocess

    from assistant.library.background import _BOOT, _ROOT

    open_index(settings).close()
    order = f'{{"data": "{settings.data}", "embedder": null}}'
    with writing(settings.data):  # it waits, for as long as it lives
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, _ROOT, order], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdin is not None
        assert b"wait" in process.stdout.readline()
        process.stdin.close()  # as the system does when the parent dies
        assert process.wait(60) == 1
