"""The HTTP server of one worker: uvicorn over a socket of ours, swept for connections that take too long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from parcours.collect.http.patience import PatientProtocol

SWEEP_S = 2.0
DRAIN_S = 25


class CollectConfig(uvicorn.Config):
    """uvicorn's settings, and where a connection counts what never became a request."""

    refuse: Callable[[str], None]


class CollectServer(uvicorn.Server):
    """A server over a socket that somebody else opened, and that stays open when this worker goes.

    Args:
        app: The application.
        listening: The socket.
        refuse: Called with a code for each thing that came and was no request.
    """

    def __init__(self, app: Any, listening: socket.socket, refuse: Callable[[str], None]) -> None:
        config = CollectConfig(
            app,
            http=PatientProtocol,
            ws="none",
            loop="uvloop",
            lifespan="off",
            log_level="warning",
            log_config=None,
            access_log=False,
            # uvicorn would believe whoever comes from the loopback; whom to believe is a setting of ours.
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=DRAIN_S,
            backlog=4096,
        )
        config.refuse = refuse
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

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to whoever runs the process: uvicorn would stop on Ctrl-C, and end the process at once."""
        yield

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, PatientProtocol) and connection.transport is not None:
                    connection.lose_patience(now)
