"""The library: what a person adds, removes and labels on the page is kept, applied to every index, and never half."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import LibraryInvalid
from assistant.library import keep
from assistant.library.amend import amend_current, index_given, is_outdated, settle, show_corrected
from assistant.library.keep import Kept, Library, Wanted, clean_name
from assistant.library.visible import Visible
from tests.made_files import make_docx, make_pdf, paragraph, set_lines
from vectorstore.build import build_index
from vectorstore.confine import Limits
from vectorstore.embed import HashingEmbedder
from vectorstore.errors import IndexBusy, SourceUnreadable
from vectorstore.generation import read_pointer, writing
from vectorstore.index import Index
from vectorstore.parse import parse
from vectorstore.read import read_document
from vectorstore.rebuild import rebuild
from vectorstore.types import Labels, ParsedDocument, Part, Scope

pytestmark = pytest.mark.slow  # many indexes, each small; together too long for the fast suite

_EMBEDDER = HashingEmbedder(64)
_PARKS = "上海市2024年主要任务\n\n新建公园120座。推动30座城市公园24小时开放。\n"
_ROADS = "江苏省2023年工作回顾\n\n建成绿道231公里。改造老旧小区128个。\n"


def _no_progress(stage: str, done: int, total: int) -> None:
    pass


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "parks.txt").write_text(_PARKS, encoding="utf-8")
    (folder / "roads.txt").write_text(_ROADS, encoding="utf-8")
    return folder


@pytest.fixture
def opened(corpus: Path, tmp_data: Path) -> Iterator[Desk]:
    build_index([corpus], data=tmp_data, embedder=_EMBEDDER)
    desk = Desk(tmp_data)
    yield desk
    desk.index.close()


def read_here(path: Path, *, limits: Limits | None = None) -> ParsedDocument:
    """Read a file in this process, which is quicker."""
    return parse(read_document(path))


class Desk:
    """A library with its index, built in this process."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.library = Library(data, read=read_here)
        self.index = Visible(Index.open(data, _EMBEDDER), self.library.shelf)

    def add(self, data: bytes, name: str = "新.txt") -> Kept:
        received = self.library.receive()
        received.write_bytes(data)
        try:
            return self.library.add(received, name, self.index.documents)
        finally:
            received.unlink(missing_ok=True)

    def build(self) -> None:
        shelf = self.library.shelf
        report = rebuild(
            lambda documents: amend_current(shelf, documents),
            data=self.data,
            embedder=_EMBEDDER,
            progress=_no_progress,
        )
        settle(shelf, report.documents, anew=False)
        self.index = self.index.current()

    def sources(self) -> list[str]:
        return [p.document.source for p in self.index.documents]

    def find(self, text: str) -> set[str]:
        return {hit.sentence.source for hit in self.index.search(text, 20)}


NEW = "广东省2024年主要任务\n\n新建海上风电场7座。\n".encode()


