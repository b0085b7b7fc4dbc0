"""The queues of what waits to be carried out: in order, each destination for itself, and never short in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.outbox import OutboxTable, Waiting
from parcours.engine.store.sqlite import PAGE_BYTES, open_database
from parcours.errors import ParcoursError


def fill(path: Path) -> tuple[int, int]:
    """Put parcels into the queues; return the pages of their index, and of another one that is empty."""
    database = open_database(path)
    OutboxTable(database).add([Waiting(f"shop{number % 2}", f"m{number}", number, b"sealed") for number in range(6)])
    AsideEvents(database)
    found = dict(database.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'index'"))
    database.truncate_log()
    database.close()
    return int(found["outbox_by_destination"] or 0), int(found["aside_by_time"] or 0)


def test_each_queue_in_order(tmp_path: Path) -> None:
    fill(tmp_path / "journal.db")
    outbox = OutboxTable(open_database(tmp_path / "journal.db"))
    assert [one.message_id for _, one in outbox.take("shop1", 2)] == ["m1", "m3"]
    assert [one.message_id for _, one in outbox.take("shop1", 9)] == ["m1", "m3", "m5"]
    assert outbox.take("nowhere", 9) == []
    outbox.done("shop1", 4)
    assert [one.message_id for _, one in outbox.take("shop1", 9)] == ["m5"]
    assert [one.message_id for _, one in outbox.take("shop0", 9)] == ["m0", "m2", "m4"]


def test_an_index_that_lost_its_lines_ends_no_queue(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    ours, empty = fill(path)
    content = bytearray(path.read_bytes())
    other = content[(empty - 1) * PAGE_BYTES : empty * PAGE_BYTES]
    content[(ours - 1) * PAGE_BYTES : ours * PAGE_BYTES] = other
    path.write_bytes(content)
    outbox = OutboxTable(open_database(path))
    with pytest.raises(ParcoursError) as told:
        outbox.take("shop1", 9)
    assert told.value.code == "row_damaged"
