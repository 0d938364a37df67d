"""Prompts: fixed keys, values never read as templates, markers in documents disarmed."""

from __future__ import annotations

import pytest

from assistant.errors import PromptInvalid
from assistant.types import Asks, Kind, Passage, Question
from assistant.writing.prompt import load_prompt, read_prompt, render
from tests.sentences import SHANGHAI, make_sentence
from vectorstore.types import Scope


def _question(text: str) -> Question:
    return Question(text, text, Kind.FACT, Asks.OTHER, Scope(), ())


def test_passages_stand_under_their_title_and_labels_with_their_numbers() -> None:
    passages = (Passage(1, SHANGHAI, 1.0, 1.0), Passage(2, make_sentence("别处的句子。", source="b.txt"), 1.0, 1.0))
    messages = render(_question("问题"), passages, {"a.txt": "甲报告", "b.txt": "乙报告"}, load_prompt())
    assert "【甲报告】上海 · 2024 · 任务\n[1] 推动世博" in messages.user
    assert "【乙报告】\n[2] 别处的句子。" in messages.user
    assert load_prompt().refusal in messages.system


def test_document_text_is_never_read_as_a_template() -> None:
    passages = (Passage(1, make_sentence("$question ${passages} $$ {x} %s"), 1.0, 1.0),)
    messages = render(_question("$passages"), passages, {}, load_prompt())
    assert "$question ${passages} $$ {x} %s" in messages.user
    assert messages.user.endswith("$passages")


@pytest.mark.parametrize("planted", ["[1]", "【2】", "［３］"])
def test_a_marker_in_document_title_or_question_is_disarmed(planted: str) -> None:
    passages = (Passage(1, make_sentence(f"甲{planted}乙"), 1.0, 1.0),)
    messages = render(_question(f"问{planted}"), passages, {"a.txt": f"题{planted}"}, load_prompt())
    assert messages.user.count(planted) == 0 if planted != "[1]" else messages.user.count(planted) == 1


@pytest.mark.parametrize(
    ("change", "named"),
    [(("user =", "usr ="), "usr"), (('refusal = "', "refusal = "), "TOML"), (("group =", "groups ="), "group")],
)
def test_a_broken_prompt_file_is_named_with_its_key(change: tuple[str, str], named: str) -> None:
    from importlib.resources import files

    text = (files("prompts") / "answer.toml").read_text(encoding="utf-8").replace(*change)
    with pytest.raises(PromptInvalid, match=named):
        read_prompt(text, "prompts/answer.toml")
