"""How much one worker takes, durably: events a second, latency, CPU an event beside the floor, and memory.

Usage: python benchmarks/collect.py [--seconds 8] [--connections 64] [--singles 256] [--folder DIR]

The load comes from a process of its own on the same cores. The floor is measured in the same run: a server that does
nothing but HTTP, a typed parse, an append and fdatasync.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec

from parcours.collect.http.keys import Sender, digest_key
from parcours.serving.orders import Orders, write_orders

KEY = "benchmark"
TURN = b"-turn-####"
"""What differs from one sending of the same request to the next: without it all but the first would be duplicates."""
NAMES = ("Page Viewed", "Page Viewed", "Page Viewed", "Wishlist Updated", "Tracking Viewed", "Order Completed")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def make_event(chance: random.Random) -> dict[str, Any]:
    """Return one synthetic event of about 1 KB, as a browser would send it."""
    at = f"2026-11-21T12:{chance.randrange(60):02d}:{chance.randrange(60):02d}.{chance.randrange(1000):03d}Z"
    return {
        "type": "track", "event": chance.choice(NAMES), "userId": f"c{chance.randrange(10**6):07d}",
        "anonymousId": str(uuid.UUID(int=chance.getrandbits(128))),
        "messageId": f"{chance.getrandbits(64):016x}{TURN.decode()}", "timestamp": at, "originalTimestamp": at,
        "context": {
            "userAgent": AGENT, "locale": "fr-FR", "timezone": "Europe/Paris", "synthetic": True,
            "library": {"name": "analytics.js", "version": "2.11.1"},
            "page": {
                "path": f"/produits/canape-{chance.randrange(9999)}", "search": "?utm_source=lettre",
                "referrer": "https://www.example.org/", "title": "Canapé d’angle convertible",
                "url": f"https://www.example.fr/produits/canape-{chance.randrange(9999)}?utm_source=lettre",
            },
            "campaign": {"name": "automne_2026", "source": "lettre", "medium": "email"},
            "consent": {"categoryPreferences": {"analytics": True, "personalise": chance.random() < 0.5}},
        },
        "properties": {
            "order_id": f"o-{chance.randrange(10**6):06d}", "category": "salon/canapes", "page_kind": "product",
            "order_channel": "web", "order_value": round(chance.uniform(10, 900), 2), "currency": "EUR",
            "quantity": chance.randrange(1, 5),
        },
        "integrations": {},
    }  # fmt: skip


def make_request(path: str, body: object) -> bytes:
    """Return a whole request."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
    )
    head = "\r\n".join((*lines, "", ""))
    return head.encode() + data


def make_requests(size: int, count: int, key: str = KEY) -> list[bytes]:
    """Return ``count`` requests of ``size`` events; one alone goes to its own address."""
    chance = random.Random(size)
    if size == 1:
        return [make_request("/v1/track", {**make_event(chance), "writeKey": key}) for _ in range(count)]
    return [
        make_request("/v1/batch", {"batch": [make_event(chance) for _ in range(size)], "writeKey": key})
        for _ in range(count)
    ]


class Client(asyncio.Protocol):
    """One connection that sends the next request when the last one is answered."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.held = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.load.next())

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self.held = b""
        self.load.took.append(time.perf_counter() - self.began)
        status = head[9:12].decode()
        self.load.statuses[status] = self.load.statuses.get(status, 0) + 1
        if time.perf_counter() >= self.load.until:
            self.transport.close()
        elif self.load.pause_s:
            asyncio.get_running_loop().call_later(self.load.pause_s, self.send)
        else:
            self.send()


class Load:
    """A closed loop of connections against one port."""

    def __init__(self, requests: list[bytes], seconds: float, pause_s: float = 0.0) -> None:
        self.requests, self.place, self.pause_s = requests, 0, pause_s
        self.seed = random.randrange(1 << 16)
        self.until = time.perf_counter() + seconds
        self.took: list[float] = []
        self.statuses: dict[str, int] = {}

    def next(self) -> bytes:
        """Return the next request of the round, its message ids as new as the round."""
        self.place += 1
        turn, place = divmod(self.place, len(self.requests))
        return self.requests[place].replace(TURN, b"-turn-%04x" % ((self.seed + turn) & 0xFFFF))


def drive(port: int, size: int, connections: int, seconds: float, key: str, rate: float) -> None:
    """Send load and print what came back as JSON (the load's own process); ``rate`` in events a second, 0 for all."""
    import uvloop

    requests = make_requests(size, 64 if size > 1 else 2048, key)
    pause_s = size * connections / rate if rate else 0.0

    async def run() -> Load:
        load = Load(requests, seconds, pause_s)
        loop = asyncio.get_running_loop()
        opened = [await loop.create_connection(lambda: Client(load), "127.0.0.1", port) for _ in range(connections)]
        while any(not transport.is_closing() for transport, _ in opened):
            await asyncio.sleep(0.05)
        return load

    load = uvloop.run(run())
    took = sorted(load.took)
    answer = {
        "requests": len(took), "statuses": load.statuses, "bytes": sum(map(len, requests)) / len(requests) / size,
        "p50_ms": took[len(took) // 2] * 1000, "p99_ms": took[int(len(took) * 0.99)] * 1000,
    }  # fmt: skip
    print(json.dumps(answer))


class One(msgspec.Struct, gc=False):
    """An event as the floor parses it."""

    type: str
    messageId: str  # noqa: N815
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    event: str | None = None
    timestamp: str | None = None
    context: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()


class Many(msgspec.Struct, gc=False):
    """An envelope as the floor parses it."""

    batch: list[One]


def serve_floor(port: int, path: str) -> None:
    """Serve the floor: plain HTTP, a typed parse, one append and one fdatasync a group."""
    import threading

    import uvicorn

    decode, decode_one = msgspec.json.Decoder(Many).decode, msgspec.json.Decoder(One).decode
    waiting: list[tuple[bytes, asyncio.Future[None]]] = []
    there = threading.Condition()

    def write() -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        while True:
            with there:
                while not waiting:
                    there.wait()
                group, waiting[:] = waiting[:256], waiting[256:]
            os.writev(handle, [body for body, _ in group])
            os.fdatasync(handle)
            loop.call_soon_threadsafe(lambda group=group: [future.set_result(None) for _, future in group])

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal loop
        if loop is None:
            loop = asyncio.get_running_loop()
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        decode(body) if scope["path"] == "/v1/batch" else decode_one(body)
        future = loop.create_future()
        with there:
            waiting.append((body, future))
            there.notify()
        await future
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"16")]})
        await send({"type": "http.response.body", "body": b'{"success":true}'})

    loop: Any = None
    threading.Thread(target=write, daemon=True).start()
    uvicorn.run(app, port=port, log_level="error", access_log=False, lifespan="off", loop="uvloop", http="httptools")


