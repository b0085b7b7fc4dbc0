"""Shops whose compaction, replay or keeper is killed, and the account of what they hold in the end."""

from __future__ import annotations

import base64
import http.client
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.boutique import (
    copy_company,
    count_aside,
    count_kept,
    count_pending,
    deliver,
    describe,
    draw_stream,
    make_company,
    make_event,
    read_events,
    take_over,
    write_blueprint,
)
from tests.collect.http.collector import KEY, Collector
from tests.dying import Nursery

from parcours import company as companies
from parcours import flow
from parcours.collect.http.keys import Sender
from parcours.collect.journal.sealing import HOUR_MS
from parcours.company import Company
from parcours.know import verify
from parcours.progress import Silent

GROUP = 40
"""Events in one group: a compaction takes several over, and may die between them."""

CHANGING = ("arrivals", "aside")
"""What depends on where a replay died: how often something was put back."""


def fill_shop(place: Path, seed: int) -> Path:
    """Make a shop with something in parts already, and a journal that waits.

    In it: new customers and known ones, retries, answers in words, choices, and what is refused.
    """
    company = make_company(place)
    deliver(company, *(make_event(1000 + n, f"C{n}", n % 2 == 0, anonymousId=f"D{n}0") for n in range(8)))
    take_over(company)
    draw = random.Random(seed)
    events = list(draw_stream(draw, 60, users=6))
    for start in range(0, len(events), 12):
        extra = [{"type": "track"}, make_event(900_000 + start, event="Catalogue Opened")]
        deliver(company, *events[start : start + 12], *extra, source=draw.choice(["web", "app", "ghost", "web"]))
    return place


def mend_shop(place: Path) -> None:
    """Declare the event that was unknown, and describe the source that nobody had."""
    write_blueprint(place, more_events="Catalogue Opened")
    (place / "sources" / "ghost.yaml").write_text("source: ghost\nconnector: http\n", "utf-8")


class Killing:
    """One action on copies of one folder, killed, repeated, and compared with the same undisturbed."""

    def __init__(self, nursery: Nursery, action: str, base: Path, place: Path) -> None:
        self._nursery, self._action, self._base, self._place = nursery, action, base, place
        plain = Path(shutil.copytree(base, place / "plain"))
        done = self._run(plain)
        assert done["status"] == 0, "undisturbed it fails"
        self.steps: int = done["steps"]
        self.expected = describe(companies.open(plain))
        assert set(Counter(row["row_key"] for row in self.expected["parts"]).values()) == {1}
        self.kills = 0

    def kill_at(self, *steps: int) -> None:
        """Kill at each of ``steps`` in turn, start again after each, and check."""
        folder = self._copy()
        for step in steps:
            self.kills += self._run(folder, step)["status"] == -9
        self._check(folder)

    def kill_after(self, *seconds: float) -> None:
        """Kill so long after each start in turn, and check."""
        folder = self._copy()
        for after_s in seconds:
            self.kills += self._run(folder, after_s=after_s)["status"] == -9
        self._check(folder)

    def _copy(self) -> Path:
        return Path(shutil.copytree(self._base, self._place / f"copy-{time.monotonic_ns()}"))

    def _run(self, folder: Path, step: int = 0, after_s: float = 0.0) -> dict[str, Any]:
        done = self._nursery.run(self._action, folder, step, after_s, most_events=GROUP)
        assert done["status"] in (0, -9), f"it failed where it was to be killed: {done}"
        return done

    def _check(self, folder: Path) -> None:
        assert self._run(folder)["status"] == 0
        company = companies.open(folder)
        check_files(company)
        told = describe(company)
        for name, value in self.expected.items():
            if self._action != "replay" or name not in CHANGING:
                assert told[name] == value, name
        self._check_counts(told)
        shutil.rmtree(folder)

    def _check_counts(self, told: dict[str, Any]) -> None:
        """Each event is counted once, under what became of it, however often it was put back."""
        assert [one[1:] for one in told["aside"]] == [one[1:] for one in self.expected["aside"]]
        for name in ("kept", "quarantined"):
            back = "replayed" if name == "quarantined" else ""
            now, before = ((one[name] - one.get(back, 0)) for one in (told["arrivals"], self.expected["arrivals"]))
            assert now == before, name


def spread(steps: int, count: int) -> list[int]:
    """Return ``count`` steps, evenly spread over all and never the same."""
    return sorted({1 + round(place * (steps - 1) / max(1, count - 1)) for place in range(count)})


