"""What people say leads to what documents call it, and not to what only sounds alike."""

from __future__ import annotations

import pytest

from assistant.question.weigh import Term, Weighing, stands_in
from assistant.reading.thesaurus import GAP, find_meanings, find_members, find_wordings, is_official, read_lines
from vectorstore.normalize import normalize


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("种树", "造林"),
        ("老房子", "老旧小区"),
        ("屋顶太阳能", "分布式光伏"),
        ("减碳换积分", "碳普惠"),
        ("完工", "竣工"),
    ],
)
def test_an_everyday_wording_leads_to_what_documents_call_it(said: str, called: str) -> None:
    assert called in find_meanings(said)


@pytest.mark.parametrize(("one", "other"), [("风电", "光伏"), ("地铁", "公交"), ("废水", "废气"), ("森林", "湿地")])
def test_siblings_do_not_lead_to_each_other(one: str, other: str) -> None:
    assert other not in find_meanings(one) and one not in find_meanings(other)


def test_a_wording_is_found_where_it_stands_and_the_longest_wins() -> None:
    text = "乡下的老房子怎么改"
    (found,) = [wording for wording in find_wordings(text) if "房" in wording.text]
    assert found.text == "老房子" and [text[a:b] for a, b in found.spans] == ["老房子"]


def test_a_wording_with_a_gap_fixes_both_of_its_sides() -> None:
    text = "哪里能给小车充电"
    (found,) = [wording for wording in find_wordings(text) if "…" in wording.text]
    assert [text[a:b] for a, b in found.spans] == ["给", "充电"]
    assert "充电桩" in find_meanings(found.text)


def test_no_two_wordings_share_a_character() -> None:
    text = "老百姓在家门口种树、少开车、节约用电有没有奖励"
    places = [place for wording in find_wordings(text) for a, b in wording.spans for place in range(a, b)]
    assert len(places) == len(set(places)) > 4


def test_a_short_wording_inside_a_longer_word_is_none() -> None:
    assert "电车" not in [wording.text for wording in find_wordings("发电车间改造")]


def test_no_everyday_wording_is_a_question_word() -> None:
    assert not find_meanings("多少") and not find_meanings("什么") and not find_meanings("哪些")


def test_a_theme_has_members_and_a_thing_has_none() -> None:
    assert {"特高压", "储能"} <= find_members("能源")
    assert not find_members("充电桩")


def test_official_words_are_known_and_everyday_ones_are_not() -> None:
    assert is_official("加氢站") and not is_official("补电")


@pytest.mark.parametrize(
    ("term", "text", "stands"),
    [
        ("合格", "全部合格", True),
        ("合格", "仍不合格", False),
        ("化石能源", "提高非化石能源比重", False),
        ("化石能源", "减少化石能源消费", True),
    ],
)
def test_a_word_that_is_turned_round_does_not_stand(term: str, text: str, stands: bool) -> None:
    assert stands_in(term, text) is stands


def test_another_name_has_to_be_a_word_of_the_text() -> None:
    term = Term("动工", 1.0, frozenset({"开工"}))
    assert term.match("召开工作会议") < term.match("今年开工三座")


def test_another_name_counts_less_than_the_word_itself_and_more_than_a_piece() -> None:
    weighing = Weighing((Term("绿牌车", 1.0, frozenset({"新能源汽车"})),))
    itself, named, piece = (weighing.coverage(t) for t in ("绿牌车推广", "新能源汽车推广", "绿牌照"))
    assert itself == 1.0 > named > piece > 0.0


def test_a_theme_counts_more_the_more_is_spoken_of_under_it() -> None:
    weighing = Weighing((Term("能源", 1.0, members=frozenset({"特高压", "储能", "光伏"})),))
    assert (
        0 < weighing.coverage("推进特高压") < weighing.coverage("推进特高压和储能") < weighing.coverage("能源") == 1.0
    )


@pytest.mark.parametrize("name", ["thesaurus.tsv", "themes.tsv"])
def test_wordings_stand_in_the_files_as_questions_are_normalised(name: str) -> None:
    wordings = {word for line in read_lines(name) for side in line for word in side}
    wrong = [w for w in wordings if GAP.join(map(normalize, w.split(GAP))) != w]
    assert wrong == []
