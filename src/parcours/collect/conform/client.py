"""A connection to the server under test, from plain sockets: odd requests can be sent, odd answers told."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import time
from typing import Any, Literal, cast

import msgspec

from parcours.collect.conform.target import Target

Pairs = tuple[tuple[str, str], ...]
Trouble = Literal["unresolved", "refused", "tls", "timeout", "closed", "cut", "endless", "garbled"]
"""No such host; no listener; no trust; no answer in time; closed before a byte; closed half-way; too long; not HTTP."""

LARGEST_ANSWER = 4_000_000
"""What is read of an answer, in bytes; whoever sends more to a tracking call is not answering it."""


class Request(msgspec.Struct, frozen=True):
    """What is sent: ``body`` of ``None`` sends neither body nor ``Content-Length``."""

    method: str
    path: str
    headers: Pairs = ()
    body: bytes | None = None

    def adding(self, *pairs: tuple[str, str]) -> Request:
        """Return the request with further headers, each in place of any of the same name."""
        names = {name.lower() for name, _ in pairs}
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return Request(self.method, self.path, (*kept, *pairs), self.body)

    def render(self, target: Target, version: str = "1.1", closing: bool = True) -> bytes:
        """Return the bytes of the request; ``closing`` asks the server to close afterwards."""
        lines = [f"{self.method} {target.base}{self.path} HTTP/{version}", f"Host: {target.authority}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is not None and not any(name.lower() == "content-length" for name, _ in self.headers):
            lines.append(f"Content-Length: {len(self.body)}")
        if closing:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + (self.body or b"")


class Answer(msgspec.Struct, frozen=True):
    """What came back: a status with headers and body, or the trouble that there was instead."""

    status: int = 0
    headers: Pairs = ()
    body: bytes = b""
    trouble: Trouble | None = None

    def header(self, name: str) -> str | None:
        """Return a header's value, several joined by commas, ``None`` where there is none."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    def document(self) -> Any:
        """Return the body read as JSON, ``None`` where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


class Connection:
    """A connection whose reads share one buffer and one deadline; use it in a ``with``."""

    def __init__(self, target: Target, timeout_s: float) -> None:
        self._deadline_s = time.monotonic() + timeout_s
        self._timeout_s = timeout_s
        self._socket = socket.create_connection((target.host, target.port), timeout_s)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.scheme == "https":
                self._socket = shake_hands(self._socket, target.host)
        except BaseException:
            self._socket.close()
            raise
        self._reader = io.BufferedReader(_Incoming(self))

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send bytes; a server that has stopped reading may still have answered, so that is not raised."""
        self._socket.settimeout(self._timeout_s)
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            self._socket.sendall(data)

    def stop_writing(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        with contextlib.suppress(OSError):
            # Not the TLS socket's own way, which forgets the keys and could not read the answer.
            socket.socket.shutdown(self._socket, socket.SHUT_WR)

    def peek(self, wait_s: float) -> bytes:
        """Return what has come within ``wait_s`` without taking it, empty where nothing has."""
        deadline_s = self._deadline_s
        self._deadline_s = time.monotonic() + wait_s
        try:
            return self._reader.peek(16)
        except OSError:
            return b""
        finally:
            self._deadline_s = deadline_s

    def read(self, method: str = "POST") -> Answer:
        """Read one final answer; a later one on the same connection can be read afterwards."""
        self._deadline_s = time.monotonic() + self._timeout_s
        return read_answer(cast("socket.socket", _Tap(self._reader)), method)

    def receive_into(self, buffer: Any) -> int:
        """Fill ``buffer`` before the deadline, or raise `TimeoutError`."""
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._socket.settimeout(left_s)
        return self._socket.recv_into(buffer)


class NoTlsError(OSError):
    """The two sides have not agreed on TLS."""


class _Incoming(io.RawIOBase):
    """The bytes of a connection as a file, so that a server that drips them cannot outlast the deadline."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.receive_into(buffer)


class _Tap:
    """What `http.client` takes for a socket: closing it loses nothing of a second answer read ahead."""

    def __init__(self, reader: io.BufferedReader[_Incoming]) -> None:
        self._reader = reader

    def makefile(self, *_: object) -> _Tap:
        return self

    def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


def shake_hands(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """Begin TLS; a server that hangs up meanwhile does not speak it."""
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    except (ConnectionError, ssl.SSLError) as fault:
        raise NoTlsError(str(fault)) from fault


def read_answer(source: socket.socket, method: str) -> Answer:
    """Read one answer; whatever goes wrong becomes its trouble."""
    response = http.client.HTTPResponse(source, method=method)
    try:
        response.begin()
    except OSError as fault:
        return Answer(trouble=name_trouble(fault))
    except (http.client.HTTPException, ValueError):
        return Answer(trouble="garbled")
    headers = tuple(response.getheaders())
    try:
        body = response.read(LARGEST_ANSWER)
        wanted = response.getheader("Content-Length")
        short = method != "HEAD" and wanted is not None and len(body) < min(int(wanted), LARGEST_ANSWER)
        endless = len(body) >= LARGEST_ANSWER
        return Answer(response.status, headers, body, "cut" if short else "endless" if endless else None)
    except http.client.IncompleteRead:
        return Answer(response.status, headers, trouble="cut")
    except OSError as fault:
        trouble = name_trouble(fault)
        return Answer(response.status, headers, trouble="cut" if trouble == "closed" else trouble)
    except (http.client.HTTPException, ValueError):
        return Answer(response.status, headers, trouble="garbled")


def name_trouble(fault: OSError) -> Trouble:
    """Name what the system says of a connection."""
    if isinstance(fault, socket.gaierror):
        return "unresolved"
    if isinstance(fault, NoTlsError):
        return "tls"
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, ConnectionResetError | ConnectionAbortedError | BrokenPipeError | ssl.SSLError):
        return "closed"
    return "refused"


def exchange(target: Target, request: Request, timeout_s: float) -> Answer:
    """Send one request on a connection of its own and return what came back; nothing is raised."""
    try:
        with Connection(target, timeout_s) as connection:
            connection.write(request.render(target))
            return connection.read(request.method)
    except OSError as fault:
        return Answer(trouble=name_trouble(fault))
