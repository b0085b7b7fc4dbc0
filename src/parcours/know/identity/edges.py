"""Identity edges as they were seen: which weaker identifier stood beside which strongest one, and on which event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parcours.engine.store.sqlite import Cell, Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers
from parcours.know.state import damaged, tally_of

_WIDTH = 3
_CELLS = "block_no, seen, body, checksum, source"


class Edges:
    """What was seen, in blocks of one settling and source, checksummed; a line is ``(event_no, strongest, weaker)``."""

    def __init__(self, state: Database, keys: Keys) -> None:
        self._state = state
        self._key = keys.checks
        self._tally = tally_of(state, "edges")
        self._pending: dict[str, list[Numbers]] = {}

    def note(self, event_nos: Numbers, strongest: Numbers, weaker: Numbers, source: str = "") -> None:
        """Note edges of new events of one source; `settle` keeps them."""
        if event_nos.size:
            self._pending.setdefault(source, []).append(np.column_stack((event_nos, strongest, weaker)))

    def settle(self) -> None:
        """Make what was noted durable."""
        with self._state.transaction():
            for source, pending in self._pending.items():
                self._write(np.concatenate(pending), source)
        self._pending.clear()

    def abandon(self) -> None:
        """Drop what was noted and not settled."""
        self._pending.clear()

    def version(self) -> str:
        """Return what changes whenever the edges do."""
        rows = self._state.execute("SELECT count(*) || '.' || coalesce(max(block_no), 0) FROM edges")
        return str(rows[0][0])

    def read(self) -> Numbers:
        """Return every edge as seen (n × 3: event number, strongest, weaker).

        Raises:
            ParcoursError: ``state_damaged`` names a block that was altered.
        """
        with self._state.snapshot():
            rows = self._state.execute(f"SELECT {_CELLS} FROM edges")
            blocks = [self._open(row) for row in rows]
            self._tally.compare(row[3] for row in rows)
        return np.concatenate(blocks) if blocks else np.empty((0, _WIDTH), np.int64)

    def blocks(self, up_to: int = 1 << 62) -> tuple[int, int]:
        """Return the number of the latest block that is not after ``up_to``, and how many there are so far."""
        rows = self._state.execute(
            "SELECT coalesce(max(block_no), 0), count(*) FROM edges WHERE block_no <= ?", (up_to,)
        )
        return int(rows[0][0] or 0), int(rows[0][1] or 0)

    def after(self, block_no: int) -> Numbers:
        """Return the edges of the blocks that came after ``block_no`` (as `read` does).

        Raises:
            ParcoursError: ``state_damaged`` names a block that was altered.
        """
        rows = self._state.execute(f"SELECT {_CELLS} FROM edges WHERE block_no > ?", (block_no,))
        return np.concatenate([np.empty((0, _WIDTH), np.int64), *map(self._open, rows)])

    def sources(self, event_nos: Numbers) -> list[str]:
        """Return the source of each event; an empty text where no edge of it is left, or it is older than sources.

        Raises:
            ParcoursError: ``state_damaged`` names a block that was altered.
        """
        found: dict[int, str] = {}
        for event_no in np.unique(event_nos).tolist():
            rows = self._state.execute(
                f"SELECT {_CELLS} FROM edges WHERE first_event_no <= ? AND last_event_no >= ?", (event_no, event_no)
            )
            for row in rows:
                if event_no not in found and (self._open(row)[:, 0] == event_no).any():
                    found[event_no] = str(row[4])
        return [found.get(event_no, "") for event_no in event_nos.tolist()]

    def since(self, event_no: int) -> Numbers:
        """Return the edges of events from ``event_no`` on (as `read` does).

        Raises:
            ParcoursError: ``state_damaged`` names a block that was altered.
        """
        rows = self._state.execute(f"SELECT {_CELLS} FROM edges WHERE last_event_no >= ?", (event_no,))
        found = np.concatenate([np.empty((0, _WIDTH), np.int64), *map(self._open, rows)])
        return found[found[:, 0] >= event_no]

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each block that was altered, and one when blocks are missing."""
        with self._state.snapshot():
            rows = self._state.execute(f"SELECT {_CELLS} FROM edges")
            for row in rows:
                try:
                    self._open(row)
                except ParcoursError as fault:
                    yield fault
            yield from self._tally.verify(row[3] for row in rows)

    def at(self, event_nos: Numbers) -> Numbers:
        """Return the edges that these events showed (as `read` does)."""
        asked = np.unique(event_nos)
        if not asked.size:
            return np.empty((0, _WIDTH), np.int64)
        rows = self._overlapping(int(asked[0]), int(asked[-1]))
        seen = np.concatenate([np.empty((0, _WIDTH), np.int64), *map(self._open, rows)])
        return seen[np.isin(seen[:, 0], asked)]

    def withdraw(self, event_nos: Numbers) -> None:
        """Forget the edges that only these events showed; those that others showed too stay."""
        gone = np.unique(event_nos)
        if not gone.size:
            return
        self.settle()
        self._keep(self._overlapping(int(gone[0]), int(gone[-1])), lambda seen: ~np.isin(seen[:, 0], gone))

    def erase(self, pseudonyms: Numbers) -> int:
        """Forget every edge that has one of ``pseudonyms`` at an end; return how many there were."""
        self.settle()
        rows = self._state.execute(f"SELECT {_CELLS} FROM edges")
        return self._keep(rows, lambda seen: ~(np.isin(seen[:, 1], pseudonyms) | np.isin(seen[:, 2], pseudonyms)))

    def forget_from(self, event_no: int) -> None:
        """Forget the edges of every event from ``event_no`` on."""
        last = self._state.execute("SELECT coalesce(max(last_event_no), -1) FROM edges")[0][0]
        self.withdraw(np.arange(event_no, int(last or 0) + 1))

    def _overlapping(self, first: int, last: int) -> list[tuple[Cell, ...]]:
        return self._state.execute(
            f"SELECT {_CELLS} FROM edges WHERE last_event_no >= ? AND first_event_no <= ?", (first, last)
        )

    def _keep(self, rows: Sequence[tuple[Cell, ...]], stays: Callable[[Numbers], npt.NDArray[np.bool_]]) -> int:
        """Write blocks anew without the edges that do not stay; return how many went."""
        gone = 0
        with self._state.transaction():
            for row in rows:
                seen = self._open(row)
                kept = seen[stays(seen)]
                if len(kept) < len(seen):
                    gone += len(seen) - len(kept)
                    self._tally.drop("block_no = ?", [(row[0],)])
                    self._write(kept, str(row[4]))
        return gone

    def _write(self, seen: Numbers, source: str) -> None:
        if not len(seen):
            return
        # Column by column, numbers as differences and pseudonyms as places in a short list: a tenth of the bytes.
        nodes, places = np.unique(seen[:, 1:], return_inverse=True)
        steps = np.diff(seen[:, 0], prepend=0)
        plain = b"".join(
            part.tobytes()
            for part in (np.array([nodes.size], "<i8"), nodes.astype("<i8"), steps.astype("<i8"), places.astype("<i4"))
        )
        body = len(plain).to_bytes(8, "little") + pa.compress(plain, codec="zstd", asbytes=True)
        checksum = self._checksum(len(seen), body, source)
        with self._state.transaction():
            self._state.execute(
                "INSERT INTO edges (first_event_no, last_event_no, seen, body, checksum, source) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (int(seen[:, 0].min()), int(seen[:, 0].max()), len(seen), body, checksum, source),
            )
            self._tally.note(added=[checksum])

    def _open(self, row: tuple[object, ...]) -> Numbers:
        block_no, seen, body, checksum, source = row
        if not isinstance(seen, int) or not isinstance(body, bytes) or not isinstance(source, str):
            raise damaged("edges", block_no, self._state.path)
        if self._checksum(seen, body, source) != checksum:
            raise damaged("edges", block_no, self._state.path)
        plain = pa.decompress(body[8:], int.from_bytes(body[:8], "little"), codec="zstd", asbytes=True)
        count = int(np.frombuffer(plain, "<i8", 1)[0])
        nodes = np.frombuffer(plain, "<i8", count, 8)
        event_nos = np.cumsum(np.frombuffer(plain, "<i8", seen, 8 + 8 * count))
        places = np.frombuffer(plain, "<i4", 2 * seen, 8 + 8 * count + 8 * seen).reshape(-1, 2)
        return np.column_stack((event_nos, nodes[places]))

    def _checksum(self, seen: int, body: bytes, source: str) -> bytes:
        # What was written before sources were noted has none, and the checksum that it had then.
        told = seen.to_bytes(8, "little", signed=True) + body + source.encode()
        return blake2b(told, key=self._key, digest_size=16, person=b"edges").digest()
