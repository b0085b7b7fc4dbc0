"""Which of a table's declared columns its Parquet files hold, and Arrow answers in the declared kinds."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from parcours.engine.sql.failures import refuse_missing_table

if TYPE_CHECKING:
    from parcours.engine.sql.step import Kind, Table

ARROW: dict[Kind, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
}


def take_tables(step_name: str, names: tuple[str, ...], tables: Mapping[str, Table]) -> list[Table]:
    """Return the tables called ``names``; one that is not there, or has lost a file, raises ``table_missing``."""
    for name in names:
        if name not in tables:
            raise refuse_missing_table(step_name, name)
        for path in tables[name].paths:
            if not path.is_file():
                raise refuse_missing_table(step_name, str(path))
    return [tables[name] for name in names]


def find_columns(table: Table) -> frozenset[str]:
    """Return the columns that at least one file of ``table`` holds."""
    found: frozenset[str] = frozenset()
    for path in table.paths:
        state = path.stat()
        found |= _columns_of(path, state.st_size, state.st_mtime_ns)
    return found


@functools.lru_cache(maxsize=65536)
def _columns_of(path: Path, *_state: int) -> frozenset[str]:
    """Read the footer once for each state of the file, which its size and time of change stand for."""
    return frozenset(pq.read_schema(path).names)


def cast_answer(answer: pa.Table, gives: Mapping[str, Kind]) -> pa.Table:
    """Return ``answer`` with the names and kinds of ``gives``.

    Raises:
        pa.ArrowInvalid: A value that its kind cannot hold, as a fraction declared ``int``.
    """
    columns = [column.cast(ARROW[kind]) for column, kind in zip(answer.columns, gives.values(), strict=True)]
    return pa.table(columns, names=list(gives))
