"""Killed at every kind of step and at any moment: nothing lost, half there or there twice, and nothing different."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.boutique import take_over
from tests.collect.compaction.killing import Killing, fill_shop, kill_keeper_under_load, mend_shop, spread
from tests.dying import Nursery

from parcours import company as companies

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


def test_killed_at_a_step_compaction_ends_as_if_it_had_not_been(tmp_path: Path, nursery: Nursery) -> None:
    killing = Killing(nursery, "take over", fill_shop(tmp_path / "shop", 5), tmp_path)
    assert killing.steps > 100
    assert len(killing.expected["parts"]) > 40
    for step in spread(killing.steps, 22):
        killing.kill_at(step)
    assert killing.kills == 22


def test_killed_at_any_moment_again_and_again_it_ends_the_same(tmp_path: Path, nursery: Nursery) -> None:
    draw = random.Random(3)
    killing = Killing(nursery, "take over", fill_shop(tmp_path / "shop", 6), tmp_path)
    for _ in range(3):
        killing.kill_after(*(draw.uniform(0.01, 0.2) for _ in range(8)))
    for _ in range(3):
        killing.kill_at(*(draw.randrange(1, killing.steps // 3) for _ in range(4)))
    assert killing.kills > 12


def test_killed_during_a_replay_each_event_comes_in_once(tmp_path: Path, nursery: Nursery) -> None:
    base = fill_shop(tmp_path / "shop", 5)
    take_over(companies.open(base))
    mend_shop(base)
    killing = Killing(nursery, "replay", base, tmp_path)
    for step in spread(killing.steps, 20):
        killing.kill_at(step)
    killing.kill_at(*spread(killing.steps, 6))
    assert killing.kills >= 22


def test_a_keeper_that_is_killed_under_load_loses_nothing(tmp_path: Path) -> None:
    counted = kill_keeper_under_load(tmp_path, kills=6, clients=3, seed=11)
    assert counted["acknowledged"] > 100
