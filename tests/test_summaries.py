"""Summaries, lists and comparisons: what is about a subject is found as a whole, told in shares, and of each row its own."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.finding.stretches import list_stretches
from assistant.finding.topics import find_topic
from assistant.llm.catalog import bundled
from assistant.question.frames import drop_base_years, drop_frames
from assistant.question.places import find_mentions, read_places
from assistant.question.titles import name_document, take_titles
from assistant.question.understand import Corpus, read_question
from assistant.question.weigh import weigh
from assistant.reading.formal import exhorts, is_formal
from assistant.reading.wholes import cut_runs, is_around
from assistant.types import Answer, Kind
from tests.answer_fakes import FakeEngine
from vectorstore.embed import open_embedder
from vectorstore.memory import MemoryIndex
from vectorstore.normalize import normalize
from vectorstore.parse import parse
from vectorstore.types import Document, Media, Scope

_REPORT = """2031年政府工作报告

一、2030年工作回顾

过去一年,渔港改造完成9座。

二、2031年重点工作

各项工作要统筹推进,包括渔政、文化和教育等方面。文化事业要发展。

推动渔政向纵深发展。渔政执法船更新12艘。取消捕捞许可收费。我们一定要坚定不移推进渔政。休渔期延长到4个月,
覆盖全部近海。沿海设立监测站30个。

办好教育。新建小学40所。

(一)保护古桥

修缮古桥7座。古桥档案全部上网。每座桥设管护人2名。

各位代表!

国防动员要加强。新建训练场3处。
"""

_PLAN = """江河滩涂生态修复行动计划

现印发给你们,请认真贯彻执行。

一、工作目标

到2035年,修复滩涂50万亩,建成湿地公园20座。

二、重点任务

(一)清淤疏浚

疏浚河道300公里。清理淤泥800万吨。

(二)退渔还滩

退出养殖水面6万亩。安置渔民1.2万人。

三、保障措施

(一)资金保障

设立修复基金10亿元。

(二)人才保障

引进专家200名。
"""

_PLACES = """区域协作方案

十年间,广州、深圳用水强度分别下降23%,汕头、惠州用水强度分别下降20%,湛江、清远用水强度分别下降19%。

支持茂名、惠州建设渔港经济区。广州建设渔业总部,引进企业15家。
"""


def _index(**texts: str) -> MemoryIndex:
    documents = [
        parse(Document(f"{name}.txt", text, Media.TEXT, "0" * 64, text.splitlines()[0])) for name, text in texts.items()
    ]
    return MemoryIndex(documents, open_embedder())


def _ask(question: str, **texts: str) -> Answer:
    return Assistant(_index(**texts), bundled(), FakeEngine()).ask(question)


def test_a_summary_tells_the_paragraph_that_opens_with_the_subject_and_not_only_sentences_that_hold_it() -> None:
    text = _ask("2031年渔政方面准备怎么干？归纳要点", a=_REPORT).text
    assert "12艘" in text and "休渔期延长到4个月" in text and "30个" in text
    assert "小学" not in text and "统筹推进" not in text


def test_of_a_heading_that_names_several_things_only_the_one_that_was_asked_for_is_told() -> None:
    both = """甲省工作报告

(一)加强渔政、教育工作

推动渔政发展。渔政执法船更新12艘。休渔期延长到4个月。

