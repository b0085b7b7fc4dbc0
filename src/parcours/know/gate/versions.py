"""Purposes by number: one for each purpose as it was once declared, so that what was allowed is never widened."""

from __future__ import annotations

import time

import msgspec
import numpy as np

from parcours.blueprint.records import Purpose
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.know.consent.ledger import NOTHING, REFUSED, Choices, Ledger
from parcours.know.pseudonyms import Numbers
from parcours.know.state import number_names

COLUMNS = ("number", "purpose", "basis", "version", "since_ms")


class Numbered(msgspec.Struct, frozen=True):
    """A purpose as it is declared now.

    Attributes:
        number: Its bit in stamps, and its number in the ledger.
        before: The numbers it had while its basis or meaning was another.
        since_ms: When it was first declared like this; a consent of before was given to something else.
    """

    number: int
    before: tuple[int, ...] = ()
    since_ms: int = 0


class Versions:
    """The numbers that purposes keep, in ``state.db``; none is ever given twice.

    A purpose whose basis or ``version`` changes gets a new number: what was stamped for the old one is not stamped for
    the new one, a consent to the old one is none to the new one, and a refusal of the old one goes on counting.
    """

    def __init__(self, state: Database) -> None:
        self._state = state
        self._table = versions_of(state)

    def of(self, purpose: Purpose) -> Numbered:
        """Return the numbers of ``purpose`` as it is declared, giving it the next one when it is new.

        Raises:
            ParcoursError: ``too_many_names``, ``row_damaged``.
        """
        found = self._find(purpose)
        if found is not None:
            return found
        with self._state.transaction():
            # Another process may have been faster.
            return self._find(purpose) or self._add(purpose)

    def purposes(self) -> dict[int, str]:
        """Return whose every number is, those of purposes that are declared no more included."""
        return {int(row[0] or 0): str(row[1]) for row in self._table.all()}

    def _find(self, purpose: Purpose) -> Numbered | None:
        mine = [row for row in self._table.all("number") if row[1] == purpose.id]
        now = [row for row in mine if row[2:4] == (purpose.basis, purpose.version)]
        if not now:
            return None
        number = int(now[0][0] or 0)
        before = tuple(int(row[0] or 0) for row in reversed(mine) if row[0] != number)
        return Numbered(number, before, int(now[0][4] or 0))

    def _add(self, purpose: Purpose) -> Numbered:
        mine = [int(row[0] or 0) for row in self._table.all("number") if row[1] == purpose.id]
        # The first one may have been numbered before versions were told apart.
        name = purpose.id if not mine else f"{purpose.id} {purpose.basis} {purpose.version}"
        number = number_names(self._state, "purpose", [name])[name]
        since_ms = time.time_ns() // 1_000_000 if mine else 0
        self._table.put([(number, purpose.id, purpose.basis, purpose.version, since_ms)])
        return Numbered(number, tuple(reversed(mine)), since_ms)


def versions_of(state: Database) -> CheckedTable:
    """Return the table of the versions of purposes."""
    return CheckedTable(state, "purpose_versions", COLUMNS, ("number",))


def recorded_over(ledger: Ledger, principals: Numbers, purpose: Numbered) -> Choices:
    """Return the recorded choice of each of ``principals``: about the purpose as it is, else a refusal of before."""
    return with_older(ledger.recorded(principals, purpose.number), ledger, principals, purpose)


def with_older(choices: Choices, ledger: Ledger, principals: Numbers, purpose: Numbered) -> Choices:
    """Return ``choices`` with the refusals of earlier versions where nothing is recorded about this one.

    Whoever's data may not be used at all, or not for this purpose, counts as refusing it.
    """
    for number in purpose.before:
        refused = (choices == NOTHING) & (ledger.recorded(principals, number) == REFUSED)
        choices = np.where(refused, np.int8(REFUSED), choices)
    if not ledger.restrictions:
        return choices
    restricted = ledger.restrictions.covers(principals, (purpose.number, *purpose.before))
    return np.where(restricted, np.int8(REFUSED), choices)
