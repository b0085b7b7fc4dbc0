"""Kill replays at every step and at any moment; check that each event that was put back comes in exactly once.

Usage: python scripts/torture/kill_replay.py [--kills 250] [--seed 1] [--folder DIR]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.boutique import take_over
from tests.collect.compaction.killing import Killing, fill_shop, mend_shop, spread
from tests.dying import Nursery

from parcours import company as companies


def main() -> None:
    """Kill on fresh shops until there were enough kills, and print how it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    draw, nursery, started, done = random.Random(asked.seed), Nursery(), time.monotonic(), 0
    while done < asked.kills:
        with tempfile.TemporaryDirectory(dir=asked.folder) as place:
            base = fill_shop(Path(place) / "shop", asked.seed + done)
            take_over(companies.open(base))
            mend_shop(base)
            killing = Killing(nursery, "replay", base, Path(place))
            for step in spread(killing.steps, min(20, asked.kills - done)):
                killing.kill_at(step)
            if done + killing.kills < asked.kills:
                killing.kill_at(*(draw.randrange(1, killing.steps) for _ in range(5)))
                killing.kill_after(*(draw.uniform(0.01, 0.4) for _ in range(10)))
        done += killing.kills
        taken = time.monotonic() - started
        print(f"{done} kills of replay in {taken:.0f} s, of {killing.steps} steps: each event once", flush=True)
    nursery.close()


if __name__ == "__main__":
    main()
