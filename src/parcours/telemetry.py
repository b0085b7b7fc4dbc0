"""Spans for OpenTelemetry where its API is installed and somebody configured it; otherwise nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

AVAILABLE = find_spec("opentelemetry") is not None and find_spec("opentelemetry.trace") is not None


@contextmanager
def span(name: str, **figures: int | float | str) -> Iterator[None]:
    """Record what runs inside as a span of `parcours`, with figures about it; never with data of anybody.

    Without the API (extra ``otel``) this does nothing; without an SDK that the environment configures, the API itself
    does nothing.
    """
    if not AVAILABLE:
        yield
        return
    from opentelemetry import trace

    with trace.get_tracer("parcours").start_as_current_span(name, attributes=dict(figures)):
        yield
