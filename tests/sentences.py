"""Small sentences for tests that need no index."""

from __future__ import annotations

from vectorstore.types import Labels, Part, Sentence


def make_sentence(
    text: str,
    *,
    region: str | None = None,
    year: int | None = None,
    part: Part | None = None,
    places: tuple[str, ...] = (),
    source: str = "a.txt",
    start: int = 0,
) -> Sentence:
    """A sentence that stands in no document."""
    regions = (region,) if region else ()
    return Sentence(source, start, start + len(text), text, text, 0, 0, Labels(region, year, part), places, regions)


SHANGHAI = make_sentence(
    "推动世博文化公园南区开园,新建公园120座,推动30座城市公园24小时开放,新增森林3.1万亩、绿地1000公顷、绿道200公里、立体绿化40万平方米。",
    region="上海",
    year=2024,
    part=Part.TASKS,
    places=("上海",),
)
