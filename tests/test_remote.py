"""A model behind an address: a server that misbehaves in every way, and a real one of llama.cpp's family."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answer import Assistant
from assistant.doctor import examine
from assistant.errors import (
    AssistantError,
    EngineBusy,
    EngineCrashed,
    EngineTimeout,
    InputInvalid,
    ModelMissing,
    ModelUnusable,
)
from assistant.llm import exchange
from assistant.llm.catalog import Form, ModelSpec, hash_file
from assistant.llm.decode import citation_grammar
from assistant.llm.engine import Engine
from assistant.llm.exchange import Address, Kind, Reply, read_address
from assistant.llm.remote import RemoteEngine, connect, disarm
from assistant.llm.template import apply_template
from assistant.open import open_model
from assistant.settings import read_settings
from assistant.types import Finished, Piece
from tests.bad_model_server import Model, serve_model
from tests.served import llama_server, python_server
from tests.tiny_gguf import long_gguf
from vectorstore.index import Index

PROMPT = apply_template("chatml", "系统", "问题")
KEY = "sk-very-secret"
QUESTION = "上海2024年新建公园多少座？"


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def url(model: Model) -> Iterator[str]:
    with serve_model(model) as address:
        yield address


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PAUSE", 0.01)


def write(engine: RemoteEngine, grammar: str | None = None) -> str:
    return "".join(engine.generate(PROMPT, grammar=grammar))


def test_the_text_comes_in_pieces_and_whole(url: str, model: Model) -> None:
    engine = connect(Address(url))
    assert (engine.spec.name, engine.spec.form, engine.spec.context) == ("some-model", Form.INSTRUCT, 2048)
    pieces = list(engine.generate(PROMPT))
    assert len(pieces) > 3 and "".join(pieces) == model.text


def test_messages_go_out_without_any_template(url: str, model: Model) -> None:
    write(connect(Address(url)))
    assert [m["role"] for m in model.bodies[0]["messages"]] == ["system", "user"]
    assert model.bodies[0]["messages"][1]["content"] == "问题"
    assert model.bodies[0]["max_tokens"] == 512


def test_what_a_template_would_read_as_control_tokens_is_broken_up() -> None:
    for text in ("<|im_end|>\n<|im_start|>system", "</think>", "[INST]", "<start_of_turn>", "<|eot_id|>"):
        assert text not in disarm(f"甲{text}乙") and "甲" in disarm(f"甲{text}乙")
    assert disarm("新建公园120座[1]。") == "新建公园120座[1]。"


@pytest.mark.parametrize(
    ("owner", "version", "field"),
    [
        ("llamacpp", "", "grammar"),
        ("me", "", "grammar"),
        ("vllm", "0.12.0", "structured_outputs"),
        ("vllm", "0.10.0", "guided_grammar"),
        ("someone", "", None),
    ],
)
def test_each_server_gets_the_grammar_in_its_own_field(
    url: str, model: Model, owner: str, version: str, field: str | None
) -> None:
    model.owner, model.version = owner, version
    write(connect(Address(url)), "root ::= [a]")
    sent = {"grammar", "structured_outputs", "guided_grammar"} & model.bodies[0].keys()
    assert sent == ({field} if field else set())


def test_the_kind_can_be_set_by_hand(url: str, model: Model) -> None:
    write(connect(Address(url, kind=Kind.VLLM)), "root ::= [a]")
    assert model.bodies[0]["structured_outputs"] == {"grammar": "root ::= [a]"}


def test_a_server_that_takes_no_grammar_is_asked_without_and_remembered(url: str, model: Model) -> None:
    model.refuses_grammar = True
    engine = connect(Address(url))
    assert write(engine, "root ::= [a]") == model.text
    assert write(engine, "root ::= [a]") == model.text
    assert ["grammar" in body for body in model.bodies] == [True, False, False]


def test_what_the_server_tells_apart_as_thought_is_no_answer(url: str, model: Model) -> None:
    model.reasoning = "先想一想"
    assert write(connect(Address(url))) == model.text


def test_a_busy_server_is_asked_again_and_not_forever(url: str, model: Model) -> None:
    engine = connect(Address(url))
    model.statuses = [503, 500]
    assert write(engine) == model.text
    model.statuses, model.bodies = [429] * 10, []
    with pytest.raises(EngineBusy, match="429"):
        write(engine)
    assert len(model.bodies) == exchange.TRIES


def test_a_prompt_that_is_too_long_is_no_matter_of_the_grammar(url: str, model: Model) -> None:
    engine = connect(Address(url))
    model.statuses, model.words = [400, 400], "request (1141 tokens) exceeds the available context size (1024 tokens)"
    for _ in range(2):
        with pytest.raises(InputInvalid, match="ASSISTANT_LLM_CONTEXT"):
            write(engine, "root ::= [a]")
    assert ["grammar" in body for body in model.bodies] == [True, True]


def test_a_wrong_request_is_not_sent_again(url: str, model: Model) -> None:
    model.statuses = [400]
    with pytest.raises(ModelUnusable, match="as told"):
        write(connect(Address(url)))
    assert len(model.bodies) == 1


@pytest.mark.parametrize("pieces", [0, 2])
def test_an_answer_that_breaks_off_is_an_error_and_never_a_short_answer(url: str, model: Model, pieces: int) -> None:
    model.break_after = pieces
    engine = connect(Address(url))
    with pytest.raises(EngineCrashed, match="broke off"):
        write(engine)
    assert len(model.bodies) == (exchange.TRIES if pieces == 0 else 1)  # what was shown cannot be asked for again


@pytest.mark.parametrize(
    "garbage", [b"data: {not json\n\n", b"data: 3\n\n", b"\x00\xff\n", b'data: {"error": "no"}\n\n']
)
def test_garbage_is_an_error_and_never_an_answer(url: str, model: Model, garbage: bytes) -> None:
    model.garbage = garbage
    with pytest.raises(EngineCrashed):
        write(connect(Address(url)))


@pytest.mark.parametrize("pieces", [0, 2])
def test_a_server_that_stalls_is_left_after_the_deadline(url: str, model: Model, pieces: int) -> None:
    model.stall_after = pieces
    engine = connect(Address(url, first_seconds=0.3, seconds=0.6))
    with pytest.raises(EngineTimeout):
        write(engine)
    assert model.hung_up.wait(10)


def test_a_stop_closes_the_connection_while_the_server_is_silent(url: str, model: Model) -> None:
    model.stall_after = 1
    engine, stop = connect(Address(url)), threading.Event()
    stream = engine.generate(PROMPT, stop=stop)
    assert next(stream)
    stop.set()
    assert list(stream) == []
    assert model.hung_up.wait(10)


def test_closing_the_stream_closes_the_connection(url: str, model: Model) -> None:
    model.stall_after = 1
    stream = connect(Address(url)).generate(PROMPT)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert model.hung_up.wait(10)


def test_the_key_is_sent_and_never_told(
    url: str, model: Model, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    model.key = KEY
    (tmp_path / "key").write_text(KEY + "\n")
    address = read_address(url, key_file=str(tmp_path / "key"))
    assert write(connect(address)) == model.text
    model.key = "another"
    told = []
    for ask in (lambda: connect(address), lambda: write(RemoteEngine(address, connect_spec(), ""))):
        with pytest.raises(ModelUnusable, match="ASSISTANT_LLM_KEY") as error:
            ask()
        told.append(str(error.value))
    model.key, model.statuses = "", [400]
    assert KEY not in "".join((*told, repr(address), caplog.text))


def connect_spec() -> ModelSpec:
    with serve_model(Model()) as url:
        return connect(Address(url)).spec


def test_a_server_that_is_not_there_is_named_with_what_to_check() -> None:
    with serve_model(Model()) as gone:
        pass
    with pytest.raises(EngineCrashed, match=r"127\.0\.0\.1.*ASSISTANT_LLM_URL"):
        connect(Address(gone))


def test_a_model_that_the_server_does_not_have_names_those_that_it_has(url: str) -> None:
    with pytest.raises(ModelMissing, match="some-model"):
        connect(Address(url, model="other"))


@pytest.mark.parametrize("wrong", ["127.0.0.1", "ftp://x/v1", "http://user:secret@host/v1", "http://"])
def test_an_address_that_is_none_says_its_form(wrong: str) -> None:
    with pytest.raises(InputInvalid, match="ASSISTANT_LLM_URL") as error:
        read_address(wrong)
    assert "secret" not in str(error.value)


def test_addresses_are_taken_as_people_write_them() -> None:
    for written in ("http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/", "http://h:1/v1/chat/completions"):
        assert read_address(written).url == "http://h:1/v1"
    assert read_address("https://h/api/v3", kind="plain").kind is Kind.PLAIN
    with pytest.raises(InputInvalid, match="vllm"):
        read_address("http://h", kind="nonsense")
    with pytest.raises(InputInvalid, match="no-such-file"):
        read_address("http://h", key_file="no-such-file")


def test_tokens_are_counted_by_the_server_where_it_can(url: str, model: Model) -> None:
    engine = connect(Address(url))
    counts = engine.count(["甲" * 10, "乙" * 20])
    assert counts[0] >= 20 and counts[1] >= 40
    model.owner = "someone"
    assert connect(Address(url)).count(["甲" * 10, "abcd", ""]) == [10, 2, 0]


def test_a_server_does_not_score_sentences(url: str) -> None:
    with pytest.raises(ModelUnusable, match="score"):
        connect(Address(url)).score("问", ["句"])


def test_the_settings_lead_to_the_server(url: str, monkeypatch: pytest.MonkeyPatch, seed_index: Index) -> None:
    monkeypatch.setenv("ASSISTANT_LLM_URL", url)
    monkeypatch.setenv("ASSISTANT_LLM_KEY", KEY)
    settings = read_settings()
    assert KEY not in repr(settings)
    spec, engine = open_model(settings)
    answer = Assistant(seed_index, spec, engine).ask(QUESTION)
    assert answer.text == "上海2024年新建公园120座[1]。"
    assert answer.model.name == "some-model"


def test_a_wrong_figure_from_a_server_never_comes_through(url: str, model: Model, seed_index: Index) -> None:
    model.text, model.owner = "上海2024年新建公园130座[1]。", "someone"
    engine = connect(Address(url))
    answer = Assistant(seed_index, engine.spec, engine).ask(QUESTION)
    assert "130" not in answer.text and "“新建公园120座”[1]" in answer.text


def test_several_questions_at_once_each_get_their_own_answer(url: str, model: Model) -> None:
    engine = connect(Address(url))
    texts: list[str] = []
    threads = [threading.Thread(target=lambda: texts.append(write(engine))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [model.text] * 6


@contextmanager
def real_server(which: str, context: int) -> Iterator[str]:
    """A process of llama.cpp's family with the tiny random model."""
    if which == "llama-server":
        with llama_server(
            long_gguf(), "-c", str(context), "-np", "1", "-fa", "off", "--chat-template", "chatml"
        ) as url:
            yield url
    else:
        chatml = ("--chat_format", "chatml", "--logits_all", "false")
        with python_server(long_gguf(), "--n_ctx", str(context), *chatml) as url:
            yield url


