"""What a collector counts about itself, and gives away once a second."""

from __future__ import annotations

import msgspec

BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500)


class SourceTally(msgspec.Struct):
    """What one source sent since the start: requests accepted, their events and bytes, those that were retries."""

    requests: int = 0
    events: int = 0
    bytes: int = 0
    retries: int = 0
    latest_ms: int = 0


class Tally(msgspec.Struct):
    """Counts of one worker since its start.

    ``keys`` say when each key last served, ``within`` are accepted requests by how long they took (`BOUNDS_MS`).
    """

    sources: dict[str, SourceTally] = {}
    keys: dict[str, int] = {}
    refused: dict[str, int] = {}
    pixels_lost: int = 0
    within: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    seconds: float = 0.0
    in_flight_bytes: int = 0
    connected: bool = False
    fault: str = ""

    def accept(self, source: str, events: int, size: int, retried: bool, now_ms: int, key: str = "") -> None:
        """Count one accepted request; ``key`` is the digest of the key that it came with."""
        if key:
            self.keys[key] = now_ms
        tally = self.sources.get(source)
        if tally is None:
            tally = self.sources[source] = SourceTally()
        tally.requests += 1
        tally.events += events
        tally.bytes += size
        tally.retries += retried
        tally.latest_ms = now_ms

    def refuse(self, code: str) -> None:
        """Count one refused request by its code."""
        self.refused[code] = self.refused.get(code, 0) + 1

    def time(self, seconds: float) -> None:
        """Count how long an accepted request took."""
        self.seconds += seconds
        took_ms = seconds * 1000
        for place, bound in enumerate(BOUNDS_MS):
            if took_ms <= bound:
                self.within[place] += 1
                return
        self.within[-1] += 1
