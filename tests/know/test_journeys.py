"""Tests of journeys: the fast walk equals the portable SQL and a plain loop; the latest entry is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.engine.sql.duckdb import DuckDB
from parcours.engine.sql.step import Table
from parcours.know.journeys import (
    PATH,
    ROWS_AT_ONCE,
    SESSION_GAP_MS,
    cut_between_customers,
    find_latest,
    order_touches,
    walk,
)

Row = tuple[int, int, int, int]
ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([0, 1, SESSION_GAP_MS, SESSION_GAP_MS + 1, 5 * SESSION_GAP_MS]),
        st.integers(0, 9),
        st.integers(0, 2),
    ),
    max_size=25,
    unique=True,
)


def walk_fast(rows: list[Row]) -> list[tuple[int | None, ...]]:
    table = np.array(rows, np.int64).reshape(-1, 4)
    customer, at_ms, event_no = table[:, 0].astype(np.int32), table[:, 1], table[:, 2]
    touchpoint = table[:, 3].astype(np.int16)
    order = order_touches(customer, at_ms, event_no, touchpoint)
    path = walk(customer[order], at_ms[order], touchpoint[order])
    return [
        (
            *(int(table[row, column]) for column in (0, 2, 1, 3)),
            None if path.begins[place] else int(path.previous[place]),
            None if path.begins[place] else int(path.gap_ms[place]),
            int(path.step[place]),
            int(path.session[place]),
        )
        for place, row in enumerate(order.tolist())
    ]


def walk_plainly(rows: list[Row]) -> list[tuple[int | None, ...]]:
    walked: list[tuple[int | None, ...]] = []
    before: Row | None = None
    step = session = 0
    for row in sorted(rows):
        same = before is not None and before[0] == row[0]
        gap = row[1] - before[1] if before is not None and same else None
        step = step + 1 if same else 1
        session = (session + (gap is not None and gap > SESSION_GAP_MS)) if same else 1
        previous = before[3] if before is not None and same else None
        walked.append((row[0], row[2], row[1], row[3], previous, gap, step, session))
        before = row
    return walked


@settings(max_examples=300, deadline=None)
@given(ROWS)
def test_the_walk_equals_a_plain_loop(rows: list[Row]) -> None:
    assert walk_fast(rows) == walk_plainly(rows)


@pytest.mark.parametrize("span_ms", [10, 2**61])
def test_the_walk_equals_the_portable_step(tmp_path: Path, span_ms: int) -> None:
    draw = np.random.default_rng(3)
    size = 3000
    rows = list(
        zip(
            draw.integers(0, 50, size).tolist(),
            draw.integers(0, span_ms, size).tolist(),
            range(size),
            draw.integers(0, 5, size).tolist(),
            strict=True,
        )
    )
    names = ("customer", "occurred_ms", "event_no", "touchpoint")
    met = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    pq.write_table(met, tmp_path / "met.parquet")
    table = Table("met", (tmp_path / "met.parquet",), PATH.columns["met"])
    answer = DuckDB(memory_mb=300, threads=1).run(PATH, {"met": table})
    assert [tuple(row.values()) for row in answer.to_pylist()] == walk_fast(rows)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6)), max_size=12),
    st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 7)), max_size=8),
)
def test_the_latest_entry_is_found(entries: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    held, asks = np.array(entries, np.int64).reshape(-1, 2), np.array(asked, np.int64).reshape(-1, 2)
    found = find_latest(held[:, 0], held[:, 1], asks[:, 0], asks[:, 1])
    for (owner, at_ms), place in zip(asked, found.tolist(), strict=True):
        before = [(when, index) for index, (who, when) in enumerate(entries) if who == owner and when <= at_ms]
        assert place == (max(before)[1] if before else -1)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 7), max_size=9), st.integers(1, 6))
def test_pieces_hold_whole_customers(touches: list[int], most: int) -> None:
    after = np.cumsum(np.array(touches, np.int64))
    pieces = cut_between_customers(after, most)
    assert [row for piece in pieces for row in range(piece.start, piece.stop)] == list(range(sum(touches)))
    ends = {0, *after.tolist()}
    assert all({piece.start, piece.stop} <= ends for piece in pieces)
    # A piece that is larger than allowed holds one customer alone.
    large = [piece for piece in pieces if piece.stop - piece.start > most]
    assert all(not any(piece.start < end < piece.stop for end in ends) for piece in large)


@pytest.mark.parametrize("span_ms", [40, 2**40, 2**61])
def test_many_touches_are_in_their_order(span_ms: int) -> None:
    draw = np.random.default_rng(5)
    size = ROWS_AT_ONCE + 70_000
    customer, at_ms = draw.integers(0, 900, size).astype(np.int32), draw.integers(0, span_ms, size)
    event_no, touchpoint = draw.permutation(size), draw.integers(0, 9, size).astype(np.int16)
    order = order_touches(customer, at_ms, event_no, touchpoint)
    assert (order == np.lexsort((touchpoint, event_no, at_ms, customer))).all()
