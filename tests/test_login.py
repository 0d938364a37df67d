"""Who may come in: attempts, sessions, the gate before every address, and what a session may reach."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assistant.errors import InputInvalid
from assistant.page.app import build_app
from assistant.page.attempts import ADDRESS, NAME, Attempts
from assistant.page.login import COOKIE, OPEN, SAFE_COOKIE, Checker, Gate, Login, check_path
from assistant.page.owner import USER
from assistant.page.reach import Reach, check_reach
from assistant.page.sessions import IDLE, OLDEST, Sessions
from assistant.users import name_owner
from assistant.view.login import draw_account, draw_login, draw_return
from tests.login_fakes import PASSWORDS, Clock, watch_users, write_users
from tests.page_fakes import FakeAssistant, Served
from tests.test_page_memory import talk_of
from tests.test_view import PAYLOADS

QUESTION = "上海2024年要新建多少个电动汽车公共充电桩？"


# Attempts


def fail(attempts: Attempts, times: int, name: str = "甲", address: str = "1.2.3.4") -> list[float]:
    return [attempts.begin(name, address) for _ in range(times)]


def test_the_first_attempts_are_free_and_then_each_wait_is_longer_up_to_a_limit() -> None:
    clock, waits = Clock(), list[float]()
    attempts = Attempts(clock=clock)
    assert fail(attempts, NAME.free) == [0.0] * NAME.free
    for number in range(9):
        wait = attempts.begin("甲", f"10.0.0.{number}")  # each from an address of its own: the name alone counts
        waits.append(wait)
        clock.now += wait
        assert attempts.begin("甲", f"10.0.1.{number}") == 0.0
    assert waits == sorted(waits)
    assert waits[0] == NAME.first
    assert waits[-1] == NAME.longest


def test_an_attempt_that_has_to_wait_is_not_counted_so_that_nobody_is_kept_out_for_ever() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    fail(attempts, NAME.free)
    assert set(fail(attempts, 1000)) == {NAME.first}
    clock.now += NAME.first
    assert attempts.begin("甲", "1.2.3.4") == 0.0


def test_one_name_that_is_held_back_holds_no_other_one_back() -> None:
    attempts = Attempts(clock=Clock())
    fail(attempts, NAME.free + 1, "甲", "1.1.1.1")
    assert attempts.begin("甲", "2.2.2.2") > 0
    assert attempts.begin("乙", "2.2.2.2") == 0


def test_an_address_that_tries_many_names_is_held_back_and_another_is_not() -> None:
    attempts = Attempts(clock=Clock())
    waits = [attempts.begin(f"name{n}", "6.6.6.6") for n in range(ADDRESS.free + 1)]
    assert waits[:-1] == [0.0] * ADDRESS.free
    assert waits[-1] > 0
    assert attempts.begin("name0", "7.7.7.7") == 0


def test_a_network_of_many_addresses_counts_as_one() -> None:
    attempts = Attempts(clock=Clock())
    waits = [attempts.begin(f"name{n}", f"2001:db8::{n:x}") for n in range(ADDRESS.free + 1)]
    assert waits[-1] > 0
    assert attempts.begin("x", "2001:db8:0:1::1") == 0
    mapped = Attempts(clock=Clock())
    for n in range(ADDRESS.free):
        mapped.begin(f"name{n}", "::ffff:9.9.9.9")
    assert mapped.begin("x", "9.9.9.9") > 0
    assert mapped.begin("x", "9.9.9.8") == 0


def test_success_clears_the_name_and_gives_the_address_no_endless_tries() -> None:
    attempts = Attempts(clock=Clock())
    fail(attempts, NAME.free - 1)
    attempts.succeed("甲", "1.2.3.4")
    assert fail(attempts, NAME.free - 1, address="5.5.5.5") == [0.0] * (NAME.free - 1)
    guessing = Attempts(clock=Clock())  # one's own password between the guesses of another's
    tried = 0
    while guessing.begin(f"victim{tried}", "6.6.6.6") == 0 and tried < 100:
        tried += 1
        if guessing.begin("own", "6.6.6.6") == 0:
            guessing.succeed("own", "6.6.6.6")
    assert tried <= ADDRESS.free


def test_an_attempt_taken_back_leaves_the_others_counted() -> None:
    attempts = Attempts(clock=Clock())
    fail(attempts, NAME.free - 1)
    for _ in range(20):
        assert attempts.begin("甲", "1.2.3.4") == 0
        attempts.take_back("甲", "1.2.3.4")
    assert attempts.begin("甲", "1.2.3.4") == 0
    assert attempts.begin("甲", "1.2.3.4") > 0


def test_what_was_long_ago_is_forgotten() -> None:
    clock = Clock()
    attempts = Attempts(clock=clock)
    fail(attempts, NAME.free)
    clock.now += NAME.forget + 1
    assert fail(attempts, NAME.free) == [0.0] * NAME.free


def test_any_number_of_names_and_addresses_takes_a_bounded_memory() -> None:
    attempts = Attempts(clock=Clock())
    for n in range(20_000):
        attempts.begin(f"name{n}", f"2001:db8:{n % 65536:x}::1")
    assert len(attempts._counts) <= 2 * 4096


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_name_and_no_address_breaks_the_count(name: str, address: str) -> None:
    assert Attempts().begin(name, address) == 0.0


# Sessions


def open_sessions(folder: Path) -> tuple[Sessions, Clock]:
    clock = Clock()
    return Sessions(watch_users(folder), clock), clock


def begin(sessions: Sessions, name: str = "甲") -> str:
    return sessions.begin(name, sessions.users.read()[name])


def test_a_session_is_found_by_its_token_alone_and_the_token_is_not_kept(tmp_path: Path) -> None:
    sessions, _ = open_sessions(tmp_path)
    token = begin(sessions)
    assert sessions.find(token) == "甲"
    for other in ("", "x", token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), "\ud800" * 43):
        assert sessions.find(other) is None
    assert token not in repr(sessions._open)


def test_a_session_ends_when_it_is_not_used_and_at_last_in_any_case(tmp_path: Path) -> None:
    sessions, clock = open_sessions(tmp_path)
    idle, busy = begin(sessions), begin(sessions)
    while clock.now < 1000.0 + OLDEST - IDLE / 2:
        clock.now += IDLE / 2
        assert sessions.find(busy) == "甲"
    assert sessions.find(idle) is None
    clock.now += IDLE / 2
    assert sessions.find(busy) is None


def test_a_page_that_only_stands_open_is_not_used(tmp_path: Path) -> None:
    sessions, clock = open_sessions(tmp_path)
    token = begin(sessions)
    clock.now += IDLE / 2
    assert sessions.find(token, used=False) == "甲"
    clock.now += IDLE / 2
    assert sessions.find(token, used=False) is None


@pytest.mark.parametrize(
    "change",
    [
        {"bob": PASSWORDS["bob"]},  # removed
        PASSWORDS | {"甲": "ein neues Passwort"},
        PASSWORDS,  # added anew, with the same password: another hash, and perhaps another person
    ],
)
def test_a_user_who_is_removed_or_has_another_password_is_out_at_once(tmp_path: Path, change: dict[str, str]) -> None:
    sessions, _ = open_sessions(tmp_path)
    token = begin(sessions)
    write_users(tmp_path / "users", change)
    assert sessions.find(token) is None
    write_users(tmp_path / "users")
    assert sessions.find(token) is None


def test_the_others_stay_when_one_is_removed(tmp_path: Path) -> None:
    sessions, _ = open_sessions(tmp_path)
    token = begin(sessions, "bob")
    lines = (tmp_path / "users").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "users").write_text(lines[1], encoding="utf-8")
    assert sessions.find(token) == "bob"


def test_while_the_file_is_broken_nobody_is_in_and_afterwards_everybody_again(tmp_path: Path) -> None:
    sessions, _ = open_sessions(tmp_path)
    token, text = begin(sessions), (tmp_path / "users").read_text(encoding="utf-8")
    (tmp_path / "users").write_text("broken", encoding="utf-8")
    assert sessions.find(token) is None
    (tmp_path / "users").write_text(text, encoding="utf-8")
    assert sessions.find(token) == "甲"


def test_a_user_has_a_bounded_number_of_sessions_and_takes_none_from_others(tmp_path: Path) -> None:
    sessions, _ = open_sessions(tmp_path)
    other, first = begin(sessions, "bob"), begin(sessions)
    tokens = [begin(sessions) for _ in range(20)]
    assert sessions.find(first) is None
    assert [sessions.find(token) for token in tokens] == ["甲"] * 20
    assert sessions.find(other) == "bob"


# The gate


@dataclass
class Guarded:
    """One page for all tests: building it takes longer than most of them."""

    app: FastAPI
    home: Path
    attempts: Attempts


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    home, attempts = tmp_path_factory.mktemp("guarded"), Attempts()
    return Guarded(build_app(FakeAssistant(), home, login=Login(watch_users(home), attempts)), home, attempts)


@pytest.fixture
def client(guarded: Guarded) -> TestClient:
    write_users(guarded.home / "users")  # new salts: the sessions of the last test have ended
    guarded.attempts._counts.clear()
    return TestClient(guarded.app, follow_redirects=False)


def log_in(client: TestClient, name: str = "甲", password: str | None = None, **more: str) -> Any:
    return client.post("/login", data={"name": name, "password": password or PASSWORDS[name], **more})


def walk(routes: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Give the method and the path of each address, those of the framework included."""
    for route in routes:
        inner = getattr(route, "original_router", route)
        if hasattr(inner, "routes") and not hasattr(inner, "endpoint"):
            yield from walk(inner.routes, before + getattr(route, "path", ""))
        else:
            for method in sorted(getattr(route, "methods", None) or {"GET"}):
                yield method, before + route.path


