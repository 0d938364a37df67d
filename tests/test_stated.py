"""What sentences say of another year than that of their section, and things that go by a number."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.finding.mismatch import is_of_another_number
from assistant.reading.owners import About
from assistant.reading.pairs import keep_spoken
from assistant.reading.stated import inherits_year, lies_in, states_year
from tests.answer_fakes import FakeEngine
from tests.made_documents import TASKS_2024, make_parsed
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.types import Labels, Scope

_2023 = frozenset([2023])


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("装机突破560万千瓦,2023年底为485万千瓦。", True),
        ("装机比2023年增长5%。", False),
        ("装机突破560万千瓦。", False),
    ],
)
def test_a_sentence_is_of_the_year_that_it_states_and_not_of_one_that_it_compares_with(text: str, states: bool) -> None:
    sentence = make_sentence(text, year=2024, region="上海")
    assert states_year(sentence, _2023) is states
    assert lies_in(Scope(years=_2023), sentence) is states
    assert not lies_in(Scope(years=_2023, regions=frozenset(["北京"])), sentence)


def test_a_sentence_without_a_year_goes_on_from_the_head_of_its_paragraph() -> None:
    parsed = make_parsed("a.txt", {Labels(): "到2025年,基本建立体系。设立机构40家。\n设立平台3个。"})
    _, follows, apart = parsed.sentences
    assert inherits_year(follows, frozenset([2025]), [parsed])
    assert not inherits_year(follows, frozenset([2030]), [parsed])
    assert not inherits_year(apart, frozenset([2025]), [parsed])


def test_the_figure_of_the_year_before_is_found_in_the_plan_of_the_next() -> None:
    text = "可再生能源装机突破560万千瓦,2023年底装机为485万千瓦。新建公园120座。"
    assistant = Assistant(
        MemoryIndex([make_parsed("a.txt", {TASKS_2024: text})], open_embedder()), READER, FakeEngine()
    )
    answer = assistant.ask("上海2023年可再生能源装机是多少万千瓦？")
    assert answer.refusal is None
    assert "485万千瓦" in answer.text
    assert "560" not in answer.text
    assert assistant.ask("上海2023年新建公园多少座？").refusal is not None


@pytest.mark.parametrize(
    ("asked", "text", "other"),
    [
        ("地铁2号线什么时候开通?", "地铁1号线12月底前开通。", True),
        ("地铁1号线什么时候开通?", "地铁1号线12月底前开通。", False),
        ("地铁2号线什么时候开通?", "地铁1号线、2号线12月底前开通。", False),
        ("地铁什么时候开通?", "地铁1号线12月底前开通。", False),
    ],
)
def test_a_thing_with_a_number_is_not_the_one_with_another(asked: str, text: str, other: bool) -> None:
    assert is_of_another_number(asked, text) is other


def test_what_announces_a_list_is_said_of_each_of_its_places() -> None:
    text = "普查对象数量居前3位的地区：广东55万个，浙江43万个，江苏25万个。"
    kept = keep_spoken(text, About(places=frozenset(["江苏"])))
    assert "普查对象数量" in kept
    assert "25万个" in kept
    assert "55万个" not in kept
