"""One request to a provider: https or the loopback, bounded in time and bytes, redirects and proxies not followed."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from threading import Timer
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

TIMEOUT_S: Final = 10.0
LONGEST_S: Final = 20.0
"""After how long an answer that comes drop by drop is cut off."""
MOST_BYTES: Final = 256 * 1024


class AwayError(Exception):
    """The provider does not answer, or not as a provider does."""


def fetch(
    url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, loopback: bool = True
) -> dict[str, Any]:
    """Return the JSON object that ``url`` answers with; with ``body`` it is posted.

    Without ``loopback`` this machine's own addresses are not asked: whoever is elsewhere names none of them.

    Raises:
        AwayError: no address that may be asked, no answer in time, no 200, or no JSON object.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as fault:
        raise AwayError("no address") from fault
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback and is_loopback(host)):
        raise AwayError("neither https nor the loopback")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with closing(_connect(parts.scheme, host, port)) as connection, _cut_off(connection):
            method = "GET" if body is None else "POST"
            connection.request(method, target, body, {"Accept": "application/json", **(headers or {})})
            answer = connection.getresponse()
            content = answer.read(MOST_BYTES + 1)
            if answer.status != 200 or len(content) > MOST_BYTES:
                raise AwayError(f"status {answer.status}")
            return msgspec.json.decode(content, type=dict[str, Any])
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise AwayError(type(fault).__name__) from fault


@contextmanager
def _cut_off(connection: http.client.HTTPConnection) -> Iterator[None]:
    """Connect, and cut the line when the whole takes too long: each piece alone may still come in time."""
    connection.connect()
    watch = Timer(LONGEST_S, _cut, (connection.sock,))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _connect(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())


def _cut(channel: socket.socket) -> None:
    with suppress(OSError):
        channel.shutdown(socket.SHUT_RDWR)


def is_loopback(host: str) -> bool:
    """Return whether a name stands for this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
