"""Locks in, a ready ``.venv`` out: ``python3 scripts/set_up.py [--dev]``, called by make.

Standard library only, and readable by Pythons that are too old to run the program, so that it can say so.
Every package is pinned with its hash in ``requirements/*.lock``; where they come from is up to pip's own settings
(a mirror, a proxy, a folder of wheels). llama-cpp-python is published as source and compiled here, once: pip keeps
the wheel. What pip says goes to ``.venv/set-up.log``; here a line every 15 seconds tells how far it is.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = VENV / "set-up.log"
LOCKS = ROOT / "requirements"

_OLDEST = (3, 11)
_LLAMA = "llama-cpp-python"
_HEARTBEAT = 15.0  # seconds: short enough that nobody thinks it hangs, long enough not to flood a CI log

_TOO_OLD = (
    "需要 Python 3.11 或更新的版本，{executable} 是 {version}。 "
    "Python 3.11 or newer is needed and {executable} is {version}: "
    "install one and name it, for example `make serve PYTHON=python3.12`."
)
_NO_VENV = (
    "这个 Python 缺少 venv 模块。 This Python cannot make virtual environments: "
    "on Debian and Ubuntu run `apt-get install python3-venv`, then try again."
)
_NO_COMPILER = (
    "没有 C++ 编译器，无法编译 llama-cpp-python。 llama-cpp-python has to be compiled and there is no C++ compiler: "
    "install one (Debian and Ubuntu: `apt-get install g++`; macOS: `xcode-select --install`), or take one of two ways out: "
    "(1) a prebuilt wheel of version {version}: `make serve LLAMA_WHEEL=FILE.whl`, or a folder or index that has it; "
    "(2) an OpenAI-compatible server: `make serve LLAMA_WHEEL=none ASSISTANT_LLM_URL=http://HOST:PORT/v1`."
)
_COMPILING = (
    "从源码编译 llama-cpp-python，双核约需 5 到 8 分钟，只需一次。 "
    "Compiling llama-cpp-python from source: 5 to 8 minutes on two cores, once."
)
_FAILED = "安装失败，完整记录见 {log}。 Set-up failed in `{command}`; all that it said is in {log}:\n{tail}"
_FAILED_COMPILING = (
    "\n编译失败，可改用预编译的 wheel。 The compilation failed (out of memory?); "
    "a prebuilt wheel needs none: `make serve LLAMA_WHEEL=FILE.whl`."
)


class SetupError(Exception):
    """Something that the person at the keyboard can put right; its text is shown as it is."""


def main(arguments: list[str]) -> int:
    """Make or refresh the virtual environment; 0 where it is ready, 1 after one clear sentence where it is not."""
    parser = argparse.ArgumentParser(description="Make .venv and install the locked packages into it.")
    parser.add_argument("--dev", action="store_true", help="also what tests and lint need")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        check_python(sys.version_info[:3], sys.executable)
        make_environment(VENV)
        install(VENV, LOCKS / ("dev.lock" if options.dev else "runtime.lock"), os.environ.get("LLAMA_WHEEL", ""))
    except SetupError as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("已中止，再次运行会接着装。 Stopped; run the same again to go on.")
        return 130
    say("准备就绪，用时 {0}。 Ready after {0}.".format(clock(time.monotonic() - started)))
    return 0


def check_python(version: tuple[int, ...], executable: str) -> None:
    """Refuse a Python that is too old."""
    if version < _OLDEST:
        raise SetupError(_TOO_OLD.format(executable=executable, version=".".join(str(part) for part in version)))


def make_environment(venv: Path) -> None:
    """Make the virtual environment, unless it is there and its Python runs."""
    if runs([str(python_of(venv)), "-c", "import pip"]):
        return
    if not runs([sys.executable, "-c", "import venv, ensurepip"]):
        raise SetupError(_NO_VENV)
    say(f"创建 {venv.name}。 Making {venv.name}.")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise SetupError(_NO_VENV + "\n" + made.stdout.strip())


def install(venv: Path, lock: Path, llama_wheel: str) -> None:
    """Install pip itself, the locked packages and this program; with ``llama_wheel="none"`` no local language model."""
    pip = [str(python_of(venv)), "-m", "pip", "-v", "install"]
    LOG.write_text("", encoding="utf-8")
    # The pip that came with Python may be too old to reuse a wheel that it built from a hashed source.
    follow([*pip, "--require-hashes", "-r", str(LOCKS / "setup.lock")])
    if llama_wheel == "none":
        lock = write_lock_without(lock, _LLAMA, venv / "without-llama.lock")
    else:
        prepare_llama(venv, pip, llama_wheel, locked_version(lock, _LLAMA))
    say("安装依赖包，首次约需下载 300 MB。 Installing the packages; the first time about 300 MB are downloaded.")
    constraints = str(LOCKS / "build.lock")
    follow([*pip, "--require-hashes", "--build-constraint", constraints, "-r", str(lock)])
    follow([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def prepare_llama(venv: Path, pip: list[str], wheel: str, version: str) -> None:
    """Install the prebuilt wheel where one is given; else make sure that the compilation can begin."""
    if wheel:
        follow([*pip, "--no-deps", *wheel_arguments(wheel, version)])
    if not has_llama(venv, version) and find_compiler() is None:
        raise SetupError(_NO_COMPILER.format(version=version))


def write_lock_without(lock: Path, name: str, target: Path) -> Path:
    """Write a lock that leaves one package out; gives the target."""
    block = rf"(?m)^{re.escape(name)}==.*\n(?:[ \t].*\n)*"
    target.write_text(re.sub(block, "", lock.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def wheel_arguments(where: str, version: str) -> list[str]:
    """Give pip's arguments for a prebuilt wheel: a file, a folder or an index."""
    if where.endswith(".whl"):
        return [where]
    source = ["--no-index", "--find-links"] if Path(where).is_dir() else ["--index-url"]
    return [*source, where, "--only-binary", _LLAMA, f"{_LLAMA}=={version}"]


