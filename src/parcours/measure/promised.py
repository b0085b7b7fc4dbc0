"""What a promise is held against: the events of an operation, or the answers at a touchpoint, with their intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.blueprint.records import Experience, Operation, Promise
from parcours.blueprint.records import Panel as PanelChoice
from parcours.engine.sql.step import Step
from parcours.measure.cells import number_periods
from parcours.measure.intervals import Codes, Floats, add_by_customer, bound_mean, bound_share, count_effective
from parcours.measure.quantiles import t_quantile
from parcours.measure.questions import Columns
from parcours.measure.scores import FEWEST, Answers, Scale, find_satisfied_from, score_cells
from parcours.measure.splits import DAY_MS
from parcours.measure.within import add_up

FEWEST_SITES = 5
"""With fewer sites their number says too little of how sites differ, and days are the clusters instead."""
UNBOUNDED = 1e300

PROMISED_EVENTS = Step(
    name="promised_events",
    text="""
    select coalesce(site, '') as site, pc_day_ms(occurred_ms) as day_ms, count(*) as events, sum(value) as total,
        sum(case when value >= $at_least and value <= $at_most then 1 else 0 end) as inside
    from operations
    where operation = $operation and value is not null and occurred_ms is not null
    group by coalesce(site, ''), pc_day_ms(occurred_ms)
    """,
    reads=("operations",),
    gives={"site": "text", "day_ms": "int", "events": "int", "total": "float", "inside": "int"},
    sample={"operation": 1, "at_least": -0.5, "at_most": 1.5},
)


class Held(NamedTuple):
    """A mean with its 95 % bounds, the share inside the bound with its own, and what they rest on.

    Bounds are NaN where there are too few events or clusters; the share is NaN where one answer cannot keep a promise.
    """

    value: float
    low: float
    high: float
    share: float
    share_low: float
    share_high: float
    n: int
    clusters: int


class Lots(NamedTuple):
    """Events added up by cluster and moment, as arrays of one length: how many, their sum, how many inside."""

    cluster: Codes
    at_ms: Codes
    events: Floats
    total: Floats
    inside: Floats

    def keep(self, rows: np.ndarray) -> Lots:
        """Return the lots where ``rows`` is true."""
        return Lots(*(column[rows] for column in self))


def is_inside(values: Floats, promise: Promise) -> Floats:
    """Return 1 for each value inside the promise's bounds, 0 for the others."""
    low, high = ends_of(promise)
    return ((values >= low) & (values <= high)).astype(np.float64)


def ends_of(promise: Promise) -> tuple[float, float]:
    """Return the two ends of a promise; an absent one lies further out than any value."""
    low = -UNBOUNDED if promise.at_least is None else promise.at_least
    return low, UNBOUNDED if promise.at_most is None else promise.at_most


def gather_lots(table: Columns, operation: Operation, promise: Promise, panel: PanelChoice) -> tuple[Lots, bool]:
    """Return the lots of an operation from the answer of `PROMISED_EVENTS`, and whether their clusters are sites.

    An event without a site, and every event where fewer than five sites are named, counts with its day. A counted
    operation promises so many events per site and period: each cell is one event then.
    """
    sites = {name: code for code, name in enumerate(sorted(set(table["site"]) - {""}))}
    by_site = len(sites) >= FEWEST_SITES
    site = np.array([sites.get(name, -1) for name in table["site"]], np.int64)
    day = table["day_ms"] // DAY_MS
    if operation.measure.count:
        lots = _count_cells(site if panel.site else np.full(len(site), -1), day, table["events"], promise, panel)
        return lots, by_site and panel.site is not None
    own = np.unique(day, return_inverse=True)[1]
    cluster = np.where((site >= 0) & by_site, site, len(sites) + own)
    columns = (table[name].astype(np.float64) for name in ("events", "total", "inside"))
    return Lots(cluster, table["day_ms"], *columns), by_site


