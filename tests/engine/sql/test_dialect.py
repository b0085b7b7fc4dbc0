"""A step becomes one engine's SQL, Spark's too, though Spark is not run here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlglot

from parcours.engine.sql.dialect import compile_step, render
from parcours.engine.sql.engines import open_engine
from parcours.engine.sql.failures import explain_failure
from parcours.engine.sql.step import STEPS, Step
from parcours.errors import ParcoursError


@pytest.fixture(autouse=True)
def forget_steps() -> Iterator[None]:
    """Leave the registry as it was, so that the contract suite never meets these."""
    before = dict(STEPS)
    yield
    STEPS.clear()
    STEPS.update(before)


def define_journey() -> Step:
    first = Step(
        name="first_sites",
        text="select customer, pc_first(site, ms, no) as site from t group by customer",
        reads=("t",),
        gives={"customer": "int", "site": "text"},
    )
    return Step(
        name="journey",
        text="with f as (select site, count(*) as n from first_sites group by site)"
        " select site, pc_div(n, 2.5) as share, lag(n) over (order by n desc, site) as before from f"
        " where site in $sites order by share desc, site limit $most",
        reads=(),
        gives={"site": "text", "share": "float", "before": "int"},
        after=(first,),
        sample={"sites": ("a",), "most": 3},
    )


@pytest.mark.parametrize("engine", ["duckdb", "clickhouse", "spark"])
def test_each_engine_gets_text_that_its_own_dialect_reads(engine: str) -> None:
    text = render(define_journey(), engine, {"sites": ("a", "l'été"), "most": 3})  # type: ignore[arg-type]
    tree = sqlglot.parse_one(text, dialect=engine)
    assert [cte.alias for cte in tree.args["with_"].expressions] == ["first_sites", "f"]
    assert "pc_" not in text.lower()
    assert "$" not in text


def test_spark_is_told_where_nulls_go() -> None:
    text = render(define_journey(), "spark", {"sites": ("a",), "most": 3})
    assert text.count("site NULLS LAST") == 2
    assert "MIN_BY(site, STRUCT(" in text


def test_clickhouse_gets_null_where_there_is_no_neighbour() -> None:
    assert "lag(toNullable(n))" in render(define_journey(), "clickhouse", {"sites": ("a",), "most": 3})


def test_an_empty_list_is_in_nothing() -> None:
    assert "WHERE FALSE" in render(define_journey(), "duckdb", {"sites": (), "most": 3})


def test_a_step_is_rendered_once() -> None:
    step = define_journey()
    assert compile_step(step, "duckdb") is compile_step(step, "duckdb")
    assert compile_step(step, "duckdb") is not compile_step(step, "clickhouse")


def test_an_engine_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ParcoursError, match=r"engine_unknown"):
        open_engine("oracle")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (
            "Out of Memory Error: could not allocate block of size 256 KiB (7.6 MiB/7.6 MiB used)",
            "engine_out_of_memory",
        ),
        ("Code: 241. DB::Exception: memory limit exceeded: would use 1 GiB", "engine_out_of_memory"),
        ('Out of Memory Error: max_temp_directory_size reached, "No space left on device"', "disk_full"),
        ("Could not write file: No space left on device", "disk_full"),
        ("Binder Error: no such column", "step_failed"),
    ],
)
def test_memory_and_disk_are_told_apart(message: str, code: str) -> None:
    assert explain_failure("s", "duckdb", "select 1", RuntimeError(message)).code == code
