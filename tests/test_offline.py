"""Nothing leaves the machine, whatever the shell asks for; `make test-offline` also runs all tests without a network.

A ``sitecustomize`` module puts a watch on sockets and name look-ups into every Python process below the command, so
into the language model's worker too. What it sees it writes down, and refuses.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from assistant.environment import make_offline
from scripts.without_network import HOSTILE
from tests.conftest import ROOT

_WATCH = """
import os, sys

_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a path or None: a local socket
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host and not host.startswith(_LOOPBACK):
        with open(os.environ["WATCH_LOG"], "a") as log:
            log.write(f"{event} {host}\\n")
        raise OSError(f"watched: {event} {host}")


sys.addaudithook(_watch)
"""


@pytest.fixture
def watched(tmp_path: Path) -> dict[str, str]:
    """Give a hostile environment whose Python processes are watched; what they tried stands in ``WATCH_LOG``."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(_WATCH, encoding="utf-8")
    log = tmp_path / "attempts"
    log.touch()
    own = {"PYTHONPATH": str(tmp_path / "watch"), "WATCH_LOG": str(log), "ASSISTANT_DATA": str(tmp_path / "data")}
    return {**os.environ, **HOSTILE, **own}


def run_python(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)


def attempts(environment: dict[str, str]) -> str:
    return Path(environment["WATCH_LOG"]).read_text(encoding="utf-8")


def test_the_watch_sees_a_look_up_and_a_connection(watched: dict[str, str]) -> None:
    run_python(["-c", "import urllib.request as u; u.urlopen('http://example.invalid/')"], watched)
    run_python(["-c", "import socket; socket.create_connection(('192.0.2.7', 80))"], watched)
    assert "socket.getaddrinfo 192.0.2.1" in attempts(watched)  # the proxy of the hostile environment
    assert "192.0.2.7" in attempts(watched)


def test_the_watch_reaches_a_process_of_a_process(watched: dict[str, str]) -> None:
    inner = "import socket; socket.getaddrinfo('example.invalid', 80)"
    run_python(["-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"], watched)
    assert "example.invalid" in attempts(watched)


@pytest.mark.slow
def test_indexing_and_asking_try_no_connection_in_a_hostile_environment(watched: dict[str, str]) -> None:
    built = run_python(["-m", "assistant", "index", str(ROOT / "seeds")], watched)
    assert built.returncode == 0, built.stderr
    asked = run_python(["-m", "assistant", "ask", "天津2024年有哪些主要任务？", "--json"], watched)
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["question"] == "天津2024年有哪些主要任务？"
    assert attempts(watched) == ""


def test_a_chain_over_langchain_is_not_traced_in_a_hostile_environment(watched: dict[str, str]) -> None:
    chain = (
        "from assistant.environment import make_offline; make_offline()\n"
        "from langchain_core.runnables import RunnableLambda\n"
        "print(RunnableLambda(lambda x: x + 1).invoke(1))\n"
    )
    done = run_python(["-c", chain], watched)
    assert (done.stdout, attempts(watched)) == ("2\n", ""), done.stderr


def test_the_same_chain_would_be_traced_without_our_environment(watched: dict[str, str]) -> None:
    chain = (
        "import os, time\n"
        "from langchain_core.runnables import RunnableLambda\n"
        "RunnableLambda(lambda x: x + 1).invoke(1)\n"
        "for _ in range(200):\n"
        "    time.sleep(0.05 if os.stat(os.environ['WATCH_LOG']).st_size == 0 else 0)\n"
        "os._exit(0)  # a regular end would try again and again\n"
    )
    run_python(["-c", chain], watched)
    assert attempts(watched) != ""


@pytest.mark.slow
def test_the_page_starts_and_is_served_without_trying_any_other_address(watched: dict[str, str]) -> None:
    run_python(["-m", "assistant", "index", str(ROOT / "seeds")], watched)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "assistant", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=watched, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as server:
        try:
            assert server.stdout is not None
            address = next(
                found[0] for line in server.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+/", line))
            )
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(address, timeout=30) as response:
                assert response.status == 200
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    assert attempts(watched) == ""


def test_everything_that_sends_is_off_and_nothing_hostile_is_left() -> None:
    environment = dict(HOSTILE)
    make_offline(environment)
    assert environment["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert environment["HF_HUB_OFFLINE"] == environment["TRANSFORMERS_OFFLINE"] == "1"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == environment["DO_NOT_TRACK"] == "1"
    assert environment["ANONYMIZED_TELEMETRY"] == "False"
    assert environment["LANGSMITH_TRACING"] == environment["LANGCHAIN_TRACING_V2"] == "false"
    gone = {name for name in HOSTILE if name.startswith(("CHROMA_", "GRADIO_S", "GRADIO_ALLOWED"))}
    gone |= {name for name in HOSTILE if name.endswith(("API_KEY", "_ENDPOINT"))}
    assert len(gone) > 6
    assert not gone & set(environment)


def test_making_offline_twice_changes_nothing_more() -> None:
    environment = dict(HOSTILE)
    make_offline(environment)
    once = dict(environment)
    make_offline(environment)
    assert environment == once


def test_a_proxy_stays_for_downloads_but_never_stands_before_this_machine() -> None:
    environment = {"HTTPS_PROXY": "http://proxy.invalid:3128", "NO_PROXY": "intranet.invalid"}
    make_offline(environment)
    assert environment["HTTPS_PROXY"] == "http://proxy.invalid:3128"
    assert environment["NO_PROXY"] == "intranet.invalid,localhost,127.0.0.1,::1"
    assert environment["no_proxy"] == "localhost,127.0.0.1,::1"


def test_a_choice_of_the_user_that_sends_nothing_is_kept() -> None:
    environment = {"OMP_WAIT_POLICY": "active", "GRADIO_TEMP_DIR": "uploads", "NO_PROXY": "*", "no_proxy": "*"}
    before = dict(environment)
    make_offline(environment)
    assert {name: environment[name] for name in before} == before


def test_threads_wait_without_spinning_unless_asked_to() -> None:
    environment: dict[str, str] = {}
    make_offline(environment)
    assert environment["OMP_WAIT_POLICY"] == "passive"
