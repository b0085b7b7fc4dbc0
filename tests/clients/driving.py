"""Clients driven from a test: each runs unchanged in a process of its own, told what to do a line at a time."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DRIVERS = HERE / "drivers"
INSTALLED = Path(os.environ.get("PARCOURS_CLIENTS") or ROOT / "build" / "clients")
CHROMIUM = os.environ.get("PARCOURS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ANSWER_S = 60.0


class Driver:
    """One process; orders wait for their answers, one at a time."""

    def __init__(self, command: Sequence[str], skew_ms: int) -> None:
        environment = {
            **os.environ,
            "SKEW_MS": str(skew_ms),
            "CLIENTS": str(INSTALLED),
            "NODE_PATH": str(INSTALLED / "node_modules"),
            "CHROMIUM": CHROMIUM,
        }
        self.skew_ms = skew_ms
        self.noted: list[str] = []
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
        )
        self._complaints: list[str] = []
        for take in (self._hear, self._hear_complaints):
            threading.Thread(target=take, daemon=True).start()

    def tell(self, order: str, **how: Any) -> dict[str, Any]:
        """Give an order and return its answer."""
        with self._lock:
            assert self._process.stdin
            self._process.stdin.write(json.dumps({"do": order, **how}) + "\n")
            self._process.stdin.flush()
            answer = self._answers.get(timeout=ANSWER_S)
        assert "done" in answer, f"{order}: {answer.get('failed')}\n{''.join(self._complaints[-20:])}"
        done: dict[str, Any] = answer["done"]
        return done

    def wait_noted(self, text: str, after: int = 0, most_s: float = 30.0) -> None:
        """Wait until the client has told something with ``text`` in it, since it had told ``after`` things."""
        wait_until(lambda: any(text in line for line in self.noted[after:]), most_s, f"nobody told “{text}”")

    def close(self) -> None:
        """End it."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hear(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            told = json.loads(line)
            if "noted" in told:
                self.noted.append(told["noted"])
            else:
                self._answers.put(told)
        self._answers.put({"failed": "the process has ended"})

    def _hear_complaints(self) -> None:
        assert self._process.stderr
        self._complaints.extend(self._process.stderr)


def python_command(package: str) -> list[str]:
    """Return how a Python client is started."""
    return [sys.executable, str(DRIVERS / "python_client.py"), package]


def node_command(script: str) -> list[str]:
    """Return how a client in Node is started."""
    return ["node", "--require", str(DRIVERS / "skew.js"), str(DRIVERS / script)]


def browser_command() -> list[str]:
    """Return how Chromium is started."""
    return [sys.executable, str(DRIVERS / "browser_client.py")]


def wait_until(is_so: Callable[[], bool], most_s: float = 60.0, complaint: str = "it never came") -> None:
    """Wait until something is so."""
    until = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < until, complaint
        time.sleep(0.03)
