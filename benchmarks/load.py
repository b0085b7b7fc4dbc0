"""How fast a large CSV file with one bad row is loaded, in how much memory, against the floor of merely reading it.

Run: ``python benchmarks/load.py [--rows 10000000] [--door know|bare]``. With ``know`` (the default) events go through
the company's own door: pseudonyms, vault, consent; with ``bare`` through one that only lays them out, which leaves the
cost of collection itself. Nothing here is asserted.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import secrets
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from parcours.blueprint.records import Blueprint, Channel, Company, EventMatch, Field, Purpose, Stage, Team, Touchpoint
from parcours.collect import load
from parcours.collect.door import Admission, Door, part_schema
from parcours.know import Know
from parcours.settings import Settings
from parcours.words import Words

SOURCE = """source: orders
file: data/orders.csv
key: [order_id]
time: {column: at}
ids: {user: customer, mail: email}
objects: {order: order_id}
fields:
  amount: {column: cents, unit: cents, to: eur}
  site: store
events: [Order Completed]
"""
CHUNK_ROWS = 100_000


def main() -> None:
    """Make the file, read it bare, load it, load it again unchanged, then with one row more."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--door", choices=("know", "bare"), default="know")
    chosen = options.parse_args()
    os.environ.setdefault("PARCOURS_MASTER_KEY", b64encode(secrets.token_bytes(32)).decode())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, pyarrow {pa.__version__}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "acme"
        data = make_company(folder, chosen.rows)
        print(f"{chosen.rows:,} rows, {data.stat().st_size / 1e6:,.0f} MB, door: {chosen.door}")
        with clocked("floor: pyarrow.csv reads the file", chosen.rows) as floor:
            read_bare(data)
        blueprint = small_blueprint()
        door: Door = BareDoor(blueprint) if chosen.door == "bare" else Know(folder, blueprint, Settings()).door()
        with clocked("first load", chosen.rows) as first:
            report = load(folder, blueprint, Settings(), door)
        print(f"  {report.counts}\n  {first[0] / floor[0]:.1f} times the floor (CPU)")
        with clocked("again, nothing changed", chosen.rows):
            load(folder, blueprint, Settings(), door)
        with data.open("a") as stream:
            stream.write(f"O{chosen.rows},2026-01-01T00:00:00Z,C1,c1@example.org,1,Lyon\n")
        with clocked("again, one row more", chosen.rows):
            report = load(folder, blueprint, Settings(), door)
        print(f"  {report.counts}")


def read_bare(data: Path) -> None:
    """Read the file as text, block by block, and do nothing with it."""
    as_text = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(("order_id", "at", "customer", "email", "cents", "store"), pa.string())
    )
    options = arrow_csv.ReadOptions(use_threads=False, block_size=8 << 20)
    for _ in arrow_csv.open_csv(data, read_options=options, convert_options=as_text):
        pass


@contextmanager
def clocked(label: str, rows: int) -> Iterator[list[float]]:
    """Print the time and the peak of memory so far; the list receives the CPU seconds."""
    wall, cpu, taken = time.perf_counter(), time.process_time(), []
    yield taken
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    taken.append(cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    speed = f"{cpu:.1f} CPU s, {wall:.1f} s, {rows / cpu:,.0f} rows per CPU s"
    print(f"{label}: {speed}, peak so far {peak:,.0f} MB", flush=True)


def make_company(folder: Path, rows: int) -> Path:
    """Write a company of one source; the row in the middle has a date that is none."""
    (folder / "sources").mkdir(parents=True)
    (folder / "sources" / "orders.yaml").write_text(SOURCE)
    data = folder / "data" / "orders.csv"
    data.parent.mkdir()
    with data.open("w") as stream:
        stream.write("order_id,at,customer,email,cents,store\n")
        for first in range(0, rows, CHUNK_ROWS):
            stream.write("".join(row(number, rows) for number in range(first, min(rows, first + CHUNK_ROWS))))
    return data


def row(number: int, rows: int) -> str:
    """Return one line of the file."""
    customer = number * 7919 % max(rows // 20, 1)
    day = "2026-02-31" if number == rows // 2 else f"2026-01-{number % 28 + 1:02d}"
    at = f"{day}T{number % 24:02d}:{number % 60:02d}:00Z"
    return f"O{number},{at},C{customer},c{customer}@example.org,{number % 9999},Lyon\n"


def small_blueprint() -> Blueprint:
    """Return a blueprint of one touchpoint."""

    def label(text: str) -> Words:
        return Words(text, text)

    return Blueprint(
        company=Company(id="acme", label=label("Acme"), synthetic=True),
        stages=(Stage(id="buy", label=label("Buy")),),
        channels=(Channel(id="web", label=label("Web"), kind="digital"),),
        teams=(Team(id="sales", label=label("Sales")),),
        touchpoints=(
            Touchpoint(
                id="order",
                label=label("Order"),
                stage="buy",
                channel="web",
                owner="sales",
                events=(EventMatch(name="Order Completed"),),
            ),
        ),
        purposes=(Purpose(id="improve", label=label("Improve"), basis="legitimate_interest"),),
        fields=(Field(id="amount", kind="number"), Field(id="site", kind="category")),
        objects=("order",),
    )


class BareDoor:
    """A door that lays events out as part rows and does nothing else."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.schema = part_schema(dict(blueprint.field_kinds()), blueprint.objects)

    def admit(self, batch: pa.Table, first_event_no: int, received_ms: int) -> Admission:
        """Number the events."""
        keys = batch.column("row_key").combine_chunks()
        made = {
            "event_no": pa.array(np.arange(first_event_no, first_event_no + batch.num_rows)),
            "received_ms": pa.array(np.full(batch.num_rows, received_ms)),
            "subject": keys,
            "permitted": keys,
            "bucket": pa.array((np.asarray(keys) % 16).astype(np.int8)),
            "object_order": keys,
        }
        columns = [made[name] if name in made else batch.column(name).combine_chunks() for name in self.schema.names]
        return Admission(pa.Table.from_arrays(columns, schema=self.schema))

    def settle(self) -> None:
        """Nothing is kept elsewhere."""

    def forget_from(self, event_no: int) -> None:
        """Nothing is kept here."""

    def withdraw(self, event_nos: list[int]) -> None:
        """Nothing is kept elsewhere."""

    def seal(self, data: bytes) -> bytes:
        """Give the bytes back: they are made up."""
        return data

    def row_seed(self) -> int:
        """Return any number."""
        return 1


if __name__ == "__main__":
    main()
