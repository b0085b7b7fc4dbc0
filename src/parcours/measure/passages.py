"""Passages from one touch to the next, counted in bundles of customers so that their spread can be seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.engine.sql.step import Step
from parcours.measure.intervals import Bounds, Codes, Floats, bound_share
from parcours.measure.quantiles import t_quantile
from parcours.measure.questions import Columns

BUNDLES = 256
"""Customers are dealt into so many bundles; up to as many customers, each is a bundle of their own."""
START = -1
END = -2
GAP_BITS = 42
GAP = 1 << GAP_BITS
"""Room for a gap in milliseconds (139 years) beside the code of its two touchpoints in one whole number."""

TRANSITIONS = Step(
    name="transitions",
    text="""select customer % $bundles as bundle, coalesce(previous, -1) as source, touchpoint as target,
    count(*) as passages
from touches
group by customer % $bundles, coalesce(previous, -1), touchpoint""",
    reads=("touches",),
    gives={"bundle": "int", "source": "int", "target": "int", "passages": "int"},
    sample={"bundles": 4},
)
TRANSITION_CUSTOMERS = Step(
    name="transition_customers",
    text="""select coalesce(previous, -1) as source, touchpoint as target, count(distinct customer) as customers
from touches
group by coalesce(previous, -1), touchpoint""",
    reads=("touches",),
    gives={"source": "int", "target": "int", "customers": "int"},
)
TRANSITIONS_BY_SESSION = Step(
    name="transitions_by_session",
    text="""select customer % $bundles as bundle, coalesce(previous, -1) as source, touchpoint as target,
    case when gap_ms > $idle_ms then 1 else 0 end as broke, count(*) as passages
from touches
group by customer % $bundles, coalesce(previous, -1), touchpoint, case when gap_ms > $idle_ms then 1 else 0 end""",
    reads=("touches",),
    gives={"bundle": "int", "source": "int", "target": "int", "broke": "int", "passages": "int"},
    sample={"bundles": 4, "idle_ms": 1_800_000},
)
TRANSITIONS_BY_STEP = Step(
    name="transitions_by_step",
    text="""select customer % $bundles as bundle, step, coalesce(previous, -1) as source, touchpoint as target,
    count(*) as passages
from touches
where step <= $steps
group by customer % $bundles, step, coalesce(previous, -1), touchpoint""",
    reads=("touches",),
    gives={"bundle": "int", "step": "int", "source": "int", "target": "int", "passages": "int"},
    sample={"bundles": 4, "steps": 10},
)
LAST_TOUCHES = Step(
    name="last_touches",
    text="""with latest as (select customer, max(step) as step from touches group by customer)
select t.customer % $bundles as bundle, t.step, t.touchpoint, t.stage, t.occurred_ms
from touches t
join latest l on l.customer = t.customer and l.step = t.step""",
    reads=("touches",),
    gives={"bundle": "int", "step": "int", "touchpoint": "int", "stage": "int", "occurred_ms": "int"},
    sample={"bundles": 4},
)
GAPS = Step(
    name="transition_gaps",
    text=f"""select customer % $bundles as bundle,
    (previous * $touchpoints + touchpoint) * {GAP} + least(gap_ms, {GAP - 1}) as packed
