"""Replay: quarantined events go back into the journal as they came, and out of the quarantine, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from parcours.collect.compaction.quarantine import open_aside
from parcours.collect.compaction.unreadable import JOURNAL_ITSELF, try_again
from parcours.collect.door import Door
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.opening import JOURNAL
from parcours.collect.journal.sealing import HOUR_MS, HourKey, Sealer
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import Aside, AsideEvents, AsideGroup
from parcours.engine.store.journal import Journal
from parcours.engine.store.lost import LostBatches
from parcours.engine.store.sqlite import Database, open_database
from parcours.errors import ParcoursError

LOTS = 8
"""Lots of quarantined events that are put back in one transaction."""


class PutBack(msgspec.Struct):
    """How many events were put back, in which batches of the journal, and what stands in the way of others."""

    events: int = 0
    batches: list[int] = []
    faults: list[ParcoursError] = []


def put_back(
    folder: Path, door: Door, hour_key: HourKey, now_ms: int, source: str | None = None, code: str | None = None
) -> PutBack:
    """Put the quarantined events of ``source`` with fault ``code`` (of all, of any) back into the journal.

    They keep the moment at which they were first received. What still cannot be taken in returns to the quarantine at
    the next compaction; a batch that does not open stays where it is. ``hour_key`` gives the key of an hour, made if
    need be. Several may put back at once: each lot goes back once.

    Raises:
        ParcoursError: ``disk_full`` …; what was put back before stays so.
    """
    database = open_database(folder / JOURNAL)
    try:
        return _Replay(database, door, Sealer(hour_key), now_ms).run(source, code)
    finally:
        database.close()


def list_quarantine(folder: Path) -> list[AsideGroup]:
    """Return what waits in quarantine, by source and reason."""
    database = open_database(folder / JOURNAL)
    try:
        return AsideEvents(database).groups()
    finally:
        database.close()


class _Lot(msgspec.Struct, frozen=True):
    """What is about to be put back; ``batch_no`` where it is a batch that did not open before."""

    number: int
    aside: Aside
    deliveries: list[Delivery]
    batch_no: int | None = None


class _Replay:
    def __init__(self, database: Database, door: Door, sealer: Sealer, now_ms: int) -> None:
        self._db, self._door, self._sealer, self._now_ms = database, door, sealer, now_ms
        self._aside, self._journal = AsideEvents(database), Journal(database)
        self._arrivals, self._lost = Arrivals(database), LostBatches(database)
        self._done = PutBack()

    def run(self, source: str | None, code: str | None) -> PutBack:
        # What is put back may come aside again while this goes on: only what waits now is taken.
        last = self._aside.last_number()
        after = 0
        while numbers := self._aside.numbers(source, code, after, last, LOTS):
            self._put_back([lot for number in numbers if (lot := self._open(number)) is not None])
            after = numbers[-1]
        return self._done

    def _open(self, number: int) -> _Lot | None:
        """Return a lot; nothing when it has gone meanwhile, or cannot be put back, which is then told."""
        try:
            aside = self._aside.get(number)
            if aside is None:
                return None
            if aside.source != JOURNAL_ITSELF:
                return _Lot(number, aside, open_aside(aside, self._door.unseal))
            found = try_again(aside, self._door.unseal, self._sealer)
        except ParcoursError as fault:
            if fault.code not in ("quarantine_damaged", "seal_damaged"):
                raise
            self._done.faults.append(fault)
            return None
        return None if found is None else _Lot(number, aside, found[1], found[0])

    def _put_back(self, lots: Sequence[_Lot]) -> None:
        # Sealed for the present: the key of the hour in which they came may be gone.
        frames = {lot.number: self._sealer.seal(lot.deliveries, lot.aside.events, at_ms=self._now_ms) for lot in lots}
        with self._db.transaction():
            # What another replay has just put back is no longer there.
            mine = [lot for lot in lots if self._aside.remove([lot.number])]
            batches = self._journal.append_within([frames[lot.number] for lot in mine])
            replayed: Counter[tuple[str, int, str, str]] = Counter()
            for lot in mine:
                aside = lot.aside
                replayed[aside.source, aside.received_ms // HOUR_MS, "replayed", aside.code] += aside.events
                if lot.batch_no is not None:
                    self._lost.remove(lot.batch_no)
            self._arrivals.add(replayed, {})
        self._done.batches += batches
        self._done.events += sum(lot.aside.events for lot in mine)
