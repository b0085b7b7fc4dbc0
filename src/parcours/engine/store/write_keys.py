"""Write keys in `journal.db`: kept as digests alone, each with the source that it lets send."""

from __future__ import annotations

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS write_keys (
    digest TEXT PRIMARY KEY, source TEXT NOT NULL, ending TEXT NOT NULL, made_ms INTEGER NOT NULL,
    revoked_ms INTEGER, checksum BLOB) WITHOUT ROWID;
"""


class WriteKey(msgspec.Struct, frozen=True):
    """A write key: the last letters of it by which people tell it from others, since when, and until when."""

    digest: str
    source: str
    ending: str
    made_ms: int
    revoked_ms: int | None


class WriteKeys:
    """The keys over an open ``journal.db``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self.table = CheckedTable(database, "write_keys", WriteKey.__struct_fields__, ("digest",))

    def add(self, key: WriteKey) -> None:
        """Keep a key."""
        self.table.put([msgspec.structs.astuple(key)])

    def revoke(self, source: str, ending: str, at_ms: int) -> int:
        """Revoke the keys of ``source`` that end in ``ending``; return how many."""
        with self._db.transaction():
            found = [key for key in self.all() if (key.source, key.ending) == (source, ending) and not key.revoked_ms]
            self.table.put(msgspec.structs.astuple(msgspec.structs.replace(key, revoked_ms=at_ms)) for key in found)
        return len(found)

    def all(self) -> list[WriteKey]:
        """Return every key, revoked ones too, by source and age.

        Raises:
            ParcoursError: ``row_damaged`` names a key that was altered: nobody is let in by mistake.
        """
        names = WriteKey.__struct_fields__
        rows = self.table.all("source, made_ms")
        return [msgspec.convert(dict(zip(names, row, strict=True)), WriteKey) for row in rows]
