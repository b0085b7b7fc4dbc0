"""What each engine needs changed so that the subset keeps its meaning there, as small rewrites of the tree."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from parcours.engine.sql.macros import EngineName

Fix = Callable[[exp.Expr], None]

_UNSIGNED = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Length)
_PREDICATES = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Exists
)  # fmt: skip
_INTEGER_TYPES = {"BIGINT": "Int64", "INT": "Int32", "SMALLINT": "Int16"}


def write_doubles(tree: exp.Expr) -> None:
    """Write numbers with a point as doubles: on DuckDB and Spark they would be decimals, which round otherwise."""
    for node in tree.find_all(exp.Literal):
        if not node.is_string and "." in str(node.this) and "e" not in str(node.this).lower():
            node.set("this", f"{node.this}e0")


def sign_integers(tree: exp.Expr) -> None:
    """Make ClickHouse's unsigned counts and ranks signed, as everywhere else."""
    for node in list(tree.find_all(*_UNSIGNED)):
        whole = _outermost(node)
        _swap(whole, lambda inner: exp.Anonymous(this="toInt64", expressions=[inner]))


def keep_null_spread(tree: exp.Expr) -> None:
    """Give NULL for the spread of a single row, where ClickHouse gives an infinity; sum it the stable way."""
    for node in list(tree.find_all(exp.StddevSamp)):
        stable = exp.Anonymous(this="stddevSampStable", expressions=[node.this.copy()])
        node.replace(stable)
        _swap(_outermost(stable), _finite_or_null)


def _finite_or_null(inner: exp.Expr) -> exp.Expr:
    return exp.Anonymous(
        this="if",
        expressions=[exp.Anonymous(this="isFinite", expressions=[inner]), inner.copy(), exp.null()],
    )


def fold_letters_in_unicode(tree: exp.Expr) -> None:
    """Fold accented letters too: ClickHouse's own ``lower`` and ``upper`` know ASCII alone."""
    for node in list(tree.find_all(exp.Lower, exp.Upper)):
        name = "lowerUTF8" if isinstance(node, exp.Lower) else "upperUTF8"
        node.replace(exp.Anonymous(this=name, expressions=[node.this.copy()]))


def keep_missing_neighbours(tree: exp.Expr) -> None:
    """Let ``lag`` and ``lead`` give NULL where there is no row; ClickHouse would give the type's default."""
    for node in tree.find_all(exp.Lag, exp.Lead):
        node.set("this", exp.Anonymous(this="toNullable", expressions=[node.this.copy()]))


def keep_remainder_of_zero(tree: exp.Expr) -> None:
    """Make ``x % 0`` NULL, where ClickHouse would stop."""
    for node in tree.find_all(exp.Mod):
        if not node.expression.is_number:
            node.set("expression", exp.func("nullIf", node.expression.copy(), exp.Literal.number(0)))


def round_casts(tree: exp.Expr) -> None:
    """Round to the even neighbour when a double becomes an integer, and stop on what does not fit.

    ClickHouse's own cast cuts the fraction off and wraps round.
    """
    for node in list(tree.find_all(exp.Cast)):
        width = _INTEGER_TYPES.get(node.to.this.value)
        if width is None:
            continue
        rounded = exp.Anonymous(this="roundBankers", expressions=[node.this.copy()])
        node.replace(
            exp.Anonymous(this="accurateCast", expressions=[rounded, exp.Literal.string(f"Nullable({width})")])
        )


def sign_magnitudes(tree: exp.Expr) -> None:
    """Write ``abs`` as a choice of sign: ClickHouse's own gives unsigned integers."""
    for node in list(tree.find_all(exp.Abs)):
        inner = node.this
        negative = exp.LT(this=exp.paren(inner.copy()), expression=exp.Literal.number(0))
        choice = [negative, exp.Neg(this=exp.paren(inner.copy())), inner.copy()]
        node.replace(exp.Anonymous(this="if", expressions=choice))


def keep_booleans(tree: exp.Expr) -> None:
    """Make a comparison that is used as a value a boolean; ClickHouse gives 0 and 1."""
    for node in list(tree.find_all(*_PREDICATES)):
        if _is_value(node):
            _swap(node, lambda inner: exp.cast(inner, exp.DataType.build("BOOLEAN", dialect="duckdb")))


def _is_value(node: exp.Expr) -> bool:
    """Tell whether a comparison is an output column or an argument, rather than a condition."""
    return isinstance(node.parent, (exp.Alias, exp.Select, exp.Coalesce, exp.Cast, exp.DPipe, exp.Min, exp.Max)) or (
        isinstance(node.parent, exp.If) and node.parent.this is not node
    )


def order_by_outputs(tree: exp.Expr) -> None:
    """Order by position where a term names an output column; ClickHouse is told to prefer input columns."""
    for select in tree.find_all(exp.Select):
        order = select.args.get("order")
        names = [projection.alias_or_name for projection in select.expressions]
        for term in order.expressions if order else ():
            column = term.this
            if isinstance(column, exp.Column) and not column.table and column.name in names:
                term.set("this", exp.Literal.number(names.index(column.name) + 1))


def _outermost(node: exp.Expr) -> exp.Expr:
    """Return the call with its ``filter`` and ``over``."""
    while isinstance(node.parent, (exp.Filter, exp.Window)) and node.parent.this is node:
        node = node.parent
    return node


def _swap(node: exp.Expr, make: Callable[[exp.Expr], exp.Expr]) -> None:
    node.replace(make(node.copy()))


FIXES: dict[EngineName, tuple[Fix, ...]] = {
    "duckdb": (write_doubles,),
    "clickhouse": (
        keep_booleans,
        sign_integers,
        keep_null_spread,
        fold_letters_in_unicode,
        keep_missing_neighbours,
        keep_remainder_of_zero,
        sign_magnitudes,
        round_casts,
        order_by_outputs,
    ),
    "spark": (write_doubles,),
}
"""The rewrites of each engine, in order."""
