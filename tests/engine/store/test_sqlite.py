"""Tests of one SQLite file: its settings, its transactions, and what it says when it is damaged or full."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.engine.store.sqlite import Database, disk_full, open_database
from parcours.errors import ParcoursError


def test_settings_are_those_of_a_record(tmp_path: Path) -> None:
    database = open_database(tmp_path / "a" / "state.db")
    found = {
        name: database.execute(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
    }
    assert found == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}


def insert_then_fail(database: Database) -> None:
    with database.transaction():
        with database.transaction():
            database.execute("INSERT INTO t VALUES (3, 'three')")
        raise disk_full(database.path)


def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state.db")
    database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    with database.transaction():
        database.executemany("INSERT INTO t VALUES (?, ?)", [(1, "one"), (2, "two")])
    with pytest.raises(ParcoursError):
        insert_then_fail(database)
    database.close()
    database.close()
    assert open_database(tmp_path / "state.db").execute("SELECT a, b FROM t ORDER BY a") == [(1, "one"), (2, "two")]


def test_what_is_deleted_leaves_the_file(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state.db")
    database.execute("CREATE TABLE t (b TEXT)")
    database.executemany("INSERT INTO t VALUES (?)", [(f"PLANTED-{n}",) for n in range(200)])
    database.truncate_log()
    assert b"PLANTED-" in (tmp_path / "state.db").read_bytes()
    database.execute("DELETE FROM t")
    database.truncate_log()
    for path in tmp_path.iterdir():
        assert b"PLANTED-" not in path.read_bytes()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"not a database " * 400)
    with pytest.raises(ParcoursError) as caught:
        open_database(tmp_path / "state.db")
    assert caught.value.code == "database_damaged"
    assert "state.db" in str(caught.value)
    assert caught.value.faults[0].remedy.fr
    assert caught.value.faults[0].remedy.en


def test_a_full_database_says_so_and_keeps_what_was_there(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state.db")
    database.execute("CREATE TABLE t (b BLOB)")
    database.execute("INSERT INTO t VALUES (?)", (b"first",))
    database.execute("PRAGMA max_page_count=4")
    with pytest.raises(ParcoursError) as caught, database.transaction():
        database.execute("INSERT INTO t VALUES (?)", (bytes(100_000),))
    assert caught.value.code == "disk_full"
    assert database.execute("SELECT b FROM t") == [(b"first",)]


def test_a_held_database_says_so(tmp_path: Path) -> None:
    holder, other = open_database(tmp_path / "state.db"), open_database(tmp_path / "state.db")
    holder.execute("CREATE TABLE t (a INTEGER)")
    other.execute("PRAGMA busy_timeout=20")
    with holder.transaction():
        holder.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(ParcoursError) as caught:
            other.execute("INSERT INTO t VALUES (2)")
    assert caught.value.code == "database_busy"
