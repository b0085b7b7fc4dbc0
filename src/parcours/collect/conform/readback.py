"""Read-back: what no answer shows, from what the server says that it has kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import ACCEPTED
from parcours.collect.conform.judging import Judge, ids_of, is_same, judge_clock, judge_field, judge_ids, read_moment
from parcours.collect.conform.pixel import awkward_event, encode_for_url, encode_standard, encode_unpadded, pixel
from parcours.collect.conform.rule import (
    RUDDER,
    SEGMENT,
    SERVERS,
    Event,
    Later,
    Level,
    Outcome,
    Profile,
    Rule,
    decide,
    failed,
    skipped,
)
from parcours.collect.conform.run import CALLS, LETTERS, UNKNOWN_KEY, Run, write_time
from parcours.collect.conform.sizes import wide_event
from parcours.words import Words

Sent = tuple[list[Request], Judge]
"""The requests of a rule, all about one person, and how to judge what is read back of that person."""

SKEW_S: Final = 3600
"""How far ahead the client's clock is in the rules about time."""


def readback(
    name: str,
    sent: Words,
    contract: Words,
    source: str,
    tell: Callable[[Run, str], Sent],
    profiles: tuple[Profile, ...] = SERVERS,
    needs: Sequence[str] = ("messageId",),
    level: Level = "required",
) -> Rule:
    """Return a rule that sends all that ``tell`` makes, then one last event, and judges what is read back.

    ``needs`` names the fields without which the server cannot be judged.
    """

    def check(run: Run) -> Outcome | Later:
        who = run.fresh(name)
        requests, judge = tell(run, who)
        # It carries every field that a rule may need, so that a field which is nowhere is one that is not given.
        extra = {"userId": run.fresh("user"), "integrations": {"All": True}}
        last = run.event(anonymousId=who, event=run.fresh("last"), **extra)
        for request in requests:
            run.send(request)
        answer = run.send(run.post("/v1/track", last))
        if not ACCEPTED.holds(answer):
            return failed(Words("le dernier événement est refusé", "the last event is refused"))

        def judge_known(events: tuple[Event, ...]) -> Outcome:
            for field in needs:
                if events and all(event.get(field) is None for event in events):
                    return skipped(Words(f"la relecture ne rend pas {field}", f"the read-back does not give {field}"))
            return judge(tuple(event for event in events if not is_same(event, last)))

        return Later(who, last["messageId"], last["event"], judge_known)

    return Rule(
        id=f"readback.{name}", sent=sent, contract=contract, source=source, check=check, profiles=profiles, level=level
    )


def tell_calls(run: Run, who: str) -> Sent:
    """The six calls, whose bodies say no type."""
    requests = [run.post(f"/v1/{kind}", run.event(kind, type=..., anonymousId=who)) for kind in CALLS]
    return requests, judge_field("type", CALLS)


def tell_letters(run: Run, who: str) -> Sent:
    """The browser's six routes."""
    requests = [run.browser(f"/v1/{letter}", run.event(kind, anonymousId=who)) for letter, kind in LETTERS.items()]
    return requests, judge_field("type", CALLS)


def tell_batch(run: Run, who: str) -> Sent:
    """One batch of all six."""
    events = [run.event(kind, anonymousId=who) for kind in CALLS]
    return [run.post("/v1/batch", run.batch(*events))], judge_ids(ids_of(events))


def tell_order(run: Run, who: str) -> Sent:
    """A batch of ten, then a single event, then a batch of three; all of the same millisecond."""
    events = [run.event(anonymousId=who, timestamp=write_time(time.time())) for _ in range(14)]
    requests = [
        run.post("/v1/batch", run.batch(*events[:10])),
        run.post("/v1/track", events[10]),
        run.post("/v1/batch", run.batch(*events[11:])),
    ]
    return requests, judge_ids(ids_of(events), ordered=True)


def tell_twice(run: Run, who: str) -> Sent:
    """The same event in two requests."""
    event = run.event(anonymousId=who)
    return [run.post("/v1/track", event)] * 2, judge_ids(ids_of([event]))


