"""Replay: quarantined events go back into the journal as they came, and out of the quarantine, in one transaction."""

from __future__ import annotations

from pathlib import Path

from parcours.collect.compaction.quarantine import open_aside
from parcours.collect.door import Door
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.journal.sealing import HOUR_MS, HourKey, Sealer
from parcours.engine.store.aside import AsideEvents, AsideGroup
from parcours.engine.store.journal import Journal
from parcours.engine.store.sqlite import open_database

LOTS = 8
"""Lots of quarantined events that are put back in one transaction."""


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
            found = [(number, one) for number, one in aside.take(source, code, after, LOTS) if number <= last]
            if not found:
                break
            frames = [sealer.seal(open_aside(one, door.unseal), one.events, hour=now_ms // HOUR_MS) for _, one in found]
            with database.transaction():
                journal.append_within(frames)
                aside.remove([number for number, _ in found])
            count += sum(one.events for _, one in found)
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
