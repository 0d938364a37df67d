"""A request -> whose it is: a random name in a cookie of this browser, made when a page is opened for the first time.

The page has no login and is served on this machine only. The cookie keeps the conversations of two people apart who use
two accounts, or two browsers, of one machine; scripts cannot read it and no other site can send it. It is all that leads
to the conversations: whoever deletes it no longer finds them, and they can be deleted with the file that holds them.
The history knows a checksum of the cookie only, so that reading the file does not let one open the page as another.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from starlette.responses import Response

COOKIE = "policy_assistant_owner"
_AGE = 400 * 24 * 3600  # seconds; browsers keep none for longer
_TOKEN = re.compile(r"[0-9a-f]{64}")


def read_owner(cookies: Mapping[str, str]) -> str:
    """Give the owner's name in the history; empty where the cookie is missing or not of our making."""
    token = cookies.get(COOKIE, "")
    return hashlib.sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else ""


def give_cookie(response: Response) -> Response:
    """Give this browser a new name."""
    response.set_cookie(COOKIE, secrets.token_hex(32), max_age=_AGE, path="/", httponly=True, samesite="strict")
    return response
