"""The journal over its file: batches in order, numbers given once, and where each inlet stood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from parcours.engine.store.journal import Frame, Journal, Spoilt
from parcours.engine.store.lost import DAMAGED, MISSING, Lost, LostBatches
from parcours.engine.store.sqlite import Database, open_database
from parcours.engine.store.write_keys import WriteKey, WriteKeys
from parcours.errors import ParcoursError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    one = open_database(tmp_path / "journal.db")
    yield one
    one.close()


@pytest.fixture
def journal(database: Database) -> Journal:
    return Journal(database)


def frame(n: int, inlet: str = "", cursor: bytes = b"") -> Frame:
    return Frame(100 + n, n, 1_000 * n, bytes([n]) * 10, inlet, cursor)


def take_over(database: Database, journal: Journal, last: int) -> None:
    with database.transaction():
        journal.take_over_within(last)


def test_batches_come_back_in_order_as_they_were_appended(journal: Journal) -> None:
    assert journal.append([frame(1), frame(2)]) == [1, 2]
    assert journal.append([frame(3)]) == [3]
    assert [(one.batch_no, one.hour, one.events, one.received_ms, one.body) for one in journal.pending()] == [
        (n, 100 + n, n, 1_000 * n, bytes([n]) * 10) for n in (1, 2, 3)
    ]
    assert [one.batch_no for one in journal.pending(after=2)] == [3]
    assert journal.append([]) == []


def test_what_is_read_at_once_is_bounded_and_at_least_one(journal: Journal) -> None:
    journal.append([frame(n) for n in range(1, 6)])
    assert [one.batch_no for one in journal.pending(most_bytes=1)] == [1]
    assert [one.batch_no for one in journal.pending(most_bytes=25)] == [1, 2]
    assert [one.batch_no for one in journal.pending(most_events=6)] == [1, 2, 3]


def test_numbers_are_never_given_twice(database: Database, journal: Journal) -> None:
    journal.append([frame(1), frame(2)])
    take_over(database, journal, 2)
    assert (journal.taken(), journal.last_batch_no(), journal.pending()) == (2, 2, [])
    assert Journal(database).append([frame(3)]) == [3]


def test_a_transaction_that_fails_takes_nothing_over(database: Database, journal: Journal) -> None:
    journal.append([frame(1)])

    def fail() -> None:
        with database.transaction():
            journal.take_over_within(1)
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()
    assert (journal.taken(), len(journal.pending())) == (0, 1)


def test_what_waits_is_counted_and_its_hours_are_needed(database: Database, journal: Journal) -> None:
    assert journal.backlog().oldest_ms is None
    journal.append([frame(n) for n in (1, 2, 3)])
    take_over(database, journal, 1)
    backlog = journal.backlog()
    assert (backlog.batches, backlog.events, backlog.bytes, backlog.oldest_ms, backlog.last_batch_no) == (
        2, 5, 20, 2_000, 3
    )  # fmt: skip
    assert journal.hours() == {102, 103}


def test_an_inlet_finds_the_cursor_of_its_last_batch(database: Database, journal: Journal) -> None:
    journal.append([frame(1, "orders", b"a"), frame(2, "orders", b"b"), frame(3, "calls", b"c"), frame(4, "orders")])
    assert (journal.cursor("orders"), journal.cursor("calls"), journal.cursor("nobody")) == (b"b", b"c", None)
    take_over(database, journal, 4)
    assert Journal(database).cursor("orders") == b"b"


def test_an_altered_cursor_is_told(database: Database, journal: Journal) -> None:
    journal.append([frame(1, "orders", b"a")])
    database.execute("UPDATE cursors SET cursor = x'00'")
    with pytest.raises(ParcoursError) as told:
        journal.cursor("orders")
    assert told.value.code == "journal_damaged"
    assert [error.code for error in journal.verify()] == ["journal_damaged"]


def test_a_hole_is_named_wherever_it_is(database: Database, journal: Journal) -> None:
    journal.append([frame(n) for n in range(1, 8)])
    database.execute("DELETE FROM batches WHERE batch_no IN (1, 4, 5, 7)")
    found = journal.read()
    assert [(one.first, one.last) if isinstance(one, Spoilt) else one.batch_no for one in found] == [
        (1, 1), 2, 3, (4, 5), 6, (7, 7)
    ]  # fmt: skip
    with pytest.raises(ParcoursError):
        journal.pending()
    assert len(list(journal.verify())) == 3


def test_a_journal_whose_file_is_gone_takes_nothing(tmp_path: Path, journal: Journal) -> None:
    (tmp_path / "journal.db").unlink()
    for attempt in (lambda: journal.append([frame(1)]), journal.prove, journal.check_place):
        with pytest.raises(ParcoursError) as told:
            attempt()
        assert told.value.code == "database_gone"


def test_lost_batches_are_told_until_they_are_forgotten(database: Database) -> None:
    lost = LostBatches(database)
    lost.add([Lost(3, 5, MISSING, 0, 100), Lost(9, 9, DAMAGED, 7, 200)])
    assert [error.code for error in lost.verify()] == [MISSING, DAMAGED]
    lost.remove(9)
    assert [one.first for one in lost.all()] == [3]
    lost.forget_before(101)
    assert list(lost.verify()) == []


def test_an_altered_note_is_told(database: Database) -> None:
    LostBatches(database).add([Lost(3, 5, MISSING, 0, 100)])
    database.execute("UPDATE lost SET last = 3")
    with pytest.raises(ParcoursError) as told:
        LostBatches(database).all()
    assert told.value.code == "row_damaged"


def test_write_keys_are_revoked_by_source_and_ending(database: Database) -> None:
    keys = WriteKeys(database)
    for digest, source, ending in (("1", "web", "aaaaaa"), ("2", "web", "bbbbbb"), ("3", "app", "aaaaaa")):
        keys.add(WriteKey(digest, source, ending, int(digest), None))
    assert keys.revoke("web", "aaaaaa", 50) == 1
    assert keys.revoke("web", "aaaaaa", 60) == 0
    assert [(one.digest, one.revoked_ms) for one in keys.all()] == [("3", None), ("1", 50), ("2", None)]


@pytest.mark.parametrize("harm", ["SET source = 'app'", "SET revoked_ms = NULL", "SET digest = '9'"])
def test_an_altered_key_is_told(database: Database, harm: str) -> None:
    WriteKeys(database).add(WriteKey("1", "web", "aaaaaa", 1, 40))
    database.execute(f"UPDATE write_keys {harm}")
    with pytest.raises(ParcoursError) as told:
        WriteKeys(database).all()
    assert told.value.code == "row_damaged"