def addresses(client: TestClient) -> list[tuple[str, str]]:
    found = set(walk(client.app.routes))  # type: ignore[attr-defined]
    return sorted((method, re.sub(r"\{[^}]*\}", "x", path)) for method, path in found)


def is_turned_away(response: Any) -> bool:
    return response.status_code == 401 or (
        response.status_code == 303 and response.headers["location"].startswith("/login")
    )


def test_every_address_but_the_open_ones_needs_a_session(client: TestClient) -> None:
    every = addresses(client)
    assert len(every) > 60
    assert {("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data"), ("GET", "/history")} <= set(every)
    for accept in ("*/*", "text/html"):
        let_in = []
        for method, path in every:
            response = client.request(method, path, headers={"accept": accept}, json={} if method == "POST" else None)
            # the guard in front closes some addresses for everybody
            if not is_turned_away(response) and response.status_code != 404:
                let_in.append(path)
            assert "set-cookie" not in response.headers
        assert set(let_in) == {"/login", "/healthz", "/readyz"}


@pytest.mark.parametrize(
    "path",
    [
        "/login/",
        "//login",
        "/login/../history",
        "/healthz/../history",
        "/page/page.css/../page.js",
        "/page/page.js",
        "/LOGIN",
        "/gradio_api/file=/etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/startup-events",
        "/config?x=/login",
    ],
)
def test_nothing_that_only_looks_like_an_open_address_is_one(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert is_turned_away(response) or response.status_code in (400, 404)
    assert "root:" not in response.text


def test_the_open_addresses_are_these_and_need_no_script(client: TestClient) -> None:
    assert all(client.get(path).status_code == 200 for path in OPEN)
    page = client.get("/login").text
    assert "<script" not in page
    linked = set(re.findall(r'href="(/page/[^"]+)"', page))
    assert linked <= OPEN
    assert linked == {path for path in OPEN if path.startswith("/page/")}


@pytest.mark.parametrize("cookie", ["x", "0" * 43, "policy", '"' * 43])
def test_a_made_up_cookie_opens_nothing(client: TestClient, cookie: str) -> None:
    for name in (COOKIE, SAFE_COOKIE):
        assert client.get("/history", headers={"cookie": f"{name}={cookie}"}).status_code == 401


def test_logging_in_opens_the_page_and_logging_out_ends_the_session_on_the_server(client: TestClient) -> None:
    answer = log_in(client, next="/history?q=a")
    assert (answer.status_code, answer.headers["location"]) == (303, "/history?q=a")
    token = client.cookies[COOKIE]
    assert client.get("/history").status_code == client.get("/").status_code == 200
    assert client.post("/page/hello").json() == {"user": "甲"}
    assert "<b>甲</b>" in client.get("/account").text
    assert client.get("/logout").headers["location"] == "/account"  # a link must not log anybody out
    assert client.get("/history").status_code == 200
    assert client.post("/logout").headers["location"] == "/login?out=1"
    assert COOKIE not in client.cookies
    assert client.get("/history", headers={"cookie": f"{COOKIE}={token}"}).status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(client: TestClient) -> None:
    parts = {part.strip().lower() for part in log_in(client).headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/"} <= parts
    assert not any(part.startswith(("secure", "domain")) for part in parts)


def test_over_tls_the_cookie_is_sent_over_nothing_else(client: TestClient) -> None:
    form = {"name": "甲", "password": PASSWORDS["甲"]}
    given = client.post("/login", data=form, headers={"origin": "https://testserver"}).headers["set-cookie"]
    assert given.startswith(f"{SAFE_COOKIE}=")
    assert "; secure" in given.lower()


def test_a_new_login_ends_the_session_that_this_browser_had(client: TestClient) -> None:
    log_in(client)
    first = client.cookies[COOKIE]
    log_in(client, "bob")
    assert client.post("/page/hello").json() == {"user": "bob"}
    assert client.get("/history", headers={"cookie": f"{COOKIE}={first}"}).status_code == 401


@pytest.mark.parametrize(("name", "password"), [("甲", "falsch"), ("niemand", PASSWORDS["甲"]), ("", ""), ("甲", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(
    client: TestClient, name: str, password: str
) -> None:
    answer = client.post("/login", data={"name": name, "password": password})
    assert answer.status_code == 401
    assert "用户名或密码不对" in answer.text
    assert "set-cookie" not in answer.headers
    assert is_turned_away(client.get("/history"))


def test_the_right_password_of_another_user_is_wrong(client: TestClient) -> None:
    assert log_in(client, "甲", PASSWORDS["bob"]).status_code == 401
    assert log_in(client, "甲").status_code == 303  # the pair differs in one thing


def test_too_many_attempts_are_told_to_wait_even_with_the_right_password(client: TestClient) -> None:
    codes = [log_in(client, password=f"falsch {n}").status_code for n in range(NAME.free + 1)]
    assert codes == [401] * NAME.free + [429]
    answer = log_in(client)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= NAME.longest
    assert "秒后再试" in answer.text
    assert log_in(client, "bob").status_code == 303


def test_a_foreign_page_can_neither_log_in_nor_out(client: TestClient) -> None:
    form = {"name": "甲", "password": PASSWORDS["甲"]}
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": "x"},
    ):
        assert client.post("/login", data=form, headers=headers).status_code == 403
    log_in(client)
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post("/logout", headers=headers).status_code == 403
    assert client.get("/history").status_code == 200


@pytest.mark.parametrize(
    "following",
    [
        "//evil.example",
        "/\\evil.example",
        "http://evil.example",
        "javascript:alert(1)",
        "evil",
        "/a b",
        "/\x00",
        "/\r\nx:y",
    ],
)
def test_after_the_login_one_stays_on_this_server(client: TestClient, following: str) -> None:
    assert log_in(client, next=following).headers["location"] == "/"
    assert check_path(following) == "/"


def test_a_person_is_led_to_the_login_and_back_and_a_program_is_told(client: TestClient) -> None:
    html = {"accept": "text/html,*/*"}
    led = client.get("/?talk=0a1b", headers=html)
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=%2F%3Ftalk%3D0a1b")
    form = client.get(led.headers["location"]).text
    assert 'name="next" value="/?talk=0a1b"' in form
    assert client.get("/").status_code == 401
    assert "请先登录" in client.post("/gradio_api/queue/join", headers=html).text


def test_a_link_on_another_site_leads_a_visitor_who_is_logged_in_to_the_page(client: TestClient) -> None:
    # such a link brings no cookie along: the page asks again from here, and then the cookie comes
    crossed = {"accept": "text/html", "sec-fetch-site": "cross-site"}
    page = client.get('/?talk=0a"1b', headers=crossed)
    assert page.status_code == 200
    assert '<meta http-equiv="refresh" content="0;url=/?talk=0a' in page.text
    assert client.get("/", headers=crossed | {"sec-fetch-site": "same-origin"}).status_code == 303
    assert client.get("/login", headers=crossed).status_code == 200


def test_what_is_drawn_for_a_user_is_kept_by_no_cache(client: TestClient) -> None:
    log_in(client)
    for path in ("/", "/history", "/config", "/account"):
        assert "no-store" in client.get(path).headers["cache-control"], path
    assert "no-store" not in client.get("/page/page.js").headers["cache-control"]


def test_a_removed_user_is_out_with_the_next_request(client: TestClient, guarded: Guarded) -> None:
    log_in(client)
    write_users(guarded.home / "users", {"bob": PASSWORDS["bob"]})
    assert client.get("/history").status_code == 401
    assert log_in(client).status_code == 401


def test_a_broken_file_of_users_is_said_without_its_content_and_logged(
    client: TestClient, guarded: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    (guarded.home / "users").write_text("secret line\n", encoding="utf-8")
    answer = log_in(client)
    assert answer.status_code == 503
    assert "管理员" in answer.text
    assert str(guarded.home) not in answer.text
    assert "第 1 行" in caplog.text
    assert "secret" not in caplog.text
    write_users(guarded.home / "users")
    assert log_in(client).status_code == 303


@pytest.mark.parametrize("length", [257, 5000])
def test_a_password_beyond_all_measure_is_simply_wrong(client: TestClient, length: int) -> None:
    assert log_in(client, password="x" * length).status_code == 401
    assert client.post("/login", content=b"x" * 300_000).status_code == 413


def test_more_logins_than_can_be_checked_are_refused_with_a_sentence_and_not_counted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("assistant.page.login._WAITING", -2)
        for _ in range(NAME.free + 5):
            answer = log_in(client)
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
    assert log_in(client).status_code == 303


def test_passwords_are_hashed_away_from_the_loop_that_serves_the_page(tmp_path: Path) -> None:
    import threading

    secret = watch_users(tmp_path).read()["甲"]
    seen: list[str] = []

    async def check() -> bool | None:
        checker = Checker()
        checker._pool.submit(lambda: seen.append(threading.current_thread().name)).result()
        return await checker.check(PASSWORDS["甲"], secret)

    assert asyncio.run(check()) is True
    assert seen[0].startswith("password")
    assert seen[0] != threading.current_thread().name


# Whose is what


def test_the_history_is_the_users_in_any_browser_and_nobody_elses(client: TestClient, guarded: Guarded) -> None:
    from assistant.page.memory import Memory

    name = talk_of(Memory(guarded.home), FakeAssistant(), QUESTION, owner=name_owner("甲")).id
    for _ in range(2):  # in one browser, and in another
        client.cookies.clear()
        log_in(client)
        assert f"/?talk={name}" in client.get("/history").text
        assert client.get(f"/page/talks/{name}/export.md").status_code == 200
    client.cookies.clear()
    log_in(client, "bob")
    assert name not in client.get("/history").text
    assert client.get(f"/page/talks/{name}/export.md").status_code == 404
    assert client.post(f"/page/talks/{name}/1/rating", json={"rating": "down"}).status_code == 400
    client.post("/history/delete", data={"talk": name})
    client.post("/history/delete", data={"talk": ""})
    client.cookies.clear()
    log_in(client)
    assert name in client.get("/history").text
    assert "甲" in client.get("/history").text


def test_no_owner_cookie_leads_to_a_users_history(tmp_path: Path) -> None:
    from assistant.page.memory import Memory
    from assistant.page.owner import COOKIE as OWNER

    name = talk_of(Memory(tmp_path), FakeAssistant(), QUESTION, owner=name_owner("甲")).id
    with TestClient(build_app(FakeAssistant(), tmp_path)) as without_login:
        for value in ("user:甲", "甲", "0" * 64):
            listed = without_login.get("/history", headers={"cookie": f"{OWNER}={value}".encode()})
            assert name not in listed.text


def pass_gate(folder: Path, user: str, scope: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
    """Give the request as what stands behind the gate sees it."""
    sessions = _SESSIONS.setdefault(folder, Sessions(watch_users(folder)))
    token, seen = begin(sessions, user), list[Any]()

    async def app(inner: Any, receive: Any, send: Any) -> None:
        seen.extend([inner, (await receive())["body"]])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        raise AssertionError

    whole = {
        "type": "http",
        "method": "POST",
        "query_string": b"",
        "headers": [(b"cookie", f"{COOKIE}={token}".encode())],
    }
    asyncio.run(Gate(app, sessions)(whole | scope, receive, send))  # type: ignore[arg-type]
    return seen[0], seen[1]


_SESSIONS: dict[Path, Sessions] = {}


def test_what_a_browser_calls_its_session_is_another_session_for_each_user(tmp_path: Path) -> None:
    body = json.dumps({"fn_index": 1, "session_hash": "s1", "data": ["问"]}).encode()

    def names(user: str) -> list[str]:
        joined = pass_gate(tmp_path, user, {"path": "/gradio_api/queue/join"}, body)[1]
        heard = pass_gate(tmp_path, user, {"path": "/gradio_api/queue/data", "query_string": b"session_hash=s1"})[0]
        beat = pass_gate(tmp_path, user, {"path": "/gradio_api/heartbeat/s1", "method": "GET"})[0]
        assert json.loads(joined)["data"] == ["问"]
        return [
            json.loads(joined)["session_hash"],
            heard["query_string"].decode().removeprefix("session_hash="),
            beat["path"].removeprefix("/gradio_api/heartbeat/"),
        ]

    mine, theirs = names("甲"), names("bob")
    assert len(set(mine)) == len(set(theirs)) == 1
    assert mine[0] != theirs[0]
    # whoever learns the name that came out cannot use it: it becomes another one
    body = json.dumps({"session_hash": mine[0]}).encode()
    assert json.loads(pass_gate(tmp_path, "bob", {"path": "/gradio_api/cancel"}, body)[1])["session_hash"] != mine[0]


def test_a_session_name_given_twice_or_in_another_alphabet_gets_no_way_around(tmp_path: Path) -> None:
    for body in (
        b'{"session_hash": "s1", "session_hash": "s2"}',
        '{"session_hash": "s2"}'.encode("utf-16"),
        b'{"session\\u005fhash": "s2"}',
    ):
        seen = pass_gate(tmp_path, "甲", {"path": "/gradio_api/queue/join"}, body)[1]
        value = json.loads(seen)
        assert list(value) == ["session_hash"]
        assert value["session_hash"] == _SESSIONS[tmp_path].name_visit("甲", "s2")


def test_the_gate_says_who_it_is_and_no_client_can(tmp_path: Path) -> None:
    headers = {"headers": [(USER.encode(), b"bob")]}
    with suppress(AssertionError):  # turned away: it has no cookie
        pass_gate(tmp_path, "甲", {"path": "/history"} | headers)
    scope, _ = pass_gate(tmp_path, "甲", {"path": "/history", "method": "GET"})
    assert scope[USER] == "甲"


def stream_through(sessions: Sessions, token: str, end: Callable[[], None]) -> list[dict[str, Any]]:
    """Send two chunks, with something that happens between them; give what came out."""
    sent: list[dict[str, Any]] = []

    async def app(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        end()
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        await send({"type": "http.response.body", "body": b"three", "more_body": False})

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/gradio_api/queue/data", "query_string": b""}
    scope |= {"headers": [(b"cookie", f"{COOKIE}={token}".encode())]}
    asyncio.run(Gate(app, sessions)(scope, receive, send))  # type: ignore[arg-type]
    return sent


def test_a_stream_that_is_open_ends_with_its_session(tmp_path: Path) -> None:
    sessions, _ = open_sessions(tmp_path)
    token = begin(sessions)
    whole = stream_through(sessions, token, lambda: None)
    assert b"".join(message.get("body", b"") for message in whole) == b"onetwothree"
    cut = stream_through(sessions, token, lambda: sessions.end(token))
    assert [message.get("body") for message in cut] == [None, b"one", b""]
    assert not cut[-1].get("more_body")
    token = begin(sessions)
    gone = stream_through(sessions, token, lambda: (tmp_path / "users").unlink())
    assert [message.get("body") for message in gone] == [None, b"one", b""]


# Names and proxies


@pytest.mark.parametrize(
    ("reach", "host", "allowed"),
    [
        (Reach(), "127.0.0.1:7860", True),
        (Reach(), "localhost", True),
        (Reach(), "LOCALHOST:7860", True),
        (Reach(), "192.168.1.5:7860", False),
        (Reach(), "evil.example", False),
        (Reach(), "", False),
        (Reach("0.0.0.0"), "192.168.1.5:7860", True),
        (Reach("0.0.0.0"), "[fe80::1]:7860", True),
        (Reach("0.0.0.0"), "evil.example:7860", False),
        (Reach("0.0.0.0"), "127.0.0.1.evil.example", False),
        (Reach("0.0.0.0", names=("policy.example.org",)), "policy.example.org", True),
        (Reach("0.0.0.0", names=("policy.example.org",)), "Policy.Example.org:443", True),
        (Reach("0.0.0.0", names=("policy.example.org",)), "x.policy.example.org", False),
        (Reach(names=("policy.example.org",)), "policy.example.org", True),
    ],
)
def test_a_page_is_called_by_the_names_that_it_was_given(reach: Reach, host: str, *, allowed: bool) -> None:
    assert reach.allows(host) is allowed


def test_a_wrong_name_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    app = build_app(FakeAssistant(), tmp_path, reach=Reach("0.0.0.0"), login=Login(watch_users(tmp_path)))
    with TestClient(app) as client:
        refused = client.get("/login", headers={"host": "evil.example"})
        assert (refused.status_code, "--trusted-host" in refused.text) == (400, True)
        assert client.get("/login", headers={"host": "10.1.2.3:7860"}).status_code == 200


@pytest.mark.parametrize("proxy", ["*", "proxy.example", "127.0.0.1:80", ""])
def test_a_proxy_is_trusted_by_its_address_only(proxy: str) -> None:
    with pytest.raises(InputInvalid, match="--trusted-proxy"):
        check_reach(Reach(proxies=(proxy,)), login=False)
    assert check_reach(Reach(proxies=("127.0.0.1", "10.0.0.0/8")), login=False) is None


@pytest.mark.parametrize("trusted", [True, False])
def test_what_a_proxy_says_counts_only_where_it_was_asked_for(tmp_path: Path, *, trusted: bool) -> None:
    import httpx

    reach = Reach(port=0, proxies=("127.0.0.1",) if trusted else ())
    with Served(FakeAssistant(), watch_users(tmp_path), reach) as page:
        for n in range(ADDRESS.free):  # from one address behind the proxy, with many names
            form = {"name": f"n{n}", "password": "falsch"}
            httpx.post(page.url + "login", data=form, headers={"x-forwarded-for": "9.9.9.9"})
        form = {"name": "甲", "password": PASSWORDS["甲"]}
        said = {"x-forwarded-for": "8.8.8.8", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}
        answer = httpx.post(page.url + "login", data=form, headers=said)
        assert answer.status_code == (303 if trusted else 429)
        if trusted:
            token = answer.headers["set-cookie"].split(";")[0]
            assert token.startswith(SAFE_COOKIE)
            root = httpx.get(page.url + "config", headers=said | {"cookie": token}).json()["root"]
            assert root == page.url.rstrip("/").replace("http:", "https:")


# What is drawn


def outline(markup: str) -> list[tuple[str, tuple[str, ...]]]:
    """Give the elements and the names of their attributes, in order."""
    found: list[tuple[str, tuple[str, ...]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, tuple(name for name, _ in attrs)))

        def handle_comment(self, data: str) -> None:
            raise AssertionError(data)

    reader = Reader()
    reader.feed(markup)
    reader.close()
    return found


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_and_addresses_stay_text(payload: str) -> None:
    for draw in (lambda text: draw_login(text, text, text), draw_account, draw_return):
        assert outline(draw(payload)) == outline(draw("普通"))
    assert outline(f"<p>{PAYLOADS[0]}</p>") != outline("<p>普通</p>")


@pytest.mark.parametrize(
    ("accepted", "asked", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "", "zh"),
        ("en-US,en;q=0.9", "", "en"),
        ("en-US,en;q=0.9,zh;q=0.5", "", "en"),
        ("de", "", "en"),
        ("zh-CN", "en", "en"),
        ("en", "zh", "zh"),
        ("en", '"><script>', "en"),
        (None, "", "zh"),
    ],
)
def test_the_form_speaks_the_language_of_the_browser_or_the_one_asked_for(
    client: TestClient, accepted: str | None, asked: str, language: str
) -> None:
    client.headers.pop("accept-language", None)
    headers = {"accept-language": accepted} if accepted else {}
    page = client.get("/login", params={"lang": asked}, headers=headers).text
    assert f'data-lang="{language}"' in page
    assert f'name="lang" value="{language}"' in page
    wrong = client.post(
        "/login", data={"lang": language, "name": "x", "password": "y"}, headers={"accept-language": "fr"}
    )
    assert f'data-lang="{language}"' in wrong.text
