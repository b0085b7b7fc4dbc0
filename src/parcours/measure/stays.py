"""Each customer's stay in each stage: when it began, when they moved on, when they were last seen there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parcours.engine.sql.step import Step
from parcours.measure.intervals import Codes
from parcours.measure.questions import Columns

PLACE = 65_536
TOUCHES = Step(
    name="journey_touches",
    text=f"select customer, step, stage * {PLACE} + channel as place, occurred_ms from touches",
    reads=("touches",),
    gives={"customer": "int", "step": "int", "place": "int", "occurred_ms": "int"},
)


class Stays(NamedTuple):
    """The first stay of every customer who came to one stage; arrays of one length, times in epoch milliseconds.

    ``moved_ms`` is −1 for those who have not moved on; ``last_ms`` is the last touch in the stage before the move, or
    at all.
    """

    customer: Codes
    channel: Codes
    entered_ms: Codes
    moved_ms: Codes
    last_ms: Codes


def sort_touches(touches: Columns) -> Columns:
    """Return touches by customer and step; rows that already lie so are not sorted again."""
    key = (touches["customer"] << 32) + touches["step"]
    if (key[1:] > key[:-1]).all():
        return touches
    order = np.argsort(key, kind="stable")
    return {name: column[order] for name, column in touches.items()}


def find_ends(customers: Codes) -> Codes:
    """Return where each customer's rows end in sorted rows: the index of the next one's first, then the length."""
    return np.append(np.flatnonzero(customers[1:] != customers[:-1]) + 1, len(customers))


def find_stays(touches: Columns, stage: int, ends: Codes) -> Stays:
    """Find the first stay of each customer in ``stage``.

    A stay begins with the customer's first touch there and ends with their first later touch in any later stage,
    later meaning a greater step. Coming back after having moved on does not begin another stay.

    Args:
        touches: `TOUCHES`, sorted by `sort_touches`.
        stage: index of the stage in the blueprint.
        ends: `find_ends` of the touches' customers.
    """
    stages, times = touches["place"] // PLACE, touches["occurred_ms"]
    here = np.flatnonzero(stages == stage)
    of_here = touches["customer"][here]
    entry = here[np.append(True, of_here[1:] != of_here[:-1])] if len(here) else here
    end = ends[np.searchsorted(ends, entry, side="right")]
    beyond = np.append(np.flatnonzero(stages > stage), len(stages))
    move = beyond[np.searchsorted(beyond, entry)]
    moved = move < end
    stop = np.where(moved, move, end)
    last = here[np.searchsorted(here, stop) - 1]
    return Stays(
        touches["customer"][entry],
        touches["place"][entry] % PLACE,
        times[entry],
        np.where(moved, times[np.minimum(move, len(times) - 1)] if len(times) else move, -1),
        times[last],
    )
