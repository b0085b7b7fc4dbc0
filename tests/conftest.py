"""A small company for tests of measures: real Parquet files, the real DuckDB engine, a blueprint of three stages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Experience,
    Group,
    Purpose,
    Stage,
    Step,
    Team,
    Touchpoint,
)
from parcours.engine.sql.engines import open_engine
from parcours.engine.sql.step import Kind, Table
from parcours.words import Words

DAY_MS = 86_400_000
START_MS = 1_767_571_200_000
"""2026-01-05, a Monday."""

SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "touches": {
        "customer": pa.int32(), "event_no": pa.int64(), "occurred_ms": pa.int64(), "touchpoint": pa.int16(),
        "stage": pa.int16(), "channel": pa.int16(), "previous": pa.int16(), "gap_ms": pa.int64(), "step": pa.int32(),
        "session": pa.int32(), "site": pa.string(), "value_cents": pa.int64(), "object_order": pa.int64(),
        "group_segment": pa.string(),
    },
    "answers": {
        "customer": pa.int32(), "event_no": pa.int64(), "occurred_ms": pa.int64(), "touchpoint": pa.int16(),
        "score": pa.float64(), "touch_no": pa.int64(), "touch_ms": pa.int64(), "site": pa.string(),
        "text_ref": pa.int64(), "group_segment": pa.string(),
    },
    "operations": {
        "operation": pa.int16(), "event_no": pa.int64(), "occurred_ms": pa.int64(), "site": pa.string(),
        "value": pa.float64(), "object_order": pa.int64(),
    },
    "customers": {
        "customer": pa.int32(), "first_ms": pa.int64(), "last_ms": pa.int64(), "touches": pa.int32(),
        "value_cents": pa.int64(), "group_segment": pa.string(),
    },
}  # fmt: skip


class Rows:
    """What one purpose may see, read from Parquet files through DuckDB."""

    purpose = "improve"
    fingerprint = "test"

    def __init__(self, folder: Path, tables: dict[str, pa.Table]) -> None:
        self.tables: dict[str, Table] = {}
        times = [time for name in ("touches", "answers") for time in tables[name]["occurred_ms"].to_pylist()]
        self.period = (min(times), max(times)) if times else None
        self.customers = len(set(tables["touches"]["customer"].to_pylist()))
        for name, table in tables.items():
            path = folder / f"{name}.parquet"
            pq.write_table(table, path)
            self.tables[name] = Table(name, (path,), {field.name: _kind(field.type) for field in table.schema})
        self._engine = open_engine("duckdb", 500, 1)

    def run(self, step: Any, **parameters: Any) -> pa.Table:
        """Answer a step over the files."""
        return self._engine.run(step, self.tables, **parameters)


def _kind(type: pa.DataType) -> Kind:
    if pa.types.is_integer(type):
        return "int"
    return "float" if pa.types.is_floating(type) else "text"


def make_touches(journeys: list[list[tuple[int, float]]], groups: list[str | None] | None = None) -> pa.Table:
    """Derive touches from each customer's (touchpoint, day) pairs, by the plainest reading of the agreement."""
    rows = []
    for customer, journey in enumerate(journeys):
        before: tuple[int, int] | None = None
        session = 0
        for step, (touchpoint, day) in enumerate(sorted(journey, key=lambda pair: pair[1]), start=1):
            at = START_MS + round(day * DAY_MS)
            gap = None if before is None else at - before[1]
            session += gap is None or gap > 1_800_000
            place = {"touchpoint": touchpoint, "stage": touchpoint // 2, "channel": touchpoint % 2}
            row = {
                "customer": customer,
                "event_no": len(rows),
                "occurred_ms": at,
                "gap_ms": gap,
                "step": step,
                "session": session,
            }
            row |= place | {"previous": before and before[0], "group_segment": groups[customer] if groups else None}
            rows.append(row)
            before = (touchpoint, at)
    return _table("touches", rows)


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    schema = SCHEMAS[name]
    return pa.table({key: pa.array([row.get(key) for row in rows], type) for key, type in schema.items()})


@pytest.fixture
def make_rows(tmp_path: Path) -> Callable[..., Rows]:
    """Return a maker of rows from journeys, answers (customer, touchpoint, day, score), groups and operations."""

    def make(
        journeys: list[list[tuple[int, float]]] | None = None,
        answers: list[tuple[int, int, float, float]] | None = None,
        groups: list[str | None] | None = None,
        operations: list[tuple[int, float, float]] | None = None,
    ) -> Rows:
        touches = make_touches(journeys or [], groups)
        first: dict[int, dict[str, Any]] = {}
        place = {}
        for row in touches.to_pylist():
            mine = first.setdefault(row["customer"], {"first_ms": row["occurred_ms"], "touches": 0} | row)
            mine |= {"last_ms": row["occurred_ms"], "touches": mine["touches"] + 1}
            mine["touches"] = row["step"]
            place[row["customer"], row["touchpoint"], row["occurred_ms"]] = row["event_no"]
        customers = [first[customer] for customer in sorted(first)]
        known = {row["customer"] for row in customers}
        for customer in {customer for customer, *_ in answers or []} - known:
            group = groups[customer] if groups else None
            customers.append({"customer": customer, "touches": 0, "group_segment": group})
        work = [
            {
                "operation": operation,
                "event_no": 2 * 10**6 + i,
                "occurred_ms": START_MS + round(day * DAY_MS),
                "value": value,
            }
            for i, (operation, day, value) in enumerate(operations or [])
        ]
        said = []
        for number, (customer, touchpoint, day, score) in enumerate(answers or []):
            at = START_MS + round(day * DAY_MS)
            touch = place.get((customer, touchpoint, at))
            row = {
                "customer": customer,
                "event_no": 10**6 + number,
                "occurred_ms": at,
                "touchpoint": touchpoint,
                "score": score,
            }
            said.append(row | {"touch_no": touch, "touch_ms": None if touch is None else at})
        made = {"touches": touches, "answers": _table("answers", said), "operations": _table("operations", work)}
        return Rows(tmp_path, made | {"customers": _table("customers", customers)})

    return make


def _both(text: str) -> Words:
    return Words(fr=f"{text} (fr)", en=text)


def _ask(metric: Any) -> Experience:
    scale = {"csat": (1.0, 5.0), "nps": (0.0, 10.0), "ces": (1.0, 7.0)}[metric]
    top = 4.0 if metric == "csat" else None
    return Experience(metric=metric, event=EventMatch(name="Answered"), field="score", scale=scale, satisfied_from=top)


def make_blueprint(*metrics: str | None, deadlines_days: tuple[float | None, ...] = (10.0, 20.0, None)) -> Blueprint:
    """Return a blueprint of three stages of two touchpoints each (web, then store), asking ``metrics`` in turn."""
    metrics = metrics or ("csat", "nps", "ces", "csat", "csat", "csat")
    stages = ("idea", "purchase", "use")
    return Blueprint(
        company=Company(id="acme", label=_both("Acme")),
        stages=tuple(
            Stage(id=name, label=_both(name), deadline_ms=None if days is None else round(days * DAY_MS))
            for name, days in zip(stages, deadlines_days, strict=True)
        ),
        channels=(Channel(id="web", label=_both("web"), kind="digital"),
                  Channel(id="store", label=_both("store"), kind="human")),
        teams=(Team(id="care", label=_both("care")),),
        touchpoints=tuple(
            Touchpoint(
                id=f"t{i}", label=_both(f"t{i}"), stage=stages[i // 2], channel=("web", "store")[i % 2], owner="care",
                events=(EventMatch(name=f"T{i}"),), experience=_ask(metric) if metric else None,
            )
            for i, metric in enumerate(metrics)
        ),
        purposes=(Purpose(id="improve", label=_both("improve"), basis="legitimate_interest"),),
        groups=(Group(id="segment", label=_both("segment"), field="segment"),),
        journey=Step(sequence=(Step(touchpoint="t0"), Step(touchpoint="t2"), Step(touchpoint="t4"))),
    )  # fmt: skip


@pytest.fixture
def blueprint() -> Blueprint:
    """The blueprint with all three metrics."""
    return make_blueprint()


@pytest.fixture
def blueprint_asking() -> Callable[..., Blueprint]:
    """Return the maker of blueprints."""
    return make_blueprint


@pytest.fixture
def random() -> np.random.Generator:
    """Randomness with a fixed seed."""
    return np.random.default_rng(20261121)


@pytest.fixture
def open_rows(tmp_path: Path) -> Callable[..., Rows]:
    """Return a maker of rows from columns by table; what is absent is null, a table left out is empty."""

    def open_them(**tables: dict[str, Any]) -> Rows:
        made = {}
        for name, schema in SCHEMAS.items():
            columns = tables.get(name, {})
            length = max((len(column) for column in columns.values()), default=0)
            given = {key: columns.get(key, [None] * length) for key in schema}
            made[name] = pa.table({key: pa.array(given[key], schema[key], from_pandas=True) for key in schema})
        return Rows(tmp_path, made)

    return open_them
