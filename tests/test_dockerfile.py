"""The Dockerfile, read line by line: what a container engine would only find out after minutes of building."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import threading
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.conftest import ROOT

Instruction = tuple[str, str]


def read_dockerfile() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    joined = re.sub(r"\\\n\s*", "", text)
    return [(line.partition(" ")[0], line.partition(" ")[2]) for line in joined.splitlines() if line.strip()]


INSTRUCTIONS = read_dockerfile()
LAST = INSTRUCTIONS[max(n for n, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]


def values(name: str, within: list[Instruction] = LAST) -> list[str]:
    return [value for instruction, value in within if instruction == name]


def health_command() -> list[str]:
    command: list[str] = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])
    return command


def sources() -> list[str]:
    copies = [shlex.split(value) for value in values("COPY", INSTRUCTIONS)]
    return [source for parts in copies if not parts[0].startswith("--from") for source in parts[:-1]]


def test_every_line_is_an_instruction() -> None:
    known = {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "VOLUME", "HEALTHCHECK", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in INSTRUCTIONS} <= known


def test_bases_are_pinned_to_a_version_that_the_program_knows() -> None:
    for base in values("FROM", INSTRUCTIONS):
        version = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+(?: AS \w+)?", base)
        assert version and (int(version[1]), int(version[2])) >= (3, 11)


def test_it_runs_as_a_user_that_is_not_root_and_owns_the_volume() -> None:
    (user,) = values("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    names = [name for name, _ in LAST]
    assert "RUN" not in names[names.index("USER") :]
    (volume,) = values("VOLUME")
    prepared = values("RUN")[0]
    assert f"--uid {user.partition(':')[0]} " in prepared and re.search(rf"--owner=\w+ --group=\w+ {volume}$", prepared)
    assert f"ASSISTANT_DATA={volume}" in " ".join(values("ENV"))


def test_no_compiler_and_no_package_lists_stay_in_the_image() -> None:
    assert not any("g++" in value for value in values("RUN"))
    for value in values("RUN", INSTRUCTIONS):
        if "apt-get install" in value:
            assert "--no-install-recommends" in value and "rm -rf /var/lib/apt/lists/*" in value
    assert any("libgomp1" in value for value in values("RUN"))


def test_no_key_and_no_address_is_written_into_the_image() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not re.search(r"(?i)key|token|password|https?://(?!127\.0\.0\.1)", text)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    assert lines[0] == "*"
    for source in sources():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in lines, source
    for line in lines[1:]:
        if line.startswith("!"):
            assert line[1:] in sources(), f"{line}: allowed, but never copied"


@pytest.mark.parametrize(
    "path", ["vectorstore/data/CURRENT", ".git/config", ".venv/bin/python", "assistant/__pycache__/x.pyc"]
)
def test_private_and_derived_files_stay_out(path: str) -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] not in "#"]
    ignored = False
    for line in lines:  # the last line that fits decides
        pattern = line.lstrip("!")
        parts = Path(path).parts
        prefixes = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
        tails = ["/".join(parts[n:m]) for n in range(len(parts)) for m in range(n + 1, len(parts) + 1)]
        fits = any(fnmatch(p, pattern) for p in prefixes)
        fits = fits or (pattern.startswith("**/") and any(fnmatch(t, pattern[3:]) for t in tails))
        if fits:
            ignored = not line.startswith("!")
    assert ignored


def test_the_image_holds_everything_that_the_wheel_does() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    packages = re.search(r"packages = \[(.*)\]", settings)
    assert packages
    for package in re.findall(r'"(\w+)"', packages[1]):
        assert package in sources()
    for name in re.findall(r"(?:readme|license-files) = (.*)", settings):
        for file in re.findall(r'"([^"]+)"', name):
            assert file in sources()


def test_it_listens_where_the_page_may_and_where_health_is_asked() -> None:
    from assistant.page.reach import Reach, check_reach

    command = json.loads(values("ENTRYPOINT")[0]) + json.loads(values("CMD")[0])
    assert command[:2] == ["assistant", "serve"]
    host, port = command[command.index("--host") + 1], command[command.index("--port") + 1]
    check_reach(Reach(host), login=False)  # refuses what others could open
    assert f"{host}:{port}/healthz" in health_command()[-1]
    assert '"/healthz"' in (ROOT / "assistant" / "page" / "app.py").read_text(encoding="utf-8")


def documented(text: str) -> list[list[str]]:
    """Give the arguments of each `docker run … policy-assistant …` of the page, in their order."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [shlex.split(line) for line in lines if line.startswith("docker run")]


def test_a_published_port_is_only_documented_together_with_a_login_in_the_volume() -> None:
    from assistant.page.reach import Reach, check_reach

    (volume,), (port,) = values("VOLUME"), values("EXPOSE")
    published = [each for each in documented((ROOT / "docs" / "docker.md").read_text(encoding="utf-8")) if "-p" in each]
    assert published
    for command in published:
        assert command[command.index("-p") + 1].endswith(f":{port}")
        serving = command[command.index("policy-assistant") + 1 :]
        host, file = (serving[serving.index(option) + 1] for option in ("--host", "--auth-file"))
        assert check_reach(Reach(host), login=True)  # served to others, with a warning
        assert file.startswith(f"{volume}/")  # stays when the container goes


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_the_health_check_says_what_the_page_says(status: int | None, *, healthy: bool) -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if status and self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    page = HTTPServer(("127.0.0.1", 0), Page)
    port = page.server_port
    if status is None:
        page.server_close()
    else:
        threading.Thread(target=page.handle_request, daemon=True).start()
    code = health_command()[-1].replace("7860", str(port))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    page.server_close()
    assert (done.returncode == 0) is healthy


def test_the_documented_commands_are_commands() -> None:
    page = (ROOT / "docs" / "docker.md").read_text(encoding="utf-8")
    used = set(re.findall(r"policy-assistant ((?:(?:model|user) )?[a-z]+)", page))
    assert {"index", "ask", "model pull", "model use", "model list", "serve", "user add"} <= used
    from typer.testing import CliRunner

    from assistant.cli import app

    for command in used:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0, command
