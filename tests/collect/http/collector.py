"""A real worker and a real writer over a real socket, for whoever tests what is collected."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from parcours.collect.http.keys import Sender, digest_key
from parcours.collect.http.tally import Tally
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.opening import JOURNAL, read_journal
from parcours.collect.journal.sealing import HOUR_MS, Sealer
from parcours.serving.orders import Orders, write_orders

KEY = "a-write-key-for-tests"
BASIC = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
ROOT = Path(__file__).parents[3]
START_S = 60.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Collector:
    """One worker and one writer, which may be stopped, killed and started again on the same port.

    Args:
        folder: The company folder; its journal is made there.
        senders: Who may send, by write key; by default `KEY` for the source ``web``.
        writer: The module to run as the writer.
        worker: The module to run as the worker.
        environment: More variables for both.
        in_flight: Bytes that may be in flight.
        handles: How many files the worker may have open.
        orders: What else the worker is told.
    """

    def __init__(
        self,
        folder: Path,
        *,
        senders: Mapping[str, Sender] | None = None,
        writer: str = "parcours.serving.writer",
        worker: str = "parcours.serving.worker",
        environment: Mapping[str, str] | None = None,
        in_flight: int = 64 << 20,
        handles: int | None = None,
        **orders: Any,
    ) -> None:
        self.folder = folder
        self._senders = {KEY: Sender("web")} if senders is None else dict(senders)
        self._writer_module, self._worker_module = writer, worker
        self._environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", **(environment or {})}
        self._in_flight, self._handles = in_flight, handles
        self._orders = orders
        self.hour_keys: dict[int, bytes] = {}
        self._place = Path(tempfile.mkdtemp(prefix="collector-"))
        self._address = self._place / "writer.sock"
        self.log_file = self._place / "log"
        self._listener: socket.socket | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        self.writer: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._told: list[Tally] = []

    # Starting and stopping.
    def start(self) -> Collector:
        """Start what does not run; return when an event would be taken and kept."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=4096)
            self.port = self._listener.getsockname()[1]
        self.start_writer()
        self.start_worker()
        self.wait_ready()
        return self

    def start_writer(self) -> None:
        """Start the writer, and wait until it listens."""
        if self.writer is not None and self.writer.poll() is None:
            return
        with self.log_file.open("ab") as log:
            self.writer = subprocess.Popen(
                [sys.executable, "-m", self._writer_module, str(self.folder), str(self._address)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=self._environment,
            )  # fmt: skip
        assert self.writer.stdout
        said = self.writer.stdout.readline()
        assert said == b"listening\n", f"the writer said {said!r}: {self.logs()[-2000:]}"

    def start_worker(self) -> None:
        """Start the worker and tell it what it needs."""
        if self.worker is not None and self.worker.poll() is None:
            return
        assert self._listener is not None
        handle = self._listener.fileno()
        command = [sys.executable, "-m", self._worker_module]
        if self._handles:
            command = ["prlimit", f"--nofile={self._handles}", *command]
        with self.log_file.open("ab") as log:
            self.worker = subprocess.Popen(
                [*command, str(self._address), str(handle), str(self._in_flight)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, pass_fds=[handle], env=self._environment,
            )  # fmt: skip
        threading.Thread(target=self._listen, args=(self.worker,), daemon=True).start()
        self.tell()

    def tell(self, **changes: Any) -> None:
        """Tell the worker everything anew, with what has changed."""
        self._orders.update(changes)
        self.learn_hours()
        senders = {digest_key(key): sender for key, sender in self._senders.items()}
        orders = Orders(**{"senders": senders, "hour_keys": self.hour_keys, **self._orders})
        assert self.worker
        assert self.worker.stdin
        # One that has just been killed is told when it is started again.
        with suppress(OSError):
            self.worker.stdin.write(write_orders(orders))
            self.worker.stdin.flush()

    def learn_hours(self, *moments_ms: int) -> None:
        """Make the keys of this hour and the next, and of those round the moments that are given."""
        for moment in (time.time_ns() // 1_000_000, *moments_ms):
            for hour in (moment // HOUR_MS, moment // HOUR_MS + 1):
                self.hour_keys.setdefault(hour, secrets.token_bytes(32))

    def wait_ready(self, seconds: float = START_S) -> None:
        """Wait until `/ready` says so."""
        self.wait_for(lambda: self.get("/ready").status == 200, seconds, "ready")

    def wait_for(self, true: Callable[[], bool], seconds: float = START_S, what: str = "it") -> None:
        """Wait until something is true, or fail."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if true():
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds:.0f} s for {what}: {self.logs()[-2000:]}")

    def stop(self) -> None:
        """Stop both as `serve` does, and let the port refuse."""
        for process in (self.worker, self.writer):
            if process is not None:
                assert process.stdin
                process.stdin.close()
                process.wait(60)
        self._close_listener()

    def kill(self, which: str = "both", sign: int = signal.SIGKILL) -> None:
        """Kill ``worker``, ``writer`` or ``both`` where they stand."""
        chosen = {"worker": [self.worker], "writer": [self.writer], "both": [self.worker, self.writer]}[which]
        for process in chosen:
            if process is not None:
                process.send_signal(sign)
        for process in chosen:
            if process is not None:
                process.wait(60)

    def close(self) -> None:
        """End everything, however it stands."""
        for process in (self.worker, self.writer):
            if process is not None and process.poll() is None:
                process.kill()
            if process is not None:
                process.wait(60)
                for pipe in (process.stdin, process.stdout):
                    if pipe:
                        with suppress(OSError):
                            pipe.close()
        self._close_listener()

    # What it kept, counted and said.
    def deliveries(self) -> list[Delivery]:
        """Return everything in the journal, in order, each batch checked and unsealed."""
        if not (self.folder / JOURNAL).exists():
            return []
        sealer = Sealer(self.hour_keys.get)
        journal = read_journal(self.folder)
        assert not list(journal.verify())
        found, after = [], journal.taken()
        # However many there are: the journal gives some thousands at a time.
        while batches := journal.pending(after):
            found += [delivery for batch in batches for delivery in sealer.open(batch)]
            after = batches[-1].batch_no
        return found

    def bodies(self) -> list[bytes]:
        """Return the bodies of the deliveries."""
        return [delivery.body for delivery in self.deliveries()]

    def tally(self) -> Tally:
        """Return what the worker told after this moment."""
        seen = len(self._told)
        self.wait_for(lambda: len(self._told) > seen + 1, what="a tally")
        return self._told[-1]

    def refused(self, code: str) -> int:
        """Return how many were refused with ``code``."""
        return self.tally().refused.get(code, 0)

    def logs(self) -> str:
        """Return what both have logged."""
        return self.log_file.read_text("utf-8") if self.log_file.exists() else ""

    def rss_mb(self, peak: bool = False) -> float:
        """Return the resident memory of the worker in MB, now or at its highest."""
        assert self.worker
        name = "VmHWM" if peak else "VmRSS"
        for line in Path(f"/proc/{self.worker.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        return 0.0

    # Asking it something.
    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers or {}))  # type: ignore[arg-type]
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, told, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET ``path``."""
        return self.ask("GET", path, None, headers)

    def post(self, path: str, body: object, headers: Mapping[str, str] | None = None, key: str | None = KEY) -> Answer:
        """POST ``body`` (bytes as they are, anything else as JSON) with the write key as a user."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            told["Authorization"] = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        return self.ask("POST", path, data, told)

    def connect(self, timeout: float = 60) -> socket.socket:
        """Open a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def say(self, data: bytes, timeout: float = 60, end: bool = True) -> bytes:
        """Send bare bytes, by default say that no more will come, and return all that comes back."""
        with self.connect(timeout) as line:
            # Where it has heard enough, what it says counts.
            with suppress(OSError):
                line.sendall(data)
                if end:
                    line.shutdown(socket.SHUT_WR)
            return receive_all(line)

    def still_takes_events(self) -> None:
        """Check that a good event is still taken and kept."""
        event = make_event()
        answer = self.post("/v1/track", event)
        assert (answer.status, answer.body) == (200, b'{"success":true}')
        assert json.dumps(event).encode() in self.bodies()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        for line in process.stdout:
            self._told.append(msgspec.json.decode(line, type=Tally))

    def _close_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def receive_all(line: socket.socket) -> bytes:
    """Return all that comes until the other side ends."""
    pieces = []
    with suppress(ConnectionResetError):
        while piece := line.recv(1 << 16):
            pieces.append(piece)
    return b"".join(pieces)


def make_event(**fields: Any) -> dict[str, Any]:
    """Return a small synthetic event with an id of its own."""
    id = secrets.token_hex(8)
    return {"type": "track", "event": "Product Viewed", "userId": "c1", "messageId": id, **fields}


def make_request(path: str, body: bytes, *headers: str, method: str = "POST", key: str | None = BASIC) -> bytes:
    """Return a whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if key:
        lines.append(f"Authorization: {key}")
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def split_answers(data: bytes) -> list[tuple[int, bytes]]:
    """Return the answers in what a connection said."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        found.append((int(head.split(b" ")[1]), rest[:length]))
        data = rest[length:]
    return found


__all__ = ["BASIC", "KEY", "Answer", "Collector", "make_event", "make_request", "receive_all", "split_answers"]
