"""From a question to a checked answer, over the seeds, with a model that only pretends: what the stages do together."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answer import Assistant
from assistant.llm.catalog import Form, ModelSpec
from assistant.types import (
    Answer,
    Finished,
    Found,
    Piece,
    Refusal,
    Role,
    Turn,
    Understood,
    Verdict,
)
from tests.answer_fakes import FakeEngine
from tests.made_documents import make_parsed
from vectorstore.embed import open_embedder
from vectorstore.index import Index
from vectorstore.memory import MemoryIndex
from vectorstore.types import Labels, Part, Scope

READER = ModelSpec("fake", Path("fake.gguf"), "0" * 64, "F32", Form.READER, None)
WRITER = ModelSpec("fake", Path("fake.gguf"), "0" * 64, "F32", Form.INSTRUCT, "chatml")


def _reader(index: Index) -> Assistant:
    return Assistant(index, READER, FakeEngine())


def _writer(index: Index, text: str) -> Assistant:
    return Assistant(index, WRITER, FakeEngine(text))


def _check_contract(answer: Answer, index: Index) -> None:
    """What must hold of every answer, whatever was asked."""
    data = answer.to_json()
    texts = {parsed.document.source: parsed.document.text for parsed in index.documents}
    for row in data["citations"] + data["nearest"]:
        assert texts[row["source"]][row["start"] : row["end"]] == row["quote"]
    assert {int(n) for n in re.findall(r"\[(\d+)\]", data["answer"])} == {row["n"] for row in data["citations"]}
    if data["refused"]:
        assert data["claims"] == data["citations"] == []
        assert len(data["nearest"]) <= 3
    else:
        assert data["claims"]


def test_events_come_in_order_and_end_with_the_answer(seed_index: Index) -> None:
    events = list(_reader(seed_index).stream("上海2024年新建公园多少座？"))
    assert [type(event) for event in events] == [Understood, Found, Finished]


@pytest.mark.parametrize(
    "question",
    [
        "上海2024年要新建多少公共充电桩？",
        "上海2024年有哪些绿化任务？",
        "总结一下江苏2024年的重点工作",
        "比较上海和江苏2023年的成绩",
        "上海2023年和2024年新增绿地多少公顷？",
        "火星2024年的任务是什么？",
        "[1]上海[2]2024年新建公园多少座[3]？",
        "你好",
        "资料里有哪些文件？",
        "What is planned?",
    ],
)
def test_every_answer_keeps_the_contract(seed_index: Index, question: str) -> None:
    _check_contract(_reader(seed_index).ask(question), seed_index)


def test_the_same_figure_of_two_years_is_given_for_both_where_the_year_is_left_open(seed_index: Index) -> None:
    answer = _reader(seed_index).ask("上海新增绿地多少公顷？")
    assert "上海2023年的回顾中写道" in answer.text and "1044公顷" in answer.text
    assert "上海2024年的任务中提出" in answer.text and "1000公顷" in answer.text


def test_no_sentence_of_another_region_is_cited_for_a_region(seed_index: Index) -> None:
    answer = _reader(seed_index).ask("总结一下上海2024年的主要任务")
    assert answer.citations
    assert {citation.sentence.labels.region for citation in answer.citations} == {"上海"}


def test_what_another_region_has_is_a_refusal_that_names_it(seed_index: Index) -> None:
    answer = _reader(seed_index).ask("北京2024年要新建多少个公共充电桩？")
    assert answer.refusal is Refusal.OTHER_REGION
    assert "上海" in answer.text and "[" not in answer.text
    assert answer.nearest[0].sentence.labels.region == "上海"


def test_what_another_year_has_is_a_refusal_that_names_it(seed_index: Index) -> None:
    answer = _reader(seed_index).ask("上海2025年要新建多少座公园？")
    assert answer.refusal is Refusal.OTHER_YEAR
    assert "2024" in answer.text


def test_a_comparison_is_a_table_with_a_row_for_what_is_missing(seed_index: Index) -> None:
    answer = _reader(seed_index).ask("北京和上海2024年新建公共充电桩多少个？")
    assert "| 北京2024年 | 资料未提及 |" in answer.text
    assert "1万个" in answer.text
    assert answer.text.endswith("2项中有1项在资料中有依据。")


def test_a_follow_up_goes_on_about_the_same_place(seed_index: Index) -> None:
    history = [Turn(Role.USER, "上海2024年要新建多少公共充电桩？"), Turn(Role.ASSISTANT, "1万个。")]
    answer = _reader(seed_index).ask("那公园呢？", history)
    assert answer.question.standalone == "上海2024年要新建多少公园?"
    assert answer.text.startswith("120座。")


def test_a_refusal_after_ten_good_turns_is_as_firm(seed_index: Index) -> None:
    history = [Turn(Role.USER, "上海2024年新建公园多少座？"), Turn(Role.ASSISTANT, "120座。")] * 10
    answer = _reader(seed_index).ask("北京2024年新建公园多少座？", history)
    assert answer.refused


def test_a_scope_set_by_hand_replaces_the_one_that_was_understood(seed_index: Index) -> None:
    scope = Scope(regions=frozenset({"江苏"}))
    answer = _reader(seed_index).ask("发展海上风电", scope=scope)
    assert {citation.sentence.labels.region for citation in answer.citations} == {"江苏"}


def test_a_written_claim_that_holds_is_kept_and_one_that_does_not_becomes_the_exact_quote(seed_index: Index) -> None:
    question = "上海2024年新建公园多少座？"
    good = _writer(seed_index, "上海2024年新建公园120座[1]。").ask(question)
    assert good.text == "上海2024年新建公园120座[1]。"
    wrong = _writer(seed_index, "上海2024年新建公园130座[1]。").ask(question)
    assert "130" not in wrong.text
    assert "“新建公园120座”[1]" in wrong.text
    assert {claim.verdict for claim in wrong.claims} == {Verdict.SUPPORTED}


def test_a_claim_without_a_marker_is_cited_only_by_what_supports_it(seed_index: Index) -> None:
    question = "上海2024年新建公园多少座？"
    found = _writer(seed_index, "上海2024年新建公园120座。").ask(question)
    assert found.claims[0].verdict is Verdict.SUPPORTED and found.claims[0].citations == (1,)
    mixed = _writer(seed_index, "上海2024年新建公园120座[1]。市民喜爱公园。").ask(question)
    assert [claim.verdict for claim in mixed.claims] == [Verdict.SUPPORTED, Verdict.UNCITED]


@pytest.mark.parametrize("idle", ["市民都很满意。", "公园还有999座。", "请回答:公园很多。", "公园真的多吗？"])
def test_a_claim_without_a_marker_is_left_out_where_it_is_beside_the_question_or_states_a_figure(
    seed_index: Index, idle: str
) -> None:
    answer = _writer(seed_index, f"上海2024年新建公园120座[1]。{idle}").ask("上海2024年新建公园多少座？")
    assert answer.text == "上海2024年新建公园120座[1]。"
    assert any("略去" in note for note in answer.notes)


def test_a_text_that_nothing_supports_becomes_a_refusal(seed_index: Index) -> None:
    answer = _writer(seed_index, "市民都很满意。").ask("上海2024年新建公园多少座？")
    assert answer.refused and answer.nearest


def test_a_wrong_claim_about_something_else_is_left_out_and_said_to_be(seed_index: Index) -> None:
    question = "上海2024年新建公园多少座？"
    found = next(e for e in _writer(seed_index, "").stream(question) if isinstance(e, Found)).passages
    idle = next(p for p in found if p.coverage < 0.5)
    answer = _writer(seed_index, f"上海2024年新建公园120座[1]。新建公园999座[{idle.number}]。").ask(question)
    assert [claim.verdict for claim in answer.claims] == [Verdict.SUPPORTED]
    assert "999" not in answer.text
    assert any("略去" in note for note in answer.notes)


def test_the_refusal_sentence_of_the_prompt_is_a_refusal(seed_index: Index) -> None:
    assert _writer(seed_index, "资料中没有相关内容。").ask("上海2024年新建公园多少座？").refused


def test_markers_of_a_model_are_renumbered_in_the_order_of_the_text(seed_index: Index) -> None:
    question = "上海2024年有哪些任务？"
    passages = next(e for e in _writer(seed_index, "").stream(question) if isinstance(e, Found)).passages
    second, first = passages[1], passages[0]
    text = f"{second.sentence.plain.rstrip('。')}[2]。{first.sentence.plain.rstrip('。')}[1][99]。"
    answer = _writer(seed_index, text).ask(question)
    assert [citation.sentence.id for citation in answer.citations] == [second.sentence.id, first.sentence.id]
    _check_contract(answer, seed_index)


def test_a_citation_that_adds_nothing_is_dropped(seed_index: Index) -> None:
    question = "上海2024年新建公园多少座？"
    answer = _writer(seed_index, "上海2024年新建公园120座[1][2]。").ask(question)
    assert answer.text == "上海2024年新建公园120座[1]。"


def test_a_stopped_answer_keeps_what_was_checked(seed_index: Index) -> None:
    stop = threading.Event()
    assistant = Assistant(seed_index, WRITER, FakeEngine("上海2024年新建公园120座[1]。后面还有很多字,没有写完"))
    answer: Answer | None = None
    for event in assistant.stream("上海2024年新建公园多少座？", stop=stop):
        if isinstance(event, Piece) and "[1]" in event.text:
            stop.set()
        if isinstance(event, Finished):
            answer = event.answer
    assert answer is not None and answer.stopped
    assert answer.text.startswith("上海2024年新建公园120座[1]。")


def test_five_times_the_same_question_is_five_times_the_same_answer(seed_index: Index) -> None:
    answers = [_reader(seed_index).ask("江苏2024年有哪些绿色贸易任务？").to_json() for _ in range(5)]
    for answer in answers:
        answer.pop("seconds")
    assert all(answer == answers[0] for answer in answers)


def test_a_reader_spec_with_another_name_is_reported_as_it_is(seed_index: Index) -> None:
    assistant = Assistant(seed_index, replace(READER, name="other"), FakeEngine())
    assert assistant.ask("上海2024年新建公园多少座？").to_json()["model"]["name"] == "other"


def test_a_refusal_says_only_of_what_is_missing_that_it_is_missing(seed_index: Index) -> None:
    answer = _reader(seed_index).ask("上海什么时候完成碳普惠？")
    assert answer.refusal is not None
    assert "没有上海关于“碳普惠”" not in answer.text  # 上海市建立碳普惠消纳机制 stands in the documents
    assert "资料里提到过上海的“碳普惠”" in answer.text


@pytest.mark.parametrize("says", [True, False])
def test_a_half_of_a_compound_that_stands_elsewhere_is_no_answer(says: bool) -> None:
    own = "发展绿色金融产品。" if says else "扩大金融领域开放。"
    of_shanghai = f"{own}建设绿色工厂30家。改造老旧小区12个。"
    texts = {Labels("上海", 2024, Part.TASKS): of_shanghai, Labels("江苏", 2024, Part.TASKS): "推广绿色金融。"}
    assistant = Assistant(MemoryIndex([make_parsed("a.txt", texts)], open_embedder()), READER, FakeEngine())
    answer = assistant.ask("上海绿色金融有什么安排？")
    assert (answer.refusal is None) is says
    assert "提到过上海的“绿色金融”" not in answer.text


def test_four_places_are_those_of_the_document_that_is_of_four() -> None:
    texts = {
        Labels("北京", 2024, Part.TASKS): "推广绿色建筑50万平方米。",
        Labels("上海", 2024, Part.TASKS): "新建公园120座。",
        Labels("天津", 2024, Part.TASKS): "新建绿色建筑30万平方米。",
    }
    assistant = Assistant(MemoryIndex([make_parsed("a.txt", texts)], open_embedder()), READER, FakeEngine())
    told = assistant.ask("三地2024年绿色建筑对比").text
    assert all(place in told for place in ("北京", "上海", "天津")) and "资料未提及" in told
    assert "天津" not in assistant.ask("北京和上海2024年绿色建筑对比").text
