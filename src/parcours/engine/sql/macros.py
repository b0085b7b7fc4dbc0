"""The ``pc_*`` macros: what the subset says where engines' own functions differ, spelt out for each engine."""

from __future__ import annotations

from typing import Literal

import msgspec
import sqlglot
from sqlglot import exp

EngineName = Literal["duckdb", "clickhouse", "spark"]

_DAY_MS = 86_400_000
_FLOOR = "((({x}) % {n} + {n}) % {n})"
"""The remainder that is never negative, so that instants before 1970 fall into their own day."""
_KNOWN = "filter (where x is not null and ts is not null and tie is not null)"


class Macro(msgspec.Struct, frozen=True):
    """One macro: its arguments in order and its SQL, one text for all engines or one an engine."""

    arguments: tuple[str, ...]
    every: str = ""
    duckdb: str = ""
    clickhouse: str = ""
    spark: str = ""

    def text_for(self, engine: EngineName) -> str:
        """Return the SQL of this macro on ``engine``."""
        return self.every or str(getattr(self, engine))


def _start_of_month(divide: str) -> str:
    """Return the epoch milliseconds of the first of the month, by ``divide``, the engine's division of integers.

    The day of the month comes from the day number since 1 March of a year far before ours, in one chain that names
    ``ms`` once: C. Neri and L. Schneider, "Euclidean affine functions and their application to calendar algorithms",
    Software: Practice and Experience 53 (2023). It holds from the year -3999 on.
    """
    shifted_days = 719_468 + 10 * 146_097
    number = divide.format(x=f"ms + {shifted_days * _DAY_MS}", n=_DAY_MS)
    of_century = divide.format(x=f"((4 * {number} + 3) % 146097)", n=4)
    of_year = divide.format(x=f"((2939745 * (4 * {of_century} + 3)) % 4294967296)", n=4 * 2_939_745)
    before_today = divide.format(x=f"((2141 * {of_year} + 197913) % 65536)", n=2141)
    return f"(ms - {_FLOOR.format(x='ms', n=_DAY_MS)} - {_DAY_MS} * {before_today})"


MACROS: dict[str, Macro] = {
    "pc_div": Macro(("a", "b"), every="(cast(a as double) / nullif(cast(b as double), 0))"),
    "pc_intdiv": Macro(
        ("a", "b"),
        duckdb="((a - ((a % nullif(b, 0) + b) % nullif(b, 0))) // b)",
        clickhouse="intDiv(a - ((a % nullIf(b, 0) + b) % nullIf(b, 0)), nullIf(b, 0))",
        spark="((a - ((a % nullif(b, 0) + b) % nullif(b, 0))) div b)",
    ),
    "pc_day_ms": Macro(("ms",), every=f"(ms - {_FLOOR.format(x='ms', n=_DAY_MS)})"),
    "pc_week_ms": Macro(("ms",), every=f"(ms - {_FLOOR.format(x=f'ms + {3 * _DAY_MS}', n=7 * _DAY_MS)})"),
    "pc_month_ms": Macro(
        ("ms",),
        duckdb=_start_of_month("(({x}) // {n})"),
        clickhouse=_start_of_month("intDiv({x}, {n})"),
        spark=_start_of_month("(({x}) div {n})"),
    ),
    "pc_first": Macro(
        ("x", "ts", "tie"),
        duckdb=f"arg_min(x, struct_pack(a := ts, b := tie)) {_KNOWN}",
        clickhouse=f"argMin(x, tuple(ts, tie)) {_KNOWN}",
        spark=f"min_by(x, struct(ts, tie)) {_KNOWN}",
    ),
    "pc_last": Macro(
        ("x", "ts", "tie"),
        duckdb=f"arg_max(x, struct_pack(a := ts, b := tie)) {_KNOWN}",
        clickhouse=f"argMax(x, tuple(ts, tie)) {_KNOWN}",
        spark=f"max_by(x, struct(ts, tie)) {_KNOWN}",
    ),
    "pc_median": Macro(
        ("x",), duckdb="quantile_cont(x, 0.5)", clickhouse="quantileExactInclusive(0.5)(x)", spark="percentile(x, 0.5)"
    ),
}

AGGREGATES = frozenset({"pc_first", "pc_last", "pc_median"})
"""The macros that make one value of many rows."""


def expand_macros(tree: exp.Expr, engine: EngineName) -> None:
    """Replace every macro of ``tree`` in place, the innermost first so that they nest."""
    calls = [node for node in tree.find_all(exp.Anonymous) if node.name.lower() in MACROS]
    for call in reversed(calls):
        macro = MACROS[call.name.lower()]
        call.replace(_expand(macro, call.expressions, engine))


def _expand(macro: Macro, arguments: list[exp.Expr], engine: EngineName) -> exp.Expr:
    body = sqlglot.parse_one(macro.text_for(engine), dialect=engine if not macro.every else "duckdb")
    expand_macros(body, engine)
    values = dict(zip(macro.arguments, arguments, strict=True))
    for column in list(body.find_all(exp.Column)):
        if column.name in values and not column.table:
            value = values[column.name].copy()
            column.replace(value if isinstance(value, (exp.Column, exp.Literal, exp.Func)) else exp.paren(value))
    return body
