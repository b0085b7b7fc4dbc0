"""The reading of a real PostgreSQL: its types, its late commits, its restarts, its refusals."""

from __future__ import annotations

import datetime as dt
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.collect.connectors.conftest import read_ids, rows_source
from tests.postgres import PASSWORD, Postgres
from tests.wire import Wire

from parcours.collect.connectors.contract import Inlet
from parcours.collect.connectors.memory import MemoryPort
from parcours.collect.connectors.sql import SQL
from parcours.collect.source import Time
from parcours.errors import ParcoursError
from parcours.settings import Settings


@pytest.fixture
def shop(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    postgres_server.run(
        "DROP SCHEMA IF EXISTS shop CASCADE",
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.orders (id bigserial PRIMARY KEY, at timestamptz NOT NULL, name text)",
        "CREATE INDEX ON shop.orders (at, id)",
    )
    return postgres_server


def open_shop(server: Postgres, port: int | None = None, source: Any = None, **options: Any) -> Inlet:
    plain = {"url": server.url(port), "table": "shop.orders", "cursor": "at", "key": "id", **options}
    plain = {name: value for name, value in plain.items() if value is not None}
    return SQL.open_inlet(source or rows_source("sql"), plain, Settings(), Path())


def put(count: int, at: str = "now()") -> str:
    return f"INSERT INTO shop.orders (at, name) SELECT {at}, 'Order Completed' FROM generate_series(1, {count})"


@pytest.mark.parametrize("key", ["id", None])
@pytest.mark.parametrize("overlap", ["0s", None])
def test_ties_at_page_ends_and_restarts_between_all_pages_lose_nothing(
    shop: Postgres, key: str | None, overlap: str | None
) -> None:
    shop.run(put(40, "'2026-01-05 12:00:00.000001+00'"), put(45, "'2026-01-05 12:00:00.000002+00'"))
    port = MemoryPort()
    for _ in range(15):
        port.restart()
        port.stop_after = 1
        open_shop(shop, key=key, overlap=overlap, batch=7).bring(port)
    assert sorted(read_ids(port.records)) == list(range(1, 86))


def test_a_transaction_that_commits_late_is_not_lost(shop: Postgres) -> None:
    port = MemoryPort()
    inlet = open_shop(shop)
    slow = shop.connect()
    slow.cursor().execute(put(3))
    time.sleep(0.01)
    shop.run(put(2))
    inlet.bring(port)
    assert read_ids(port.records) == [4, 5], "the slow transaction's rows have smaller times, and are not there yet"
    slow.commit()
    slow.close()
    inlet.bring(port)
    assert sorted(read_ids(port.records)) == [1, 2, 3, 4, 5]


def test_writers_at_work_and_a_reader_that_restarts_lose_and_double_nothing(shop: Postgres) -> None:
    done = threading.Event()

    def write(seed: int) -> None:
        connection = shop.connect()
        for number in range(40):
            connection.cursor().execute(put(1 + (number + seed) % 4, "clock_timestamp()"))
            time.sleep(0.002 * ((number * seed) % 3))
            connection.commit()
        connection.close()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(1, 5)]
    for writer in writers:
        writer.start()
    threading.Thread(target=lambda: ([writer.join() for writer in writers], done.set()), daemon=True).start()
    port = MemoryPort()
    rounds = 0
    while not done.is_set():
        rounds += 1
        port.restart()
        port.stop_after = 1 + rounds % 3
        open_shop(shop, batch=5).bring(port)
    port.restart()
    open_shop(shop, batch=5).bring(port)
    assert sorted(read_ids(port.records)) == list(range(1, 401))


TYPES = """SELECT 1 AS id, 'x'::text AS name, timestamptz '2026-03-29 02:30:00.123456+02' AS at,
    timestamp '2026-01-05 12:00:00' AS wall, date '2026-01-05' AS day, time '12:30' AS clock,
    numeric '12345678901234567890.0100' AS amount, 1.5::float8 AS ratio, 'NaN'::float8 AS odd, true AS yes,
    NULL::text AS nothing, uuid '00000000-0000-0000-0000-000000000007' AS number, '{"mail": "a@b.fr"}'::jsonb AS person,
    ARRAY[1, 2] AS several, interval '1 day 2 ms' AS lasted, '10.0.0.7'::inet AS address, 9007199254740993 AS large"""


