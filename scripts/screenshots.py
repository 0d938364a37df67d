"""A served page -> pictures of its states, light and dark, wide and as a phone shows it.

``python scripts/screenshots.py`` makes the three pictures of the README in ``docs/screenshots``;
``--all DIR`` makes one of every state in both schemes and both widths, to look at.
Needs Debian's chromium (or ``$CHROMIUM``), CJK fonts, and Playwright.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")
BOX = "#pa-box textarea"
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class State:
    """What is asked, in one conversation, and what is clicked before the picture is taken."""

    questions: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    path: str = ""  # of another page, gone to after the questions
    chosen: tuple[str, ...] = ()  # chips, pressed before the questions
    undo: tuple[str, str] | None = None  # clicked when the picture was taken, and what then has to appear
    language: str = "zh-CN"
    login: bool = False  # on a server that asks for one


_FIRST = ".pa-models li:first-child"  # the bundled model
STATES = {
    "welcome": State(),
    "answer": State(("上海2024年要新建多少公共充电桩？", "那公园呢？")),
    "citation": State(("镇江的碳普惠平台叫什么？",), ("#pa-now a.pa-cite",)),
    "reason": State(("天津2024年要新创建多少家国家级绿色制造单位？",), ("#pa-now .pa-verdict summary",)),
    "list": State(("江苏2024年的主要任务有哪些？",)),
    "compare": State(("比较北京和上海2024年的任务",)),
    "wrong": State(("上海2024年要新建多少公共充电桩？",), ('#pa-now [data-rate="down"]',)),
    "scope": State((), (".pa-filter summary",)),
    "narrowed": State(("比较北京和上海2024年的任务",), chosen=("上海",)),
    "conflict": State(("北京2024年要新建多少个公共充电桩？",), chosen=("上海",)),
    "history": State(("上海2024年要新建多少公共充电桩？",), path="history"),
    "documents": State(path="documents"),
    "evaluation": State((), ("button.pa-main",), path="eval", undo=("#pa-run button", ".pa-main:not([disabled])")),
    "interrupted": State(path="eval"),
    "run": State((), (".pa-table tbody a >> nth=0",), path="eval"),  # as "interrupted", what "evaluation" has left
    "models": State(path="models"),
    "change": State(
        (), (".pa-models button",), path="models", undo=(".pa-models button:not([disabled])", f"{_FIRST} .pa-chip")
    ),
    "english": State(("上海2024年要新建多少公共充电桩？", "北京2024年要新建多少个公共充电桩？"), language="en-US"),
    "english-models": State(path="models", language="en-US"),
    "login": State(path="login", login=True),
    "refusal": State(("北京2024年要新建多少个公共充电桩？",)),
}
WIDE, PHONE = (1280, 800), (390, 844)
README: tuple[tuple[str, Scheme, tuple[int, int]], ...] = (
    ("answer", "light", WIDE),
    ("list", "dark", WIDE),
    ("refusal", "light", PHONE),
)


@contextmanager
def serve(*, login: bool = False) -> Iterator[str]:
    """Run the page on a free port until the pictures are made; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    # an index and a history of their own, so that no picture shows, or adds to, what somebody asked
    home = TemporaryDirectory(prefix="screenshots-")
    places = {"ASSISTANT_DATA": home.name, "PYTHONPATH": str(ROOT)}
    order = [sys.executable, "-m", "assistant"]
    _add_model(Path(home.name), order, places)
    more = _add_user(Path(home.name), order, places) if login else []
    process = subprocess.Popen([*order, "serve", "--port", str(port), *more], cwd=home.name, env=os.environ | places)
    try:
        while not _answers(address):
            if process.poll() is not None:
                raise SystemExit("The page did not start; see the message above.")
            time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(20)
        home.cleanup()


def _add_model(home: Path, order: list[str], places: dict[str, str]) -> None:
    """A second model, so that there is something to change to: the bundled one under another name."""
    bundled = next((ROOT / "assistant" / "models").glob("reader-*.gguf"))
    shutil.copyfile(bundled, home / "reader-copy.gguf")
    for name in ("reader-copy.gguf", _name_bundled()):
        subprocess.run(
            [*order, "model", "use", name], cwd=home, env=os.environ | places, check=True, capture_output=True
        )


def _name_bundled() -> str:
    table = tomllib.loads((ROOT / "assistant" / "models" / "catalog.toml").read_text(encoding="utf-8"))
    return str(table["model"][0]["name"])


def _add_user(home: Path, order: list[str], places: dict[str, str]) -> list[str]:
    users = ["--auth-file", str(home / "users")]
    add = [*order, "user", "add", "lin", *users, "--password-stdin"]
    said = b"a password for pictures only\n"
    subprocess.run(add, cwd=home, env=os.environ | places, check=True, capture_output=True, input=said)
    return users


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}readyz", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, TimeoutError):
        return False


def take(browser: Browser, address: str, state: State, scheme: Scheme, size: tuple[int, int], to: Path) -> None:
    """Go to a state and save what is in the window."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=state.language,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    if not state.login:
        page.goto(address)
        page.wait_for_selector("#pa-sources .pa-library")
    if state.chosen:
        page.click(".pa-filter summary")
        for value in state.chosen:
            page.click(f".pa-choice[data-value='{value}']")
        page.wait_for_timeout(300)
    for turn, question in enumerate(state.questions, 1):
        _ask(page, question, turn)
    if state.path:
        page.goto(f"{address}{state.path}")
        page.wait_for_selector("main h2, main form")
    for selector in state.clicks:
        page.click(f"{selector} >> nth=0")
    page.evaluate("document.activeElement?.blur()")
    page.wait_for_timeout(400)
    to.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=to)
    if state.undo:
        page.click(f"{state.undo[0]} >> nth=0")
        page.wait_for_selector(state.undo[1], timeout=120_000)
    context.close()
    _shrink(to)


def _shrink(picture: Path) -> None:
    """Keep 128 colours: a page of text loses nothing that one sees, and a third of the size is left."""
    from PIL import Image

    with Image.open(picture) as image:
        image.convert("RGB").quantize(128).save(picture, optimize=True)


def _ask(page: Page, question: str, turn: int) -> None:
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    page.wait_for_selector(f'#pa-now .pa-exchange[data-turn="{turn}"][data-running="false"]', timeout=120_000)
    page.wait_for_selector("#pa-send:visible")


def main() -> None:
    """Make the pictures."""
    from playwright.sync_api import sync_playwright

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots", help="for the README's pictures")
    options.add_argument("--all", type=Path, help="make every state instead, in this folder")
    options.add_argument("--only", help="of all states those named here, with commas between")
    chosen = options.parse_args()
    schemes: tuple[Scheme, ...] = ("light", "dark")
    names = [name for name in STATES if not chosen.only or name in chosen.only.split(",")]
    every = tuple((name, scheme, size) for name in names for scheme in schemes for size in (WIDE, PHONE))
    wanted = every if chosen.all else README
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for login in sorted({STATES[name].login for name, _, _ in wanted}):
            with serve(login=login) as address:
                for name, scheme, size in wanted:
                    if STATES[name].login is login:
                        to = (chosen.all or chosen.out) / f"{name}-{scheme}-{size[0]}.png"
                        take(browser, address, STATES[name], scheme, size, to)
                        sys.stdout.write(f"{to}\n")
        browser.close()


if __name__ == "__main__":
    main()
