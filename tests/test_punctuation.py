"""What the program itself says in Chinese is punctuated in full width; what older programs wrote is still understood."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.answering.compose import frame
from assistant.checking.belongs import read_claim
from assistant.checking.check import check_claim
from assistant.conversations.export import export
from assistant.conversations.history import KeptTalk, KeptTurn
from assistant.conversations.stored import answer_from_json, answer_to_json
from assistant.types import Claim, Verdict
from assistant.view.conversation import draw_answer
from tests.page_fakes import answer_with, ask_for, parse
from tests.sentences import SHANGHAI, make_sentence
from tests.test_history import AT, TALK
from vectorstore.types import Part

ROOT = Path(__file__).resolve().parent.parent
_NARROW = re.compile(r"[\u4e00-\u9fff”》）][,:;]|[,:;][\u4e00-\u9fff“《]|[\u4e00-\u9fff]{2}[?!](?:$|[^)])")
_PATTERN = re.compile(r"\(\?|\\|[\[|+*]")  # a regular expression, which reads what others wrote
_SIGNS = re.compile(r"[^\w\s]{3}")  # a list of signs
# A form to be typed as it stands, and a text that only tries a vocabulary out.
_AS_IT_IS = re.compile(r"http://主机:端口/v1|公园120座,低碳")
CITY = make_sentence("建设碳普惠平台12个。", region="江苏", year=2023, places=("镇江",))
PARSED = parse()
PARK = PARSED.sentences[4]


def find_narrow(source: str) -> Iterator[str]:
    """Give the Chinese texts of a module, its docstrings and patterns aside, that hold a half-width sign."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            text = _AS_IT_IS.sub("", node.value)
            markup = re.sub(r"\[/?[a-z]+\]", "", text)
            if _NARROW.search(text) and not _PATTERN.search(markup) and not _SIGNS.search(markup):
                yield text


def test_no_text_of_the_program_holds_a_half_width_sign_beside_chinese() -> None:
    files = [file for package in ("assistant", "vectorstore", "scripts") for file in (ROOT / package).rglob("*.py")]
    found = {file.name: list(find_narrow(file.read_text(encoding="utf-8"))) for file in files}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_the_texts_of_the_models_that_can_be_fetched_hold_none_either() -> None:
    text = (ROOT / "assistant" / "models" / "offers.toml").read_text(encoding="utf-8")
    told = [row["good_for"] for rows in tomllib.loads(text).values() if isinstance(rows, list) for row in rows]
    assert told
    assert not [words for words in told if _NARROW.search(words)]


def test_the_chinese_readme_holds_none_outside_code_links_and_quotes() -> None:
    text = (ROOT / "README.zh.md").read_text(encoding="utf-8")
    prose = re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", re.sub(r"^\[\d+\].*$|^ · .*$", "", text, flags=re.MULTILINE))
    assert not _NARROW.findall(prose)


@pytest.mark.parametrize(
    ("planted", "clean"),
    [
        ('x = "没有这一项,请改。 There is none, change it."', 'x = "没有这一项，请改。 There is none, change it."'),
        ('x = f"{a}:没有。"', 'x = f"{a}：没有。"'),
        ('x = f"没有:{a}"', 'x = f"没有：{a}"'),
        ('x = f"[dim]没有“{a}”;请改[/dim]"', 'x = f"[dim]没有“{a}”；请改[/dim]"'),
        ('x = "有答案吗?"', 'x = "有答案吗？"'),
        ('x = "（见附件）,请改"', 'x = r"(?:见附件),请改"'),
        ('x = "没有,请改"', '"""没有,请改."""'),
    ],
)
def test_a_planted_half_width_sign_is_found(planted: str, clean: str) -> None:
    assert list(find_narrow(planted))
    assert not list(find_narrow(clean))


def test_the_words_before_a_quote_are_written_in_full_width() -> None:
    assert frame(SHANGHAI) == "上海2024年的任务中提出："
    assert frame(replace(SHANGHAI, labels=replace(SHANGHAI.labels, part=Part.REVIEW))) == "上海2024年的回顾中写道："
    assert frame(CITY) == "谈到镇江时，2023年的资料中写道："


@pytest.mark.parametrize(("colon", "comma"), [("：", "，"), (":", ",")])
def test_the_words_before_a_quote_are_no_statement_in_either_width(colon: str, comma: str) -> None:
    park = f"上海2024年的任务中提出{colon}“新建公园120座”"
    assert check_claim(park, [SHANGHAI]).verdict is Verdict.SUPPORTED
    assert check_claim(park.replace("任务中提出", "回顾中写道"), [SHANGHAI]).verdict is Verdict.UNSUPPORTED
    assert check_claim(park.replace("120", "130"), [SHANGHAI]).verdict is Verdict.UNSUPPORTED
    city = f"谈到镇江时{comma}2023年的资料中写道{colon}“建设碳普惠平台12个”"
    assert check_claim(city, [CITY]).verdict is Verdict.SUPPORTED
    assert check_claim(city.replace("镇江", "泉州"), [CITY]).verdict is Verdict.UNSUPPORTED
    assert read_claim(park) == read_claim("新建公园120座")  # the place and the year are the section's, not the figure's


@pytest.mark.parametrize("colon", ["：", ":"])
def test_a_kept_answer_is_drawn_and_exported_in_either_width(colon: str) -> None:
    quote = PARK.quote.removesuffix("。")
    told = f"上海2024年的任务中提出{colon}“{quote}”"
    claims = [Claim(words, Verdict.SUPPORTED, "stands there", (1,), "在所引的句子里") for words in ("120座", told)]
    answer = answer_with(ask_for("上海新建公园多少座？"), f"120座。{told}[1]。", claims, [PARK])
    kept = answer_from_json(answer_to_json(answer))
    drawn = draw_answer(kept, 1)
    assert '<div class="pa-short"><div class="pa-para"><span class="pa-claim pa-supported">120座。</span>' in drawn
    assert drawn.count('class="pa-claim pa-supported"') == 2
    assert f"的任务中提出{colon}<q" in drawn
    talk = KeptTalk(TALK, "公园", AT, (KeptTurn(1, "上海新建公园多少座？", AT, kept),))
    assert f"任务中提出{colon}“{quote}”" in export(talk, "md").decode()
