"""Every connector that is installed keeps the contract: its options, its deliveries, its faults, its secrets."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.kafka_broker import Broker
from tests.postgres import PASSWORD, Postgres
from tests.receiver import Receiver
from tests.services import broker, postgres_server, receiver
from tests.wire import Wire

from parcours.blueprint.yaml_lines import parse_yaml
from parcours.collect.connectors.contract import Connector, Inlet, Outlet, Where
from parcours.collect.connectors.memory import MemoryPort
from parcours.collect.connectors.options import check_connector
from parcours.collect.connectors.proving import INLET_RULES, OUTLET_RULES, InletCase, OutletCase
from parcours.collect.connectors.registry import connector_names, find_connector
from parcours.collect.source import EventName, Source, SourceEvent, Time
from parcours.errors import Fault, ParcoursError
from parcours.settings import Settings
from parcours.words import Words

__all__ = ["broker", "postgres_server", "receiver"]

HOOK_SECRET = "whsec_" + base64.b64encode(b"open sesame, open sesame").decode()


def rows_source(**changes: Any) -> Source:
    parts: dict[str, Any] = {
        "source": "shop",
        "key": ("id",),
        "time": Time(column="at"),
        "events": (SourceEvent(name=EventName(text="Order Completed")),),
    }
    return Source(**{**parts, **changes})


class FolderCase:
    """Files that appear in a folder; a load reads those that its cursor does not hold, as the manifest does."""

    secrets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = 0
        self.failing = False

    def open(self) -> Inlet:
        source = rows_source(file="data-*.jsonl")
        return find_connector("folder").open_inlet(source, {}, Settings(), self.folder)

    def make_port(self) -> MemoryPort:
        def load() -> None:
            if self.failing:
                raise ParcoursError("file_changed", Words("Le fichier change.", "It changes."), Words("…", "Wait."))
            known = set(msgspec.json.decode(port.cursor() or b"[]"))
            for path in sorted(self.folder.glob("data-*.jsonl")):
                if path.name not in known:
                    known.add(path.name)
                    port.deliver(path.read_bytes().splitlines(), msgspec.json.encode(sorted(known)))

        port = MemoryPort(reload=load)
        return port

    def put(self, ids: Sequence[str]) -> None:
        for some in (ids[:2], ids[2:]):
            self.files += 1
            lines = b"".join(msgspec.json.encode({"id": one}) + b"\n" for one in some)
            (self.folder / f"data-{self.files:03d}.jsonl").write_bytes(lines)

    def read_ids(self, port: MemoryPort) -> list[str]:
        return [msgspec.json.decode(record)["id"] for record in port.records]

    def take_away(self) -> None:
        self.failing = True
        self.put([])

    def give_back(self) -> None:
        self.failing = False


class SqlCase:
    """Rows of a real PostgreSQL behind a wire."""

    secrets: ClassVar[tuple[str, ...]] = (PASSWORD,)

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.wire = Wire(server.port)
        self.table = f"orders_{uuid4().hex[:8]}"
        server.run(f"CREATE TABLE {self.table} (id text, at timestamptz DEFAULT clock_timestamp())")

    def open(self) -> Inlet:
        options = {"url": self.server.url(self.wire.port), "table": self.table, "cursor": "at", "key": "id", "batch": 2}
        return find_connector("sql").open_inlet(rows_source(connector="sql"), options, Settings(), Path())

    def make_port(self) -> MemoryPort:
        return MemoryPort()

    def put(self, ids: Sequence[str]) -> None:
        self.server.run(*(f"INSERT INTO {self.table} (id) VALUES ('{one}')" for one in ids))

    def read_ids(self, port: MemoryPort) -> list[str]:
        return [msgspec.json.decode(record)["id"] for record in port.records]

    def take_away(self) -> None:
        self.wire.cut()

    def give_back(self) -> None:
        self.wire.mend()


class KafkaCase:
    """A topic of a real broker behind a wire, both ways."""

    secrets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, running: Broker) -> None:
        self.broker = running
        self.topic = f"events-{uuid4().hex[:8]}"
        running.make_topic(self.topic)

    def take_away(self) -> None:
        self.broker.wire.cut()

    def give_back(self) -> None:
        self.broker.wire.mend()


class KafkaInCase(KafkaCase):
    def open(self) -> Inlet:
        options = {"servers": [self.broker.servers], "topic": self.topic, "batch": 2}
        return find_connector("kafka").open_inlet(rows_source(connector="kafka"), options, Settings(), Path())

    def make_port(self) -> MemoryPort:
        return MemoryPort()

    def put(self, ids: Sequence[str]) -> None:
        self.broker.put(self.topic, [msgspec.json.encode({"type": "track", "messageId": one}) for one in ids])

    def read_ids(self, port: MemoryPort) -> list[str]:
        return [msgspec.json.decode(record)["messageId"] for record in port.records]


class KafkaOutCase(KafkaCase):
    def open(self) -> Outlet:
        options = {"servers": [self.broker.servers], "topic": self.topic, "timeout": "1s"}
        return find_connector("kafka").open_outlet("lake", options, Settings(), Path())

    def read_ids(self) -> list[str]:
        return [message_id for *_, message_id in self.broker.read(self.topic)]


class WebhookCase:
    """A receiver that goes down and comes up."""

    secrets: ClassVar[tuple[str, ...]] = (HOOK_SECRET, HOOK_SECRET.removeprefix("whsec_"))

    def __init__(self, running: Receiver) -> None:
        self.receiver = running

    def open(self) -> Outlet:
        options = {"url": self.receiver.url, "secret": "${HOOK_SECRET}", "timeout": "5s"}
        return find_connector("webhook").open_outlet("crm", options, Settings(), Path())

    def read_ids(self) -> list[str]:
        return self.receiver.ids

    def take_away(self) -> None:
        self.receiver.down()

    def give_back(self) -> None:
        self.receiver.up()


INLETS: dict[str, Callable[[pytest.FixtureRequest], InletCase]] = {
    "folder": lambda request: FolderCase(request.getfixturevalue("tmp_path")),
    "sql": lambda request: SqlCase(request.getfixturevalue("postgres_server")),
    "kafka": lambda request: KafkaInCase(request.getfixturevalue("broker")),
}
OUTLETS: dict[str, Callable[[pytest.FixtureRequest], OutletCase]] = {
    "kafka": lambda request: KafkaOutCase(request.getfixturevalue("broker")),
    "webhook": lambda request: WebhookCase(request.getfixturevalue("receiver")),
}
GOOD: dict[tuple[str, str], str] = {
    ("sql", "in"): "{url: 'postgresql+pg8000://reader:${DB_PASSWORD}@db/shop', table: orders, cursor: at, key: id}",
    ("kafka", "in"): "{servers: ['broker:9092'], topic: events}",
    ("kafka", "out"): "{servers: ['broker:9092'], topic: events}",
    ("webhook", "out"): "{url: 'https://crm.example.com/hook', secret: '${HOOK_SECRET}'}",
}
IN_THE_CLEAR: dict[str, tuple[str, str]] = {
    "sql": ("in", "{url: 'postgresql://reader:hunter2@db/shop', table: orders, cursor: at}"),
    "kafka": (
        "in",
        "{servers: ['b:9092'], topic: t, security: {protocol: sasl_ssl, user: '${KAFKA_USER}', password: hunter2}}",
    ),
    "webhook": ("out", "{url: 'https://crm.example.com/hook', secret: whsec_hunter2}"),
}
NAMES = [name for name in connector_names() if name != "http"]
ROLES = [(name, role) for name in NAMES for role in sorted(find_connector(name).roles)]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    monkeypatch.setenv("HOOK_SECRET", HOOK_SECRET)
    monkeypatch.setenv("KAFKA_USER", "ali")


@pytest.fixture
def no_secret_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert PASSWORD not in caplog.text
    assert HOOK_SECRET not in caplog.text


def test_every_connector_that_is_installed_is_proven_here() -> None:
    assert {(name, "in") for name in INLETS} | {(name, "out") for name in OUTLETS} == set(ROLES)


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_form_of_a_connector(name: str) -> None:
    found = find_connector(name)
    assert isinstance(found, Connector)
    assert found.name == name
    assert found.roles
    assert found.roles <= {"in", "out"}
    assert found.kind({}) in ("rows", "batch")


@pytest.mark.parametrize("rule", INLET_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", INLETS)
@pytest.mark.usefixtures("no_secret_in_logs")
def test_an_inlet_keeps_the_contract(
    name: str, rule: Callable[[InletCase], None], request: pytest.FixtureRequest
) -> None:
    rule(INLETS[name](request))


@pytest.mark.parametrize("rule", OUTLET_RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", OUTLETS)
@pytest.mark.usefixtures("no_secret_in_logs")
def test_an_outlet_keeps_the_contract(
    name: str, rule: Callable[[OutletCase], None], request: pytest.FixtureRequest
) -> None:
    case = OUTLETS[name](request)
    if isinstance(case, KafkaOutCase):
        # One user's parcels lie in one partition, so the order of the topic is the order that counts.
        assert case.read_ids() == []
    rule(case)


@pytest.mark.parametrize(("name", "role"), GOOD)
def test_good_options_have_no_fault(name: str, role: Any) -> None:
    text = f"connector: {name}\noptions: {GOOD[name, role]}\n"
    node = parse_yaml(text, "x.yaml")
    assert check_connector(name, node.data["options"], node, role) == []


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_faults_of_options_are_told_all_at_once_with_file_line_and_remedy(name: str, role: Any) -> None:
    """Every option becomes a list, and two are unknown: each is told, at its line."""
    good = parse_yaml(GOOD.get((name, role), "{}"), "x.yaml").data
    lines = ["".join(f"  {option}: [[]]\n" for option in good), "  one_too_many: 1\n", "  two_too_many: 2\n"]
    node = parse_yaml(f"connector: {name}\noptions:\n{''.join(lines)}", "x.yaml")
    found = check_connector(name, node.data["options"], node, role)
    assert {fault.file for fault in found} == {"x.yaml"}
    if name == "folder":
        assert [fault.code for fault in found] == ["folder_by_itself"], "it has no options at all"
        return
    assert {fault.line for fault in found} >= set(range(3, 3 + len(good) + 2))
    assert all(_well_told(fault) for fault in found)


@pytest.mark.parametrize("name", IN_THE_CLEAR)
def test_a_secret_in_the_clear_is_a_fault_that_does_not_repeat_it(name: str) -> None:
    role, text = IN_THE_CLEAR[name]
    node = parse_yaml(f"connector: {name}\noptions: {text}\n", "x.yaml")
    found = check_connector(name, node.data["options"], node, role)  # type: ignore[arg-type]
    assert "secret_in_clear" in {fault.code for fault in found}
    assert "hunter2" not in " ".join(map(str, found))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OPTIONS = (
    "url",
    "table",
    "query",
    "cursor",
    "key",
    "batch",
    "every",
    "overlap",
    "timeout",
    "servers",
    "topic",
    "group",
)
OPTIONS += ("format", "start", "security", "secret", "old_secret", "authorities")


@pytest.mark.parametrize(("name", "role"), ROLES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=st.dictionaries(st.sampled_from(OPTIONS) | st.text(max_size=8), PLAIN, max_size=6))
def test_no_options_break_the_check(name: str, role: Any, options: dict[str, Any]) -> None:
    connector = find_connector(name)
    where = Where(msgspec.structs.replace(parse_yaml("{}", "x.yaml"), data=options), role)
    for fault in connector.check(options, where):
        assert isinstance(fault, Fault)
        assert _well_told(fault)


def _well_told(fault: Fault) -> bool:
    return all((fault.sentence.fr, fault.sentence.en, fault.remedy.fr, fault.remedy.en))
