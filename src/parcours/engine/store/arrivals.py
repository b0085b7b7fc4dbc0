"""How much came and what became of it, by source and hour, in `journal.db`: figures about sources, about nobody."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from parcours.engine.store.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS arrivals (
    source TEXT NOT NULL, hour INTEGER NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (source, hour, outcome, detail)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (source TEXT PRIMARY KEY, received_ms INTEGER NOT NULL) WITHOUT ROWID;
"""
KEPT_HOURS = 24 * 60


class Arrival(msgspec.Struct, frozen=True):
    """A count: ``outcome`` is ``kept``, ``duplicate``, ``discarded``, ``quarantined`` or ``told``, ``detail`` why."""

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

    def add(self, counts: Mapping[tuple[str, int, str, str], int], latest_ms: Mapping[str, int]) -> None:
        """Add counts by (source, hour, outcome, detail), in one transaction or in the one that the caller holds."""
        with self._db.transaction():
            self._db.executemany(
                "INSERT INTO arrivals VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (source, hour, outcome, detail) DO UPDATE SET count = count + excluded.count",
                [(*key, count) for key, count in counts.items() if count],
            )
            self._db.executemany(
                "INSERT INTO latest VALUES (?, ?) "
                "ON CONFLICT (source) DO UPDATE SET received_ms = max(received_ms, excluded.received_ms)",
                list(latest_ms.items()),
            )

    def since(self, hour: int) -> list[Arrival]:
        """Return the counts from ``hour`` on."""
        rows = self._db.execute(
            "SELECT source, hour, outcome, detail, count FROM arrivals WHERE hour >= ? ORDER BY source, hour", (hour,)
        )
        return [
            Arrival(str(source), int(at or 0), str(outcome), str(detail), int(count or 0))
            for source, at, outcome, detail, count in rows
        ]

    def total(self, outcome: str) -> int:
        """Return the count of ``outcome`` over every source and kept hour."""
        return int(self._db.execute("SELECT sum(count) FROM arrivals WHERE outcome = ?", (outcome,))[0][0] or 0)

    def latest(self) -> dict[str, int]:
        """Return when each source last brought something that was taken over, in epoch milliseconds."""
        return {str(source): int(at or 0) for source, at in self._db.execute("SELECT source, received_ms FROM latest")}

    def forget_before(self, hour: int) -> None:
        """Drop the counts of hours before ``hour``."""
        self._db.execute("DELETE FROM arrivals WHERE hour < ?", (hour,))
