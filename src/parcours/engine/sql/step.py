"""A named SQL step: its text, what it reads and what it gives, checked against the allow-list when it is defined."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec
import pyarrow as pa

from parcours.engine.sql.check import check
from parcours.errors import ParcoursError
from parcours.words import Words

Kind = Literal["int", "float", "text", "bool"]
Value = int | float | str | bool | None | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]


class Table(msgspec.Struct, frozen=True):
    """Parquet files that hold one table; a file that lacks a column holds nulls there.

    Whatever the width in the files, a step sees ``int`` as 64 bits and ``float`` as a double.
    """

    name: str
    paths: tuple[Path, ...]
    columns: dict[str, Kind]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One question in the portable subset.

    ``text`` is DuckDB-flavoured SQL over the tables in ``reads`` (and the steps in ``after``, as CTEs by their names),
    with ``$name`` parameters; ``gives`` are its columns in order. ``sample`` gives each parameter a value for the
    contract suite, ``columns`` the kinds of the columns of tables that the suite does not know by name.

    Raises:
        ParcoursError: The step is unreadable, reads what it does not declare or uses what is not on the allow-list
            (every fault at once), or another step has its name.
    """

    name: str
    text: str
    reads: tuple[str, ...]
    gives: dict[str, Kind]
    after: tuple[Step, ...] = ()
    sample: dict[str, Value] = {}
    columns: dict[str, dict[str, Kind]] = {}

    def __post_init__(self) -> None:
        check(self)
        known = STEPS.setdefault(self.name, self)
        if known != self:
            raise ParcoursError(
                "step_defined_twice",
                Words(
                    fr=f"Deux étapes différentes s'appellent « {self.name} ».",
                    en=f"Two different steps are called “{self.name}”.",
                ),
                Words(
                    fr="Renommez la seconde ; une étape faite pour une colonne porte le nom de la colonne.",
                    en="Rename the second; a step made for a column carries the column's name.",
                ),
            )


STEPS: dict[str, Step] = {}
"""Every step of the process by its name: what the contract suite runs on both engines."""


class Engine(Protocol):
    """What answers steps: DuckDB by default, ClickHouse through chdb behind the same two methods."""

    name: str

    def run(self, step: Step, tables: Mapping[str, Table], **parameters: Value) -> pa.Table:
        """Answer ``step`` over ``tables`` as an Arrow table with exactly the columns of ``step.gives``.

        Columns are int64, float64, string or bool, as the kinds say.
        """

    def write(self, step: Step, tables: Mapping[str, Table], path: Path, **parameters: Value) -> int:
        """Answer ``step`` into one Parquet file at ``path``, in the step's own order; return its row count.

        An ``int`` column is 64 bits wide, or as narrow as the ``cast`` that makes it in the outermost ``select``.
        """