def find_port() -> int:
    """Return a free port of the loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Return the greatest resident memory of a process so far, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def measure(label: str, port: int, pids: list[int], size: int, connections: int, seconds: float) -> float:
    """Drive one load and print its line; return CPU microseconds an event."""
    before = sum(map(cpu_s, pids))
    began = time.perf_counter()
    command = [sys.executable, __file__, "--drive", str(port), str(size), str(connections), str(seconds)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    wall = min(time.perf_counter() - began, seconds)
    events = told["requests"] * size
    cost = (sum(map(cpu_s, pids)) - before) / events * 1e6
    memory = sum(map(rss_mb, pids))
    print(
        f"{label:34} {events / wall:10,.0f} events/s  p50 {told['p50_ms']:6.1f} ms  p99 {told['p99_ms']:6.1f} ms  "
        f"{cost:6.2f} CPU µs/event  {memory:5.0f} MB  {told['statuses']}",
        flush=True,
    )
    return cost


def main() -> None:
    """Measure the floor and the collector at both sizes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--singles", type=int, default=256)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--drive", nargs=4, default=None)
    parser.add_argument("--floor", nargs=2, default=None)
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--rate", type=float, default=0)
    asked = parser.parse_args()
    if asked.drive:
        port, size, connections = map(int, asked.drive[:3])
        drive(port, size, connections, float(asked.drive[3]), asked.key, asked.rate)
        return
    if asked.floor:
        serve_floor(int(asked.floor[0]), asked.floor[1])
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        print(
            f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        port = find_port()
        floor = subprocess.Popen([sys.executable, __file__, "--floor", str(port), f"{folder}/floor.log"])
        wait_for(port)
        floors = {
            size: measure(f"floor, {size} a request", port, [floor.pid], size, count, asked.seconds)
            for size, count in ((100, asked.connections), (1, asked.singles))
        }
        floor.terminate()
        floor.wait()
        Path(folder, "floor.log").unlink()
        writer, worker, port = start_collector(Path(folder))
        try:
            for size, count in ((100, asked.connections), (1, asked.singles)):
                cost = measure(
                    f"parcours, {size} a request", port, [writer.pid, worker.pid], size, count, asked.seconds
                )
                print(f"{'':34} {cost / floors[size]:.2f} × the floor")
        finally:
            for process in (worker, writer):
                process.stdin.close()
                process.wait(30)


def start_collector(folder: Path) -> tuple[Any, Any, int]:
    """Start a writer and one worker as `serve` does; return them and the worker's port."""
    socket_path = folder / "writer.sock"
    writer = subprocess.Popen(
        [sys.executable, "-m", "parcours.serving.writer", str(folder), str(socket_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert writer.stdout
    writer.stdout.readline()
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    worker = subprocess.Popen(
        [sys.executable, "-m", "parcours.serving.worker", str(socket_path), str(listening.fileno()), str(64 << 20)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[listening.fileno()],
    )  # fmt: skip
    hour = time.time_ns() // 3_600_000_000_000
    orders = Orders(
        senders={digest_key(KEY): Sender("web")}, hour_keys={hour: os.urandom(32), hour + 1: os.urandom(32)}
    )
    assert worker.stdin
    worker.stdin.write(write_orders(orders))
    worker.stdin.flush()
    time.sleep(1.5)
    return writer, worker, int(listening.getsockname()[1])


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
