"""Replay: quarantined events go back into the journal as they came, and out of the quarantine, in one transaction."""

from __future__ import annotations

from pathlib import Path

import msgspec

from parcours.collect.door import Door
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.journal.sealing import HOUR_MS, HourKey, Sealer
from parcours.engine.store.aside import AsideEvents, AsideGroup
from parcours.engine.store.journal import Journal
from parcours.engine.store.sqlite import open_database

AT_ONCE = 500
_decode = msgspec.msgpack.Decoder(Delivery).decode


def put_back(
    folder: Path, door: Door, hour_key: HourKey, now_ms: int, source: str | None = None, code: str | None = None
) -> int:
    """Put the quarantined events of ``source`` with fault ``code`` (of all, of any) back into the journal.

    They keep the moment at which they were first received. What still cannot be taken in returns to the quarantine at
    the next compaction. ``hour_key`` gives the key of an hour, made if need be.

    Raises:
        ParcoursError: ``quarantine_damaged``, ``seal_damaged`` or ``disk_full``; what was put back before stays so.
    """
    database = open_database(folder / JOURNAL)
    sealer = Sealer(hour_key)
    count = 0
    try:
        aside, journal = AsideEvents(database), Journal(database)
        # What is put back may come aside again while this goes on: only what waits now is taken.
        last = aside.last_number()
        after = 0
        while after < last:
            found = [(number, one) for number, one in aside.take(source, code, after, AT_ONCE) if number <= last]
            if not found:
                break
            deliveries = [_decode(door.unseal(one.original)) for _, one in found]
            with database.transaction():
                journal.append_within([sealer.seal(deliveries, len(deliveries), hour=now_ms // HOUR_MS)])
                aside.remove([number for number, _ in found])
            count += len(found)
            after = found[-1][0]
    finally:
        database.close()
    return count


def list_quarantine(folder: Path) -> list[AsideGroup]:
    """Return what waits in quarantine, by source and reason."""
    database = open_database(folder / JOURNAL)
    try:
        return AsideEvents(database).groups()
    finally:
        database.close()
