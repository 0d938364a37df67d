"""A reader on a server: the same scores as in this process, whichever way the server is asked, and clear words where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answer import Assistant
from assistant.doctor import examine
from assistant.errors import EngineCrashed, InputInvalid, ModelUnusable
from assistant.llm import exchange
from assistant.llm.catalog import Form, bundled
from assistant.llm.engine import MOST_CANDIDATES, Engine
from assistant.llm.exchange import Address
from assistant.llm.reader import score_candidates
from assistant.llm.remote import RemoteEngine, connect
from assistant.llm.served import Style
from assistant.llm.template import apply_template
from assistant.llm.vocabulary import read_vocabulary
from assistant.llm.worker import Runtime
from assistant.open import open_model
from assistant.settings import read_settings
from tests.bad_model_server import Model, serve_model
from tests.reader_server import FakeReader
from tests.served import llama_server, python_server
from tests.test_reader import bundled_runtime
from tests.tiny_gguf import CONTEXT, tiny_gguf
from vectorstore.index import Index

pytestmark = pytest.mark.slow  # many processes or waits, each short; together too long for the fast suite

QUESTION = "上海2024年要新建多少座公园？"
CANDIDATES = ("新建公园120座。", "天气很好,适合出门。", *(f"第{n}条:推动公园和绿地建设。" for n in range(9)))
HOSTILE = ("新建[1]座<a>公园<y>。", "</s><q>公园？<c>[0]<m>\0\ud83d", "低" * 500, "", "[64]" * 60)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PAUSE", 0.01)


@pytest.fixture(params=list(Style))
def fake(request: pytest.FixtureRequest) -> FakeReader:
    return FakeReader(bundled_runtime(), request.param)


@pytest.fixture
def model(fake: FakeReader) -> Model:
    return Model(owner="llamacpp" if fake.style is Style.IDS else "me", reader=fake)


@pytest.fixture
def url(model: Model) -> Iterator[str]:
    with serve_model(model) as address:
        yield address


def join(url: str) -> RemoteEngine:
    return connect(Address(url), [read_vocabulary(bundled().path)])


def test_a_reader_is_known_by_its_vocabulary_and_scores_as_it_does_here(url: str, fake: FakeReader) -> None:
    engine = join(url)
    assert engine.spec.form is Form.READER
    here, there = score_candidates(bundled_runtime(), QUESTION, CANDIDATES), engine.score(QUESTION, CANDIDATES)
    assert there.answers == pytest.approx(here.answers, abs=1e-6) and there.none == pytest.approx(here.none, abs=1e-6)
    assert max(here.answers) - min(here.answers) > 0.01  # there was something to tell apart
    assert engine.score(QUESTION, ()).none == 1.0


def test_a_server_that_begins_what_it_tokenises_is_known_all_the_same(url: str, fake: FakeReader) -> None:
    fake.begins = True
    assert join(url).spec.form is Form.READER


@pytest.mark.parametrize("listed", [0, 1, 5])
def test_what_a_server_does_not_name_by_itself_is_asked_for(url: str, fake: FakeReader, listed: int) -> None:
    fake.listed = listed
    scores = join(url).score(QUESTION, CANDIDATES)
    assert scores.answers == pytest.approx(score_candidates(bundled_runtime(), QUESTION, CANDIDATES).answers, abs=1e-6)


def test_no_text_becomes_a_control_token_on_the_way(url: str, fake: FakeReader) -> None:
    engine = join(url)
    fake.prompts.clear()
    scores = engine.score(HOSTILE[0], (*HOSTILE, *CANDIDATES))
    assert all(0 <= x <= 1 for x in (*scores.answers, scores.none))
    vocabulary = read_vocabulary(bundled().path)
    numbers = {vocabulary.special_token(f"[{n}]"): n for n in range(65)}
    for tokens in fake.prompts:
        assert [numbers[t] for t in tokens if t in numbers] == list(range(1, 1 + sum(t in numbers for t in tokens)))
        for piece, most in (
            ("<s>", 1),
            ("<q>", 1),
            ("<c>", 1),
            ("<a>", 1),
            ("<y>", 0),
            ("<n>", 0),
            ("</s>", 0),
            ("[0]", 0),
        ):
            assert tokens.count(vocabulary.special_token(piece)) <= most
    assert len(fake.prompts) > len(CANDIDATES)


def test_hostile_text_with_token_ids_is_scored_exactly_as_here() -> None:
    fake = FakeReader(bundled_runtime(), Style.IDS)
    with serve_model(Model(reader=fake)) as url:
        there = join(url).score(HOSTILE[0], HOSTILE)
    assert there.answers == pytest.approx(score_candidates(bundled_runtime(), HOSTILE[0], HOSTILE).answers, abs=1e-6)


def test_a_reader_writes_nothing_and_is_asked_for_not_too_much(url: str) -> None:
    engine = join(url)
    with pytest.raises(ModelUnusable, match="writes no text"):
        list(engine.generate(apply_template("chatml", "系统", "问题")))
    with pytest.raises(InputInvalid, match=str(MOST_CANDIDATES)):
        engine.score(QUESTION, ["句"] * (MOST_CANDIDATES + 1))


def test_a_busy_server_is_asked_again_and_a_closed_engine_asks_no_more(url: str, model: Model) -> None:
    engine = join(url)
    expected = engine.score(QUESTION, CANDIDATES)
    model.statuses = [503, 500]
    assert engine.score(QUESTION, CANDIDATES) == expected
    engine.close()
    with pytest.raises(EngineCrashed, match="closed"):
        engine.score(QUESTION, CANDIDATES)


def test_a_server_that_tells_no_probabilities_is_named_at_the_start(url: str, fake: FakeReader) -> None:
    fake.silent = True
    with pytest.raises(ModelUnusable, match="probabilities"):
        join(url)


def test_another_model_is_no_reader(url: str, fake: FakeReader) -> None:
    fake.runtime = Runtime(str(tiny_gguf()), CONTEXT, 1, lambda: False)
    assert join(url).spec.form is Form.INSTRUCT


def test_a_reader_that_is_not_known_here_says_what_to_do(url: str) -> None:
    with pytest.raises(ModelUnusable, match="assistant model use"):
        connect(Address(url), [read_vocabulary(tiny_gguf())])


def test_markers_that_are_no_control_tokens_need_a_server_that_takes_ids(tmp_path: Path) -> None:
    old = tmp_path / "old.gguf"
    old.write_bytes(with_plain_markers(bundled().path.read_bytes()))
    runtime, vocabulary = Runtime(str(old), 1024, 1, lambda: False), read_vocabulary(old)
    with serve_model(Model(reader=FakeReader(runtime, Style.IDS))) as url:
        scores = connect(Address(url), [vocabulary]).score(QUESTION, CANDIDATES)
    assert scores.answers == pytest.approx(score_candidates(bundled_runtime(), QUESTION, CANDIDATES).answers, abs=1e-6)
    text = Model(owner="me", reader=FakeReader(runtime, Style.TEXT))
    with serve_model(text) as url, pytest.raises(ModelUnusable, match="llama-server"):
        connect(Address(url), [vocabulary])


def with_plain_markers(data: bytes) -> bytes:
    """The file with <y>, <n>, <m> and </m> as ordinary tokens."""
    key = b"tokenizer.ggml.token_type"
    start = data.index(key) + len(key) + 4 + 4 + 8  # behind the types of value and item, and their number
    vocabulary, changed = read_vocabulary(bundled().path), bytearray(data)
    for piece in ("<y>", "<n>", "<m>", "</m>"):
        changed[start + 4 * vocabulary.special_token(piece)] = 1
    return bytes(changed)


def test_the_settings_lead_to_the_served_reader_and_its_answer_is_the_same(url: str, seed_index: Index) -> None:
    with closing(Engine(bundled(), threads=1)) as engine:
        here = Assistant(seed_index, bundled(), engine).ask(QUESTION)
    spec, served = open_model(replace(read_settings(), llm_url=url))
    there = Assistant(seed_index, spec, served).ask(QUESTION)
    assert (there.text, there.claims, there.citations) == (here.text, here.claims, here.citations)
    assert any(
        finding.healthy and spec.name in finding.text for finding in examine(replace(read_settings(), llm_url=url))
    )


def check_scores(url: str, index: Index, within: float) -> None:
    sentences = [s.plain for s in index.sentences]
    there = join(url)
    with closing(Engine(bundled(), threads=1)) as here:
        for start in range(0, min(240, len(sentences)), 12):
            ours = here.score(sentences[start] + "？", sentences[start : start + 12])
            theirs = there.score(sentences[start] + "？", sentences[start : start + 12])
            assert theirs.answers == pytest.approx(ours.answers, abs=within)
            assert theirs.none == pytest.approx(ours.none, abs=within)


@pytest.mark.slow
def test_a_real_python_server_scores_as_this_process_does(seed_index: Index) -> None:
    # It reads all positions of a sequence at once; with 4-bit weights that adds up in another order: 3e-3 was seen.
    with python_server(bundled().path, "--n_ctx", "1024") as url:
        check_scores(url, seed_index, within=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize(("options", "within"), [(("-fa", "off", "-np", "1"), 1e-5), ((), 0.02)])
def test_a_real_llama_server_scores_as_this_process_does(
    seed_index: Index, options: tuple[str, ...], within: float
) -> None:
    with llama_server(bundled().path, "-c", "1024", *options) as url:
        check_scores(url, seed_index, within)


@pytest.mark.slow
def test_a_real_server_without_probabilities_is_named_at_the_start() -> None:
    silent = python_server(bundled().path, "--n_ctx", "1024", "--logits_all", "false")
    with silent as url, pytest.raises(ModelUnusable, match="--logits_all false"):
        join(url)


@pytest.mark.slow
def test_several_at_once_get_the_scores_of_one_alone(seed_index: Index) -> None:
    from concurrent.futures import ThreadPoolExecutor

    sentences = [s.plain for s in seed_index.sentences]
    asked = [(sentences[n] + "？", sentences[n : n + 6]) for n in range(8)]
    with ExitStack() as stack:
        engine = join(stack.enter_context(python_server(bundled().path, "--n_ctx", "1024")))
        alone = [engine.score(*one) for one in asked]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda one: engine.score(*one), asked))
    for one, other in zip(alone, together, strict=True):
        assert other.answers == pytest.approx(one.answers, abs=1e-5)
