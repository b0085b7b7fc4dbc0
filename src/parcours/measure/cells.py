"""The cells (site × period) in which answers and operations meet, for one touchpoint."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from parcours.blueprint.records import Period
from parcours.measure.within import Codes, Floats, add_up, code_groups

Days = npt.NDArray[np.int64]

_MONDAY = 3
"""1 January 1970 was a Thursday: with 3 days added, weeks begin on Mondays."""


class Cells(NamedTuple):
    """The cells of one touchpoint, one row each, (n,) unless said otherwise.

    ``answers`` of ``visits`` gave scores that sum to ``score_sum`` (points), their squares to ``score_squares``;
    ``operations`` is (n, k) in natural units, NaN where nothing is known. ``effects`` are the groupings whose
    effects are removed, ``clusters`` the one whose errors go together; all codes from 0.
    """

    visits: Floats
    answers: Floats
    score_sum: Floats
    score_squares: Floats
    operations: Floats
    effects: tuple[Codes, ...]
    clusters: Codes

    def keep(self, rows: npt.NDArray[np.bool_]) -> Cells:
        """Return the cells where ``rows`` is true, their groups coded anew."""
        return Cells(
            self.visits[rows],
            self.answers[rows],
            self.score_sum[rows],
            self.score_squares[rows],
            self.operations[rows],
            tuple(code_groups(codes[rows]) for codes in self.effects),
            code_groups(self.clusters[rows]),
        )


def gather_cells(site: Codes, period: Codes, score: Floats, operations: dict[str, Floats]) -> Cells:
    """Return the cells of visits held in memory.

    Args:
        site: (visits,) codes from 0.
        period: (visits,) codes from 0.
        score: (visits,) points, NaN for those who stay silent.
        operations: each (sites, periods) in its natural unit.
    """
    width = int(period.max()) + 1
    cell, place = np.unique(site * width + period, return_inverse=True)
    answered = np.isfinite(score)
    points = np.where(answered, score, 0.0)
    at_site, at_period = cell // width, cell % width
    return Cells(
        add_up(place, np.ones(len(score))),
        add_up(place, answered.astype(np.float64)),
        add_up(place, points),
        add_up(place, points**2),
        np.column_stack([values[at_site, at_period] for values in operations.values()]),
        (code_groups(at_site), code_groups(at_period)),
        code_groups(at_site),
    )


def number_periods(days: Days, period: Period) -> Codes:
    """Return the running number of the UTC day, Monday week or month in which each day (since 1970) falls."""
    if period == "day":
        return days
    if period == "week":
        return (days + _MONDAY) // 7
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def group_periods(periods: Codes, period: Period) -> tuple[Codes, ...]:
    """Return what is removed when there is no site: the coarser period of each, and for days the weekday too.

    Days are compared within their week and weekday, weeks within their quarter, months within their year.
    """
    if period == "day":
        return code_groups((periods + _MONDAY) // 7), code_groups((periods + _MONDAY) % 7)
    if period == "week":
        months = (periods * 7 - _MONDAY).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return (code_groups(months // 3),)
    return (code_groups(periods // 12),)
