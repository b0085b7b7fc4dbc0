"""Spans: figures alone, recorded when an SDK is there, and nothing without one."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from parcours import telemetry


def test_a_span_carries_its_name_and_figures() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    with telemetry.span("commit", frames=3):
        pass
    (span,) = exporter.get_finished_spans()
    assert (span.name, dict(span.attributes or {})) == ("commit", {"frames": 3})


def test_without_the_api_what_is_inside_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "AVAILABLE", False)
    done = []
    with telemetry.span("commit"):
        done.append(1)
    assert done == [1]
