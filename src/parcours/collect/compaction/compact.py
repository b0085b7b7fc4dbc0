"""Compaction: accepted batches through the door into parts; parts and batches change hands in one transaction."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.merging import keep_compact
from parcours.collect.compaction.parcels import make_parcels
from parcours.collect.compaction.quarantine import Quarantine
from parcours.collect.compaction.reading import Placed, Read, Reader
from parcours.collect.compaction.seen import CONFLICT, DUPLICATE, NEW, Seen
from parcours.collect.connectors.destinations import Destination, read_destinations
from parcours.collect.door import Admission, Door
from parcours.collect.journal.sealing import HOUR_MS, Sealer
from parcours.collect.reading import delivering_sources
from parcours.collect.rows import Ints
from parcours.collect.source import Source
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.journal import Batch, Journal
from parcours.engine.store.manifest import Manifest, SeenRun
from parcours.engine.store.outbox import OutboxTable, Waiting
from parcours.engine.store.parts import Part, remove_parts, write_part
from parcours.engine.store.sqlite import Database
from parcours.settings import Settings
from parcours.words import Words

LOG = logging.getLogger(__name__)
MOST_EVENTS = 60_000
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
    """What a compaction did: batches taken over and the events in them, by what became of them."""

    batches: int = 0
    events: int = 0
    kept: int = 0
    duplicates: int = 0
    quarantined: int = 0
    discarded: int = 0
    last_batch_no: int = 0

    def __add__(self, other: Compacted) -> Compacted:
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in self.__struct_fields__
            if name != "last_batch_no"
        }
        return Compacted(**sums, last_batch_no=max(self.last_batch_no, other.last_batch_no))


def compact(
    folder: Path, blueprint: Blueprint, settings: Settings, door: Door, stopping: Callable[[], bool] = lambda: False
) -> Compacted:
    """Take over everything that waits in the journal of a company; the caller holds the company lock.

    Raises:
        ParcoursError: ``journal_damaged``, ``hour_key_gone``, ``disk_full``, faults of sources …: what could not be
            taken over goes on waiting.
    """
    manifest = Manifest(folder)
    try:
        if not has_pending(manifest.database):
            return Compacted()
        sources = delivering_sources(folder, blueprint, settings)
        destinations = read_destinations(folder, blueprint)
        done = Compaction(folder, blueprint, settings, sources, destinations, door, manifest).run(stopping)
        keep_compact(folder, manifest, time.time_ns() // DAY_NS - RESTING_DAYS, stopping)
        return done
    finally:
        manifest.close()


def has_pending(database: Database) -> bool:
    """Return whether any batch waits."""
    journal = Journal(database)
    return journal.last_batch_no() > journal.taken()


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
        self._reader = Reader(by_id, blueprint, settings, door.row_seed())
        self._destinations = destinations
        self._door, self._manifest = door, manifest
        self._journal = Journal(manifest.database)
        self._aside = AsideEvents(manifest.database)
        self._arrivals = Arrivals(manifest.database)
        self._outbox = OutboxTable(manifest.database)
        self._sealer = Sealer(door.hour_key)

    def run(self, stopping: Callable[[], bool] = lambda: False) -> Compacted:
        """Take over everything that waits, some batches at a time.

        Raises:
            ParcoursError: ``journal_damaged``, ``hour_key_gone``, ``disk_full`` …: the batches then go on waiting.
        """
        cut_short = self._manifest.cut_short()
        if cut_short is not None:
            self._door.forget_from(cut_short)
        done = Compacted()
        while not stopping():
            batches = self._journal.pending(most_bytes=MOST_BYTES, most_events=MOST_EVENTS)
            if not batches:
                break
            done += self._take_over(batches)
        self._door.destroy_hour_keys(time.time_ns() // 1_000_000 // HOUR_MS - 1, self._journal.hours())
        return done

    def _take_over(self, batches: Sequence[Batch]) -> Compacted:
        now_ms = time.time_ns() // 1_000_000
        placed = [Placed(batch.batch_no, tuple(self._sealer.open(batch))) for batch in batches]
        read = self._reader.read(placed, now_ms)
        seen = Seen(self._folder, self._manifest.seen_runs(np.unique(read.day).tolist()))
        verdicts = seen.sort_out(read.day, read.id_hash, read.content_hash)
        fresh = np.flatnonzero(verdicts == NEW)
        first = self._manifest.reserve_event_nos(len(fresh))
        events = read.events.take(pa.array(fresh))
        admission = self._door.admit(events, first, now_ms)
        kept = fresh[np.asarray(admission.rows.column("event_no")) - first]
        aside = self._put_aside(read, np.flatnonzero(verdicts == CONFLICT), admission, fresh)
        parts: list[Part] = []
        runs: list[SeenRun] = []
        try:
            parts = self._write_parts(admission.rows)
            runs = seen.write(read.day[kept], read.id_hash[kept], read.content_hash[kept])
            self._commit(batches[-1].batch_no, read, kept, verdicts, admission, aside, parts, runs)
        except BaseException:
            remove_parts(self._folder, [part.path for part in parts] + [run.path for run in runs])
            raise
        return Compacted(
            batches=len(batches),
            events=sum(batch.events for batch in batches),
            kept=len(kept),
            duplicates=int((verdicts == DUPLICATE).sum()),
            quarantined=sum(one.events for one in aside),
            discarded=admission.discarded,
            last_batch_no=batches[-1].batch_no,
        )

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
        verdicts: np.ndarray[tuple[int], np.dtype[np.int8]],
        admission: Admission,
        aside: list[Aside],
        parts: list[Part],
        runs: list[SeenRun],
    ) -> None:
        parcels: list[Waiting] = make_parcels(self._destinations, self._door, read, kept, admission.rows)
        counts, latest_ms = _count(read, kept, verdicts, aside)
        self._door.settle()
        with self._manifest.transaction():
            self._journal.take_over_within(last_batch_no)
            self._aside.add(aside)
            self._outbox.add(parcels)
            self._arrivals.add(counts, latest_ms)
            self._manifest.commit(add=parts, add_seen=runs)


def _count(
    read: Read, kept: Ints, verdicts: np.ndarray[tuple[int], np.dtype[np.int8]], aside: list[Aside]
) -> tuple[Counter[tuple[str, int, str, str]], dict[str, int]]:
    """Count what became of every event, by source and hour of its arrival; discarded is what is left over."""
    counts: Counter[tuple[str, int, str, str]] = Counter()
    latest_ms: dict[str, int] = {}
    outcome = np.full(len(verdicts), 3, np.int8)
    outcome[verdicts == DUPLICATE], outcome[verdicts == CONFLICT], outcome[kept] = 1, 2, 0
    sources = read.events.column("source").combine_chunks().dictionary_encode()
    codes = np.asarray(sources.indices)
    hours = read.received_ms // HOUR_MS
    names = sources.dictionary.to_pylist()
    together, times = np.unique(np.column_stack((codes, hours, outcome)), axis=0, return_counts=True)
    for (code, hour, what), count in zip(together.tolist(), times.tolist(), strict=True):
        if what != 2:
            counts[names[code], hour, ("kept", "duplicate", "", "discarded")[what], ""] += count
    for place, name in enumerate(names):
        latest_ms[name] = int(read.received_ms[codes == place].max())
    for event in aside:
        counts[event.source, event.received_ms // HOUR_MS, "quarantined", event.code] += event.events
        if event.rule.startswith("door."):
            counts[event.source, event.received_ms // HOUR_MS, "discarded", ""] -= event.events
        latest_ms[event.source] = max(latest_ms.get(event.source, 0), event.received_ms)
    this_hour = max((hour for _, hour, _, _ in counts), default=0)
    for (source, code), count in read.counts.items():
        counts[source, this_hour, "told", code] += count
    for (source, _), undeclared in read.undeclared.items():
        for name, count in undeclared.names.items():
            counts[source, this_hour, "undeclared", name] += count
    return counts, latest_ms