推动教育发展。新建小学40所。改造操场7处。
"""
    text = _ask("总结渔政方面的安排", a=both).text
    assert "12艘" in text and "小学" not in text
    assert "小学" in _ask("总结渔政和教育方面的安排", a=both).text


def test_a_clause_that_only_exhorts_gives_way_to_those_that_say_something() -> None:
    assert exhorts("我们一定要坚定不移推进渔政") and not exhorts("我们一定要新建渔港9座")
    long = _REPORT.replace("我们一定要", "".join(f"新建第{n}类渔港{n}座。" for n in range(2, 14)) + "我们一定要")
    assert "坚定不移" not in _ask("2031年渔政方面准备怎么干？归纳要点", a=long).text


def test_what_stands_under_a_heading_ends_where_the_speech_turns_to_something_else() -> None:
    text = _ask("总结2031年保护古桥的安排", a=_REPORT).text
    assert "7座" in text and "2名" in text
    assert "训练场" not in text


def test_without_the_turn_the_heading_goes_on() -> None:
    goes_on = _REPORT.replace("各位代表!\n", "")
    assert "训练场" in _ask("总结2031年保护古桥的安排", a=goes_on).text


def test_a_whole_document_is_told_in_shares_of_its_headings_without_formalities() -> None:
    answer = _ask("江河滩涂生态修复行动计划讲了些什么，给领导写个简要", a=_PLAN)
    assert all(said in answer.text for said in ("50万亩", "300公里", "6万亩", "10亿元", "200名"))
    assert "印发" not in answer.text
    assert all(citation.sentence.plain for citation in answer.citations)


def test_a_summary_has_at_most_twelve_bullets_each_a_verbatim_clause() -> None:
    long = _PLAN + "".join(f"\n({n})第{n}项\n\n新建泵站{n}座。改造闸门{n}个。\n" for n in "一二三四五六七八九")
    answer = _ask("总结《江河滩涂生态修复行动计划》", a=long)
    bullets = [line for line in answer.text.splitlines() if line.startswith("- ")]
    assert 5 <= len(bullets) <= 12
    sources = [normalize(citation.sentence.plain) for citation in answer.citations]
    for claim in answer.claims:
        assert any(normalize(claim.text.strip("“”。")) in source for source in sources)


def test_a_list_that_a_heading_announces_is_told_whole() -> None:
    text = _ask("行动计划的保障措施有哪些？", a=_PLAN).text
    assert "10亿元" in text and "200名" in text and "疏浚" not in text


def test_a_place_in_a_set_of_documents_is_told_by_the_clauses_about_it() -> None:
    text = _ask("湛江在这些广东文件里都被安排了什么？归纳一下", a=_PLACES).text
    assert "19%" in text
    assert "23%" not in text and "20%" not in text and "总部" not in text


def test_each_row_of_a_comparison_quotes_what_is_said_of_its_own_place() -> None:
    text = _ask("广州、汕头、湛江三市用水强度的下降目标分别是多少？", a=_PLACES).text
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "23%" in rows["广州"] and "20%" in rows["汕头"] and "19%" in rows["湛江"]
    assert "23%" not in rows["汕头"] and "20%" not in rows["湛江"]


def test_documents_are_compared_under_their_own_titles() -> None:
    plan = _PLAN.replace("江河滩涂生态修复行动计划", "2035年江河滩涂生态修复行动计划")
    other = "2031年渔港渔船更新改造方案\n\n修复滩涂8万亩。更新渔船500艘。改造码头9座。\n"
    text = _ask("渔港渔船改造方案与江滩修复计划，对修复滩涂的要求有何不同？", a=plan, b=other).text
    rows = [line for line in text.splitlines() if "亩" in line]
    assert any("渔港" in row and "8万亩" in row for row in rows)
    assert any("江河滩涂" in row and "50万亩" in row for row in rows)


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("记者想问:渔港改造有说法没", "渔港改造"),
        ("渔港改造这一块,给领导写个简要", "渔港改造"),
        ("渔港改造的要点,各说一句", "渔港改造"),
        ("列一下渔港改造", "渔港改造"),
    ],
)
def test_words_that_only_ask_leave_the_subject(asked: str, left: str) -> None:
    rest = drop_frames(normalize(asked))
    assert left in rest
    assert not any(word in rest for word in ("记者", "说法", "领导", "简要", "一块", "一句", "列一下"))


def test_a_question_that_only_asks_stays_as_it_is() -> None:
    assert drop_frames("这一块") == "这一块"


@pytest.mark.parametrize("subject", ["序列一下子变长", "系列出版物", "说法律援助", "城市规划"])
def test_a_word_that_may_be_the_subject_is_not_taken_for_asking(subject: str) -> None:
    assert drop_frames(subject) == subject


def test_a_year_that_a_figure_is_measured_from_is_no_year_that_is_compared() -> None:
    assert drop_base_years("到2030年比2025年下降40%") == "到2030年比下降40%"
    assert drop_base_years("2030年和2025年比一比") == "2030年和2025年比一比"
    measured = read_question(asked := "渔船到2030年能耗比2025年下降40%吗？", asked, Corpus())
    assert measured.kind is not Kind.COMPARE and measured.scope.years == {2030}
    compared = read_question(asked := "渔船2030年和2025年的能耗分别是多少？", asked, Corpus())
    assert compared.kind is Kind.COMPARE and compared.scope.years == {2025, 2030}


_TITLES = (("东海省人民政府关于印发东海省江河滩涂生态修复工作实施方案的通知", "a"), ("东海省渔港更新行动计划", "b"))


@pytest.mark.parametrize(
    ("asked", "sources"),
    [
        ("《东海省渔港更新行动计划》讲了什么", {"b"}),
        ("东海江河滩涂生态修复工作实施方案讲了什么", {"a"}),
        ("江滩修复方案与2030年的渔港更新计划有何不同", {"a", "b"}),
        ("工作实施方案讲了什么", set()),
        ("有哪些行动计划", set()),
        ("南山省古桥修缮工作实施方案讲了什么", set()),
    ],
)
def test_documents_are_found_by_their_names_whole_or_shortened(asked: str, sources: set[str]) -> None:
    left, found = take_titles(asked, _TITLES)
    assert found == sources
    assert ("2030" in left) == ("2030" in asked and not sources)


def test_of_a_notice_the_name_is_that_of_what_it_issues() -> None:
    assert name_document(_TITLES[0][0]) == "东海省江河滩涂生态修复工作实施方案"


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ("湛江在这些广东文件里", {"湛江"}),
        ("广东省湛江的渔港", {"湛江"}),
        ("广东和湛江的渔港", set()),
        ("广东的渔港", set()),
    ],
)
def test_a_province_that_only_tells_where_its_city_lies_does_not_widen_the_question(
    asked: str, places: set[str]
) -> None:
    assert read_places(find_mentions(asked), asked) == places


def test_formal_sentences_are_told_from_those_that_carry_a_figure() -> None:
    assert is_formal("现印发给你们,请认真贯彻执行。") and is_formal("(责任单位:省水利厅)")
    assert not is_formal("为贯彻落实要求,疏浚河道300公里。") and not is_formal("疏浚河道。")


def test_headings_of_a_line_of_their_own_open_stretches() -> None:
    index = _index(a=_PLAN)
    headings = {stretch.headings[-1] for stretch in list_stretches(index.documents, Scope())}
    assert any("清淤疏浚" in heading for heading in headings) and any("资金保障" in heading for heading in headings)


def test_a_subject_that_no_heading_and_no_paragraph_is_about_gives_nothing() -> None:
    index = _index(a=_REPORT)
    question = read_question(asked := "总结航天方面的安排", asked, Corpus())
    assert find_topic(index.documents, weigh(question, index), Scope()) == ()


def test_a_summary_of_what_no_document_speaks_of_is_refused() -> None:
    assert _ask("总结2031年航天方面的安排", a=_REPORT).refusal is not None


_PILOTS = """三十座节水城市试点的观察

