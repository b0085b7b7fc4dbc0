"""What a request says of itself: the headers that matter, read in one pass, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from typing import Any

UNSAID_LENGTH = -1
_ADDRESS = re.compile(rb"[0-9a-fA-F:.%]{2,64}")


class Asked:
    """The headers of one request; what was not sent is empty, and ``length`` is `UNSAID_LENGTH`."""

    __slots__ = ("authorization", "encoding", "forwarded", "host", "length", "origin", "retried", "scheme", "write_key")

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.authorization = self.encoding = self.host = self.origin = self.write_key = b""
        self.forwarded = self.scheme = b""
        self.length = UNSAID_LENGTH
        self.retried = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.length = int(value) if value.isdigit() and len(value) < 19 else 1 << 62
            elif name == b"authorization":
                self.authorization = value
            elif name == b"host":
                self.host = value
            elif name == b"content-encoding":
                self.encoding = value.strip().lower()
            elif name == b"x-write-key":
                self.write_key = value
            elif name == b"origin":
                self.origin = value
            elif name == b"x-retry-count":
                self.retried = value not in (b"", b"0")
            elif name == b"x-forwarded-for":
                self.forwarded = value
            elif name == b"x-forwarded-proto":
                self.scheme = value


def name_of(host: bytes) -> str:
    """Return the name in a ``Host`` header, without its port, in small letters."""
    name = host.decode("latin-1").lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]


def find_address(scope: MutableMapping[str, Any], asked: Asked, forwarded: bool) -> str:
    """Return the client's address, empty when unknown.

    With ``forwarded``, a proxy of the company's own tells it: it has appended what it saw, and what stands before that
    is anybody's word.
    """
    if forwarded and asked.forwarded:
        seen = asked.forwarded.rpartition(b",")[2].strip()
        return seen.decode("ascii") if _ADDRESS.fullmatch(seen) else ""
    client = scope.get("client")
    return client[0] if client else ""


def is_secure(scope: MutableMapping[str, Any], asked: Asked, forwarded: bool) -> bool:
    """Return whether the client speaks TLS, to us or to the proxy that is believed."""
    if forwarded and asked.scheme:
        return asked.scheme.rpartition(b",")[2].strip().lower() == b"https"
    return scope.get("scheme") == "https"
