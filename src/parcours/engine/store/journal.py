"""The journal in `journal.db`: accepted batches, sealed, in the order they were taken, until parts take them over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from parcours.engine.store.checked import CheckedTable, Tally
from parcours.engine.store.sqlite import OUT_OF_ORDER, Cell, Database, database_damaged
from parcours.errors import ParcoursError
from parcours.words import Words

SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    batch_no INTEGER PRIMARY KEY AUTOINCREMENT, hour INTEGER NOT NULL, events INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, body BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cursors (inlet TEXT PRIMARY KEY, cursor BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS taken (
    one INTEGER PRIMARY KEY CHECK (one = 1), batch_no INTEGER NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS proof (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL);
"""


_LISTED = 10_000
TAKEN = ("one", "batch_no")
_VERIFIED_BYTES = 16 << 20

MOST_CLAIMED = 1_000_000
"""What a damaged batch says of its events is believed up to here."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """What is appended: sealed deliveries of one hour, and where the inlet that brought them stands now.

    ``hour`` is the number of the hour (UTC) whose key seals ``body``; ``received_ms`` the latest delivery's.
    """

    hour: int
    events: int
    received_ms: int
    body: bytes
    inlet: str = ""
    cursor: bytes = b""


class Batch(msgspec.Struct, frozen=True):
    """A frame as the journal holds it, checked; ``batch_no`` is never given twice."""

    batch_no: int
    hour: int
    events: int
    received_ms: int
    body: bytes


class Spoilt(msgspec.Struct, frozen=True):
    """Batches ``first`` to ``last`` that are missing, or one that is not what was written.

    ``rest`` is what stands in the place of that one, `None` where it is missing; ``events`` what it says of itself.
    """

    first: int
    last: int
    events: int = 0
    rest: bytes | None = None


class Backlog(msgspec.Struct, frozen=True):
    """What has been accepted and not been taken over yet."""

    batches: int
    events: int
    bytes: int
    oldest_ms: int | None
    last_batch_no: int


class Journal:
    """The batches of one company over an open ``journal.db``.

    Batches are taken over in their order, so what is pending is one unbroken run of numbers: a hole in it is damage.
    """

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self._taken = CheckedTable(database, "taken", TAKEN, TAKEN[:1])
        self._cursors = Tally(database, "cursors")
        self._cursors.begin(fill=True)
        if not self._taken.all():
            with database.transaction():
                if not self._taken.all():  # Else another process was faster.
                    self._taken.put([(1, 0)])

    def append(self, frames: Sequence[Frame]) -> list[int]:
        """Append ``frames`` in one transaction, durable on return; give the number of each.

        Raises:
            ParcoursError: ``disk_full``, ``database_busy``, ``database_gone`` …: then none of them is there.
        """
        # In a file that was deleted or replaced under us nobody would ever find them.
        self._db.check_place()
        with self._db.transaction():
            return self.append_within(frames)

    def append_within(self, frames: Sequence[Frame]) -> list[int]:
        """Do what `append` does inside a transaction that the caller holds."""
        first = self.last_batch_no() + 1
        rows: list[tuple[Cell, ...]] = []
        for batch_no, frame in enumerate(frames, first):
            cells = (batch_no, frame.hour, frame.events, frame.received_ms)
            rows.append((*cells, frame.body, _checksum(cells, frame.body)))
        self._db.executemany("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?)", rows)
        cursors = {frame.inlet: frame.cursor for frame in frames if frame.inlet and frame.cursor}
        if cursors:
            told = [(inlet, cursor, _checksum((inlet,), cursor)) for inlet, cursor in cursors.items()]
            self._cursors.drop("inlet = ?", ((inlet,) for inlet in cursors))
            self._db.executemany("INSERT INTO cursors VALUES (?, ?, ?)", told)
            self._cursors.note(added=(row[2] for row in told))
        return list(range(first, first + len(frames)))

    def prove(self) -> None:
        """Make a small write that is durable on return, to know that one can.

        Raises:
            ParcoursError: ``disk_full``, ``database_gone`` …
        """
        self._db.check_place()
        self._db.execute("INSERT INTO proof VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET number = number + 1")

    def last_batch_no(self) -> int:
        """Return the highest number that was ever given, 0 before the first."""
        rows = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'batches'")
        there = _whole(self._db.execute("SELECT max(batch_no) FROM batches")[0][0])
        return max(_whole(rows[0][0]) if rows else 0, there, self.taken())

    def taken(self) -> int:
        """Return the number of the last batch that parts have taken over."""
        return int(self._taken.all()[0][1] or 0)

    def pending(self, after: int | None = None, most_bytes: int = 1 << 62, most_events: int = 1 << 62) -> list[Batch]:
        """Return the batches after number ``after`` (by default after those taken over), the first of them at least.

        However much the caller allows, it is some thousands of them at most: whoever wants all asks on from the last.

        Raises:
            ParcoursError: ``journal_damaged`` names the batch that is missing or not what was written.
        """
        found = []
        for one in self.read(after, most_bytes, most_events):
            if isinstance(one, Spoilt):
                raise self._damaged(one)
            found.append(one)
        return found

    def read(
        self, after: int | None = None, most_bytes: int = 1 << 62, most_events: int = 1 << 62
    ) -> list[Batch | Spoilt]:
        """Return what `pending` does, with a `Spoilt` in the place of what is missing or not what was written."""
        with self._db.snapshot():
            last = max(self.taken(), -1 if after is None else after)
            found: list[Batch | Spoilt] = []
            size = events = 0
            listed = self._db.execute(
                "SELECT batch_no, length(body), iif(typeof(events) = 'integer', events, 0) "
                "FROM batches WHERE batch_no > ? ORDER BY batch_no LIMIT ?",
                (last, _LISTED),
            )
            for batch_no, length, held in listed:
                size, events = size + _whole(length), events + _whole(held)
                if found and (size > most_bytes or events > most_events):
                    return found
                number = int(batch_no or 0)
                if number > last + 1:
                    found.append(Spoilt(last + 1, number - 1))
                found.append(self._read(number))
                last = number
            if len(listed) < _LISTED and last < (end := self.last_batch_no()):
                found.append(Spoilt(last + 1, end))
        return found

    def _read(self, number: int) -> Batch | Spoilt:
        # A damaged row may hold texts that are none, which cannot even be read as such.
        rows = self._db.execute(
            "SELECT iif(typeof(hour) = 'integer', hour, NULL), iif(typeof(events) = 'integer', events, NULL), "
            "iif(typeof(received_ms) = 'integer', received_ms, NULL), typeof(body), CAST(body AS BLOB), "
            "CAST(checksum AS BLOB) FROM batches WHERE batch_no = ?",
            (number,),
        )
        if not rows:
            return Spoilt(number, number)
        hour, events, received_ms, kind, body, checksum = rows[0]
        rest = body if isinstance(body, bytes) else b""
        if (
            kind != "blob"
            or not isinstance(hour, int)
            or not isinstance(events, int)
            or not isinstance(received_ms, int)
            or _checksum((number, hour, events, received_ms), rest) != checksum
        ):
            claimed = events if isinstance(events, int) and 0 < events <= MOST_CLAIMED else 1
            return Spoilt(number, number, claimed, rest)
        return Batch(number, hour, events, received_ms, rest)

    def take_over_within(self, last_batch_no: int) -> None:
        """Let go of the batches up to ``last_batch_no``, inside the transaction that puts their parts in force.

        Their bytes stay sealed under the keys of their hours, which are destroyed: to overwrite them as well would
        write every batch a third time.
        """
        self._db.execute("PRAGMA secure_delete=FAST")
        try:
            self._db.execute("DELETE FROM batches WHERE batch_no <= ?", (last_batch_no,))
            self._taken.put([(1, last_batch_no)])
        finally:
            self._db.execute("PRAGMA secure_delete=ON")

    def backlog(self) -> Backlog:
        """Return how much waits."""
        count, events, size, oldest = self._db.execute(
            "SELECT count(*), sum(events), sum(length(body)), "
            "min(iif(typeof(received_ms) = 'integer', received_ms, NULL)) FROM batches WHERE batch_no > ?",
            (self.taken(),),
        )[0]
        return Backlog(
            int(count or 0),
            int(events or 0),
            int(size or 0),
            None if oldest is None else int(oldest),
            self.last_batch_no(),
        )

    def hours(self) -> set[int]:
        """Return the hours whose keys are still needed."""
        return {
            _whole(row[0])
            for row in self._db.execute("SELECT DISTINCT hour FROM batches WHERE typeof(hour) = 'integer'")
        }

    def cursor(self, inlet: str) -> bytes | None:
        """Return where ``inlet`` stood at its last durable delivery.

        Raises:
            ParcoursError: ``journal_damaged``.
        """
        rows = self._db.execute("SELECT cursor, checksum FROM cursors WHERE inlet = ?", (inlet,))
        if not rows:
            # An inlet that lost its cursor would begin again.
            with self._db.snapshot():
                self._cursors.compare(row[0] for row in self._db.execute("SELECT checksum FROM cursors"))
            return None
        cursor, checksum = rows[0]
        if not isinstance(cursor, bytes) or _checksum((inlet,), cursor) != checksum:
            raise self._damaged(inlet)
        return cursor

    def verify(self) -> Iterable[ParcoursError]:
        """Yield one error for each batch and cursor that is missing or not what was written."""
        yield from self._taken.verify()
        after = self.taken()
        while found := self.read(after, _VERIFIED_BYTES):
            yield from (self._damaged(one) for one in found if isinstance(one, Spoilt))
            end = found[-1]
            last = end.last if isinstance(end, Spoilt) else end.batch_no
            if last <= after:
                yield database_damaged(self._db.path, OUT_OF_ORDER)
                break
            after = last
        for (inlet,) in self._db.execute("SELECT inlet FROM cursors"):
            try:
                self.cursor(str(inlet))
            except ParcoursError as fault:
                yield fault
        yield from self._cursors.verify(row[0] for row in self._db.execute("SELECT checksum FROM cursors"))

    def check_place(self) -> None:
        """Raise `ParcoursError` ``database_gone`` unless the file is still where it was opened."""
        self._db.check_place()

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _damaged(self, what: Spoilt | str) -> ParcoursError:
        if isinstance(what, Spoilt):
            what = str(what.first) if what.first == what.last else f"{what.first}–{what.last}"
        return ParcoursError(
            "journal_damaged",
            Words(
                fr=f"Le lot {what} du journal manque ou est endommagé.",
                en=f"Batch {what} of the journal is missing or damaged.",
            ),
            Words(
                fr="Rétablissez journal.db depuis une sauvegarde ; redemandez à leurs sources les événements reçus "
                "depuis.",
                en="Restore journal.db from a backup; events received since then must be asked of their sources again.",
            ),
            self._db.path,
        )


def _whole(cell: Cell) -> int:
    """Return a number, 0 where a damaged row holds something else."""
    return cell if isinstance(cell, int) else 0


def _checksum(cells: Sequence[Cell], body: bytes) -> bytes:
    """Return 16 bytes that change with any cell, its place, or the body."""
    return blake2b(msgspec.msgpack.encode(cells) + body, digest_size=16, person=b"batch").digest()
