"""Building: files in, one new generation out, or the old one untouched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_documents import CHARGING, PARKS, make_parsed
from vectorstore.build import build_index, build_parsed
from vectorstore.codec import manifest_from_json, manifest_to_json, parsed_from_json, parsed_to_json
from vectorstore.dense import DenseIndex
from vectorstore.embed import HashingEmbedder
from vectorstore.errors import CorrectionInvalid, EmbedderUnusable, IndexBusy, IndexDamaged, SourceUnreadable
from vectorstore.generation import read_pointer, writing
from vectorstore.index import Index
from vectorstore.types import Labels, Manifest, Part, Vectors

_EMBEDDER = HashingEmbedder(64)
_TEXT = "上海市2024年主要任务\n\n新建公园120座。推动30座城市公园24小时开放。\n"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "more").mkdir(parents=True)
    (folder / "a.txt").write_text(_TEXT, encoding="utf-8")
    (folder / "more" / "b.md").write_text("# 北京市\n\n推广绿色建筑。\n", encoding="utf-8")
    return folder


def _generations(data: Path) -> list[str]:
    folder = data / "generations"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_folder_becomes_an_index_that_finds_its_sentences(corpus: Path, tmp_data: Path) -> None:
    report = build_index([corpus], data=tmp_data, embedder=_EMBEDDER)
    assert [p.document.source for p in report.documents] == ["a.txt", "more/b.md"]
    assert report.manifest.documents == 2
    assert report.skipped == ()
    index = Index.open(tmp_data, _EMBEDDER)
    assert "120座" in index.search("新建多少公园", 1)[0].sentence.quote
    assert index.documents == report.documents
    index.close()


def test_manifest_says_what_was_built(corpus: Path, tmp_data: Path) -> None:
    manifest = build_index([corpus], data=tmp_data, embedder=_EMBEDDER).manifest
    sums = {name: hashlib.sha256((corpus / name).read_bytes()).hexdigest() for name in ("a.txt", "more/b.md")}
    lines = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    assert manifest.corpus_sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert (manifest.embedder, manifest.dimensions) == ("feature-hashing-64-v1", 64)
    directory = tmp_data / "generations" / manifest.generation
    on_disk = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()} - {"manifest.json"}
    assert {name for name, _, _ in manifest.files} == on_disk


def test_stages_are_reported_from_nothing_done_to_all(corpus: Path, tmp_data: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    build_index([corpus], data=tmp_data, embedder=_EMBEDDER, progress=lambda *step: steps.append(step))
    assert list(dict.fromkeys(stage for stage, _, _ in steps)) == ["read", "embed", "write", "check"]
    for stage in ("read", "embed", "write", "check"):
        done = [(d, total) for s, d, total in steps if s == stage]
        assert done[0][0] == 0
        assert done[-1][0] == done[-1][1]


def test_no_file_at_all_is_said_with_the_place_that_was_searched(tmp_path: Path, tmp_data: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceUnreadable, match="empty"):
        build_index([tmp_path / "empty"], data=tmp_data, embedder=_EMBEDDER)
    with pytest.raises(SourceUnreadable):
        build_index([], data=tmp_data, embedder=_EMBEDDER)


def test_unreadable_file_stops_the_build_and_leaves_the_old_index(corpus: Path, tmp_data: Path) -> None:
    build_index([corpus], data=tmp_data, embedder=_EMBEDDER)
    before = read_pointer(tmp_data)
    (corpus / "bad.txt").write_bytes(b"\x00\x01\x02")
    with pytest.raises(SourceUnreadable, match=r"bad\.txt"):
        build_index([corpus], data=tmp_data, embedder=_EMBEDDER)
    assert read_pointer(tmp_data) == before
    assert _generations(tmp_data) == [before.generation]


def test_unreadable_file_is_skipped_and_counted_where_that_is_asked_for(corpus: Path, tmp_data: Path) -> None:
    (corpus / "bad.txt").write_bytes(b"\x00\x01\x02")
    report = build_index([corpus], data=tmp_data, embedder=_EMBEDDER, skip_unreadable=True)
    assert [(Path(path).name, "bad.txt" in reason) for path, reason in report.skipped] == [("bad.txt", True)]
    assert report.manifest.documents == 2


def test_same_name_below_two_folders_is_refused_by_name(tmp_path: Path, tmp_data: Path) -> None:
    for name in ("2023", "2024"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.txt").write_text(_TEXT, encoding="utf-8")
    with pytest.raises(SourceUnreadable, match=r"report\.txt"):
        build_index([tmp_path / "2023", tmp_path / "2024"], data=tmp_data, embedder=_EMBEDDER)
    together = build_index([tmp_path], data=tmp_data, embedder=_EMBEDDER)
    assert [p.document.source for p in together.documents] == ["2023/report.txt", "2024/report.txt"]


def test_file_given_twice_is_indexed_once(corpus: Path, tmp_data: Path) -> None:
    paths = [corpus, corpus / "a.txt", corpus / "more" / ".." / "a.txt"]
    report = build_index(paths, data=tmp_data, embedder=_EMBEDDER)
    assert [p.document.source for p in report.documents] == ["a.txt", "more/b.md"]


def test_facts_beside_the_files_are_used(corpus: Path, tmp_data: Path) -> None:
    facts = '["a.txt"]\ntitle = "任务"\n[["a.txt".correct]]\nafter = "新建公园"\nregion = "江苏"\n'
    (corpus / "sources.toml").write_text(facts, encoding="utf-8")
    report = build_index([corpus], data=tmp_data, embedder=_EMBEDDER)
    assert report.documents[0].document.title == "任务"
    assert {s.labels.region for s in report.documents[0].sentences if "120" in s.quote} == {"江苏"}


def test_wrong_correction_stops_the_build(corpus: Path, tmp_data: Path) -> None:
    (corpus / "sources.toml").write_text('["c.txt"]\ntitle = "任务"\n', encoding="utf-8")
    with pytest.raises(CorrectionInvalid, match=r"c\.txt"):
        build_index([corpus], data=tmp_data, embedder=_EMBEDDER)


def test_documents_without_a_sentence_are_refused(tmp_data: Path) -> None:
    with pytest.raises(SourceUnreadable, match="no sentence"):
        build_parsed([make_parsed("a.txt", {Labels(): ""})], data=tmp_data, embedder=_EMBEDDER)


def test_second_build_is_refused_while_one_runs_and_not_after(tmp_data: Path) -> None:
    with writing(tmp_data), pytest.raises(IndexBusy):
        build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER)
    build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER)


def test_order_of_the_documents_does_not_change_the_index(tmp_data: Path) -> None:
    one = build_parsed([PARKS, CHARGING], data=tmp_data, embedder=_EMBEDDER)
    other = build_parsed([CHARGING, PARKS], data=tmp_data, embedder=_EMBEDDER)
    assert one.documents == other.documents
    assert one.manifest.corpus_sha256 == other.manifest.corpus_sha256


class _Broken(HashingEmbedder):
    """Gives what is no vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), 64), np.nan, dtype=np.float32)


