"""The total effect of each operation on one touchpoint's mean score, from its cells alone (no data access)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from parcours.measure.adjustment import Arrows, choose_controls, find_reaching
from parcours.measure.cells import Cells
from parcours.measure.clusters import Slope, bound_slope, find_robustness, fit_slope
from parcours.measure.jackknife import MOST_CLUSTERS, find_jackknife_error
from parcours.measure.response import Weights, weigh_answers
from parcours.measure.within import Floats, measure_spread, remove_effects

FEWEST_ANSWERS = 50
FEWEST_CLUSTERS = 5
FEWEST_DEGREES = 10


class Effect(NamedTuple):
    """One operation's total effect on a touchpoint's mean score, or why there is none.

    ``effect``, ``low``, ``high`` are points per within-SD; ``slope`` points per natural unit; ``sd`` the within-SD in
    the natural unit. ``gap`` is empty, or one of: ``unseen`` (no cell with both), ``still`` (no variation left),
    ``together`` (nothing left given ``partners``), ``answers`` and ``clusters`` (too few; ``missing`` says how many
    more). Figures are NaN where there is a gap.
    """

    operation: str
    controls: tuple[str, ...]
    effect: float = np.nan
    low: float = np.nan
    high: float = np.nan
    error: float = np.nan
    p: float = np.nan
    slope: float = np.nan
    sd: float = np.nan
    robustness: float = np.nan
    answers: int = 0
    clusters: int = 0
    gap: str = ""
    missing: int = 0
    partners: tuple[str, ...] = ()


class Estimate(NamedTuple):
    """All the effects on one touchpoint, and how its answers were weighed."""

    effects: tuple[Effect, ...]
    weights: Weights


def estimate(cells: Cells, operations: Sequence[str], parents: Arrows, supporters: Sequence[str]) -> Estimate:
    """Estimate the total effect of every operation that reaches a touchpoint.

    The score is regressed on the operation and its adjustment set, with group effects (site and period) removed by
    alternating projections, answers weighted by 1 / P(answer), errors by leaving clusters out (by the clustered
    sandwich above `MOST_CLUSTERS`), t(G-1) intervals at 95 %.

    Args:
        cells: the cells of the touchpoint; ``cells.operations`` has one column for each of ``operations``.
        operations: the ids of the columns, any order; others of ``parents`` count as unknown everywhere.
        parents: the parents of every operation, from the blueprint; no cycle.
        supporters: the operations with an arrow straight to the touchpoint.

    Returns:
        One `Effect` for each operation that reaches the touchpoint, in the order of ``parents``.
    """
    reaching = find_reaching(parents, supporters)
    column = {operation: place for place, operation in enumerate(operations)}
    known = [column[operation] for operation in reaching if operation in column]
    weights = weigh_answers(cells.visits, cells.answers, cells.operations[:, known], cells.effects)
    found = []
    for operation in reaching:
        controls = tuple(other for other in choose_controls(operation, parents, supporters) if other in column)
        if operation in column:
            places = [column[operation], *(column[other] for other in controls)]
            found.append(_estimate_one(cells, operation, controls, places, weights))
        else:
            found.append(Effect(operation, controls, gap="unseen"))
    return Estimate(tuple(found), weights)


def _estimate_one(
    cells: Cells, operation: str, controls: tuple[str, ...], places: list[int], weights: Weights
) -> Effect:
    whole = np.isfinite(cells.operations[:, places]).all(axis=1)
    answered = whole & (cells.answers > 0)
    seen = cells.keep(np.isfinite(cells.operations[:, places[0]]))
    used = cells.keep(answered)
    count, groups = int(used.answers.sum()), len(np.unique(used.clusters))
    blank = Effect(operation, controls, answers=count, clusters=groups)
    if not seen.visits.sum() or not count:
        return blank._replace(gap="unseen")
    values = seen.operations[:, places[0]]
    sd = measure_spread(values, seen.effects, seen.visits)[1]
    if sd <= 1e-9 * max(1e-300, float(np.abs(values).max())):
        return blank._replace(gap="still")
    blank = blank._replace(sd=sd)
    absorbed = sum(int(codes.max()) for codes in used.effects if codes is not used.effects[0]) + 1
    degrees = len(used.answers) - absorbed - int(used.effects[0].max()) - len(places)
    if count < FEWEST_ANSWERS or degrees < FEWEST_DEGREES:
        return blank._replace(gap="answers", missing=max(FEWEST_ANSWERS - count, FEWEST_DEGREES - degrees))
    if groups < FEWEST_CLUSTERS:
        return blank._replace(gap="clusters", missing=FEWEST_CLUSTERS - groups)
    heavy = used.answers * weights.each[answered]
    left = remove_effects(
        np.column_stack([used.score_sum / used.answers, used.operations[:, places]]), used.effects, heavy
    )
    fitted = fit_slope(left[:, 0], left[:, 1], left[:, 2:], heavy, used.clusters, absorbed)
    if not np.isfinite(fitted.error) or fitted.error <= 0:
        return blank._replace(gap="together", partners=_find_partners(left[:, 1:], heavy, controls))
    if groups <= MOST_CLUSTERS:
        error = find_jackknife_error(
            used.score_sum / used.answers, used.operations[:, places], used.effects, heavy, used.clusters
        )
        fitted = fitted._replace(error=error)
    return _fill(blank, fitted, sd, used, weights.each[answered])


def _fill(blank: Effect, fitted: Slope, sd: float, used: Cells, each: Floats) -> Effect:
    low, high, p = bound_slope(fitted)
    inside = float((each * (used.score_squares - used.score_sum**2 / used.answers)).sum())
    return blank._replace(
        effect=fitted.slope * sd,
        low=low * sd,
        high=high * sd,
        error=fitted.error * sd,
        p=p,
        slope=fitted.slope,
        robustness=find_robustness(fitted.signal / (fitted.residual + max(inside, 0.0))),
    )


def _find_partners(left: Floats, weights: Floats, controls: tuple[str, ...]) -> tuple[str, ...]:
    """Return the controls that, together, repeat the operation: those with a share in its exact combination."""
    if not controls:
        return ()
    root = np.sqrt(weights)[:, None]
    scaled = root * left
    size = np.sqrt((scaled**2).sum(axis=0))
    scaled = scaled / np.where(size > 0, size, 1.0)
    shares = np.linalg.lstsq(scaled[:, 1:], scaled[:, 0], rcond=1e-9)[0]
    return tuple(control for control, share in zip(controls, shares, strict=True) if abs(share) > 1e-3)
