"""The transitions measure: passages, starts, ends, sessions and steps."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parcours.blueprint.records import Blueprint
from parcours.measure.contract import Ask
from parcours.measure.transitions import MEASURE


def _count(rows: tuple[dict[str, Any], ...]) -> dict[tuple[str, str], int]:
    return {(row["source"], row["target"]): row["count"] for row in rows}


def test_passages_starts_and_ends_are_counted(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [
        [(0, 0.0), (2, 1.0), (2, 2.0)],  # last in purchase (deadline 20 days), data end on day 40: ended
        [(0, 0.0), (1, 35.0)],  # last in idea (10 days), five days ago: under way
        [(4, 40.0)],  # last in a stage without a deadline
    ]
    result = MEASURE.compute(Ask(make_rows(journeys), blueprint))
    assert _count(result.rows) == {
        ("(start)", "t0"): 2, ("(start)", "t4"): 1, ("t0", "t1"): 1, ("t0", "t2"): 1, ("t2", "t2"): 1,
        ("t2", "(end)"): 1,
    }  # fmt: skip
    row = next(row for row in result.rows if (row["source"], row["target"]) == ("t2", "(end)"))
    assert (row["share"], row["outgoing"], row["gap_ms"]) == (0.5, 2, None)
    assert result.n == 6


def test_the_median_gap_is_that_of_the_passage(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [[(0, 0.0), (2, float(day))] for day in (1, 2, 5, 9, 11)]
    rows = MEASURE.compute(Ask(make_rows(journeys), blueprint)).rows
    row = next(row for row in rows if row["target"] == "t2")
    assert row["gap_ms"] == 5 * 86_400_000
    assert row["gap_low_ms"] <= row["gap_ms"] <= row["gap_high_ms"]


def test_sessions_break_at_more_than_thirty_minutes(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    half_hour = 30 / 1440
    journeys = [[(0, 0.0), (1, half_hour), (2, 2 * half_hour + 0.001)], [(5, 3.0)]]
    result = MEASURE.compute(Ask(make_rows(journeys), blueprint, "session"))
    assert _count(result.rows) == {
        ("(start)", "t0"): 1, ("(start)", "t2"): 1, ("(start)", "t5"): 1, ("t0", "t1"): 1, ("t1", "(end)"): 1,
        ("t2", "(end)"): 1,
    }  # fmt: skip
    assert result.n == 4


def test_steps_are_those_of_the_target(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [[(0, 0.0), (2, 1.0)], [(2, 0.0), (0, 1.0)], [(5, 50.0)]]
    rows = MEASURE.compute(Ask(make_rows(journeys), blueprint, "step")).rows
    found = {(row["step"], row["source"], row["target"]): row["share"] for row in rows}
    assert found[1, "(start)", "t0"] == pytest.approx(1 / 3)
    assert found[2, "t0", "t2"] == 1.0
    assert found[2, "t2", "t0"] == 1.0
    assert found[3, "t0", "(end)"] == 1.0


def test_counts_are_those_of_a_plain_reading(
    make_rows: Callable[..., Any], blueprint: Blueprint, random: np.random.Generator
) -> None:
    journeys = [[(int(t), float(i)) for i, t in enumerate(random.integers(0, 6, 8))] for _ in range(300)]
    expected = Counter((f"t{a[0]}", f"t{b[0]}") for journey in journeys for a, b in itertools.pairwise(journey))
    rows = MEASURE.compute(Ask(make_rows(journeys), blueprint)).rows
    between = {key: number for key, number in _count(rows).items() if "(" not in "".join(key)}
    assert between == expected
    totals = Counter({row["source"]: 0 for row in rows})
    for row in rows:
        totals[row["source"]] += row["share"]
        assert row["low"] <= row["share"] <= row["high"]
    assert all(total == pytest.approx(1) for total in totals.values())


def test_journeys_without_deadlines_have_no_end_and_say_so(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint]
) -> None:
    blueprint = blueprint_asking(deadlines_days=(None, None, None))
    result = MEASURE.compute(Ask(make_rows([[(0, 0.0), (1, 1.0)], [(5, 90.0)]]), blueprint))
    assert "(end)" not in {row["target"] for row in result.rows}
    assert "No journey is known to have ended" in result.warnings[0].en


def test_no_touches_have_no_transitions(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = MEASURE.compute(Ask(make_rows([]), blueprint))
    assert (result.rows, result.n, result.period) == ((), 0, None)
    assert "No touch is known" in result.warnings[0].en