def tell_twice_inside(run: Run, who: str) -> Sent:
    """The same event twice in a batch, beside another one."""
    event, other = run.event(anonymousId=who), run.event(anonymousId=who)
    return [run.post("/v1/batch", run.batch(event, other, event))], judge_ids(ids_of([event, other]))


def tell_twice_elsewhere(run: Run, who: str) -> Sent:
    """The same event by another route and with another ``sentAt``, as an SDK retries from its queue."""
    event = run.event(anonymousId=who)
    later = run.batch(event, sentAt=write_time(time.time() + 60))
    return [run.post("/v1/track", event), run.post("/v1/batch", later)], judge_ids(ids_of([event]))


def tell_retry(run: Run, who: str) -> Sent:
    """A batch whose answer was lost: the same bytes three times, with the count of retries."""
    events = [run.event(anonymousId=who) for _ in range(5)]
    request = run.post("/v1/batch", run.batch(*events))
    retries = [request.adding(("X-Retry-Count", str(count))) for count in (1, 2)]
    return [request, *retries], judge_ids(ids_of(events))


def tell_alike(run: Run, who: str) -> Sent:
    """Two events that differ in nothing but their id: both happened."""
    event = run.event(anonymousId=who)
    other = event | {"messageId": run.fresh("message")}
    return [run.post("/v1/batch", run.batch(event, other))], judge_ids(ids_of([event, other]))


def tell_clock_envelope(run: Run, who: str) -> Sent:
    """A clock an hour ahead; ``sentAt`` on the envelope, ten seconds after the event."""
    original, sent = write_time(time.time() + SKEW_S - 10), write_time(time.time() + SKEW_S)
    envelope = run.batch(run.event(anonymousId=who, timestamp=original), sentAt=sent)
    return [run.post("/v1/batch", envelope)], judge_clock(original, sent)


def tell_clock_event(run: Run, who: str) -> Sent:
    """A clock an hour behind; ``sentAt`` on the event, as the browser's single route has it."""
    original, sent = write_time(time.time() - SKEW_S - 10), write_time(time.time() - SKEW_S)
    event = run.event(anonymousId=who, timestamp=original, sentAt=sent)
    return [run.browser("/v1/t", event)], judge_clock(original, sent)


def tell_clock_rudder(run: Run, who: str) -> Sent:
    """RudderStack's node client: both times on each event, others on the envelope, which do not count."""
    original, sent = write_time(time.time() + SKEW_S - 10), write_time(time.time() + SKEW_S)
    event = run.event(anonymousId=who, timestamp=..., originalTimestamp=original, sentAt=sent)
    wrong = write_time(time.time() + 9 * SKEW_S)
    return [run.post("/v1/batch", run.batch(event, timestamp=wrong, sentAt=wrong))], judge_clock(original, sent)


def tell_no_clock(run: Run, who: str) -> Sent:
    """No ``sentAt`` anywhere: an event of yesterday stays one of yesterday."""
    original = write_time(time.time() - 86_400)
    return [run.post("/v1/track", run.event(anonymousId=who, timestamp=original))], judge_clock(original, None)


def tell_original(run: Run, who: str) -> Sent:
    """The client's own time is kept beside the corrected one."""
    original, sent = write_time(time.time() + SKEW_S - 10), write_time(time.time() + SKEW_S)

    def judge(events: tuple[Event, ...]) -> Outcome:
        told = [event.get("originalTimestamp") for event in events]
        return decide([read_moment(value) for value in told] == [read_moment(original)], f"originalTimestamp: {told}")

    event = run.event(anonymousId=who, timestamp=original)
    return [run.post("/v1/batch", run.batch(event, sentAt=sent))], judge


def tell_context(run: Run, who: str) -> Sent:
    """A context on the envelope, and another on one of two events."""
    bare = run.event(anonymousId=who, context=...)
    full = run.event(anonymousId=who, context={"synthetic": True, "locale": "fr-FR"})
    envelope = run.batch(bare, full, context={"synthetic": True, "app": {"name": "conform"}})

    def judge(events: tuple[Event, ...]) -> Outcome:
        contexts = [context for event in events if isinstance(context := event.get("context"), dict)]
        apps = [context.get("app") for context in contexts]
        locales = [context.get("locale") for context in contexts]
        holds = apps == [{"name": "conform"}] * 2 and locales.count("fr-FR") == 1
        return decide(holds, f"context.app: {apps}, context.locale: {locales}")

    return [run.post("/v1/batch", envelope)], judge


