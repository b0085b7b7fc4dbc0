"""Clustered shares and medians: exact sums, and coverage where customers repeat themselves."""

from __future__ import annotations

import numpy as np
import pytest

from parcours.measure.passages import BUNDLES, GAP, bound_ratio, find_median_gaps, share_out


def test_shares_sum_to_one_at_each_place() -> None:
    found = share_out(np.array([0, 1, 1, 2]), np.array([5, 5, 5, 9]), np.array([1, 1, 2, 1]), np.array([3, 1, 4, 2]))
    assert found.place.tolist() == [5, 5, 9]
    assert found.target.tolist() == [1, 2, 1]
    assert found.number.tolist() == [4, 4, 2]
    assert found.share.tolist() == [0.5, 0.5, 1.0]
    assert found.outgoing.tolist() == [8, 8, 2]


def test_nothing_shared_out_is_nothing() -> None:
    nothing = np.empty(0, np.int64)
    assert len(share_out(nothing, nothing, nothing, nothing).share) == 0


def test_the_variance_is_that_of_the_customers_sums() -> None:
    sums = np.array([[3, 5], [1, 4], [0, 6], [7, 8]])
    bundle = np.repeat(np.arange(4), 2)
    passages = np.stack([sums[:, 0], sums[:, 1] - sums[:, 0]], axis=1).ravel()
    found = share_out(bundle, np.zeros(8, np.int64), np.tile([0, 1], 4), passages)
    share = sums[:, 0].sum() / sums[:, 1].sum()
    squares = ((sums[:, 0] - share * sums[:, 1]) ** 2).sum()
    expected = bound_ratio(np.array([share]), np.array([23.0]), np.array([squares]), np.array([4]))
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low[0], expected.high[0]))


def test_clustered_shares_cover_when_customers_repeat_themselves(random: np.random.Generator) -> None:
    covered, plain = [], []
    for _ in range(300):
        rate = random.beta(0.8, 1.2, 400)
        number = random.poisson(8, 400) + 1
        hits = random.binomial(number, rate)
        bundle = np.tile(np.arange(400) % BUNDLES, 2)
        targets = np.repeat([0, 1], 400)
        found = share_out(bundle, bundle * 0, targets, np.concatenate([hits, number - hits]))
        covered.append(found.low[0] <= 0.4 <= found.high[0])
        half = 1.96 * np.sqrt(found.share[0] * (1 - found.share[0]) / number.sum())
        plain.append(abs(found.share[0] - 0.4) <= half)
    assert 0.92 < np.mean(covered) < 0.98
    assert np.mean(plain) < 0.75


def test_medians_are_exact_and_in_their_bounds(random: np.random.Generator) -> None:
    pair = random.integers(0, 4, 2000)
    gap = random.integers(0, 10_000, 2000)
    found = find_median_gaps({"packed": pair * GAP + gap, "bundle": random.integers(0, 64, 2000)})
    for place, code in enumerate(found.pair.tolist()):
        mine = np.sort(gap[pair == code])
        assert found.median[place] == mine[(len(mine) - 1) // 2]
        assert found.low[place] <= found.median[place] <= found.high[place]


def test_median_gaps_cover_when_customers_have_their_own_pace(random: np.random.Generator) -> None:
    covered = []
    truth = 1000.0
    for _ in range(300):
        pace = np.exp(random.normal(0, 0.7, 150))
        customer = np.repeat(np.arange(150), 6)
        gap = truth * pace[customer] * np.exp(random.normal(0, 0.5, 900))
        found = find_median_gaps({"packed": gap.astype(np.int64), "bundle": customer})
        covered.append(found.low[0] <= truth <= found.high[0])
    assert 0.92 < np.mean(covered) < 0.985


def test_no_gaps_have_no_medians() -> None:
    nothing = np.empty(0, np.int64)
    assert len(find_median_gaps({"packed": nothing, "bundle": nothing}).pair) == 0


def test_a_share_of_one_from_few_customers_stays_unsure() -> None:
    found = share_out(np.arange(4), np.zeros(4, np.int64), np.zeros(4, np.int64), np.full(4, 500))
    assert (found.share[0], found.high[0]) == (1.0, 1.0)
    assert found.low[0] < 0.6