class KeptCollector(Collector):
    """A worker, a writer and a keeper of one company, each of which may be killed."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.keeper: subprocess.Popen[bytes] | None = None
        super().__init__(company.folder, senders={KEY: Sender("web")})

    def learn_hours(self, *_: int) -> None:
        """Take the keys of the company."""
        hour = time.time_ns() // 1_000_000 // HOUR_MS
        self.hour_keys.update({one: self._company.know.hour_key(one) or b"" for one in (hour, hour + 1)})

    def start_keeper(self) -> None:
        """Start the keeper, which takes its first turn at once."""
        with self.log_file.open("ab") as log:
            self.keeper = subprocess.Popen(
                [sys.executable, "-m", "parcours.serving.keeper", str(self.folder), str(self._address)],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env=self._environment,
            )  # fmt: skip

    def kill_keeper(self) -> None:
        """Kill it where it stands."""
        assert self.keeper
        self.keeper.kill()
        self.keeper.wait(60)
        assert self.keeper.stdin
        self.keeper.stdin.close()

    def close(self) -> None:
        """End everything."""
        if self.keeper is not None and self.keeper.poll() is None:
            self.kill_keeper()
        super().close()


class Client(threading.Thread):
    """Sends events of its own customers in small batches, each until it is acknowledged, and some of them again."""

    def __init__(self, port: int, number: int, stopping: threading.Event) -> None:
        super().__init__(daemon=True)
        self._port, self._number, self._stopping = port, number, stopping
        self.acknowledged: dict[int, dict[str, Any]] = {}

    def run(self) -> None:
        draw = random.Random(self._number)
        n = self._number * 100_000
        while not self._stopping.is_set():
            events = []
            for _ in range(draw.randrange(1, 5)):
                n += 1
                user = 10 * self._number + draw.randrange(4)
                event = make_event(n, f"C{user}", {0: None, 1: False}.get(user % 4, True))
                if draw.random() < 0.5:
                    event["anonymousId"] = f"D{user}{n % 2}"
                events.append(event)
            again = draw.sample(sorted(self.acknowledged), min(2, len(self.acknowledged)))
            if self._send([*events, *(self.acknowledged[one] for one in again)]):
                self.acknowledged.update({event["properties"]["n"]: event for event in events})
            time.sleep(0.005)

    def _send(self, events: list[dict[str, Any]]) -> bool:
        body = json.dumps({"batch": events}).encode()
        told = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
        # Like an SDK it does not give up; even when the test is over it waits for its last answer.
        for _ in range(2_000):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
                connection.request("POST", "/v1/batch", body, told)
                answer = connection.getresponse()
                answer.read()
                connection.close()
                if answer.status == 200:
                    return True
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        return False


def kill_keeper_under_load(place: Path, kills: int, clients: int, seed: int) -> dict[str, int]:
    """Kill the keeper of a shop ``kills`` times, and now and then the others too, while events come in; check.

    Returns what was counted.
    """
    company = make_company(place / "shop", settings="[collect]\nevery_s = 0.05\n")
    twin = copy_company(company, place / "twin")
    draw = random.Random(seed)
    collector = KeptCollector(company).start()
    stopping = threading.Event()
    senders = [Client(collector.port, number + 1, stopping) for number in range(clients)]
    try:
        collector.start_keeper()
        for sender in senders:
            sender.start()
        for number in range(kills):
            time.sleep(draw.choice([draw.uniform(0.2, 1.5), draw.uniform(1.0, 4.0)]))
            collector.kill_keeper()
            if number % 4 == 3:
                collector.kill(draw.choice(["worker", "writer", "both"]))
                collector.start_writer()
                collector.start_worker()
            collector.start_keeper()
        collector.wait_ready()
        stopping.set()
        for sender in senders:
            sender.join(60)
        collector.wait_for(lambda: count_pending(company.folder) == 0, 120, "everything to be taken over")
        collector.kill_keeper()
    finally:
        collector.close()
    sent = {n: event for sender in senders for n, event in sender.acknowledged.items()}
    return {"acknowledged": len(sent), **check_account(companies.open(company.folder), twin, sent)}


def check_account(company: Company, twin: Company, sent: dict[int, dict[str, Any]]) -> dict[str, int]:
    """Check that each acknowledged event is kept once, and all is as if nothing had happened."""
    take_over(company)
    kept = count_kept(company.folder)
    lost = sent.keys() - kept.keys()
    assert not lost, f"{len(lost)} of {len(sent)} acknowledged events are lost: {sorted(lost)[:5]}"
    assert set(kept.values()) == {1}, f"{sum(count > 1 for count in kept.values())} events stand twice"
    assert not count_aside(company.folder)
    check_files(company)
    order = [int(row["field_n"]) for row in read_events(company.folder)]
    # What was written and not acknowledged was sent again until it was.
    assert set(order) <= sent.keys()
    for start in range(0, len(order), 50):
        deliver(twin, *(sent[n] for n in order[start : start + 50]))
    take_over(twin)
    told, expected = describe(company), describe(twin)
    for name in expected.keys() - {"arrivals"}:
        assert _without_reception(told[name]) == _without_reception(expected[name]), name
    flow.publish(company, time.monotonic())
    return {"kept": len(kept)}


def check_files(company: Company) -> None:
    """Check that every file of a company is what was written."""
    found = verify(company.folder, company.settings, Silent()).faults
    damaged = [str(fault) for fault in found if fault.level == "error"]
    assert not damaged, damaged


def _without_reception(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{name: cell for name, cell in row.items() if name != "received_ms"} for row in value]
    return value
