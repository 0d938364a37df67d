"""The real documents, the real index, the bundled model in its worker process: what a person gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.answer import Assistant
from assistant.llm.catalog import bundled
from assistant.llm.engine import Engine
from assistant.types import Refusal, Verdict
from vectorstore.index import Index
from vectorstore.types import Labels, Part


@pytest.fixture(scope="module")
def assistant(seed_index: Index) -> Iterator[Assistant]:
    engine = Engine(bundled(), threads=2)
    engine.start()
    yield Assistant(seed_index, bundled(), engine)
    engine.close()


@pytest.mark.parametrize(
    ("question", "answer", "quote", "labels"),
    [
        ("上海2024年要新建多少公共充电桩？", "1万个", "新建1万个电动汽车公共充电桩", Labels("上海", 2024, Part.TASKS)),
        (
            "哪个城市推动第三条入津特高压通道开工？",
            "天津",
            "推动第三条入津特高压通道开工",
            Labels("天津", 2024, Part.TASKS),
        ),
        (
            "天津2024年要新创建多少家国家级绿色制造单位？",
            "20家",
            "新创建20家国家级绿色制造单位",
            Labels("天津", 2024, Part.TASKS),
        ),
        (
            "北京2024年可再生能源消费占比提高多少？",
            "0.5个百分点",
            "可再生能源消费占比提高0.5个百分点",
            Labels("北京", 2024, Part.TASKS),
        ),
        ("镇江的碳普惠平台叫什么？", "“碳惠宜”", "镇江市建设了“碳惠宜”平台", Labels("江苏", 2023, None)),
        ("上海2023年新增森林多少亩？", "超过6.7万亩", "新增森林超过6.7万亩", Labels("上海", 2023, Part.REVIEW)),
        ("上海2024年新增森林多少亩？", "3.1万亩", "新增森林3.1万亩", Labels("上海", 2024, Part.TASKS)),
    ],
)
def test_a_fact_comes_short_first_then_quoted_from_the_right_place(
    assistant: Assistant, question: str, answer: str, quote: str, labels: Labels
) -> None:
    got = assistant.ask(question)
    assert got.text.startswith(f"{answer}。")
    assert f"“{quote}" in got.text
    assert [citation.sentence.labels for citation in got.citations] == [labels]
    assert quote in got.citations[0].sentence.quote
    assert {claim.verdict for claim in got.claims} == {Verdict.SUPPORTED}


@pytest.mark.parametrize(
    ("question", "refusal"),
    [
        ("北京2024年要新建多少个公共充电桩？", Refusal.OTHER_REGION),
        ("广东省2024年的任务是什么？", Refusal.OTHER_YEAR),
        ("上海2026年新增森林多少亩？", Refusal.OTHER_YEAR),
        ("天津2024年的地铁票价是多少？", Refusal.NOT_IN_CORPUS),
        ("写一首关于碳中和的诗", Refusal.NOT_A_QUESTION),
    ],
)
def test_what_the_documents_do_not_say_is_refused(assistant: Assistant, question: str, refusal: Refusal) -> None:
    assert assistant.ask(question).refusal is refusal


def test_the_model_that_answered_is_named_with_its_checksum(assistant: Assistant) -> None:
    model = assistant.ask("上海2024年新建公园多少座？").to_json()["model"]
    assert model["sha256"] == bundled().sha256
    assert model["quantization"] == "Q4_K_M"
