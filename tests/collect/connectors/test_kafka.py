"""Kafka in and out, over a real broker: offsets with records, cuts, restarts, refusals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from confluent_kafka import Producer
from tests import kafka_broker
from tests.collect.connectors.conftest import read_ids, rows_source, where_of
from tests.kafka_broker import Broker

from parcours.collect.connectors.contract import Inlet, Outlet, Parcel
from parcours.collect.connectors.kafka import KAFKA
from parcours.collect.connectors.memory import MemoryPort
from parcours.errors import ParcoursError
from parcours.settings import Settings


class CrashError(Exception):
    """The process dies here."""


@pytest.fixture
def topic(broker: Broker) -> str:
    name = f"events-{uuid4().hex[:8]}"
    broker.make_topic(name)
    return name


@pytest.fixture
def open_inlet(broker: Broker, topic: str) -> Iterator[Callable[..., Inlet]]:
    opened: list[Inlet] = []

    def open_one(**options: Any) -> Inlet:
        plain = {"servers": [broker.servers], "topic": topic, **options}
        opened.append(KAFKA.open_inlet(rows_source("kafka"), plain, Settings(), Path()))
        return opened[-1]

    yield open_one
    for inlet in opened:
        inlet.close()


@pytest.fixture
def mock_servers() -> Iterator[str]:
    """The library's own broker: unlike Tansu, it tells the end of a partition and offsets that are out of range."""
    mock = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    broker = next(iter(mock.list_topics(timeout=10).brokers.values()))
    yield f"{broker.host}:{broker.port}"
    mock.purge()


def event(number: int) -> bytes:
    return msgspec.json.encode({"id": number, "type": "track", "event": "Order Completed", "userId": f"u{number % 5}"})


def parcels(count: int, first: int = 1) -> list[Parcel]:
    return [Parcel(number, f"m{number}", event(number)) for number in range(first, first + count)]


def bring_until(inlet: Inlet, port: MemoryPort, count: int, seconds: float = 20.0) -> None:
    """Call an inlet as the keeper does, until so many records have come."""
    until = time.monotonic() + seconds
    while len(port.records) < count and time.monotonic() < until:
        try:
            inlet.bring(port)
        except ParcoursError:
            time.sleep(0.1)


def meet_error(inlet: Inlet, port: MemoryPort) -> ParcoursError:
    """Call an inlet until it tells a fault."""
    for _ in range(20):
        try:
            inlet.bring(port)
        except ParcoursError as error:
            return error
    raise AssertionError("no fault was told")


def test_messages_of_all_partitions_come_once_and_the_cursor_holds_their_offsets(
    broker: Broker, topic: str, open_inlet: Callable[..., Inlet]
) -> None:
    broker.put(topic, [event(number) for number in range(30)])
    port = MemoryPort()
    inlet = open_inlet()
    inlet.bring(port)
    assert sorted(read_ids(port.records)) == list(range(30))
    assert msgspec.json.decode(port.cursors[-1]) == {"topic": topic, "next": {"0": 10, "1": 10, "2": 10}}
    deliveries = port.deliveries
    inlet.bring(port)
    assert port.deliveries == deliveries, "silence moves nothing"
    broker.put(topic, [event(number) for number in range(30, 36)])
    bring_until(inlet, port, 36)
    assert sorted(read_ids(port.records)) == list(range(36))


def test_a_restart_after_every_delivery_brings_each_message_once(
    broker: Broker, topic: str, open_inlet: Callable[..., Inlet]
) -> None:
    broker.put(topic, [event(number) for number in range(40)])
    port = MemoryPort()
    for _ in range(60):
        port.restart()
        port.stop_after = 1
        inlet = open_inlet(batch=3)
        inlet.bring(port)
        inlet.close()
        if len(port.records) >= 40:
            break
    assert sorted(read_ids(port.records)) == list(range(40))


