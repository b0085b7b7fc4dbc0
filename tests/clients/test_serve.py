"""The clients against `parcours serve` itself, its processes killed under them: each event stands once in the parts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.clients.calls import make_orders
from tests.clients.firm import write_firm
from tests.clients.roster import Client
from tests.clients.scene import Drivers, Sender, client_named, open_senders, play, wait_until, why_absent
from tests.served import Served, run_parcours, serving

from parcours import company as companies
from parcours import flow
from parcours.collect import company_lock
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import read_part

CHOSEN = [
    client_named(label)
    for label in (
        "segment-python-gzip",
        "segment-node-batch",
        "segment-browser-single",
        "segment-browser-batch",
        "rudder-python-gzip",
        "rudder-node-gzip",
        "jitsu-browser",
    )
]
KILLED = ("writer", "worker", "keeper")
EACH = 3
pytestmark = pytest.mark.slow


class Played(NamedTuple):
    """What came of the scene: what each client sent and gave up, and how often each order stands in the parts."""

    faults: dict[str, BaseException]
    sent: dict[str, list[int]]
    dropped: dict[str, list[int]]
    kept: dict[str, Counter[int]]
    logs: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The firm, served by the command."""
    folder = tmp_path_factory.mktemp("served") / "shop"
    write_firm(folder, [(client.source, client.sdk) for client in CHOSEN])
    with (folder / "parcours.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[collect]\nevery_s = 0.5\n")
    with serving(folder) as one:
        yield one


@pytest.fixture(scope="module")
def played(served: Served, drivers: Drivers) -> Played:
    """Each client sends, one process after another is killed, and each sends again at once."""
    keys = {client.source: make_key(served.folder, client.source) for client in CHOSEN}
    sent: dict[str, list[int]] = {client.label: [] for client in CHOSEN}
    faults: dict[str, BaseException] = {}

    def send(sender: Sender) -> None:
        mine = sent[sender.client.label]
        amounts = range(len(mine) + 1, len(mine) + 1 + EACH)
        mine.extend(amounts)
        sender.send(make_orders(amounts[0], EACH))

    def finish(sender: Sender) -> None:
        mine = sent[sender.client.label]
        wait_until(lambda: set(mine) <= set(sender.settle()["dropped"]) | answered(sender), 60, f"not all of {mine}")

    with open_senders(served.port, keys, drivers, CHOSEN) as senders:
        served.wait_for(lambda: all(served.send(key) == 200 for key in keys.values()), "the keys to be known")
        faults |= play(senders.values(), Sender.open)
        faults |= play(senders.values(), send)
        for name in KILLED:
            before = served.kill(name)
            faults |= play(senders.values(), send)
            served.wait_restarted(name, before)
        faults |= play(senders.values(), finish)
        dropped = {label: sender.dropped for label, sender in senders.items()}
    assert served.stop() == 0
    # A keeper that was killed just before the end may not have been there for the last turn: the next start takes it.
    with company_lock(served.folder, 30):
        flow.collect_live(companies.open(served.folder))
    return Played(faults, sent, dropped, count_kept(served.folder), served.logs())


def make_key(folder: Path, source: str) -> str:
    """Make a write key as the guide says."""
    key: str = json.loads(run_parcours("key", str(folder), "add", source, "--json").stdout)["write_key"]
    return key


def answered(sender: Sender) -> set[int]:
    """Return the orders that the server has acknowledged to a client."""
    return set().union(*(one.amounts() for one in sender.relay.sent() if one.status == 200 and one.answered_s))


def count_kept(folder: Path) -> dict[str, Counter[int]]:
    """Return how often each order stands in the parts, by source."""
    manifest = Manifest(folder)
    kept: dict[str, Counter[int]] = {client.source: Counter() for client in CHOSEN}
    try:
        for part in manifest.parts():
            for row in read_part(folder, part).to_pylist():
                kept[row["source"]][int(row["field_amount"])] += 1
    finally:
        manifest.close()
    return kept


@pytest.mark.parametrize("client", CHOSEN, ids=[client.label for client in CHOSEN])
def test_each_event_stands_once_in_the_parts(client: Client, played: Played) -> None:
    if reason := why_absent(client):
        pytest.skip(f"{client.package} NOT TESTED: {reason}")
    if client.label in played.faults:
        raise played.faults[client.label]
    kept = played.kept[client.source]
    lost = [amount for amount in played.sent[client.label] if amount not in kept]
    assert set(kept.values()) == {1}
    # Who retries loses nothing; who does not knows what, and may take for lost what was kept before the process died.
    assert lost == [] if client.retries else set(lost) <= set(played.dropped[client.label])


def test_the_processes_were_killed_indeed(played: Played) -> None:
    for name in KILLED:
        assert f"parcours.serving.{name} ended with -9" in played.logs
