"""Telling words, refusals and follow-ups of everyday talk: what is looked for is a thing, whole, and what is carried on is the subject."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answering.refuse import write_refusal
from assistant.question.carried import add_condition, exchange_counterpart, exchange_statement, name_item
from assistant.question.follow import understand, understand_as_follow_up
from assistant.question.frames import find_count
from assistant.question.phrases import find_phrases
from assistant.question.titles import take_titles
from assistant.question.understand import Corpus
from assistant.types import Asks, Kind, Question, Refusal, Role, Turn
from tests.sentences import make_sentence
from vectorstore.normalize import normalize

CORPUS = Corpus(2024)


def _read(text: str, *before: str, reply: str = "") -> Question:
    turns = [Turn(Role.USER, said) for said in before]
    return understand(text, [*turns, *([Turn(Role.ASSISTANT, reply)] if reply else [])], CORPUS)


@pytest.mark.parametrize(
    ("text", "scraps"),
    [
        ("上海2024年有哪些安排，说个大概", {"说个", "大概"}),
        ("上海的绿化给我讲讲", {"讲讲", "给我"}),
        ("我妈想领养老补贴咋弄？", {"我妈", "想领", "咋弄"}),
        ("我们厂的锅炉要不要拆", {"我们厂", "要不要"}),
        ("这些钱是从哪来的", {"哪来", "从哪来"}),
        ("快递盒子要先掏钱吗", {"掏钱"}),
        ("报告里还存在哪些困难", {"些", "还存", "存在"}),
        ("每度电补多少，补几年？", {"每度", "电补", "度电"}),
        ("热线几点到几点有人接", {"点到", "几点", "有人"}),
        ("多少天之内要交材料", {"天内", "天之内", "之内"}),
        ("家电厂要不要管回收", {"电厂", "要不要"}),
        ("上年度的报表最晚几月交", {"上年度", "年度", "最晚"}),
        ("钱要不要退，多久退？", {"钱要", "要退", "多久"}),
        ("改造费用由谁承担", {"承担", "由谁"}),
        ("重型货车每辆补多少", {"补多", "每辆"}),
        ("老旧小区换窗户要找谁", {"找谁", "要找"}),
        ("电梯晚上留几部？", {"晚上留", "部"}),
        ("领导让我写个材料，财政怎么样", {"领导", "材料"}),
        ("医院有啥变化", {"变化"}),
    ],
)
def test_words_that_only_ask_or_chat_are_no_telling_words(text: str, scraps: set[str]) -> None:
    terms = set(_read(text).terms)
    assert terms.isdisjoint(scraps), terms


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("家电厂要不要管回收", "家电"),
        ("收不收费", "收费"),  # the verb of 收不收 is what is asked about
        ("有多少年轻人参加", "年轻人"),  # 年 is no unit here
        ("修缮加氢站多少座", "加氢站"),
        ("每吨标准煤奖励多少", "奖励"),
    ],
)
def test_words_that_tell_are_kept(text: str, told: str) -> None:
    assert any(told in term for term in _read(text).terms)


@pytest.mark.parametrize(
    ("text", "kind", "asks"),
    [
        ("报告里还存在哪些困难", Kind.LIST, Asks.OTHER),
        ("存放电池的仓库在哪里", Kind.FACT, Asks.REGION),
        ("拿假资料骗钱会怎么样", Kind.FACT, Asks.OTHER),
        ("绿化搞得怎么样", Kind.SUMMARY, Asks.OTHER),
        ("同事虚报费用怎么罚", Kind.FACT, Asks.OTHER),  # the 事 of 同事 asks for no summary
        ("二手冰箱给不给补贴", Kind.YES_NO, Asks.OTHER),
        ("电池里都包括些什么", Kind.LIST, Asks.OTHER),
        ("材料多久之内要交", Kind.FACT, Asks.QUANTITY),
        ("奖励的钱从哪儿出", Kind.FACT, Asks.OTHER),
        ("审查意见多少天给出来", Kind.FACT, Asks.QUANTITY),
        ("刚买没几年的车能不能卖", Kind.YES_NO, Asks.OTHER),
    ],
)
def test_what_is_wanted_is_understood_from_everyday_talk(text: str, kind: Kind, asks: Asks) -> None:
    question = _read(text)
    assert (question.kind, question.asks) == (kind, asks)


def test_last_year_of_a_yearly_duty_is_no_year_that_is_asked_for() -> None:
    assert not _read("上年度的能源报告最晚几月报").scope.years
    assert _read("上年的赤字是多少").scope.years == {2023}


def test_a_time_or_a_sum_counts_nothing() -> None:
    assert _read("多少天内可以申请补贴").counted == ()
    assert _read("有多少个公园").counted == ("公园",)


@pytest.mark.parametrize(
    ("before", "text", "standalone"),
    [
        ("首次评上国家级绿色工厂奖励多少", "那省级的呢", "首次评上省级绿色工厂奖励多少"),
        ("重型货车每辆补多少？", "轻型的呢", "轻型货车每辆补多少?"),
        ("出差住宿一天能报多少", "去上海呢？", "上海出差住宿1天能报多少"),
        ("企业造成污染,多久内治理", "到期没治好呢", "企业造成污染,到期没治好会怎样?"),
        ("单位不按规定记账怎么罚", "那提供虚假信息的机构呢？", "提供虚假信息的机构怎么罚?"),
        ("虚报数据会受什么处分？", "造成严重后果呢", "虚报数据,造成严重后果会怎样?"),
        ("虚报数据会受什么处分？", "金额特别大的话呢", "虚报数据,金额特别大会怎样?"),
        ("拒绝检查罚多少", "情节严重的呢", "拒绝检查,情节严重会怎样?"),
        ("没通过验收怎么罚", "没有营业执照呢", "没有营业执照会怎样?"),  # it takes the other's place
        ("部门员工出差谁审批", "部门负责人呢", "部门负责人出差谁审批"),
        ("部门员工出差谁审批", "那要是出国呢", "部门员工出差,出国谁审批?"),
        ("冰箱补贴多少", "那空调呢", "空调补贴多少"),
        ("浙江2026年新增海上风电多少", "光伏呢", "浙江2026年新增光伏多少"),
        ("重型货车每辆补多少", "最多补几辆", "重型货车,最多补几辆?"),
        ("谁负责统计能耗数据", "报销呢", "谁负责报销?"),
    ],
)
def test_a_follow_up_carries_the_subject_on_and_exchanges_or_adds_a_part(
    before: str, text: str, standalone: str
) -> None:
    assert _read(text, before).standalone == standalone


@pytest.mark.parametrize("text", ["没有签字能不能回家", "省级绿色园区有奖励吗", "如果业主不同意怎么办", "单户能申请吗"])
def test_a_question_with_a_subject_of_its_own_stays_as_it_is(text: str) -> None:
    assert _read(text, "首次评上国家级绿色园区奖励多少").standalone == text


def test_one_condition_takes_the_place_of_the_other() -> None:
    question = _read("停产以后还是没完成呢？", "企业造成污染,多久内治理", "到期没治好呢")
    assert question.standalone == "企业造成污染,停产以后还是没完成会怎样?"


def test_a_thing_is_named_by_its_place_in_the_list_that_was_answered() -> None:
    reply = "（一）绿色家电\n- “家电补贴15%，每件最高1500元”[1]。\n（二）新能源汽车\n- “每辆补贴1.5万元”[2]。"
    assert _read("第二个能领多少钱", "补贴有哪几类？", reply=reply).standalone == "新能源汽车能领多少钱"
    turns = [
        Turn(Role.USER, "补贴有哪几类？"),
        Turn(Role.ASSISTANT, reply),
        Turn(Role.USER, "第二个能领多少钱"),
        Turn(Role.ASSISTANT, "每辆补贴1.5万元[1]。"),
    ]
    assert understand("它在哪里办？", turns, CORPUS).standalone == "新能源汽车在哪里办?"


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("第二个能领多少钱", "补贴是每辆1.5万元[1]。"),  # no list
        ("第二条是怎么规定的", "- “甲类补贴”[1]\n- “乙类补贴”[2]"),  # of a law
        ("第一个零碳园区在哪里", "- “甲类补贴”[1]\n- “乙类补贴”[2]"),  # it stands alone
        ("第三个能领多少钱", "- “甲类补贴”[1]\n- “乙类补贴”[2]"),  # it has only two
        ("第二个季度能领多少钱", "- “甲类补贴”[1]\n- “乙类补贴”[2]"),  # a time, and no thing of the list
        (
            "第二个能领多少钱",
            "- “甲类每年补贴一次，乙类每年补贴两次，共三万元”[1]\n- “丙类没有补贴，另有规定的除外”[2]",
        ),
    ],
)
def test_where_no_list_names_it_nothing_is_put_in(text: str, reply: str) -> None:
    assert name_item(text, reply) == text


_POINTS = "- “一是投入不平衡”[1]。\n- “二是部门各管一段”[2]。"
_WHOLE_TEXT = "主要问题如下。一是投入不平衡。钱花在城里。二是部门各管一段。三是公众不知情。"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("第二个具体说说", "讲讲部门各管一段"),
        ("第一个问题展开讲讲", "讲讲投入不平衡"),
        ("第三点能详细说一下吗", "讲讲公众不知情"),  # which the answer left out, and the document has
        ("第四个具体说说", "第四个具体说说"),
    ],
)
def test_a_point_that_counts_itself_is_the_one_of_that_number(text: str, named: str) -> None:
    assert name_item(text, _POINTS, [_WHOLE_TEXT]) == named


def test_a_number_is_taken_from_the_document_only_beside_a_point_of_the_answer() -> None:
    assert name_item("第三个具体说说", "补贴是每辆1.5万元[1]。", [_WHOLE_TEXT]) == "第三个具体说说"


def test_a_thing_is_no_condition_and_a_name_no_statement() -> None:
    assert not add_condition("没有执照的企业", "单位不记账怎么罚?")
    assert add_condition("没有执照", "单位不记账怎么罚?")
    assert not exchange_statement("公共机构", "单位不记账怎么罚?")
    assert exchange_statement("不记账的公共机构", "单位不开会怎么罚?")


def test_only_a_whole_word_is_exchanged_for_its_counterpart() -> None:
    assert exchange_counterpart("初中", "小学有多少所") == "初中有多少所"
    assert not exchange_counterpart("初中", "小学生有多少")


def test_what_follows_on_a_question_without_place_is_about_its_subject() -> None:
    history = [Turn(Role.USER, "完成目标有奖励吗")]
    again = understand_as_follow_up("一线工人至少能分到多少？", history, CORPUS, subject=True)
    assert again is not None and again.standalone == "奖励,一线工人至少能分到多少"
    assert understand_as_follow_up("一线工人至少能分到多少？", history, CORPUS) is None


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("环保部门对电子废物企业的抽查一年几次", {"环保部门", "电子废物企业"}),
        ("我没进官方名单,行吗", {"官方名单"}),
        ("同事出差乱开票,被抓到怎么罚", {"开票"}),
        ("我妈玩不转智能机,想领补贴咋弄", {"智能机", "补贴"}),
        ("拿到钱以后能不能去", set()),
    ],
)
def test_a_refusal_speaks_of_whole_noun_phrases(text: str, phrases: set[str]) -> None:
    question = _read(text)
    found = {phrase.text for phrase in find_phrases(normalize(question.focus), question.terms)}
    assert found <= phrases | {"抽查"} and phrases <= found


def test_a_refusal_names_the_phrase_of_which_a_word_is_missing() -> None:
    question = _read("电子废物企业的官方名单由谁公布？")
    sentences = [make_sentence("电子废物由企业处置。")]
    told = write_refusal(question, Refusal.NOT_IN_CORPUS, (), sentences)
    assert told == "资料里没有关于“官方名单”的内容，所以不作回答。"


def test_a_refusal_names_nothing_that_the_documents_have_by_another_name() -> None:
    question = _read("垃圾桶的废水由谁处理？")
    told = write_refusal(question, Refusal.NOT_IN_CORPUS, (), [make_sentence("处理垃圾桶的污水。")])
    assert "没有关于" not in told and "“废水”" in told


def test_a_refusal_without_a_thing_to_name_names_none() -> None:
    question = _read("拿到以后还要去交多久？")
    told = write_refusal(question, Refusal.NOT_IN_CORPUS, (), [make_sentence("无关的一句。")])
    assert "“" not in told


_TITLES = (("东河市企业和居民绿色转型补贴办事指南（2026年版）", "a.txt"), ("西山省节约用水管理规定", "b.txt"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("东河那份补贴指南到哪天失效", "本文到哪天失效"),
        ("概括一下东河市这份绿色转型补贴指南", "概括一下本文"),  # whose it is goes with it
        ("节约用水管理规定里怎么说", "本文里怎么说"),
        ("补贴有哪些规定", "补贴有哪些规定"),  # what is ruled, and no document
        ("申请要看哪份指南", "申请要看哪份指南"),
    ],
)
def test_a_document_is_known_by_its_name_without_edition_and_in_everyday_words(text: str, left: str) -> None:
    assert take_titles(text, _TITLES)[0] == left


@given(
    st.text(max_size=20),
    st.sampled_from(["那", "要是", "第二个", "去", "它", ""]),
    st.sampled_from(["呢", "呢？", "的呢", ""]),
)
def test_no_text_breaks_a_follow_up(text: str, opening: str, end: str) -> None:
    reply = "（一）甲类\n（二）乙类"
    question = _read(f"{opening}{text}{end}那", "单位不记账会受什么处分？", reply=reply)
    assert question.standalone
    assert write_refusal(question, Refusal.NOT_IN_CORPUS, (), [make_sentence("记账。")])


def test_the_name_of_a_thing_that_begins_with_a_place_is_kept_whole() -> None:
    assert "天津港" in _read("天津港有什么绿色举措？").terms
    assert "天津" not in " ".join(_read("天津有什么绿色举措？").terms)
    told = write_refusal(_read("天津港有什么绿色举措？"), Refusal.NOT_IN_CORPUS, (), [make_sentence("发展绿色交通。")])
    assert "“天津港" in told


def test_a_refusal_names_what_was_to_be_counted() -> None:
    question = _read("北京要新建多少个公共充电桩？")
    told = write_refusal(question, Refusal.NOT_IN_CORPUS, (), [make_sentence("北京新建公园。")])
    assert "“公共充电桩”" in told and "提到过" not in told


@pytest.mark.parametrize(
    ("asked", "number"), [("81个试点的3个特点是什么", "3"), ("3个特点是什么", "3"), ("81个城市是哪些", "81")]
)
def test_of_two_numbers_the_one_that_counts_what_is_asked_for_is_meant(asked: str, number: str) -> None:
    counted = find_count(asked)
    assert counted is not None and counted["number"] == number
