"""Fetching a model from a server that breaks off, lies, redirects and serves something else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import DownloadFailed, InputInvalid, ModelMissing, ModelUnusable
from assistant.llm import memory
from assistant.llm.catalog import bundled, current_model, list_models, use_model, verify_model
from assistant.llm.download import Progress, download
from assistant.llm.memory import available_memory, check_memory, needed_memory, say_memory, suggest_smaller
from assistant.llm.offers import SOURCES, UNVERIFIED, Offer, Use, find_offer, list_offers, locate, read_offers
from assistant.llm.pull import FOLDER, describe, installed, name_size, pull, recorded_checksum
from assistant.llm.shelf import list_shelf
from assistant.llm.template import load_templates
from assistant.open import open_model
from assistant.settings import read_settings
from tests.bad_server import Behaviour, serve
from tests.tiny_gguf import tiny_gguf

NAME = "tiny-offer"


def _heed_interrupts() -> None:
    """Give a process Ctrl-C back: one that is started in the background, as under nohup, is told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def content() -> bytes:
    return tiny_gguf().read_bytes()


@pytest.fixture
def offer(content: bytes) -> Offer:
    model = find_offer("qwen3-1.7b")
    assert model is not None
    checksum = hashlib.sha256(content).hexdigest()
    named = {"name": NAME, "file": "tiny.gguf", "size": len(content), "sha256": checksum}
    return replace(model, **named, template="chatml", context=1024)  # type: ignore[arg-type]


@pytest.fixture
def behaviour(content: bytes) -> Behaviour:
    return Behaviour(content)


@pytest.fixture
def address(behaviour: Behaviour) -> Iterator[str]:
    with serve(behaviour) as url:
        yield url


def fetch(home: Path, address: str, offer: Offer) -> Path:
    return pull(offer.name, home, source=address, offer=offer).path


def quickly(url: str, target: Path, **options: object) -> Path:
    return download(url, target, pause=lambda _: None, **options)  # type: ignore[arg-type]


def test_a_pulled_model_can_be_chosen_and_is_whole(home: Path, address: str, offer: Offer, content: bytes) -> None:
    pulled = pull(NAME, home, source=address, offer=offer)
    assert pulled.path.read_bytes() == content
    assert pulled.verified and pulled.fetched
    assert sorted(p.name for p in pulled.path.parent.iterdir()) == ["pulled.json", "tiny.gguf"]
    assert current_model(home).name != NAME  # fetching is not choosing
    spec = use_model(home, NAME)
    assert (spec.template, spec.context, spec.sha256) == ("chatml", 1024, offer.sha256)
    verify_model(spec)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_second_pull_of_a_whole_file_asks_nobody(
    home: Path, address: str, offer: Offer, behaviour: Behaviour
) -> None:
    fetch(home, address, offer)
    again = pull(NAME, home, source=address, offer=offer)
    assert not again.fetched and len(behaviour.requests) == 1


