"""Fixtures of the real servers that tests start by themselves; where one is missing, its tests say so loudly."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import kafka_broker, postgres
from tests.receiver import Receiver, make_certificate


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """A running PostgreSQL, one for all tests."""
    programs = postgres.find_programs()
    if programs is None:
        print(f"\n*** {postgres.MISSING}", file=sys.stderr)
        pytest.skip(postgres.MISSING)
    server = postgres.Postgres(programs)
    yield server
    server.remove()


@pytest.fixture(scope="session")
def broker() -> Iterator[kafka_broker.Broker]:
    """A running broker, one for all tests; each makes topics of its own."""
    if not kafka_broker.broker_is_there():
        print(f"\n*** {kafka_broker.MISSING}", file=sys.stderr)
        pytest.skip(kafka_broker.MISSING)
    running = kafka_broker.Broker()
    yield running
    running.remove()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks on the loopback."""
    running = Receiver()
    yield running
    running.down()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))
