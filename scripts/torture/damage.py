"""Cut, flip, zero, double and reorder the bytes of every kept file; check that the company tells the truth or says so.

Usage: python scripts/torture/damage.py [--cases 1000] [--seed 1] [--minutes M] [--folder DIR]
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.spoiling import Case, draw_cases, find_truth, make_companies, try_case

EVERY = 100
WORDS = ("harmless", "mended", "named", "prefix", "missed", "WRONG")


def count_by_file(counted: Counter[tuple[str, str]]) -> str:
    """Return a table of what became of the cases, a line for each kind of file."""
    lines = ["".join((f"{'file':18}", *(f"{word:>10}" for word in WORDS)))]
    for kind in sorted({kind for kind, _ in counted}):
        lines.append("".join((f"{kind:18}", *(f"{counted[kind, word]:10,}" for word in WORDS))))
    sums = (sum(count for (_, said), count in counted.items() if said == word) for word in WORDS)
    return "\n".join([*lines, "".join((f"{'all':18}", *(f"{total:10,}" for total in sums)))])


def name_kind(case: Case) -> str:
    """Return the kind of file that a case harms: its folder, or its name."""
    return case.file.parts[0]


def main() -> int:
    """Try the cases one after the other; print what went wrong at once, and at the end what became of all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no case after so many")
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    faulthandler.enable()
    counted: Counter[tuple[str, str]] = Counter()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        place = Path(folder)
        companies = make_companies(place)
        truth = find_truth(companies, place)
        for case in draw_cases(companies, asked.cases, asked.seed):
            if time.monotonic() - started > 60 * asked.minutes:
                break
            verdict = try_case(case, companies, truth, place)
            counted[name_kind(case), verdict.word] += 1
            if verdict.word in ("missed", "WRONG"):
                print(
                    f"{verdict.word} {case.number} ({case.state}, {case.file}, {case.harm}): {verdict.detail}",
                    flush=True,
                )
            if not (case.number + 1) % EVERY:
                print(f"{case.number + 1:,} cases in {time.monotonic() - started:.0f} s", flush=True)
    print(count_by_file(counted))
    wrong = sum(count for (_, word), count in counted.items() if word == "WRONG")
    print(f"{counted.total():,} cases from seed {asked.seed} in {time.monotonic() - started:.0f} s, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
