"""Intervals that several measures share: shares, net scores, means, differences, medians, and clustered counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from parcours.measure.quantiles import binomial_quantile, normal_quantile, t_quantile

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

Z = normal_quantile(0.975)
"""Half-width of a 95 % interval in standard errors."""
POWER_Z = normal_quantile(0.8)
"""What 80 % power adds to `Z`."""


class Bounds(NamedTuple):
    """The two ends of 95 % intervals, arrays of one shape."""

    low: Floats
    high: Floats


class ClusterSums(NamedTuple):
    """What customers' answers add up to in each cell: ``number`` of answers, ``customers``, ``mean``; one entry a cell.

    ``squares`` is the sum over customers of (sum of values − mean × number of answers)².
    """

    number: Floats
    customers: Floats
    mean: Floats
    squares: Floats


def bound_share(share: ArrayLike, count: ArrayLike, z: ArrayLike = Z) -> Bounds:
    """Return Wilson's interval of a share (0–1) seen in ``count`` (≥ 0, real) trials; [0, 1] without trials.

    Source: Wilson 1927, Journal of the American Statistical Association 22(158); recommended for small samples by
    Brown, Cai & DasGupta 2001, Statistical Science 16(2).
    """
    p, n, z = (np.asarray(value, np.float64) for value in (share, count, z))
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low = np.where(n > 0, np.clip(middle - half, 0, 1), 0.0)
    high = np.where(n > 0, np.clip(middle + half, 0, 1), 1.0)
    return Bounds(np.where((n > 0) & (p <= 0), 0.0, low), np.where((n > 0) & (p >= 1), 1.0, high))


def bound_net_score(promoters: ArrayLike, detractors: ArrayLike, count: ArrayLike) -> Bounds:
    """Return the adjusted interval of a net promoter score, in points from −100 to 100.

    Three answers are added (¾ promoter, 1½ passive, ¾ detractor) before the usual standard error: without them the
    interval misses too often with few answers or a good score.

    Args:
        promoters: number of answers 9–10 (real: it may be scaled to an effective count).
        detractors: number of answers 0–6.
        count: number of answers.

    Source: Rocks 2016, Interval estimation for the "Net Promoter Score", The American Statistician 70(4).
    """
    n = np.asarray(count, np.float64) + 3
    up, down = (np.asarray(promoters, np.float64) + 0.75) / n, (np.asarray(detractors, np.float64) + 0.75) / n
    half = Z * np.sqrt((up + down - (up - down) ** 2) / n)
    return Bounds(100 * np.maximum(up - down - half, -1), 100 * np.minimum(up - down + half, 1))


def bound_mean(mean: ArrayLike, error: ArrayLike, degrees: ArrayLike) -> Bounds:
    """Return the t interval of a mean with standard error ``error``; NaN with fewer than one degree of freedom."""
    freedom = np.asarray(degrees, np.float64)
    half = np.where(freedom >= 1, t_quantile(0.975, np.maximum(freedom, 1)), np.nan) * np.asarray(error, np.float64)
    centre = np.asarray(mean, np.float64)
    return Bounds(centre - half, centre + half)


def add_by_customer(cells: Codes, customers: Codes, values: Floats, size: int) -> ClusterSums:
    """Add values within cells, customer by customer, so that one person's answers count as going together.

    Args:
        cells: (n,) cell codes, 0 … ``size`` − 1.
        customers: (n,) non-negative codes.
        values: (n,) what is averaged.
        size: number of cells.
    """
    count = np.bincount(cells, minlength=size).astype(np.float64)
    total = np.bincount(cells, values, minlength=size)
    mean = total / np.where(count > 0, count, np.nan)
    span = int(customers.max()) + 1 if len(customers) else 1
    pairs, inverse = np.unique(cells * span + customers, return_inverse=True)
    cell = pairs // span
    residual = np.bincount(inverse, values - mean[cells], minlength=len(pairs))
    return ClusterSums(
        count,
        np.bincount(cell, minlength=size).astype(np.float64),
        mean,
        np.bincount(cell, residual**2, minlength=size).astype(np.float64),
    )


def count_effective(sums: ClusterSums, variance: Floats) -> Floats:
    """Return how many independent answers the clustered ones are worth: count ÷ design effect.

    ``variance`` is that of one answer. The design effect is never taken below 1; where all answers are alike it
    cannot be seen, and each customer counts once.

    Source: Kish 1965, Survey Sampling; used inside Wilson's interval as in Franco, Little, Louis & Slud 2019,
    Journal of Survey Statistics and Methodology 7(3).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.maximum(sums.squares / (sums.number * variance), 1.0)
    return np.where(variance > 1e-12, sums.number / np.where(variance > 1e-12, effect, 1.0), sums.customers)


