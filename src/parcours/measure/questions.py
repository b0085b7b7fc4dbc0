"""The steps that one measure asks: answered as NumPy columns, their texts kept for the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from parcours.engine.sql.dialect import render
from parcours.engine.sql.step import Step, Value

if TYPE_CHECKING:
    from parcours.know import Permitted

Columns = dict[str, NDArray[Any]]


class Questions:
    """Asks steps of the rows that one purpose may see, and remembers what was asked."""

    def __init__(self, rows: Permitted) -> None:
        self._rows = rows
        self._asked: dict[str, str] = {}

    def ask(self, step: Step, **parameters: Value) -> Columns:
        """Return the answer's columns: int64, float64, bool, or objects for text (null: None).

        A step says itself what an absent whole number is, so there are none.
        """
        table = self._rows.run(step, **parameters)
        self._asked[step.name] = _write(step, parameters)
        kinds = {"int": np.int64, "float": np.float64, "bool": np.bool_, "text": np.object_}
        return {
            name: table.column(name).combine_chunks().to_numpy(zero_copy_only=False).astype(kinds[kind], copy=False)
            for name, kind in step.gives.items()
        }

    @property
    def sql(self) -> str:
        """The texts of the steps asked, each under its name, as DuckDB reads it."""
        return "\n\n".join(self._asked.values())


def _write(step: Step, parameters: dict[str, Value]) -> str:
    return f"-- {step.name}\n{render(step, 'duckdb', parameters)};"
