"""How often `causes` finds the planted causes of the simulated firm, and how often its intervals hold the truth.

Run ``python benchmarks/causes.py`` (200 seeds, two settings and thin panels: about six minutes on 2 cores).
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from scipy import stats

from parcours.measure.adjustment import find_reaching
from parcours.measure.cells import Cells, gather_cells
from parcours.measure.effects import estimate
from parcours.measure.within import Floats
from parcours.simulate.design import MEETINGS, WORKS, Meeting
from parcours.simulate.panel import Draw, Silence, draw

PARENTS = {work.id: tuple(work.follows) for work in WORKS}
THIN = ((700, 30, 52), (3_500, 30, 52), (14_000, 30, 52), (28_000, 6, 52), (28_000, 10, 52), (28_000, 30, 16))
METHODS = ("causes", "causes, unweighted", "pooled OLS", "raw correlation")
Pairs = dict[tuple[str, str], tuple[float, float, float, float]]
"""(touchpoint, operation) → (effect, low, high, what ranks it: the lower, the worse)."""


def ask_causes(meeting: Meeting, cells: Cells, operations: list[str], weighted: bool = True) -> Pairs:
    """Ask the product's own estimator; unweighted, every visit counts as answered."""
    if not weighted:
        cells = cells._replace(visits=cells.answers)
    found = estimate(cells, operations, PARENTS, tuple(meeting.direct)).effects
    width = meeting.scale[1] - meeting.scale[0]
    return {(meeting.id, one.operation): (one.effect, one.low, one.high, one.high / width) for one in found}


def pool(meeting: Meeting, cells: Cells, operations: list[str]) -> Pairs:
    """Regress the cells' mean scores on every operation that reaches the touchpoint, without site or week."""
    reaching = find_reaching(PARENTS, tuple(meeting.direct))
    seen = cells.answers > 0
    columns = cells.operations[:, [operations.index(operation) for operation in reaching]]
    spread = np.sqrt(np.average((columns - np.average(columns, 0, cells.visits)) ** 2, 0, cells.visits))
    root = np.sqrt(cells.answers[seen])[:, None]
    design = root * np.column_stack([np.ones(int(seen.sum())), columns[seen]])
    outcome = root[:, 0] * cells.score_sum[seen] / cells.answers[seen]
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ outcome
    left = outcome - design @ slopes
    errors = np.sqrt(np.diag(inverse) * (left @ left) / (len(outcome) - design.shape[1]))
    width = meeting.scale[1] - meeting.scale[0]
    found: Pairs = {}
    for place, operation in enumerate(reaching):
        effect, error = slopes[1 + place] * spread[place], errors[1 + place] * spread[place]
        found[meeting.id, operation] = (effect, effect - 1.96 * error, effect + 1.96 * error, effect / width)
    return found


def correlate(meeting: Meeting, cells: Cells, operations: list[str]) -> Pairs:
    """Correlate the cells' mean scores with each operation: what a dashboard would do."""
    seen = cells.answers > 0
    mean = cells.score_sum[seen] / cells.answers[seen]
    found: Pairs = {}
    for operation in find_reaching(PARENTS, tuple(meeting.direct)):
        r = float(np.corrcoef(mean, cells.operations[seen, operations.index(operation)])[0, 1])
        found[meeting.id, operation] = (np.nan, np.nan, np.nan, r)
    return found


ESTIMATORS: dict[str, Callable[[Meeting, Cells, list[str]], Pairs]] = {
    "causes": ask_causes,
    "causes, unweighted": partial(ask_causes, weighted=False),
    "pooled OLS": pool,
    "raw correlation": correlate,
}


def run_seed(seed: int, silence: Silence) -> tuple[dict[str, Floats], Floats]:
    """Return for each method the rows (truth, effect, low, high, rank key, width of the scale), and the truth's gap."""
    drawn: Draw = draw(seed, silence=silence)
    truth = {(one.touchpoint, one.operation): one.effect for one in drawn.truth}
    rows: dict[str, list[list[float]]] = {method: [] for method in METHODS}
    for meeting in MEETINGS:
        visits = drawn.visits[meeting.id]
        cells = gather_cells(visits.site, visits.week, visits.score, drawn.operations)
        for method in METHODS:
            for pair, figures in ESTIMATORS[method](meeting, cells, list(drawn.operations)).items():
                rows[method].append([truth[pair], *figures, meeting.scale[1] - meeting.scale[0]])
    ordered = np.sort(np.array(list(truth.values())))
    return {method: np.array(found) for method, found in rows.items()}, np.array([ordered[3] - ordered[2]])


