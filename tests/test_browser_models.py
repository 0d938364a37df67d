"""Models, interrupted runs, chips that contradict, printing and widths, in a real browser."""
# ruff: noqa: F401, F811 -- the fixtures of the chat's own tests are these tests' too

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assistant.llm.catalog import bundled, use_model
from assistant.llm.change import Models
from assistant.llm.held import Held
from assistant.types import Event, Turn, Understood
from tests.answer_fakes import FakeEngine
from tests.page_fakes import FakeAssistant, Served
from tests.test_browser import BOX, QUESTION, Visit, browser, context, open_page
from vectorstore.types import Scope

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser


class Placed(FakeAssistant):
    """The fake that knows which place a question names."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        scope: Scope | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        named = Scope(years=frozenset(year for year in (2023, 2024) if str(year) in question))
        for event in super().stream(question, history, scope=scope, stop=stop):
            if isinstance(event, Understood) and scope is None:
                yield Understood(replace(event.question, scope=named))
            else:
                yield event


@pytest.fixture(scope="module")
def page() -> Iterator[Served]:
    with Served(Placed()) as opened:
        copy = opened.home / "second.gguf"
        copy.write_bytes(bundled().path.read_bytes())
        use_model(opened.home, str(copy))
        use_model(opened.home, bundled().name)
        yield opened


@pytest.fixture
def served(page: Served) -> tuple[FakeAssistant, str]:
    return Placed(), page.url


@pytest.fixture
def visit(context: BrowserContext, served: tuple[FakeAssistant, str]) -> Iterator[Visit]:
    opened = open_page(context, *served)
    yield opened
    assert opened.foreign() == []
    assert opened.alarms == []


def test_the_model_is_changed_by_one_click_and_back_by_the_keyboard(visit: Visit) -> None:
    visit.page.click("#pa-header a[href='/models']")
    visit.page.wait_for_selector("main h2")
    for name in ("second", bundled().name):
        button = visit.page.locator(f'form:has(input[value="{name}"]) button')
        button.focus()
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector(f'li:has(b:text-is("{name}")) .pa-chip:has-text("正在回答")')
        assert visit.page.locator(f'form:has(input[value="{name}"])').count() == 0


def test_a_chip_that_contradicts_the_question_is_said_and_one_click_asks_without_it(visit: Visit) -> None:
    visit.page.click(".pa-filter summary")
    visit.page.click(".pa-choice[data-value='2023']")
    visit.page.wait_for_timeout(150)  # the framework takes the choice over in its next update
    visit.page.fill(BOX, QUESTION)
    visit.page.press(BOX, "Enter")
    visit.page.wait_for_selector("#pa-now .pa-error")
    assert "问题问的是2024年，所选范围是2023年" in visit.page.inner_text("#pa-now .pa-error")
    visit.page.wait_for_function("q => document.querySelector('#pa-box textarea').value === q", arg=QUESTION)
    visit.page.click("#pa-now [data-again]")
    visit.page.wait_for_selector("#pa-now .pa-short")
    assert "按问题" in visit.page.inner_text(".pa-chosen")
    assert visit.page.locator('.pa-choice[aria-pressed="true"]').count() == 0


def test_a_stopped_evaluation_is_gone_on_with(visit: Visit, page: Served) -> None:
    rows = [
        {"id": f"u{n}", "kind": "fact", "turns": [QUESTION], "must": [["1万"]], "answerable": True} for n in range(30)
    ]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    visit.page.goto(visit.url + "eval")
    visit.page.set_input_files("#pa-file", {"name": "my.jsonl", "mimeType": "application/json", "buffer": content})
    visit.page.wait_for_function("() => document.querySelector('#pa-told').textContent.includes('30')")
    go = threading.Event()
    asked = page.evaluations._bench
    page.evaluations._bench = lambda: replace(bench := asked(), answerer=_Slow(bench.answerer, go))  # type: ignore[method-assign]
    try:
        visit.page.click("button.pa-main")
        visit.page.wait_for_selector("#pa-run")
        visit.page.click("#pa-run button")
        go.set()
        visit.page.wait_for_selector(".pa-resume button")
    finally:
        page.evaluations._bench = asked  # type: ignore[method-assign]
        go.set()
    assert "（未完）" in visit.page.inner_text(".pa-table")
    visit.page.click(".pa-resume button")
    visit.page.wait_for_selector("tbody tr:has-text('30 / 30')", timeout=60_000)
    assert visit.page.locator(".pa-resume").count() == 0


class _Slow:
    def __init__(self, answerer: object, go: threading.Event) -> None:
        self.answerer, self.go = answerer, go

    def ask(self, question: str, history: Sequence[Turn] = ()) -> object:
        assert self.go.wait(20)
        return self.answerer.ask(question, history)  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [320, 390, 600, 768, 861, 1024, 1280, 1920, 2560])
@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
def test_no_page_scrolls_sideways_at_any_width(visit: Visit, width: int, language: str) -> None:
    visit.ask(QUESTION)
    visit.await_answer()
    visit.page.click(".pa-filter summary")
    for path in (None, "history", "documents", "eval", "models"):
        if path:
            visit.page.goto(visit.url + path)
            visit.page.wait_for_selector("main h2")
        if language.startswith("en"):
            visit.page.evaluate("document.documentElement.dataset.lang = 'en'")
        visit.page.set_viewport_size({"width": width, "height": 800})
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_what_is_printed_is_the_answer_with_its_source_and_no_buttons(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.await_answer()
    visit.page.emulate_media(media="print")
    for shown in ("#pa-now .pa-short", "#pa-now .pa-tally", ".pa-head", ".pa-current"):
        assert visit.page.is_visible(shown), shown
    for hidden in ("#pa-ask", "#pa-choose", ".pa-acts", ".pa-nav", ".pa-back"):
        assert not visit.page.is_visible(hidden), hidden
    height = visit.page.evaluate("document.documentElement.scrollHeight")
    bottom = visit.page.evaluate("document.querySelector('.pa-doc').getBoundingClientRect().bottom")
    assert bottom <= height + 1  # nothing is cut off by a pane of its own
    ground = visit.page.evaluate("getComputedStyle(document.querySelector('#pa-talk')).backgroundColor")
    visit.page.evaluate("document.documentElement.classList.add('dark')")
    assert visit.page.evaluate("getComputedStyle(document.querySelector('#pa-talk')).backgroundColor") == ground


def test_in_english_no_chinese_of_ours_is_left_but_the_documents_and_the_answers(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.await_answer()
    visit.ask("abc?")
    visit.await_answer()
    visit.page.click("[data-switch]")
    assert visit.page.evaluate(CHINESE) == []
    assert visit.page.title() == "Policy assistant"
    for path in ("history", "documents", "eval", "models"):
        visit.page.goto(visit.url + path)
        visit.page.wait_for_selector("main h2")
        assert visit.page.evaluate(CHINESE) == [], path
        assert not any("\u4e00" <= c <= "\u9fff" for c in visit.page.title()), path


# Every text, and every name for those who listen, that is Chinese and neither a document's, a question's, nor marked as Chinese.
CHINESE = r"""() => {
    const found = [], chinese = /[\u4e00-\u9fff]/;
    const theirs = '[lang="zh-CN"], .pa-example, .pa-near, .pa-lines a, .pa-chip, .pa-choice, .pa-facts, .pa-steps, .pa-doc, '
        + '.pa-head, .pa-understood b, .pa-refusal > .pa-para, .pa-file, .pa-section, .pa-found, .pa-reason, script, style';
    for (const element of document.querySelectorAll('body *')) {
        if (!element.checkVisibility() || element.closest(theirs.replace('[lang="zh-CN"], ', '')) ) continue;
        const marked = element.closest('[lang]');
        if (marked && marked.lang === 'zh-CN' && marked !== document.documentElement) continue;
        for (const node of element.childNodes) {
            if (node.nodeType === 3 && chinese.test(node.textContent)) found.push(element.outerHTML.slice(0, 160));
        }
        for (const name of ['aria-label', 'placeholder', 'alt']) {
            if (chinese.test(element.getAttribute(name) || '')) found.push(name + ' ' + element.outerHTML.slice(0, 160));
        }
    }
    return found;
}"""
