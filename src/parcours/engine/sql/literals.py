"""Parameter values written as SQL literals, so that the whole failing SQL can be shown and run again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from parcours.errors import ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.engine.sql.macros import EngineName
    from parcours.engine.sql.step import Value

_INT64 = 2**63


def write_literal(name: str, value: Value, engine: EngineName) -> str:
    """Return ``value`` as a literal of ``engine``: integers as 64 bits, numbers with a point as doubles.

    A tuple becomes the inside of ``in (…)``.

    Raises:
        ParcoursError: ``parameter_not_writable`` for a number that no engine holds, or a text with a NUL character.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int) and -_INT64 < value < _INT64:
        return f"CAST({value} AS {'Nullable(Int64)' if engine == 'clickhouse' else 'BIGINT'})"
    if isinstance(value, float) and math.isfinite(value):
        return f"CAST('{value!r}' AS {'Nullable(Float64)' if engine == 'clickhouse' else 'DOUBLE'})"
    if isinstance(value, str) and "\0" not in value:
        return quote_text(value, engine)
    if isinstance(value, tuple):
        return ", ".join(str(item) if type(item) is int else write_literal(name, item, engine) for item in value)
    raise ParcoursError(
        "parameter_not_writable",
        Words(
            fr=f"La valeur {value!r} du paramètre ${name} ne peut pas entrer dans une requête.",
            en=f"The value {value!r} of parameter ${name} cannot enter a query.",
        ),
        Words(
            fr="Donnez un entier de 64 bits, un nombre fini ou un texte sans caractère nul.",
            en="Give a 64-bit integer, a finite number or a text without a NUL character.",
        ),
    )


def quote_text(text: str, engine: EngineName) -> str:
    """Return ``text`` between quotes; ClickHouse and Spark read backslashes as escapes, DuckDB does not."""
    if engine != "duckdb":
        text = text.replace("\\", "\\\\")
        return "'" + text.replace("'", "\\'") + "'"
    return "'" + text.replace("'", "''") + "'"
