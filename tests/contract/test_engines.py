"""Every step that any module defines gives the same answer on DuckDB and on ClickHouse."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import parcours
from parcours.engine.sql.check import parse
from parcours.engine.sql.clickhouse import ClickHouse
from parcours.engine.sql.dialect import list_steps
from parcours.engine.sql.duckdb import DuckDB
from parcours.engine.sql.files import ARROW
from parcours.engine.sql.step import STEPS, Kind, Step, Table

KNOWN: dict[str, dict[str, Kind]] = {
    "touches": {
        "customer": "int", "event_no": "int", "occurred_ms": "int", "touchpoint": "int", "stage": "int",
        "channel": "int", "previous": "int", "gap_ms": "int", "step": "int", "session": "int", "site": "text",
        "value_cents": "int",
    },
    "answers": {
        "customer": "int", "event_no": "int", "occurred_ms": "int", "touchpoint": "int", "score": "float",
        "touch_no": "int", "touch_ms": "int", "site": "text", "text_ref": "int",
    },
    "operations": {"operation": "int", "event_no": "int", "occurred_ms": "int", "site": "text", "value": "float"},
    "customers": {
        "customer": "int", "first_ms": "int", "last_ms": "int", "touches": "int", "value_cents": "int",
    },
}  # fmt: skip
"""The tables that `know` derives for each purpose, with the kinds of their columns."""

NEVER_NULL = {"customer", "event_no", "occurred_ms", "touchpoint", "operation", "stage", "channel", "step", "session"}
DAY_MS = 86_400_000
TEXTS = ["", "a", "A", "É", "l'été", "Œuvre", "z\\b", "%_", "ça va ?", None, None]
SEEDS = [1, 2, None]
"""Seeds of the generated tables; None stands for empty ones, the first without any file."""

PROBE_COLUMNS: dict[str, dict[str, Kind]] = {
    "numbers": {"no": "int", "k": "int", "a": "int", "b": "int", "x": "float", "s": "text", "t": "bool", "ms": "int"},
    "others": {"no": "int", "k": "int", "a": "int", "s": "text"},
}


def read_probes() -> list[Step]:
    """Return the steps of ``probes.sql``, and one that comes after another."""
    blocks = Path(__file__).with_name("probes.sql").read_text("utf-8").split("\n\n")[1:]
    probes = [define_probe(block) for block in blocks]
    first = next(step for step in probes if step.name == "probe_first")
    after = Step(
        name="probe_after",
        text="select f, count(*) as n from probe_first group by f",
        reads=(),
        gives={"f": "text", "n": "int"},
        after=(first,),
    )
    return [*probes, after]


def define_probe(block: str) -> Step:
    """Return the step of one block of ``probes.sql``."""
    head, _, text = block.removeprefix("-- ").partition("\n")
    name, _, columns = head.partition(": ")
    sample: dict[str, Any] = {}
    if text.startswith("-- sample: "):
        line, _, text = text.removeprefix("-- sample: ").partition("\n")
        sample = {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(line).items()}
    gives = dict(column.split(" ") for column in columns.split(", "))
    return Step(
        name=f"probe_{name}",
        text=text,
        reads=("numbers", "others"),
        gives=msgspec.convert(gives, dict[str, Kind]),
        sample=sample,
        columns=PROBE_COLUMNS,
    )


PROBES = read_probes()

MAKERS: dict[str, tuple[Any, ...]] = {
    "parcours.measure.answered.define_visits_by_group": ("region",),
    "parcours.measure.splits.define_customers_by_group": ("region",),
    "parcours.measure.eventlog._object_log": ("touches", ("order", "parcel")),
}
"""Functions that make a step for a blueprint's own names, with arguments to make an example of each."""


def import_everything() -> list[str]:
    """Import every module of the product, so that every step is known; return those that cannot be."""
    broken: list[str] = []
    for module in pkgutil.walk_packages(parcours.__path__, "parcours.", onerror=lambda name: None):
        if module.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except Exception as error:  # whatever a module does when it is imported is told in one test
            broken.append(f"{module.name}: {error}")
    return broken


def find_makers() -> dict[str, Callable[..., Step]]:
    """Return every function of the product that makes steps, by its full name."""
    found: dict[str, Callable[..., Step]] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("parcours.") and not name.startswith("parcours.engine."):
            for member in vars(module).values():
                made = getattr(member, "__annotations__", {}).get("return") if callable(member) else None
                if made in ("Step", Step) and member.__module__ == name and vars(module).get("Step") is Step:
                    found[f"{name}.{member.__name__}"] = member
    return found


BROKEN = import_everything()
MADE = find_makers()
for maker in sorted(MADE.keys() & MAKERS.keys()):
    MADE[maker](*MAKERS[maker])


