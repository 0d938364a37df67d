"""The documents page in a real browser, over the real program: add, ask, correct, remove, be refused, restore."""
# ruff: noqa: F401, F811 -- the browser of the chat's own tests is these tests' too

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.made_files import Put, make_docx, make_pdf, paragraph, set_lines
from tests.test_browser import BOX, FOREIGN_ELEMENTS, LOW_CONTRAST, browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parent.parent
_LINE = "全市坚持绿色低碳发展方向统筹推进能源产业交通和城乡建设各项工作取得实效"
REPORT = make_pdf(
    [
        [
            Put("广东省2024年工作计划", 150, 90, 22),
            *set_lines(
                ["　　" + _LINE[:32], _LINE[:-1] + "。", "全年计划新建海上风电机组137台，新增光伏装机260万千瓦。"],
                y=150,
            ),
        ]
    ]
)
QUESTION = "广东2024年计划新建海上风电机组多少台？"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The program itself, with an index and a library of its own."""
    home = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"ASSISTANT_DATA": str(home / "data"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", "serve", "--port", str(port)],
        cwd=home,
        env=os.environ | places,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "http://" in line, line
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    context.set_default_timeout(60_000)
    opened = context.new_page()
    opened.alarms = []  # type: ignore[attr-defined]
    opened.on("dialog", lambda dialog: (opened.alarms.append(dialog.message), dialog.dismiss()))  # type: ignore[attr-defined]
    opened.on("pageerror", lambda error: opened.alarms.append(str(error)))  # type: ignore[attr-defined]
    context.on(
        "request",
        lambda request: (
            None if request.url.startswith((served, "data:", "blob:")) else opened.alarms.append(request.url)
        ),  # type: ignore[attr-defined]
    )
    yield opened
    assert opened.alarms == []  # type: ignore[attr-defined]
    context.close()


def add(page: Page, *files: tuple[str, bytes]) -> None:
    page.set_input_files(
        "#pa-files", [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    )
    page.wait_for_selector(f"#pa-arrivals li:nth-child({len(files)}):is(.pa-kept, .pa-refused)")


def await_index(page: Page) -> None:
    page.wait_for_function(
        "async () => { const s = await (await fetch('/documents/state')).json(); return !s.running; }", timeout=120_000
    )
    page.wait_for_selector("#pa-building", state="detached", timeout=120_000)


def ask(page: Page, served: str, question: str = QUESTION) -> str:
    page.goto(served)
    page.wait_for_selector(BOX)
    page.wait_for_selector("#pa-sources .pa-library")
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    page.wait_for_function("() => document.querySelector('#pa-box textarea').value === ''")
    page.wait_for_selector('#pa-now .pa-exchange[data-running="false"]')
    return page.inner_text("#pa-now .pa-answer")


def open_sections(page: Page, title: str) -> None:
    box = page.locator("details.pa-file", has_text=title)
    box.evaluate("e => { e.open = true }")


def test_a_document_is_added_asked_about_corrected_removed_and_restored(page: Page, served: str) -> None:
    assert "137" not in ask(page, served)
    page.goto(f"{served}documents")
    add(page, ("报告.pdf", REPORT), ("坏的.pdf", b"no pdf"))
    assert "已添加" in page.inner_text("#pa-arrivals .pa-kept")
    assert "内容不是 PDF" in page.inner_text("#pa-arrivals .pa-refused")
    await_index(page)
    assert "广东省2024年工作计划" in page.inner_text("#pa-shelf")

    answer = ask(page, served)
    assert "137台" in answer
    assert "✓ 已核对" in answer
    cited = page.inner_text(".pa-doc:not([hidden]) .pa-current")
    assert cited == "全年计划新建海上风电机组137台，新增光伏装机260万千瓦。"
    talk = page.url

    page.goto(f"{served}documents")
    open_sections(page, "广东省2024年工作计划")
    row = page.locator("details.pa-file", has_text="广东省2024年工作计划").locator("tbody tr").last
    row.locator(".pa-correct summary").click()
    row.locator("input[name=region]").fill("浙江")
    row.locator("button.pa-main").click()
    page.wait_for_load_state()
    assert "✎ 人工" in page.inner_text("tr:target")
    assert "浙江" in page.inner_text("tr:target")
    await_index(page)
    assert "未作回答" in ask(page, served)
    assert "✓ 已核对" in ask(page, served, QUESTION.replace("广东", "浙江"))

    page.goto(f"{served}documents")
    box = page.locator("details.pa-file", has_text="广东省2024年工作计划")
    box.evaluate("e => { e.open = true }")
    box.locator(".pa-delete summary").click()
    box.locator(".pa-delete button").click()
    page.wait_for_selector("#pa-removed")
    refused = ask(page, served, QUESTION.replace("广东", "浙江"))  # at once: the index may still be building
    assert "137台" not in refused
    assert "未作回答" in refused
    page.goto(talk)
    page.wait_for_selector("#pa-now .pa-exchange")
    old = page.inner_text("#pa-now .pa-answer")
    assert "137台" in old
    assert "已被移除：《广东省2024年工作计划》" in old
    assert "137台" in page.inner_text(".pa-doc:not([hidden]) .pa-current")

    page.goto(f"{served}documents")
    await_index(page)
    page.click('form[action="/documents/restore"] button')
    page.wait_for_load_state()
    await_index(page)
    assert "✓ 已核对" in ask(page, served, QUESTION.replace("广东", "浙江"))


def test_a_folder_and_hostile_names_are_taken_as_text(page: Page, served: str, tmp_path: Path) -> None:
    page.goto(f"{served}documents")
    hostile = "<img src=x onerror=alert(1)>.docx"
    body = paragraph("某区2022年工作总结", "1") + paragraph("<script>alert(2)</script>植树造林31亩。")
    add(page, (hostile, make_docx(body)))
    assert hostile in page.inner_text("#pa-arrivals")
    folder = tmp_path / "夹"
    folder.mkdir()
    (folder / "甲.txt").write_text("某县2022年工作总结\n\n修缮桥梁17座。\n", encoding="utf-8")
    (folder / "图.png").write_bytes(b"\x89PNG")
    page.set_input_files("#pa-folder", str(folder))
    page.wait_for_selector("#pa-arrivals li:nth-child(3)")
    assert "夹/甲.txt" in page.inner_text("#pa-arrivals")
    assert "1 个其他类型" in page.inner_text("#pa-arrivals")
    await_index(page)
    assert page.locator("main img, main iframe, main svg").count() == 0
    assert page.locator("main script").count() == 1
    assert hostile in page.inner_text("#pa-shelf")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_can_be_read_and_used_by_keyboard_at_every_width(
    page: Page, served: str, width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{served}documents")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST.replace("#pa-header *, #pa-main *", "body *")) == []
    assert (
        page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select')].filter(e => !e.labels.length).length"
        )
        == 0
    )
    seen = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        seen.add(str(page.evaluate("document.activeElement.id || document.activeElement.tagName")))
    assert {"pa-files", "pa-folder", "BUTTON", "SUMMARY"} <= seen
