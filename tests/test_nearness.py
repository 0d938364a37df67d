"""How near words and clauses are in meaning: near what means the same, strange to what does not, and never sure."""

from __future__ import annotations

import pytest

from assistant.reading.nearness import find_near, find_nearest_clause
from vectorstore.normalize import normalize


@pytest.mark.parametrize(
    ("said", "written", "other"),
    [
        ("补电", "新建电动汽车公共充电桩1万个", "培育农民专业合作社30家"),
        ("老房子", "改造城镇老旧小区120个", "新建集装箱码头3座"),
        ("看病", "提高医疗服务水平", "推动钢铁行业超低排放改造"),
        ("找工作", "城镇新增就业30万人", "完成造林绿化5万亩"),
        ("小老板", "支持中小企业发展", "开展大气污染联防联控"),
    ],
)
def test_an_everyday_word_is_nearer_to_what_it_is_called_than_to_something_else(
    said: str, written: str, other: str
) -> None:
    assert find_near(said, normalize(written)) > find_near(said, normalize(other))


def test_a_word_is_nearest_to_itself() -> None:
    assert find_near("充电桩", normalize("新建公共充电桩1万个")) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "。", "，、；"])
def test_a_text_without_words_is_near_to_nothing(text: str) -> None:
    assert find_near("充电桩", normalize(text)) == 0.0
    assert find_nearest_clause("充电桩有多少", text) <= 0.2


def test_the_nearest_clause_is_not_thinned_out_by_the_length_of_its_sentence() -> None:
    clause = "新建公共充电桩1万个"
    long = f"推进港口岸电建设，{clause}，完成造林绿化5万亩，改造老旧小区120个，开展大气污染联防联控"
    asked = "要新建多少公共充电桩"
    assert find_nearest_clause(asked, long) == pytest.approx(find_nearest_clause(asked, clause))
