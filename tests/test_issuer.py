"""Places and bodies that no gazetteer has: a document says whose it is, and a question that names one finds its documents."""

from __future__ import annotations

import pytest

from assistant.answer import Assistant
from assistant.answering.contents import say_contents
from assistant.llm.catalog import bundled
from assistant.page.scope import ScopeConflict, narrow
from assistant.question.places import find_foreign_places, find_mentions, read_own
from assistant.question.understand import describe_corpus, read_question
from assistant.types import Answer, Refusal
from tests.answer_fakes import FakeEngine
from vectorstore import sections
from vectorstore.embed import open_embedder
from vectorstore.gazetteer import Gazetteer
from vectorstore.issuer import find_foreign, find_issuer, is_own_name, listed_city, short_names
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.types import Document, Media, ParsedDocument, Part, Scope

_REPORT = """2031年霞浔县人民政府工作报告
——2031年1月9日在霞浔县第九届人民代表大会第二次会议上
霞浔县人民政府县长 林某某

一、2030年工作回顾

过去一年,全县修缮码头9座,新建渔村公厕14座。

二、2031年主要任务

新建防波堤3公里,修缮码头12座。淘汰老旧渔船80艘。
"""
_RULES = """澜渡航运集团有限公司值班管理规定

第一条 为了规范值班,制定本规定。
第二条 夜间值班补助每人每晚90元。
第三条 值班人员不得离岗。
"""
_CITY = """2031年扬州市政府工作报告

一、2030年工作回顾

全市修缮码头21座。

二、2031年主要任务

修缮码头30座。
"""


def _parse(text: str, source: str = "a.txt") -> ParsedDocument:
    return parse(Document(source, text, Media.TEXT, source, text.split("\n", 1)[0]))


def _ask(question: str, *texts: str) -> Answer:
    documents = [_parse(text, f"{number}.txt") for number, text in enumerate(texts)]
    return Assistant(MemoryIndex(documents, open_embedder()), bundled(), FakeEngine()).ask(question)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("2031年霞浔县人民政府工作报告", "霞浔县"),
        ("中共霞浔县委关于制定规划的建议", "霞浔县"),
        ("福建省霞浔县2031年工作要点", "霞浔县"),
        ("碧澜市居民取暖补贴指南(2031年版)", "碧澜市"),
        ("澜渡航运集团有限公司值班管理规定", "澜渡航运集团"),
        ("霞浔县水务集团有限公司值班规定", "霞浔县水务集团"),
        ("星禾农机有限公司考勤制度", "星禾农机有限公司"),
        ("澜渡大学学生宿舍管理办法", "澜渡大学"),
    ],
)
def test_a_title_names_whose_document_it_is(title: str, name: str) -> None:
    assert find_issuer(title) == name


@pytest.mark.parametrize(
    "title",
    [
        "城市更新行动方案",
        "示范县评选办法",
        "证券公司监督管理条例",
        "上市公司信息披露管理办法",
        "国有企业集团管理办法",
        "股票市场监管办法",
        "工业园区环境管理办法",
        "全省2031年工作要点",
        "县域经济发展意见",
        "各市县工作要点",
        "独立学院设置办法",
        "老旧小区改造实施方案",
        "上海市2024年政府工作报告",
        "霞浔县和碧澜市合作方案",
    ],
)
def test_an_ordinary_word_a_listed_place_and_several_places_are_no_such_name(title: str) -> None:
    assert find_issuer(title) is None


@pytest.mark.parametrize(
    "line",
    [
        "——2031年1月9日在霞浔县第九届人民代表大会第二次会议上",
        "霞浔县人民政府县长 林某某",
        "发布单位:霞浔县发展和改革局",
    ],
)
def test_the_lines_below_a_title_say_whose_it_is_where_the_title_does_not(line: str) -> None:
    assert find_issuer("政府工作报告", [line]) == "霞浔县"
    assert find_issuer("政府工作报告", ["各位代表:"]) is None


def test_the_name_labels_the_whole_report_and_its_parts_keep_their_years() -> None:
    labels = [s.labels for s in _parse(_REPORT).sections]
    assert {one.region for one in labels} == {"霞浔县"}
    assert [(one.year, one.part) for one in labels[1:]] == [(2030, Part.REVIEW), (2031, Part.TASKS)]


def test_without_the_rule_nothing_would_label_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "find_issuer", lambda title, lines: None)
    assert {s.labels.region for s in _parse(_REPORT).sections} == {None}


def test_a_collection_of_reports_is_of_none_of_them_but_by_its_headings() -> None:
    text = (
        "霞浔县等地工作报告摘编\n\n霞浔县\n\n新建防波堤3公里,修缮码头12座。\n\n碧澜市\n\n新建渔港2座,清理淤泥5万吨。\n"
    )
    assert [s.labels.region for s in _parse(text).sections][-2:] == ["霞浔县", "碧澜市"]


@pytest.mark.parametrize("line", ["试点城市", "家电下乡", "哪个镇", "工业园区", "各区县", "示范县", "全市"])
def test_an_ordinary_short_line_heads_no_place(line: str) -> None:
    text = f"工作要点摘编\n\n{line}\n\n新建防波堤3公里,修缮码头12座。\n"
    assert {s.labels.region for s in _parse(text).sections} == {None}


