"""What is left of a number once the effects of its groups (site, period) are removed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_ROUNDS = 1_000


def remove_effects(values: Floats, effects: Sequence[Codes], weights: Floats, still: float = 1e-11) -> Floats:
    """Return ``values`` without the weighted effects of each grouping, by alternating projections until still.

    One pass is exact only when every group meets every other equally often; on unbalanced rows it leaves a part of
    the effects behind, so the passes go on until the largest change is below ``still`` times the spread.
    Groups that are barely tied to each other never get there: their effects are then solved for.

    Args:
        values: (n,) or (n, k) numbers in any unit, without NaN.
        effects: at most two groupings to remove, each (n,) codes from 0; none leaves the values as they are.
        weights: (n,) non-negative weights.
        still: largest change of a pass, relative to each column's spread, at which the passes stop.

    Returns:
        An array shaped like ``values``, in its unit.

    Source: Guimarães & Portugal 2010, Stata Journal 10(4); Gaure 2013, Computational Statistics & Data Analysis 66.
    """
    left = np.array(values, dtype=np.float64, ndmin=2).T if values.ndim == 1 else np.array(values, dtype=np.float64)
    if not effects or not len(left):
        return left.reshape(values.shape)
    totals = [np.bincount(codes, weights) for codes in effects]
    shares = [np.divide(1.0, total, out=np.zeros_like(total), where=total > 0) for total in totals]
    spread = np.maximum(np.abs(left - left.mean(axis=0)).max(axis=0), np.finfo(float).tiny)
    for _ in range(_ROUNDS):
        largest = 0.0
        for codes, share in zip(effects, shares, strict=True):
            for column in range(left.shape[1]):
                means = np.bincount(codes, weights * left[:, column], minlength=len(share)) * share
                left[:, column] -= means[codes]
                largest = max(largest, float(np.abs(means).max() / spread[column]))
        if largest < still or len(effects) == 1:
            return left.reshape(values.shape)
    return _solve_effects(np.array(values, dtype=np.float64).reshape(left.shape), effects, weights).reshape(
        values.shape
    )


def _solve_effects(values: Floats, effects: Sequence[Codes], weights: Floats) -> Floats:
    """Return what is left of ``values`` (n, k) when both groupings' effects are solved for, the larger eliminated."""
    small, large = sorted(effects, key=lambda codes: int(codes.max()))
    narrow, wide = int(small.max()) + 1, int(large.max()) + 1
    crossed = add_up(large * narrow + small, weights, wide * narrow).reshape(wide, narrow)
    held = np.maximum(add_up(large, weights), np.finfo(float).tiny)
    schur = np.diag(add_up(small, weights)) - crossed.T @ (crossed / held[:, None])
    left = values.copy()
    for place in range(left.shape[1]):
        heavy = weights * values[:, place]
        at_small, at_large = add_up(small, heavy), add_up(large, heavy)
        shifts = np.linalg.lstsq(schur, at_small - crossed.T @ (at_large / held), rcond=None)[0]
        left[:, place] -= shifts[small] + ((at_large - crossed @ shifts) / held)[large]
    return left


def measure_spread(values: Floats, effects: Sequence[Codes], weights: Floats) -> tuple[Floats, float]:
    """Return what is left of ``values`` (n,) without the effects, and its weighted standard deviation, same unit."""
    left = remove_effects(values, effects, weights)
    total = float(weights.sum())
    return left, float(np.sqrt((weights * left**2).sum() / total)) if total > 0 else 0.0


def code_groups(labels: npt.NDArray[np.generic]) -> Codes:
    """Return dense codes from 0, in sorted order, of ``labels`` (n,)."""
    codes: Codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return codes


def add_up(codes: Codes, values: Floats, size: int = 0) -> Floats:
    """Return the sum of ``values`` (n,) under each of the ``codes`` (n,), at least ``size`` sums long."""
    return np.bincount(codes, values, minlength=size).astype(np.float64)