def tell_integrations(run: Run, who: str) -> Sent:
    """Switches on the envelope reach the event."""
    event = run.event(anonymousId=who)

    def judge(events: tuple[Event, ...]) -> Outcome:
        told = [event.get("integrations") for event in events]
        holds = len(told) == 1 and isinstance(told[0], dict) and told[0].get("Salesforce") is False
        return decide(holds, f"integrations: {told}")

    return [run.post("/v1/batch", run.batch(event, integrations={"Salesforce": False}))], judge


def tell_pixel(run: Run, who: str) -> Sent:
    """The four ways in which an image's address may hold an event."""
    ids = [run.fresh("pixel") for _ in range(4)]
    data = [awkward_event(run, anonymousId=who, messageId=id) for id in ids]
    ways: tuple[Callable[[bytes], str], ...] = (encode_standard, encode_for_url, encode_unpadded, bytes.decode)
    requests = [pixel("track", encode(item)) for encode, item in zip(ways, data, strict=True)]
    return requests, judge_ids(ids)


def tell_bad_item(run: Run, who: str) -> Sent:
    """Good events before, between and after one that is too large and things that are no events."""
    good = [run.event(anonymousId=who) for _ in range(3)]
    large = wide_event(run) | {"anonymousId": who}
    return [run.post("/v1/batch", run.batch(good[0], large, good[1], "text", None, good[2]))], judge_ids(ids_of(good))


def tell_no_message_id(run: Run, who: str) -> Sent:
    """Two events without an id are two events, each with an id of the server's."""

    def judge(events: tuple[Event, ...]) -> Outcome:
        told = {event.get("messageId") for event in events} - {None, ""}
        return decide(len(events) == len(told) == 2, Words(f"{len(events)} événements, {len(told)} identifiants",
                                                           f"{len(events)} events, {len(told)} ids"))  # fmt: skip

    events = [run.event(anonymousId=who, messageId=..., event=f"Without id {number}") for number in (1, 2)]
    return [run.post("/v1/track", event) for event in events], judge


def tell_refused(run: Run, who: str) -> Sent:
    """What was refused is not kept: an unknown key, an event too large, JSON that ends too soon."""
    whole = run.post("/v1/track", run.event(anonymousId=who))
    requests = [
        run.post("/v1/track", run.event(anonymousId=who), key=UNKNOWN_KEY),
        run.post("/v1/track", wide_event(run) | {"anonymousId": who}),
        Request(whole.method, whole.path, whole.headers, (whole.body or b"")[:-1]),
    ]
    return requests, judge_ids([])


def tell_text(run: Run, who: str) -> Sent:
    """A name in several scripts comes back letter by letter."""
    text = "Café · 客户 · عميل · 🧭"
    return [run.post("/v1/track", run.event(anonymousId=who, event=text))], judge_field("event", [text])


def tell_user(run: Run, who: str) -> Sent:
    """A user id as text and as a number."""
    text = run.fresh("user")
    requests = [run.post("/v1/track", run.event(anonymousId=who, userId=id)) for id in (text, 20_240_229)]
    return requests, judge_field("userId", [text, 20_240_229])


ONCE: Final = Words("une fois", "once")
CORRECTED: Final = Words(
    "timestamp = receivedAt − (sentAt − originalTimestamp)", "timestamp = receivedAt − (sentAt − originalTimestamp)"
)

