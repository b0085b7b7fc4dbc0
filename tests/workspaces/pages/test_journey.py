"""The journey's page: touches and what is not drawn, in exact numbers."""

from __future__ import annotations

from parcours.charts.sankey import Move
from parcours.workspaces.pages.journey import count_touches, say_undrawn

COLUMNS = {"a": 0, "b": 0, "c": 1}
MOVES = [
    Move(source="(start)", target="a", count=50),
    Move(source="a", target="a", count=400),
    Move(source="a", target="c", count=30),
    Move(source="a", target="b", count=7),
    Move(source="c", target="a", count=5),
    Move(source="c", target="(end)", count=25),
]


def test_touches_are_all_that_comes_in() -> None:
    assert count_touches(MOVES) == {"a": 455, "c": 30, "b": 7, "(end)": 25}


def test_what_has_no_ribbon_is_counted_once() -> None:
    told = say_undrawn(MOVES, COLUMNS, "en")
    assert told.startswith("Moves drawn: 30. Not drawn: 407 within a stage, 5 back to an earlier stage, 0 to a later")
