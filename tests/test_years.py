"""Which year a sentence is of, which a document: what names it, what only dates it, and where none is sure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.answer import Assistant
from assistant.answering.quote import choose_quote
from assistant.checking.belongs import find_other
from assistant.question.weigh import Term, Weighing
from assistant.reading.owners import About
from assistant.reading.pairs import read_figures
from assistant.reading.stated import may_be_of, name_years, states_year
from assistant.types import Answer
from tests.answer_fakes import FakeEngine
from tests.sentences import make_sentence
from tests.test_answer import READER
from vectorstore.embed import open_embedder
from vectorstore.issuer import find_issuer
from vectorstore.memory import MemoryIndex
from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import ParsedDocument, Sentence
from vectorstore.years import is_of_period, mixes_years, own_years, period_of, tell_years

BULLETIN = """澄江市统计局  国家统计局澄江调查队
澄江市2025年国民经济和社会发展统计公报
（2026年3月18日）

一、综合
全年地区生产总值2386.4亿元，比上年增长5.1%。
年末常住人口312.5万人，上年末为315.1万人。

二、工业
全年规模以上工业增加值增长6.2%。
新能源汽车产量8.6万辆，上年为6.1万辆。
"""

NEWS = """各地今年打算这样干：能源、交通、生态一览
来源：某某日报  2026-01-28 09:10  记者 林声远

浙江：公交先行
去年，全省新增公交线路12条，公交出行分担率达到31.5%，比上年提高2.4个百分点；淘汰老旧柴油公交车86辆。今年计划新增公交线路8条，力争公交出行分担率达到34%。
全省现有公共停车泊位2.6万个。

