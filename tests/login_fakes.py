"""A file of two users whose passwords are cheap to check, so that tests of what stands behind a login are quick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assistant.users import Cost, Watched, hash_password

PASSWORDS = {"甲": "第一个人的密码", "bob": "the second one's password"}
CHEAP = Cost(log_n=10, block=8, lanes=1)


def write_users(path: Path, passwords: dict[str, str] | None = None) -> Path:
    """Write a file of users as ``assistant user add`` does, but for the cost."""
    lines = [f"{name}:{hash_password(word, CHEAP).write()}\n" for name, word in (passwords or PASSWORDS).items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def watch_users(folder: Path) -> Watched:
    """The two users, in a file of this folder."""
    return Watched(write_users(folder / "users"))


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
