"""Figures over the journal: sums by source, what waits, and nothing where nothing is; it never writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.figures import LATEST_LOTS, LATEST_ROWS, Figures, Waits
from parcours.engine.store.journal import TAKEN, Frame, Journal
from parcours.engine.store.manifest import FileState, Manifest, Quarantined
from parcours.engine.store.outbox import OutboxTable, Waiting
from parcours.engine.store.sqlite import Database, open_database
from parcours.errors import ParcoursError
from parcours.words import Words

JOURNAL = Path(".parcours") / "journal.db"


@pytest.fixture
def journal(tmp_path: Path) -> Database:
    """An empty journal file."""
    return open_database(tmp_path / JOURNAL)


def test_a_company_that_never_collected_has_no_figures(tmp_path: Path) -> None:
    with Figures(tmp_path) as figures:
        assert figures.came(0) == figures.outcomes(0) == figures.aside() == figures.rows_aside() == []
        assert figures.files() == figures.carried() == []
        assert figures.latest() == figures.outbox() == {}
        assert figures.backlog() == (0, Waits(0, None))
    assert not (tmp_path / JOURNAL).exists()


def test_what_came_is_summed_by_source_and_hour_without_what_is_only_told(tmp_path: Path, journal: Database) -> None:
    counts = {
        ("web", 9, "kept", ""): 100,
        ("web", 10, "kept", ""): 5,
        ("web", 10, "duplicate", ""): 2,
        ("web", 10, "quarantined", "no_id"): 1,
        ("web", 10, "told", "clock_not_corrected"): 4,
        ("app", 11, "discarded", ""): 3,
    }
    Arrivals(journal).add(counts, {"web": 36_000_500, "app": 39_600_000})
    with Figures(tmp_path) as figures:
        assert sorted(figures.came(10)) == [("app", 11, 3), ("web", 10, 8)]
        assert ("web", "told", "clock_not_corrected", 4) in figures.outcomes(10)
        assert ("web", "kept", "", 105) in figures.outcomes(9)
        assert figures.latest() == {"web": 36_000_500, "app": 39_600_000}


def test_what_was_put_back_came_once(tmp_path: Path, journal: Database) -> None:
    counts = {("web", 1, "quarantined", "no_id"): 3, ("web", 1, "replayed", "no_id"): 2, ("web", 1, "kept", ""): 2}
    Arrivals(journal).add(counts, {"web": 1})
    with Figures(tmp_path) as figures:
        assert figures.came(0) == [("web", 1, 3)]


def test_quarantine_is_grouped_by_source_and_fault_with_the_reasons_of_the_latest(
    tmp_path: Path, journal: Database
) -> None:
    old, new = Words("ancienne", "old"), Words("nouvelle", "new")
    many = LATEST_LOTS + 10
    events = [Aside("web", "no_id", "wire.no_id", old if n < 10 else new, 1_000 + n, b"x") for n in range(many)]
    AsideEvents(journal).add([*events, Aside("app", "no_id", "wire.no_id", old, 5, b"x")])
    with Figures(tmp_path) as figures:
        web, app = figures.aside()
    assert (web.source, web.code, web.count, web.first_ms, web.last_ms) == ("web", "no_id", many, 1_000, 999 + many)
    assert (web.reasons, web.rules) == ((new,), ("wire.no_id",))  # the old ones are beyond the latest
    assert (app.count, app.reasons) == (1, (old,))


def test_a_lot_counts_for_its_events(tmp_path: Path, journal: Database) -> None:
    few, many = Words("peu", "few"), Words("beaucoup", "many")
    lots = [Aside("web", "no_id", "few", few, 1, b"x", 1)] * 2 + [Aside("web", "no_id", "many", many, 2, b"x", 500)]
    AsideEvents(journal).add(lots)
    with Figures(tmp_path) as figures:
        (web,) = figures.aside()
    assert (web.count, web.reasons, web.rules) == (502, (many, few), ("many", "few"))


def test_rows_of_files_are_grouped_too(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    rows = [
        Quarantined("orders", "a.csv", line, "bad_date", f"r{line % 2}", f"r{line % 2}", b"x", line)
        for line in range(1, 6)
    ]
    state = FileState("orders", "a.csv", 1, 1, "0", "0", {"rows_read": 9, "quarantined": 5}, 0, 77)
    manifest.commit(quarantine=rows, file_states=[state])
    with Figures(tmp_path) as figures:
        (group,) = figures.rows_aside()
        assert (group.count, group.first_ms, group.last_ms, len(group.reasons), group.rules) == (5, 1, 5, 2, ())
        assert figures.files() == [state]
    assert LATEST_ROWS >= 1_000


def test_a_state_of_a_file_that_was_altered_is_named(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.commit(file_states=[FileState("orders", "a.csv", 1, 1, "0", "0", {}, 0, 77)])
    manifest.database.execute("UPDATE file_states SET loaded_ms = 78")
    with Figures(tmp_path) as figures, pytest.raises(ParcoursError) as caught:
        figures.files()
    assert caught.value.code == "row_damaged"


def test_backlog_and_queues_say_how_much_waits_and_since_when(tmp_path: Path, journal: Database) -> None:
    batches, outbox = Journal(journal), OutboxTable(journal)
    batches.append([Frame(1, 10, 500, b"x"), Frame(1, 20, 700, b"x")])
    with journal.transaction():
        batches.take_over_within(1)
    outbox.add([Waiting("hook", str(n), 100 + n, b"x") for n in range(5)])
    outbox.done("hook", 2)
    outbox.refuse("hook", 3, "http_410")
    with Figures(tmp_path) as figures:
        assert figures.backlog() == (1, Waits(20, 700))
        assert figures.outbox() == {"hook": Waits(2, 103)}
        assert sorted(figures.carried()) == [("hook", "delivered", "", 2), ("hook", "refused", "http_410", 1)]


def test_a_batch_that_was_taken_over_waits_no_more_wherever_it_stays(tmp_path: Path, journal: Database) -> None:
    Journal(journal).append([Frame(1, 10, 500, b"x"), Frame(1, 20, 700, b"x")])
    CheckedTable(journal, "taken", TAKEN, TAKEN[:1]).put([(1, 1)])
    with Figures(tmp_path) as figures:
        assert figures.backlog() == (1, Waits(20, 700))


def test_all_figures_are_of_one_moment(tmp_path: Path, journal: Database) -> None:
    arrivals = Arrivals(journal)
    arrivals.add({("web", 1, "kept", ""): 1}, {"web": 1})
    with Figures(tmp_path) as figures:
        assert figures.came(0) == [("web", 1, 1)]
        arrivals.add({("web", 1, "kept", ""): 1}, {"web": 1})  # whoever collects is not kept waiting
        assert figures.came(0) == [("web", 1, 1)]
    with Figures(tmp_path) as figures:
        assert figures.came(0) == [("web", 1, 2)]


def test_nothing_can_be_written_through_them(tmp_path: Path, journal: Database) -> None:
    Arrivals(journal)
    with Figures(tmp_path) as figures, pytest.raises(ParcoursError) as caught:
        figures._select("arrivals", "DELETE FROM arrivals")
    assert caught.value.code == "not_writable"


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        ("UPDATE arrivals SET count = 9", lambda figures: figures.came(0)),
        ("UPDATE arrivals SET outcome = 'lost'", lambda figures: figures.outcomes(0)),
        ("UPDATE latest SET received_ms = 9", lambda figures: figures.latest()),
        ("UPDATE carried SET count = 9", lambda figures: figures.carried()),
    ],
)
def test_a_figure_that_was_altered_is_named_and_not_added_up(
    tmp_path: Path, journal: Database, change: str, ask: Callable[[Figures], object]
) -> None:
    arrivals, outbox = Arrivals(journal), OutboxTable(journal)
    arrivals.add({("web", 1, "kept", ""): 1}, {"web": 1})
    outbox.add([Waiting("hook", "m", 1, b"x")])
    outbox.done("hook", 1)
    journal.execute(change)
    with Figures(tmp_path) as figures, pytest.raises(ParcoursError) as caught:
        ask(figures)
    assert caught.value.code == "row_damaged"
    assert change.split()[1] in str(caught.value)
