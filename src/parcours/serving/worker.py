"""A worker of `serve`: one process that takes requests and hands them to the writer; `serve` alone starts it."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import uvloop

from parcours.collect.http.app import CollectApp
from parcours.collect.http.gathering import Gathering
from parcours.collect.http.keys import Senders
from parcours.collect.http.server import CollectServer
from parcours.collect.http.tally import Tally
from parcours.collect.journal.handover import Handover
from parcours.serving.logs import log_as_json
from parcours.serving.orders import Orders, hear_orders

TOLD_EVERY_S = 1.0


class Worker:
    """The parts of one worker, put together."""

    def __init__(self, address: Path, listening: socket.socket, most_in_flight: int) -> None:
        self._hour_keys: dict[int, bytes] = {}
        self._handover = Handover(address)
        self._tally = Tally()
        self._gathering = Gathering(self._hour_keys.get, self._handover)
        self._app = CollectApp(self._gathering, self._tally, None, most_in_flight)
        self._server = CollectServer(self._app, listening)

    async def run(self) -> None:
        """Serve until told to stop; then answer what is under way, and hand over what was accepted."""
        loop = asyncio.get_running_loop()
        await self._handover.start()
        hear_orders(
            lambda orders: loop.call_soon_threadsafe(self._follow, orders),
            lambda: loop.call_soon_threadsafe(self._stop),
        )
        telling = asyncio.create_task(self._tell())
        await self._server.run_until_stopped()
        await self._gathering.drain()
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await self._handover.stop()

    def _follow(self, orders: Orders) -> None:
        # Old hours stay a while: a frame may be sealed just after the hour has turned.
        self._hour_keys.update(orders.hour_keys)
        for hour in sorted(self._hour_keys)[:-4]:
            del self._hour_keys[hour]
        self._app.follow(Senders(orders.senders), orders.hosts, orders.forwarded)

    def _stop(self) -> None:
        self._server.should_exit = True

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            self._tally.connected = self._handover.connected
            try:
                sys.stdout.buffer.write(msgspec.json.encode(self._tally) + b"\n")
                sys.stdout.buffer.flush()
            except OSError:
                self._stop()
                return


def main() -> None:
    """Run a worker: ``SOCKET`` of the writer, ``FD`` of the listening socket, ``BYTES`` that may be in flight."""
    address, handle, most_in_flight = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    log_as_json("worker")
    # Ctrl-C reaches the whole group; whoever started us says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listening = socket.socket(fileno=handle)
    gc.collect()
    gc.freeze()
    uvloop.run(Worker(address, listening, most_in_flight).run())


if __name__ == "__main__":
    main()
