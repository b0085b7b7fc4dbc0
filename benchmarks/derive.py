"""Ten million events already in parts: what deriving the journeys of one purpose takes of time and memory."""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from parcours.blueprint.records import (
    Blueprint,
    Channel,
    Company,
    EventMatch,
    Experience,
    Group,
    Money,
    Panel,
    Purpose,
    Stage,
    Team,
    Touchpoint,
)
from parcours.collect.door import part_schema, raw_schema
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import write_part
from parcours.know import Know
from parcours.know.moments import note_settled
from parcours.know.state import open_state
from parcours.progress import Silent
from parcours.settings import Settings
from parcours.words import Words

START_MS = 1_700_000_000_000
TOUCHPOINTS, SITES, BATCH = 30, 40, 1_000_000


def label(text: str) -> Words:
    """Return ``text`` in both languages."""
    return Words(fr=text, en=text)


def make_blueprint() -> Blueprint:
    """Return a blueprint of thirty touchpoints, one of them scored, with money, a site and a group."""
    rating = Experience(
        metric="csat", event=EventMatch(name="Answered"), field="score", scale=(0, 10), tie="order", text=None
    )
    touchpoints = tuple(
        Touchpoint(
            id=f"t{number}",
            label=label(f"t{number}"),
            stage=f"s{number % 5}",
            channel="web",
            owner="team",
            events=(EventMatch(name=f"Event {number}"),),
            experience=rating if number == 7 else None,
        )
        for number in range(TOUCHPOINTS)
    )
    return Blueprint(
        company=Company(id="bench", label=label("bench"), synthetic=True),
        stages=tuple(Stage(id=f"s{number}", label=label(f"s{number}")) for number in range(5)),
        channels=(Channel(id="web", label=label("web"), kind="digital"),),
        teams=(Team(id="team", label=label("team")),),
        touchpoints=touchpoints,
        purposes=(Purpose(id="improve", label=label("improve"), basis="legitimate_interest"),),
        groups=(Group(id="segment", label=label("segment"), field="segment"),),
        objects=("order",),
        panel=Panel(site="site"),
        money=Money(event=EventMatch(name="Event 3"), field="amount", currency="EUR"),
    )


def admit_customers(know: Know, blueprint: Blueprint, customers: int) -> pa.Table:
    """Put one account of each customer through the door, so that the vault knows them; return their part rows."""
    schema = raw_schema(dict(blueprint.field_kinds()), blueprint.objects, ("improve",))
    numbers = np.arange(customers)
    columns = {
        "source": pa.array(["accounts"] * customers),
        "row_key": pa.array(numbers),
        "line": pa.array(numbers),
        "name": pa.array(["Account"] * customers),
        "occurred_ms": pa.array(np.full(customers, START_MS)),
        "id_user": pa.array([f"C{number:07d}" for number in numbers.tolist()]),
        "field_segment": pa.array([f"segment {number % 4}" for number in numbers.tolist()]),
    }
    batch = pa.table([columns.get(f.name, pa.nulls(customers, f.type)) for f in schema], schema=schema)
    door = know.door()
    rows = door.admit(batch, 1, START_MS).rows
    door.settle()
    return rows


def make_parts(folder: Path, blueprint: Blueprint, know: Know, events: int, customers: int) -> None:
    """Write ``events`` events of ``customers`` customers straight into parts, as the door would have made them."""
    accounts = admit_customers(know, blueprint, customers)
    subjects = accounts.column("subject").to_numpy()
    manifest = Manifest(folder)
    schema = part_schema(dict(blueprint.field_kinds()), blueprint.objects)
    manifest.commit(add=write_part(folder, accounts, "accounts"))
    manifest.reserve_event_nos(customers + events)
    names = pa.array([*(f"Event {number}" for number in range(TOUCHPOINTS)), "Answered"])
    sites = pa.array([f"Magasin {number}" for number in range(SITES)])
    draw = np.random.default_rng(7)
    for start in range(0, events, BATCH):
        size = min(BATCH, events - start)
        subject = subjects[draw.integers(0, customers, size)]
        name = np.where(draw.random(size) < 0.03, TOUCHPOINTS, draw.integers(0, TOUCHPOINTS, size)).astype(np.int8)
        order = draw.integers(1, 2**62, size)
        paid, answered = name == 3, name == TOUCHPOINTS
        columns = {
            "event_no": pa.array(np.arange(customers + 1 + start, customers + 1 + start + size)),
            "source": pa.array(["log"] * size),
            "row_key": pa.array(np.arange(start, start + size)),
            "name": pa.DictionaryArray.from_arrays(pa.array(name), names).cast(pa.string()),
            "occurred_ms": pa.array(START_MS + 6_000 * np.arange(start, start + size) + draw.integers(0, 60_000, size)),
            "received_ms": pa.array(np.full(size, START_MS)),
            "subject": pa.array(subject),
            "permitted": pa.array(np.ones(size, np.int64)),
            "bucket": pa.array((subject & 15).astype(np.int8)),
            "object_order": pa.array(order, mask=draw.random(size) < 0.5),
            "field_amount": pa.array(np.round(draw.gamma(2.0, 30.0, size), 2), mask=~paid),
            "field_score": pa.array(draw.integers(0, 11, size).astype(np.float64), mask=~answered),
            "field_site": pa.DictionaryArray.from_arrays(pa.array(draw.integers(0, SITES, size)), sites).cast(
                pa.string()
            ),
        }
        table = pa.table([columns.get(f.name, pa.nulls(size, f.type)) for f in schema], schema=schema)
        manifest.commit(add=write_part(folder, table, "log"))
    manifest.close()
    state = open_state(folder)
    note_settled(state, customers + events)
    state.close()


def main() -> None:
    """Make the parts unless they are there, derive, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the parts here, and use them when they are there already")
    asked = parser.parse_args()
    blueprint = make_blueprint()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        know = Know(folder, blueprint, Settings())
        if not (folder / ".parcours" / "journal.db").exists():
            make_parts(folder, blueprint, know, asked.events, asked.customers)
        print(
            f"{platform.machine()}, {platform.python_version()}, {asked.events:,} events, {asked.customers:,} customers"
        )
        made_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cpu = time.process_time()
        know.refresh(Silent())
        print(f"identities: {time.process_time() - cpu:.2f} CPU s")
        wall, cpu = time.perf_counter(), time.process_time()
        permitted = know.events_for("improve")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"derive: {cpu:.2f} CPU s, {wall:.2f} s wall, peak {peak_kb / 1e6:.2f} GB (before: {made_kb / 1e6:.2f} GB)"
        )
        print(f"customers seen: {permitted.customers:,}")
        again = time.perf_counter()
        Know(folder, blueprint, Settings()).events_for("improve")
        print(f"opened again, nothing changed: {time.perf_counter() - again:.3f} s wall")


if __name__ == "__main__":
    main()
