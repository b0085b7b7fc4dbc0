"""Touches in the order in which each customer lived them: sorted, with what came before, the gap, step and session."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from parcours.engine.sql.step import Kind, Step
from parcours.know.pseudonyms import Numbers

SESSION_GAP_MS = 1_800_000
"""A longer pause than half an hour opens a new session."""

ROWS_AT_ONCE = 1 << 18
"""Rows of one piece of work and of one row group: few enough that a piece stays near the processor."""

Places = npt.NDArray[np.int32]

_MET: dict[str, Kind] = {"customer": "int", "event_no": "int", "occurred_ms": "int", "touchpoint": "int"}

PATH = Step(
    name="know_journey_path",
    text="""
        select
            customer,
            event_no,
            occurred_ms,
            touchpoint,
            previous,
            gap_ms,
            step,
            sum(case when gap_ms <= 1800000 then 0 else 1 end) over (
                partition by customer order by occurred_ms, event_no, touchpoint
                rows between unbounded preceding and current row
            ) as session
        from (
            select
                customer,
                event_no,
                occurred_ms,
                touchpoint,
                lag(touchpoint) over (
                    partition by customer order by occurred_ms, event_no, touchpoint
                ) as previous,
                occurred_ms - lag(occurred_ms) over (
                    partition by customer order by occurred_ms, event_no, touchpoint
                ) as gap_ms,
                row_number() over (
                    partition by customer order by occurred_ms, event_no, touchpoint
                ) as step
            from met
        ) as walked
        order by customer, occurred_ms, event_no, touchpoint
    """,
    reads=("met",),
    gives={**_MET, "previous": "int", "gap_ms": "int", "step": "int", "session": "int"},
    columns={"met": _MET},
)
"""What a journey is, in portable SQL: `walk` gives exactly this, and faster, once rows are sorted."""


class Path(msgspec.Struct, frozen=True):
    """What `walk` adds to sorted touches; ``begins`` marks a customer's first, which has no previous and no gap."""

    begins: npt.NDArray[np.bool_]
    previous: npt.NDArray[np.int16]
    gap_ms: Numbers
    step: npt.NDArray[np.int32]
    session: npt.NDArray[np.int32]


def order_touches(
    customer: npt.NDArray[np.int32], occurred_ms: Numbers, event_no: Numbers, touchpoint: npt.NDArray[np.int16]
) -> Places:
    """Return the order of touches by customer, time, event number and touchpoint; customers count from 0."""
    order = bring_together(customer)
    after = np.cumsum(np.bincount(customer)) if len(customer) else np.empty(0, np.intp)
    for rows in cut_between_customers(after):
        places = order[rows].astype(np.intp)
        who, at_ms = customer.take(places, mode="clip").astype(np.int64), occurred_ms.take(places, mode="clip")
        same = who[1:] == who[:-1]
        if not (same & (at_ms[1:] <= at_ms[:-1])).any():
            continue
        order[rows] = places[_order_piece(who, at_ms, event_no[places], touchpoint[places])]
    return order


def cut_between_customers(after: Numbers, most: int = ROWS_AT_ONCE) -> list[slice]:
    """Cut touches into pieces of at most ``most`` rows where a customer ends; one customer alone may have more.

    ``after`` says where each customer's touches end. There is one piece at least, even an empty one.
    """
    cuts = [0]
    while cuts[-1] < int(after[-1:].sum()):
        reach = int(np.searchsorted(after, cuts[-1] + most, side="right"))
        alone = int(np.searchsorted(after, cuts[-1], side="right"))
        cuts.append(int(after[max(reach - 1, alone)]))
    return [slice(start, end) for start, end in pairwise(cuts)] or [slice(0, 0)]


def bring_together(customer: npt.NDArray[np.int32]) -> Places:
    """Return the places of each customer's touches, customer after customer, each in the order given.

    A touch is the one entry of its own column in a sparse matrix with a row a customer: to transpose it is a counting
    sort, several times faster than a sort by comparison.
    """
    size = len(customer)
    entries = (np.zeros(size, np.int8), customer, np.arange(size + 1, dtype=np.int32))
    places: Places = csc_array(entries, shape=(int(customer.max(initial=0)) + 1, size)).tocsr().indices
    return places


def _order_piece(
    who: Numbers, at_ms: Numbers, event_no: Numbers, touchpoint: npt.NDArray[np.int16]
) -> npt.NDArray[np.intp]:
    first = at_ms.min()
    bits = int(at_ms.max() - first).bit_length()
    if bits + int(who[-1] - who[0]).bit_length() > 62:
        return np.lexsort((touchpoint, event_no, at_ms, who))
    # Customer and time fit one integer. Within a customer the rows come in runs of growing time, one a source or so,
    # which this sort merges; only equal keys are looked at again.
    key = ((who - who[0]) << bits) | (at_ms - first)
    order = np.argsort(key, kind="stable")
    key = key[order]
    same = key[1:] == key[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    rows = order[tied]
    order[tied] = rows[np.lexsort((touchpoint[rows], event_no[rows], key[tied]))]
    return order


def walk(customer: npt.NDArray[np.int32], occurred_ms: Numbers, touchpoint: npt.NDArray[np.int16]) -> Path:
    """Return what came before each touch; the touches are in the order of `order_touches`."""
    begins = np.append(True, customer[1:] != customer[:-1])[: len(customer)]
    gap_ms = np.diff(occurred_ms, prepend=occurred_ms[:1])
    previous = np.append(touchpoint[:1], touchpoint[:-1])
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(customer)))
    step = np.arange(1, len(customer) + 1, dtype=np.int32) - np.repeat(starts, lengths).astype(np.int32)
    session = np.cumsum(begins | (gap_ms > SESSION_GAP_MS), dtype=np.int32)
    session -= np.repeat(session[starts] - 1, lengths)
    return Path(begins, previous, gap_ms, step, session)


def find_latest(owner: Numbers, at_ms: Numbers, asked_owner: Numbers, asked_ms: Numbers) -> npt.NDArray[np.intp]:
    """Return for each question the place of the owner's latest entry at or before ``asked_ms``, or -1.

    Among entries of the same millisecond the last in the given order counts.
    """
    size = len(owner)
    both = np.concatenate((owner, asked_owner))
    times = np.concatenate((at_ms, asked_ms))
    asks = np.arange(len(both)) >= size
    order = np.lexsort((asks, times, both))
    places = np.where(asks[order], -1, order)
    marks = np.maximum.accumulate(np.where(places >= 0, np.arange(len(order)), -1))
    found = np.where(marks >= 0, order[np.maximum(marks, 0)], -1) if len(order) else places
    mine = asks[order]
    answer = np.full(len(asked_owner), -1, np.intp)
    latest = found[mine]
    questions = order[mine] - size
    right = (latest >= 0) & (both[np.maximum(latest, 0)] == asked_owner[questions]) if len(latest) else latest >= 0
    answer[questions] = np.where(right, latest, -1)
    return answer
