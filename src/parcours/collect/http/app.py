"""The collection application, plain ASGI: a request is checked, its bytes are put on disk, and only then answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from parcours.collect.http.answers import (
    ACCEPTED,
    BODY_TOO_LARGE,
    CUT_SHORT,
    EVENT_TOO_LARGE,
    NOT_FOUND,
    PIXEL,
    PREFLIGHT,
    UNKNOWN_KEY,
    WRONG_HOST,
    WRONG_ORIGIN,
    Answer,
    answer_json,
    ask_to_wait,
    refuse,
    refuse_and_close,
    refuse_method,
)
from parcours.collect.http.envelope import RefusedBodyError, inflate, read_envelope, read_pixel_data
from parcours.collect.http.gathering import Gathering
from parcours.collect.http.keys import Sender, Senders
from parcours.collect.http.routes import Route, find_route, write_key_of
from parcours.collect.http.tally import Tally
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.handover import NotWrittenError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_S = 30.0
"""How long a body may take to come."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class _Asked:
    """The headers that matter, read in one pass."""

    __slots__ = ("authorization", "encoding", "forwarded", "host", "length", "origin", "retried", "write_key")

    def __init__(self, scope: Scope) -> None:
        self.authorization = self.encoding = self.host = self.origin = self.write_key = self.forwarded = b""
        self.length = -1
        self.retried = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.length = int(value) if value.isdigit() and len(value) < 19 else 1 << 62
            elif name == b"authorization":
                self.authorization = value
            elif name == b"host":
                self.host = value
            elif name == b"content-encoding":
                self.encoding = value.strip().lower()
            elif name == b"x-write-key":
                self.write_key = value
            elif name == b"origin":
                self.origin = value
            elif name == b"x-retry-count":
                self.retried = value not in (b"", b"0")
            elif name == b"x-forwarded-for":
                self.forwarded = value


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
        self._more = more
        self._most_in_flight = most_in_flight
        self._in_flight = 0
        self._senders = Senders({})
        self._hosts: frozenset[str] = LOOPBACK
        self._any_host = False
        self._forwarded = False

    def follow(self, senders: Senders, hosts: Collection[str], forwarded: bool) -> None:
        """Take the write keys, the names that are served (``*`` for any) and whether a proxy tells the client."""
        self._senders = senders
        self._any_host = "*" in hosts
        self._hosts = LOOPBACK | frozenset(host.lower() for host in hosts)
        self._forwarded = forwarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        asked = _Asked(scope)
        if not self._any_host and _name_of(asked.host) not in self._hosts:
            self._tally.refuse("host_not_served")
            await WRONG_HOST.send(send)
            return
        route = find_route(scope["path"])
        if route is None:
            if self._more is None:
                await NOT_FOUND.send(send)
            else:
                await self._more(scope, receive, send)
            return
        method = scope["method"]
        if method == "OPTIONS":
            await PREFLIGHT.send(send)
        elif method not in route.methods:
            self._tally.refuse("method_not_allowed")
            await refuse_method(route.methods).send(send)
        else:
            answer = await self._answer(route, scope, asked, receive)
            await answer.send(send)

    async def _answer(self, route: Route, scope: Scope, asked: _Asked, receive: Receive) -> Answer:
        if route.answers == "track":
            return await self._track(route.kind, scope, asked, receive)
        if route.answers == "pixel":
            return await self._pixel(route.kind, scope, asked)
        if route.answers == "settings":
            return self._settings(scope, asked)
        return await self._discard(asked, receive)

    async def _track(self, kind: str, scope: Scope, asked: _Asked, receive: Receive) -> Answer:
        started = time.perf_counter()
        held = _Held()
        try:
            body = await self._read(receive, asked, held)
            sender, count, body = self._check(kind, body, asked)
            now_ms = time.time_ns() // 1_000_000
            if count:
                await self._gathering.put(
                    Delivery(sender.source, kind, now_ms, self._address(scope, asked), body), count
                )
            self._tally.accept(sender.source, count, len(body), asked.retried, now_ms)
            self._tally.time(time.perf_counter() - started)
            return ACCEPTED
        except _StoppedError as stopped:
            return self._refused(stopped.answer, stopped.code)
        except RefusedBodyError as fault:
            answer = refuse_and_close if fault.code == "body_too_large" else refuse
            return self._refused(answer(fault.status, fault.code, fault.message), fault.code)
        except NotWrittenError:
            return self._refused(ask_to_wait(503, "not_written", "Nothing was kept; send it again."), "not_written")
        finally:
            self._in_flight -= held.bytes
            self._tally.in_flight_bytes = self._in_flight

    async def _read(self, receive: Receive, asked: _Asked, held: _Held) -> bytes:
        """Return the body, holding no more of it than may be in flight; what will not fit is not waited for.

        Raises:
            _StoppedError: with what to answer.
        """
        if asked.length > self._senders.most_bytes:
            raise _StoppedError(BODY_TOO_LARGE, "body_too_large")
        if self._is_full(asked.length):
            raise _StoppedError(_busy(asked.length > 0), "busy")
        message = await receive()
        if not message.get("more_body"):
            return self._take(message, held)
        pieces = [self._take(message, held)]
        try:
            async with asyncio.timeout(BODY_S):
                while message.get("more_body"):
                    message = await receive()
                    pieces.append(self._take(message, held))
        except TimeoutError as fault:
            raise _StoppedError(CUT_SHORT, "body_cut_short") from fault
        return b"".join(pieces)

    def _take(self, message: MutableMapping[str, Any], held: _Held) -> bytes:
        if message["type"] == "http.disconnect":
            raise _StoppedError(CUT_SHORT, "client_gone")
        piece: bytes = message.get("body", b"")
        if held.bytes + len(piece) > self._senders.most_bytes:
            raise _StoppedError(BODY_TOO_LARGE, "body_too_large")
        if self._is_full(len(piece)):
            raise _StoppedError(_busy(True), "busy")
        held.bytes += len(piece)
        self._in_flight += len(piece)
        return piece

    def _is_full(self, more_bytes: int) -> bool:
        return self._in_flight + self._gathering.bytes + more_bytes > self._most_in_flight

    def _check(self, kind: str, body: bytes, asked: _Asked) -> tuple[Sender, int, bytes]:
        """Return who sends, how many events, and the body inflated.

        Raises:
            RefusedBodyError: what the body is not.
            _StoppedError: an unknown key, an event that is too large, an origin that is not taken.
        """
        in_header, sender = self._senders.in_headers(asked.authorization, asked.write_key)
        if in_header and sender is None:
            raise _StoppedError(UNKNOWN_KEY, "invalid_write_key")
        most = sender.body_bytes if sender else self._senders.most_bytes
        body = inflate(body, asked.encoding, most)
        if len(body) > most:
            raise _StoppedError(BODY_TOO_LARGE, "body_too_large")
        envelope = read_envelope(kind, body, sender.event_bytes if sender else 0)
        if sender is None:
            sender = self._senders.in_body(envelope.write_key)
        if sender is None:
            raise _StoppedError(UNKNOWN_KEY, "invalid_write_key")
        if len(body) > sender.body_bytes:
            raise _StoppedError(BODY_TOO_LARGE, "body_too_large")
        if envelope.largest_bytes > sender.event_bytes:
            raise _StoppedError(EVENT_TOO_LARGE, "event_too_large")
        if asked.origin and sender.origins and asked.origin.decode("latin-1") not in sender.origins:
            raise _StoppedError(WRONG_ORIGIN, "origin_refused")
        return sender, envelope.events, body

    async def _pixel(self, kind: str, scope: Scope, asked: _Asked) -> Answer:
        """Take the event of a pixel; the picture always comes back, and what could not be taken is counted."""
        data = parse_qs(scope["query_string"].decode("latin-1")).get("data", [""])[0]
        try:
            body = read_pixel_data(data)
            sender, count, body = self._check(kind, body, asked)
            now_ms = time.time_ns() // 1_000_000
            await self._gathering.put(Delivery(sender.source, kind, now_ms, self._address(scope, asked), body), count)
            self._tally.accept(sender.source, count, len(body), False, now_ms)
        except (RefusedBodyError, NotWrittenError, _StoppedError):
            self._tally.pixels_lost += 1
        return PIXEL

    def _settings(self, scope: Scope, asked: _Asked) -> Answer:
        """Tell Segment's browser SDK where to send: the address has no scheme, and the SDK adds ``/t``, ``/b`` …"""
        write_key = write_key_of(scope["path"])
        if self._senders.named(write_key) is None:
            return self._refused(refuse(404, "unknown_project", "No source has this write key."), "unknown_project")
        destination: dict[str, object] = {
            "apiKey": write_key,
            "apiHost": f"{asked.host.decode('latin-1')}/v1",
            "protocol": "https" if scope.get("scheme") == "https" else "http",
            "unbundledIntegrations": [],
            "addBundledMetadata": True,
        }
        return answer_json(
            {
                "integrations": {"Segment.io": destination},
                "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}, "identify": {}, "group": {}},
                "edgeFunction": {},
                "analyticsNextEnabled": True,
                "middlewareSettings": {},
                "enabledMiddleware": {},
                "metrics": {"sampleRate": 0},
                "legacyVideoPluginsEnabled": False,
                "remotePlugins": [],
            }
        )

    async def _discard(self, asked: _Asked, receive: Receive) -> Answer:
        """Read and forget what browsers tell of themselves."""
        held = _Held()
        try:
            await self._read(receive, asked, held)
        except _StoppedError as stopped:
            return self._refused(stopped.answer, stopped.code)
        finally:
            self._in_flight -= held.bytes
        return ACCEPTED

    def _address(self, scope: Scope, asked: _Asked) -> str:
        if self._forwarded and asked.forwarded:
            return asked.forwarded.split(b",")[-1].strip().decode("latin-1")
        client = scope.get("client")
        return client[0] if client else ""

    def _refused(self, answer: Answer, code: str) -> Answer:
        self._tally.refuse(code)
        return answer


class _Held:
    """The bytes that one request holds."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class _StoppedError(Exception):
    """A request that ends early with an answer of its own."""

    def __init__(self, answer: Answer, code: str) -> None:
        super().__init__(code)
        self.answer, self.code = answer, code


def _busy(close: bool) -> Answer:
    return ask_to_wait(429, "busy", "Too much is under way; come again.", close)


def _name_of(host: bytes) -> str:
    name = host.decode("latin-1").lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
