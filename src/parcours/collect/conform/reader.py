"""The small read interface behind ``--read-back``, and how long what was promised is waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from parcours.collect.conform.client import Answer, Pairs, Request, exchange
from parcours.collect.conform.describe import describe
from parcours.collect.conform.rule import Event, Later, Outcome, failed, skipped
from parcours.collect.conform.target import Target, split_url
from parcours.errors import ParcoursError
from parcours.progress import Progress
from parcours.words import Words

PAUSE_S = 0.2


class Reader(msgspec.Struct, frozen=True):
    """Where events can be read back, one person at a time."""

    target: Target
    query: str
    token: str | None
    timeout_s: float

    def ask(self, anonymous_id: str) -> Answer:
        """Send the one request of the interface."""
        query = f"{self.query}&" if self.query else ""
        headers: Pairs = (("Accept", "application/json"),)
        if self.token:
            headers += (("Authorization", f"Bearer {self.token}"),)
        path = f"{'' if self.target.base else '/'}?{query}anonymousId={quote(anonymous_id, safe='')}"
        return exchange(self.target, Request("GET", path, headers), self.timeout_s)

    def read(self, anonymous_id: str) -> tuple[Event, ...] | Words:
        """Return the events of one person in order of acceptance, or what came instead."""
        answer = self.ask(anonymous_id)
        document = answer.document() if answer.status == 200 and answer.trouble is None else None
        events = document.get("events") if isinstance(document, dict) else None
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            return describe(answer)
        return tuple(events)


def open_reader(url: str, token: str | None, timeout_s: float) -> Reader:
    """Return a reader of ``url`` that has answered once, or raise what is wrong with it."""
    target, query = split_url(url)
    reader = Reader(target, query, token, timeout_s)
    first = reader.read("conform-nobody")
    if isinstance(first, Words):
        raise ParcoursError(
            "read_back_unusable",
            Words(
                f"L'adresse de relecture ne répond pas comme décrit : {first.fr}.",
                f"The read-back address does not answer as described: {first.en}.",
            ),
            Words(
                'Elle rend 200 et {"events": []} pour un anonymousId inconnu ; un jeton se donne par '
                "--read-back-token. Voir docs/reference/conformance.md.",
                'It returns 200 and {"events": []} for an unknown anonymousId; a token is given with '
                "--read-back-token. See docs/reference/conformance.md.",
            ),
        )
    return reader


def settle(reader: Reader, waiting: Mapping[str, Later], wait_s: float, progress: Progress) -> dict[str, Outcome]:
    """Read until every judgement passes or cannot be made, at most ``wait_s``; then its last word counts.

    Nothing is judged before the last thing sent is there, so that a duplicate which is merely late is not missed.
    """
    settled: dict[str, Outcome] = {}
    deadline_s = time.monotonic() + wait_s
    while len(settled) < len(waiting):
        late = time.monotonic() >= deadline_s
        for id, later in waiting.items():
            if id in settled:
                continue
            outcome = judge_now(reader.read(later.anonymous_id), later)
            if late or outcome.verdict != "fail":
                settled[id] = outcome
                progress.advance()
        if len(settled) < len(waiting):
            time.sleep(min(PAUSE_S, max(0.0, deadline_s - time.monotonic())))
    return settled


def judge_now(events: tuple[Event, ...] | Words, later: Later) -> Outcome:
    """Judge what one reading gave."""
    if isinstance(events, Words):
        return failed(events)
    told = [(event.get("messageId"), event.get("event")) for event in events]
    if any(later.last in pair or later.last_name in pair for pair in told):
        return later.judge(events)
    if events and not any(value for pair in told for value in pair):
        return skipped(
            Words("la relecture ne rend ni messageId ni event", "the read-back gives neither messageId nor event")
        )
    return failed(Words("le dernier événement n'est pas arrivé", "the last event has not arrived"))
