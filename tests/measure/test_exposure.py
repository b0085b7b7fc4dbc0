"""Tests of the interval of a share among people who come in clusters."""

from __future__ import annotations

import numpy as np
import pytest

from parcours.measure.exposure import bound_clustered
from parcours.measure.intervals import bound_share


def test_people_alone_give_wilsons_interval_almost() -> None:
    hit = np.arange(400) % 4 == 0
    low, high = bound_clustered(hit, np.arange(400))
    plain = bound_share(0.25, 400)
    assert low == pytest.approx(float(plain.low), abs=1e-3)
    assert high == pytest.approx(float(plain.high), abs=1e-3)


def test_whole_clusters_exposed_together_widen_it() -> None:
    hit = np.repeat([True, False, False, False], 100)
    low, high = bound_clustered(hit, np.repeat(np.arange(4), 100))
    plain = bound_share(0.25, 400)
    assert high - low > 4 * float(plain.high - plain.low)


def test_intervals_hold_the_share_at_the_stated_rate() -> None:
    random = np.random.default_rng(4)
    held = []
    for _ in range(400):
        chance = random.beta(2, 6, 20)
        cluster = np.repeat(np.arange(20), 50)
        low, high = bound_clustered(random.random(1000) < chance[cluster], cluster)
        held.append(low <= 0.25 <= high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_nobody_and_everybody_keep_sense() -> None:
    assert bound_clustered(np.zeros(0, bool), np.zeros(0, np.int64)) == (0.0, 1.0)
    low, high = bound_clustered(np.zeros(50, bool), np.arange(50))
    assert low == 0.0
    assert 0.0 < high < 0.1
