"""The hub: what is told and when, how many may listen, and one question a second to the feed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec
import pytest
from collected import Feed
from firm import Firm

from parcours.errors import ParcoursError
from parcours.words import Words
from parcours.workspaces import live
from parcours.workspaces.live import Heard, Hub, Latest, LiveState, Message, make_message, say_line

Result = TypeVar("Result")
NOW_MS = 1_770_127_500_000


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` in a thread of its own: a browser test before it leaves a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def make_hub(firm: Firm, feed: Feed, most: int = 3) -> Hub:
    """Return a hub over a feed; what is published never changes."""
    return Hub(feed, lambda: "p1", lambda: firm, most)


async def next_message(stream: AsyncIterator[bytes]) -> Message:
    """Return the next message of a stream, past what is none."""
    while True:
        piece = await asyncio.wait_for(anext(stream), 20)
        if piece.startswith(b"data: "):
            assert piece.endswith(b"\n\n")
            assert piece.count(b"\n") == 2  # one message is one line, whatever stands in it
            return msgspec.json.decode(piece[6:], type=Message)


def test_the_first_message_says_where_things_stand_and_no_growth(firm: Firm) -> None:
    state = LiveState(rate_per_min=12, lag_ms=900, touchpoints={"checkout": 7}, latest=Latest("checkout", NOW_MS))

    async def listen() -> Message:
        return await next_message(make_hub(firm, Feed(state)).tell("fr"))

    message = run(listen())
    assert (message.published, message.rate_per_min, message.lag_ms) == ("p1", 12, 900)
    assert message.touchpoints == {}
    assert message.latest == Latest("checkout", NOW_MS)


def test_growth_is_told_by_touchpoint_even_when_it_is_the_same_twice(firm: Firm) -> None:
    def message(before: dict[str, int] | None, now: dict[str, int]) -> dict[str, int]:
        return make_message(Heard(LiveState(touchpoints=now), "p", firm), before, "fr").touchpoints

    assert message({"checkout": 7}, {"checkout": 9, "delivery": 1}) == {"checkout": 2, "delivery": 1}
    assert message(None, {"checkout": 9}) == {}
    assert message({"checkout": 900}, {"checkout": 3}) == {}  # the feed began anew

    async def listen() -> list[dict[str, int]]:
        feed = Feed(LiveState(touchpoints={"checkout": 1}))
        stream = make_hub(firm, feed).tell("fr")
        told = [(await next_message(stream)).touchpoints]
        for count in (2, 3):
            feed.state = LiveState(touchpoints={"checkout": count})
            told.append((await next_message(stream)).touchpoints)
        return told

    assert run(listen()) == [{}, {"checkout": 1}, {"checkout": 1}]


def test_nothing_new_is_not_told_but_a_heartbeat_is(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.01)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(live, "mark_sources", lambda state: "same")

    async def listen() -> list[bytes]:
        stream = make_hub(firm, Feed()).tell("fr")
        return [await asyncio.wait_for(anext(stream), 20) for _ in range(4)]

    retry, first, *beats = run(listen())
    assert retry.startswith(b"retry: ")
    assert first.startswith(b"data: ")
    assert all(beat.startswith(b": ") for beat in beats)


def test_the_feed_is_asked_once_however_many_listen(firm: Firm) -> None:
    asked: list[float] = []

    class Counting(Feed):
        def snapshot(self) -> LiveState:
            asked.append(time.monotonic())
            return super().snapshot()

    async def listen() -> None:
        hub = make_hub(firm, Counting())
        await asyncio.gather(*(next_message(hub.tell("fr")) for _ in range(20)))

    run(listen())
    assert len(asked) == 1


def test_places_are_limited_and_given_back(firm: Firm) -> None:
    hub = make_hub(firm, Feed(), most=2)
    assert [hub.enter(), hub.enter(), hub.enter()] == [True, True, False]
    hub.leave()
    assert hub.enter()


def test_closing_ends_every_stream_and_lets_nobody_in(firm: Firm) -> None:
    async def listen() -> list[bytes]:
        hub = make_hub(firm, Feed())
        stream = hub.tell("fr")
        await next_message(stream)
        hub.close()
        rest = [piece async for piece in stream]
        assert not hub.enter()
        return rest

    assert run(listen()) == []


def test_a_feed_in_trouble_says_nothing_new_and_ends_nothing(firm: Firm) -> None:
    class Broken(Feed):
        def snapshot(self) -> LiveState:
            raise ParcoursError("database_busy", Words("Occupé.", "Busy."), Words("", ""))

    hub = make_hub(firm, Broken())
    assert hub.mark() == "p1"

    async def listen() -> Message:
        return await next_message(hub.tell("fr"))

    assert run(listen()).rate_per_min == 0


def test_the_page_of_sources_changes_with_sources_and_with_the_minute(firm: Firm) -> None:
    hub = make_hub(firm, Feed(LiveState(sources_changed=8)))
    published, _, sources = hub.mark(sources=True).partition(".")
    assert published == "p1"
    assert sources.startswith("8-")
    assert hub.mark() == "p1"


@pytest.mark.parametrize(
    ("state", "french", "english"),
    [
        (
            LiveState(rate_per_min=12, lag_ms=1_000, latest=Latest("checkout", NOW_MS - 2_000)),
            "12 événements cette minute, le dernier «\u00a0Commande en ligne\u00a0» il y a 2\u00a0s, retard 1\u00a0s",
            "12 events this minute, the latest “Online checkout” 2\u00a0s ago, 1\u00a0s behind",
        ),
        (
            LiveState(rate_per_min=1, latest=Latest("gone", NOW_MS)),
            "1 événement cette minute, retard 0\u00a0s",
            "1 event this minute, 0\u00a0s behind",
        ),
        (LiveState(), "aucun événement cette minute, retard 0\u00a0s", "no event this minute, 0\u00a0s behind"),
        (
            LiveState(rate_per_min=20_000, latest=Latest("checkout", NOW_MS + 9_000)),
            "20\u202f000 événements cette minute, le dernier «\u00a0Commande en ligne\u00a0» il y a 0\u00a0s, "
            "retard 0\u00a0s",
            "20,000 events this minute, the latest “Online checkout” 0\u00a0s ago, 0\u00a0s behind",
        ),
    ],
)
def test_the_line_says_how_many_the_latest_and_the_lag(firm: Firm, state: LiveState, french: str, english: str) -> None:
    assert say_line(state, firm, "fr", NOW_MS) == french
    assert say_line(state, firm, "en", NOW_MS) == english


def test_a_reader_hears_of_the_touchpoints_alone_that_they_see(firm: Firm) -> None:
    state = LiveState(rate_per_min=3, touchpoints={"checkout": 7, "delivery": 2}, latest=Latest("checkout", NOW_MS))

    async def listen() -> tuple[Message, Message]:
        feed = Feed(state)
        stream = make_hub(firm, feed).tell("en", lambda _, touchpoint: touchpoint == "delivery")
        first = await next_message(stream)
        feed.state = msgspec.structs.replace(state, touchpoints={"checkout": 9, "delivery": 5})
        return first, await next_message(stream)

    first, second = run(listen())
    assert first.latest is None
    assert firm.labels["checkout"].en not in first.line
    assert first.rate_per_min == 3
    assert second.touchpoints == {"delivery": 3}
