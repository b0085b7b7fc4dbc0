"""A port and an outbox in memory: for tests of connectors, ours and others'; what they hold dies with the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from parcours.collect.connectors.contract import Parcel, Unreadable
from parcours.errors import Fault


class MemoryPort:
    """A port that remembers what it was given.

    Args:
        reload: What a reload does; by default it is only counted.
        stop_after: Ask to stop after this many deliveries; never by itself when ``None``.
    """

    def __init__(self, reload: Callable[[], None] | None = None, stop_after: int | None = None) -> None:
        self.records: list[bytes] = []
        self.unreadable: list[Unreadable] = []
        self.cursors: list[bytes] = []
        self.deliveries = 0
        self.reloads = 0
        self.stop_after = stop_after
        self.before_delivery: Callable[[], None] | None = None
        self.after_delivery: Callable[[], None] | None = None
        self._reload = reload
        self._stop = threading.Event()

    def cursor(self) -> bytes | None:
        """Return the cursor of the last delivery."""
        return self.cursors[-1] if self.cursors else None

    def deliver(self, records: Sequence[bytes], cursor: bytes, unreadable: Sequence[Unreadable] = ()) -> None:
        """Keep all of it at once; the two hooks stand for a crash on either side of the commit."""
        if self.before_delivery:
            self.before_delivery()
        self.records += records
        self.unreadable += unreadable
        self.cursors.append(cursor)
        self.deliveries += 1
        if self.stop_after is not None and self.deliveries >= self.stop_after:
            self._stop.set()
        if self.after_delivery:
            self.after_delivery()

    def reload(self) -> None:
        """Count the reload, and do what the maker asked for."""
        if self._reload:
            self._reload()
        self.reloads += 1

    def ask_to_stop(self) -> None:
        """Ask the inlet to stop."""
        self._stop.set()

    def restart(self) -> None:
        """Be as after a restart: what was delivered and the cursor are there, and nobody asks to stop."""
        self._stop = threading.Event()
        self.deliveries, self.stop_after = 0, None
        self.before_delivery = self.after_delivery = None

    def stopping(self) -> bool:
        """Return whether the inlet has been asked to stop."""
        return self._stop.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until asked to stop."""
        return self._stop.wait(seconds)


class MemoryOutbox:
    """An outbox of lists, safe between threads."""

    def __init__(self) -> None:
        self.refused: dict[str, list[tuple[int, Fault]]] = {}
        self._waiting: dict[str, list[Parcel]] = {}
        self._lock = threading.Lock()
        self._number = 0

    def put(self, destination: str, message_id: str, body: bytes) -> int:
        """Append a parcel; return its number."""
        with self._lock:
            self._number += 1
            self._waiting.setdefault(destination, []).append(Parcel(self._number, message_id, body))
            return self._number

    def take(self, destination: str, limit: int) -> list[Parcel]:
        """Return the first parcels that wait."""
        with self._lock:
            return self._waiting.get(destination, [])[:limit]

    def done(self, destination: str, up_to_number: int) -> None:
        """Forget the parcels up to this number."""
        with self._lock:
            parcels = self._waiting.get(destination, [])
            self._waiting[destination] = [parcel for parcel in parcels if parcel.number > up_to_number]

    def refuse(self, destination: str, number: int, reason: Fault) -> None:
        """Set the head aside."""
        with self._lock:
            parcels = self._waiting.get(destination, [])
            self._waiting[destination] = [parcel for parcel in parcels if parcel.number != number]
            self.refused.setdefault(destination, []).append((number, reason))

    def waiting(self, destination: str) -> tuple[int, int | None]:
        """Return how many parcels wait; it keeps no clock, so none has an age."""
        with self._lock:
            return len(self._waiting.get(destination, [])), None
