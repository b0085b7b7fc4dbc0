"""Counts by source and hour: added up, forgotten by age, and told when they were altered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from parcours.engine.store.arrivals import Arrival, Arrivals
from parcours.engine.store.sqlite import Database, open_database
from parcours.errors import ParcoursError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    one = open_database(tmp_path / "journal.db")
    yield one
    one.close()


def test_counts_add_up_by_what_they_count(database: Database) -> None:
    arrivals = Arrivals(database)
    arrivals.add({("web", 7, "kept", ""): 3, ("web", 7, "quarantined", "no_time"): 1}, {"web": 500})
    arrivals.add({("web", 7, "kept", ""): 2, ("web", 8, "kept", ""): 4, ("app", 7, "kept", ""): 0}, {"web": 400})
    assert arrivals.since(0) == [
        Arrival("web", 7, "kept", "", 5),
        Arrival("web", 7, "quarantined", "no_time", 1),
        Arrival("web", 8, "kept", "", 4),
    ]
    assert arrivals.since(8) == [Arrival("web", 8, "kept", "", 4)]
    assert (arrivals.total("kept"), arrivals.total("discarded")) == (9, 0)


def test_the_latest_moment_never_goes_back(database: Database) -> None:
    arrivals = Arrivals(database)
    for moments in ({"web": 500}, {"web": 400, "app": 1}, {"app": 9}):
        arrivals.add({}, moments)
    assert arrivals.latest() == {"app": 9, "web": 500}


def test_undeclared_names_are_listed_by_source(database: Database) -> None:
    arrivals = Arrivals(database)
    arrivals.add({("web", 7, "undeclared", "a"): 1, ("web", 7, "undeclared", "b"): 1, ("web", 7, "kept", ""): 1}, {})
    assert arrivals.undeclared(7) == {"web": {"a", "b"}}
    assert arrivals.undeclared(8) == {}


def test_old_hours_are_forgotten_and_no_others(database: Database) -> None:
    arrivals = Arrivals(database)
    arrivals.add({("web", hour, "kept", ""): 1 for hour in range(6)}, {})
    arrivals.forget_before(4)
    assert [one.hour for one in arrivals.since(0)] == [4, 5]
    assert arrivals.total("kept") == 2


def test_a_transaction_that_fails_counts_nothing(database: Database) -> None:
    arrivals = Arrivals(database)
    arrivals.add({("web", 7, "kept", ""): 1}, {"web": 1})

    def fail() -> None:
        with database.transaction():
            arrivals.add({("web", 7, "kept", ""): 1}, {"web": 9})
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert arrivals.since(0) == [Arrival("web", 7, "kept", "", 1)]
    assert arrivals.latest() == {"web": 1}


@pytest.mark.parametrize(
    "harm", ["UPDATE arrivals SET count = 9", "UPDATE arrivals SET outcome = 'lost'", "DELETE FROM arrivals"]
)
def test_an_altered_count_is_told(database: Database, harm: str) -> None:
    arrivals = Arrivals(database)
    arrivals.add({("web", 7, "kept", ""): 1, ("web", 8, "kept", ""): 2}, {})
    database.execute(harm + " WHERE hour = 7")
    assert any(error.code == "row_damaged" for error in arrivals.counts.verify())
    if not harm.startswith("DELETE"):
        with pytest.raises(ParcoursError):
            arrivals.since(0)
