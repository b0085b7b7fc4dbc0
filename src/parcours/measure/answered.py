"""Answers put into the cells that rows are made of: which touchpoint, which part, how many visits stood behind them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parcours.blueprint.records import Blueprint
from parcours.engine.sql.step import Step
from parcours.measure.contract import Ask
from parcours.measure.intervals import Codes
from parcours.measure.questions import Columns, Questions
from parcours.measure.scores import Answers, Scale, Scores, count_scores, find_satisfied_from, score_cells
from parcours.measure.splits import find_periods, group_customers, quote_group, write_period

ANSWERS = Step(
    name="experience_answers",
    text="""select customer, touchpoint, score, coalesce(touch_ms, occurred_ms) as at_ms,
    coalesce(touch_no, -1) as touch_no
from answers""",
    reads=("answers",),
    gives={"customer": "int", "touchpoint": "int", "score": "float", "at_ms": "int", "touch_no": "int"},
)
VISITS = Step(
    name="experience_visits",
    text="select touchpoint, count(*) as visits from touches group by touchpoint",
    reads=("touches",),
    gives={"touchpoint": "int", "visits": "int"},
)
VISITS_BY_DAY = Step(
    name="experience_visits_by_day",
    text="""select touchpoint, pc_day_ms(occurred_ms) as day_ms, count(*) as visits
from touches
group by touchpoint, pc_day_ms(occurred_ms)""",
    reads=("touches",),
    gives={"touchpoint": "int", "day_ms": "int", "visits": "int"},
)


def define_visits_by_group(group: str) -> Step:
    """Return the step that counts visits of each touchpoint by the customer's group."""
    return Step(
        name=f"experience_visits_by_group_{group}",
        text=f"""select touchpoint, {quote_group(group)} as label, count(*) as visits
from touches
group by touchpoint, {quote_group(group)}""",
        reads=("touches",),
        gives={"touchpoint": "int", "label": "text", "visits": "int"},
        columns={"touches": {f"group_{group}": "text"}},
    )


class Parts(NamedTuple):
    """How the answers are parted: into outer parts, and inside them by touchpoint, or by scale when ``pooled``.

    ``of_answer`` is the outer part of each answer, ``visits`` (parts, touchpoints) the visits in each.
    """

    labels: list[Any]
    of_answer: Codes
    visits: NDArray[np.int64]
    pooled: bool


def part(ask: Ask, questions: Questions, answers: Columns) -> Parts:
    """Part answers and visits as ``ask.by`` says."""
    width = len(ask.blueprint.touchpoints)
    if ask.by in ("week", "month"):
        return _part_by_period(ask.by, questions, answers, width)
    if ask.by and "group:" in ask.by:
        customers = group_customers(questions, ask.by.split("group:")[1])
        counted = questions.ask(define_visits_by_group(ask.by.split("group:")[1]))
        place = {label: code for code, label in enumerate(customers.labels)}
        outer = np.array([place.get(label, len(place) - 1) for label in counted["label"]], np.int64)
        visits = _lay_out(outer, counted, len(customers.labels), width)
        return Parts(customers.labels, customers.codes[answers["customer"]], visits, ask.by.startswith("group:"))
    counted = questions.ask(VISITS)
    labels: list[Any] = [None]
    outer_of = np.zeros(width, np.int64)
    if ask.by in ("channel", "stage"):
        labels = [one.id for one in (ask.blueprint.channels if ask.by == "channel" else ask.blueprint.stages)]
        outer_of = np.array([labels.index(getattr(one, ask.by)) for one in ask.blueprint.touchpoints], np.int64)
    visits = _lay_out(outer_of[counted["touchpoint"]], counted, len(labels), width)
    return Parts(labels, outer_of[answers["touchpoint"]], visits, ask.by is not None)


def _part_by_period(by: str, questions: Questions, answers: Columns, width: int) -> Parts:
    counted = questions.ask(VISITS_BY_DAY)
    visited, answered = find_periods(counted["day_ms"], by), find_periods(answers["at_ms"], by)
    starts = np.unique(np.concatenate([visited, answered]))
    visits = _lay_out(np.searchsorted(starts, visited), counted, len(starts), width)
    labels = [write_period(start, by) for start in starts.tolist()]
    return Parts(labels, np.searchsorted(starts, answered), visits, False)


def _lay_out(outer: Codes, counted: Columns, parts: int, width: int) -> NDArray[np.int64]:
    visits = np.zeros((parts, width), np.int64)
    np.add.at(visits, (outer, counted["touchpoint"]), counted["visits"])
    return visits


class Cells(NamedTuple):
    """The cells that rows are made of, as arrays of one length, with what was answered in them.

    ``touchpoint`` is −1 in a pooled cell. ``answered`` counts the visits that an answer speaks of.
    """

    outer: Codes
    touchpoint: Codes
    scales: list[Scale]
    visits: Codes
    answered: Codes
    scores: Scores
    distribution: dict[int, dict[str, int]]


def fill_cells(blueprint: Blueprint, parts: Parts, answers: Columns) -> Cells:
    """Put every answer into its cell and score the cells; each declared touchpoint has one even without answers."""
    declared = {i: one.experience for i, one in enumerate(blueprint.touchpoints) if one.experience}
    scale_of = {i: Scale(one.metric, *map(float, one.scale)) for i, one in declared.items()}
    kinds = sorted(set(scale_of.values()))
    outers, width = len(parts.labels), len(blueprint.touchpoints)
    inner = np.full(width, -1, np.int64)
    for i, scale in scale_of.items():
        inner[i] = kinds.index(scale) if parts.pooled else i
    span = len(kinds) if parts.pooled else width
    visits = np.zeros(outers * span, np.int64)
    outer, touchpoint = np.nonzero(parts.visits)
    known = inner[touchpoint] >= 0
    at = outer[known] * span + inner[touchpoint[known]]
    np.add.at(visits, at, parts.visits[outer[known], touchpoint[known]])
    cells = parts.of_answer * span + inner[answers["touchpoint"]]
    listed = [np.flatnonzero(visits), cells]
    if outers == 1 and not parts.pooled:
        listed.append(np.array(list(declared), np.int64))
    keys = np.unique(np.concatenate(listed))
    place = np.searchsorted(keys, cells)
    mine = Answers(place, answers["customer"], answers["score"])
    scales = [kinds[key % span] if parts.pooled else scale_of[key % span] for key in keys.tolist()]
    satisfied = np.zeros(width)
    for i, one in declared.items():
        satisfied[i] = find_satisfied_from(one)
    return Cells(
        keys // span,
        np.full(len(keys), -1) if parts.pooled else keys % span,
        scales,
        visits[keys],
        _count_answered(place, answers["touch_no"], len(keys)),
        score_cells(mine, scales, satisfied[answers["touchpoint"]]),
        count_scores(mine),
    )


def _count_answered(cells: Codes, touches: Codes, size: int) -> Codes:
    tied = touches >= 0
    pairs = np.unique(np.stack([cells[tied], touches[tied]]), axis=1)
    return np.bincount(pairs[0], minlength=size)
