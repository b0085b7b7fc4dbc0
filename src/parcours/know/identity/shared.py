"""Shared devices whose users are no longer all known: they stay shared, whoever was erased or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, types_of

DEVICE = IDENTIFIERS.index("device")


class SharedDevices:
    """Devices that are shared for good; the table holds pseudonyms of devices alone and says nothing of their users.

    Whoever takes edges away notes here first which devices they showed to be shared (see `find_shared`): what is left
    would otherwise make such a device the own one of whoever remains, and hand the events of the others to them.
    """

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._table = CheckedTable(state, "shared_devices", ("device", "event_no"), ("device",), keys.checks)

    def note(self, devices: Numbers, event_no: int) -> None:
        """Note devices that are shared for good, found before event ``event_no``."""
        with self._state.transaction():
            fresh = np.setdiff1d(devices, self.read())
            self._table.put((number, event_no) for number in fresh.tolist())

    def read(self) -> Numbers:
        """Return every one, ascending.

        Raises:
            ParcoursError: ``row_damaged`` names a line that was altered, or says that some are missing.
        """
        return np.array(sorted(int(row[0] or 0) for row in self._table.all()), np.int64)

    def forget(self, devices: Numbers) -> int:
        """Delete devices that were erased themselves; return how many there were."""
        return sum(self._table.drop("device = ?", (number,)) for number in devices.tolist())

    def version(self) -> str:
        """Return what differs whenever the devices do."""
        rows = self._state.execute("SELECT rows || '.' || hex(sum) FROM tallies WHERE name = 'shared_devices'")
        return str(rows[0][0]) if rows else ""

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one where lines are missing."""
        yield from self._table.verify()


def find_shared(seen: Numbers, limits: Mapping[str, int]) -> Numbers:
    """Return the devices that ``seen`` (n × 3: event number, strongest, weaker) shows beside too many for one person.

    More users, mails or phones than one person may have: whatever else is learned, they are several.
    """
    edges = np.unique(seen[types_of(seen[:, 2]) == DEVICE][:, 1:], axis=0)
    kinds = types_of(edges[:, 0])
    found = [np.empty(0, np.int64)]
    for kind, name in enumerate(IDENTIFIERS[:DEVICE]):
        devices, beside = np.unique(edges[kinds == kind, 1], return_counts=True)
        found.append(devices[beside > limits[name]])
    return np.unique(np.concatenate(found))
