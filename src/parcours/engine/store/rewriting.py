"""Parts without some of their rows: what was replaced, expired or erased leaves, the rest is written anew beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.engine.store.parts import Part, verified, write_pieces

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Leaving = Callable[[pa.Table], Flags]
"""Says which rows of a table leave, by the columns that it was promised."""


class Rewriting(msgspec.Struct):
    """The parts to put in force and those to take out; the old files stay until the manifest lets go of them.

    ``event_nos`` are those of the rows that leave.
    """

    add: list[Part]
    remove: list[Part]
    event_nos: list[Ints]


def leave_out(
    folder: Path,
    parts: Iterable[Part],
    columns: Sequence[str],
    leaving: Leaving,
    seen: Callable[[pa.Table], None] | None = None,
) -> Rewriting:
    """Write ``parts`` again without the rows that are ``leaving``, judged by ``columns``; untouched parts stay.

    A part is first read by these columns alone; ``seen`` then gets the leaving rows whole, some at a time. Whatever
    was written is in nobody's way when this is cut short: `parcours.engine.store.retiring.sweep` removes it.

    Raises:
        ParcoursError: ``part_damaged`` or ``disk_full``.
    """
    result = Rewriting([], [], [])
    judged = list(dict.fromkeys(["event_no", *columns]))
    for part in parts:
        (path,) = verified(folder, [part])
        file = pq.ParquetFile(path)
        gone = [leaving(file.read_row_group(group, judged, use_threads=False)) for group in range(file.num_row_groups)]
        if not any(mask.any() for mask in gone):
            continue
        if seen is not None:
            for rows in _pick(file, gone):
                seen(rows)
        result.remove.append(part)
        result.event_nos += [np.asarray(rows.column("event_no")) for rows in _pick(file, gone, ["event_no"])]
        if not all(mask.all() for mask in gone):
            kept = _pick(file, [~mask for mask in gone])
            schema = file.schema_arrow.remove_metadata()
            result.add.append(write_pieces(folder, schema, kept, part.source, part.bucket, part.level))
    return result


def _pick(file: pq.ParquetFile, wanted: Sequence[Flags], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield the ``wanted`` rows of each row group that has any."""
    for group, mask in enumerate(wanted):
        if mask.any():
            rows = file.read_row_group(group, None if columns is None else list(columns), use_threads=False)
            yield rows if mask.all() else rows.filter(pa.array(mask))


def by(column: str, test: Callable[[Ints], Flags]) -> Leaving:
    """Return what lets the rows leave of which ``test`` holds by their ``column`` of numbers, none of them null."""
    return lambda rows: test(np.asarray(rows.column(column)))


def among(sorted_numbers: Ints) -> Callable[[Ints], Flags]:
    """Return what tells which numbers are among ``sorted_numbers``."""

    def find(numbers: Ints) -> Flags:
        if not len(sorted_numbers):
            return np.zeros(len(numbers), bool)
        places = np.minimum(np.searchsorted(sorted_numbers, numbers), len(sorted_numbers) - 1)
        found: Flags = sorted_numbers[places] == numbers
        return found

    return find
