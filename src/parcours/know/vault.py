"""The vault: raw identifiers and free text, each sealed under the key of one identifier."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.engine.store.checked import TAG_BYTES
from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, quick_checksums
from parcours.know.state import damaged, tally_of

_NONCE = 12
_AT_ONCE = 500
_FLUSH_ROWS = 50_000
_LATE = 100_000
_READ_ROWS = 100_000


class Vault:
    """Sealed identifiers and texts in ``state.db``; keys lie apart, in ``keys.db``.

    Rows and their keys may reach the disk before `settle` (they are harmless alone) and always do at `settle`.
    """

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._keys = keys
        self._rows, self._texts = tally_of(state, "vault"), tally_of(state, "texts")
        self._fingerprints: _Fingerprints | None = None
        self._session_keys: dict[int, bytes] = {}
        self._new_rows: list[tuple[int, int, int, bytes]] = []
        self._new_texts: list[tuple[int, int, int, bytes]] = []

    def fingerprints(self, pseudonyms: Numbers) -> Numbers:
        """Return the fingerprint of the raw value behind each of ``pseudonyms``, -1 where the vault holds none."""
        if self._fingerprints is None:
            table = self._read()
            self._fingerprints = _Fingerprints(table[:, 0].copy(), table[:, 1].copy())
        return self._fingerprints.of(pseudonyms)

    def keep_identifiers(
        self, pseudonyms: Sequence[int], fingerprints: Sequence[int], values: Sequence[str], event_nos: Sequence[int]
    ) -> None:
        """Seal identifiers that the vault does not hold yet, each under a key of its own."""
        nonces = os.urandom(_NONCE * len(pseudonyms))
        made = self._keys.make(pseudonyms)
        for index, (pseudonym, key) in enumerate(zip(pseudonyms, made, strict=True)):
            nonce = nonces[_NONCE * index : _NONCE * (index + 1)]
            seen = _bound(pseudonym, fingerprints[index], event_nos[index])
            sealed = nonce + AESGCM(key).encrypt(nonce, values[index].encode(), seen)
            self._new_rows.append((pseudonym, fingerprints[index], event_nos[index], sealed))
            self._session_keys[pseudonym] = key
        if self._fingerprints is not None:
            self._fingerprints.add(pseudonyms, fingerprints)
        if len(self._new_rows) > _FLUSH_ROWS:
            self._flush()

    def keep_texts(
        self, refs: Sequence[int], subjects: Sequence[int], event_nos: Sequence[int], texts: Sequence[str]
    ) -> None:
        """Seal free texts under the keys of their ``subjects``, which the vault holds already."""
        unknown = {subject for subject in subjects if subject not in self._session_keys}
        self._session_keys.update(self._keys.find(unknown))
        nonces = os.urandom(_NONCE * len(refs))
        for index, (ref, subject, event_no) in enumerate(zip(refs, subjects, event_nos, strict=True)):
            key = self._session_keys.get(subject)
            if key is None:  # The key was destroyed: what this person says is not kept any more.
                continue
            nonce = nonces[_NONCE * index : _NONCE * (index + 1)]
            sealed = nonce + AESGCM(key).encrypt(nonce, texts[index].encode(), _bound(ref, subject, event_no))
            self._new_texts.append((ref, subject, event_no, sealed))
        if len(self._new_texts) > _FLUSH_ROWS:
            self._flush()

    def settle(self) -> None:
        """Make everything kept so far durable and forget the keys that were in memory."""
        self._flush()
        self._session_keys.clear()

    def abandon(self) -> None:
        """Drop what was kept so far and is not durable yet; keys without a row are harmless."""
        self._new_rows.clear()
        self._new_texts.clear()
        self._session_keys.clear()
        self._fingerprints = None

    def forget_texts(self, event_nos: Iterable[int]) -> None:
        """Delete the texts of these events."""
        self._flush()
        self._texts.drop("event_no = ?", ((number,) for number in event_nos))

    def forget_refs(self, refs: Iterable[int]) -> None:
        """Delete single texts."""
        self._flush()
        self._texts.drop("ref = ?", ((ref,) for ref in refs))

    def forget_identifiers(self, pseudonyms: Iterable[int]) -> int:
        """Delete identifiers; return how many there were."""
        self._flush()
        self._fingerprints = None
        return self._rows.drop("pseudonym = ?", ((pseudonym,) for pseudonym in pseudonyms))

    def forget_from(self, event_no: int) -> None:
        """Delete the texts of every event from ``event_no`` on, and the identifiers that none before it has shown."""
        with self._state.transaction():
            self._texts.drop("event_no >= ?", [(event_no,)])
            self._rows.drop("first_event_no >= ?", [(event_no,)])
        self._fingerprints = None

    def erase(self, pseudonyms: Iterable[int]) -> tuple[int, int]:
        """Delete identifiers, and what was written by those whose they are; return how many of each.

        Their keys are destroyed apart, and first: rows without their key can be read by nobody.
        """
        each = [(pseudonym,) for pseudonym in pseudonyms]
        with self._state.transaction():
            texts = self._texts.drop("subject = ?", each)
            rows = self._rows.drop("pseudonym = ?", each)
        self._fingerprints = None
        return rows, texts

    def read_identifier(self, pseudonym: int) -> str | None:
        """Return the normalised identifier behind ``pseudonym``; nothing when it or its key is gone.

        Raises:
            ParcoursError: ``state_damaged`` names a row that was altered.
        """
        rows = self._state.execute(
            "SELECT pseudonym, fingerprint, first_event_no, sealed FROM vault WHERE pseudonym = ?", (pseudonym,)
        )
        key = self._keys.find([pseudonym]).get(pseudonym)
        if not rows or key is None:
            return None
        row = rows[0]
        return self._open(key, row[3], row[:3], "vault", pseudonym)

    def read_identifiers(self, pseudonyms: Numbers) -> Iterator[tuple[int, str]]:
        """Yield the normalised identifiers behind ``pseudonyms``, but for those that are gone or have no key any more.

        Raises:
            ParcoursError: ``state_damaged`` names a row that was altered.
        """
        wanted = np.unique(pseudonyms).tolist()
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            keys = self._keys.find(some)
            marks = ", ".join("?" * len(some))
            sql = f"SELECT pseudonym, fingerprint, first_event_no, sealed FROM vault WHERE pseudonym IN ({marks})"
            for row in self._state.execute(sql, some):
                key = keys.get(int(row[0] or 0))
                if key is not None:
                    yield int(row[0] or 0), self._open(key, row[3], row[:3], "vault", row[0])

    def read_texts(self, refs: Iterable[int]) -> dict[int, tuple[int, str]]:
        """Return (subject, raw text) by ref; refs without a row or whose key is gone are absent.

        Raises:
            ParcoursError: ``state_damaged`` names a row that was altered, ``row_damaged`` says that rows are missing.
        """
        found: dict[int, tuple[int, str]] = {}
        absent = False
        with self._state.snapshot():
            for ref in refs:
                rows = self._state.execute("SELECT subject, event_no, sealed FROM texts WHERE ref = ?", (ref,))
                absent |= not rows
                for subject, event_no, sealed in rows:
                    # An identifier's row stays when its key is destroyed.
                    known = self._state.execute("SELECT 1 FROM vault WHERE pseudonym = ?", (subject,))
                    if not isinstance(subject, int) or not known:
                        raise damaged("texts", ref, self._state.path)
                    key = self._keys.find([subject]).get(subject)
                    if key is not None:
                        found[ref] = subject, self._open(key, sealed, (ref, subject, event_no), "texts", ref)
            if absent:  # Never kept, because a key was destroyed already; or lost.
                self._texts.compare_counts("texts_by_event")
        return found

    def read_all_texts(self) -> Iterator[str]:
        """Yield every text whose key is there, one after the other. Errors as in `read_texts`."""
        sql = "SELECT ref, subject, event_no, sealed FROM texts WHERE ref > ? ORDER BY ref LIMIT ?"
        for rows in self._state.read_on(sql, -1, _READ_ROWS):
            keys = self._keys.find({int(row[1] or 0) for row in rows})
            for ref, subject, event_no, sealed in rows:
                key = keys.get(int(subject or 0))
                if key is not None:
                    yield self._open(key, sealed, (ref, subject, event_no), "texts", ref)

    def first_seen(self) -> tuple[Numbers, Numbers]:
        """Return every pseudonym of the vault, ascending, and the number of the event that first showed it.

        Raises:
            ParcoursError: ``state_damaged`` or ``row_damaged`` names what was altered.
        """
        table = self._read()
        return table[:, 0], table[:, 2]

    def first_seen_from(self, event_no: int) -> tuple[Numbers, Numbers]:
        """Return what `first_seen` does, of identifiers that event ``event_no`` or a later one showed first.

        Raises:
            ParcoursError: ``state_damaged`` names what was altered; that nothing is missing `count` tells.
        """
        rows = self._state.execute(
            "SELECT pseudonym, fingerprint, first_event_no, checksum FROM vault WHERE first_event_no >= ?", (event_no,)
        )
        table = self._checked(rows)
        table = table[np.argsort(table[:, 0])]
        return table[:, 0], table[:, 2]

    def count(self) -> int:
        """Return how many identifiers there are."""
        return self._rows.count()

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each identifier and text that was altered, and one where rows are missing.

        What is sealed is opened, as far as its key was not destroyed.
        """
        with self._state.snapshot():
            rows = self._state.execute("SELECT pseudonym, fingerprint, first_event_no, sealed, checksum FROM vault")
            for row in rows:
                yield from self._verify_row("vault", row[0], row[0], row[3], row[:3], row[4])
            yield from self._rows.verify(row[4] for row in rows)
            texts = self._state.execute("SELECT ref, subject, event_no, sealed FROM texts")
            subjects = {row[0] for row in rows}
            for row in texts:
                if row[1] in subjects:
                    yield from self._verify_row("texts", row[0], row[1], row[3], row[:3])
                else:  # Not erased: an identifier's row stays when its key is destroyed.
                    yield damaged("texts", row[0], self._state.path)
            yield from self._texts.verify(row[3][-TAG_BYTES:] if isinstance(row[3], bytes) else None for row in texts)

    def count_keyless(self) -> int:
        """Return how many identifiers can be read by nobody, because their keys are gone."""
        rows = self._state.execute("SELECT pseudonym FROM vault")
        return len(rows) - len(self._keys.held(row[0] for row in rows if isinstance(row[0], int)))

    def _verify_row(
        self, table: str, line: Cell, owner: Cell, sealed: Cell, cells: tuple[Cell, ...], checksum: Cell = None
    ) -> Iterator[ParcoursError]:
        if not all(isinstance(cell, int) for cell in cells):
            yield damaged(table, line, self._state.path)
            return
        if table == "vault" and int(quick_checksums(np.array([cells], np.int64))[0]) != checksum:
            yield damaged(table, line, self._state.path)
            return
        try:
            for key in self._keys.find([owner]).values():  # type: ignore[list-item]
                self._open(key, sealed, cells, table, line)
        except ParcoursError as fault:
            yield fault

    def _read(self) -> Numbers:
        """Return pseudonym, fingerprint and first event number of every row, by pseudonym."""
        pieces = [np.empty((0, 4), np.int64)]
        with self._state.snapshot():
            sql = (
                "SELECT pseudonym, fingerprint, first_event_no, checksum FROM vault WHERE pseudonym > ? "
                "ORDER BY pseudonym LIMIT ?"
            )
            for rows in self._state.read_on(sql, -1, _READ_ROWS):
                pieces.append(self._checked(rows))
            table = np.concatenate(pieces)
            self._rows.compare_sum(len(table), int(np.bitwise_xor.reduce(table[:, 3])))
        return table[:, :3]

    def _checked(self, rows: Sequence[tuple[Cell, ...]]) -> Numbers:
        try:
            table = np.array(rows, dtype=np.int64).reshape(-1, 4)
        except (TypeError, ValueError, OverflowError) as fault:
            raise damaged("vault", "?", self._state.path) from fault
        wrong = quick_checksums(table[:, :3]) != table[:, 3]
        if wrong.any():
            raise damaged("vault", int(table[wrong, 0][0]), self._state.path)
        return table

    def _flush(self) -> None:
        self._keys.settle()
        if not self._new_rows and not self._new_texts:
            return
        rows = sorted({row[0]: row for row in self._new_rows}.values())
        texts = {row[0]: row for row in self._new_texts}
        sums = quick_checksums(np.array([row[:3] for row in rows], np.int64).reshape(-1, 3)).tolist()
        with self._state.transaction():
            self._rows.drop("pseudonym = ?", ((row[0],) for row in rows))
            told = ((*row, checksum) for row, checksum in zip(rows, sums, strict=True))
            self._state.executemany("INSERT INTO vault VALUES (?, ?, ?, ?, ?)", told)
            self._rows.note(added=sums)
            self._texts.drop("ref = ?", ((ref,) for ref in texts))
            self._state.executemany("INSERT INTO texts VALUES (?, ?, ?, ?)", texts.values())
            self._texts.note(added=(row[3][-TAG_BYTES:] for row in texts.values()))
        self._new_rows.clear()
        self._new_texts.clear()

    def _open(self, key: bytes, sealed: Cell, bound: tuple[Cell, ...], table: str, line: Cell) -> str:
        try:
            if not isinstance(sealed, bytes):
                raise InvalidTag
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(*bound)).decode()
        except (InvalidTag, ValueError, AttributeError) as fault:
            raise damaged(table, line, self._state.path) from fault


