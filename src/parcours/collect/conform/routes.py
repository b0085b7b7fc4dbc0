"""Routes: the six documented calls, batches, the browser SDK's letters, metrics, and what mis-set clients reach."""

from __future__ import annotations

from collections.abc import Iterator

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import ACCEPTED, NO_SUCH_METHOD, ask
from parcours.collect.conform.rule import EVERY, JITSU, RUDDER, SEGMENT, SERVERS, Rule, same
from parcours.collect.conform.run import CALLS, LETTERS, Run
from parcours.words import Words


def call_rule(kind: str) -> Rule:
    """One documented call; its body says no type, the route does."""

    def build(run: Run) -> Request:
        return run.post(f"/v1/{kind}", run.event(kind, type=...))

    sent = Words(f"POST /v1/{kind}, clé en Basic, sans type", f"POST /v1/{kind}, key as Basic, without a type")
    return ask(f"routes.{kind}", sent, cited.HTTP_API, build, profiles=SERVERS)


def letter_rule(letter: str, kind: str) -> Rule:
    """One route of the browser SDK: the first letter of the type."""

    def build(run: Run) -> Request:
        return run.browser(f"/v1/{letter}", run.event(kind, sentAt=run.event()["timestamp"]))

    sent = Words(f"POST /v1/{letter} ({kind}), text/plain, origine", f"POST /v1/{letter} ({kind}), text/plain, origin")
    return ask(f"routes.{letter}", sent, cited.BROWSER, build)


def jitsu_rule(kind: str) -> Rule:
    """One route of Jitsu's client, as a browser and as a server take it."""

    def build(run: Run) -> Iterator[Request]:
        for prefix in ("/api/s/", "/api/s/s2s/"):
            yield run.post(f"{prefix}{kind}", run.event(kind), "x")

    sent = same(f"POST /api/s/{kind}, /api/s/s2s/{kind}, X-Write-Key")
    return ask(f"routes.jitsu_{kind}", sent, cited.JITSU_JS, build, profiles=JITSU)


def send_batch(run: Run) -> Request:
    """An envelope of all six kinds."""
    return run.post("/v1/batch", run.batch(*(run.event(kind) for kind in CALLS)))


def send_browser_batch(run: Run) -> Request:
    """The browser's envelope: no ``sentAt`` on the events, which may hold unknown fields."""
    events = [run.event(kind, _metadata={"bundled": [], "unbundled": []}) for kind in ("page", "track")]
    return run.browser("/v1/b", run.batch(*events))


def send_metrics(run: Run) -> Request:
    """What the browser SDK says of itself."""
    series = [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1, "tags": {"synthetic": "true"}}]
    return run.browser("/v1/m", {"series": series})


def send_to_aliases(run: Run) -> Iterator[Request]:
    """The paths that clients reach whose base address was set with or without ``/v1/batch``."""
    for path in ("/b", "/batch", "/v1/batch/b"):
        yield run.post(path, run.batch(run.event()))


def send_import(run: Run) -> Request:
    """RudderStack's import of old events: a batch."""
    return run.post("/v1/import", run.batch(run.event(originalTimestamp="2024-02-29T12:00:00.000Z")))


def send_merge(run: Run) -> Request:
    """RudderStack's merge of two identifiers."""
    pair = [{"type": "email", "value": "synthetic@shop.example"}, {"type": "mobile", "value": "+33100000000"}]
    event = run.event("track", type="merge", event=..., properties=..., mergeProperties=pair)
    return run.post("/v1/merge", event)


RULES = (
    *(call_rule(kind) for kind in CALLS),
    ask(
        "routes.batch",
        Words("POST /v1/batch, un événement de chaque type", "POST /v1/batch, one event of each type"),
        cited.HTTP_API,
        send_batch,
        profiles=EVERY,
    ),
    *(letter_rule(letter, kind) for letter, kind in LETTERS.items()),
    ask(
        "routes.b",
        Words("POST /v1/b, lot du navigateur, text/plain", "POST /v1/b, the browser's batch, text/plain"),
        cited.BROWSER,
        send_browser_batch,
    ),
    ask(
        "routes.m",
        Words('POST /v1/m, {"series": […]}', 'POST /v1/m, {"series": […]}'),
        cited.BROWSER_SOURCE,
        send_metrics,
    ),
    ask(
        "routes.retry_count",
        Words("POST /v1/batch avec X-Retry-Count: 3", "POST /v1/batch with X-Retry-Count: 3"),
        cited.PYTHON,
        lambda run: send_batch(run).adding(("X-Retry-Count", "3")),
    ),
    ask(
        "routes.aliases",
        same("POST /b, /batch, /v1/batch/b"),
        cited.JITSU_INGEST,
        send_to_aliases,
        ACCEPTED,
        SEGMENT,
        "advised",
    ),
    ask(
        "routes.unknown",
        Words("POST /v1/conform-unknown, qui n'existe pas", "POST /v1/conform-unknown, which is no route"),
        cited.http("15.5.5"),
        lambda run: run.post("/v1/conform-unknown", run.event()),
        NO_SUCH_METHOD,
        EVERY,
        "advised",
    ),
    ask(
        "routes.import",
        Words("POST /v1/import, un lot", "POST /v1/import, a batch"),
        cited.RUDDER_API,
        send_import,
        profiles=RUDDER,
    ),
    ask("routes.merge", same("POST /v1/merge, mergeProperties"), cited.RUDDER_API, send_merge, profiles=RUDDER),
    *(jitsu_rule(kind) for kind in ("identify", "track", "page", "group")),
)
"""In the order in which they run."""