def test_an_added_file_is_found_after_the_build_and_what_was_there_is_still_there(opened: Desk) -> None:
    assert opened.add(NEW, "文件夹/风电.txt").source == "added/文件夹/风电.txt"
    assert is_outdated(opened.library.shelf, opened.index.documents)
    opened.build()
    assert opened.sources() == ["added/文件夹/风电.txt", "parks.txt", "roads.txt"]
    assert "added/文件夹/风电.txt" in opened.find("海上风电场")
    assert not is_outdated(opened.library.shelf, opened.index.documents)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (make_pdf([set_lines(["全年新建风电场7座。"])]), "风电.pdf"),
        (make_docx(paragraph("全年新建风电场7座。")), "风电.docx"),
        ("<p>全年新建风电场7座。</p>".encode(), "风电.html"),
        ("全年新建风电场7座。".encode("gb18030"), "风电.md"),
    ],
    ids=["pdf", "docx", "html", "md"],
)
def test_every_kind_of_file_can_be_added(opened: Desk, data: bytes, name: str) -> None:
    opened.library = Library(opened.data)  # each in a process of its own
    kept = opened.add(data, name)
    assert [s.plain for s in kept.parsed.sentences] == ["全年新建风电场7座。"]
    assert kept.parsed.document.title == "风电"
    assert {s.source for s in kept.parsed.sentences} == {f"added/{name}"}


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "空.txt", "空文件"),
        (b"\x00\x01", "二.txt", "二进制"),
        (NEW, "程序.exe", "不支持"),
        (b"%PDF-1.7", "假.txt", "改为 .pdf"),
        (make_pdf([[]], pictured=True), "扫.pdf", "扫描件"),
        (_PARKS.encode(), "同.txt", "parks.txt"),
        (b"------\n", "无.md", "没有可检索"),
    ],
    ids=["empty", "binary", "type", "content", "scan", "duplicate", "no sentence"],
)
def test_what_cannot_be_added_is_refused_by_its_name_and_nothing_is_kept(
    opened: Desk, data: bytes, name: str, reason: str
) -> None:
    with pytest.raises((SourceUnreadable, LibraryInvalid)) as caught:
        opened.add(data, name)
    assert reason in str(caught.value)
    assert name in str(caught.value)
    assert opened.library.shelf.state().added == ()
    kept = [path for path in opened.library.shelf.folder.rglob("*") if path.is_file() and path.name != "LOCK"]
    assert [path.name for path in kept] in ([], ["library.json"])


def test_the_same_name_with_other_content_is_refused_until_the_old_one_is_removed(opened: Desk) -> None:
    opened.add(NEW)
    with pytest.raises(LibraryInvalid, match="同名"):
        opened.add(NEW + "再建一座。".encode())
    opened.library.remove("added/新.txt", opened.index.documents)
    assert opened.add(NEW + "再建一座。".encode()).source == "added/新 (2).txt"
    with pytest.raises(LibraryInvalid, match="恢复"):
        opened.add(NEW, "别名.txt")


def test_a_file_over_the_limit_is_refused_and_one_at_it_is_not(opened: Desk) -> None:
    opened.library = Library(opened.data, Limits(largest=len(NEW)), read=read_here)
    with pytest.raises(SourceUnreadable, match="上限"):
        opened.add(NEW + b"\n")
    assert opened.add(NEW).source == "added/新.txt"


def test_the_library_as_a_whole_has_limits(opened: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep, "MOST_FILES", 1)
    opened.add(NEW)
    with pytest.raises(LibraryInvalid, match="上限"):
        opened.add(_PARKS.encode() + "再建一座。".encode(), "b.txt")


def test_a_removed_document_is_out_of_the_answers_at_once_and_out_of_the_index_after_the_build(opened: Desk) -> None:
    held = opened.index.holds("公园")
    assert held == 2
    before = read_pointer(opened.data)
    opened.library.remove("parks.txt", opened.index.documents)
    for build in (False, True):
        if build:
            opened.build()
        assert opened.sources() == ["roads.txt"]
        assert {s.source for s in opened.index.sentences} == {"roads.txt"}
        assert opened.find("新建公园120座") == {"roads.txt"}
        assert opened.index.search("公园", 5, Scope(sources=frozenset({"parks.txt"}))) == ()
        assert opened.index.holds("公园") == 0
        assert (read_pointer(opened.data) == before) is not build


def test_words_of_a_removed_document_weigh_nothing(opened: Desk) -> None:
    opened.library.remove("parks.txt", opened.index.documents)
    hidden = [opened.index.rarity(term) for term in ("公园", "绿道", "改造")]
    opened.build()
    assert [opened.index.rarity(term) for term in ("公园", "绿道", "改造")] == hidden


def test_a_removed_document_stays_away_from_an_index_built_anew_and_its_file_is_not_touched(
    opened: Desk, corpus: Path
) -> None:
    opened.library.remove("parks.txt", opened.index.documents)
    report = build_index(
        [corpus], data=opened.data, embedder=_EMBEDDER, amend=lambda given: keep_out(opened.library, given)
    )
    assert [p.document.source for p in report.documents] == ["roads.txt"]
    assert (corpus / "parks.txt").read_text(encoding="utf-8") == _PARKS


