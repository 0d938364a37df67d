"""The ways beside asking, in a real browser: feedback, saving, history, scope, language, documents, evaluation."""
# ruff: noqa: F401, F811 -- the fixtures of the chat's own tests are these tests' too

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page_fakes import FakeAssistant, parse
from tests.test_browser import (
    BOX,
    FOREIGN_ELEMENTS,
    LOW_CONTRAST,
    QUESTION,
    Visit,
    browser,
    context,
    open_page,
    served,
    visit,
)

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser

HOSTILE = ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<img src=http://beacon.test/i.png>")


def ask_one(visit: Visit, question: str = QUESTION) -> None:
    visit.ask(question)
    visit.await_answer()


def test_a_wrong_answer_is_reported_in_two_clicks_and_stays_marked(visit: Visit) -> None:
    ask_one(visit)
    assert not visit.page.is_visible("#pa-now .pa-form")
    visit.page.click('#pa-now [data-rate="down"]')
    visit.page.fill("#pa-now .pa-form textarea", "应为2万个")
    visit.page.click("#pa-now .pa-submit")
    visit.page.wait_for_selector("#pa-now [data-rate='down'][aria-pressed='true']")
    assert "已记录" in visit.page.inner_text("#pa-now .pa-said")
    ask_one(visit, "上海2024年要淘汰多少项落后产能？")
    assert visit.page.get_attribute("#pa-past [data-rate='down']", "aria-pressed") == "true"
    visit.page.click('#pa-now [data-rate="up"]')
    visit.page.wait_for_selector("#pa-now [data-rate='up'][aria-pressed='true']")
    assert visit.alarms == []


def test_a_copied_answer_brings_its_footnotes(context: BrowserContext, served: tuple[FakeAssistant, str]) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit = open_page(context, *served)
    ask_one(visit)
    visit.page.click("#pa-now [data-copy]")
    visit.page.wait_for_function("() => document.querySelector('#pa-now .pa-said').textContent !== ''")
    copied = str(visit.page.evaluate("navigator.clipboard.readText()"))
    assert "[1] “推动深远海海上风电建设" in copied
    assert "shanghai.txt#" in copied


@pytest.mark.parametrize("form", ["md", "html", "docx"])
def test_a_conversation_is_saved_as_a_file(visit: Visit, form: str, tmp_path: Path) -> None:
    ask_one(visit)
    with visit.page.expect_download() as download:
        visit.page.click(f'#pa-now a[href$="export.{form}"]')
    download.value.save_as(tmp_path / "saved")
    assert download.value.suggested_filename.endswith(f".{form}")
    assert (tmp_path / "saved").stat().st_size > 500


def test_a_reload_shows_the_same_conversation_and_a_follow_up_goes_on(visit: Visit) -> None:
    ask_one(visit)
    visit.page.reload()
    visit.page.wait_for_selector("#pa-now .pa-exchange")
    assert "1万个" in visit.page.inner_text("#pa-now .pa-short")
    assert "新建1万个" in visit.page.inner_text(".pa-current")
    ask_one(visit, "那新建公园多少座？")
    assert visit.page.locator(".pa-exchange").count() == 2
    assert len(visit.answerer.histories[-1]) == 2
    visit.page.click("#pa-new")
    visit.page.wait_for_selector(".pa-example")
    assert "talk=" not in visit.page.url


def test_a_conversation_is_found_opened_and_deleted(visit: Visit) -> None:
    ask_one(visit)
    visit.page.click("#pa-header a[href='/history']")
    visit.page.fill("#q", "充电桩")
    visit.page.press("#q", "Enter")
    visit.page.wait_for_selector(".pa-found")
    visit.page.click(".pa-lines a")
    visit.page.wait_for_selector("#pa-now .pa-exchange")
    visit.page.goto(visit.url + "history")
    visit.page.click(".pa-lines .pa-delete summary")
    visit.page.click(".pa-lines .pa-delete button")
    visit.page.wait_for_selector(".pa-none")
    assert visit.alarms == []


