"""corrections: what a person says of a source is read, and every slip in it is named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from vectorstore.corrections import read_source_facts
from vectorstore.errors import CorrectionInvalid
from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.types import Part

SEEDS = Path(__file__).parent.parent / "seeds"
TEXT = "2021年工作总结:\n\n新建公园12座,道路绿化完成。\n\n2022年工作计划:\n\n新建公园15座,河道整治开工。\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def write(corpus: Path, toml: str) -> Path:
    path = corpus / "sources.toml"
    path.write_text(toml, encoding="utf-8")
    return path


def test_facts_are_read(corpus: Path) -> None:
    facts = read_source_facts(write(corpus, '["a.txt"]\ntitle = "题"\npublisher = "某局"\npublished = 2022-02-01\n'))
    assert facts["a.txt"].title == "题"
    assert facts["a.txt"].publisher == "某局"
    assert facts["a.txt"].published == date(2022, 2, 1)


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert read_source_facts(tmp_path / "sources.toml") == {}


def test_a_correction_wins_in_its_section_only_and_says_so(corpus: Path) -> None:
    toml = '[["a.txt".correct]]\nafter = "新建公园15座"\nregion = "广东省"\nyear = 2020\npart = "review"\n'
    facts = read_source_facts(write(corpus, toml))["a.txt"]
    parsed = parse(read_document(corpus / "a.txt", facts=facts), facts)
    first, second = parsed.sections
    assert first.labels.region is None
    assert (second.labels.region, second.labels.year, second.labels.part) == ("广东", 2020, Part.REVIEW)
    assert all(
        "corrected by hand" in reason for reason in (second.reasons.region, second.reasons.year, second.reasons.part)
    )
    assert {s.labels.region for s in parsed.sentences if s.section == 1} == {"广东"}


def test_a_correction_of_one_label_keeps_the_others(corpus: Path) -> None:
    facts = read_source_facts(write(corpus, '[["a.txt".correct]]\nafter = "新建公园15座"\nregion = "广东"\n'))["a.txt"]
    section = parse(read_document(corpus / "a.txt"), facts).sections[1]
    assert (section.labels.year, section.labels.part) == (2022, Part.TASKS)


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ('["b.txt"]\ntitle = "题"\n', "b.txt"),
        ('["a.txt"]\ntitel = "题"\n', "titel"),
        ('["a.txt"]\ntitle = 3\n', "title"),
        ('["a.txt"]\npublished = "gestern"\n', "published"),
        ('[["a.txt".correct]]\nregion = "上海"\n', "after"),
        ('[["a.txt".correct]]\nafter = "不在文中"\nregion = "上海"\n', "after"),
        ('[["a.txt".correct]]\nafter = "新建公园"\nregion = "上海"\n', "2 次"),
        ('[["a.txt".correct]]\nafter = "河道"\nregion = "月球"\n', "region"),
        ('[["a.txt".correct]]\nafter = "河道"\nyear = "2022"\n', "year"),
        ('[["a.txt".correct]]\nafter = "河道"\npart = "plan"\n', "part"),
        ('[["a.txt".correct]]\nafter = "河道"\ncity = "广州"\n', "city"),
        ("a = 1\n", '"a"'),
        ('["a.txt"\n', "TOML"),
    ],
)
def test_every_slip_is_an_error_that_names_the_file_and_the_key(corpus: Path, toml: str, named: str) -> None:
    with pytest.raises(CorrectionInvalid) as caught:
        read_source_facts(write(corpus, toml))
    assert "sources.toml" in str(caught.value)
    assert named in str(caught.value)


def test_the_seeds_need_no_label_corrected_by_hand() -> None:
    facts = read_source_facts(SEEDS / "sources.toml")
    assert sorted(facts) == sorted(path.name for path in SEEDS.glob("*.txt"))
    assert all(not fact.corrections for fact in facts.values())
