"""Authentication: every way in which clients say their key, which one counts, and what an unknown one gets."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import REFUSED, UNAUTHORISED, ask
from parcours.collect.conform.rule import JITSU, SEGMENT, SERVERS
from parcours.collect.conform.run import UNKNOWN_KEY, Run
from parcours.words import Words


def with_authorization(run: Run, value: str) -> Request:
    """An event with an ``Authorization`` header as given."""
    return run.post("/v1/track", run.event(), "none").adding(("Authorization", value))


def encode(key: bytes) -> str:
    """Return base64 as Basic needs it."""
    return base64.b64encode(key).decode()


def send_unreadable(run: Run) -> Iterator[Request]:
    """An empty key, Basic that is no base64, a key that is no UTF-8, a key of 6,000 letters, another scheme."""
    yield with_authorization(run, "Basic " + encode(b":"))
    yield with_authorization(run, "Basic !!!")
    yield with_authorization(run, "Basic " + encode(b"\xff\xfe:"))
    yield with_authorization(run, "Basic " + encode(b"k" * 6000 + b":"))
    yield with_authorization(run, "Digest nonsense")


RULES = (
    ask(
        "auth.basic",
        Words("Basic base64(« CLÉ: »)", "Basic base64(“KEY:”)"),
        cited.HTTP_API,
        lambda run: run.post("/v1/track", run.event()),
        profiles=SERVERS,
    ),
    ask(
        "auth.lower_scheme",
        Words("« basic » en minuscules", "“basic” in lower case"),
        cited.http("11.1"),
        lambda run: with_authorization(run, "basic " + encode(f"{run.key}:".encode())),
        profiles=SERVERS,
    ),
    ask(
        "auth.body",
        Words("writeKey dans le corps, aucun en-tête", "writeKey in the body, no header"),
        cited.HTTP_API,
        lambda run: run.post("/v1/track", run.event(), "body"),
    ),
    ask(
        "auth.batch_body",
        Words("writeKey dans l'enveloppe d'un lot", "writeKey in the envelope of a batch"),
        cited.HTTP_API,
        lambda run: run.post("/v1/batch", run.batch(run.event()), "body"),
    ),
    ask(
        "auth.bearer",
        Words("Bearer (OAuth) et writeKey dans le corps", "Bearer (OAuth) and writeKey in the body"),
        cited.HTTP_API,
        lambda run: run.post("/v1/track", run.event(), "bearer"),
    ),
    ask(
        "auth.both",
        Words("Basic et writeKey dans le corps, la même clé", "Basic and writeKey in the body, the same key"),
        cited.PYTHON,
        lambda run: run.post("/v1/batch", run.batch(run.event(), writeKey=run.key)),
    ),
    ask(
        "auth.masked",
        Words("Basic, et « *** » dans le corps", "Basic, and “***” in the body"),
        cited.OWN,
        lambda run: run.post("/v1/track", run.event(writeKey="***")),
    ),
    ask(
        "auth.header_wins",
        Words("Basic juste, writeKey inconnu dans le corps", "Basic right, an unknown writeKey in the body"),
        cited.OWN,
        lambda run: run.post("/v1/track", run.event(writeKey=UNKNOWN_KEY)),
    ),
    ask(
        "auth.header_decides",
        Words("Basic inconnu, writeKey juste dans le corps", "Basic unknown, the right writeKey in the body"),
        cited.OWN,
        lambda run: run.post("/v1/track", run.event(writeKey=run.key), key=UNKNOWN_KEY),
        UNAUTHORISED,
        SEGMENT,
        "advised",
    ),
    ask(
        "auth.unknown_basic",
        Words("Basic, clé inconnue", "Basic, unknown key"),
        cited.RUDDER_SERVER,
        lambda run: run.post("/v1/track", run.event(), key=UNKNOWN_KEY),
        UNAUTHORISED,
        SERVERS,
    ),
    ask(
        "auth.unknown_body",
        Words("writeKey inconnu dans le corps", "unknown writeKey in the body"),
        cited.OWN,
        lambda run: run.post("/v1/track", run.event(), "body", key=UNKNOWN_KEY),
        UNAUTHORISED,
    ),
    ask(
        "auth.unknown_batch",
        Words("un lot, clé inconnue", "a batch, unknown key"),
        cited.RUDDER_SERVER,
        lambda run: run.post("/v1/batch", run.batch(run.event()), key=UNKNOWN_KEY),
        UNAUTHORISED,
        SERVERS,
    ),
    ask(
        "auth.unknown_browser",
        Words("POST /v1/t et /v1/b, clé inconnue", "POST /v1/t and /v1/b, unknown key"),
        cited.OWN,
        lambda run: (
            run.post("/v1/t", run.event(), "body", key=UNKNOWN_KEY, type="text/plain"),
            run.post("/v1/b", run.batch(run.event()), "body", key=UNKNOWN_KEY, type="text/plain"),
        ),
        UNAUTHORISED,
    ),
    ask(
        "auth.none",
        Words("aucune clé", "no key at all"),
        cited.RUDDER_SERVER,
        lambda run: run.post("/v1/track", run.event(), "none"),
        UNAUTHORISED,
        SERVERS,
    ),
    ask(
        "auth.unreadable",
        Words("clé vide, illisible, trop longue, autre schéma", "a key empty, unreadable, too long; another scheme"),
        cited.http("15.5.2"),
        send_unreadable,
        REFUSED,
        SERVERS,
    ),
    ask(
        "auth.x_write_key",
        Words("X-Write-Key, aucune clé dans le corps", "X-Write-Key, no key in the body"),
        cited.JITSU_JS,
        lambda run: run.post("/api/s/track", run.event(), "x"),
        profiles=JITSU,
    ),
    ask(
        "auth.x_masked",
        Words("X-Write-Key, et « *** » dans le corps", "X-Write-Key, and “***” in the body"),
        cited.JITSU_JS,
        lambda run: run.post("/api/s/track", run.event(writeKey="***"), "x"),
        profiles=JITSU,
    ),
    ask(
        "auth.x_unknown",
        Words("X-Write-Key inconnu", "unknown X-Write-Key"),
        cited.OWN,
        lambda run: run.post("/api/s/track", run.event(), "x", key=UNKNOWN_KEY),
        UNAUTHORISED,
        JITSU,
    ),
)
"""In the order in which they run."""
