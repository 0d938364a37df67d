"""Many questions at once: the line is bounded, one too many is refused at the door, and the model meets one at a time."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.errors import EngineBusy
from assistant.page import line as line_module
from assistant.page.door import TICKET, Door
from assistant.page.line import LONGEST, WaitingLine
from assistant.page.talk import Talk, ask
from assistant.types import Event, Turn
from tests.login_fakes import PASSWORDS, watch_users
from tests.page_fakes import FakeAssistant, Served
from vectorstore.types import Scope

pytestmark = pytest.mark.slow  # many processes or waits, each short; together too long for the fast suite

QUESTION = "上海2024年要新建多少个电动汽车公共充电桩？"
JOIN = "/gradio_api/queue/join"


# The line


def test_a_place_that_is_kept_counts_and_is_taken_by_its_own_question_alone() -> None:
    line = WaitingLine(longest=2)
    place, other = line.reserve(), line.reserve()
    with pytest.raises(EngineBusy):
        line.reserve()
    with pytest.raises(EngineBusy), line.stand():
        pass
    with line.stand(place), pytest.raises(EngineBusy), line.stand(place):  # once
        pass
    line.release(other)
    with line.stand(), line.stand():
        pass


def test_a_place_lapses_when_its_question_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    line = WaitingLine(longest=1)
    monkeypatch.setattr(line_module, "_LAPSE", -1.0)
    late = line.reserve()
    assert line.reserve() is not late
    with line.stand(late):  # it may still come, where there is room
        pass


def test_giving_a_place_back_twice_or_after_it_was_taken_frees_no_other_one() -> None:
    line = WaitingLine(longest=1)
    place = line.reserve()
    with line.stand(place):
        line.release(place)
        line.release(place)
        line.release(None)
        with pytest.raises(EngineBusy):
            line.reserve()


def test_a_question_that_came_through_the_door_is_asked_in_a_full_line() -> None:
    line = WaitingLine(longest=1)
    place = line.reserve()
    assert list(ask(FakeAssistant(), Talk(), "问", line))[-1].error  # without a place
    assert list(ask(FakeAssistant(), Talk(), "问", line, place=place))[-1].answer is not None


# The door


@dataclass
class Behind:
    """What stands behind the door: notes what it was given, answers with a status, or breaks."""

    status: int = 200
    crash: Exception | None = None
    tickets: list[object] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.tickets.append(scope.get(TICKET))
        self.bodies.append((await receive())["body"])
        if self.crash:
            raise self.crash
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def knock(door: Door, path: str = JOIN, body: bytes = b'{"fn_index": 1}', method: str = "POST") -> dict[str, Any]:
    """Send one request; give its status, headers and body."""
    sent: dict[str, Any] = {"body": b""}
    parts = [body[:3], body[3:]]

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent["body"] += message.get("body", b"")
        sent.update({k: v for k, v in message.items() if k in ("status", "headers")})

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    asyncio.run(door(scope, receive, send))
    return sent


def make_door(behind: Behind, longest: int = 1) -> tuple[Door, WaitingLine]:
    line = WaitingLine(longest=longest)
    return Door(behind, line, {1}, {"ask"}), line


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (JOIN, b'{"fn_index": 1, "data": []}'),
        (JOIN, b'{"fn_index": "1"}'),
        (JOIN, b'{"fn_index": 1.0}'),
        (JOIN, b'{"fn_index": true}'),
        (JOIN, b'{"fn_index": [1]}'),
        (JOIN, b"{}"),
        (JOIN, b"no json"),
        (JOIN + "/", b'{"fn_index": 1}'),
        ("/gradio_api/call/ask", b"{}"),
        ("/gradio_api/call/ask/", b"{}"),
        ("/gradio_api/call/v2/ask", b"{}"),
    ],
)
def test_whatever_may_be_a_question_needs_a_place(path: str, body: bytes) -> None:
    behind = Behind()
    door, _ = make_door(behind)
    assert knock(door, path, body)["status"] == 200
    assert behind.tickets[0] is not None
    assert behind.bodies == [body]  # read ahead, and still there to be read
    refused = knock(door, path, body)
    assert refused["status"] == 429
    assert "个问题在排队" in json.loads(refused["body"])["detail"]
    assert int(dict(refused["headers"])[b"retry-after"]) >= 1
    assert len(behind.bodies) == 1


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        (JOIN, b'{"fn_index": 0}', "POST"),
        ("/gradio_api/call/new", b"{}", "POST"),
        ("/gradio_api/call/ask/0a1b", b"", "GET"),
        ("/gradio_api/queue/data", b"", "GET"),
        ("/history", b"", "GET"),
    ],
)
def test_what_is_no_question_is_let_through_also_when_the_line_is_full(path: str, body: bytes, method: str) -> None:
    behind = Behind()
    door, line = make_door(behind)
    line.reserve()
    assert knock(door, path, body, method)["status"] == 200
    assert behind.tickets == [None]


@pytest.mark.parametrize("behind", [Behind(status=422), Behind(status=503), Behind(crash=RuntimeError("x"))])
def test_a_question_that_goes_no_further_gives_its_place_back(behind: Behind) -> None:
    door, line = make_door(behind)
    for _ in range(3):
        try:
            assert knock(door)["status"] == behind.status
        except RuntimeError:
            assert behind.crash
    line.reserve()


# The whole page


@dataclass
class Held(FakeAssistant):
    """Answers when it is let; counts how many questions it has at once."""

    gate: threading.Event = field(default_factory=threading.Event)
    at_once: int = 0
    most: int = 0

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        scope: Scope | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            assert self.gate.wait(60)
            yield from super().stream(question, history, scope=scope, stop=stop)
        finally:
            self.at_once -= 1


# One for all, as making a client takes longer than a request.
HTTP = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=100), trust_env=False, verify=False)


def join(url: str, function: int, cookie: str = "") -> tuple[int, str, str]:
    session = uuid.uuid4().hex
    body = {"data": [QUESTION, None, ""], "fn_index": function, "session_hash": session}
    answer = HTTP.post(url + JOIN[1:], json=body, headers={"cookie": cookie})
    return answer.status_code, answer.text, session


def listen(url: str, session: str, cookie: str = "") -> str:
    """Listen until the question is answered; give the last that was said."""
    last = ""
    address = f"{url}gradio_api/queue/data?session_hash={session}"
    with HTTP.stream("GET", address, headers={"cookie": cookie}) as events:
        for event in events.iter_lines():
            if event.startswith("data:") and json.loads(event[5:])["msg"].startswith("process_"):
                last = json.dumps(json.loads(event[5:]), ensure_ascii=False)
    return last


def find_function(url: str, cookie: str = "", name: str = "ask") -> int:
    config = HTTP.get(url + "config", headers={"cookie": cookie}).json()
    return next(int(each["id"]) for each in config["dependencies"] if each["api_name"] == name)


@pytest.mark.parametrize("clients", [14, 60])
def test_of_many_at_once_as_many_are_taken_as_the_line_holds_and_the_rest_refused(clients: int) -> None:
    answerer = Held()
    with Served(answerer) as page, ExitStack() as stack:
        stack.callback(answerer.gate.set)
        function = find_function(page.url)
        with ThreadPoolExecutor(clients) as pool:
            heard = list(pool.map(lambda _: join(page.url, function), range(clients)))
        taken = [session for status, _, session in heard if status == 200]
        refused = [text for status, text, _ in heard if status == 429]
        assert (len(taken), len(refused)) == (LONGEST, clients - LONGEST)
        assert all(f"{LONGEST} 个问题在排队" in text for text in refused)
        for path in ("healthz", "readyz"):
            assert HTTP.get(page.url + path).status_code == 200
        answerer.gate.set()
        with ThreadPoolExecutor(LONGEST) as pool:
            answers = list(pool.map(lambda session: listen(page.url, session), taken))
        assert all("1万个" in answer and "process_completed" in answer for answer in answers)
        assert answerer.most == 1
        assert join(page.url, function)[0] == 200  # there is room again


def test_two_clients_and_a_program_at_once_never_meet_in_the_model() -> None:
    from gradio_client import Client

    answerer = Held(pause=0.01)
    answerer.gate.set()
    with Served(answerer) as page:
        clients = [Client(page.url, verbose=False) for _ in range(3)]
        jobs = [client.submit(QUESTION, api_name="/ask") for client in clients]
        said = HTTP.post(page.url + "gradio_api/call/ask", json={"data": [QUESTION, ""]})
        assert said.status_code == 200
        with HTTP.stream("GET", f"{page.url}gradio_api/call/ask/{said.json()['event_id']}") as events:
            assert "1万个" in json.loads([line for line in events.iter_lines() if line.startswith("data")][-1][5:])[1]
        assert all("1万个" in job.result(60)[1] for job in jobs)
    assert len(answerer.histories) == 4
    assert answerer.most == 1


def test_a_program_is_refused_at_the_same_line() -> None:
    from gradio_client import Client

    answerer = Held()
    with Served(answerer) as page, ExitStack() as stack:
        stack.callback(answerer.gate.set)
        client = Client(page.url, verbose=False)
        function = find_function(page.url)
        assert {join(page.url, function)[0] for _ in range(LONGEST)} == {200}
        with pytest.raises(httpx.HTTPStatusError, match="429"):
            client.predict(QUESTION, api_name="/ask")
        said = HTTP.post(page.url + "gradio_api/call/ask", json={"data": [QUESTION, ""]})
        assert (said.status_code, "个问题在排队" in said.text) == (429, True)
        assert HTTP.post(page.url + "gradio_api/run/ask", json={"data": [QUESTION, None, ""]}).status_code == 404


def log_in(url: str, name: str) -> str:
    answer = HTTP.post(url + "login", data={"name": name, "password": PASSWORDS[name]})
    HTTP.cookies.clear()
    return str(answer.headers["set-cookie"].split(";")[0])


def test_a_program_with_a_session_asks_as_its_user_and_one_without_is_refused(tmp_path: Path) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AuthenticationError

    with Served(FakeAssistant(), watch_users(tmp_path)) as page:
        with pytest.raises(AuthenticationError):
            Client(page.url, verbose=False)
        cookie = log_in(page.url, "甲")
        name, _, token = cookie.partition("=")
        client = Client(page.url, verbose=False, httpx_kwargs={"cookies": {name: token}})
        assert "1万个" in client.predict(QUESTION, api_name="/ask")[1]
        assert "充电桩" in HTTP.get(page.url + "history", headers={"cookie": cookie}).text
        assert "充电桩" not in HTTP.get(page.url + "history", headers={"cookie": log_in(page.url, "bob")}).text
        HTTP.post(page.url + "logout", headers={"cookie": cookie})
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            client.predict(QUESTION, api_name="/ask")


def test_another_user_can_neither_listen_to_nor_go_on_with_nor_stop_what_is_said(tmp_path: Path) -> None:
    answerer = Held(pause=0.01)
    with Served(answerer, watch_users(tmp_path)) as page, ExitStack() as stack:
        stack.callback(answerer.gate.set)
        mine, theirs = log_in(page.url, "甲"), log_in(page.url, "bob")
        function = find_function(page.url, mine)
        _, _, session = join(page.url, function, mine)
        # the same session, named by another user: there is no such one, and nothing of mine is in it
        with pytest.raises(httpx.RemoteProtocolError):  # the framework breaks off
            listen(page.url, session, theirs)
        stop = {"data": [None], "session_hash": session, "fn_index": find_function(page.url, mine, "stop")}
        stopped = HTTP.post(page.url + "gradio_api/run/predict", json=stop, headers={"cookie": theirs})
        assert stopped.status_code == 200  # their own conversation, which does not run
        answerer.gate.set()
        answer = listen(page.url, session, mine)
        assert "1万个" in answer
        assert "已停止" not in answer
        assert not any(len(history) for history in answerer.histories)
        body = {"data": ["那公园呢？", None, ""], "fn_index": function, "session_hash": session}
        HTTP.post(page.url + JOIN[1:], json=body, headers={"cookie": theirs})
        listen(page.url, session, theirs)
        assert answerer.histories[-1] == ()  # a new conversation of theirs
        HTTP.post(page.url + JOIN[1:], json=body, headers={"cookie": mine})
        listen(page.url, session, mine)
        assert len(answerer.histories[-1]) == 2  # the pair: it goes on for me
