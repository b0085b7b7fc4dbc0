"""Sizes: what must still be taken, what must be refused, and that one large event does not cost its batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import ACCEPTED, BAD_REQUEST, REFUSED, Expectation, ask, judge_all
from parcours.collect.conform.rule import RUDDER, Outcome, Rule, skipped
from parcours.collect.conform.run import Run, zipped
from parcours.words import Words


def sized_event(run: Run, size_bytes: int) -> dict[str, Any]:
    """Return an event of exactly so many bytes of JSON."""
    event = run.event(properties={"synthetic": True, "text": ""})
    filling = size_bytes - len(msgspec.json.encode(event))
    event["properties"]["text"] = "x" * filling
    return event


def wide_event(run: Run) -> dict[str, Any]:
    """Return an event with a property of 33,000 letters: over 32 KB however that is counted."""
    return run.event(properties={"synthetic": True, "text": "x" * 33_000})


def large_batch(run: Run, count: int, size_bytes: int) -> dict[str, Any]:
    """Return an envelope of ``count`` events of so many bytes each."""
    return run.batch(*(sized_event(run, size_bytes) for _ in range(count)))


def many_events(run: Run, count: int) -> Request:
    """Return a batch of so many events, small enough for 500 KB together; the envelope says that they are synthetic."""
    who = run.fresh("many")
    events = [{"type": "track", "event": "Many", "anonymousId": who, "messageId": f"{who}-{n}"} for n in range(count)]
    return run.post("/v1/batch", run.batch(*events))


def send_browser_oversize(run: Run) -> Iterator[Request]:
    """An oversize event on the browser's route and in the documented one's body key form."""
    yield run.browser("/v1/t", wide_event(run))
    yield run.post("/v1/page", wide_event(run) | {"type": "page"}, "body")


def send_many_fields(run: Run) -> Request:
    """1,500 fields within 32 KB."""
    return run.post("/v1/track", run.event(properties={f"field_{number}": number for number in range(1500)}))


def only_rudder(build: Callable[[Run], Request], expected: Expectation) -> Callable[[Run], Outcome]:
    """Return a check that only makes sense where Segment's sizes are not asked of the same write key."""

    def check(run: Run) -> Outcome:
        if run.profile == "rudderstack":
            return judge_all(run, [build(run)], expected)
        return skipped(
            Words(
                "contredit la limite de Segment pour une même clé : lancez --profile rudderstack avec une clé"
                " dont la source l'admet",
                "contradicts Segment's limit for the same key: run --profile rudderstack with a key whose source allows"
                " it",
            )
        )

    return check


RULES = (
    ask("sizes.event_under", Words("un événement de 31 000 octets", "an event of 31,000 bytes"), cited.HTTP_API,
        lambda run: run.post("/v1/track", sized_event(run, 31_000))),
    ask("sizes.event_over", Words("une propriété de 33 000 lettres", "a property of 33,000 letters"), cited.HTTP_API,
        lambda run: run.post("/v1/track", wide_event(run)), BAD_REQUEST),
    ask("sizes.event_over_elsewhere", Words("la même par /v1/t et /v1/page", "the same through /v1/t and /v1/page"),
        cited.HTTP_API, send_browser_oversize, BAD_REQUEST),
    ask("sizes.body_under", Words("un lot de 473 Ko", "a batch of 473 KB"), cited.PYTHON,
        lambda run: run.post("/v1/batch", large_batch(run, 19, 24_900))),
    ask("sizes.body_over", Words("un lot de 27 × 20 000 lettres", "a batch of 27 × 20,000 letters"), cited.HTTP_API,
        lambda run: run.post("/v1/batch", large_batch(run, 27, 20_200)), BAD_REQUEST),
    ask("sizes.body_over_gzip", Words("le même lot en gzip : c'est la taille dépliée qui compte",
                                      "the same batch in gzip: the inflated size counts"), cited.OWN,
        lambda run: zipped(run.post("/v1/batch", large_batch(run, 27, 20_200))), BAD_REQUEST),
    ask("sizes.events_2500", Words("un lot de 2 500 événements", "a batch of 2,500 events"), cited.HTTP_API,
        lambda run: many_events(run, 2500)),
    ask("sizes.events_2501", Words("un lot de 2 501 événements (refus silencieux)",
                                   "a batch of 2,501 events (refused silently)"), cited.HTTP_API,
        lambda run: many_events(run, 2501)),
    ask("sizes.oversize_inside", Words("un lot : un événement de 33 000 lettres entre deux bons",
                                       "a batch: an event of 33,000 letters between two good ones"), cited.OWN,
        lambda run: run.post("/v1/batch", run.batch(run.event(), wide_event(run), run.event()))),
    ask("sizes.many_fields", Words("1 500 champs dans 32 Ko", "1,500 fields within 32 KB"),
        "Tracardi #215: a limit of fields lost events", send_many_fields),
    Rule(
        id="sizes.rudder_4mb",
        sent=Words("un lot de 3,9 Mo", "a batch of 3.9 MB"),
        contract=Words("exactement 200", "exactly 200"),
        source="rudder-sdk-python 2.1.9, source; rudder-server maxReqSizeInKB 4000",
        check=only_rudder(lambda run: run.post("/v1/batch", large_batch(run, 130, 30_000)), ACCEPTED),
        profiles=RUDDER,
    ),
    Rule(
        id="sizes.rudder_over",
        sent=Words("un lot de 6 Mo", "a batch of 6 MB"),
        contract=REFUSED.words,
        source=cited.RUDDER_SERVER,
        check=only_rudder(lambda run: run.post("/v1/batch", large_batch(run, 200, 30_000)), REFUSED),
        profiles=RUDDER,
    ),
)  # fmt: skip
"""In the order in which they run."""
