"""Scored edges: pairs of identifiers that comparison says are probably one person, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, checksums
from parcours.know.state import damaged, tally_of

WAITING, ACCEPTED, REFUSED = 0, 1, 2
"""Where a pair stands: a person has yet to decide, it counts as an edge, or it was turned down."""

_COLUMNS = ("event_no", "one", "other", "weight_milli", "model_no", "standing")
_EVENT, _ONE, _OTHER, _WEIGHT, _MODEL, _STANDING = range(len(_COLUMNS))
_NAMES = ", ".join(_COLUMNS)
_PAIR = "one = ? AND other = ?"
_INDEXES = ("scored_by_other", "sqlite_autoindex_scored_1")


class ScoredEdges(msgspec.Struct, frozen=True):
    """Scored pairs, column by column, by rising event number and then by pair.

    Attributes:
        event_no: The events before this number had been seen when the pair last changed: its place in the fold's order.
        one, other: The two pseudonyms, the smaller one first.
        weight_milli: The match weight (Fellegi and Sunter 1969: log2 of the odds that both are one person) in
            thousandths of a bit.
        model_no: Which model gave the weight.
        standing: `WAITING`, `ACCEPTED` or `REFUSED`.
    """

    event_no: Numbers
    one: Numbers
    other: Numbers
    weight_milli: Numbers
    model_no: Numbers
    standing: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.one)


class Scored:
    """The scored pairs of one company, each once, checksummed under the company's key."""

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._key = keys.checks
        self._tally = tally_of(state, "scored")

    def append(
        self,
        one: Numbers,
        other: Numbers,
        weight_milli: Numbers,
        model_no: int,
        event_no: int,
        standing: npt.NDArray[np.int8] | int = WAITING,
    ) -> int:
        """Keep scored pairs; return how many of them are new or stand otherwise than before.

        A pair that was accepted or turned down stays as it is: people have been told. One that waits takes the new
        weight and standing.
        """
        lines = np.empty((len(one), len(_COLUMNS)), np.int64)
        lines[:, _ONE], lines[:, _OTHER] = np.minimum(one, other), np.maximum(one, other)
        lines[:, _EVENT], lines[:, _WEIGHT], lines[:, _MODEL] = event_no, weight_milli, model_no
        lines[:, _STANDING] = standing
        # Of a pair that is given twice the higher weight counts.
        lines = lines[np.lexsort((-lines[:, _WEIGHT], lines[:, _OTHER], lines[:, _ONE]))]
        first = np.append(True, (np.diff(lines[:, [_ONE, _OTHER]], axis=0) != 0).any(axis=1))[: len(lines)]
        lines = lines[first & (lines[:, _ONE] != lines[:, _OTHER])]
        with self._state.transaction():
            held = {(row[_ONE], row[_OTHER]): row for row in self._read_all().tolist()}
            fresh = [line for line in lines.tolist() if _says_more(held.get((line[_ONE], line[_OTHER])), line)]
            self._write(np.array(fresh, np.int64).reshape(-1, len(_COLUMNS)))
        return len(fresh)

    def settle(self, one: int, other: int, standing: int, event_no: int | None = None) -> bool:
        """Say where a pair stands from now on; return whether there is such a pair.

        With ``event_no`` it takes that place in the fold's order, as an edge that was only now seen.
        """
        pair = min(one, other), max(one, other)
        with self._state.transaction():
            found = self._read(f"WHERE {_PAIR}", pair)
            if not len(found):  # Nobody was ever compared so, or the line was lost.
                self._tally.compare_counts(*_INDEXES)
                return False
            found[:, _STANDING] = standing
            if event_no is not None:
                found[:, _EVENT] = event_no
            self._write(found)
        return True

    def forget(self, pseudonyms: Numbers) -> int:
        """Delete every pair that names one of ``pseudonyms``; return how many there were."""
        named = [(pseudonym, pseudonym) for pseudonym in pseudonyms.tolist()]
        return self._tally.drop("one = ? OR other = ?", named)

    def read(self) -> ScoredEdges:
        """Return every pair.

        Raises:
            ParcoursError: ``state_damaged`` names a pair that was altered, ``row_damaged`` says that some are missing.
        """
        with self._state.snapshot():
            lines = self._read_all()
        lines = lines[np.lexsort((lines[:, _OTHER], lines[:, _ONE], lines[:, _EVENT]))]
        event_no, one, other, weight_milli, model_no = (lines[:, place].copy() for place in range(_STANDING))
        return ScoredEdges(event_no, one, other, weight_milli, model_no, lines[:, _STANDING].astype(np.int8))

    def version(self) -> str:
        """Return what differs whenever the pairs do."""
        rows = self._state.execute("SELECT rows || '.' || hex(sum) FROM tallies WHERE name = 'scored'")
        return str(rows[0][0]) if rows else ""

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each pair that was altered, and one when pairs are missing."""
        with self._state.snapshot():
            rows = self._state.execute(f"SELECT {_NAMES}, checksum FROM scored")
            for row in rows:
                try:
                    self._check([row])
                except ParcoursError as fault:
                    yield fault
            yield from self._tally.verify(row[-1] for row in rows)

    def _read_all(self) -> Numbers:
        lines = self._read()
        self._tally.compare_sum(len(lines), int(np.bitwise_xor.reduce(checksums(lines, self._key), initial=0)))
        return lines

    def _read(self, where: str = "", args: tuple[int, ...] = ()) -> Numbers:
        return self._check(self._state.execute(f"SELECT {_NAMES}, checksum FROM scored {where}", args))

    def _check(self, rows: Sequence[tuple[object, ...]]) -> Numbers:
        try:
            table = np.array(rows, dtype=np.int64).reshape(-1, len(_COLUMNS) + 1)
        except (TypeError, ValueError, OverflowError) as fault:
            raise damaged("scored", rows[0][1:3] if len(rows) == 1 else "?", self._state.path) from fault
        wrong = checksums(table[:, :-1], self._key) != table[:, -1]
        if wrong.any():
            raise damaged("scored", tuple(table[wrong][0, [_ONE, _OTHER]].tolist()), self._state.path)
        return table[:, :-1].copy()

    def _write(self, lines: Numbers) -> None:
        if not len(lines):
            return
        rows = np.column_stack((lines, checksums(lines, self._key)))
        self._tally.drop(_PAIR, rows[:, [_ONE, _OTHER]].tolist())
        self._state.executemany(f"INSERT INTO scored ({_NAMES}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?)", rows.tolist())
        self._tally.note(added=rows[:, -1].tolist())


def _says_more(held: list[int] | None, line: list[int]) -> bool:
    """Return whether ``line`` is to take the place of what is ``held`` of its pair."""
    if held is None:
        return True
    return held[_STANDING] == WAITING and held[_WEIGHT:] != line[_WEIGHT:]