from touches
where gap_ms <= $idle_ms""",
    reads=("touches",),
    gives={"bundle": "int", "packed": "int"},
    sample={"bundles": 4, "touchpoints": 6, "idle_ms": 1_800_000},
)


class Shares(NamedTuple):
    """What leaves a place and where it goes: one entry a (place, target) pair, sorted by them.

    ``outgoing`` counts every passage out of the place; ``share`` is ``number`` ÷ ``outgoing`` within ``low``, ``high``.
    """

    place: Codes
    target: Codes
    number: Codes
    outgoing: Codes
    share: Floats
    low: Floats
    high: Floats


def share_out(bundles: Codes, places: Codes, targets: Codes, passages: Codes) -> Shares:
    """Return the share of each target among what leaves its place, with intervals clustered by customer.

    A share is a ratio of two sums over bundles of customers; its linearised variance gives the effective number of
    passages for Wilson's interval, with t instead of z. Bundles of independent customers lose degrees of freedom and
    nothing else.

    Args:
        bundles: (n,) 0 … `BUNDLES` − 1, the customers' bundles.
        places: (n,) codes of what is left.
        targets: (n,) codes of where it leads.
        passages: (n,) how many.

    Source: Wolter 2007, Introduction to Variance Estimation, chapters 2 (random groups) and 6 (ratios).
    """
    place_codes, place = np.unique(places, return_inverse=True)
    target_codes, target = np.unique(targets, return_inverse=True)
    pairs, pair = np.unique(place * max(len(target_codes), 1) + target, return_inverse=True)
    of_pair = pairs // max(len(target_codes), 1)
    weights = passages.astype(np.float64)
    out = np.bincount(place * BUNDLES + bundles, weights, len(place_codes) * BUNDLES).reshape(-1, BUNDLES)
    cells, cell = np.unique(pair * BUNDLES + bundles, return_inverse=True)
    here = np.bincount(cell, weights, len(cells))
    in_pair = cells // BUNDLES
    beside = out[of_pair[in_pair], cells % BUNDLES]
    number = np.bincount(in_pair, here, len(pairs))
    outgoing = out.sum(axis=1)[of_pair]
    share = number / outgoing
    squares = (
        np.bincount(in_pair, here**2, len(pairs))
        - 2 * share * np.bincount(in_pair, here * beside, len(pairs))
        + share**2 * (out**2).sum(axis=1)[of_pair]
    )
    low, high = bound_ratio(share, outgoing, squares, (out > 0).sum(axis=1)[of_pair])
    whole = (number.astype(np.int64), outgoing.astype(np.int64))
    return Shares(place_codes[of_pair], target_codes[pairs % max(len(target_codes), 1)], *whole, share, low, high)


def bound_ratio(share: Floats, total: Floats, squares: Floats, bundles: Codes) -> Bounds:
    """Return Wilson's interval of a share whose trials go together within ``bundles`` independent bundles.

    ``squares`` is the sum over bundles of (successes − share × trials)². The design effect is never taken below 1;
    where the share is 0 or 1 it cannot be seen and each bundle counts once.
    """
    degrees = np.maximum(bundles - 1, 1)
    variance = bundles / degrees * np.maximum(squares, 0) / total**2
    certain = (share <= 0) | (share >= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(certain, bundles, np.minimum(share * (1 - share) / variance, total))
    return bound_share(share, effective, t_quantile(0.975, degrees))


class Medians(NamedTuple):
    """The median gap of each pair of touchpoints, milliseconds, within ``low`` and ``high``; pairs ascend."""

    pair: Codes
    median: Codes
    low: Codes
    high: Codes


def find_median_gaps(gaps: Columns) -> Medians:
    """Return exact medians (lower middle value) of `GAPS`, with Woodruff's interval clustered by customer.

    The share of gaps at or under the median has a standard error that customers' bundles show; the gaps that stand
    that far from the middle bound the median.

    Source: Woodruff 1952, Confidence intervals for medians and other position measures, JASA 47(260).
    """
    packed, bundle = gaps["packed"], gaps["bundle"]
    ordered = np.sort(packed)
    of_ordered = ordered >> GAP_BITS
    first = np.append(0, np.flatnonzero(of_ordered[1:] != of_ordered[:-1]) + 1)[: len(ordered)]
    pairs, number = of_ordered[first], np.diff(np.append(first, len(ordered)))
    middle = ordered[first + (number - 1) // 2]
    place = np.zeros(int(pairs.max(initial=0)) + 1, np.int64)
    place[pairs] = np.arange(len(pairs))
    at = place[packed >> GAP_BITS]
    cell = at * BUNDLES + bundle
    all_here = np.bincount(cell, minlength=len(pairs) * BUNDLES).reshape(-1, BUNDLES)
    under = np.bincount(cell[packed <= middle[at]], minlength=len(pairs) * BUNDLES).reshape(-1, BUNDLES)
    share = under.sum(axis=1) / number
    squares = ((under - share[:, None] * all_here) ** 2).sum(axis=1)
    bundles = (all_here > 0).sum(axis=1)
    degrees = np.maximum(bundles - 1, 1)
    error = np.sqrt(bundles / degrees * squares) / number
    # With one bundle, or all gaps alike, nothing shows the spread: a binomial's error stands in.
    error = np.maximum(error, 0.5 / np.sqrt(np.where(bundles > 1, number, 1)))
    reach = t_quantile(0.975, degrees) * error * number
    low = np.clip(np.floor(number / 2 - reach), 0, number - 1).astype(np.int64)
    high = np.clip(np.ceil(number / 2 + reach), 0, number - 1).astype(np.int64)
    return Medians(pairs, middle % GAP, ordered[first + low] % GAP, ordered[first + high] % GAP)
