"""What compaction costs an event: journal to parts, with pseudonyms, vault, stamps and dedupe, beside a bare parse.

Usage: python benchmarks/compact.py [--events 400000] [--customers 40000] [--profile]

The events are those of benchmarks/collect.py (1 KB, synthetic). No free text is sent: masking is not part of this bar.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import resource
import tempfile
import time
from pathlib import Path

import msgspec

from collect import make_event
from parcours import company as companies
from parcours import flow
from parcours.blueprint.templates import template_path
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.opening import open_journal
from parcours.collect.journal.sealing import Sealer
from parcours.company import Company

BATCH = 100
FRAME = 40
CHANGES = 0.01
"""The share of events on which a customer has another choice than usual."""


class Bare(msgspec.Struct, gc=False):
    """An event as the floor parses it."""

    type: str
    messageId: str  # noqa: N815
    timestamp: str
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    event: str | None = None
    properties: msgspec.Raw = msgspec.Raw()


class BareBatch(msgspec.Struct, gc=False):
    """An envelope as the floor parses it."""

    batch: list[Bare]


def make_company(folder: Path) -> Company:
    """Return an empty company with one HTTP source, over the blueprint of the retail template."""
    text = (template_path("retail") / "blueprint.yaml").read_text("utf-8")
    (folder / "sources").mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(text, "utf-8")
    (folder / "sources" / "web.yaml").write_text("source: web\nconnector: http\n", "utf-8")
    return companies.open(folder)


def fill(company: Company, events: int, customers: int, seed: int) -> list[bytes]:
    """Append ``events`` to the journal of ``company`` and return their bodies."""
    chance = random.Random(seed)
    journal, close = open_journal(company.folder)
    sealer = Sealer(company.know.hour_key)
    bodies = []
    now_ms = time.time_ns() // 1_000_000
    for _ in range(events // BATCH):
        batch = [make_event(chance) for _ in range(BATCH)]
        for event in batch:
            event["event"] = "Page Viewed"
            customer = chance.randrange(customers)
            event["userId"], event["anonymousId"] = f"c{customer:07d}", f"a-{customer:07d}"
            # A customer's choice stands on every event, and changes once in a while.
            chosen = (customer % 2 == 0) != (chance.random() < CHANGES)
            event["context"]["consent"]["categoryPreferences"]["personalise"] = chosen
        bodies.append(msgspec.json.encode({"batch": batch, "sentAt": "2026-11-21T12:59:00.000Z"}))
    for start in range(0, len(bodies), FRAME):
        some = [Delivery("web", "batch", now_ms, "127.0.0.1", body) for body in bodies[start : start + FRAME]]
        journal.append([sealer.seal(some, BATCH * len(some))])
    close()
    return bodies


def main() -> None:
    """Measure the floor, then compaction twice: with new customers, and with the same ones again."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--customers", type=int, default=40_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as place:
        company = make_company(Path(place) / "firm")
        for seed, label in enumerate(("new customers", "known customers")):
            bodies = fill(company, asked.events, asked.customers, seed)
            decode = msgspec.json.Decoder(BareBatch).decode
            began = time.process_time()
            for body in bodies:
                decode(body)
            floor = (time.process_time() - began) / asked.events * 1e6
            profiler = None
            if asked.profile:
                import cProfile

                profiler = cProfile.Profile()
                profiler.enable()
            began, wall = time.process_time(), time.perf_counter()
            done = flow.collect_live(company)
            cost = (time.process_time() - began) / asked.events * 1e6
            if profiler:
                import pstats

                profiler.disable()
                pstats.Stats(profiler).sort_stats("tottime").print_stats(28)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{label:16} kept {done.kept:,} duplicates {done.duplicates} quarantined {done.quarantined}: "
                f"{cost:.2f} CPU µs/event, {cost / floor:.1f} × a bare parse ({floor:.2f}), "
                f"{time.perf_counter() - wall:.1f} s wall, {memory:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
