"""The title of a text, and who wrote it: pairs that differ in one thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import ParsedDocument

_BODY = "\n\n一、方案的特点\n各地平均设置指标58项。\n"


def _read(folder: Path, head: str) -> ParsedDocument:
    path = folder / "a.txt"
    path.write_text(f"{head}{_BODY}", encoding="utf-8")
    return parse(read_document(path))


@pytest.mark.parametrize("line", ["周远山1  马承德2", "周远山¹，马承德²*"])
def test_a_place_in_the_name_of_an_author_is_no_place_of_the_text(tmp_path: Path, line: str) -> None:
    parsed = _read(tmp_path, f"我国试点的特征与优化路径——基于60个城市实施方案的分析\n{line}")
    assert parsed.document.title == "我国试点的特征与优化路径——基于60个城市实施方案的分析"
    assert {one.labels.region for one in parsed.sentences} == {None}


def test_a_second_line_that_names_no_author_stays_in_the_title(tmp_path: Path) -> None:
    parsed = _read(tmp_path, "我国试点的特征与优化路径——基于60个城市实施方案的分析\n承德等地的调研")
    assert "承德" in parsed.document.title
