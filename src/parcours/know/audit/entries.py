"""The rows of the audit log: what an entry says, how it is hashed and chained, and where the log ends."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Cell, Database, open_database
from parcours.know.audit.merkle import HASH_BYTES, Hashes, hash_leaf

FILE = "audit.db"
CELLS = ("entry_no", "day", "at_ms", "actor", "action", "thing_kind", "thing", "outcome", "reason")
"""What an entry says: a leaf of the tree is the JSON array of it, in this order, in UTF-8 and without spaces."""

START = sha256(b"parcours audit log 1").digest()
"""The link before the first entry."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    entry_no INTEGER PRIMARY KEY, day INTEGER NOT NULL, at_ms INTEGER NOT NULL, actor TEXT NOT NULL,
    action TEXT NOT NULL, thing_kind TEXT NOT NULL, thing TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    chain BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS entries_by_thing ON entries (thing_kind, thing);
CREATE INDEX IF NOT EXISTS entries_by_actor ON entries (actor);
CREATE TABLE IF NOT EXISTS head (
    place INTEGER PRIMARY KEY, entries INTEGER NOT NULL, day INTEGER NOT NULL, chain BLOB NOT NULL,
    peaks BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS roots (
    day INTEGER PRIMARY KEY, entries INTEGER NOT NULL, root BLOB NOT NULL, checksum BLOB NOT NULL);
"""


class Entry(msgspec.Struct, frozen=True):
    """One thing that was done or refused.

    Attributes:
        entry_no: Its number, from 1, without gaps.
        day: The day whose root covers it, in days since 1970 (UTC); it never goes back, whatever the clock does.
        at_ms: What the clock said, in epoch milliseconds.
        actor: The person's id, or ``cli``.
        action: What was done.
        thing_kind: What it was done to: ``profile``, ``account``, ``measure``, ``table`` …
        thing: Which one: an id; of a person only ever a pseudonym, in 16 hexadecimal digits.
        outcome: ``done`` or ``refused``.
        reason: Why, masked.
    """

    entry_no: int
    day: int
    at_ms: int
    actor: str
    action: str
    thing_kind: str
    thing: str
    outcome: str
    reason: str


class Head(NamedTuple):
    """Where the log ends: so many entries, the running day, the end of the chain, the peaks of the tree."""

    entries: int
    day: int
    chain: bytes
    peaks: Hashes


class LogTables:
    """The three tables of ``.parcours/audit.db``: entries, where they end, and the root of each day.

    Args:
        folder: The company folder.
        secret: Keys the checksum of every row.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self.secret = secret
        self.database: Database = open_database(folder / ".parcours" / FILE)
        with self.database.transaction() if not self.database.has_table("tallies") else nullcontext():
            self.database.execute(_SCHEMA)
            self.entries = CheckedTable(self.database, "entries", (*CELLS, "chain"), secret=secret)
            columns = ("place", "entries", "day", "chain", "peaks")
            self.head = CheckedTable(self.database, "head", columns, ("place",), secret)
            self.roots = CheckedTable(self.database, "roots", ("day", "entries", "root"), ("day",), secret)

    def read_head(self) -> Head:
        """Return where the log ends.

        Raises:
            ParcoursError: ``row_damaged``.
        """
        rows = self.head.all()
        if not rows:
            return Head(0, 0, START, ())
        _, entries, day, chain, peaks = rows[0]
        packed = blob(peaks)
        split = tuple(packed[start : start + HASH_BYTES] for start in range(0, len(packed), HASH_BYTES))
        return Head(int(entries or 0), int(day or 0), blob(chain), split)

    def write_head(self, head: Head) -> None:
        """Note where the log ends from now on."""
        self.head.put([(0, head.entries, head.day, head.chain, b"".join(head.peaks))])


def hash_entry(cells: Sequence[Cell]) -> bytes:
    """Return the hash of the leaf that an entry is (see `CELLS`)."""
    return hash_leaf(msgspec.json.encode(cells))


def link(before: bytes, leaf: bytes) -> bytes:
    """Return the link of the chain that a leaf makes after the link ``before``."""
    return sha256(before + leaf).digest()


def blob(cell: Cell) -> bytes:
    """Return the bytes of a cell; none where a damaged file holds something else."""
    return cell if isinstance(cell, bytes) else b""
