"""A company that collects: a real writer and a real worker, stopped and started at will, and what they kept."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from parcours import company as companies
from parcours import flow
from parcours.collect import Compacted, company_lock, read_sources
from parcours.collect.compaction.reading import Placed, Read, read_deliveries
from parcours.collect.http.keys import digest_key
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.journal.opening import JOURNAL, read_journal
from parcours.collect.journal.sealing import HOUR_MS, Sealer
from parcours.collect.write_keys import find_senders, make_write_key
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import read_part
from parcours.engine.store.sqlite import open_database
from parcours.engine.store.write_keys import WriteKey, WriteKeys
from parcours.serving.orders import Orders, write_orders

IN_FLIGHT_BYTES = 64 << 20


class Collector:
    """The company in a folder; its port stays the same over every stop and start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.company = companies.open(folder)
        declared = read_sources(folder, self.company.blueprint, self.company.settings)
        self.sources = {one.source.source: one.source for one in declared if one.source.connector == "http"}
        self.keys = {name: make_write_key(folder, source) for name, source in self.sources.items()}
        self._journal = read_journal(folder)
        self._sealer = Sealer(self.company.know.hour_key)
        self._opened: dict[int, list[Delivery]] = {}
        # A path of a socket may have 107 bytes, and the folder of a test may be deeper than that.
        self._place = Path(tempfile.mkdtemp(prefix="parcours-"))
        self._address = self._place / "writer.sock"
        self._writer: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])

    def start(self) -> None:
        """Start both; on return requests are taken and kept."""
        self.start_writer()
        with socket.create_server(("127.0.0.1", self.port), backlog=1024) as listening:
            handle = listening.fileno()
            command = ["parcours.serving.worker", str(self._address), str(handle), str(IN_FLIGHT_BYTES)]
            self._worker = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[handle],
            )
        self.give_orders()
        # It tells once a second how it is; the first time is when it has taken its orders and found the writer.
        assert self._worker.stdout
        while not json.loads(self._worker.stdout.readline())["connected"]:
            pass

    def start_writer(self) -> None:
        """Start the writer alone."""
        command = ["parcours.serving.writer", str(self.folder), str(self._address)]
        self._writer = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._writer.stdout
        assert self._writer.stdout.readline() == b"listening\n"

    def stop(self) -> None:
        """Stop both in the order in which nothing is lost."""
        for process in (self._worker, self._writer):
            if process and process.stdin:
                process.stdin.close()
                process.wait(30)
        self._worker = self._writer = None

    def kill(self) -> None:
        """End both at once, whatever they are about; this is the end of the collector."""
        for process in (self._worker, self._writer):
            if process:
                process.kill()
                process.wait()
        self._worker = self._writer = None
        shutil.rmtree(self._place, ignore_errors=True)

    def accept(self, key: str, source: str) -> None:
        """Accept a key that somebody else has chosen, from the next orders on."""
        database = open_database(self.folder / JOURNAL)
        try:
            keys = WriteKeys(database)
            # Two of a source serve at once: the one that was chosen before makes room.
            for kept in keys.live(0):
                if kept.key.source == source and kept.key.made_ms == 0:
                    keys.revoke(source, kept.key.ending, 1)
            assert keys.add(WriteKey(digest_key(key), source, key[-6:], 0, None))
        finally:
            database.close()

    def give_orders(self, until_known: str = "") -> None:
        """Tell the worker whom to take events from; wait until it knows the key ``until_known``."""
        assert self._worker
        assert self._worker.stdin
        self._worker.stdin.write(write_orders(self._make_orders()))
        self._worker.stdin.flush()
        until = time.monotonic() + 20
        while until_known and not self._knows(until_known):
            assert time.monotonic() < until, f"{until_known} is not known"
            time.sleep(0.05)

    def _knows(self, key: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        told = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
        connection.request("POST", "/v1/batch", b'{"batch":[]}', told)
        status = connection.getresponse().status
        connection.close()
        return status != 401

    def _make_orders(self) -> Orders:
        hour = time.time_ns() // 1_000_000 // HOUR_MS
        keys = {one: key for one in (hour, hour + 1) if (key := self.company.know.hour_key(one)) is not None}
        return Orders(senders=find_senders(self.folder, tuple(self.sources.values())), hour_keys=keys)

    def deliveries(self) -> dict[int, list[Delivery]]:
        """Return what the journal holds, opened, by batch; it is kept here when parts take it over."""
        last = max(self._opened, default=0)
        for batch in self._journal.pending(last):
            self._opened[batch.batch_no] = self._sealer.open(batch)
        return self._opened

    def events(self, source: str) -> list[dict[str, Any]]:
        """Return every event that came by ``source``, as it was sent, in the order of arrival, repeats and all."""
        found: list[dict[str, Any]] = []
        for batch_no in sorted(deliveries := self.deliveries()):
            for delivery in deliveries[batch_no]:
                if delivery.source == source:
                    body = json.loads(delivery.body)
                    found += body["batch"] if delivery.kind == BATCH else [{"type": delivery.kind, **body}]
        return found

    def read(self) -> Read:
        """Return what everything that came means, before anything is recognised as a repeat."""
        placed = [Placed(number, tuple(found)) for number, found in sorted(self.deliveries().items())]
        seed = self.company.know.door().row_seed()
        now_ms = time.time_ns() // 1_000_000
        return read_deliveries(placed, self.sources, self.company.blueprint, self.company.settings, seed, now_ms)

    def compact(self) -> Compacted:
        """Take over what waits, as `parcours serve` does every few seconds."""
        self.deliveries()
        with company_lock(self.folder, 30):
            return flow.collect_live(self.company)

    def kept(self) -> pa.Table:
        """Return the rows of all parts."""
        manifest = Manifest(self.folder)
        try:
            return pa.concat_tables([read_part(self.folder, part) for part in manifest.parts()])
        finally:
            manifest.close()
