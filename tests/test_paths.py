"""The bundled reader through every path: in this process, on servers of llama.cpp's family, LangChain, Python, the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import assistant.api
from assistant.langchain import ChatPolicyAssistant, PolicyChain
from assistant.llm.catalog import Form, bundled
from assistant.open import open_assistant
from assistant.settings import Settings, read_settings
from tests.conftest import ROOT
from tests.served import llama_server, python_server

pytestmark = pytest.mark.slow

EVERY = 29  # of the labelled questions: all kinds of them, answered and refused


@pytest.fixture(scope="module")
def questions() -> list[str]:
    rows = (ROOT / "seeds" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row)["turns"][0] for row in rows[::EVERY]]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return replace(read_settings(), data=tmp_path_factory.mktemp("paths"))


@pytest.fixture(scope="module")
def here(settings: Settings, questions: list[str]) -> list[dict[str, Any]]:
    """What this process answers."""
    answers = ask(settings, questions)
    assert 0 < sum(answer["refused"] for answer in answers) < len(answers)
    return answers


def ask(settings: Settings, questions: list[str]) -> list[dict[str, Any]]:
    with closing(open_assistant(settings)) as opened:
        assert opened.model.form is Form.READER
        return [public(opened.ask(question).to_json()) for question in questions]


def public(answer: dict[str, Any]) -> dict[str, Any]:
    """All that an answer says, without how long it took and where the model ran."""
    return {key: value for key, value in answer.items() if key not in ("seconds", "model")}


@pytest.mark.timeout(600)
def test_llama_cpp_pythons_server_gives_the_same_answers(
    settings: Settings, questions: list[str], here: list[dict[str, Any]]
) -> None:
    with python_server(bundled().path, "--n_ctx", "1024") as url:
        assert ask(replace(settings, llm_url=url), questions) == here


@pytest.mark.timeout(600)
@pytest.mark.parametrize("options", [(), ("-fa", "off", "-np", "1")], ids=["default", "exact"])
def test_llama_server_gives_the_same_answers(
    settings: Settings, questions: list[str], here: list[dict[str, Any]], options: tuple[str, ...]
) -> None:
    with llama_server(bundled().path, "-c", "1024", *options) as url:
        assert ask(replace(settings, llm_url=url), questions) == here


def test_python_gives_the_same_answers(settings: Settings, questions: list[str], here: list[dict[str, Any]]) -> None:
    with assistant.api.Assistant.open(settings.data) as opened:
        assert [public(opened.ask(question).to_json()) for question in questions] == here


def test_python_over_documents_in_memory_gives_the_same_words(
    settings: Settings, questions: list[str], here: list[dict[str, Any]]
) -> None:
    with assistant.api.Assistant.over([Path(settings.seeds)]) as opened:
        answers = [public(opened.ask(question).to_json()) for question in questions]
    assert [{**answer, "index": None} for answer in answers] == [{**answer, "index": None} for answer in here]


@pytest.fixture
def chain(settings: Settings) -> Iterator[PolicyChain]:
    made = PolicyChain(ChatPolicyAssistant(assistant=assistant.api.Assistant.open(settings.data)))
    yield made
    made.close()


def test_langchain_gives_the_same_answers(chain: PolicyChain, questions: list[str], here: list[dict[str, Any]]) -> None:
    messages = [chain.invoke(question) for question in questions]
    assert [public(message.response_metadata["answer"]) for message in messages] == here
    assert [message.text for message in messages] == [answer["answer"] for answer in here]


@pytest.mark.timeout(600)
def test_the_command_line_gives_the_same_answers(
    settings: Settings, questions: list[str], here: list[dict[str, Any]]
) -> None:
    environment = {**os.environ, "ASSISTANT_DATA": str(settings.data)}
    for question, expected in list(zip(questions, here, strict=True))[:3]:
        command = [sys.executable, "-m", "assistant", "ask", "--json", question]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=True)
        assert public(json.loads(done.stdout)) == expected
