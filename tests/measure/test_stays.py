"""Stays in stages, beside their plain reading customer by customer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parcours.measure.stays import PLACE, find_ends, find_stays, sort_touches

JOURNEYS = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 5)), min_size=1, max_size=9),
    min_size=1,
    max_size=8,
)


def _columns(journeys: list[list[tuple[int, int, int]]]) -> dict[str, np.ndarray]:
    rows = []
    for customer, journey in enumerate(journeys):
        at = 0
        for step, (stage, channel, wait) in enumerate(journey, start=1):
            at += wait
            rows.append((customer, step, stage * PLACE + channel, at))
    return dict(zip(("customer", "step", "place", "occurred_ms"), np.array(rows, np.int64).T, strict=True))


def _read_plainly(journeys: list[list[tuple[int, int, int]]], wanted: int) -> list[tuple[int, int, int, int, int]]:
    found = []
    for customer, journey in enumerate(journeys):
        times = np.cumsum([wait for *_, wait in journey]).tolist()
        entry = next((i for i, (stage, *_) in enumerate(journey) if stage == wanted), None)
        if entry is None:
            continue
        move = next((i for i in range(entry, len(journey)) if journey[i][0] > wanted), None)
        stop = len(journey) if move is None else move
        last = max(i for i in range(entry, stop) if journey[i][0] == wanted)
        moved = -1 if move is None else times[move]
        found.append((customer, journey[entry][1], times[entry], moved, times[last]))
    return found


@given(JOURNEYS, st.randoms(use_true_random=False))
def test_stays_are_those_of_the_plain_reading(journeys: list[list[tuple[int, int, int]]], chance: object) -> None:
    columns = _columns(journeys)
    order = list(range(len(columns["step"])))
    chance.shuffle(order)  # type: ignore[attr-defined]
    touches = sort_touches({name: column[order] for name, column in columns.items()})
    ends = find_ends(touches["customer"])
    for stage in range(4):
        stays = find_stays(touches, stage, ends)
        assert list(zip(*(column.tolist() for column in stays), strict=True)) == _read_plainly(journeys, stage)


def test_rows_that_lie_in_order_are_not_copied() -> None:
    columns = _columns([[(0, 0, 1), (1, 0, 1)], [(0, 0, 1)]])
    assert sort_touches(columns) is columns


def test_no_touches_have_no_stays() -> None:
    nothing = {name: np.empty(0, np.int64) for name in ("customer", "step", "place", "occurred_ms")}
    assert len(find_stays(sort_touches(nothing), 0, np.zeros(1, np.int64)).customer) == 0
