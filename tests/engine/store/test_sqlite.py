"""Tests of one SQLite file: its settings, its transactions, and what it says when it is damaged or full."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from parcours.engine.store.sqlite import PAGE_BYTES, Database, disk_full, open_database
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
    for path in tmp_path.glob("state.db*"):
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


@pytest.mark.parametrize("harm", ["cut to nothing", "gone"])
def test_a_lost_database_is_not_made_anew_in_silence(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "state.db"
    open_database(path).close()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(b"")
    with pytest.raises(ParcoursError) as caught:
        open_database(path)
    assert caught.value.code == "database_damaged"
    assert "missing or empty" in caught.value.faults[0].sentence.en


@pytest.mark.parametrize("name", ["state.db", "keys.db", "audit.db", "journal.db"])
def test_nobody_is_told_to_start_anew_where_that_brings_back_whoever_was_erased(tmp_path: Path, name: str) -> None:
    open_database(tmp_path / name).close()
    (tmp_path / name).unlink()
    with pytest.raises(ParcoursError) as caught:
        open_database(tmp_path / name)
    remedy = caught.value.faults[0].remedy
    assert remedy.en.startswith(f"Restore {name} from a backup. Without one start anew")
    assert "only where nobody was erased" in remedy.en
    assert "que si personne n'a été effacé" in remedy.fr


def test_a_lost_list_of_accounts_is_moved_aside_with_its_mark_and_begun_anew(tmp_path: Path) -> None:
    open_database(tmp_path / "access.db").close()
    (tmp_path / "access.db").unlink()
    with pytest.raises(ParcoursError) as caught:
        open_database(tmp_path / "access.db")
    assert "move .parcours/access.db* and .parcours/made/access.db aside" in caught.value.faults[0].remedy.en
    for path in [*tmp_path.glob("access.db*"), tmp_path / "made" / "access.db"]:
        path.unlink()
    open_database(tmp_path / "access.db").close()


@pytest.mark.parametrize(("place", "value"), [(59, 2), (55, 1)])
def test_a_header_that_says_what_nobody_wrote_is_damage(tmp_path: Path, place: int, value: int) -> None:
    path = tmp_path / "state.db"
    database = open_database(path)
    database.execute("CREATE TABLE t (a TEXT)")
    database.execute("INSERT INTO t VALUES ('one')")
    database.close()
    content = bytearray(path.read_bytes())
    content[place] = value  # 52–55: the largest root page of an auto-vacuumed file; 56–59: the text encoding.
    path.write_bytes(content)
    with pytest.raises(ParcoursError) as caught:
        open_database(path).execute("SELECT a FROM t")
    assert caught.value.code == "database_damaged"


@pytest.mark.parametrize("sql", ["SELECT nothing FROM t", "SELECT a FROM nowhere", "INSERT INTO t VALUES (1)"])
def test_what_a_damaged_schema_gives_rise_to_is_damage(tmp_path: Path, sql: str) -> None:
    database = open_database(tmp_path / "state.db")
    database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    database.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(ParcoursError) as caught:
        database.execute(sql)
    assert caught.value.code == "database_damaged"


def test_text_that_is_none_is_damage(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state.db")
    with pytest.raises(ParcoursError) as caught:
        database.execute("SELECT CAST(x'ff' AS TEXT)")
    assert caught.value.code == "database_damaged"


def test_a_page_in_the_place_of_another_is_told_and_not_read_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = open_database(path)
    database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    database.executemany("INSERT INTO t VALUES (?, ?)", [(number, "x" * 300) for number in range(100)])
    assert [len(rows) for rows in database.read_on("SELECT a, b FROM t WHERE a > ? ORDER BY a LIMIT ?", -1, 40)] == [
        40,
        40,
        20,
    ]
    database.close()
    content = path.read_bytes()
    # The last leaf says again what the one before it says.
    path.write_bytes(content[:-PAGE_BYTES] + content[-2 * PAGE_BYTES : -PAGE_BYTES])
    read = open_database(path).read_on("SELECT a FROM t WHERE a > ? ORDER BY a LIMIT ?", -1, 1)
    with pytest.raises(ParcoursError) as caught:
        list(islice(read, 200))
    assert caught.value.code == "database_damaged"
