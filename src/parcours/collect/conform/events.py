"""Events whose meaning is wrong or odd: Segment answers 200 and says so elsewhere; an SDK drops what gets a 400."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import ask
from parcours.collect.conform.rule import EVERY, SERVERS
from parcours.collect.conform.run import Run
from parcours.words import Words


def send_without_ids(run: Run) -> Iterator[Request]:
    """Nobody: alone, and in a batch."""
    nobody = run.event(anonymousId=...)
    yield run.post("/v1/track", nobody)
    yield run.post("/v1/batch", run.batch(nobody, run.event()))


def send_integer_ids(run: Run) -> Request:
    """Ids as numbers, which some SDKs turn into text and others do not."""
    return run.home(run.event(userId=20_240_229, messageId=run.fresh("integer")))


def send_incomplete(run: Run) -> Iterator[Request]:
    """A track without its name, a group without its group, an alias without what came before."""
    yield run.post("/v1/track", run.event(event=...))
    yield run.post("/v1/group", run.event("group", groupId=...))
    yield run.post("/v1/alias", run.event("alias", previousId=...))


def send_unknown_types(run: Run) -> Request:
    """A batch with a type that does not exist, one without a type, and a good one."""
    return run.post("/v1/batch", run.batch(run.event(type="dance"), run.event(type=...), run.event()))


def send_non_objects(run: Run) -> Request:
    """A batch that holds things that are no events, and a good one."""
    return run.post("/v1/batch", run.batch("text", 7, None, [1], {}, run.event()))


def send_odd_times(run: Run) -> Iterator[Request]:
    """Moments that are none, absent, without a zone, with an offset, and in another century."""
    yield run.post("/v1/track", run.event(timestamp=...))
    for moment in ("yesterday", "", None, "2024-02-29", "2024-02-29T12:00:00", "2024-02-29T12:00:00+02:00", 1.7e12):
        yield run.post("/v1/track", run.event(timestamp=moment))
    yield run.post("/v1/batch", run.batch(run.event(timestamp="9999-12-31T23:59:59Z"), sentAt="not a moment"))


def send_long(run: Run) -> Iterator[Request]:
    """More than Segment keeps: 301 traits, a group id of 501 letters, a message id of 101."""
    yield run.post("/v1/identify", run.event("identify", traits={f"trait_{number}": number for number in range(301)}))
    yield run.post("/v1/group", run.event("group", groupId="g" * 501))
    yield run.post("/v1/track", run.event(messageId=run.fresh("long").ljust(101, "m")))


def send_consents(run: Run) -> Iterator[Request]:
    """Consent as Segment's wrappers send it, empty, and unreadable."""
    for consent in ({"categoryPreferences": {"Analytics": True, "Advertising": False}}, {}, "yes", None):
        yield run.home(run.event(context=run.context() | {"consent": consent}))


def send_nulls(run: Run) -> Request:
    """Fields that SDKs send as null when they have nothing to say."""
    return run.home(run.event(properties=None, integrations=None, userId=None))


RULES = (
    ask("events.no_ids", Words("ni userId ni anonymousId", "neither userId nor anonymousId"), cited.HTTP_API,
        send_without_ids),
    ask("events.anonymous_null", Words("anonymousId null, userId donné", "anonymousId null, userId given"),
        cited.PYTHON, lambda run: run.home(run.event(anonymousId=None, userId=run.fresh("user"))), profiles=EVERY),
    ask("events.no_message_id", Words("sans messageId", "no messageId"), cited.COMMON,
        lambda run: run.home(run.event(messageId=...)), profiles=EVERY),
    ask("events.integer_ids", Words("userId en nombre entier", "userId as an integer"), cited.OWN,
        send_integer_ids, profiles=EVERY),
    ask("events.incomplete", Words("track sans nom, group sans groupId, alias sans previousId",
                                   "track without a name, group without groupId, alias without previousId"),
        cited.HTTP_API, send_incomplete),
    ask("events.unknown_types", Words("un lot avec un type inconnu et un événement sans type",
                                      "a batch with an unknown type and an event without one"), cited.OWN,
        send_unknown_types),
    ask("events.non_objects", Words("un lot qui contient un texte, un nombre, null, une liste",
                                    "a batch that holds a text, a number, null, a list"),
        "RudderStack android #359: one bad event must not block its batch", send_non_objects),
    ask("events.odd_times", Words("timestamp absent, illisible, sans fuseau, lointain",
                                  "timestamp absent, unreadable, without a zone, far away"), cited.HTTP_API,
        send_odd_times),
    ask("events.long", Words("301 traits, groupId de 501 lettres, messageId de 101",
                             "301 traits, a groupId of 501 letters, a messageId of 101"), cited.UNIFY, send_long),
    ask("events.consent", Words("context.consent plein, vide, illisible", "context.consent full, empty, unreadable"),
        "Segment docs, “Consent in Segment”", send_consents, profiles=EVERY),
    ask("events.nulls", Words("properties, integrations et userId à null", "properties, integrations and userId null"),
        cited.OWN, send_nulls, profiles=EVERY),
    ask("events.other_type", Words("/v1/track, dont le corps dit « page »", "/v1/track whose body says “page”"),
        cited.OWN, lambda run: run.post("/v1/track", run.event(type="page"))),
    ask("events.direct", Words("context.direct et context.ip", "context.direct and context.ip"), cited.COMMON,
        lambda run: run.post("/v1/track", run.event(context=run.context() | {"direct": True, "ip": "192.0.2.1"})),
        profiles=SERVERS),
)  # fmt: skip
"""In the order in which they run."""
