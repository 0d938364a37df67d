"""The last of several dated steps: it is told from the dates, and only where the last one is asked for."""

from __future__ import annotations

import pytest

from assistant.finding.latest import keep_latest
from vectorstore.parse import parse
from vectorstore.tables import is_row
from vectorstore.types import Document, Hit, Media, ParsedDocument

_STEPS = """渔港停靠办法

1996年5月7日 云梦省第八届人民代表大会常务委员会第二次会议通过

2022年8月19日 云梦省第十三届人民代表大会常务委员会《关于修改三件法规的决定》第二次修正

2015年3月2日 云梦省第十二届人民代表大会常务委员会《关于修改九件法规的决定》第一次修正

2016年1月8日起,渔港停靠收费取消。
"""


def _steps(text: str = _STEPS) -> tuple[list[Hit], list[ParsedDocument]]:
    parsed = parse(Document("a.txt", text, Media.TEXT, "", text.split("\n", 1)[0]))
    return [Hit(sentence, 1.0) for sentence in parsed.sentences], [parsed]


def _years(focus: str, text: str = _STEPS) -> list[str]:
    hits, documents = _steps(text)
    return [hit.sentence.plain[:4] for hit in keep_latest(focus, hits, documents)]


@pytest.mark.parametrize("focus", ["渔港停靠办法最近1次修正是什么时候", "最后1次修改是哪年", "最新的修订是哪天"])
def test_only_the_last_step_is_left_where_the_last_one_is_asked_for(focus: str) -> None:
    assert [year for year in _years(focus) if year != "2016"] == ["2022"]


@pytest.mark.parametrize("focus", ["渔港停靠办法第1次修正是什么时候", "什么时候通过的", "最近渔港修了吗"])
def test_all_steps_are_left_where_it_is_not(focus: str) -> None:
    assert {"1996", "2015", "2022"} <= {*_years(focus)}


def test_the_last_step_is_told_from_all_that_the_document_has_and_not_from_what_was_found() -> None:
    hits, documents = _steps()
    found = [hit for hit in hits if not hit.sentence.plain.startswith("2022")]
    assert not [h for h in keep_latest("最近1次修正是哪天", found, documents) if h.sentence.plain.startswith("2015年3")]


def test_of_a_text_without_such_steps_nothing_is_left_out() -> None:
    text = "渔港开港见闻\n\n2021年3月2日,渔港开港。\n\n2022年5月1日,码头扩建。\n"
    assert _years("最近1次修正是什么时候", text) == ["2021", "2022"]


@pytest.mark.parametrize(
    ("plain", "row"),
    [
        ("职级：船长 住宿标准：480元,超出自付 补助：100元", True),
        ("住宿标准：船长每人每天480元,水手每人每天260元", False),
        ("会议强调：要抓好渔政。他说：明年更好", False),
    ],
)
def test_a_row_of_a_table_is_known_by_its_heads(plain: str, row: bool) -> None:
    assert is_row(plain) is row
