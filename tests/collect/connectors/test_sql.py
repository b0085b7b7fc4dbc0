"""The reading of tables: pages, ties, restarts, late rows, faults; on SQLite, which every machine has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.connectors.conftest import read_ids, rows_source, where_of

from parcours.collect.connectors.contract import Inlet
from parcours.collect.connectors.memory import MemoryPort
from parcours.collect.connectors.sql import SQL
from parcours.errors import ParcoursError
from parcours.settings import Settings


class CrashError(Exception):
    """The process dies here."""


class Shop:
    """A database of one table, ``orders (id, at, name)``, that others write to."""

    def __init__(self, path: Path) -> None:
        self.url = f"sqlite:///{path}"
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("CREATE TABLE orders (id, at, name)")

    def put(self, *rows: tuple[Any, Any], name: Any = "Order Completed") -> None:
        """Commit rows of (id, at)."""
        self.connection.executemany(
            "INSERT INTO orders (id, at, name) VALUES (?, ?, ?)", [(id, at, name) for id, at in rows]
        )

    def inlet(self, source: Any = None, **options: Any) -> Inlet:
        """Open an inlet on the table."""
        plain = {"url": self.url, "table": "orders", "cursor": "at", "key": "id", **options}
        plain = {name: value for name, value in plain.items() if value is not None}
        return SQL.open_inlet(source or rows_source("sql"), plain, Settings(), Path())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "shop.db")
    yield made
    made.connection.close()


def test_rows_come_in_the_order_of_the_cursor_and_new_ones_at_the_next_call(shop: Shop) -> None:
    shop.put((2, 20), (1, 10), (3, 30))
    port = MemoryPort()
    inlet = shop.inlet()
    inlet.bring(port)
    assert read_ids(port.records) == [1, 2, 3]
    inlet.bring(port)
    assert port.deliveries == 1, "nothing new must move nothing"
    shop.put((4, 40))
    inlet.bring(port)
    assert read_ids(port.records) == [1, 2, 3, 4]


def test_only_the_columns_that_the_source_names_leave_the_database(shop: Shop) -> None:
    shop.connection.execute("ALTER TABLE orders ADD COLUMN card_number TEXT DEFAULT '4970…'")
    shop.put((1, 10))
    port = MemoryPort()
    shop.inlet().bring(port)
    assert [msgspec.json.decode(one) for one in port.records] == [{"id": 1, "at": 10, "name": "Order Completed"}]


def test_without_a_row_key_what_tells_rows_apart_comes_along(shop: Shop) -> None:
    shop.put((1, 10), (2, 10))
    port = MemoryPort()
    shop.inlet(rows_source("sql", key=(), time=None)).bring(port)
    assert [sorted(msgspec.json.decode(one)) for one in port.records] == [["at", "id", "name"]] * 2


@pytest.mark.parametrize("key", ["id", None])
@pytest.mark.parametrize("overlap", [0, None, 25])
@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_no_row_is_lost_or_doubled_where_many_share_a_cursor_value(
    shop: Shop, key: str | None, overlap: int | None, batch: int
) -> None:
    shop.put(*[(number, 10 * (number // 7)) for number in range(50)])
    port = MemoryPort()
    shop.inlet(key=key, overlap=overlap, batch=batch).bring(port)
    assert sorted(read_ids(port.records)) == list(range(50))
    shop.put(*[(number, 70) for number in range(50, 60)])
    shop.inlet(key=key, overlap=overlap, batch=batch).bring(port)
    assert sorted(read_ids(port.records)) == list(range(60))


@pytest.mark.parametrize("key", ["id", None])
@pytest.mark.parametrize("place", ["before_delivery", "after_delivery"])
@pytest.mark.parametrize("crash", range(1, 8))
def test_a_crash_on_either_side_of_a_delivery_loses_and_doubles_nothing(
    shop: Shop, key: str | None, place: str, crash: int
) -> None:
    shop.put(*[(number, number // 5) for number in range(20)])
    port = MemoryPort()
    count = 0

    def die() -> None:
        nonlocal count
        count += 1
        if count == crash:
            raise CrashError

    setattr(port, place, die)
    with pytest.raises(CrashError):
        shop.inlet(key=key, batch=2).bring(port)
    port.restart()
    shop.inlet(key=key, batch=2).bring(port)
    assert sorted(read_ids(port.records)) == list(range(20))


def test_rows_that_are_committed_late_are_found_within_the_overlap(shop: Shop) -> None:
    shop.put((1, 100), (3, 300))
    port = MemoryPort()
    inlet = shop.inlet(overlap=150)
    inlet.bring(port)
    shop.put((2, 200), (0, 149), (9, 300))
    inlet.bring(port)
    assert read_ids(port.records) == [1, 3, 2, 9], "149 lies more than 150 before 300: it came too late"


def test_equal_rows_without_a_key_count_as_often_as_they_stand_there(shop: Shop) -> None:
    shop.put((1, 10), (1, 10), (1, 10))
    port = MemoryPort()
    inlet = shop.inlet(key=None, batch=1)
    inlet.bring(port)
    assert read_ids(port.records) == [1, 1, 1]
    shop.put((1, 10))
    inlet.bring(port)
    assert read_ids(port.records) == [1, 1, 1, 1]


def test_a_row_that_is_written_again_comes_again(shop: Shop) -> None:
    shop.put((1, 10), (2, 20))
    port = MemoryPort()
    inlet = shop.inlet()
    inlet.bring(port)
    shop.connection.execute("UPDATE orders SET at = 30, name = 'Order Cancelled' WHERE id = 1")
    inlet.bring(port)
    assert read_ids(port.records, "name")[-1] == "Order Cancelled"
    assert len(port.records) == 3


def test_a_row_without_a_cursor_value_waits_until_it_has_one(shop: Shop) -> None:
    shop.put((1, None), (2, 20))
    port = MemoryPort()
    inlet = shop.inlet()
    inlet.bring(port)
    assert read_ids(port.records) == [2]
    shop.connection.execute("UPDATE orders SET at = 21 WHERE id = 1")
    inlet.bring(port)
    assert read_ids(port.records) == [2, 1]


@pytest.mark.parametrize("overlap", [0, None])
def test_a_key_that_tells_no_rows_apart_is_told_and_nothing_is_lost(shop: Shop, overlap: int | None) -> None:
    shop.put((1, 10), (1, 10), (2, 10))
    port = MemoryPort()
    for batch in (1, 2, 50):
        with pytest.raises(ParcoursError) as told:
            shop.inlet(batch=batch, overlap=overlap).bring(port)
        assert told.value.code == "key_not_unique"
    assert port.records == []


def test_a_key_that_is_empty_behind_the_place_that_was_read_is_told(shop: Shop) -> None:
    shop.put((1, 10))
    port = MemoryPort()
    inlet = shop.inlet(overlap=0)
    inlet.bring(port)
    shop.put((None, 10))
    with pytest.raises(ParcoursError) as told:
        inlet.bring(port)
    assert told.value.code == "key_not_unique"


def test_bytes_go_to_quarantine_with_the_reason_and_the_rest_goes_on(shop: Shop) -> None:
    shop.put((1, 10))
    shop.put((2, 20), name=b"\x00\xff")
    shop.put((3, 30))
    port = MemoryPort()
    shop.inlet().bring(port)
    assert read_ids(port.records) == [1, 3]
    (aside,) = port.unreadable
    assert (aside.code, msgspec.json.decode(aside.body)) == ("bytes_in_column", {"id": 2, "at": 20})
    assert "name" in aside.reason.en
    assert "name" in aside.reason.fr
    port.restart()
    shop.inlet().bring(port)
    assert len(port.unreadable) == 1, "what was set aside once is not set aside again"


def test_a_query_may_hold_colons_percents_and_a_semicolon(shop: Shop) -> None:
    shop.put((1, 10))
    port = MemoryPort()
    query = "SELECT id, at, 'a :b 10% ' || strftime('%H:%M', 0) AS name FROM orders WHERE name LIKE 'Order%';\n"
    shop.inlet(table=None, query=query).bring(port)
    assert read_ids(port.records, "name") == ["a :b 10% 12:00"]


def test_a_source_reads_anew_when_its_columns_or_its_query_change(shop: Shop) -> None:
    shop.put((1, 10))
    port = MemoryPort()
    shop.inlet().bring(port)
    shop.inlet().bring(port)
    assert len(port.records) == 1
    shop.inlet(rows_source("sql", ids={"user": "name"}, objects={"order": "id"})).bring(port)
    assert len(port.records) == 1, "no other column is read"
    shop.inlet(table=None, query="SELECT * FROM orders").bring(port)
    assert len(port.records) == 2


def test_a_stop_ends_the_reading_after_the_page_at_hand(shop: Shop) -> None:
    shop.put(*[(number, number) for number in range(100)])
    port = MemoryPort(stop_after=2)
    shop.inlet(batch=10).bring(port)
    assert read_ids(port.records) == list(range(20))


def test_the_database_is_never_written_to(shop: Shop) -> None:
    shop.connection.execute("CREATE TABLE log (n)")
    shop.connection.execute("CREATE VIEW sly AS SELECT 1 AS id, 2 AS at, 'x' AS name")
    port = MemoryPort()
    inlet = shop.inlet(table=None, query="SELECT id, at, name FROM sly")
    inlet.bring(port)
    assert read_ids(port.records) == [1]
    with pytest.raises(ParcoursError) as told:
        shop.inlet(
            table=None, query="WITH x AS (SELECT 1) DELETE FROM log RETURNING 1 AS id, 1 AS at, 1 AS name"
        ).bring(MemoryPort())
    assert told.value.code == "query_refused"
    assert shop.connection.execute("SELECT count(*) FROM log").fetchone() == (0,)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"table": "nothing"}, "query_refused"),
        ({"cursor": "when"}, "column_missing"),
        ({"key": "number"}, "column_missing"),
        ({"url": "sqlite:////no/such/folder/x.db"}, "database_unreachable"),
        ({"overlap": "5min"}, "overlap_differs"),
    ],
)
def test_a_fault_of_the_other_side_is_told_and_passes(shop: Shop, options: dict[str, Any], code: str) -> None:
    shop.put((1, 10))
    port = MemoryPort()
    with pytest.raises(ParcoursError) as told:
        shop.inlet(**options).bring(port)
    assert told.value.code == code
    assert all(fault.remedy.fr and fault.remedy.en for fault in told.value.faults)
    shop.inlet().bring(port)
    assert read_ids(port.records) == [1]


def test_a_column_that_is_missing_is_told_with_those_that_are_there(shop: Shop) -> None:
    with pytest.raises(ParcoursError) as told:
        shop.inlet(rows_source("sql", ids={"user": "nam"})).bring(MemoryPort())
    assert told.value.code == "column_missing"
    assert "“name”" in told.value.faults[0].remedy.en
    assert "id, at, name" in told.value.faults[0].remedy.en


def test_a_dotted_column_reads_the_column_before_the_dot(shop: Shop) -> None:
    shop.put((1, 10))
    port = MemoryPort()
    shop.inlet(rows_source("sql", ids={"user": "name.mail"})).bring(port)
    assert "name" in msgspec.json.decode(port.records[0])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writes=st.lists(st.lists(st.integers(0, 12), max_size=6), min_size=1, max_size=8),
    keyed=st.booleans(),
    batch=st.integers(1, 5),
    stops=st.lists(st.integers(1, 3), max_size=8),
)
def test_whatever_is_written_in_order_arrives_once_however_often_it_is_stopped(
    tmp_path_factory: pytest.TempPathFactory,
    writes: list[list[int]],
    keyed: bool,
    batch: int,
    stops: list[int],
) -> None:
    shop = Shop(tmp_path_factory.mktemp("shop") / "shop.db")
    port = MemoryPort()
    highest, number = 0, 0
    for at, steps in enumerate(writes):
        for step in steps:
            # At most 12 below the highest value so far: within the overlap.
            value = max(0, highest - 12 + step)
            shop.put((number, value))
            highest, number = max(highest, value + (step > 9) * 3), number + 1
        port.restart()
        port.stop_after = stops[at] if at < len(stops) else None
        shop.inlet(key="id" if keyed else None, batch=batch, overlap=30).bring(port)
    port.restart()
    shop.inlet(key="id" if keyed else None, batch=batch, overlap=30).bring(port)
    assert sorted(read_ids(port.records)) == list(range(number))
    shop.connection.close()


def test_all_faults_of_the_options_are_told_at_once_with_their_lines() -> None:
    text = """url: nonsense