@pytest.mark.parametrize("place", ["before_delivery", "after_delivery"])
@pytest.mark.parametrize("crash", [1, 2, 4])
def test_a_crash_on_either_side_of_a_delivery_loses_and_doubles_nothing(
    broker: Broker, topic: str, open_inlet: Callable[..., Inlet], place: str, crash: int
) -> None:
    broker.put(topic, [event(number) for number in range(20)])
    port = MemoryPort()
    count = 0

    def die() -> None:
        nonlocal count
        count += 1
        if count == crash:
            raise CrashError

    setattr(port, place, die)
    first = open_inlet(batch=4)
    with pytest.raises(CrashError):
        first.bring(port)
    port.restart()
    # The same inlet goes on as well as a new one: what was not kept is asked for anew.
    bring_until(first if crash == 2 else open_inlet(batch=4), port, 20)
    assert sorted(read_ids(port.records)) == list(range(20))


def test_a_network_that_fails_is_told_and_nothing_is_lost(
    broker: Broker, topic: str, open_inlet: Callable[..., Inlet]
) -> None:
    broker.put(topic, [event(number) for number in range(10)])
    port = MemoryPort()
    inlet = open_inlet()
    bring_until(inlet, port, 10)
    broker.wire.cut()
    try:
        told = meet_error(inlet, port)
        assert told.code == "kafka_unreachable"
        assert told.faults[0].remedy.en
        with pytest.raises(ParcoursError):
            open_inlet().bring(MemoryPort())
    finally:
        broker.wire.mend()
    broker.put(topic, [event(number) for number in range(10, 20)])
    bring_until(inlet, port, 20)
    assert sorted(read_ids(port.records)) == list(range(20))


def test_what_is_no_object_goes_to_quarantine_and_a_deletion_is_no_event(
    broker: Broker, topic: str, open_inlet: Callable[..., Inlet]
) -> None:
    bad = [b"", b"nonsense", b"[1]", b"7", b'{"a": NaN}', b'{"a": "\xff"}', b"\xff\xfe", b'{"a":1}x', b"[" * 5000]
    broker.put(topic, [event(1), *bad, None, event(2)], partition=1)
    port = MemoryPort()
    bring_until(open_inlet(), port, 2)
    assert read_ids(port.records) == [1, 2]
    assert [one.body for one in port.unreadable] == bad
    assert {one.code for one in port.unreadable} == {"not_an_object"}
    assert port.unreadable[0].place == "partition 1, offset 1"


def test_a_topic_that_is_not_there_is_told(open_inlet: Callable[..., Inlet]) -> None:
    with pytest.raises(ParcoursError) as told:
        open_inlet(topic="nothing-here").bring(MemoryPort())
    assert told.value.code == "kafka_topic_unknown"


def test_a_cursor_of_another_topic_is_not_gone_on_with(
    broker: Broker, topic: str, open_inlet: Callable[..., Inlet]
) -> None:
    broker.put(topic, [event(1)])
    port = MemoryPort()
    port.cursors.append(b'{"topic":"other","next":{"0":7,"1":7,"2":7}}')
    open_inlet().bring(port)
    assert read_ids(port.records) == [1]


def test_partitions_that_are_added_are_read_from_their_beginning(mock_servers: str) -> None:
    port = MemoryPort()
    kafka_broker.write(mock_servers, "grown", [event(1), event(2), event(3)])
    cursor = b'{"topic":"grown","next":{"0":1,"1":1}}'
    port.cursors.append(cursor)
    inlet = KAFKA.open_inlet(rows_source("kafka"), {"servers": [mock_servers], "topic": "grown"}, Settings(), Path())
    bring_until(inlet, port, 1)
    inlet.close()
    assert read_ids(port.records) == [3]


def test_a_start_at_the_latest_brings_what_comes_from_then_on_even_after_a_restart(mock_servers: str) -> None:
    kafka_broker.write(mock_servers, "late", [event(number) for number in range(9)])
    options = {"servers": [mock_servers], "topic": "late", "start": "latest"}
    port = MemoryPort()
    inlet = KAFKA.open_inlet(rows_source("kafka"), options, Settings(), Path())
    inlet.bring(port)
    inlet.close()
    assert port.records == []
    kafka_broker.write(mock_servers, "late", [event(number) for number in range(9, 12)])
    port.restart()
    again = KAFKA.open_inlet(rows_source("kafka"), options, Settings(), Path())
    bring_until(again, port, 3)
    again.close()
    assert sorted(read_ids(port.records)) == [9, 10, 11]


