"""Tests of answer weights: the chances of a known model come back, and the weights repair a mean that silence bends."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from parcours.measure.response import expand_operations, fit_response, weigh_answers

SITES, PERIODS = 12, 20
EFFECTS = tuple(axis.ravel() for axis in np.indices((SITES, PERIODS)))


def make_cells(seed: int, slope: float = 0.7) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    operation = random.normal(size=SITES * PERIODS)
    chance = 1 / (1 + np.exp(1.2 - slope * operation - random.normal(0, 0.4, SITES)[EFFECTS[0]]))
    visits = random.poisson(60, SITES * PERIODS).astype(float)
    return visits, random.binomial(visits.astype(int), chance).astype(float), operation[:, None], chance


def test_it_equals_the_ridge_solution_found_without_blocks() -> None:
    visits, answers, operations, _ = make_cells(1)
    design = expand_operations(operations, visits)
    found = fit_response(visits, answers, design, EFFECTS)
    wide = np.column_stack([np.ones(len(visits)), design, np.eye(PERIODS)[EFFECTS[1]], np.eye(SITES)[EFFECTS[0]]])
    ridge = np.full(wide.shape[1], 0.5)
    ridge[0] = 0
    place = np.zeros(wide.shape[1])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-wide @ place))
        weight = visits * chance * (1 - chance)
        place += np.linalg.solve(
            wide.T @ (weight[:, None] * wide) + np.diag(ridge), wide.T @ (answers - visits * chance) - ridge * place
        )
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-wide @ place)), rtol=1e-6)


def test_with_many_visits_it_nears_the_unpenalised_binomial_regression() -> None:
    visits, answers, operations, _ = make_cells(2)
    visits, answers = 200 * visits, 200 * answers
    design = expand_operations(operations, visits)
    wide = np.column_stack(
        [np.ones(len(visits)), design, np.eye(PERIODS)[EFFECTS[1]][:, 1:], np.eye(SITES)[EFFECTS[0]][:, 1:]]
    )
    fitted = sm.GLM(np.column_stack([answers, visits - answers]), wide, family=sm.families.Binomial()).fit()
    np.testing.assert_allclose(fit_response(visits, answers, design, EFFECTS), fitted.fittedvalues, rtol=2e-3)


def test_weights_repair_what_silence_bends() -> None:
    visits, answers, operations, chance = make_cells(3, slope=1.2)
    score = 5 + 2 * operations[:, 0]
    truth = np.average(score, weights=visits)
    weights = weigh_answers(visits, answers, operations, EFFECTS)
    assert abs(np.average(score, weights=answers) - truth) > 0.5
    assert abs(np.average(score, weights=answers * weights.each) - truth) < 0.05
    assert weights.known
    assert weights.rate == pytest.approx(answers.sum() / visits.sum())
    assert (answers * weights.each).sum() == pytest.approx(answers.sum())
    assert 0 < weights.effective < answers.sum()
    assert np.corrcoef(np.log(weights.each), np.log(chance))[0, 1] < -0.9


def test_no_silent_visit_means_no_weights() -> None:
    visits = np.array([3.0, 2.0])
    weights = weigh_answers(visits, visits + 1, np.zeros((2, 1)), (np.zeros(2, np.int64),))
    assert not weights.known
    np.testing.assert_array_equal(weights.each, [1, 1])
    assert weights.effective == 7
    assert weigh_answers(visits, np.zeros(2), np.zeros((2, 1)), ()).known is False


def test_no_answer_weighs_more_than_ten_average_visits() -> None:
    visits = np.full(40, 500.0)
    answers = np.r_[np.full(39, 200.0), 1.0]
    marked = np.r_[np.zeros(39), 1.0][:, None]
    weights = weigh_answers(visits, answers, marked, (np.zeros(40, np.int64),))
    assert weights.clipped == pytest.approx(1 / answers.sum())
    assert 8 < weights.each[-1] < 11


def test_unknown_operations_are_marked_not_dropped() -> None:
    operations = np.array([[1.0, 4.0], [np.nan, 4.0], [3.0, 4.0]])
    design = expand_operations(operations, np.ones(3))
    assert design.shape == (3, 3)
    assert design[:, 2].tolist() == [0, 1, 0]
    assert np.isfinite(design).all()
    assert expand_operations(np.full((3, 1), np.nan), np.ones(3)).shape == (3, 0)
