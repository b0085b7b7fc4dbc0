"""Killed under load, worker, writer or both: nothing that was acknowledged is lost, none is there by half."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.collect.http.collector import Collector
from tests.collect.journal.killing import check_account, kill_at_random


@pytest.mark.slow
def test_twenty_four_kills(start_collector: Callable[..., Collector]) -> None:
    collector = start_collector()
    senders = kill_at_random(collector, kills=24, clients=6, seed=20261125)
    counted = check_account(collector, senders)
    assert counted["acknowledged"] > 100
    collector.still_takes_events()
