"""How much was masked in free text at the door: counts by day and kind, about nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.know.masks import KINDS

COLUMNS = ("day", "kind", "count")


class MaskedDay(msgspec.Struct, frozen=True):
    """What was masked on one day (its number since 1970, UTC, by arrival), by kind."""

    day: int
    counts: dict[str, int]


class Masked:
    """The counts in ``state.db``; what is noted waits until `settle`.

    A load that is cut short and done again may count its last texts twice.
    """

    def __init__(self, state: Database) -> None:
        self._table = masked_of(state)
        self._pending: Counter[tuple[int, str]] = Counter()

    def note(self, day: int, counts: Mapping[str, int]) -> None:
        """Note what was masked on a day."""
        for kind, count in counts.items():
            self._pending[day, kind] += count

    def settle(self) -> None:
        """Add what was noted, inside the transaction that the caller holds."""
        rows = []
        for (day, kind), count in self._pending.items():
            held = self._table.some("WHERE day = ? AND kind = ?", (day, kind))
            rows.append((day, kind, count + (int(held[0][-1] or 0) if held else 0)))
        self._table.put(rows)
        self._pending.clear()

    def abandon(self) -> None:
        """Drop what was noted and not settled."""
        self._pending.clear()

    def since(self, day: int) -> tuple[MaskedDay, ...]:
        """Return the counts from ``day`` on, latest first."""
        days: dict[int, dict[str, int]] = {}
        for at, kind, count in self._table.all("day DESC"):
            if int(at or 0) >= day:
                days.setdefault(int(at or 0), {})[str(kind)] = int(count or 0)
        return tuple(
            MaskedDay(at, {kind: counts[kind] for kind in KINDS if kind in counts}) for at, counts in days.items()
        )


def masked_of(state: Database) -> CheckedTable:
    """Return the table of the counts."""
    return CheckedTable(state, "masked", COLUMNS, COLUMNS[:-1])
