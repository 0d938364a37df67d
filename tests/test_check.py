"""Verdicts: minimal pairs. The right claim stands, the one with a single thing changed does not."""

from __future__ import annotations

import pytest

from assistant.checking.check import check_claim
from assistant.types import Verdict
from tests.sentences import SHANGHAI, make_sentence
from vectorstore.types import Part

POWER = make_sentence(
    "构建低碳清洁、安全高效的能源体系,可再生能源消费占比提高0.5个百分点。", region="北京", year=2024, part=Part.TASKS
)
CITY = make_sentence("镇江市建设了“碳惠宜”平台,倡导“谁低碳谁受益”理念。", region="江苏", year=2023, places=("镇江",))


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("新建公园120座", "新建公园130座"),
        ("新建公园120座", "新建公园120公顷"),
        ("新建公园120座", "新建公园30座"),  # 30 stands there, but of parks that stay open
        ("新增森林3.1万亩", "新增森林40万平方米"),
        ("新增森林31000亩", "新增森林3.1亩"),
        ("上海2024年新建公园120座", "上海2023年新建公园120座"),
        ("上海2024年新建公园120座", "北京2024年新建公园120座"),
        ("上海2024年的任务中提出：“新建公园120座”", "上海2024年的回顾中写道：“新建公园120座”"),
        ("上海2024年的任务中提出：“新建公园120座”", "上海2024年的任务中提出：“新建的公园120座”"),
        ("推动30座城市公园24小时开放", "推动30座城市公园24小时关闭"),
        ("推动世博文化公园南区开园", "不推动世博文化公园南区开园"),
    ],
)
def test_one_changed_thing_turns_the_verdict(claim: str, wrong: str) -> None:
    assert check_claim(claim, [SHANGHAI]).verdict is Verdict.SUPPORTED
    assert check_claim(wrong, [SHANGHAI]).verdict is Verdict.UNSUPPORTED


def test_raised_is_not_lowered() -> None:
    assert check_claim("可再生能源消费占比提高0.5个百分点", [POWER]).verdict is Verdict.SUPPORTED
    assert check_claim("可再生能源消费占比降低0.5个百分点", [POWER]).verdict is Verdict.UNSUPPORTED


def test_percent_is_not_percentage_points() -> None:
    assert check_claim("可再生能源消费占比提高0.5%", [POWER]).verdict is Verdict.UNSUPPORTED


def test_a_name_in_quotation_marks_has_to_stand_in_the_source() -> None:
    assert check_claim("镇江建设了“碳惠宜”平台", [CITY]).verdict is Verdict.SUPPORTED
    assert check_claim("镇江建设了“碳普惠”平台", [CITY]).verdict is Verdict.UNSUPPORTED
    assert check_claim("南京建设了“碳惠宜”平台", [CITY]).verdict is Verdict.UNSUPPORTED


def test_a_title_may_be_named_but_its_figures_are_no_evidence() -> None:
    title = "81个城市的经验"
    assert check_claim(f"《{title}》写道:“镇江市建设了“碳惠宜”平台”", [CITY], [title]).verdict is Verdict.SUPPORTED
    assert check_claim("《别的文件》写道:“镇江市建设了“碳惠宜”平台”", [CITY], [title]).verdict is Verdict.UNSUPPORTED
    assert check_claim("81个城市建设了“碳惠宜”平台", [CITY], [title]).verdict is Verdict.UNSUPPORTED


def test_a_claim_without_a_citation_is_uncited() -> None:
    assert check_claim("新建公园120座", []).verdict is Verdict.UNCITED


def test_words_of_ones_own_make_a_claim_partial_and_then_unsupported() -> None:
    assert check_claim("镇江建设平台,倡导低碳理念,奖励居民节约用水", [CITY]).verdict is not Verdict.SUPPORTED
    assert check_claim("居民可以免费乘坐地铁和公交车", [CITY]).verdict is Verdict.UNSUPPORTED


def test_every_finding_says_why_in_both_languages() -> None:
    for claim in ("新建公园120座", "新建公园130座", "居民免费乘坐地铁", "120座"):
        finding = check_claim(claim, [SHANGHAI])
        assert finding.reason and finding.reason_zh
