"""The keeper of `serve`: turns what was accepted into parts, lets connectors work, and publishes what it all means."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

from parcours import company as companies
from parcours import flow
from parcours.collect import LoadReport, company_lock, expire
from parcours.errors import Fault, ParcoursError
from parcours.progress import Silent
from parcours.serving.connected import Connected
from parcours.serving.logs import log_as_json
from parcours.telemetry import span

LOG = logging.getLogger(__name__)
LOCK_S = 60.0
EXPIRE_EVERY_S = 3_600.0
LEAST_PAUSE_S = 5.0
"""Between two publications at least this long, and at least as long as the last one took."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper tells the main process after each turn: what it took over, and what keeps it from going on."""

    published_ms: int = 0
    published_batch_no: int = 0
    taken_batch_no: int = 0
    kept: int = 0
    duplicates: int = 0
    quarantined: int = 0
    discarded: int = 0
    seconds: float = 0.0
    fault: Fault | None = None
    queues: list[dict[str, object]] = []


class Keeper:
    """One company kept up to date.

    Args:
        folder: The company folder.
        address: The writer's socket, to which inlets deliver.
        stopping: Set when it should stop.
    """

    def __init__(self, folder: Path, address: Path, stopping: threading.Event) -> None:
        self._folder, self._address, self._stopping = folder, address, stopping
        self._company = companies.open(folder)
        self._declared = companies.declared_stamp(folder)
        self._reload = threading.Event()
        self._published = ""
        self._published_at = self._took_s = 0.0
        self._expired_at = 0.0
        self._told = Told()
        self._connected = Connected(self._company, address, self._ask_reload, stopping)

    def run(self) -> None:
        """Take turns until asked to stop; then take over what still waits."""
        self._connected.start()
        while not self._stopping.is_set():
            self._turn()
            self._stopping.wait(0.1 if self._reload.is_set() else self._company.settings.collect.every_s)
        self._connected.stop()

    def _ask_reload(self, _: str) -> None:
        """Ask for the files to be loaded at the next turn: the inlet looks again later, and need not wait."""
        self._reload.set()

    def _turn(self) -> None:
        try:
            self._follow()
            started = time.monotonic()
            with company_lock(self._folder, LOCK_S):
                loaded: LoadReport | None = None
                if self._reload.is_set():
                    self._reload.clear()
                    loaded = flow.collect_files(self._company, Silent())
                with span("take over"):
                    done = flow.collect_live(self._company, self._stopping.is_set)
                if done.batches:
                    self._note(done.last_batch_no, done.kept, done.duplicates, done.quarantined, done.discarded)
                    LOG.info("took over", extra={"fields": msgspec.to_builtins(done)})
                if self._is_due():
                    self._publish(started, loaded)
                if time.monotonic() - self._expired_at > EXPIRE_EVERY_S:
                    expire(self._folder, self._company.settings)
                    self._expired_at = time.monotonic()
            self._connected.wake()
            self._tell(None)
        except ParcoursError as fault:
            LOG.error("a turn failed", extra={"fields": {"code": fault.code, "says": str(fault.faults[0].sentence)}})
            self._tell(fault.faults[0])

    def _follow(self) -> None:
        """Take up a blueprint, sources or settings that have changed; with a fault in them the old ones go on."""
        stamp = companies.declared_stamp(self._folder)
        if stamp == self._declared:
            return
        self._declared = stamp
        faults = [fault for fault in flow.check(self._folder, sample=False) if fault.level == "error"]
        if faults:
            raise ParcoursError.of(faults)
        self._company = companies.open(self._folder)
        self._connected.stop()
        self._connected = Connected(self._company, self._address, self._ask_reload, self._stopping)
        self._connected.start()
        self._published = ""

    def _is_due(self) -> bool:
        if self._company.know.version == self._published:
            return False
        return time.monotonic() - self._published_at >= max(LEAST_PAUSE_S, self._took_s) or not self._published

    def _publish(self, started: float, loaded: LoadReport | None) -> None:
        begun = time.monotonic()
        version = self._company.know.version
        with span("publish"):
            report = flow.publish(self._company, started, loaded)
        self._published, self._published_at = version, time.monotonic()
        self._took_s = self._published_at - begun
        self._told = msgspec.structs.replace(
            self._told,
            published_ms=report.finished_ms,
            published_batch_no=self._told.taken_batch_no,
            seconds=round(self._took_s, 2),
        )

    def _note(self, last_batch_no: int, kept: int, duplicates: int, quarantined: int, discarded: int) -> None:
        told = self._told
        self._told = msgspec.structs.replace(
            told,
            taken_batch_no=last_batch_no,
            kept=told.kept + kept,
            duplicates=told.duplicates + duplicates,
            quarantined=told.quarantined + quarantined,
            discarded=told.discarded + discarded,
        )

    def _tell(self, fault: Fault | None) -> None:
        queues = self._connected.states()
        self._told = msgspec.structs.replace(self._told, fault=fault, queues=queues)
        sys.stdout.buffer.write(msgspec.json.encode(self._told) + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Run the keeper: the company ``FOLDER`` and the ``SOCKET`` of the writer."""
    folder, address = Path(sys.argv[1]), Path(sys.argv[2])
    log_as_json("keeper")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)
    stopping = threading.Event()
    threading.Thread(target=_wait_for_end, args=(stopping,), daemon=True).start()
    Keeper(folder, address, stopping).run()


def _wait_for_end(stopping: threading.Event) -> None:
    sys.stdin.buffer.read()
    stopping.set()


if __name__ == "__main__":
    main()
