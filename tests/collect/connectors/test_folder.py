"""The watched folder: finished files are loaded, half-written ones are not, whatever a writer does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.collect.connectors.conftest import where_of

from parcours.collect.connectors.contract import Inlet
from parcours.collect.connectors.folder import FOLDER
from parcours.collect.connectors.memory import MemoryPort
from parcours.collect.source import EventName, Lookup, Source, SourceEvent, Time
from parcours.errors import ParcoursError
from parcours.settings import Settings
from parcours.words import Words


def watch(folder: Path, file: str = "data/orders-*.csv", lookup: Lookup | None = None) -> Inlet:
    events = (SourceEvent(name=EventName(text="Order Completed")),)
    source = Source(source="orders", file=file, time=Time(column="at"), events=events, lookup=lookup)
    return FOLDER.open_inlet(source, {}, Settings(), folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    return place


def look(inlet: Inlet, port: MemoryPort, times: int = 1) -> int:
    for _ in range(times):
        inlet.bring(port)
    return port.reloads


def test_a_new_file_is_loaded_once_two_looks_find_it_the_same(data: Path) -> None:
    inlet, port = watch(data.parent), MemoryPort()
    assert look(inlet, port, 3) == 0
    (data / "orders-1.csv").write_text("at\n")
    assert look(inlet, port) == 0, "it may still be written to"
    assert look(inlet, port) == 1
    assert look(inlet, port, 5) == 1, "nothing has changed"
    (data / "orders-2.csv").write_text("at\n")
    assert look(inlet, port, 2) == 2


def test_a_file_that_grows_from_look_to_look_is_never_loaded_half(data: Path) -> None:
    inlet, port = watch(data.parent), MemoryPort()
    with (data / "orders-1.csv").open("w") as file:
        for line in range(6):
            file.write(f"line {line}\n")
            file.flush()
            assert look(inlet, port) == 0
    assert look(inlet, port, 2) == 1


def test_a_file_that_is_rewritten_in_place_counts_as_changed_even_at_the_same_size(data: Path) -> None:
    path = data / "orders-1.csv"
    path.write_text("aaaa")
    inlet, port = watch(data.parent), MemoryPort()
    assert look(inlet, port, 2) == 1
    path.write_text("bbbb")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1))
    assert look(inlet, port, 2) == 2


def test_a_file_that_goes_tells_the_load_but_the_last_one_does_not(data: Path) -> None:
    for number in (1, 2):
        (data / f"orders-{number}.csv").write_text("at\n")
    inlet, port = watch(data.parent), MemoryPort()
    assert look(inlet, port, 2) == 1
    (data / "orders-1.csv").unlink()
    assert look(inlet, port, 2) == 2
    (data / "orders-2.csv").unlink()
    assert look(inlet, port, 3) == 2, "a load without any file would be an error that nobody can mend"


def test_a_file_of_another_name_does_not_count(data: Path) -> None:
    inlet, port = watch(data.parent), MemoryPort()
    (data / "orders-1.csv.part").write_text("at\n")
    assert look(inlet, port, 3) == 0
    (data / "orders-1.csv.part").rename(data / "orders-1.csv")
    assert look(inlet, port, 2) == 1


def test_a_lookup_is_watched_too(data: Path) -> None:
    (data / "orders-1.csv").write_text("at\n")
    stores = data / "stores.csv"
    stores.write_text("id\n")
    inlet = watch(data.parent, lookup=Lookup(file="data/stores.csv", key="id", columns=("name",)))
    port = MemoryPort()
    assert look(inlet, port, 2) == 1
    stores.write_text("id\n1\n")
    assert look(inlet, port, 2) == 2


def test_a_load_that_fails_is_told_and_tried_again_until_it_succeeds(data: Path) -> None:
    (data / "orders-1.csv").write_text("at\n")
    failing = [True, True]

    def load() -> None:
        if failing and failing.pop():
            raise ParcoursError("file_changed", Words("Non.", "No."), Words("Attendez.", "Wait."))

    inlet, port = watch(data.parent), MemoryPort(reload=load)
    look(inlet, port)
    for _ in range(2):
        with pytest.raises(ParcoursError):
            inlet.bring(port)
    assert look(inlet, port) == 1
    assert look(inlet, port, 3) == 1


def test_a_place_that_is_set_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(ParcoursError) as told:
        watch(tmp_path, "${exports}/x.csv").bring(MemoryPort())
    assert told.value.code == "place_not_set"


def test_a_stop_loads_nothing_more(data: Path) -> None:
    (data / "orders-1.csv").write_text("at\n")
    inlet, port = watch(data.parent), MemoryPort()
    look(inlet, port)
    port.ask_to_stop()
    assert look(inlet, port) == 0


def test_it_is_not_named_and_has_no_options() -> None:
    where = where_of("{}", "in")
    assert [fault.code for fault in FOLDER.check({}, where)] == ["folder_by_itself"]
    with pytest.raises(ParcoursError) as told:
        FOLDER.open_inlet(Source(source="x", connector="folder"), {}, Settings(), Path())
    assert told.value.code == "folder_by_itself"
    with pytest.raises(ParcoursError) as told:
        FOLDER.open_outlet("x", {}, Settings(), Path())
    assert told.value.code == "connector_role"