def find_detectable(error: ArrayLike) -> Floats:
    """Return the smallest change between two equal waves found with 80 % power at 5 %, two-sided.

    ``error`` is the standard error of one wave: (z₀.₉₇₅ + z₀.₈) · √2 · error.
    """
    return np.asarray((Z + POWER_Z) * np.sqrt(2.0) * np.asarray(error, np.float64), np.float64)


def bound_difference(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float]:
    """Return the interval of ``second − first``, each given as (estimate, low, high), the two being independent.

    Source: method of variance estimates recovery, Zou & Donner 2008, Statistics in Medicine 27(10); for two shares
    with Wilson's limits it is Newcombe's hybrid score interval (1998).
    """
    (a, a_low, a_high), (b, b_low, b_high) = first, second
    return b - a - float(np.hypot(b - b_low, a_high - a)), b - a + float(np.hypot(b_high - b, a - a_low))


class Shrunken(NamedTuple):
    """Estimates pulled towards their common mean, with their intervals and the spread that was found."""

    estimate: Floats
    low: Floats
    high: Floats
    mean: float
    spread: float


FEWEST_TO_SHRINK = 4


def shrink(estimates: Floats, errors: Floats) -> Shrunken | None:
    """Pull estimates towards their mean as far as their own errors ask; ``None`` with fewer than four.

    The between-variance τ² is DerSimonian and Laird's; the weight of the common mean for estimate i is
    B = (k−3)/(k−1) · v/(v+τ²), and the interval also pays for not knowing the mean and τ².

    Args:
        estimates: (k,) estimates on one scale.
        errors: (k,) their standard errors, all above 0.

    Source: DerSimonian & Laird 1986, Controlled Clinical Trials 7(3); Morris 1983, Parametric empirical Bayes
    inference, Journal of the American Statistical Association 78(381), section 5.
    """
    k = len(estimates)
    if k < FEWEST_TO_SHRINK:
        return None
    variance = errors**2
    weight = 1 / variance
    pooled = (weight * estimates).sum() / weight.sum()
    excess = (weight * (estimates - pooled) ** 2).sum() - (k - 1)
    between = max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum()))
    precision = 1 / (variance + between)
    mean = float((precision * estimates).sum() / precision.sum())
    pull = (k - 3) / (k - 1) * variance * precision
    share = precision / precision.sum()
    typical = (precision * variance).sum() / precision.sum()
    squared = (
        variance * (1 - (1 - share) * pull)
        + 2 / (k - 3) * pull**2 * (typical + between) * precision * (estimates - mean) ** 2
    )
    estimate = mean + (1 - pull) * (estimates - mean)
    half = Z * np.sqrt(squared)
    return Shrunken(estimate, estimate - half, estimate + half, mean, float(np.sqrt(between)))


def bound_median(ordered: Floats) -> tuple[float, float, float] | None:
    """Return (median, low, high) of independent sorted values from order statistics; ``None`` when there are none.

    The median is the lower middle value. The interval's ranks come from the binomial and hold at least 95 % for six
    values or more; with fewer, low and high are the smallest and the largest value and hold less.

    Source: David & Nagaraja 2003, Order Statistics, section 7.1.
    """
    n = len(ordered)
    if n == 0:
        return None
    rank = max(binomial_quantile(0.025, n, 0.5), 1)
    return float(ordered[(n - 1) // 2]), float(ordered[rank - 1]), float(ordered[n - rank])
