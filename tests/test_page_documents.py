"""The documents page by its addresses: every refusal is made on the server, and nothing of a file becomes markup."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assistant.library.background import Building
from assistant.library.keep import Library
from assistant.page.documents import add_documents
from assistant.page.server import find_limit, refuse
from assistant.view.exchange import Exchange
from assistant.view.outdated import draw_outdated, mark_outdated
from tests.made_files import make_pdf, set_lines
from tests.page_fakes import answer_with, ask_for, parse
from tests.test_library import NEW, read_here
from tests.test_view import PAYLOADS
from vectorstore.confine import Limits
from vectorstore.parse import parse as parse_document
from vectorstore.types import Document, Media, ParsedDocument

GIVEN = parse_document(
    Document("parks.txt", "上海市2024年主要任务\n\n新建公园120座。\n", Media.TEXT, "0" * 64, "上海市2024年主要任务")
)


@dataclass
class Asked:
    """A builder that only counts what it is asked for."""

    state: Building = field(default_factory=Building)
    requests: int = 0

    def request(self) -> None:
        self.requests += 1


@dataclass
class Site:
    """The page over two documents, one of which was given by a folder."""

    client: TestClient
    library: Library
    builder: Asked
    documents: list[ParsedDocument]

    def send(self, data: bytes, name: str) -> tuple[int, dict[str, Any]]:
        response = self.client.post("/documents/file", params={"name": name}, content=data)
        return response.status_code, response.json()

    def post(self, path: str, **fields: object) -> int:
        return self.client.post(path, data=fields, follow_redirects=False).status_code

    def text(self, path: str = "/documents") -> str:
        return self.client.get(path).text


_HEAD = {"html", "head", "meta", "title", "script", "link", "body", "header", "h1", "h2", "h3", "nav", "main"}
_TEXT = {"a", "span", "b", "br", "p", "div", "ul", "li", "details", "summary", "progress"}
_FORM = {"form", "label", "input", "select", "option", "datalist", "button"}
OURS = _HEAD | _TEXT | _FORM | {"table", "thead", "tbody", "tr", "th", "td"}


class Elements(HTMLParser):
    """The elements and attributes of a page, as a browser finds them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs if name not in ("value",)]
        self.scripts += [value or "" for name, value in attrs if (tag, name) == ("script", "src")]


def test_a_planted_element_is_found() -> None:
    elements = Elements('<p title="x" onclick="y"><img src=x></p>')
    assert elements.names - OURS == {"img"}
    assert ("onclick", "y") in elements.attributes


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    app, builder, documents = FastAPI(), Asked(), [GIVEN]
    library = Library(tmp_path, Limits(largest=100_000), read=read_here)
    hidden = library.shelf
    add_documents(
        app,
        lambda: [p for p in documents if p.document.source not in hidden.state().hidden],
        library,
        builder,  # type: ignore[arg-type]
    )
    with TestClient(app) as client:
        yield Site(client, library, builder, documents)


def test_a_file_is_taken_and_built_when_the_page_says_that_all_have_come(site: Site) -> None:
    status, said = site.send(NEW, "风电.txt")
    assert (status, said["zh"], said["en"]) == (200, "已添加：1 节，1 句。", " Added: 1 sections, 1 sentences.")
    assert site.builder.requests == 0
    assert site.post("/documents/build") == 303
    assert site.builder.requests == 1


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "空.txt", "空文件"),
        (b"x" * 100_001, "大.txt", "上限"),
        (b"x", "甲.exe", "不支持"),
        (b"x", "", "没有名字"),
        (make_pdf([[]], pictured=True), "扫.pdf", "扫描件"),
    ],
)
def test_a_refusal_is_one_sentence_in_both_languages(site: Site, data: bytes, name: str, reason: str) -> None:
    status, said = site.send(data, name)
    assert status == 422
    assert reason in said["problem"]
    assert name in said["problem"]
    assert said["problem"].count("。 ") == 1
    assert site.library.shelf.state().added == ()
    assert list((site.library.shelf.folder / "incoming").iterdir()) == []


