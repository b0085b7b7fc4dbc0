"""Exact deduplication: CPU an event among the ids that a day holds already, bytes, files, and a billion ids' cost."""

from __future__ import annotations

import argparse
import math
import platform
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from parcours.collect.compaction.merging import keep_compact
from parcours.collect.compaction.seen import FAN_OUT, NEW, Seen
from parcours.engine.store.manifest import Manifest

DAY = 20_000
CALL_ROWS = 200_000
"""What one compaction takes over at most."""


def draw_ids(draw: np.random.Generator, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return ids as compaction sees them: hashes, evenly spread."""
    return draw.integers(0, 2**63 - 1, size)


def take(folder: Path, manifest: Manifest, draw: np.random.Generator, size: int) -> float:
    """Take ``size`` new ids in, in one call; return the CPU seconds of looking them up and writing them."""
    ids, contents, days = draw_ids(draw, size), draw_ids(draw, size), np.full(size, DAY)
    start = time.process_time()
    seen = Seen(folder, manifest.seen_runs([DAY]))
    new = seen.sort_out(days, ids, contents) == NEW
    manifest.commit(add_seen=seen.write(days[new], ids[new], contents[new]))
    return time.process_time() - start


def fill(folder: Path, manifest: Manifest, draw: np.random.Generator, known: int) -> tuple[float, float, int]:
    """Take ``known`` ids in as compaction does; return CPU seconds of calls and of merges, and the rows merged."""
    calling = merging = 0.0
    rows = 0
    for _ in range(0, known, CALL_ROWS):
        calling += take(folder, manifest, draw, CALL_ROWS)
        start = time.process_time()
        rows += keep_compact(folder, manifest).rows
        merging += time.process_time() - start
    return calling, merging, rows


def look_up(folder: Path, manifest: Manifest, draw: np.random.Generator, asked: int, size: int) -> float:
    """Return the CPU seconds of looking ``asked`` new ids up, ``size`` at a time, without taking them in."""
    spent = 0.0
    days, contents = np.full(size, DAY), np.zeros(size, np.int64)
    for _ in range(0, asked, size):
        ids = draw_ids(draw, size)
        start = time.process_time()
        Seen(folder, manifest.seen_runs([DAY])).sort_out(days, ids, contents)
        spent += time.process_time() - start
    return spent


def main() -> None:
    """Fill a day, then measure look-ups among its ids."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--known", type=int, default=100_000_000)
    parser.add_argument("--asked", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where to write; the system's temporary folder by default")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        folder = Path(scratch)
        room = shutil.disk_usage(folder).free
        known = asked.known if room > 60 * asked.known else min(asked.known, 20_000_000)
        print(f"{platform.machine()}, Python {platform.python_version()}; {known:,} known ids of one day, synthetic")
        manifest, draw = Manifest(folder), np.random.default_rng(7)
        calling, merging, written = fill(folder, manifest, draw, known)
        runs = manifest.seen_runs([DAY])
        held, size = sum(run.rows for run in runs), sum(run.bytes for run in runs)
        print(f"taking in: {1e6 * calling / held:.2f} CPU µs an event, merging {1e6 * merging / held:.2f}")
        print(f"on disk: {size / held:.1f} bytes an id, {len(runs)} files; an id was merged {written / held:.2f} times")
        for batch in (CALL_ROWS, 20_000, 1_000):
            spent = look_up(folder, manifest, draw, min(asked.asked, 200 * batch), batch)
            print(f"looking up {batch:,} at a time: {1e6 * spent / min(asked.asked, 200 * batch):.2f} CPU µs an event")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"peak resident: {peak:,.0f} MB, of which mapped files that the system may drop at any time")
        levels = math.log(1e9 / CALL_ROWS, FAN_OUT)
        print(
            f"a billion ids, extrapolated and not measured: {size / held:.0f} GB, at most {FAN_OUT - 1} files on each "
            f"of {math.ceil(levels)} levels, each id written {1 + math.floor(levels)} times"
        )


if __name__ == "__main__":
    main()
