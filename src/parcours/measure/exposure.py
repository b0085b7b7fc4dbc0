"""Which customers met an operation on its bad days, and the revenue that they brought."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from parcours.blueprint.records import Operation
from parcours.engine.sql.step import Step
from parcours.measure.intervals import bound_share
from parcours.measure.panel import CompanyPanel, TouchpointPanel
from parcours.measure.quantiles import normal_quantile, t_quantile
from parcours.measure.questions import Questions
from parcours.measure.within import Codes, Floats, add_up, measure_spread

Flags = npt.NDArray[np.bool_]

EXPOSURE_TOUCHES = Step(
    name="exposure_touches",
    text="""
    select touchpoint, customer, coalesce(site, '') as site, occurred_ms
    from touches
    where touchpoint in $touchpoints and customer is not null and occurred_ms is not null
    """,
    reads=("touches",),
    gives={"touchpoint": "int", "customer": "int", "site": "text", "occurred_ms": "int"},
    sample={"touchpoints": (0, 1, 2)},
)

EXPOSURE_CUSTOMERS = Step(
    name="exposure_customers",
    text="select customer, coalesce(value_cents, 0) as value_cents from customers where customer is not null",
    reads=("customers",),
    gives={"customer": "int", "value_cents": "int"},
)


class Exposed(NamedTuple):
    """How many of ``of`` customers are concerned, their share with its 95 % interval, and their revenue in cents."""

    customers: int
    of: int
    share: float
    low: float
    high: float
    value_cents: int
    cells: int


class Exposures:
    """The touches of the scored touchpoints, each in its cell, and what every customer brought."""

    def __init__(self, questions: Questions, panel: CompanyPanel) -> None:
        codes = tuple(panel.blueprint.touchpoints.index(touchpoint) for touchpoint in panel.touchpoints())
        touches = questions.ask(EXPOSURE_TOUCHES, touchpoints=codes or (-1,))
        customers = questions.ask(EXPOSURE_CUSTOMERS)
        size = 1 + int(max(customers["customer"].max(initial=-1), touches["customer"].max(initial=-1)))
        self.value_cents = np.zeros(size, np.int64)
        self.value_cents[customers["customer"]] = customers["value_cents"]
        self._panel = panel
        self._touches = touches
        self._keys = panel.key_of(touches["site"], touches["occurred_ms"])

    def customers_at(self, panel: TouchpointPanel) -> Codes:
        """Return the codes of the customers who met a touchpoint, sorted."""
        return np.unique(self._touches["customer"][self._at(panel)])

    def measure(self, panel: TouchpointPanel, operation: Operation, among: Flags | None = None) -> Exposed | None:
        """Return who met ``panel``'s touchpoint while ``operation`` was at its worst; ``None`` when it never varies.

        Args:
            panel: the touchpoint's cells.
            operation: one of ``panel.measured``; `ValueError` otherwise.
            among: (customers,) whom to count; everybody by default.
        """
        worst = find_worst(panel, operation)
        if not worst.any():
            return None
        at = self._at(panel)
        customers, keys = self._touches["customer"][at], self._keys[at]
        if among is not None:
            customers, keys = customers[among[customers]], keys[among[customers]]
        place = np.clip(np.searchsorted(panel.keys, keys), 0, len(panel.keys) - 1)
        met = (panel.keys[place] == keys) & worst[place]
        everyone, first = np.unique(customers, return_index=True)
        exposed = np.isin(everyone, customers[met])
        home = np.where(panel.keys[place] == keys, panel.cells.clusters[place], -1)[first]
        low, high = bound_clustered(exposed, home)
        value = int(self.value_cents[everyone[exposed]].sum())
        share = float(exposed.mean()) if len(everyone) else 0.0
        return Exposed(int(exposed.sum()), len(everyone), share, low, high, value, int(worst.sum()))

    def _at(self, panel: TouchpointPanel) -> Flags:
        code = self._panel.blueprint.touchpoints.index(panel.touchpoint)
        return np.asarray(self._touches["touchpoint"] == code)


def find_worst(panel: TouchpointPanel, operation: Operation) -> Flags:
    """Return the cells (n,) where ``operation`` was worse than its site's and period's normal by one within-SD or more.

    Normal is what the site and period effects say, each cell weighing as its visits; the within-SD is that of what
    is left, over visits. Worse is the direction that the blueprint declares. All false when nothing varies.
    """
    values = panel.cells.operations[:, panel.measured.index(operation.id)]
    known = np.isfinite(values)
    worst = np.zeros(len(values), dtype=np.bool_)
    cells = panel.cells.keep(known)
    if not cells.visits.sum():
        return worst
    left, sd = measure_spread(values[known], cells.effects, cells.visits)
    if sd <= 1e-9 * max(1e-300, float(np.abs(values[known]).max())):
        return worst
    worst[known] = (left if operation.measure.worse == "high" else -left) >= sd
    return worst & (panel.cells.visits > 0)


def bound_clustered(hit: Flags, cluster: Codes) -> tuple[float, float]:
    """Return a 95 % interval of the share of ``hit`` among people who come in clusters (their site or period).

    A ratio of cluster totals, linearised, gives the design effect; Wilson's interval is then taken at the effective
    number of people, with t(G-1) for z. With fewer than two clusters it is Wilson's own.

    Args:
        hit: (n,) who is concerned.
        cluster: (n,) codes; −1 is a cluster like another.

    Source: Kish 1965; Franco, Little, Louis & Slud 2019, Journal of Survey Statistics and Methodology 7(3).
    """
    n = len(hit)
    if not n:
        return 0.0, 1.0
    share = float(hit.mean())
    groups = np.unique(cluster, return_inverse=True)[1]
    count = int(groups.max()) + 1
    effective, z = float(n), normal_quantile(0.975)
    if count > 1 and 0 < share < 1:
        sums: Floats = add_up(groups, hit.astype(np.float64) - share)
        variance = count / (count - 1) * float((sums**2).sum()) / n**2
        effective = min(float(n), share * (1 - share) / max(variance, 1e-300))
        z = float(t_quantile(0.975, count - 1))
    bounds = bound_share(share, effective, z)
    return float(bounds.low), float(bounds.high)
