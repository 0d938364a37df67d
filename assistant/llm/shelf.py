"""the data folder and the table of offers -> the lines of ``assistant model list``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.llm.catalog import current_model, list_models
from assistant.llm.memory import available_memory
from assistant.llm.offers import UNVERIFIED, Offer, Use, list_offers
from assistant.llm.pull import installed, name_size

_HEADS = ("", "名称 name", "大小 size", "内存 memory", "量化", "语言 languages", "许可 licence")
_KINDS = {
    Use.INSTRUCT: "写答案的模型 models that write answers",
    Use.EMBEDDING: "向量模型(检索用) embedding models, for the search",
    Use.RERANKER: "重排模型 rerankers",
}


def list_shelf(home: Path, available: int | None = None) -> Iterator[str]:
    """The models that are there, with their files; then those that can be fetched, with what they need.

    ``*`` marks the model that answers, ``✓`` what is installed, ``!`` what this machine's memory is too small for now.
    """
    free = available_memory() if available is None else available
    current = current_model(home).name
    yield "现有的模型 models at hand"
    for spec in list_models(home):
        yield f"{'*' if spec.name == current else ' '} {spec.name}  {spec.quantization}  {spec.form.value}  {spec.path}"
    for kind, title in _KINDS.items():
        yield ""
        yield title
        yield from _table([offer for offer in list_offers() if offer.kind is kind], home, free, current)
    yield ""
    yield (
        f"* 当前 current  ✓ 已下载 installed  ! 内存不够(可用 {name_size(free)}) too large for the memory free now  "
        "? 校验和待首次下载时记录 checksum unknown until the first pull"
    )
    yield "下载 fetch: assistant model pull 名称 NAME   选用 choose: assistant model use 名称 NAME 或文件 or FILE"


def _table(offers: Sequence[Offer], home: Path, free: int, current: str) -> Iterator[str]:
    rows = [_HEADS, *(_row(offer, home, free, current) for offer in offers)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(_HEADS))]
    for number, row in enumerate(rows):
        yield "  ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if number:
            yield f"{' ' * (widths[0] + 2)}  {offers[number - 1].good_for}"


def _row(offer: Offer, home: Path, free: int, current: str) -> tuple[str, ...]:
    marks = ("*" if offer.name == current else "") + ("✓" if installed(home, offer) else "")
    marks += ("!" if offer.memory > free else "") + ("?" if offer.sha256 == UNVERIFIED else "")
    memory = name_size(offer.memory)
    return marks, offer.name, name_size(offer.size), memory, offer.quantization, offer.languages, offer.licence


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
