"""Logging in, asking, logging out, and being told to wait or to come again, in a real browser."""
# ruff: noqa: F401, F811 -- the fixtures of the chat's own tests are these tests' too

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from assistant.page.line import LONGEST
from tests.login_fakes import PASSWORDS, watch_users
from tests.page_fakes import FakeAssistant, Served
from tests.test_browser import BOX, LOW_CONTRAST, QUESTION, browser
from tests.test_door import Held, find_function, join, listen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Served(FakeAssistant(), watch_users(tmp_path_factory.mktemp("users"))) as page:
        yield page.url


def open_context(browser: Browser, **options: object) -> BrowserContext:
    whole = {"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN"} | options
    context = browser.new_context(**whole)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    return context


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = open_context(browser)
    yield context.new_page()
    context.close()


def log_in(page: Page, name: str = "甲", password: str | None = None) -> None:
    page.fill("#name", name)
    page.fill("#password", password or PASSWORDS[name])
    page.press("#password", "Enter")


def ask(page: Page) -> None:
    page.wait_for_selector("#pa-sources .pa-library")
    page.fill(BOX, QUESTION)
    page.press(BOX, "Enter")
    page.wait_for_selector('#pa-now .pa-exchange[data-running="false"]')


def test_a_person_logs_in_asks_finds_it_in_another_browser_and_logs_out(browser: Browser, guarded: str) -> None:
    alarms: list[str] = []
    for visit in ("first", "second"):
        context = open_context(browser)
        page = context.new_page()
        page.on("console", lambda line: alarms.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: alarms.append(str(error)))
        page.goto(guarded)
        assert page.url == guarded + "login"
        log_in(page)
        page.wait_for_url(guarded)
        page.wait_for_selector("#pa-sources .pa-library")
        if visit == "first":
            ask(page)
            assert "1万个" in page.inner_text("#pa-now .pa-short")
        page.goto(guarded + "history")
        assert "充电桩" in page.inner_text(".pa-lines")
        page.click(".pa-account")
        assert "甲" in page.inner_text("main")
        page.click("main button")
        page.wait_for_url("**/login?out=1")
        page.wait_for_load_state()
        assert "已退出" in page.inner_text("[role=alert]")
        page.goto(guarded + "history")
        page.wait_for_url("**/login?next=*")
        context.close()
    # the framework complains of every page that is left; what would be ours is an error of our scripts or of the policy
    assert [alarm for alarm in alarms if "/page/" in alarm or "Content Security Policy" in alarm] == []


def test_another_user_sees_nothing_of_it(browser: Browser, guarded: str) -> None:
    for name, lines in (("甲", 1), ("bob", 0)):
        context = open_context(browser)
        page = context.new_page()
        page.goto(guarded)
        log_in(page, name)
        if name == "甲":
            ask(page)
        page.goto(guarded + "history")
        assert page.locator(".pa-lines").count() == lines
        context.close()


def test_a_wrong_password_is_said_and_the_name_stays(page: Page, guarded: str) -> None:
    page.goto(guarded + "history")
    log_in(page, "甲", "falsch falsch")
    page.wait_for_selector("[role=alert]")
    page.wait_for_load_state()  # its style says which language is shown
    assert page.inner_text("[role=alert]").strip() == "用户名或密码不对。"
    assert page.input_value("#name") == "甲"
    assert page.input_value("#password") == ""
    assert page.evaluate("document.activeElement.id") == "password"
    log_in(page)
    page.wait_for_url("**/history")  # and one is led to where one wanted to go


def test_the_form_works_without_scripts_in_both_languages(browser: Browser, guarded: str) -> None:
    context = open_context(browser, java_script_enabled=False, locale="en-US")
    page = context.new_page()
    page.goto(guarded + "history")
    assert page.inner_text("main button").strip() == "Log in"
    page.click(".pa-other-language")
    assert page.inner_text("main button").strip() == "登录"
    log_in(page)
    page.wait_for_url("**/history")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_form_fits_and_can_be_read(browser: Browser, guarded: str, scheme: str, width: int) -> None:
    context = open_context(browser, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(guarded + "login?out=1")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate(LOW_CONTRAST) == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(ground) < 300) is (scheme == "dark")
    context.close()


def test_a_session_that_has_ended_leads_to_the_login_and_back_to_the_conversation(page: Page, guarded: str) -> None:
    page.goto(guarded)
    log_in(page)
    ask(page)
    page.wait_for_url("**/?talk=*")
    conversation = page.url
    page.context.clear_cookies()
    page.fill(BOX, "那公园呢？")
    page.press(BOX, "Enter")
    page.wait_for_url("**/login?next=*")
    log_in(page)
    page.wait_for_url(conversation)
    page.wait_for_selector("#pa-now .pa-exchange")


def test_a_link_on_another_site_finds_the_page_as_one_left_it(page: Page, guarded: str) -> None:
    page.goto(guarded)
    log_in(page)
    page.wait_for_selector(BOX)
    page.context.route(
        "http://elsewhere.test/",
        lambda route: route.fulfill(body=f'<a href="{guarded}">x</a>', content_type="text/html"),
    )
    page.goto("http://elsewhere.test/")
    page.click("a")
    page.wait_for_selector(BOX)
    assert page.url == guarded


def test_a_question_too_many_is_refused_with_a_sentence_and_stays_in_the_box(browser: Browser) -> None:
    answerer = Held()
    with Served(answerer) as served, ExitStack() as stack:
        stack.callback(answerer.gate.set)
        context = open_context(browser)
        page = context.new_page()
        page.goto(served.url)
        page.wait_for_selector("#pa-sources .pa-library")
        function = find_function(served.url)
        others = [join(served.url, function)[2] for _ in range(LONGEST)]
        page.fill(BOX, QUESTION)
        page.press(BOX, "Enter")
        page.wait_for_selector(".pa-refused")
        assert "8 个问题在排队" in page.inner_text(".pa-refused")
        page.wait_for_selector(".toast-wrap", state="attached")
        assert not page.is_visible(".toast-wrap")  # once is enough
        assert page.input_value(BOX) == QUESTION
        assert page.locator(".pa-exchange").count() == 0
        answerer.gate.set()
        for other in others:
            listen(served.url, other)
        page.press(BOX, "Enter")
        page.wait_for_selector('#pa-now .pa-exchange[data-running="false"]')
        assert page.locator(".pa-refused").count() == 0
        context.close()
