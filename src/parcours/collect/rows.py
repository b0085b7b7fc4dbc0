"""Rows as a file gives them, before anything is understood: columns of text, lines, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parcours.words import Words

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

WHOLE_ROW = "*"
"""The column that stands for everything in a row, where a format cannot list its columns beforehand."""

BATCH_ROWS = 131_072
"""Rows that are read at once: large enough to be fast, small enough for memory to stay flat."""


class BadRow(msgspec.Struct, frozen=True):
    """A row that goes to quarantine: where it starts, why, and its own bytes."""

    line: int
    code: str
    reason: Words
    original: bytes


class RawRows(msgspec.Struct):
    """A batch: one text array a column, the line where each row starts, and the rows that could not be read.

    ``original(i)`` gives the bytes of row ``i``; ``seen`` says how far the file has been read, in bytes.
    """

    lines: Ints
    columns: dict[str, pa.Array]
    bad: list[BadRow]
    original: Callable[[int], bytes]
    seen: int = 0

    @property
    def count(self) -> int:
        """The number of rows that were read."""
        return len(self.lines)

    def pick(self, rows: Ints) -> RawRows:
        """Return only ``rows`` of the batch, without the bad ones."""
        if len(rows) == self.count:
            return RawRows(self.lines, self.columns, [], self.original, self.seen)
        taken = pa.array(rows)
        columns = {name: values.take(taken) for name, values in self.columns.items()}
        return RawRows(self.lines[rows], columns, [], lambda row: self.original(int(rows[row])), self.seen)


class Rows(Protocol):
    """A file as rows. ``columns`` are those of the file in order; ``complete`` says that there can be no other."""

    columns: tuple[str, ...]
    complete: bool

    def batches(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Read the file from its start; a wanted column that a format leaves out of a row is null there."""


def clean(values: pa.Array) -> pa.Array:
    """Return texts without the space around them; empty ones are null."""
    trimmed = pc.utf8_trim_whitespace(values)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
