"""An hour of events at a steady rate through all of `parcours serve`: do rate, memory and file count hold?

Usage: python scripts/torture/hour.py [--minutes 60] [--rate 20000] [--every 60] [--customers 200000] [--folder DIR]

A process of its own sends batches of 100 new events of 1 KB (synthetic), on a schedule: an answer that comes late
counts from when its request was due. Printed at every look: the rate that was acknowledged, latencies, the resident
memory of each process (its own, and with files that it has mapped), files and bytes under .parcours, and what waits.
At the end it says whether all of that held steady, and ends with 1 when anything did not. The measurer holds what it
measures, which grows with all that was ever sent: it is judged by the megabytes a million events. Runs of less than
five minutes are judged by rate, answers and backlog only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.served import MODULES, Served

from parcours import company as companies
from parcours.blueprint.templates import template_path
from parcours.collect.journal.opening import read_journal

BATCH = 100
CONNECTIONS = 24
PROCESSES = ("main", *MODULES)
LEAST_RATE = 0.97
MOST_GROWTH, MOST_GROWTH_MB = 1.10, 24.0
MOST_FILES = {"least": 1.25, "most": 2.0}
MOST_LAG_S = 90.0
SHORT_MINUTES = 5
MEASURER_MB, MEASURER_MB_A_MILLION = 400, 130

_EVENT = (
    b'{"type":"track","event":"%b","userId":"c%07d","anonymousId":"a-%07d-%b","messageId":"%b-%012d",'
    b'"timestamp":"%b","context":{"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) '
    b'Chrome/140.0.0.0 Safari/537.36","locale":"fr-FR","timezone":"Europe/Paris","synthetic":true,"library":{"name":'
    b'"analytics.js","version":"2.11.1"},"page":{"path":"/produits/canape","search":"?utm_source=lettre","referrer":'
    b'"https://www.example.org/","title":"Canap\xc3\xa9 d\xe2\x80\x99angle convertible","url":"https://www.example.fr/'
    b'produits/canape?utm_source=lettre"},"campaign":{"name":"automne_2026","source":"lettre","medium":"email"},'
    b'"consent":{"categoryPreferences":{"improve_service":true,"personalise":%b}}},"properties":{"order_id":"o-%08d",'
    b'"category":"salon/canapes","page_kind":"product","order_channel":"web","order_value":%d.5,"currency":"EUR",'
    b'"quantity":2,"filler":"%b"},"integrations":{}}'
)
_NAMES = (b"Page Viewed", b"Page Viewed", b"Page Viewed", b"Wishlist Updated", b"Order Completed")


class Maker:
    """Makes requests of events that nobody has sent before; customers come back."""

    def __init__(self, key: str, customers: int, seed: int) -> None:
        self._key, self._customers, self._draw = key.encode(), customers, random.Random(seed)
        self._run = b"%08x-%04x-4000-8000" % (self._draw.getrandbits(32), os.getpid() & 0xFFFF)
        self._number = 0
        self._filler = b"x" * 120

    def make(self) -> bytes:
        """Return one whole request."""
        now = time.time()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)).encode() + b".%03dZ" % int(now * 1000 % 1000)
        draw = self._draw.random
        events = []
        for _ in range(BATCH):
            self._number += 1
            customer = int(draw() * self._customers)
            number = self._number
            told = (b"m" if customer % 3 else b"w", self._run, number, at, b"true" if customer % 2 else b"false")
            name = _NAMES[int(draw() * len(_NAMES))]
            events.append(_EVENT % (name, customer, customer, *told, number, 10 + number % 400, self._filler))
        body = b'{"batch":[%b],"sentAt":"%b","writeKey":"%b"}' % (b",".join(events), at, self._key)
        head = b"POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


class Line(asyncio.Protocol):
    """One connection: sends when a request is due, and the next one when that was answered."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._held = b""
        self._due = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._wait()

    def connection_lost(self, _: Exception | None) -> None:
        self._load.lost += 1

    def _wait(self) -> None:
        self._due = self._load.next_due()
        pause_s = self._due - time.perf_counter()
        asyncio.get_running_loop().call_later(max(0.0, pause_s), self._send)

    def _send(self) -> None:
        if self._load.ended:
            self._transport.close()
            return
        self._transport.write(self._load.maker.make())

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, found, body = self._held.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self._held = b""
        self._load.took.append(time.perf_counter() - self._due)
        self._load.statuses[head[9:12].decode()] += 1
        self._wait()


