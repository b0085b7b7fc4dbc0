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
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction.reading import Read, Reader
from parcours.collect.compaction.seen import NEW, Seen
from parcours.collect.compaction.unreadable import open_batches
from parcours.collect.journal.sealing import Sealer
from parcours.collect.source import Source
from parcours.engine.store.journal import Batch, Journal, Spoilt
from parcours.engine.store.manifest import Manifest
from parcours.know.identity.identifiers import Spelling
from parcours.know.keys import Keys
from parcours.know.mapping import ABSENT, meet
from parcours.know.pseudonyms import Numbers
from parcours.know.waiting import Piece, Rows, Stated, find_rows, find_stated, gather_stated, key_of, name_people
from parcours.settings import Settings

AT_ONCE_BYTES = 4 << 20
FEED_S = 60
_MASK = (1 << 23) - 1


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
        oldest_ms: When the first of those came in.
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

    What cannot be opened is passed over: whoever takes batches over tells of it.

    Args:
        folder: The company folder.
        blueprint: What is declared.
        settings: The company's settings.
        sources: The sources that deliver to the journal.
        keys: What opens batches and makes pseudonyms.
        spelling: How identifiers are written.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        settings: Settings,
        sources: Sequence[Source],
        keys: Keys,
        spelling: Spelling,
    ) -> None:
        self._folder = folder
        self._keys, self._spelling = keys, spelling
        self._reader = Reader({one.source: one for one in sources}, blueprint, settings, keys.row_seed())
        self._apart = pa.array([one.source for one in sources if one.audience], pa.string())
        self._blueprint = blueprint
        self._purposes = [purpose.id for purpose in blueprint.purposes]
        self._sealer = Sealer(keys.hour_key)
        self._manifest = Manifest(folder)
        self._journal = Journal(self._manifest.database)
        self._turn = RLock()
        self._seen = Seen(folder, ())
        self._pieces: list[Piece] = []
        self._waiting = np.zeros(_MASK + 1, bool)
        self._read_to = self._journal.taken()
        self._lately: deque[tuple[int, int]] = deque()
        self._touches: Counter[int] = Counter()
        self._latest = (ABSENT, 0)
        self.hear: Callable[[Read, Numbers], None] | None = None
        """Called with each reading and its rows that are new."""
        self.published_to = self._read_to
        """The last batch that is in what was last published."""
        self._unpublished: deque[tuple[int, int, int]] = deque()
        self._lag_ms = 0

    def catch_up(self) -> int:
        """Read what was accepted before this call, let go of what was taken over; return how many events are new.

        Raises:
            ParcoursError: ``seen_damaged``, ``database_damaged`` …
        """
        with self._turn:
            found, last = 0, self._journal.last_batch_no()
            # What comes in meanwhile is for the next call: waiting for the last one would never end under load.
            while self._read_to < last and (batches := self._journal.read(self._read_to, AT_ONCE_BYTES)):
                found += self._take(batches)
                end = batches[-1]
                self._read_to = end.last if isinstance(end, Spoilt) else end.batch_no
            taken = self._journal.taken()
            waiting = [piece for piece in self._pieces if int(piece.batch_no[-1]) > taken]
            if len(waiting) < len(self._pieces):
                self._pieces = waiting
                self._waiting[:] = False
                for piece in waiting:
                    self._waiting[piece.keys & _MASK] = True
            return found

    def look(self, pseudonyms: Numbers, purpose: str) -> tuple[Rows, Stated]:
        """Return the waiting events on which any of ``pseudonyms`` stands, and what is stated for anybody on them."""
        with self._turn:
            self.catch_up()
            taken = self._journal.taken()
            rows = find_rows(self._pieces, taken, pseudonyms)
            named = np.unique(np.concatenate([pseudonyms, *rows.people.values()]))
            return rows, find_stated(self._pieces, taken, purpose, named)

    def open(self, rows: Rows) -> list[Arrived]:
        """Return waiting events with their content, as they arrived; those taken over since are absent."""
        with self._turn:
            places: dict[int, list[int]] = {}
            for batch_no, place in zip(rows.batch_no.tolist(), rows.place.tolist(), strict=True):
                places.setdefault(batch_no, []).append(place)
            return [one for batch_no, wanted in sorted(places.items()) for one in self._read_again(batch_no, wanted)]

    def pulse(self) -> Pulse:
        """Return what arrives; the journal is not read for it."""
        with self._turn:
            self._forget(time.time_ns() // 1_000_000)
            while self._unpublished and self._unpublished[0][0] <= self.published_to:
                self._unpublished.popleft()
            return Pulse(
                per_minute=sum(count for _, count in self._lately),
                touchpoints=dict(self._touches),
                latest_touchpoint=self._latest[0],
                latest_ms=self._latest[1],
                lag_ms=self._lag_ms,
                waiting=sum(count for _, count, _ in self._unpublished),
                oldest_ms=min((at_ms for _, _, at_ms in self._unpublished), default=None),
            )

    def close(self) -> None:
        """Stop following for good."""
        with self._turn:
            self._manifest.close()

    def _take(self, found: Sequence[Batch | Spoilt]) -> int:
        read = self._read(found)
        fresh = self._only_new(read)
        now_ms = time.time_ns() // 1_000_000
        arrived = {one.batch_no: one.received_ms for one in found if isinstance(one, Batch)}
        if arrived:
            self._lag_ms = max(0, now_ms - max(arrived.values()))
        if not len(fresh):
            return 0
        if self.hear:
            self.hear(read, fresh)
        piece = self._gather(read, fresh)
        self._pieces.append(piece)
        self._waiting[piece.keys & _MASK] = True
        met = np.flatnonzero(piece.touchpoint != ABSENT)
        self._touches.update(Counter(piece.touchpoint[met].tolist()))
        numbers, counts = np.unique(piece.batch_no, return_counts=True)
        for batch_no, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            self._unpublished.append((batch_no, count, arrived[batch_no]))
        self._lately.append((now_ms, len(fresh)))
        if len(met):
            self._latest = int(piece.touchpoint[met[-1]]), int(piece.received_ms[met[-1]])
        self._forget(now_ms)
        return len(fresh)

    def _gather(self, read: Read, fresh: Numbers) -> Piece:
        events = read.events.take(pa.array(fresh))
        people, sound = name_people(events, self._keys.pseudonyms, self._spelling)
        batch_no = read.batch_no[fresh]
        if not sound.all():
            # The door refuses these; nobody is to be found by them.
            people = {kind: np.where(sound, codes, ABSENT) for kind, codes in people.items()}
        return Piece(
            people={kind: codes for kind, codes in people.items() if (codes >= 0).any()},
            batch_no=batch_no,
            place=read.place[fresh].astype(np.int32),
            received_ms=read.received_ms[fresh],
            occurred_ms=np.asarray(events.column("occurred_ms")),
            touchpoint=self._touchpoints(events, people).astype(np.int16),
            stated=gather_stated(events, people, self._purposes),
            keys=np.sort(key_of(read.day[fresh], read.id_hash[fresh])),
        )

    def _read(self, found: Sequence[Batch | Spoilt]) -> Read:
        now_ms = time.time_ns() // 1_000_000
        return self._reader.read(open_batches(found, self._sealer, now_ms)[0], now_ms)

    def _only_new(self, read: Read) -> Numbers:
        """Return the rows that came neither in parts nor in what already waits."""
        # In this order: what is taken over in between is seen in both places, and never in neither.
        taken = self._journal.taken()
        with self._manifest.lease():
            self._seen = self._seen.with_runs(self._manifest.seen_runs(np.unique(read.day).tolist()))
            fresh = self._seen.sort_out(read.day, read.id_hash, read.content_hash) == NEW
        if len(self._apart):
            # What measures audience apart is nobody's: it is not followed.
            fresh &= ~np.asarray(pc.is_in(read.events.column("source"), self._apart))
        keys = key_of(read.day, read.id_hash)
        # Hardly any waits already: which may, a table of bits tells in one look.
        maybe = np.flatnonzero(fresh & self._waiting[keys & _MASK])
        for piece in self._pieces:
            if len(maybe) and int(piece.batch_no[-1]) > taken:
                fresh[maybe] &= ~piece.holds(keys[maybe])
        return np.flatnonzero(fresh)

    def _read_again(self, batch_no: int, places: Sequence[int]) -> list[Arrived]:
        found = self._journal.read(batch_no - 1, 1)[:1]
        if not found or not isinstance(found[0], Batch) or found[0].batch_no != batch_no:
            return []  # Taken over this moment: it stands in the parts.
        read = self._read(found)
        wanted = np.flatnonzero(np.isin(read.place, places))
        events = read.events.take(pa.array(wanted))
        people, _ = name_people(events, self._keys.pseudonyms, self._spelling)
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
