"""Server time of three pages under eight clients: p50 and p95 in milliseconds, on the loopback alone.

Run ``python benchmarks/pages.py DIR`` over a company folder that has been run. Bounded: at most ``--requests`` a client
and ``--seconds`` a page. The server is a process of its own.

Two tables. Kept: the page stands on the shelf; "made" is the time to make one whose results are in memory. First view:
before each round the folder is touched as a run would touch it, so that all clients ask at once for a page that must be
made afresh from results on disk; every one of them waits for the one that makes it.

A third says what each page pays to know who asks: the look-up of a session among those of a thousand people, in a file
of its own, and the decision of the table of permissions, in microseconds of one thread.
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request

import parcours.company
from parcours.know import LOCAL, Access, Caller, Role, SignedIn, decide
from parcours.settings import Settings
from parcours.words import LANGUAGES
from parcours.workspaces.app import serve
from parcours.workspaces.render import render
from parcours.workspaces.routes import PAGES
from parcours.workspaces.signing_in.cookies import SESSION
from parcours.workspaces.signing_in.entrance import Entrance
from parcours.workspaces.things import find_map, find_profile

LIMIT_MS = 100
PEOPLE = 1_000
TIMES = 5_000


def find_free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_served(port: int, seconds: float = 30) -> None:
    """Wait until the server answers; a fault after ``seconds``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def make_token(folder: Path, role: Role) -> dict[str, str]:
    """Return the header with which a program asks in ``role``."""
    sessions = Access(folder, Settings()).sessions
    return {"Authorization": f"Bearer {sessions.begin(LOCAL, 'token', time.time_ns() // 1_000_000, role=role)}"}


def ask(port: int, path: str, token: dict[str, str], requests: int, until: float, times_ms: list[float]) -> None:
    """Ask for ``path`` over one kept connection; note each answer's time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(requests):
        if time.monotonic() > until:
            break
        start = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"} | token)
        answer = connection.getresponse()
        answer.read()
        times_ms.append(1000 * (time.perf_counter() - start))
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
    connection.close()


def load_page(port: int, path: str, token: dict[str, str], clients: int, requests: int, seconds: float) -> list[float]:
    """Return the times of all clients' requests, sorted, in milliseconds."""
    times_ms: list[float] = []
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=ask, args=(port, path, token, requests, until, times_ms), daemon=True)
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 30)
    return sorted(times_ms)


def load_fresh(folder: Path, port: int, path: str, clients: int, rounds: int, seconds: float) -> list[float]:
    """Return the times of a first view by all clients at once, round after round, sorted, in milliseconds."""
    times_ms: list[float] = []
    token = make_token(folder, "cco")
    until = time.monotonic() + seconds
    for _ in range(rounds):
        if time.monotonic() > until:
            break
        os.utime(folder / "parcours.toml")
        times_ms += load_page(port, path, token, clients, 1, 30)
    return sorted(times_ms)


def time_making(folder: Path, place: str, times: int = 5) -> float:
    """Return the median time to read and fill a page whose results are known, in milliseconds."""
    company = parcours.company.open(folder)
    name, _, id = place.partition("/")
    page = next(page for page in PAGES if page.path.partition("/")[0] == name)
    taken = []
    for _ in range(times + 1):
        start = time.perf_counter()
        render(page.read(company, LANGUAGES[0], {"id": id} if id else {}, {}), LANGUAGES[0])
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken[1:])


def time_each(what: Callable[[], object], times: int = TIMES) -> tuple[float, float]:
    """Return the median and the 99th percentile of calls of ``what``, in microseconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        what()
        taken.append(1e6 * (time.perf_counter() - start))
    taken.sort()
    return taken[times // 2], taken[int(0.99 * times)]


def print_asking(company: parcours.company.Company) -> None:
    """Print what it takes to find a session among those of many people, and to decide about a page."""
    with tempfile.TemporaryDirectory() as place:
        access, now_ms = Access(Path(place), Settings()), time.time_ns() // 1_000_000
        people = [access.staff.add(f"person{n}", "csm", (f"segment:s{n % 50}",), None, now_ms) for n in range(PEOPLE)]
        secrets = [access.sessions.begin(person, "password", now_ms) for person in people]
        entrance = Entrance(access, Settings())
        headers = [(b"host", b"127.0.0.1"), (b"cookie", f"{SESSION}={secrets[PEOPLE // 2]}".encode())]
        request = Request({"type": "http", "method": "GET", "path": "/fr/map", "headers": headers})
        assert isinstance(entrance.find(request), SignedIn)
        team = Caller(7, "cem", (company.blueprint.teams[0].id,))
        print(f"{'who asks, one thread':<28}{'times':>9}{'p50 us':>9}{'p99 us':>9}")
        for name, what in (
            ("a session is found", lambda: entrance.find(request)),
            ("nobody's is looked for", lambda: access.sessions.find("x" * 43, now_ms)),
            ("the map is decided", lambda: decide(team, "see_results", find_map(company, {}))),
            ("a customer is decided", lambda: decide(team, "see_customer", find_profile(company, {"id": "0" * 16}))),
        ):
            p50, p99 = time_each(what)
            print(f"{name:<28}{TIMES:>9}{p50:>9.1f}{p99:>9.1f}")
        access.close()


def print_times(place: str, times_ms: list[float], more: str = "") -> None:
    """Print one page's line: how many requests, their median and 95th percentile."""
    p50, p95 = (times_ms[int(share * (len(times_ms) - 1))] for share in (0.5, 0.95))
    print(f"{place:<28}{len(times_ms):>9}{p50:>9.1f}{p95:>9.1f}{more}")


def main() -> None:
    """Print one line a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20, help="first views of each page")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--serve-on", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    company = parcours.company.open(given.folder)
    if given.serve_on:
        serve(company, "127.0.0.1", given.serve_on, lambda: parcours.company.open(given.folder))
        return
    touchpoint = next((one.id for one in company.blueprint.touchpoints if one.experience), None)
    touchpoint = touchpoint or company.blueprint.touchpoints[0].id
    port = find_free_port()
    command = [sys.executable, __file__, str(given.folder), "--serve-on", str(port)]
    server = subprocess.Popen(command)
    try:
        wait_until_served(port)
        cores, load = os.cpu_count(), os.getloadavg()[0]
        print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, load {load:.1f}")
        print(f"{given.clients} clients, limit p95 {LIMIT_MS} ms")
        token = make_token(given.folder, "cco")
        places = ("map", f"touchpoint/{touchpoint}", "journey")
        print(f"{'kept':<28}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}{'made ms':>9}")
        for place in places:
            times_ms = load_page(port, f"/fr/{place}", token, given.clients, given.requests, given.seconds)
            print_times(place, times_ms, f"{time_making(given.folder, place):>9.1f}")
        print(f"{'first view':<28}{'requests':>9}{'p50 ms':>9}{'p95 ms':>9}")
        for place in places:
            print_times(
                place, load_fresh(given.folder, port, f"/fr/{place}", given.clients, given.rounds, given.seconds)
            )
        print_asking(company)
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