def keep_out(library: Library, given: object) -> list[ParsedDocument]:
    from assistant.library.amend import amend_given

    return amend_given(library.shelf, given)  # type: ignore[arg-type]


def test_a_restored_document_is_as_it_was_whether_or_not_an_index_was_built_meanwhile(opened: Desk) -> None:
    documents = opened.index.documents
    for build in (False, True):
        opened.library.remove("parks.txt", opened.index.documents)
        if build:
            opened.build()
        opened.library.restore("parks.txt")
        opened.build()
        assert opened.index.documents == documents
        assert opened.library.shelf.state().restored == ()
        assert list((opened.library.shelf.folder / "parsed").iterdir()) == []


def test_a_file_of_ours_is_deleted_for_good_and_one_of_a_folder_never(opened: Desk) -> None:
    opened.add(NEW)
    opened.build()
    for source in ("parks.txt", "added/新.txt"):
        opened.library.remove(source, opened.index.documents)
    with pytest.raises(LibraryInvalid):
        opened.library.delete("parks.txt")
    opened.library.delete("added/新.txt")
    assert opened.sources() == ["roads.txt"]  # also before the next index, which does not hold it any more
    assert list((opened.library.shelf.folder / "files").iterdir()) == []
    opened.build()
    assert opened.sources() == ["roads.txt"]
    assert opened.library.shelf.state().forgotten == ()
    opened.add(NEW)


def test_when_everything_is_removed_nothing_is_found_and_nothing_breaks(opened: Desk) -> None:
    for source in opened.sources():
        opened.library.remove(source, opened.index.documents)
    assert opened.index.documents == opened.index.sentences == opened.index.search("公园", 5) == ()
    assert opened.index.rarity("公园") >= 0


def test_what_was_added_and_labelled_comes_into_an_index_that_the_command_line_builds(
    opened: Desk, corpus: Path
) -> None:
    opened.add(NEW, "风电.txt")
    opened.build()
    section = next(p for p in opened.index.documents if p.document.source == "roads.txt").sections[0]
    opened.library.correct("roads.txt", section.start, Wanted("浙江", "2022", ""), opened.index.documents)
    opened.library.remove("parks.txt", opened.index.documents)
    report, notes = index_given([corpus], opened.data, None)
    assert [p.document.source for p in report.documents] == ["added/风电.txt", "roads.txt"]
    roads = report.documents[1]
    assert roads.sections[0].labels == Labels("浙江", 2022, None)
    assert {s.labels.region for s in roads.sentences} == {"浙江"}
    assert any("parks.txt" in note for note in notes)
    (corpus / "roads.txt").write_text(_ROADS.replace("江苏省2023年工作回顾", "苏州"), encoding="utf-8")
    assert any("roads.txt" in note for note in index_given([corpus], opened.data, None)[1])


def test_only_what_differs_from_the_automatic_label_is_kept_and_the_same_label_again_takes_it_back(
    opened: Desk,
) -> None:
    library, documents = opened.library, opened.index.documents
    start = documents[0].sections[0].start
    automatic = documents[0].sections[0].labels
    assert automatic == Labels("上海", 2024, Part.TASKS)
    library.correct("parks.txt", start, Wanted("上海", "2021年", "tasks"), documents)
    (kept,) = library.corrections()["parks.txt"]
    assert (kept.region, kept.year, kept.part, kept.clear) == (None, 2021, None, ())
    shown = show_corrected(documents, library.corrections())
    assert shown[0].sections[0].labels == Labels("上海", 2021, Part.TASKS)
    library.correct("parks.txt", start, Wanted("", "2021", "tasks"), shown)
    assert library.corrections()["parks.txt"][0].clear == ("region",)
    library.correct("parks.txt", start, Wanted("上海", "2024", "tasks"), shown)
    assert library.corrections() == {}


