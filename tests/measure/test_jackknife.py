"""Tests of the jackknife: equal to refitting without each cluster, and wide enough where cells are few."""

from __future__ import annotations

import numpy as np
import pytest

from parcours.measure.jackknife import find_jackknife_error


def make_panel(seed: int, rows: int = 300) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    site, period = random.integers(0, 9, rows), random.integers(0, 12, rows)
    site[:9], period[:12] = np.arange(9), np.arange(12)
    design = random.normal(size=(rows, 3)) + 0.3 * site[:, None]
    outcome = design @ [0.5, -0.2, 0.1] + site - period + random.normal(size=rows) + random.normal(size=9)[site]
    return outcome, design, site, period, random.exponential(size=rows) + 0.1


def refit(outcome: np.ndarray, columns: np.ndarray, weights: np.ndarray, place: int) -> float:
    root = np.sqrt(weights)
    return float(np.linalg.lstsq(root[:, None] * columns, root * outcome, rcond=None)[0][place])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("nested", [True, False])
def test_it_equals_refitting_without_each_cluster(seed: int, nested: bool) -> None:
    outcome, design, site, period, weights = make_panel(seed)
    effects = [site, period] if nested else [period]
    dummies = [np.eye(int(codes.max()) + 1)[codes][:, int(place > 0) :] for place, codes in enumerate(effects)]
    columns = np.column_stack([*dummies, design])
    place = columns.shape[1] - 3
    slope = refit(outcome, columns, weights, place)
    left = [refit(outcome[site != g], columns[site != g], weights[site != g], place) for g in range(9)]
    expected = np.sqrt(8 / 9 * ((np.array(left) - slope) ** 2).sum())
    assert find_jackknife_error(outcome, design, effects, weights, site) == pytest.approx(expected, rel=1e-6)


def test_units_change_the_error_as_they_change_the_slope() -> None:
    outcome, design, site, period, weights = make_panel(4)
    error = find_jackknife_error(outcome, design, [site, period], weights, site)
    scaled = design * [60.0, 1.0, 0.01]
    assert find_jackknife_error(10 * outcome, scaled, [site, period], weights, site) == pytest.approx(error / 6)


def test_one_cluster_says_nothing() -> None:
    outcome, design, _, period, weights = make_panel(0)
    assert np.isnan(find_jackknife_error(outcome, design, [period], weights, np.zeros(300, np.int64)))
