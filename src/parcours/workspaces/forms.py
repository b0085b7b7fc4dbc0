"""Forms that change something: a token that only the page in this session can hold, and where it must come from."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from parcours.workspaces.signing_in.asking import session_seal

FORM_TYPE = "application/x-www-form-urlencoded"
MOST_BYTES = 8 * 1024
VALID_S = 12 * 3_600
_MOST_FIELDS = 8
_secret = secrets.token_bytes(32)


class RefusedError(Exception):
    """The form was not sent by a page of ours, or too long ago; ``key`` names the sentence that says so."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def sign(form: str, *values: str, now_s: float | None = None) -> str:
    """Return the token of ``form`` with ``values``: this process alone can make it, for the session that asks.

    It holds for twelve hours.
    """
    made = int(time.time() if now_s is None else now_s)
    return f"{made}.{_digest(form, values, made)}"


def check(token: str, form: str, *values: str, valid_s: int = VALID_S, now_s: float | None = None) -> bool:
    """Say whether ``token`` is one that `sign` made for this form and these values, not too long ago."""
    made, _, digest = token.partition(".")
    if not (made.isascii() and made.isdigit() and len(made) < 12):
        return False
    now = time.time() if now_s is None else now_s
    right = hmac.compare_digest(digest.encode("utf-8", "replace"), _digest(form, values, int(made)).encode())
    return right and 0 <= now - int(made) <= valid_s


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that a page of ours sent.

    Raises:
        RefusedError: it comes from elsewhere, is too large, or is no form of ours.
    """
    if not is_own(request.headers):
        raise RefusedError("error.foreign_form")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise RefusedError("error.no_form")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise RefusedError("error.no_form")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RefusedError("error.no_form") from None
    if len(dict(pairs)) != len(pairs):
        raise RefusedError("error.no_form")
    return dict(pairs)


async def read_checked(request: Request, form: str, *named: str) -> dict[str, str]:
    """Return the fields of ``form``, whose field ``token`` is what `sign` made of the values of its fields ``named``.

    A named field that was not sent is there, empty.

    Raises:
        RefusedError: as `read_form`, or the token is none of this session, too old, or of other values.
    """
    fields = await read_form(request)
    fields |= {name: fields.get(name, "") for name in named}
    if not check(fields.get("token", ""), form, *(fields[name] for name in named)):
        raise RefusedError("error.old_form")
    return fields


def is_own(headers: Mapping[str, str]) -> bool:
    """Say whether a request was made by a page of this very server: browsers say so, and no page can forge it.

    A proxy may speak another scheme to the browser than to us, so the name and port alone are compared.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:
        return False
    host = headers.get("host", "").lower()
    return bool(host) and origin.scheme in ("http", "https") and origin.netloc.lower() == host


def _digest(form: str, values: tuple[str, ...], made: int) -> str:
    told = "\x00".join((form, session_seal(), str(made), *(f"{len(value)}:{value}" for value in values)))
    return hmac.new(_secret, told.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
