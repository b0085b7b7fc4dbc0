"""Read-back, for conformance checks alone: what was accepted in the last minutes, once each, as it was understood."""

from __future__ import annotations

import json
import time
from collections import deque
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from parcours.collect.compaction.reading import Read
from parcours.collect.rows import Ints

MOST_EVENTS = 20_000
KEPT_S = 900.0
PREFIX = "conform-"
"""How every ``anonymousId`` begins that the conformance suite sends."""


class ReadBack:
    """The latest accepted events of the conformance suite; `parcours serve --read-back` alone keeps them.

    Whoever has the token is nobody that the table of permissions knows: events of customers are not among them. What
    waits in quarantine is not among them, nor is what came twice.
    """

    def __init__(self) -> None:
        self._events: deque[tuple[float, dict[str, Any]]] = deque(maxlen=MOST_EVENTS)
        self._turn = Lock()

    def note(self, read: Read, rows: Ints) -> None:
        """Keep the events ``rows`` of what was read."""
        times = read.events.select(["occurred_ms", "original_ms", "sent_ms"]).to_pylist()
        with self._turn:
            for row in rows.tolist():
                told = _tell(read, row, times[row])
                if told is not None and str(told["anonymousId"]).startswith(PREFIX):
                    self._events.append((time.monotonic(), told))

    def find(self, anonymous_id: str) -> list[dict[str, Any]]:
        """Return the events of one ``anonymousId`` in the order in which they were accepted."""
        oldest = time.monotonic() - KEPT_S
        with self._turn:
            return [event for at, event in self._events if at > oldest and event.get("anonymousId") == anonymous_id]


def _tell(read: Read, row: int, times: dict[str, int | None]) -> dict[str, Any] | None:
    delivery = read.original(row)
    try:
        # The lenient reader: what is accepted may hold numbers that no double can.
        body = json.loads(delivery.body)
    except (ValueError, RecursionError):
        return None
    enveloped = isinstance(body, dict) and isinstance(body.get("batch"), list)
    item, envelope = (body["batch"][0], body) if enveloped else (body, {})
    if not isinstance(item, dict):
        return None
    return {
        "messageId": item.get("messageId") or f"{int(read.id_hash[row]):016x}",
        "type": item.get("type") or delivery.kind,
        "event": item.get("event") or item.get("name"),
        "userId": item.get("userId"),
        "anonymousId": item.get("anonymousId"),
        "timestamp": _write(times["occurred_ms"]),
        "originalTimestamp": _write(times["original_ms"]),
        "sentAt": _write(times["sent_ms"]),
        "receivedAt": _write(delivery.received_ms),
        "context": _merge(envelope.get("context"), item.get("context")),
        "integrations": _merge(envelope.get("integrations"), item.get("integrations")),
    }


def _merge(outer: Any, inner: Any) -> dict[str, Any]:
    """Return what an envelope and one of its events say, the event having the last word; only objects count."""
    return {**(outer if isinstance(outer, dict) else {}), **(inner if isinstance(inner, dict) else {})}


def _write(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
