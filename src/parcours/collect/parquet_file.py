"""Parquet files as rows of text; nested columns are reached by dotted names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.collect.faults import file_unreadable
from parcours.collect.rows import BATCH_ROWS, RawRows


class ParquetRows:
    """One Parquet file; its rows are numbered from 1 as lines."""

    complete = True

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowInvalid, OSError) as fault:
            raise file_unreadable(path, str(fault).splitlines()[0]) from fault
        self._types = dict(_flat(self._file.schema_arrow))
        self.columns = tuple(self._types)

    def batches(self, wanted: Sequence[str]) -> Iterator[RawRows]:
        """Read the file a batch at a time."""
        first = 1
        size = self.path.stat().st_size
        total = max(self._file.metadata.num_rows, 1)
        roots = sorted({_root(name, self._file.schema_arrow) for name in wanted})
        try:
            for batch in self._file.iter_batches(BATCH_ROWS, columns=roots):
                lines = np.arange(first, first + batch.num_rows, dtype=np.int64)
                first += batch.num_rows
                yield _raw_rows(pa.Table.from_batches([batch]), wanted, lines, size * (first - 1) // total)
        except (pa.ArrowInvalid, OSError) as fault:
            raise file_unreadable(self.path, str(fault).splitlines()[0]) from fault


def _raw_rows(
    table: pa.Table, wanted: Sequence[str], lines: np.ndarray[tuple[int], np.dtype[np.int64]], seen: int
) -> RawRows:
    flat = table
    while any(pa.types.is_struct(field.type) for field in flat.schema):
        flat = flat.flatten()
    columns = {name: _as_text(flat.column(name).combine_chunks()) for name in wanted}

    def original(row: int) -> bytes:
        cells = {name: values[row].as_py() for name, values in columns.items()}
        return json.dumps(cells, ensure_ascii=False).encode()

    return RawRows(lines, columns, [], original, seen)


def _flat(schema: pa.Schema) -> Iterator[tuple[str, pa.DataType]]:
    """Return every column that can be read as text, those inside structures by dotted names."""
    for field in schema:
        yield from _flat_field(field.name, field.type)


def _flat_field(name: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    if pa.types.is_struct(kind):
        for inner in kind:
            yield from _flat_field(f"{name}.{inner.name}", inner.type)
    elif not pa.types.is_nested(kind):
        yield name, kind


def _root(name: str, schema: pa.Schema) -> str:
    return name if name in schema.names else name.split(".", maxsplit=1)[0]


def _as_text(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_floating(kind):
        # Whole numbers stay whole: an order number read from a float column is 17, not 17.0.
        whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2.0**53))
        integers = pc.cast(pc.cast(pc.if_else(whole, values, None), pa.int64()), pa.string())
        return pc.coalesce(integers, pc.cast(values, pa.string()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.cast(values, pa.string(), safe=False)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        values = pc.cast(values, pa.timestamp("ms", "UTC"), safe=False)
    elif pa.types.is_timestamp(kind):
        values = pc.cast(values, pa.timestamp("ms"), safe=False)
    return pc.cast(values, pa.string())
