"""Restrictions: identifiers whose data are kept and used for nothing, or not for one purpose (GDPR art. 18 and 21)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.consent.lines import Mask
from parcours.know.pseudonyms import Numbers

EVERY_PURPOSE = -1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS restrictions (
    principal INTEGER NOT NULL, purpose INTEGER NOT NULL, request_no INTEGER NOT NULL, since_ms INTEGER NOT NULL,
    checksum BLOB, PRIMARY KEY (principal, purpose, request_no));
"""


class Restriction(NamedTuple):
    """One identifier that a purpose (a number, or `EVERY_PURPOSE`) may not use, and the request that asked for it."""

    principal: int
    purpose: int
    request_no: int
    since_ms: int


class Restrictions:
    """The restrictions in force; one that is lifted is gone, and the register of requests says that it was there.

    They are looked up beside the ledger's choices (see `parcours.know.gate.versions.with_older`), and take more away.

    Args:
        state: ``state.db``.
        secret: Keys the checksums of lines.
    """

    def __init__(self, state: Database, secret: bytes) -> None:
        state.execute(_SCHEMA)
        self._state = state
        key = Restriction._fields[:3]
        self.table = CheckedTable(state, "restrictions", Restriction._fields, key, secret)
        self._version = ""
        self._held: dict[int, Numbers] = {}

    def version(self) -> str:
        """Return what changes whenever a restriction comes or goes."""
        told = self._state.execute("SELECT rows || '.' || hex(sum) FROM tallies WHERE name = 'restrictions'")
        return str(told[0][0]) if told else "?"

    def catch_up(self) -> None:
        """Take in what was restricted or lifted since. Raises `ParcoursError` ``row_damaged``."""
        version = self.version()
        if version == self._version:
            return
        rows = [_restriction(row) for row in self.table.all()]
        purposes = {row.purpose for row in rows}
        self._held = {one: np.unique([row.principal for row in rows if row.purpose == one]) for one in purposes}
        self._version = version

    def __bool__(self) -> bool:
        """Whether anybody's data are restricted."""
        return bool(self._held)

    def covers(self, principals: Numbers, purposes: Sequence[int]) -> Mask:
        """Return which of ``principals`` may not be used for any of ``purposes`` (numbers of one purpose)."""
        covered = np.zeros(len(principals), bool)
        for purpose in (EVERY_PURPOSE, *purposes):
            if purpose in self._held:
                covered |= np.isin(principals, self._held[purpose])
        return covered

    def put(self, principals: Numbers, purpose: int, request_no: int, since_ms: int) -> None:
        """Restrict ``principals`` from now on, as a request asks."""
        self.table.put(Restriction(one, purpose, request_no, since_ms) for one in principals.tolist())

    def of_request(self, request_no: int) -> list[Restriction]:
        """Return what is restricted because of a request."""
        return [_restriction(row) for row in self.table.some("WHERE request_no = ?", (request_no,))]

    def requests(self) -> frozenset[int]:
        """Return the requests because of which anything is restricted."""
        return frozenset(_restriction(row).request_no for row in self.table.all())

    def lift(self, request_no: int) -> int:
        """Lift what a request had restricted; return how many identifiers that was."""
        return self.table.drop("request_no = ?", (request_no,))

    def forget(self, principals: Numbers) -> int:
        """Forget whoever is erased: nothing is left that could be used. Return how many lines there were."""
        return sum(self.table.drop("principal = ?", (one,)) for one in principals.tolist())

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one when some are missing."""
        yield from self.table.verify()


def _restriction(row: tuple[object, ...]) -> Restriction:
    return Restriction(*row)  # type: ignore[arg-type]
