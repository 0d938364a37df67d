"""Which figure is whose: minimal pairs in which the place, the year or the thing is another one, and the figure stays."""

from __future__ import annotations

import pytest

from assistant.answering.compose import frame
from assistant.answering.quote import choose_quote, most_telling, short_answer
from assistant.checking.check import check_claim
from assistant.question.weigh import Term, Weighing
from assistant.reading.owners import read_about
from assistant.reading.pairs import keep_spoken, read_figures
from assistant.types import Asks, Verdict
from tests.sentences import make_sentence
from vectorstore.types import Part, Sentence

CITIES = make_sentence(
    "到2030年，泉州、漳州、厦门市水耗强度分别下降12.0，福州、莆田、宁德、南平市水耗强度分别下降9.5，三明、龙岩市水耗强度分别下降7.5。",
    region="福建",
    year=2030,
    part=Part.TASKS,
)
SHIPS = make_sentence("渡轮、拖轮、驳船单位油耗比2021年分别下降8、16、7。", region="福建", year=2030, part=Part.TASKS)
YEARS = make_sentence("2031年完成堤防30公里,2032年计划堤防50公里。", region="福建")
ROW = make_sentence("泉州、漳州、厦门分别新建泵站10座、20座、30座。", region="福建")
ODD = make_sentence("泉州、漳州分别新建泵站10座、20座、30座。", region="福建")
BOTH = make_sentence("推广电动渔船和岸电桩,前者达到30万套,后者达到50万套。", region="福建")
FALL = Weighing((Term("水耗强度", 1.0), Term("下降", 1.0)))


def _short(sentence: Sentence, question: str, *terms: str) -> str | None:
    weighing = Weighing(tuple(Term(term, 1.0) for term in terms))
    quote = choose_quote(sentence, weighing, asks=Asks.QUANTITY, question=question)
    return short_answer(Asks.QUANTITY, sentence, quote, weighing, question)


@pytest.mark.parametrize(("city", "figure"), [("漳州", "12.0"), ("莆田", "9.5"), ("龙岩", "7.5"), ("福州", "9.5")])
def test_a_figure_is_that_of_the_places_named_last_before_it(city: str, figure: str) -> None:
    question = f"{city}的水耗强度下降多少"
    quote = choose_quote(CITIES, FALL, asks=Asks.QUANTITY, question=question)
    assert city in quote and figure in quote
    assert short_answer(Asks.QUANTITY, CITIES, quote, FALL, question) == figure


def test_without_a_place_in_the_question_there_is_no_short_answer() -> None:
    assert short_answer(Asks.QUANTITY, CITIES, CITIES.plain.rstrip("。"), FALL, "水耗强度下降多少") is None


def test_a_quote_of_the_other_places_alone_gives_no_short_answer() -> None:
    clause = "福州、莆田、宁德、南平市水耗强度分别下降9.5"
    assert short_answer(Asks.QUANTITY, CITIES, clause, FALL, "莆田水耗强度下降多少") == "9.5"
    assert short_answer(Asks.QUANTITY, CITIES, clause, FALL, "漳州水耗强度下降多少") is None


def test_what_is_told_of_a_place_names_it() -> None:
    roles = make_sentence(
        "支持泉州、漳州建设海上风电基地，支持福州、莆田发展以制氢、储氢及装备制造为特色的氢能产业。", region="福建"
    )
    weighing = Weighing((Term("氢能", 1.0), Term("风电", 1.0)))
    assert "泉州" in most_telling(roles, weighing, read_about("泉州"))
    assert "莆田" in most_telling(roles, weighing, read_about("莆田"))
    assert keep_spoken(roles.plain, read_about("泉州")) != roles.plain


@pytest.mark.parametrize(
    ("sentence", "question", "terms", "answer"),
    [
        (SHIPS, "拖轮单位油耗下降多少", ("拖轮", "单位油耗", "下降"), "16"),
        (SHIPS, "驳船单位油耗下降多少", ("驳船", "单位油耗", "下降"), "7"),
        (SHIPS, "船舶单位油耗下降多少", ("单位油耗", "下降"), None),
        (YEARS, "2031年堤防多少公里", ("堤防",), "30公里"),
        (YEARS, "2032年堤防多少公里", ("堤防",), "50公里"),
        (ROW, "漳州新建泵站多少座", ("新建", "泵站"), "20座"),
        (ROW, "厦门新建泵站多少座", ("新建", "泵站"), "30座"),
        (ODD, "漳州新建泵站多少座", ("新建", "泵站"), None),
        (BOTH, "电动渔船多少套", ("电动渔船",), "达到30万套"),
        (BOTH, "岸电桩多少套", ("岸电桩",), "达到50万套"),
    ],
)
def test_of_figures_side_by_side_each_has_its_own_item(
    sentence: Sentence, question: str, terms: tuple[str, ...], answer: str | None
) -> None:
    assert _short(sentence, question, *terms) == answer


