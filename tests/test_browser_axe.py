"""axe-core over every page and state, light and dark, wide and on a phone: nothing serious, nothing critical.

axe is put into the page by the browser's own debugger, so that the page keeps its content security policy.
"""
# ruff: noqa: F401, F811 -- the fixtures of the chat's own tests are these tests' too

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assistant.llm.catalog import bundled, use_model
from assistant.types import Answer, Claim, Question, Verdict
from tests.login_fakes import PASSWORDS, watch_users
from tests.page_fakes import FakeAssistant, Served, answer_with
from tests.test_browser import QUESTION, Visit, browser, open_page
from vectorstore.types import Sentence

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

SIZES = [(1280, 800), (390, 844)]
SCHEMES = ["light", "dark"]
_GRAVE = ("serious", "critical")


class Tabulating(FakeAssistant):
    """The fake that also answers with a table, a heading and a sentence that failed its check."""

    def _finish(self, question: Question, best: list[Sentence], *, stopped: bool) -> Answer:
        if not question.text.startswith("比较"):
            return super()._finish(question, best, stopped=stopped)
        text = (
            "# 比较\n| 地区 | 任务 |\n|---|---|\n| 上海 | 新建公园120座[1] |\n| 北京 | 资料未提及 |\n- 淘汰450项[2]。"
        )
        claims = (
            Claim("新建公园120座", Verdict.SUPPORTED, "1 number", (1,), "1个数字"),
            Claim("淘汰450项", Verdict.UNSUPPORTED, "450 is not there", (2,), "450不在其中"),
        )
        return answer_with(question, text, claims, best[:2], notes=("一句附注。 A note.",))


def find_grave(page: Page) -> list[str]:
    """Run axe on what stands in the page; its serious and critical findings, each with where it is."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['impact']} {violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in _GRAVE
        for node in violation["nodes"]
    ]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with Served(Tabulating()) as page:
        copy = page.home / "second.gguf"
        copy.write_bytes(bundled().path.read_bytes())
        use_model(page.home, str(copy))
        for _ in range(2):
            page.evaluations.start()
            assert page.evaluations.wait(60)
        yield page


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in SCHEMES], ids=str)
def visit(browser: Browser, served: Served, request: pytest.FixtureRequest) -> Iterator[Visit]:
    (width, height), scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="zh-CN", color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(20_000)
    yield open_page(context, FakeAssistant(), served.url)
    context.close()


def check(visit: Visit) -> None:
    """Nothing grave, in both languages, and nothing to scroll sideways for."""
    width = visit.page.viewport_size["width"]  # type: ignore[index]
    for _ in range(2):
        assert find_grave(visit.page) == []
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        visit.page.click("[data-switch]")


def ask_one(visit: Visit, question: str) -> None:
    visit.ask(question)
    visit.await_answer()


def test_the_chat_with_answers_a_table_a_refusal_and_everything_open(visit: Visit) -> None:
    check(visit)
    for question in (QUESTION, "比较上海和北京2024年的任务", "abc?"):
        ask_one(visit, question)
    visit.page.click(".pa-filter summary")
    visit.page.click(".pa-choice >> nth=0")
    visit.page.click("#pa-past .pa-verdict summary >> nth=0")
    visit.page.click('#pa-past [data-rate="down"] >> nth=0')
    visit.page.click("#pa-now a.pa-cite >> nth=0")
    check(visit)


def test_an_answer_that_is_newest_and_its_source(visit: Visit) -> None:
    ask_one(visit, "比较上海和北京2024年的任务")
    visit.page.click("#pa-now a.pa-cite >> nth=0")
    check(visit)


@pytest.mark.parametrize("path", ["history", "documents", "eval", "models"])
def test_the_pages_beside_the_chat(visit: Visit, path: str) -> None:
    ask_one(visit, QUESTION)
    visit.page.goto(f"{visit.url}{path}")
    visit.page.wait_for_selector("main h2")
    check(visit)


def test_a_comparison_of_two_runs_and_one_run(visit: Visit, served: Served) -> None:
    new, old, *_ = [line.name for line in served.evaluations.list_runs()]
    for path in (f"eval?new={new}&old={old}", f"eval/runs/{new}"):
        visit.page.goto(f"{visit.url}{path}")
        visit.page.wait_for_selector("main h3")
        check(visit)


@pytest.mark.parametrize(("size", "scheme"), [(s, c) for s in SIZES for c in SCHEMES], ids=str)
def test_logging_in_failing_to_and_the_account(
    browser: Browser, size: tuple[int, int], scheme: str, tmp_path: Path
) -> None:
    with Served(Tabulating(), watch_users(tmp_path)) as served:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        page = context.new_page()
        page.goto(served.url)
        assert find_grave(page) == []
        for name, password in (("甲", "wrong"), ("甲", PASSWORDS["甲"])):
            page.fill("#name", name)
            page.fill("#password", password)
            page.press("#password", "Enter")
            page.wait_for_selector("[role=alert], #pa-sources .pa-library")
            assert find_grave(page) == []
        for path in ("account", "models", "history"):
            page.goto(f"{served.url}{path}")
            page.wait_for_selector("main h2, main")
            assert find_grave(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        context.close()


def test_a_page_with_faults_is_found_out(visit: Visit) -> None:
    visit.page.evaluate(
        """() => { const bad = document.createElement('button'); bad.style.width = bad.style.height = '20px';
        document.querySelector('.pa-welcome').append(bad);
        document.querySelector('.pa-welcome .pa-lead span').style.color = '#8888'; }"""
    )
    found = find_grave(visit.page)
    assert any("button-name" in each for each in found)
    assert any("color-contrast" in each for each in found)
