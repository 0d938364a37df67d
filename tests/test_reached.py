"""What is worked on is not reached: the year of a section is no answer to when."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from tests.answer_fakes import FakeEngine
from tests.made_documents import make_parsed
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.types import Labels, Part


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        ("北京什么时候实现碳中和？", "积极稳妥推进碳达峰碳中和。", False),
        ("北京哪一年达峰？", "稳步推进碳达峰行动。", False),
        ("北京什么时候开工建设第三条特高压通道？", "推动第三条特高压通道开工。", True),
        ("北京什么时候投产新的乙烯项目？", "推动新的乙烯项目投产。", True),
        ("北京什么时候实现碳中和？", "力争在2050年实现碳中和。", True),
    ],
)
def test_the_year_of_a_section_says_not_when_something_is_reached_that_is_worked_on(
    question: str, text: str, told: bool
) -> None:
    texts = {Labels("北京", 2024, Part.TASKS): text, Labels("上海", 2024, Part.TASKS): "新建公园120座。"}
    assistant = Assistant(MemoryIndex([make_parsed("a.txt", texts)], open_embedder()), READER, FakeEngine())
    answer = assistant.ask(question)
    assert (answer.refusal is None) is told
    assert ("2024年。" in answer.text) is (told and "2050" not in text)
