"""Tombstones: keyed hashes of erased identifiers, asked at the door and at every read, so that nobody comes back."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, quick_checksums

Mask = npt.NDArray[np.bool_]
BASIS = "legal_obligation"
"""Why they are kept (GDPR art. 6(1)(c)): without them a backup or a second delivery would undo an erasure."""

NEVER = 2**63 - 1
"""The moment of the return of whoever has not come back."""

_MARK_BYTES = 16
_SIEVE_BITS = 20
_COLUMNS = ("mark", "sieve", "erasure_no", "erased_ms", "until_ms", "back_ms", "proof", "done")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS tombstones (
    mark BLOB PRIMARY KEY, sieve INTEGER NOT NULL, erasure_no INTEGER NOT NULL, erased_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL, back_ms INTEGER NOT NULL, proof INTEGER NOT NULL, done INTEGER NOT NULL,
    checksum BLOB) WITHOUT ROWID;
"""


class Tombstone(NamedTuple):
    """What is known of an erased identifier.

    Attributes:
        mark: Its hash, under a key of its own.
        sieve: A few bits by which almost every other identifier is told from it at once.
        erasure_no: The erasure that it belongs to.
        erased_ms: When that was asked for.
        until_ms: Until when the tombstone is kept.
        back_ms: From when on what occurs may be kept again, because the person came back; else `NEVER`.
        proof: The line of the consent ledger that says so, 0 without one.
        done: Whether the erasure was carried out to the end: before that nobody comes back.
    """

    mark: bytes
    sieve: int
    erasure_no: int
    erased_ms: int
    until_ms: int
    back_ms: int
    proof: int
    done: int


class Tombstones:
    """The tombstones of one company in ``state.db``; whatever others write is seen at the next question."""

    def __init__(self, state: Database, keys: Keys) -> None:
        state.execute(_SCHEMA)
        self._state = state
        self._key = keys.derive("tombstones")
        self._seed = int.from_bytes(self._key[:7], "little")
        self.table = CheckedTable(state, "tombstones", _COLUMNS, ("mark",), keys.checks)
        self._version = ""
        self._held: dict[bytes, Tombstone] = {}
        self._sieve = np.zeros(1 << _SIEVE_BITS, bool)
        self._returns: dict[bytes, int] = {}

    def version(self) -> str:
        """Return what changes whenever a tombstone comes, goes or is lifted."""
        told = self._state.execute("SELECT rows || '.' || hex(sum) FROM tallies WHERE name = 'tombstones'")
        return str(told[0][0]) if told else "?"

    def covers(self, pseudonyms: Numbers, occurred_ms: Numbers | None = None) -> Mask:
        """Return which of ``pseudonyms`` are erased, a returned one only for what occurred before the return.

        Without ``occurred_ms`` the present is meant: whoever has come back is not erased.

        Raises:
            ParcoursError: ``row_damaged`` names a tombstone that was altered, or says that some are missing.
        """
        self._catch_up()
        covered = np.zeros(len(pseudonyms), bool)
        if not self._held:
            return covered
        places = np.flatnonzero((pseudonyms >= 0) & self._sieve[self._sieves(pseudonyms)])
        distinct, spread = np.unique(pseudonyms[places], return_inverse=True)
        # At the present nothing that was lifted is covered; what occurred at any other time is compared.
        back = np.array([self._back_ms(self._mark(one)) for one in distinct.tolist()], np.int64)[spread]
        covered[places] = back == NEVER if occurred_ms is None else occurred_ms[places] < back
        return covered

    def put(self, pseudonyms: Numbers, erasure_no: int, erased_ms: int, until_ms: int) -> None:
        """Set a tombstone for each of ``pseudonyms``; one that had been lifted stands again."""
        sieves = self._sieves(pseudonyms).tolist()
        marks = map(self._mark, pseudonyms.tolist())
        self.table.put(
            Tombstone(mark, sieve, erasure_no, erased_ms, until_ms, NEVER, 0, 0)
            for mark, sieve in zip(marks, sieves, strict=True)
        )

    def finish(self, erasure_no: int) -> None:
        """Note that an erasure was carried out: from now on its people may come back."""
        rows = self.table.some("WHERE erasure_no = ?", (erasure_no,))
        self.table.put(_stone(row)._replace(done=1) for row in rows)

    def find(self, pseudonyms: Numbers) -> list[Tombstone]:
        """Return the tombstones of those of ``pseudonyms`` that have one."""
        self._catch_up()
        marks = (self._mark(one) for one in pseudonyms.tolist())
        return [self._held[mark] for mark in marks if mark in self._held]

    def note_return(self, pseudonyms: Numbers, occurred_ms: Numbers) -> None:
        """Note that these people, where they are erased, agreed anew at these moments; `settle` keeps it.

        It counts at once, for what occurs from then on. An agreement of before the erasure is none, nor is one given
        while the erasure is being carried out.
        """
        self._catch_up()
        for pseudonym, at_ms in zip(pseudonyms.tolist(), occurred_ms.tolist(), strict=True):
            mark = self._mark(pseudonym)
            stone = self._held.get(mark)
            if stone and stone.done and at_ms > stone.erased_ms:
                self._returns[mark] = min(at_ms, self._back_ms(mark))

    def settle(self, proof: int) -> None:
        """Keep the returns that were noted; ``proof`` is the line of the ledger up to which they are recorded."""
        if self._returns:
            stones = [self._held[mark]._replace(back_ms=at_ms) for mark, at_ms in self._returns.items()]
            self.table.put(stone._replace(proof=stone.proof or proof) for stone in stones)
            self._returns.clear()

    def abandon(self) -> None:
        """Drop the returns that were noted and not kept."""
        self._returns.clear()

    def expire(self, now_ms: int) -> int:
        """Remove the tombstones whose time is over; return how many."""
        return self.table.drop("until_ms < ?", (now_ms,))

    def count(self) -> int:
        """Return how many identifiers are erased or were once."""
        self._catch_up()
        return len(self._held)

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each tombstone that was altered, and one when some are missing."""
        yield from self.table.verify()

    def _catch_up(self) -> None:
        version = self.version()
        if version == self._version:
            return
        held = [_stone(row) for row in self.table.all()]
        self._held = {stone.mark: stone for stone in held}
        self._sieve[:] = False
        self._sieve[[stone.sieve for stone in held]] = True
        self._version = version

    def _back_ms(self, mark: bytes) -> int:
        stone = self._held.get(mark)
        if stone is None:
            return -NEVER
        return min(stone.back_ms, self._returns.get(mark, NEVER))

    def _mark(self, pseudonym: int) -> bytes:
        # The pseudonym is a keyed hash itself, and always the same for an identifier.
        told = pseudonym.to_bytes(8, "little")
        return blake2b(told, key=self._key, digest_size=_MARK_BYTES, person=b"tombstone").digest()

    def _sieves(self, pseudonyms: Numbers) -> Numbers:
        mixed = quick_checksums(np.column_stack((np.full(len(pseudonyms), self._seed), pseudonyms)))
        return mixed & np.int64((1 << _SIEVE_BITS) - 1)


def _stone(row: tuple[object, ...]) -> Tombstone:
    return Tombstone(*row)  # type: ignore[arg-type]
