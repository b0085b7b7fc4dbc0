"""What a rule is, and what running one gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from parcours.collect.conform.run import Run
from parcours.words import Words

Profile = Literal["segment", "rudderstack", "jitsu"]
Level = Literal["required", "advised"]
Verdict = Literal["pass", "fail", "skip"]
Event = Mapping[str, Any]
"""An event as the read-back interface gives it."""

SEGMENT: Final[tuple[Profile, ...]] = ("segment",)
RUDDER: Final[tuple[Profile, ...]] = ("rudderstack",)
JITSU: Final[tuple[Profile, ...]] = ("jitsu",)
SERVERS: Final[tuple[Profile, ...]] = ("segment", "rudderstack")
"""Segment's documented routes, which RudderStack's clients use too."""
EVERY: Final[tuple[Profile, ...]] = ("segment", "rudderstack", "jitsu")


class Outcome(msgspec.Struct, frozen=True):
    """How one rule went: ``came`` is what came back, ``reason`` why it could not be tested."""

    verdict: Verdict
    came: Words
    reason: Words = Words()


class Later(msgspec.Struct, frozen=True):
    """A judgement for when what was sent can be read back.

    Attributes:
        anonymous_id: Whose events to read.
        last: The ``messageId`` of what was sent last: until it is there, nothing is judged.
        last_name: Its ``event``, which no other event has.
        judge: From the events, in order of acceptance, to the outcome.
    """

    anonymous_id: str
    last: str
    last_name: str
    judge: Callable[[tuple[Event, ...]], Outcome]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the suite.

    Attributes:
        id: ``section.name``.
        sent: What is sent.
        contract: What the contract says about it.
        source: Where it says so.
        check: Sends, and says how it went.
        profiles: Whose clients rely on it.
        level: A failing ``advised`` rule is shown and does not fail the suite.
    """

    id: str
    sent: Words
    contract: Words
    source: str
    check: Callable[[Run], Outcome | Later]
    profiles: tuple[Profile, ...] = SEGMENT
    level: Level = "required"

    @property
    def section(self) -> str:
        """What stands before the point in the id."""
        return self.id.split(".")[0]


def passed(came: Words | str) -> Outcome:
    """The server did what the contract says."""
    return Outcome("pass", _both(came))


def failed(came: Words | str) -> Outcome:
    """The server did something else."""
    return Outcome("fail", _both(came))


def skipped(reason: Words) -> Outcome:
    """It could not be tested, and why."""
    return Outcome("skip", Words(), reason)


def decide(holds: bool, came: Words | str) -> Outcome:
    """Pass where it holds."""
    return passed(came) if holds else failed(came)


def same(text: str) -> Words:
    """Return a text that is the same in both languages."""
    return Words(text, text)


def _both(text: Words | str) -> Words:
    return same(text) if isinstance(text, str) else text
