"""A running collector for the fuzzers."""

from __future__ import annotations

from tests.collect.http.conftest import collector

__all__ = ["collector"]
