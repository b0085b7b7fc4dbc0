"""How what is read back is judged: which events are there, how often, in which order, at what time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from parcours.collect.conform.rule import Event, Outcome, decide, failed
from parcours.words import Words

Judge = Callable[[tuple[Event, ...]], Outcome]
TOLERANCE_S: Final = 1.0


def is_same(event: Event, sent: Event) -> bool:
    """Tell whether an event that was read back is the one that was sent, by its id or by its unique name."""
    return bool(sent["messageId"] == event.get("messageId") or sent["event"] == event.get("event"))


def judge_ids(expected: Iterable[str], ordered: bool = False) -> Judge:
    """Return the judgement that exactly these message ids are there, each once, perhaps in this order."""
    wanted = list(expected)

    def judge(events: tuple[Event, ...]) -> Outcome:
        found = [str(event.get("messageId")) for event in events]
        holds = found == wanted if ordered else sorted(found) == sorted(wanted)
        once = len(set(found) & set(wanted))
        extra = len(found) - once
        if sorted(found) == sorted(wanted) and not holds:
            return failed(Words("tous là, dans un autre ordre", "all there, in another order"))
        return decide(
            holds,
            Words(
                f"{once} attendus sur {len(wanted)}, {extra} en trop",
                f"{once} expected of {len(wanted)}, {extra} too many",
            ),
        )

    return judge


def judge_field(name: str, expected: Iterable[Any]) -> Judge:
    """Return the judgement that the events hold exactly these values in a field, in any order."""
    wanted = sorted(str(value) for value in expected)

    def judge(events: tuple[Event, ...]) -> Outcome:
        found = sorted(str(event.get(name)) for event in events)
        return decide(found == wanted, f"{name}: {', '.join(found)[:60]}")

    return judge


def ids_of(events: Iterable[dict[str, Any]]) -> list[str]:
    """Return the message ids of events."""
    return [event["messageId"] for event in events]


def read_moment(value: object) -> float | None:
    """Return ISO 8601 as seconds since the epoch, ``None`` for anything else or for a moment without a zone."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def judge_clock(original: str, sent: str | None) -> Judge:
    """Return the judgement that the time was corrected by how far the client's clock was off, or left alone."""

    def judge(events: tuple[Event, ...]) -> Outcome:
        if not events:
            return failed(Words("aucun événement", "no event"))
        told, received = read_moment(events[0].get("timestamp")), read_moment(events[0].get("receivedAt"))
        begun, gone = read_moment(original), read_moment(sent)
        if told is None or begun is None or (gone is not None and received is None):
            return failed(f"timestamp: {events[0].get('timestamp')}, receivedAt: {events[0].get('receivedAt')}")
        right = begun if gone is None or received is None else received - (gone - begun)
        off = told - right
        return decide(abs(off) <= TOLERANCE_S, Words(f"écart de {off:.3f} s", f"off by {off:.3f} s"))

    return judge
