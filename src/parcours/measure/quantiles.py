"""Quantiles of the distributions that intervals rest on, without loading all of `scipy.stats`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrik, ndtri, stdtr, stdtrit

# To import scipy.stats takes longer than most commands run: what it would call is in scipy.special.
Floats = NDArray[np.float64]


def normal_quantile(share: float) -> float:
    """Return the value that ``share`` of a standard normal distribution lies below."""
    return float(ndtri(share))


def t_quantile(share: float, degrees: ArrayLike) -> Floats:
    """Return the value that ``share`` of Student's t with ``degrees`` of freedom lies below; NaN without any degree."""
    quantile: Floats = np.asarray(stdtrit(np.asarray(degrees, np.float64), share), np.float64)
    return quantile


def t_tail(value: float, degrees: float) -> float:
    """Return which share of Student's t with ``degrees`` of freedom lies above ``value``."""
    return float(stdtr(degrees, -value))


def binomial_quantile(share: float, count: int, chance: float) -> int:
    """Return the fewest successes of ``count`` that at least ``share`` of all trials do not pass."""
    reach = float(np.ceil(bdtrik(share, count, chance)))
    below = max(reach - 1, 0.0)
    return int(below if bdtr(below, count, chance) >= share else reach)
