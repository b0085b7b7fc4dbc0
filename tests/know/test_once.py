"""Tests of one touch an object: the fast form equals the portable step, and money, sites and answers follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.blueprint.records import EventMatch, Experience
from parcours.engine.sql.duckdb import DuckDB
from parcours.engine.sql.step import Table
from parcours.know.once import NO_MONEY, ONCE, add_up, find_first

from .conftest import HOUR_MS, START_MS, Firm, make_blueprint

Row = tuple[int, int | None, int, int | None]
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.one_of(st.none(), st.integers(0, 2)),
        st.integers(0, 3),
        st.one_of(st.none(), st.integers(-3, 3)),
    ),
    max_size=20,
)
NAMES = ("customer", "object", "event_no", "occurred_ms", "value_cents")


def merge_fast(rows: list[Row]) -> set[tuple[Any, ...]]:
    told = [(customer, at_ms, number, about, cents) for number, (customer, about, at_ms, cents) in enumerate(rows)]
    told.sort()
    whole = {(customer, about, number, at_ms, cents) for customer, at_ms, number, about, cents in told if about is None}
    told = [row for row in told if row[3] is not None]
    customer = np.array([row[0] for row in told], np.int32)
    listed, starts = find_first(customer, np.array([row[3] for row in told], np.int64))
    cents = np.array([NO_MONEY if row[4] is None else row[4] for row in told], np.int64)
    for place, total in zip(listed[starts].tolist(), add_up(cents[listed], starts).tolist(), strict=True):
        who, at_ms, number, about, _ = told[place]
        whole.add((who, about, number, at_ms, None if total == NO_MONEY else total))
    return whole


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_one_touch_an_object_equals_the_portable_step(tmp_path_factory: Any, rows: list[Row]) -> None:
    path: Path = tmp_path_factory.mktemp("told") / "told.parquet"
    told = [(customer, about, number, at_ms, cents) for number, (customer, about, at_ms, cents) in enumerate(rows)]
    columns = {name: pa.array([row[place] for row in told], pa.int64()) for place, name in enumerate(NAMES)}
    pq.write_table(pa.table(columns), path)
    table = Table("told", (path,), ONCE.columns["told"])
    answer = DuckDB(memory_mb=300, threads=1).run(ONCE, {"told": table}).select(list(NAMES))
    assert {tuple(row.values()) for row in answer.to_pylist()} == merge_fast(rows)
    assert answer.num_rows == len(merge_fast(rows))


def till_firm(folder: Path) -> Firm:
    """Return the firm, whose checkout is one touch an order and is scored by parcel."""
    blueprint = make_blueprint()
    asked = EventMatch(name="Answered", where={"about": ("checkout",)})
    rating = Experience(metric="csat", event=asked, field="score", scale=(0, 10), tie="parcel", within_ms=2 * HOUR_MS)
    checkout = msgspec.structs.replace(blueprint.touchpoints[0], once_per="order", experience=rating)
    return Firm(folder, msgspec.structs.replace(blueprint, touchpoints=(checkout, *blueprint.touchpoints[1:])))


def line(minute: int, order: str | None, amount: float | None, **more: Any) -> dict[str, Any]:
    return {
        "name": "Ordered",
        "id_user": "u1",
        "occurred_ms": START_MS + minute * 60_000,
        "object_order": order,
        "field_amount": amount,
        **more,
    }


def test_the_lines_of_an_order_are_one_touch(tmp_path: Path) -> None:
    firm = till_firm(tmp_path)
    firm.admit(
        line(5, "o1", 2.5, field_site="Lille"),
        line(0, "o1", None, field_site="Lyon"),
        line(0, "o1", 4.0, field_site="Nice"),
        line(3, "o2", None),
        line(4, None, 1.0),
        line(4, None, 1.0),
        {"name": "Called", "id_user": "u1", "object_order": "o1", "occurred_ms": START_MS + 60_000},
        line(1, "o1", 9.0, id_user="u2"),
    )
    touches = firm.rows("improve", "touches")
    shown = [(row["customer"], row["event_no"], row["value_cents"], row["site"], row["gap_ms"]) for row in touches]
    assert shown == [
        (0, 2, 650, "Lyon", None),
        (0, 7, None, None, 60_000),
        (0, 4, None, None, 120_000),
        (0, 5, 100, None, 60_000),
        (0, 6, 100, None, 0),
        (1, 8, 900, None, None),
    ]
    assert [(row["touches"], row["value_cents"]) for row in firm.rows("improve", "customers")] == [(5, 850), (1, 900)]


def test_answers_speak_of_the_touch_that_holds_their_event(tmp_path: Path) -> None:
    firm = till_firm(tmp_path)
    said = {"name": "Answered", "id_user": "u1", "field_about": "checkout", "field_score": 5.0}
    firm.admit(
        line(0, "o1", 1.0, object_parcel="p1", field_site="Lyon"),
        line(9, "o1", 1.0, object_parcel="p2", field_site="Lille"),
        line(5, "o2", 1.0),
        {**said, "object_parcel": "p2", "occurred_ms": START_MS + HOUR_MS},
        {**said, "occurred_ms": START_MS + HOUR_MS},
    )
    answers = firm.rows("improve", "answers")
    assert [(row["touch_no"], row["site"]) for row in answers] == [(1, "Lyon"), (3, None)]
    assert answers[0]["touch_ms"] == START_MS
