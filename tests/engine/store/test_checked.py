"""Checked tables: an altered row is named, a lost or doubled one shows, and older tables are taken over."""

from __future__ import annotations

import pytest

from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database, open_database
from parcours.errors import ParcoursError


def make(path, fill: bool = True) -> tuple[Database, CheckedTable]:
    database = open_database(path)
    database.execute(
        "CREATE TABLE IF NOT EXISTS cities (name TEXT PRIMARY KEY, people INTEGER, seal BLOB, checksum BLOB)"
    )
    table = CheckedTable(database, "cities", ("name", "people", "seal"), ("name",))
    if fill:
        table.put([("Lyon", 5, b"a"), ("Lille", 2, None), ("Brest", True, b"")])
    return database, table


def test_rows_come_back_as_they_were_put(tmp_path) -> None:
    _, table = make(tmp_path / "a.db")
    table.put([("Lille", 3, b"b")])
    assert table.all("name") == [("Brest", 1, b""), ("Lille", 3, b"b"), ("Lyon", 5, b"a")]
    assert table.some("WHERE people > ?", (2,)) == [("Lyon", 5, b"a"), ("Lille", 3, b"b")]
    assert table.drop("people > 2") == 2
    assert table.drop("people > 2") == 0
    _, again = make(tmp_path / "a.db", fill=False)
    assert again.all() == [("Brest", 1, b"")]


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("UPDATE cities SET people = 6 WHERE name = 'Lyon'", "Lyon"),
        ("UPDATE cities SET people = '5' WHERE name = 'Lyon'", None),
        ("UPDATE cities SET people = 5.5 WHERE name = 'Lyon'", "Lyon"),
        ("UPDATE cities SET seal = 'a' WHERE name = 'Lyon'", "Lyon"),
        ("UPDATE cities SET name = 'Lyons' WHERE name = 'Lyon'", "Lyons"),
        ("UPDATE cities SET checksum = NULL WHERE name = 'Lyon'", "Lyon"),
        ("UPDATE cities SET checksum = 7 WHERE name = 'Lyon'", "Lyon"),
        ("DELETE FROM cities WHERE name = 'Lyon'", "cities"),
        ("DELETE FROM cities", "cities"),
        ("DELETE FROM tallies", "tallies"),
        ("UPDATE tallies SET rows = 2", "tallies"),
        ("UPDATE tallies SET sum = x'00'", "tallies"),
        ("CREATE TABLE old AS SELECT * FROM cities; DROP TABLE cities; CREATE TABLE cities (name TEXT, people INTEGER, "
         "seal BLOB, checksum BLOB); INSERT INTO cities SELECT * FROM old UNION ALL SELECT * FROM old", "cities"),
    ],
)  # fmt: skip
def test_a_change_past_the_table_is_named(tmp_path, harm, named) -> None:
    database, table = make(tmp_path / "a.db")
    database.execute(harm)
    if named is None:  # SQLite turns the text back to the same number.
        assert len(table.all()) == 3
        return
    with pytest.raises(ParcoursError) as caught:
        table.all()
    assert caught.value.code == "row_damaged"
    assert named in str(caught.value)
    _, again = make(tmp_path / "a.db", fill=False)
    with pytest.raises(ParcoursError):
        again.all()


def test_a_row_cannot_pass_for_one_of_another_table(tmp_path) -> None:
    database, _ = make(tmp_path / "a.db")
    database.execute("CREATE TABLE towns AS SELECT * FROM cities")
    with pytest.raises(ParcoursError, match="Lyon"):
        CheckedTable(database, "towns", ("name", "people", "seal"), ("name",)).some("WHERE name = 'Lyon'")


def test_a_change_that_is_rolled_back_leaves_the_tally_alone(tmp_path) -> None:
    database, table = make(tmp_path / "a.db")

    def fail() -> None:
        with database.transaction():
            table.put([("Nice", 1, b"")])
            table.drop("name = 'Lyon'")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [row[0] for row in table.all()] == ["Lyon", "Lille", "Brest"]


def test_a_table_of_an_older_version_is_taken_over_once(tmp_path) -> None:
    database = open_database(tmp_path / "a.db")
    database.execute("CREATE TABLE cities (name TEXT PRIMARY KEY, people INTEGER)")
    database.execute("INSERT INTO cities VALUES ('Lyon', 5), ('Lille', 2)")
    for _ in range(2):
        table = CheckedTable(database, "cities", ("name", "people"), ("name",))
        assert table.all("name") == [("Lille", 2), ("Lyon", 5)]
    database.execute("UPDATE cities SET people = 9")
    with pytest.raises(ParcoursError):
        table.all()


def test_checksums_may_be_keyed(tmp_path) -> None:
    database, _ = make(tmp_path / "a.db")
    with pytest.raises(ParcoursError):
        CheckedTable(database, "cities", ("name", "people", "seal"), ("name",), b"secret").all()


def test_what_is_read_at_once_is_of_one_moment(tmp_path) -> None:
    database, table = make(tmp_path / "a.db")
    _, other = make(tmp_path / "a.db", fill=False)
    with database.snapshot():
        assert len(table.all()) == 3
        other.put([("Nice", 1, b"")])
        assert len(table.all()) == 3
    assert len(table.all()) == 4
