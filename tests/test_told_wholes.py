"""Summaries of a whole document, a field, what goes badly, and money: each pair of questions or texts differs in one thing."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.answering.shares import share_bullets
from assistant.answering.stand import find_places
from assistant.finding.entitled import asks_funds
from assistant.finding.owned import asks_owned
from assistant.finding.stretches import list_stretches
from assistant.llm.catalog import bundled
from assistant.question.frames import asks_broadly, drop_called
from assistant.types import Passage
from tests.answer_fakes import FakeEngine
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.types import Document, Media, ParsedDocument, Scope

_PLAN = """东海区渔港整治和渔船安全三年行动计划（2031—2033年）

一、总体要求

（一）基本思路。坚持先易后难，不搞一刀切。

（二）主要目标。2030年，渔港完好率为41%。到2031年底，渔港完好率达到52%，渔船定位覆盖率达到60%。到2033年底，渔港完好率达到90%，渔船定位覆盖率达到100%。

二、整治渔港

（三）修缮防波堤。加固堤身12公里，更换块石3万方。堤顶不得停放机动车。全部工程2032年6月底前完成。

（四）清理航道。疏浚航道18公里，清除沉船23艘。疏浚应当避开每年3月的产卵期。

三、更新渔船

（五）安装定位设备。三年安装定位设备2600台，其中2031年700台。未安装定位设备的渔船不得出海。

（六）淘汰老旧渔船。拆解船龄20年以上的渔船410艘。每艘补偿2万元。

四、财政保障

（七）设立专项资金。区财政三年安排专项资金4.5亿元，其中2031年1.2亿元。资金实行先建后补。

（八）补贴标准。定位设备按购置费的60%补贴，每台最高3000元。同一设备不得重复申领。

五、组织实施

（九）责任分工。成立渔港整治专班，由副区长任召集人。专班按季度通报进展。
"""

_REVIEW = """青石镇2031年渔港整治工作总结

一、主要工作

全年加固堤身12公里。疏浚航道18公里。安装定位设备700台。

二、存在的主要问题

一是资金到位慢。尚有310万元没有拨付。二是设备维护跟不上。700台定位设备中有45台时常断线。

三、下步打算

2032年再疏浚航道9公里。
"""

_RULES = """东海银行渔船贷款规则

第一章 总则

第一条 为支持渔民更新渔船，规范贷款的申请和发放，制定本规则。

第二条 本行不得搭售保险，不得收取任何附加费用。

第二章 申请条件

第三条 借款人应当同时具备下列条件：
（一）持有渔业捕捞许可证；
（二）自有资金不低于渔船造价的30%，近两年没有逾期。

第四条 借款人应当提供担保。

第三章 额度

第五条 单户最高200万元。

