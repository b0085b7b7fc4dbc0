"""Everything at once: events at saturation while pages are read and what arrived is measured.

Usage: python benchmarks/serve.py DIR [--seconds 60] [--rate 0] [--connections 32]

DIR is a company folder with the HTTP source ``live`` (the retail template has it), as `parcours demo` leaves it.
`parcours serve` runs as its users start it. One client reads the map, a touchpoint, the journey and the sources again
and again; the load is a closed loop of batches of 100 (``--rate`` slows it down to so many events a second). Printed:
what was taken, how long pages took, the memory of each process, and when all of it was taken over.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

from pages import make_token

from collect import cpu_s, find_port, rss_mb, wait_for
from parcours.company import open as open_company

PAGES = ("map", "touchpoint/delivery", "journey", "sources")


def read_pages(folder: Path, port: int, until: float, took_ms: dict[str, list[float]]) -> None:
    """Read the pages in turn, four times a second."""
    tokens = {page: make_token(folder, "it" if page == "sources" else "cco") for page in PAGES}
    while time.monotonic() < until:
        for page in PAGES:
            started = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", f"/en/{page}", headers=tokens[page])
            answer = connection.getresponse()
            answer.read()
            connection.close()
            took_ms[page].append((time.perf_counter() - started) * 1000)
            assert answer.status == 200, (page, answer.status)
        time.sleep(0.25)


def list_processes(parent: int) -> dict[str, int]:
    """Return the processes of `serve` by name."""
    found = {"main": parent}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[1]) == parent and b"-m" in command:
            found[command[command.index(b"-m") + 1].decode().rpartition(".")[2]] = int(entry.name)
    return found


def main() -> None:
    """Run the load and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0)
    asked = parser.parse_args()
    company = open_company(asked.folder)
    parcours = [sys.executable, "-m", "parcours"]
    key = subprocess.run(
        [*parcours, "key", str(asked.folder), "add", "live"], capture_output=True, text=True, check=True
    ).stdout.strip()
    pages, collect = find_port(), find_port()
    server = subprocess.Popen(
        [*parcours, "serve", str(asked.folder), "--port", str(pages), "--collect-port", str(collect)],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(pages)
        wait_for(collect)
        time.sleep(8)
        processes = list_processes(server.pid)
        before = {name: cpu_s(pid) for name, pid in processes.items()}
        took_ms: dict[str, list[float]] = {page: [] for page in PAGES}
        until = time.monotonic() + asked.seconds
        reader = threading.Thread(target=read_pages, args=(asked.folder, pages, until, took_ms))
        reader.start()
        drive = Path(__file__).with_name("collect.py")
        command = [sys.executable, str(drive), "--drive", str(collect), "100", str(asked.connections)]
        told = json.loads(
            subprocess.run(
                [*command, str(asked.seconds), "--key", key, "--rate", str(asked.rate)], capture_output=True, check=True
            ).stdout
        )
        reader.join()
        events = told["requests"] * 100
        print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(f"taken {events / asked.seconds:,.0f} events/s, p99 {told['p99_ms']:.0f} ms, {told['statuses']}")
        for page, times in took_ms.items():
            times.sort()
            p50, p95 = (times[int(len(times) * part)] for part in (0.5, 0.95))
            print(f"page {page:22} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  of {len(times)}")
        for name, pid in processes.items():
            print(f"{name:8} {cpu_s(pid) - before[name]:6.1f} CPU s  {rss_mb(pid):5.0f} MB at most")
        backlog = company.live
        started = time.monotonic()
        while backlog.catch_up() or backlog.pulse().waiting:
            time.sleep(1)
            if time.monotonic() - started > 600:
                break
        print(f"all of it taken over {time.monotonic() - started:.0f} s after the load ended")
    finally:
        server.terminate()
        server.wait(60)


if __name__ == "__main__":
    main()
