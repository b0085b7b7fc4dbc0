"""Write keys in `journal.db`: kept as digests alone, each with the source that it lets send."""

from __future__ import annotations

import msgspec

from parcours.engine.store.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS write_keys (
    digest TEXT PRIMARY KEY, source TEXT NOT NULL, ending TEXT NOT NULL, made_ms INTEGER NOT NULL,
    revoked_ms INTEGER) WITHOUT ROWID;
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

    def add(self, key: WriteKey) -> None:
        """Keep a key."""
        with self._db.transaction():
            cells = (key.digest, key.source, key.ending, key.made_ms, key.revoked_ms)
            self._db.execute("INSERT INTO write_keys VALUES (?, ?, ?, ?, ?)", cells)

    def revoke(self, source: str, ending: str, at_ms: int) -> int:
        """Revoke the keys of ``source`` that end in ``ending``; return how many."""
        with self._db.transaction():
            found = [key for key in self.all() if (key.source, key.ending) == (source, ending) and not key.revoked_ms]
            self._db.executemany(
                "UPDATE write_keys SET revoked_ms = ? WHERE digest = ?", [(at_ms, key.digest) for key in found]
            )
        return len(found)

    def all(self) -> list[WriteKey]:
        """Return every key, revoked ones too, by source and age."""
        rows = self._db.execute("SELECT digest, source, ending, made_ms, revoked_ms FROM write_keys ORDER BY 2, 4")
        return [
            WriteKey(
                str(digest),
                str(source),
                str(ending),
                int(made_ms or 0),
                None if revoked_ms is None else int(revoked_ms),
            )
            for digest, source, ending, made_ms, revoked_ms in rows
        ]
