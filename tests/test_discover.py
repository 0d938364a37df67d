"""Servers as people have them: Ollama, LM Studio, llama-server, one behind a prefix; addresses and names as people write them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from importlib.metadata import PackageNotFoundError, version

import pytest

from assistant import doctor
from assistant.answer import Assistant
from assistant.doctor import examine
from assistant.errors import EngineBusy, EngineCrashed, ModelMissing, ModelUnusable
from assistant.llm import exchange
from assistant.llm.discover import Served, discover
from assistant.llm.exchange import Address, Kind, read_address
from assistant.llm.remote import connect
from assistant.llm.template import apply_template
from assistant.settings import read_settings
from tests.bad_model_server import Model, serve_model
from tests.conftest import ROOT
from vectorstore.index import Index

QUESTION = "上海2024年新建公园多少座？"
OLLAMA = ("nomic-embed-text:latest", "qwen3:4b", "llama3.2:latest")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PAUSE", 0.01)


@contextmanager
def look(model: Model, path: str = "", name: str = "") -> Iterator[Served]:
    """What is found at an address as somebody wrote it."""
    with serve_model(model) as url:
        yield discover(read_address(url.removesuffix("/v1") + path, model=name))


def ollama(**changes: object) -> Model:
    gets = {
        "/api/version": {"version": "0.13.1"},
        "/api/ps": {"models": [{"name": "qwen3:4b", "context_length": 8192}]},
    }
    return replace(Model(owner="library", names=OLLAMA, gets=gets), **changes)  # type: ignore[arg-type]


def test_ollama_is_known_and_a_model_that_writes_is_taken() -> None:
    with look(ollama()) as served:
        assert (served.address.kind, served.model, served.context) == (Kind.OLLAMA, "qwen3:4b", 8192)
        assert served.others == ("llama3.2:latest",)


@pytest.mark.parametrize("name", ["llama3.2", "llama3.2:latest", "Llama3.2"])
def test_ollamas_names_are_taken_without_their_tag(name: str) -> None:
    with look(ollama(), name=name) as served:
        assert served.model == "llama3.2:latest"


def test_ollama_is_told_not_to_think_and_gets_no_grammar() -> None:
    model = ollama()
    with serve_model(model) as url:
        "".join(connect(Address(url)).generate(apply_template("chatml", "", "问"), grammar="root ::= [a]"))
    assert model.bodies[0]["reasoning_effort"] == "none"
    assert not {"grammar", "repeat_penalty", "chat_template_kwargs"} & model.bodies[0].keys()
    assert model.bodies[0]["max_tokens"] > 512  # a thought that comes all the same leaves room for the answer


def test_lm_studio_is_known_by_its_makers_names_and_says_how_much_was_loaded() -> None:
    gets = {"/api/v0/models": {"data": [{"id": "qwen/qwen3-4b", "loaded_context_length": 6000}]}}
    model = Model(owner="organization_owner", names=("text-embedding-nomic", "qwen/qwen3-4b"), gets=gets)
    with look(model) as served:
        assert (served.address.kind, served.model, served.context) == (Kind.PLAIN, "qwen/qwen3-4b", 6000)
    with look(model, name="qwen3-4b") as served:
        assert served.model == "qwen/qwen3-4b"


@pytest.mark.parametrize(
    ("base", "written"),
    [
        *(
            ("/v1", path)
            for path in ("", "/", "/v1", "/v1/", "/v1/models", "/v1/chat/completions", "/api", "/api/chat")
        ),
        *(("/llm/v1", path) for path in ("/llm", "/llm/", "/llm/v1", "/llm/v1/chat/completions")),
        ("/api/v3", "/api/v3"),
    ],
)
def test_the_address_is_found_however_it_was_written(base: str, written: str) -> None:
    with look(Model(base=base), written) as served:
        assert served.address.url.endswith(base)
        assert served.model == "some-model"


def test_a_bare_host_and_port_is_an_address() -> None:
    with serve_model(Model()) as url:
        served = discover(read_address(url.removeprefix("http://").removesuffix("/v1")))
    assert served.address.url == url


def test_a_page_that_is_no_list_of_models_is_not_taken_for_one() -> None:
    with look(Model(base="/llm/v1", gets={"/llm/models": {"error": "Unexpected endpoint"}}), "/llm") as served:
        assert served.address.url.endswith("/llm/v1")
    with pytest.raises(ModelMissing, match="ASSISTANT_LLM_URL"), look(Model(gets={"/v1/models": {"error": "no"}})):
        pass


def test_a_server_without_a_list_answers_when_its_model_is_named() -> None:
    model = Model(owner="someone", gets={"/v1/models": 404})
    with serve_model(model) as url:
        with pytest.raises(ModelMissing):
            connect(Address(url))
        engine = connect(Address(url, model="mine"))
        assert "".join(engine.generate(apply_template("chatml", "", "问"))) == model.text
    assert model.bodies[0]["model"] == "mine"


def test_a_server_that_is_still_loading_is_waited_for_and_not_forever() -> None:
    with look(Model(loading=[503, 503])) as served:
        assert served.model == "some-model"
    with pytest.raises(EngineBusy, match="Loading model"), look(Model(loading=[503] * 9)):
        pass


def test_a_server_that_is_not_there_is_asked_at_one_address_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_model(Model()) as gone:
        pass
    asked: list[str] = []
    real = exchange._connect

    def noting(address: Address, seconds: float) -> HTTPConnection:
        asked.append(address.url)
        return real(address, seconds)

    monkeypatch.setattr(exchange, "_connect", noting)
    with pytest.raises(EngineCrashed, match=r"127\.0\.0\.1.*ASSISTANT_LLM_URL"):
        discover(read_address(gone.removesuffix("/v1") + "/llm"))
    assert len(asked) == 1


def test_something_else_in_the_place_of_a_server_is_named() -> None:
    other = Model(base="/none", gets={"/v1/models": 200})
    with serve_model(other) as url, pytest.raises(ModelMissing, match="ASSISTANT_LLM_URL"):
        discover(read_address(url))


def test_a_model_that_is_named_by_its_file_is_called_by_its_name_and_asked_by_its_path() -> None:
    model = Model(owner="me", names=("/home/someone/models/qwen3-4b.gguf",))
    with serve_model(model) as url:
        engine = connect(Address(url))
        "".join(engine.generate(apply_template("chatml", "", "问")))
    assert engine.spec.name == "qwen3-4b"
    assert model.bodies[0]["model"] == "/home/someone/models/qwen3-4b.gguf"


@pytest.mark.parametrize("wanted", ["qwen3", "4b", "qwen3:4"])
def test_a_name_that_fits_none_is_told_with_those_that_are_there(wanted: str) -> None:
    with pytest.raises(ModelMissing, match="qwen3:4b"), look(ollama(), name=wanted):
        pass


@pytest.mark.parametrize("apart", [True, False])
def test_a_model_that_only_thought_is_an_error_and_no_refusal(seed_index: Index, apart: bool) -> None:
    thought = "先想想:上海2024年新建公园120座[1]。"
    model = Model(owner="someone", text="" if apart else f"<think>{thought}", finish="length")
    model.reasoning = thought if apart else ""
    with serve_model(model) as url:
        engine = connect(Address(url))
        with pytest.raises(ModelUnusable, match="thinking"):
            Assistant(seed_index, engine.spec, engine).ask(QUESTION)
        model.text, model.finish = "上海2024年新建公园120座[1]。", "stop"
        assert "120" in Assistant(seed_index, engine.spec, engine).ask(QUESTION).text


def absent(name: str) -> str:
    if name == "llama-cpp-python":
        raise PackageNotFoundError(name)
    return version(name)


def test_doctor_needs_no_llama_cpp_where_a_server_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", absent)
    settings = read_settings()
    with serve_model(ollama()) as url:
        found = {f.text.split("：")[0]: f for f in examine(replace(settings, llm_url=url))}
        beside = {f.text.split("：")[0]: f for f in examine(replace(settings, llm_url=url, embedder="model.gguf"))}
    missing = found["llama-cpp-python"]
    assert missing.healthy and missing.mark == "·" and "not needed" in missing.text
    assert any("llama3.2:latest" in f.text and "ASSISTANT_LLM_MODEL" in f.text for f in found.values())
    assert not beside["llama-cpp-python"].healthy  # the search needs it
    for other in (replace(settings, llm_url=url), settings):  # the server is gone; there is none
        alone = {f.text.split("：")[0]: f for f in examine(other)}
        assert not alone["llama-cpp-python"].healthy and alone["llama-cpp-python"].mark == "✗"


@pytest.mark.slow
def test_a_question_is_answered_by_a_server_where_llama_cpp_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['llama_cpp'] = None; sys.argv = ['assistant', 'ask', sys.argv[1]]\n"
        "from assistant.__main__ import main\nmain()"
    )
    with serve_model(ollama()) as url:
        environment = {"ASSISTANT_LLM_URL": url.removesuffix("/v1"), "PATH": "/usr/bin:/bin"}
        data = read_settings().data
        done = subprocess.run(
            [sys.executable, "-c", code, QUESTION],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**environment, "ASSISTANT_DATA": str(data)},
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "120" in done.stdout