经验一:规划引领
东港市编制了节水规划,完成管网改造31公里。
经验二:科技赋能
西岭市安装智能水表12万只,漏损率下降2个百分点。
经验三:典型示范,问题导向
南浦市公布节水典型60个。
"""


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("节水城市试点有哪些经验？", ("31公里", "12万只", "60个")),  # headings count just that
        ("节水城市试点的问题总结一下", ("31公里", "12万只", "60个")),  # 问题 stands in one heading in passing
        ("总结科技赋能的做法", ("12万只",)),
    ],
)
def test_headings_that_count_what_is_asked_for_are_told_all(question: str, told: tuple[str, ...]) -> None:
    answer = _ask(question, pilots=_PILOTS)
    assert [part for part in ("31公里", "12万只", "60个") if part in answer.text] == list(told)


_CREEK = """2031年政府工作报告

一、2030年工作回顾

渔业产值达到30万亿元,增长9%。

在肯定成绩的同时,也要清醒看到,我们还面临不少困难。一是港口淤积严重。疏浚跟不上。

二是渔船老旧。近海鱼群减少四成。

二、2031年工作部署

渔业减负要加快。今年将采取三项举措。一是取消泊位费,惠及渔船900艘。二是降低冷库电价。三是把渔网抵扣扩大到所有渔户。

