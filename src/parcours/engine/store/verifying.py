"""Reading all of a file to see whether it is what was written: the structure of a database, every column of a part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.engine.store.digests import is_intact
from parcours.engine.store.parts import Part
from parcours.engine.store.sqlite import Database, database_damaged
from parcours.errors import ParcoursError
from parcours.words import Words

MOST_TOLD = 20
"""So many faults of one database's structure are told; more say nothing new."""


def verify_structure(database: Database) -> Iterator[ParcoursError]:
    """Yield what SQLite itself finds wrong with its pages and indexes."""
    for (told,) in database.execute(f"PRAGMA integrity_check({MOST_TOLD})"):
        if told != "ok":
            yield database_damaged(database.path, Words(fr=str(told), en=str(told)))


def verify_part(folder: Path, part: Part, buckets_of: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int8]]) -> bool:
    """Return whether a part is what was written, and says what the manifest says of it.

    Every column of every row is decoded. ``buckets_of`` gives the bucket that each subject belongs to.
    """
    path = folder / ".parcours" / part.path
    if not is_intact(path, part.bytes, part.sha256, again=True):
        return False
    try:
        file = pq.ParquetFile(path)
        rows = 0
        last, times = -1, []
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, use_threads=False)
            rows += table.num_rows
            numbers = np.asarray(table.column("event_no"))
            if not _is_sound(table, numbers, last, part, buckets_of):
                return False
            last = int(numbers[-1])
            times += pc.min_max(table.column("occurred_ms")).as_py().values()
    except (pa.ArrowException, OSError, KeyError, IndexError):
        return False
    return (rows, last, min(times), max(times)) == (part.rows, part.last_event_no, part.min_ms, part.max_ms)


def _is_sound(
    table: pa.Table,
    numbers: npt.NDArray[np.int64],
    last: int,
    part: Part,
    buckets_of: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.int8]],
) -> bool:
    if not (np.diff(numbers, prepend=last) > 0).all() or (last < 0 and numbers[0] != part.first_event_no):
        return False
    if not (np.asarray(table.column("bucket")) == part.bucket).all():
        return False
    if "subject" not in table.column_names:
        return True
    named = np.asarray(table.column("subject").drop_null())
    return bool((buckets_of(named) == part.bucket).all())