def summarise(tables: list[Floats]) -> dict[str, float]:
    """Return the figures of one method over all seeds, with the Monte Carlo error of coverage by seed."""
    stack = np.stack(tables)
    truth, effect, low, high, key, width = np.moveaxis(stack, 2, 0)
    held = (low <= truth) & (truth <= high)
    top = np.argsort(truth / width, axis=1)[:, :3]
    found = np.argsort(key, axis=1)[:, :3]
    hits = np.array([len(set(a) & set(b)) for a, b in zip(top, found, strict=True)])
    chosen = np.take_along_axis(effect, top, 1) / np.take_along_axis(truth, top, 1)
    others = (np.abs(truth) > 0.05) & (truth / width > np.take_along_axis(truth / width, top, 1).max(1, keepdims=True))
    ranks = [stats.spearmanr(t, k).statistic for t, k in zip(truth / width, key, strict=True)]
    return {
        "top": float((hits == 3).mean()),
        "top_error": float(np.sqrt((hits == 3).mean() * (hits != 3).mean() / len(hits))),
        "of_three": float(hits.mean()),
        "rank": float(np.mean(ranks)),
        "coverage": float(held.mean()),
        "coverage_error": float(held.mean(axis=1).std(ddof=1) / np.sqrt(len(held))),
        "intervals": float(held.size),
        "bias_top": float(chosen.mean() - 1),
        "bias_others": float((effect[others] / truth[others]).mean() - 1),
    }


def print_setting(silence: Silence, seeds: int, jobs: int) -> None:
    """Run one setting and print its table."""
    start = time.perf_counter()
    with ProcessPoolExecutor(jobs) as pool_of_jobs:
        done = list(pool_of_jobs.map(partial(run_seed, silence=silence), range(seeds), chunksize=4))
    gap = min(float(gap[0]) for _, gap in done)
    print(f"\nsilence={silence!r}: {seeds} seeds, smallest gap between third and fourth effect {gap:.3f} points")
    print(
        f"{'method':20s} {'top 3':>13s} {'of 3':>5s} {'rank r':>7s} {'95 % intervals hold':>26s} "
        f"{'bias':>7s} {'others':>7s}"
    )
    for method in METHODS:
        s = summarise([rows[method] for rows, _ in done])
        line = f"{method:20s} {s['top']:6.1%} ± {s['top_error']:4.1%} {s['of_three']:5.2f} {s['rank']:7.2f} "
        if method != "raw correlation":
            line += f"{s['coverage']:6.2%} ± {s['coverage_error']:.2%} of {s['intervals']:5.0f} "
            line += f"{s['bias_top']:+7.1%} {s['bias_others']:+7.1%}"
        print(line)
    print(f"{time.perf_counter() - start:.0f} s, {jobs} processes")


def hold_thin(seed: int, visits: int, sites: int, weeks: int) -> tuple[int, int]:
    """Return how many intervals of one small firm hold the truth, of how many that are shown."""
    drawn = draw(seed, visits=visits, sites=sites, weeks=weeks)
    truth = {(one.touchpoint, one.operation): one.effect for one in drawn.truth}
    shown = []
    for meeting in MEETINGS:
        met = drawn.visits[meeting.id]
        cells = gather_cells(met.site, met.week, met.score, drawn.operations)
        for pair, (_, low, high, _) in ask_causes(meeting, cells, list(drawn.operations)).items():
            if np.isfinite(low):
                shown.append(low <= truth[pair] <= high)
    return sum(shown), len(shown)


def print_thin(seeds: int, jobs: int) -> None:
    """Print how often the intervals hold where answers, sites or weeks are few."""
    print(f"\nthin panels, silence='explained', {seeds} seeds each")
    for visits, sites, weeks in THIN:
        ask = partial(hold_thin, visits=visits, sites=sites, weeks=weeks)
        with ProcessPoolExecutor(jobs) as pool_of_jobs:
            held = np.array(list(pool_of_jobs.map(ask, range(seeds), chunksize=4)), float)
        shown = held[held[:, 1] > 0]
        by_seed = shown[:, 0] / shown[:, 1]
        error = by_seed.std(ddof=1) / np.sqrt(len(by_seed))
        total = held.sum(axis=0)
        place = f"{sites} sites × {weeks} weeks, {visits:,} deliveries"
        print(f"{place:40s} {total[0] / total[1]:6.1%} ± {error:.1%} of {total[1]:.0f} intervals shown")


def main() -> None:
    """Print the machine and both settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    print(f"{platform.platform()}, {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print("± is one Monte Carlo standard error; bias: of the planted top three, and of the others above .05 points")
    settings: tuple[Silence, ...] = ("explained", "feeling")
    for silence in settings:
        print_setting(silence, options.seeds, options.jobs)
    print_thin(max(10, options.seeds // 4), options.jobs)


if __name__ == "__main__":
    main()
