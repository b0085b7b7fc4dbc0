"""Metrics: every figure that the reference lists is there, and a parser of Prometheus' own reads it."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from parcours.collect.http.tally import Tally
from parcours.collect.overview import Overview
from parcours.engine.store.figures import Group, Waits
from parcours.serving.metrics import Process, write_metrics
from parcours.words import Words

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "operate.md"


def make_overview() -> Overview:
    group = Group("web", "unknown_event", 7, 1, 2, (Words("a", "a"),))
    return Overview(
        now_ms=10_000, sources=(), events=(group,), rows=(), destinations=(), batches=3, backlog=Waits(120, 4_000)
    )


def test_what_two_workers_counted_is_summed() -> None:
    one, other = Tally(), Tally(connected=True)
    one.accept("web", 100, 5_000, False, 1)
    other.accept("web", 50, 2_000, True, 2)
    other.accept("app", 1, 10, False, 3)
    one.refuse("busy")
    other.refuse("busy")
    for seconds in (0.004, 0.2, 9.0):
        one.time(seconds)
    told = write_metrics([one, other], make_overview(), [Process("writer", True, 2)]).decode()
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert found["parcours_events_accepted_total", "web"] == 150
    assert found["parcours_requests_retried_total", "web"] == 1
    assert found["parcours_requests_refused_total", "busy"] == 2
    assert found["parcours_workers_connected",] == 1
    assert found["parcours_backlog_events",] == 120
    assert found["parcours_lag_seconds",] == 6.0
    assert found["parcours_quarantine_events", "unknown_event", "web"] == 7
    assert found["parcours_process_restarts_total", "writer"] == 2
    assert found["parcours_request_seconds_bucket", "0.005"] == 1
    assert found["parcours_request_seconds_bucket", "0.25"] == 2
    assert found["parcours_request_seconds_bucket", "+Inf"] == 3
    assert found["parcours_request_seconds_count",] == 3


def test_the_reference_lists_exactly_what_is_there() -> None:
    told = write_metrics([Tally()], make_overview(), [Process("writer", True, 0)]).decode()
    there = {family.name for family in text_string_to_metric_families(told)}
    listed = set(re.findall(r"^\| `(parcours_\w+)`", REFERENCE.read_text("utf-8"), re.MULTILINE))
    assert there == listed


def test_before_anything_came_there_is_a_whole_answer() -> None:
    assert b"parcours_backlog_events 120.0" in write_metrics([], make_overview())
