"""Kill the worker and the writer at random moments under load; check that nothing acknowledged is lost.

Usage: python scripts/torture/kill_ingest.py [--kills 500] [--clients 8] [--seed 1] [--folder DIR]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.collect.http.collector import Collector
from tests.collect.journal.killing import check_account, kill_at_random


def main() -> None:
    """Kill in rounds of fifty, each on a fresh company, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    started, left, total = time.monotonic(), asked.kills, dict[str, int]()
    while left > 0:
        kills = min(50, left)
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            collector = Collector(Path(folder)).start()
            try:
                counted = check_account(collector, kill_at_random(collector, kills, asked.clients, asked.seed + left))
            finally:
                collector.close()
        left -= kills
        total = {name: total.get(name, 0) + count for name, count in counted.items()}
        told = ", ".join(f"{count:,} {name}" for name, count in total.items())
        print(f"{asked.kills - left} kills in {time.monotonic() - started:.0f} s: {told}; none lost", flush=True)


if __name__ == "__main__":
    main()
