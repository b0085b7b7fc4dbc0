"""Compaction and replay killed at random moments, again and again, until all is taken over; and what must hold then."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from tests.boutique import (
    copy_company,
    count_pending,
    deliver,
    describe,
    draw_stream,
    make_company,
    take_over,
    write_blueprint,
)

from parcours import company as companies
from parcours import flow
from parcours.collect.compaction import quarantine
from parcours.company import Company

# A few events at a time, so that one run commits often: the process itself is the product's.
CHILD = """
import sys
from pathlib import Path
from parcours import company as companies, flow
from parcours.collect import company_lock
from parcours.collect.compaction import compact
from parcours.collect import replay
compact.MOST_EVENTS = 12
replay.LOTS = 1
company = companies.open(Path(sys.argv[1]))
company.know.door()
print("ready", flush=True)
sys.stdin.readline()
if sys.argv[2] == "replay":
    flow.replay(company)
else:
    with company_lock(company.folder, 20):
        flow.collect_live(company)
print("done", flush=True)
"""
MOST_ROUNDS = 400


class Killed(NamedTuple):
    """How it went: times that the process was killed in the middle, and times that it ended by itself."""

    kills: int
    ended: int


def run_and_kill(folder: Path, what: str, draw: random.Random, longest_s: float) -> bool:
    """Start the work, kill it within ``longest_s``; return whether it had not ended yet."""
    command = [sys.executable, "-c", CHILD, str(folder), what]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    process.stdin.write(b"\n")
    process.stdin.flush()
    time.sleep(draw.uniform(0, longest_s))
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    told, complaint = process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGKILL), complaint.decode()[-2000:]
    return running and b"done" not in told


def kill_compaction(place: Path, kills: int, seed: int) -> Killed:
    """Kill compaction ``kills`` times in one company, then let it end; assert that nothing shows of it."""
    draw = random.Random(seed)
    company = make_company(place / "shop")
    events = list(draw_stream(draw, 40 * kills))
    events = [event | {"event": "Nobody Knows"} if draw.random() < 0.03 else event for event in events]
    started = time.monotonic()
    calm = _fill(company, events[:200], place / "trial")
    take_over(calm)
    longest_s = max(0.15, (time.monotonic() - started) / 2)
    shutil.rmtree(place / "trial")
    calm = _fill(company, events, place / "calm")
    spoilt = copy_company(calm, place / "spoilt")
    done = _kill_until(spoilt, "compact", kills, draw, longest_s)
    take_over(calm)
    take_over(companies.open(spoilt.folder))
    _assert_same(calm, spoilt)
    return done


def kill_replay(place: Path, kills: int, seed: int) -> Killed:
    """Kill replay ``kills`` times in one company whose blueprint was mended; assert that each event came once."""
    draw = random.Random(seed)
    company = make_company(place / "shop")
    events = [event | {"event": "Known Later"} for event in draw_stream(draw, 30 * kills)]
    calm = _fill(company, events, place / "calm")
    with patch.object(quarantine, "AT_ONCE", 5):
        take_over(calm)
    write_blueprint(calm.folder, more_events="Known Later")
    calm = companies.open(calm.folder)
    spoilt = copy_company(calm, place / "spoilt")
    done = _kill_until(spoilt, "replay", kills, draw, 0.5)
    flow.replay(calm)
    flow.replay(companies.open(spoilt.folder))
    _assert_same(calm, spoilt)
    return done


def _fill(company: Company, events: list[dict[str, object]], place: Path) -> Company:
    """Return a copy of ``company`` whose journal has accepted ``events``, a few a batch."""
    copy = copy_company(company, place)
    for start in range(0, len(events), 9):
        deliver(copy, *events[start : start + 9], received_ms=time.time_ns() // 1_000_000 - 60_000 + start)
    return copy


def _kill_until(company: Company, what: str, kills: int, draw: random.Random, longest_s: float) -> Killed:
    killed = ended = 0
    for _ in range(MOST_ROUNDS * max(1, kills // 20)):
        if killed >= kills or (what == "compact" and not count_pending(company.folder)):
            break
        if run_and_kill(company.folder, what, draw, longest_s):
            killed += 1
        else:
            ended += 1
            break
    return Killed(killed, ended)


def _assert_same(calm: Company, spoilt: Company) -> None:
    expected, found = describe(calm), describe(companies.open(spoilt.folder))
    for name, value in expected.items():
        assert found[name] == value, name
