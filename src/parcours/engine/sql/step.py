"""A named SQL step: its text, what it reads and what it gives, checked against the allow-list when it is defined."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec
import pyarrow as pa

Kind = Literal["int", "float", "text", "bool"]
Value = int | float | str | bool | None | tuple[int, ...] | tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """Parquet files that hold one table; a file that lacks a column holds nulls there."""

    name: str
    paths: tuple[Path, ...]
    columns: dict[str, Kind]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One question in the portable subset.

    ``text`` is DuckDB-flavoured SQL over the tables in ``reads`` (and the steps in ``after``, as CTEs by their names),
    with ``$name`` parameters; ``gives`` are its columns in order. ``sample`` gives
    each parameter a value for the contract suite. Defining a step with a function that is not on the allow-list
    raises `ParcoursError`.
    """

    name: str
    text: str
    reads: tuple[str, ...]
    gives: dict[str, Kind]
    after: tuple[Step, ...] = ()
    sample: dict[str, Value] = {}


class Engine(Protocol):
    """What answers steps: DuckDB by default, ClickHouse through chdb behind the same two methods."""

    name: str

    def run(self, step: Step, tables: Mapping[str, Table], **parameters: Value) -> pa.Table:
        """Answer ``step`` over ``tables`` as an Arrow table with exactly the columns of ``step.gives``."""

    def write(self, step: Step, tables: Mapping[str, Table], path: Path, **parameters: Value) -> int:
        """Answer ``step`` into one Parquet file at ``path``, in the step's own order; return its row count."""
