"""A million raw events through the door, and their edges folded into people: CPU seconds of each."""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from derive import START_MS, make_blueprint

from parcours.collect.door import raw_schema
from parcours.know import Know
from parcours.progress import Silent
from parcours.settings import Settings

BATCH = 100_000


def make_batch(start: int, size: int, customers: int, draw: np.random.Generator) -> pa.Table:
    """Return raw events: an account on four in five, a mail on one in four, a device on half, consent on one in ten."""
    blueprint = make_blueprint()
    schema = raw_schema(dict(blueprint.field_kinds()), blueprint.objects, ("improve",))
    person = draw.integers(0, customers, size)

    def name_some(share: float, form: str, numbers: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> pa.Array:
        return pa.array([form.format(number) for number in numbers.tolist()], mask=draw.random(size) > share)

    columns = {
        "source": pa.array(["log"] * size),
        "row_key": pa.array(np.arange(start, start + size)),
        "line": pa.array(np.arange(start, start + size)),
        "name": pa.array([f"Event {number}" for number in draw.integers(0, 30, size).tolist()]),
        "occurred_ms": pa.array(START_MS + 6_000 * np.arange(start, start + size)),
        "id_user": name_some(0.8, "C{:07d}", person),
        "id_mail": name_some(0.25, "person{}@example.com", person),
        "id_device": name_some(0.5, "device-{}", 3 * person + draw.integers(0, 3, size)),
        "object_order": name_some(0.5, "O{:09d}", np.arange(start, start + size)),
        "field_amount": pa.array(np.round(draw.gamma(2.0, 30.0, size), 2)),
        "field_site": pa.array([f"Magasin {number}" for number in draw.integers(0, 40, size).tolist()]),
        "field_segment": pa.array([f"segment {number}" for number in (person % 4).tolist()]),
        "consent_improve": pa.array(draw.random(size) < 0.9, mask=draw.random(size) > 0.1),
    }
    return pa.table([columns.get(field.name, pa.nulls(size, field.type)) for field in schema], schema=schema)


def main() -> None:
    """Admit, settle and fold, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    asked = parser.parse_args()
    draw = np.random.default_rng(7)
    print(f"{platform.machine()}, {platform.python_version()}, {asked.events:,} events, {asked.customers:,} customers")
    with tempfile.TemporaryDirectory() as scratch:
        know = Know(Path(scratch), make_blueprint(), Settings())
        door = know.door()
        admitting = 0.0
        for start in range(0, asked.events, BATCH):
            batch = make_batch(start, min(BATCH, asked.events - start), asked.customers, draw)
            cpu = time.process_time()
            door.admit(batch, start + 1, START_MS)
            admitting += time.process_time() - cpu
        cpu = time.process_time()
        door.settle()
        settling = time.process_time() - cpu
        cpu = time.process_time()
        people = know.refresh(Silent())
        folding = time.process_time() - cpu
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"admit: {admitting:.2f} CPU s, settle: {settling:.2f} CPU s, fold: {folding:.2f} CPU s, peak {peak_gb:.2f} GB"
    )
    print(f"people found: {people:,}")


if __name__ == "__main__":
    main()
