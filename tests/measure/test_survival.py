"""Kaplan–Meier and Aalen–Johansen against published figures, another library and planted truths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from parcours.measure.survival import (
    NOTHING,
    estimate_incidence,
    estimate_survival,
    find_incidence_by,
    find_median,
)

# Freireich et al. 1963, Blood 21(6): weeks of remission in acute leukaemia.
TREATED = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], float)
RELAPSED = np.arange(21) < 9
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], float)


def test_freireichs_treated_patients() -> None:
    curve = estimate_survival(TREATED, RELAPSED)
    assert curve.time.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    published = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert curve.survival == pytest.approx(published, abs=5e-5)
    assert find_median(curve) == (23, 13, None)


def test_freireichs_placebo_patients() -> None:
    curve = estimate_survival(PLACEBO, np.ones(21, bool))
    assert find_median(curve) == (8, 4, 11)
    assert find_incidence_by(curve, 5, PLACEBO).value == pytest.approx(9 / 21)
    assert find_incidence_by(curve, 0.5, PLACEBO) == (0.0, 0.0, pytest.approx(1 - 0.025 ** (1 / 21)))
    assert find_incidence_by(curve, 30, PLACEBO) == (1.0, pytest.approx(0.025 ** (1 / 21)), 1.0)


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=2, max_size=60))
def test_kaplan_meier_agrees_with_lifelines_on_ties(people: list[tuple[int, bool]]) -> None:
    times = np.array([time for time, _ in people], float)
    happened = np.array([flag for _, flag in people])
    curve = estimate_survival(times, happened)
    other = KaplanMeierFitter().fit(times, happened)
    for time, survival, low, high in zip(curve.time, curve.survival, curve.low, curve.high, strict=True):
        assert survival == pytest.approx(float(other.predict(time)), abs=1e-9)
        if 0 < survival < 1:
            row = other.confidence_interval_.loc[time]
            assert (low, high) == pytest.approx(tuple(row), abs=1e-9)


def test_nobody_followed_that_long_gives_no_probability() -> None:
    times = np.array([1.0, 2.0, 3.0])
    curve = estimate_survival(times, np.array([True, False, False]))
    assert find_incidence_by(curve, 10, times) == NOTHING


def test_no_event_at_all_has_no_median() -> None:
    assert find_median(estimate_survival(np.array([1.0, 2.0]), np.zeros(2, bool))) == NOTHING


def test_planted_median_is_covered_under_heavy_censoring(random: np.random.Generator) -> None:
    truth, runs, n = 10.0, 400, 150
    covered, censored = [], []
    for _ in range(runs):
        wanted = random.exponential(truth / np.log(2), n)
        stopped = random.uniform(0, 22, n)
        happened = wanted <= stopped
        censored.append(1 - happened.mean())
        median = find_median(estimate_survival(np.minimum(wanted, stopped), happened))
        covered.append((median.low or 0.0) <= truth and (median.high is None or truth <= median.high))
    assert np.mean(censored) > 0.5
    assert 0.92 < np.mean(covered) < 0.985


def test_share_within_a_deadline_is_covered(random: np.random.Generator) -> None:
    truth = 1 - np.exp(-0.5)
    covered = []
    for _ in range(400):
        wanted, stopped = random.exponential(10, 150), random.uniform(0, 15, 150)
        times = np.minimum(wanted, stopped)
        found = find_incidence_by(estimate_survival(times, wanted <= stopped), 5.0, times)
        covered.append(found.low is not None and found.high is not None and found.low <= truth <= found.high)
    assert 0.92 < np.mean(covered) < 0.985


def test_incidence_agrees_with_lifelines_without_ties(random: np.random.Generator) -> None:
    times, causes = random.exponential(10, 300), random.integers(0, 3, 300)
    found = estimate_incidence(times, causes, 1)
    other = AalenJohansenFitter(calculate_variance=True).fit(times, causes, 1)
    assert found.value == pytest.approx(float(other.cumulative_density_.iloc[-1, 0]))


def test_incidences_of_all_causes_and_survival_add_up(random: np.random.Generator) -> None:
    times, causes = random.integers(1, 9, 200).astype(float), random.integers(0, 3, 200)
    survival = estimate_survival(times, causes > 0).survival[-1]
    shares = [estimate_incidence(times, causes, cause).value or 0.0 for cause in (1, 2)]
    assert sum(shares) + survival == pytest.approx(1)


def test_incidence_covers_a_planted_share(random: np.random.Generator) -> None:
    # Two exponential causes with rates .06 and .04, everybody stopped at 12 or before.
    truth = 0.04 / 0.1 * (1 - np.exp(-0.1 * 12))
    covered = []
    for _ in range(400):
        first, second = random.exponential(1 / 0.06, 200), random.exponential(1 / 0.04, 200)
        stopped = np.minimum(random.uniform(2, 30, 200), 12)
        times = np.minimum(np.minimum(first, second), stopped)
        causes = np.where(times == stopped, 0, np.where(first < second, 1, 2))
        found = estimate_incidence(times, causes, 2)
        covered.append(found.low is not None and found.high is not None and found.low <= truth <= found.high)
    assert 0.915 < np.mean(covered) < 0.985


@pytest.mark.parametrize(("cause", "expected"), [(1, 1.0), (2, 0.0)])
def test_an_incidence_of_all_or_none_is_still_bounded(cause: int, expected: float) -> None:
    found = estimate_incidence(np.arange(1.0, 21.0), np.ones(20, np.int64), cause)
    assert found.value == expected
    assert found.low is not None
    assert found.high is not None
    assert (found.high - found.low) == pytest.approx(1 - 0.025 ** (1 / 20))


def test_nothing_happened_says_nothing() -> None:
    assert estimate_incidence(np.array([1.0, 2.0]), np.zeros(2, np.int64), 1) == NOTHING
