"""How likely a visit is to be answered, so that those who answer can speak for those who stay silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from parcours.measure.within import Codes, Floats, add_up

_RIDGE = 0.5
_FLOOR = 0.1
_ROUNDS = 50


class Weights(NamedTuple):
    """What each answer of a cell counts for, and what that costs.

    ``each`` is (cells,) with mean 1 over the answers; ``effective`` is the effective number of answers
    (Kish), ``clipped`` the share of answers whose weight was held at the ceiling, ``rate`` answers over visits.
    ``known`` is false when no silent visit is known: then every answer weighs the same.
    """

    each: Floats
    effective: float
    clipped: float
    rate: float
    known: bool


def weigh_answers(visits: Floats, answers: Floats, operations: Floats, effects: Sequence[Codes]) -> Weights:
    """Weigh each cell's answers by 1 / P(answer | operations, site, period), estimated from every visit.

    The model is a logistic regression on cells (counts of answered among visits) with each operation, its square,
    and the group effects under a light ridge. No answer weighs more than about ten times what an
    average visit would.

    Args:
        visits: (n,) visits of each cell, answered or not.
        answers: (n,) answered visits of each cell.
        operations: (n, k) operations of each cell in any unit; NaN where none is known.
        effects: groupings (site, period), each (n,) codes from 0.

    Returns:
        The weights; all equal when there is no silent visit.

    Source: Horvitz & Thompson 1952; Kish 1965 for the effective sample size.
    """
    total, seen = float(answers.sum()), float(np.maximum(visits, answers).sum())
    if total == 0 or seen <= total:
        return Weights(np.ones_like(answers), total, 0.0, 1.0 if total else 0.0, False)
    trials = np.maximum(visits, answers)
    chance = fit_response(trials, answers, expand_operations(operations, trials), effects)
    rate = total / seen
    floor = _FLOOR * rate
    each = 1.0 / np.maximum(chance, floor)
    clipped = float(answers[chance < floor].sum()) / total
    each *= total / float((answers * each).sum())
    effective = total**2 / float((answers * each**2).sum())
    return Weights(each, effective, clipped, rate, True)


def expand_operations(operations: Floats, visits: Floats) -> Floats:
    """Return standardised operations, their squares, and a mark where one is unknown: (n, at most 3k)."""
    columns = []
    for column in operations.T:
        known = np.isfinite(column)
        weight = visits * known
        if weight.sum() <= 0:
            continue
        filled = np.where(known, column, 0.0)
        centre = np.average(filled, weights=weight)
        spread = float(np.sqrt(np.average((filled - centre) ** 2, weights=weight)))
        if spread <= 1e-12 * max(1.0, abs(centre)):
            continue
        standard = np.where(known, (filled - centre) / spread, 0.0)
        columns += [standard, np.where(known, standard**2 - 1.0, 0.0)]
        if not known.all():
            columns.append(1.0 - known)
    return np.column_stack(columns) if columns else np.zeros((len(visits), 0))


def fit_response(trials: Floats, successes: Floats, design: Floats, effects: Sequence[Codes]) -> Floats:
    """Return P(answer) of each cell: logistic regression by Newton's method, solved by blocks.

    Args:
        trials: (n,) visits.
        successes: (n,) answered visits, at most ``trials``.
        design: (n, k) covariates near unit scale; the intercept is added here and carries no ridge.
        effects: at most two groupings, each (n,) codes from 0.

    Returns:
        (n,) chances, strictly between 0 and 1.

    Raises:
        ArithmeticError: Newton's method does not settle within 50 rounds.
    """
    model = _Response(trials, successes, design, effects)
    place = np.zeros(model.size)
    rate = successes.sum() / trials.sum()
    place[0] = np.log(rate / (1 - rate))
    score = model.score(place)
    for _ in range(_ROUNDS):
        step = model.step(place)
        length = 1.0
        while (new := model.score(place + length * step)) < score - 1e-12 * abs(score) and length > 1e-6:
            length /= 2
        place = place + length * step
        if new - score <= 1e-11 * abs(new):
            return model.chance(place)
        score = new
    raise ArithmeticError("the model of who answers does not settle")


class _Response:
    """The penalised likelihood of who answers; parameters are (intercept, slopes, second grouping, first grouping).

    The first, larger grouping meets itself on a diagonal only, so its block is eliminated and what is solved is as
    large as the slopes and the second grouping.
    """

    def __init__(self, trials: Floats, successes: Floats, design: Floats, effects: Sequence[Codes]) -> None:
        alone = np.zeros(len(trials), np.int64)
        groups = sorted([*effects, alone, alone][: max(2, len(effects))], key=lambda codes: -int(codes.max(initial=0)))
        self.first, self.second = groups
        self.trials, self.successes = trials, successes
        self.design = np.column_stack([np.ones(len(trials)), design])
        self.sizes = (self.design.shape[1], int(self.second.max()) + 1, int(self.first.max()) + 1)
        self.size = sum(self.sizes)
        self.ridge = np.full(self.size, _RIDGE)
        self.ridge[0] = 0.0

    def _linear(self, place: Floats) -> Floats:
        slopes, second, first = np.split(place, np.cumsum(self.sizes)[:2])
        return np.asarray(self.design @ slopes + second[self.second] + first[self.first], dtype=np.float64)

    def chance(self, place: Floats) -> Floats:
        return np.asarray(1.0 / (1.0 + np.exp(-self._linear(place))), dtype=np.float64)

    def score(self, place: Floats) -> float:
        linear = self._linear(place)
        likelihood = self.successes @ linear - self.trials @ np.logaddexp(0.0, linear)
        return float(likelihood - 0.5 * self.ridge @ place**2)

    def step(self, place: Floats) -> Floats:
        slopes, seconds, firsts = self.sizes
        chance = self.chance(place)
        weight, miss = self.trials * chance * (1 - chance), self.successes - self.trials * chance
        weighted = self.design * weight[:, None]
        pull = np.concatenate([
            self.design.T @ miss, add_up(self.second, miss, seconds), add_up(self.first, miss, firsts)
        ]) - self.ridge * place  # fmt: skip
        inner = np.zeros((slopes + seconds, slopes + seconds))
        inner[:slopes, :slopes] = self.design.T @ weighted
        inner[slopes:, :slopes] = _add_columns(self.second, weighted, seconds)
        inner[:slopes, slopes:] = inner[slopes:, :slopes].T
        inner[slopes:, slopes:] = np.diag(add_up(self.second, weight, seconds))
        crossed = add_up(self.first * seconds + self.second, weight, firsts * seconds)
        side = np.column_stack([_add_columns(self.first, weighted, firsts), crossed.reshape(firsts, seconds)])
        corner = add_up(self.first, weight, firsts) + self.ridge[-firsts:]
        scaled = side / corner[:, None]
        schur = inner + np.diag(self.ridge[:-firsts]) - side.T @ scaled
        start = np.linalg.solve(schur, pull[:-firsts] - scaled.T @ pull[-firsts:])
        return np.concatenate([start, (pull[-firsts:] - side @ start) / corner])


def _add_columns(codes: Codes, values: Floats, size: int) -> Floats:
    """Return the sums of each column of ``values`` (n, k) under each code: (size, k)."""
    return np.column_stack([add_up(codes, column, size) for column in values.T])
