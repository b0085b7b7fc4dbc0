"""The main process of `serve`: opens the collection port, starts the other processes, tells and stops them."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import msgspec

from parcours.collect import serving_lock
from parcours.collect.declared import read_declared
from parcours.collect.http.tally import Tally
from parcours.collect.journal.opening import read_journal
from parcours.collect.journal.sealing import HOUR_MS
from parcours.collect.overview import read_overview
from parcours.collect.write_keys import find_senders, note_key_uses
from parcours.company import Company, declared_stamp
from parcours.company import open as open_company
from parcours.errors import Fault, ParcoursError
from parcours.serving.children import Child
from parcours.serving.keeper import Told
from parcours.serving.measurer import Published
from parcours.serving.metrics import Process, write_metrics
from parcours.serving.orders import Orders, write_orders
from parcours.serving.troubles import list_troubles
from parcours.words import Words

LOG = logging.getLogger(__name__)
LOOK_S = 0.5
NOTED_S = 60.0
START_S = 30.0
STOP_S = 30.0
MB = 1 << 20


class Supervisor:
    """The processes behind `parcours serve`.

    Args:
        company: The company, open.
        host: Where collection listens; by default as its settings say.
        port: On which port; 0 for a free one.
    """

    def __init__(self, company: Company, host: str | None = None, port: int | None = None) -> None:
        self._company = company
        self._declared = declared_stamp(company.folder)
        settings = company.settings.collect
        self._host = host or settings.host
        self._wanted_port = settings.port if port is None else port
        # A path of a socket may have 107 bytes: a folder of the company may be deeper than that.
        self._place = Path(tempfile.mkdtemp(prefix="parcours-"))
        self._address = self._place / "writer.sock"
        self._stopping = threading.Event()
        self._listening_writer = threading.Event()
        self._listener: socket.socket | None = None
        self._writer: Child | None = None
        self._workers: list[Child] = []
        self._keeper: Child | None = None
        self._measurer: Child | None = None
        self._orders: bytes = b""
        self._trouble: Fault | None = None
        self._held = ExitStack()
        self._journal = read_journal(company.folder)
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.tallies: dict[int, Tally] = {}
        self._noted_at = time.monotonic()
        self._used_ms: dict[str, int] = {}
        self.told = Told()
        self.published = Published()
        self.fault: ParcoursError | None = None
        """Why everything was stopped, when nobody asked for it."""

    @property
    def port(self) -> int:
        """The port on which collection listens."""
        assert self._listener is not None, "not started"  # noqa: S101
        return int(self._listener.getsockname()[1])

    @property
    def children(self) -> tuple[Child, ...]:
        """The processes that run."""
        return tuple(child for child in (self._writer, *self._workers, self._keeper, self._measurer) if child)

    def start(self) -> None:
        """Start everything; on return requests are taken.

        Raises:
            ParcoursError: ``already_serving``, ``address_taken``, ``writer_not_started``, and faults of sources.
        """
        folder = str(self._company.folder)
        self._held.enter_context(serving_lock(self._company.folder))
        # With a fault in a source nothing is started.
        self._orders = self._make_orders()
        self._listener = listen(self._host, self._wanted_port)
        self._start_writer(folder)
        handle = self._listener.fileno()
        budget = str(self._company.settings.collect.in_flight_mb * MB)
        for number in range(self._company.settings.collect.workers):
            worker = Child(
                "parcours.serving.worker",
                [str(self._address), str(handle), budget],
                self._hear_worker(number),
                [handle],
                lambda child: child.tell(self._orders),
            )
            worker.start()
            self._workers.append(worker)
        self._keeper = Child("parcours.serving.keeper", [folder, str(self._address)], self._hear_keeper)
        self._keeper.start()
        self._measurer = Child("parcours.serving.measurer", [folder], self._hear_measurer)
        self._measurer.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop in the order in which nothing is lost: those who accept, then who takes over, then the writer."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)
        if self._measurer is not None:
            self._measurer.ask_to_stop()
        for children in (self._workers, [self._keeper], [self._writer]):
            there = [child for child in children if child is not None]
            for child in there:
                child.ask_to_stop()
            for child in there:
                child.wait(STOP_S)
        if self._measurer is not None:
            # What it has not finished was never seen by anybody.
            self._measurer.end()
        if self._listener is not None:
            self._listener.close()
        shutil.rmtree(self._place, ignore_errors=True)
        self._held.close()

    @property
    def ready(self) -> bool:
        """Whether events are accepted and written at this moment."""
        return bool(self.tallies) and all(tally.connected for tally in self.tallies.values())

    def troubles(self) -> tuple[Fault, ...]:
        """Return what keeps any of the processes from its work at this moment."""
        return list_troubles(self.told, self.published, self._trouble)

    def write_metrics(self) -> bytes:
        """Return the figures of all processes as Prometheus reads them."""
        company = self._company
        declared = read_declared(company.folder, company.blueprint, company.settings)
        now_ms = time.time_ns() // 1_000_000
        overview = read_overview(company.folder, declared, company.settings.time_zone, now_ms)
        processes = [Process(child.module.rpartition(".")[2], child.alive, child.restarts) for child in self.children]
        return write_metrics(list(self.tallies.values()), overview, processes)

    def _start_writer(self, folder: str) -> None:
        self._writer = Child(
            "parcours.serving.writer", [folder, str(self._address)], lambda _: self._listening_writer.set()
        )
        self._writer.start()
        until = time.monotonic() + START_S
        while not self._listening_writer.wait(0.05):
            if not self._writer.alive or time.monotonic() > until:
                raise not_started()

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self._journal.check_place()
                for child in self.children:
                    child.look()
                self._reopen()
                orders = self._make_orders()
                if orders != self._orders:
                    self._orders = orders
                    for worker in self._workers:
                        worker.tell(orders)
                self._note_uses()
                self._trouble = None
            except ParcoursError as fault:
                if fault.code == "database_gone":
                    self._give_up(fault)
                    return
                self._note(fault.faults[0])
            except Exception:
                # Whatever it was, the others are still to be looked after.
                LOG.exception("a look at the processes failed")

    def _note_uses(self) -> None:
        """Write down, once a minute, when each write key last served."""
        if time.monotonic() - self._noted_at < NOTED_S:
            return
        self._noted_at = time.monotonic()
        used: dict[str, int] = {}
        for tally in [*self.tallies.values()]:
            for key, at_ms in tally.keys.items():
                used[key] = max(at_ms, used.get(key, 0))
        fresh = {key: at_ms for key, at_ms in used.items() if at_ms > self._used_ms.get(key, 0)}
        if fresh:
            note_key_uses(self._company.folder, fresh)
            self._used_ms |= fresh

    def _note(self, trouble: Fault) -> None:
        """Log what keeps orders from being made, once."""
        if self._trouble is None or trouble.code != self._trouble.code:
            LOG.warning("orders stay as they were", extra={"fields": {"code": trouble.code}})
        self._trouble = trouble

    def _give_up(self, fault: ParcoursError) -> None:
        """Have everything stopped: what is accepted from now on would be found by nobody."""
        LOG.critical("the company's data are gone: everything stops", extra={"fields": {"code": fault.code}})
        self.fault = fault
        os.kill(os.getpid(), signal.SIGTERM)

    def _reopen(self) -> None:
        """Take up files that have changed; with a fault in them the company stays as it was."""
        stamp = declared_stamp(self._company.folder)
        if stamp == self._declared:
            return
        self._declared = stamp
        try:
            company = open_company(self._company.folder, follow=True)
            _ = company.sources
        except ParcoursError as fault:
            LOG.warning("the company stays as it was", extra={"fields": {"code": fault.code}})
            return
        self._company = company

    def _make_orders(self) -> bytes:
        company = self._company
        settings = company.settings.collect
        hour = time.time_ns() // 1_000_000 // HOUR_MS
        keys = {one: key for one in (hour, hour + 1) if (key := company.know.hour_key(one)) is not None}
        return write_orders(
            Orders(
                senders=find_senders(company.folder, tuple(one.source for one in company.sources), settings.workers),
                hour_keys=keys,
                hosts=settings.hosts,
                forwarded=settings.forwarded,
                full=self._journal.backlog().bytes > settings.backlog_mb * MB,
                folder=str(company.folder),
                declared=sha256(repr(declared_stamp(company.folder)).encode()).hexdigest(),
                survey_key=company.know.survey_key(),
            )
        )

    def _hear_worker(self, number: int) -> Callable[[bytes], None]:
        def hear(line: bytes) -> None:
            self.tallies[number] = msgspec.json.decode(line, type=Tally)

        return hear

    def _hear_keeper(self, line: bytes) -> None:
        self.told = msgspec.json.decode(line, type=Told)
        if self.told.loaded is not None and self._measurer is not None:
            self._measurer.tell(msgspec.json.encode(self.told.loaded) + b"\n")

    def _hear_measurer(self, line: bytes) -> None:
        self.published = msgspec.json.decode(line, type=Published)


def listen(host: str, port: int) -> socket.socket:
    """Open the port of collection.

    Raises:
        ParcoursError: ``address_taken``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=4096)
    except OSError as fault:
        raise address_taken(host, port, fault) from fault


def address_taken(host: str, port: int, fault: OSError) -> ParcoursError:
    """Return the error of an address that cannot be listened on."""
    return ParcoursError(
        "address_taken",
        Words(
            fr=f"L'adresse {host}:{port} ne peut pas être écoutée ({fault.strerror}).",
            en=f"The address {host}:{port} cannot be listened on ({fault.strerror}).",
        ),
        Words(
            fr="Arrêtez ce qui l'occupe, ou choisissez un autre port avec --port ou --collect-port.",
            en="Stop what holds it, or choose another port with --port or --collect-port.",
        ),
    )


def not_started() -> ParcoursError:
    """Return the error of a writer that does not begin to listen."""
    return ParcoursError(
        "writer_not_started",
        Words(
            fr="Le processus qui écrit le journal n'a pas démarré.",
            en="The process that writes the journal did not start.",
        ),
        Words(
            fr="Son journal, sur stderr, dit pourquoi ; parcours verify contrôle le dossier.",
            en="Its log on stderr says why; parcours verify checks the folder.",
        ),
    )
