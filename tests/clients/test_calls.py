"""Every call of every client arrives whole, and comes to the same form whichever client sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
from tests.clients.calls import AGO_MS, CALLS, CARRIED, MEANT
from tests.clients.collecting import Collector
from tests.clients.roster import CLIENTS, Client
from tests.clients.scene import Sender, play, wait_until, why_absent

LATE_MS = 2_500
"""How far a corrected time may lie outside the moments between which a call was made: clients that batch their calls
tell one sending time, taken before it travels."""


class Wire(NamedTuple):
    """How a client sends what `CALLS` asks of it."""

    requests: int
    paths: tuple[str, ...] = ("/v1/batch",)
    content_type: str = "application/json"
    encoding: str | None = None


_LETTERS = tuple(f"/v1/{letter}" for letter in "itpsga")
_JITSU, _JITSU_SERVER = (
    tuple(f"/api/s/{place}{call}" for call in ("identify", "track", "page", "group")) for place in ("", "s2s/")
)
_FORM = "application/x-www-form-urlencoded"
WIRES = {
    "segment-python-batch": Wire(1),
    "segment-python-gzip": Wire(1, encoding="gzip"),
    "segment-python-single": Wire(7),
    "segment-node-batch": Wire(1),
    "segment-node-single": Wire(7),
    "segment-browser-single": Wire(7, _LETTERS, "text/plain"),
    "segment-browser-batch": Wire(1, ("/v1/b",), "text/plain"),
    "segment-browser-inline": Wire(7, _LETTERS, "text/plain"),
    "rudder-python-gzip": Wire(1, encoding="gzip"),
    "rudder-python-plain": Wire(1),
    "rudder-python-single": Wire(7, encoding="gzip"),
    # The first event of its life goes alone; and gzip goes under a form's name.
    "rudder-node-gzip": Wire(2, content_type=_FORM, encoding="gzip"),
    "rudder-node-plain": Wire(2),
    "rudder-node-single": Wire(7, content_type=_FORM, encoding="gzip"),
    "jitsu-node-device": Wire(4, _JITSU),
    "jitsu-node-server": Wire(4, _JITSU_SERVER),
    "jitsu-browser": Wire(4, _JITSU),
}


@pytest.fixture(scope="module")
def faults(collector: Collector, senders: dict[str, Sender]) -> dict[str, BaseException]:
    """All clients make all their calls; what went wrong, by client."""

    def act(sender: Sender) -> None:
        sender.open()
        calls = [CALLS[name] for name in sender.client.calls]
        sender.send(calls)
        sender.settle()
        wait_until(lambda: len(collector.events(sender.client.source)) >= len(calls), complaint="calls are missing")

    return play(senders.values(), act)


@pytest.fixture(params=CLIENTS, ids=[client.label for client in CLIENTS])
def sender(request: pytest.FixtureRequest, senders: dict[str, Sender], faults: dict[str, BaseException]) -> Sender:
    """One client after the scene."""
    client: Client = request.param
    if reason := why_absent(client):
        pytest.skip(f"{client.package} NOT TESTED: {reason}")
    if client.label in faults:
        raise faults[client.label]
    return senders[client.label]


def test_every_call_arrives_once_and_whole(sender: Sender, collector: Collector) -> None:
    sent = [CALLS[name] for name in sender.client.calls]
    events = collector.events(sender.client.source)
    assert sorted(event["type"] for event in events) == sorted(call["type"] for call in sent)
    for call in sent:
        assert [event for event in events if holds(event, call)], f"{call} is not among {events}"
    assert len({event["messageId"] for event in events}) == len(sent)
    assert not sender.dropped


def holds(event: Mapping[str, Any], call: Mapping[str, Any]) -> bool:
    """Return whether an event holds everything that a call says."""
    wanted = {key: value for key, value in call.items() if key not in ("consent", "ago_ms", "traits", "properties")}
    if call["type"] == "alias":
        wanted.pop("anonymousId")
    told = {**event.get("context", {}).get("traits", {}), **(event.get("traits") or {})}
    if "name" not in event and event["type"] == "page":  # Jitsu's client puts the name among the properties.
        event = {**event, "name": event["properties"].get("name")}
    return (
        {**event, **wanted} == event
        and {**(event.get("properties") or {}), **call.get("properties", {})} == (event.get("properties") or {})
        and {**told, **call.get("traits", {})} == told
        and event["context"]["consent"]["categoryPreferences"] == call["consent"]
    )


def test_it_comes_to_the_one_form(sender: Sender, collector: Collector) -> None:
    read = collector.read()
    assert [bad.reason for bad in read.bad if bad.source == sender.client.source] == []
    rows = [row for row in read.events.to_pylist() if row["source"] == sender.client.source]
    carried = CARRIED if sender.client.sdk == "jitsu" else {}
    meant = [MEANT[name] | (carried if name in ("track", "page") else {}) for name in sender.client.calls]
    assert sorted(map(shown, rows)) == sorted(map(shown, meant))


def shown(row: Mapping[str, Any]) -> str:
    """Return what a row says, without what depends on when and where it came."""
    left_out = ("source", "row_key", "line", "occurred_ms", "original_ms", "sent_ms")
    return str(sorted((key, value) for key, value in row.items() if value is not None and key not in left_out))


def test_a_wrong_clock_is_put_right(sender: Sender, collector: Collector) -> None:
    skew_ms = sender.driver.skew_ms
    rows = [row for row in collector.read().events.to_pylist() if row["source"] == sender.client.source]
    moments = sorted(row["occurred_ms"] for row in rows)
    if "dated" in sender.client.calls:
        moments[0] += AGO_MS
    assert all(sender.began_ms - LATE_MS < moment < sender.ended_ms + LATE_MS for moment in moments)
    for row in rows:
        assert row["sent_ms"] - skew_ms == pytest.approx(sender.began_ms, abs=60_000), (
            "the client's own clock was not wrong"
        )
        assert row["original_ms"] <= row["sent_ms"]


def test_it_goes_over_the_wire_as_the_documentation_says(sender: Sender) -> None:
    attempts = sender.relay.sent()
    seen = {(one.headers.get("content-type"), one.headers.get("content-encoding")) for one in attempts}
    expected = WIRES[sender.client.label]
    assert seen == {(expected.content_type, expected.encoding)}
    assert {one.path for one in attempts} == set(expected.paths)
    assert len(attempts) == expected.requests
    by_key = [one.headers.get("x-write-key") == sender.key for one in attempts]
    assert all(by_key) if sender.client.sdk == "jitsu" else not any(by_key)
    assert {one.status for one in sender.relay.attempts} == {200}


def test_a_page_asks_before_it_sends_and_asks_nobody_else(sender: Sender) -> None:
    preflights = [one for one in sender.relay.attempts if one.method == "OPTIONS"]
    assert bool(preflights) == sender.client.in_browser
    if sender.client.in_browser:
        assert {one.path for one in preflights} == {one.path for one in sender.relay.sent()}
        assert all(one.headers["origin"].startswith("http://localhost:") for one in sender.relay.attempts)
        assert sender.told["elsewhere"] == []
    settings = [one.path for one in sender.relay.attempts if one.method == "GET"]
    from_collector = sender.client.label in ("segment-browser-single", "segment-browser-batch")
    assert settings == ([f"/v1/projects/{sender.key}/settings"] if from_collector else [])
