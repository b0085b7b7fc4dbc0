"""One connection: uvicorn's protocol, with patience that ends for whoever does not finish saying what they want."""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from parcours.collect.http.answers import write_refusal

HEADERS_S = 20.0
LINGER_S = 5.0
UNREAD_S = 60.0
HEADERS_BYTES = 64 << 10
LINGER_BYTES = 64 << 20
_HEAD = tuple(b"HTTP/1.1 %d" % hundred for hundred in (2, 3, 4, 5))
_OFFERS = frozenset({b"upgrade", b"connection", b"http2-settings"})
MOST_WAITING = 64
"""Requests of one connection that may wait for their turn before no more of it is read."""

_TOO_LARGE = write_refusal(431, "headers_too_large", "The headers are too large.")
_NO_HTTP = write_refusal(400, "not_http", "This is not HTTP as this server speaks it.")
_TOO_LATE = write_refusal(408, "headers_cut_short", "The request did not come within the time allowed.")


class PatientProtocol(HttpToolsProtocol):
    """Knows since when it has waited, for how many bytes in vain, and how to end without losing the last answer."""

    waiting_since: float | None = None
    lingering_since: float | None = None
    unread_since: float | None = None
    _vain_bytes = 0
    _useful = False
    _spoken = False
    _head = b""
    _deaf = False
    _answered: RequestResponseCycle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.waiting_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Answer nobody any more; what was accepted is kept all the same."""
        self.pipeline.clear()
        if self._answered is not None:
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of a further request."""
        super().on_message_begin()
        self.waiting_since = self.loop.time()
        self._vain_bytes = 0
        self._useful = self._spoken = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; nobody reads the trailers of a body."""
        if self.waiting_since is None:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Wait for the body; where another protocol is offered, for the same request without the offer."""
        if self.parser.should_upgrade():
            return
        self.waiting_since = None
        self._spoken = False
        self._vain_bytes = 0
        super().on_headers_complete()
        # The cycle closes through us, for the end of an answer is not always the end of the request.
        self.cycle.transport = self  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._vain_bytes = 0
        self._useful = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that all of a request is there."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes; what never becomes a request or a body is cut off."""
        if self._deaf:
            self._throw_away(data)
            return
        self._unset_keepalive_if_required()
        self._useful = False
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.config.refuse("not_http")  # type: ignore[attr-defined]
            self._end(_NO_HTTP)
            return
        if not self._useful and (self.waiting_since is not None or (self.cycle is not None and self.cycle.more_body)):
            self._vain_bytes += len(data)
            if self._vain_bytes > HEADERS_BYTES:
                self.config.refuse("headers_too_large")  # type: ignore[attr-defined]
                self._end(_TOO_LARGE)

    def _feed(self, data: bytes) -> None:
        """Read on; an offer to speak another protocol is passed over, as RFC 9110 allows, and the request is read."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            method = self.parser.get_method()
            if method == b"CONNECT":
                raise httptools.HttpParserError("no tunnels") from offer
            kept = [header for header in self.headers if header[0] not in _OFFERS]
            lines = [b"%b %b HTTP/1.1" % (method, self.url), *(b"%b: %b" % header for header in kept), b"", b""]
            self.parser = httptools.HttpRequestParser(self)
            self._feed(b"\r\n".join(lines) + data[offer.args[0] :])

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Answer what was asked in full, though nothing more will be; what was not asked in full is dropped."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or cycle.more_body or self.lingering_since is not None:
            return None
        cycle.keep_alive = False
        return True

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Go on to the next request, and read no more of them while many wait."""
        self._flush()
        if self.lingering_since is not None:
            self.pipeline.clear()
        super().on_response_complete()
        if len(self.pipeline) > MOST_WAITING:
            self.flow.pause_reading()

    def pause_writing(self) -> None:
        """Notice that answers are not being read."""
        super().pause_writing()
        self.unread_since = self.loop.time()

    def resume_writing(self) -> None:
        """Notice that they are."""
        super().resume_writing()
        self.unread_since = None

    def lose_patience(self, now: float) -> None:
        """End what takes too long; called every few seconds. A body that is late wakes whoever waits for it."""
        if self.unread_since is not None and now - self.unread_since > UNREAD_S:
            self.transport.abort()
        elif self.lingering_since is not None:
            if now - self.lingering_since > LINGER_S:
                self.transport.abort()
        elif self.waiting_since is not None:
            if now - self.waiting_since > HEADERS_S:
                self._end(_TOO_LATE if self._spoken else b"")
        elif self.cycle is not None and self.cycle.more_body and not self.cycle.response_complete:
            self.cycle.message_event.set()

    # What a cycle needs of a transport.
    def write(self, data: bytes) -> None:
        """Write to the client, if it is still there; a head goes out with what follows it, in one packet."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            return
        if not self.transport.is_closing():
            self.transport.write(data)

    def is_closing(self) -> bool:
        """Return whether the connection is being closed."""
        return self.transport.is_closing()

    def close(self) -> None:
        """Close after an answer.

        When the client is still sending, only our half is closed and the rest thrown away: a connection that is
        closed with unread bytes is reset, and the reset may overtake the answer.
        """
        self._flush()
        if self.cycle.more_body and self.lingering_since is None and not self.transport.is_closing():
            self.lingering_since = self.loop.time()
            self._deaf = True
            self._vain_bytes = 0
            if self.transport.can_write_eof():
                self.transport.write_eof()
        else:
            self.transport.close()

    def _flush(self) -> None:
        if self._head:
            self.write(b"")

    def _throw_away(self, data: bytes) -> None:
        self._vain_bytes += len(data)
        if self._vain_bytes > LINGER_BYTES:
            self.transport.abort()

    def _end(self, last: bytes) -> None:
        """Say one last thing, unless an answer is still to come: it would be taken for that answer."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self.pipeline or not cycle.more_body:
                self._end_after_answers()
                return
            if cycle.response_started:
                last = b""
            cycle.disconnected = True
            cycle.message_event.set()
        if last:
            self.transport.write(last)
        self.transport.close()

    def _end_after_answers(self) -> None:
        """Hear nothing more, answer the requests that came whole, then close."""
        self._deaf = True
        if self.pipeline and self.cycle.more_body:
            self.pipeline.popleft()  # The newest stands on the left, and will never be whole.
        last = self.pipeline[0][0] if self.pipeline else self._answered
        if last is not None:
            last.keep_alive = False
            self.cycle = last
