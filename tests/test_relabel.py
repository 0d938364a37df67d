"""relabel and the corrections of the page: a label set by hand wins, is marked, is kept, and can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorstore.by_hand import find_section, is_by_hand, name_place
from vectorstore.codec import parsed_from_json, parsed_to_json
from vectorstore.corrections import read_page_corrections, write_page_corrections
from vectorstore.errors import CorrectionInvalid
from vectorstore.parse import parse
from vectorstore.relabel import relabel
from vectorstore.types import Document, LabelCorrection, LabelReasons, Labels, Media, ParsedDocument, Part, Section

TEXT = "2021年工作总结:\n\n新建公园12座。\n\n2022年工作计划:\n\n新建公园15座。\n"


@pytest.fixture
def parsed() -> ParsedDocument:
    return parse(Document("a.txt", TEXT, Media.TEXT, "0", "某市"))


def correct(after: str = "新建公园15座", **labels: object) -> LabelCorrection:
    return LabelCorrection("a.txt", after, **labels)  # type: ignore[arg-type]


def test_a_label_that_was_set_wins_for_its_section_and_all_its_sentences(parsed: ParsedDocument) -> None:
    changed, lost = relabel(parsed, [correct(region="广东", year=2020)])
    assert lost == ()
    assert [s.labels for s in changed.sections] == [
        Labels(None, 2021, Part.REVIEW),
        Labels("广东", 2020, Part.TASKS),
    ]
    assert [s.labels for s in changed.sentences] == [s.labels for s in changed.sections]
    assert [is_by_hand(s) for s in changed.sections] == [False, True]
    assert "在网页上更正" in changed.sections[1].reasons.year


def test_a_label_that_was_taken_away_is_none(parsed: ParsedDocument) -> None:
    changed, _ = relabel(parsed, [correct(clear=("year", "part"))])
    assert changed.sections[1].labels == Labels()


def test_taking_a_correction_back_gives_exactly_what_was_there_before(parsed: ParsedDocument) -> None:
    changed, _ = relabel(parsed, [correct(region="广东")])
    again, _ = relabel(changed, [correct(year=1999)])
    assert again.sections[1].labels == Labels(None, 1999, Part.TASKS)
    assert relabel(again, []) == (parsed, ())


def test_a_correction_whose_words_are_gone_or_stand_twice_is_given_back_and_changes_nothing(
    parsed: ParsedDocument,
) -> None:
    corrections = (correct("没有这句", year=1999), correct("新建公园", year=1999))
    assert relabel(parsed, corrections) == (parsed, corrections)


def test_the_labels_of_before_are_kept_with_the_index(parsed: ParsedDocument) -> None:
    changed, _ = relabel(parsed, [correct(region="广东", clear=("part",))])
    assert parsed_from_json(parsed_to_json(changed)) == changed


_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_corrections = st.builds(
    correct,
    after=_text.filter(str.strip),
    region=st.none() | st.just("广东"),
    year=st.none() | st.integers(1949, 2100),
    part=st.none() | st.sampled_from(Part),
    clear=st.sampled_from([(), ("region",), ("year", "part")]),
)


@given(st.dictionaries(_text, st.lists(_corrections, min_size=1, max_size=3), max_size=3))
def test_what_is_written_is_what_is_read(made: dict[str, list[LabelCorrection]]) -> None:
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    named = {name: tuple(replace(c, source=name) for c in rows) for name, rows in made.items()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sources.toml"
        write_page_corrections(path, named)
        assert read_page_corrections(path) == named


def test_a_slip_in_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    for wrong in ('[["a.txt".correct]]\nyear = 1\nafter = "x"', '[["a.txt".correct]]\nclear = ["title"]\nafter = "x"'):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(CorrectionInvalid, match=r"a\.txt"):
            read_page_corrections(path)


@given(st.lists(st.text("甲乙丙丁。\n", min_size=1, max_size=30), min_size=1, max_size=5))
def test_the_name_of_a_section_stands_once_and_leads_to_it_or_there_is_none(pieces: list[str]) -> None:
    text, sections, start = "".join(pieces), [], 0
    for piece in pieces:
        sections.append(Section("a", start, start + len(piece), (), Labels(), LabelReasons()))
        start += len(piece)
    for number, section in enumerate(sections):
        name = name_place(text, section, length=3)
        assert name is None or find_section(text, sections, name) == number


def test_a_section_that_is_the_same_as_another_is_named_by_what_follows_it() -> None:
    text = "新建公园。\n完成。\n新建公园。\n再建。\n"
    sections = [Section("a", a, b, (), Labels(), LabelReasons()) for a, b in ((0, 6), (6, 10), (10, 16), (16, 20))]
    assert [find_section(text, sections, name_place(text, s, length=5) or "") for s in sections] == [0, 1, 2, 3]
