"""A worker of `serve`: one process that takes requests and hands them to the writer; `serve` alone starts it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import uvloop

from parcours.collect.http.app import CollectApp
from parcours.collect.http.gathering import Gathering
from parcours.collect.http.keys import Senders
from parcours.collect.http.more import build_more
from parcours.collect.http.server import CollectServer
from parcours.collect.http.tally import Tally
from parcours.collect.journal.handover import Handover
from parcours.collect.journal.sealing import HOUR_MS
from parcours.errors import ParcoursError
from parcours.serving.logs import log_as_json, note_loop_fault
from parcours.serving.orders import Orders, hear_orders
from parcours.serving.surveys import open_surveys
from parcours.serving.telling import Teller

LOG = logging.getLogger(__name__)

TOLD_EVERY_S = 1.0
PROVED_EVERY_S = 5.0
PROOF_S = 5.0
"""How long `/ready` waits for the writer's proof."""


class Worker:
    """The parts of one worker, put together."""

    def __init__(self, address: Path, listening: socket.socket, most_in_flight: int) -> None:
        self._hour_keys: dict[int, bytes] = {}
        self._orders = Orders()
        self._handover = Handover(address)
        self._tally = Tally()
        self._gathering = Gathering(self._hour_keys.get, self._handover)
        self._app = CollectApp(self._gathering, self._tally, build_more(self._find_trouble), most_in_flight)
        self._server = CollectServer(self._app, listening, self._tally.refuse)
        self._proved_at = 0.0
        self._ordered = asyncio.Event()

    async def run(self) -> None:
        """Serve until told to stop; then answer what is under way, and hand over what was accepted."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(note_loop_fault)
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        await self._handover.start()
        hear_orders(
            lambda orders: loop.call_soon_threadsafe(self._follow, orders),
            lambda: loop.call_soon_threadsafe(self._stop),
        )
        # Before the first orders every write key is unknown, and an SDK drops what is refused for its key.
        await self._ordered.wait()
        telling = asyncio.create_task(self._tell())
        await self._server.run_until_stopped()
        await self._gathering.drain()
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        await self._handover.stop()

    def _follow(self, orders: Orders) -> None:
        # The keys before these stay: a frame may be sealed just after the hour has turned, or the clock was set.
        before = self._orders
        kept = {**before.hour_keys, **orders.hour_keys}
        self._hour_keys.clear()
        self._hour_keys.update(kept)
        self._orders = orders
        self._ordered.set()
        self._app.follow(Senders(orders.senders), orders.hosts, orders.forwarded, orders.full)

        if (orders.declared, orders.survey_key) != (before.declared, before.survey_key):
            self._open_surveys(orders)

    def _open_surveys(self, orders: Orders) -> None:
        """Ask what the blueprint now says; with a fault in it the questions stay as they were."""
        try:
            surveys = open_surveys(Path(orders.folder), orders.survey_key, self._gathering, self._tally)
        except ParcoursError as fault:
            LOG.warning("survey pages stay as they were", extra={"fields": {"code": fault.code}})
            return
        self._app.more = build_more(self._find_trouble, surveys)

    def _stop(self) -> None:
        self._server.should_exit = True
        self._ordered.set()

    async def _find_trouble(self) -> str:
        """Return why events cannot be kept right now, and make sure that they can when nothing was written lately."""
        if not self._handover.connected:
            return "no_writer"
        if time.time_ns() // 1_000_000 // HOUR_MS not in self._hour_keys:
            return "no_hour_key"
        if self._orders.full:
            return "queue_full"
        if self._gathering.fault or time.monotonic() - self._proved_at > PROVED_EVERY_S:
            try:
                async with asyncio.timeout(PROOF_S):
                    await self._gathering.prove()
            except TimeoutError:
                return "writer_slow"
            self._proved_at = time.monotonic()
        return self._gathering.fault

    async def _tell(self) -> None:
        teller = Teller(sys.stdout.fileno())
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            self._tally.connected = self._handover.connected
            self._tally.fault = self._gathering.fault
            if not teller.tell(msgspec.json.encode(self._tally) + b"\n"):
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
    os.set_inheritable(handle, False)
    gc.collect()
    gc.freeze()
    uvloop.run(Worker(address, listening, most_in_flight).run())


if __name__ == "__main__":
    main()
