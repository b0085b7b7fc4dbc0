"""Tests of removing group effects: what is left is what least squares on dummies leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.measure.within import add_up, code_groups, measure_spread, remove_effects


def leave_by_dummies(values: np.ndarray, effects: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """The plain twin: weighted least squares on one column a group."""
    design = np.column_stack([np.eye(int(codes.max()) + 1)[codes] for codes in effects])
    root = np.sqrt(weights)[:, None]
    values = values[:, None] if values.ndim == 1 else values
    return values - design @ np.linalg.lstsq(root * design, root * values, rcond=None)[0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), sites=st.integers(1, 7), periods=st.integers(1, 9))
def test_it_equals_least_squares_on_dummies_when_rows_are_unbalanced(seed: int, sites: int, periods: int) -> None:
    random = np.random.default_rng(seed)
    rows = sites * periods + 5
    effects = [code_groups(random.integers(0, size, rows)) for size in (sites, periods)]
    weights = random.exponential(size=rows) + 0.05
    values = random.normal(size=(rows, 2)) * 100 + effects[0][:, None]
    left = remove_effects(values, effects, weights)
    np.testing.assert_allclose(left, leave_by_dummies(values, effects, weights), atol=1e-6)


def test_one_pass_is_not_enough_on_unbalanced_rows() -> None:
    random = np.random.default_rng(1)
    site, period = random.integers(0, 4, 60), random.integers(0, 9, 60) ** 2 // 10
    values = random.normal(size=60) + site + 2.0 * period
    effects, weights = [code_groups(site), code_groups(period)], np.ones(60)
    once = values.copy()
    for codes in effects:
        once -= (add_up(codes, once) / add_up(codes, np.ones(60)))[codes]
    assert np.abs(once - leave_by_dummies(values, effects, weights)[:, 0]).max() > 0.01
    np.testing.assert_allclose(
        remove_effects(values, effects, weights), leave_by_dummies(values, effects, weights)[:, 0], atol=1e-8
    )


def test_pure_group_effects_leave_nothing() -> None:
    site, period = (axis.ravel() for axis in np.indices((5, 7)))
    left, sd = measure_spread(site * 3.0 - period, [site, period], np.ones(35))
    assert np.abs(left).max() < 1e-9
    assert sd == pytest.approx(0.0, abs=1e-9)


def test_the_spread_weighs_rows() -> None:
    groups = np.zeros(3, np.int64)
    _, sd = measure_spread(np.array([0.0, 1.0, 3.0]), [groups], np.array([1.0, 1.0, 2.0]))
    assert sd == pytest.approx(np.sqrt(27 / 16))


def test_without_effects_or_rows_values_stay() -> None:
    values = np.array([1.0, 5.0])
    np.testing.assert_array_equal(remove_effects(values, [], np.ones(2)), values)
    assert remove_effects(np.zeros(0), [np.zeros(0, np.int64)], np.zeros(0)).shape == (0,)


def test_groups_tied_in_one_long_chain_are_solved_when_passes_do_not_settle() -> None:
    links = 150
    effects = [np.repeat(np.arange(links), 2), (np.arange(2 * links) + 1) // 2]
    values = np.random.default_rng(3).normal(size=2 * links).cumsum()
    weights = np.linspace(0.5, 2.0, 2 * links)
    left = remove_effects(values, effects, weights)
    np.testing.assert_allclose(left, leave_by_dummies(values, effects, weights)[:, 0], atol=1e-6)