@pytest.mark.parametrize(
    "wanted", [Wanted("月球", "", ""), Wanted("", "99", ""), Wanted("", "1492", ""), Wanted("", "", "x")]
)
def test_a_label_that_is_none_is_refused_and_nothing_changes(opened: Desk, wanted: Wanted) -> None:
    documents = opened.index.documents
    with pytest.raises(LibraryInvalid):
        opened.library.correct("parks.txt", documents[0].sections[0].start, wanted, documents)
    assert opened.library.corrections() == {}


def test_nothing_can_be_done_to_what_is_not_there(opened: Desk) -> None:
    library, documents = opened.library, opened.index.documents
    for act in (
        lambda: library.remove("no.txt", documents),
        lambda: library.restore("parks.txt"),
        lambda: library.delete("parks.txt"),
        lambda: library.correct("parks.txt", 3, Wanted(), documents),
        lambda: library.correct("no.txt", 0, Wanted(), documents),
    ):
        with pytest.raises(LibraryInvalid, match="刷新"):
            act()


def test_files_added_at_the_same_time_are_all_kept_and_the_same_one_once(opened: Desk) -> None:
    said: list[str] = []

    def add(number: int) -> None:
        try:
            said.append(opened.add(NEW if number < 2 else NEW + f"第{number}座。".encode(), f"{number}.txt").source)
        except LibraryInvalid as problem:
            said.append(str(problem))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened.library.shelf.state().added) == 3
    assert sum("内容相同" in text for text in said) == 1


def test_a_damaged_list_is_an_error_and_never_an_empty_one(opened: Desk) -> None:
    opened.library.remove("parks.txt", opened.index.documents)
    (opened.library.shelf.folder / "library.json").write_text("{", encoding="utf-8")
    with pytest.raises(LibraryInvalid, match=r"library\.json"):
        _ = opened.index.documents


def test_a_rebuild_is_refused_while_another_runs_and_embeds_only_what_is_new(
    opened: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(opened.data), pytest.raises(IndexBusy):
        opened.build()
    asked: list[str] = []
    embed = HashingEmbedder.embed
    monkeypatch.setattr(HashingEmbedder, "embed", lambda self, texts: (asked.extend(texts), embed(self, texts))[1])
    opened.add(NEW)
    opened.build()
    assert "新建海上风电场7座。" in asked
    assert "新建公园120座。" not in asked[: asked.index("新建海上风电场7座。") + 1]


def test_an_index_that_is_left_is_closed_when_its_last_question_has_ended(opened: Desk) -> None:
    copies = opened.data / "copies"
    asking = opened.index  # a question that began with this generation
    opened.add(NEW)
    opened.build()
    assert len([p for p in copies.iterdir() if p.is_dir()]) == 2
    assert asking.search("公园", 1)
    del asking
    assert len([p for p in copies.iterdir() if p.is_dir()]) == 1
    assert opened.index.search("公园", 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "etc/passwd.txt"),
        ("C:\\Users\\我\\报告.pdf", "C:/Users/我/报告.pdf"),
        ("a\u202etxt.exe\x00.txt", "atxt.exe.txt"),
        ("  空 格 .txt ", "空 格 .txt"),
        ("x" * 500 + ".txt", "x" * 116 + ".txt"),
        ("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt"),
    ],
)
def test_a_name_is_only_ever_shown(name: str, shown: str) -> None:
    assert clean_name(name) == shown


@pytest.mark.parametrize("name", ["", "/", "..", "\x00", " / "])
def test_no_name_is_refused(name: str) -> None:
    with pytest.raises(LibraryInvalid):
        clean_name(name)


def test_no_name_becomes_a_path(opened: Desk) -> None:
    opened.add(NEW, "../../../x/新.txt")
    outside = set(opened.data.parent.rglob("*新*"))
    assert outside == set()
    added = json.loads((opened.library.shelf.folder / "library.json").read_text(encoding="utf-8"))["added"]
    assert [row["source"] for row in added] == ["added/x/新.txt"]
    assert replace(opened.library.shelf.state().added[0], when="").suffix == ".txt"
