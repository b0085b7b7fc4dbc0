"""One request to a provider: https or the loopback, bounded in time and bytes, redirects and proxies not followed."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

TIMEOUT_S: Final = 10.0
MOST_BYTES: Final = 256 * 1024


class AwayError(Exception):
    """The provider does not answer, or not as a provider does."""


def fetch(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object that ``url`` answers with; with ``body`` it is posted.

    Raises:
        AwayError: no address that may be asked, no answer in time, no 200, or no JSON object.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise AwayError("neither https nor the loopback")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connect(parts.scheme, host, parts.port)
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, target, body, {"Accept": "application/json", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES + 1)
        if answer.status != 200 or len(content) > MOST_BYTES:
            raise AwayError(f"status {answer.status}")
        return msgspec.json.decode(content, type=dict[str, Any])
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
        raise AwayError(type(fault).__name__) from fault
    finally:
        connection.close()


def _connect(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
