"""A relay between a client and the collector: it notes every request, and fails them as a test asks."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import http.server
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

HOP = {"connection", "transfer-encoding", "keep-alive", "content-length"}


@dataclass(frozen=True)
class Cut:
    """The collector has answered, and the client never hears of it."""


@dataclass(frozen=True)
class Reply:
    """An answer of the contract in place of the collector's, which never sees the request."""

    status: int
    retry_after_s: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What stands over it."""
        wait = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
        return {"Content-Type": "application/json", **cors, **wait}

    @property
    def body(self) -> bytes:
        """The object that every SDK expects of an error."""
        return b'{"success":false,"code":"test","message":"A test asks for this."}'


@dataclass
class Attempt:
    """One request: when it came, what it was, and how it ended."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    came_s: float
    status: int = 0
    answered_s: float = 0.0
    fault: Cut | Reply | None = None

    def amounts(self) -> set[Any]:
        """Return the amounts of the orders that it carries."""
        plain = gzip.decompress(self.body) if self.body[:2] == b"\x1f\x8b" else self.body
        told = json.loads(plain)
        return {event.get("properties", {}).get("amount") for event in told.get("batch", [told])}


@dataclass
class Relay:
    """Listens on a port of its own; ``always`` befalls every request that carries events, when there is one."""

    target: int
    port: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    always: Reply | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Cut | Reply] = []
        self._victims: set[Any] = set()
        self._server: _Server | None = None
        self.mend()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        """Take connections, on the same port as ever."""
        self._server = _Server(self)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def refuse(self) -> None:
        """End every connection, and refuse those that come."""
        if self._server:
            self._server.end()
            self._server = None

    def befall(self, *faults: Cut | Reply) -> None:
        """Let ``faults`` befall the next request of events, and then each that carries the same ones again."""
        with self._lock:
            self._faults, self._victims = list(faults), set()

    def take_fault(self, attempt: Attempt) -> Cut | Reply | None:
        """Return what befalls a request of events."""
        with self._lock:
            if not self._faults or (self._victims and not self._victims & attempt.amounts()):
                return self.always
            self._victims |= attempt.amounts()
            return self._faults.pop(0)

    def sent(self) -> list[Attempt]:
        """Return the requests that carried events."""
        return [attempt for attempt in self.attempts if attempt.method == "POST"]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", relay.port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a test has ended is no error."""

    def end(self) -> None:
        # The listener first: what is still in its queue would otherwise be taken.
        self.socket.close()
        self.shutdown()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _relay(self) -> None:
        relay = self.server.relay
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        attempt = Attempt(self.command, self.path, headers, body, time.monotonic())
        relay.attempts.append(attempt)
        attempt.fault = relay.take_fault(attempt) if self.command == "POST" else None
        if isinstance(attempt.fault, Reply):
            attempt.status = attempt.fault.status
            self._answer(attempt, attempt.fault.headers, attempt.fault.body)
            return
        try:
            status, more, answer = self._ask(body)
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        attempt.status = status
        if isinstance(attempt.fault, Cut):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(attempt, more, answer)

    do_GET = do_POST = do_OPTIONS = _relay

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.relay.target, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
            upstream.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = upstream.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in HOP}
            return answer.status, kept, answer.read()
        finally:
            upstream.close()

    def _answer(self, attempt: Attempt, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(attempt.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        attempt.answered_s = time.monotonic()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