做好工作要把握以下原则:一是先近海后远海。二是先疏浚后扩建。各地要抓紧落实。

突出四个方面:

——建好渔港。新建泊位12个。

——护好滩涂。修复滩涂3万亩。

——办好渔校。招收学员800名。

——管好水质。近岸水质优良比例达到80%。

三、2031年重点任务

(一)渔港建设

渔港建设投入5亿元。新建渔港7座。渔民转岗培训覆盖2000人。

(二)生态修复

修复红树林1万亩。安排转产渔民900人参加管护。红树林每月巡护一次。

(三)民生保障

提高渔民养老补贴至每月300元。低保标准提高8%。新建卫生站6所。
"""

_RULES = (
    "渔业资源养护办法\n\n 首页 公告 通知 动态 第一章 总 则 第一条 为了养护渔业资源,制定本办法。 第二条 本办法适用于近海。 "
    "第二章 休渔管理 第三条 休渔期为四个月。 申请捕捞许可应当具备下列条件: (一)有船舶证书; (二)有船员证书; (三)缴清费用。 "
    "第四条 休渔期间不得出海。 第三章 罚 则 第五条 违反规定的,处一万元罚款。 情节严重的,吊销许可。"
)


@pytest.mark.parametrize(
    ("question", "told", "left"),
    [
        ("2031年渔业减负的三项举措是什么", ("取消泊位费", "降低冷库电价", "渔网抵扣"), ("先近海", "建好渔港")),
        ("2031年的两条原则", ("先近海后远海", "先疏浚后扩建"), ("泊位费", "建好渔港")),
        ("2031年的四个方面都讲了什么", ("建好渔港", "护好滩涂", "办好渔校", "管好水质"), ("泊位费",)),
    ],
)
def test_what_the_text_counts_is_told_item_by_item(question: str, told: tuple[str, ...], left: tuple[str, ...]) -> None:
    text = _ask(question, a=_CREEK).text
    assert all(item in text for item in told) and not any(item in text for item in left)


def test_items_of_another_number_are_not_what_was_asked_for() -> None:
    assert "惠及渔船900艘" not in _ask("2031年渔业减负的七项举措是什么", a=_CREEK).text


@pytest.mark.parametrize(
    "question", ["2031年报告坦承了哪些困难？", "2031年政府工作报告承认了哪些短板", "2030年有哪些问题"]
)
def test_what_a_report_admits_is_told_whole_whatever_it_is_called(question: str) -> None:
    text = _ask(question, a=_CREEK).text
    assert "港口淤积" in text and "渔船老旧" in text and "渔港7座" not in text


@pytest.mark.parametrize(
    ("question", "told", "left"),
    [
        ("2031年报告第三部分（二）那一节讲了什么", "红树林1万亩", "渔港7座"),
        ("概述2031年报告的民生保障那一部分", "卫生站6所", "红树林"),
    ],
)
def test_a_part_is_found_by_its_number_and_by_its_heading(question: str, told: str, left: str) -> None:
    text = _ask(question, a=_CREEK).text
    assert told in text and left not in text


def test_a_part_that_no_document_has_is_refused() -> None:
    assert _ask("2031年报告第九部分讲了什么", a=_CREEK).refusal is not None


@pytest.mark.parametrize(
    "question",
    ["没时间看全文，请把2031年政府工作报告浓缩一下", "2031年政府工作报告的核心内容是什么？", "盘点2030年的成绩单"],
)
def test_a_whole_document_or_year_is_told_in_any_wording(question: str) -> None:
    assert "30万亿元" in _ask(question, a=_CREEK).text


def test_of_a_group_of_people_all_sentences_that_name_them_are_told_and_no_others() -> None:
    text = _ask("2031年对渔民有哪些照顾，综合说说", a=_CREEK).text
    assert all(told in text for told in ("2000人", "900人", "300元")) and "每月巡护" not in text


def test_chapters_of_a_text_without_line_breaks_are_its_headings() -> None:
    index = _index(a=_RULES)
    headings = {stretch.headings[-1] for stretch in list_stretches(index.documents, Scope())}
    assert {"第一章 总 则", "第二章 休渔管理", "第三章 罚 则"} <= headings
    text = _ask("办法第三章规定了什么？", a=_RULES).text
    assert "一万元" in text and "四个月" not in text


def test_conditions_of_a_rule_are_listed_one_by_one() -> None:
    text = _ask("申请捕捞许可要满足哪些条件？", a=_RULES).text
    assert all(item in text for item in ("船舶证书", "船员证书", "缴清费用")) and "罚款" not in text


@pytest.mark.parametrize(
    "asked", ["广东2024年计划新建码头多少座？", "内蒙古2024年任务计划完成多少？", "2024年广东工作计划新建多少？"]
)
def test_a_place_a_year_and_a_verb_are_no_documents_name(asked: str) -> None:
    titles = (("广东省2024年工作计划", "a"), ("内蒙古自治区2024年计划", "b"))
    assert take_titles(asked, titles) == (asked, frozenset())


_LAW = """江河保护条例