def test_messages_that_were_deleted_unread_are_told_once_and_reading_goes_on(mock_servers: str) -> None:
    kafka_broker.write(mock_servers, "made-anew", [event(number) for number in range(3)])
    port = MemoryPort()
    port.cursors.append(b'{"topic":"made-anew","next":{"0":50,"1":1,"2":1,"3":0}}')
    options = {"servers": [mock_servers], "topic": "made-anew"}
    inlet = KAFKA.open_inlet(rows_source("kafka"), options, Settings(), Path())
    codes = []
    for _ in range(12):
        try:
            inlet.bring(port)
        except ParcoursError as error:
            codes.append(error.code)
    inlet.close()
    assert codes == ["kafka_offsets_gone"]
    assert read_ids(port.records) == [0]


def test_a_stop_ends_a_wait_for_messages_within_a_second(open_inlet: Callable[..., Inlet]) -> None:
    inlet, port = open_inlet(), MemoryPort()
    inlet.bring(port)
    thread = threading.Thread(target=inlet.bring, args=(port,))
    thread.start()
    port.ask_to_stop()
    inlet.close()
    thread.join(1.0)
    assert not thread.is_alive()


# Out.


def open_outlet(servers: str, topic: str, **options: Any) -> Outlet:
    plain = {"servers": [servers], "topic": topic, **options}
    return KAFKA.open_outlet("lake", plain, Settings(), Path())


def test_parcels_go_out_in_order_within_a_user_with_their_ids(broker: Broker, topic: str) -> None:
    outlet = open_outlet(broker.servers, topic)
    assert outlet.send(parcels(50)).delivered == 50
    assert outlet.send(parcels(50, first=51)).verdict == "done"
    outlet.close()
    found = broker.read(topic)
    assert sorted(message_id for *_, message_id in found) == sorted(f"m{number}" for number in range(1, 101))
    for user in range(5):
        of_user = [(partition, value) for partition, key, value, _ in found if key == f"u{user}".encode()]
        assert len({partition for partition, _ in of_user}) == 1, "a user's events lie in one partition"
        ids = read_ids([value for _, value in of_user])
        assert ids == sorted(ids)
        assert len(ids) == 20


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"userId":"u1","anonymousId":"a1"}', b"u1"),
        (b'{"userId":null,"anonymousId":"a1"}', b"a1"),
        (b'{"userId":17}', b"17"),
        (b'{"userId":{"x":1}}', None),
        (b"{}", None),
    ],
)
def test_the_key_is_the_user_else_the_device(broker: Broker, topic: str, body: bytes, key: bytes | None) -> None:
    outlet = open_outlet(broker.servers, topic)
    outlet.send([Parcel(1, "m1", body)])
    assert [one[1] for one in broker.read(topic)] == [key]
    outlet.close()


def test_a_broker_that_is_down_is_told_and_later_gets_all_in_order(broker: Broker, topic: str) -> None:
    outlet = open_outlet(broker.servers, topic, timeout="1s")
    assert outlet.send(parcels(3)).delivered == 3
    broker.wire.cut()
    try:
        outcome = outlet.send(parcels(5, first=4))
        assert (outcome.verdict, outcome.delivered) == ("later", 0)
        assert outcome.fault is not None
        assert outcome.fault.code == "kafka_unreachable"
    finally:
        broker.wire.mend()
    waiting = parcels(5, first=4)
    for _ in range(20):
        outcome = outlet.send(waiting)
        waiting = waiting[outcome.delivered :]
        if not waiting:
            break
    outlet.close()
    assert not waiting
    first_seen = list(dict.fromkeys(read_ids([value for *_, value, _ in broker.read(topic)])))
    assert sorted(first_seen) == list(range(1, 9))


def test_a_parcel_that_is_too_large_is_refused_and_those_before_it_are_delivered(broker: Broker, topic: str) -> None:
    outlet = open_outlet(broker.servers, topic)
    large = Parcel(3, "m3", b'{"userId":"u1","text":"' + b"x" * 2_000_000 + b'"}')
    outcome = outlet.send([*parcels(2), large, *parcels(1, first=4)])
    assert (outcome.delivered, outcome.verdict) == (2, "refused")
    assert outcome.fault is not None
    assert outcome.fault.code == "kafka_too_large"
    assert outlet.send(parcels(1, first=4)).verdict == "done"
    outlet.close()
    assert sorted(read_ids([value for *_, value, _ in broker.read(topic)])) == [1, 2, 4]


