#!/usr/bin/env python3
"""Let coverage guide bytes through every reader of what strangers send: deliveries, signals, sign-ins and the like.

Usage: scripts/torture/fuzz.py [--runs 60000] [--seed 1] [NAME ...]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
DELIVERIES = "deliveries"


def main() -> int:
    """Run each; a finding is printed with its trace, and 1 returned."""
    from tests.fuzz.entrances import ENTRANCES
    from tests.fuzz.properties import PROPERTIES

    names = [DELIVERIES, *sorted({*PROPERTIES, *ENTRANCES})]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    asked = parser.parse_args()
    failed = []
    for name in asked.names or names:
        started = time.monotonic()
        guided = ["-m", "tests.fuzz.guided", name]
        script = ["tests/fuzz/fuzz_deliveries.py"] if name == DELIVERIES else guided
        with tempfile.TemporaryDirectory() as place:
            flags = [f"-runs={asked.runs}", f"-seed={asked.seed}", f"-artifact_prefix={place}/"]
            done = subprocess.run(
                [sys.executable, *script, *flags], cwd=ROOT, check=False, capture_output=True, text=True
            )
        print(f"{time.monotonic() - started:7.0f} s  {name}: {'held' if not done.returncode else 'FOUND'}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stderr[-6_000:], flush=True)
    print(f"{asked.runs:,} runs each, seed {asked.seed}: {len(failed)} with a finding {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