def test_embedder_that_gives_no_vectors_leaves_the_old_index(tmp_data: Path) -> None:
    before = build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER).manifest.generation
    with pytest.raises(EmbedderUnusable):
        build_parsed([PARKS], data=tmp_data, embedder=_Broken(64))
    assert read_pointer(tmp_data).generation == before


def test_generation_that_does_not_find_its_own_sentence_is_never_published(
    tmp_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER).manifest.generation
    monkeypatch.setattr(DenseIndex, "add", lambda self, ids, vectors, sentences: None)
    with pytest.raises(IndexDamaged):
        build_parsed([CHARGING], data=tmp_data, embedder=_EMBEDDER)
    assert read_pointer(tmp_data).generation == before
    assert _generations(tmp_data) == [before]


def test_full_disk_leaves_the_old_index_and_no_rest(tmp_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build_parsed([PARKS], data=tmp_data, embedder=_EMBEDDER).manifest.generation

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vectorstore.write.np.save", fail)
    with pytest.raises(OSError, match="No space"):
        build_parsed([CHARGING], data=tmp_data, embedder=_EMBEDDER)
    assert _generations(tmp_data) == [before]
    monkeypatch.undo()
    build_parsed([CHARGING], data=tmp_data, embedder=_EMBEDDER)


_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_labels = st.builds(
    Labels,
    region=st.none() | _text,
    year=st.none() | st.integers(1949, 2100),
    part=st.none() | st.sampled_from(Part),
)


@given(st.dictionaries(_labels, _text, max_size=4), _text)
def test_parsed_document_comes_back_from_its_stored_form(sections: dict[Labels, str], source: str) -> None:
    parsed = make_parsed(source, sections, places=("字",))
    assert parsed_from_json(parsed_to_json(parsed)) == parsed


def test_manifest_comes_back_from_its_stored_form_also_with_keys_of_later_programs() -> None:
    manifest = Manifest("g", "1", "1.5.9", "e", 2, "c", 1, 2, 3, (("a/b", 1, "00"),), "x#0-1")
    assert manifest_from_json(manifest_to_json(manifest) | {"later": 1}) == manifest


def test_stored_sentence_cannot_point_outside_its_document() -> None:
    data = parsed_to_json(PARKS)
    data["sentences"][0]["end"] = 10_000
    with pytest.raises(ValueError, match="outside"):
        parsed_from_json(data)
