"""Who said something: the name before the verb of saying, in the sentence itself or beside the quotation, and nobody else's."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.reading.speech import read_speeches
from tests.answer_fakes import FakeEngine
from tests.made_documents import read_text
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex

_TEXT = (
    "关于农村公路的调查\n\n“修路的钱要花在看得见的地方。”松江县交通局副局长林清远在座谈会上表示，今年先修村道。"
    "果农方大山说，往年果子烂在地里，“路通了才有人来收”。"
    "有学者（周启文，2021）认为，农村公路的考核应当以养护投入为唯一依据；本文不同意这一看法。"
    "总的来说，村道的养护仍然薄弱。全年新修村道36公里，养护资金到位九成。"
)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    parsed = read_text(_TEXT, tmp_path_factory.mktemp("documents"))
    return Assistant(MemoryIndex([parsed], open_embedder()), READER, FakeEngine())


@pytest.mark.parametrize(
    ("question", "who"),
    [
        ("“修路的钱要花在看得见的地方”这话是谁说的？", "松江县交通局副局长林清远"),
        ("哪位官员说“修路的钱要花在看得见的地方”，什么职务", "松江县交通局副局长林清远"),
        ("“路通了才有人来收”是谁讲的", "果农方大山"),
        ("“路通了才有人来收”出自谁之口", "果农方大山"),
        ("是谁主张农村公路考核只看养护投入这一个依据的", "周启文"),
    ],
)
def test_the_speaker_is_named_with_the_sentence_that_says_so(assistant: Assistant, question: str, who: str) -> None:
    answer = assistant.ask(question)
    assert answer.refusal is None
    assert who in answer.text.split("。")[0]
    assert any(who in citation.sentence.plain for citation in answer.citations)


@pytest.mark.parametrize(
    "question", ["“果子一定要卖到城里去”是谁说的", "谁主张村道改成收费公路", "“今年先修县道”这话是谁讲的"]
)
def test_of_what_nobody_said_nobody_is_named(assistant: Assistant, question: str) -> None:
    text = assistant.ask(question).text.split("。")[0]
    assert not any(name in text for name in ("林清远", "方大山", "周启文"))


def test_what_stands_behind_the_speech_is_not_said_by_him(assistant: Assistant) -> None:
    assert "周启文。" not in assistant.ask("谁不同意农村公路考核的看法").text


@pytest.mark.parametrize(
    ("sentence", "speakers"),
    [
        ("市水利局解释，水位下降是因为少雨。", ["市水利局"]),
        ("渔民高有来说，今年鱼多。", ["渔民高有来"]),
        ("总的来说，今年鱼多。", []),
        ("对企业来说，成本高了。", []),
        ("本办法由市水利局负责解释。", []),
        ("课题组提出六点建议。", []),
        ("不过县林业局在年终通报中也坦言，部分林场荒废。", ["县林业局"]),
    ],
)
def test_only_those_who_speak_are_read_as_speakers(sentence: str, speakers: list[str]) -> None:
    assert [speech.who for speech in read_speeches(sentence)] == speakers
