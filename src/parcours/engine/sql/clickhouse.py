"""ClickHouse in this process, through chdb: the same steps over the same Parquet files, with the same answers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from parcours.engine.sql.dialect import compile_step, find_empty, find_narrow
from parcours.engine.sql.failures import explain_failure
from parcours.engine.sql.files import cast_answer, find_columns, take_tables
from parcours.engine.sql.literals import quote_text
from parcours.errors import ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.engine.sql.step import Kind, Step, Table, Value

_TYPES: dict[Kind, str] = {
    "int": "Nullable(Int64)",
    "float": "Nullable(Float64)",
    "text": "Nullable(String)",
    "bool": "Nullable(Bool)",
}
_WIDTHS = {"INT": pa.int32(), "SMALLINT": pa.int16()}
_MEANING = {
    "join_use_nulls": "1",
    "aggregate_functions_null_for_empty": "1",
    "prefer_column_name_to_alias": "1",
    "use_variant_as_common_type": "0",
    "transform_null_in": "0",
    "session_timezone": "'UTC'",
    "count_distinct_implementation": "'uniqExact'",
    "input_format_parquet_allow_missing_columns": "1",
    "output_format_arrow_string_as_string": "1",
}
"""Settings without which a step would mean something else than on DuckDB."""

_ONE_AT_A_TIME = threading.Lock()
"""chdb holds one server for the whole process."""


class ClickHouse:
    """The second engine, behind the two methods of the first; it needs the extra ``clickhouse``.

    Each statement carries its own settings, so that nothing is kept between two of them.

    Raises:
        ParcoursError: ``engine_not_installed`` when chdb is missing.
    """

    name = "clickhouse"

    def __init__(self, memory_mb: int = 1200, threads: int = 2) -> None:
        self._chdb = _import_chdb()
        bounds = {"max_memory_usage": str(memory_mb * 1_000_000), "max_threads": str(threads)}
        self._settings = ", ".join(f"{name} = {value}" for name, value in {**_MEANING, **bounds}.items())

    def run(self, step: Step, tables: Mapping[str, Table], **parameters: Value) -> pa.Table:
        """Answer ``step`` over ``tables`` as an Arrow table with exactly the columns of ``step.gives``."""
        rendered = compile_step(step, "clickhouse", empty=find_empty(parameters))
        read = tuple(_read_table(table) for table in take_tables(step.name, rendered.tables, tables))
        sql = f"{rendered.fill(read, parameters, 'clickhouse')} SETTINGS {self._settings}"
        try:
            with _ONE_AT_A_TIME:
                answer = self._chdb.query(sql, "Arrow").bytes()
            return cast_answer(pa.ipc.open_file(answer).read_all(), step.gives)
        except (RuntimeError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise explain_failure(step.name, self.name, sql, error) from error

    def write(self, step: Step, tables: Mapping[str, Table], path: Path, **parameters: Value) -> int:
        """Answer ``step`` into one Parquet file at ``path``, in the step's own order; return its row count."""
        answer = self.run(step, tables, **parameters)
        for column, width in find_narrow(step).items():
            place = answer.column_names.index(column)
            answer = answer.set_column(place, column, answer.column(place).cast(_WIDTHS[width]))
        try:
            pq.write_table(answer, path, compression="zstd")
        except OSError as error:
            path.unlink(missing_ok=True)
            raise explain_failure(step.name, self.name, str(path), error) from error
        return int(answer.num_rows)


def _import_chdb() -> ModuleType:
    try:
        import chdb
    except ImportError as error:
        raise ParcoursError(
            "engine_not_installed",
            Words(
                fr="Le moteur ClickHouse demande le paquet chdb, qui n'est pas installé.",
                en="The ClickHouse engine needs the package chdb, which is not installed.",
            ),
            Words(
                fr="Installez-le par pip install 'parcours[clickhouse]', ou gardez name = \"duckdb\" sous [engine].",
                en="Install it with pip install 'parcours[clickhouse]', or keep name = \"duckdb\" under [engine].",
            ),
        ) from error
    module: ModuleType = chdb
    return module


def _read_table(table: Table) -> str:
    """Return the CTE that reads ``table``; columns that no file holds are nulls of their kind."""
    held = find_columns(table)
    structure = ", ".join(f"{_quote_name(name)} {_TYPES[kind]}" for name, kind in table.columns.items() if name in held)
    columns = ", ".join(
        f"{_quote_name(name) if name in held else f'CAST(NULL AS {_TYPES[kind]})'} AS {_quote_name(name)}"
        for name, kind in table.columns.items()
    )
    if not table.paths:
        return f"{_quote_name(table.name)} AS (SELECT {columns} FROM numbers(0))"
    shape = f", {quote_text(structure, 'clickhouse')}" if structure else ""
    reads = [
        f"SELECT {columns} FROM file({quote_text(pattern, 'clickhouse')}, 'Parquet'{shape})"
        for pattern in _list_patterns(table.paths)
    ]
    return f"{_quote_name(table.name)} AS ({' UNION ALL '.join(reads)})"


def _list_patterns(paths: tuple[Path, ...]) -> list[str]:
    """Return one pattern a folder: a choice between braces may not hold a slash."""
    names: dict[Path, list[str]] = {}
    for path in paths:
        names.setdefault(path.absolute().parent, []).append(_escape_path(path.absolute()).rpartition("/")[2])
    return [
        f"{folder}/{found[0] if len(found) == 1 else '{' + ','.join(found) + '}'}" for folder, found in names.items()
    ]


def _escape_path(path: Path) -> str:
    """Return ``path``, refused when ClickHouse would read a pattern in it."""
    if any(sign in str(path) for sign in "*?{}[],"):
        raise ParcoursError(
            "path_is_a_pattern",
            Words(
                fr=f"ClickHouse lirait un motif dans le chemin {path}.",
                en=f"ClickHouse would read a pattern in the path {path}.",
            ),
            Words(
                fr="Déplacez le dossier vers un chemin sans * ? { } [ ] ni virgule, ou employez DuckDB.",
                en="Move the folder to a path without * ? { } [ ] or a comma, or use DuckDB.",
            ),
        )
    return str(path)


def _quote_name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
