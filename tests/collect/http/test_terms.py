"""The terms of a key on a running collector: from where, which events, and how many a second."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.http.collector import KEY, Collector, make_event

from parcours.collect.connectors.http import DEFAULT_NAMES
from parcours.collect.http.intake import StoppedError
from parcours.collect.http.keys import Sender
from parcours.collect.http.terms import BURST_S, KeyTerms

HERE = "https://shop.example"


def encode(told: object) -> bytes:
    return json.dumps(told).encode()


def test_a_key_of_an_origin_serves_its_pages_alone(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector(senders={KEY: Sender("web", key_origins=(HERE,))})
    assert collector.post("/v1/track", make_event(), {"Origin": HERE}).status == 200
    for told in ({}, {"Origin": "https://shop.example.evil.example"}, {"Origin": "null"}):
        answer = collector.post("/v1/track", make_event(), told)
        assert (answer.status, answer.document["code"]) == (403, "origin_refused")


def test_a_key_of_some_events_sends_no_other(start_collector: Callable[..., Collector]) -> None:
    key = Sender("web", events=("Order Placed", "Page Viewed"), names=DEFAULT_NAMES)
    collector = start_collector(senders={KEY: key})
    placed, page = make_event(event="Order Placed"), {"type": "page", "anonymousId": "a"}
    assert collector.post("/v1/track", placed).status == 200
    assert collector.post("/v1/page", encode(page)).status == 200
    assert (
        collector.post("/v1/batch", encode({"batch": [{"type": "track", "event": "Order Placed"}, page]})).status == 200
    )
    refused = (
        ("/v1/track", make_event(event="Refund Asked")),
        ("/v1/identify", encode({"userId": "1"})),
        ("/v1/merge", encode({})),
        ("/v1/batch", encode({"batch": [{"type": "track", "event": "Order Placed"}, {"type": "track", "event": "X"}]})),
        ("/v1/batch", encode({"batch": [{"event": "Order Placed"}]})),
        ("/v1/batch", encode({"batch": ["Order Placed"]})),
        ("/v1/track", encode({"event": ["Order Placed"]})),
    )
    for place, body in refused:
        answer = collector.post(place, body)
        assert (answer.status, answer.document["code"]) == (403, "event_refused"), (place, body)


def test_a_key_with_a_rate_is_asked_to_wait(start_collector: Callable[..., Collector]) -> None:
    slow, other = Sender("web", key="slow", per_second=0.5), Sender("web", key="other")
    collector = start_collector(senders={KEY: slow, "other": other})
    statuses = [collector.post("/v1/track", make_event()).status for _ in range(8)]
    assert statuses[:5] == [200] * 5
    refused = collector.post("/v1/track", make_event())
    assert (refused.status, refused.document["code"]) == (429, "rate_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 300
    assert collector.post("/v1/track", make_event(), key="other").status == 200


def take(terms: KeyTerms, sender: Sender, events: int) -> bool:
    """Return whether a key may send so many events now."""
    try:
        terms.check(sender, "track", b"{}", events, b"")
    except StoppedError as stopped:
        return stopped.code != "rate_exceeded"
    return True


@settings(max_examples=100, deadline=None)
@given(st.floats(0.1, 1000), st.lists(st.tuples(st.floats(0, 5), st.integers(1, 200)), max_size=60))
def test_no_key_sends_more_than_its_rate_and_one_request(rate: float, asked: list[tuple[float, int]]) -> None:
    now = [0.0]
    terms, sender, sent = KeyTerms(lambda: now[0]), Sender("web", key="k", per_second=rate), 0
    for pause, events in asked:
        now[0] += pause
        if take(terms, sender, events):
            sent += events
    largest = max((events for _, events in asked), default=0)
    assert sent <= rate * now[0] + max(1.0, rate * BURST_S) + largest


def test_a_batch_larger_than_all_that_is_saved_up_passes_once_and_is_waited_for() -> None:
    now = [0.0]
    terms, sender = KeyTerms(lambda: now[0]), Sender("web", key="k", per_second=1)
    assert take(terms, sender, 500)
    for later, may in ((60, False), (489, False), (492, True)):
        now[0] = later
        assert take(terms, sender, 1) is may, later


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"batch":7}', b'{"batch":[null]}', b'{"event":"\xff"}'])
def test_what_is_not_understood_is_no_event_that_it_may_send(body: bytes) -> None:
    for kind in ("batch", "track", "page"):
        with pytest.raises(StoppedError) as stopped:
            KeyTerms().check(Sender("web", events=("A",)), kind, body, 1, b"")
        assert stopped.value.code == "event_refused"
