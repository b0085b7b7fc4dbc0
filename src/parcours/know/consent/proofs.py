"""Sealed proofs: what the law lets a company keep of erased consents, and nobody reads but to answer a claim.

Whoever processed data on consent must be able to show it (GDPR art. 7(1)), and may keep that proof though the person
was erased (art. 17(3)(e)), for as long as a claim may be brought: five years in France (Civil Code, art. 2224).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from os import urandom

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.state import damaged

KEPT_MS = 1_826 * 86_400_000
"""How long the proof of a consent outlives the person's erasure: five years from the choice."""

_NONCE = 12


class Proof(msgspec.Struct, frozen=True):
    """An erased line as it was: its columns, salt and raw string, from which its commitment can be made again."""

    columns: tuple[int, ...]
    salt: bytes
    evidence: str


class Proofs:
    """Proofs by the number of the line, each sealed; ``holder`` finds those of an identifier that is shown again."""

    def __init__(self, state: Database, keys: Keys) -> None:
        self._path = state.path
        self._seal = AESGCM(keys.derive("consent proofs"))
        self._index = keys.derive("consent proof holders")
        columns = ("entry_no", "holder", "until_ms", "sealed")
        self._table = CheckedTable(state, "consent_proofs", columns, ("entry_no",), keys.checks)

    def keep(self, proofs: Sequence[tuple[int, int, int, Proof]]) -> None:
        """Keep proofs, inside a transaction: the line's number, whose it was, until when, and the proof."""
        rows = []
        for entry_no, principal, until_ms, proof in proofs:
            nonce = urandom(_NONCE)
            sealed = nonce + self._seal.encrypt(nonce, msgspec.msgpack.encode(proof), _bound(entry_no, until_ms))
            rows.append((entry_no, self._holder(principal), until_ms, sealed))
        self._table.put(rows)

    def find(self, principal: int) -> dict[int, Proof]:
        """Return the proofs about an identifier by the number of their line; a claim is the one reason to ask.

        Raises:
            ParcoursError: ``row_damaged`` or ``state_damaged`` names one that was altered.
        """
        found = {}
        for entry_no, _, until_ms, sealed in self._table.some("WHERE holder = ?", (self._holder(principal),)):
            try:
                told = self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(entry_no, until_ms))  # type: ignore[arg-type, index]
            except (InvalidTag, ValueError, TypeError) as fault:
                raise damaged("consent_proofs", entry_no, self._path) from fault
            found[int(entry_no or 0)] = msgspec.msgpack.decode(told, type=Proof)
        return found

    def held(self, principals: Sequence[int]) -> tuple[int, int]:
        """Return how many there are about ``principals``, and when the last of them goes (epoch ms, 0 for none)."""
        found = [row for one in principals for row in self._table.some("WHERE holder = ?", (self._holder(one),))]
        return len(found), max((int(row[2] or 0) for row in found), default=0)

    def count(self) -> tuple[int, int | None]:
        """Return how many there are, and when the last of them goes."""
        until = [int(row[2] or 0) for row in self._table.all()]
        return len(until), max(until, default=None)

    def drop_past(self, now_ms: int) -> int:
        """Erase the proofs whose time is over; return how many."""
        return self._table.drop("until_ms < ?", [now_ms])

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each proof that was altered, and one when some are missing."""
        yield from self._table.verify()

    def _holder(self, principal: int) -> int:
        told = blake2b(principal.to_bytes(8, "little"), key=self._index, digest_size=8, person=b"proof holder")
        return int.from_bytes(told.digest(), "little") >> 1


def _bound(entry_no: object, until_ms: object) -> bytes:
    return b"".join(int(number).to_bytes(8, "little", signed=True) for number in (entry_no, until_ms))  # type: ignore[call-overload]
