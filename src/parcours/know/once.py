"""Several events, one touch: those of one customer at one touchpoint about one object, where the blueprint says so."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parcours.engine.sql.step import Step
from parcours.know.journeys import Places, bring_together
from parcours.know.pseudonyms import Numbers

NO_MONEY = np.iinfo(np.int64).min
"""Where a row is no payment; an amount may be negative, when it is paid back."""

ONCE = Step(
    name="know_touch_once",
    text="""
        select customer, object, event_no, occurred_ms, value_cents
        from (
            select
                customer,
                object,
                event_no,
                occurred_ms,
                sum(value_cents) over (partition by customer, object) as value_cents,
                row_number() over (partition by customer, object order by occurred_ms, event_no) as place
            from told
        ) as numbered
        where place = 1 and object is not null
        union all
        select customer, object, event_no, occurred_ms, value_cents
        from told
        where object is null
    """,
    reads=("told",),
    gives={"customer": "int", "object": "int", "event_no": "int", "occurred_ms": "int", "value_cents": "int"},
    columns={
        "told": {"customer": "int", "object": "int", "event_no": "int", "occurred_ms": "int", "value_cents": "int"},
    },
)
"""What one touch an object is, at one touchpoint, in portable SQL: `find_first` and `add_up` give exactly this."""


def find_first(customer: npt.NDArray[np.int32], about: Numbers) -> tuple[Places, Places]:
    """Return the places of all events, touch after touch, and where in that list each touch begins.

    The events are in the order of time, so that each touch begins with its earliest event.
    """
    order = np.argsort(about, kind="stable")
    order = order[bring_together(customer[order])]
    customer, about = customer[order], about[order]
    begins = np.append(True, (customer[1:] != customer[:-1]) | (about[1:] != about[:-1]))[: len(order)]
    return order.astype(np.int32), np.flatnonzero(begins).astype(np.int32)


def add_up(cents: Numbers, starts: Places) -> Numbers:
    """Return what the events from each of ``starts`` to the next are worth together, `NO_MONEY` where none is paid."""
    if not len(starts):
        return np.empty(0, np.int64)
    paid = cents != NO_MONEY
    total = np.add.reduceat(np.where(paid, cents, 0), starts)
    return np.where(np.logical_or.reduceat(paid, starts), total, NO_MONEY)
