"""The journey measure: who moved on, who left, who is under way, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parcours.blueprint.records import Blueprint
from parcours.measure.contract import Ask
from parcours.measure.journey import MEASURE

DAY_MS = 86_400_000


def test_those_still_under_way_are_never_counted_as_lost(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [
        [(0, 0.0), (2, 3.0)],  # moved on after three days
        [(0, 0.0), (1, 5.0)],  # last seen on day 5, deadline 10 days, data end on day 30: left
        [(0, 25.0)],  # five days before the end: under way
        [(0, 20.0)],  # exactly the deadline: not passed yet
        [(0, 0.0), (2, 15.0), (0, 16.0)],  # moved on after the deadline: late, and back again
        [(5, 30.0)],  # the last touch known
    ]
    idea, purchase, use = MEASURE.compute(Ask(make_rows(journeys), blueprint)).rows
    counts = ("entered", "moved_on", "left", "under_way", "late")
    assert [idea[name] for name in counts] == [5, 2, 1, 2, 1]
    assert [purchase[name] for name in counts] == [2, 0, 1, 1, 0]
    assert [use[name] for name in counts] == [1, 0, 0, 1, 0]
    assert use["state"] == "last_stage"


def test_without_a_deadline_nobody_has_left(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint]
) -> None:
    blueprint = blueprint_asking("csat", deadlines_days=(None, None, None))
    journeys = [[(0, 0.0)], [(0, 0.0), (0, 300.0)]]
    result = MEASURE.compute(Ask(make_rows(journeys), blueprint_asking(deadlines_days=(None, None, None))))
    assert (result.rows[0]["left"], result.rows[0]["under_way"]) == (0, 2)
    assert any("nobody is counted as having stopped: idea" in warning.en for warning in result.warnings)
    assert blueprint.stages[0].deadline_ms is None


def test_counts_add_up_whatever_the_journeys(
    make_rows: Callable[..., Any], blueprint: Blueprint, random: np.random.Generator
) -> None:
    journeys = [
        [(int(t), float(d)) for t, d in zip(random.integers(0, 6, 5), random.uniform(0, 60, 5), strict=True)]
        for _ in range(200)
    ]
    rows = make_rows(journeys, groups=["ab"[i % 2] for i in range(200)])
    whole = MEASURE.compute(Ask(rows, blueprint))
    for row in whole.rows:
        assert row["entered"] == row["moved_on"] + row["left"] + row["under_way"]
    for by in ("channel", "group:segment"):
        parts = MEASURE.compute(Ask(rows, blueprint, by)).rows
        for row in whole.rows:
            for name in ("entered", "moved_on", "left", "under_way", "late"):
                assert row[name] == sum(part[name] for part in parts if part["stage"] == row["stage"])


def test_a_planted_median_is_found_under_heavy_censoring(
    make_rows: Callable[..., Any], blueprint: Blueprint, random: np.random.Generator
) -> None:
    truth, covered, censored = 8.0, 0, 0.0
    for _ in range(40):
        start = random.uniform(0, 20, 150)
        wait = random.exponential(truth / np.log(2), 150)
        journeys = [
            [(0, float(s))] + ([(2, float(s + w))] if s + w < 20 else []) for s, w in zip(start, wait, strict=True)
        ]
        row = MEASURE.compute(Ask(make_rows([*journeys, [(5, 20.0)]]), blueprint)).rows[0]
        censored += (1 - row["moved_on"] / row["entered"]) / 40
        covered += row["low"] <= truth * DAY_MS and (row["high"] is None or truth * DAY_MS <= row["high"])
    assert censored > 0.4
    assert covered >= 35


def test_a_median_that_is_not_reached_is_said(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    journeys = [[(0, 0.0), (2, 1.0)], *([[(0, 0.0)]] * 9), [(5, 40.0)]]
    result = MEASURE.compute(Ask(make_rows(journeys), blueprint))
    assert (result.rows[0]["median_ms"], result.rows[0]["state"]) == (None, "median_not_reached")
    assert any("median is not reached for idea" in warning.en for warning in result.warnings)
    assert any("médiane n'est pas atteinte pour idea" in warning.fr for warning in result.warnings)


def test_leaving_and_moving_on_compete(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    moving, leaving = [[(0, 0.0), (2, 1.0)]] * 30, [[(0, 0.0)]] * 10
    row = MEASURE.compute(Ask(make_rows([*moving, *leaving, [(5, 60.0)]]), blueprint)).rows[0]
    assert row["within_share"] == pytest.approx(0.75)
    assert row["left_share"] == pytest.approx(0.25)
    assert row["left_low"] < 0.25 < row["left_high"]


def test_no_touch_at_all_gives_a_sentence(make_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = MEASURE.compute(Ask(make_rows([]), blueprint))
    assert (result.n, result.period) == (0, None)
    assert [row["entered"] for row in result.rows] == [0, 0, 0]
    assert "No touch is known" in result.warnings[0].en


def test_nobody_leaves_the_last_stage_even_with_a_deadline(
    make_rows: Callable[..., Any], blueprint_asking: Callable[..., Blueprint]
) -> None:
    blueprint = blueprint_asking(deadlines_days=(10.0, 20.0, 5.0))
    row = MEASURE.compute(Ask(make_rows([[(4, 0.0)], [(0, 90.0)]]), blueprint)).rows[2]
    assert (row["left"], row["under_way"], row["state"]) == (0, 1, "last_stage")
