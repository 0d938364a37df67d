"""Summaries of notices, articles and digests: what only carries the document is no bullet, and a section is told as it is called."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.finding.stretches import list_titled
from assistant.finding.topics import find_counted, find_topic
from assistant.llm.catalog import bundled
from assistant.question.weigh import Term, Weighing
from assistant.reading.wholes import carries, cut_runs, is_around
from assistant.types import Kind
from tests.answer_fakes import FakeEngine
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.types import Document, Media, ParsedDocument, Scope

_NOTICE = """东海区人民政府关于印发《东海区渔港整治三年计划（2031—2033年）》的通知

东海政发〔2031〕9号

各街道办事处、青石镇人民政府，区政府各委、办、局：

《东海区渔港整治三年计划（2031—2033年）》已经区政府第41次常务会议审议通过，现印发给你们，请结合实际认真组织实施。

东海区渔港整治三年计划（2031—2033年）

一、总体要求

（一）基本原则

坚持先易后难。先整治近岸渔港9座。

（二）主要目标

到2033年，整治渔港30座。

二、重点任务

（一）修缮行动

1.修缮防波堤。加固堤身12公里，更换块石3万方。堤顶不得停放机动车。

2.清理渔船。拆解废旧渔船410艘，每艘补偿2万元。清理网具70吨。

三、保障措施

区财政安排专项资金4.5亿元。
"""

_ARTICLE = """渔港整治试点的经验与出路
（1. 东海大学海洋学院；2. 青石研究院）
刊于《渔港》2031年第5期

一、试点概况
试点共12座渔港。调研访谈渔民300人。收集文件90份。

二、可以借鉴的经验
（一）以押金约束弃船
东部某港收取弃船押金，弃船减少了四成。押金每艘5000元。
（二）以码头换资金
7座渔港出租码头，筹资8亿元。租期为20年。

三、存在的主要问题
归纳起来有以下两个方面。
一是底数不清。仅有3座渔港有台账。
二是运维缺钱。运维费缺口达六成。
"""

_DIGEST = """盘点2030：山东、河南渔港怎么干
来源：青石新闻网  2031-02-11 08:36  记者 赵一宁

新年伊始，两省渔业大会先后召开。

山东：渔港换新颜

去年完成渔港改造9座。新增泊位120个。投入资金3亿元。

河南：水库养鱼忙

