"""The panel of a company: from the permitted rows to the cells of each scored touchpoint."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.blueprint.records import Blueprint, Operation, Touchpoint
from parcours.blueprint.records import Panel as PanelChoice
from parcours.engine.sql.step import Step
from parcours.measure.adjustment import find_reaching, parents_of, supporters_of
from parcours.measure.cells import Cells, group_periods, number_periods
from parcours.measure.questions import Columns, Questions
from parcours.measure.within import Codes, Floats, add_up, code_groups, remove_effects

DAY_MS = 86_400_000

PANEL_VISITS = Step(
    name="panel_visits",
    text="""
    select touchpoint, coalesce(site, '') as site, pc_day_ms(occurred_ms) as day_ms, count(*) as visits
    from touches
    where touchpoint is not null and occurred_ms is not null
    group by touchpoint, coalesce(site, ''), pc_day_ms(occurred_ms)
    """,
    reads=("touches",),
    gives={"touchpoint": "int", "site": "text", "day_ms": "int", "visits": "int"},
)

PANEL_ANSWERS = Step(
    name="panel_answers",
    text="""
    select touchpoint, coalesce(site, '') as site, pc_day_ms(coalesce(touch_ms, occurred_ms)) as day_ms,
        count(*) as answers, sum(score) as score_sum, sum(score * score) as score_squares
    from answers
    where touchpoint is not null and score is not null and coalesce(touch_ms, occurred_ms) is not null
    group by touchpoint, coalesce(site, ''), pc_day_ms(coalesce(touch_ms, occurred_ms))
    """,
    reads=("answers",),
    gives={
        "touchpoint": "int",
        "site": "text",
        "day_ms": "int",
        "answers": "int",
        "score_sum": "float",
        "score_squares": "float",
    },
)

PANEL_OPERATIONS = Step(
    name="panel_operations",
    text="""
    select operation, coalesce(site, '') as site, pc_day_ms(occurred_ms) as day_ms,
        count(*) as events, sum(value) as value_sum, sum(value * value) as value_squares
    from operations
    where operation is not null and value is not null and occurred_ms is not null
    group by operation, coalesce(site, ''), pc_day_ms(occurred_ms)
    """,
    reads=("operations",),
    gives={
        "operation": "int",
        "site": "text",
        "day_ms": "int",
        "events": "int",
        "value_sum": "float",
        "value_squares": "float",
    },
)


class TouchpointPanel(NamedTuple):
    """The cells of one scored touchpoint, with the sorted ``keys`` that a touch falls under.

    ``reaching`` are the operations that the arrows lead from, ``measured`` those with a column in the cells;
    ``placeless`` counts the answers that name no site.
    """

    touchpoint: Touchpoint
    cells: Cells
    keys: Codes
    periods: Codes
    reaching: tuple[str, ...]
    measured: tuple[str, ...]
    placeless: int

    def count_periods(self) -> int:
        """Return over how many periods the cells stretch."""
        return len(np.unique(self.periods))


class CompanyPanel:
    """Reads the cells once and hands out each touchpoint's panel; `causes` and `stakes` stand on the same one.

    Days are UTC days; an operation's cell is the mean of its events there, or their number for a ``count``.
    """

    def __init__(self, questions: Questions, blueprint: Blueprint) -> None:
        self.blueprint = blueprint
        self.choice = blueprint.panel or PanelChoice()
        self._visits = questions.ask(PANEL_VISITS)
        self._answers = questions.ask(PANEL_ANSWERS)
        self._events = questions.ask(PANEL_OPERATIONS)
        self._sites: dict[str, int] = {"": 0}
        for table in (self._visits, self._answers, self._events):
            for site in sorted(set(table["site"])) if self.choice.site else ():
                self._sites.setdefault(site, len(self._sites))
        days = [table["day_ms"] for table in (self._visits, self._answers, self._events)]
        periods = number_periods(np.concatenate(days) // DAY_MS, self.choice.period)
        self._start = int(periods.min()) if len(periods) else 0
        self._span = int(periods.max()) - self._start + 1 if len(periods) else 1
        self._values = {code: self._measure(code) for code in range(len(blueprint.operations))}

    def key_of(self, site: np.ndarray, moment_ms: Codes) -> Codes:
        """Return the cell key of each place (text, empty: none) and moment; −1 where a site is needed but absent."""
        periods = number_periods(moment_ms // DAY_MS, self.choice.period) - self._start
        if not self.choice.site:
            return periods
        places = np.fromiter((self._sites.get(name, 0) for name in site), np.int64, len(site))
        return np.where(places > 0, places * self._span + periods, -1)

    def touchpoints(self) -> tuple[Touchpoint, ...]:
        """Return the touchpoints whose experience is scored."""
        return tuple(touchpoint for touchpoint in self.blueprint.touchpoints if touchpoint.experience)

    def is_placeless(self, operation: Operation) -> bool:
        """Whether an operation has events, but none that names a site although the panel asks for one."""
        mine = self._events["operation"] == self.blueprint.operations.index(operation)
        return bool(self.choice.site and mine.any() and not (self._events["site"][mine] != "").any())

    def find_share_of_noise(self, operation: Operation) -> float:
        """Return the share of an operation's within-cell-group variance that is the luck of few events a cell.

        0 for counts and shares of bad events, which are what was lived, and where nothing can be told.
        """
        table, mine = self._events, self._events["operation"] == self.blueprint.operations.index(operation)
        keys = self.key_of(table["site"][mine], table["day_ms"][mine])
        kept, cell = np.unique(keys[keys >= 0], return_inverse=True)
        if operation.measure.count or operation.measure.bad or not len(kept):
            return 0.0
        events, total, squares = (
            add_up(cell, table[name][mine][keys >= 0].astype(np.float64))
            for name in ("events", "value_sum", "value_squares")
        )
        spare = float((events - 1).sum())
        if spare < 1:
            return 0.0
        inside = max(float((squares - total**2 / events).sum()), 0.0) / spare
        left = remove_effects(total / events, self._effects(kept), events)
        whole = float((events * left**2).sum() / events.sum())
        luck = inside * len(kept) / float(events.sum())
        return min(1.0, luck / whole) if whole > 0 else 0.0

    def panel_of(self, touchpoint: Touchpoint) -> TouchpointPanel:
        """Return the cells of ``touchpoint``, which must have an experience."""
        code = self.blueprint.touchpoints.index(touchpoint)
        visits, answers = _pick(self._visits, code), _pick(self._answers, code)
        visit_keys = self.key_of(visits["site"], visits["day_ms"])
        answer_keys = self.key_of(answers["site"], answers["day_ms"])
        keys = np.unique(np.concatenate([visit_keys, answer_keys]))
        keys = keys[keys >= 0]
        reaching = find_reaching(parents_of(self.blueprint), supporters_of(self.blueprint, touchpoint.id))
        measured = tuple(id for id in reaching if self._is_measured(id))
        columns = [self._column(id, keys) for id in measured]
        effects = self._effects(keys)
        cells = Cells(
            _add(keys, visit_keys, visits["visits"]),
            _add(keys, answer_keys, answers["answers"]),
            _add(keys, answer_keys, answers["score_sum"]),
            _add(keys, answer_keys, answers["score_squares"]),
            np.column_stack(columns) if columns else np.zeros((len(keys), 0)),
            effects,
            effects[0] if self.choice.site else code_groups(keys),
        )
        placeless = int(answers["answers"][answer_keys < 0].sum())
        return TouchpointPanel(touchpoint, cells, keys, keys % self._span, reaching, measured, placeless)

    def _effects(self, keys: Codes) -> tuple[Codes, ...]:
        if self.choice.site:
            return code_groups(keys // self._span), code_groups(keys % self._span)
        return group_periods(keys + self._start, self.choice.period)

    def _is_measured(self, id: str) -> bool:
        return len(self._values[self.blueprint.operations.index(self.blueprint.operation(id))][0]) > 0

    def _measure(self, code: int) -> tuple[Codes, Floats]:
        """Return the sorted cell keys of one operation and its values there."""
        mine = self._events["operation"] == code
        keys = self.key_of(self._events["site"][mine], self._events["day_ms"][mine])
        kept = np.unique(keys[keys >= 0])
        events = _add(kept, keys, self._events["events"][mine])
        total = _add(kept, keys, self._events["value_sum"][mine])
        return kept, events if self.blueprint.operations[code].measure.count else total / np.maximum(events, 1.0)

    def _column(self, id: str, keys: Codes) -> Floats:
        operation = self.blueprint.operation(id)
        known, values = self._values[self.blueprint.operations.index(operation)]
        place = np.clip(np.searchsorted(known, keys), 0, len(known) - 1)
        absent = 0.0 if operation.measure.count else np.nan
        return np.where(known[place] == keys, values[place], absent)


def _pick(table: Columns, touchpoint: int) -> Columns:
    mine = table["touchpoint"] == touchpoint
    return {name: values[mine] for name, values in table.items()}


def _add(keys: Codes, at: Codes, values: np.ndarray) -> Floats:
    """Return the sum of ``values`` at each of the sorted ``keys``; those at −1 are left out."""
    inside = at >= 0
    place = np.searchsorted(keys, at[inside])
    return add_up(place, values[inside].astype(np.float64), len(keys))
