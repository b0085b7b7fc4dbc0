"""Intervals against published figures, and their coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from parcours.measure.intervals import (
    add_by_customer,
    bound_difference,
    bound_mean,
    bound_median,
    bound_net_score,
    bound_share,
    count_effective,
    find_detectable,
    shrink,
)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_newcombes_1998_figures(hits: int, trials: int, low: float, high: float) -> None:
    found = bound_share(hits / trials, trials)
    assert (float(found.low), float(found.high)) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 400), st.integers(1, 400))
def test_wilson_holds_the_share_inside_zero_and_one(hits: int, more: int) -> None:
    share = hits / (hits + more)
    low, high = bound_share(share, hits + more)
    assert 0 <= low <= share <= high <= 1


def test_a_share_without_trials_can_be_anything() -> None:
    assert bound_share(0.0, 0) == (0.0, 1.0)


COVERAGE = [
    # promoters, detractors, answers, Wald's coverage, adjusted coverage, adjusted width in points
    (0.45, 0.25, 20, 0.920, 0.944, 64),
    (0.45, 0.25, 50, 0.941, 0.951, 43),
    (0.45, 0.25, 200, 0.946, 0.948, 22),
    (0.70, 0.10, 20, 0.906, 0.962, 56),
    (0.70, 0.10, 50, 0.935, 0.950, 36),
    (0.85, 0.03, 20, 0.841, 0.959, 45),
    (0.85, 0.03, 50, 0.923, 0.963, 27),
    (0.85, 0.03, 200, 0.941, 0.950, 13),
]


@pytest.mark.parametrize(("up", "down", "n", "wald", "adjusted", "width"), COVERAGE)
def test_adjusted_net_score_covers_where_wald_does_not(
    up: float, down: float, n: int, wald: float, adjusted: float, width: float, random: np.random.Generator
) -> None:
    runs = 20_000
    drawn = random.multinomial(n, [up, 1 - up - down, down], runs)
    truth = 100 * (up - down)
    found = bound_net_score(drawn[:, 0], drawn[:, 2], n)
    p, d = drawn[:, 0] / n, drawn[:, 2] / n
    half = 196 * np.sqrt((p + d - (p - d) ** 2) / n)
    error = 4 * np.sqrt(2 * 0.95 * 0.05 / runs)
    assert np.mean((found.low <= truth) & (truth <= found.high)) == pytest.approx(adjusted, abs=error)
    assert np.mean(np.abs(100 * (p - d) - truth) <= half) == pytest.approx(wald, abs=error)
    inside = (found.low > -100) & (found.high < 100)
    assert np.mean((found.high - found.low)[inside]) == pytest.approx(width, abs=3)


@pytest.mark.parametrize(("share", "n"), [(0.5, 20), (0.8, 20), (0.9, 50), (0.97, 200)])
def test_wilson_covers_on_average_near_95_percent(share: float, n: int, random: np.random.Generator) -> None:
    truth = random.uniform(share - 0.02, share + 0.02, 20_000)
    low, high = bound_share(random.binomial(n, truth) / n, n)
    assert 0.935 < np.mean((low <= truth) & (truth <= high)) < 0.975


@pytest.mark.parametrize(("points", "answers"), [(10, 1037), (5, 4145), (2, 25_902)])
def test_detectable_change_is_the_published_sample_size_turned_round(points: float, answers: int) -> None:
    variance = 0.45 + 0.25 - 0.2**2
    assert find_detectable(100 * np.sqrt(variance / answers)) == pytest.approx(points, rel=1e-3)


def test_mean_has_the_t_interval() -> None:
    values = np.array([3.0, 5.0, 6.0, 2.0, 7.0, 4.0])
    expected = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    found = bound_mean(values.mean(), stats.sem(values), 5)
    assert (float(found.low), float(found.high)) == pytest.approx(expected)


def test_a_mean_of_one_customer_has_no_interval() -> None:
    assert np.isnan(bound_mean(4.0, 1.0, 0).low)


def test_difference_gives_newcombes_figures_for_two_shares() -> None:
    ends = [(h / n, *map(float, bound_share(h / n, n))) for h, n in ((48, 80), (56, 70))]
    assert bound_difference(ends[0], ends[1]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_answers_repeated_by_each_customer_count_once() -> None:
    customers = np.repeat(np.arange(200), 3)
    values = np.repeat((np.arange(200) % 4 == 0) * 1.0, 3)
    sums = add_by_customer(np.zeros(600, np.int64), customers, values, 1)
    assert (sums.number[0], sums.customers[0], sums.mean[0]) == (600, 200, 0.25)
    assert count_effective(sums, np.array([0.25 * 0.75]))[0] == pytest.approx(200)


def test_one_answer_a_customer_keeps_its_full_count() -> None:
    values = (np.arange(50) % 2) * 1.0
    sums = add_by_customer(np.zeros(50, np.int64), np.arange(50), values, 1)
    assert count_effective(sums, np.array([0.25]))[0] == pytest.approx(50)


def test_answers_all_alike_count_customers() -> None:
    sums = add_by_customer(np.zeros(30, np.int64), np.arange(30) // 3, np.ones(30), 1)
    assert count_effective(sums, np.array([0.0]))[0] == 10


def test_clustered_shares_cover_where_plain_ones_do_not(random: np.random.Generator) -> None:
    runs, customers, each = 600, 80, 5
    rates = random.beta(1.0, 1.5, (runs, customers))
    values = (random.random((runs, customers, each)) < rates[:, :, None]) * 1.0
    cells = np.repeat(np.arange(runs), customers * each)
    sums = add_by_customer(cells, np.tile(np.repeat(np.arange(customers), each), runs), values.ravel(), runs)
    low, high = bound_share(sums.mean, count_effective(sums, sums.mean * (1 - sums.mean)))
    plain = bound_share(sums.mean, sums.number)
    covered = np.mean((low <= 0.4) & (high >= 0.4))
    assert 0.925 < covered < 0.975
    assert np.mean((plain.low <= 0.4) & (plain.high >= 0.4)) < 0.85


def test_shrinkage_finds_the_spread_and_covers(random: np.random.Generator) -> None:
    spread, covered = {}, {}
    for truth in (0.0, 0.3, 0.6):
        found = []
        inside = []
        for _ in range(1500):
            n = np.maximum(5, random.lognormal(3.3, 0.9, 12).astype(int))
            theta = 7 + truth * random.normal(size=12)
            error = 2 / np.sqrt(n)
            pulled = shrink(theta + error * random.normal(size=12), error)
            assert pulled is not None
            found.append(pulled.spread)
            inside.append(np.mean((pulled.low <= theta) & (theta <= pulled.high)))
        spread[truth], covered[truth] = np.mean(found), np.mean(inside)
    assert spread == pytest.approx({0.0: 0.09, 0.3: 0.26, 0.6: 0.56}, abs=0.03)
    assert min(covered.values()) > 0.93


def test_shrunken_estimates_are_closer_to_the_truth(random: np.random.Generator) -> None:
    theta = 7 + 0.3 * random.normal(size=(400, 12))
    error = np.full(12, 0.4)
    seen = theta + error * random.normal(size=theta.shape)
    pulled = np.array([one.estimate for row in seen if (one := shrink(row, error))])
    assert np.mean((pulled - theta) ** 2) < 0.7 * np.mean((seen - theta) ** 2)


def test_three_estimates_are_too_few_to_shrink() -> None:
    assert shrink(np.array([1.0, 2.0, 3.0]), np.ones(3)) is None


@pytest.mark.parametrize("n", [10, 25, 60])
def test_median_bounds_hold_at_least_95_percent(n: int, random: np.random.Generator) -> None:
    ends = [bound_median(np.sort(random.exponential(1.0, n))) for _ in range(1500)]
    covered = np.mean([low <= np.log(2) <= high for _, low, high in (end for end in ends if end)])
    assert 0.94 < covered < 0.995


def test_no_values_have_no_median() -> None:
    assert bound_median(np.empty(0)) is None


def test_shrinkage_pays_for_not_knowing_the_spread(random: np.random.Generator) -> None:
    inside = []
    for _ in range(3000):
        theta = random.normal(size=12)
        pulled = shrink(theta + random.normal(size=12), np.ones(12))
        assert pulled is not None
        inside.append(np.mean((pulled.low <= theta) & (theta <= pulled.high)))
    assert np.mean(inside) > 0.937
