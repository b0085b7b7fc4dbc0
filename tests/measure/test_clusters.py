"""Tests of the clustered slope: equal to statsmodels, and of the robustness value: equal to its published example."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from parcours.measure.clusters import Slope, bound_slope, find_robustness, fit_slope
from parcours.measure.within import code_groups, remove_effects


def make_panel(seed: int) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    site, period = random.integers(0, 12, 400), random.integers(0, 15, 400)
    design = random.normal(size=(400, 3)) + 0.3 * site[:, None]
    outcome = design @ [0.5, -0.2, 0.1] + site - period + random.normal(size=400) + random.normal(size=12)[site]
    return outcome, design, site, period, random.exponential(size=400) + 0.1


@pytest.mark.parametrize("seed", range(3))
def test_slope_and_error_equal_statsmodels_with_two_way_effects_and_weights(seed: int) -> None:
    outcome, design, site, period, weights = make_panel(seed)
    columns = np.column_stack([np.eye(12)[site], np.eye(15)[period][:, 1:], design])
    fitted = sm.WLS(outcome, columns, weights=weights).fit(cov_type="cluster", cov_kwds={"groups": site}, use_t=True)
    left = remove_effects(np.column_stack([outcome, design]), [site, period], weights)
    slope = fit_slope(left[:, 0], left[:, 1], left[:, 2:], weights, site, absorbed=12 + 14)
    low, high, p = bound_slope(slope)
    place = columns.shape[1] - 3
    assert slope.slope == pytest.approx(fitted.params[place], rel=1e-8)
    assert slope.error == pytest.approx(fitted.bse[place], rel=1e-8)
    assert (low, high) == pytest.approx(tuple(fitted.conf_int()[place]), rel=1e-8)
    assert p == pytest.approx(fitted.pvalues[place], rel=1e-7)


def test_cells_of_answers_give_the_coefficient_and_meat_of_the_answers_themselves() -> None:
    random = np.random.default_rng(5)
    cell = random.integers(0, 60, 900)
    site = cell % 10
    operation = random.normal(size=60)
    score = operation[cell] + random.normal(size=900)
    left = remove_effects(np.column_stack([score, operation[cell]]), [site], np.ones(900))
    rows = fit_slope(left[:, 0], left[:, 1], left[:, 2:], np.ones(900), site, absorbed=0)
    count = np.bincount(cell, minlength=60).astype(float)
    means = np.bincount(cell, score, minlength=60) / count
    cells = remove_effects(np.column_stack([means, operation]), [np.arange(60) % 10], count)
    gathered = fit_slope(cells[:, 0], cells[:, 1], cells[:, 2:], count, np.arange(60) % 10, absorbed=0)
    assert gathered.slope == pytest.approx(rows.slope, rel=1e-10)
    assert gathered.error == pytest.approx(rows.error, rel=1e-10)


def test_a_regressor_that_the_controls_repeat_has_no_slope() -> None:
    outcome, design, site, _, weights = make_panel(0)
    slope = fit_slope(outcome, 2 * design[:, 0] - design[:, 1], design[:, :2], weights, site, absorbed=0)
    assert np.isnan(slope.slope)
    assert slope.alone < 1e-9


def test_one_cluster_has_no_error() -> None:
    outcome, design, _, _, weights = make_panel(0)
    slope = fit_slope(outcome, design[:, 0], design[:, :0], weights, np.zeros(400, np.int64), absorbed=0)
    assert np.isfinite(slope.slope)
    assert np.isnan(slope.error)


def test_the_robustness_value_of_the_darfur_study() -> None:
    # Cinelli & Hazlett 2020, table 1: t = 4.18 with 783 degrees of freedom, robustness value 13.9 %.
    assert find_robustness(4.18**2 / 783) == pytest.approx(0.139, abs=0.0005)
    assert find_robustness(0.0) == 0.0


def test_intervals_use_t_with_one_degree_less_than_clusters() -> None:
    low, high, p = bound_slope(Slope(1.0, 0.5, 4, 1.0, 1.0, 1.0))
    assert (low, high) == pytest.approx((1 - 0.5 * 2.7764451, 1 + 0.5 * 2.7764451))
    assert p == pytest.approx(0.1161165, abs=1e-6)
    assert code_groups(np.array(["b", "a", "b"])).tolist() == [1, 0, 1]