RULES = (
    readback("calls", Words("les six appels, sans type", "the six calls, without a type"),
             Words("les six types", "all six types"), cited.HTTP_API, tell_calls, needs=("type",)),
    readback("letters", Words("les six routes du navigateur", "the browser's six routes"),
             Words("les six types", "all six types"), cited.BROWSER, tell_letters, SEGMENT, ("type",)),
    readback("batch", Words("un lot des six types", "a batch of all six types"),
             Words("chacun une fois", "each once"), cited.HTTP_API, tell_batch),
    readback("order", Words("dix dans un lot, un seul, trois dans un lot", "ten in a batch, one alone, three in one"),
             Words("dans l'ordre d'envoi", "in the order sent"), cited.OWN, tell_order),
    readback("twice", Words("le même événement en deux requêtes", "the same event in two requests"),
             ONCE, cited.DUPLICATES, tell_twice),
    readback("twice_inside", Words("le même événement deux fois dans un lot", "the same event twice in a batch"),
             ONCE, cited.DUPLICATES, tell_twice_inside),
    readback("twice_elsewhere", Words("le même par /v1/track puis /v1/batch, autre sentAt",
                                      "the same through /v1/track, then /v1/batch, another sentAt"),
             ONCE, cited.DUPLICATES, tell_twice_elsewhere),
    readback("retry", Words("les mêmes octets trois fois, X-Retry-Count", "the same bytes three times, X-Retry-Count"),
             Words("chacun une fois", "each once"), cited.PYTHON, tell_retry),
    readback("alike", Words("deux événements pareils, deux messageId", "two events alike, two messageIds"),
             Words("tous les deux", "both"), cited.DUPLICATES, tell_alike),
    readback("clock_envelope", Words("horloge en avance d'une heure, sentAt sur l'enveloppe",
                                     "a clock an hour ahead, sentAt on the envelope"),
             CORRECTED, cited.COMMON, tell_clock_envelope, needs=("timestamp", "receivedAt")),
    readback("clock_event", Words("horloge en retard d'une heure, sentAt sur l'événement",
                                  "a clock an hour behind, sentAt on the event"),
             CORRECTED, cited.BROWSER, tell_clock_event, SEGMENT, ("timestamp", "receivedAt")),
    readback("clock_rudder", Words("originalTimestamp et sentAt sur l'événement, d'autres sur l'enveloppe",
                                   "originalTimestamp and sentAt on the event, others on the envelope"),
             CORRECTED, cited.RUDDER_NODE, tell_clock_rudder, RUDDER, ("timestamp", "receivedAt")),
    readback("clock_absent", Words("un événement d'hier, sans sentAt", "an event of yesterday, no sentAt"),
             Words("timestamp inchangé", "timestamp as sent"), cited.OWN, tell_no_clock, needs=("timestamp",)),
    readback("original", Words("horloge en avance d'une heure", "a clock an hour ahead"),
             Words("originalTimestamp est l'heure du client", "originalTimestamp is the client's time"),
             cited.COMMON, tell_original, needs=("originalTimestamp",)),
    readback("context", Words("context sur l'enveloppe", "context on the envelope"),
             Words("fusionné dans chacun, dont les clés restent", "merged into each one, whose keys remain"),
             cited.HTTP_API, tell_context, needs=("context",)),
    readback("integrations", Words("integrations sur l'enveloppe", "integrations on the envelope"),
             Words("fusionné dans chaque événement", "merged into every event"), cited.HTTP_API, tell_integrations,
             needs=("integrations",)),
    readback("pixel", Words("quatre pixels : base64, pour URL, sans remplissage, JSON",
                            "four pixels: base64, URL-safe, unpadded, JSON"),
             Words("les quatre événements", "all four events"), cited.PIXEL, tell_pixel, SEGMENT),
    readback("bad_item", Words("trois bons autour d'un trop grand, d'un texte, de null",
                               "three good ones round one too large, a text, null"),
             Words("les trois bons, eux seuls", "the three good ones alone"), cited.OWN, tell_bad_item, SEGMENT),
    readback("no_message_id", Words("deux événements sans messageId", "two events without messageId"),
             Words("deux, chacun avec un identifiant", "two, each with an id"), cited.COMMON, tell_no_message_id),
    readback("refused", Words("clé inconnue, trop grand, JSON inachevé", "unknown key, too large, unfinished JSON"),
             Words("rien n'est gardé", "nothing is kept"), cited.OWN, tell_refused, SEGMENT),
    readback("text", Words("un nom en quatre écritures", "a name in four scripts"),
             Words("le même texte", "the same text"), cited.OWN, tell_text, needs=("event",)),
    readback("user", Words("userId en texte et en nombre", "userId as a text and as a number"),
             Words("les deux", "both"), cited.COMMON, tell_user, needs=("userId",)),
)  # fmt: skip
"""In the order in which they send; all of them send before any is read back."""
