"""Tests of stakes: on rows small enough to count by hand, and with the wide interval that clusters ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from parcours.blueprint.records import (
    Blueprint,
    EventMatch,
    Experience,
    Money,
    Operation,
    OperationMeasure,
    Panel,
)
from parcours.errors import ParcoursError
from parcours.measure.contract import Ask, Result
from parcours.measure.stakes import MEASURE, compute, find_threshold, spread_value

WEEK_MS = 7 * 86_400_000
START_MS = 1_767_571_200_000
SITES, WEEKS = 4, 4


def declare(blueprint: Blueprint, worse: Any = "high") -> Blueprint:
    """Add one operation that supports the first touchpoint (csat, satisfied from 4)."""
    delay = Operation(
        id="delay",
        label=blueprint.company.label,
        owner="care",
        measure=OperationMeasure(unit="h", worse=worse),
        supports=("t0",),
    )
    return msgspec.structs.replace(
        blueprint,
        operations=(delay,),
        panel=Panel(site="store", period="week"),
        money=Money(event=EventMatch(name="Paid"), field="amount", currency="EUR"),
    )


def make_tables() -> dict[str, dict[str, list[Any]]]:
    """One customer a cell of 4 sites × 4 weeks, each worth 10, 20, … 160; the delay jumps on the diagonal."""
    cells = [(site, week) for site in range(SITES) for week in range(WEEKS)]
    moments = [START_MS + week * WEEK_MS + 1000 for _, week in cells]
    sites = [f"s{site}" for site, _ in cells]
    customers = list(range(len(cells)))
    return {
        "touches": {
            "customer": customers,
            "touchpoint": [0] * 16,
            "occurred_ms": moments,
            "site": sites,
        },
        "answers": {
            "customer": customers[:8],
            "touchpoint": [0] * 8,
            "occurred_ms": moments[:8],
            "score": [1.0, 3.0, 4.0, 5.0, 5.0, 5.0, 4.0, 2.0],
            "site": sites[:8],
        },
        "operations": {
            "operation": [0] * 16,
            "occurred_ms": moments,
            "site": sites,
            "value": [10.0 + 5 * site + week + (12.0 if site == week else 0.0) for site, week in cells],
        },
        "customers": {
            "customer": customers,
            "value_cents": [1000 * (number + 1) for number in customers],
            "group_segment": ["a"] * 10 + ["b"] * 6,
        },
    }


def ask(rows: Any, blueprint: Blueprint, by: str | None = None) -> Result:
    return compute(Ask(rows, blueprint, by))


def pick(result: Result, kind: str) -> list[dict[str, Any]]:
    return [row for row in result.rows if row["kind"] == kind and row["touchpoint"] == "t0"]


def test_the_worst_cells_are_the_ones_planted(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    (row,) = pick(ask(open_rows(**make_tables()), declare(blueprint)), "worst_days")
    # The jump of 12 on the diagonal leaves +9 there and −3 elsewhere; the within-SD is √27 = 5.2.
    assert row["cells"] == 4
    assert row["customers"] == 4
    assert row["n"] == 16
    assert row["share"] == 0.25
    assert row["value"] == 10 + 60 + 110 + 160
    assert row["low"] < 0.25 < row["high"]


def test_worse_may_be_less(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    assert pick(ask(open_rows(**make_tables()), declare(blueprint, "low")), "worst_days") == []
    tables = make_tables()
    tables["operations"]["value"] = [-value for value in tables["operations"]["value"]]
    (row,) = pick(ask(open_rows(**tables), declare(blueprint, "low")), "worst_days")
    assert row["customers"] == 4


def test_a_customer_counts_once_however_often_exposed(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    tables = make_tables()
    tables["touches"]["customer"] = [0] * 16
    (row,) = pick(ask(open_rows(**tables), declare(blueprint)), "worst_days")
    assert (row["customers"], row["n"], row["value"]) == (1, 1, 10)


def test_bad_answers_are_counted_and_spread_over_the_silent(
    open_rows: Callable[..., Any], blueprint: Blueprint
) -> None:
    (row,) = pick(ask(open_rows(**make_tables()), declare(blueprint)), "bad_experience")
    assert (row["customers"], row["n"], row["share"]) == (3, 8, 0.375)
    assert row["value"] == 10 + 20 + 80
    assert row["likely"] == 6
    assert row["likely_low"] == round(16 * row["low"])
    # 110 of the 360 that the eight brought, applied to the 1,360 of all sixteen.
    assert row["likely_value"] == pytest.approx(1360 * 110 / 360)
    assert row["likely_value_low"] < row["likely_value"] < row["likely_value_high"]
    assert row["operation"] is None


def test_groups_part_customers_without_loss(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    rows = open_rows(**make_tables())
    whole = {kind: pick(ask(rows, declare(blueprint)), kind)[0] for kind in ("worst_days", "bad_experience")}
    parted = ask(rows, declare(blueprint), "group:segment")
    assert {row["group"] for row in parted.rows} == {"a", "b"}
    assert parted.columns[0].name == "group"
    for kind, row in whole.items():
        for figure in ("customers", "n", "value"):
            assert sum(part[figure] for part in pick(parted, kind)) == row[figure]


def test_an_unknown_split_is_refused(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    with pytest.raises(ParcoursError) as refused:
        ask(open_rows(), blueprint, "channel")
    assert refused.value.code == "unknown_split"


def test_without_money_the_result_says_so(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    poor = msgspec.structs.replace(declare(blueprint), money=None)
    result = ask(open_rows(**make_tables()), poor)
    assert any("money" in warning.en for warning in result.warnings)
    assert ask(open_rows(), blueprint).rows == ()


def test_rows_are_ranked_and_carry_the_columns(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = ask(open_rows(**make_tables()), declare(blueprint))
    assert [row["rank"] for row in result.rows] == list(range(1, len(result.rows) + 1))
    assert all({column.name for column in result.columns} <= set(row) for row in result.rows)
    assert msgspec.json.decode(msgspec.json.encode(result), type=Result).rows == result.rows
    assert MEASURE.splits == ("group",)


@pytest.mark.parametrize(
    ("metric", "scale", "satisfied_from", "threshold"),
    [
        ("nps", (0, 10), None, 7),
        ("csat", (1, 5), None, 4),
        ("csat", (1, 5), 3, 3),
        ("ces", (1, 7), None, 4),
        ("ces", (1, 7), 5, 5),
    ],
)
def test_what_counts_as_bad(metric: Any, scale: Any, satisfied_from: Any, threshold: float) -> None:
    experience = Experience(
        metric=metric, event=EventMatch(name="A"), field="score", scale=scale, satisfied_from=satisfied_from
    )
    assert find_threshold(experience) == threshold


def test_the_revenue_behind_bad_experiences_is_covered(random: np.random.Generator) -> None:
    inside = []
    for _ in range(400):
        value = random.gamma(2, 50, 3000)
        bad = random.random(3000) < np.where(value > 100, 0.4, 0.2)
        heard = random.random(3000) < 0.2
        _, low, high = spread_value(bad[heard], value[heard], float(value.sum()))
        assert low is not None
        assert high is not None
        inside.append(low <= value[bad].sum() <= high)
    # A sample of a fifth of a fixed whole is a little surer than the interval says.
    assert 0.93 < np.mean(inside) < 0.995


def test_without_revenue_there_is_none_to_spread() -> None:
    assert spread_value(np.array([True, False]), np.zeros(2), 0.0) == [None, None, None]