class Load:
    """What is sent, on a schedule that does not wait for answers."""

    def __init__(self, maker: Maker, rate: float, seconds: float) -> None:
        self.maker, self._step_s = maker, BATCH / rate
        self.begun = time.perf_counter() + 0.5
        self._until = self.begun + seconds
        self._slot = 0
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.lost = 0

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return time.perf_counter() > self._until

    def next_due(self) -> float:
        """Return when the next request is due."""
        self._slot += 1
        return self.begun + self._slot * self._step_s

    def look(self) -> dict[str, Any]:
        """Return what was answered since the last look."""
        took, self.took = sorted(self.took), []
        statuses, self.statuses = dict(self.statuses), Counter()
        at = [took[min(len(took) - 1, int(len(took) * part))] * 1000 if took else 0.0 for part in (0.5, 0.99, 1.0)]
        late_s = max(0.0, time.perf_counter() - self.begun - self._slot * self._step_s)
        told = {"p50_ms": at[0], "p99_ms": at[1], "most_ms": at[2], "late_s": late_s, "lost": self.lost}
        return {**told, "events": statuses.get("200", 0) * BATCH, "statuses": statuses}


def drive(port: int, key: str, rate: float, seconds: float, every: float, customers: int) -> None:
    """Send (the load's own process), and print a line of JSON at every look."""
    import uvloop

    async def run() -> None:
        load = Load(Maker(key, customers, 1), rate, seconds)
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            await loop.create_connection(lambda: Line(load), "127.0.0.1", port)
        for number in range(round(seconds / every)):
            await asyncio.sleep(load.begun + (number + 1) * every - time.perf_counter())
            print(json.dumps(load.look()), flush=True)

    uvloop.run(run())


class Look(NamedTuple):
    """What was seen at one moment."""

    minute: float
    rate: float
    p99_ms: float
    statuses: dict[str, int]
    own_mb: dict[str, float]
    all_mb: dict[str, float]
    cpu: dict[str, float]
    files: int
    mb: float
    waiting: int
    lag_s: float

    def __str__(self) -> str:
        memory = "  ".join(
            f"{name} {self.own_mb[name]:.0f}/{self.all_mb[name]:.0f} MB {self.cpu[name]:.0%}" for name in PROCESSES
        )
        other = {status: count for status, count in self.statuses.items() if status != "200"}
        return (
            f"{self.minute:6.1f} min  {self.rate:9,.0f}/s  p99 {self.p99_ms:6.0f} ms  {memory}  "
            f"{self.files:5} files {self.mb:8.1f} MB  waiting {self.waiting:9,} for {self.lag_s:5.1f} s  {other or ''}"
        )


