"""Parsed documents for tests of the index: each line is a paragraph, each "。" ends a sentence, labels are given."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import (
    Boilerplate,
    Document,
    LabelReasons,
    Labels,
    Media,
    ParsedDocument,
    Part,
    Section,
    Sentence,
)

TASKS_2024 = Labels("上海", 2024, Part.TASKS)
REVIEW_2023 = Labels("上海", 2023, Part.REVIEW)
BEIJING = Labels("北京", 2024, Part.TASKS)
NOWHERE = Labels()


def read_text(text: str, folder: Path) -> ParsedDocument:
    """A document as it is read from a file ``a.txt`` of the folder, which is written."""
    (folder / "a.txt").write_text(text, encoding="utf-8")
    return parse(read_document(folder / "a.txt", root=folder))


def make_parsed(source: str, sections: Mapping[Labels, str], places: tuple[str, ...] = ()) -> ParsedDocument:
    """A document of one section for each label; a sentence that holds one of ``places`` is about it."""
    text = "\n".join(sections.values())
    document = Document(source, text, Media.TEXT, sha256(text.encode()).hexdigest(), title=f"《{source}》")
    made: list[Section] = []
    sentences: list[Sentence] = []
    start = 0
    for number, (labels, body) in enumerate(sections.items()):
        made.append(Section(source, start, start + len(body), (), labels, LabelReasons(region="given")))
        for paragraph, line in enumerate(body.split("\n")):
            for quote in line.split("。"):
                if quote:
                    sentences.append(_make_sentence(document, number, paragraph, labels, start, quote, places))
                start += len(quote) + 1
    return ParsedDocument(document, (Boilerplate(0, 1, "made up"),), tuple(made), tuple(sentences))


def _make_sentence(
    document: Document,
    section: int,
    paragraph: int,
    labels: Labels,
    start: int,
    quote: str,
    places: tuple[str, ...],
) -> Sentence:
    end = min(start + len(quote) + 1, len(document.text))  # with its full stop
    quote = document.text[start:end].rstrip("\n")
    named = tuple(place for place in places if place in quote)
    regions = (labels.region,) if labels.region else ()
    return Sentence(
        document.source, start, start + len(quote), quote, quote, section, paragraph, labels, named, regions
    )


PARKS = make_parsed(
    "parks.txt",
    {
        REVIEW_2023: "新建公园95座。新增森林6.7万亩。绿道231公里贯通。",
        TASKS_2024: "新建公园120座。新增森林3.1万亩。推动第三条特高压通道开工。",
    },
)
CHARGING = make_parsed(
    "charging.txt",
    {
        BEIJING: "建设公共充电桩2000个。推广绿色建筑。",
        NOWHERE: "镇江市建设了“碳惠宜”平台。企业采用CCUS技术。新增森林3.1万亩。",
    },
    places=("镇江",),
)