table: orders
query: DELETE FROM orders
cursor: at
batch: 0
every: 10ms
overlap: five
tabel: x
"""
    where = where_of(text, "in")
    found = {(fault.code, fault.line) for fault in SQL.check(where.node.data, where)}
    assert found == {
        ("bad_url", 1),
        ("table_or_query", 1),
        ("bad_query", 3),
        ("out_of_range", 5),
        ("out_of_range", 6),
        ("bad_duration", 7),
        ("unknown_key", 8),
    }


def test_good_options_have_no_fault() -> None:
    for text in (
        "{url: 'postgresql+pg8000://reader:${DB}@db/shop', table: public.orders, cursor: at}",
        "{url: '${DB}', query: 'WITH x AS (SELECT 1) SELECT * FROM x', cursor: at, key: id, overlap: 5min}",
        "{url: 'sqlite:////data/x.db', table: orders, cursor: id, overlap: 0, every: 1min, batch: 10}",
    ):
        where = where_of(text, "in")
        assert SQL.check(where.node.data, where) == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("oracle+nothing://x/y", "bad_url"),
        ("mysql+pymysql://x/y", "library_missing"),
        ("::::", "bad_url"),
        ("${NOT_SET_ANYWHERE}", "secret_not_set"),
    ],
)
def test_what_cannot_be_opened_is_told(url: str, code: str) -> None:
    with pytest.raises(ParcoursError) as told:
        SQL.open_inlet(rows_source("sql"), {"url": url, "table": "t", "cursor": "c"}, Settings(), Path())
    assert told.value.code == code
