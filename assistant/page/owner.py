"""A request -> whose it is: the user who logged in, or a random name in a cookie of this browser.

Where there is a login, the conversations are the user's, in whatever browser. Where there is none, the page is served on
this machine only, and the cookie, made when a page is opened for the first time, keeps the conversations of two people
apart who use two accounts, or two browsers, of one machine; scripts cannot read it and no other site can send it. It is
all that leads to the conversations: whoever deletes it no longer finds them, and they can be deleted with the file that
holds them. The history knows a checksum of the cookie only, so that reading the file does not let one open the page as
another.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.responses import Response

from assistant.users import name_owner

COOKIE = "policy_assistant_owner"
USER = "policy_assistant.user"  # where the gate says in a request who asks; no client can
_AGE = 400 * 24 * 3600  # seconds; browsers keep none for longer
_TOKEN = re.compile(r"[0-9a-f]{64}")


def find_owner(request: HTTPConnection) -> str:
    """Give the owner's name in the history; empty where nobody is known."""
    user = request.scope.get(USER)
    return name_owner(user) if user else read_owner(request.cookies)


def read_owner(cookies: Mapping[str, str]) -> str:
    """Give the owner's name in the history; empty where the cookie is missing or not of our making."""
    token = cookies.get(COOKIE, "")
    return hashlib.sha256(token.encode()).hexdigest() if _TOKEN.fullmatch(token) else ""


def give_cookie(response: Response) -> Response:
    """Give this browser a new name."""
    response.set_cookie(COOKIE, secrets.token_hex(32), max_age=_AGE, path="/", httponly=True, samesite="strict")
    return response
