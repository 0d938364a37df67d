"""normalize: equal things become equal, and words that merely hold a numeral stay what they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.normalize import normalize


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("二〇二四年", "2024年"),
        ("二零二三年", "2023年"),
        ("一百二十座", "120座"),
        ("一千零五", "1005"),
        ("两千五百户", "2500户"),
        ("三万一千人", "31000人"),
        ("一亿两千万", "120000000"),
        ("九百六十万", "960万"),
        ("三点五", "3.5"),
        ("零点五个百分点", "0.5个百分点"),
        ("百分之三十", "30%"),
        ("百分之三点五", "3.5%"),
        ("千分之三", "3‰"),
        ("三分之一", "1/3"),
        ("一万个", "1万个"),
        ("1万个", "1万个"),
        ("三百千瓦", "300千瓦"),
        ("五千瓦", "5千瓦"),
        ("第三条", "第3条"),
        ("第二十三条", "第23条"),
        ("两个", "2个"),
        ("十座", "10座"),
        ("1,234,567元", "1234567元"),
        ("１２３％", "123%"),
        ("ＣＣＵＳ", "ccus"),
        ("臺灣的發展", "台湾的发展"),
    ],
)
def test_numbers_widths_and_characters_become_one_form(written: str, expected: str) -> None:
    assert normalize(written) == expected


@pytest.mark.parametrize(
    "word",
    [
        "一体化",
        "十四五",
        "三农",
        "万达",
        "一些",
        "统一",
        "五一",
        "千家万户",
        "一带一路",
        "双碳",
        "十大行动",
        "五台山",
        "七台河",
        "二十大",
        "三明市",
        "进一步",
        "一网通办",
        "十分",
        "百姓",
        "六安",
        "九江",
        "两会",
        "三位一体",
        "二三十",
        "三五成群",
        "长三角",
        "四川",
        "万一",
        "唯一",
        "一二三产",
        "第一线",
        "百分点",
        "千瓦",
    ],
)
def test_words_that_hold_a_numeral_are_left_alone(word: str) -> None:
    assert normalize(word) == word


def test_a_word_beside_a_number_does_not_spoil_either() -> None:
    assert normalize("统一建设一百个一体化站,占十分之一") == "统一建设100个一体化站,占1/10"


def test_commas_between_clauses_are_not_thousands_separators() -> None:
    assert normalize("增长12,34家企业") == "增长12,34家企业"
    assert normalize("达1,200座,其中30座") == "达1200座,其中30座"


@given(st.integers(min_value=10, max_value=99_999_999))
def test_any_number_written_in_chinese_becomes_its_digits(number: int) -> None:
    value = normalize(in_chinese(number))
    assert int(value[:-1]) * 10_000 == number if value.endswith("万") else int(value) == number


@given(st.text(max_size=60))
def test_normalizing_never_fails(text: str) -> None:
    assert isinstance(normalize(text), str)


def in_chinese(number: int) -> str:
    if number >= 10_000:
        high, low = divmod(number, 10_000)
        gap = "零" if 0 < low < 1000 else ""
        return in_chinese(high) + "万" + gap + (in_chinese(low) if low else "")
    digits = "零一二三四五六七八九"
    written, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            written += ("零" if zero and written else "") + digits[digit] + name
            zero = False
        elif written:
            zero = True
    return written
