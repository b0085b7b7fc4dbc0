"""The consent ledger: every recorded choice, appended and checksummed; for each purpose the latest one counts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, checksums
from parcours.know.state import damaged, tally_of

NOTHING, REFUSED, GRANTED = -1, 0, 1
"""What the ledger holds of a purpose for an identifier; whatever it cannot read counts as refused."""

RESTATED_MS = {GRANTED: 24 * 3_600_000, REFUSED: 3_600_000}
"""How long after a choice was recorded the same one need not be recorded again.

What is told of the last statement after a restart is so much too early at most. Should a contrary one arrive that was
made in between, then a refusal counts though it was taken back meanwhile; a consent counts only if it is not older than
the last refusal by an hour.
"""

_READ_LINES = 100_000
Choices = npt.NDArray[np.int8]
_COLUMNS = "principal, purpose, choice, occurred_ms, confirmed_ms, recorded_ms, event_no"
_PRINCIPAL, _PURPOSE, _CHOICE, _OCCURRED, _CONFIRMED, _RECORDED, _EVENT = range(7)


class Ledger:
    """Who chose what, by identifier and purpose number.

    One line is one choice, with the first and the last time that it was stated in a row. The latest statement
    counts; of two at the same millisecond, the one that was recorded later.

    Clients state a choice on every event. What was recorded within `RESTATED_MS` is not recorded again, so that the
    ledger grows with people and days; this process knows the last statement all the same.
    """

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._key = keys.checks
        self._tally = tally_of(state, "consent")
        self._read_to = self._rows = self._sum = 0
        self._compared = False
        self._kept = _Standing()
        """What is recorded."""
        self._exact = _Standing()
        """That, and what was stated again since and is not recorded."""
        self._standing = _Standing()
        """That, and what waits to be settled."""
        self._pending: list[Numbers] = []

    def note(
        self, purpose: int, principals: Numbers, granted: Choices, occurred_ms: Numbers, event_nos: Numbers
    ) -> None:
        """Note choices in the order of arrival; they count at once, `settle` keeps them."""
        if not principals.size:
            return
        self.catch_up()
        lines = _join_runs(state_lines(purpose, principals, granted, occurred_ms, event_nos))
        self._standing.take(lines)
        self._pending.append(lines)

    def settle(self, recorded_ms: int) -> None:
        """Append what was noted and is not in the ledger already, so that a redelivery changes nothing."""
        if not self._pending:
            return
        lines = _join_runs(np.concatenate(self._pending))
        lines[:, _RECORDED] = recorded_ms
        with self._state.transaction():
            self._take_appended()
            lines = lines[_of_changed(lines, ~self._kept.covers(lines))]
            # Beside something new stands what was stated last before it, to the millisecond.
            lines = np.concatenate((self._exact.find_unrecorded(self._kept, lines, recorded_ms), lines))
            rows = np.column_stack((lines, checksums(lines, self._key)))
            sql = f"INSERT INTO consent ({_COLUMNS}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            self._state.executemany(sql, rows.tolist())
            self._tally.note(added=rows[:, -1].tolist())
            self._take_appended()
        for pending in self._pending:
            self._exact.take(pending)
        self.abandon()

    def abandon(self) -> None:
        """Drop what was noted and not settled."""
        self._pending.clear()
        self._standing = self._exact.copy()

    def recorded(self, principals: Numbers, purpose: int) -> Choices:
        """Return `NOTHING`, `REFUSED` or `GRANTED` for each of ``principals``, as the ledger stands now."""
        return self._standing.of(principals, purpose)

    def recorded_with(self, principals: Numbers, purpose: int, stated: Numbers) -> Choices:
        """Return what `recorded` would if the lines ``stated`` (see `state_lines`) had come in as well."""
        standing = self._standing.of_some(np.union1d(principals, stated[:, _PRINCIPAL]), purpose)
        if len(stated):
            standing.take(stated)
        return standing.of(principals, purpose)

    def catch_up(self) -> int:
        """Take in what was appended since, by whomever; return the number of the last entry.

        Raises:
            ParcoursError: ``state_damaged`` names an entry that was altered.
        """
        if self._take_appended():
            self._standing = self._exact.copy()
            for lines in self._pending:
                self._standing.take(lines)
        return self._read_to

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one when lines are missing."""
        with self._state.snapshot():
            rows = self._state.execute(f"SELECT {_COLUMNS}, checksum, entry_no FROM consent")
            for row in rows:
                told = np.array([row[:7]], np.int64) if all(isinstance(cell, int) for cell in row) else None
                if told is None or int(checksums(told, self._key)[0]) != row[7]:
                    yield damaged("consent", row[8], self._state.path)
            yield from self._tally.verify(row[7] for row in rows)

    def _take_appended(self) -> bool:
        with self._state.snapshot():
            last = int(self._state.execute("SELECT coalesce(max(entry_no), 0) FROM consent")[0][0])  # type: ignore[arg-type]
            # Once at least the tally is asked: a ledger that has lost every line looks like one that never had any.
            if last == self._read_to and self._compared:
                return False
            pieces, rows, total = [], self._rows, self._sum
            for lines, sums in self._read(self._read_to):
                pieces.append(lines)
                rows, total = rows + len(lines), total ^ sums
            self._tally.compare_sum(rows, total)
        self._compared = True
        for lines in pieces:
            self._kept.take(lines)
            self._exact.take(lines)
        self._read_to, self._rows, self._sum = last, rows, total
        return bool(pieces)

    def _read(self, after: int) -> Iterator[tuple[Numbers, int]]:
        """Yield the lines after entry ``after``, each checked, with the sum of their checksums, some at a time."""
        while True:
            rows = self._state.execute(
                f"SELECT {_COLUMNS}, checksum, entry_no FROM consent WHERE entry_no > ? ORDER BY entry_no LIMIT ?",
                (after, _READ_LINES),
            )
            if not rows:
                return
            try:
                table = np.array(rows, dtype=np.int64).reshape(-1, 9)
            except (TypeError, ValueError, OverflowError) as fault:
                raise damaged("consent", f"> {after}", self._state.path) from fault
            wrong = checksums(table[:, :7], self._key) != table[:, 7]
            if wrong.any():
                raise damaged("consent", int(table[wrong, 8][0]), self._state.path)
            after = int(table[-1, 8])
            yield table[:, :7].copy(), int(np.bitwise_xor.reduce(table[:, 7]))


