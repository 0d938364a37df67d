"""Login attempts by name and by address -> how long the next one has to wait. Bounded memory, any number of threads.

An attempt counts as failed from the moment it begins, so that many at once cannot slip through before the first is
found wrong; one that succeeds clears its name. Names and addresses are counted in a fixed number of buckets, chosen
with a key of this process: nothing a stranger sends makes the table grow or pushes another's count out of it.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_BUCKETS = 4096


@dataclass(frozen=True, slots=True)
class Rule:
    """How many attempts are free, and how the wait grows after them."""

    free: int
    first: float  # seconds after the first that is not free; doubled by each further one
    longest: float  # seconds
    forget: float = 900.0  # seconds without an attempt after which all is forgotten


# A stranger who keeps failing with somebody's name keeps that person out for a minute at most; an address, behind which
# a whole office may stand, gets more attempts and waits longer.
NAME = Rule(free=4, first=2.0, longest=60.0)
ADDRESS = Rule(free=10, first=2.0, longest=600.0)


@dataclass(slots=True)
class _Count:
    failed: int = 0
    last: float = -math.inf
    until: float = -math.inf


@dataclass(eq=False)
class Attempts:
    """Who may try to log in now."""

    name_rule: Rule = NAME
    address_rule: Rule = ADDRESS
    clock: Callable[[], float] = time.monotonic
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _counts: dict[tuple[str, int], _Count] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, address: str) -> float:
        """Count an attempt and give 0, or give the seconds to wait, in which case nothing is to be tried."""
        keyed = (
            (self._find("name", name), self.name_rule),
            (self._find("address", _widen(address)), self.address_rule),
        )
        with self._lock:
            now = self.clock()
            wait = max(count.until - now for count, _ in keyed)
            if wait > 0:
                return wait
            for count, rule in keyed:
                if now - count.last > rule.forget:
                    count.failed = 0
                count.failed += 1
                count.last = now
                beyond = count.failed - rule.free
                if beyond >= 0:
                    count.until = now + min(rule.longest, rule.first * 2.0 ** min(beyond, 30))
            return 0.0

    def succeed(self, name: str, address: str) -> None:
        """Clear a name that its owner has shown to be theirs, and take back what this attempt cost the address."""
        of_name, of_address = self._find("name", name), self._find("address", _widen(address))
        with self._lock:
            of_name.failed, of_name.until = 0, -math.inf
            # not cleared: with one password of their own somebody could try another's for ever
            of_address.failed = max(0, of_address.failed - 1)
            if of_address.failed < self.address_rule.free:
                of_address.until = -math.inf

    def take_back(self, name: str, address: str) -> None:
        """Forget an attempt for which nothing was tried, and no other."""
        with self._lock:
            for count in (self._find("name", name), self._find("address", _widen(address))):
                count.failed, count.until = max(0, count.failed - 1), -math.inf

    def _find(self, kind: str, text: str) -> _Count:
        digest = hmac.digest(self._key, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), "sha256")
        return self._counts.setdefault((kind, int.from_bytes(digest[:4], "big") % _BUCKETS), _Count())


def _widen(address: str) -> str:
    """Take an IPv6 network for one address: whoever has one of its addresses has them all."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found if found.version == 4 else found.ipv4_mapped)
