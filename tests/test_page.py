"""The page's handlers, its guard and its server; a browser drives the same page in test_browser.py."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assistant.errors import EngineCrashed, InputInvalid
from assistant.page.reach import Reach, check_reach, open_port
from assistant.page.server import prepare_html, refuse, serve_app, write_policy
from assistant.page.talk import QUESTION_LIMIT, Talk, ask
from assistant.types import Role
from assistant.view.exchange import Exchange
from tests.page_fakes import FakeAssistant, Served

QUESTION = "上海2024年要新建多少个电动汽车公共充电桩？"


def last(answerer: FakeAssistant, talk: Talk, question: object = QUESTION) -> Exchange:
    *_, exchange = ask(answerer, talk, question)
    return exchange


def test_an_exchange_grows_from_understood_over_found_and_draft_to_the_answer() -> None:
    steps = list(ask(FakeAssistant(pause=0.1), Talk(), QUESTION))
    assert [(s.understood is not None, s.found, bool(s.draft), s.answer is not None) for s in steps[:3]] == [
        (False, None, False, False),
        (True, None, False, False),
        (True, 3, False, False),
    ]
    assert any(s.draft for s in steps)
    assert steps[-1].answer is not None
    assert not steps[-1].running
    assert steps[-1].draft == ""


def test_the_history_is_what_the_server_keeps_and_holds_no_errors() -> None:
    answerer, talk = FakeAssistant(), Talk()
    first = last(answerer, talk)
    answerer.problem = EngineCrashed("坏了。 Broken.")
    last(answerer, talk, "这个会出错吗？")
    answerer.problem = None
    last(answerer, talk, "那公园呢？")
    assert first.answer is not None
    history = answerer.histories[-1]
    assert [(turn.role, turn.content) for turn in history] == [
        (Role.USER, QUESTION),
        (Role.ASSISTANT, first.answer.text),
    ]


def test_a_problem_ends_the_exchange_with_its_one_sentence_and_the_next_question_works() -> None:
    answerer, talk = (
        FakeAssistant(problem=EngineCrashed("模型停了，请再问一次。 The model stopped; ask again.")),
        Talk(),
    )
    assert last(answerer, talk).error == "模型停了，请再问一次。 The model stopped; ask again."
    answerer.problem = None
    assert last(answerer, talk).answer is not None


@pytest.mark.parametrize("question", ["", "  \n", None, 7, ["x"], "中" * (QUESTION_LIMIT + 1)])
def test_what_is_no_question_is_refused_before_it_reaches_the_assistant(question: object) -> None:
    answerer = FakeAssistant()
    assert last(answerer, Talk(), question).error
    assert answerer.histories == []


def test_a_question_of_exactly_the_limit_is_asked() -> None:
    answerer = FakeAssistant()
    last(answerer, Talk(), "中" * QUESTION_LIMIT)
    assert len(answerer.histories) == 1


def test_stop_ends_the_answer_marks_it_and_leaves_the_next_question_free() -> None:
    answerer, talk = FakeAssistant(pause=0.05, pieces=10_000), Talk()
    for exchange in ask(answerer, talk, QUESTION):
        if exchange.draft:
            talk.stop.set()
    assert exchange.answer is not None
    assert exchange.answer.stopped
    answerer.pieces = 1
    following = last(answerer, talk)
    assert following.answer is not None
    assert not following.answer.stopped


def test_a_page_that_is_closed_stops_what_runs_for_it() -> None:
    answerer, talk = FakeAssistant(pieces=10_000), Talk()
    running = ask(answerer, talk, QUESTION)
    next(running)
    next(running)
    running.close()
    assert answerer.stops[-1].is_set()
    assert talk.busy.acquire(blocking=False)


def test_two_questions_in_one_conversation_do_not_mix() -> None:
    answerer, talk = FakeAssistant(), Talk()
    running = ask(answerer, talk, QUESTION)
    next(running)
    with pytest.raises(Exception, match="还在回答"):
        next(ask(answerer, talk, "另一个问题？"))
    running.close()


def test_a_long_conversation_keeps_its_numbers_and_drops_its_oldest_exchanges() -> None:
    talk = Talk()
    for _ in range(70):
        talk.begin("问")
    assert (len(talk.exchanges), talk.exchanges[0].turn, talk.exchanges[-1].turn) == (60, 11, 70)


def test_the_place_in_the_queue_is_shown() -> None:
    assert any(exchange.ahead == 3 for exchange in ask(FakeAssistant(ahead=3), Talk(), QUESTION))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::", "::1", ""])
def test_another_address_than_this_machine_needs_a_login_and_warns(host: str) -> None:
    with pytest.raises(InputInvalid, match="--auth-file"):
        check_reach(Reach(host), login=False)
    assert "TLS" in str(check_reach(Reach(host), login=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_alone_needs_no_login_and_no_warning(host: str) -> None:
    assert check_reach(Reach(host), login=False) is None


def test_a_taken_port_is_said_and_a_free_one_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputInvalid, match=r"--port (\d+)") as problem:
            open_port("127.0.0.1", port)
    free = int(str(problem.value).split("--port ")[1].split("。")[0])
    assert free > port
    open_port("127.0.0.1", free).close()


def test_a_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputInvalid, match="70000"):
        serve_app(_nothing, Reach(port=70000), lambda _: None)


async def _nothing(*_: object) -> None:
    raise AssertionError


def test_every_script_of_the_start_page_carries_the_nonce_of_its_response() -> None:
    page = '<html lang="en"><head></head><script>a</script><script type="module" src="b"></script></html>'
    prepared = prepare_html(page, "N1")
    assert prepared.count("<script") == prepared.count('<script nonce="N1"') == 4
    assert 'lang="zh-CN"' in prepared
    assert "'nonce-N1'" in write_policy("N1")
    assert "script-src 'self' 'nonce-N1' 'unsafe-eval'" in write_policy("N1")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, None),
        ("/", {"sec-fetch-site": "cross-site"}, None),
        ("/gradio_api/info", {"sec-fetch-site": "same-origin"}, None),
        ("/gradio_api/info", {"sec-fetch-site": "cross-site"}, 403),
        ("/gradio_api/queue/join", {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}, None),
        ("/gradio_api/queue/join", {"host": "127.0.0.1:7860", "origin": "http://evil.example"}, 403),
        ("/gradio_api/queue/join", {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7861"}, 403),
        ("/gradio_api/queue/join", {"host": "127.0.0.1:7860", "origin": "null"}, 403),
        ("/gradio_api/upload", {}, 404),
        ("/upload", {}, 404),
        ("/gradio_api/proxy=http://evil.example", {}, 404),
        ("/gradio_api/component_server", {}, 404),
        ("/gradio_api/queue/join", {"content-length": "300000"}, 413),
        ("/gradio_api/queue/join", {"content-length": "-1"}, 413),
    ],
)
def test_the_guard_lets_the_page_through_and_nothing_foreign(
    path: str, headers: dict[str, str], status: int | None
) -> None:
    refusal = refuse(path, headers)
    assert (refusal[0] if refusal else None) == status


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[FakeAssistant, str]]:
    answerer = FakeAssistant()
    with Served(answerer) as page:
        yield answerer, page.url


def fetch(url: str, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request(method, path, body or None, {k.replace("_", "-"): v for k, v in headers.items()})
    return connection.getresponse()


def test_the_start_page_has_the_security_headers_and_our_assets(served: tuple[FakeAssistant, str]) -> None:
    response = fetch(served[1], "/")
    page = response.read().decode()
    policy = response.headers["content-security-policy"]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "frame-ancestors 'none'" in policy
    assert page.count("<script") == page.count(f'<script nonce="{nonce}"')
    assert '<html\n\tlang="zh-CN"' in page
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    for asset in ("page.css", "page.js"):
        assert f"/page/{asset}" in page
        assert fetch(served[1], f"/page/{asset}").status == 200
    assert fetch(served[1], "/page/page.py").status == 404
    assert fetch(served[1], "/page/..%2fpage.py").status == 404


def test_health_and_readiness_are_told_apart(served: tuple[FakeAssistant, str]) -> None:
    answerer, url = served
    documents = answerer.parsed
    assert fetch(url, "/healthz").status == fetch(url, "/readyz").status == 200
    try:
        answerer.parsed = ()
        assert (fetch(url, "/healthz").status, fetch(url, "/readyz").status) == (200, 503)
    finally:
        answerer.parsed = documents


def test_a_wrong_host_and_a_foreign_origin_are_refused(served: tuple[FakeAssistant, str]) -> None:
    assert fetch(served[1], "/", Host="evil.example").status == 400
    assert fetch(served[1], "/gradio_api/info", Origin="http://evil.example").status == 403


def test_a_body_without_a_length_is_bounded_all_the_same(served: tuple[FakeAssistant, str]) -> None:
    host = urlsplit(served[1]).netloc
    with socket.create_connection(tuple(host.split(":")), timeout=20) as raw:  # type: ignore[arg-type]
        raw.sendall(f"POST /gradio_api/queue/join HTTP/1.1\r\nHost: {host}\r\n".encode())
        raw.sendall(b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        status = b""
        try:
            for _ in range(64):
                raw.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            raw.sendall(b"0\r\n\r\n")
            status = raw.recv(64)
        except OSError:
            pass  # the server hung up in the middle, which is an answer too
    assert b" 200 " not in status


def test_the_api_skips_no_queue_and_takes_no_history(served: tuple[FakeAssistant, str]) -> None:
    import json

    body = json.dumps({"data": [QUESTION, None]}).encode()
    assert fetch(served[1], "/gradio_api/run/ask", "POST", body, Content_Type="application/json").status == 404


def test_a_client_asks_follows_up_and_begins_anew(served: tuple[FakeAssistant, str]) -> None:
    from gradio_client import Client

    answerer, url = served
    client = Client(url, verbose=False)
    past, now, *_ = client.predict(QUESTION, api_name="/ask")
    assert "1万个" in now
    assert "pa-exchange" not in past
    past, now, sources, *_ = client.predict("那公园呢？", api_name="/ask")
    assert len(answerer.histories[-1]) == 2
    past, now, sources, *_ = client.predict(api_name="/new")
    assert (now, "pa-example" in past, "pa-library" in sources) == ("", True, True)
    client.predict(QUESTION, api_name="/ask")
    assert answerer.histories[-1] == ()


def test_two_clients_have_two_conversations(served: tuple[FakeAssistant, str]) -> None:
    from gradio_client import Client

    answerer, url = served
    one, other = Client(url, verbose=False), Client(url, verbose=False)
    one.predict("甲的问题：上海2024年新建公园多少座？", api_name="/ask")
    other.predict("乙的问题：上海2024年新增绿地多少？", api_name="/ask")
    assert answerer.histories[-1] == ()


def test_stop_from_a_client_ends_a_running_answer(served: tuple[FakeAssistant, str]) -> None:
    from gradio_client import Client

    answerer, url = served
    client = Client(url, verbose=False)
    answerer.pause, answerer.pieces = 0.02, 5_000
    try:
        client.predict(api_name="/new")
        job = client.submit(QUESTION, api_name="/ask")
        deadline = time.monotonic() + 20
        while not job.outputs() and time.monotonic() < deadline:
            time.sleep(0.02)
        client.predict(api_name="/stop")
        now = job.result(timeout=20)[1]
    finally:
        answerer.pause, answerer.pieces = 0.0, 4
    assert answerer.stops[-1].is_set()
    assert "已停止" in now


def test_an_error_of_the_program_is_said_without_its_text_and_the_page_goes_on(
    served: tuple[FakeAssistant, str], caplog: pytest.LogCaptureFixture
) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    answerer, url = served
    client = Client(url, verbose=False)
    answerer.crash = RuntimeError("秘密的路径")
    try:
        with pytest.raises(AppError) as problem:
            client.predict(QUESTION, api_name="/ask")
    finally:
        answerer.crash = None
    assert "秘密" not in str(problem.value)
    assert "1万个" in client.predict(QUESTION, api_name="/ask")[1]


SERVE = """
import sys
from pathlib import Path
from assistant.page.app import serve
from assistant.page.reach import Reach
from tests.page_fakes import FakeAssistant
def say(url):
    sys.stdout.write(url + "\\n")
    sys.stdout.flush()
serve(FakeAssistant(), home=Path(sys.argv[1]), reach=Reach(port=0), on_ready=say)
sys.stdout.write("ended\\n")
"""


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_server_says_where_it_is_and_ends_cleanly_on_a_signal(ending: signal.Signals, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = threading.Timer(60, process.kill)
    watch.start()
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert fetch(url, "/healthz").status == 200
        stream = fetch(url, "/gradio_api/heartbeat/visitor")  # stays open, as that of an open page does
        assert stream.status == 200
        process.send_signal(ending)
        assert process.stdout.read() == "ended\n"
        assert "Traceback" not in process.stderr.read()
        assert process.wait(30) == 0
    finally:
        watch.cancel()
        process.kill()
        process.wait()
