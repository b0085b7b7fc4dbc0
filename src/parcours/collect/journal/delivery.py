"""A delivery: one accepted request, exactly as it was received."""

from __future__ import annotations

from typing import Final

import msgspec

BATCH: Final = "batch"
"""The kind of an envelope that holds its events under ``batch``."""

ROWS: Final = "rows"
"""The kind of a JSON array of flat objects, which the source's own mapping turns into events."""

CALLS: Final = ("identify", "track", "page", "screen", "group", "alias")
"""The kinds of a single event: Segment's six calls."""


class Delivery(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one request brought.

    Attributes:
        source: The source that the write key (or the connector) belongs to.
        kind: `BATCH`, `ROWS` or one of `CALLS`.
        received_ms: When it was received, in epoch milliseconds.
        address: The client's address, empty when unknown.
        body: JSON as received, inflated.
    """

    source: str
    kind: str
    received_ms: int
    address: str
    body: bytes