def state_lines(
    purpose: int, principals: Numbers, granted: Choices, occurred_ms: Numbers, event_nos: Numbers
) -> Numbers:
    """Return choices as lines of the ledger, one each, that were not recorded yet."""
    width = len(principals)
    return np.column_stack(
        (principals, np.full(width, purpose), granted, occurred_ms, occurred_ms, np.zeros(width, np.int64), event_nos)
    )


class _Standing:
    """The latest choice by (purpose, identifier), in sorted arrays that are looked up all at once."""

    def __init__(self) -> None:
        self._lines: dict[int, Numbers] = {}

    def take(self, lines: Numbers) -> None:
        """Take further lines, in the order of the ledger."""
        for purpose in np.unique(lines[:, _PURPOSE]).tolist():
            mine = lines[lines[:, _PURPOSE] == purpose]
            # A stable sort keeps the ledger's order among equal times, so the last line of a principal is the latest.
            mine = mine[np.lexsort((mine[:, _CONFIRMED], mine[:, _PRINCIPAL]))]
            mine = mine[np.append(np.diff(mine[:, _PRINCIPAL]) != 0, True)]
            held = self._lines.get(purpose)
            self._lines[purpose] = mine if held is None or not len(held) else self._update(held, mine)

    def _update(self, held: Numbers, mine: Numbers) -> Numbers:
        """Return ``held`` with what is later of ``mine``; both by rising principal, each once."""
        places, found = self._places(held, mine[:, _PRINCIPAL])
        newer = found & (mine[:, _CONFIRMED] >= held[places, _CONFIRMED])
        updated = held.copy()
        updated[places[newer]] = mine[newer]
        fresh = mine[~found]
        return np.insert(updated, np.searchsorted(held[:, _PRINCIPAL], fresh[:, _PRINCIPAL]), fresh, axis=0)

    def of(self, principals: Numbers, purpose: int) -> Choices:
        """Return the choice of each of ``principals``."""
        lines = self._lines.get(purpose)
        answer = np.full(principals.shape, NOTHING, np.int8)
        if lines is None or not len(lines):
            return answer
        places, found = self._places(lines, principals)
        choice = np.where(lines[places, _CHOICE] == GRANTED, GRANTED, REFUSED)
        answer[found] = choice[found]
        return answer

    def find_unrecorded(self, kept: _Standing, lines: Numbers, recorded_ms: int) -> Numbers:
        """Return what was stated last, later than what is ``kept``, by those of whom ``lines`` say the contrary."""
        (latest, found), (recorded, _) = self._latest(lines), kept._latest(lines)
        found &= (latest[:, _CHOICE] != lines[:, _CHOICE]) & (latest[:, _CONFIRMED] > recorded[:, _CONFIRMED])
        later = np.unique(latest[found], axis=0)
        later[:, _RECORDED] = recorded_ms
        return later

    def of_some(self, principals: Numbers, purpose: int) -> _Standing:
        """Return what is held of ``purpose`` for these ``principals`` alone."""
        some = _Standing()
        lines = self._lines.get(purpose)
        if lines is not None and len(lines):
            places, found = self._places(lines, principals)
            some._lines[purpose] = lines[places[found]]
        return some

    def covers(self, lines: Numbers) -> npt.NDArray[np.bool_]:
        """Return which of ``lines`` say nothing that the latest choice does not hold already, or was stated lately."""
        latest, found = self._latest(lines)
        granted = latest[:, _CHOICE] == GRANTED
        until_ms = latest[:, _CONFIRMED] + np.where(granted, RESTATED_MS[GRANTED], RESTATED_MS[REFUSED])
        covered: npt.NDArray[np.bool_] = (
            found
            & (latest[:, _CHOICE] == lines[:, _CHOICE])
            & (latest[:, _OCCURRED] <= lines[:, _OCCURRED])
            & (until_ms >= lines[:, _CONFIRMED])
        )
        return covered

    def copy(self) -> _Standing:
        """Return the same, to be taken further on its own."""
        twin = _Standing()
        twin._lines = dict(self._lines)
        return twin

    def _latest(self, lines: Numbers) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        latest, known = np.zeros_like(lines), np.zeros(len(lines), bool)
        for purpose, held in self._lines.items():
            mine = np.flatnonzero(lines[:, _PURPOSE] == purpose)
            places, found = self._places(held, lines[mine, _PRINCIPAL])
            latest[mine], known[mine] = held[places], found
        return latest, known

    @staticmethod
    def _places(lines: Numbers, principals: Numbers) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        held = lines[:, _PRINCIPAL]
        places = np.minimum(np.searchsorted(held, principals), len(held) - 1)
        return places, held[places] == principals


