"""Tests of personal values: the latest counts, only the vault holds them, and whatever was altered is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.know.conftest import START_MS, Firm, make_blueprint

from parcours.blueprint.records import Field
from parcours.errors import ParcoursError
from parcours.know import verify
from parcours.know.keys import open_keys
from parcours.know.personal import RESTATED_MS, Personal
from parcours.know.state import open_state
from parcours.progress import Silent
from parcours.settings import Settings

BLUEPRINT = make_blueprint(
    fields=(Field(id="last_name", kind="personal"), Field(id="city", kind="personal"), Field(id="cart", kind="number"))
)
DAY_MS = RESTATED_MS
TOLD = st.tuples(st.integers(1, 3), st.integers(0, 5), st.sampled_from([None, "Lyon", "Paris"]))


def open_personal(folder: Path) -> Personal:
    return Personal(open_state(folder), open_keys(folder, Settings())[0])


def make_people(folder: Path, count: int = 3) -> Personal:
    """Return the store of a folder in which people 1 to ``count`` have a key."""
    keys = open_keys(folder, Settings())[0]
    keys.make(range(1, count + 1))
    keys.settle()
    return Personal(open_state(folder), keys)


def note(personal: Personal, *told: tuple[int, int, int, str | None], field: str = "city") -> None:
    """Note (subject, event number, moment, value)."""
    table = np.array([line[:3] for line in told], np.int64).reshape(-1, 3)
    personal.note(table[:, 0], table[:, 1], table[:, 2], {field: [line[3] for line in told]})


def texts(personal: Personal) -> dict[int, dict[str, str]]:
    return {subject: {field: told.text for field, told in values.items()} for subject, values in personal.read()}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(TOLD, max_size=5), max_size=4))
def test_what_was_told_last_counts_in_whatever_order_it_comes(batches: list[list[tuple[int, int, str | None]]]) -> None:
    latest: dict[int, tuple[int, int, str]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        personal, event_no = make_people(Path(scratch)), 0
        for batch in batches:
            for subject, day, text in batch:
                event_no += 1
                note(personal, (subject, event_no, day * DAY_MS, text))
                if text is not None:
                    latest[subject] = max(latest.get(subject, (-1, -1, "")), (day * DAY_MS, event_no, text))
            personal.settle()
        assert texts(open_personal(Path(scratch))) == {who: {"city": told[2]} for who, told in latest.items()}


def test_a_value_told_again_the_same_day_is_not_written_again(tmp_path: Path) -> None:
    personal = make_people(tmp_path)
    state = open_state(tmp_path)
    seen = []
    for event_no, at_ms in ((1, 0), (2, DAY_MS - 1), (3, DAY_MS)):
        note(personal, (1, event_no, at_ms, "Lyon"))
        personal.settle()
        seen.append(state.execute("SELECT last_event_no FROM personal")[0][0])
    assert seen == [1, 1, 3]


def test_an_event_that_is_withdrawn_takes_its_values_along(tmp_path: Path) -> None:
    personal = make_people(tmp_path)
    note(personal, (1, 5, 0, "Lyon"), (2, 6, 0, "Paris"))
    note(personal, (1, 7, 0, "Durand"), (3, 8, 0, "Petit"), field="last_name")
    personal.settle()
    note(personal, (2, 9, DAY_MS, "Nantes"))
    personal.withdraw([5, 8, 9])
    personal.settle()
    assert texts(personal) == {1: {"last_name": "Durand"}, 2: {"city": "Paris"}}
    personal.forget_from(7)
    assert texts(personal) == {2: {"city": "Paris"}}
    assert personal.forget([1, 2]) == 1
    assert texts(personal) == {}


def test_whose_key_is_destroyed_can_be_read_by_nobody_and_is_not_kept_again(tmp_path: Path) -> None:
    personal = make_people(tmp_path)
    note(personal, (1, 5, 0, "Lyon"), (2, 6, 0, "Paris"))
    personal.settle()
    open_keys(tmp_path, Settings())[0].destroy([1])
    note(personal, (1, 7, DAY_MS, "Nantes"))
    personal.settle()
    assert texts(open_personal(tmp_path)) == {2: {"city": "Paris"}}


@pytest.mark.parametrize(
    "change",
    ["subject = 3", "first_event_no = 1", "last_event_no = 9", "sealed = zeroblob(60)", "sealed = 'text'"],
)
def test_an_altered_row_is_named(tmp_path: Path, change: str) -> None:
    personal = make_people(tmp_path)
    note(personal, (1, 5, 0, "Lyon"), (2, 6, 0, "Paris"))
    personal.settle()
    open_state(tmp_path).execute(f"UPDATE personal SET {change} WHERE subject = 2")
    with pytest.raises(ParcoursError, match="personal"):
        list(personal.read())
    assert any("“personal”" in fault.sentence.en for fault in verify(tmp_path, Settings(), Silent()).faults)


def test_a_lost_row_shows(tmp_path: Path) -> None:
    personal = make_people(tmp_path)
    note(personal, (1, 5, 0, "Lyon"), (2, 6, 0, "Paris"))
    personal.settle()
    open_state(tmp_path).execute("DELETE FROM personal WHERE subject = 2")
    with pytest.raises(ParcoursError, match="row_damaged"):
        list(personal.read())


def test_the_door_seals_them_and_parts_and_timelines_hold_none(tmp_path: Path) -> None:
    firm = Firm(tmp_path, BLUEPRINT)
    told = {"name": "Ordered", "id_user": "C1", "field_last_name": "Canari", "field_city": "Ville-Canari"}
    firm.admit(
        {**told, "field_cart": 3.0, "occurred_ms": START_MS},
        {"name": "Viewed", "field_last_name": "Nobody", "field_about": "idea"},
        {"name": "Ordered", "id_user": "C2", "field_last_name": None},
    )
    values = [values for _, values in open_personal(tmp_path).read()]
    assert [{field: told.text for field, told in one.items()} for one in values] == [
        {"last_name": "Canari", "city": "Ville-Canari"}
    ]
    for part in (tmp_path / ".parcours" / "parts").rglob("*.parquet"):
        assert "Canari" not in repr(pq.read_table(part).to_pydict())
        assert "field_city" not in pq.read_schema(part).names
    timeline = firm.know.timeline("user:C1", "improve")
    assert [event.fields for event in timeline.events] == [{"cart": 3.0}]
    for file in (tmp_path / ".parcours").rglob("*"):
        assert not file.is_file() or b"Canari" not in file.read_bytes(), file


def test_a_load_cut_short_leaves_none(tmp_path: Path) -> None:
    firm = Firm(tmp_path, BLUEPRINT)
    firm.admit({"name": "Ordered", "id_user": "C1", "field_city": "Lyon"})
    first = firm.manifest.reserve_event_nos(1)
    later = {"name": "Ordered", "id_user": "C2", "field_city": "Paris", "occurred_ms": START_MS + 1}
    firm.door.admit(firm.batch(later), first, START_MS)
    firm.door.settle()
    assert len(texts(open_personal(tmp_path))) == 2
    firm.door.forget_from(first)
    assert list(texts(open_personal(tmp_path)).values()) == [{"city": "Lyon"}]


def test_many_people_at_once_are_settled_with_their_keys_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parcours.know.personal.MOST_PENDING", 1)
    firm = Firm(tmp_path, BLUEPRINT)
    firm.door.admit(firm.batch(*({"id_user": f"C{n}", "field_city": f"V{n}"} for n in range(3))), 0, START_MS)
    assert sorted(values["city"] for values in texts(open_personal(tmp_path)).values()) == ["V0", "V1", "V2"]