def test_without_our_script_several_files_are_taken_by_one_form_and_each_has_its_result(site: Site) -> None:
    files = [
        ("files", ("好.txt", NEW)),
        ("files", ("坏.pdf", b"no pdf")),
        ("files", ("夹/又.md", "再建一座。".encode())),
    ]
    response = site.client.post("/documents/files", files=files)
    assert response.status_code == 200
    assert [a.source for a in site.library.shelf.state().added] == ["added/好.txt", "added/夹/又.md"]
    assert "内容不是 PDF" in response.text
    assert response.text.count('class="pa-kept"') == 2
    assert site.builder.requests == 1
    assert site.client.post("/documents/files", files=[("files", ("", b""))]).status_code == 400


def test_removing_hides_at_once_says_what_it_does_and_can_be_taken_back(site: Site) -> None:
    assert "原文件不会被改动或删除" in site.text()
    assert site.post("/documents/remove", source="parks.txt") == 303
    assert site.builder.requests == 1
    page = site.text()
    assert "0 份资料" in page
    assert "文件夹里的原文件还在" in page
    assert "/documents/delete" not in page
    assert site.post("/documents/restore", source="parks.txt") == 303
    assert "1 份资料" in site.text()


def test_what_cannot_be_done_is_said_on_the_page_and_nothing_is_built(site: Site) -> None:
    for path, fields in (
        ("remove", {"source": "no.txt"}),
        ("restore", {"source": "parks.txt"}),
        ("delete", {"source": "parks.txt"}),
        ("labels", {"source": "parks.txt", "start": "x"}),
        ("labels", {"source": "parks.txt", "start": "0", "region": "月球"}),
        ("labels", {}),
    ):
        response = site.client.post(f"/documents/{path}", data=fields)
        assert (response.status_code, 'role="alert"' in response.text) == (400, True), path
    assert site.builder.requests == 0


def test_a_label_is_corrected_in_place_marked_and_reset(site: Site) -> None:
    start = GIVEN.sections[0].start
    fields = {"source": "parks.txt", "start": start, "region": "浙江", "year": "2024", "part": "tasks"}
    response = site.client.post("/documents/labels", data=fields, follow_redirects=False)
    assert response.status_code == 303
    place = response.headers["location"].split("#")[1]
    page = site.text()
    assert f'id="{place}"' in page
    assert "✎ 人工" in page
    assert "浙江" in page.split(f'id="{place}"')[1].split("</tr>")[0]
    assert "自动标签：2024年 · 任务" in page
    assert site.post("/documents/labels", **fields, reset="1") == 303
    assert "✎ 人工" not in site.text()


def test_the_text_of_a_pdf_can_be_looked_at(site: Site) -> None:
    site.send(make_pdf([set_lines(["某市2024年工作要点", "全年新建风电场7座。"])]), "风电.pdf")
    kept = site.library.shelf
    site.documents.append(kept.read_parsed(kept.state().added[0].key))
    response = site.client.get("/documents/text", params={"source": "added/风电.pdf"})
    assert response.headers["content-type"].startswith("text/plain")
    assert "── 第 1 页" in response.text
    assert "全年新建风电场7座。" in response.text
    assert "查看提取出的文字" in site.text()
    assert site.client.get("/documents/text", params={"source": "x"}).status_code == 404


def test_many_sections_have_a_page_for_each_document(site: Site) -> None:
    body = "".join(f"2024年第{n}项主要任务\n\n新建公园{n}座。\n\n" for n in range(301))
    site.documents.append(parse_document(Document("long.txt", body, Media.TEXT, "1" * 64, "长")))
    assert '<form method="post" action="/documents/labels">' not in site.text()
    assert "/documents/one?source=parks.txt" in site.text()
    assert "/documents/labels" in site.text("/documents/one?source=parks.txt")
    fields = {"source": "parks.txt", "start": GIVEN.sections[0].start, "year": "2020", "alone": "1"}
    response = site.client.post("/documents/labels", data=fields, follow_redirects=False)
    assert response.headers["location"].startswith("/documents/one?source=parks.txt#sec-")
    assert site.client.get("/documents/one?source=no").status_code == 404


