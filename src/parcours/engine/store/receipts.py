"""Receipts of what time took out of parts, in `journal.db`, and when each part is due to be looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
    receipt_no INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, rows INTEGER NOT NULL, texts INTEGER NOT NULL,
    field_values INTEGER NOT NULL, identifiers INTEGER NOT NULL, until_ms INTEGER NOT NULL, purposes TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, checksum BLOB);
CREATE TABLE IF NOT EXISTS due_parts (
    path TEXT PRIMARY KEY, rules TEXT NOT NULL, due_day INTEGER NOT NULL, checksum BLOB);
"""
RECEIPTS = (
    "receipt_no",
    "at_ms",
    "rows",
    "texts",
    "field_values",
    "identifiers",
    "until_ms",
    "purposes",
    "before",
    "after",
)


class Receipt(msgspec.Struct, frozen=True):
    """What one going through the parts took out of them.

    Attributes:
        receipt_no: Its number, rising.
        at_ms: When, in epoch milliseconds.
        rows: The events that were removed, with ``texts`` of theirs; and single ``field_values`` that were emptied.
        identifiers: The identifiers that no event, edge or choice names any more, removed with their keys.
        until_ms: The latest moment of a removed event.
        purposes: The removed events by the purposes they were stamped for, as ids joined by a comma.
        before, after: The SHA-256 of each part file that was replaced, and of each that took its place.
    """

    receipt_no: int
    at_ms: int
    rows: int
    texts: int
    field_values: int
    identifiers: int
    until_ms: int
    purposes: dict[str, int]
    before: dict[str, str]
    after: dict[str, str]


class Receipts:
    """Both tables over an open ``journal.db``; they change in the transaction in which the parts do."""

    def __init__(self, database: Database) -> None:
        database.execute(SCHEMA)
        self._db = database
        self.table = CheckedTable(database, "receipts", RECEIPTS, RECEIPTS[:1])
        self.due = CheckedTable(database, "due_parts", ("path", "rules", "due_day"), ("path",))

    def add(self, receipt: Receipt) -> Receipt:
        """Append ``receipt`` under the next number; return it."""
        with self._db.transaction():
            number = 1 + max((one.receipt_no for one in self.all()), default=0)
            numbered = msgspec.structs.replace(receipt, receipt_no=number)
            self.table.put([tuple(_cell(getattr(numbered, name)) for name in RECEIPTS)])
        return numbered

    def all(self) -> list[Receipt]:
        """Return every receipt, oldest first.

        Raises:
            ParcoursError: ``row_damaged`` names one that was altered, or says that some are missing.
        """
        return [
            msgspec.convert(
                {
                    name: msgspec.json.decode(cell) if isinstance(cell, str) else cell
                    for name, cell in zip(RECEIPTS, row, strict=True)
                },
                Receipt,
            )
            for row in self.table.all("receipt_no")
        ]

    def due_days(self, rules: str) -> dict[str, int]:
        """Return when each part that was looked at under ``rules`` is due again, as days since 1970."""
        return {str(path): int(day or 0) for path, held, day in self.due.all() if held == rules}

    def note_due(self, rules: str, days: Mapping[str, int], gone: Iterable[str]) -> None:
        """Note when parts are due, and forget those that are ``gone``."""
        with self._db.transaction():
            for path in gone:
                self.due.drop("path = ?", (path,))
            self.due.put((path, rules, day) for path, day in days.items())


def _cell(value: int | dict[str, int] | dict[str, str]) -> int | str:
    return value if isinstance(value, int) else msgspec.json.encode(value, order="sorted").decode()
