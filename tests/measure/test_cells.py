"""Tests of cells: visits gather without loss, and periods follow the calendar."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.measure.cells import gather_cells, group_periods, number_periods

EPOCH = date(1970, 1, 1)


def test_visits_gather_without_loss() -> None:
    site, period = np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 3, 3])
    score = np.array([4.0, np.nan, 2.0, 5.0, 3.0])
    operation = np.arange(12.0).reshape(3, 4)
    cells = gather_cells(site, period, score, {"delay": operation})
    assert cells.visits.tolist() == [2, 1, 2]
    assert cells.answers.tolist() == [1, 1, 2]
    assert cells.score_sum.tolist() == [4, 2, 8]
    assert cells.score_squares.tolist() == [16, 4, 34]
    assert cells.operations[:, 0].tolist() == [1, 8, 11]
    assert cells.effects[0].tolist() == [0, 1, 1]
    assert cells.effects[1].tolist() == [1, 0, 2]
    assert cells.keep(np.array([False, True, True])).clusters.tolist() == [0, 0]


@given(st.lists(st.integers(-20_000, 40_000), min_size=1, max_size=20))
def test_periods_follow_the_calendar(days: list[int]) -> None:
    dates = [EPOCH + timedelta(days=day) for day in days]
    codes = np.array(days)
    weeks = number_periods(codes, "week")
    mondays = [moment - timedelta(days=moment.weekday()) for moment in dates]
    assert [EPOCH + timedelta(days=int(week) * 7 - 3) for week in weeks] == mondays
    months = number_periods(codes, "month")
    assert months.tolist() == [(moment.year - 1970) * 12 + moment.month - 1 for moment in dates]
    assert number_periods(codes, "day").tolist() == days


def test_without_a_site_each_period_is_compared_within_a_coarser_one() -> None:
    days = np.array([(date(2026, 1, 5) - EPOCH).days + offset for offset in range(21)])
    week, weekday = group_periods(days, "day")
    assert week.tolist() == [0] * 7 + [1] * 7 + [2] * 7
    assert weekday.tolist() == list(range(7)) * 3
    (quarters,) = group_periods(number_periods(np.arange(days[0], days[0] + 364, 7), "week"), "week")
    assert np.bincount(quarters).tolist() == [13, 13, 13, 13]
    (years,) = group_periods(np.arange(24) + 12 * 56, "month")
    assert years.tolist() == [0] * 12 + [1] * 12


def test_a_touch_without_an_operation_matrix_fails_loudly() -> None:
    with pytest.raises(ValueError, match="concatenate"):
        gather_cells(np.array([0]), np.array([0]), np.array([1.0]), {})
