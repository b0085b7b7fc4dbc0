"""The clients as they are installed, in processes of their own; what is not there is skipped, and says so loudly."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from tests.clients.collecting import Collector
from tests.clients.firm import write_firm
from tests.clients.roster import CLIENTS
from tests.clients.scene import Drivers, Sender, open_senders, why_absent


@pytest.fixture(scope="session")
def drivers() -> Iterator[Drivers]:
    """The processes in which clients run."""
    missing = {client.package: reason for client in CLIENTS if (reason := why_absent(client))}
    if missing:
        told = "\n".join(f"CLIENT NOT TESTED: {package}: {reason}" for package, reason in missing.items())
        sys.stderr.write(f"\n{'!' * 100}\n{told}\n{'!' * 100}\n")
    started = Drivers()
    yield started
    started.close()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A company that collects, with a source for each client."""
    folder = tmp_path_factory.mktemp("shop") / "shop"
    write_firm(folder, [(client.source, client.sdk) for client in CLIENTS])
    collector = Collector(folder)
    collector.start()
    yield collector
    collector.kill()


@pytest.fixture(scope="module")
def senders(collector: Collector, drivers: Drivers) -> Iterator[dict[str, Sender]]:
    """Every client that can be run here, by its label."""
    with open_senders(collector.port, collector.keys, drivers, CLIENTS) as opened:
        yield opened