第一章 总 则

第一条 为了保护江河,制定本条例。

第二章 保护责任

第二条 沿江取水的工厂、矿山,应当安装流量计,并每月向水务部门报送取水量。

第三条 有下列情形之一的,不予发放取水许可: (一)未缴清水费的; (二)伪造取水量的。

第四条 禁止向江河倾倒渣土。

第三章 法律责任

第五条 取水单位伪造取水量的,由水务部门责令改正,没收违法所得,并处三万元以上九万元以下罚款。

第六条 违反本条例规定倾倒渣土的,由水务部门责令限期清除;逾期不清除的,处一万元以下罚款。
"""

_DIGEST = """两地报告摘编

一、浙江

（一）2030年工作回顾

浙江省报告介绍，2030年粮食总产量达到620万吨。交通方面，建成充电桩7万根。绿化方面，完成造林31万亩。贸易方面，出口增长9%。

（二）2031年工作安排

新增风电装机80万千瓦。完成造林33万亩，松材线虫病发生面积下降5%。

二、陕西

（一）2030年工作回顾

陕西省报告介绍，2030年粮食总产量达到1290万吨。交通方面，建成充电桩4万根。绿化方面，完成造林510万亩。贸易方面，出口下降2%。

（二）2031年工作安排

新增光伏装机900万千瓦。完成造林480万亩，沙化土地治理70万亩。