第六条 期限最长不超过8年。
"""


def _parse(text: str) -> ParsedDocument:
    title = text.partition("\n")[0]
    return parse(Document(f"{title}.txt", text, Media.TEXT, f"{len(text):064d}", title))


def _ask(question: str, *texts: str) -> str:
    index = MemoryIndex([_parse(text) for text in texts], open_embedder())
    return Assistant(index, bundled(), FakeEngine()).ask(question).text


def _passages(text: str, heading: str) -> list[Passage]:
    told = [s for s in list_stretches([_parse(text)], Scope()) if any(heading in name for name in s.headings)]
    return [Passage(0, sentence, 1.0, 1.0, headings=s.headings) for s in told for sentence in s.sentences]


def test_a_plan_that_is_called_by_words_of_its_title_is_told_by_all_its_parts() -> None:
    told = _ask("概括一下东海区渔港渔船三年行动计划的主要内容", _PLAN, _REVIEW)
    for part in ("（二）主要目标", "二、整治渔港", "三、更新渔船", "四、财政保障", "五、组织实施"):
        assert part in told
    assert "尚有310万元" not in told


def test_a_word_of_one_heading_asks_for_what_stands_there() -> None:
    told = _ask("概括一下行动计划里更新渔船的内容", _PLAN, _REVIEW)
    assert "不得出海" in told and "防波堤" not in told and "产卵期" not in told


def test_of_the_steps_to_an_aim_the_last_one_is_told_and_what_a_plan_starts_from_is_not() -> None:
    told = _ask("概括一下东海区渔港渔船三年行动计划的主要内容", _PLAN)
    assert "到2033年底，渔港完好率达到90%" in told
    assert "41%" not in told


def test_a_field_that_a_heading_names_is_told_from_its_section() -> None:
    told = _ask("东海区在更新渔船方面打算怎么做？", _PLAN)
    assert "410艘" in told and "2600台" in told and "专班" not in told


@pytest.mark.parametrize(
    ("asked", "broad"),
    [
        ("东海区在渔港方面打算怎么做?", True),
        ("东海区的渔港什么时候做完?", False),
        ("渔业领域有哪些进展?", True),
        ("渔业有哪些品种?", False),
    ],
)
def test_who_asks_for_a_field_wants_all_that_is_said_of_it(asked: str, broad: bool) -> None:
    assert asks_broadly(asked) is broad


@pytest.mark.parametrize(
    ("asked", "owned"),
    [
        ("镇里自己承认还有哪些毛病", True),
        ("整治中还有什么没做好", True),
        ("镇里解决了哪些问题", False),
        ("发现的问题怎么整改", False),
        ("还有哪些问题没有解决", True),
    ],
)
def test_what_goes_badly_is_not_what_was_done_about_it(asked: str, owned: bool) -> None:
    assert asks_owned(asked) is owned


def test_what_a_text_owns_up_to_stands_under_its_heading() -> None:
    told = _ask("青石镇自己承认还有哪些毛病", _REVIEW)
    assert "尚有310万元没有拨付" in told and "45台" in told
    assert "全年加固堤身" not in told and "9公里" not in told


def test_of_one_thing_only_the_point_on_it_is_told() -> None:
    told = _ask("青石镇在设备维护上还有哪些毛病", _REVIEW)
    assert "45台" in told and "310万元" not in told


def test_without_such_a_heading_the_sentences_are_told_that_say_it_in_their_own_words() -> None:
    spread = _REVIEW.replace("二、存在的主要问题", "二、其他情况").replace("时常断线", "尚未修复")
    spread = spread.replace("没有拨付", "尚未拨付")
    told = _ask("青石镇自己承认还有哪些毛病", spread)
    assert "尚未拨付" in told and "尚未修复" in told and "疏浚航道" not in told


def test_where_money_comes_from_stands_under_the_heading_for_it() -> None:
    told = _ask("渔港整治的钱从哪来、怎么补？给我总结下", _PLAN)
    assert "4.5亿元" in told and "60%" in told and "产卵期" not in told and "专班" not in told


@pytest.mark.parametrize(
    ("asked", "funds"),
    [("这项工作的钱从哪来", True), ("设备怎么补贴", True), ("材料不齐怎么补交", False), ("这项工作从哪天开始", False)],
)
def test_who_asks_for_money_is_told_from_who_asks_for_something_else(asked: str, funds: bool) -> None:
    assert asks_funds(asked) is funds


def test_of_rules_the_conditions_are_told_that_the_heading_promises_and_not_what_they_are_made_for() -> None:
    told = _ask("东海银行渔船贷款规则的要点是什么，归纳一下", _RULES)
    assert "自有资金不低于渔船造价的30%" in told and "不得搭售保险" in told
    assert "为支持渔民" not in told


def test_an_item_counts_more_only_where_its_heading_promises_it() -> None:
    renamed = _RULES.replace("第二章 申请条件", "第二章 借款人")
    for text, promised in ((_RULES, 2), (renamed, 0)):
        assert len(find_places(_passages(text, "第二章"), whole=True).promised) == promised


def test_rules_are_measured_by_their_articles_and_not_by_the_items_of_a_list() -> None:
    long = _RULES.replace(
        "（一）持有渔业捕捞许可证；", "".join(f"\n（一）持有第{n}种许可证；" for n in "甲乙丙丁戊己庚辛壬癸子丑")
    )
    groups = [_passages(long, chapter) for chapter in ("第二章", "第三章")]
    assert len(groups[0]) > 3 * len(groups[1])
    assert share_bullets(groups, 2, [False, False])[1] == 2


def test_a_section_that_a_heading_gives_to_the_subject_has_room_before_others() -> None:
    groups = [_passages(_PLAN, part) for part in ("二、", "三、", "四、")]
    even, led = share_bullets(groups, 2, [False] * 3), share_bullets(groups, 2, [True, False, False])
    assert led[0] > even[0] and led[1] < even[1]


def test_a_comparison_by_name_compares_nothing() -> None:
    assert "比较" not in drop_called("四县比较报告讲了什么")
    assert "比较" in drop_called("比较四县的目标")
