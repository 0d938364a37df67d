"""What speaks for a sentence being the answer: minimal pairs in which one thing differs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from assistant.answer import Assistant
from assistant.finding.evidence import NAMES, Evidence, Found, judge
from assistant.finding.likely import find_probability, is_near, is_sure, load_judgement
from assistant.finding.retrieve import find_contexts, rate, retrieve
from assistant.llm.catalog import bundled
from assistant.question.follow import understand
from assistant.question.understand import describe_corpus
from assistant.question.weigh import weigh
from assistant.reading.expect import find_units, holds_answer, unit_fits
from assistant.types import Asks
from tests.answer_fakes import FakeEngine
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.types import Document, Media

_TEXT = """东海省2030年政府工作报告

二、2030年工作任务

新建码头岸电设施12套,修缮古桥7座。推动渔船以旧换新,淘汰老旧渔船300艘。建成海水淡化厂,日产能力5万吨。
"""


def _index(text: str = _TEXT) -> MemoryIndex:
    return MemoryIndex([parse(Document("a.txt", text, Media.TEXT, "0" * 64, "a"))], open_embedder())


def _best(question: str, index: MemoryIndex) -> Evidence:
    understood = understand(question, (), describe_corpus(index.documents))
    weighing = weigh(understood, index)
    rated = rate(understood, index, weighing)
    hits = [one.hit for one in rated]
    evidence = judge(understood, weighing, Found(hits, find_contexts(index.documents, [hit.sentence for hit in hits])))
    return max(evidence.values(), key=find_probability)


def test_every_figure_has_a_weight_and_no_other_has() -> None:
    assert len(load_judgement().weights) == len(NAMES)


def test_the_thing_that_is_counted_has_to_stand_at_the_figure() -> None:
    index = _index()
    assert _best("修缮古桥多少座？", index).counted > _best("修缮灯塔多少座？", index).counted


def test_a_word_that_no_document_has_is_told_from_one_that_stands_elsewhere() -> None:
    index = _index()
    unknown, elsewhere = _best("修缮灯塔多少座？", index), _best("修缮渔船多少座？", index)
    assert unknown.unknown > 0 and elsewhere.elsewhere > unknown.elsewhere


def test_what_is_asked_for_is_likelier_than_what_is_not_there() -> None:
    index = _index()
    assert find_probability(_best("修缮古桥多少座？", index)) > find_probability(_best("修缮加氢站多少座？", index))


@pytest.mark.parametrize("name", ["coverage", "context", "counted", "unit", "ahead", "fits"])
def test_what_speaks_for_a_sentence_never_makes_it_less_likely(name: str) -> None:
    evidence = _best("修缮古桥多少座？", _index())
    less = replace(evidence, **{name: getattr(evidence, name) - 0.5})
    assert find_probability(less) <= find_probability(evidence)


@pytest.mark.parametrize("name", ["elsewhere", "unknown", "foreign", "nothing"])
def test_what_speaks_against_it_never_makes_it_likelier(name: str) -> None:
    evidence = _best("修缮古桥多少座？", _index())
    more = replace(evidence, **{name: getattr(evidence, name) + 0.5})
    assert find_probability(more) <= find_probability(evidence)


def test_a_probability_is_one_whatever_the_figures() -> None:
    evidence = _best("修缮古桥多少座？", _index())
    for value in (-1e9, 1e9):
        assert 0.0 <= find_probability(replace(evidence, context=value)) <= 1.0
    assert not math.isnan(find_probability(evidence))


def test_what_is_sure_is_near_too() -> None:
    for asks in Asks:
        sure = [p / 100 for p in range(101) if is_sure(p / 100, asks)]
        assert sure and all(is_near(p, asks) for p in sure) and not is_near(0.0, asks)


@pytest.mark.parametrize(
    ("question", "text", "fits"),
    [
        ("绿道多少公里？", "绿道200公里", True),
        ("绿道多少公里？", "断点17处", False),
        ("奖励多少钱？", "最高1000万元", True),
        ("奖励多少钱？", "共12项", False),
        ("改造面积是多少？", "改造400万平方米", True),
        ("改造面积是多少？", "改造400栋", False),
        ("占比提高多少？", "提高0.5个百分点", True),
        ("新建多少？", "断点17处", True),
        ("补贴多少钱？", "补贴提高5%", False),
        ("补贴几毛钱？", "每度补贴0.3元", True),
        ("有几成渔船换了电机？", "七成渔船", True),
        ("有几成渔船换了电机？", "渔船300艘", False),
        ("培训渔民多少人？", "培训渔民3万人", True),
        ("培训渔民多少人？", "培训渔民3万人次", False),
        ("培训渔民多少人？", "建校12所", False),
        ("聘了多少个专家？", "聘专家30名", True),
        ("码头要达到几星？", "达到三星级标准", True),
        ("增加了几倍？", "增加3倍", True),
        ("增加了几倍？", "增加30艘", False),
        ("事故死亡多少人？", "死亡事故31起", False),
        ("事故死亡多少人？", "死亡31人", True),
        ("包裹业务收入是多少？", "包裹业务量12亿件", False),
        ("包裹业务收入是多少？", "包裹业务收入12亿元", True),
        ("专项债券合计多少？", "28个城市发行了专项债券", False),
        ("专项债券合计多少？", "合计412亿元", True),
        ("今天收盘多少点？", "漏点缩短到6天", False),
        ("今天收盘多少点？", "收于3000点", True),
    ],
)
def test_a_figure_has_to_be_of_the_measure_that_is_asked_for(question: str, text: str, fits: bool) -> None:
    assert unit_fits(text, question) is fits


def test_no_measure_is_asked_for_by_a_bare_how_much() -> None:
    assert find_units("新建多少？") == frozenset()


def test_nearest_wordings_are_said_to_be_that_and_give_no_short_answer() -> None:
    index = _index()
    assistant = Assistant(index, bundled(), FakeEngine())
    plain, other = assistant.ask("淘汰老旧渔船多少艘？"), assistant.ask("又破又旧的捕鱼船要处理掉多少艘？")
    assert plain.text.startswith("300艘。") and "最接近" not in plain.text
    assert other.refused or (other.text.startswith("下面是资料中最接近的一句") and not other.text.startswith("300艘"))


def test_a_thing_that_no_document_names_is_refused_though_all_else_fits() -> None:
    assistant = Assistant(_index(), bundled(), FakeEngine())
    for thing in ("加氢站", "养老院", "地铁站"):
        assert assistant.ask(f"东海省2030年修缮{thing}多少座？").refused


def test_passages_of_a_fact_stand_in_the_order_of_their_likelihood() -> None:
    index = _index()
    question = understand("修缮古桥多少座？", (), describe_corpus(index.documents))
    likely = [passage.likely or 0.0 for passage in retrieve(question, index)]
    assert likely == sorted(likely, reverse=True) and likely[0] > 0.5


@pytest.mark.parametrize(
    ("question", "text", "holds"),
    [
        ("最晚哪一年完成改造？", "在2032年前完成改造", True),
        ("最晚哪一年完成改造？", "到2032年底完成改造", True),
        ("最晚哪一年完成改造？", "2032年完成改造", False),
        ("哪一年完成改造？", "2032年完成改造", True),
    ],
)
def test_until_when_wants_a_year_that_is_set_as_the_end(question: str, text: str, holds: bool) -> None:
    assert holds_answer(Asks.YEAR, text, question) is holds


def test_a_figure_of_another_kind_of_thing_is_no_evidence_for_the_one_that_is_counted() -> None:
    index = _index("东海省2030年政府工作报告\n\n二、2030年工作任务\n\n培训乡村教师300人。新增城镇教师500人。\n")
    right, wrong = _best("培训乡村教师多少人？", index), _best("培训特岗教师多少人？", index)
    assert right.counted > wrong.counted and right.names > wrong.names


def test_the_figure_of_another_place_is_no_local_evidence() -> None:
    index = _index("到2030年，泉州、漳州新建泵站12座，福州、莆田新建古桥9座。\n")
    assert _best("莆田新建古桥多少座？", index).counted > _best("泉州新建古桥多少座？", index).counted
