"""Kill compaction at random moments, again and again; check that all is as if it had been left alone.

Usage: python scripts/torture/kill_compaction.py [--kills 250] [--seed 1] [--folder DIR]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.collect.compaction.killing import kill_compaction

ROUND = 25


def main() -> None:
    """Kill in rounds, each on a fresh company, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    started, kills, rounds = time.monotonic(), 0, 0
    while kills < asked.kills:
        rounds += 1
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            kills += kill_compaction(Path(folder), min(ROUND, asked.kills - kills), asked.seed + rounds).kills
        print(
            f"{kills} kills in {time.monotonic() - started:.0f} s: nothing lost, nothing half, nothing twice",
            flush=True,
        )


if __name__ == "__main__":
    main()