def test_a_connection_that_breaks_off_is_gone_on_with(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.break_after = [1000, 5000, 1]
    part = quickly(address + "m", tmp_path / "m", size=len(content))
    assert part.read_bytes() == content
    asked = [headers.get("Range") for _, headers in behaviour.requests]
    assert asked == [None, "bytes=1000-", "bytes=6000-", "bytes=6001-"]


def test_what_came_before_a_lost_connection_is_kept_for_the_next_call(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.break_after = [7000, *[0] * 50]
    with pytest.raises(DownloadFailed, match=r"kept.*again"):
        quickly(address + "m", tmp_path / "m")
    assert (tmp_path / "m.part").stat().st_size == 7000
    behaviour.break_after = []
    behaviour.requests.clear()
    assert quickly(address + "m", tmp_path / "m").read_bytes() == content
    assert behaviour.requests[0][1].get("Range") == "bytes=7000-"


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    tmp_path: Path, address: str, behaviour: Behaviour
) -> None:
    behaviour.break_after = [500, *[0] * 50]
    with pytest.raises(DownloadFailed):
        quickly(address + "m", tmp_path / "m")
    behaviour.break_after, behaviour.content, behaviour.etag = [], b"something else" * 100, '"two"'
    assert quickly(address + "m", tmp_path / "m").read_bytes() == behaviour.content


def test_a_server_without_ranges_sends_it_all_again(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.ranges, behaviour.break_after = False, [5000, 9000]
    assert quickly(address + "m", tmp_path / "m").read_bytes() == content


def test_a_server_without_any_mark_is_never_gone_on_with(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.etag, behaviour.break_after = "", [5000]
    assert quickly(address + "m", tmp_path / "m").read_bytes() == content
    assert all(headers.get("Range") is None for _, headers in behaviour.requests)


def test_a_server_that_breaks_off_at_the_same_place_forever_is_given_up(
    tmp_path: Path, address: str, behaviour: Behaviour
) -> None:
    behaviour.etag, behaviour.break_after = "", [100] * 100
    with pytest.raises(DownloadFailed):
        quickly(address + "m", tmp_path / "m")
    assert len(behaviour.requests) < 10


@pytest.mark.parametrize("said", [10, 10_000_000])
def test_a_length_that_is_not_the_models_is_refused_before_anything_is_written(
    home: Path, address: str, offer: Offer, behaviour: Behaviour, said: int
) -> None:
    behaviour.length = said
    with pytest.raises(DownloadFailed, match="bytes"):
        fetch(home, address, offer)
    assert not (home / FOLDER / "tiny.gguf").exists()


def test_a_length_that_is_too_long_is_a_lost_connection_where_nobody_knows_better(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.length = len(content) + 5
    with pytest.raises(DownloadFailed):
        quickly(address + "m", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_server_that_says_no_length_is_believed_by_the_known_size_only(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.chunked = True
    assert quickly(address + "m", tmp_path / "m", size=len(content)).read_bytes() == content
    behaviour.break_after = [1000]
    with pytest.raises(DownloadFailed, match="1000"):
        quickly(address + "n", tmp_path / "n", size=len(content))


def test_redirects_are_followed_with_the_range(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.redirects = {"/m": address + "elsewhere"}
    behaviour.break_after = [3000]
    assert quickly(address + "m", tmp_path / "m").read_bytes() == content
    assert behaviour.requests[-1][0] == "/elsewhere"
    assert behaviour.requests[-1][1].get("Range") == "bytes=3000-"


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/m"])
def test_a_redirect_to_something_else_than_the_web_is_refused(
    tmp_path: Path, address: str, behaviour: Behaviour, place: str
) -> None:
    behaviour.redirects = {"/m": place}
    with pytest.raises(DownloadFailed):
        quickly(address + "m", tmp_path / "m")


def test_a_redirect_in_a_circle_ends(tmp_path: Path, address: str, behaviour: Behaviour) -> None:
    behaviour.redirects = {"/m": address + "m"}
    with pytest.raises(DownloadFailed):
        quickly(address + "m", tmp_path / "m")


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    behaviour.statuses = [503, 429, 500]
    assert quickly(address + "m", tmp_path / "m").read_bytes() == content
    behaviour.statuses, behaviour.requests = [404], []
    with pytest.raises(DownloadFailed, match=r"404.*--source"):
        quickly(address + "n", tmp_path / "n")
    assert len(behaviour.requests) == 1


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with serve(Behaviour(b"")) as gone:
        pass
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1"):
        quickly(gone + "m", tmp_path / "m")


def test_a_wrong_file_is_deleted_and_said(home: Path, address: str, offer: Offer, behaviour: Behaviour) -> None:
    behaviour.content = bytes(len(behaviour.content))
    with pytest.raises(DownloadFailed, match="deleted"):
        fetch(home, address, offer)
    assert list((home / FOLDER).iterdir()) == []
    assert NAME not in {spec.name for spec in list_models(home)}


def test_an_unknown_checksum_is_recorded_and_held_against_from_then_on(
    home: Path, address: str, offer: Offer, behaviour: Behaviour
) -> None:
    unknown = replace(offer, sha256=UNVERIFIED)
    pulled = pull(NAME, home, source=address, offer=unknown)
    assert not pulled.verified and pulled.sha256 == offer.sha256 == recorded_checksum(home, NAME)
    pulled.path.unlink()
    changed = bytearray(behaviour.content)
    changed[-1] ^= 1
    behaviour.content = bytes(changed)
    with pytest.raises(DownloadFailed, match="deleted"):
        pull(NAME, home, source=address, offer=unknown)


def test_a_page_of_words_instead_of_a_model_is_deleted_even_without_a_checksum(
    home: Path, address: str, offer: Offer, behaviour: Behaviour
) -> None:
    behaviour.content = b"<html>please log in</html>".ljust(offer.size)
    with pytest.raises(DownloadFailed, match="no model"):
        pull(NAME, home, source=address, offer=replace(offer, sha256=UNVERIFIED))
    assert recorded_checksum(home, NAME) == ""


def test_a_full_disk_is_said_before_anything_is_written(
    home: Path, address: str, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DownloadFailed, match="room"):
        fetch(home, address, offer)
    assert not (home / FOLDER / "tiny.gguf.part").exists()


def test_two_pulls_of_one_model_do_not_write_into_one_file(tmp_path: Path, address: str) -> None:
    refused: list[str] = []

    def at_once(_: int) -> None:
        with pytest.raises(DownloadFailed, match="Another process") as error:
            quickly(address + "m", tmp_path / "m")
        refused.append(str(error.value))

    quickly(address + "m", tmp_path / "m", reserve=at_once)
    assert len(refused) == 1


def test_progress_only_grows_and_ends_at_the_whole(
    tmp_path: Path, address: str, behaviour: Behaviour, content: bytes
) -> None:
    told: list[Progress] = []
    behaviour.break_after = [9000]
    quickly(address + "m", tmp_path / "m", report=told.append)
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert told[-1].done == told[-1].total == len(content)


@pytest.mark.slow
def test_ctrl_c_loses_nothing(tmp_path: Path, content: bytes) -> None:
    behaviour = Behaviour(content, break_after=[])
    code = (
        "import sys, time, pathlib\nfrom assistant.llm.download import download\n"
        "def wait(progress):\n    print(progress.done, flush=True)\n    progress.done and time.sleep(60)\n"
        "download(sys.argv[1], pathlib.Path(sys.argv[2]), report=wait)"
    )
    with serve(behaviour) as url:
        command = [sys.executable, "-c", code, url + "m", str(tmp_path / "m")]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=_heed_interrupts
        ) as process:
            assert process.stdout is not None
            while int(process.stdout.readline()) == 0:
                pass
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) != 0
        kept = (tmp_path / "m.part").stat().st_size
        assert kept > 0
        behaviour.requests.clear()
        assert quickly(url + "m", tmp_path / "m").read_bytes() == content
    assert not behaviour.requests or behaviour.requests[0][1].get("Range") == f"bytes={kept}-"


@settings(max_examples=25)
@given(breaks=st.lists(st.integers(0, 3000), max_size=8), seed=st.binary(min_size=1, max_size=20))
def test_however_it_breaks_off_the_file_is_the_file(
    breaks: list[int], seed: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = seed * 400
    behaviour = Behaviour(content, break_after=[*breaks])
    folder = tmp_path_factory.mktemp("breaks")
    with serve(behaviour) as url:
        try:
            assert quickly(url + "m", folder / "m").read_bytes() == content
        except DownloadFailed:  # too many in a row that brought nothing
            assert breaks.count(0) >= 5


def test_the_line_of_progress_names_size_rate_and_time_left() -> None:
    assert describe(Progress(512_000_000, 2_500_000_000, 12_300_000)) == "512 MB / 2.5 GB  20%  12 MB/s  2:41"
    assert describe(Progress(1_500_000_000, None, 0.0)) == "1.5 GB"
    assert describe(Progress(0, 10**12, 1e8)).endswith("2:46:40")
    assert name_size(999) == "1 kB"


def test_every_offer_is_complete_and_has_an_address_at_each_source() -> None:
    offers = list_offers()
    assert {offer.kind for offer in offers} == set(Use)
    assert len({offer.name for offer in offers}) == len({offer.file for offer in offers}) == len(offers)
    assert len({o.maker for o in offers if o.kind is Use.INSTRUCT}) >= 3
    for offer in offers:
        assert offer.size > 10**7 and offer.memory > offer.size and offer.licence and offer.languages
        assert offer.sha256 == UNVERIFIED or (len(offer.sha256) == 64 and int(offer.sha256, 16))
        assert (offer.template in load_templates() and offer.kv) if offer.kind is Use.INSTRUCT else not offer.template
        for source in SOURCES:
            if source != "modelscope" or offer.modelscope:
                assert locate(offer, source).startswith("https://") and locate(offer, source).endswith(offer.file)


def test_the_hubs_address_can_be_another_one() -> None:
    offer = list_offers()[0]
    assert locate(offer, "hf", "https://hub.example/") == (
        f"https://hub.example/{offer.repository}/resolve/{offer.revision}/{offer.file}"
    )
    assert locate(offer, "https://other.example/m.gguf") == "https://other.example/m.gguf"
    with pytest.raises(InputInvalid, match="hf-mirror"):
        locate(offer, "nowhere")
    with pytest.raises(InputInvalid, match="ModelScope"):
        locate(replace(offer, modelscope=""), "modelscope")


@pytest.mark.parametrize("change", ["size = 'x'", "colour = 1", "kind = 'novel'", ""])
def test_a_broken_table_of_offers_names_the_entry(change: str) -> None:
    with pytest.raises(ValueError, match=r"one|novel"):
        read_offers(f'[[offer]]\nname = "one"\n{change}\n')


def test_an_offered_model_that_was_not_fetched_says_how(home: Path) -> None:
    with pytest.raises(ModelMissing, match="assistant model pull qwen3-4b"):
        use_model(home, "qwen3-4b")
    with pytest.raises(ModelMissing, match="model list"):
        pull("nonesuch", home)


def test_the_list_marks_what_is_chosen_installed_and_too_large(home: Path) -> None:
    offer = find_offer("qwen3-0.6b")
    assert offer is not None and not installed(home, offer)
    place = home / FOLDER / offer.file
    place.parent.mkdir(parents=True)
    with place.open("wb") as file:
        file.truncate(offer.size)
    lines = list(list_shelf(home, available=2 * 10**9))
    assert any(line.startswith("* reader") for line in lines)
    assert any(line.startswith("✓") and offer.name in line for line in lines)
    assert any(line.startswith("!") and "qwen3-8b" in line for line in lines)


def test_a_model_that_does_not_fit_is_refused_with_the_next_smaller_one(home: Path, address: str, offer: Offer) -> None:
    fetch(home, address, offer)
    spec = use_model(home, NAME)
    need = needed_memory(spec)
    assert need > spec.path.stat().st_size
    check_memory(spec, need)
    with pytest.raises(ModelUnusable, match="assistant model use reader"):
        check_memory(spec, need - 1)
    big = find_offer("qwen3-8b")
    assert big is not None
    smaller = suggest_smaller(big.memory - 1)
    assert smaller is not None and smaller.memory < big.memory
    fits, _, larger = say_memory(2 * 10**9).partition("too large")
    assert "qwen3-1.7b" in fits and "qwen3-8b" in larger and "qwen3-8b" not in fits
    assert "too large" not in say_memory(10**12)


def test_the_container_s_limit_counts_where_it_is_lower(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 2000 kB\nMemAvailable: 1000 kB\n")
    assert available_memory(meminfo, tmp_path) == 1000 << 10
    (tmp_path / "memory.max").write_text("500000\n")
    (tmp_path / "memory.current").write_text("300000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 50000\n")
    assert available_memory(meminfo, tmp_path) == 250_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory(meminfo, tmp_path) == 1000 << 10


def test_the_record_survives_what_is_not_a_record(home: Path, address: str, offer: Offer) -> None:
    (home / FOLDER).mkdir(parents=True)
    (home / FOLDER / "pulled.json").write_text("[]")
    fetch(home, address, offer)
    assert json.loads((home / FOLDER / "pulled.json").read_text()) == {NAME: offer.sha256}


def test_a_server_that_stalls_is_left_and_asked_again(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.llm.download.TIMEOUT", 0.2)
    release = threading.Event()

    class Stalling(list[int]):
        def pop(self, index: int = -1, /) -> int:
            size = super().pop(index)
            release.wait(5)
            return size

    behaviour = Behaviour(content, break_after=Stalling([10]))
    with serve(behaviour) as url:
        assert quickly(url + "m", tmp_path / "m").read_bytes() == content
        release.set()
    assert len(behaviour.requests) == 2


def run_pull(address: str, data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_ENDPOINT": address.rstrip("/"), "ASSISTANT_DATA": str(data)}
    command = [sys.executable, "-m", "assistant", "model", "pull", "bge-small-zh", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_asks_the_set_hub_and_tells_what_is_wrong_in_one_line(
    home: Path, address: str, behaviour: Behaviour
) -> None:
    done = run_pull(address, home)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    told = done.stderr.strip().splitlines()[-1]
    assert str(len(behaviour.content)) in told and "--source" in told
    offer = find_offer("bge-small-zh")
    assert offer is not None
    assert behaviour.requests[0][0] == f"/{offer.repository}/resolve/{offer.revision}/{offer.file}"


def test_the_command_takes_an_address_of_its_own(home: Path, address: str, behaviour: Behaviour) -> None:
    done = run_pull("http://127.0.0.1:9/", home, "--source", address + "mine.gguf")
    assert done.returncode == 1 and behaviour.requests[0][0] == "/mine.gguf"


def test_an_embedding_model_is_not_chosen_for_answers(home: Path) -> None:
    with pytest.raises(ModelMissing, match="ASSISTANT_EMBEDDER"):
        use_model(home, "bge-small-zh")


def test_a_model_that_does_not_fit_is_not_even_started(
    home: Path, address: str, offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(home, address, offer)
    use_model(home, NAME)
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    settings = replace(read_settings(), data=home)
    with pytest.raises(ModelUnusable, match="ASSISTANT_IGNORE_MEMORY"):
        open_model(settings)
    spec, engine = open_model(replace(settings, ignore_memory=True))
    engine.close()
    assert spec.name == NAME
    use_model(home, bundled().name)  # small enough for any machine, so it is never asked about
    open_model(settings)[1].close()


@pytest.mark.slow
def test_ctrl_c_in_the_command_keeps_what_came_and_says_so(tmp_path: Path) -> None:
    offer = find_offer("bge-small-zh")
    assert offer is not None
    behaviour = Behaviour(bytes(offer.size), break_after=[1 << 20, *[0] * 20])
    data = tmp_path / "data"
    with serve(behaviour) as url:
        environment = {**os.environ, "HF_ENDPOINT": url.rstrip("/"), "ASSISTANT_DATA": str(data)}
        command = [sys.executable, "-m", "assistant", "model", "pull", offer.name]
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts
        ) as process:
            part = data / FOLDER / f"{offer.file}.part"
            while not part.exists() or part.stat().st_size < 1 << 20:
                assert process.poll() is None
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in told and "kept" in told
    assert part.stat().st_size == 1 << 20
