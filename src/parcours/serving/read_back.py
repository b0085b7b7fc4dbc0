"""Read-back, for conformance checks alone: what was accepted in the last minutes, once each, as it was understood."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from threading import Lock
from typing import Any

import msgspec

from parcours.collect.compaction.reading import Read
from parcours.collect.rows import Ints

MOST_EVENTS = 20_000
KEPT_S = 900.0


class ReadBack:
    """The latest accepted events, by anonymousId; `parcours serve --read-back` alone keeps them.

    What waits in quarantine is not among them, nor is what came twice.
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
                if told is not None:
                    self._events.append((time.monotonic(), told))

    def find(self, anonymous_id: str) -> list[dict[str, Any]]:
        """Return the events of one ``anonymousId`` in the order in which they were accepted."""
        oldest = time.monotonic() - KEPT_S
        with self._turn:
            return [event for at, event in self._events if at > oldest and event.get("anonymousId") == anonymous_id]


def _tell(read: Read, row: int, times: dict[str, int | None]) -> dict[str, Any] | None:
    delivery = read.original(row)
    body = msgspec.json.decode(delivery.body)
    items = body.get("batch") if isinstance(body, dict) and "batch" in body else [body]
    if not items or not isinstance(items[0], dict):
        return None
    item, envelope = items[0], body if "batch" in body else {}
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
        "context": {**(envelope.get("context") or {}), **(item.get("context") or {})},
        "integrations": {**(envelope.get("integrations") or {}), **(item.get("integrations") or {})},
    }


def _write(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
