"""The cookies: one holds a session, one ties the sign-in page to its browser, one is the way to a provider and back."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION, VISIT, WAY = "parcours", "parcours_visit", "parcours_way"
VISIT_S = 15 * 60


def name_cookie(kind: str, asked: HTTPConnection, secure: bool) -> str:
    """Return the name of a cookie for the address that was asked.

    Cookies do not tell ports apart, so the name does: two companies may be served on one machine. Over TLS the prefix
    keeps every other host and path from setting it (RFC 6265bis, 4.1.3.2).
    """
    port = asked.headers.get("host", "").rpartition(":")[2]
    own = f"{kind}_{port}" if port.isascii() and port.isdigit() and len(port) < 6 else kind
    return f"__Host-{own}" if secure else own


def read_cookie(kind: str, asked: HTTPConnection, secure: bool) -> str:
    """Return what a cookie holds, nothing when it was not sent."""
    return asked.cookies.get(name_cookie(kind, asked, secure), "")


def set_cookie(answer: Response, kind: str, asked: HTTPConnection, secure: bool, value: str) -> None:
    """Set a cookie that no script reads, no other site sends, and the browser forgets when it is closed.

    Lax and not Strict: whoever comes by a link of a mail, or back from a provider, is still signed in.
    """
    name, age = name_cookie(kind, asked, secure), None if kind == SESSION else VISIT_S
    answer.set_cookie(name, value, max_age=age, path="/", secure=secure, httponly=True, samesite="lax")


def drop_cookie(answer: Response, kind: str, asked: HTTPConnection, secure: bool) -> None:
    """Have the browser forget a cookie."""
    name = name_cookie(kind, asked, secure)
    answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
