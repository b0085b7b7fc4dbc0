"""The connectors of one company at work: its inlets, and the queues of its destinations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from parcours.collect.connectors.contract import Inlet, Outlet, Port
from parcours.collect.connectors.destinations import Destination
from parcours.collect.connectors.http import HTTP
from parcours.collect.connectors.inlets import Inlets
from parcours.collect.connectors.options import kind_of
from parcours.collect.connectors.queues import Queues
from parcours.collect.connectors.registry import find_connector
from parcours.collect.journal.opening import read_journal, read_outbox
from parcours.collect.journal.sealing import Sealer
from parcours.collect.source import Source
from parcours.company import Company
from parcours.serving.ports import JournalPort, SealedOutbox
from parcours.serving.sending import SendGate

FILES = "folder"
"""The connector of a source that names files: it looks at them."""


class Connected:
    """Everything that brings in or carries out beside HTTP.

    Args:
        company: The company.
        address: The writer's socket.
        ask_reload: Asks for the files of a source to be loaded.
    """

    def __init__(self, company: Company, address: Path, ask_reload: Callable[[str], None]) -> None:
        folder = company.folder
        # A set of its own: when the blueprint changes these stop, and others start.
        self._stopping = threading.Event()
        journal, outbox = read_journal(folder), read_outbox(folder)
        self._close = [journal.close, outbox.close]
        works: dict[str, tuple[Callable[[], Inlet], Port]] = {}
        for source in (one.source for one in company.sources):
            name = source.connector or FILES
            if name == HTTP:
                continue
            kind = kind_of(name, source.options)
            port = JournalPort(
                source.source, kind, Sealer(company.know.hour_key), address, journal, ask_reload, self._stopping
            )
            works[source.source] = (_inlet_opener(company, name, source), port)
        self._inlets = Inlets(works)
        openers: dict[str, Callable[[], Outlet]] = {
            destination.destination: _outlet_opener(company, destination) for destination in company.destinations
        }
        gate = SendGate(company)
        self._close.append(gate.close)
        self._queues = Queues(SealedOutbox(outbox, company.know.door(), gate.judge), openers)

    def start(self) -> None:
        """Begin to work."""
        self._inlets.start()
        self._queues.start()

    def wake(self) -> None:
        """Say that there may be something new to carry out."""
        self._queues.wake()

    def stop(self) -> None:
        """End all of it; what is not known to be delivered stays."""
        self._stopping.set()
        # A thread that hangs in somebody else's code may still come back to ask.
        if not self._inlets.stop() + self._queues.stop():
            for close in self._close:
                close()

    def states(self) -> list[dict[str, object]]:
        """Return how each inlet and queue stands, as plain data."""
        return [msgspec.to_builtins(state) for state in (*self._inlets.states(), *self._queues.states())]


def _inlet_opener(company: Company, name: str, source: Source) -> Callable[[], Inlet]:
    return lambda: find_connector(name).open_inlet(source, source.options, company.settings, company.folder)


def _outlet_opener(company: Company, destination: Destination) -> Callable[[], Outlet]:
    return lambda: find_connector(destination.connector).open_outlet(
        destination.destination, destination.options, company.settings, company.folder
    )