class _Fingerprints:
    """Fingerprints by pseudonym, 16 bytes each; those that came lately stand apart until they are many."""

    def __init__(self, pseudonyms: Numbers, fingerprints: Numbers) -> None:
        self._pseudonyms, self._prints = pseudonyms, fingerprints
        self._late: dict[int, int] = {}

    def of(self, pseudonyms: Numbers) -> Numbers:
        """Return the fingerprint of each, -1 where there is none."""
        found = np.full(len(pseudonyms), -1, np.int64)
        if len(self._pseudonyms):
            places = np.minimum(np.searchsorted(self._pseudonyms, pseudonyms), len(self._pseudonyms) - 1)
            held = self._pseudonyms[places] == pseudonyms
            found[held] = self._prints[places[held]]
        if self._late:
            late = [self._late.get(pseudonym, -1) for pseudonym in pseudonyms.tolist()]
            found = np.maximum(found, np.array(late, np.int64))
        return found

    def add(self, pseudonyms: Sequence[int], fingerprints: Sequence[int]) -> None:
        """Take further ones."""
        self._late.update(zip(pseudonyms, fingerprints, strict=True))
        if len(self._late) > _LATE:
            both = np.concatenate((self._pseudonyms, np.fromiter(self._late, np.int64, len(self._late))))
            prints = np.concatenate((self._prints, np.fromiter(self._late.values(), np.int64, len(self._late))))
            order = np.argsort(both, kind="stable")
            self._pseudonyms, self._prints, self._late = both[order], prints[order], {}


def _bound(*numbers: Cell) -> bytes:
    """Return what a seal is bound to, so that neither the row's other columns nor its place can be changed."""
    return b"".join(number.to_bytes(8, "little", signed=True) for number in numbers)  # type: ignore[union-attr]
