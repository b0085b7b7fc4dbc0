"""Promises: planted means and shares are found, intervals cover, and each verdict follows from the whole interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from parcours.blueprint.records import Blueprint, EventMatch, Operation, OperationMeasure, Panel, Promise
from parcours.measure.contract import Ask, Result
from parcours.measure.promised import Lots, hold_events
from parcours.measure.promises import judge, measure_promises
from parcours.words import Words

DAY_MS = 86_400_000
START_MS = 1_767_571_200_000
LABEL = Words(fr="Promis", en="Promised")
DELAY = OperationMeasure(unit="h", field="hours")


def declare(
    blueprint: Blueprint, measure: OperationMeasure = DELAY, panel: Panel | None = None, **promises: Promise
) -> Blueprint:
    """Return the blueprint with one operation and the promises of some touchpoints, by their ids."""
    slow = Operation(
        id="delay", label=LABEL, owner="care", events=(EventMatch(name="D"),), supports=("t0",), measure=measure
    )
    touchpoints = tuple(
        msgspec.structs.replace(touchpoint, promise=promises.get(touchpoint.id)) for touchpoint in blueprint.touchpoints
    )
    return msgspec.structs.replace(blueprint, operations=(slow,), panel=panel, touchpoints=touchpoints)


def promise(metric: str = "delay", at_least: float | None = None, at_most: float | None = None) -> Promise:
    return Promise(label=LABEL, metric=metric, at_least=at_least, at_most=at_most)


def make_work(site: Sequence[str | None], days: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    moments = [START_MS + round(day * DAY_MS) for day in days]
    return {"operation": [0] * len(days), "occurred_ms": moments, "site": site, "value": values}


def ask(rows: Any, blueprint: Blueprint, by: str | None = None) -> Result:
    return measure_promises(Ask(rows, blueprint, by))


@pytest.mark.parametrize(
    ("bounds", "low", "high", "kept"),
    [
        ({"at_most": 5.0}, 3.0, 5.0, "kept"),
        ({"at_most": 5.0}, 3.0, 5.1, "uncertain"),
        ({"at_most": 5.0}, 5.1, 6.0, "broken"),
        ({"at_least": 5.0}, 5.0, 6.0, "kept"),
        ({"at_least": 5.0}, 3.0, 4.9, "broken"),
        ({"at_least": 3.0, "at_most": 5.0}, 3.5, 4.5, "kept"),
        ({"at_least": 3.0, "at_most": 5.0}, 2.5, 4.5, "uncertain"),
        ({"at_least": 3.0}, float("nan"), float("nan"), "not_measured"),
    ],
)
def test_the_whole_interval_decides(bounds: dict[str, float], low: float, high: float, kept: str) -> None:
    assert judge(Promise(label=LABEL, metric="delay", **bounds), low, high) == kept


def test_the_planted_mean_and_share_are_found(
    open_rows: Callable[..., Any], blueprint: Blueprint, random: np.random.Generator
) -> None:
    levels = {f"s{i}": 20 + shift for i, shift in enumerate(random.normal(0, 1, 30))}
    sites = [site for site in levels for _ in range(40)]
    values = [levels[site] + float(random.normal(0, 4)) for site in sites]
    rows = open_rows(operations=make_work(sites, [i % 70 for i in range(len(sites))], values))
    (row,) = ask(rows, declare(blueprint, t0=promise(at_most=24.0))).rows
    # Events spread as √(1 + 16) about 20, and 24 lies 0.97 of that above: 83.4 % are inside.
    assert row["low"] < 20 < row["high"]
    assert row["share_low"] < 0.834 < row["share_high"]
    assert row["value"] == pytest.approx(np.mean(values))
    assert row["kept_share"] == pytest.approx(np.mean(np.array(values) <= 24))
    assert (row["kept"], row["n"], row["clusters"], row["clustered_by"]) == ("kept", 1200, 30, "site")
    # Sites that differ make the interval wider than 1,200 independent events would.
    assert row["high"] - row["low"] > 1.2 * 2 * 1.96 * np.std(values) / np.sqrt(1200)


def test_clustered_intervals_cover_at_their_rate(random: np.random.Generator) -> None:
    found = []
    for _ in range(800):
        sites = random.integers(10, 60, 25)
        cluster = np.repeat(np.arange(25), sites)
        values = 20 + random.normal(0, 1.5, 25)[cluster] + random.normal(0, 4, len(cluster))
        ones = np.ones(len(cluster))
        inside = (values <= 24).astype(np.float64)
        held = hold_events(Lots(cluster, np.zeros(len(cluster), np.int64), ones, values, inside), False)
        found.append((held.low <= 20 <= held.high, held.share_low <= 0.8256 <= held.share_high))
    mean, share = np.mean(found, axis=0)
    # The true share: 4 over √(1.5² + 4²) is 0.936, under which lie 82.56 %. Monte Carlo error at 95 %: 0.008.
    assert 0.925 < mean < 0.975
    assert 0.925 < share < 0.98


def test_few_sites_leave_days_as_clusters(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    days = [i / 2 for i in range(40)]
    rows = open_rows(operations=make_work(["a", "b"] * 20, days, [float(i % 7) for i in range(40)]))
    (row,) = ask(rows, declare(blueprint, t0=promise(at_most=5.0))).rows
    assert (row["clustered_by"], row["clusters"]) == ("day", 20)


def test_bad_events_take_the_interval_of_a_share(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    measure = OperationMeasure(unit="share", field="status", bad=("late",))
    rows = open_rows(operations=make_work([None] * 120, [i / 2 for i in range(120)], [0.0] * 120))
    (row,) = ask(rows, declare(blueprint, measure, t0=promise(at_most=0.02))).rows
    # Sixty good days in a row, two events each, do not yet prove 2 %.
    assert row["value"] == 0
    assert row["high"] == pytest.approx(0.0626, abs=0.001)
    assert row["kept"] == "uncertain"


def test_a_counted_operation_counts_empty_cells_too(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    counted = OperationMeasure(unit="incidents", count=True)
    days = [0.0, *(7.0 * week + 1 for week in range(1, 13, 2) for _ in range(3)), 7.0 * 13]
    rows = open_rows(operations=make_work([None] * len(days), days, [1.0] * len(days)))
    panel = Panel(period="week")
    (row,) = ask(rows, declare(blueprint, counted, panel, t0=promise(at_most=2.0))).rows
    # Whole weeks 1 to 12: three incidents in six of them, none in the others.
    assert (row["value"], row["kept_share"], row["n"], row["clustered_by"]) == (1.5, 0.5, 12, "period")


def test_scores_are_held_as_a_mean_or_as_the_metric(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    scores = [3.0, 4.0, 5.0, 5.0] * 10
    answers = {
        "customer": list(range(40)), "touchpoint": [0] * 40, "occurred_ms": [START_MS] * 40, "score": scores,
    }  # fmt: skip
    rows = open_rows(answers=answers)
    (mean,) = ask(rows, declare(blueprint, t0=promise("experience", at_least=4.0))).rows
    assert (mean["value"], mean["kept_share"], mean["unit"], mean["kept"]) == (4.25, 0.75, "points (1–5)", "uncertain")
    # Without ties between answers: t(39) on the plain standard error.
    assert mean["low"] == pytest.approx(4.25 - 2.0227 * np.std(scores, ddof=1) / np.sqrt(40), abs=1e-3)
    (share,) = ask(rows, declare(blueprint, t0=promise("experience", at_least=0.9))).rows
    assert (share["value"], share["kept_share"], share["unit"], share["kept"]) == (0.75, None, "share", "broken")


def test_too_little_is_not_measured(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    rows = open_rows(operations=make_work(["a"] * 9, [float(i) for i in range(9)], [1.0] * 9))
    result = ask(rows, declare(blueprint, t0=promise(at_most=5.0), t1=promise("experience", at_least=4.0)))
    for row, n in zip(result.rows, (9, 0), strict=True):
        assert (row["kept"], row["value"], row["low"], row["kept_share"], row["n"]) == ("not_measured", *[None] * 3, n)
    assert "not measured" in result.warnings[0].en


def test_a_long_tail_behind_a_kept_mean_is_said(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    days = [i / 10 for i in range(600)]
    work = make_work([None] * 600, days, [100.0 if i % 4 == 3 else 1.0 for i in range(600)])
    result = ask(open_rows(operations=work), declare(blueprint, t0=promise(at_most=48.0)))
    assert (result.rows[0]["kept"], result.rows[0]["kept_share"]) == ("kept", 0.75)
    assert "Share kept" in result.warnings[0].en
    assert "t0" in result.warnings[0].en


def test_weeks_add_up_to_the_whole(
    open_rows: Callable[..., Any], blueprint: Blueprint, random: np.random.Generator
) -> None:
    sites = [f"s{i % 8}" for i in range(320)]
    days = [float(i // 8) for i in range(320)]
    rows = open_rows(operations=make_work(sites, days, random.gamma(2, 2, 320).tolist()))
    company = declare(blueprint, t0=promise(at_most=5.0))
    (whole,), weeks = ask(rows, company).rows, ask(rows, company, "week").rows
    assert [row["week"] for row in weeks][:2] == ["2026-01-05", "2026-01-12"]
    assert sum(row["n"] for row in weeks) == whole["n"] == 320
    assert sum(row["n"] * row["value"] for row in weeks) / 320 == pytest.approx(whole["value"])
    assert {row["clusters"] for row in weeks} == {8}


def test_without_promises_the_reader_is_told(open_rows: Callable[..., Any], blueprint: Blueprint) -> None:
    result = ask(open_rows(), declare(blueprint))
    assert result.rows == ()
    assert "promise" in result.warnings[0].en