def test_every_type_has_its_place_in_json(shop: Postgres) -> None:
    names = ("wall", "day", "clock", "amount", "ratio", "odd", "yes", "nothing", "number", "person.mail")
    names += ("several", "lasted", "address", "large")
    source = rows_source("sql", ids={"user": "id"}, objects=dict(zip(names, names, strict=True)))
    port = MemoryPort()
    open_shop(shop, source=source, table=None, query=TYPES).bring(port)
    assert port.unreadable == []
    assert msgspec.json.decode(port.records[0]) == {
        "id": 1,
        "name": "x",
        "at": "2026-03-29T00:30:00.123456Z",
        "wall": "2026-01-05T12:00:00",
        "day": "2026-01-05",
        "clock": "12:30:00",
        "amount": "12345678901234567890.0100",
        "ratio": 1.5,
        "odd": "nan",
        "yes": True,
        "nothing": None,
        "number": "00000000-0000-0000-0000-000000000007",
        "person": {"mail": "a@b.fr"},
        "several": [1, 2],
        "lasted": 86_400_002,
        "address": "10.0.0.7",
        "large": 9_007_199_254_740_993,
    }


@pytest.mark.parametrize(
    ("type", "first", "second"),
    [
        ("timestamptz", "2026-01-05 12:00:00.000001+09", "2026-01-05 12:00:00.000002+09"),
        ("timestamp", "2026-01-05 12:00:00.000001", "2026-01-05 12:00:00.000002"),
        ("date", "2026-01-05", "2026-01-06"),
        ("integer", "7", "8"),
        ("bigint", "9007199254740993", "9007199254740994"),
        ("numeric", "12345678901234567890.5", "12345678901234567890.6"),
        ("uuid", "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000008"),
        ("text", "a", "b"),
    ],
)
@pytest.mark.parametrize("key", ["id", None])
@pytest.mark.parametrize("overlap", [0, None])
def test_every_type_may_be_the_cursor(
    shop: Postgres, type: str, first: str, second: str, key: str | None, overlap: int | None
) -> None:
    shop.run(f"CREATE TABLE shop.typed (id int, at {type}, name text)")
    add = "INSERT INTO shop.typed VALUES ({}, '{}', 'x')"
    shop.run(add.format(1, first), add.format(2, first))
    port = MemoryPort()
    for _ in range(3):
        open_shop(shop, table="shop.typed", key=key, overlap=overlap, batch=1).bring(port)
    shop.run(add.format(3, first) if key is None or overlap is None else add.format(3, second), add.format(4, second))
    for _ in range(3):
        open_shop(shop, table="shop.typed", key=key, overlap=overlap, batch=1).bring(port)
    assert sorted(read_ids(port.records)) == [1, 2, 3, 4]


@pytest.mark.parametrize("type", ["real", "double precision"])
def test_a_floating_cursor_is_told_before_anything_is_lost(shop: Postgres, type: str) -> None:
    shop.run(f"CREATE TABLE shop.typed (id int, at {type}, name text)", "INSERT INTO shop.typed VALUES (1, 0.7, 'x')")
    port = MemoryPort()
    with pytest.raises(ParcoursError) as told:
        open_shop(shop, table="shop.typed").bring(port)
    assert told.value.code == "cursor_inexact"
    query = "SELECT id, (at * 1000)::bigint AS at, name FROM shop.typed"
    open_shop(shop, table=None, query=query).bring(port)
    assert read_ids(port.records) == [1]


def test_bytea_goes_to_quarantine_with_the_reason(shop: Postgres) -> None:
    port = MemoryPort()
    query = "SELECT 1 AS id, now() AS at, '\\x00ff'::bytea AS name"
    open_shop(shop, table=None, query=query).bring(port)
    assert port.records == []
    assert port.unreadable[0].code == "bytes_in_column"


