"""The keeper of `serve`: turns what was accepted into parts, loads files, and lets connectors work."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from parcours import company as companies
from parcours import flow
from parcours.collect import LoadReport, company_lock, expire
from parcours.collect.journal.opening import read_journal
from parcours.collect.journal.sealing import HOUR_MS
from parcours.company import Company
from parcours.errors import Fault, ParcoursError
from parcours.progress import Silent
from parcours.serving.connected import Connected
from parcours.serving.linking import Linker
from parcours.serving.logs import log_as_json
from parcours.serving.memory import give_back, use_plain_memory
from parcours.serving.orders import read_lines
from parcours.serving.telling import Teller
from parcours.telemetry import span
from parcours.words import Words

LOG = logging.getLogger(__name__)
LOCK_S = 60.0
RESTING_MS = 2_500
"""Younger batches are left for the next turn: the main process follows the journal once a second."""

LEAST_PAUSE_S = 0.1
EXPIRE_EVERY_S = 3_600.0
LAST_TURN_S = 10.0
"""How long the last turn may go on taking over when everything stops: the rest waits in the journal."""

AGAIN_S = 2.0
"""How often a company that cannot be opened is tried again."""

MOST_HOURS = 72
"""Raw batches are to be gone by then; what could not be taken over is told, and kept."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper tells the main process after each turn: what it took over, and what keeps it from going on.

    ``loaded`` is what files gave, in the turn in which they were loaded; ``due`` tells of requests near their deadline.
    """

    taken_batch_no: int = 0
    kept: int = 0
    duplicates: int = 0
    quarantined: int = 0
    discarded: int = 0
    fault: Fault | None = None
    due: tuple[Fault, ...] = ()
    queues: list[dict[str, object]] = []
    loaded: LoadReport | None = None


class Keeper:
    """One company kept up to date.

    Args:
        folder: The company folder.
        address: The writer's socket, to which inlets deliver.
        stopping: Set when it should stop.
        tell: Called with what the main process should know.

    Raises:
        ParcoursError: every fault of blueprint, sources and destinations.
    """

    def __init__(self, folder: Path, address: Path, stopping: threading.Event, tell: Callable[[Told], object]) -> None:
        self._folder, self._address, self._stopping, self._tell = folder, address, stopping, tell
        self._declared = companies.declared_stamp(folder)
        self._company = open_whole(folder)
        self._reload = threading.Event()
        self._expired_at = self._warned_at = self._told_due_at = -EXPIRE_EVERY_S
        self._told = Told(taken_batch_no=self._company.know.taken)
        self._broken: Fault | None = None
        self._journal = read_journal(folder)
        self._connected = Connected(self._company, address, self._ask_reload)
        self._loaded: LoadReport | None = None
        self._linker = Linker(folder)

    def run(self) -> None:
        """Take turns until asked to stop; then take over what still waits, as far as that goes quickly."""
        self._connected.start()
        while not self._stopping.is_set():
            begun = time.monotonic()
            self._turn(self._stopping.is_set)
            give_back()
            every_s = LEAST_PAUSE_S if self._reload.is_set() else self._company.settings.collect.every_s
            # Others may want the company as well: a turn that took longer than that leaves them a moment.
            self._stopping.wait(max(LEAST_PAUSE_S, every_s - (time.monotonic() - begun)))
        self._connected.stop()
        self._linker.stop()
        until = time.monotonic() + LAST_TURN_S
        self._turn(lambda: time.monotonic() > until)

    def _ask_reload(self, _: str) -> None:
        """Ask for the files to be loaded at the next turn: the inlet looks again later, and need not wait."""
        self._reload.set()

    def _turn(self, stopping: Callable[[], bool]) -> None:
        fault = self._try(lambda: self._work(stopping)) or self._broken or self._try(self._look_back)
        queues, due = self._told.queues, self._told.due
        with suppress(ParcoursError):
            queues = self._connected.states()
        with suppress(ParcoursError):
            due = self._company.know.requests.alarms()
        self._warn_of_due(due)
        self._told = msgspec.structs.replace(self._told, fault=fault, due=due, queues=queues, loaded=self._loaded)
        self._loaded = None
        self._tell(self._told)

    def _work(self, stopping: Callable[[], bool]) -> None:
        self._check_folder()
        self._follow()
        with company_lock(self._folder, LAST_TURN_S if self._stopping.is_set() else LOCK_S):
            self._take_over(stopping)
        self._connected.wake()
        if not self._stopping.is_set():
            self._linker.look(self._company)
            # One a turn: whoever does not answer holds up nothing for longer than a few seconds.
            self._company.know.opendsr.send_due()

    def _try(self, work: Callable[[], Fault | None]) -> Fault | None:
        """Return what ``work`` returns, or the fault that kept it from that."""
        try:
            return work()
        except ParcoursError as error:
            fault = error.faults[0]
            LOG.error("a turn failed", extra={"fields": {"code": fault.code, "why": str(fault.sentence)}})
        except Exception as error:
            # Told like any other: what is accepted waits, and the next turn tries again.
            fault = turn_failed(error)
            LOG.exception("a turn failed", extra={"fields": {"code": fault.code}})
        return fault

    def _take_over(self, stopping: Callable[[], bool]) -> None:
        if self._reload.is_set():
            self._reload.clear()
            self._loaded = flow.collect_files(self._company, Silent())
        with span("take over"):
            # Nobody follows any more when everything stops.
            resting_ms = 0 if self._stopping.is_set() else RESTING_MS
            done = flow.collect_live(self._company, stopping, resting_ms=resting_ms)
        if done.batches or done.missing:
            LOG.info("took over", extra={"fields": msgspec.to_builtins(done)})
            told = self._told
            self._told = msgspec.structs.replace(
                told,
                taken_batch_no=done.last_batch_no,
                kept=told.kept + done.kept,
                duplicates=told.duplicates + done.duplicates,
                quarantined=told.quarantined + done.quarantined,
                discarded=told.discarded + done.discarded,
            )
        if time.monotonic() - self._expired_at > EXPIRE_EVERY_S:
            expire(self._folder, self._company.settings)
            for receipt in self._company.know.upkeep.retain(stopping=stopping):
                LOG.info("retention", extra={"fields": {"receipt": receipt.receipt_no, "rows": receipt.rows}})
            self._expired_at = time.monotonic()

    def _check_folder(self) -> None:
        """Raise unless the folder is still there: working on would make it anew, empty."""
        if not (self._folder / ".parcours").is_dir():
            raise companies.no_such_folder(self._folder)

    def _follow(self) -> None:
        """Take up a blueprint, sources or settings that have changed; with a fault in them the old ones go on."""
        stamp = companies.declared_stamp(self._folder)
        if stamp == self._declared:
            return
        self._declared = stamp
        try:
            company = open_whole(self._folder)
            connected = Connected(company, self._address, self._ask_reload)
        except ParcoursError as error:
            self._broken = error.faults[0]
            fields = {"code": error.code, "place": self._broken.place, "why": str(self._broken.sentence)}
            LOG.error("the company stays as it was", extra={"fields": fields})
            return
        self._broken = None
        self._company = company
        self._connected.stop()
        self._connected = connected
        self._connected.start()

    def _warn_of_due(self, due: tuple[Fault, ...]) -> None:
        if due and time.monotonic() - self._told_due_at > EXPIRE_EVERY_S:
            self._told_due_at = time.monotonic()
            LOG.warning("requests are due", extra={"fields": {"code": due[0].code, "why": str(due[0].sentence)}})

    def _look_back(self) -> Fault | None:
        """Return what is told when batches have waited for longer than they should."""
        backlog = self._journal.backlog()
        now_ms = time.time_ns() // 1_000_000
        if backlog.oldest_ms is None or now_ms - backlog.oldest_ms <= MOST_HOURS * HOUR_MS:
            return None
        fault = waiting_too_long(backlog.batches, (now_ms - backlog.oldest_ms) // HOUR_MS, self._folder)
        if time.monotonic() - self._warned_at > EXPIRE_EVERY_S:
            self._warned_at = time.monotonic()
            fields = {"code": fault.code, "batches": backlog.batches, "why": str(fault.sentence)}
            LOG.critical("batches are not taken over", extra={"fields": fields})
        return fault


def open_whole(folder: Path) -> Company:
    """Open a company with its sources and destinations read, so that it goes on as it is whatever is written there.

    Raises:
        ParcoursError: every fault of them.
    """
    company = companies.open(folder)
    faults = [fault for fault in flow.check(folder, sample=False) if fault.level == "error"]
    if faults:
        raise ParcoursError.of(faults)
    _ = company.delivering, company.destinations
    return company


def waiting_too_long(batches: int, hours: int, folder: Path) -> Fault:
    """Return what is told of batches that should have been taken over long ago."""
    return Fault(
        "batches_waiting",
        Words(
            fr=f"{batches} lot(s) d'événements acceptés attendent depuis {hours} heures, bien plus que {MOST_HOURS}.",
            en=f"{batches} batch(es) of accepted events have waited for {hours} hours, far more than {MOST_HOURS}.",
        ),
        Words(
            fr="Rien n'est perdu, mais des données brutes restent. Mettez fin à ce qui empêche de les traiter : le "
            "journal du processus keeper, sur stderr, le dit.",
            en="Nothing is lost, but raw data stay. Mend what keeps them from being taken over: the log of the process "
            "keeper, on stderr, says what it is.",
        ),
        str(folder),
    )


def turn_failed(error: Exception) -> Fault:
    """Return what is told of an error that nobody foresaw."""
    return Fault(
        "turn_failed",
        Words(
            fr=f"Ce qui a été accepté n'a pas pu être traité ({type(error).__name__}) ; il attend, rien n'est perdu.",
            en=f"What was accepted could not be taken over ({type(error).__name__}); it waits, and nothing is lost.",
        ),
        Words(
            fr="Le journal du processus keeper, sur stderr, dit où ; il essaie de nouveau sans cesse.",
            en="The log of the process keeper, on stderr, says where; it tries again all the time.",
        ),
    )


def main() -> None:
    """Run the keeper: the company ``FOLDER`` and the ``SOCKET`` of the writer."""
    folder, address = Path(sys.argv[1]), Path(sys.argv[2])
    log_as_json("keeper")
    use_plain_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threading.Thread(target=_wait_for_end, args=(stopping,), daemon=True).start()
    teller = Teller(sys.stdout.fileno())

    def tell(told: Told) -> None:
        teller.tell(msgspec.json.encode(told) + b"\n")

    keeper = wait_for_company(folder, address, stopping, tell)
    if keeper is not None:
        keeper.run()


def wait_for_company(
    folder: Path, address: Path, stopping: threading.Event, tell: Callable[[Told], object]
) -> Keeper | None:
    """Return the keeper once the company can be opened; until then tell what is wrong with it."""
    said = ""
    while not stopping.is_set():
        try:
            return Keeper(folder, address, stopping, tell)
        except ParcoursError as error:
            fault = error.faults[0]
            tell(Told(fault=fault))
            if str(error) != said:
                said = str(error)
                fields = {"code": error.code, "place": fault.place, "why": str(fault.sentence)}
                LOG.error("the company cannot be opened", extra={"fields": fields})
        stopping.wait(AGAIN_S)
    return None


def _wait_for_end(stopping: threading.Event) -> None:
    for _ in read_lines():
        pass
    stopping.set()


if __name__ == "__main__":
    main()
