"""How much came and what became of it, by source and hour, in `journal.db`: figures about sources, about nobody."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS arrivals (
    source TEXT NOT NULL, hour INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, count INTEGER NOT NULL,
    checksum BLOB, PRIMARY KEY (source, hour, outcome, detail)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (
    source TEXT PRIMARY KEY, received_ms INTEGER NOT NULL, checksum BLOB) WITHOUT ROWID;
"""
KEPT_HOURS = 24 * 60
ARRIVALS = ("source", "hour", "outcome", "detail", "count")
LATEST = ("source", "received_ms")


class Arrival(msgspec.Struct, frozen=True):
    """A count, ``detail`` saying of what.

    ``outcome`` is ``kept``, ``duplicate``, ``discarded`` or ``quarantined`` (by fault), one for each event that was
    taken over; ``replayed`` (by fault) for each that was put back from quarantine and taken over again; ``told`` and
    ``undeclared`` for what was noted of events besides; ``lost`` for batches that went missing.
    """

    source: str
    hour: int
    outcome: str
    detail: str
    count: int


class Arrivals:
    """The counts over an open ``journal.db``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self.counts = CheckedTable(database, "arrivals", ARRIVALS, ARRIVALS[:-1])
        self.moments = CheckedTable(database, "latest", LATEST, LATEST[:-1])

    def add(self, counts: Mapping[tuple[str, int, str, str], int], latest_ms: Mapping[str, int]) -> None:
        """Add counts by (source, hour, outcome, detail), in one transaction or in the one that the caller holds."""
        with self._db.transaction():
            where = " AND ".join(f"{name} = ?" for name in ARRIVALS[:-1])
            rows = []
            for key, count in counts.items():
                if count:
                    held = self.counts.some(f"WHERE {where}", key)
                    rows.append((*key, count + (int(held[0][-1] or 0) if held else 0)))
            self.counts.put(rows)
            held_ms = self.latest()
            self.moments.put((source, max(at, held_ms.get(source, at))) for source, at in latest_ms.items())

    def since(self, hour: int) -> list[Arrival]:
        """Return the counts from ``hour`` on."""
        rows = self.counts.some("WHERE hour >= ? ORDER BY source, hour", (hour,))
        return [
            Arrival(str(source), int(at or 0), str(outcome), str(detail), int(count or 0))
            for source, at, outcome, detail, count in rows
        ]

    def undeclared(self, hour: int) -> dict[str, set[str]]:
        """Return the undeclared names that are counted in ``hour``, by source."""
        found: dict[str, set[str]] = {}
        for source, _, _, detail, _ in self.counts.some("WHERE hour = ? AND outcome = 'undeclared'", (hour,)):
            found.setdefault(str(source), set()).add(str(detail))
        return found

    def total(self, outcome: str) -> int:
        """Return the count of ``outcome`` over every source and kept hour."""
        return sum(int(row[-1] or 0) for row in self.counts.some("WHERE outcome = ?", (outcome,)))

    def latest(self) -> dict[str, int]:
        """Return when each source last brought something that was taken over, in epoch milliseconds."""
        return {str(source): int(at or 0) for source, at in self.moments.all()}

    def forget_before(self, hour: int) -> None:
        """Drop the counts of hours before ``hour``."""
        self.counts.drop("hour < ?", (hour,))