def test_a_report_of_a_city_is_of_the_city_and_not_of_its_province() -> None:
    assert {s.labels.region for s in _parse(_CITY).sections} == {"扬州"}
    assert _ask("扬州2031年修缮码头多少座", _CITY).text.startswith("30座。扬州2031年的任务中提出")
    assert _ask("江苏2031年修缮码头多少座", _CITY).refusal is Refusal.OTHER_REGION


@pytest.mark.parametrize(
    "title", ["苏州河环境治理方案", "济南都市圈规划", "江苏省工作报告", "扬州大学章程", "扬州和苏州合作方案"]
)
def test_a_river_a_group_of_cities_and_a_province_are_no_city(title: str) -> None:
    assert listed_city(title) is None


def test_an_answer_says_whose_plan_it_is() -> None:
    assert _ask("霞浔县2031年修缮码头多少座", _REPORT, _CITY).text.startswith("12座。霞浔县2031年的任务中提出")


def test_of_two_places_that_have_it_the_one_that_is_named_answers() -> None:
    assert "21座" in _ask("扬州2030年修缮码头多少座", _REPORT, _CITY).text
    assert "9座" in _ask("霞浔2030年修缮码头多少座", _REPORT, _CITY).text


def test_a_place_that_no_document_names_is_not_answered_with_anothers_figure() -> None:
    answer = _ask("碧澜县2031年修缮码头多少座", _REPORT)
    assert answer.refusal is Refusal.OTHER_REGION
    assert "资料里没有碧澜县" in answer.text


def test_rules_of_a_company_are_found_under_its_short_name_and_no_other() -> None:
    assert "90元" in _ask("澜渡航运夜间值班补助每晚多少元", _RULES).text
    assert _ask("海天航运集团夜间值班补助每晚多少元", _RULES).refusal is Refusal.OTHER_REGION


def test_a_province_before_an_unlisted_county_only_says_where_it_lies() -> None:
    assert [m.place.name for m in find_mentions("福建省霞浔县2031年", ["霞浔县"])] == ["霞浔县"]
    assert [m.place.name for m in find_mentions("福建和霞浔县2031年", ["霞浔县"])] == ["福建", "霞浔县"]


def test_names_are_told_longest_first_and_without_what_they_share() -> None:
    assert short_names("澜渡航运集团")[0] == "澜渡航运集团有限公司"
    assert {"澜渡航运集团", "澜渡航运", "澜渡"} <= {*short_names("澜渡航运集团")}
    assert not find_mentions("霞浔的码头", ["霞浔县", "霞浔市"])
    assert not find_mentions("霞浔县的码头", ["霞浔县水务集团"])


@pytest.mark.parametrize(
    "question",
    [
        "我们县今年要干什么",
        "哪个市最高",
        "上市公司有几家",
        "老旧小区",
        "试点城市",
        "集团领导住宿",
        "高新区由谁承担",
        "山区镇的农户",
        "家电下乡",
        "哪个镇",
        "北京市",
    ],
)
def test_ordinary_words_of_a_question_are_no_foreign_place(question: str) -> None:
    assert find_foreign(question) == ()


def test_a_name_that_stands_in_a_text_is_not_foreign() -> None:
    assert [m.alias for m in find_foreign_places("霞浔县的码头", (), ["本省的码头"])] == ["霞浔县"]
    assert find_foreign_places("霞浔县的码头", (), ["霞浔县的码头"]) == ()


def test_the_name_is_where_and_no_word_that_is_looked_for() -> None:
    corpus = describe_corpus([_parse(_REPORT)])
    question = read_question("", "霞浔2031年修缮码头多少座", corpus)
    assert question.scope.regions == {"霞浔县"}
    assert not any("霞浔" in term for term in question.terms)


def test_own_names_are_no_provinces() -> None:
    assert read_own([_parse(_REPORT), _parse(_CITY), _parse(_RULES)]) == ("澜渡航运集团", "霞浔县")
    assert not any(is_own_name(name) for name in Gazetteer.load().provinces())
    assert not is_own_name(None)


def test_the_list_of_documents_tells_places_from_bodies() -> None:
    lines = [line.said[0].text for line in say_contents([_parse(_REPORT), _parse(_RULES)])]
    assert "地区：霞浔县" in lines[0] and "单位" not in lines[0]
    assert "单位：澜渡航运集团" in lines[1] and "地区" not in lines[1]


def test_who_gave_a_report_is_no_measure_of_it() -> None:
    text = _ask("总结霞浔县2031年的任务", _REPORT).text
    assert "防波堤" in text
    assert "林某某" not in text and "次会议" not in text


def test_a_city_that_a_document_is_of_can_be_chosen_for_a_question_about_it() -> None:
    understood = read_question("", "扬州和苏州2031年修缮码头多少座", describe_corpus([_parse(_CITY)])).scope
    narrowed = narrow(understood, Scope(regions=frozenset({"扬州"})))
    assert narrowed.scope.places == {"扬州"}
    assert "苏州" in narrowed.note
    with pytest.raises(ScopeConflict):
        narrow(understood, Scope(regions=frozenset({"霞浔县"})))
