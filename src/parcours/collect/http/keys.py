"""Who sends: the write key of a request, wherever it stands, and the source that it belongs to."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256

import msgspec

EVENT_BYTES = 32 * 1024
BODY_BYTES = 500 * 1024
RUDDERSTACK_BYTES = 4_000 * 1024
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512
_MASKED = "***"


class Sender(msgspec.Struct, frozen=True):
    """A write key as the collector knows it: its source, the sizes in bytes that its SDKs keep to, and its terms.

    Attributes:
        source: What it sends for.
        event_bytes: How large an event may be.
        body_bytes: How large a request may be, inflated.
        origins: The origins that the source takes; any when empty, and a request may name none.
        key: The digest of the key.
        key_origins: The origins of which a request must name one.
        events: The names of the events that it may send; any when empty.
        names: What the events of calls other than track are called.
        per_second: How many events a second this worker takes of it; 0 for as many as come.
    """

    source: str
    event_bytes: int = EVENT_BYTES
    body_bytes: int = BODY_BYTES
    origins: tuple[str, ...] = ()
    key: str = ""
    key_origins: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    names: dict[str, str] = {}
    per_second: float = 0.0


def digest_key(write_key: str) -> str:
    """Return what is kept of a write key: with 256 random bits a plain hash cannot be turned round."""
    return sha256(write_key.encode("utf-8", "surrogatepass")).hexdigest()


class Senders:
    """The write keys in force, by their digests."""

    def __init__(self, by_digest: Mapping[str, Sender]) -> None:
        self._by_digest = dict(by_digest)
        self._by_header: dict[tuple[bytes, bytes], Sender] = {}
        self.most_bytes = max((sender.body_bytes for sender in by_digest.values()), default=BODY_BYTES)

    def named(self, write_key: str) -> Sender | None:
        """Return who has ``write_key``."""
        return self._by_digest.get(digest_key(write_key)) if write_key else None

    def in_headers(self, authorization: bytes, x_write_key: bytes) -> tuple[bool, Sender | None]:
        """Return whether a header carries a key at all, and whose it is.

        A bearer token is no write key: with OAuth the key stands in the body.
        """
        if not authorization and not x_write_key:
            return False, None
        place = (authorization, x_write_key)
        if place in self._by_header:
            return True, self._by_header[place]
        keys = _basic_keys(authorization) or (x_write_key.decode("latin-1").strip(),)
        if not keys[0]:
            return False, None
        sender = next((sender for key in keys if (sender := self.named(key)) is not None), None)
        # What is long or unknown is anybody's invention: remembering it would fill the memory.
        if sender is not None and len(authorization) + len(x_write_key) < _LONGEST_REMEMBERED:
            if len(self._by_header) > _MOST_REMEMBERED:
                self._by_header.clear()
            self._by_header[place] = sender
        return True, sender

    def in_body(self, write_key: object) -> Sender | None:
        """Return who has the key that a body carries; Jitsu masks it there, for it stands in a header too."""
        if not isinstance(write_key, str) or write_key == _MASKED:
            return None
        return self.named(write_key)


def _basic_keys(authorization: bytes) -> tuple[str, ...]:
    """Return the keys that a Basic header may mean: its name, else all of it, for Jitsu's keys have a colon."""
    scheme, _, coded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ()
    try:
        plain = base64.b64decode(coded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ()
    name, _, _ = plain.partition(":")
    return (name, plain.removesuffix(":")) if name else ()