def test_another_browser_sees_nothing_of_it(visit: Visit, served: tuple[FakeAssistant, str]) -> None:
    ask_one(visit)
    other = visit.page.context.browser.new_context()  # type: ignore[union-attr]
    page = other.new_page()
    page.goto(visit.page.url)
    page.wait_for_selector(".pa-example")
    assert page.locator(".pa-exchange").count() == 0
    page.goto(visit.url + "history")
    assert page.locator(".pa-lines").count() == 0
    other.close()


def test_a_chosen_chip_narrows_the_question_and_is_shown_as_its_scope(visit: Visit) -> None:
    visit.page.click(".pa-filter summary")
    visit.page.click(".pa-choice[data-value='2024']")
    visit.page.wait_for_timeout(150)  # the framework takes the choice over in its next update
    ask_one(visit, "要新建多少座公园？")
    scope = visit.answerer.scopes[-1]
    assert scope is not None
    assert scope.years == frozenset({2024})
    assert "2024年" in visit.page.inner_text("#pa-now .pa-understood")
    visit.page.click(".pa-clear")
    visit.page.wait_for_timeout(150)
    ask_one(visit, "要新建多少座公园呢？")
    assert visit.answerer.scopes[-1] is None


def test_the_language_is_the_browsers_and_can_be_switched_for_good(
    context: BrowserContext, served: tuple[FakeAssistant, str]
) -> None:
    visit = open_page(context, *served)
    assert "提问" in visit.page.inner_text("#pa-send")
    assert "Chat" not in visit.page.inner_text("#pa-header")
    visit.page.click("[data-switch]")
    assert visit.page.inner_text("#pa-send") == "Ask"
    assert visit.page.get_attribute("html", "lang") == "en"
    ask_one(visit)
    assert "supported" in visit.page.inner_text("#pa-now .pa-short")
    assert "已核对" not in visit.page.inner_text("#pa-now .pa-short")
    visit.page.reload()
    visit.page.wait_for_selector("#pa-now .pa-exchange")
    assert "History" in visit.page.inner_text("#pa-header")
    visit.page.goto(visit.url + "documents")
    assert "Sections" in visit.page.inner_text("main") or "sections" in visit.page.inner_text("main")


def test_an_english_browser_gets_english(visit: Visit) -> None:
    other = visit.page.context.browser.new_context(locale="en-US")  # type: ignore[union-attr]
    page = other.new_page()
    page.goto(visit.url)
    page.wait_for_selector(".pa-example")
    assert "Policy assistant" in page.inner_text("h1")
    assert "Ask" in page.inner_text("#pa-send")
    other.close()


def test_an_evaluation_is_started_followed_and_its_report_opened(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.url + "eval")
    rows = [
        {"id": f"u{n}", "kind": "fact", "turns": [QUESTION], "must": [["1万"]], "answerable": True} for n in range(3)
    ]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    page.set_input_files("#pa-file", {"name": "my.jsonl", "mimeType": "application/json", "buffer": content})
    page.wait_for_function("() => document.querySelector('#pa-told').textContent.includes('3')")
    page.click("button.pa-main")
    page.wait_for_selector(".pa-table a", timeout=30_000)
    assert "3 / 3" in page.inner_text(".pa-table")
    with page.context.expect_page() as opened:
        page.click(".pa-table a >> nth=1")
    opened.value.wait_for_load_state()
    assert "100%" in opened.value.inner_text("body")
    page.set_input_files("#pa-file", {"name": "bad.jsonl", "mimeType": "application/json", "buffer": b"{}\n"})
    page.wait_for_function("() => document.querySelector('#pa-told').textContent.includes('line 1')")


