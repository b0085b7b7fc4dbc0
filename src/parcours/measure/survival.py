"""Time to an event when some people are still under way: Kaplan–Meier and Aalen–Johansen on exact times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from parcours.measure.intervals import Floats, Z

Bools = NDArray[np.bool_]


class Curve(NamedTuple):
    """A Kaplan–Meier curve at each time when something happened; arrays of one length.

    ``at_risk`` people were still waiting just before ``time``; ``survival`` holds from ``time`` on, between ``low``
    and ``high`` (95 %).
    """

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    low: Floats
    high: Floats


class Estimate(NamedTuple):
    """One value with its 95 % interval; ``None`` where the data do not reach."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Estimate(None, None, None)


def _tally(times: Floats, happened: Bools) -> tuple[Floats, Floats, Floats]:
    """Return unique event times, how many were at risk just before each, and how many events fell on it."""
    unique, events = np.unique(times[happened], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), unique, side="left")
    return unique.astype(np.float64), at_risk.astype(np.float64), events.astype(np.float64)


def estimate_survival(times: Floats, happened: Bools) -> Curve:
    """Return the Kaplan–Meier curve; someone censored at a time was still at risk then.

    Times are never binned: with ties, the factor of a time is 1 − events/at risk. The interval is Greenwood's on
    the log(−log) scale.

    Args:
        times: (n,) how long each person was followed, ≥ 0.
        happened: (n,) whether the event came then (else: still under way).

    Source: Kaplan & Meier 1958, JASA 53(282); Greenwood 1926; Kalbfleisch & Prentice 2002, section 1.4.
    """
    time, at_risk, events = _tally(times, happened)
    survival: Floats = np.cumprod(1 - events / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(events / (at_risk * (at_risk - events)))
        half = Z * np.sqrt(spread) / np.abs(np.log(survival))
        low, high = survival ** np.exp(half), survival ** np.exp(-half)
    ended = survival <= 0
    return Curve(time, at_risk, events, survival, np.where(ended, 0.0, low), np.where(ended, 0.0, high))


def find_median(curve: Curve) -> Estimate:
    """Return the first time at which at most half are left, and the times where the curve's limits cross one half.

    A limit that is never crossed is ``None``: the data do not bound the median on that side.

    Source: Brookmeyer & Crowley 1982, Biometrics 38(1), with log(−log) limits.
    """

    def cross(values: Floats) -> float | None:
        below = np.flatnonzero(values <= 0.5)
        return float(curve.time[below[0]]) if len(below) else None

    return Estimate(cross(curve.survival), cross(curve.low), cross(curve.high))


def find_incidence_by(curve: Curve, time: float, times: Floats) -> Estimate:
    """Return the probability that the event has come by ``time``, with its interval.

    Nothing is said when nobody of ``times`` (the follow-ups behind the curve) was followed that long and some were
    still waiting. Where nobody, or everybody, had the event by then the open side is the exact binomial's.
    """
    position = int(np.searchsorted(curve.time, time, side="right")) - 1
    left = float(curve.survival[position]) if position >= 0 else 1.0
    followed = int((times >= time).sum())
    if not followed and left > 0:
        return NOTHING
    if position < 0:
        return Estimate(0.0, 0.0, _bound_never(followed))
    if left <= 0:
        return Estimate(1.0, 1 - _bound_never(len(times)), 1.0)
    return Estimate(1 - left, 1 - float(curve.high[position]), 1 - float(curve.low[position]))


def _bound_never(count: int) -> float:
    """Return the upper 97.5 % limit of a share never seen in ``count`` trials (Clopper & Pearson 1934)."""
    return float(1 - 0.025 ** (1 / count))


def estimate_incidence(times: Floats, causes: NDArray[np.int64], cause: int) -> Estimate:
    """Return the probability that ``cause`` comes first, by the last time anything happened (Aalen–Johansen).

    Args:
        times: (n,) how long each person was followed.
        causes: (n,) 0 for still under way, else which event came first (1, 2, …).
        cause: the one asked about.

    Source: Aalen & Johansen 1978, Scandinavian Journal of Statistics 5(3); variance: Marubini & Valsecchi 1995,
    section 10.2; interval on the log(−log) scale.
    """
    time, at_risk, events = _tally(times, causes > 0)
    if not len(time):
        return NOTHING
    mine = np.zeros(len(time))
    np.add.at(mine, np.searchsorted(time, times[causes == cause]), 1)
    before = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)[:-1]])
    reached = np.cumsum(before * mine / at_risk)
    final = float(reached[-1])
    rest = final - reached
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(at_risk > events, rest**2 * events / (at_risk * (at_risk - events)), 0.0)
    variance = float(
        first.sum()
        + (before**2 * mine * (at_risk - mine) / at_risk**3).sum()
        - 2 * (rest * before * mine / at_risk**2).sum()
    )
    if final <= 0:
        return Estimate(0.0, 0.0, _bound_never(len(times)))
    if final >= 1 - 1e-12:
        return Estimate(1.0, 1 - _bound_never(len(times)), 1.0)
    half = Z * np.sqrt(max(variance, 0.0)) / (final * abs(np.log(final)))
    return Estimate(final, float(final ** np.exp(half)), float(final ** np.exp(-half)))
