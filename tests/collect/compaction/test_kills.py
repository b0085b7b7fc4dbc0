"""Killed in the middle of compaction or of replay: no accepted event is lost, half there, or there twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.collect.compaction.killing import kill_compaction, kill_replay

KILLS = 12


@pytest.mark.slow
def test_compaction_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    assert kill_compaction(tmp_path, KILLS, seed=20261125).kills == KILLS


@pytest.mark.slow
def test_replay_that_is_killed_again_and_again_brings_each_event_in_once(tmp_path: Path) -> None:
    kills, rounds = 0, 0
    while kills < KILLS:
        rounds += 1
        assert rounds <= KILLS
        kills += kill_replay(tmp_path / str(rounds), KILLS, seed=rounds).kills
