"""Coverage-guided fuzzing of what is delivered: python tests/fuzz/fuzz_deliveries.py [CORPUS] [-runs=N] [-seed=N] …

Whatever the bytes, a reading keeps its promises (`keeping`); atheris looks for bytes that break one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "collect" / "compaction"))

with atheris.instrument_imports(include=["parcours.collect.compaction"]):
    from keeping import read_and_check

from shop import RECEIVED_MS, batch, track

from parcours.collect.journal.delivery import BATCH, CALLS, ROWS, Delivery

KINDS = (BATCH, BATCH, BATCH, ROWS, "merge", *CALLS)
SOURCES = ("web", "rudder", "jitsu", "gone")
GOOD = batch(track(messageId="a-good-one-before-and-after"))


def try_one(data: bytes) -> None:
    """Read the bytes as a delivery between two good ones: its first byte says of what kind and from where."""
    head, body = data[:1] or b"\0", data[1:]
    kind, source = KINDS[head[0] % len(KINDS)], SOURCES[head[0] // len(KINDS) % len(SOURCES)]
    found = read_and_check([GOOD, Delivery(source, kind, RECEIVED_MS, "", body), GOOD])
    places = found.place.tolist()
    assert places[0] == 0
    assert places[-1] == max([*places, *(bad.place + bad.events - 1 for bad in found.bad)])


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
