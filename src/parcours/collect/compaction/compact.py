"""Compaction: accepted batches through the door into parts; parts and batches change hands in one transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.counting import (
    ASIDE,
    DISCARDED,
    DUPLICATED,
    KEPT,
    Outcomes,
    count_lost,
    count_outcomes,
    count_undeclared,
    find_outcomes,
)
from parcours.collect.compaction.merging import keep_compact
from parcours.collect.compaction.parcels import make_parcels
from parcours.collect.compaction.quarantine import Quarantine
from parcours.collect.compaction.reading import Read, Reader
from parcours.collect.compaction.seen import CONFLICT, NEW, Seen
from parcours.collect.compaction.unreadable import Unreadable, open_batches, set_aside
from parcours.collect.connectors.destinations import Destination
from parcours.collect.door import Admission, Counted, Door
from parcours.collect.journal.sealing import HOUR_MS, Sealer
from parcours.collect.rows import Ints
from parcours.collect.source import Source
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.journal import Batch, Journal, Spoilt
from parcours.engine.store.lost import MISSING, LostBatches
from parcours.engine.store.manifest import Manifest, SeenRun
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.parts import Part, remove_parts, write_part
from parcours.engine.store.retiring import sweep
from parcours.settings import Settings
from parcours.words import Words

LOG = logging.getLogger(__name__)
MOST_EVENTS = 30_000
"""Events taken over at once, so that memory stays flat however much waits."""

MOST_BYTES = 16 << 20
"""Sealed bytes taken over at once: events may be large."""

RESTING_DAYS = 2
"""Seen ids of days before these hardly change any more: an SDK retries for hours, not for days."""

DAY_NS = 86_400_000_000_000

_REUSED = Words(
    fr="Le même identifiant de message est déjà venu avec un autre contenu. Si cette source les réutilise, écrivez "
    "same_id: content dans ses options, puis rejouez la quarantaine.",
    en="The same message id came before with other content. If this source reuses them, write same_id: content in its "
    "options, then replay the quarantine.",
)


class Compacted(msgspec.Struct, frozen=True):
    """What a compaction did: batches taken over, and the events in them by what became of them.

    ``events`` is the sum of the four after it. ``missing`` batches were not there; nobody knows what they held.
    """

    batches: int = 0
    events: int = 0
    kept: int = 0
    duplicates: int = 0
    quarantined: int = 0
    discarded: int = 0
    missing: int = 0
    last_batch_no: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in self.__struct_fields__
            if name != "last_batch_no"
        }
        return Compacted(**sums, last_batch_no=max(self.last_batch_no, other.last_batch_no))


def compact(
    folder: Path,
    blueprint: Blueprint,
    settings: Settings,
    door: Door,
    sources: Sequence[Source],
    destinations: Sequence[Destination] = (),
    stopping: Callable[[], bool] = lambda: False,
    told: Collection[int] | None = None,
    resting_ms: int = 0,
) -> Compacted:
    """Take over everything that waits in the journal of a company; the caller holds the company lock.

    Args:
        folder: The company folder.
        blueprint: What is declared.
        settings: The company's settings.
        door: What raw events go through.
        sources: The sources that deliver to the journal.
        destinations: Where permitted events are carried out to.
        stopping: Asked between two groups of batches.
        told: The batches whose outcome is returned; by default all.
        resting_ms: Batches that are younger than this stay, so that whoever follows the journal sees each of them.

    Raises:
        ParcoursError: ``disk_full`` …: what could not be taken over goes on waiting.
    """
    manifest = Manifest(folder)
    try:
        journal = Journal(manifest.database)
        if journal.last_batch_no() == journal.taken():
            destroy_keys(door, journal)
            return Compacted()
        # A compaction or a merge that was cut short has left files that nothing names.
        sweep(folder, manifest)
        done = Compaction(folder, blueprint, settings, sources, destinations, door, manifest).run(
            stopping, told, resting_ms
        )
        keep_compact(folder, manifest, time.time_ns() // DAY_NS - RESTING_DAYS, stopping)
        return done
    finally:
        manifest.close()


class Compaction:
    """Takes batches over; the caller holds the company lock.

    Args:
        folder: The company folder.
        blueprint: What is declared.
        settings: The company's settings.
        sources: The sources that deliver to the journal.
        destinations: Where permitted events are carried out to.
        door: What raw events go through.
        manifest: The manifest, open.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        settings: Settings,
        sources: Sequence[Source],
        destinations: Sequence[Destination],
        door: Door,
        manifest: Manifest,
    ) -> None:
        self._folder = folder
        by_id = {source.source: source for source in sources}
        self._audience = [source.source for source in sources if source.audience]
        self._reader = Reader(by_id, blueprint, settings, door.row_seed())
        self._destinations, self._blueprint = destinations, blueprint
        self._door, self._manifest = door, manifest
        self._journal = Journal(manifest.database)
        self._aside = AsideEvents(manifest.database)
        self._arrivals = Arrivals(manifest.database)
        self._lost = LostBatches(manifest.database)
        self._outbox = OutboxTable(manifest.database)
        self._seen = Seen(folder, ())
        self._sealer = Sealer(door.hour_key)

    def run(
        self, stopping: Callable[[], bool] = lambda: False, told: Collection[int] | None = None, resting_ms: int = 0
    ) -> Compacted:
        """Take over everything that waits, some batches at a time; return what became of the batches in ``told``.

        Raises:
            ParcoursError: ``disk_full`` …: the batches then go on waiting.
        """
        cut_short = self._manifest.cut_short()
        if cut_short is not None:
            self._door.forget_from(cut_short)
        done = Compacted()
        # What comes meanwhile waits for the next time: under load there would be no end of it.
        last = self._journal.last_batch_no()
        while not stopping():
            waiting = self._journal.read(most_bytes=MOST_BYTES, most_events=MOST_EVENTS)
            found = leave_young([one for one in waiting if _first(one) <= last], resting_ms)
            if not found:
                break
            done += self._take_over(found, told)
            pa.default_memory_pool().release_unused()
        destroy_keys(self._door, self._journal)
        return done

    def _take_over(self, found: Sequence[Batch | Spoilt], told: Collection[int] | None) -> Compacted:
        now_ms = time.time_ns() // 1_000_000
        placed, unreadable = open_batches(found, self._sealer, now_ms)
        read = self._reader.read(placed, now_ms)
        self._seen = seen = self._seen.with_runs(self._manifest.seen_runs(np.unique(read.day).tolist()))
        verdicts = seen.sort_out(read.day, read.id_hash, read.content_hash)
        fresh, apart = self._part_audience(read, np.flatnonzero(verdicts == NEW))
        first = self._manifest.reserve_event_nos(len(fresh) + len(apart))
        events = read.events.take(pa.array(fresh)).append_column("received_ms", pa.array(read.received_ms[fresh]))
        admission = self._door.admit(events, first, now_ms)
        kept = fresh[np.asarray(admission.rows.column("event_no")) - first]
        counted = Counted(())
        if len(apart):
            counted = self._door.count_apart(read.events.take(pa.array(apart)), first + len(fresh))
            moved = (msgspec.structs.replace(one, row=one.row + len(fresh)) for one in counted.refusals)
            admission = msgspec.structs.replace(admission, refusals=(*admission.refusals, *moved))
            fresh = np.concatenate((fresh, apart))
        known = np.concatenate((kept, apart[np.array(counted.kept, np.int64)]))
        outcomes = find_outcomes(verdicts, fresh, known, admission)
        aside = self._put_aside(read, np.flatnonzero(verdicts == CONFLICT), admission, fresh)
        aside += set_aside(unreadable, self._door.seal)
        last = found[-1]
        last_batch_no = last.last if isinstance(last, Spoilt) else last.batch_no
        parts: list[Part] = []
        runs: list[SeenRun] = []
        try:
            parts = self._write_parts(admission.rows)
            runs = seen.write(read.day[known], read.id_hash[known], read.content_hash[known])
            self._commit(last_batch_no, read, kept, outcomes, admission, aside, unreadable, parts, runs)
        except BaseException:
            remove_parts(self._folder, [part.path for part in parts] + [run.path for run in runs])
            raise
        return _sum_up(found, read, outcomes, unreadable, told)

    def _part_audience(self, read: Read, fresh: Ints) -> tuple[Ints, Ints]:
        """Return the rows that go through the door, and those of sources that measure audience apart."""
        if not self._audience:
            return fresh, fresh[:0]
        mine = np.asarray(pc.is_in(read.events.column("source"), pa.array(self._audience, pa.string())))[fresh]
        return fresh[~mine], fresh[mine]

    def _put_aside(self, read: Read, conflicts: Ints, admission: Admission, fresh: Ints) -> list[Aside]:
        """Return what goes to quarantine, together where the reason is the same."""
        kept = Quarantine(self._door.seal)
        for bad in read.bad:
            kept.add(bad.code, bad.rule, bad.reason, bad.delivery, bad.events)
        for row in conflicts.tolist():
            kept.add("message_id_reused", "dedupe.same_id", _REUSED, read.original(row))
        for refusal in admission.refusals:
            original = read.original(int(fresh[refusal.row]))
            kept.add(refusal.code, f"door.{refusal.code}", refusal.reason, original)
        return kept.close()

    def _write_parts(self, rows: pa.Table) -> list[Part]:
        parts: list[Part] = []
        try:
            for source in pc.unique(rows.column("source")).to_pylist():
                mine = rows.filter(pc.equal(rows.column("source"), source))
                parts += write_part(self._folder, mine, source)
        except BaseException:
            remove_parts(self._folder, [part.path for part in parts])
            raise
        return parts

    def _commit(
        self,
        last_batch_no: int,
        read: Read,
        kept: Ints,
        outcomes: Outcomes,
        admission: Admission,
        aside: list[Aside],
        unreadable: list[Unreadable],
        parts: list[Part],
        runs: list[SeenRun],
    ) -> None:
        """Put all of it in force, or nothing: what stands in other files is harmless without it, and settled first."""
        now_ms = time.time_ns() // 1_000_000
        parcels = make_parcels(self._destinations, self._blueprint, self._door, read, kept, admission.rows)
        counts, latest_ms = count_outcomes(read, outcomes, aside, now_ms)
        counts.update(count_lost(unreadable, now_ms))
        hour = max(latest_ms.values(), default=now_ms) // HOUR_MS
        self._door.settle()
        with self._manifest.transaction():
            counts.update(count_undeclared(read, self._arrivals.undeclared(hour), hour))
            self._journal.take_over_within(last_batch_no)
            self._aside.add(aside)
            self._lost.add(one.lost for one in unreadable)
            self._outbox.add(parcels)
            self._arrivals.add(counts, latest_ms)
            self._manifest.commit(add=parts, add_seen=runs)