def _of_changed(lines: Numbers, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which lines speak of an identifier and purpose of which some line says something new.

    All of them are then kept: beside a contrary choice of the same millisecond a repeated one is news too.
    """
    news = np.zeros(len(lines), bool)
    if changed.any():
        order = np.lexsort((lines[:, _PURPOSE], lines[:, _PRINCIPAL]))
        begins = np.append(True, (np.diff(lines[order][:, [_PRINCIPAL, _PURPOSE]], axis=0) != 0).any(axis=1))
        moved = np.logical_or.reduceat(changed[order], np.flatnonzero(begins))
        news[order] = moved[np.cumsum(begins) - 1]
    return news


def _join_runs(lines: Numbers) -> Numbers:
    """Join statements of the same choice that follow one another in time; what stays is in order of arrival."""
    order = np.lexsort((np.arange(len(lines)), lines[:, _OCCURRED], lines[:, _PRINCIPAL], lines[:, _PURPOSE]))
    lines = lines[order]
    same = (lines[1:, :3] == lines[:-1, :3]).all(axis=1)
    starts = np.flatnonzero(np.append(True, ~same))
    joined = lines[starts]
    joined[:, _CONFIRMED] = np.maximum.reduceat(lines[:, _CONFIRMED], starts)
    # A run stands where its latest statement arrived.
    latest = lines[:, _CONFIRMED] == np.repeat(joined[:, _CONFIRMED], np.diff(np.append(starts, len(lines))))
    arrived = np.maximum.reduceat(np.where(latest, order, -1), starts)
    return joined[np.argsort(arrived, kind="stable")]
