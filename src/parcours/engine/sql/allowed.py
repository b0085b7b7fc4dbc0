"""The allow-list: what the portable subset may say, and what to write in place of the rest."""

from __future__ import annotations

from sqlglot import exp

from parcours.words import Words

CONSTRUCTS: frozenset[type[exp.Expr]] = frozenset(
    {
        # the shape of a query
        exp.Select, exp.Union, exp.With, exp.CTE, exp.Subquery, exp.From, exp.Join, exp.Where, exp.Group, exp.Having,
        exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Table, exp.TableAlias, exp.Star,
        # names and values
        exp.Column, exp.Identifier, exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.Placeholder, exp.DataType,
        exp.Paren,
        # arithmetic, comparison, logic
        exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.Neg, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And,
        exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Exists, exp.DPipe, exp.Case, exp.If, exp.Cast,
        # windows
        exp.Window, exp.WindowSpec, exp.Filter,
    }
)  # fmt: skip
"""Syntax that every engine reads alike."""

FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
    exp.Avg: "avg",
    exp.StddevSamp: "stddev_samp",
    exp.Coalesce: "coalesce",
    exp.Nullif: "nullif",
    exp.Abs: "abs",
    exp.Greatest: "greatest",
    exp.Least: "least",
    exp.Floor: "floor",
    exp.Ceil: "ceil",
    exp.Lower: "lower",
    exp.Upper: "upper",
    exp.Length: "length",
    exp.RowNumber: "row_number",
    exp.Rank: "rank",
    exp.DenseRank: "dense_rank",
    exp.Lag: "lag",
    exp.Lead: "lead",
}
"""Functions that the contract suite proves equal on DuckDB and ClickHouse."""

TYPES = frozenset({"BIGINT", "INT", "SMALLINT", "DOUBLE", "TEXT", "VARCHAR", "BOOLEAN"})
"""What ``cast`` may name."""

NARROW = frozenset({"INT", "SMALLINT"})
"""Integer types that `Engine.write` keeps narrow."""

_ADVICE: dict[str, tuple[str, str]] = {
    "div": ("pc_div(a, b), ou pc_intdiv(a, b) pour des entiers", "pc_div(a, b), or pc_intdiv(a, b) for integers"),
    "intdiv": ("pc_intdiv(a, b)", "pc_intdiv(a, b)"),
    "first": ("pc_first(x, temps, départage)", "pc_first(x, time, tie_break)"),
    "last": ("pc_last(x, temps, départage)", "pc_last(x, time, tie_break)"),
    "median": ("pc_median(x)", "pc_median(x)"),
    "date": ("pc_day_ms(ms), pc_week_ms(ms) ou pc_month_ms(ms)", "pc_day_ms(ms), pc_week_ms(ms) or pc_month_ms(ms)"),
    "round": ("les entiers, ou arrondissez en Python", "integers, or round in Python"),
    "now": ("un paramètre $now_ms", "a parameter $now_ms"),
    "approximate": ("count(distinct x)", "count(distinct x)"),
    "distance": ("coalesce et =", "coalesce and ="),
    "union": ("union all, puis select distinct", "union all, then select distinct"),
    "qualify": ("une sous-requête et where", "a subquery and where"),
    "values": (
        "un paramètre liste, ou select … union all select …",
        "a list parameter, or select … union all select …",
    ),
}

_INSTEAD: dict[str, str] = {
    "Div": "div", "IntDiv": "intdiv", "First": "first", "FirstValue": "first", "AnyValue": "first", "ArgMin": "first",
    "Last": "last", "LastValue": "last", "ArgMax": "last", "Median": "median", "PercentileCont": "median",
    "PercentileDisc": "median", "Quantile": "median", "ApproxQuantile": "median", "UnixToTime": "date",
    "TimestampTrunc": "date", "DateTrunc": "date", "DateDiff": "date", "Extract": "date", "Year": "date",
    "Month": "date", "Week": "date", "Day": "date", "Interval": "date", "Round": "round", "CurrentTimestamp": "now",
    "CurrentDate": "now", "now": "now", "ApproxDistinct": "approximate", "NullSafeEQ": "distance",
    "NullSafeNEQ": "distance", "Except": "union", "Intersect": "union", "Qualify": "qualify", "Values": "values",
    "Unnest": "values",
}  # fmt: skip


def say_instead(name: str) -> Words:
    """Return what to use in place of the construct or function called ``name``."""
    french, english = _ADVICE.get(_INSTEAD.get(name, ""), ("", ""))
    if not french:
        return Words(
            fr="La liste des fonctions admises est dans docs/concepts/engines.md.",
            en="The functions allowed are listed in docs/concepts/engines.md.",
        )
    return Words(fr=f"Employez {french}.", en=f"Use {english}.")
