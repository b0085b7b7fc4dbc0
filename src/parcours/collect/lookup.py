"""A small second file joined to a source: some of its columns, where the keys are the same."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.files import format_of
from parcours.collect.formats import open_rows
from parcours.collect.rows import clean
from parcours.collect.source import Format, Lookup


class Joined:
    """The rows of a lookup, held in memory; where a key stands twice, the last row counts."""

    def __init__(self, lookup: Lookup, path: Path, format: Format) -> None:
        self.on = lookup.on or lookup.key
        self.columns = lookup.columns
        wanted = tuple(dict.fromkeys((lookup.key, *lookup.columns)))
        rows = open_rows(path, format, lookup.csv, wanted)
        batches = [batch.columns for batch in rows.batches(wanted)]
        columns = {name: _whole([batch[name] for batch in batches]) for name in wanted}
        keys = columns[lookup.key].to_pylist()
        last = {key: row for row, key in enumerate(keys) if key is not None}
        self._keys = pa.array(list(last), pa.string())
        rows_kept = pa.array(list(last.values()), pa.int64())
        self._columns = {name: columns[name].take(rows_kept) for name in lookup.columns}

    def values(self, column: str, keys: pa.Array) -> pa.Array:
        """Return ``column`` for each of ``keys``; null where the lookup has no such row."""
        return self._columns[column].take(pc.index_in(keys, self._keys))


def open_lookup(lookup: Lookup | None, path: Path | None) -> Joined | None:
    """Return the rows of a source's lookup, if it has one."""
    format = format_of(lookup.format, path) if lookup and path else None
    return Joined(lookup, path, format) if lookup and path and format else None


def _whole(pieces: list[pa.Array]) -> pa.Array:
    return clean(pa.concat_arrays([pa.array([], pa.string()), *pieces]))
