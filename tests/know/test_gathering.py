"""Tests of gathering: columns outgrow their room without losing a row, and an event may be several touches."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parcours.blueprint.records import EventMatch
from parcours.know.gathering import Columns

from .conftest import Firm, make_blueprint, touchpoint


@given(st.lists(st.lists(st.integers(-(2**62), 2**62), max_size=9), max_size=6), st.integers(0, 7))
def test_columns_hold_every_piece_whatever_their_room(pieces: list[list[int]], room: int) -> None:
    columns = Columns(room)
    for piece in pieces:
        columns.add(number=np.array(piece, np.int64), half=np.array(piece, np.float32))
    whole = [value for piece in pieces for value in piece]
    assert columns.take("number", np.int64).tolist() == whole
    assert columns.take("half", np.float64).tolist() == np.array(whole, np.float32).tolist()
    assert columns.take("number", np.int64).tolist() == []


def test_an_event_of_several_touchpoints_is_a_touch_of_each(tmp_path: Path) -> None:
    blueprint = make_blueprint()
    ways = [EventMatch(name="Ordered", where={"about": (value,)}) for value in ("gift", "idea")]
    second = touchpoint("till", *ways, EventMatch(name="Called"))
    firm = Firm(tmp_path, msgspec.structs.replace(blueprint, touchpoints=(*blueprint.touchpoints, second)))
    firm.admit({"name": "Ordered", "id_user": "u1", "field_about": "gift"}, {"name": "Called", "id_user": "u1"})
    touches = [(row["event_no"], row["touchpoint"], row["step"]) for row in firm.rows("improve", "touches")]
    assert touches == [(1, 0, 1), (1, 4, 2), (2, 2, 3), (2, 4, 4)]