def test_a_close_cuts_a_wait_for_acknowledgements_short(broker: Broker, topic: str) -> None:
    outlet = open_outlet(broker.servers, topic, timeout="1min")
    outlet.send(parcels(1))
    broker.wire.cut()
    try:
        outcomes: list[Any] = []
        thread = threading.Thread(target=lambda: outcomes.append(outlet.send(parcels(3, first=2))))
        thread.start()
        outlet.close()
        thread.join(2.0)
        assert not thread.is_alive()
        assert outcomes[0].verdict == "later"
    finally:
        broker.wire.mend()


# Options.


def test_all_faults_of_the_options_are_told_at_once_with_their_lines() -> None:
    text = """servers: ["host", "host:9092"]
topic: "no spaces please"
format: segmented
start: now
batch: 0
security:
  protocol: sasl_ssl
  user: ${KAFKA_USER}
grop: x
"""
    where = where_of(text, "in")
    found = {(fault.code, fault.line) for fault in KAFKA.check(where.node.data, where)}
    assert found == {
        ("bad_server", 1),
        ("bad_topic", 2),
        ("unknown_choice", 3),
        ("unknown_choice", 4),
        ("out_of_range", 5),
        ("missing_field", 6),
        ("unknown_key", 9),
    }


def test_options_differ_by_the_way_that_events_go() -> None:
    text = "{servers: ['host:9092'], topic: events, key: traits.id, timeout: 10s}"
    assert KAFKA.check(where_of(text, "out").node.data, where_of(text, "out")) == []
    found = KAFKA.check(where_of(text, "in").node.data, where_of(text, "in"))
    assert [fault.code for fault in found] == ["unknown_key", "unknown_key"]
    assert KAFKA.kind({"format": "rows"}) == "rows"
    assert KAFKA.kind({}) == "batch"


@pytest.fixture
def strange_broker() -> Iterator[Broker]:
    """A broker that knows nobody."""
    if not kafka_broker.broker_is_there():
        pytest.skip(kafka_broker.MISSING)
    running = Broker(knows_nobody=True)
    yield running
    running.remove()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_broker_that_does_not_know_us_is_told_without_the_password(
    strange_broker: Broker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, mechanism: str
) -> None:
    monkeypatch.setenv("KAFKA_PASSWORD", "open-sesame-8126")
    monkeypatch.setenv("KAFKA_USER", "ali-baba")
    security = {"protocol": "sasl_plaintext", "user": "${KAFKA_USER}", "password": "${KAFKA_PASSWORD}"}
    options = {"servers": [strange_broker.servers], "topic": "events", "security": {**security, "mechanism": mechanism}}
    inlet = KAFKA.open_inlet(rows_source("kafka"), options, Settings(), Path())
    told = meet_error(inlet, MemoryPort())
    inlet.close()
    outlet = KAFKA.open_outlet("lake", {**options, "timeout": "1s"}, Settings(), Path())
    outcome = outlet.send(parcels(1))
    outlet.close()
    assert outcome.fault is not None
    assert (told.code, outcome.fault.code) == ("kafka_refused", "kafka_refused")
    assert "open-sesame" not in f"{told} {told.__cause__!r} {outcome} {inlet!r} {outlet!r} {caplog.text}"


def test_a_broker_that_dies_and_comes_back_empty_gets_all_that_was_not_acknowledged() -> None:
    if not kafka_broker.broker_is_there():
        pytest.skip(kafka_broker.MISSING)
    mortal = Broker()
    mortal.make_topic("events")
    outlet = open_outlet(mortal.servers, "events", timeout="1s")
    assert outlet.send(parcels(2)).delivered == 2
    mortal.stop()
    assert outlet.send(parcels(3, first=3)).verdict == "later"
    mortal.start()
    mortal.make_topic("events")
    assert any(outlet.send(parcels(3, first=3)).verdict == "done" for _ in range(20))
    assert sorted(set(read_ids([value for *_, value, _ in mortal.read("events")]))) == [3, 4, 5]
    outlet.close()
    mortal.remove()
