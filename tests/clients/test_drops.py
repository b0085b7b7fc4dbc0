"""What a client gives up is known: it says so itself, event for event, or it is written here that it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

import pytest
from tests.clients.calls import make_orders
from tests.clients.collecting import Collector
from tests.clients.relay import Reply
from tests.clients.roster import CLIENTS, Client
from tests.clients.scene import Drivers, Sender, client_named, open_senders, play, wait_until, why_absent

CHOSEN = [
    client_named(label)
    for label in (
        "segment-python-batch",
        "segment-python-single",
        "segment-node-batch",
        "segment-browser-single",
        "segment-browser-batch",
        "rudder-python-gzip",
        "rudder-python-single",
        "rudder-node-gzip",
        "jitsu-node-device",
        "jitsu-browser",
    )
]
SILENT = ("segment-browser-batch",)
"""Those that tell nobody what they give up."""

ONE_RETRY = {client.label: 2 if client.retries else 1 for client in CLIENTS}
"""How many attempts each makes when it may retry once."""

UNKNOWN = "0f0f0f0f0f0f:unknown"
EACH = 2


class Lost(NamedTuple):
    """What a client was told to send, and what it said of it."""

    amounts: list[int]
    told: list[Any]


class Played(NamedTuple):
    """What came of the scene, by client and what befell it."""

    faults: dict[str, BaseException]
    lost: dict[tuple[str, str], Lost]


@pytest.fixture(scope="module")
def senders(collector: Collector, drivers: Drivers) -> Iterator[dict[str, Sender]]:
    """One sender for each client."""
    with open_senders(collector.port, collector.keys, drivers, CHOSEN) as opened:
        yield opened


@pytest.fixture(scope="module")
def played(senders: dict[str, Sender]) -> Played:
    """Each client with a key that nobody knows, then against a server that is never there, with one retry."""
    numbers, lost = count(1), {}

    def lose(sender: Sender, what: str, is_over: Callable[[], bool]) -> None:
        amounts = [next(numbers) for _ in range(EACH)]
        sender.send([make_orders(amount, 1)[0] for amount in amounts])
        if sender.client.label in SILENT:
            wait_until(is_over, 30, f"{what}: it never tried")
            sender.settle()
        else:
            wait_until(lambda: len(sender.settle()["dropped"]) >= EACH, 30, f"{what}: it told of nothing")
        lost[sender.client.label, what] = Lost(amounts, list(sender.dropped))

    def act(sender: Sender) -> None:
        right, sender.key = sender.key, sender.key if sender.client.package == "@segment/analytics-next" else UNKNOWN
        if sender.key == right:  # Its settings name the key, so that a key that nobody knows has none: see below.
            sender.relay.always = Reply(401)
        sender.open()
        lose(sender, "unknown key", lambda: len(sender.relay.sent()) >= 1)
        sender.key, sender.relay.always = right, Reply(503)
        sender.relay.attempts.clear()
        sender.open(**({"retries": 1} if sender.client.retries else {}))
        lose(sender, "never there", lambda: len(sender.relay.sent()) >= ONE_RETRY[sender.client.label])

    return Played(play(senders.values(), act), lost)


@pytest.fixture(params=CHOSEN, ids=[client.label for client in CHOSEN])
def client(request: pytest.FixtureRequest, played: Played) -> Client:
    """One client after the scene."""
    client: Client = request.param
    if reason := why_absent(client):
        pytest.skip(f"{client.package} NOT TESTED: {reason}")
    if client.label in played.faults:
        raise played.faults[client.label]
    return client


@pytest.mark.parametrize("what", ["unknown key", "never there"])
def test_it_tells_event_for_event_what_it_gave_up(
    client: Client, what: str, played: Played, collector: Collector
) -> None:
    lost = played.lost[client.label, what]
    assert sorted(lost.told) == ([] if client.label in SILENT else lost.amounts)
    assert collector.events(client.source) == []


def test_a_page_whose_key_nobody_knows_is_told_at_once(collector: Collector, senders: dict[str, Sender]) -> None:
    sender = senders.get("segment-browser-single")
    if sender is None:
        pytest.skip("segment-browser-single NOT TESTED: it cannot be run here")
    sender.key = UNKNOWN
    with pytest.raises(AssertionError, match="No source has this write key"):
        sender.open()
