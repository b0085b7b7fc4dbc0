"""One POST over a kept connection, bounded in time and in bytes: redirects and proxies are not followed."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import os
import select
import socket
import ssl
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

MOST_READ: Final = 65_536
"""The bytes of an answer that are read; a longer one ends the connection."""


_LOOK_S: Final = 0.1
_QUICK_ACK: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)
"""Linux alone; it lasts for a moment, so it is asked for with every request."""


class Reply(msgspec.Struct, frozen=True):
    """The status of an answer and its ``Retry-After``, as it came."""

    status: int
    retry_after: str | None


class Endpoint:
    """Where to post. It is used by one thread, save `close`.

    Args:
        url: An ``https`` URL, or ``http`` on the loopback.
        timeout_s: How long a whole attempt may take, from the connection to the end of the answer.
        authorities: A file of certificates to trust instead of the system's.
    """

    def __init__(self, url: str, timeout_s: float, authorities: Path | None = None) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._context = ssl.create_default_context(cafile=authorities) if self._secure else None
        self._connection: http.client.HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._closed = threading.Event()
        self._late = False

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Post ``body`` and return the answer.

        Raises:
            OSError: no connection, no trust, no answer in time, or closed meanwhile.
            http.client.HTTPException: what came back is no HTTP.
        """
        timer = threading.Timer(self._timeout_s, self._give_up)
        timer.daemon = True
        self._late = False
        timer.start()
        try:
            return self._try_twice(body, headers)
        except Exception as error:
            self._drop()
            if self._late:
                raise TimeoutError(f"no answer within {self._timeout_s:g} s") from error
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the connection, even in the middle of an attempt of another thread."""
        self._closed.set()
        self._cut()

    def _try_twice(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """A kept connection may have been ended by the other side at any time: that is no fault yet."""
        if self._connection is not None:
            try:
                return self._try(self._connection, body, headers)
            except ConnectionError:
                self._drop()
                if self._late:
                    raise
        return self._try(self._connect(), body, headers)

    def _try(self, connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str]) -> Reply:
        connection.request("POST", self._target, body, dict(headers))
        if _QUICK_ACK is not None and self._socket is not None:
            # Many a receiver writes its answer in two pieces, and sends the second when the first is acknowledged.
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        response = connection.getresponse()
        if self._late or self._closed.is_set():
            # What was cut looks like an answer that ends early; its status may be but a part of the truth.
            raise ConnectionAbortedError("cut")
        response.read(MOST_READ)
        if response.will_close or not response.isclosed():
            self._drop()
        return Reply(response.status, response.headers.get("Retry-After"))

    def _connect(self) -> http.client.HTTPConnection:
        if self._closed.is_set():
            raise ConnectionAbortedError("closed")
        connection = http.client.HTTPConnection(self.host, self._port, timeout=self._timeout_s)
        connection.auto_open = 0
        self._socket = self._dial()
        if self._context is not None:
            # The handshake comes after the socket is known, so that it too can be cut short.
            secure = self._context.wrap_socket(self._socket, server_hostname=self.host, do_handshake_on_connect=False)
            self._socket = secure
            secure.do_handshake()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sock = self._socket
        self._connection = connection
        return connection

    def _dial(self) -> socket.socket:
        """Return a connected socket; the wait for it ends at once when the attempt does."""
        refused: OSError = ConnectionAbortedError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM):
            dialled = socket.socket(family, kind, protocol)
            dialled.setblocking(False)
            number = dialled.connect_ex(address)
            while number in (errno.EINPROGRESS, errno.EWOULDBLOCK) and not (self._late or self._closed.is_set()):
                if select.select([], [dialled], [], _LOOK_S)[1]:
                    number = dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == 0:
                dialled.settimeout(self._timeout_s)
                return dialled
            dialled.close()
            refused = OSError(number, os.strerror(number))
        raise refused

    def _give_up(self) -> None:
        self._late = True
        self._cut()

    def _cut(self) -> None:
        held = self._socket
        if held is not None:
            try:
                # Not `SSLSocket.shutdown`, which takes the state of the session away from the thread that reads.
                socket.socket.shutdown(held, socket.SHUT_RDWR)
            except OSError:
                return

    def _drop(self) -> None:
        held, self._socket, self._connection = self._socket, None, None
        if held is not None:
            held.close()


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name or number."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_retry_after(text: str | None, now_s: float) -> float | None:
    """Return a ``Retry-After`` (seconds or an HTTP date) as seconds from ``now_s``; ``None`` when it is neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except ValueError:
        return None