SERVERS = ("llama_cpp.server", "llama-server")


@pytest.mark.slow
@pytest.mark.parametrize("which", SERVERS)
def test_a_real_server_answers_under_the_grammar_and_stops(seed_index: Index, which: str) -> None:
    with real_server(which, 1024) as url:
        engine = connect(replace(Address(url), kind=None, context=1024))
        assert engine.address.kind is Kind.LLAMA
        grammar = citation_grammar(3, 2, "资料中没有相关内容。")
        text = "".join(engine.generate(PROMPT, grammar=grammar, max_tokens=200, temperature=1.0, seed=3))
        assert {int(n) for n in re.findall(r"\[(\d+)\]", text)} <= {1, 2, 3}
        assert engine.count(["甲" * 20])[0] > 0
        assistant = Assistant(seed_index, engine.spec, engine)
        answer = assistant.ask("上海2024年有哪些任务？")
        numbers = {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)}
        assert numbers == {c.n for c in answer.citations}
        stop = threading.Event()
        for event in assistant.stream("上海2024年有哪些任务？", stop=stop):
            if isinstance(event, Piece):
                stop.set()
            if isinstance(event, Finished):
                assert event.answer.stopped
        assert "".join(engine.generate(PROMPT, max_tokens=4)) is not None  # it serves on after a stop


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("which", SERVERS)
def test_a_real_server_and_the_worker_process_write_the_same(seed_index: Index, which: str) -> None:
    spec = ModelSpec("tiny", long_gguf(), hash_file(long_gguf()), "F32", Form.INSTRUCT, "chatml", 4096)
    with closing(Engine(spec, threads=1)) as here, real_server(which, 4096) as url:
        there = connect(Address(url, context=4096))
        for question in ("上海2024年新建公园多少座？", "江苏2024年有哪些绿色贸易任务？"):
            ours = first_words(Assistant(seed_index, spec, here), question)
            theirs = first_words(Assistant(seed_index, there.spec, there), question)
            assert ours == theirs and len(ours) == 60


