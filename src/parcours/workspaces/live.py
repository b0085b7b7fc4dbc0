"""What pages hear while events come in: the feed they listen to, and one line a second for all who listen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, Protocol

import msgspec
from anyio import CapacityLimiter, to_thread

from parcours.charts.numbers import write_duration
from parcours.errors import ParcoursError
from parcours.words import Language
from parcours.workspaces.readable import Readable
from parcours.workspaces.wording import Say

EVERY_S = 1.0
HEARTBEAT_S = 15.0
MOST_STREAMS = 64
MINUTE_MS = 60_000


Sees = Callable[[Readable, str], bool]
"""Returns whether somebody may see what comes in at a touchpoint of the company."""


class Latest(msgspec.Struct, frozen=True):
    """The latest event that concerns a touchpoint, and when it was received."""

    touchpoint: str
    at_ms: int


class LiveState(msgspec.Struct, frozen=True, kw_only=True):
    """What has come in up to now.

    Attributes:
        rate_per_min: Events accepted in the last 60 seconds.
        lag_ms: How long the oldest event that is not in the pages yet has waited.
        touchpoints: Events since the feed began, by touchpoint; only how much they grow is told.
        latest: The latest event of a touchpoint.
        sources_changed: Changes whenever what the page of sources shows does.
    """

    rate_per_min: int = 0
    lag_ms: int = 0
    touchpoints: Mapping[str, int] = {}
    latest: Latest | None = None
    sources_changed: str | int = ""


class LiveFeed(Protocol):
    """Where the state comes from; the main process of `serve` follows the journal for it."""

    def snapshot(self) -> LiveState:
        """Return the state now: cheap, from any thread."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a page is told: where results and sources stand, the figures, what is new by touchpoint, and the line."""

    published: str
    sources_changed: str
    rate_per_min: int
    lag_ms: int
    touchpoints: dict[str, int]
    latest: Latest | None
    line: str


class Heard(NamedTuple):
    """What is known at one moment: the feed's state, what is published, and the company whose words are used."""

    state: LiveState
    published: str
    company: Readable


class Hub:
    """One feed, many streams: the feed is asked once a second at most, whoever listens.

    Args:
        feed: What is listened to.
        published: Returns what changes whenever the pages do.
        company: Returns the company as its files now say.
        most: How many streams may be open at once.
    """

    def __init__(
        self,
        feed: LiveFeed,
        published: Callable[[], str],
        company: Callable[[], Readable],
        most: int = MOST_STREAMS,
    ) -> None:
        self._feed, self._published, self._company = feed, published, company
        self._most = most
        self._open = 0
        self._closing = asyncio.Event()
        self._turn = asyncio.Lock()
        # One thread of its own: pages that take long to make must not keep it waiting.
        self._thread = CapacityLimiter(1)
        self._heard_at = 0.0
        self._heard: Heard | None = None

    def enter(self) -> bool:
        """Take one of the places; say whether there was one."""
        if self._open >= self._most or self._closing.is_set():
            return False
        self._open += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self._open -= 1

    def close(self) -> None:
        """End every stream, so that a server that stops need not wait for them; call it from the event loop."""
        self._closing.set()

    def mark(self, sources: bool = False) -> str:
        """Return what tells one state of a page from another (of that of ``sources``): scripts compare it."""
        published = self._published()
        return f"{published}.{mark_sources(self._snapshot())}" if sources else published

    async def tell(self, language: Language, sees: Sees | None = None) -> AsyncIterator[bytes]:
        """Yield server-sent events until the server stops: whenever something changed, and a heartbeat.

        Of touchpoints that the reader does not see (``sees``) nothing is told.
        """
        before: Message | None = None
        counted: Mapping[str, int] | None = None
        told_at = time.monotonic()
        yield b"retry: 5000\n\n"
        while not self._closing.is_set():
            heard = await self._listen()
            if sees is not None:
                heard = heard._replace(state=narrow(heard, sees))
            message = make_message(heard, counted, language)
            counted = heard.state.touchpoints
            if message != before or message.touchpoints:
                before, told_at = message, time.monotonic()
                yield b"data: " + msgspec.json.encode(message) + b"\n\n"
            elif time.monotonic() - told_at >= HEARTBEAT_S:
                told_at = time.monotonic()
                yield b": still here\n\n"
            await self._pause()

    async def _listen(self) -> Heard:
        async with self._turn:
            if self._heard is None or time.monotonic() - self._heard_at >= EVERY_S / 2:
                self._heard = await to_thread.run_sync(self._hear, limiter=self._thread)
                self._heard_at = time.monotonic()
            return self._heard

    def _hear(self) -> Heard:
        return Heard(self._snapshot(), self._published(), self._company())

    def _snapshot(self) -> LiveState:
        try:
            return self._feed.snapshot()
        except ParcoursError:
            # What is wrong is told where it is; here, nothing is known to be new.
            return self._heard.state if self._heard else LiveState()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), EVERY_S)


def make_message(heard: Heard, counted: Mapping[str, int] | None, language: Language) -> Message:
    """Return what to tell someone who knows the counts ``counted`` of touchpoints, or none of them yet."""
    state = heard.state
    known = state.touchpoints if counted is None else counted
    # A count that falls belongs to a feed that began anew.
    grown = {id: count - known.get(id, 0) for id, count in state.touchpoints.items() if count > known.get(id, 0)}
    return Message(
        published=heard.published,
        sources_changed=mark_sources(state),
        rate_per_min=state.rate_per_min,
        lag_ms=state.lag_ms,
        touchpoints=grown,
        latest=state.latest,
        line=say_line(state, heard.company, language, time.time_ns() // 1_000_000),
    )


def narrow(heard: Heard, sees: Sees) -> LiveState:
    """Return what somebody may hear who ``sees`` some touchpoints."""
    state, company = heard.state, heard.company
    touchpoints = {id: count for id, count in state.touchpoints.items() if sees(company, id)}
    latest = state.latest if state.latest and sees(company, state.latest.touchpoint) else None
    return msgspec.structs.replace(state, touchpoints=touchpoints, latest=latest)


def mark_sources(state: LiveState) -> str:
    """Return what changes whenever the page of sources does: each minute, for it says how long ago things were."""
    return f"{state.sources_changed}-{time.time_ns() // 1_000_000 // MINUTE_MS}"


def say_line(state: LiveState, company: Readable, language: Language, now_ms: int) -> str:
    """Say in one line what comes in: how many this minute, the latest, and how far pages are behind."""
    say = Say(language)
    count = state.rate_per_min
    parts = [say.count("live.events", count) if count else say("live.nothing")]
    label = company.labels.get(f"touchpoint:{state.latest.touchpoint}") if state.latest else None
    if state.latest and (label := label or company.labels.get(state.latest.touchpoint)):
        ago = write_duration(max(0, now_ms - state.latest.at_ms), language)
        parts.append(say("live.latest", touchpoint=label.in_language(language), ago=ago))
    parts.append(say("live.lag", lag=write_duration(state.lag_ms, language)))
    return "".join(parts)