def test_a_failure_is_opened_in_the_conversation_turn_by_turn(visit: Visit) -> None:
    page = visit.page
    page.goto(visit.url + "eval")
    row = {"id": "u1", "kind": "followup", "turns": [QUESTION, "那公园呢？"], "must": [["999座"]], "answerable": True}
    content = json.dumps(row, ensure_ascii=False).encode()
    page.set_input_files("#pa-file", {"name": "my.jsonl", "mimeType": "application/json", "buffer": content})
    page.wait_for_function("() => document.querySelector('#pa-told').textContent.includes('1')")
    page.click("button.pa-main")
    page.wait_for_selector(".pa-table a", timeout=30_000)
    page.click(".pa-table a >> nth=0")
    page.click(".pa-failures a >> nth=0")
    page.wait_for_function("(q) => (document.querySelector('#pa-box textarea') || {}).value === q", arg=QUESTION)
    page.click("#pa-send")
    page.wait_for_function("() => (document.querySelector('#pa-box textarea') || {}).value === '那公园呢？'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_beside_the_chat_can_be_read_at_every_width(visit: Visit, width: int, scheme: str) -> None:
    page = visit.page
    ask_one(visit)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    contrast = LOW_CONTRAST.replace("#pa-header *, #pa-main *", "body *")
    page.click('#pa-now [data-rate="down"]')
    page.click(".pa-filter summary")
    page.click(".pa-choice >> nth=0")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(LOW_CONTRAST) == []
    for path in ("history", "documents", "eval"):
        page.goto(visit.url + path)
        page.wait_for_selector("main h2")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(contrast) == [], path
        assert page.locator("h1").count() == 1
    assert visit.alarms == []


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_text_in_comments_history_search_and_documents_stays_text(
    context: BrowserContext, served: tuple[FakeAssistant, str], payload: str
) -> None:
    answerer, url = served
    parsed = parse(f"2024年主要任务:\n新建1万个电动汽车公共充电桩{payload}。\n", source=f"{payload}.txt", title=payload)
    sections = tuple(replace(s, labels=replace(s.labels, region=payload)) for s in parsed.sections)
    sentences = tuple(replace(s, labels=replace(s.labels, region=payload)) for s in parsed.sentences)
    other = replace(parse(), document=replace(parse().document, source="other.txt"))
    answerer.parsed = (replace(parsed, sections=sections, sentences=sentences), other)
    visit = open_page(context, answerer, url)
    ask_one(visit, QUESTION + payload)
    visit.page.click('#pa-now [data-rate="down"]')
    visit.page.fill("#pa-now .pa-form textarea", payload)
    visit.page.click("#pa-now .pa-submit")
    visit.page.wait_for_selector("#pa-now [data-rate='down'][aria-pressed='true']")
    visit.page.click(".pa-filter summary")
    visit.page.click(".pa-choice >> nth=0")
    visit.page.reload()
    visit.page.wait_for_selector("#pa-now .pa-exchange")
    assert visit.page.evaluate(FOREIGN_ELEMENTS) == []
    visit.page.goto(visit.url + "history")
    visit.page.fill("#q", payload)
    visit.page.press("#q", "Enter")
    visit.page.wait_for_selector(".pa-found, .pa-none")
    visit.page.goto(visit.url + "documents")
    assert payload in visit.page.inner_text("main")
    assert visit.page.locator("main img, main script, main iframe").count() == 0
    assert visit.foreign() == []
    assert visit.alarms == []


def test_history_and_evaluation_can_be_used_by_the_keyboard_alone(visit: Visit) -> None:
    ask_one(visit)
    visit.page.goto(visit.url + "history")
    seen = set()
    for _ in range(14):
        visit.page.keyboard.press("Tab")
        name, ring = visit.page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.id || e.getAttribute('href') || e.tagName, s.outlineStyle !== 'none']; }"""
        )
        assert ring or name == "BODY", name
        seen.add(str(name).split("=")[0])
    assert {"/eval", "q", "/?talk", "SUMMARY"} <= seen
