"""A real `parcours serve` of a folder, for tests that send to it, kill its parts, spoil its files and stop it."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.signed_in import make_token
from tests.wire import free_port

from parcours.know import Role

MODULES = ("writer", "worker", "keeper", "measurer")
PATIENCE_S = 60.0


class Served:
    """One `parcours serve`, started on ports of its own; it may be stopped and started again.

    Args:
        folder: The company folder.
        options: More options of the command.
        limits: Options of ``prlimit`` under which it runs.
    """

    def __init__(self, folder: Path, *options: str, limits: tuple[str, ...] = (), **environment: str) -> None:
        self.folder = folder
        self.port, self.pages = free_port(), free_port()
        self._options, self._limits = options, limits
        self._environment = {**os.environ, "PARCOURS_LANG": "en", **environment}
        self._place = Path(tempfile.mkdtemp(prefix="served-"))
        self.log_file = self._place / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, ready: bool = True) -> Served:
        """Start it, and wait until events are taken."""
        command = [sys.executable, "-m", "parcours", "serve", str(self.folder), "--port", str(self.pages)]
        command += ["--collect-port", str(self.port), *self._options]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._limits, *command], env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        if ready:
            self.wait_for(lambda: self.get("/ready")[0] == 200, "ready")
        return self

    def stop(self, sign: int = signal.SIGTERM, seconds: float = PATIENCE_S) -> int:
        """Ask it to stop and return its exit code."""
        assert self.process
        self.process.send_signal(sign)
        return self.process.wait(seconds)

    def close(self) -> None:
        """End it however it stands."""
        if self.process is not None and self.process.poll() is None:
            children = self.children()
            self.process.kill()
            self.process.wait()
            for pid in children.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def children(self) -> dict[str, int]:
        """Return the processes that it started, by name."""
        assert self.process
        return list_children(self.process.pid)

    def kill(self, name: str) -> int:
        """Kill one of its processes where it stands, and return its number."""
        pid = self.children()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_restarted(self, name: str, before: int) -> None:
        """Wait until a process that ended is there again."""
        self.wait_for(lambda: self.children().get(name, before) != before, f"another {name}")

    def logs(self) -> str:
        """Return what all of them said."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def said(self) -> list[dict[str, Any]]:
        """Return the lines that they logged."""
        lines = []
        for line in self.logs().splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return [line for line in lines if isinstance(line, dict)]

    def wait_for(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
        """Wait until something is true, or fail."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if true():
                    return
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.logs()[-3000:]}")
            time.sleep(0.05)
        raise AssertionError(f"waited {seconds:.0f} s for {what}: {self.logs()[-3000:]}")

    def make_key(self, source: str = "web") -> str:
        """Make a write key with the command."""
        return run_parcours("key", str(self.folder), "add", source).stdout.strip()

    def send(self, key: str, *events: Any) -> int:
        """Send a batch and return the status."""
        body = json.dumps({"batch": events}).encode()
        told = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
        return self.ask("POST", "/v1/batch", body, told)[0]

    def get(self, path: str) -> tuple[int, bytes]:
        """Ask the collection port."""
        return self.ask("GET", path)

    def page(self, path: str, role: Role = "cco") -> str:
        """Read a page as somebody of this role."""
        return self.ask("GET", path, told=make_token(self.folder, role), port=self.pages)[1].decode()

    def look_at(self, customer: str, role: Role = "dpo", **question: Any) -> dict[str, Any]:
        """Ask for the timeline of a customer, for a reason, as a program of this role."""
        told = make_token(self.folder, role) | {"Content-Type": "application/json"}
        body = json.dumps({"id": customer, "reason": "check", **question}).encode()
        status, answer = self.ask("POST", "/api/timeline", body, told, self.pages)
        assert status == 200, answer
        return json.loads(answer)  # type: ignore[no-any-return]

    def ask(
        self, method: str, path: str, body: bytes | None = None, told: dict[str, str] | None = None, port: int = 0
    ) -> tuple[int, bytes]:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=30)
        try:
            connection.request(method, path, body, told or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def list_children(parent: int) -> dict[str, int]:
    """Return the processes of ours that a process started, by the last name of their module."""
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, IndexError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().split(b"\0")
            if int(fields[1]) == parent and fields[0] != "Z" and b"-m" in command:
                found[command[command.index(b"-m") + 1].decode().rpartition(".")[2]] = int(entry.name)
    return found


def run_parcours(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    told = {**os.environ, "PARCOURS_LANG": "en", "NO_COLOR": "1", **environment}
    return subprocess.run(
        [sys.executable, "-m", "parcours", *words], env=told, capture_output=True, text=True, check=False
    )


@contextlib.contextmanager
def serving(folder: Path, *options: str, **more: Any) -> Iterator[Served]:
    """Serve a folder, ready, and end it however a test ends."""
    served = Served(folder, *options, **more)
    try:
        yield served.start()
    finally:
        served.close()
