"""The set-up: what it says when something is missing, how it reports progress, and that the locks lock."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from scripts import set_up
from tests.conftest import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
NAMES = ("build.lock", "dev.lock", "runtime.lock", "setup.lock")


def read_lock(name: str) -> Mapping[str, list[Requirement]]:
    """Give the requirements of a lock by their names; one name may be locked for several Pythons."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement = Requirement(line.split(" --hash=")[0])
            found.setdefault(requirement.name, []).append(requirement)
    return found


def project() -> Mapping[str, object]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return dict(settings["project"])


def test_all_locks_are_there() -> None:
    assert tuple(lock.name for lock in LOCKS) == NAMES


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_of_a_lock_is_pinned_to_a_release_and_hashed(lock: Path) -> None:
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8"))[1:]
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*( ;.*)? \\\n", block), block[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_no_address_and_no_path(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert not re.findall(r"\S*(?:://|file:|--index|--extra-index|--find-links|--trusted| @ |[ =]/)\S*", text)


def test_nothing_at_run_time_needs_torch_or_a_gpu() -> None:
    assert not [name for name in read_lock("runtime.lock") if re.match(r"torch|nvidia|triton|tensorflow|jax", name)]


@pytest.mark.parametrize(("lock", "extra"), [("runtime.lock", None), ("dev.lock", "dev")])
def test_a_lock_fits_the_ranges_of_the_project(lock: str, extra: str | None) -> None:
    facts = project()
    asked = [*facts["dependencies"], *(facts["optional-dependencies"][extra] if extra else ())]  # type: ignore[misc,index]
    locked = read_lock(lock)
    for requirement in map(Requirement, asked):
        pins = locked[requirement.name]
        for pin in pins:
            version = Version(str(pin.specifier).removeprefix("=="))
            assert version in requirement.specifier, f"{pin} does not fit {requirement}: run `make lock`"


def test_tests_run_with_the_versions_that_users_get() -> None:
    runtime, dev = read_lock("runtime.lock"), read_lock("dev.lock")
    assert {name: dev.get(name) for name in runtime} == runtime


def test_set_up_asks_for_nothing_that_the_program_has_in_another_version() -> None:
    runtime = read_lock("runtime.lock")
    assert all(pins == runtime[name] for name, pins in read_lock("setup.lock").items())


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_lock_serves_all_systems(platform: str) -> None:
    environment = {"sys_platform": platform, "python_full_version": "3.12.1", "python_version": "3.12"}
    markers: list[Marker | None] = [pin.marker for pin in read_lock("runtime.lock")["numpy"]]
    assert sum(marker is None or marker.evaluate(environment) for marker in markers) == 1


@pytest.mark.parametrize("version", [(3, 10, 12), (3, 9, 2), (2, 7, 18)])
def test_an_old_python_is_refused_with_its_version_and_a_way_out(version: tuple[int, ...]) -> None:
    with pytest.raises(set_up.SetupError, match=r"3\.11.*PYTHON=python3") as refused:
        set_up.check_python(version, "/usr/bin/python3")
    assert ".".join(map(str, version)) in str(refused.value)


def test_a_python_that_is_new_enough_is_taken() -> None:
    set_up.check_python((3, 11, 0), "python3")
    set_up.check_python((3, 14, 1), "python3")


def test_a_python_without_venv_gets_the_package_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python-without-venv"))
    with pytest.raises(set_up.SetupError, match="apt-get install python3-venv"):
        set_up.make_environment(tmp_path / ".venv")


@pytest.mark.slow
def test_an_environment_that_works_is_left_alone_and_one_whose_python_is_gone_is_made_anew(tmp_path: Path) -> None:
    set_up.make_environment(tmp_path / ".venv")
    (tmp_path / ".venv" / "mark").touch()
    set_up.make_environment(tmp_path / ".venv")
    assert (tmp_path / ".venv" / "mark").exists()

    python = set_up.python_of(tmp_path / ".venv")
    python.unlink()
    python.symlink_to(tmp_path / "a-python-that-was-removed")
    set_up.make_environment(tmp_path / ".venv")
    assert set_up.runs([str(python), "-c", "import pip"])


def test_no_compiler_is_found_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert set_up.find_compiler() is None


def test_a_compiler_that_only_pretends_is_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, status in (("c++", 1), ("g++", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert set_up.find_compiler() == "g++"


def test_set_up_without_a_compiler_says_so_in_one_line_with_two_ways_out(tmp_path: Path) -> None:
    """An environment without pip stands for one where pip has kept no wheel, and is made at once."""
    code = (
        "from pathlib import Path\n"
        "from scripts import set_up\n"
        f"venv = Path({str(tmp_path)!r}) / 'venv'\n"
        "set_up.LOG = venv / 'log'\n"
        "set_up.follow = lambda command: None\n"
        "try:\n"
        "    set_up.install(venv, set_up.LOCKS / 'runtime.lock', '')\n"
        "except set_up.SetupError as problem:\n"
        "    print(problem)\n"
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONUTF8": "1", "PIP_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=bare, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()) == 1
    assert "apt-get install g++" in done.stdout
    assert "LLAMA_WHEEL=FILE.whl" in done.stdout
    assert "LLAMA_WHEEL=none ASSISTANT_LLM_URL=" in done.stdout
    assert set_up.locked_version(ROOT / "requirements" / "runtime.lock", "llama-cpp-python") in done.stdout


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("/tmp/a.whl", ["/tmp/a.whl"]),
        (
            "wheels",
            ["--no-index", "--find-links", "wheels", "--only-binary", "llama-cpp-python", "llama-cpp-python==1.2"],
        ),
        ("scheme:x", ["--index-url", "scheme:x", "--only-binary", "llama-cpp-python", "llama-cpp-python==1.2"]),
    ],
)
def test_a_prebuilt_wheel_may_be_a_file_a_folder_or_an_index(
    where: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wheels").mkdir()
    assert set_up.wheel_arguments(where, "1.2") == expected


def test_a_lock_without_the_local_model_lacks_that_package_alone(tmp_path: Path) -> None:
    lock = ROOT / "requirements" / "runtime.lock"
    rest = set_up.write_lock_without(lock, "llama-cpp-python", tmp_path / "rest.lock").read_text(encoding="utf-8")
    whole = lock.read_text(encoding="utf-8")
    assert "llama" not in rest
    assert whole.count("==") == rest.count("==") + 1
    assert len(re.findall("(?m)^ +--hash", whole)) == len(re.findall("(?m)^ +--hash", rest)) + 1  # it has a source only


PIP_SAYS = """\
Collecting numpy==2.4.6 (from -r requirements/runtime.lock (line 9))
  Downloading numpy-2.4.6-cp311-cp311-manylinux.whl (16.6 MB)
Processing /wheels/rich-15.0.0-py3-none-any.whl
Building wheels for collected packages: llama-cpp-python
  Building wheel for llama-cpp-python (pyproject.toml): started
  *** Building project with Ninja...
  [7/193] /usr/bin/g++ -O3 -o a.o -c a.cpp
  [8/193] /usr/bin/g++ -O3 -o b.o -c b.cpp
  Building wheel for llama-cpp-python (pyproject.toml): finished with status 'done'
Installing collected packages: numpy, llama-cpp-python
"""


def test_progress_is_read_from_what_pip_says() -> None:
    progress = set_up.Progress()
    seen = []
    for line in PIP_SAYS.splitlines():
        announced = progress.read(line)
        assert announced == ("started" in line)
        seen.append(progress.now.split(" ", 1)[1])
    assert seen[0] == "downloading numpy"
    assert seen[2].startswith("downloading rich")
    assert seen[4] == "compiling llama-cpp-python"
    assert seen[7] == "compiling llama-cpp-python, step 8/193"
    assert seen[-1] == "installing"


def follow_python(code: str, log: Path, monkeypatch: pytest.MonkeyPatch, heartbeat: float = 60.0) -> None:
    monkeypatch.setattr(set_up, "LOG", log)
    set_up.follow([sys.executable, "-u", "-c", code], heartbeat)


def test_a_long_compilation_is_announced_and_its_steps_are_told_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"import time\nfor line in {PIP_SAYS!r}.splitlines()[:8]:\n    print(line)\ntime.sleep(0.5)"
    follow_python(code, tmp_path / "log", monkeypatch, heartbeat=0.1)
    said = capsys.readouterr().out.splitlines()
    assert sum("5 to 8 minutes" in line for line in said) == 1
    assert sum("step 8/193" in line for line in said) >= 2
    assert "g++" not in "".join(said)
    assert "g++ -O3" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_failure_shows_its_last_lines_and_where_the_rest_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys\nprint('first'); print('\\n' * 50); print('ERROR: disk full'); sys.exit(2)"
    with pytest.raises(set_up.SetupError, match="ERROR: disk full") as failed:
        follow_python(code, tmp_path / "log", monkeypatch)
    assert str(tmp_path / "log") in str(failed.value)
    assert "LLAMA_WHEEL" not in str(failed.value)


def test_a_compilation_that_failed_names_the_way_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys\nprint('ERROR: Failed building wheel for llama-cpp-python'); sys.exit(1)"
    with pytest.raises(set_up.SetupError, match="LLAMA_WHEEL="):
        follow_python(code, tmp_path / "log", monkeypatch)


def test_the_build_does_not_see_a_date_that_would_switch_fast_instructions_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    follow_python("import os; print(sorted(os.environ))", tmp_path / "log", monkeypatch)
    assert "SOURCE_DATE_EPOCH" not in (tmp_path / "log").read_text(encoding="utf-8")


def plan(directory: Path, *arguments: str) -> str:
    """Give what make would run, or says; whatever make these tests themselves run under."""
    outside = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=directory, env=outside, capture_output=True, encoding="utf-8", check=False
    ).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give what make looks at, with an environment that was set up after everything else was written."""
    for name in ("Makefile", "pyproject.toml", "requirements/dev.lock", "scripts/set_up.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
        os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    (tmp_path / ".venv").mkdir()
    for stamp in (".runtime", ".dev"):
        (tmp_path / ".venv" / stamp).touch()
        os.utime(tmp_path / ".venv" / stamp, (1_000_000_001, 1_000_000_001))
    return tmp_path


@pytest.mark.parametrize(("target", "program"), [("serve", "-m assistant serve"), ("test", "-m pytest")])
def test_a_second_make_has_nothing_to_set_up(target: str, program: str, checkout: Path) -> None:
    planned = plan(checkout, "-n", target)
    assert program in planned
    assert "set_up.py" not in planned


@pytest.mark.parametrize(("target", "program"), [("serve", "-m assistant serve"), ("test", "-m pytest")])
def test_a_lock_that_changed_is_installed_before_anything_runs(target: str, program: str, checkout: Path) -> None:
    os.utime(checkout / "requirements" / "dev.lock", (1_000_000_002, 1_000_000_002))
    planned = plan(checkout, "-n", target)
    assert -1 < planned.find("scripts/set_up.py") < planned.find(program)


def test_without_any_python_make_says_what_to_install(checkout: Path) -> None:
    (checkout / ".venv" / ".runtime").unlink()
    assert "Python 3.11 or newer" in plan(checkout, "serve", "PYTHON=no-python")


def test_the_check_script_is_valid_shell() -> None:
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