编后：两份报告各有侧重，浙江重海洋，陕西重山林。
"""


def _bullets(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]


@pytest.mark.parametrize(
    ("sentence", "run"),
    [
        ("第九条 产生废液的单位,应当记录废液数量。", "产生废液的单位,应当记录废液数量"),  # who, and what it has to do
        ("有下列情形之一的,应当停止取水;", "有下列情形之一的,应当停止取水"),  # on what condition
        ("单位伪造数据的,由主管部门责令改正,并处三万元罚款。", "单位伪造数据的,由主管部门责令改正,并处三万元罚款"),
        ("在征得业主同意的基础上,逐步实施改造。", "在征得业主同意的基础上,逐步实施改造"),
        ("县水务局会同财政局,制定补助办法。", "县水务局会同财政局,制定补助办法"),
        ("此外,新建泵站3座。", "新建泵站3座"),
    ],
)
def test_clauses_that_need_each_other_are_told_together_and_without_the_mark_of_the_article(
    sentence: str, run: str
) -> None:
    _, runs = cut_runs(sentence)
    whole = [sentence[one.start : one.end] for one in runs if one.whole]
    assert whole and whole[0] == run
    assert not any(text.endswith("的") or text.startswith(("并", "第九条")) for text in whole)


def test_clauses_that_stand_alone_are_told_alone() -> None:
    _, runs = cut_runs("新建泵站3座,改造闸门9个。")
    assert {(one.start, one.end) for one in runs} == {(0, 6), (0, 13), (7, 13)} and all(one.whole for one in runs)


def test_an_item_that_is_only_a_condition_says_nothing_alone() -> None:
    _, runs = cut_runs("(二)贮存废液超过一年的;")
    assert not any(one.whole for one in runs)


@pytest.mark.parametrize(
    ("plain", "around"),
    [
        ("1999年9月16日 东海市第十一届人民代表大会常务委员会第十三次会议通过", True),
        ("——2031年1月16日在东海县第十八届人民代表大会第五次会议上", True),
        ("联系人:赵一  联系电话:123", True),
        ("会议通过了2031年1月16日起不得倾倒渣土的决定", False),
        ("2031年1月16日新建泵站3座。", False),
    ],
)
def test_lines_that_only_adopt_or_sign_are_told_from_what_is_said(plain: str, around: bool) -> None:
    assert is_around(plain) is around


def test_a_summary_of_rules_tells_each_chapter_in_clauses_that_can_be_read_alone() -> None:
    bullets = _bullets(_ask("总结《江河保护条例》", a=_LAW).text)
    said = "\n".join(bullets)
    assert all(told in said for told in ("工厂、矿山,应当安装流量计", "禁止向江河倾倒渣土", "三万元以上九万元以下罚款"))
    assert not any("条 " in bullet or "的”" in bullet for bullet in bullets)


def test_a_summary_of_a_chapter_tells_that_chapter_and_no_other() -> None:
    text = _ask("《江河保护条例》第三章讲了什么", a=_LAW).text
    assert "三万元以上" in text and "一万元以下罚款" in text
    assert "流量计" not in text


def test_a_theme_over_several_places_is_told_of_each_by_its_own_sentences_of_that_theme() -> None:
    text = _ask("两地2030年绿化成绩汇总", a=_DIGEST).text
    assert "浙江2030年的回顾" in text and "31万亩" in text and "陕西2030年的回顾" in text and "510万亩" in text
    assert not any(other in text for other in ("充电桩", "粮食", "出口", "33万亩", "480万亩"))


def test_of_two_years_both_are_told_and_what_the_editor_says_is_not_told_as_a_places_words() -> None:
    text = _ask("总结陕西2030年和2031年的情况", a=_DIGEST).text
    assert "1290万吨" in text and "510万亩" in text and "900万千瓦" in text and "480万亩" in text
    assert "各有侧重" not in text and "31万亩" not in text


def test_without_the_editors_mark_the_same_paragraph_is_told() -> None:
    plain = _DIGEST.replace("编后：两份报告各有侧重，浙江重海洋，陕西重山林。", "新建苗圃6处。修复湿地2万亩。")
    assert "2万亩" in _ask("总结陕西2031年的任务", a=plain).text
