"""What waits to be carried out, one ordered queue a destination, in `journal.db`; bodies are sealed by the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from hashlib import blake2b

import msgspec

from parcours.engine.store.checked import CheckedTable, Tally
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.words import Words

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, destination TEXT NOT NULL, message_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL, body BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_by_destination ON outbox (destination, number);
CREATE TABLE IF NOT EXISTS carried (
    destination TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, count INTEGER NOT NULL,
    checksum BLOB, PRIMARY KEY (destination, outcome, detail)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answered (
    destination TEXT NOT NULL, message_id TEXT NOT NULL, outcome TEXT NOT NULL, at_ms INTEGER NOT NULL,
    checksum BLOB, PRIMARY KEY (destination, message_id)) WITHOUT ROWID;
"""


CARRIED = ("destination", "outcome", "detail", "count")
ANSWERED = ("destination", "message_id", "outcome", "at_ms")
NOTICE = "erasure-"
"""What message ids begin with of which it is remembered what became of them: recipients must be told of erasures."""

NOTICES = (NOTICE, "rectification-", "restriction-")
"""The same of everything that recipients must be told of (GDPR art. 19)."""


class Waiting(msgspec.Struct, frozen=True):
    """One event on its way out; ``body`` is sealed."""

    destination: str
    message_id: str
    at_ms: int
    body: bytes