@pytest.mark.parametrize(
    ("sentence", "claim", "wrong"),
    [
        (CITIES, "莆田水耗强度下降9.5", "莆田水耗强度下降12.0"),
        (CITIES, "泉州、漳州水耗强度下降12.0", "泉州、莆田水耗强度下降12.0"),
        (CITIES, "福建龙岩水耗强度下降7.5", "福建泉州水耗强度下降7.5"),
        (CITIES, "福州水耗强度下降9.5,三明下降7.5", "福州水耗强度下降7.5,三明下降9.5"),
        (SHIPS, "拖轮单位油耗下降16", "拖轮单位油耗下降8"),
        (SHIPS, "渡轮、拖轮、驳船分别下降8、16、7", "渡轮、拖轮、驳船分别下降16、8、7"),
        (SHIPS, "渡轮单位油耗下降8", "渡轮和拖轮单位油耗均下降8"),
        (YEARS, "2032年计划堤防50公里", "2031年计划堤防50公里"),
        (YEARS, "2031年完成堤防30公里", "2032年完成堤防30公里"),
        (ROW, "漳州新建泵站20座", "漳州新建泵站10座"),
        (BOTH, "岸电桩达到50万套", "岸电桩达到30万套"),
        (ROW, "漳州新建泵站20座", "漳州新建泵站30座"),
    ],
)
def test_a_claim_with_the_figure_of_another_one_is_refused(sentence: Sentence, claim: str, wrong: str) -> None:
    assert check_claim(claim, [sentence]).verdict is Verdict.SUPPORTED
    finding = check_claim(wrong, [sentence])
    assert finding.verdict is Verdict.UNSUPPORTED and "说的是" in finding.reason_zh


def test_where_the_numbers_of_items_and_figures_differ_no_claim_can_tell_them_apart() -> None:
    assert check_claim("漳州新建泵站20座", [ROW]).verdict is Verdict.SUPPORTED
    assert check_claim("漳州新建泵站20座", [ODD]).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize("sentence", [CITIES, SHIPS, YEARS, ROW, ODD, BOTH])
def test_every_sentence_supports_itself_in_its_own_frame(sentence: Sentence) -> None:
    said = f"{frame(sentence)}“{sentence.plain.rstrip('。')}”"
    assert check_claim(said, [sentence]).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("泉州新建公园30座,比厦门多10座", ["泉州", "泉州"]),  # what is compared with owns nothing
        ("30公里在泉州建成", ["泉州"]),
        ("泉州30公里;厦门20公里", ["泉州", "厦门"]),
        ("泉州、厦门，分别投资30亿元、50亿元", ["泉州", "厦门"]),
        ("新增30公里,其中泉州20公里", ["", "泉州"]),
        ("厦门大学新建公园30座", [""]),  # the name of an organisation
    ],
)
def test_what_governs_a_figure(text: str, owners: list[str]) -> None:
    found = ["/".join(sorted(n for one in f.places or () for n in one.names)) for f in read_figures(text)]
    assert found == owners


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("到2030年比2021年下降17%", [["2030"]]),
        ("2031—2033年累计完成30公里,2034年再建5公里", [["2031", "2032", "2033"], ["2034"]]),
        ("《规划(2021—2025年)》提出新建30公里", [[]]),
        ("今年新建30公里,去年完成20公里", [["今年"], ["去年"]]),
    ],
)
def test_which_year_a_figure_is_of(text: str, years: list[list[str]]) -> None:
    found = [sorted(n for one in f.years or () for n in one.names) for f in read_figures(text)]
    assert found == years


def test_a_planted_swap_of_the_two_lists_changes_the_answer() -> None:
    swapped = make_sentence(CITIES.plain.replace("12.0", "X").replace("9.5", "12.0").replace("X", "9.5"), region="福建")
    question = "莆田的水耗强度下降多少"
    assert _short(CITIES, question, "水耗强度", "下降") == "9.5"
    assert _short(swapped, question, "水耗强度", "下降") == "12.0"
