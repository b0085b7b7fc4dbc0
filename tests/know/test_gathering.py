"""Tests of gathering: columns outgrow their room without losing a row, and an event may be several touches."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.blueprint.records import EventMatch
from parcours.errors import ParcoursError
from parcours.know import gathering
from parcours.know.gathering import Columns

from .conftest import Firm, make_blueprint, touchpoint

PIECES = st.lists(st.lists(st.integers(-(2**62), 2**62), max_size=9), max_size=6)


@pytest.mark.parametrize("most", [0, 6, 1 << 22], ids=["in files", "some in files", "in memory"])
@given(PIECES, st.integers(1, 7))
def test_columns_hold_every_piece_whatever_their_room(most: int, pieces: list[list[int]], room: int) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as spill:
        patch.setattr(gathering, "MOST_ROWS_IN_MEMORY", most)
        columns = Columns(room, Path(spill))
        for piece in pieces:
            columns.add(number=np.array(piece, np.int64), half=np.array(piece, np.float32))
        assert not list(Path(spill).iterdir())
    whole = [value for piece in pieces for value in piece]
    assert columns.take("number", np.int64).tolist() == whole
    assert columns.take("half", np.float64).tolist() == np.array(whole, np.float32).tolist()
    assert columns.take("number", np.int64).tolist() == []


def test_many_rows_that_find_no_room_on_disk_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    firm = Firm(tmp_path, make_blueprint())
    firm.admit({"name": "Called", "id_user": "u1"})
    monkeypatch.setattr(gathering, "MOST_ROWS_IN_MEMORY", 0)
    assert [row["customer"] for row in firm.rows("improve", "touches")] == [0]
    firm.admit({"name": "Called", "id_user": "u2"})

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(gathering.os, "posix_fallocate", refuse)
    with pytest.raises(ParcoursError) as told:
        firm.rows("improve", "touches")
    assert told.value.code == "disk_full"


def test_an_event_of_several_touchpoints_is_a_touch_of_each(tmp_path: Path) -> None:
    blueprint = make_blueprint()
    ways = [EventMatch(name="Ordered", where={"about": (value,)}) for value in ("gift", "idea")]
    second = touchpoint("till", *ways, EventMatch(name="Called"))
    firm = Firm(tmp_path, msgspec.structs.replace(blueprint, touchpoints=(*blueprint.touchpoints, second)))
    firm.admit({"name": "Ordered", "id_user": "u1", "field_about": "gift"}, {"name": "Called", "id_user": "u1"})
    touches = [(row["event_no"], row["touchpoint"], row["step"]) for row in firm.rows("improve", "touches")]
    assert touches == [(1, 0, 1), (1, 4, 2), (2, 2, 3), (2, 4, 4)]