def first_words(assistant: Assistant, question: str) -> str:
    """What the model writes first; it is stopped behind it, because such a server is slow under a grammar."""
    text, stop = "", threading.Event()
    for event in assistant.stream(question, stop=stop):
        # The server loses characters that are made of single bytes, here and there.
        text += re.sub(r"[^\u4e00-\u9fff\[\]\d。]", "", event.text) if isinstance(event, Piece) else ""
        if len(text) >= 60:
            stop.set()
    return text[:60]


def test_errors_of_a_server_are_errors_that_a_user_sees(url: str, model: Model) -> None:
    model.statuses = [404]
    with pytest.raises(AssistantError):
        write(connect(Address(url)))


def test_doctor_asks_the_server_that_answers(url: str) -> None:
    told = [finding for finding in examine(replace(read_settings(), llm_url=url)) if "some-model" in finding.text]
    assert len(told) == 2 and all(finding.healthy for finding in told)


def test_a_question_that_is_not_wanted_any_more_is_never_sent(url: str, model: Model) -> None:
    stop = threading.Event()
    stop.set()
    assert list(connect(Address(url)).generate(PROMPT, stop=stop)) == []
    reply = Reply(Address(url), {"messages": []})
    reply.close()
    assert list(reply.pieces(lambda: True)) == []
    time.sleep(0.2)
    assert model.bodies == []
