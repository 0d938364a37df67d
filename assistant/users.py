"""A file of users <-> names and the scrypt hashes of their passwords; and whether a password is a user's.

One line a user: ``name:$scrypt$ln=15,r=8,p=3$salt$hash``, both in base64, so that the cost can grow without a new form.
Each change is written beside the file and put in its place whole, under a lock, readable by its owner alone.
Standard library and ``filelock`` only.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
import tempfile
import threading
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import InputInvalid

SHORTEST, LONGEST = 8, 256  # characters of a password
_NAME = re.compile(r"[\w.@-]{1,64}")
_HASH = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)")
_SALT, _DIGEST = 16, 32  # bytes
_MEMORY = 128 * 2**20  # bytes that one hash may take; a file that asks for more is not one of ours
_PATIENCE = 10.0  # seconds that a command waits for another one
_HEAD = "# 政策文件助手的用户 users of the policy assistant: assistant user add NAME --auth-file FILE\n"


@dataclass(frozen=True, slots=True)
class Cost:
    """How much work one hash is: by OWASP's sheet as strong as 2**17, 8, 1, with a quarter of its memory (32 MiB)."""

    log_n: int = 15
    block: int = 8
    lanes: int = 3

    @property
    def memory(self) -> int:
        """Give the bytes that one hash takes."""
        return 128 * self.block * ((1 << self.log_n) + self.lanes + 2)


@dataclass(frozen=True, slots=True)
class Secret:
    """What is kept of a password."""

    cost: Cost
    salt: bytes
    digest: bytes

    def write(self) -> str:
        """Give the form in which it stands in the file."""
        salt, digest = (base64.b64encode(value).decode("ascii") for value in (self.salt, self.digest))
        return f"$scrypt$ln={self.cost.log_n},r={self.cost.block},p={self.cost.lanes}${salt}${digest}"


Users = Mapping[str, Secret]


def hash_password(password: str, cost: Cost = Cost()) -> Secret:
    """Hash a password with a salt of its own."""
    salt = secrets.token_bytes(_SALT)
    return Secret(cost, salt, _derive(password, cost, salt, _DIGEST))


def fits(password: str, secret: Secret) -> bool:
    """Whether this is the password; takes as long where it is not."""
    digest = _derive(password[:LONGEST], secret.cost, secret.salt, len(secret.digest))
    return hmac.compare_digest(digest, secret.digest)


def stand_in(users: Users) -> Secret:
    """Give what no password fits, for names that nobody has: refusing those takes as long as refusing others."""
    cost = max((secret.cost for secret in users.values()), key=lambda c: c.memory * c.lanes, default=Cost())
    return Secret(cost, secrets.token_bytes(_SALT), secrets.token_bytes(_DIGEST))


def _derive(password: str, cost: Cost, salt: bytes, length: int) -> bytes:
    # what is typed in full width, or put together from other code points, is the same password
    text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    n, most = 1 << cost.log_n, cost.memory + 2**20
    return hashlib.scrypt(text, salt=salt, n=n, r=cost.block, p=cost.lanes, maxmem=most, dklen=length)


def clean_name(name: str) -> str:
    """Give a name as it stands in the file: the same, however it was typed."""
    return unicodedata.normalize("NFKC", name).strip()


def name_owner(name: str) -> str:
    """Give a user's name in the history of conversations; no cookie leads to it, whatever it holds."""
    return f"user:{name}"


def check_name(name: str) -> str:
    """Give a name that may be a user's, or ``InputInvalid``."""
    cleaned = clean_name(name)
    if not _NAME.fullmatch(cleaned):
        raise InputInvalid(
            "用户名只能用 1 到 64 个字母、汉字、数字和 . _ - @，请换一个。 "
            "A user's name has 1 to 64 letters, digits or . _ - @; choose another."
        )
    return cleaned


def check_password(password: str, name: str) -> str:
    """Give a password that may be set, or ``InputInvalid``; length counts, rules about its signs do not help."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputInvalid(
            f"密码有 {len(password)} 个字符，应为 {SHORTEST} 到 {LONGEST} 个；请换一个。 "
            f"The password has {len(password)} characters, {SHORTEST} to {LONGEST} are allowed; choose another."
        )
    if password.casefold() == name.casefold() or len(set(password)) == 1:
        raise InputInvalid(
            "密码太容易猜：不能是用户名，也不能只有一种字符。 "
            "The password is too easy to guess: neither the name nor one sign only."
        )
    return password


def read_users(path: Path) -> dict[str, Secret]:
    """Read a file of users; ``InputInvalid`` where it is missing, cannot be read or a line is none of ours."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputInvalid(
            f"没有用户文件 {path}；先添加用户：assistant user add NAME --auth-file {path}。 "
            f"There is no file of users {path}; add one: assistant user add NAME --auth-file {path}."
        ) from None
    except OSError as problem:
        raise InputInvalid(f"读不了用户文件 {path}：{problem.strerror}。 {path} cannot be read.") from problem
    except UnicodeDecodeError as problem:
        raise InputInvalid(f"{path} 不是 UTF-8 文本。 {path} is not text in UTF-8.") from problem
    return _read_lines(text, path)


