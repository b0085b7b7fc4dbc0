"""DuckDB in this process, as a query engine over Parquet files: it keeps nothing between two statements."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from parcours.engine.sql.dialect import compile_step, find_empty
from parcours.engine.sql.failures import explain_failure
from parcours.engine.sql.files import cast_answer, find_columns, take_tables
from parcours.engine.sql.literals import quote_text

if TYPE_CHECKING:
    from parcours.engine.sql.step import Kind, Step, Table, Value

_TYPES: dict[Kind, str] = {"int": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN"}


class DuckDB:
    """The default engine: one in-memory database, one cursor a statement, always drained.

    ``memory_mb`` and ``threads`` bound what it takes; what does not fit spills to a folder of its own under
    ``spill_folder`` (the system's temporary folder by default), removed with the engine.
    """

    name = "duckdb"

    def __init__(self, memory_mb: int = 1200, threads: int = 2, spill_folder: Path | None = None) -> None:
        spill = tempfile.mkdtemp(prefix="parcours-duckdb-", dir=spill_folder)
        self._database = duckdb.connect(
            ":memory:",
            config={"memory_limit": f"{memory_mb}MB", "threads": threads, "temp_directory": spill},
        )
        self._database.execute("SET GLOBAL TimeZone = 'UTC'").fetchall()
        weakref.finalize(self, shutil.rmtree, spill, ignore_errors=True)

    def run(self, step: Step, tables: Mapping[str, Table], **parameters: Value) -> pa.Table:
        """Answer ``step`` over ``tables`` as an Arrow table with exactly the columns of ``step.gives``."""
        sql = self._write_sql(step, tables, parameters)
        try:
            with self._database.cursor() as cursor:
                return cast_answer(cursor.execute(sql).to_arrow_table(), step.gives)
        except (duckdb.Error, pa.ArrowInvalid) as error:
            raise explain_failure(step.name, self.name, sql, error) from error

    def write(self, step: Step, tables: Mapping[str, Table], path: Path, **parameters: Value) -> int:
        """Answer ``step`` into one Parquet file at ``path``, in the step's own order; return its row count."""
        sql = self._write_sql(step, tables, parameters, typed=True)
        copy = f"COPY ({sql}) TO {quote_text(str(path), 'duckdb')} (FORMAT parquet, COMPRESSION zstd)"
        try:
            with self._database.cursor() as cursor:
                return int(cursor.execute(copy).fetchall()[0][0])
        except duckdb.Error as error:
            path.unlink(missing_ok=True)
            raise explain_failure(step.name, self.name, copy, error) from error

    def _write_sql(
        self, step: Step, tables: Mapping[str, Table], parameters: Mapping[str, Value], *, typed: bool = False
    ) -> str:
        rendered = compile_step(step, "duckdb", empty=find_empty(parameters), typed=typed)
        read = tuple(_read_table(table) for table in take_tables(step.name, rendered.tables, tables))
        return rendered.fill(read, parameters, "duckdb")


def open_scratch(memory_mb: int, threads: int) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that never spills: for values that must not reach a disk."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": threads,
        "temp_directory": "",
    }
    return duckdb.connect(":memory:", config=config)


def _read_table(table: Table) -> str:
    """Return the CTE that reads ``table``; columns that no file holds are nulls of their kind."""
    held = find_columns(table)
    columns = ", ".join(
        f"CAST({_quote_name(name) if name in held else 'NULL'} AS {_TYPES[kind]}) AS {_quote_name(name)}"
        for name, kind in table.columns.items()
    )
    if table.paths:
        paths = ", ".join(quote_text(str(path), "duckdb") for path in table.paths)
        source = f"FROM read_parquet([{paths}], union_by_name = true)"
    else:
        source = "WHERE false"
    # Not materialised: DuckDB would otherwise copy the whole table when two parts of a step read it.
    return f"{_quote_name(table.name)} AS NOT MATERIALIZED (SELECT {columns} {source})"


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
