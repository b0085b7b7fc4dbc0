"""How long the journey questions take over touches in Parquet, beside a bare scan of one column as the floor.

    python benchmarks/journeys.py [--touches 10000000] [--folder DIR]

Prints CPU and wall seconds (the best of three runs, Parquet read each time), rows, and the ratio to the floor. Asserts
nothing about time.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.blueprint import records
from parcours.engine.sql.engines import open_engine
from parcours.engine.sql.step import Step, Table
from parcours.measure import funnel, journey, passages, stays, transitions
from parcours.measure.contract import Ask
from parcours.measure.questions import Questions
from parcours.words import Words

TOUCHPOINTS, STAGES, CHANNELS, DAY_MS = 30, 6, 5, 86_400_000
START_MS = 1_735_689_600_000
BUNDLES = {"bundles": passages.BUNDLES}
FLOOR = Step(
    name="benchmark_floor",
    text="select touchpoint, count(*) as touches from touches group by touchpoint",
    reads=("touches",),
    gives={"touchpoint": "int", "touches": "int"},
)
TRANSITION_MATRIX = Step(
    name="benchmark_transition_matrix",
    text="select previous, touchpoint, count(*) as passages from touches where previous is not null "
    "group by previous, touchpoint",
    reads=("touches",),
    gives={"previous": "int", "touchpoint": "int", "passages": "int"},
)
STEP_MATRIX = Step(
    name="benchmark_step_matrix",
    text="select step, touchpoint, count(*) as touches from touches where step <= 10 group by step, touchpoint",
    reads=("touches",),
    gives={"step": "int", "touchpoint": "int", "touches": "int"},
)

FUNNEL_COUNTS = Step(
    name="benchmark_funnel_counts",
    text="select customer, step, touchpoint from touches where touchpoint in $touchpoints",
    reads=("touches",),
    gives={"customer": "int", "step": "int", "touchpoint": "int"},
    sample={"touchpoints": (1, 2)},
)


def make_touches(count: int, path: Path) -> None:
    """Write ``count`` touches of customers with about 100 each, a walk over the touchpoints, as `know` sorts them."""
    random = np.random.default_rng(7)
    customers = max(count // 100, 1)
    sizes = random.multinomial(count, random.dirichlet(np.full(customers, 2.0)))
    customer = np.repeat(np.arange(customers, dtype=np.int32), sizes)
    first = np.append(True, customer[1:] != customer[:-1])
    begin = np.flatnonzero(first)
    step = (np.arange(count) - np.repeat(begin, sizes[sizes > 0]) + 1).astype(np.int32)
    touchpoint = ((random.integers(0, 9, count).cumsum() + random.integers(0, 2, count)) % TOUCHPOINTS).astype(np.int16)
    gap = random.exponential(2 * DAY_MS / 3, count).astype(np.int64) * (random.random(count) < 0.4) + 60_000
    gap[first] = random.integers(0, 90 * DAY_MS, len(begin))
    total = gap.cumsum()
    occurred = START_MS + total - np.repeat(total[begin] - gap[begin], sizes[sizes > 0])
    session_starts = (gap > transitions.IDLE_MS) | first
    session = session_starts.cumsum()
    session = (session - np.repeat(session[begin], sizes[sizes > 0]) + 1).astype(np.int32)
    columns: dict[str, Any] = {
        "customer": customer,
        "event_no": np.arange(count),
        "occurred_ms": occurred,
        "touchpoint": touchpoint,
        "stage": (touchpoint // (TOUCHPOINTS // STAGES)).astype(np.int16),
        "channel": (touchpoint % CHANNELS).astype(np.int16),
        "previous": pa.array(np.append(np.int16(0), touchpoint[:-1]), mask=first),
        "gap_ms": pa.array(gap, mask=first),
        "step": step,
        "session": session,
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def make_blueprint() -> records.Blueprint:
    """Return a blueprint of thirty touchpoints in six stages, with a designed journey of five steps."""
    names = [f"t{i}" for i in range(TOUCHPOINTS)]
    stages = [f"s{i}" for i in range(STAGES)]
    label = Words(fr="x", en="x")
    return records.Blueprint(
        company=records.Company(id="bench", label=label, synthetic=True),
        stages=tuple(records.Stage(id=stage, label=label, deadline_ms=30 * DAY_MS) for stage in stages),
        channels=tuple(records.Channel(id=f"c{i}", label=label, kind="digital") for i in range(CHANNELS)),
        teams=(records.Team(id="team", label=label),),
        touchpoints=tuple(
            records.Touchpoint(
                id=name,
                label=label,
                stage=stages[i // (TOUCHPOINTS // STAGES)],
                channel=f"c{i % CHANNELS}",
                owner="team",
                events=(records.EventMatch(name=name),),
            )
            for i, name in enumerate(names)
        ),
        journey=records.Step(sequence=tuple(records.Step(touchpoint=name) for name in names[2::6])),
    )


class Rows:
    """What a measure reads, straight from one Parquet file."""

    purpose = "benchmark"
    fingerprint = "benchmark"

    def __init__(self, path: Path, threads: int) -> None:
        schema = pq.read_schema(path)
        self.tables = {"touches": Table("touches", (path,), dict.fromkeys(schema.names, "int"))}
        times = pq.read_table(path, columns=["occurred_ms"])["occurred_ms"].to_numpy()
        self.period = (int(times.min()), int(times.max()))
        self._engine = open_engine("duckdb", 1200, threads)

    def run(self, step: Step, **parameters: Any) -> pa.Table:
        """Answer one step."""
        return self._engine.run(step, self.tables, **parameters)


def count_funnel(rows: Rows, levels: tuple[int, ...]) -> pa.Table:
    """Count who reached each level, without the times: a row number stands in for the clock."""
    columns = Questions(rows).ask(FUNNEL_COUNTS, touchpoints=levels)  # type: ignore[arg-type]
    touches = stays.sort_touches(columns | {"occurred_ms": columns["step"]})
    reached = funnel.follow(touches, [np.array([level]) for level in levels], None).reached_ms
    return pa.table({"reached": (reached >= 0).sum(axis=1)})


def take_time(work: Callable[[], Any], runs: int = 3) -> tuple[float, float, int]:
    """Return the best CPU and wall seconds of ``runs`` runs, and how many rows came out."""
    best_cpu = best_wall = float("inf")
    rows = 0
    for _ in range(runs):
        cpu, wall = time.process_time(), time.perf_counter()
        answer = work()
        best_cpu = min(best_cpu, time.process_time() - cpu)
        best_wall = min(best_wall, time.perf_counter() - wall)
        rows = answer.num_rows if isinstance(answer, pa.Table) else len(answer.rows)
    return best_cpu, best_wall, rows


def main() -> None:
    """Make the touches, time every question, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--touches", type=int, default=10_000_000)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--folder", type=Path, default=None)
    chosen = arguments.parse_args()
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="parcours-journeys-"))
    path = folder / f"touches-{chosen.touches}.parquet"
    if not path.exists():
        make_touches(chosen.touches, path)
    rows, blueprint = Rows(path, chosen.threads), make_blueprint()
    levels = tuple(range(2, TOUCHPOINTS, 6))
    ask = Ask(rows, blueprint)  # type: ignore[arg-type]
    idle = int(np.iinfo(np.int64).max)
    work: dict[str, Callable[[], Any]] = {
        "floor: one-column group by": lambda: rows.run(FLOOR),
        "SQL transition matrix": lambda: rows.run(TRANSITION_MATRIX),
        "SQL step matrix, 10 steps": lambda: rows.run(STEP_MATRIX),
        "ordered funnel of 5, counts": lambda: count_funnel(rows, levels),
        "SQL transitions by bundle": lambda: rows.run(passages.TRANSITIONS, **BUNDLES),
        "SQL gaps": lambda: rows.run(passages.GAPS, touchpoints=TOUCHPOINTS, idle_ms=idle, **BUNDLES),
        "SQL last touches": lambda: rows.run(passages.LAST_TOUCHES, **BUNDLES),
        "SQL funnel touches": lambda: rows.run(funnel.TOUCHES, touchpoints=levels),
        "SQL journey touches": lambda: rows.run(stays.TOUCHES),
        "measure funnel": lambda: funnel.MEASURE.compute(ask),
        "measure funnel, 7 days": lambda: funnel.MEASURE.compute(
            Ask(rows, blueprint, window_ms=7 * DAY_MS)  # type: ignore[arg-type]
        ),
        "measure transitions": lambda: transitions.MEASURE.compute(ask),
        "measure transitions by step": lambda: transitions.MEASURE.compute(
            Ask(rows, blueprint, by="step")  # type: ignore[arg-type]
        ),
        "measure journey": lambda: journey.MEASURE.compute(ask),
    }
    print(f"{platform.machine()}, {platform.processor() or 'unknown CPU'}, Python {platform.python_version()}")
    print(f"{chosen.touches:,} touches, {path.stat().st_size / 1e6:.0f} MB of Parquet, {chosen.threads} threads\n")
    print(f"{'question':32} {'CPU s':>8} {'wall s':>8} {'rows':>10} {'× floor':>8}")
    floor = None
    for name, task in work.items():
        cpu, wall, count = take_time(task)
        floor = floor or cpu
        print(f"{name:32} {cpu:8.3f} {wall:8.3f} {count:10,} {cpu / floor:8.1f}", flush=True)


if __name__ == "__main__":
    main()
