"""Identity acts: what people decided about two identifiers, never one person or the same person, appended for good."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import numpy as np

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers

Ruling = Literal["never_link", "approved"]
NEVER_LINK: Ruling = "never_link"
APPROVED: Ruling = "approved"


class Act(msgspec.Struct, frozen=True):
    """One decision: ``one`` and ``other`` are pseudonyms, the smaller one first.

    ``event_no`` is the number up to which events had been settled, ``at_ms`` when it was taken, ``actor`` by whom.
    """

    act_no: int
    decision: Ruling
    one: int
    other: int
    event_no: int
    at_ms: int
    actor: str
    cause: str


class Change(msgspec.Struct, frozen=True):
    """What an act changed: ``identifier`` (a pseudonym) went from one profile to another."""

    change_no: int
    act_no: int
    identifier: int
    old_profile: int
    new_profile: int
    event_no: int
    cause: str


class Acts:
    """The acts of one company, and the changes of profiles that they published; each line checksummed."""

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._acts = CheckedTable(state, "identity_acts", Act.__struct_fields__, ("act_no",), keys.checks)
        self._changes = CheckedTable(state, "identity_changes", Change.__struct_fields__, ("change_no",), keys.checks)

    def append(self, decision: Ruling, one: int, other: int, event_no: int, actor: str, cause: str) -> Act:
        """Note a decision; the latest about two identifiers is the one that counts."""
        with self._state.transaction():
            number = self._last("identity_acts", "act_no") + 1
            low, high = sorted((one, other))
            act = Act(number, decision, low, high, event_no, time.time_ns() // 1_000_000, actor, cause)
            self._acts.put([msgspec.structs.astuple(act)])
        return act

    def read(self) -> tuple[Act, ...]:
        """Return every act, in their order.

        Raises:
            ParcoursError: ``row_damaged`` names an act that was altered, or says that some are missing.
        """
        return tuple(msgspec.convert(row, Act, strict=False) for row in _named(Act, self._acts.all("act_no")))

    def standing(self) -> tuple[Numbers, Numbers]:
        """Return the pairs that must never be one person (n × 2), and those that are (n × 3: number of the act, pair).

        Errors as in `read`.
        """
        latest = {(act.one, act.other): act for act in self.read()}.values()
        never = [(act.one, act.other) for act in latest if act.decision == NEVER_LINK]
        same = sorted((act.act_no, act.one, act.other) for act in latest if act.decision == APPROVED)
        return np.array(never, np.int64).reshape(-1, 2), np.array(same, np.int64).reshape(-1, 3)

    def version(self) -> str:
        """Return what differs whenever the acts do."""
        rows = self._state.execute("SELECT count(*) || '.' || coalesce(max(act_no), 0) FROM identity_acts")
        return str(rows[0][0])

    def publish(self, act: Act, identifiers: Numbers, old: Numbers, new: Numbers) -> int:
        """Note which identifiers went from which profile to which by ``act``; return how many did."""
        moved = np.flatnonzero(old != new)
        with self._state.transaction():
            first = self._last("identity_changes", "change_no") + 1
            self._changes.put(
                (
                    first + place,
                    act.act_no,
                    int(identifiers[row]),
                    int(old[row]),
                    int(new[row]),
                    act.event_no,
                    act.cause,
                )
                for place, row in enumerate(moved.tolist())
            )
        return len(moved)

    def changes(self, after: int = 0) -> tuple[Change, ...]:
        """Return the changes with a number above ``after``, in their order. Errors as in `read`."""
        rows = self._changes.some("WHERE change_no > ? ORDER BY change_no", (after,))
        return tuple(msgspec.convert(row, Change, strict=False) for row in _named(Change, rows))

    def forget(self, pseudonyms: Numbers, profiles: Numbers) -> int:
        """Delete the acts and changes that name one of ``pseudonyms``, or one of ``profiles``; return how many."""
        gone = 0
        for number in pseudonyms.tolist():
            gone += self._acts.drop("one = ? OR other = ?", (number, number))
            gone += self._changes.drop("identifier = ?", (number,))
        for number in profiles.tolist():
            gone += self._changes.drop("old_profile = ? OR new_profile = ?", (number, number))
        return gone

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one where lines are missing."""
        yield from self._acts.verify()
        yield from self._changes.verify()

    def _last(self, table: str, number: str) -> int:
        return int(self._state.execute(f"SELECT coalesce(max({number}), 0) FROM {table}")[0][0] or 0)


def _named(kind: type[msgspec.Struct], rows: Sequence[Sequence[object]]) -> Iterator[dict[str, object]]:
    return (dict(zip(kind.__struct_fields__, row, strict=True)) for row in rows)
