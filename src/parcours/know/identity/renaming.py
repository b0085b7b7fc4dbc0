"""Identifiers that the rules of now write otherwise than those under which they came: read again from the vault."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.identity.identifiers import Spelling, UnusableError, normaliser
from parcours.know.keys import Keys
from parcours.know.pseudonyms import NOBODY, Numbers, digest_identifiers, types_of
from parcours.know.state import numbers_of, read_numbers
from parcours.know.vault import Vault

_SPELT = "spelling"
"""Under which spelling the vault was last read, as a name among the numbers of `state.db`."""


class Renamed:
    """Which pseudonyms stand for others now, or for nobody; each line checksummed.

    Parts keep the pseudonyms of their time: nothing is loaded again. An identifier that the rules of now write
    otherwise is the same person as that other form, and one that they block joins nobody.
    """

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state, self._keys = state, keys
        self._table = CheckedTable(state, "renamed", ("pseudonym", "stands_for"), ("pseudonym",), keys.checks)

    def read(self) -> Numbers:
        """Return every pair (n × 2: old pseudonym, new one or `NOBODY`).

        Raises:
            ParcoursError: ``row_damaged`` names a line that was altered, or says that some are missing.
        """
        return np.array(self._table.all(), np.int64).reshape(-1, 2)

    def version(self) -> str:
        """Return what differs whenever the pairs do."""
        rows = self._state.execute("SELECT rows || '.' || hex(sum) FROM tallies WHERE name = 'renamed'")
        return str(rows[0][0]) if rows else ""

    def catch_up(self, vault: Vault, spelling: Spelling) -> int:
        """Read the vault again where the spelling is not that under which it was last read; return how many changed.

        Identifiers whose keys are gone stay as they are: nobody can say any more how they would be written.
        """
        numbers = numbers_of(self._state)
        if spelling.version in read_numbers(numbers, _SPELT):
            return 0
        found = self._respell(vault, *vault.first_seen(), spelling)
        before = {int(row[0] or 0): int(row[1] or 0) for row in self._table.all()}
        with self._state.transaction():
            for old in before.keys() - found.keys():
                self._table.drop("pseudonym = ?", (old,))
            self._table.put((old, new) for old, new in found.items() if before.get(old) != new)
            numbers.drop("kind = ?", (_SPELT,))
            numbers.put([(_SPELT, spelling.version, 0)])
        return len(before.items() ^ found.items())

    def forget(self, pseudonyms: Numbers) -> int:
        """Delete every line that names one of ``pseudonyms``; return how many there were."""
        return sum(self._table.drop("pseudonym = ? OR stands_for = ?", (one, one)) for one in pseudonyms.tolist())

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one where lines are missing."""
        yield from self._table.verify()

    def _respell(self, vault: Vault, pseudonyms: Numbers, first_seen: Numbers, spelling: Spelling) -> dict[int, int]:
        """Return what is written otherwise now; new forms that the vault does not hold yet are sealed there."""
        found: dict[int, int] = {}
        fresh: dict[int, tuple[int, str, int]] = {}
        kinds = types_of(pseudonyms)
        known = set(pseudonyms.tolist())
        for place, kind in enumerate(IDENTIFIERS):
            normalise = normaliser(kind, spelling)
            rows = np.flatnonzero(kinds == place)
            for one, event_no in zip(pseudonyms[rows].tolist(), first_seen[rows].tolist(), strict=True):
                value = vault.read_identifier(one)
                form = value if value is None else _normal(normalise, value)
                if form == value or value is None:
                    continue
                if form is None:
                    found[one] = NOBODY
                    continue
                codes, prints = digest_identifiers(kind, [form], self._keys.pseudonyms)
                found[one] = int(codes[0])
                if found[one] not in known:
                    held = fresh.get(found[one], (0, "", event_no))
                    fresh[found[one]] = int(prints[0]), form, min(event_no, held[2])
        if fresh:
            columns = list(zip(*fresh.values(), strict=True))
            vault.keep_identifiers(list(fresh), *columns)
            vault.settle()
        return found


def _normal(normalise: object, value: str) -> str | None:
    try:
        return normalise(value)  # type: ignore[operator,no-any-return]
    except UnusableError:
        return None
