"""Processes beside a test that follows: one accepts events when it is told to, one takes over and publishes."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Beside:
    """A process that does one thing to a company folder until it is stopped."""

    def __init__(self, what: str, folder: Path) -> None:
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.know import living; living.main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, what, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def ask(self, value: Any) -> Any:
        """Send a value and wait for the answer."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def stop(self) -> None:
        """End it in order."""
        assert self._process.stdin
        self._process.stdin.close()
        assert self._process.wait(60) == 0


def main() -> None:
    """Do what the command line says."""
    from parcours import company as companies

    what, folder = sys.argv[1], Path(sys.argv[2])
    company = companies.open(folder)
    {"accept": accept, "keep": keep}[what](company)


def accept(company: Any) -> None:
    """Append each list of events that comes down standard input, and answer once it is durable."""
    from parcours.collect.journal.delivery import BATCH, Delivery
    from parcours.collect.journal.opening import open_journal
    from parcours.collect.journal.sealing import Sealer

    journal, close = open_journal(company.folder)
    sealer = Sealer(company.know.hour_key)
    print("ready", flush=True)
    for line in sys.stdin:
        events = json.loads(line)
        body = json.dumps({"batch": events}).encode()
        delivery = Delivery("web", BATCH, time.time_ns() // 1_000_000, "", body)
        print(journal.append([sealer.seal([delivery], len(events))])[0], flush=True)
    close()


def keep(company: Any) -> None:
    """Take over and publish at random moments, until standard input ends."""
    import threading

    from parcours import flow
    from parcours.collect import company_lock
    from parcours.collect.compaction import compact

    stopping = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        stopping.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print("ready", flush=True)
    draw = random.Random(7)
    while not stopping.wait(draw.uniform(0.0, 0.08)):
        compact.MOST_EVENTS = draw.choice([1, 3, 10_000])
        with company_lock(company.folder, 10):
            flow.collect_live(company)
        if draw.random() < 0.4:
            flow.publish(company, time.monotonic())
