"""The keys of one company: pseudonym key, seals, and one key an identifier, all wrapped by a master key kept apart."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from hashlib import blake2b
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.engine.store.checked import TAG, TAG_BYTES, Tally
from parcours.engine.store.sqlite import Cell, Database, open_database
from parcours.errors import ParcoursError
from parcours.know.master_key import KEY_BYTES, NEXT, VARIABLE, decode, make_master, warn_beside
from parcours.settings import Settings
from parcours.words import Words

_NONCE = 12
_AT_ONCE = 500
BEFORE = "quarantine.before"
"""The quarantine key of before, as long as its rotation is under way."""

_COMPANY_KEYS = ("pseudonyms", "identifiers", "checks", "quarantine", "rows")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS company_keys (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS identifier_keys (pseudonym INTEGER PRIMARY KEY, wrapped BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS hour_keys (hour INTEGER PRIMARY KEY, wrapped BLOB NOT NULL);
"""


class Keys:
    """The open key file; ``identifiers`` wraps the key of each identifier, the master key wraps the company's own.

    Args:
        database: ``keys.db``, which holds nothing but wrapped keys.
        master: 32 bytes.

    Raises:
        ParcoursError: ``master_key_wrong`` when the master key does not open what is there.
    """

    def __init__(self, database: Database, master: bytes) -> None:
        self._database = database
        self._master = AESGCM(master)
        self._company = _open_company_keys(database, self._master)
        self._take_up()
        self._tally = Tally(database, "identifier_keys", TAG.format("wrapped"))
        self._pending: list[tuple[int, bytes]] = []

    def _take_up(self) -> None:
        self._wrap = AESGCM(self._company["identifiers"])
        self._seal = AESGCM(self._company["quarantine"])
        self._seal_before = AESGCM(self._company[BEFORE]) if BEFORE in self._company else None

    @property
    def pseudonyms(self) -> bytes:
        """The key of every pseudonym of this company."""
        return self._company["pseudonyms"]

    @property
    def checks(self) -> bytes:
        """The key of the checksums of ledger rows and edges."""
        return self._company["checks"]

    def row_seed(self) -> int:
        """Return the company's secret 63-bit seed of row keys."""
        return int.from_bytes(self._company["rows"][:8], "little") >> 1

    def make(self, pseudonyms: Sequence[int]) -> list[bytes]:
        """Return a fresh random key for each of ``pseudonyms``; `settle` writes them down, wrapped."""
        count = len(pseudonyms)
        keys, nonces = os.urandom(KEY_BYTES * count), os.urandom(_NONCE * count)
        made = []
        for index, pseudonym in enumerate(pseudonyms):
            key = keys[KEY_BYTES * index : KEY_BYTES * (index + 1)]
            nonce = nonces[_NONCE * index : _NONCE * (index + 1)]
            made.append(key)
            self._pending.append((pseudonym, nonce + self._wrap.encrypt(nonce, key, _bound(pseudonym))))
        return made

    def find(self, pseudonyms: Iterable[int]) -> dict[int, bytes]:
        """Return the keys of ``pseudonyms``; one whose key was destroyed is absent.

        Raises:
            ParcoursError: ``key_damaged`` names the identifier whose wrapped key was altered.
        """
        found: dict[int, bytes] = {}
        wanted = sorted(set(pseudonyms))
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT pseudonym, wrapped FROM identifier_keys WHERE pseudonym IN ({marks})"
            for pseudonym, wrapped in self._database.execute(sql, some):
                found[int(pseudonym or 0)] = self._unwrap(int(pseudonym or 0), _blob(wrapped))
        return found

    def held(self, pseudonyms: Iterable[int]) -> set[int]:
        """Return those of ``pseudonyms`` that have a key."""
        there = {row[0] for row in self._database.execute("SELECT pseudonym FROM identifier_keys")}
        return {pseudonym for pseudonym in pseudonyms if pseudonym in there}

    def settle(self) -> None:
        """Make every new key durable; a key without a vault row is harmless, the other way round is not."""
        if self._pending:
            # In key order SQLite appends to its pages instead of splitting them.
            with self._database.transaction():
                pending = dict(self._pending)
                self._tally.drop("pseudonym = ?", ((pseudonym,) for pseudonym in pending))
                self._database.executemany("INSERT INTO identifier_keys VALUES (?, ?)", sorted(pending.items()))
                self._tally.note(added=(wrapped[-TAG_BYTES:] for wrapped in pending.values()))
            self._pending.clear()

    def destroy(self, pseudonyms: Iterable[int]) -> None:
        """Destroy the keys of ``pseudonyms``: what they sealed can be read by nobody, backups included."""
        self._tally.drop("pseudonym = ?", ((pseudonym,) for pseudonym in pseudonyms))
        self._database.truncate_log()

    def hour_key(self, hour: int, make: bool = False) -> bytes | None:
        """Return the key of an hour (its number since 1970, UTC); with ``make`` a missing one is made, durably.

        Raises:
            ParcoursError: ``key_damaged``.
        """
        rows = self._database.execute("SELECT wrapped FROM hour_keys WHERE hour = ?", (hour,))
        if not rows and make:
            nonce = os.urandom(_NONCE)
            wrapped = nonce + self._wrap.encrypt(nonce, os.urandom(KEY_BYTES), _hour(hour))
            self._database.execute("INSERT OR IGNORE INTO hour_keys VALUES (?, ?)", (hour, wrapped))
            # Another process may have been faster.
            rows = self._database.execute("SELECT wrapped FROM hour_keys WHERE hour = ?", (hour,))
        if not rows:
            return None
        try:
            held = _blob(rows[0][0])
            return self._wrap.decrypt(held[:_NONCE], held[_NONCE:], _hour(hour))
        except (InvalidTag, ValueError) as fault:
            raise self._damaged(f"heure {hour}", f"hour {hour}") from fault

    def destroy_hour_keys(self, before: int, needed: Collection[int]) -> int:
        """Destroy the keys of the hours before number ``before`` that are not ``needed``; return how many."""
        rows = self._database.execute("SELECT hour FROM hour_keys WHERE hour < ?", (before,))
        gone = [(row[0],) for row in rows if row[0] not in needed]
        if gone:
            with self._database.transaction():
                self._database.executemany("DELETE FROM hour_keys WHERE hour = ?", gone)
            self._database.truncate_log()
        return len(gone)

    def derive(self, name: str) -> bytes:
        """Return a 32-byte key of its own for ``name`` (keyed BLAKE2b over it, RFC 7693)."""
        return blake2b(name.encode(), key=self._company["rows"], digest_size=KEY_BYTES, person=b"derive").digest()

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each key that no longer unwraps, and one when keys are missing."""
        with self._database.snapshot():
            rows = self._database.execute("SELECT pseudonym, wrapped FROM identifier_keys")
            for pseudonym, wrapped in rows:
                try:
                    self._unwrap(int(pseudonym or 0), _blob(wrapped))
                except ParcoursError as fault:
                    yield fault
            yield from self._tally.verify(_blob(wrapped)[-TAG_BYTES:] for _, wrapped in rows)
            for (hour,) in self._database.execute("SELECT hour FROM hour_keys"):
                try:
                    self.hour_key(int(hour or 0))
                except ParcoursError as fault:
                    yield fault

    def seal(self, data: bytes) -> bytes:
        """Encrypt ``data`` under the company's quarantine key (nonce first)."""
        nonce = os.urandom(_NONCE)
        return nonce + self._seal.encrypt(nonce, data, b"quarantine")

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` gave; altered bytes raise `ParcoursError` ``seal_damaged``."""
        try:
            return self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"quarantine")
        except (InvalidTag, ValueError) as fault:
            if self._seal_before is not None:
                with suppress(InvalidTag, ValueError):
                    return self._seal_before.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"quarantine")
            raise ParcoursError(
                "seal_damaged",
                Words(fr="Une ligne en quarantaine a été altérée.", en="A row in quarantine has been altered."),
                Words(fr="Rétablissez journal.db depuis une sauvegarde.", en="Restore journal.db from a backup."),
            ) from fault

    def own(self, name: str) -> bytes:
        """Return the company's key ``name`` (32 random bytes), made on first use and wrapped by the master key."""
        if name not in self._company:
            with self._database.transaction():
                self._company = _open_company_keys(self._database, self._master)
                if name not in self._company:
                    self._replace({name: os.urandom(KEY_BYTES)})
        return self._company[name]

    def own_names(self, prefix: str) -> list[str]:
        """Return the names of the company's keys that begin with ``prefix``."""
        held = _read_company_keys(self._database, self._company_tally())
        return sorted(name for name in held if name.startswith(prefix))

    def destroy_own(self, names: Collection[str]) -> int:
        """Destroy company keys; return how many there were."""
        gone = self._company_tally().drop("name = ?", ((name,) for name in names))
        for name in names:
            self._company.pop(name, None)
        if gone:
            self._database.truncate_log()
        return gone

    def _company_tally(self) -> Tally:
        return Tally(self._database, "company_keys", TAG.format("wrapped"))

    def rewrap_master(self, master: bytes) -> None:
        """Wrap the company's own keys with another master key, in one transaction."""
        with self._database.transaction():
            self._company = _open_company_keys(self._database, self._master)
            self._master = AESGCM(master)
            self._replace(dict(self._company))
        self._database.truncate_log()

    def rewrap_identifiers(self) -> int:
        """Wrap the key of every identifier and hour with a new wrapping key, in one transaction; return how many.

        Raises:
            ParcoursError: ``key_damaged`` names one that no longer unwraps; everything is then as before.
        """
        fresh = os.urandom(KEY_BYTES)
        wrap = AESGCM(fresh)
        count = 0
        sql = "SELECT pseudonym, wrapped FROM identifier_keys WHERE pseudonym > ? ORDER BY pseudonym LIMIT ?"
        with self._database.transaction():
            for rows in self._database.read_on(sql, -1, 50_000):
                held = [(int(pseudonym or 0), _blob(wrapped)) for pseudonym, wrapped in rows]
                made = [(_wrap(wrap, self._unwrap(one, wrapped), _bound(one)), one) for one, wrapped in held]
                self._database.executemany("UPDATE identifier_keys SET wrapped = ? WHERE pseudonym = ?", made)
                removed = (wrapped[-TAG_BYTES:] for _, wrapped in held)
                self._tally.note(added=(wrapped[-TAG_BYTES:] for wrapped, _ in made), removed=removed)
                count += len(held)
            for (hour,) in self._database.execute("SELECT hour FROM hour_keys"):
                number = int(hour or 0)
                key = self.hour_key(number)
                if key is not None:
                    told = (_wrap(wrap, key, _hour(number)), number)
                    self._database.execute("UPDATE hour_keys SET wrapped = ? WHERE hour = ?", told)
                    count += 1
            self._replace({"identifiers": fresh})
        self._take_up()
        self._database.truncate_log()
        return count

    def begin_quarantine(self) -> None:
        """Seal with a new quarantine key from now on; what the one of before sealed opens until `end_quarantine`."""
        if BEFORE not in self._company:
            with self._database.transaction():
                self._replace({BEFORE: self._company["quarantine"], "quarantine": os.urandom(KEY_BYTES)})
        self._take_up()

    def reseal(self, sealed: bytes) -> bytes:
        """Return what is sealed, sealed with the key in force; altered bytes stay as they are."""
        try:
            self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"quarantine")
        except (InvalidTag, ValueError):
            with suppress(ParcoursError):
                return self.seal(self.unseal(sealed))
        return sealed

    def end_quarantine(self) -> None:
        """Destroy the quarantine key of before."""
        self.destroy_own([BEFORE])
        self._take_up()

    def _replace(self, keys: Mapping[str, bytes]) -> None:
        """Write company keys in the place of those of the same names, inside the transaction that the caller holds."""
        tally = self._company_tally()
        made = [(name, _wrap(self._master, key, name.encode())) for name, key in keys.items()]
        tally.drop("name = ?", ((name,) for name in keys))
        self._database.executemany("INSERT INTO company_keys VALUES (?, ?)", made)
        tally.note(added=(wrapped[-TAG_BYTES:] for _, wrapped in made))
        self._company |= keys

    def close(self) -> None:
        """Close the key file."""
        self._database.close()

    def _unwrap(self, pseudonym: int, wrapped: bytes) -> bytes:
        try:
            return self._wrap.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound(pseudonym))
        except (InvalidTag, ValueError) as fault:
            raise self._damaged(f"identifiant {pseudonym}", f"identifier {pseudonym}") from fault

    def _damaged(self, french: str, english: str) -> ParcoursError:
        return ParcoursError(
            "key_damaged",
            Words(
                fr=f"Une clé a été altérée dans keys.db : {french}.",
                en=f"A key has been altered in keys.db: {english}.",
            ),
            Words(fr="Rétablissez keys.db depuis sa sauvegarde.", en="Restore keys.db from its backup."),
            self._database.path,
        )


def open_keys(folder: Path, settings: Settings) -> tuple[Keys, tuple[Words, ...]]:
    """Open the keys of the company in ``folder``, making them on the first run; also give warnings.

    The master key comes from ``PARCOURS_MASTER_KEY`` (base64 of 32 bytes), else from ``[keys] master_file``; a
    missing file is made, readable by its owner alone, while no key depends on it yet.

    Raises:
        ParcoursError: ``master_key_missing``, ``master_key_unreadable`` or ``master_key_wrong``.
    """
    path = folder / ".parcours" / "keys.db"
    written = os.environ.get(VARIABLE)
    if written:
        return Keys(_open_key_file(path), decode(written, VARIABLE)), ()
    place = settings.locate(settings.keys.master_file, folder)
    if place.exists():
        master = decode(place.read_text("ascii", "replace"), str(place))
    elif path.exists():
        raise ParcoursError(
            "master_key_missing",
            Words(
                fr=f"La clé maîtresse manque : ni {VARIABLE}, ni {place}.",
                en=f"The master key is missing: neither {VARIABLE} nor {place}.",
            ),
            Words(
                fr="Remettez-la en place ; sans elle le coffre reste illisible pour toujours.",
                en="Put it back; without it the vault stays unreadable for ever.",
            ),
            place,
        )
    else:
        master = make_master(place)
    warnings = (warn_beside(place),) if place.is_relative_to(folder.resolve()) else ()
    database = _open_key_file(path)
    try:
        return Keys(database, master), warnings
    except ParcoursError:
        coming = place.with_name(place.name + NEXT)
        if not coming.exists():
            raise
        # A rotation was cut short between the keys and this file: they are wrapped with the next one already.
        keys = Keys(database, decode(coming.read_text("ascii", "replace"), str(coming)))
        coming.replace(place)
        return keys, warnings


def _open_key_file(path: Path) -> Database:
    database = open_database(path)
    with database.transaction() if not database.has_table("tallies") else nullcontext():
        older = not database.has_table("tallies")
        database.execute(_SCHEMA)
        for table in ("company_keys", "identifier_keys"):
            Tally(database, table, TAG.format("wrapped")).begin(fill=older)
    return database


def _open_company_keys(database: Database, master: AESGCM) -> dict[str, bytes]:
    tally = Tally(database, "company_keys", TAG.format("wrapped"))
    found = _read_company_keys(database, tally)
    if not found:
        with database.transaction():
            found = _read_company_keys(database, tally)
            if not found:  # Else another process was faster.
                for name in _COMPANY_KEYS:
                    nonce = os.urandom(_NONCE)
                    found[name] = nonce + master.encrypt(nonce, os.urandom(KEY_BYTES), name.encode())
                database.executemany("INSERT INTO company_keys VALUES (?, ?)", found.items())
                tally.note(added=(wrapped[-TAG_BYTES:] for wrapped in found.values()))
    try:
        # A key that went missing is never made anew: everything that it made would silently become unknown.
        return {
            name: master.decrypt(found[name][:_NONCE], found[name][_NONCE:], name.encode())
            for name in dict.fromkeys((*_COMPANY_KEYS, *found))
        }
    except (InvalidTag, KeyError, ValueError) as fault:
        raise ParcoursError(
            "master_key_wrong",
            Words(
                fr="Cette clé maîtresse n'ouvre pas keys.db (ou keys.db a été altéré).",
                en="This master key does not open keys.db (or keys.db has been altered).",
            ),
            Words(
                fr=f"Donnez la bonne clé par {VARIABLE} ou [keys] master_file.",
                en=f"Give the right key by {VARIABLE} or [keys] master_file.",
            ),
            database.path,
        ) from fault


def _read_company_keys(database: Database, tally: Tally) -> dict[str, bytes]:
    """Return the wrapped keys; that they have gone is damage, and no reason to make others."""
    with database.snapshot():
        found = {str(name): _blob(wrapped) for name, wrapped in database.execute("SELECT * FROM company_keys")}
        tally.compare(wrapped[-TAG_BYTES:] for wrapped in found.values())
    return found


def _wrap(key: AESGCM, data: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + key.encrypt(nonce, data, bound)


def _blob(cell: Cell) -> bytes:
    """Return the bytes of a cell; none where a damaged file holds something else, so that it opens with no key."""
    return cell if isinstance(cell, bytes) else b""


def _hour(hour: int) -> bytes:
    return b"hour %d" % hour


def _bound(pseudonym: int) -> bytes:
    return pseudonym.to_bytes(8, "little")
