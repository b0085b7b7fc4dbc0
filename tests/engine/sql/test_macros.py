"""The macros mean what Python's own integers and calendar say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.engine.sql.macros import MACROS, expand_macros

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(-62_100_000_000_000, 253_402_300_799_999)


def write_sql(expression: str) -> str:
    tree = sqlglot.parse_one(f"select {expression} as v", dialect="duckdb")
    expand_macros(tree, "duckdb")
    return tree.sql("duckdb")


def evaluate(expression: str) -> object:
    return duckdb.sql(write_sql(expression)).fetchall()[0][0]


DAY, WEEK, MONTH = (write_sql(f"pc_{unit}_ms(ms)") for unit in ("day", "week", "month"))
FLOOR, RATIO = write_sql("pc_intdiv(a, b)"), write_sql("pc_div(a, b)")


def to_ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


@settings(deadline=None, max_examples=20)
@given(st.lists(INSTANTS, min_size=1, max_size=60))
def test_days_weeks_and_months_start_as_the_calendar_says(instants: list[int]) -> None:
    rows = duckdb.sql(
        f"select ms, ({DAY}), ({WEEK}), ({MONTH}) from (select unnest({instants}::bigint[]) as ms)"
    ).fetchall()
    for ms, day_ms, week_ms, month_ms in rows:
        day = (EPOCH + timedelta(milliseconds=ms)).replace(hour=0, minute=0, second=0, microsecond=0)
        week = day - timedelta(days=day.weekday())
        assert (day_ms, week_ms, month_ms) == (to_ms(day), to_ms(week), to_ms(day.replace(day=1)))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.integers(-(2**50), 2**50), st.integers(-1000, 1000)), min_size=1, max_size=60))
def test_division_rounds_down_or_is_true_and_is_null_by_zero(pairs: list[tuple[int, int]]) -> None:
    values = ", ".join(f"({a}::bigint, {b}::bigint)" for a, b in pairs)
    rows = duckdb.sql(f"select a, b, ({FLOOR}), ({RATIO}) from (values {values}) as t (a, b)").fetchall()
    assert rows == [(a, b, a // b if b else None, a / b if b else None) for a, b in pairs]


def test_macros_nest() -> None:
    assert evaluate("pc_intdiv(pc_day_ms(pc_week_ms(cast(864000001 as bigint))), 86400000)") == 4


def test_an_argument_keeps_its_own_precedence() -> None:
    assert evaluate("pc_div(1 + 2, 1 + 1)") == 1.5


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse", "spark"])
@pytest.mark.parametrize("name", sorted(MACROS))
def test_every_macro_is_written_for_every_engine(name: str, engine: str) -> None:
    arguments = ", ".join(f"a{i} + 1" for i in range(len(MACROS[name].arguments)))
    tree = sqlglot.parse_one(f"select {name}({arguments}) as v from t", dialect="duckdb")
    expand_macros(tree, engine)  # type: ignore[arg-type]
    written = tree.sql(engine)
    assert "pc_" not in written.lower()
    assert all(f"a{i} + 1" in written for i in range(len(MACROS[name].arguments)))
