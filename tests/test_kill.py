"""kill -9 at random moments of a build: the old generation always answers, and the next build succeeds."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.made_documents import REVIEW_2023, TASKS_2024, make_parsed
from vectorstore import generation
from vectorstore.build import build_parsed
from vectorstore.embed import HashingEmbedder
from vectorstore.index import Index
from vectorstore.types import ParsedDocument

_EMBEDDER = HashingEmbedder(64)
_KILLS = 50
_SENTENCES = 1200  # more than the 1000 after which Chroma writes its graph
_LIMIT = 200_000_000  # bytes on disk; five generations' worth, so that a leak is seen long before it hurts

# Says when it starts, then builds one corpus after the other until it is killed.
_CHILD = """
import itertools, pathlib, sys
from tests import test_kill
print("started", flush=True)
for turn in itertools.count():
    test_kill.build(pathlib.Path(sys.argv[1]), test_kill.make_corpus(turn % 2))
    print("built", flush=True)
"""


def make_corpus(turn: int) -> list[ParsedDocument]:
    """One of two corpora, of which no sentence stands in the other."""
    place, labels = (("东", REVIEW_2023), ("西", TASKS_2024))[turn]
    body = "".join(f"{place}区第{n}号工程新建公园{n * 7 + turn}座。" for n in range(_SENTENCES // 2))
    return [make_parsed(f"{name}{turn}.txt", {labels: body}) for name in ("a", "b")]


def build(data: Path, corpus: list[ParsedDocument]) -> None:
    """Make a corpus the current one."""
    build_parsed(corpus, data=data, embedder=_EMBEDDER)


@pytest.fixture
def kill_data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    shutil.rmtree(tmp_path / "data", ignore_errors=True)


def _size(data: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in data.rglob("*") if path.is_file())


def _start(data: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "passive"}
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(data)], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "started\n"
    return child


def _check_answers(data: Path) -> str:
    """Open the index as a reader would; the corpus has to be whole, and one of the two."""
    index = Index.open(data, _EMBEDDER)
    try:
        turn = int("a1.txt" in {p.document.source for p in index.documents})
        expected = make_corpus(turn)
        assert index.documents == tuple(expected)
        for asked in (expected[0].sentences[17], expected[1].sentences[-1]):
            hits = index.search(asked.plain, 2)
            assert {hit.sentence.plain for hit in hits} == {asked.plain}, "each sentence stands once in both documents"
        return index.manifest.generation
    finally:
        index.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_old_generation_answers_after_every_kill_and_the_next_build_succeeds(kill_data: Path) -> None:
    moments = random.Random(20240815)
    began = time.monotonic()
    build(kill_data, make_corpus(0))
    one_build = time.monotonic() - began
    unfinished = 0
    generations = {_check_answers(kill_data)}
    for _ in range(_KILLS):
        child = _start(kill_data)
        time.sleep(moments.uniform(0, 1.5 * one_build))
        child.kill()
        child.communicate()
        folders = [path for path in (kill_data / "generations").iterdir() if path.is_dir()]
        unfinished += any(not (path / "manifest.json").exists() for path in folders)
        generations.add(_check_answers(kill_data))
        with generation.writing(kill_data):
            pass  # the lock is free at once
        assert _size(kill_data) < _LIMIT
    assert unfinished >= _KILLS // 4, "the kills came too late or too early to mean anything"
    assert len(generations) > 2, "no build came through between the kills"
    build(kill_data, make_corpus(1))
    _check_answers(kill_data)
    assert len(list((kill_data / "generations").iterdir())) == 2
    assert [path.name for path in (kill_data / "copies").iterdir()] == ["GUARD"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_reader_that_stays_open_finds_only_whole_generations_while_others_build(kill_data: Path) -> None:
    build(kill_data, make_corpus(0))
    index = Index.open(kill_data, _EMBEDDER)
    child = _start(kill_data)
    seen = set()
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            newer = index.current()
            if newer is not index:
                index.close()
                index = newer
            seen.add(index.manifest.generation)
            sentence = index.sentences[23]
            assert index.search(sentence.plain, 2)[0].sentence.plain == sentence.plain
    finally:
        child.kill()
        child.communicate()
        index.close()
    assert len(seen) > 2
