"""Tests of quantiles: they are those of `scipy.stats`, and nobody loads it to start."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from parcours.measure.quantiles import binomial_quantile, normal_quantile, t_quantile, t_tail

SHARES = (0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999)


@pytest.mark.parametrize("share", SHARES)
def test_they_are_those_of_scipy(share: float) -> None:
    degrees = np.array([0, 0.5, 1, 2, 3.7, 12, 400, 1e7])
    np.testing.assert_allclose(t_quantile(share, degrees), stats.t.ppf(share, degrees), rtol=1e-9, atol=1e-12)
    assert normal_quantile(share) == pytest.approx(stats.norm.ppf(share), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("chance", [0.5, 0.03])
def test_a_binomial_quantile_is_the_fewest_that_hold_the_share(chance: float) -> None:
    for count in (*range(1, 40), 1_000, 99_999):
        for share in (0.001, 0.025, 0.2, 0.8, 0.975):
            told = binomial_quantile(share, count, chance)
            assert told == stats.binom.ppf(share, count, chance)
            assert stats.binom.cdf(told, count, chance) >= share > stats.binom.cdf(told - 1, count, chance)


@pytest.mark.parametrize("value", [-3.0, 0.0, 0.7, 2.1, 40.0])
def test_a_tail_is_that_of_scipy(value: float) -> None:
    for degrees in (1, 2.5, 30, 5_000):
        assert t_tail(value, degrees) == pytest.approx(stats.t.sf(value, degrees), rel=1e-9)


def test_a_company_opens_without_all_of_scipy_stats() -> None:
    code = "import sys, parcours.company, parcours.serving.measurer; print('scipy.stats' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout == "False\n"
