"""A table in, a watched file in, a webhook out, through all of `parcours serve`, which is killed in between."""

from __future__ import annotations

import base64
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.clients.firm import write_firm
from tests.receiver import Receiver
from tests.services import receiver
from tests.wire import free_port

from parcours.engine.store.manifest import Manifest

__all__ = ["receiver"]

SHOP = """source: shop
connector: sql
options: {{url: "sqlite:///{path}", table: orders, cursor: at, key: id, batch: 50, every: 1s}}
key: [id]
time: {{column: at, zone: UTC}}
ids: {{user: customer}}
objects: {{order: id}}
events: [Order Completed]
"""
PACKING = """source: packing
file: data/packed-*.csv
key: [id]
time: {column: at, zone: UTC}
objects: {order: id}
events: [Order Packed]
"""
CRM = """destination: crm
connector: webhook
options: {url: "${HOOK_URL}", secret: "${HOOK_SECRET}"}
purpose: improve
events: [Order Completed]
"""


class Serving:
    """`parcours serve` of one company, which may be killed and started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
        self.environment = {**os.environ, "HOOK_URL": url, "HOOK_SECRET": secret}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        ports = ["--port", str(free_port()), "--collect-port", str(free_port())]
        command = [sys.executable, "-m", "parcours", "serve", str(self.folder), *ports]
        with (self.folder.parent / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)


@pytest.fixture
def serving(tmp_path: Path, receiver: Receiver) -> Iterator[Serving]:
    folder = tmp_path / "firm"
    write_firm(folder, [])
    # Its orders are dated long ago, and a retention of days would take them out of the parts, as it should.
    plan = folder / "blueprint.yaml"
    plan.write_text(plan.read_text("utf-8").replace(", retention_days: 30", ""), "utf-8")
    (folder / "destinations").mkdir()
    (folder / "data").mkdir()
    (folder / "sources" / "shop.yaml").write_text(SHOP.format(path=tmp_path / "shop.db"), "utf-8")
    (folder / "sources" / "packing.yaml").write_text(PACKING, "utf-8")
    (folder / "destinations" / "crm.yaml").write_text(CRM, "utf-8")
    running = Serving(folder, receiver.url)
    yield running
    running.end(signal.SIGTERM)


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until and not holds():
        time.sleep(0.05)
    return holds()


def count_events(folder: Path, name: str) -> int:
    """Count the events of one name in the parts that the manifest names."""
    manifest = Manifest(folder)
    try:
        paths = [folder / ".parcours" / part.path for part in manifest.parts()]
    finally:
        manifest.close()
    try:
        return sum(pq.read_table(path, columns=["name"])["name"].to_pylist().count(name) for path in paths)
    except FileNotFoundError:
        # Parts were merged since the manifest was read.
        return -1


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_while_the_receiver_is_down_and_the_server_killed(
    serving: Serving, receiver: Receiver, tmp_path: Path
) -> None:
    shop = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
    shop.execute("PRAGMA journal_mode = WAL")
    shop.execute("CREATE TABLE orders (id, at, customer)")

    def put(first: int, last: int) -> None:
        rows = [(f"O{number}", f"2026-01-05T10:00:00.{number:06d}", f"c{number % 7}") for number in range(first, last)]
        shop.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)

    put(0, 120)
    serving.start()
    assert eventually(lambda: len(set(receiver.ids)) == 120), (tmp_path / "serve.log").read_text("utf-8")
    receiver.down()
    put(120, 200)
    (serving.folder / "data" / "packed-1.csv").write_text("id,at\nO1,2026-01-05T11:00\nO2,2026-01-05T12:00\n", "utf-8")
    assert eventually(lambda: count_events(serving.folder, "Order Packed") == 2), "the watched file is loaded"
    serving.end(signal.SIGKILL)
    put(200, 230)
    receiver.up()
    serving.start()
    assert eventually(lambda: len(set(receiver.ids)) >= 230), (tmp_path / "serve.log").read_text("utf-8")
    assert len(set(receiver.ids)) == 230
    repeated = len(receiver.ids) - len(set(receiver.ids))
    assert repeated <= 100, "what was sent and not noted before the kill comes again, and no more"
    assert eventually(lambda: count_events(serving.folder, "Order Completed") == 230)
    assert count_events(serving.folder, "Order Packed") == 2
    shop.close()
