"""Answers that are lost, refusals, and a server that stops and starts: what is sent again is kept exactly once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import pytest
from tests.clients.calls import make_orders
from tests.clients.collecting import Collector
from tests.clients.relay import Attempt, Cut, Reply
from tests.clients.roster import Client
from tests.clients.scene import Drivers, Sender, client_named, open_senders, play, wait_until, why_absent

CLIENTS = [
    client_named(label)
    for label in (
        "segment-python-gzip",
        "segment-node-batch",
        "segment-browser-single",
        "segment-browser-batch",
        "rudder-python-gzip",
        "rudder-node-gzip",
        "jitsu-node-device",
    )
]
WAIT_S = 2
MORE_CUTS = 2
"""So many times Chromium itself sends again what was not answered, before the client in the page hears of it."""

FAULTS: dict[str, tuple[Cut | Reply, ...]] = {
    "cut": (Cut(), Cut()),
    "unavailable": (Reply(503, WAIT_S),),
    "busy": (Reply(429, WAIT_S),),
}
EACH = 4


class Stage(NamedTuple):
    """What a client sent in one part of the scene, and the requests that carried it."""

    amounts: list[int]
    attempts: list[Attempt]


class Played(NamedTuple):
    """What came of the scene."""

    faults: dict[str, BaseException]
    stages: dict[tuple[str, str], Stage]
    kept: dict[str, Counter[Any]]
    duplicates: int


@pytest.fixture(scope="module")
def senders(collector: Collector, drivers: Drivers) -> Iterator[dict[str, Sender]]:
    """One sender for each client."""
    with open_senders(collector.port, collector.keys, drivers, CLIENTS) as opened:
        yield opened


@pytest.fixture(scope="module")
def played(collector: Collector, senders: dict[str, Sender]) -> Played:
    """Each client meets each fault; then the server stops, and starts again while they try."""
    numbers, stages = count(1), {}
    turn = threading.Lock()

    def send(sender: Sender, stage: str) -> None:
        with turn:
            amounts = [next(numbers) for _ in range(EACH)]
        stages[sender.client.label, stage] = Stage(amounts, [])
        sender.send([make_orders(amount, 1)[0] for amount in amounts])

    def finish(sender: Sender, stage: str) -> None:
        amounts = stages[sender.client.label, stage].amounts

        def is_over() -> bool:
            answered = [one.amounts() for one in sender.relay.sent() if one.fault is None and one.answered_s]
            return set(amounts) <= set().union(*answered, sender.settle().get("dropped", []))

        wait_until(is_over, 60, f"{stage}: not all of {amounts} were answered")
        stages[sender.client.label, stage].attempts.extend(sender.relay.attempts)

    def meet_faults(sender: Sender) -> None:
        sender.open()
        for stage, befalls in FAULTS.items():
            sender.relay.attempts.clear()
            more = MORE_CUTS if sender.client.in_browser and stage == "cut" else 0
            sender.relay.befall(*befalls, *[Cut()] * more)
            send(sender, stage)
            finish(sender, stage)

    faults = play(senders.values(), meet_faults)
    faults |= stop_and_start(
        collector, [one for one in senders.values() if one.client.label not in faults], send, finish
    )
    compacted = collector.compact()
    kept: dict[str, Counter[Any]] = {client.source: Counter() for client in CLIENTS}
    for row in collector.kept().to_pylist():
        kept[row["source"]][int(row["field_amount"])] += 1
    return Played(faults, stages, kept, compacted.duplicates)


def stop_and_start(collector: Collector, senders: list[Sender], send: Any, finish: Any) -> dict[str, BaseException]:
    """Stop the server, let the clients send, start it again; who soon gives up is told to send just before."""
    patient = [one for one in senders if one.client.package != "@rudderstack/rudder-sdk-node"]
    hasty = [one for one in senders if one not in patient]
    for sender in senders:
        sender.relay.attempts.clear()
        sender.relay.refuse()
    collector.stop()
    faults = play(patient, lambda sender: send(sender, "stopped"))
    collector.start()
    marks = {sender.client.label: len(sender.driver.noted) for sender in hasty}
    faults |= play(hasty, lambda sender: send(sender, "stopped"))
    ending = threading.Thread(target=lambda: faults.update(play(senders, lambda sender: finish(sender, "stopped"))))
    ending.start()
    for sender in hasty:
        sender.driver.wait_noted("ECONNREFUSED", marks[sender.client.label])
    for sender in senders:
        sender.relay.mend()
    ending.join()

    def send_on(sender: Sender) -> None:
        send(sender, "after")
        finish(sender, "after")

    return faults | play(senders, send_on)


@pytest.fixture(params=CLIENTS, ids=[client.label for client in CLIENTS])
def client(request: pytest.FixtureRequest, played: Played) -> Client:
    """One client after the scene."""
    client: Client = request.param
    if reason := why_absent(client):
        pytest.skip(f"{client.package} NOT TESTED: {reason}")
    if client.label in played.faults:
        raise played.faults[client.label]
    return client


def carriers(stage: Stage) -> list[Attempt]:
    """Return the requests of a stage that carried its orders."""
    return [one for one in stage.attempts if one.method == "POST" and one.amounts() & set(stage.amounts)]


def test_what_was_kept_but_not_answered_comes_again_and_is_kept_once(
    client: Client, played: Played, collector: Collector
) -> None:
    stage = played.stages[client.label, "cut"]
    cut = [one for one in carriers(stage) if isinstance(one.fault, Cut)]
    came = Counter(event["properties"]["amount"] for event in collector.events(client.source))
    assert len(cut) == (2 + MORE_CUTS * client.in_browser if client.retries else 1)
    assert {came[amount] for amount in cut[0].amounts()} == {len(cut) + client.retries}
    assert {amount: played.kept[client.source][amount] for amount in stage.amounts} == dict.fromkeys(stage.amounts, 1)
    if client.sdk == "segment":
        sent = [one for one in carriers(stage) if one.amounts() & cut[0].amounts()]
        # What a page finds again when it is opened is not counted as a retry.
        assert max(int(one.headers.get("x-retry-count", 0)) for one in sent) >= 1


@pytest.mark.parametrize("fault", ["unavailable", "busy"])
def test_what_was_refused_is_sent_again_and_kept_once(
    client: Client, fault: str, played: Played, senders: dict[str, Sender]
) -> None:
    stage = played.stages[client.label, fault]
    refused = next(one for one in carriers(stage) if isinstance(one.fault, Reply))
    lost = set() if client.retries else refused.amounts()
    kept = played.kept[client.source]
    assert {amount: kept[amount] for amount in stage.amounts} == {
        amount: int(amount not in lost) for amount in stage.amounts
    }
    assert lost == set(senders[client.label].dropped) & set(stage.amounts)


@pytest.mark.parametrize("fault", ["unavailable", "busy"])
def test_retry_after_is_waited_out_by_those_that_do(client: Client, fault: str, played: Played) -> None:
    stage = played.stages[client.label, fault]
    refused = next(one for one in carriers(stage) if isinstance(one.fault, Reply))
    again = [one for one in carriers(stage) if one.came_s > refused.came_s and one.amounts() & refused.amounts()]
    assert bool(again) == client.retries
    if refused.status in client.waits_on:
        assert again[0].came_s - refused.answered_s > WAIT_S - 0.05


def test_a_server_that_stops_and_starts_loses_nothing_of_those_who_retry(
    client: Client, played: Played, senders: dict[str, Sender]
) -> None:
    sent = played.stages[client.label, "stopped"].amounts
    kept = played.kept[client.source]
    assert {amount: kept[amount] for amount in sent} == dict.fromkeys(sent, int(client.retries))
    told = [amount for amount in senders[client.label].dropped if amount in sent]
    assert told == ([] if client.retries else sent)
    after = played.stages[client.label, "after"].amounts
    assert {amount: kept[amount] for amount in after} == dict.fromkeys(after, 1)


def test_every_repeat_was_recognised(played: Played, collector: Collector) -> None:
    came = Counter(
        (client.source, event["properties"]["amount"])
        for client in CLIENTS
        for event in collector.events(client.source)
    )
    assert played.duplicates == sum(came.values()) - len(came) > 0
    assert sum(map(Counter.total, played.kept.values())) == len(came)
