"""An hour of 20,000 events a second through `parcours serve`; check that rate, memory and number of files hold steady.

Usage: python scripts/torture/hour.py [--minutes 60] [--rate 20000] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from collect import find_port, wait_for  # noqa: E402, I001
from serve import list_processes  # noqa: E402

PARCOURS = [sys.executable, "-m", "parcours"]
CONNECTIONS = 64
GROWTH = 1.35
"""How much more than in the first third memory and files may be in the last: caches fill, and nothing else grows."""


def rss_mb(pid: int) -> float:
    """Return the resident memory of a process now, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def prepare(folder: Path) -> str:
    """Make an empty company with one HTTP source; return its write key."""
    subprocess.run([*PARCOURS, "init", str(folder), "--template", "retail"], check=True, capture_output=True)
    for path in (folder / "sources").glob("*.yaml"):
        if path.stem != "live":
            path.unlink()
    command = [*PARCOURS, "key", str(folder), "add", "live"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def drive(port: int, key: str, rate: float, seconds: float) -> dict[str, float]:
    """Send for a while and return what came back."""
    command = [sys.executable, str(ROOT / "benchmarks" / "collect.py"), "--drive", str(port), "100", str(CONNECTIONS)]
    done = subprocess.run([*command, str(seconds), "--key", key, "--rate", str(rate)], capture_output=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main() -> int:
    """Run, print a line a minute, and say at the end whether it held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(dir=asked.folder))
    folder, pages, collect = place / "firm", find_port(), find_port()
    key = prepare(folder)
    command = [*PARCOURS, "serve", str(folder), "--port", str(pages), "--collect-port", str(collect)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    seen: list[tuple[float, float, int]] = []
    try:
        wait_for(collect)
        time.sleep(5)
        slice_s = min(60.0, asked.minutes * 60)
        for minute in range(max(1, round(asked.minutes * 60 / slice_s))):
            told = drive(collect, key, asked.rate, slice_s)
            memory = {name: rss_mb(pid) for name, pid in list_processes(server.pid).items()}
            files = [path for path in (folder / ".parcours").rglob("*") if path.is_file()]
            size = sum(path.stat().st_size for path in files if path.exists()) / 1e6
            rate = told["requests"] * 100 / slice_s
            seen.append((rate, sum(memory.values()), len(files)))
            shown = " ".join(f"{name} {mb:.0f}" for name, mb in memory.items())
            print(
                f"{minute + 1:3}: {rate:8,.0f} events/s  p99 {told['p99_ms']:5.0f} ms  {shown} MB  "
                f"{len(files)} files, {size:,.0f} MB  {told['statuses']}",
                flush=True,
            )
    finally:
        server.terminate()
        server.wait(90)
        shutil.rmtree(place, ignore_errors=True)
    return judge(seen, asked.rate)


def judge(seen: list[tuple[float, float, int]], rate: float) -> int:
    """Return 0 when the last third is like the first."""
    third = max(1, len(seen) // 3)
    first = [sum(column) / third for column in zip(*seen[:third], strict=True)]
    last = [sum(column) / third for column in zip(*seen[-third:], strict=True)]
    held = last[0] > 0.85 * rate and last[1] < GROWTH * first[1] and last[2] < GROWTH * first[2] + 200
    print(
        f"{'steady' if held else 'NOT steady'}: {first[0]:,.0f} → {last[0]:,.0f} events/s, "
        f"{first[1]:.0f} → {last[1]:.0f} MB, {first[2]:.0f} → {last[2]:.0f} files"
    )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
