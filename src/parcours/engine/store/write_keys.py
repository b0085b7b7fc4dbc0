"""Write keys in `journal.db`: kept as digests alone, each with its source, its terms, and when it last served."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS write_keys (
    digest TEXT PRIMARY KEY, source TEXT NOT NULL, ending TEXT NOT NULL, made_ms INTEGER NOT NULL,
    revoked_ms INTEGER, checksum BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS write_key_terms (
    digest TEXT PRIMARY KEY, origins TEXT NOT NULL, events TEXT NOT NULL, per_second INTEGER NOT NULL,
    expires_ms INTEGER, checksum BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS write_key_uses (
    digest TEXT PRIMARY KEY, used_ms INTEGER NOT NULL, checksum BLOB) WITHOUT ROWID;
"""
MOST_LIVE = 2
"""How many keys of one source may serve at once: the one in use, and the one that takes over from it."""


class WriteKey(msgspec.Struct, frozen=True):
    """A write key: the last letters of it by which people tell it from others, since when, and until when."""

    digest: str
    source: str
    ending: str
    made_ms: int
    revoked_ms: int | None


class Terms(msgspec.Struct, frozen=True):
    """What a key may do: nothing is narrowed by default.

    Attributes:
        origins: The origins whose pages may use it, in place of whatever the source takes.
        events: The names of the events that it may send.
        per_second: How many events a second it may send; 0 for as many as come.
        expires_ms: When it ends.
    """

    origins: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    per_second: int = 0
    expires_ms: int | None = None


class KeptKey(msgspec.Struct, frozen=True):
    """All that is known of a key."""

    key: WriteKey
    terms: Terms
    used_ms: int | None

    def is_live(self, now_ms: int) -> bool:
        """Return whether it serves at this moment."""
        return self.key.revoked_ms is None and (self.terms.expires_ms is None or now_ms < self.terms.expires_ms)


class WriteKeys:
    """The keys over an open ``journal.db``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._db.execute(SCHEMA)
        self.table = CheckedTable(database, "write_keys", WriteKey.__struct_fields__, ("digest",))
        self.terms = CheckedTable(database, "write_key_terms", ("digest", *Terms.__struct_fields__), ("digest",))
        self.uses = CheckedTable(database, "write_key_uses", ("digest", "used_ms"), ("digest",))

    def add(self, key: WriteKey, terms: Terms | None = None) -> bool:
        """Keep a key, unless as many of its source are live as may be; return whether it was kept."""
        with self._db.transaction():
            if len([one for one in self.live(key.made_ms) if one.key.source == key.source]) >= MOST_LIVE:
                return False
            self.table.put([msgspec.structs.astuple(key)])
            if terms is not None and terms != Terms():
                lists = (msgspec.json.encode(one).decode() for one in (terms.origins, terms.events))
                self.terms.put([(key.digest, *lists, terms.per_second, terms.expires_ms)])
        return True

    def revoke(self, source: str, ending: str, at_ms: int) -> int:
        """Revoke the keys of ``source`` that end in ``ending``; return how many."""
        with self._db.transaction():
            found = [key for key in self.all() if (key.source, key.ending) == (source, ending) and not key.revoked_ms]
            self.table.put(msgspec.structs.astuple(msgspec.structs.replace(key, revoked_ms=at_ms)) for key in found)
        return len(found)

    def note_uses(self, used_ms: Mapping[str, int]) -> None:
        """Note when keys last served, by their digests."""
        self.uses.put(list(used_ms.items()))

    def all(self) -> list[WriteKey]:
        """Return every key, revoked ones too, by source and age.

        Raises:
            ParcoursError: ``row_damaged`` names a key that was altered: nobody is let in by mistake.
        """
        names = WriteKey.__struct_fields__
        rows = self.table.all("source, made_ms")
        return [msgspec.convert(dict(zip(names, row, strict=True)), WriteKey) for row in rows]

    def kept(self) -> list[KeptKey]:
        """Return every key with its terms and its last use. Errors as in `all`: terms that are gone would widen it."""
        with self._db.snapshot():
            terms = {str(digest): _read_terms(*cells) for digest, *cells in self.terms.all()}
            uses = {str(digest): int(used_ms or 0) for digest, used_ms in self.uses.all()}
            return [KeptKey(key, terms.get(key.digest, Terms()), uses.get(key.digest)) for key in self.all()]

    def live(self, now_ms: int) -> list[KeptKey]:
        """Return those that serve at this moment."""
        return [one for one in self.kept() if one.is_live(now_ms)]


def _read_terms(origins: object, events: object, per_second: object, expires_ms: object) -> Terms:
    held = {"origins": msgspec.json.decode(str(origins)), "events": msgspec.json.decode(str(events))}
    return msgspec.convert({**held, "per_second": per_second, "expires_ms": expires_ms}, Terms)
