"""What goes back: codes, bodies and headers, made once and sent many times."""

from __future__ import annotations

import base64
import secrets
from http import HTTPStatus
from typing import Any, TypeAlias

import msgspec

Send: TypeAlias = Any
Pairs: TypeAlias = list[tuple[bytes, bytes]]

ALLOWED_HEADERS = (
    b"authorization, content-type, content-encoding, x-retry-count, x-write-key, x-requested-with, anonymousid"
)
_JSON = (b"content-type", b"application/json")
_CORS: Pairs = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"Retry-After")]
_PREFLIGHT: Pairs = [
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
    (b"access-control-allow-headers", ALLOWED_HEADERS),
    (b"access-control-max-age", b"7200"),
    (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
]
_NO_STORE = (b"cache-control", b"no-store")
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
SUCCESS = b'{"success":true}'
LONGEST_RETRY_S = 10


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A whole answer, ready to be sent."""

    status: int
    headers: Pairs
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def _answer(status: int, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, [*headers, *_CORS, (b"content-length", b"%d" % len(body))], body)


ACCEPTED = _answer(200, SUCCESS, _JSON)
PREFLIGHT = Answer(200, [*_PREFLIGHT, *_CORS, (b"content-length", b"0")], b"")
PIXEL = _answer(200, GIF, (b"content-type", b"image/gif"), (b"cache-control", b"no-store, max-age=0"))


def answer_json(value: object, status: int = 200) -> Answer:
    """Return ``value`` as a JSON answer that nobody keeps."""
    return _answer(status, msgspec.json.encode(value), _JSON, _NO_STORE)


def refuse(status: int, code: str, message: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an error in the contract's shape: an object with ``code`` and ``message``; SDKs fail on anything else."""
    body = msgspec.json.encode({"success": False, "code": code, "message": message})
    return _answer(status, body, _JSON, *headers)


def write_refusal(status: int, code: str, message: str) -> bytes:
    """Return a whole answer as it goes over the wire, for a connection that never came to a request."""
    answer = refuse_and_close(status, code, message)
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [name + b": " + value for name, value in answer.headers]
    return b"\r\n".join([*lines, b"", answer.body])


def refuse_and_close(status: int, code: str, message: str) -> Answer:
    """Return an error after which the connection ends, for what is still on its way will not be read."""
    return refuse(status, code, message, (b"connection", b"close"))


def ask_to_wait(status: int, code: str, message: str, close: bool = False) -> Answer:
    """Return 429 or 503 with a ``Retry-After`` in whole seconds, spread so that not all come back at once."""
    wait_s = b"%d" % (1 + secrets.randbelow(LONGEST_RETRY_S))
    ending = ((b"connection", b"close"),) if close else ()
    return refuse(status, code, message, (b"retry-after", wait_s), *ending)


def refuse_method(methods: tuple[str, ...]) -> Answer:
    """Return 405 with the methods that the address takes."""
    return refuse(405, "method_not_allowed", "This address does not take this method.", _allow(methods))


def _allow(methods: tuple[str, ...]) -> tuple[bytes, bytes]:
    return b"allow", ", ".join(methods).encode()


NOT_FOUND = refuse(404, "not_found", "There is nothing at this address.")
UNKNOWN_KEY = refuse(401, "invalid_write_key", "The write key is missing or unknown.")
EVENT_TOO_LARGE = refuse(400, "event_too_large", "The event is over the size that this source may send.")
BODY_TOO_LARGE = refuse_and_close(400, "body_too_large", "The body is over the size that this source may send.")
CUT_SHORT = refuse_and_close(408, "body_cut_short", "The body did not come within the time allowed.")
FAILED = refuse(500, "internal", "Something went wrong here; send it again.")
WRONG_HOST = refuse(421, "host_not_served", "This host name is not served here.")
EVENT_REFUSED = refuse(403, "event_refused", "This key does not send events of such a name.")
WRONG_ORIGIN = refuse(403, "origin_refused", "This source does not take events from this origin.")
