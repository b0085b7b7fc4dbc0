"""One slope and its covariance, when the errors of a site go together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.measure.quantiles import t_quantile, t_tail
from parcours.measure.within import Codes, Floats


class Slope(NamedTuple):
    """A slope with its uncertainty; points of the outcome per unit of the regressor.

    ``alone`` is the share of the regressor's variance that the controls do not explain, ``partial_f2`` the partial
    Cohen's f² at the level of the cells' rows, ``degrees`` the degrees of freedom of the t distribution.
    """

    slope: float
    error: float
    degrees: int
    alone: float
    signal: float
    residual: float


def fit_slope(
    outcome: Floats,
    regressor: Floats,
    controls: Floats,
    weights: Floats,
    clusters: Codes,
    absorbed: int,
) -> Slope:
    """Fit the slope of ``outcome`` on ``regressor``, given ``controls``, with a covariance clustered by site.

    Every array must already be free of the group effects (`remove_effects` with the same weights). Rows are
    cells that stand for many answers: the regressors are constant inside a cell, so that a clustered covariance
    needs the cells' means alone, and the cells are the N of its small-sample factor.

    Args:
        outcome: (n,) in points.
        regressor: (n,) in its own unit.
        controls: (n, k), k may be 0; columns that repeat each other are harmless.
        weights: (n,) non-negative.
        clusters: (n,) codes from 0.
        absorbed: degrees of freedom taken by group effects that are not nested in the clusters.

    Returns:
        The slope; its error is NaN with fewer than two clusters, and everything is NaN where the controls
        leave nothing of the regressor (``alone`` below 1e-9).

    Source: Liang & Zeger 1986; the small-sample factor G/(G-1)·(N-1)/(N-K) and t(G-1): Cameron & Miller 2015,
    Journal of Human Resources 50(2), sections II and VI.
    """
    root = np.sqrt(weights)[:, None]
    weighted_controls = root * controls
    x, y = root[:, 0] * regressor, root[:, 0] * outcome
    own = float(x @ x)
    if controls.shape[1]:
        scale = np.sqrt((weighted_controls**2).sum(axis=0))
        weighted_controls = weighted_controls / np.where(scale > 0, scale, 1.0)
        both = np.linalg.lstsq(weighted_controls, np.column_stack([x, y]), rcond=1e-9)[0]
        x, y = x - weighted_controls @ both[:, 0], y - weighted_controls @ both[:, 1]
    left = float(x @ x)
    count = len(np.unique(clusters))
    alone = left / own if own > 0 else 0.0
    if alone < 1e-9:
        return Slope(np.nan, np.nan, count - 1, alone, np.nan, np.nan)
    slope = float(x @ y) / left
    residual = y - slope * x
    scores = np.bincount(clusters, x * residual)
    parameters = controls.shape[1] + 1 + absorbed
    rows = len(outcome)
    if count < 2 or rows <= parameters:
        return Slope(slope, np.nan, count - 1, alone, slope**2 * left, float(residual @ residual))
    factor = count / (count - 1) * (rows - 1) / (rows - parameters)
    error = float(np.sqrt(factor * (scores**2).sum())) / left
    return Slope(slope, error, count - 1, alone, slope**2 * left, float(residual @ residual))


def bound_slope(slope: Slope, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return (low, high, p) of a slope under t with ``slope.degrees`` degrees of freedom."""
    half = float(t_quantile(0.5 + confidence / 2, slope.degrees)) * slope.error
    p = 2 * t_tail(abs(slope.slope) / slope.error, slope.degrees)
    return slope.slope - half, slope.slope + half, p


def find_robustness(partial_f2: float) -> float:
    """Return the robustness value (0–1) of a slope from its partial Cohen's f².

    A hidden cause that explains less than this share of what is left of both the operation and the score cannot
    bring the slope to 0.

    Source: Cinelli & Hazlett 2020, Journal of the Royal Statistical Society B 82(1), equation 17 with q = 1.
    """
    return float(0.5 * (np.sqrt(partial_f2**2 + 4 * partial_f2) - partial_f2))