def destroy_keys(door: Door, journal: Journal) -> None:
    """Destroy the keys of hours that are over and of which no batch waits; a request of the last one may go on."""
    door.destroy_hour_keys(time.time_ns() // 1_000_000 // HOUR_MS - 1, journal.hours())


def _first(one: Batch | Spoilt) -> int:
    return one.first if isinstance(one, Spoilt) else one.batch_no


def leave_young(found: Sequence[Batch | Spoilt], resting_ms: int) -> Sequence[Batch | Spoilt]:
    """Return what comes before the first batch younger than ``resting_ms``; one from the future is not young."""
    now_ms = time.time_ns() // 1_000_000
    for place, one in enumerate(found):
        if isinstance(one, Batch) and 0 <= now_ms - one.received_ms < resting_ms:
            return found[:place]
    return found


def _sum_up(
    found: Sequence[Batch | Spoilt],
    read: Read,
    outcomes: Outcomes,
    unreadable: Sequence[Unreadable],
    told: Collection[int] | None,
) -> Compacted:
    """Return what became of the batches that are to be told of."""
    batches = [one for one in found if isinstance(one, Batch)]
    lost, bad = list(unreadable), read.bad
    if told is not None:
        batches = [one for one in batches if one.batch_no in told]
        lost = [one for one in lost if one.lost.first in told]
        bad = [one for one in bad if one.batch_no in told]
        outcomes = outcomes[np.isin(read.batch_no, list(told))]
    times = np.bincount(outcomes, minlength=4)
    aside = int(times[ASIDE]) + sum(one.events for one in bad) + sum(one.lost.events for one in lost)
    last = found[-1]
    return Compacted(
        batches=len(batches),
        events=len(outcomes) - int(times[ASIDE]) + aside,
        kept=int(times[KEPT]),
        duplicates=int(times[DUPLICATED]),
        quarantined=aside,
        discarded=int(times[DISCARDED]),
        missing=sum(one.lost.last - one.lost.first + 1 for one in lost if one.lost.code == MISSING),
        last_batch_no=last.last if isinstance(last, Spoilt) else last.batch_no,
    )
