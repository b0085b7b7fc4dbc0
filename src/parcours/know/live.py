"""What has been accepted and not been taken over yet: its events by identifier, as of the journal's last batch."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.reading import Placed, Read, Reader
from parcours.collect.compaction.seen import NEW, Seen
from parcours.collect.door import IDENTIFIERS
from parcours.collect.journal.opening import read_journal
from parcours.collect.journal.sealing import Sealer
from parcours.collect.source import Source
from parcours.engine.store.journal import Batch
from parcours.engine.store.manifest import Manifest
from parcours.know.callers import recognise
from parcours.know.keys import Keys
from parcours.know.mapping import ABSENT, meet
from parcours.know.pseudonyms import Numbers
from parcours.settings import Settings

AT_ONCE_BYTES = 4 << 20
FEED_S = 60


class Piece(msgspec.Struct, frozen=True):
    """The new events of one catching up: 60 bytes each, and none of their content.

    ``people`` are the pseudonyms by identifier type, `NOBODY` where there is none; ``touchpoint`` is `ABSENT`
    where none is met.
    """

    people: dict[str, Numbers]
    batch_no: Numbers
    place: Numbers
    received_ms: Numbers
    occurred_ms: Numbers
    touchpoint: Numbers
    day: Numbers
    id_hash: Numbers
    content_hash: Numbers


class Arrived(msgspec.Struct, frozen=True):
    """One event that waits to be taken over: its columns as the door will see them."""

    batch_no: int
    place: int
    received_ms: int
    touchpoint: int
    columns: dict[str, object]


class Pulse(msgspec.Struct, frozen=True):
    """What arrives.

    Attributes:
        per_minute: Events of the last 60 seconds.
        touchpoints: Touches by the touchpoint's place in the blueprint, since this process began to follow.
        latest_touchpoint, latest_ms: The latest touch, `ABSENT` before the first, and when it was received.
        lag_ms: How long the latest events waited before they were seen here.
        waiting: How many events are in nothing that is published yet.
        oldest_ms: When the first of those was received.
    """

    per_minute: int
    touchpoints: dict[int, int]
    latest_touchpoint: int
    latest_ms: int
    lag_ms: int
    waiting: int
    oldest_ms: int | None

    def waited_ms(self) -> int:
        """Return how long the oldest of the events that are in nothing published has waited, 0 when there is none."""
        return 0 if self.oldest_ms is None else max(0, time.time_ns() // 1_000_000 - self.oldest_ms)


class Live:
    """Follows the journal; one for each process that answers for it, safe to share between threads.

    Args:
        folder: The company folder.
        blueprint: What is declared.
        settings: The company's settings.
        sources: The sources that deliver to the journal.
        keys: What opens batches and makes pseudonyms.
        region: The country of phone numbers written without one.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        settings: Settings,
        sources: Sequence[Source],
        keys: Keys,
        region: str | None,
    ) -> None:
        self._folder = folder
        self._keys, self._region = keys, region
        self._reader = Reader({one.source: one for one in sources}, blueprint, settings, keys.row_seed())
        self._blueprint = blueprint
        self._sealer = Sealer(keys.hour_key)
        self._journal = read_journal(folder)
        self._manifest = Manifest(folder)
        self._turn = RLock()
        self._pieces: list[Piece] = []
        self._read_to = self._journal.taken()
        self._lately: deque[tuple[int, int]] = deque()
        self._touches: Counter[int] = Counter()
        self._latest = (ABSENT, 0)
        self.hear: Callable[[Read, Numbers], None] | None = None
        """Called with each reading and its rows that are new."""
        self.published_to = self._read_to
        """The last batch that is in what was last published: what came after it is kept here."""
        self._lag_ms = 0

    def catch_up(self) -> int:
        """Read what was accepted since, let go of what was taken over; return how many events are new.

        Raises:
            ParcoursError: ``journal_damaged``, ``batch_damaged``, ``hour_key_gone``, ``seen_damaged``.
        """
        with self._turn:
            found = 0
            while batches := self._journal.pending(self._read_to, AT_ONCE_BYTES):
                found += self._take(batches)
                self._read_to = batches[-1].batch_no
            settled = min(self._journal.taken(), self.published_to)
            self._pieces = [piece for piece in self._pieces if int(piece.batch_no[-1]) > settled]
            return found

    def since(self, batch_no: int, pseudonyms: Numbers) -> list[tuple[Piece, Numbers]]:
        """Return the rows after batch ``batch_no`` on which any of ``pseudonyms`` stands, piece by piece."""
        self.catch_up()
        with self._turn:
            found = []
            for piece in self._pieces:
                mine = np.logical_or.reduce([np.isin(codes, pseudonyms) for codes in piece.people.values()])
                rows = np.flatnonzero(mine & (piece.batch_no > batch_no))
                if len(rows):
                    found.append((piece, rows))
            return found

    def find(self, pseudonyms: Numbers) -> list[Arrived]:
        """Return the waiting events on which any of ``pseudonyms`` stands, in the order of their arrival."""
        with self._turn:
            places: dict[int, list[int]] = {}
            for piece, rows in self.since(self._journal.taken(), pseudonyms):
                for row in rows.tolist():
                    places.setdefault(int(piece.batch_no[row]), []).append(int(piece.place[row]))
            return [one for batch_no, wanted in sorted(places.items()) for one in self._read_again(batch_no, wanted)]

    def pulse(self) -> Pulse:
        """Return what arrives; the journal is not read for it."""
        with self._turn:
            self._forget(time.time_ns() // 1_000_000)
            unpublished = [piece.received_ms[piece.batch_no > self.published_to] for piece in self._pieces]
            oldest_ms = min((int(times.min()) for times in unpublished if len(times)), default=None)
            return Pulse(
                per_minute=sum(count for _, count in self._lately),
                touchpoints=dict(self._touches),
                latest_touchpoint=self._latest[0],
                latest_ms=self._latest[1],
                lag_ms=self._lag_ms,
                waiting=sum(map(len, unpublished)),
                oldest_ms=oldest_ms,
            )

    def _take(self, batches: Sequence[Batch]) -> int:
        read = self._read(batches)
        fresh = self._only_new(read)
        now_ms = time.time_ns() // 1_000_000
        self._lag_ms = max(0, now_ms - batches[-1].received_ms)
        if not len(fresh):
            return 0
        if self.hear:
            self.hear(read, fresh)
        events = read.events.take(pa.array(fresh))
        people = {
            kind: recognise(kind, events.column(f"id_{kind}"), self._keys.pseudonyms, self._region)
            for kind in IDENTIFIERS
        }
        touchpoint = self._touchpoints(events, people)
        piece = Piece(
            people,
            read.batch_no[fresh],
            read.place[fresh],
            read.received_ms[fresh],
            np.asarray(events.column("occurred_ms")),
            touchpoint,
            read.day[fresh],
            read.id_hash[fresh],
            read.content_hash[fresh],
        )
        self._pieces.append(piece)
        met = touchpoint[touchpoint != ABSENT]
        self._touches.update(Counter(met.tolist()))
        self._lately.append((now_ms, len(fresh)))
        if len(met):
            self._latest = int(met[-1]), int(piece.received_ms[touchpoint != ABSENT][-1])
        self._forget(now_ms)
        return len(fresh)

    def _read(self, batches: Sequence[Batch]) -> Read:
        placed = [Placed(batch.batch_no, tuple(self._sealer.open(batch))) for batch in batches]
        return self._reader.read(placed, time.time_ns() // 1_000_000)

    def _only_new(self, read: Read) -> Numbers:
        """Return the rows that came neither in parts nor in what already waits."""
        with self._manifest.lease():
            seen = Seen(self._folder, self._manifest.seen_runs(np.unique(read.day).tolist()))
            fresh = seen.sort_out(read.day, read.id_hash, read.content_hash) == NEW
        for piece in self._pieces:
            fresh &= ~np.isin(read.id_hash, piece.id_hash)
        return np.flatnonzero(fresh)

    def _read_again(self, batch_no: int, places: Sequence[int]) -> list[Arrived]:
        batches = [batch for batch in self._journal.pending(batch_no - 1, 1) if batch.batch_no == batch_no]
        if not batches:  # Taken over this moment: it stands in the parts.
            return []
        read = self._read(batches)
        wanted = np.flatnonzero(np.isin(read.place, places))
        events = read.events.take(pa.array(wanted))
        people = {
            kind: recognise(kind, events.column(f"id_{kind}"), self._keys.pseudonyms, self._region)
            for kind in IDENTIFIERS
        }
        touchpoint = self._touchpoints(events, people)
        return [
            Arrived(batch_no, int(read.place[row]), int(read.received_ms[row]), int(touchpoint[number]), columns)
            for number, (row, columns) in enumerate(zip(wanted.tolist(), events.to_pylist(), strict=True))
        ]

    def _touchpoints(self, events: pa.Table, people: dict[str, Numbers]) -> Numbers:
        return meet(self._blueprint, events, np.maximum.reduce(list(people.values())) >= 0)

    def _forget(self, now_ms: int) -> None:
        while self._lately and self._lately[0][0] < now_ms - FEED_S * 1000:
            self._lately.popleft()