@pytest.mark.parametrize(
    ("building", "said"),
    [
        (Building(running=True, stage="embed", done=3, total=9), 'value="3"'),
        (Building(running=True, stage="wait"), "另一个程序正在建立索引"),
        (Building(problem="磁盘满了。 The disk is full."), "磁盘满了"),
    ],
)
def test_how_far_the_index_is_and_why_it_is_not_is_said(site: Site, building: Building, said: str) -> None:
    site.builder.state = building
    assert said in site.text()
    assert json.loads(site.text("/documents/state"))["stage"] == building.stage


def test_what_was_changed_before_the_program_ended_is_built_when_it_starts_again(tmp_path: Path) -> None:
    library, builder = Library(tmp_path, read=read_here), Asked()
    received = library.receive()
    received.write_bytes(NEW)
    for expected in (0, 1):
        if expected:
            library.add(received, "新.txt", [GIVEN])
        add_documents(FastAPI(), lambda: [GIVEN], library, builder)  # type: ignore[arg-type]
        assert builder.requests == expected


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_of_a_name_or_a_text_becomes_markup(site: Site, payload: str) -> None:
    name = f"{payload}.txt"
    text = f"2024年主要任务\n\n新建风电场7座{payload}。\n"
    status, said = site.send(text.encode("utf-8", "replace"), name)
    if status == 200:
        kept = site.library.shelf
        site.documents.append(kept.read_parsed(kept.state().added[0].key))
    else:
        assert "problem" in said
    pages = [site.client.post("/documents/files", files=[("files", (name, b""))]).text, site.text()]
    for source in [p.document.source for p in site.documents]:
        site.post("/documents/remove", source=source)
    for page in (*pages, site.text()):
        elements = Elements(page)
        assert elements.names <= OURS
        assert elements.scripts == ["/page/plain.js", "/page/documents.js"]
        assert not any(name.startswith("on") or "javascript:" in value for name, value in elements.attributes)


def test_the_guard_lets_a_document_through_and_nothing_larger_than_one() -> None:
    own = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}
    assert refuse("/documents/file", own | {"content-length": str(25 * 1024 * 1024)}) is None
    assert refuse("/documents/file", own | {"content-length": str(33 * 1024 * 1024)}) == (
        413,
        f"at most {32 << 20} bytes",
    )
    assert refuse("/documents/file", own | {"origin": "http://evil.example"}) is not None
    assert find_limit("/documents/labels") < 1_000_000


def test_an_answer_says_that_a_document_it_cites_was_removed_and_no_longer_says_so_when_it_is_back() -> None:
    parsed = parse()
    answer = answer_with(ask_for("问"), "答[1]。", (), parsed.sentences[:1])
    exchange = Exchange(1, "问", answer=answer, documents=(parsed,))
    assert mark_outdated([exchange], [parsed]) == (exchange,)
    (gone,) = mark_outdated([exchange], [])
    assert gone.removed == gone.replaced == {"shanghai.txt"}
    assert "《上海绿色低碳工作摘编》" in draw_outdated(gone)
    assert draw_outdated(exchange) == ""
    assert mark_outdated([gone], [parsed]) == (exchange,)
    changed = parse(parsed.document.text + "又一句。\n")
    changed = ParsedDocument(
        Document(**{f: getattr(changed.document, f) for f in Document.__slots__} | {"sha256": "1" * 64}),
        changed.boilerplate,
        changed.sections,
        changed.sentences,
    )
    (other,) = mark_outdated([exchange], [changed])
    assert (other.removed, other.replaced) == (frozenset(), {"shanghai.txt"})
