"""Kafka topics in and out: the options of both ways, and the connector that opens them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from parcours.collect.connectors.contract import Inlet, Kind, Options, Outlet, Role, Where
from parcours.collect.connectors.kafka_in import KafkaInlet
from parcours.collect.connectors.kafka_out import KafkaOutlet
from parcours.collect.connectors.reading import check_shape, read_options
from parcours.collect.connectors.secrets import Secrets
from parcours.collect.source import Source
from parcours.errors import Fault
from parcours.settings import Settings
from parcours.words import Words

MOST_MESSAGES: Final = 10_000
_SERVER = re.compile(r"^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$|^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")
_TOPIC = re.compile(r"^[A-Za-z0-9._-]{1,249}$")


class Security(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a broker is trusted and how it knows us; user and password are ``${NAME}``."""

    protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "plaintext"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    user: str | None = None
    password: str | None = None
    authorities: str | None = None


class KafkaIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A topic that is read.

    Attributes:
        servers: Some of its brokers, ``host:port``.
        topic: Its name.
        group: What brokers and their operators see reading; offsets are not kept there.
        format: ``segment``: each message is one of Segment's calls; ``rows``: a flat object for the source's mapping.
        start: Where to begin when nothing has been read yet.
        batch: The messages of one delivery.
        security: How the brokers are trusted.
    """

    servers: tuple[str, ...]
    topic: str
    group: str | None = None
    format: Literal["segment", "rows"] = "segment"
    start: Literal["earliest", "latest"] = "earliest"
    batch: int = 500
    security: Security = Security()


class KafkaOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A topic that is written to; ``key`` is the property whose value keeps a person's events in order."""

    servers: tuple[str, ...]
    topic: str
    key: str = "userId"
    timeout_ms: int = 15_000
    security: Security = Security()


class KafkaConnector:
    """The connector ``kafka``: in and out."""

    name = "kafka"
    roles: frozenset[Role] = frozenset({"in", "out"})
    secrets = ("security.user", "security.password")

    def check(self, options: Options, where: Where) -> list[Fault]:
        """Return every fault of the options."""
        if where.role == "in":
            come, faults = check_shape(options, where, KafkaIn)
            faults += _check_batch(come.batch, where)
            shared = come.servers, come.topic, come.security
        else:
            go, faults = check_shape(options, where, KafkaOut)
            faults += _check_timeout(go.timeout_ms, where)
            shared = go.servers, go.topic, go.security
        servers, topic, security = shared
        return [*faults, *_check_address(servers, topic, where), *_check_security(security, where)]

    def kind(self, options: Options) -> Kind:
        """Calls that name themselves, or rows that the source's mapping reads."""
        return "rows" if options.get("format") == "rows" else "batch"

    def open_inlet(self, source: Source, options: Options, settings: Settings, folder: Path) -> Inlet:
        """Return the inlet; it connects when it is first asked to bring.

        Raises:
            ParcoursError: ``secret_not_set``, or ``kafka_settings`` for what the library refuses.
        """
        read = read_options(options, KafkaIn)
        connection, secrets = _connection(read.servers, read.security, settings, folder)
        group = read.group or f"parcours-{source.source}"
        return KafkaInlet(
            {**connection, "group.id": group},
            topic=read.topic,
            kind=self.kind(options),
            from_the_end=read.start == "latest",
            batch=read.batch,
            secrets=secrets,
        )

    def open_outlet(self, destination: str, options: Options, settings: Settings, folder: Path) -> Outlet:
        """Return the outlet; it connects with the first parcel.

        Raises:
            ParcoursError: as `open_inlet` does.
        """
        read = read_options(options, KafkaOut)
        connection, secrets = _connection(read.servers, read.security, settings, folder)
        return KafkaOutlet(connection, read.topic, read.key, read.timeout_ms, secrets)


KAFKA = KafkaConnector()


def _connection(
    servers: tuple[str, ...], security: Security, settings: Settings, folder: Path
) -> tuple[dict[str, str | int], Secrets]:
    """Return how to reach and trust the brokers, in the library's words."""
    secrets = Secrets()
    given: dict[str, str | int] = {
        "bootstrap.servers": ",".join(secrets.fill(server) for server in servers),
        "security.protocol": security.protocol,
        "client.id": "parcours",
    }
    if security.protocol.startswith("sasl"):
        given["sasl.mechanism"] = security.mechanism
        given["sasl.username"] = secrets.fill(security.user or "")
        given["sasl.password"] = secrets.fill(security.password or "")
    if security.authorities is not None:
        given["ssl.ca.location"] = str(settings.locate(security.authorities, folder))
    return given, secrets


def _check_address(servers: tuple[str, ...], topic: str, where: Where) -> Iterator[Fault]:
    if isinstance(where.node.data, dict) and where.node.data.get("servers") == []:
        yield where.fault("bad_server", ("servers",), Words("Aucun serveur.", "No server."), _SERVER_REMEDY)
    for index, server in enumerate(servers):
        if not _SERVER.match(server):
            sentence = Words(f"« {server} » n'est pas un serveur Kafka.", f"“{server}” is no Kafka server.")
            yield where.fault("bad_server", ("servers", index), sentence, _SERVER_REMEDY)
    if topic and not _TOPIC.match(topic):
        sentence = Words(f"« {topic} » ne peut pas nommer un topic.", f"“{topic}” cannot name a topic.")
        remedy = Words("Lettres, chiffres, point, - et _, 249 au plus.", "Letters, digits, dot, - and _, 249 at most.")
        yield where.fault("bad_topic", ("topic",), sentence, remedy)


_SERVER_REMEDY = Words("Écrivez [hote:9092] ou [${KAFKA}].", "Write [host:9092] or [${KAFKA}].")


def _check_batch(batch: int, where: Where) -> Iterator[Fault]:
    if batch < 1 or batch > MOST_MESSAGES:
        sentence = Words(
            f"batch: doit être entre 1 et {MOST_MESSAGES}.", f"batch: must be between 1 and {MOST_MESSAGES}."
        )
        yield where.fault("out_of_range", ("batch",), sentence, Words("Par exemple 500.", "For instance 500."))


def _check_timeout(timeout_ms: int, where: Where) -> Iterator[Fault]:
    if timeout_ms < 1000 or timeout_ms > 120_000:
        sentence = Words("timeout: doit être entre 1s et 2min.", "timeout: must be between 1s and 2min.")
        yield where.fault("out_of_range", ("timeout",), sentence, Words("Par exemple 15s.", "For instance 15s."))


def _check_security(security: Security, where: Where) -> Iterator[Fault]:
    wanted = security.protocol.startswith("sasl")
    for name, given in (("user", security.user), ("password", security.password)):
        if wanted and given is None:
            sentence = Words(f"{security.protocol} demande « {name} ».", f"{security.protocol} needs “{name}”.")
            remedy = Words(f"Ajoutez {name}: ${{KAFKA_{name.upper()}}}.", f"Add {name}: ${{KAFKA_{name.upper()}}}.")
            yield where.fault("missing_field", ("security",), sentence, remedy)
        elif not wanted and given is not None:
            sentence = Words(
                f"« {name} » ne sert à rien avec {security.protocol}.",
                f"“{name}” is of no use with {security.protocol}.",
            )
            remedy = Words("Écrivez protocol: sasl_ssl, ou ôtez-le.", "Write protocol: sasl_ssl, or take it away.")
            yield where.fault("security_unused", ("security", name), sentence, remedy)
