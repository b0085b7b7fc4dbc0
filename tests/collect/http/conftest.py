"""A running collector for the tests of collection over HTTP: one for the session, and as many as a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.collect.http.collector import Collector


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """Return the collector that the tests share; none may leave it other than it was."""
    one = Collector(tmp_path_factory.mktemp("company")).start()
    yield one
    one.close()


@pytest.fixture
def start_collector(tmp_path: Path) -> Iterator[Callable[..., Collector]]:
    """Return what starts a collector of the test's own."""
    started: list[Collector] = []

    def start(**wanted: Any) -> Collector:
        one = Collector(tmp_path / f"company{len(started)}", **wanted)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        one.close()
