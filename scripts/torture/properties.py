#!/usr/bin/env python3
"""Try each property that names its number of examples on thousands: every test file that reads PARCOURS_EXAMPLES.

Usage: scripts/torture/properties.py [--examples 3000] [--seed 1] [PATH ...]     PATH is a folder or file of tests
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
VARIABLE = "PARCOURS_EXAMPLES"


def list_files(places: list[Path]) -> Iterator[Path]:
    """Yield the test files below ``places`` that read the variable, by themselves or through a module beside them."""
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("test_*.py")):
            text = path.read_text("utf-8")
            beside = [other for other in path.parent.glob("*.py") if not other.name.startswith("test_")]
            named = [other for other in beside if f"import {other.stem}" in text or f"{other.stem} import" in text]
            if any(VARIABLE in one.read_text("utf-8") for one in (path, *named)):
                yield path


def main() -> int:
    """Run them file by file; return 1 when one failed, or when there was none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--examples", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("places", nargs="*", type=Path, metavar="PATH", default=[ROOT / "tests"])
    asked = parser.parse_args()
    files, failed = list(list_files([place.resolve() for place in asked.places])), []
    for path in files:
        name, started = path.relative_to(ROOT), time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", f"--hypothesis-seed={asked.seed}", str(path)]
        environment = {**os.environ, VARIABLE: str(asked.examples)}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
        print(f"{time.monotonic() - started:7.0f} s  {name}: {done.stdout.strip().splitlines()[-1]}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout[-6_000:], flush=True)
    print(f"{len(files)} files, {asked.examples:,} examples each, seed {asked.seed}: {len(failed)} failed")
    return int(bool(failed) or not files)


if __name__ == "__main__":
    sys.exit(main())