def test_a_mixed_case_table_and_a_column_named_as_a_word_of_sql_are_read(shop: Postgres) -> None:
    shop.run('CREATE TABLE shop."Orders" (id int, "orderedAt" timestamptz, name text, "user" text)')
    shop.run("""INSERT INTO shop."Orders" VALUES (1, now(), 'x', 'u1')""")
    port = MemoryPort()
    source = rows_source("sql", time=Time(column="orderedAt"), ids={"user": "user"})
    open_shop(shop, source=source, table="shop.Orders", cursor="orderedAt").bring(port)
    assert msgspec.json.decode(port.records[0])["user"] == "u1"


def test_the_database_is_never_written_to(shop: Postgres) -> None:
    shop.run(
        "CREATE FUNCTION shop.sly() RETURNS text LANGUAGE sql AS "
        "$$ INSERT INTO shop.orders (at, name) VALUES (now(), 'x') RETURNING name $$"
    )
    inlet = open_shop(shop, table=None, query="SELECT 1 AS id, now() AS at, shop.sly() AS name")
    with pytest.raises(ParcoursError) as told:
        inlet.bring(MemoryPort())
    assert told.value.code == "query_refused"
    assert "read-only" in str(told.value)


def test_a_server_that_goes_away_is_told_and_reading_resumes_where_it_was(shop: Postgres) -> None:
    shop.run(put(30))
    wire = Wire(shop.port)
    port = MemoryPort()
    inlet = open_shop(shop, wire.port, batch=10)
    port.after_delivery = wire.cut
    with pytest.raises(ParcoursError) as told:
        inlet.bring(port)
    assert told.value.code == "database_unreachable"
    port.after_delivery = None
    with pytest.raises(ParcoursError) as told:
        inlet.bring(port)
    assert told.value.code == "database_unreachable"
    wire.mend()
    inlet.bring(port)
    wire.cut()
    assert sorted(read_ids(port.records)) == list(range(1, 31))


def test_a_server_that_crashes_and_comes_back_loses_nothing(shop: Postgres) -> None:
    shop.run(put(20), "CHECKPOINT")
    port = MemoryPort(stop_after=1)
    inlet = open_shop(shop, batch=5)
    inlet.bring(port)
    shop.stop()
    port.restart()
    with pytest.raises(ParcoursError):
        inlet.bring(port)
    shop.start()
    inlet.bring(port)
    assert sorted(read_ids(port.records)) == list(range(1, 21))


@pytest.mark.parametrize(
    ("password", "options", "code"),
    [
        ("wrong-password-7391", {}, "query_refused database_unreachable"),
        (PASSWORD, {"query": "SELECT id, at, nam FROM shop.orders", "table": None}, "query_refused"),
        (
            PASSWORD,
            {"query": "SELECT 'jean@x.fr'::int AS id, at, name FROM shop.orders", "table": None},
            "query_refused",
        ),
    ],
)
def test_no_secret_and_no_value_of_a_row_stands_in_an_error(
    shop: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    password: str,
    options: dict[str, Any],
    code: str,
) -> None:
    shop.run(put(1))
    monkeypatch.setenv("DB_PASSWORD", password)
    inlet = open_shop(shop, **options)
    with pytest.raises(ParcoursError) as told:
        inlet.bring(MemoryPort())
    error = told.value
    assert error.code in code
    told_of = f"{error} {error!r} {error.__cause__!r}"
    assert "jean@x.fr" not in told_of
    assert password not in f"{told_of} {inlet!r} {vars(inlet)} {caplog.text}"


def test_rows_arrive_at_a_rate_that_a_shop_needs(shop: Postgres) -> None:
    """No timing is asserted; the figure is printed for those who ask (-rP)."""
    shop.run(put(20_000, "clock_timestamp()"))
    port = MemoryPort()
    start = time.perf_counter()
    open_shop(shop).bring(port)
    taken = time.perf_counter() - start
    print(f"20,000 rows in {taken:.2f} s, {20_000 / taken:,.0f} rows/s; cursor {len(port.cursors[-1]):,} bytes")
    assert len(set(read_ids(port.records))) == len(port.records) == 20_000
    assert dt.datetime.fromisoformat(read_ids(port.records, "at")[0]).tzinfo is not None