def _count_cells(site: Codes, day: Codes, events: Codes, promise: Promise, panel: PanelChoice) -> Lots:
    """Count events in each cell, empty ones too, over the whole periods between the first and the last event."""
    days = np.arange(day.min(), day.max() + 1) if len(day) else np.empty(0, np.int64)
    every = number_periods(days, panel.period)
    whole = np.unique(every)[1:-1]  # the first and the last may be cut short
    sites, place = np.unique(site, return_inverse=True)
    period = np.searchsorted(whole, number_periods(day, panel.period))
    inside = (period < len(whole)) & np.isin(number_periods(day, panel.period), whole)
    size = len(sites) * len(whole)
    counts = add_up(place[inside] * len(whole) + period[inside], events[inside].astype(np.float64), size)
    starts = days[np.searchsorted(every, whole)] * DAY_MS
    spread = len(sites) >= FEWEST_SITES
    cluster = np.repeat(np.arange(len(sites)), len(whole)) if spread else np.tile(np.arange(len(whole)), len(sites))
    return Lots(cluster, np.tile(starts, len(sites)), np.ones(size), counts, is_inside(counts, promise))


def hold_events(lots: Lots, shares: bool) -> Held:
    """Hold the mean of an operation's events, and the share of them inside the bound.

    Both are ratios of cluster totals, linearised: Σ over clusters of (total − mean × events)², times G/(G−1), over the
    squared number of events; the mean with t(G−1), the share as Wilson's interval at the effective number of events
    with that t. ``shares`` says that values are 0 or 1, so that their mean takes the share's interval.

    Source: Wolter 2007, Introduction to Variance Estimation, chapter 6; Franco, Little, Louis & Slud 2019, Journal of
    Survey Statistics and Methodology 7(3).
    """
    count = float(lots.events.sum())
    codes, place = np.unique(lots.cluster, return_inverse=True)
    clusters = len(codes)
    if not count:
        return Held(*(np.nan,) * 6, 0, 0)
    value, share = float(lots.total.sum()) / count, float(lots.inside.sum()) / count
    if count < FEWEST or clusters < 2:
        return Held(value, np.nan, np.nan, share, np.nan, np.nan, int(count), clusters)

    def spread(column: Floats, mean: float) -> float:
        sums = np.bincount(place, column - mean * lots.events, minlength=clusters)
        return float(clusters / (clusters - 1) * (sums**2).sum()) / count**2

    share_low, share_high = _bound_ratio(share, spread(lots.inside, share), count, clusters)
    if shares:
        low, high = _bound_ratio(value, spread(lots.total, value), count, clusters)
    else:
        low, high = (float(end) for end in bound_mean(value, np.sqrt(spread(lots.total, value)), clusters - 1))
    return Held(value, low, high, share, share_low, share_high, int(count), clusters)


def _bound_ratio(share: float, variance: float, count: float, clusters: int) -> tuple[float, float]:
    """Bound a share whose clusters vary; where all events are alike, each cluster counts once."""
    alike = not 0 < share < 1
    effective = float(clusters) if alike else min(count, share * (1 - share) / max(variance, 1e-300))
    low, high = bound_share(share, effective, float(t_quantile(0.975, clusters - 1)))
    return float(low), float(high)


def on_metric(experience: Experience, promise: Promise) -> bool:
    """Say whether a promise is in its metric's own form: a CSAT bound above 1 speaks of the mean score instead."""
    bounds = [bound for bound in (promise.at_least, promise.at_most) if bound is not None]
    return experience.metric != "csat" or all(bound <= 1.0 for bound in bounds)


def hold_answers(
    experience: Experience, promise: Promise, customers: Codes, scores: Floats, parts: Codes, size: int
) -> list[Held]:
    """Hold what customers answered, in each of ``size`` parts; one customer's answers count together.

    The CSAT share or the NPS where the promise is in that form, else the mean score. The share inside the bound is
    that of the answers, where one answer can be held against it: not for a CSAT share or an NPS.
    """
    own = on_metric(experience, promise)
    metric = experience.metric if own else "ces"
    answers = Answers(parts, customers, scores)
    scale = Scale(metric, *map(float, experience.scale))
    made = score_cells(answers, [scale] * size, np.full(len(scores), find_satisfied_from(experience)))
    flags = add_by_customer(parts, customers, is_inside(scores, promise), size)
    share = np.nan_to_num(flags.mean)
    bounds = bound_share(share, count_effective(flags, share * (1 - share)))
    held = []
    for part in range(size):
        number, people = int(made.number[part]), int(made.customers[part])
        sure = number >= FEWEST and people >= FEWEST
        value, low, high = (float(one[part]) if sure else np.nan for one in (made.score, made.low, made.high))
        said = sure and metric == "ces"
        inside, least, most = (float(one[part]) if said else np.nan for one in (share, bounds.low, bounds.high))
        held.append(Held(value, low, high, inside, least, most, number, people))
    return held
