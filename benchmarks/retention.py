"""Retention over two million events in parts: a day on which nothing is over, and one on which a day's events are."""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

import msgspec
from derive import START_MS, make_blueprint, make_parts

from parcours.know import Know
from parcours.settings import Settings

DAY_MS, KEPT_DAYS, SPACING_MS = 86_400_000, 60, 6_000


def main() -> None:
    """Go through the parts on three days, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--customers", type=int, default=50_000)
    asked = parser.parse_args()
    plain = make_blueprint()
    purposes = tuple(msgspec.structs.replace(one, retention_days=KEPT_DAYS) for one in plain.purposes)
    blueprint = msgspec.structs.replace(plain, purposes=purposes)
    print(f"{platform.machine()}, {platform.python_version()}, {asked.events:,} events, {asked.customers:,} customers")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        know = Know(folder, blueprint, Settings())
        make_parts(folder, blueprint, know, asked.events, asked.customers)
        first_ms = START_MS + KEPT_DAYS * DAY_MS
        for what, now_ms in (
            ("nothing is over yet", first_ms),
            ("a day is over", first_ms + 2 * DAY_MS),
            ("the same day again", first_ms + 2 * DAY_MS),
            ("the next day is over", first_ms + 3 * DAY_MS),
        ):
            wall, cpu = time.perf_counter(), time.process_time()
            receipts = know.upkeep.retain(now_ms)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            rows, files = sum(one.rows for one in receipts), sum(len(one.before) for one in receipts)
            print(f"{what}: {rows:,} rows out of {files} files, {cpu:.2f} CPU s, {wall:.2f} s wall")


if __name__ == "__main__":
    main()