def read_memory(pid: int) -> tuple[float, float]:
    """Return the resident memory of a process in MB: its own, and with what it has mapped."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return tuple(int(told.get(name, "0 kB").split()[0]) / 1024 for name in ("RssAnon", "VmRSS"))  # type: ignore[return-value]


def read_cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Reads the memory of every process once a second: what one needs for a moment, it needs."""

    def __init__(self, served: Served) -> None:
        super().__init__(daemon=True)
        self._served, self._lock = served, threading.Lock()
        self._most: dict[str, tuple[float, float]] = {}
        self._cpu_s: dict[str, float] = {}
        self._cpu_before: dict[str, float] = {}

    def run(self) -> None:
        while True:
            assert self._served.process
            for name, pid in {"main": self._served.process.pid, **self._served.children()}.items():
                try:
                    now, self._cpu_s[name] = read_memory(pid), read_cpu_s(pid)
                except OSError:
                    continue
                with self._lock:
                    before = self._most.get(name, (0.0, 0.0))
                    self._most[name] = max(before[0], now[0]), max(before[1], now[1])
            time.sleep(1)

    def take(self) -> dict[str, tuple[float, float]]:
        """Return the most since the last call."""
        with self._lock:
            most, self._most = self._most, {}
        return {name: most.get(name, (0.0, 0.0)) for name in PROCESSES}

    def take_cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds used since the last call."""
        now, before = dict(self._cpu_s), self._cpu_before
        self._cpu_before = now
        return {name: max(0.0, now.get(name, 0.0) - before.get(name, 0.0)) for name in PROCESSES}


def make_folder(place: Path) -> Path:
    """Make a company over the blueprint of the retail template, to which one HTTP source delivers."""
    folder = place / "firm"
    (folder / "sources").mkdir(parents=True)
    (folder / "blueprint.yaml").write_text((template_path("retail") / "blueprint.yaml").read_text("utf-8"), "utf-8")
    (folder / "sources" / "live.yaml").write_text("source: live\nconnector: http\n", "utf-8")
    companies.open(folder)
    return folder


def look_at(served: Served, told: dict[str, Any], minute: float, every: float, watch: Watch) -> Look:
    """Return how everything stands."""
    sizes = []
    for path in (served.folder / ".parcours").rglob("*"):
        try:
            if path.is_file():
                sizes.append(path.stat().st_size)
        except OSError:
            continue
    journal = read_journal(served.folder)
    backlog = journal.backlog()
    journal.close()
    lag_s = 0.0 if backlog.oldest_ms is None else time.time() - backlog.oldest_ms / 1000
    memory = watch.take()
    return Look(
        minute=minute,
        rate=told["events"] / every,
        p99_ms=told["p99_ms"],
        statuses=told["statuses"],
        own_mb={name: own for name, (own, _) in memory.items()},
        all_mb={name: whole for name, (_, whole) in memory.items()},
        cpu={name: used / every for name, used in watch.take_cpu_s().items()},
        files=len(sizes),
        mb=sum(sizes) / 1e6,
        waiting=backlog.events,
        lag_s=lag_s,
    )


def judge(looks: list[Look], rate: float) -> list[str]:
    """Return what did not hold steady: the last third beside the second, for the first is spent getting there."""
    if not looks:
        return ["nothing was seen"]
    third = max(1, len(looks) // 3)
    middle, end = looks[third : 2 * third] or looks[:third], looks[-third:]
    wrong = []
    slow = [look for look in looks[1:] or looks if look.rate < LEAST_RATE * rate]
    if slow:
        wrong.append(f"rate: {len(slow)} of {len(looks)} looks below {LEAST_RATE:.0%} of {rate:,.0f}/s")
    refused = sum((Counter(look.statuses) for look in looks), Counter()) - Counter({"200": 1 << 60})
    if +refused:
        wrong.append(f"answers: {dict(refused)}")
    if looks[-1].minute >= SHORT_MINUTES:
        wrong += judge_growth(middle, end)
        millions = looks[-1].minute * 60 * rate / 1e6
        measurer = max(look.own_mb["measurer"] for look in end)
        if measurer > MEASURER_MB + MEASURER_MB_A_MILLION * millions:
            wrong.append(f"memory: measurer {measurer:.0f} MB of its own for {millions:.1f} million events")
    lag = max(look.lag_s for look in end)
    if lag > MOST_LAG_S:
        wrong.append(f"backlog: events have waited for {lag:.0f} s to be taken over")
    return wrong


def judge_growth(middle: list[Look], end: list[Look]) -> list[str]:
    """Return what has grown from some looks to others: memory that does not belong to what is measured, and files."""
    wrong = []
    for name in PROCESSES:
        before, after = (statistics.median(look.own_mb[name] for look in some) for some in (middle, end))
        if name != "measurer" and after > MOST_GROWTH * before + MOST_GROWTH_MB:
            wrong.append(f"memory: {name} from {before:.0f} to {after:.0f} MB of its own")
    # Files come one by one and are merged many at a time: those that nothing merges show in the least of each third.
    for name, of in (("least", min), ("most", max)):
        before, after = (of(look.files for look in some) for some in (middle, end))
        if after > MOST_FILES[name] * before + 20:
            wrong.append(f"files: {name} from {before} to {after}")
    return wrong


def main() -> int:
    """Serve, send, look, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--every", type=float, default=60)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--drive", nargs=6, default=None)
    asked = parser.parse_args()
    if asked.drive:
        port, key, rate, seconds, every, customers = asked.drive
        drive(int(port), key, float(rate), float(seconds), float(every), int(customers))
        return 0
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {asked.rate:,.0f} events/s")
    print("memory: own/with mapped files, the most between two looks; then the share of a core")
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        served = Served(make_folder(Path(place))).start()
        try:
            looks = run(served, asked.minutes * 60, asked.rate, asked.every, asked.customers)
            began = time.monotonic()
            code = served.stop()
            print(f"stopped with {code} in {time.monotonic() - began:.0f} s")
        finally:
            served.close()
    wrong = judge(looks, asked.rate)
    sent = sum(look.rate * asked.every for look in looks)
    held = "Rate, memory and file count held." if asked.minutes >= SHORT_MINUTES else "The rate held."
    print(f"{sent:,.0f} events acknowledged. " + ("; ".join(wrong) or held))
    return int(bool(wrong))


def run(served: Served, seconds: float, rate: float, every: float, customers: int) -> list[Look]:
    """Send for so long and return what was seen."""
    key = served.make_key("live")
    time.sleep(2)
    watch = Watch(served)
    watch.start()
    time.sleep(2)
    watch.take_cpu_s()
    command = [sys.executable, __file__, "--drive", str(served.port), key, str(rate), str(seconds), str(every)]
    looks: list[Look] = []
    with subprocess.Popen([*command, str(customers)], stdout=subprocess.PIPE, text=True) as load:
        try:
            for line in load.stdout or ():
                looks.append(look_at(served, json.loads(line), (len(looks) + 1) * every / 60, every, watch))
                print(looks[-1], flush=True)
        finally:
            load.kill()
    return looks


if __name__ == "__main__":
    sys.exit(main())
