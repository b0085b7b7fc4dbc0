"""Kill compaction at every step and at any moment, and a keeper under load; check that nothing is lost or different.

Usage: python scripts/torture/kill_compaction.py [--kills 250] [--clients 4] [--seed 1] [--folder DIR]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.collect.compaction.killing import Killing, fill_shop, kill_keeper_under_load, spread
from tests.dying import Nursery


def kill_steps(kills: int, seed: int, folder: Path | None) -> int:
    """Kill forked compactions of fresh shops: at steps spread over all of them, then at random ones and moments."""
    draw, nursery, done = random.Random(seed), Nursery(), 0
    while done < kills:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            killing = Killing(nursery, "take over", fill_shop(Path(place) / "shop", seed + done), Path(place))
            for step in spread(killing.steps, min(20, kills - done)):
                killing.kill_at(step)
            if done + killing.kills < kills:
                killing.kill_at(*(draw.randrange(1, killing.steps) for _ in range(5)))
                killing.kill_after(*(draw.uniform(0.01, 0.3) for _ in range(10)))
        done += killing.kills
        print(f"{done} kills of compaction, of {killing.steps} steps: nothing lost, nothing different", flush=True)
    nursery.close()
    return done


def main() -> None:
    """Half of the kills hit forked compactions, the others a keeper while clients send; print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=250)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    started, acknowledged, done = time.monotonic(), 0, 0
    while done < asked.kills // 2:
        kills = min(25, asked.kills // 2 - done)
        with tempfile.TemporaryDirectory(dir=asked.folder) as place:
            counted = kill_keeper_under_load(Path(place), kills, asked.clients, asked.seed + done)
        done += kills
        acknowledged += counted["acknowledged"]
        print(f"{done} kills of the keeper: {acknowledged:,} events acknowledged, each kept once", flush=True)
    done += kill_steps(asked.kills - done, asked.seed, asked.folder)
    print(f"{done} kills in {time.monotonic() - started:.0f} s, {acknowledged:,} events under load; none lost or twice")


if __name__ == "__main__":
    main()
