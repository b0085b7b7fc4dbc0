"""The collection application, plain ASGI: a request is checked, its bytes are put on disk, and only then answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from parcours.collect.http.answers import (
    ACCEPTED,
    BODY_TOO_LARGE,
    EVENT_TOO_LARGE,
    FAILED,
    NOT_FOUND,
    PIXEL,
    PREFLIGHT,
    UNKNOWN_KEY,
    WRONG_HOST,
    WRONG_ORIGIN,
    Answer,
    ask_to_wait,
    refuse,
    refuse_and_close,
    refuse_method,
)
from parcours.collect.http.asked import Asked, find_address, is_secure, name_of
from parcours.collect.http.envelope import RefusedBodyError, inflate, read_envelope, read_pixel_data
from parcours.collect.http.gathering import Gathering
from parcours.collect.http.intake import Held, Intake, Receive, StoppedError
from parcours.collect.http.keys import Sender, Senders
from parcours.collect.http.routes import Route, find_route, write_key_of
from parcours.collect.http.settings import answer_settings
from parcours.collect.http.tally import Tally
from parcours.collect.http.terms import KeyTerms
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.handover import NotWrittenError

LOG = logging.getLogger(__name__)
Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MOST_FIELDS = 64


class CollectApp:
    """The application of one worker.

    Args:
        gathering: Where accepted bytes go.
        tally: What is counted.
        more: The application of every other address (survey pages, health, documentation).
        most_in_flight: Bytes that may be held at once; what would pass it is asked to come again before it is read.
    """

    def __init__(self, gathering: Gathering, tally: Tally, more: Asgi | None, most_in_flight: int) -> None:
        self._gathering = gathering
        self._tally = tally
        self.more = more
        self._intake = Intake(gathering, most_in_flight)
        self._senders = Senders({})
        self._terms = KeyTerms()
        self._hosts: frozenset[str] = LOOPBACK
        self._any_host = False
        self._forwarded = False

    def follow(self, senders: Senders, hosts: Collection[str], forwarded: bool, full: bool = False) -> None:
        """Take the write keys, the names that are served, whether a proxy tells the client, whether too much waits.

        ``*`` among the names stands for any.
        """
        self._senders = senders
        self._any_host = "*" in hosts
        self._hosts = LOOPBACK | frozenset(host.lower() for host in hosts)
        self._forwarded = forwarded
        self._intake.full = full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        asked = Asked(scope)
        if not self._any_host and name_of(asked.host) not in self._hosts:
            await self._refused(WRONG_HOST, "host_not_served").send(send)
            return
        route = find_route(scope["path"])
        if route is None:
            if self.more is None:
                await NOT_FOUND.send(send)
            else:
                await self.more(scope, receive, send)
            return
        method = scope["method"]
        if method == "OPTIONS":
            await PREFLIGHT.send(send)
        elif method not in route.methods:
            await self._refused(refuse_method(route.methods), "method_not_allowed").send(send)
        else:
            answer = await self._answer(route, scope, asked, receive)
            await answer.send(send)

    async def _answer(self, route: Route, scope: Scope, asked: Asked, receive: Receive) -> Answer:
        try:
            if route.answers == "track":
                return await self._track(route.kind, scope, asked, receive)
            if route.answers == "pixel":
                return await self._pixel(route.kind, scope, asked)
            if route.answers == "settings":
                return self._settings(scope, asked)
            return await self._discard(asked, receive)
        except StoppedError as stopped:
            return self._refused(stopped.answer, stopped.code)
        except RefusedBodyError as fault:
            answer = refuse_and_close if fault.code == "body_too_large" else refuse
            return self._refused(answer(fault.status, fault.code, fault.message), fault.code)
        except NotWrittenError:
            return self._refused(ask_to_wait(503, "not_written", "Nothing was kept; send it again."), "not_written")
        except Exception:
            LOG.exception("a request could not be answered")
            return self._refused(FAILED, "internal")

    async def _track(self, kind: str, scope: Scope, asked: Asked, receive: Receive) -> Answer:
        started = time.perf_counter()
        held = Held()
        try:
            body = await self._intake.read(receive, asked.length, self._senders.most_bytes, held)
            sender, count, body = self._check(kind, body, asked)
            now_ms = time.time_ns() // 1_000_000
            if count:
                address = find_address(scope, asked, self._forwarded)
                await self._gathering.put(Delivery(sender.source, kind, now_ms, address, body), count)
            self._tally.accept(sender.source, count, len(body), asked.retried, now_ms, sender.key)
            self._tally.time(time.perf_counter() - started)
            return ACCEPTED
        finally:
            self._intake.let_go(held)
            self._tally.in_flight_bytes = self._intake.bytes

    def _check(self, kind: str, body: bytes, asked: Asked) -> tuple[Sender, int, bytes]:
        """Return who sends, how many events, and the body inflated.

        Raises:
            RefusedBodyError: what the body is not.
            StoppedError: an unknown key, an event that is too large, an origin that is not taken.
        """
        in_header, sender = self._senders.in_headers(asked.authorization, asked.write_key)
        if in_header and sender is None:
            raise StoppedError(UNKNOWN_KEY, "invalid_write_key")
        most = sender.body_bytes if sender else self._senders.most_bytes
        body = inflate(body, asked.encoding, most)
        if len(body) > most:
            raise StoppedError(BODY_TOO_LARGE, "body_too_large")
        envelope = read_envelope(kind, body, sender.event_bytes if sender else 0)
        if sender is None:
            sender = self._senders.in_body(envelope.write_key)
        if sender is None:
            raise StoppedError(UNKNOWN_KEY, "invalid_write_key")
        if len(body) > sender.body_bytes:
            raise StoppedError(BODY_TOO_LARGE, "body_too_large")
        if envelope.largest_bytes > sender.event_bytes:
            raise StoppedError(EVENT_TOO_LARGE, "event_too_large")
        if asked.origin and sender.origins and asked.origin.decode("latin-1") not in sender.origins:
            raise StoppedError(WRONG_ORIGIN, "origin_refused")
        if sender.per_second or sender.events or sender.key_origins:
            self._terms.check(sender, kind, body, envelope.events, asked.origin)
        return sender, envelope.events, body

    async def _pixel(self, kind: str, scope: Scope, asked: Asked) -> Answer:
        """Take the event of a pixel; the picture always comes back, and what could not be taken is counted."""
        if scope["method"] == "HEAD":
            # Whoever asks for the headers alone has seen no picture.
            return PIXEL
        try:
            body = read_pixel_data(_find_data(scope["query_string"]))
            self._intake.make_room(len(body))
            sender, count, body = self._check(kind, body, asked)
            now_ms = time.time_ns() // 1_000_000
            address = find_address(scope, asked, self._forwarded)
            await self._gathering.put(Delivery(sender.source, kind, now_ms, address, body), count)
            self._tally.accept(sender.source, count, len(body), False, now_ms, sender.key)
        except (RefusedBodyError, NotWrittenError, StoppedError):
            self._tally.pixels_lost += 1
        except Exception:
            LOG.exception("a pixel could not be taken")
            self._tally.pixels_lost += 1
        return PIXEL

    def _settings(self, scope: Scope, asked: Asked) -> Answer:
        write_key = write_key_of(scope["path"])
        if self._senders.named(write_key) is None:
            raise StoppedError(refuse(404, "unknown_project", "No source has this write key."), "unknown_project")
        return answer_settings(write_key, asked.host.decode("latin-1"), is_secure(scope, asked, self._forwarded))

    async def _discard(self, asked: Asked, receive: Receive) -> Answer:
        """Read and forget what browsers tell of themselves."""
        held = Held()
        try:
            await self._intake.read(receive, asked.length, self._senders.most_bytes, held)
        finally:
            self._intake.let_go(held)
        return ACCEPTED

    def _refused(self, answer: Answer, code: str) -> Answer:
        self._tally.refuse(code)
        return answer


def _find_data(query: bytes) -> str:
    """Return ``data`` of a query; bytes that are no UTF-8 stay as they are, for the JSON to be refused.

    Raises:
        RefusedBodyError: ``invalid_json`` for a query that is none.
    """
    try:
        fields = parse_qs(
            query.decode("utf-8", "surrogateescape"), errors="surrogateescape", max_num_fields=_MOST_FIELDS
        )
    except ValueError as fault:
        raise RefusedBodyError("invalid_json", "The query has too many fields.") from fault
    return fields.get("data", [""])[0]
