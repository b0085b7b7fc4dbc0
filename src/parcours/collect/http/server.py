"""The HTTP server of one worker: uvicorn, with patience that ends for whoever does not finish saying what they want."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_S = 20.0
HEADERS_BYTES = 64 << 10
SWEEP_S = 2.0
DRAIN_S = 25
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which knows since when and for how many bytes it has waited for headers."""

    waiting_since: float | None = None
    _waited_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self.waiting_since = self.loop.time()

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of a further request."""
        super().on_message_begin()
        self.waiting_since = self.loop.time()
        self._waited_bytes = 0

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self.waiting_since = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes; headers without end are cut off."""
        super().data_received(data)
        if self.waiting_since is not None and self.parser is not None:
            self._waited_bytes += len(data)
            if self._waited_bytes > HEADERS_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.close()


class CollectServer(uvicorn.Server):
    """A server over a socket that somebody else opened, and that stays open when this worker goes."""

    def __init__(self, app: Any, listening: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            loop="uvloop",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=DRAIN_S,
            backlog=4096,
        )
        super().__init__(config)
        self._listening = listening

    async def run_until_stopped(self) -> None:
        """Serve until `should_exit`, then until every request under way is answered."""
        sweeping = asyncio.create_task(self._sweep())
        try:
            await self.serve(sockets=[self._listening])
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping

    async def _sweep(self) -> None:
        """Close the connections that have begun to speak and do not go on."""
        while True:
            await asyncio.sleep(SWEEP_S)
            late = asyncio.get_running_loop().time() - HEADERS_S
            for connection in list(self.server_state.connections):
                since = getattr(connection, "waiting_since", None)
                if since is not None and since < late and connection.transport is not None:
                    connection.transport.close()
