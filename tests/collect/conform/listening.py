"""Servers on a free port of this machine, in a thread, for the length of a test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Quiet(ThreadingHTTPServer):
    """A server that neither logs nor waits for its clients when it closes."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what some rules are about."""


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 without logs; each answer leaves in one piece."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send one answer; without a length where the status allows no body."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body)

    def handle_expect_100(self) -> bool:
        """Tell the client to go on at once."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def read_body(self, largest_bytes: int = 2**24) -> bytes | None:
        """Return the body, chunked or not; ``None``, and the connection is closed, when it is not all there."""
        try:
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                body = b"".join(iter(self._read_chunk, b""))
            else:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length) if length <= largest_bytes else b""
                if len(body) < length:
                    raise ValueError
        except ValueError:
            self.close_connection = True
            return None
        return body

    def _read_chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline(100).strip(), 16))
        self.rfile.readline(3)
        return chunk


@contextmanager
def listen(handler: type[BaseHTTPRequestHandler], **attributes: Any) -> Iterator[tuple[str, Any]]:
    """Serve with ``handler`` while the block runs; give its address and the server."""
    server = Quiet(("127.0.0.1", 0), handler)
    for name, value in attributes.items():
        setattr(server, name, value)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def listen_raw(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Give the address of a server that hands each connection to ``talk`` and then closes it."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            talk(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_sockets.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for each in (listener, *open_sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def read_request(connection: socket.socket) -> bytes:
    """Read until the end of the headers, and the body as far as it has come with them."""
    read = b""
    while b"\r\n\r\n" not in read and (more := connection.recv(65_536)):
        read += more
    return read
