"""What answers say in each cell: CSAT, NPS and CES with intervals that count a customer's answers together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.blueprint.records import Experience, Metric
from parcours.measure.intervals import (
    Bounds,
    ClusterSums,
    Codes,
    Floats,
    Z,
    add_by_customer,
    bound_mean,
    bound_net_score,
    bound_share,
    count_effective,
)

PROMOTER_FROM, DETRACTOR_TO = 9.0, 6.0
FEWEST = 10
"""With fewer answers, or fewer customers, the interval says nothing worth a number."""


class Scale(NamedTuple):
    """What makes two touchpoints' scores alike: the same metric on the same scale."""

    metric: Metric
    low: float
    high: float

    @property
    def unit(self) -> str:
        """``share`` (0–1) for CSAT, ``points`` (−100–100) for NPS, ``scale`` (its own) for CES."""
        return {"csat": "share", "nps": "points", "ces": "scale"}[self.metric]

    def __str__(self) -> str:
        return f"{self.low:g}–{self.high:g}"


class Answers(NamedTuple):
    """Answers as arrays of one length: which cell, who, the score as given."""

    cells: Codes
    customers: Codes
    scores: Floats


class Scores(NamedTuple):
    """Each cell's score with its interval and counts; ``error`` is the interval's standard error."""

    score: Floats
    low: Floats
    high: Floats
    error: Floats
    number: Floats
    customers: Floats
    effective: Floats
    mean: Floats


def find_satisfied_from(experience: Experience) -> float:
    """Return the lowest score that counts as satisfied: as declared, else the two highest of the scale."""
    return experience.scale[1] - 1 if experience.satisfied_from is None else experience.satisfied_from


def score_cells(answers: Answers, scales: list[Scale], satisfied_from: Floats) -> Scores:
    """Score every cell by the metric of its scale.

    Args:
        answers: all answers; their cells index ``scales``.
        scales: the scale of each cell.
        satisfied_from: (n,) per answer, the lowest score that counts as satisfied (CSAT only).
    """
    size = len(scales)
    metric = np.array([scale.metric for scale in scales], dtype=object)
    of_answer = metric[answers.cells] if size else np.empty(0, object)
    up, down = answers.scores >= PROMOTER_FROM, answers.scores <= DETRACTOR_TO
    values = np.where(of_answer == "ces", answers.scores, np.where(of_answer == "nps", up * 1.0 - down, 0.0))
    values = np.where(of_answer == "csat", answers.scores >= satisfied_from, values)
    sums = add_by_customer(answers.cells, answers.customers, values, size)
    plain = add_by_customer(answers.cells, answers.customers, answers.scores, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [np.bincount(answers.cells, flag, size) / sums.number for flag in (up, down)]
        made = {
            "csat": _score_shares(sums),
            "nps": _score_net(sums, *shares),
            "ces": _score_means(sums, answers, scales),
        }
    picked = [np.select([metric == name for name in made], [part[i] for part in made.values()]) for i in range(5)]
    score, low, high, error, effective = picked
    return Scores(score, low, high, error, sums.number, sums.customers, effective, plain.mean)


def _score_shares(sums: ClusterSums) -> tuple[Floats, ...]:
    share = np.nan_to_num(sums.mean)
    effective = count_effective(sums, share * (1 - share))
    low, high = bound_share(share, effective)
    return share, low, high, (high - low) / (2 * Z), effective


def _score_net(sums: ClusterSums, up: Floats, down: Floats) -> tuple[Floats, ...]:
    up, down = np.nan_to_num(up), np.nan_to_num(down)
    effective = count_effective(sums, up + down - (up - down) ** 2)
    low, high = bound_net_score(up * effective, down * effective, effective)
    return 100 * (up - down), low, high, (high - low) / (2 * Z), effective


def _score_means(sums: ClusterSums, answers: Answers, scales: list[Scale]) -> tuple[Floats, ...]:
    mean = np.nan_to_num(sums.mean)
    spread = np.bincount(answers.cells, (answers.scores - mean[answers.cells]) ** 2, len(scales)) / sums.number
    effective = count_effective(sums, np.nan_to_num(spread))
    error = np.sqrt(sums.customers / (sums.customers - 1) * sums.squares) / sums.number
    bottom, top = np.array([scale.low for scale in scales]), np.array([scale.high for scale in scales])
    low, high = bound_mean(mean, error, sums.customers - 1)
    alike = _bound_alike(mean, sums.customers, bottom, top)
    low, high = (np.where(sums.squares > 1e-12, t, same) for t, same in zip((low, high), alike, strict=True))
    error = np.where(sums.squares > 1e-12, error, (high - low) / (2 * Z))
    return mean, np.clip(low, bottom, top), np.clip(high, bottom, top), error, effective


def _bound_alike(mean: Floats, customers: Floats, bottom: Floats, top: Floats) -> Bounds:
    """Bound a mean whose answers are all alike: as many unseen others as the exact binomial allows, at either end."""
    unseen = 1 - 0.025 ** (1 / np.maximum(customers, 1))
    return Bounds(mean - unseen * (mean - bottom), mean + unseen * (top - mean))


def count_scores(answers: Answers) -> dict[int, dict[str, int]]:
    """Return, for each cell with answers, how many gave each score (lowest first)."""
    unique, codes = np.unique(answers.scores, return_inverse=True)
    width = max(len(unique), 1)
    pairs, counts = np.unique(answers.cells * width + codes, return_counts=True)
    found: dict[int, dict[str, int]] = {}
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        found.setdefault(pair // width, {})[f"{unique[pair % width]:g}"] = count
    return found
