"""How sure a slope is when sites are few or answers thin: leave each site out in turn, and see how far it moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parcours.measure.within import Codes, Floats, add_up

MOST_CLUSTERS = 100
"""Beyond this many the jackknife and the sandwich agree, and the jackknife's cost grows with their number."""


def find_jackknife_error(
    outcome: Floats, regressors: Floats, effects: Sequence[Codes], weights: Floats, clusters: Codes
) -> float:
    """Return the standard error of the first regressor's slope by leaving each cluster out (CV3).

    Where cells are few, the sandwich estimator mistakes what the effects of site and period have soaked up for
    precision: on thin panels of the simulated firm its 95 % intervals held the truth 86 % of the time. Leaving a
    whole cluster out, its period effects with it, errs on the wide side instead.

    Args:
        outcome: (n,) points, group effects still in them.
        regressors: (n, 1+k) the regressor, then its controls, in any unit.
        effects: the groupings whose effects are removed, each (n,) codes from 0.
        weights: (n,) positive.
        clusters: (n,) codes from 0.

    Returns:
        The error in points per unit of the regressor; NaN with fewer than two clusters.

    Source: MacKinnon, Nielsen & Webb 2023, Journal of Applied Econometrics 38(5), equation 9 (CV3).
    """
    count = int(clusters.max()) + 1
    if count < 2:
        return float("nan")
    columns = _absorb(np.column_stack([outcome, regressors]), effects, weights, clusters)
    size = np.sqrt((columns**2).sum(axis=0))
    size[size == 0] = 1.0
    columns = columns / size
    whole = columns.T @ columns
    slope = _solve(whole)
    moved = 0.0
    for cluster in range(count):
        rows = columns[clusters == cluster]
        moved += (_solve(whole - rows.T @ rows) - slope) ** 2
    return float(np.sqrt(moved * (count - 1) / count) * size[0] / size[1])


def _absorb(values: Floats, effects: Sequence[Codes], weights: Floats, clusters: Codes) -> Floats:
    """Return weighted columns: ``values``, then a dummy for each group that is not the cluster itself.

    Effects of the clusters themselves are taken out by subtraction, which leaving a cluster out does not disturb.
    """
    nested = [codes for codes in effects if np.array_equal(codes, clusters)]
    others = [codes for codes in effects if not np.array_equal(codes, clusters)]
    parts = [values]
    for codes in others:
        parts.append((codes[:, None] == np.arange(int(codes.max()) + 1)).astype(np.float64))
    columns = np.column_stack(parts)
    if nested:
        total = add_up(clusters, weights)
        means = np.stack([add_up(clusters, weights * column) / total for column in columns.T], axis=1)
        columns = columns - means[clusters]
    return columns * np.sqrt(weights)[:, None]


def _solve(gram: Floats) -> float:
    """Return the slope of the first column on the second, given the others (least squares of least norm)."""
    return float(np.linalg.lstsq(gram[1:, 1:], gram[1:, 0], rcond=1e-11)[0][0])
