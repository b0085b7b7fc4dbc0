"""What is planted in Maison Rivière: each operation behind the line, and what it does to each touchpoint."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["number", "count"]


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, as a linear model of its cells (a site in a week).

    The cell's standardised value is ``load`` × the week's season + ``quality`` × the site's hidden quality + the sum
    over ``follows`` of coefficient × that operation's standardised value + ``noise`` × N(0, 1); its natural value is
    ``mean + scale × standardised value`` in ``unit``. A ``count`` is an integer of at least 1, and what follows depends
    on the realised value. ``spread`` is the standard deviation of
    single events inside a cell, in the natural unit.
    """

    id: str
    unit: str
    mean: float
    scale: float
    load: float = 0.0
    quality: float = 0.0
    noise: float = 1.0
    follows: dict[str, float] = {}
    spread: float = 0.0
    kind: Kind = "number"


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """One touchpoint: how a visit's latent feeling comes about, and who answers.

    The feeling is ``centre + Σ direct × standardised operation + load × season + quality × site quality +
    N(0, noise)``, in scale points; the answer is the nearest whole number inside ``scale``. ``direct`` names every
    operation that the blueprint says supports the touchpoint, the ones without any effect included. ``answering`` are
    the log-odds of an answer for one unit of each standardised operation; ``visits`` counts visits per delivery,
    ``answers`` is the share of them that answers.
    """

    id: str
    scale: tuple[int, int]
    centre: float
    noise: float
    direct: dict[str, float]
    load: float
    quality: float
    answering: dict[str, float]
    visits: float
    answers: float = 0.25


WORKS: tuple[Work, ...] = (
    Work(id="stock_gaps", unit="%", mean=12.0, scale=2.0, load=0.6, spread=1.5),
    Work(id="picking_delay", unit="min", mean=95.0, scale=14.0, load=0.5, follows={"stock_gaps": 0.5}, spread=12.0),
    Work(id="carrier_delay", unit="h", mean=20.0, scale=3.0, load=0.6, follows={"picking_delay": 0.33}, spread=2.5),
    Work(id="agent_absence", unit="%", mean=22.0, scale=4.0, load=0.8, spread=3.0),
    Work(id="ticket_backlog", unit="h", mean=16.0, scale=2.0, load=0.3, follows={"agent_absence": 0.6}, spread=2.0),
    Work(id="packing_errors", unit="%", mean=4.0, scale=0.6, load=0.1, spread=0.5),
    Work(id="it_incidents", unit="incidents", mean=6.0, scale=1.5, load=1.2, noise=0.6, kind="count"),
    Work(id="credit_check_time", unit="s", mean=40.0, scale=7.0, quality=-0.9, noise=0.8, spread=5.0),
    Work(id="page_latency", unit="ms", mean=1500.0, scale=160.0, load=0.3, follows={"it_incidents": 0.3}, spread=150.0),
    Work(id="refund_delay", unit="h", mean=110.0, scale=16.0, load=0.4, spread=14.0),
    Work(id="staff_shortage", unit="%", mean=14.0, scale=2.5, load=0.5, quality=-0.4, spread=1.5),
    Work(id="points_delay", unit="h", mean=60.0, scale=9.0, load=0.2, spread=8.0),
)
"""Every operation, those that others follow first."""

MEETINGS: tuple[Meeting, ...] = (
    Meeting(
        id="delivery",
        scale=(0, 10),
        centre=6.5,
        noise=1.5,
        direct={
            "carrier_delay": -0.55,
            "packing_errors": -0.40,
            "ticket_backlog": -0.30,
            "it_incidents": 0.0,
            "credit_check_time": 0.0,
        },
        load=-0.5,
        quality=1.0,
        answering={"carrier_delay": 0.35, "ticket_backlog": -0.25, "packing_errors": 0.2},
        visits=1.0,
    ),
    Meeting(
        id="checkout",
        scale=(1, 7),
        centre=5.4,
        noise=1.1,
        direct={"page_latency": -0.10, "credit_check_time": 0.0},
        load=-0.2,
        quality=0.2,
        answering={"page_latency": 0.25},
        visits=1.15,
    ),
    Meeting(
        id="store_visit",
        scale=(0, 10),
        centre=8.0,
        noise=1.5,
        direct={"staff_shortage": -0.20, "stock_gaps": -0.12},
        load=-0.3,
        quality=0.8,
        answering={"staff_shortage": -0.2, "stock_gaps": 0.15},
        visits=1.0,
    ),
    Meeting(
        id="call_centre",
        scale=(0, 10),
        centre=6.6,
        noise=1.7,
        direct={"ticket_backlog": -0.18},
        load=-0.3,
        quality=0.3,
        answering={"ticket_backlog": 0.25},
        visits=0.5,
    ),
    Meeting(
        id="refund",
        scale=(1, 5),
        centre=3.7,
        noise=0.9,
        direct={"refund_delay": -0.08, "ticket_backlog": 0.0},
        load=-0.1,
        quality=0.2,
        answering={"refund_delay": 0.3},
        visits=0.25,
    ),
    Meeting(
        id="loyalty",
        scale=(0, 10),
        centre=8.1,
        noise=1.8,
        direct={"points_delay": -0.18, "it_incidents": 0.0},
        load=-0.2,
        quality=0.6,
        answering={"points_delay": 0.2},
        visits=0.5,
    ),
    Meeting(
        id="review",
        scale=(1, 5),
        centre=3.9,
        noise=1.0,
        direct={"ticket_backlog": -0.07, "packing_errors": -0.07},
        load=-0.1,
        quality=0.3,
        answering={},
        visits=0.2,
        answers=1.0,
    ),
    Meeting(
        id="click_collect",
        scale=(0, 10),
        centre=7.7,
        noise=1.5,
        direct={"picking_delay": -0.15},
        load=-0.3,
        quality=0.6,
        answering={"picking_delay": 0.2},
        visits=0.105,
    ),
    Meeting(
        id="till",
        scale=(0, 10),
        centre=8.3,
        noise=1.5,
        direct={"staff_shortage": -0.15, "it_incidents": 0.0},
        load=-0.3,
        quality=0.6,
        answering={"staff_shortage": -0.2},
        visits=0.55,
    ),
)
"""Every touchpoint that is scored and whose causes are planted."""


def upstream(meeting: Meeting) -> tuple[str, ...]:
    """Return the operations that reach ``meeting``, directly or through others, in the order of `WORKS`."""
    reached = set(meeting.direct)
    for work in reversed(WORKS):
        if work.id in reached:
            reached.update(work.follows)
    return tuple(work.id for work in WORKS if work.id in reached)


def total_effects(meeting: Meeting) -> dict[str, float]:
    """Return the total latent effect of one standardised unit of each operation that reaches ``meeting``.

    It is the sum over all directed paths of the product of their coefficients (Wright's path rules, 1934).
    """
    reached = upstream(meeting)
    totals = {operation: meeting.direct.get(operation, 0.0) for operation in reached}
    for work in reversed(WORKS):
        if work.id in reached:
            for parent, coefficient in work.follows.items():
                totals[parent] += coefficient * totals[work.id]
    return totals