def _read_lines(text: str, path: Path) -> dict[str, Secret]:
    """Read the lines that are no comment; ``InputInvalid`` with the number of one that is no user either."""
    users: dict[str, Secret] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        secret = _read_secret(rest)
        if secret is None or name != clean_name(name) or not _NAME.fullmatch(name) or name in users:
            why = ("同名用户已在前面", "that user stands above already") if name in users else ("不是用户", "no user")
            raise InputInvalid(
                f"{path} 第 {number} 行{why[0]}；请删去这一行，再用 assistant user add 添加。 "
                f"{path}, line {number}: {why[1]}; delete the line and use `assistant user add`."
            )
        users[name] = secret
    return users


def _read_secret(text: str) -> Secret | None:
    found = _HASH.fullmatch(text)
    if found is None:
        return None
    cost = Cost(*(int(found[i]) for i in (1, 2, 3)))
    try:
        salt, digest = (base64.b64decode(found[i], validate=True) for i in (4, 5))
    except binascii.Error:
        return None
    sound = 10 <= cost.log_n <= 20 and cost.block and cost.lanes and cost.memory <= _MEMORY + 2**20
    return Secret(cost, salt, digest) if sound and len(salt) >= 8 and 16 <= len(digest) <= 64 else None


def check_user(path: Path, name: str, *, change: bool) -> str:
    """Give the name of a user who can be added, or with ``change`` is there; ``InputInvalid`` otherwise."""
    name = check_name(name)
    _check_known(name, read_users(path) if path.exists() else {}, change=change)
    return name


def _check_known(name: str, users: Users, *, change: bool) -> None:
    if (name in users) != change:
        raise InputInvalid(
            f"没有用户 {name}，不能换密码。 There is no user {name} whose password could be changed."
            if change
            else f"用户 {name} 已存在；要换密码请加 --change。 There is a user {name}; --change sets a new password."
        )


def add_user(path: Path, name: str, password: str, *, change: bool = False) -> None:
    """Add a user, or with ``change`` give one a new password, which ends what was opened with the old one."""
    name = check_name(name)
    secret = hash_password(check_password(password, name))
    with _changing(path) as users:
        _check_known(name, users, change=change)
        users[name] = secret


def remove_user(path: Path, name: str) -> None:
    """Remove a user; what they have open ends with it."""
    with _changing(path) as users:
        if users.pop(clean_name(name), None) is None:
            raise InputInvalid(f"{path} 里没有用户 {name}。 There is no user {name} in {path}.")


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[dict[str, Secret]]:
    """Give the users to change, and write them in place of the file where that went well."""
    path = path.resolve()
    if not path.parent.is_dir():
        raise InputInvalid(f"没有文件夹 {path.parent}。 There is no folder {path.parent}.")
    try:
        with FileLock(f"{path}.lock", timeout=_PATIENCE, mode=0o600):
            users = read_users(path) if path.exists() else {}
            yield users
            _write(path, _HEAD + "".join(f"{name}:{secret.write()}\n" for name, secret in users.items()))
    except Timeout:
        raise InputInvalid(
            f"另一个命令正在修改 {path}，请稍后再试。 Another command is changing {path}; try again later."
        ) from None


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable by its owner alone
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def find_readers(path: Path) -> str | None:
    """Say that others on this machine may read the file; ``None`` where they may not."""
    if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        return f"本机其他用户也能读写 {path}；建议 chmod 600。 Others on this machine can open {path}: chmod 600."
    return None


class Watched:
    """A file of users as it is now: read again where it has changed. May be used from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._mark: tuple[int, int, int] | None = None
        self._users: dict[str, Secret] = {}
        self._problem: InputInvalid | None = None
        if not self.read():
            raise InputInvalid(
                f"{path} 里还没有用户；先添加：assistant user add NAME --auth-file {path}。 "
                f"There is no user in {path} yet; add one: assistant user add NAME --auth-file {path}."
            )

    def read(self) -> Users:
        """Give the users; ``InputInvalid`` while the file cannot be read, so that nobody is let in by an old one."""
        with self._lock:
            return self._read()

    def _read(self) -> Users:
        try:
            facts = self._path.stat()
            mark = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        except OSError:
            mark = (0, 0, 0)
        if mark != self._mark:
            self._mark, self._problem = mark, None
            try:
                self._users = read_users(self._path)
            except InputInvalid as problem:
                self._problem = problem
        if self._problem is not None:
            raise self._problem
        return self._users
