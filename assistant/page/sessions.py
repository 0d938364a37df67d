"""Logged-in visitors of the page: a random token in a cookie <-> whose it is, kept on the server until it ends.

Only the hash of a token is kept, in memory: a restart ends all. A session ends when it was not used for half a day,
after a week, by logging out, and as soon as its user is removed or has another password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from assistant.errors import InputInvalid
from assistant.users import Secret, Watched

IDLE = 12 * 3600.0  # seconds
OLDEST = 7 * 24 * 3600.0  # seconds
_EACH = 20  # sessions of one user; the oldest ends
_TOKEN = 43  # characters


@dataclass(slots=True)
class _Session:
    user: str
    secret: Secret
    began: float
    used: float


@dataclass(eq=False)
class Sessions:
    """The open sessions; safe for any number of threads."""

    users: Watched
    clock: Callable[[], float] = time.monotonic
    _open: dict[bytes, _Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def begin(self, user: str, secret: Secret) -> str:
        """Open a session for a user who has just shown the password behind ``secret``; gives the token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            now = self.clock()
            for key in [k for k, s in self._open.items() if not self._is_fresh(s, now)]:
                del self._open[key]
            theirs = [k for k, s in self._open.items() if s.user == user]
            for key in theirs[: max(0, len(theirs) - _EACH + 1)]:
                del self._open[key]
            self._open[_digest(token)] = _Session(user, secret, now, now)
        return token

    def find(self, token: str, *, used: bool = True) -> str | None:
        """Give whose session this is, ``None`` where there is none (any more); ``used`` where a person asked."""
        if len(token) != _TOKEN:
            return None
        key = _digest(token)
        with self._lock:
            session, now = self._open.get(key), self.clock()
            if session is None:
                return None
            if not self._is_fresh(session, now):
                del self._open[key]
                return None
            try:
                current = self.users.read().get(session.user)
            except InputInvalid:  # nobody is known while the file cannot be read; whoever repairs it, repairs this
                return None
            if current != session.secret:
                del self._open[key]
                return None
            if used:
                session.used = now
            return session.user

    def end(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._open.pop(_digest(token), None)

    def name_visit(self, user: str, chosen: str) -> str:
        """Give a user's own name for what their browser calls its session, so that no two users ever share one.

        The browser chooses that name, and the framework keeps under it what is being said. Nobody else can make
        the name that comes out, as its key never leaves this process.
        """
        return hmac.digest(self._key, f"{user}\0{chosen}".encode("utf-8", "surrogatepass"), "sha256").hex()

    def _is_fresh(self, session: _Session, now: float) -> bool:
        return now - session.used < IDLE and now - session.began < OLDEST


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
