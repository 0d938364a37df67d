"""What every test shares: a safe environment, the seeds, one index over them, and what a browser test needs.

Tests marked ``browser`` use Debian's chromium (``CHROMIUM=/path`` for another one) and skip where there is none,
unless ``ASSISTANT_TEST_REQUIRE=browser`` says that skipping would hide something.
"""

from __future__ import annotations

from assistant.environment import make_offline

make_offline()  # before anything else is imported, as the program itself does

import os  # noqa: E402
import shutil  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

import hypothesis  # noqa: E402
import pytest  # noqa: E402

if TYPE_CHECKING:
    from vectorstore.index import Index

ROOT = Path(__file__).resolve().parent.parent

_HINT = "no chromium: `apt-get install chromium fonts-noto-cjk`, or CHROMIUM=/path/to/one"

# No deadlines: two busy cores make any of them wrong. In CI the same examples every time, so that red means changed.
hypothesis.settings.register_profile("here", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("here")


def find_chromium() -> str | None:
    """Give the browser for the tests, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where there is no browser."""
    if find_chromium() is not None or os.environ.get("ASSISTANT_TEST_REQUIRE") == "browser":
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=_HINT))


@pytest.fixture(scope="session", autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the settings and the data of the person who runs the tests out of them, and them out of those."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("ASSISTANT_") and not n.startswith("ASSISTANT_TEST_")]:
            patch.delenv(name)
        patch.setenv("ASSISTANT_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def seeds_dir() -> Path:
    """The corpus as it was given."""
    return ROOT / "seeds"


@pytest.fixture
def tmp_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, for this test alone, that the program and its subprocesses use."""
    data = tmp_path / "data"
    monkeypatch.setenv("ASSISTANT_DATA", str(data))
    return data


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; tests that ask for it are marked ``browser``."""
    found = find_chromium()
    assert found is not None, _HINT
    return found


@pytest.fixture(scope="session")
def seed_index(seeds_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index over the seeds, with the hashing embedder; built once, never written to."""
    from vectorstore.build import build_index
    from vectorstore.embed import HashingEmbedder
    from vectorstore.index import Index

    data, embedder = tmp_path_factory.mktemp("seed-index"), HashingEmbedder()
    build_index([seeds_dir], data=data, embedder=embedder)
    index = Index.open(data, embedder)
    yield index
    index.close()