山东：光伏翻番
2025年，全省光伏装机达到1860万千瓦。自2026年3月1日起，新建厂房屋顶光伏覆盖率不得低于50%。全年新增储能120万千瓦。
"""


def of_text(tmp_path: Path, text: str) -> ParsedDocument:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    return parse(read_document(tmp_path / "a.txt"))


def years_of(parsed: ParsedDocument, *parts: str) -> list[int | None]:
    return [find(parsed, part).labels.year for part in parts]


def find(parsed: ParsedDocument, part: str) -> Sentence:
    return next(sentence for sentence in parsed.sentences if part in sentence.plain)


def ask(documents: Sequence[ParsedDocument], question: str) -> Answer:
    return Assistant(MemoryIndex(documents, open_embedder()), READER, FakeEngine()).ask(question)


def test_a_title_below_the_name_of_an_office_says_of_which_year_a_text_is_and_a_dateline_does_not(
    tmp_path: Path,
) -> None:
    parsed = of_text(tmp_path, BULLETIN)
    assert parsed.document.title == "澄江市2025年国民经济和社会发展统计公报"
    assert {(s.labels.region, s.labels.year) for s in parsed.sections} == {("澄江市", 2025)}
    untitled = of_text(tmp_path, BULLETIN.replace("2025年国民", "国民"))
    assert {section.labels.year for section in untitled.sections} == {2026}


def test_a_text_that_looks_back_and_ahead_has_no_year_and_its_sentences_have_their_own(tmp_path: Path) -> None:
    parsed = of_text(tmp_path, NEWS)
    assert str(parsed.document.published) == "2026-01-28"
    assert {section.labels.year for section in parsed.sections} == {None}
    assert years_of(parsed, "31.5%", "86辆", "34%", "2.6万个") == [2025, 2025, 2026, None]
    assert years_of(parsed, "1860万", "不得低于50%", "120万") == [2025, None, 2025]
    assert {find(parsed, part).labels.region for part in ("31.5%", "2.6万个")} == {"浙江"}
    assert find(parsed, "120万").labels.region == "山东"
    one = of_text(tmp_path, NEWS.replace("去年，", "").replace("2025年，", "").replace("今年计划", "计划"))
    assert {section.labels.year for section in one.sections} == {2026}


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2025年产量达到8万辆，比2024年增长两成。", {2025}),
        ("2025年产量达到8万辆，2024年为6万辆。", {2025, 2024}),
        ("与2024年相比，产量增长两成。", set()),
        ("2024年与2025年，产量都有增长。", {2024, 2025}),
        ("自2026年4月1日起，执行差别电价。", set()),
        ("截至2025年底，建成12座。", {2025}),
        ("2023—2025年，建成12座。", set()),
        ("去年建成12座，今年再建9座。", {2025, 2026}),
        ("比去年多建9座。", set()),
        ("今年以来，建成9座。", set()),
        ("《2030年前行动方案》印发。", set()),
    ],
)
def test_a_sentence_is_of_the_years_that_it_speaks_of(text: str, years: set[int]) -> None:
    assert own_years(text, 2026) == years


@pytest.mark.parametrize(
    ("sentences", "years"),
    [
        (("2025年，建成12座。", "全年投资3亿元。"), (2025, 2025)),
        (("2025年，建成12座。", "投资3亿元。"), (2025, None)),
        (("2025年，建成12座；", "投资3亿元。"), (2025, 2025)),
        (("2025年，建成12座；", "将再建9座。"), (2025, None)),
        (("今年计划建成12座；", "改造管网80公里。"), (2026, 2026)),
        (("今年计划建成12座；", "管网已有80公里。"), (2026, None)),
        (("今年计划建成12座；", "建成甲、乙、丙三个交易中心。"), (2026, 2026)),
        (("今年计划建成12座；", "已建成甲、乙、丙三个交易中心。"), (2026, None)),
        (("今年，将再建9座。", "还将投资2亿元。", "投资已经到位。"), (2026, 2026, None)),
        (("2019年，建成首座。", "全年投资3亿元。"), (2019, None)),
        (("去年和今年各建9座。", "全年投资3亿元。"), (None, None)),
        (("2025年有哪些进展？", "全年投资3亿元。"), (2025, None)),
        (("二期工程投资大、工期长、难度高，终于在2025年完工。", "全年投资3亿元。"), (2025, None)),
    ],
)
def test_a_sentence_goes_on_about_a_year_only_where_the_text_says_so(
    sentences: tuple[str, ...], years: tuple[int | None, ...]
) -> None:
    assert tuple(tell_years(sentences, 2026)) == years


@pytest.mark.parametrize(
    ("day", "text", "year"),
    [
        ("2026-02-03", "全市建成公园12座，比上年增加3座。", None),
        ("2026-02-03", "全市将建成公园12座，比上年增加3座。", 2026),
        ("2026-02-03", "全市建成公园12座。", 2026),
        ("2026-09-03", "全市建成公园12座，比上年增加3座。", 2026),
    ],
)
def test_the_figures_of_a_whole_year_are_not_of_the_one_that_has_just_begun(
    tmp_path: Path, day: str, text: str, year: int | None
) -> None:
    top = f"公园城市观察：家门口的绿色\n发布时间：{day}\n\n记者走访了几座公园。\n\n"
    assert years_of(of_text(tmp_path, f"{top}{text}\n"), "公园12座") == [year]
    assert years_of(of_text(tmp_path, f"{top}去年工作回顾\n{text}\n"), "公园12座") == [2025]


def test_a_title_of_several_years_leaves_the_year_open(tmp_path: Path) -> None:
    plan = (
        "澄江市清水区人民政府关于印发《减污行动计划（2026—2028年）》的通知\n（2026年2月3日）\n\n"
        "一、目标\n到2027年，建成12座。\n开展检查9次。\n"
    )
    parsed = of_text(tmp_path, plan)
    assert years_of(parsed, "12座", "9次") == [2027, None]
    year = of_text(tmp_path, plan.replace("（2026—2028年）", "（2026年）"))
    assert years_of(year, "9次") == [2026]
    assert period_of("行动计划（2026—2028年）") == {2026, 2027, 2028}
    assert is_of_period("某市第十五个五年规划纲要")
    assert not is_of_period("某市2026年工作要点")


def test_one_look_back_does_not_make_a_text_one_of_several_years() -> None:
    assert mixes_years(["去年建成12座。", "2025年投资3亿元。"], 2026)
    assert not mixes_years(["去年建成12座。", "比2025年多投资3亿元。"], 2026)


def test_the_government_of_a_district_is_not_that_of_its_city() -> None:
    assert find_issuer("澄江市云泽区人民政府关于印发行动计划的通知") == "云泽区"
    assert find_issuer("澄江市人民政府关于印发行动计划的通知") == "澄江市"


@pytest.mark.parametrize("office", ["澄江市人民政府办公室", "澄江市水务局"])
def test_the_office_above_a_title_says_whose_the_text_is(tmp_path: Path, office: str) -> None:
    text = "{}\n关于印发2025年水污染防治工作要点的通知\n\n各有关单位：\n一、工作目标\n优良水质比例达到92%。\n"
    parsed = of_text(tmp_path, text.format(office))
    assert parsed.document.title == "关于印发2025年水污染防治工作要点的通知"
    assert find(parsed, "92%").labels.region == "澄江市"
    assert find(parsed, "92%").labels.year == 2025
    other = of_text(tmp_path, text.format("水污染防治简报"))
    assert find(other, "92%").labels.region is None


def test_what_is_told_after_the_colon_of_a_province_is_not_what_its_section_is_about(tmp_path: Path) -> None:
    text = (
        "各省绿色发展盘点\n\n安徽：汽车领跑，巢湖仍是心病\n全省产量达到218万辆。\n"
        "去年巢湖全湖水质为Ⅳ类。环湖湿地由县里管护。全省湿地保护率达到五成。\n"
    )
    parsed = of_text(tmp_path, text)
    assert {section.labels.region for section in parsed.sections if section.headings[-1].startswith("安徽")} == {"安徽"}
    assert find(parsed, "218万辆").places == ()
    assert find(parsed, "环湖湿地").places == ("巢湖",)
    assert find(parsed, "保护率").places == ()


def test_the_year_before_that_of_a_sentence_is_told_by_its_own_clause() -> None:
    sentence = make_sentence("泊位121个，覆盖率73.8%，上年为66.5%。", year=2025)
    assert states_year(sentence, frozenset([2024]))
    assert not states_year(make_sentence("泊位121个，是上年的2.4倍。", year=2025), frozenset([2024]))
    assert not states_year(sentence, frozenset([2023]))
    words = Weighing((Term("覆盖率", 1.0),))
    assert "66.5%" in choose_quote(sentence, words, about=About(years=frozenset(["2024"])))
    assert "66.5%" not in choose_quote(sentence, words, about=About(years=frozenset(["2025"])))
    assert name_years(About(years=frozenset(["2025"])), sentence).years == {"2025"}


def test_a_claim_may_not_give_the_figure_of_the_year_before_to_the_year_itself() -> None:
    cited = [make_sentence("泊位121个，覆盖率73.8%，上年为66.5%。", year=2025)]
    claims = {year: read_figures(f"{year}年覆盖率为66.5%。")[0] for year in (2024, 2025)}
    assert find_other(claims[2024], cited) is None
    assert find_other(claims[2025], cited) is not None


def test_what_a_place_plans_is_told_from_a_text_that_is_not_cut_into_review_and_tasks(tmp_path: Path) -> None:
    parsed = of_text(tmp_path, NEWS)
    tasks, review = (ask([parsed], f"浙江{asked}有哪些？") for asked in ("今年的重点任务", "去年的工作回顾"))
    assert "34%" in tasks.text
    assert "31.5%" not in tasks.text
    assert "34%" not in review.text


def test_both_years_of_a_figure_are_found_and_no_other(tmp_path: Path) -> None:
    parsed = of_text(tmp_path, BULLETIN)
    assert "8.6万辆" in ask([parsed], "澄江市2025年新能源汽车产量是多少？").text
    assert "6.1万辆" in ask([parsed], "澄江市2024年新能源汽车产量是多少？").text
    assert ask([parsed], "澄江市2023年新能源汽车产量是多少？").refusal is not None
    assert ask([parsed], "澄江市2026年新能源汽车产量是多少？").refusal is not None


@pytest.mark.parametrize(
    ("part", "year", "may"),
    [("2.6万个", 2025, True), ("2.6万个", 2026, False), ("2.6万个", 2024, False), ("不得低于50%", 2026, False)],
)
def test_a_sentence_without_a_year_may_be_of_the_one_before_its_publication(
    tmp_path: Path, part: str, year: int, *, may: bool
) -> None:
    parsed = of_text(tmp_path, NEWS)
    assert may_be_of(find(parsed, part), frozenset([year]), [parsed]) is may


def test_a_sentence_without_a_year_is_not_of_one_that_its_paragraph_has_left(tmp_path: Path) -> None:
    later = "今年计划新增公交线路8条，力争公交出行分担率达到34%。"
    parsed = of_text(tmp_path, NEWS.replace(later, f"{later}场站面积14万平方米。"))
    assert not may_be_of(find(parsed, "14万"), frozenset([2025]), [parsed])
    without = of_text(tmp_path, NEWS.replace(later, "场站面积14万平方米。"))
    assert may_be_of(find(without, "14万"), frozenset([2025]), [without])


def test_what_has_no_year_is_shown_as_the_nearest_wording_and_not_as_the_answer(tmp_path: Path) -> None:
    parsed = of_text(tmp_path, NEWS)
    answer = ask([parsed], "浙江2025年公共停车泊位有多少个？")
    assert answer.refusal is None
    assert "2.6万个" in answer.text
    assert any("哪一年" in note for note in answer.notes)
    assert answer.text.startswith("下面是资料中最接近的一句")
    assert ask([parsed], "浙江2023年公共停车泊位有多少个？").refusal is not None
    told = ask([parsed], "浙江2025年公交出行分担率是多少？")
    assert "31.5%" in told.text
    assert not told.notes