def has_llama(venv: Path, version: str) -> bool:
    """Whether nothing is left to compile: the locked version is installed, or pip kept its wheel from before."""
    python = str(python_of(venv))
    installed = f"import importlib.metadata as m, sys; sys.exit(m.version('{_LLAMA}') != '{version}')"
    if runs([python, "-c", installed]):
        return True
    kept = subprocess.run(
        [python, "-m", "pip", "cache", "list", "--format=abspath", f"llama_cpp_python-{version}"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
    )  # fmt: skip
    return kept.returncode == 0 and ".whl" in kept.stdout


def find_compiler() -> str | None:
    """Give the C++ compiler that the build would use, or None. On Windows the build looks for itself."""
    if os.name == "nt":
        return "cl"
    names = [os.environ.get("CXX", "").split(" ")[0], "c++", "g++", "clang++"]
    # macOS has a c++ that only says that the real one is missing; so it has to run.
    return next((name for name in names if name and shutil.which(name) and runs([name, "--version"])), None)


def follow(command: list[str], heartbeat: float = _HEARTBEAT) -> None:
    """Run a pip command, keep what it says in the log, and tell every few seconds how far it is."""
    progress = Progress()
    done = threading.Event()
    beat = threading.Thread(target=_tell, args=(progress, done, heartbeat), daemon=True)
    beat.start()
    try:
        with LOG.open("a", encoding="utf-8") as log:
            code = _read_through(command, progress, log.write)
    finally:
        done.set()
        beat.join()
    if code != 0:
        tail = "\n".join(progress.tail[-12:])
        hint = _FAILED_COMPILING if f"Failed building wheel for {_LLAMA}" in tail else ""
        raise SetupError(_FAILED.format(log=LOG, command=" ".join(command[1:5]) + " …", tail=tail) + hint)


def _read_through(command: list[str], progress: Progress, keep: Callable[[str], object]) -> int:
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_PROGRESS_BAR="off")
    # Reproducible-build tools set this; llama.cpp then leaves out every fast instruction of this processor.
    environment.pop("SOURCE_DATE_EPOCH", None)
    running = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", env=environment, cwd=str(ROOT),
    )  # fmt: skip
    assert running.stdout is not None
    with running, running.stdout as lines:
        for line in lines:
            keep(line)
            if progress.read(line):
                say(_COMPILING)
    return running.returncode


def _tell(progress: Progress, done: threading.Event, heartbeat: float) -> None:
    started = time.monotonic()
    while not done.wait(heartbeat):
        say(f"  {clock(time.monotonic() - started)} {progress.now}")


class Progress:
    """What pip is doing just now, read from its verbose output."""

    _STEPS = (
        (
            re.compile(r"^\s*(?:Collecting|Processing) (?:\S*/)?([A-Za-z0-9_.-]+?)(?:==|>|<|\s|$)"),
            "下载 downloading {}",
        ),
        (re.compile(r"^\s*Building wheel for (\S+)"), "编译 compiling {}"),
        (re.compile(r"^\s*\[(\d+/\d+)\] "), "编译 compiling " + _LLAMA + ", step {}"),
        (re.compile(r"^\s*(Installing collected packages)"), "安装 installing"),
    )

    def __init__(self) -> None:
        self.now = "启动 starting"
        self.tail: list[str] = []

    def read(self, line: str) -> bool:
        """Take in one line; True where it says that the long compilation begins."""
        if line.strip() and not line.startswith("WARNING: Location"):
            self.tail = [*self.tail[-40:], line.rstrip()]
        for pattern, text in self._STEPS:
            found = pattern.match(line)
            if found:
                self.now = text.format(found.group(1))
                break
        return bool(re.match(rf"^\s*Building wheel for {_LLAMA} .*started", line))


def locked_version(lock: Path, name: str) -> str:
    """Give the version that a lock holds of a package."""
    found = re.search(rf"(?m)^{re.escape(name)}==(\S+)", lock.read_text(encoding="utf-8"))
    if found is None:
        raise SetupError(f"{lock.name} 里没有 {name}。 {lock.name} does not hold {name}: run `make lock`.")
    return found.group(1)


def python_of(venv: Path) -> Path:
    """Give the Python of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def runs(command: list[str]) -> bool:
    """Whether a command can be started and succeeds."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def clock(seconds: float) -> str:
    """Write a duration as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def say(text: str) -> None:
    """Show a line at once, whatever the terminal can print."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