全省水库养殖12万亩。产量达到8万吨。新建鱼苗场6处。
"""


def _parse(text: str) -> ParsedDocument:
    return parse(Document("a.txt", text, Media.TEXT, "0" * 64, text.splitlines()[0]))


def _ask(question: str, text: str) -> str:
    index = MemoryIndex([_parse(text)], open_embedder())
    return Assistant(index, bundled(), FakeEngine()).ask(question).text


def _bullets(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("- ")]


def _weigh(*words: str) -> Weighing:
    return Weighing(tuple(Term(word, 3.0) for word in words))


@pytest.mark.parametrize(
    ("plain", "around"),
    [
        ("（1. 东海大学海洋学院；2. 青石研究院）", True),
        ("东海大学海洋学院培训渔民300人。", False),
        ("现将主要数据公布如下。", True),
        ("现将渔港由9座增加到12座。", False),
        ("《计划》已经区政府第41次常务会议审议通过，现印发给你们，请认真组织实施。", True),
        ("会议审议通过了新建9座渔港的方案。", False),
        ("各街道办事处、青石镇人民政府，区政府各委、办、局：", True),
        ("各街道办事处应当落实下列工作：", False),
        ("东海政发〔2031〕9号", True),
        ("来源：青石新闻网", True),
        ("资金来源单一。", False),
        ("访谈社区工作者152人。", False),
        ("生态环境部部长 赵一宁 2031年1月16日", True),
        ("县级路长由政府主要负责人担任。", False),
        ("（2031年3月20日）", True),
        ("基金项目：东海大学青年项目（31-117）。", True),
    ],
)
def test_lines_that_only_carry_a_document_are_told_from_what_it_says(plain: str, around: bool) -> None:
    assert is_around(plain) is around


def test_a_plan_is_told_by_its_parts_and_by_nothing_that_only_issues_it() -> None:
    text = _ask("概括一下东海区的渔港整治三年计划", _NOTICE)
    assert all(told in text for told in ("到2033年，整治渔港30座", "410艘", "4.5亿元"))
    assert not any(idle in "\n".join(_bullets(text)) for idle in ("审议通过", "各街道", "〔2031〕", "渔港整治三年计划"))
    assert "“基本原则”" not in text and "“主要目标”" not in text


def test_a_numbered_sentence_that_opens_a_paragraph_is_its_heading_and_no_bullet() -> None:
    headings = [stretch.headings[-1] for stretch in list_titled([_parse(_NOTICE)], Scope())]
    assert "1.修缮防波堤" in headings and "2.清理渔船" in headings
    told = "\n".join(_bullets(_ask("总结一下修缮防波堤的措施", _NOTICE)))
    assert "12公里" in told and "堤顶不得停放机动车" in told
    assert "410艘" not in told and "“1.修缮防波堤”" not in told


def test_without_its_number_the_same_sentence_is_no_heading() -> None:
    plain = _parse(_NOTICE.replace("1.修缮防波堤。", "修缮防波堤。"))
    assert "修缮防波堤" not in [stretch.headings[-1] for stretch in list_titled([plain], Scope())]


def test_run_in_headings_are_of_a_subject_only_where_all_of_it_stands_there() -> None:
    parsed = _parse(_NOTICE)
    assert find_topic([parsed], _weigh("修缮", "行动", "渔船"), Scope())
    assert not find_topic([parsed], _weigh("修缮", "行动", "灯塔"), Scope())


@pytest.mark.parametrize(
    ("question", "told", "left"),
    [
        ("渔港整治试点有哪些好经验？归纳一下", ("弃船减少了四成", "筹资8亿元"), ("台账", "访谈")),
        ("渔港整治试点存在哪些问题？", ("一是底数不清", "二是运维缺钱"), ("押金", "访谈", "两个方面")),
        ("这篇渔港整治的论文指出试点存在哪些问题？", ("一是底数不清", "二是运维缺钱"), ("押金", "访谈")),
    ],
)
def test_what_an_article_says_of_an_aspect_stands_under_the_heading_of_that_aspect(
    question: str, told: tuple[str, ...], left: tuple[str, ...]
) -> None:
    said = "\n".join(_bullets(_ask(question, _ARTICLE)))
    assert all(one in said for one in told) and not any(one in said for one in left)


def test_an_aspect_of_what_the_article_is_not_about_is_not_found_there() -> None:
    parsed = _parse(_ARTICLE)
    assert find_counted([parsed], "渔港有哪些经验", _weigh("渔港", "经验"), Scope())
    assert not find_counted([parsed], "地铁有哪些经验", _weigh("地铁", "经验"), Scope())


def test_of_a_digest_a_place_is_told_by_what_stands_under_its_heading() -> None:
    text = _ask("山东那一部分主要讲了什么？", _DIGEST)
    assert "9座" in text and "120个" in text
    assert "水库" not in text and "记者" not in text


def test_a_digest_that_is_named_by_where_it_was_printed_is_told_as_a_whole() -> None:
    text = _ask("青石新闻网那篇盘点整篇讲了什么，简单说说", _DIGEST)
    assert "9座" in text and "12万亩" in text
    assert not any(idle in text for idle in ("来源", "08:36"))


def test_one_that_was_printed_elsewhere_is_not() -> None:
    assert "9座" not in _ask("黑山新闻网那篇盘点整篇讲了什么，简单说说", _DIGEST)


def test_every_paragraph_of_a_section_has_its_share() -> None:
    rich = "".join(f"第{n}类渔港{n}座，泊位{n}0个，吞吐量{n}00万吨，产值{n}亿元。" for n in range(2, 9))
    text = f"东海渔业公报\n\n一、渔港渔船\n\n{rich}\n\n船员免费体检。凭证领取。\n\n网具实行押金。退网退钱。\n\n二、渔市\n\n新建市场3处。\n"
    said = "\n".join(_bullets(_ask("渔港渔船部分讲了什么？概括", text)))
    assert "船员免费体检" in said and "网具实行押金" in said and "市场3处" not in said


def test_the_rule_before_counted_cases_is_told_with_them() -> None:
    law = """江河条例

第一章 责任

第一条 拆船单位应当记录。记录保存三年。

第二条 有下列情形之一的，应当将废船交给有名录的单位： （一）自己不拆解的； （二）没有场地的； （三）拆解不完的。

第三条 拆解不得露天进行。拆解物不得倾倒。
"""
    said = "\n".join(_bullets(_ask("责任一章讲了什么？概括", law)))
    assert "应当将废船交给有名录的单位" in said


def test_a_clause_that_only_says_in_what_respect_is_told_with_what_it_says() -> None:
    plain = "员工培训方面，全年培训9.4万学时，人均16.8学时。"
    assert all(plain[run.start : run.end] != "员工培训方面" for run in cut_runs(plain)[1])
    assert carries("有效期至2033年12月31日") and not carries("有效期内渔船免费年检")


def test_a_list_under_a_heading_of_a_run_in_title_is_a_list() -> None:
    index = MemoryIndex([_parse(_NOTICE)], open_embedder())
    answer = Assistant(index, bundled(), FakeEngine()).ask("清理渔船有哪些措施？")
    assert answer.question.kind is Kind.LIST
    assert "410艘" in answer.text and "70吨" in answer.text and "12公里" not in answer.text
