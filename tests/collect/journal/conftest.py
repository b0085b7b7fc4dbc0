"""A running collector for the tests of the journal."""

from __future__ import annotations

from tests.collect.http.conftest import start_collector

__all__ = ["start_collector"]