def generate_column(name: str, kind: Kind, rows: int, chance: random.Random) -> list[Any]:
    """Return values with ties, negatives and nulls; ``no`` and ``event_no`` are unique, as tie-breaks must be."""
    if name in ("no", "event_no"):
        return chance.sample(range(rows * 3), rows)
    if name == "ms" or name.endswith("_ms"):
        instants = [chance.randrange(-40_000, 60_000) * DAY_MS // 3 for _ in range(max(rows // 2, 1))]
        values: list[Any] = [chance.choice(instants) for _ in range(rows)]
    elif kind == "int":
        values = [chance.randrange(-4, 6) if name in ("a", "b") else chance.randrange(0, 4) for _ in range(rows)]
    elif kind == "float":
        values = [chance.choice([0.0, -2.5, 0.5, 1.5, 7.0, 10.0, chance.uniform(-9, 9)]) for _ in range(rows)]
    elif kind == "bool":
        values = [chance.random() < 0.5 for _ in range(rows)]
    else:
        values = [chance.choice(TEXTS) for _ in range(rows)]
    if name in NEVER_NULL:
        return values
    return [None if chance.random() < 0.15 else value for value in values]


def columns_of(table: str, step: Step) -> dict[str, Kind]:
    """Return the columns of ``table`` as the contract, the step or the steps before it state them."""
    steps = list_steps(step)
    stated = dict(KNOWN.get(table, {}))
    for each in steps:
        stated |= each.columns.get(table, {})
    if not stated:
        pytest.fail(f"step {step.name} reads {table}, whose columns are unknown: state them in Step.columns")
    text = " ".join(each.text for each in steps)
    asked: dict[str, Kind] = {}
    if table in KNOWN:
        asked |= dict.fromkeys(re.findall(r"\bgroup_\w+", text), "text")
        asked |= dict.fromkeys(re.findall(r"\bobject_\w+", text), "int")
    return {**stated, **{name: kind for name, kind in asked.items() if name not in stated}}


def generate_tables(step: Step, folder: Path, seed: int | None) -> dict[str, Table]:
    """Write the tables that ``step`` reads into ``folder``, in two files each; without a seed they are empty."""
    chance = random.Random(seed)
    tables: dict[str, Table] = {}
    for name in sorted({name for each in list_steps(step) for name in each.reads}):
        columns = columns_of(name, step)
        rows = 0 if seed is None else 60
        values = {column: generate_column(column, kind, rows, chance) for column, kind in columns.items()}
        data = pa.table({column: pa.array(values[column], ARROW[kind]) for column, kind in columns.items()})
        paths = (folder / f"{name}-0.parquet", folder / f"{name}-1.parquet") if seed or tables else ()
        for part, path in enumerate(paths):
            pq.write_table(data.slice(part * 25, 25 if part == 0 else None), path)
        tables[name] = Table(name, paths, columns)
    return tables


def comparable(value: Any) -> tuple[int, Any]:
    """Return a sort key that ranks nulls first and forgives the last digits of a float."""
    if value is None:
        return (0, 0)
    return (1, round(value, 6) if isinstance(value, float) else value)


def assert_same(step: Step, ours: pa.Table, theirs: pa.Table) -> None:
    """Fail unless both answers hold the same rows: integers and texts exactly, floats to a relative 1e-9."""
    assert ours.schema == theirs.schema
    left = [tuple(row.values()) for row in ours.to_pylist()]
    right = [tuple(row.values()) for row in theirs.to_pylist()]
    if parse(step.name, step.text).args.get("order") is None:
        left.sort(key=lambda row: [comparable(value) for value in row])
        right.sort(key=lambda row: [comparable(value) for value in row])
    assert len(left) == len(right), f"{len(left)} rows on DuckDB, {len(right)} on ClickHouse"
    for mine, other in zip(left, right, strict=True):
        for name, a, b in zip(step.gives, mine, other, strict=True):
            same = math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) if isinstance(a, float) and b is not None else a == b
            assert same, f"{step.name}.{name}: {a!r} on DuckDB, {b!r} on ClickHouse (rows {mine} and {other})"


def compare_engines(step: Step, folder: Path, seed: int | None, duck: DuckDB, click: ClickHouse) -> pa.Table:
    """Run ``step`` on both engines over the same generated tables and return DuckDB's answer."""
    tables = generate_tables(step, folder, seed)
    sample = {name: value for each in list_steps(step) for name, value in each.sample.items()}
    ours = duck.run(step, tables, **sample)
    assert_same(step, ours, click.run(step, tables, **sample))
    return ours


@pytest.fixture(scope="module")
def duck() -> DuckDB:
    """DuckDB, small."""
    return DuckDB(memory_mb=400, threads=2)


@pytest.fixture(scope="module")
def click() -> ClickHouse:
    """ClickHouse in this process."""
    pytest.importorskip("chdb", reason="the extra clickhouse is not installed")
    return ClickHouse(memory_mb=800, threads=2)


def test_every_module_is_imported() -> None:
    assert BROKEN == []


def test_every_function_that_makes_steps_has_an_example() -> None:
    assert MADE.keys() - MAKERS.keys() == set(), "give an example of its arguments in MAKERS, above"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", sorted(STEPS))
def test_step_is_equal_on_both_engines(
    name: str, seed: int | None, tmp_path: Path, duck: DuckDB, click: ClickHouse
) -> None:
    compare_engines(STEPS[name], tmp_path, seed, duck, click)


def test_probes_see_rows(tmp_path: Path, duck: DuckDB, click: ClickHouse) -> None:
    """A probe that never gives a row proves nothing."""
    silent = [
        step.name
        for step in PROBES
        if not any(compare_engines(step, tmp_path, seed, duck, click).num_rows for seed in (1, 2))
    ]
    assert silent == []


def test_a_step_that_differs_is_found(tmp_path: Path, duck: DuckDB, click: ClickHouse) -> None:
    """Doubles are written otherwise as text on the two engines: the suite must say so."""
    differing = define_probe("-- differing: no int, w text\nselect no, cast(x as varchar) as w from numbers")
    try:
        with pytest.raises(AssertionError, match=r"probe_differing\.w"):
            compare_engines(differing, tmp_path, 1, duck, click)
    finally:
        del STEPS[differing.name]
