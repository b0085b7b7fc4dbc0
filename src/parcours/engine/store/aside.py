"""Events in quarantine in `journal.db`: each with its reason and sealed bytes, until it is put back or expires."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

import msgspec

from parcours.engine.store.checked import Tally
from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.words import Words

SCHEMA = """
CREATE TABLE IF NOT EXISTS aside (
    number INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, code TEXT NOT NULL, rule TEXT NOT NULL,
    reason_fr TEXT NOT NULL, reason_en TEXT NOT NULL, received_ms INTEGER NOT NULL, original BLOB NOT NULL,
    events INTEGER NOT NULL, checksum BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS aside_by_reason ON aside (source, code);
CREATE INDEX IF NOT EXISTS aside_counts ON aside (source, code, events);
CREATE INDEX IF NOT EXISTS aside_by_time ON aside (received_ms);
"""
_INDEXES = ("aside_by_reason", "aside_counts", "aside_by_time")
_COLUMNS = "number, source, code, rule, reason_fr, reason_en, received_ms, events, original, checksum"


class Aside(msgspec.Struct, frozen=True):
    """Events in quarantine for one and the same reason: ``original`` holds the deliveries of each alone, sealed.

    ``received_ms`` is that of the first of them, ``events`` how many they are.
    """

    source: str
    code: str
    rule: str
    reason: Words
    received_ms: int
    original: bytes
    events: int = 1


class AsideGroup(msgspec.Struct, frozen=True):
    """The events that wait for one and the same reason."""

    source: str
    code: str
    rule: str
    reason: Words
    count: int
    first_ms: int
    last_ms: int


class AsideEvents:
    """The quarantine of events over an open ``journal.db``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self._tally = Tally(database, "aside")
        self._tally.begin(fill=True)

    def add(self, events: Iterable[Aside]) -> None:
        """Put events aside, in one transaction or in the one that the caller holds."""
        rows = [(*_cells(event), event.original, _checksum(_cells(event), event.original)) for event in events]
        with self._db.transaction():
            self._db.executemany(
                "INSERT INTO aside (source, code, rule, reason_fr, reason_en, received_ms, events, original, checksum) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._tally.note(added=(row[-1] for row in rows))

    def take(
        self, source: str | None = None, code: str | None = None, after: int = 0, limit: int = 500
    ) -> list[tuple[int, Aside]]:
        """Return events by rising number after number ``after``, those of one ``source`` or ``code`` if named.

        Raises:
            ParcoursError: ``quarantine_damaged`` names a line that was altered; ``row_damaged`` says that some are
                missing.
        """
        where, args = _where(source, code)
        with self._db.snapshot():
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM aside WHERE number > ?{where} ORDER BY number LIMIT ?", [after, *args, limit]
            )
            if len(rows) < limit:
                self._tally.compare_counts(*_INDEXES)
        return [(int(row[0] or 0), self._open(row)) for row in rows]

    def numbers(self, source: str | None, code: str | None, after: int, last: int, limit: int) -> list[int]:
        """Return the numbers after ``after`` and up to ``last`` of events, of one ``source`` or ``code`` if named.

        Raises:
            ParcoursError: ``row_damaged`` says that some are missing.
        """
        where, args = _where(source, code)
        with self._db.snapshot():
            rows = self._db.execute(
                f"SELECT number FROM aside WHERE number > ? AND number <= ?{where} ORDER BY number LIMIT ?",
                [after, last, *args, limit],
            )
            if len(rows) < limit:
                self._tally.compare_counts(*_INDEXES)
        return [int(row[0] or 0) for row in rows]

    def get(self, number: int) -> Aside | None:
        """Return the events under a number, nothing when they are there no more.

        Raises:
            ParcoursError: ``quarantine_damaged``.
        """
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM aside WHERE number = ?", (number,))
        return self._open(rows[0]) if rows else None

    def remove(self, numbers: Sequence[int]) -> int:
        """Take events out of the quarantine; return under how many of the numbers there were any."""
        return self._tally.drop("number = ?", [(number,) for number in numbers])

    def reseal(self, turn: Callable[[bytes], bytes]) -> int:
        """Replace every sealed original by what ``turn`` makes of it; return how many changed.

        Raises:
            ParcoursError: ``quarantine_damaged``, ``row_damaged``.
        """
        count, after = 0, 0
        with self._db.transaction():
            while held := self.take(after=after):
                for number, one in held:
                    made = turn(one.original)
                    if made != one.original:
                        new, old = _checksum(_cells(one), made), _checksum(_cells(one), one.original)
                        self._db.execute(
                            "UPDATE aside SET original = ?, checksum = ? WHERE number = ?", (made, new, number)
                        )
                        self._tally.note(added=[new], removed=[old])
                        count += 1
                after = held[-1][0]
        return count

    def expire(self, before_ms: int) -> int:
        """Remove the events received before ``before_ms``; return how many."""
        with self._db.transaction():
            count = self._db.execute("SELECT sum(events) FROM aside WHERE received_ms < ?", (before_ms,))[0][0]
            self._tally.drop("received_ms < ?", [(before_ms,)])
        return int(count or 0)

    def last_number(self) -> int:
        """Return the highest number in the quarantine, 0 when it is empty."""
        return int(self._db.execute("SELECT max(number) FROM aside")[0][0] or 0)

    def count(self) -> int:
        """Return how many events wait."""
        return int(self._db.execute("SELECT sum(events) FROM aside")[0][0] or 0)

    def groups(self) -> list[AsideGroup]:
        """Return what waits by source and reason, the most frequent first."""
        rows = self._db.execute(
            "SELECT source, code, rule, reason_fr, reason_en, sum(events), min(received_ms), max(received_ms) "
            "FROM aside GROUP BY source, code, rule, reason_fr, reason_en ORDER BY sum(events) DESC, source, code"
        )
        return [
            AsideGroup(
                str(source), str(code), str(rule), Words(str(fr), str(en)), int(n or 0), int(low or 0), int(high or 0)
            )
            for source, code, rule, fr, en, n, low, high in rows
        ]

    def verify(self) -> Iterable[ParcoursError]:
        """Yield one error for each line that was altered, and one when lines are missing."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM aside")
        for row in rows:
            try:
                self._open(row)
            except ParcoursError as fault:
                yield fault
        yield from self._tally.verify(row[-1] for row in rows)

    def _open(self, row: tuple[Cell, ...]) -> Aside:
        number, source, code, rule, fr, en, received_ms, events, original, checksum = row
        event = None
        if isinstance(original, bytes) and isinstance(received_ms, int) and isinstance(events, int):
            event = Aside(str(source), str(code), str(rule), Words(str(fr), str(en)), received_ms, original, events)
        if event is None or _checksum(_cells(event), event.original) != checksum:
            raise ParcoursError(
                "quarantine_damaged",
                Words(
                    fr=f"L'événement {number!r} de la quarantaine a été altéré.",
                    en=f"Event {number!r} of the quarantine has been altered.",
                ),
                Words(fr="Rétablissez journal.db depuis une sauvegarde.", en="Restore journal.db from a backup."),
                self._db.path,
            )
        return event


def _where(source: str | None, code: str | None) -> tuple[str, list[str]]:
    named = [(column, value) for column, value in (("source", source), ("code", code)) if value is not None]
    return "".join(f" AND {column} = ?" for column, _ in named), [value for _, value in named]


def _cells(event: Aside) -> tuple[Cell, ...]:
    return event.source, event.code, event.rule, event.reason.fr, event.reason.en, event.received_ms, event.events


def _checksum(cells: Sequence[Cell], original: bytes) -> bytes:
    return blake2b(msgspec.msgpack.encode(cells) + original, digest_size=16, person=b"aside").digest()