class OutboxTable:
    """The queues over an open ``journal.db``; every change is durable on return."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self._tally = Tally(database, "outbox")
        self._tally.begin(fill=True)
        self.counts = CheckedTable(database, "carried", CARRIED, CARRIED[:-1])
        self.answers = CheckedTable(database, "answered", ANSWERED, ANSWERED[:2])

    def add(self, parcels: Iterable[Waiting]) -> None:
        """Append to the queues, in one transaction or in the one that the caller holds."""
        rows = [(one.destination, one.message_id, one.at_ms, one.body, _checksum(one)) for one in parcels]
        with self._db.transaction():
            self._db.executemany(
                "INSERT INTO outbox (destination, message_id, at_ms, body, checksum) VALUES (?, ?, ?, ?, ?)", rows
            )
            self._tally.note(added=(row[-1] for row in rows))

    def take(self, destination: str, limit: int) -> list[tuple[int, Waiting]]:
        """Return the head of a queue with its numbers.

        Raises:
            ParcoursError: ``outbox_damaged`` names a line that was altered; ``row_damaged`` says that some are missing.
        """
        with self._db.snapshot():
            rows = self._db.execute(
                "SELECT number, message_id, at_ms, body, checksum FROM outbox WHERE destination = ? "
                "ORDER BY number LIMIT ?",
                (destination, limit),
            )
            if len(rows) < limit:
                self._tally.compare_counts("outbox_by_destination")
        found = []
        for number, message_id, at_ms, body, checksum in rows:
            one = Waiting(destination, str(message_id), int(at_ms or 0), body if isinstance(body, bytes) else b"")
            if _checksum(one) != checksum:
                raise self._damaged(number)
            found.append((int(number or 0), one))
        return found

    def done(self, destination: str, up_to_number: int) -> None:
        """Forget the parcels up to a number, and count them as delivered."""
        with self._db.transaction():
            self._remember("delivered", "destination = ? AND number <= ?", (destination, up_to_number))
            count = self._tally.drop("destination = ? AND number <= ?", [(destination, up_to_number)])
            self._count(destination, "delivered", "", count)

    def refuse(self, destination: str, number: int, code: str) -> None:
        """Take one parcel out of its queue, and count it as refused."""
        with self._db.transaction():
            self._remember("refused", "destination = ? AND number = ?", (destination, number))
            self._tally.drop("destination = ? AND number = ?", [(destination, number)])
            self._count(destination, "refused", code, 1)

    def reseal(self, turn: Callable[[bytes], bytes]) -> int:
        """Replace every sealed body by what ``turn`` makes of it; return how many changed.

        Raises:
            ParcoursError: ``outbox_damaged``, ``row_damaged``.
        """
        count = 0
        with self._db.transaction():
            for (destination,) in self._db.execute("SELECT DISTINCT destination FROM outbox"):
                for number, one in self.take(str(destination), self._tally.rows()):
                    made = msgspec.structs.replace(one, body=turn(one.body))
                    if made != one:
                        told = (made.body, _checksum(made), number)
                        self._db.execute("UPDATE outbox SET body = ?, checksum = ? WHERE number = ?", told)
                        self._tally.note(added=[_checksum(made)], removed=[_checksum(one)])
                        count += 1
        return count

    def all(self) -> list[tuple[int, Waiting]]:
        """Return everything that waits, with its numbers. Errors as in `take`."""
        rows = self._db.execute("SELECT DISTINCT destination FROM outbox ORDER BY destination")
        return [one for (destination,) in rows for one in self.take(str(destination), 1 << 62)]

    def withdraw(self, numbers: Iterable[int]) -> int:
        """Take parcels out of their queues that are not to be carried out any more; return how many there were."""
        return self._tally.drop("number = ?", [(number,) for number in numbers])

    def answered(self, destination: str, message_id: str) -> str:
        """Return what became of a `NOTICE`: ``delivered`` or ``refused``, empty while it waits."""
        rows = self.answers.some("WHERE destination = ? AND message_id = ?", (destination, message_id))
        return str(rows[0][2]) if rows else ""

    def waiting(self, destination: str) -> tuple[int, int | None]:
        """Return how many wait, and since when the oldest does."""
        count, oldest = self._db.execute(
            "SELECT count(*), min(at_ms) FROM outbox WHERE destination = ?", (destination,)
        )[0]
        return int(count or 0), None if oldest is None else int(oldest)

    def carried(self) -> dict[tuple[str, str, str], int]:
        """Return counts by (destination, outcome, detail): what was delivered and what was refused, and why."""
        rows = self.counts.all()
        return {(str(destination), str(outcome), str(detail)): int(n or 0) for destination, outcome, detail, n in rows}

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def verify(self) -> Iterable[ParcoursError]:
        """Yield one error for each line that was altered, and one when lines are missing."""
        rows = self._db.execute("SELECT number, destination, message_id, at_ms, body, checksum FROM outbox")
        for number, destination, message_id, at_ms, body, checksum in rows:
            one = Waiting(str(destination), str(message_id), int(at_ms or 0), body if isinstance(body, bytes) else b"")
            if _checksum(one) != checksum:
                yield self._damaged(number)
        yield from self._tally.verify(row[-1] for row in rows)

    def _remember(self, outcome: str, where: str, args: tuple[str, int]) -> None:
        notices = " OR ".join(f"message_id GLOB '{one}*'" for one in NOTICES)
        sql = f"SELECT destination, message_id FROM outbox WHERE {where} AND ({notices})"
        told = self._db.execute(sql, args)
        if told:
            at_ms = time.time_ns() // 1_000_000
            self.answers.put([(destination, message_id, outcome, at_ms) for destination, message_id in told])

    def _count(self, destination: str, outcome: str, detail: str, count: int) -> None:
        if count:
            key = (destination, outcome, detail)
            held = self.counts.some("WHERE destination = ? AND outcome = ? AND detail = ?", key)
            self.counts.put([(*key, count + (int(held[0][-1] or 0) if held else 0))])

    def _damaged(self, number: object) -> ParcoursError:
        return ParcoursError(
            "outbox_damaged",
            Words(
                fr=f"L'envoi {number} en attente a été altéré.",
                en=f"Parcel {number} of the outbox has been altered.",
            ),
            Words(fr="Rétablissez journal.db depuis une sauvegarde.", en="Restore journal.db from a backup."),
            self._db.path,
        )


def _checksum(one: Waiting) -> bytes:
    cells = msgspec.msgpack.encode((one.destination, one.message_id, one.at_ms))
    return blake2b(cells + one.body, digest_size=16, person=b"outbox").digest()
